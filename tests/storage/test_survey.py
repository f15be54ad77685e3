"""An index that is not believed: what was wrong in it is put right, and what was right stays as it was."""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path

import pytest

from storage.errors import IndexDamaged
from storage.store import no_progress
from storage.survey import Rebuilt, rebuild
from tests.pim.samples import event
from tests.storage.conftest import CALENDAR, Shelf


@pytest.fixture
def filled(shelf: Shelf) -> Shelf:
    """A calendar with the events a, b and c, and the folder files/A with a file."""
    (shelf.data / CALENDAR).mkdir(parents=True)
    for uid in "abc":
        write_event(shelf, uid, "first")
    shelf.make("files/A")
    shelf.put("files/A", "a.txt", b"one")
    assert shelf.names(CALENDAR) == ["a.ics", "b.ics", "c.ics"]
    return shelf


def write_event(shelf: Shelf, uid: str, summary: str) -> Path:
    file = shelf.data / CALENDAR / f"{uid}.ics"
    file.write_text(event(uid, summary), newline="")
    return file


def tamper(shelf: Shelf, sql: str, *values: object) -> None:
    """Write into the index what the server never would."""
    connection = sqlite3.connect(shelf.data / "index.sqlite")
    connection.execute(sql, values)
    connection.commit()
    connection.close()


def redo(shelf: Shelf) -> Rebuilt:
    return rebuild(shelf.store, no_progress, pause=lambda: None)


@pytest.mark.rfc("6578", "3.5.1")
def test_an_edit_that_no_stamp_betrays_is_found_and_told_by_the_next_synchronisation(filled: Shelf) -> None:
    token = filled.token(CALENDAR)
    file = filled.data / CALENDAR / "b.ics"
    before = file.stat()
    with file.open("r+b") as opened:
        opened.write(event("b", "FIRST").encode())
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    # Only the time of the status change gives the edit away; a restored index would hold it too.
    tamper(filled, "UPDATE member SET changed_ns = ? WHERE name = 'b.ics'", file.stat().st_ctime_ns)
    filled.store.housekeeping()
    assert filled.changes(CALENDAR, token) == set()
    assert redo(filled) == Rebuilt(files=4, changed=1)
    assert filled.changes(CALENDAR, token) == {"b.ics"}
    assert filled.read(CALENDAR, "b.ics")[0] == event("b", "FIRST").encode()


def test_what_is_as_the_index_says_keeps_etags_and_tokens(filled: Shelf) -> None:
    tokens = [filled.token(place) for place in (CALENDAR, "files/A", "files")]
    before = [filled.read(CALENDAR, "a.ics"), filled.read("files/A", "a.txt")]
    assert redo(filled) == Rebuilt(files=4, changed=0)
    assert [filled.read(CALENDAR, "a.ics"), filled.read("files/A", "a.txt")] == before
    assert [filled.token(place) for place in (CALENDAR, "files/A", "files")] == tokens


def test_a_wrong_row_is_put_right(filled: Shelf) -> None:
    tamper(filled, "UPDATE member SET uid = 'x', component = 'VTODO', plain = 7 WHERE name = 'a.ics'")
    tamper(filled, "DELETE FROM member WHERE name = 'b.ics'")
    token = filled.token(CALENDAR)
    assert redo(filled).changed == 1
    folder = filled.folder(CALENDAR)
    assert [filled.store.holder_of_uid(folder, uid) for uid in "abcx"] == ["a.ics", "b.ics", "c.ics", None]
    assert {member.component for member in filled.store.members(folder)} == {"VEVENT"}
    assert filled.changes(CALENDAR, token) == {"b.ics"}


def test_rows_of_what_is_not_there_go(filled: Shelf) -> None:
    tamper(filled, "UPDATE member SET name = 'ghost.ics', disk_name = 'ghost.ics' WHERE name = 'c.ics'")
    tamper(filled, "UPDATE folder SET place = 'files/ghost/A', parent = 'files/ghost' WHERE place = 'files/A'")
    assert redo(filled).changed == 2  # the ghost, and the event that it stood for
    assert filled.names(CALENDAR) == ["a.ics", "b.ics", "c.ics"]
    assert filled.names("files/A") == ["a.txt"]
    assert filled.store.index.folder("files/ghost/A") is None
    connection = sqlite3.connect(filled.data / "index.sqlite")
    assert connection.execute("SELECT count(*) FROM member").fetchone() == (4,)
    connection.close()


def test_a_damaged_file_is_told_and_nothing_is_written_into_it(filled: Shelf) -> None:
    tamper_schema(filled.data / "index.sqlite")
    token = filled.token(CALENDAR)
    write_event(filled, "a", "behind")
    with pytest.raises(IndexDamaged, match=r"index\.sqlite is damaged"):
        redo(filled)
    assert filled.store.sync_token(filled.store.index.folder(CALENDAR) or filled.folder(CALENDAR)) == token


def tamper_schema(file: Path) -> None:
    """Take a table's index out of the list of what there is: its pages belong to nothing from then on."""
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("DELETE FROM sqlite_schema WHERE name = 'change_n'")
    connection.commit()
    connection.close()


def test_writers_get_their_turn_between_any_two_steps(filled: Shelf) -> None:
    """The pause is taken with no lock held: another thread's write in the same folder does not wait for the end."""
    written = []

    def write_meanwhile() -> None:
        name = f"{len(written)}.ics"
        writer = threading.Thread(target=filled.put, args=(CALENDAR, name, event(name).encode()))
        writer.start()
        writer.join(20)
        assert not writer.is_alive()
        written.append(name)

    assert rebuild(filled.store, no_progress, pause=write_meanwhile).changed == 0
    assert written
    assert set(written) <= set(filled.names(CALENDAR))


def test_an_item_written_while_its_bytes_were_looked_at_keeps_the_etag_that_was_given_out(filled: Shelf) -> None:
    folder = filled.folder(CALENDAR)
    [looked] = filled.store.reconciler.look_over(folder, thorough=True, pause=lambda: None, count=lambda files: None)
    etag = filled.put(CALENDAR, "b.ics", event("b", "second").encode()).etag
    token = filled.token(CALENDAR)
    assert filled.store.reconciler.refresh(folder, looked) == 0
    assert filled.read(CALENDAR, "b.ics") == (event("b", "second").encode(), etag)
    assert filled.changes(CALENDAR, token) == set()


def test_the_work_is_given_up_where_the_pause_says_so(filled: Shelf) -> None:
    class Ending(Exception):
        pass

    def end() -> None:
        raise Ending

    token = filled.token(CALENDAR)
    with pytest.raises(Ending):
        rebuild(filled.store, no_progress, pause=end)
    assert filled.token(CALENDAR) == token
    assert redo(filled).changed == 0


def test_it_is_told_how_far_it_is(filled: Shelf) -> None:
    told: list[tuple[int, int]] = []
    rebuild(filled.store, lambda done, total: told.append((done, total)), pause=lambda: None)
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4), (4, 4)]
