"""What the index keeps of an item's content goes with the version of the item that it is of, and is never trusted."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable

import pytest

from storage.icalendar import read_facts
from storage.records import Member
from tests.pim.samples import event
from tests.storage.conftest import CALENDAR, Shelf

TABLES = ("content", "span", "value")
JANUARY = (1798761600, 1801440000)  # 2027


def put(shelf: Shelf, name: str, text: str) -> Member:
    with shelf.store.scratch(CALENDAR) as scratch:
        scratch.write(text.encode())
        scratch.finish()
        with shelf.store.write(CALENDAR) as tx:
            return tx.put(CALENDAR, name, scratch, read_facts(text.encode()))


def ids_in(shelf: Shelf, table: str) -> set[int]:
    with sqlite3.connect(shelf.data / "index.sqlite") as connection:
        return {row[0] for row in connection.execute(f"SELECT member FROM {table}")}


@pytest.fixture(autouse=True)
def calendar(shelf: Shelf) -> None:
    shelf.make("collections/collection-root/alice")
    shelf.make(CALENDAR)


def test_a_version_that_is_gone_is_found_by_nothing_and_swept_later(shelf: Shelf) -> None:
    first = put(shelf, "a.ics", event("a", "First"))
    second = put(shelf, "a.ics", event("a", "Second"))
    gone = put(shelf, "b.ics", event("b", "Gone"))
    with shelf.store.write(CALENDAR) as tx:
        tx.remove(CALENDAR, "b.ics", by=None)
    folder = shelf.folder(CALENDAR)
    found = shelf.store.index.members_within(folder.id, *JANUARY, local=False)
    assert [member.id for member in shelf.store.index.members_with(found)] == [second.id]
    for table in TABLES:
        assert {first.id, second.id, gone.id} <= ids_in(shelf, table)
    shelf.store.housekeeping()
    for table in TABLES:
        assert ids_in(shelf, table) == {second.id}


def test_bytes_of_an_item_that_was_edited_in_place_are_read_from_the_file(
    shelf: Shelf, edit: Callable[[str, bytes], None]
) -> None:
    member = put(shelf, "a.ics", event("a", "First"))
    edit(f"{CALENDAR}/a.ics", event("a", "Other").encode())
    read = list(shelf.store.read_members(shelf.folder(CALENDAR), [member]))
    assert read[0] is not None
    present, data = read[0]
    assert b"SUMMARY:Other" in data
    assert present.etag != member.etag


def test_an_item_that_was_removed_behind_the_server_s_back_is_gone(shelf: Shelf) -> None:
    member = put(shelf, "a.ics", event("a", "First"))
    (shelf.data / CALENDAR / "a.ics").unlink()
    assert list(shelf.store.read_members(shelf.folder(CALENDAR), [member])) == [None]


def test_an_item_too_large_to_be_kept_is_read_from_its_file(shelf: Shelf) -> None:
    text = event("a", "First", "X-LONG:" + "x" * 70_000)
    member = put(shelf, "a.ics", text)
    assert ids_in(shelf, "content") == set()
    assert list(shelf.store.read_members(shelf.folder(CALENDAR), [member])) == [(member, text.encode())]


def test_a_moved_item_is_found_where_it_is_now(shelf: Shelf) -> None:
    other = CALENDAR + "2"
    shelf.make(other)
    put(shelf, "a.ics", event("a", "First"))
    with shelf.store.write(CALENDAR, other) as tx:
        tx.move(CALENDAR, "a.ics", other, "b.ics")
    index = shelf.store.index
    assert index.members_with(index.members_within(shelf.folder(CALENDAR).id, *JANUARY, local=False)) == []
    (found,) = index.members_with(index.members_within(shelf.folder(other).id, *JANUARY, local=False))
    assert found.name == "b.ics"


def test_what_is_asked_within_a_snapshot_is_of_one_state(shelf: Shelf) -> None:
    first = put(shelf, "a.ics", event("a", "First"))
    folder, index = shelf.folder(CALENDAR), shelf.store.index
    with index.snapshot():
        found = index.members_within(folder.id, *JANUARY, local=False)
        writer = threading.Thread(target=put, args=(shelf, "a.ics", event("a", "Second")))
        writer.start()
        writer.join()
        assert index.members_with(found) == [first]
    (second,) = index.members_with(index.members_within(folder.id, *JANUARY, local=False))
    assert second.etag != first.etag
