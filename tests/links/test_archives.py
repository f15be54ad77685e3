"""All of a published folder as one archive: what is in it, how long it is, and that it is never half of two states."""

from __future__ import annotations

import io
import os
import socket
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from davserver.dav.names import DAV
from storage.zipstream import Archive, Entry
from tests.interop.programs import program, run
from tests.links.conftest import Stand, zip_of

BLOCK = bytes(1 << 20)
LARGE = 48 << 20  # more than the sockets between server and visitor hold


def test_all_of_a_folder_is_one_zip(stand: Stand) -> None:
    stand.put("Änderung.txt", "ä")
    stand.put("empty", "")
    stand.mkcol("photos")
    stand.put("photos/a.jpg", b"\0" * 300_000)
    url = stand.publish()
    archive = zip_of(stand, url)
    assert archive.namelist() == ["photos/", "photos/a.jpg", "empty", "Änderung.txt"]
    assert archive.read("photos/a.jpg") == b"\0" * 300_000
    assert archive.read("Änderung.txt").decode() == "ä"
    assert zip_of(stand, url, "photos/photos.zip").namelist() == ["a.jpg"]


@pytest.mark.rfc("9110", "13.1.2")
def test_the_zip_has_an_etag_that_changes_with_what_is_in_it(stand: Stand) -> None:
    stand.put("a.txt", "a")
    url = stand.publish() + f"{stand.name}.zip"
    tag = stand.visitor.head(url).etag
    assert stand.visitor.get(url, {"If-None-Match": tag}).status == 304
    first = stand.visitor.get(url)
    assert stand.visitor.get(url).body == first.body
    stand.put("a.txt", "b")
    again = stand.visitor.get(url, {"If-None-Match": tag})
    assert again.status == 200
    assert again.etag != tag


def test_a_file_of_the_archives_name_is_that_file(stand: Stand) -> None:
    stand.put(f"{stand.name}.zip", "my own")
    assert stand.visitor.get(f"{stand.publish()}{stand.name}.zip").body == b"my own"


def test_unzip_takes_it_with_names_and_times(stand: Stand, tmp_path: Path) -> None:
    stand.put("Änderung.txt", "ä")
    stand.mkcol("photos")
    stand.put("photos/a.jpg", b"\0" * 300_000)
    os.utime(stand.server.data / stand.disk / "photos/a.jpg", (1_600_000_000, 1_600_000_000))
    url = f"{stand.publish()}{stand.name}.zip"
    archive = tmp_path / "all.zip"
    archive.write_bytes(stand.visitor.get(url).body)
    for arguments in (("-t", archive), ("-q", archive, "-d", tmp_path / "out")):
        done = run(program("unzip"), *arguments, env={**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC"})
        assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "out/Änderung.txt").read_text() == "ä"
    assert (tmp_path / "out/photos/a.jpg").stat().st_mtime == 1_600_000_000


@pytest.mark.rfc("9110", "9.3.2")
def test_its_head_is_told_without_it(stand: Stand) -> None:
    stand.put("a.txt", "a" * 1000)
    url = f"{stand.publish()}{stand.name}.zip"
    head, whole = stand.visitor.head(url), stand.visitor.get(url)
    assert head.body == b""
    for name in ("etag", "content-length", "content-type", "content-disposition", "cache-control"):
        assert head.headers[name] == whole.headers[name]
    assert head.headers["content-disposition"].startswith(f'attachment; filename="{stand.name}.zip"')


@pytest.mark.rfc("9110", "15.4.5")
def test_a_304_says_what_caches_go_by(stand: Stand) -> None:
    stand.put("a.txt", "a")
    url = stand.publish()
    for path in (f"{url}{stand.name}.zip", f"{url}a.txt"):
        tag = stand.visitor.get(path).etag
        known = stand.visitor.get(path, {"If-None-Match": tag})
        assert (known.status, known.etag, known.headers["cache-control"], known.body) == (304, tag, "no-cache", b"")


@pytest.mark.rfc("4918", "9.1")
def test_it_is_listed_for_whoever_asks_by_its_name_and_in_no_folder(stand: Stand) -> None:
    stand.mkcol("photos")
    stand.put("photos/a.jpg", "jpeg")
    url = stand.publish()
    path = f"{url}photos/photos.zip"
    head = stand.visitor.head(path)
    told = {
        DAV.getetag: "etag",
        DAV.getcontentlength: "content-length",
        DAV.getcontenttype: "content-type",
        DAV.getlastmodified: "last-modified",
    }
    for depth in "01":
        rows = stand.visitor.propfind(path, *told, DAV.resourcetype, depth=depth).multistatus()
        assert list(rows) == [path]
        assert {name: rows[path].text(name) for name in told} == {name: head.headers[told[name]] for name in told}
        assert len(rows[path].props[DAV.resourcetype]) == 0
    assert path not in stand.visitor.propfind(f"{url}photos/", depth="1").multistatus()
    assert stand.visitor.propfind(f"{url}photos/other.zip", depth="0").status == 404
    since = {"If-Modified-Since": head.headers["last-modified"]}
    assert stand.visitor.get(path, since).status == 304
    assert stand.visitor.put(path, "mine").status == 405


def begin(stand: Stand, path: str) -> tuple[socket.socket, bytes]:
    """Ask for something and read no more than its head and a little."""
    connection = socket.create_connection(("127.0.0.1", stand.server.port), timeout=20)
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return connection, connection.recv(1000)


def rest(connection: socket.socket) -> bytes:
    """What comes until the server closes."""
    parts = []
    with connection:
        try:
            while part := connection.recv(1 << 20):
                parts.append(part)
        except ConnectionResetError:
            pass
    return b"".join(parts)


def replaced(stand: Stand) -> None:
    stand.put("b.txt", "other")


def removed(stand: Stand) -> None:
    assert stand.alice.delete(f"{stand.folder}/b.txt").status == 204


def edited_on_disk(stand: Stand) -> None:
    (stand.server.data / stand.disk / "b.txt").write_text("2nd")


def first_edited_on_disk(stand: Stand) -> None:
    with (stand.server.data / stand.disk / "a.bin").open("r+b") as file:
        file.seek(LARGE - 1)
        file.write(b"x")


def first_cut_on_disk(stand: Stand) -> None:
    os.truncate(stand.server.data / stand.disk / "a.bin", LARGE - 1)


CHANGES = (replaced, removed, edited_on_disk, first_edited_on_disk, first_cut_on_disk)


@pytest.mark.parametrize("change", CHANGES)
def test_one_whose_files_change_while_it_is_sent_breaks_off(stand: Stand, change: Callable[[Stand], None]) -> None:
    stand.put("a.bin", bytes(LARGE))
    stand.put("b.txt", "1st")
    url = f"{stand.publish()}{stand.name}.zip"
    length = int(stand.visitor.head(url).headers["content-length"])
    connection, begun = begin(stand, url)
    assert begun.startswith(b"HTTP/1.1 200 ")
    change(stand)
    body = (begun + rest(connection)).partition(b"\r\n\r\n")[2]
    assert len(body) < length
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(body))
    assert "Traceback" not in stand.server.log
    zip_of(stand, url.rpartition("/")[0] + "/")


