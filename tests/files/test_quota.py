"""Quotas of members and folders (RFC 4331)."""

from __future__ import annotations

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
