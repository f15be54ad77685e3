"""Homes, what others share of theirs, and the rules of calendars under ``Collections/``."""

from __future__ import annotations

import pytest

from davserver.dav.names import DAV
from tests.conftest import MakeServer
from tests.harness import ACCESS, Dav, Server

BOARDS = """
[[rule]]
path = "/files/Boards"
who = ["all-users"]
may = ["read", "create"]
scope = "here"
"""
TO_BOB = '[[rule]]\nwho = ["bob"]\nmay = ["read"]\n'


@pytest.fixture(scope="module")
def cloud(start_server: MakeServer) -> Server:
    """A server of its own: what is shared here shows in everybody's listing."""
    server = start_server(access=ACCESS + BOARDS, folders=("Sport", "Boards"))
    calendar = server.data / "collections/collection-root/alice/work"
    calendar.mkdir(parents=True)
    (calendar / ".Radicale.props").write_text('{"tag": "VCALENDAR"}')
    (server.data / "collections/collection-root/bob/play").mkdir(parents=True)
    return server


@pytest.fixture
def homes_made(alice: Dav, bob: Dav) -> None:
    """A home is made at its first look, which would be a change on the disk."""
    for client in (alice, bob):
        assert client.get("/files/Home/").status == 200


def names(client: Dav, path: str) -> set[str]:
    return set(client.propfind(path, DAV.resourcetype, depth="1").multistatus())


def test_a_home_is_there_at_the_first_look_and_is_the_members_own(cloud: Server, alice: Dav, bob: Dav) -> None:
    assert names(alice, "/files/Home") == {"/files/Home/"}
    assert alice.put("/files/Home/diary.txt", "secret").status == 201
    assert bob.get("/files/Home/diary.txt").status == 404
    assert bob.get("/files/Members/alice/diary.txt").status == 404
    assert "/files/Members/" not in names(bob, "/files/")
    assert cloud.client().get("/files/Home/diary.txt").status == 401


def test_hrefs_begin_with_the_path_that_was_asked(alice: Dav) -> None:
    alice.put("/files/Home/x.txt", "x")
    assert "/files/Home/x.txt" in names(alice, "/files/Home/")
    assert "/files/Members/alice/x.txt" in names(alice, "/files/Members/alice")
    alice.lock("/files/Home/x.txt")
    assert alice.delete("/files/Home/x.txt").hrefs == ["/files/Home/x.txt"]


def test_what_a_member_shares_is_found_under_members(alice: Dav, bob: Dav, carol: Dav) -> None:
    alice.mkcol("/files/Home/shared")
    alice.put("/files/Home/shared/a.txt", "for bob")
    assert alice.put("/files/Home/shared/access.toml", TO_BOB).status == 201
    assert "/files/Members/" in names(bob, "/files/")
    assert names(bob, "/files/Members/") == {"/files/Members/", "/files/Members/alice/"}
    assert names(bob, "/files/Members/alice/") == {"/files/Members/alice/", "/files/Members/alice/shared/"}
    assert bob.get("/files/Members/alice/shared/a.txt").text == "for bob"
    assert bob.put("/files/Members/alice/shared/a.txt", "x").status == 403
    assert "/files/Members/" not in names(carol, "/files/")
    assert carol.get("/files/Members/alice/shared/a.txt").status == 404
    assert "/files/Members/alice/" not in names(alice, "/files/Members/")  # it is Home, and would sync twice


@pytest.mark.parametrize("path", ["/files/Members/zoe", "/files/Members/x.txt", "/files/Collections/alice/x"])
@pytest.mark.usefixtures("homes_made")
def test_nothing_is_made_where_the_server_puts_the_folder_together(alice: Dav, path: str, cloud: Server) -> None:
    before = cloud.tree()
    assert alice.mkcol(path).status in (403, 404, 409)
    assert alice.put(path, "x").status in (403, 404, 409)
    assert alice.move("/files/Home", path).status == 403
    assert cloud.tree() == before