def test_what_was_edited_on_disk_is_seen_before_it_is_begun(stand: Stand) -> None:
    stand.put("a.txt", "1st")
    stand.put("b.txt", "1st")
    url = f"{stand.publish()}{stand.name}.zip"
    first = stand.visitor.get(url)
    (stand.server.data / stand.disk / "b.txt").write_text("second, in its place")
    again = stand.visitor.get(url)
    assert zipfile.ZipFile(io.BytesIO(again.body)).read("b.txt") == b"second, in its place"
    assert again.etag != first.etag


# beyond what 32 and 16 bits count


class Sparse(io.FileIO):
    """A file in which blocks of zeros take no room."""

    def take(self, block: bytes) -> None:
        if block is BLOCK:
            self.seek(len(block), os.SEEK_CUR)
        else:
            self.write(block)


def test_files_beyond_four_gigabytes_are_read_and_what_comes_behind_them(tmp_path: Path) -> None:
    large, small = Entry("large.bin", 4097 << 20, 0, "1"), Entry("small.txt", 5, 4_000_000_000, "2")
    archive = Archive([large, small])

    def read(entry: Entry) -> Iterator[bytes]:
        yield from (BLOCK for _ in range(4097)) if entry is large else (b"small",)

    with Sparse(tmp_path / "large.zip", "w") as file:
        for block in archive.stream(read):
            file.take(block)
        assert file.tell() == archive.length
    with zipfile.ZipFile(tmp_path / "large.zip") as found:
        assert [info.file_size for info in found.infolist()] == [4097 << 20, 5]
        assert found.read("small.txt") == b"small"
        checked = 0
        for _ in range(4097):
            checked = zlib.crc32(BLOCK, checked)
        assert checked == found.getinfo("large.bin").CRC
    assert "No errors detected" in run(program("unzip"), "-t", tmp_path / "large.zip", "small.txt").stdout


def test_more_than_65535_files_are_all_in_it() -> None:
    entries = [Entry(f"{number}.txt", 1, 0, str(number)) for number in range(65_537)]
    archive = Archive(entries)
    data = b"".join(archive.stream(lambda _: iter((b"x",))))
    assert len(data) == archive.length
    found = zipfile.ZipFile(io.BytesIO(data))
    assert len(found.namelist()) == 65_537
    assert found.read("65536.txt") == b"x"


@pytest.mark.parametrize("given", [(), (b"abc",), (b"abcd", b"e"), (b"abcdef",)])
def test_a_file_of_another_length_is_no_part_of_an_archive(given: tuple[bytes, ...]) -> None:
    archive = Archive([Entry("a.txt", 4, 0, "1")])
    with pytest.raises(ValueError, match=r"a\.txt has changed"):
        b"".join(archive.stream(lambda _: iter(given)))
