"""PUT and MKCOL: whole or not at all, and only under the conditions that the request names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from davserver.dav.names import DAV
from tests.harness import Dav, Server


@pytest.mark.rfc("4918", "9.7.1")
def test_a_new_file_is_created_and_an_old_one_replaced(alice: Dav, home: str) -> None:
    first, second = alice.put(f"{home}/a.txt", "one"), alice.put(f"{home}/a.txt", "two")
    assert (first.status, second.status) == (201, 204)
    assert first.etag != second.etag
    assert alice.get(f"{home}/a.txt").text == "two"


def test_a_chunked_upload_is_stored_whole(alice: Dav, home: str) -> None:
    assert alice.put(f"{home}/a.bin", iter([b"a" * 70_000, b"b" * 70_000])).status == 201
    assert alice.get(f"{home}/a.bin").body == b"a" * 70_000 + b"b" * 70_000


def test_an_upload_that_breaks_off_leaves_the_old_file_and_no_scratch_file(
    alice: Dav, home: str, cloud: Server
) -> None:
    etag = alice.put(f"{home}/a.txt", "old").etag
    before = cloud.tree()
    head = (
        f"PUT {home}/a.txt HTTP/1.1\r\nHost: x\r\nAuthorization: {alice.authorization}\r\nContent-Length: 1000\r\n\r\n"
    )
    alice.raw(head.encode() + b"half of it", half_close=True)
    got = alice.get(f"{home}/a.txt")
    assert (got.text, got.etag) == ("old", etag)
    assert cloud.tree() == before


def test_a_chunked_upload_shorter_than_finder_announced_is_refused(alice: Dav, home: str, cloud: Server) -> None:
    before = cloud.tree()
    reply = alice.put(f"{home}/a.bin", iter([b"abc"]), {"X-Expected-Entity-Length": "10"})
    assert reply.status == 400
    assert cloud.tree() == before
    assert alice.put(f"{home}/a.bin", iter([b"abc"]), {"X-Expected-Entity-Length": "9" * 5000}).status == 400
    assert alice.get(f"{home}/a.bin").status == 404
    assert alice.put(f"{home}/a.bin", iter([b"abc"]), {"X-Expected-Entity-Length": "3"}).status == 201


@pytest.mark.rfc("9110", "14.5")
def test_a_part_is_not_stored_as_the_whole(alice: Dav, home: str, cloud: Server) -> None:
    alice.put(f"{home}/a.txt", "whole")
    before = cloud.tree()
    assert alice.put(f"{home}/a.txt", "pa", {"Content-Range": "bytes 0-1/5"}).status == 400
    assert alice.put(f"{home}/a.txt", "pa", {"Content-Encoding": "gzip"}).status == 415
    assert cloud.tree() == before


def test_the_time_that_a_sync_client_asks_for_is_kept(alice: Dav, home: str) -> None:
    reply = alice.put(f"{home}/a.txt", "x", {"X-OC-Mtime": "1500000000.25"})
    assert (reply.status, reply.headers["x-oc-mtime"]) == (201, "accepted")
    row = alice.propfind(f"{home}/a.txt", DAV.getlastmodified).multistatus()[f"{home}/a.txt"]
    assert row.text(DAV.getlastmodified) == "Fri, 14 Jul 2017 02:40:00 GMT"
    assert alice.put(f"{home}/b.txt", "x", {"X-OC-Mtime": "yesterday"}).status == 400
    assert alice.get(f"{home}/b.txt").status == 404


@pytest.mark.rfc("9110", "13.1.1")
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If-Match": '"other"'}, 412),
        ({"If-Match": "*"}, 204),
        ({"If-None-Match": "*"}, 412),
        ({"If-None-Match": '"other"'}, 204),
        ({"If": '(["other"])'}, 412),
        ({"If": "(Not <DAV:no-lock>)"}, 204),
        ({"If": "(<urn:uuid:0>)"}, 412),
        ({"If": "nonsense"}, 400),
        ({"If-Unmodified-Since": "Thu, 01 Jan 1998 00:00:00 GMT"}, 412),
    ],
)
def test_a_put_is_done_only_if_its_condition_holds(
    alice: Dav, home: str, cloud: Server, headers: dict[str, str], status: int
) -> None:
    alice.put(f"{home}/a.txt", "old")
    before = cloud.tree()
    assert alice.put(f"{home}/a.txt", "new", headers).status == status
    assert alice.get(f"{home}/a.txt").text == ("new" if status == 204 else "old")
    if status != 204:
        assert cloud.tree() == before


@pytest.mark.rfc("9110", "13.1.1")
@pytest.mark.parametrize("method", ["DELETE", "MOVE", "COPY", "PROPPATCH", "LOCK", "PROPFIND", "MKCOL"])
def test_every_method_minds_if_match(alice: Dav, home: str, cloud: Server, method: str) -> None:
    alice.put(f"{home}/a.txt", "old")
    before = cloud.tree()
    bodies = {
        "PROPPATCH": '<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><a xmlns="urn:x"/></D:prop></D:set>'
        "</D:propertyupdate>",
        "LOCK": '<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/>'
        "</D:locktype></D:lockinfo>",
    }
    path = f"{home}/new" if method == "MKCOL" else f"{home}/a.txt"
    headers = {"If-Match": '"other"', "Depth": "0", "Destination": f"{home}/b.txt"}
    assert alice.request(method, path, bodies.get(method), headers).status == 412
    assert cloud.tree() == before


@pytest.mark.rfc("4918", "9.7.1")
def test_a_file_without_a_folder_is_a_conflict(alice: Dav, home: str, cloud: Server) -> None:
    before = cloud.tree()
    assert alice.put(f"{home}/none/a.txt", "x").status == 409
    assert alice.mkcol(f"{home}/none/sub").status == 409
    assert cloud.tree() == before


@pytest.mark.rfc("4918", "9.3.1")
def test_mkcol_makes_a_folder_once_and_takes_no_body(alice: Dav, home: str, cloud: Server) -> None:
    assert alice.mkcol(f"{home}/sub").status == 201
    again = alice.mkcol(f"{home}/sub")
    assert again.status == 405
    assert "PROPFIND" in again.headers["allow"]
    assert alice.mkcol(f"{home}/other", "<x/>").status == 415
    assert alice.request("MKCOL", f"{home}/other", iter([b"<x/>"])).status == 415
    assert alice.get(f"{home}/other").status == 404


@pytest.mark.rfc("4918", "9.7.2")
def test_a_folder_is_not_replaced_by_a_file(alice: Dav, home: str, cloud: Server) -> None:
    alice.mkcol(f"{home}/sub")
    before = cloud.tree()
    for path in (f"{home}/sub", f"{home}/sub/"):
        assert alice.put(path, "x").status in (403, 405)
    assert cloud.tree() == before


@pytest.mark.parametrize("name", ["Home", "home", "Boards", "Trash", "HISTORY", "Collections"])
def test_reserved_names_at_the_top_are_not_made(carol: Dav, name: str, unchanged: None) -> None:
    assert carol.mkcol(f"/files/{name}").status in (403, 405)


@pytest.mark.parametrize("name", ["x" * 256, "a\u0001b", "é" * 130])
def test_a_name_that_cannot_be_stored_is_refused(alice: Dav, home: str, name: str, cloud: Server) -> None:
    before = cloud.tree()
    assert alice.put(f"{home}/{name}", "x").status in (400, 403)
    assert cloud.tree() == before


def test_files_outlive_the_server_and_its_index(make_server) -> None:  # type: ignore[no-untyped-def]
    server: Server = make_server().start()
    alice = server.client("alice")
    alice.put("/files/Home/a.txt", "x")
    alice.proppatch("/files/Home/a.txt", {"{urn:x}color": "red"})
    server.stop()
    for file in Path(server.data).glob("index.sqlite*"):
        file.unlink()
    server.start()
    alice = server.client("alice")
    assert alice.get("/files/Home/a.txt").text == "x"
    rows = alice.propfind("/files/Home/a.txt", "{urn:x}color").multistatus()
    assert rows["/files/Home/a.txt"].text("{urn:x}color") == "red"


def _blocks(total: int) -> Iterator[bytes]:
    for _ in range(total // 65536):
        yield b"\0" * 65536


def test_a_large_upload_does_not_grow_the_server(alice: Dav, home: str, cloud: Server) -> None:
    status = Path(f"/proc/{cloud.pid}/status")
    before = _resident_kb(status)
    assert alice.put(f"{home}/big.bin", _blocks(96 << 20)).status == 201
    assert alice.head(f"{home}/big.bin").headers["content-length"] == str(96 << 20)
    assert len(alice.get(f"{home}/big.bin").body) == 96 << 20
    assert _resident_kb(status) - before < 40_000
    alice.delete(f"{home}/big.bin")


def _resident_kb(status: Path) -> int:
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1])
