"""A disk that runs full: 507, what was there is there, and when there is room again all works."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from davserver.dav.names import DAV
from tests.conftest import MakeServer
from tests.durability.disks import MIB, Disk, LimitedFiles, MemoryDisk, may_mount
from tests.harness import Dav, Reply, Server
from tests.links.conftest import urls_in
from tests.pim.samples import event

CALENDAR = "/dav/alice/calendar/"
DISKS = [LimitedFiles, *([MemoryDisk] if may_mount() else [])]
LARGE = os.urandom(2 * MIB)
TREE_FILE = b"t" * 20_000
PARTIAL = {"Content-Type": "application/x-sabredav-partialupdate", "X-Update-Range": "bytes=0-"}


@pytest.fixture(params=DISKS, ids=lambda kind: kind.__name__)
def disk(request: pytest.FixtureRequest, make_server: MakeServer) -> Iterator[tuple[Disk, Server]]:
    disk: Disk = request.param()
    server = make_server(folders=() if request.param is MemoryDisk else ("Sport",))
    disk.attach(server)
    yield disk, server
    disk.detach()


@pytest.fixture
def alice(disk: tuple[Disk, Server]) -> Dav:
    client = disk[1].client("alice")
    assert client.put("/files/Sport/old", b"the old one").status == 201
    assert client.put(CALENDAR + "old.ics", event("old")).status == 201
    return client


def require_no_room(reply: Reply) -> None:
    assert (reply.status, reply.condition) == (507, DAV.sufficient_disk_space), (reply.status, reply.body)


def require_stored_until_full(uploads: Iterator[Reply]) -> None:
    for reply in uploads:
        if reply.status != 201:
            require_no_room(reply)
            return


@pytest.mark.rfc("4331", "6")
def test_an_upload_that_does_not_fit_is_507_and_the_old_file_stays(disk: tuple[Disk, Server], alice: Dav) -> None:
    full, server = disk
    etag = alice.get("/files/Sport/old").etag
    full.fill()
    require_no_room(alice.put("/files/Sport/old", LARGE))
    require_no_room(alice.put("/files/Sport/new", LARGE))
    require_no_room(alice.put("/files/Sport/chunked", iter([LARGE])))
    got = alice.get("/files/Sport/old")
    assert (got.body, got.etag) == (b"the old one", etag)
    assert alice.get("/files/Sport/new").status == 404
    assert sorted(os.listdir(server.data / "files/Sport")) == ["old"]
    assert os.listdir(server.data / "scratch") == []
    full.free()
    assert alice.put("/files/Sport/old", LARGE, {"If-Match": etag}).status == 204
    assert alice.get("/files/Sport/old").body == LARGE


def test_while_nothing_fits_each_write_is_done_or_507_and_reading_goes_on(
    disk: tuple[Disk, Server], alice: Dav
) -> None:
    """What is small may find a corner even on a full disk; what is refused has not happened."""
    full, server = disk
    assert alice.mkcol("/files/Sport/tree").status == 201
    assert alice.put("/files/Sport/tree/file", TREE_FILE).status == 201
    full.fill()
    done: set[str] = set()
    writes = {
        "item": lambda: alice.put(CALENDAR + "new.ics", event("new", "x" * 20_000)),
        "change": lambda: alice.put(CALENDAR + "old.ics", event("old", "changed")),
        "property": lambda: alice.proppatch("/files/Sport/old", {"{urn:x}note": "n" * 9000}),
        "folder": lambda: alice.mkcol("/files/Sport/folder"),
        "calendar": lambda: alice.mkcalendar("/dav/alice/another/"),
        "move": lambda: alice.move("/files/Sport/old", "/files/Sport/moved"),
        "lock": lambda: alice.lock("/files/Sport/locked"),
        "copy": lambda: alice.copy("/files/Sport/tree", "/files/Sport/copied"),
        "patch": lambda: alice.request("PATCH", "/files/Sport/tree/file", "p" * 9000, PARTIAL),
        "post": lambda: alice.request("POST", "/files/Sport/", "p" * 9000, {"Slug": "posted"}),
    }
    for name, write in writes.items():
        reply = write()
        if reply.status in (200, 201, 204, 207):
            done.add(name)
        else:
            require_no_room(reply)
    assert alice.get("/files/Sport/moved" if "move" in done else "/files/Sport/old").body == b"the old one"
    assert alice.propfind("/files/Sport", depth="1").status == 207
    full.free()
    after = {
        "item": alice.get(CALENDAR + "new.ics").status == 200,
        "change": "changed" in alice.get(CALENDAR + "old.ics").text,
        "folder": alice.propfind("/files/Sport/folder").status == 207,
        "calendar": alice.propfind("/dav/alice/another/").status == 207,
        "move": alice.get("/files/Sport/moved").status == 200,
        "lock": alice.get("/files/Sport/locked").status == 200,
        "copy": alice.get("/files/Sport/copied/file").body == TREE_FILE,
        "patch": alice.get("/files/Sport/tree/file").body == b"p" * 9000 + TREE_FILE[9000:],
        "post": alice.get("/files/Sport/posted").status == 200,
    }
    assert alice.get("/files/Sport/tree/file").body in (TREE_FILE, b"p" * 9000 + TREE_FILE[9000:])
    assert after["copy"] or alice.propfind("/files/Sport/copied", depth="0").status == 404
    assert {name for name, is_there in after.items() if is_there} == done - {"property"}
    assert alice.put(CALENDAR + "later.ics", event("later")).status == 201
    server.restart()
    assert alice.get(CALENDAR + "later.ics").text == event("later")
    assert " 500 " not in server.log


def test_a_deletion_on_a_full_disk_is_done_or_507(disk: tuple[Disk, Server], alice: Dav) -> None:
    """What is deleted waits in the trash, so room comes from elsewhere; but nothing is lost by trying."""
    full, _ = disk
    full.fill()
    reply = alice.delete("/files/Sport/old")
    assert reply.status in (204, 507)
    assert alice.get("/files/Sport/old").status == (404 if reply.status == 204 else 200)


def test_where_no_upload_fits_any_more_members_make_room_by_deleting(disk: tuple[Disk, Server], alice: Dav) -> None:
    for size in (MIB, 1):  # the last ones until not even what a change takes itself is left
        uploads = (alice.put(f"/files/Sport/{size}-{number}", bytes(size)) for number in range(40))
        require_stored_until_full(uploads)
    assert alice.delete(CALENDAR + "old.ics").status == 204
    assert alice.delete(f"/files/Sport/{MIB}-0").status == 204
    assert alice.get(f"/files/Sport/{MIB}-0").status == 404
    assert alice.put("/files/Sport/again", bytes(MIB // 2)).status == 201
    assert alice.delete(CALENDAR).status == 204
    assert alice.delete("/files/Sport/1-0").status == 204


def test_what_strangers_send_is_stored_whole_or_refused(disk: tuple[Disk, Server], alice: Dav) -> None:
    full, server = disk
    assert alice.mkcol("/files/Home/box").status == 201
    assert alice.put("/files/Home/box/access.toml", '[[link]]\nright = "drop"\n').status == 201
    (url,) = urls_in(alice.get("/files/Home/box/links.txt").text)
    visitor = server.client()
    form = b'--X\r\nContent-Disposition: form-data; filename="%b"\r\n\r\n%b\r\n'
    files = form % (b"small", b"small") + form % (b"large", LARGE) + b"--X--"
    full.fill()
    require_no_room(visitor.put(f"{url}large", LARGE))
    require_no_room(visitor.request("POST", url, files, {"Content-Type": "multipart/form-data; boundary=X"}))
    assert sorted(os.listdir(server.data / "homes/alice/box")) == [".state.jsonl", "access.toml"]
    assert os.listdir(server.data / "scratch") == []
    full.free()
    assert visitor.request("POST", url, files, {"Content-Type": "multipart/form-data; boundary=X"}).status == 201
    assert alice.get("/files/Home/box/large").body == LARGE


if may_mount():

    @pytest.mark.parametrize("disk", [MemoryDisk], indirect=True, ids=["MemoryDisk"])
    def test_a_file_that_fits_is_stored_though_it_would_not_fit_twice(disk: tuple[Disk, Server], alice: Dav) -> None:
        """What has been received lies on the disk already, and needs no room a second time."""
        room = alice.propfind("/files/Sport/", DAV.quota_available_bytes, depth="0").multistatus()["/files/Sport/"]
        size = int(room.text(DAV.quota_available_bytes) or "0") * 6 // 10
        assert alice.put("/files/Sport/large", bytes(size)).status == 201
        assert alice.request("POST", "/files/Sport/", bytes(size // 4), {"Slug": "more"}).status == 201
        assert alice.put("/files/Sport/large-too", bytes(size)).status == 507
