"""Files changed behind the running server: ETag and bytes agree, an old sync token leads to the present state."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from davserver.dav.names import APPLE, DAV
from tests.durability.worlds import see_files, see_items
from tests.harness import Dav, Server
from tests.pim.samples import event, sync

ROOT, CALENDAR = "/files/Sport/", "/dav/alice/cal/"
DISK = Path("collections/collection-root/alice/cal")


def in_place(file: Path, data: bytes) -> None:
    with file.open("r+b") as opened:
        opened.write(data)
        opened.truncate()


def by_rename(file: Path, data: bytes) -> None:
    other = file.with_name(".by-rename")
    other.write_bytes(data)
    other.replace(file)


def with_old_stamp(file: Path, data: bytes) -> None:
    status = file.stat()
    in_place(file, data)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def renamed_with_old_stamp(file: Path, data: bytes) -> None:
    status = file.stat()
    by_rename(file, data)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


EDITS = (in_place, by_rename, with_old_stamp, renamed_with_old_stamp)
Edit = Callable[[Path, bytes], None]


def changed(client: Dav, token: str) -> tuple[dict[str, int | None], str]:
    """What a client that synchronises is told: status by path, and the next token."""
    reply = client.report(CALENDAR, sync(token), "0")
    rows = {path: row.status for path, row in reply.multistatus().items()}
    return rows, reply.xml.findtext(DAV.sync_token) or ""


@pytest.fixture
def calendar(alice: Dav) -> str:
    """A calendar with one event; the token of its state."""
    assert alice.mkcalendar(CALENDAR).status == 201
    assert alice.put(f"{CALENDAR}a.ics", event("a", "one")).status == 201
    return changed(alice, "")[1]


@pytest.mark.parametrize("edit", EDITS)
def test_a_file_of_equal_length_is_served_with_another_etag(server: Server, alice: Dav, edit: Edit) -> None:
    etag = alice.put(f"{ROOT}a.txt", "one").etag
    edit(server.data / "files/Sport/a.txt", b"two")
    reply = alice.get(f"{ROOT}a.txt", {"If-None-Match": etag})
    assert (reply.status, reply.text) == (200, "two")
    assert reply.etag != etag
    assert alice.get(f"{ROOT}a.txt", {"If-None-Match": reply.etag}).status == 304
    assert alice.put(f"{ROOT}a.txt", "three", {"If-Match": etag}).status == 412
    see_files(alice, ROOT)  # PROPFIND and GET agree


@pytest.mark.parametrize("edit", EDITS)
def test_an_event_edited_on_disk_is_told_by_the_next_sync(
    server: Server, alice: Dav, calendar: str, edit: Edit
) -> None:
    edit(server.data / DISK / "a.ics", event("a", "two").encode())
    assert "SUMMARY:two" in alice.get(f"{CALENDAR}a.ics").text
    rows, token = changed(alice, calendar)
    assert rows == {f"{CALENDAR}a.ics": None}
    see_items(alice, CALENDAR)  # every ETag is the hash of the bytes
    assert changed(alice, token)[0] == {}


def test_added_and_deleted_events_are_told_by_the_next_sync(server: Server, alice: Dav, calendar: str) -> None:
    (server.data / DISK / "b.ics").write_text(event("b"), newline="")
    (server.data / DISK / "a.ics").unlink()
    rows, _ = changed(alice, calendar)
    assert rows == {f"{CALENDAR}a.ics": 404, f"{CALENDAR}b.ics": None}
    assert alice.get(f"{CALENDAR}a.ics").status == 404
    assert set(see_items(alice, CALENDAR)[0]) == {"b.ics"}


def test_a_colour_edited_on_disk_is_served(server: Server, alice: Dav, calendar: str) -> None:
    props = server.data / DISK / ".Radicale.props"
    by_rename(props, props.read_bytes().replace(b"{", b'{"ICAL:calendar-color": "#123456", ', 1))
    row = alice.propfind(CALENDAR, APPLE.calendar_color).multistatus()[CALENDAR]
    assert row.text(APPLE.calendar_color) == "#123456"


def test_folders_moved_copied_and_deleted_on_disk_are_what_is_listed(server: Server, alice: Dav) -> None:
    assert alice.mkcol(f"{ROOT}A/").status == 201
    assert alice.put(f"{ROOT}A/a.txt", "one").status == 201
    sport = server.data / "files/Sport"
    shutil.copytree(sport / "A", sport / "B")
    (sport / "A").rename(sport / "C")
    assert set(see_files(alice, ROOT)[0]) == {"B", "B/a.txt", "C", "C/a.txt"}
    shutil.rmtree(sport / "B")
    assert set(see_files(alice, ROOT)[0]) == {"C", "C/a.txt"}


def test_rules_edited_on_disk_are_in_force_with_the_next_request(server: Server, alice: Dav, bob: Dav) -> None:
    assert alice.mkcol("/files/Home/own/").status == 201
    assert alice.put("/files/Home/own/a.txt", "one").status == 201
    assert bob.get("/files/Members/alice/own/a.txt").status == 404
    rules = server.data / "homes/alice/own/access.toml"
    rules.write_text('[[rule]]\nwho = ["bob"]\nmay = ["read"]\n')
    assert bob.get("/files/Members/alice/own/a.txt").text == "one"
    rules.unlink()
    assert bob.get("/files/Members/alice/own/a.txt").status == 404


def test_the_home_tells_that_a_calendar_was_changed_on_disk(server: Server, alice: Dav, calendar: str) -> None:
    def token() -> str | None:
        return alice.propfind("/dav/alice/", DAV.sync_token, depth="1").multistatus()[CALENDAR].text(DAV.sync_token)

    before = token()
    (server.data / DISK / "b.ics").write_text(event("b"), newline="")
    assert token() != before
