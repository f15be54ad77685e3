"""Times that sync programs and Explorer set: they survive, and are what the file says later."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from davserver.dav.names import DAV
from tests.harness import Dav, Server

WIN = "{urn:schemas-microsoft-com:}"
MODIFIED = f"{WIN}Win32LastModifiedTime"
CREATED = f"{WIN}Win32CreationTime"
THEN = "Sat, 06 Jul 2019 10:00:00 GMT"
THEN_S = 1562407200


def value(client: Dav, path: str, name: str) -> str | None:
    return client.propfind(path, name).multistatus()[path].text(name)


def on_disk(server: Server, name: str) -> Path:
    (found,) = Path(server.data, "homes", "alice").rglob(name)
    return found


@pytest.mark.rfc("4918", "15.7")
@pytest.mark.parametrize(
    ("name", "text"),
    [(MODIFIED, THEN), (DAV.getlastmodified, THEN), (DAV.lastmodified, str(THEN_S))],
    ids=["explorer", "getlastmodified", "rclone"],
)
def test_a_time_that_is_set_is_that_of_the_file(alice: Dav, home: str, cloud: Server, name: str, text: str) -> None:
    path = f"{home}/time-{len(name)}.txt"
    etag = alice.put(path, "abc").etag
    assert alice.proppatch(path, {name: text}).multistatus()[path].statuses == {name: 200}
    got = alice.get(path)
    assert (got.headers["last-modified"], got.etag, got.text) == (THEN, etag, "abc")
    assert value(alice, path, DAV.getlastmodified) == THEN
    assert value(alice, path, DAV.lastmodified) == str(THEN_S)
    assert value(alice, path, name) == text
    assert on_disk(cloud, path.rpartition("/")[2]).stat().st_mtime_ns == THEN_S * 1_000_000_000


@pytest.mark.rfc("4918", "9.2.1")
@pytest.mark.parametrize(
    ("name", "text"),
    [
        (MODIFIED, "soon"),
        (DAV.getlastmodified, "2019-07-06"),
        (DAV.getlastmodified, ""),
        (DAV.getlastmodified, "Wed, 31 Dec 1969 23:59:59 GMT"),
        (DAV.lastmodified, "-1"),
        (DAV.lastmodified, "1e9"),
        (DAV.lastmodified, "Wed, 31 Dec 1969 23:59:59 GMT"),
        (DAV.lastmodified, "9" * 12),
        (DAV.lastmodified, str(1 << 34)),
        (DAV.getlastmodified, "Fri, 31 Dec 9999 23:59:59 GMT"),
        (DAV.creationdate, "yesterday"),
        (DAV.creationdate, "2019-07-06T10:00:00"),
        (CREATED, "soon"),
    ],
)
def test_what_is_no_time_is_409_and_nothing_is_set(alice: Dav, home: str, cloud: Server, name: str, text: str) -> None:
    path = f"{home}/a.txt"
    alice.put(path, "abc", {"X-OC-Mtime": "1000000000"})
    before = cloud.tree()
    other = f"{WIN}Win32FileAttributes"
    row = alice.proppatch(path, {name: text, other: "00000020"}).multistatus()[path]
    assert row.statuses == {name: 409, other: 424}
    assert cloud.tree() == before
    assert alice.head(path).headers["last-modified"] == "Sun, 09 Sep 2001 01:46:40 GMT"
    assert value(alice, path, other) is None


def test_a_time_of_rclone_s_property_may_be_a_date(alice: Dav, home: str) -> None:
    path = f"{home}/a.txt"
    alice.put(path, "abc")
    assert alice.proppatch(path, {DAV.lastmodified: THEN}).multistatus()[path].statuses == {DAV.lastmodified: 200}
    assert value(alice, path, DAV.lastmodified) == str(THEN_S)


def test_a_folder_keeps_the_time_that_its_members_give_it(alice: Dav, home: str) -> None:
    row = alice.proppatch(home, {DAV.getlastmodified: THEN}).multistatus()[f"{home}/"]
    assert row.statuses == {DAV.getlastmodified: 403}
    row = alice.proppatch(home, {MODIFIED: THEN}).multistatus()[f"{home}/"]
    assert row.statuses == {MODIFIED: 200}
    assert alice.propfind(home, MODIFIED).multistatus()[f"{home}/"].text(MODIFIED) == THEN


def test_the_time_that_explorer_set_does_not_lie_after_an_upload(alice: Dav, home: str) -> None:
    path = f"{home}/a.txt"
    alice.put(path, "abc")
    alice.proppatch(path, {MODIFIED: THEN, f"{WIN}Win32FileAttributes": "00000020"})
    assert value(alice, path, MODIFIED) == THEN
    alice.put(path, "other", {"X-OC-Mtime": "1000000000"})
    for row in (alice.propfind(path, MODIFIED), alice.propfind(path), alice.propfind(home, depth="1")):
        assert row.multistatus()[path].text(MODIFIED) == "Sun, 09 Sep 2001 01:46:40 GMT"
    assert alice.propfind(path).multistatus()[path].text(f"{WIN}Win32FileAttributes") == "00000020"


@pytest.mark.parametrize("text", ["Mon, 01 Jan 1601 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_time_of_1601_which_explorer_sends_for_none_sets_nothing(alice: Dav, home: str, text: str) -> None:
    path = f"{home}/a.txt"
    alice.put(path, "abc", {"X-OC-Mtime": "1000000000"})
    never = {MODIFIED: text, CREATED: text}
    assert alice.proppatch(path, never).multistatus()[path].statuses == dict.fromkeys(never, 200)
    assert alice.head(path).headers["last-modified"] == "Sun, 09 Sep 2001 01:46:40 GMT"


def test_what_lies_on_the_disk_from_later_than_2262_is_served(alice: Dav, home: str, cloud: Server) -> None:
    alice.put(f"{home}/a.txt", "abc")
    folder = on_disk(cloud, home.rpartition("/")[2])
    (folder / "sub").mkdir()
    for later in (folder / "a.txt", folder / "sub", folder):
        os.utime(later, (1 << 34, 1 << 34))
    listed = alice.propfind(home, DAV.getlastmodified, depth="1").multistatus()
    assert listed.keys() == {f"{home}/", f"{home}/sub/", f"{home}/a.txt"}
    assert listed[f"{home}/a.txt"].text(DAV.getlastmodified) == "Fri, 11 Apr 2262 23:47:16 GMT"
    assert alice.get(f"{home}/a.txt").text == "abc"
    etag = alice.get(f"{home}/a.txt").etag
    assert alice.put(f"{home}/a.txt", "other", {"If-Match": etag}).status == 204
    assert alice.propfind(f"{home}/sub", depth="1").status == 207


@pytest.mark.rfc("4918", "15.1")
@pytest.mark.parametrize(
    ("name", "text"), [(CREATED, THEN), (DAV.creationdate, "2019-07-06T12:00:00+02:00")], ids=["explorer", "dav"]
)
def test_the_date_of_making_can_be_set_and_stays(alice: Dav, home: str, name: str, text: str) -> None:
    path = f"{home}/a.txt"
    alice.put(path, "abc")
    made = value(alice, path, DAV.creationdate)
    assert alice.proppatch(path, {name: text}).multistatus()[path].statuses == {name: 200}
    alice.put(path, "other")
    assert alice.move(path, f"{home}/b.txt").status == 201
    rows = alice.propfind(home, depth="1").multistatus()
    assert rows[f"{home}/b.txt"].text(DAV.creationdate) == "2019-07-06T10:00:00Z"
    alice.proppatch(f"{home}/b.txt", remove=[name])
    assert value(alice, f"{home}/b.txt", DAV.creationdate) == made


@pytest.mark.parametrize(
    ("sent", "kept_ns"),
    [("1500000000", 1_500_000_000_000_000_000), ("1500000000.25", 1_500_000_000_250_000_000), ("0", 0)],
)
def test_the_time_of_an_upload_survives_copy_and_move(
    alice: Dav, home: str, cloud: Server, sent: str, kept_ns: int
) -> None:
    stored = alice.put(f"{home}/a.txt", "abc", {"X-OC-Mtime": sent})
    assert (stored.status, stored.headers["x-oc-mtime"]) == (201, "accepted")
    alice.mkcol(f"{home}/tree")
    assert alice.copy(f"{home}/a.txt", f"{home}/tree/copy.txt").status == 201
    assert alice.move(f"{home}/a.txt", f"{home}/tree/moved.txt").status == 201
    assert alice.copy(f"{home}/tree", f"{home}/again").status == 201
    times = alice.propfind(home, DAV.getlastmodified, depth="infinity").multistatus()
    files = {href: row.text(DAV.getlastmodified) for href, row in times.items() if href.endswith(".txt")}
    assert len(files) == 4
    assert len(set(files.values())) == 1
    folder = Path(cloud.data, "homes", "alice", home.rpartition("/")[2])
    assert {os.stat(file).st_mtime_ns for file in folder.rglob("*.txt")} == {kept_ns}


@pytest.mark.parametrize("sent", ["-1", "soon", "nan", "inf", "1e40", "1e11", str(1 << 34), ""])
def test_an_upload_with_no_time_where_one_should_be_is_refused(alice: Dav, home: str, cloud: Server, sent: str) -> None:
    before = cloud.tree()
    assert alice.put(f"{home}/a.txt", "abc", {"X-OC-Mtime": sent}).status == 400
    assert cloud.tree() == before
