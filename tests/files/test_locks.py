"""LOCK and UNLOCK, and what a lock keeps from whom."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from davserver.dav.errors import BadRequest
from davserver.dav.names import DAV
from davserver.dav.timeout import parse_timeout
from tests.conftest import MakeServer
from tests.harness import Dav, Server


@pytest.mark.rfc("4918", "9.10.1")
def test_a_locked_file_is_changed_only_with_its_token(alice: Dav, bob: Dav, sport: str, cloud: Server) -> None:
    path = f"{sport}/a.txt"
    alice.put(path, "old")
    token = alice.lock(path).lock_token
    before = cloud.tree()
    for client in (alice, bob):
        for reply in (
            client.put(path, "new"),
            client.delete(path),
            client.move(path, f"{sport}/b.txt"),
            client.proppatch(path, {"{urn:x}p": "1"}),
        ):
            assert (reply.status, reply.condition) == (423, DAV.lock_token_submitted)
            assert reply.hrefs == [path]
        rows = client.delete(sport).multistatus()
        assert {of: (row.status, row.condition) for of, row in rows.items()} == {path: (423, DAV.lock_token_submitted)}
    assert bob.put(path, "new", {"If": f"(<{token}>)"}).status == 423
    assert cloud.tree() == before
    assert bob.get(path).text == "old"
    assert alice.put(path, "new", {"If": f"(<{token}>)"}).status == 204
    assert alice.unlock(path, token).status == 204
    assert bob.put(path, "bob's").status == 204


@pytest.mark.rfc("4918", "7.3")
def test_locking_what_is_not_there_makes_an_empty_file_with_an_etag(alice: Dav, home: str) -> None:
    reply = alice.lock(f"{home}/new.odt")
    assert reply.status == 201
    head = alice.head(f"{home}/new.odt")
    assert (head.status, head.headers["content-length"]) == (200, "0")
    stored = alice.put(
        f"{home}/new.odt",
        "x",
        {"If-Match": head.etag, "If": f"<http://127.0.0.1{home}/new.odt> (<{reply.lock_token}>)"},
    )
    assert stored.status == 204


@pytest.mark.rfc("4918", "9.10.6")
def test_a_lock_that_another_excludes_is_refused_and_makes_no_file(
    alice: Dav, bob: Dav, sport: str, cloud: Server
) -> None:
    alice.put(f"{sport}/a.txt", "x")
    assert alice.lock(sport, depth="infinity").status == 200
    before = cloud.tree()
    for path in (f"{sport}/a.txt", f"{sport}/new.txt", sport):
        reply = bob.lock(path)
        assert (reply.status, reply.condition) in (
            (423, DAV.no_conflicting_lock),
            (423, DAV.lock_token_submitted),
        )
    assert bob.put(f"{sport}/new.txt", "x").status == 423
    assert bob.mkcol(f"{sport}/new").status == 423
    assert cloud.tree() == before


@pytest.mark.rfc("4918", "7.4")
def test_a_lock_on_a_folder_guards_its_list_of_members(alice: Dav, bob: Dav, sport: str) -> None:
    alice.put(f"{sport}/a.txt", "x")
    token = alice.lock(sport, depth="0").lock_token
    assert bob.put(f"{sport}/a.txt", "y").status == 204
    assert bob.put(f"{sport}/new.txt", "y").status == 423
    assert bob.delete(f"{sport}/a.txt").status == 423
    assert bob.copy(f"{sport}/a.txt", f"{sport}/b.txt").status == 423
    assert alice.put(f"{sport}/new.txt", "y", {"If": f"<{sport}> (<{token}>)"}).status == 201


@pytest.mark.rfc("4918", "9.10.5")
def test_shared_locks_stand_beside_each_other(alice: Dav, bob: Dav, sport: str) -> None:
    alice.put(f"{sport}/a.txt", "x")
    assert alice.lock(f"{sport}/a.txt", shared=True).status == 200
    token = bob.lock(f"{sport}/a.txt", shared=True).lock_token
    assert bob.lock(f"{sport}/a.txt").status == 423
    assert bob.put(f"{sport}/a.txt", "y", {"If": f"(<{token}>)"}).status == 204


@pytest.mark.rfc("4918", "9.10.2")
@pytest.mark.rfc("4918", "9.10.6")
def test_a_lock_is_refreshed_by_its_holder_alone(alice: Dav, bob: Dav, sport: str) -> None:
    alice.put(f"{sport}/a.txt", "x")
    token = alice.lock(f"{sport}/a.txt", timeout="Second-60").lock_token
    assert alice.put(f"{sport}/b.txt", "x").status == 201
    gone = "urn:uuid:00000000-0000-0000-0000-000000000000"
    for refused in (
        bob.lock(f"{sport}/a.txt", refresh=token),
        alice.lock(f"{sport}/b.txt", refresh=token),
        alice.lock(f"{sport}/a.txt", refresh=gone),
    ):
        assert (refused.status, refused.condition) == (412, DAV.lock_token_matches_request_uri)
    stale = alice.lock(f"{sport}/a.txt", refresh=token, headers={"If-Match": '"stale"'})
    assert (stale.status, stale.condition) == (412, None)
    reply = alice.lock(f"{sport}/a.txt", refresh=token, timeout="Second-600")
    assert reply.status == 200
    timeout = next(reply.xml.iter(DAV.timeout)).text or ""
    assert 595 <= int(timeout.removeprefix("Second-")) <= 600
    assert alice.request("LOCK", f"{sport}/a.txt").status == 400


@pytest.mark.rfc("4918", "9.11.1")
def test_a_lock_is_released_by_its_holder_or_an_administrator_of_the_folder(
    alice: Dav, bob: Dav, carol: Dav, led: str
) -> None:
    alice.put(f"{led}/a.txt", "x")
    token = alice.lock(f"{led}/a.txt").lock_token
    refused = bob.unlock(f"{led}/a.txt", token)
    assert (refused.status, refused.condition) == (403, DAV.need_privileges)
    assert refused.xml.find(f".//{DAV.privilege}/{DAV.unlock}") is not None
    other = alice.unlock(f"{led}/a.txt", "urn:uuid:00000000-0000-0000-0000-000000000000")
    assert (other.status, other.condition) == (409, DAV.lock_token_matches_request_uri)
    assert alice.request("UNLOCK", f"{led}/a.txt").status == 400
    assert bob.put(f"{led}/a.txt", "y").status == 423
    assert carol.unlock(f"{led}/a.txt", token).status == 204
    bare = alice.lock(f"{led}/a.txt").lock_token
    assert alice.request("UNLOCK", f"{led}/a.txt", headers={"Lock-Token": bare}).status == 204  # as Explorer does


@pytest.mark.rfc("4918", "15.8")
def test_lockdiscovery_shows_the_owner_to_all_and_the_token_to_its_holder(alice: Dav, bob: Dav, sport: str) -> None:
    alice.put(f"{sport}/a.txt", "x")
    token = alice.lock(sport, depth="infinity", owner="LibreOffice - Alice").lock_token
    mine = alice.propfind(f"{sport}/a.txt", DAV.lockdiscovery)
    theirs = bob.propfind(f"{sport}/a.txt", DAV.lockdiscovery)
    assert "LibreOffice - Alice" in theirs.text
    assert token in mine.text
    assert token not in theirs.text
    assert "LibreOffice" in bob.propfind(sport, DAV.lockdiscovery, depth="1").text


@pytest.mark.rfc("4918", "7.6")
def test_a_lock_does_not_move_with_its_file(alice: Dav, bob: Dav, sport: str) -> None:
    alice.put(f"{sport}/a.txt", "x")
    token = alice.lock(f"{sport}/a.txt").lock_token
    assert alice.move(f"{sport}/a.txt", f"{sport}/b.txt", headers={"If": f"(<{token}>)"}).status == 201
    assert bob.put(f"{sport}/b.txt", "y").status == 204
    assert bob.put(f"{sport}/a.txt", "y").status == 201


def test_locks_outlive_a_restart(make_server) -> None:  # type: ignore[no-untyped-def]
    server: Server = make_server().start()
    alice = server.client("alice")
    alice.put("/files/Sport/a.txt", "x")
    token = alice.lock("/files/Sport/a.txt").lock_token
    server.restart()
    alice, bob = server.client("alice"), server.client("bob")
    assert bob.put("/files/Sport/a.txt", "y").status == 423
    assert alice.put("/files/Sport/a.txt", "y", {"If": f"(<{token}>)"}).status == 204


@pytest.mark.parametrize(
    "body",
    [
        "<D:lockinfo xmlns:D='DAV:'/>",
        "<D:lockinfo xmlns:D='DAV:'><D:lockscope><D:half/></D:lockscope></D:lockinfo>",
        "<D:lockinfo xmlns:D='DAV:'><D:lockscope><D:shared/></D:lockscope></D:lockinfo>",
        "<D:other xmlns:D='DAV:'/>",
        "<not xml",
        '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    ],
)
def test_a_lock_that_cannot_be_understood_makes_nothing(alice: Dav, home: str, cloud: Server, body: str) -> None:
    before = cloud.tree()
    assert alice.request("LOCK", f"{home}/new.txt", body).status == 400
    assert alice.lock(f"{home}/new.txt", depth="1").status == 400
    assert cloud.tree() == before


@pytest.mark.rfc("4918", "10.7")
@pytest.mark.parametrize(
    ("value", "granted"),
    [(None, 60), ("", 60), ("Second-30", 30), ("Infinite", 100), ("Second-4100000000", 100), ("X-1, Second-7", 7)],
)
def test_a_timeout_grants_the_first_usable_entry_within_the_ceiling(value: str | None, granted: int) -> None:
    assert parse_timeout(value, default_s=60, longest_s=100) == granted


@pytest.mark.parametrize("value", ["Second-", "Second-0", "Second-x", "Second-99999999999", "soon", "Second-²"])
def test_a_timeout_without_a_usable_entry_is_a_bad_request(value: str) -> None:
    with pytest.raises(BadRequest):
        parse_timeout(value, default_s=60, longest_s=100)


@pytest.mark.rfc("4918", "9.10.3")
@pytest.mark.rfc("4918", "14.12")
def test_a_folder_is_not_locked_whole_while_somebody_holds_a_lock_below_and_the_answer_says_where(
    alice: Dav, bob: Dav, sport: str, cloud: Server
) -> None:
    assert alice.mkcol(f"{sport}/sub").status == 201
    assert alice.put(f"{sport}/a.txt", "x").status == 201
    root = alice.lock(f"{sport}/sub").xml.find(f".//{DAV.lockroot}/{DAV.href}")
    assert root is not None
    assert root.text == f"{sport}/sub/"
    assert alice.lock(f"{sport}/a.txt").status == 200
    before = cloud.tree()
    rows = bob.lock(sport, depth="infinity").multistatus()
    assert {path: (row.status, row.condition) for path, row in rows.items()} == {
        f"{sport}/a.txt": (423, DAV.no_conflicting_lock),
        f"{sport}/sub/": (423, DAV.no_conflicting_lock),
        f"{sport}/": (424, None),
    }
    assert cloud.tree() == before
    assert bob.put(f"{sport}/b.txt", "y").status == 201
    assert alice.lock(sport).status == 200
    reply = bob.lock(sport, depth="infinity")  # locked itself too
    assert (reply.status, reply.condition) == (423, DAV.no_conflicting_lock)


@pytest.mark.rfc("4918", "9.10.3")
@pytest.mark.parametrize("depth", ["1", "2", "all"])
def test_a_lock_is_of_a_resource_or_of_all_below_it(alice: Dav, sport: str, cloud: Server, depth: str) -> None:
    before = cloud.tree()
    assert alice.lock(sport, depth=depth).status == 400
    assert alice.lock(f"{sport}/new.txt", depth=depth).status == 400
    assert cloud.tree() == before
    assert alice.propfind(sport, DAV.lockdiscovery, depth="0").text.count("<D:activelock>") == 0


@pytest.mark.rfc("4918", "9.10.4")
@pytest.mark.rfc("4918", "7.4")
def test_a_lock_of_a_tree_guards_what_comes_into_it_too(alice: Dav, bob: Dav, sport: str, cloud: Server) -> None:
    for folder in ("tree", "tree/sub", "beside"):
        assert alice.mkcol(f"{sport}/{folder}").status == 201
    assert bob.put(f"{sport}/beside/b.txt", "x").status == 201
    token = alice.lock(f"{sport}/tree", depth="infinity").lock_token
    before = cloud.tree()
    refused = [
        bob.put(f"{sport}/tree/sub/new.txt", "x"),
        bob.mkcol(f"{sport}/tree/sub/new"),
        bob.request("POST", f"{sport}/tree/sub/", "x"),
        bob.move(f"{sport}/beside/b.txt", f"{sport}/tree/b.txt"),
        bob.copy(f"{sport}/beside", f"{sport}/tree/sub/beside"),
        bob.lock(f"{sport}/tree/sub/new.txt"),
    ]
    assert [reply.status for reply in refused] == [423] * 6
    assert cloud.tree() == before
    submitted = {"If": f"<{sport}/tree/> (<{token}>)"}
    assert alice.put(f"{sport}/tree/sub/new.txt", "x", submitted).status == 201
    assert alice.unlock(f"{sport}/tree/sub/new.txt", token).status == 204  # by any resource that it covers (§9.11)
    assert bob.put(f"{sport}/tree/sub/new.txt", "y").status == 204


@pytest.mark.rfc("4918", "6.2")
def test_of_shared_locks_each_is_released_alone(alice: Dav, bob: Dav, carol: Dav, led: str) -> None:
    path = f"{led}/a.txt"
    assert alice.put(path, "x").status == 201
    first, second = alice.lock(path, shared=True).lock_token, bob.lock(path, shared=True).lock_token
    assert alice.propfind(path, DAV.lockdiscovery, depth="0").text.count("<D:activelock>") == 2
    assert bob.unlock(path, first).status == 403
    assert alice.unlock(path, first).status == 204
    assert alice.put(path, "y").status == 423
    assert alice.lock(path).status == 423
    assert bob.put(path, "y", {"If": f"(<{second}>)"}).status == 204
    assert bob.unlock(path, second).status == 204
    assert alice.lock(path).status == 200


@pytest.mark.rfc("4918", "9.10.4")
def test_where_nothing_can_be_written_nothing_is_locked(
    alice: Dav, bob: Dav, carol: Dav, led: str, cloud: Server
) -> None:
    assert alice.put(f"{led}/a.txt", "x").status == 201
    assert carol.put(f"{led}/access.toml", '[[rule]]\nwho = ["bob"]\nmay = ["read"]\n').status == 201
    before = cloud.tree()
    for path, status in ((f"{led}/a.txt", 403), (f"{led}/new.txt", 403), (led, 403), (f"{led}/no/a.txt", 403)):
        reply = bob.lock(path)
        assert (reply.status, reply.condition) == (status, DAV.need_privileges), path
    assert carol.lock(f"{led}/no/a.txt").status == 409
    assert cloud.tree() == before
    assert carol.propfind(led, DAV.lockdiscovery, depth="1").text.count("<D:activelock>") == 0


@pytest.mark.rfc("4918", "7.6")
def test_a_lock_ends_with_its_resource(alice: Dav, bob: Dav, sport: str) -> None:
    assert alice.mkcol(f"{sport}/sub").status == 201
    assert alice.put(f"{sport}/sub/a.txt", "x").status == 201
    token = alice.lock(f"{sport}/sub/a.txt").lock_token
    assert alice.delete(f"{sport}/sub", {"If": f"<{sport}/sub/a.txt> (<{token}>)"}).status == 204
    assert bob.mkcol(f"{sport}/sub").status == 201
    assert bob.put(f"{sport}/sub/a.txt", "y").status == 201
    assert bob.lock(f"{sport}/sub/a.txt").status == 200
    assert alice.lock(f"{sport}/sub/a.txt", refresh=token).status == 412


def test_a_member_holds_so_many_locks_and_no_more(make_server: MakeServer) -> None:
    server = make_server(settings="[limits]\nlocks_per_member = 3\n").start()
    alice, bob = server.client("alice"), server.client("bob")
    tokens = [alice.lock(f"/files/Sport/{number}").lock_token for number in range(3)]
    before = server.tree()
    assert alice.lock("/files/Sport/one-more").status == 403
    assert server.tree() == before
    assert bob.lock("/files/Sport/bobs").status == 201
    assert alice.unlock("/files/Sport/0", tokens[0]).status == 204
    assert alice.lock("/files/Sport/one-more").status == 201


def test_a_lock_holds_while_the_index_is_gone_and_after_the_next_start(make_server: MakeServer) -> None:
    server = make_server().start()
    alice, bob = server.client("alice"), server.client("bob")
    assert alice.put("/files/Sport/a", "x").status == 201
    brief = alice.lock("/files/Sport/brief", timeout="Second-1")
    assert brief.status == 201
    token = alice.lock("/files/Sport/a").lock_token
    server.kill()
    server.start()
    assert bob.put("/files/Sport/a", "y").status == 423
    assert alice.put("/files/Sport/a", "y", {"If": f"(<{token}>)"}).status == 204
    for file in server.data.glob("index.sqlite*"):
        file.unlink()
    assert bob.put("/files/Sport/a", "z").status == 423
    until = time.monotonic() + 10
    while bob.put("/files/Sport/brief", "z").status == 423 and time.monotonic() < until:
        time.sleep(0.05)
    assert bob.get("/files/Sport/brief").text == "z"


def test_of_many_who_ask_at_once_one_gets_the_lock(cloud: Server, alice: Dav, sport: str) -> None:
    assert alice.put(f"{sport}/a.txt", "x").status == 201
    clients = [cloud.client(name) for name in ("alice", "bob") * 4]
    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(reply.status for reply in pool.map(lambda client: client.lock(f"{sport}/a.txt"), clients))
    assert statuses == [200, *[423] * 7]
