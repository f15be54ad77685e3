"""Quotas of members and folders (RFC 4331)."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from davserver.dav.names import DAV
from tests.conftest import MakeServer
from tests.harness import ACCESS, Dav, Server, users_toml

SETTINGS = '[storage]\ndata = "data"\nquota_bytes = 10000\n'
RULES = """
[[folder]]
path = "/files/Sport"
quota_bytes = 3000

[[folder]]
path = "/files/Sport/inner"
quota_bytes = 1000

[[folder]]
path = "/files/Public"
quota_bytes = 0
"""


@pytest.fixture(scope="module")
def cloud(start_server: MakeServer) -> Server:
    """Bob has 500 bytes, other homes the general 10,000; Sport 3,000 and a folder in it 1,000; Public no limit."""
    server = start_server(access=ACCESS + RULES, settings=SETTINGS)
    users = users_toml(("alice", "bob", "carol", "dora"))
    server.write_accounts(users=users.replace("[user.bob]\n", "[user.bob]\nquota_bytes = 500\n"))
    server.restart()
    return server


@pytest.fixture
def alice(cloud: Server) -> Dav:
    return cloud.client("alice")


def available(client: Dav, path: str) -> int:
    row = client.propfind(path, DAV.quota_available_bytes).multistatus()[path]
    return int(row.text(DAV.quota_available_bytes) or "-1")


@pytest.mark.rfc("4331", "3")
@pytest.mark.rfc("4331", "6")
@pytest.mark.parametrize(
    ("user", "folder", "room"),
    [
        ("bob", "/files/Home/", 500),
        ("alice", "/files/Home/", 10_000),
        ("alice", "/files/Sport/", 3000),
        ("alice", "/files/Sport/inner/", 1000),
    ],
)
def test_what_is_available_fits_and_one_byte_more_does_not(cloud: Server, user: str, folder: str, room: int) -> None:
    client = cloud.client(user)
    if folder.endswith("inner/"):
        assert client.mkcol(folder).status == 201
    assert available(client, folder) == room
    before = cloud.tree()
    refused = client.put(f"{folder}file", b"x" * (room + 1))
    assert (refused.status, refused.condition) == (507, DAV.quota_not_exceeded)
    chunked = client.put(f"{folder}file", iter([b"x" * room, b"x"]))
    assert (chunked.status, chunked.condition) == (507, DAV.quota_not_exceeded)
    assert cloud.tree() == before
    assert client.put(f"{folder}file", b"x" * room).status == 201
    assert available(client, folder) == 0
    assert client.put(f"{folder}file", b"y" * room).status == 204
    assert client.delete(f"{folder}file").status == 204
    assert available(client, folder) == room


def test_a_folder_within_another_must_find_room_in_both(alice: Dav, cloud: Server) -> None:
    assert alice.put("/files/Sport/large", b"x" * 2500).status == 201
    alice.mkcol("/files/Sport/inner/")
    assert available(alice, "/files/Sport/inner/") == 500
    before = cloud.tree()
    assert alice.put("/files/Sport/inner/a", b"x" * 501).status == 507
    refused = alice.move("/files/Sport/large", "/files/Sport/inner/large")
    assert (refused.status, refused.condition) == (507, DAV.quota_not_exceeded)
    assert cloud.tree() == before
    assert alice.move("/files/Sport/large", "/files/Sport/other").status == 201
    assert alice.copy("/files/Sport/other", "/files/Sport/copy").status == 507
    assert alice.delete("/files/Sport/other").status == 204


def test_a_folder_without_limit_has_what_the_disk_has(cloud: Server) -> None:
    carol = cloud.client("carol")
    assert carol.put("/files/Public/large", b"x" * 20_000).status == 201
    assert available(carol, "/files/Public/") > 100_000


def test_two_uploads_at_once_do_not_both_take_the_last_bytes(cloud: Server) -> None:
    def upload(number: int) -> int:
        return cloud.client("dora").put(f"/files/Home/{number}", b"x" * 6000).status

    cloud.client("dora").get("/files/Home/")
    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(upload, range(4))) == [201, 507, 507, 507]


@pytest.mark.rfc("4331", "6")
def test_uploads_side_by_side_into_several_folders_never_outgrow_the_quota_above(cloud: Server, alice: Dav) -> None:
    """Different folders have different locks; what they add counts in the one above all the same."""
    room, size, top = available(alice, "/files/Sport/"), 400, "/files/Sport/aside"
    folders = [top, *(f"{top}/{number}" for number in range(8))]
    for folder in folders:
        assert alice.mkcol(folder).status == 201

    def fill(number: int) -> list[int]:
        client = cloud.client("alice")
        return [client.put(f"{top}/{number}/{each}", "x" * size).status for each in range(3)]

    with ThreadPoolExecutor(8) as pool:
        statuses = [status for told in pool.map(fill, range(8)) for status in told]
    assert set(statuses) == {201, 507}
    assert statuses.count(201) * size <= room
    assert available(alice, "/files/Sport/") >= 0
    assert alice.delete(top).status == 204


@pytest.mark.rfc("4331", "3")
def test_uploads_side_by_side_that_fit_together_are_all_taken(cloud: Server, alice: Dav) -> None:
    room, top = available(alice, "/files/Sport/"), "/files/Sport/together"
    clients = [cloud.client("alice") for _ in range(6)]
    for _ in range(10):
        for folder in (top, *(f"{top}/{number}" for number in range(6))):
            assert alice.mkcol(folder).status == 201

        def upload(number: int) -> int:
            return clients[number].put(f"{top}/{number}/a", b"x" * (room // 6)).status

        with ThreadPoolExecutor(6) as pool:
            assert set(pool.map(upload, range(6))) == {201}
        assert alice.delete(top).status == 204


@pytest.mark.rfc("4331", "6")
def test_a_folder_that_gives_way_to_its_copy_leaves_its_room_to_nobody_else(cloud: Server, alice: Dav) -> None:
    """The old one is gone before the new one is there; what comes between them is not taken."""
    top, size = "/files/Sport/between", 1500
    assert alice.mkcol(top).status == 201
    assert alice.mkcol("/files/Home/between").status == 201
    assert alice.put("/files/Home/between/a", b"x" * size).status == 201
    assert alice.put(f"{top}/large", b"x" * 1500).status == 201
    assert alice.copy("/files/Home/between", f"{top}/copy").status == 201

    def copy(number: int) -> list[int]:
        client = cloud.client("alice")
        return [client.copy("/files/Home/between", f"{top}/copy").status for _ in range(15)]

    def post(number: int) -> list[int]:
        client = cloud.client("alice")
        return [client.request("POST", top, b"x", {"Content-Type": "text/plain"}).status for _ in range(60)]

    with ThreadPoolExecutor(4) as pool:
        copied, posted = pool.submit(copy, 0), [pool.submit(post, number) for number in range(3)]
        assert set(copied.result()) == {204}
        assert {status for each in posted for status in each.result()} == {507}
    assert available(alice, "/files/Sport/") == 0
    for path in (top, "/files/Home/between"):
        assert alice.delete(path).status == 204


@pytest.mark.rfc("4331", "6")
def test_a_slow_upload_counts_what_it_replaces_when_it_ends(cloud: Server, alice: Dav) -> None:
    """It began over a file as large as itself, which somebody has removed meanwhile and used the room of."""
    top = "/files/Sport/slow"
    assert alice.mkcol(top).status == 201
    assert alice.put(f"{top}/a", b"x" * 2500).status == 201

    head = (
        f"PUT {top}/a HTTP/1.1\r\nHost: x\r\nAuthorization: {alice.authorization}\r\n"
        "Content-Length: 2500\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection((alice.host, alice.port), timeout=10) as upload:
        upload.sendall(head.encode())
        assert upload.recv(1000).startswith(b"HTTP/1.1 100 ")  # what can be refused before the body is refused by now
        assert alice.delete(f"{top}/a").status == 204
        assert alice.put(f"{top}/b", b"x" * 2500).status == 201
        upload.sendall(b"y" * 2500)
        answer = b"".join(iter(lambda: upload.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 507 ")
    assert b"quota-not-exceeded" in answer
    assert alice.propfind(top, depth="1").multistatus().keys() == {f"{top}/", f"{top}/b"}
    assert available(alice, "/files/Sport/") == 500
    assert alice.delete(top).status == 204


@pytest.mark.rfc("4331", "3")
def test_what_is_as_large_as_what_it_replaces_fits_into_a_full_folder(alice: Dav) -> None:
    top = "/files/Sport/full"
    assert alice.mkcol(top).status == 201
    assert alice.mkcol(f"{top}/sub").status == 201
    assert alice.put(f"{top}/a", b"x" * 2000).status == 201
    assert alice.put(f"{top}/sub/b", b"x" * 1000).status == 201
    assert alice.mkcol("/files/Home/sub").status == 201
    for path, size in (("/files/Home/a", 2000), ("/files/Home/large", 2001), ("/files/Home/sub/c", 1000)):
        assert alice.put(path, b"y" * size).status == 201
    for transfer in (alice.copy, alice.move):
        assert transfer("/files/Home/large", f"{top}/a").status == 507
        assert alice.get(f"{top}/a").body[:1] == b"x"
    assert alice.copy("/files/Home/a", f"{top}/a").status == 204
    assert alice.move("/files/Home/a", f"{top}/a").status == 204
    assert alice.copy("/files/Home/sub", f"{top}/sub").status == 204
    assert alice.move("/files/Home/sub", f"{top}/sub").status == 204
    assert alice.get(f"{top}/sub/c").body == b"y" * 1000
    assert available(alice, "/files/Sport/") == 0
    assert alice.delete(top).status == 204
    assert alice.delete("/files/Home/large").status == 204


@pytest.mark.rfc("4331", "4")
def test_what_a_mac_keeps_for_itself_counts_when_it_gets_another_name(alice: Dav, cloud: Server) -> None:
    top = "/files/Sport/mac"
    assert alice.mkcol(top).status == 201
    assert alice.put(f"{top}/a", b"x" * 2500).status == 201
    assert alice.put(f"{top}/._a", b"x" * 501).status == 201
    before = cloud.tree()
    for transfer in (alice.copy, alice.move):
        refused = transfer(f"{top}/._a", f"{top}/b")
        assert (refused.status, refused.condition) == (507, DAV.quota_not_exceeded)
    assert cloud.tree() == before
    assert alice.copy(f"{top}/._a", f"{top}/._b").status == 201
    assert alice.move(f"{top}/._a", f"{top}/._c").status == 201
    assert available(alice, "/files/Sport/") == 500
    assert alice.delete(top).status == 204


@pytest.mark.rfc("4331", "3")
@pytest.mark.rfc("4331", "4")
def test_the_numbers_are_the_servers(alice: Dav, cloud: Server) -> None:
    before = cloud.tree()
    for path in ("/files/Sport/", "/files/Home/", "/files/", "/files/Trash/"):
        for name in (DAV.quota_available_bytes, DAV.quota_used_bytes):
            row = alice.proppatch(path, {name: "1"}).multistatus()[path]
            assert row.statuses == {name: 403}
            assert alice.proppatch(path, remove=[name]).multistatus()[path].statuses == {name: 403}
    assert cloud.tree() == before


@pytest.mark.rfc("4331", "2")
@pytest.mark.rfc("4331", "3")
@pytest.mark.rfc("4331", "4")
def test_every_folder_has_both_numbers_for_those_who_name_them(alice: Dav) -> None:
    both = {DAV.quota_available_bytes, DAV.quota_used_bytes}
    assert alice.get("/dav/alice/").status == 200
    rows = alice.propfind("/files/", *both, depth="infinity").multistatus()
    folders = {path: row for path, row in rows.items() if path.endswith("/")}
    assert {"/files/", "/files/Trash/", "/files/Collections/alice/calendar/"} < folders.keys()
    for path, row in folders.items():
        assert row.statuses == dict.fromkeys(both, 200), path
        assert all(int(row.text(name) or "-1") >= 0 for name in both), path
    row = alice.propfind("/files/Sport/", body='<propfind xmlns="DAV:"><propname/></propfind>').multistatus()
    assert both <= row["/files/Sport/"].props.keys()
    assert not both & alice.propfind("/files/Sport/").multistatus()["/files/Sport/"].props.keys()
