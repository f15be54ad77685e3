"""A batch gathers what can go in together and keeps the order of what cannot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.batch import Batch
from storage.index import Index
from storage.records import NO_FACTS, Folder, Member


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    opened = Index(tmp_path / "index.sqlite", durable=False)
    batch = Batch()
    for place in ("files", "files/A", "files/B"):
        put_folder(batch, place)
    opened.commit(batch)
    yield opened
    opened.close()


def put_folder(batch: Batch, place: str) -> None:
    batch.put_folder(place, inode=1, stamp_ns=1, modified_ns=1, owner=None, ruled=False)


def put(index: Index, batch: Batch, place: str, name: str, etag: str = "e") -> None:
    status = Path(index.file).stat()
    member = Member.of(index.next_write(), name, name, etag, status, created_ns=1, facts=NO_FACTS)
    batch.put_member(place, member, NO_FACTS)
    batch.log(place, name, 5.0)


def row(index: Index, place: str) -> Folder:
    folder = index.folder(place)
    assert folder is not None
    return folder


def names(index: Index, place: str) -> list[str]:
    return [member.name for member in index.members(row(index, place).id)]


@pytest.mark.parametrize("through_another", [False, True])
def test_of_one_name_the_last_word_counts(index: Index, through_another: bool) -> None:
    batch = Batch()
    put(index, batch, "files/A", "a")
    batch.remove_member("files/A", "a")
    put(index, batch, "files/A", "b")
    batch.remove_member("files/A", "b")
    put(index, batch, "files/A", "b", "again")
    outer = Batch()
    put(index, outer, "files/A", "c")
    outer.add(batch)
    index.commit(outer if through_another else batch)
    assert names(index, "files/A") == (["b", "c"] if through_another else ["b"])
    member = index.member(row(index, "files/A").id, "b")
    assert member is not None
    assert member.etag == "again"


def test_changes_are_numbered_in_their_order_and_the_folder_has_its_last_one(index: Index) -> None:
    first = row(index, "files/A").counter
    batch = Batch()
    for place, name in (("files/A", "a"), ("files/B", "b"), ("files/A", "c"), ("files/A", "a")):
        put(index, batch, place, name)
    index.commit(batch)
    a, b = row(index, "files/A"), row(index, "files/B")
    changes = [(change.n, change.name) for change in index.changed_names(a.id, first)]
    assert [name for _, name in changes] == ["c", "a"]
    assert changes[-1][0] == a.counter
    assert b.counter < changes[0][0]
    assert a.modified_ns == 5 * 10**9


def test_rows_go_to_the_folder_that_had_the_place_when_they_were_added(index: Index) -> None:
    batch = Batch()
    put(index, batch, "files/A", "old")
    batch.move_tree("files/A", "files/C")
    put_folder(batch, "files/A")
    put(index, batch, "files/A", "new")
    index.commit(batch)
    assert names(index, "files/A") == ["new"]
    assert names(index, "files/C") == ["old"]


def test_rows_for_a_folder_that_is_gone_are_dropped(index: Index) -> None:
    batch = Batch()
    batch.remove_tree("files/A")
    put(index, batch, "files/A", "a")
    index.commit(batch)
    assert index.folder("files/A") is None
    assert index._rows("SELECT count(*) FROM member") == [(0,)]


def test_a_folder_that_is_known_is_the_one_after_the_commit(index: Index) -> None:
    before = row(index, "files/A")
    batch = Batch()
    put(index, batch, "files/A", "a")
    batch.stamp_folder("files/A", 77)
    index.commit(batch)
    after = row(index, "files/A")
    assert (after.stamp_ns, after.counter > before.counter) == (77, True)
    assert index._rows("SELECT counter, stamp_ns FROM folder WHERE place = 'files/A'") == [(after.counter, 77)]
