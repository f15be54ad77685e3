"""What the rules of the server's file hide in a board or notebook is in no calendar either."""

from __future__ import annotations

import pytest

from davserver.dav.names import DAV
from tests.conftest import MakeServer
from tests.harness import ACCESS, Dav, Server
from tests.objects.conftest import BOARD, RULES, calendar_of, changed, files_of, items_of
from tests.objects.test_attachments import inline
from tests.objects.test_notes import note
from tests.pim.samples import sync, task

SETTINGS = '[server]\npublic_url = "https://cloud.example.org"\n'
OWN_RULES = """
[[rule]]
path = "/files/Boards/b/{name}"
who = ["carol"]
may = ["read"]

[[rule]]
path = "/files/Notes/n/{name}"
who = ["carol"]
may = ["read"]
"""


@pytest.fixture
def server(start_server: MakeServer) -> Server:
    """A board and a notebook that alice has made, each with a folder ``Staff`` that the server's file has rules of."""
    access = ACCESS + RULES + OWN_RULES.format(name="Staff")
    server = start_server(access=access, folders=("Boards", "Notes"), settings=SETTINGS)
    alice = server.client("alice")
    assert alice.mkcol("/files/Boards/b").status == 201
    named = BOARD + '[[column]]\nname = "Staff"\nstatus = "CANCELLED"\n'
    assert alice.put("/files/Boards/b/board.toml", named).status == 204
    assert alice.mkcol("/files/Notes/n").status == 201
    return server


@pytest.fixture
def bob(server: Server) -> Dav:
    return server.client("bob")


def staff(server: Server, name: str = "Staff") -> None:
    for folder in ("Boards/b", "Notes/n"):
        (server.data / "files" / folder / name).mkdir()
        (server.data / "files" / folder / name / "Wages.md").write_text("too low\n")


def test_a_folder_with_rules_in_the_server_s_file_is_in_no_calendar(server: Server, bob: Dav) -> None:
    staff(server)
    for path in ("/files/Boards/b", "/files/Notes/n"):
        assert bob.get(f"{path}/Staff/Wages.md").status == 404
        url = calendar_of(bob, path)
        assert items_of(bob, url) == {}
        assert "Wages" not in bob.report(url, sync()).text


def test_a_folder_that_gets_rules_leaves_the_calendars_at_once(server: Server, bob: Dav) -> None:
    staff(server, "Later")
    urls = [calendar_of(bob, path) for path in ("/files/Boards/b", "/files/Notes/n")]
    before = [bob.report(url, sync()) for url in urls]
    assert all(set(items_of(bob, url)) == {"Wages"} for url in urls)
    server.write_accounts(access=ACCESS + RULES + OWN_RULES.format(name="Later"))
    for url, known in zip(urls, before, strict=True):
        (gone,) = (href for href in known.multistatus() if href != url)
        assert bob.get("/files/Boards/b/Later/Wages.md").status == 404
        assert bob.get(gone).status == 404
        token = known.xml.findtext(DAV.sync_token)
        assert bob.report(url, sync(token or "")).multistatus()[gone].status == 404


def test_nobody_makes_a_folder_with_rules_of_the_server_s_file_by_an_edit(server: Server, bob: Dav) -> None:
    url, notes = calendar_of(bob, "/files/Boards/b"), calendar_of(bob, "/files/Notes/n")
    assert bob.put(f"{url}a.ics", task("u-1", "Posters", "STATUS:CANCELLED")).status == 201
    assert bob.put(f"{notes}n.ics", note("n-1", "Wifi", "CATEGORIES:/Staff/2026")).status == 201
    served = bob.get(f"{url}a.ics").text
    assert bob.put(f"{url}a.ics", changed(served, X_STATUS="Doing", STATUS="IN-PROCESS")).status == 204
    assert bob.put(f"{url}a.ics", changed(bob.get(f"{url}a.ics").text, X_STATUS="Staff")).status == 204
    for folder in ("Boards/b/Staff", "Notes/n/Staff"):
        assert not (server.data / "files" / folder).exists()
    assert files_of(bob, "/files/Boards/b") == {"board.toml", "Doing/Posters.md"}
    assert files_of(bob, "/files/Notes/n") == {"notebook.toml", "Wifi.md"}


def test_attachments_with_rules_of_their_own_are_not_told_nor_taken_along(server: Server, bob: Dav) -> None:
    url, board = calendar_of(bob, "/files/Boards/b"), server.data / "files/Boards/b"
    for name, rules in (("one", "access.toml"), ("two", "in/access.toml"), ("three", "")):
        assert bob.put(f"/files/Boards/b/Doing/{name}.md", "words\n").status == 201
        (board / f"Doing/{name}.files/in").mkdir(parents=True)
        (board / f"Doing/{name}.files/wages.txt").write_text("too low\n")
        if rules:
            (board / f"Doing/{name}.files/{rules}").write_text('[[rule]]\nwho = ["carol"]\nmay = ["read"]\n')
    assert files_of(bob, "/files/Boards/b")  # the folders are looked at
    items = items_of(bob, url)
    assert {name for name, item in items.items() if "wages" in bob.get(item).text} == {"two", "three"}
    for name, item in items.items():
        assert bob.put(item, changed(bob.get(item).text, X_STATUS="Done")).status == 204
        assert bob.delete(item).status == 204
        assert (board / f"Doing/{name}.files/wages.txt").exists() == (name != "three")


def test_attachments_that_get_rules_leave_the_object_at_once(start_server: MakeServer) -> None:
    server = start_server(access=ACCESS + RULES, folders=("Boards",), settings=SETTINGS)
    alice, bob = server.client("alice"), server.client("bob")
    assert alice.mkcol("/files/Boards/b").status == 201
    url = calendar_of(bob, "/files/Boards/b")
    assert bob.put(f"{url}a.ics", task("u-1", "Posters", inline("wages.txt", b"too low"))).status == 201
    assert "wages.txt" in bob.get(f"{url}a.ics").text
    (path,) = (each for each in files_of(bob, "/files/Boards/b") if each.endswith("wages.txt"))
    rule = f'[[rule]]\npath = "/files/Boards/b/{path.rpartition("/")[0]}"\nwho = ["carol"]\nmay = ["read"]\n'
    server.write_accounts(access=ACCESS + RULES + rule)
    assert bob.get(f"/files/Boards/b/{path}").status == 404
    assert "wages.txt" not in bob.get(f"{url}a.ics").text
