"""What the rules of the server's file hide in a board or notebook is in no calendar either."""

from __future__ import annotations

import pytest

from davserver.dav.names import DAV
from tests.conftest import MakeServer
from tests.harness import ACCESS, Dav, Server
from tests.objects.conftest import BOARD, RULES, calendar_of, changed, files_of, items_of
from tests.objects.test_notes import note
from tests.pim.samples import sync, task

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
    server = start_server(access=ACCESS + RULES + OWN_RULES.format(name="Staff"), folders=("Boards", "Notes"))
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
