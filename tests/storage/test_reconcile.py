"""What is changed behind the server's back is served and reported like any other change."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable

import pytest

from storage.errors import NotFound
from tests.storage.conftest import CALENDAR, Shelf

EVENT = (
    b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//t//EN\r\nBEGIN:VEVENT\r\nUID:u1\r\nDTSTAMP:20260101T000000Z\r\n"
    b"DTSTART:20260101T100000Z\r\nSUMMARY:one\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
Edit = Callable[[str, bytes], None]


def test_an_edit_in_place_of_equal_length_gives_another_etag_and_a_change(shelf: Shelf, edit: Edit) -> None:
    shelf.put("files", "a.txt", b"one")
    token = shelf.token("files")
    _, before = shelf.read("files", "a.txt")
    edit("files/a.txt", b"two")
    data, after = shelf.read("files", "a.txt")
    assert data == b"two"
    assert after != before
    assert shelf.changes("files", token) == {"a.txt"}


def test_an_edit_with_its_old_time_stamp_put_back_is_noticed(shelf: Shelf, edit: Edit) -> None:
    shelf.put("files", "a.txt", b"one")
    _, before = shelf.read("files", "a.txt")
    status = os.stat(shelf.data / "files/a.txt")
    edit("files/a.txt", b"two")
    os.utime(shelf.data / "files/a.txt", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert shelf.read("files", "a.txt") != (b"two", before)
    assert shelf.read("files", "a.txt")[0] == b"two"


def test_a_file_renamed_over_another_is_one_change_and_keeps_the_state_of_the_name(shelf: Shelf) -> None:
    shelf.put("files", "a.txt", b"one", creator="alice")
    token = shelf.token("files")
    (shelf.data / "files/.new").write_bytes(b"two")
    os.rename(shelf.data / "files/.new", shelf.data / "files/a.txt")
    assert shelf.changes("files", token) == {"a.txt"}
    assert shelf.read("files", "a.txt")[0] == b"two"
    assert shelf.store.state("files").get("a.txt", "creator") == "alice"


def test_added_and_deleted_files_are_changes_and_listed_at_once(shelf: Shelf) -> None:
    shelf.put("files", "a.txt", b"one")
    token = shelf.token("files")
    (shelf.data / "files/b.txt").write_bytes(b"b")
    os.unlink(shelf.data / "files/a.txt")
    assert shelf.names("files") == ["b.txt"]
    assert shelf.changes("files", token) == {"a.txt", "b.txt"}
    with pytest.raises(NotFound):
        shelf.read("files", "a.txt")


def test_a_folder_put_there_by_hand_is_found_with_all_it_holds(shelf: Shelf) -> None:
    os.makedirs(shelf.data / "files/A/B")
    (shelf.data / "files/A/B/c.txt").write_bytes(b"c")
    assert shelf.names("files/A/B") == ["c.txt"]
    os.rename(shelf.data / "files/A", shelf.data / "files/Z")
    assert shelf.store.find_folder("files/A/B") is None
    assert shelf.names("files/Z/B") == ["c.txt"]


def test_another_folder_under_the_same_name_does_not_show_the_old_ones_files(shelf: Shelf) -> None:
    shelf.make("files/A")
    shelf.put("files/A", "old.txt", b"old")
    os.rename(shelf.data / "files/A", shelf.data / "elsewhere")
    os.mkdir(shelf.data / "files/A")
    (shelf.data / "files/A/new.txt").write_bytes(b"new")
    assert shelf.names("files/A") == ["new.txt"]


@pytest.mark.parametrize("place", ["files", CALENDAR])
def test_links_pipes_and_private_names_are_neither_listed_nor_opened(shelf: Shelf, place: str) -> None:
    os.makedirs(shelf.data / place, exist_ok=True)
    os.symlink("/etc/passwd", shelf.data / place / "link.ics")
    os.symlink("/etc", shelf.data / place / "folder")
    os.mkfifo(shelf.data / place / "pipe.ics")
    (shelf.data / place / ".state.jsonl").write_bytes(b"")
    (shelf.data / place / ".Radicale.props").write_bytes(b"{}")
    assert shelf.names(place) == []
    assert shelf.store.find_folder(f"{place}/folder") is None
    for name in ("link.ics", "pipe.ics", ".state.jsonl", ".Radicale.props"):
        with pytest.raises(NotFound):
            shelf.read(place, name)


def test_a_file_that_becomes_a_link_is_not_followed(shelf: Shelf) -> None:
    shelf.put("files", "a.txt", b"one")
    os.unlink(shelf.data / "files/a.txt")
    os.symlink("/etc/passwd", shelf.data / "files/a.txt")
    with pytest.raises(NotFound):
        shelf.read("files", "a.txt")


def test_a_decomposed_name_on_disk_is_served_under_its_composed_one(shelf: Shelf) -> None:
    decomposed = unicodedata.normalize("NFD", "Übung.txt")
    (shelf.data / "files" / decomposed).write_bytes(b"nfd")
    assert shelf.names("files") == ["Übung.txt"]
    assert shelf.read("files", "Übung.txt")[0] == b"nfd"
    shelf.put("files", "Übung.txt", b"written")
    assert [entry.name for entry in (shelf.data / "files").iterdir()] == [decomposed]


def test_of_two_spellings_of_one_name_one_is_served_and_the_log_says_which(shelf: Shelf, caplog) -> None:
    for form in ("NFC", "NFD"):
        (shelf.data / "files" / unicodedata.normalize(form, "Übung.txt")).write_bytes(form.encode())
    assert shelf.names("files") == ["Übung.txt"]
    assert shelf.read("files", "Übung.txt")[0] == b"NFC"
    assert r"are one name; '\xdcbung.txt' is served" in caplog.text


def test_a_calendar_object_touched_without_a_change_of_bytes_keeps_its_etag(shelf: Shelf) -> None:
    os.makedirs(shelf.data / CALENDAR)
    (shelf.data / CALENDAR / "a.ics").write_bytes(EVENT)
    _, before = shelf.read(CALENDAR, "a.ics")
    token = shelf.token(CALENDAR)
    os.utime(shelf.data / CALENDAR / "a.ics")
    assert shelf.read(CALENDAR, "a.ics")[1] == before
    assert shelf.changes(CALENDAR, token) == set()


def test_a_calendar_object_found_on_disk_is_indexed_by_uid_and_component(shelf: Shelf) -> None:
    os.makedirs(shelf.data / CALENDAR)
    (shelf.data / CALENDAR / "a.ics").write_bytes(EVENT)
    folder = shelf.folder(CALENDAR)
    assert shelf.store.holder_of_uid(folder, "u1") == "a.ics"
    assert shelf.store.members(folder)[0].component == "VEVENT"


def test_the_background_pass_finds_an_edit_that_nobody_read(shelf: Shelf, edit: Edit) -> None:
    shelf.put("files", "a.txt", b"one")
    token = shelf.token("files")
    edit("files/a.txt", b"two")
    assert shelf.changes("files", token) == set()  # an edit in place does not move the directory's stamp
    shelf.store.housekeeping()
    assert shelf.changes("files", token) == {"a.txt"}


def test_a_young_stamp_is_looked_at_again(shelf: Shelf) -> None:
    (shelf.data / "files/a.txt").write_bytes(b"one")
    _, before = shelf.read("files", "a.txt")
    status = os.stat(shelf.data / "files/a.txt")
    # The same file with the same stamps and other bytes, as a coarse clock would show it.
    row = shelf.store.find_member(shelf.folder("files"), "a.txt")
    assert row is not None
    with open(shelf.data / "files/a.txt", "r+b") as file:
        file.write(b"two")
    os.utime(shelf.data / "files/a.txt", ns=(status.st_atime_ns, status.st_mtime_ns))
    fresh = os.stat(shelf.data / "files/a.txt")
    _pretend_stamp(shelf, "a.txt", fresh.st_ctime_ns)
    shelf.clock.ahead_s = 3
    assert shelf.store.find_member(shelf.folder("files"), "a.txt") != row
    assert shelf.read("files", "a.txt") == (b"two", shelf.read("files", "a.txt")[1])
    assert shelf.read("files", "a.txt")[1] != before


def _pretend_stamp(shelf: Shelf, name: str, changed_ns: int) -> None:
    """Give a row the change time that its file has now, as if the clock had not moved between two edits."""
    import sqlite3

    connection = sqlite3.connect(shelf.data / "index.sqlite")
    connection.execute("UPDATE member SET changed_ns = ? WHERE name = ?", (changed_ns, name))
    connection.commit()
    connection.close()


def test_the_servers_rules_outlive_their_file_and_the_log_says_so(shelf: Shelf, tmp_path, caplog) -> None:
    rules = tmp_path / "access.toml"
    rules.write_text('[[rule]]\npath = "/files/A"\nwho = ["alice"]\nmay = ["read"]\n')
    assert shelf.store.rulebook.server_paths == {"/files/A"}
    rules.unlink()
    assert shelf.store.rulebook.server_paths == {"/files/A"}
    assert "is gone" in caplog.text
