"""PATCH with ``application/x-sabredav-partialupdate``: a part of a file."""

from __future__ import annotations

import pytest

from davserver.dav.names import DAV
from tests.conftest import MakeServer
from tests.harness import Dav, Reply, Server

PARTIAL = "application/x-sabredav-partialupdate"


def patch(client: Dav, path: str, where: str, body: bytes, **headers: str) -> Reply:
    sent = {"Content-Type": PARTIAL, "X-Update-Range": where, **headers}
    return client.request("PATCH", path, body, sent)


@pytest.mark.rfc("5789", "2")
@pytest.mark.parametrize(
    ("where", "body", "after"),
    [
        ("append", b"++", b"0123456789++"),
        ("bytes=2-4", b"abc", b"01abc56789"),
        ("bytes=0-", b"a", b"a123456789"),
        ("bytes=8-", b"abcd", b"01234567abcd"),
        ("bytes=10-", b"ab", b"0123456789ab"),
        ("bytes=-3", b"abc", b"0123456abc"),
        ("bytes=-3", b"a", b"0123456a89"),
        ("append", b"", b"0123456789"),
    ],
)
def test_a_part_is_laid_over_the_file(alice: Dav, home: str, where: str, body: bytes, after: bytes) -> None:
    path = f"{home}/a.txt"
    etag = alice.put(path, b"0123456789").etag
    done = patch(alice, path, where, body, **{"If-Match": etag})
    assert done.status == 204
    assert alice.get(path).body == after
    assert done.etag == alice.head(path).etag != etag


@pytest.mark.rfc("5789", "2.2")
@pytest.mark.parametrize(
    ("where", "status"),
    [
        ("bytes=11-", 416),
        ("bytes=-11", 416),
        ("bytes=2-9", 400),
        ("bytes=4-2", 400),
        ("bytes=a-b", 400),
        ("", 400),
        ("bytes=1-3,5-7", 400),
    ],
)
def test_what_makes_no_sense_changes_nothing(alice: Dav, home: str, cloud: Server, where: str, status: int) -> None:
    alice.put(f"{home}/a.txt", b"0123456789")
    before = cloud.tree()
    assert patch(alice, f"{home}/a.txt", where, b"abc").status == status
    assert cloud.tree() == before


def test_conditions_locks_and_rights_are_asked(alice: Dav, bob: Dav, carol: Dav, sport: str, cloud: Server) -> None:
    path = f"{sport}/a.txt"
    alice.put(path, b"0123456789")
    token = bob.lock(path).lock_token
    before = cloud.tree()
    assert patch(alice, path, "append", b"x").status == 423
    assert patch(bob, path, "append", b"x", **{"If": f"(<{token}>)", "If-Match": '"other"'}).status == 412
    refused = patch(carol, path, "append", b"x")
    assert (refused.status, refused.condition) == (403, DAV.need_privileges)
    assert alice.request("PATCH", path, b"x", {"Content-Type": "text/plain"}).status == 415
    assert (
        alice.request("PATCH", path, iter([b"x"]), {"Content-Type": PARTIAL, "X-Update-Range": "append"}).status == 411
    )
    assert patch(alice, f"{sport}/none.txt", "append", b"x").status == 404
    assert patch(alice, f"{sport}/", "append", b"x").status in (403, 405, 409)
    assert cloud.tree() == before
    assert patch(bob, path, "append", b"x", If=f"(<{token}>)").status == 204
    assert "PATCH" in alice.options(path).headers["allow"]
    assert alice.options(path).headers["accept-patch"] == PARTIAL


def test_a_part_that_comes_short_leaves_the_file(alice: Dav, home: str, cloud: Server) -> None:
    alice.put(f"{home}/a.txt", b"0123456789")
    before = cloud.tree()
    head = (
        f"PATCH {home}/a.txt HTTP/1.1\r\nHost: x\r\nAuthorization: {alice.authorization}\r\n"
        f"Content-Type: {PARTIAL}\r\nX-Update-Range: append\r\nContent-Length: 10\r\n\r\nabc"
    )
    assert b" 400 " in alice.raw(head.encode(), half_close=True).partition(b"\r\n")[0] + b" "
    assert cloud.tree() == before


def test_a_file_does_not_grow_beyond_what_one_may_have_by_parts(make_server: MakeServer) -> None:
    most = 1 << 20
    server = make_server(settings=f'[storage]\ndata = "data"\n[limits]\nupload_bytes = {most}\n').start()
    alice, path = server.client("alice"), "/files/Home/a.txt"
    assert alice.put(path, b"x" * (most - 100)).status == 201
    before = server.tree()
    assert alice.put(path, b"x" * (most + 1)).status == 413
    for where in ("append", f"bytes={most - 100}-", f"bytes={most - 100}-{most}"):
        assert patch(alice, path, where, b"y" * 101).status == 413
    assert server.tree() == before
    assert patch(alice, path, "append", b"y" * 100).status == 204
    assert patch(alice, path, "bytes=0-3", b"yyyy").status == 204
