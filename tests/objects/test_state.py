"""What clients see of boards and notes comes from files and state: the index may be lost between any two steps."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from davserver.dav.names import DAV
from storage.reconcile import SETTLE_NS
from tests.cli.command import davserver
from tests.conftest import MakeServer
from tests.harness import ACCESS, Dav, Server
from tests.objects.conftest import BOARD, RULES, calendar_of, changed, items_of, said
from tests.objects.test_notes import note
from tests.pim.samples import sync, task

BOARD_PATH, NOTES = "/files/Boards/b", "/files/Notes/n"
Step = Callable[[Dav], int]


def edit(path: str, title: str, **values: str | None) -> Step:
    """An edit of a calendar object by its title."""

    def step(client: Dav) -> int:
        item = items_of(client, calendar_of(client, path))[title]
        return client.put(item, changed(client.get(item).text, **values)).status

    return step


def put_item(path: str, name: str, body: str) -> Step:
    """A new calendar object."""
    return lambda client: client.put(f"{calendar_of(client, path)}{name}", body).status


def delete_item(path: str, title: str) -> Step:
    """The end of a calendar object."""
    return lambda client: client.delete(items_of(client, calendar_of(client, path))[title]).status


STEPS: list[Step] = [
    lambda client: client.mkcol(BOARD_PATH).status,
    lambda client: client.put(f"{BOARD_PATH}/board.toml", BOARD).status,
    lambda client: client.mkcol(f"{BOARD_PATH}/Review").status,
    lambda client: client.put(f"{BOARD_PATH}/Doing/Posters.md", "---\ndue: 2026-12-01\n---\nwords\n").status,
    put_item(BOARD_PATH, "from-a-phone.ics", task("u-1", "Ring", "PRIORITY:1", "X-OWN:kept", "SEQUENCE:3")),
    edit(BOARD_PATH, "Posters", STATUS="COMPLETED", COMPLETED="20261127T100000Z"),
    edit(BOARD_PATH, "Posters", STATUS="NEEDS-ACTION", COMPLETED=None, PERCENT_COMPLETE=None),
    lambda client: client.move(f"{BOARD_PATH}/To do/Ring.md", f"{BOARD_PATH}/Review/Call.md").status,
    lambda client: client.copy(f"{BOARD_PATH}/Review/Call.md", f"{BOARD_PATH}/Doing/Call.md").status,
    lambda client: client.move(f"{BOARD_PATH}/Doing", f"{BOARD_PATH}/In hand").status,
    lambda client: client.mkcol(NOTES).status,
    put_item(NOTES, "n.ics", note("n-1", "Wifi", "DESCRIPTION:as usual", "CREATED:20260101T000000Z")),
    edit(NOTES, "Wifi", CATEGORIES="/Home,idea"),
    lambda client: client.put(f"{NOTES}/Home/Wifi.md", "new words\n").status,
    delete_item(BOARD_PATH, "Posters"),
    lambda client: (
        client.move(f"/files/Trash{BOARD_PATH[6:]}/In hand/Posters.md", f"{BOARD_PATH}/Review/Posters.md").status
    ),
    lambda client: client.put(f"{BOARD_PATH}/Review/Call.md", "---\ntags: [open\n---\nbroken\n").status,
    lambda client: client.move(BOARD_PATH, "/files/Boards/renamed").status,
]


def seen(client: Dav) -> dict[str, tuple[str, bytes]]:
    """Every calendar object of boards and notebooks in a home: tag and bytes by URL; the calendars too."""
    found: dict[str, tuple[str, bytes]] = {}
    for home in client.propfind(f"/dav/{client.user}/", DAV.displayname, depth="1").multistatus():
        name = home.rstrip("/").rpartition("/")[2]
        if not name.startswith(("board-", "notes-")):
            continue
        found[home] = "", client.propfind(home, DAV.displayname, DAV.owner, DAV.resource_id).body
        for item in client.propfind(home, depth="1").multistatus():
            if item != home:
                reply = client.get(item)
                found[item] = reply.headers["etag"], reply.body
    return found


def lose_index(server: Server) -> None:
    server.stop()
    for file in server.data.glob("index.sqlite*"):
        file.unlink()
    server.start()


@pytest.fixture
def server(start_server: MakeServer) -> Server:
    return start_server(access=ACCESS + RULES, folders=("Boards", "Notes"))


def test_a_lost_index_between_any_two_steps_changes_nothing_but_the_epoch(server: Server) -> None:
    alice = server.client("alice")
    for number, step in enumerate(STEPS):
        assert step(alice) in (201, 204), number
        before = seen(alice)
        lose_index(server)
        assert seen(alice) == before, number


@pytest.mark.rfc("6578", "3.2")
def test_a_token_from_before_the_index_was_lost_is_refused(server: Server) -> None:
    alice = server.client("alice")
    for step in STEPS[:3]:
        assert step(alice) in (201, 204)
    url = calendar_of(alice, BOARD_PATH)
    token = alice.report(url, sync()).xml.findtext(DAV.sync_token) or ""
    lose_index(server)
    refused = alice.report(url, sync(token))
    assert (refused.status, refused.condition) == (403, DAV.valid_sync_token)


@pytest.mark.rfc("6578", "3.5")
def test_sync_reports_replayed_over_a_restart_give_the_listing(server: Server) -> None:
    alice = server.client("alice")
    known: dict[str, str] = {}
    token = ""
    for number, step in enumerate(STEPS[:9]):
        assert step(alice) in (201, 204), number
        url = calendar_of(alice, BOARD_PATH)
        reply = alice.report(url, sync(token))
        token = reply.xml.findtext(DAV.sync_token) or ""
        for path, row in reply.multistatus().items():
            if row.status == 404:
                known.pop(path, None)
            else:
                known[path] = row.text(DAV.getetag) or ""
        listed = alice.propfind(url, DAV.getetag, depth="1").multistatus()
        assert known == {path: row.text(DAV.getetag) for path, row in listed.items() if path != url}, number
        if number % 3 == 2:
            server.restart()


def test_a_crash_leaves_every_acknowledged_change_of_either_view(server: Server) -> None:
    alice = server.client("alice")
    for number, step in enumerate(STEPS[:8]):
        assert step(alice) in (201, 204), number
        before = {path: body for path, (_, body) in seen(alice).items() if path.endswith(".ics")}
        server.kill()
        server.start()
        assert {path: body for path, (_, body) in seen(alice).items() if path.endswith(".ics")} == before, number


def test_reading_every_file_again_is_no_news_of_a_board(server: Server) -> None:
    alice = server.client("alice")
    for step in STEPS[:6]:
        assert step(alice) in (201, 204)
    url, before = calendar_of(alice, BOARD_PATH), seen(alice)
    token = alice.report(url, sync()).xml.findtext(DAV.sync_token) or ""
    assert davserver("reindex", "-c", str(server.config)).code == 0
    assert seen(alice) == before
    assert alice.report(url, sync(token)).multistatus() == {}


def test_a_file_that_says_it_is_another_object_is_not_after_the_index_was_lost(server: Server) -> None:
    alice = server.client("alice")
    assert alice.mkcol("/files/Boards/twins").status == 201
    assert alice.put("/files/Boards/twins/board.toml", BOARD).status == 204
    url = calendar_of(alice, "/files/Boards/twins")
    assert alice.put(f"{url}a.ics", task("u-1", "Posters", "STATUS:COMPLETED")).status == 201
    assert alice.put("/files/Boards/twins/Doing/Flyers.md", "words\n").status == 201
    assert len(items_of(alice, url)) == 2
    assert alice.put("/files/Boards/twins/Doing/Flyers.md", "---\nuid: u-1\n---\nwords\n").status == 204
    before = {title: (item, said(alice.get(item).text, "UID")) for title, item in items_of(alice, url).items()}
    assert len({uid for _, uid in before.values()}) == 2
    lose_index(server)
    after = {title: (item, said(alice.get(item).text, "UID")) for title, item in items_of(alice, url).items()}
    assert after == before


def test_a_card_that_was_edited_on_the_disk_can_be_edited_on_the_phone_once_its_stamp_is_settled(
    server: Server,
) -> None:
    alice = server.client("alice")
    for step in STEPS[:4]:
        assert step(alice) in (201, 204)
    (server.data / f"{BOARD_PATH[1:]}/Doing/Posters.md").write_text("other words\n")
    assert "Posters" in items_of(alice, calendar_of(alice, BOARD_PATH))
    time.sleep(SETTLE_NS / 1e9 + 0.5)
    assert alice.propfind(f"{BOARD_PATH}/Doing/", depth="1").status == 207  # it is looked at once more
    assert edit(BOARD_PATH, "Posters", PRIORITY="1")(alice) == 204
