"""Writes: replaced whole or not at all, deleted into the trash, counted in the change log."""

from __future__ import annotations

import threading

import pytest

from storage.errors import AlreadyExists, InvalidSyncToken, NotFound, ParentMissing, PlaceRefused
from tests.storage.conftest import CALENDAR, Shelf


def test_a_scratch_file_that_is_not_taken_over_leaves_nothing(shelf: Shelf) -> None:
    shelf.put("files", "a.txt", b"old")
    with pytest.raises(RuntimeError), shelf.store.scratch("files") as scratch:
        scratch.write(b"half")
        raise RuntimeError("the client went away")
    assert shelf.read("files", "a.txt")[0] == b"old"
    assert list((shelf.data / "scratch").iterdir()) == []


def test_scratch_files_of_a_killed_server_are_gone_after_the_next_start(shelf: Shelf) -> None:
    (shelf.data / "scratch/.davserver-scratch-1").write_bytes(b"half")
    shelf.restart()
    assert list((shelf.data / "scratch").iterdir()) == []


def test_a_deleted_file_and_folder_stand_in_the_trash_with_path_and_state(shelf: Shelf) -> None:
    shelf.make("files/A", owner="alice")
    shelf.put("files/A", "b.txt", b"in the folder")
    shelf.put("files", "a.txt", b"one", creator="bob")
    with shelf.store.write("files") as tx:
        tx.remove("files", "a.txt", by="bob")
    with shelf.store.write(tree=True) as tx:
        tx.remove_folder("files/A", by="alice")
    trash, kept = shelf.data / "trash", shelf.store.state("trash")
    records = {name: kept.get(name, "former") for name in ("a.txt", "A")}
    assert {name: (record["path"], record["by"]) for name, record in records.items()} == {
        "a.txt": ("/files/a.txt", "bob"),
        "A": ("/files/A", "alice"),
    }
    assert kept.get("a.txt", "creator") == "bob"
    assert (trash / "a.txt").read_bytes() == b"one"
    assert (trash / "A/b.txt").read_bytes() == b"in the folder"
    assert (trash / "A/.state.jsonl").exists()
    assert shelf.store.find_folder("files/A") is None
    assert shelf.names("files") == []


def test_a_failure_in_a_transaction_leaves_the_index_saying_what_the_disk_says(shelf: Shelf) -> None:
    token = shelf.token("files")
    with pytest.raises(RuntimeError), shelf.store.scratch("files") as scratch:
        scratch.write(b"one")
        with shelf.store.write("files") as tx:
            tx.put("files", "a.txt", scratch)
            raise RuntimeError("after the rename")
    assert shelf.names("files") == ["a.txt"]
    assert shelf.changes("files", token) == {"a.txt"}


@pytest.mark.rfc("6578", "3.5.1")
def test_a_moved_folder_is_new_at_its_place_with_all_it_holds(shelf: Shelf) -> None:
    shelf.make("files/A")
    shelf.make("files/A/B")
    shelf.make("files/Z")
    shelf.put("files/A/B", "a.txt", b"one")
    shelf.put("files/A/B", "gone.txt", b"one")
    with shelf.store.write("files/A/B") as tx:
        tx.remove("files/A/B", "gone.txt", by=None)
    inner, outer, above = shelf.token("files/A/B"), shelf.token("files/Z"), shelf.token("files")
    with shelf.store.write(tree=True) as tx:
        tx.move_folder("files/A", "files/Z/A2")
    assert shelf.store.find_folder("files/A") is None
    assert shelf.names("files/Z/A2/B") == ["a.txt"]
    assert (shelf.changes("files/Z", outer), shelf.changes("files", above)) == ({"A2"}, {"A"})
    logged = shelf.store.index.changed_names(shelf.folder("files/Z/A2/B").id, int(outer.rpartition(":")[2]))
    assert [change.name for change in logged] == ["a.txt"]
    with pytest.raises(InvalidSyncToken):
        shelf.changes("files/Z/A2/B", inner)


def test_a_moved_calendar_keeps_its_token(shelf: Shelf) -> None:
    home = CALENDAR.rpartition("/")[0]
    shelf.make(home)
    shelf.make(CALENDAR)
    token = shelf.token(CALENDAR)
    with shelf.store.write(tree=True) as tx:
        tx.move_folder(CALENDAR, f"{home}/moved")
    assert shelf.changes(f"{home}/moved", token) == set()


@pytest.mark.parametrize(
    ("action", "error"),
    [
        (lambda tx: tx.move_folder("files/A", "files/A/B"), PlaceRefused),
        (lambda tx: tx.move_folder("files/A", "files/C"), AlreadyExists),
        (lambda tx: tx.move_folder("files/missing", "files/D"), NotFound),
        (lambda tx: tx.move_folder("files/A", "files/missing/D"), ParentMissing),
        (lambda tx: tx.make_folder("files/A"), AlreadyExists),
        (lambda tx: tx.make_folder("files/missing/x"), ParentMissing),
        (lambda tx: tx.remove("files", "missing", by=None), NotFound),
        (lambda tx: tx.move("files", "f.txt", "files", "C"), AlreadyExists),
        (lambda tx: tx.copy("files", "f.txt", "files", "f.txt"), AlreadyExists),
    ],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(shelf: Shelf, action, error) -> None:
    shelf.make("files/A")
    shelf.make("files/C")
    shelf.put("files", "f.txt", b"one")
    token = shelf.token("files")
    with pytest.raises(error), shelf.store.write(tree=True) as tx:
        action(tx)
    assert shelf.changes("files", token) == set()
    assert sorted(entry.name for entry in (shelf.data / "files").iterdir()) == ["A", "C", "f.txt"]


def test_a_calendar_objects_etag_is_the_hash_of_its_bytes(shelf: Shelf) -> None:
    shelf.make("collections/collection-root/alice")
    shelf.make(CALENDAR)
    first = shelf.put(CALENDAR, "a.ics", b"one").etag
    assert shelf.put(CALENDAR, "a.ics", b"two").etag != first
    assert shelf.put(CALENDAR, "a.ics", b"one").etag == first


def test_our_own_writes_need_no_second_look_at_the_directory(shelf: Shelf) -> None:
    shelf.make("files/A")
    for n in range(3):
        shelf.put("files/A", f"{n}.txt", b"x", creator="alice")
    folder = shelf.store.folder_row("files/A")
    assert folder is not None
    assert folder.stamp_ns == (shelf.data / "files/A").stat().st_mtime_ns


def test_writers_of_many_threads_lose_nothing_and_count_every_change(shelf: Shelf) -> None:
    shelf.make("files/A")
    token = shelf.token("files/A")
    before = shelf.folder("files").counter

    def work(n: int) -> None:
        for i in range(20):
            shelf.put("files/A", f"{n}-{i}.txt", str(n).encode())
            shelf.put("files/A", "shared.txt", f"{n} {i}".encode())

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(shelf.names("files/A")) == 6 * 20 + 1
    assert len(shelf.changes("files/A", token)) == 6 * 20 + 1
    assert shelf.folder("files/A").counter == before + 6 * 20 * 2
    data, etag = shelf.read("files/A", "shared.txt")
    assert (data, etag) == shelf.read("files/A", "shared.txt")