@pytest.mark.usefixtures("homes_made")
def test_the_rules_of_a_calendar_are_edited_by_whoever_has_admin_on_it(alice: Dav, bob: Dav, cloud: Server) -> None:
    assert names(alice, "/files/Collections") == {"/files/Collections/", "/files/Collections/alice/"}
    assert names(alice, "/files/Collections/alice") == {"/files/Collections/alice/", "/files/Collections/alice/work/"}
    path = "/files/Collections/alice/work/access.toml"
    assert alice.get(path).status == 404
    stored = alice.put(path, TO_BOB)
    assert stored.status == 201
    file = cloud.data / "collections/collection-root/alice/work/.access.toml"
    assert file.read_text() == TO_BOB
    got = alice.get(path)
    assert (got.text, got.etag) == (TO_BOB, stored.etag)
    assert path in names(alice, "/files/Collections/alice/work/")
    assert alice.put(path, TO_BOB, {"If-None-Match": "*"}).status == 412
    before = cloud.tree()
    assert alice.put(path, "[[rule").status == 422
    assert alice.mkcol(path).status == 405
    assert alice.put("/files/Collections/alice/work/event.ics", "x").status == 403
    for reply in (bob.get(path), bob.propfind("/files/Collections/alice/work"), bob.delete(path)):
        assert reply.status == 404
    for reply in (bob.put(path, "x"), bob.lock(path), bob.copy("/files/Home", path), alice.copy(path, "/files/Home/r")):
        assert reply.status in (403, 404)
    assert cloud.tree() == before
    assert alice.delete(path).status == 204
    assert not file.exists()


@pytest.mark.usefixtures("homes_made")
def test_a_lock_on_the_rules_of_a_calendar_holds(alice: Dav, cloud: Server) -> None:
    path = "/files/Collections/alice/work/access.toml"
    token = alice.lock(path).lock_token
    assert alice.put(path, TO_BOB).status == 423
    assert alice.put(path, TO_BOB, {"If": f"(<{token}>)"}).status == 204
    assert alice.delete(path, {"If": f"(<{token}>)"}).status == 204


@pytest.mark.usefixtures("homes_made")
def test_the_trash_and_history_are_reserved(alice: Dav, cloud: Server) -> None:
    before = cloud.tree()
    for top in ("Trash", "History"):
        assert alice.get(f"/files/{top}").status == 200
        assert alice.put(f"/files/{top}/x", "x").status in (403, 404, 409)
    assert cloud.tree() == before


def test_whoever_makes_a_board_owns_it_and_shares_it(alice: Dav, bob: Dav, carol: Dav, cloud: Server) -> None:
    assert alice.mkcol("/files/Boards/Summer").status == 201
    assert alice.put("/files/Boards/Summer/card.md", "tent").status == 201
    owner = alice.propfind("/files/Boards/Summer", DAV.owner).multistatus()["/files/Boards/Summer/"].props[DAV.owner]
    assert owner[0].text == "/dav/alice/"
    assert bob.get("/files/Boards/Summer/card.md").status == 404
    assert bob.mkcol("/files/Boards/Summer").status in (403, 405)
    assert alice.put("/files/Boards/Summer/access.toml", TO_BOB).status == 201
    assert bob.get("/files/Boards/Summer/card.md").text == "tent"
    before = cloud.tree()
    assert bob.move("/files/Boards/Summer", "/files/Home/Summer").status == 403
    assert bob.put("/files/Boards/Summer/card.md", "x").status == 403
    assert cloud.tree() == before
    assert "/files/Boards/Summer/" not in names(carol, "/files/Boards")
    assert alice.move("/files/Boards/Summer", "/files/Boards/Winter").status == 201
    assert bob.get("/files/Boards/Winter/card.md").text == "tent"
    assert alice.delete("/files/Boards/Winter").status == 204
