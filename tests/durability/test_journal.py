"""The journal: what was acknowledged is there after a kill at any step and after a power cut, and nothing is half."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from storage import state as states
from storage.commits import Commit
from storage.errors import DiskFull, NotFound
from storage.imports import MANIFEST, PREFIX
from storage.journal import FOLDER, Entry, Journal, Put, read_segment, segments
from storage.store import Store
from tests.durability.steps import IMPORTED, PLACE, crash_at_every_step, cut_power, put, remove, settings_over

OpenStore = Callable[[Path], Store]


@pytest.fixture
def open_store() -> Iterator[OpenStore]:
    """Opens stores that are closed after the test."""
    opened: list[Store] = []

    def open_one(data: Path) -> Store:
        opened.append(Store(settings_over(data)))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def data(tmp_path: Path, open_store: OpenStore) -> Path:
    """A data folder with one calendar in which one item is, closed."""
    folder = tmp_path / "data"
    store = Store(settings_over(folder))
    root, _, home = PLACE.rpartition("/")[0].rpartition("/")
    with store.write(root) as tx:
        tx.make_folder(f"{root}/{home}")
    with store.write(f"{root}/{home}") as tx:
        tx.make_folder(PLACE, files={".Radicale.props": b'{"tag": "VCALENDAR"}'})
    put(store, "old.ics", b"old", creator="carol")
    store.close()
    return folder


def seen(store: Store) -> dict[str, bytes]:
    """Every item with its bytes, whose hash is its ETag."""
    folder = store.find_folder(PLACE)
    assert folder is not None
    found = {}
    for member in store.members(folder):
        content, row = store.read_member(folder, member.name)
        assert row.etag == hashlib.sha256(content).hexdigest()[:32]
        found[member.name] = content
    return found


def trashed(data: Path) -> list[tuple[str, bytes]]:
    """What is in the trash: the paths that things had, and their bytes."""
    return [
        (states.read(str(file.parent)).get(file.name, "former")["path"], file.read_bytes())
        for file in (data / "trash").rglob("*.ics")
    ]


AFTER = {
    "new": {"old.ics": b"old", "new.ics": b"new"},
    "large": {"old.ics": b"old", "new.ics": b"new" * 200_000},
    "replace": {"old.ics": b"new"},
    "settle": {"old.ics": b"new"},
    "remove": {},
}


def both_endings(copies: Path) -> Iterator[list[Path]]:
    """What was left after each step, by kills and by power cuts."""
    killed = [copy / "data" for copy in sorted(copies.iterdir())]
    cut = [data.parent / "cut" for data in killed]
    for data, other in zip(killed, cut, strict=True):
        shutil.copytree(data, other)
        cut_power(other)
    yield killed
    yield cut


@pytest.mark.parametrize("action", AFTER)
def test_a_write_that_was_killed_at_any_step_is_done_or_was_never_begun(
    data: Path, tmp_path: Path, open_store: OpenStore, action: str
) -> None:
    before, after = {"old.ics": b"old"}, AFTER[action]
    assert crash_at_every_step(action, data, tmp_path / "copies") > 5
    for left in both_endings(tmp_path / "copies"):
        outcomes = []
        for folder in left:
            store = open_store(folder)
            outcomes.append(seen(store))
            assert outcomes[-1] in (before, after), folder
            assert store.state(PLACE).get("new.ics", "creator") == ("bob" if "new.ics" in outcomes[-1] else None)
            assert store.state(PLACE).get("old.ics", "creator") == ("carol" if "old.ics" in outcomes[-1] else None)
            assert trashed(folder) == ([] if "old.ics" in outcomes[-1] else [("/dav/alice/calendar/old.ics", b"old")])
            assert os.listdir(folder / FOLDER) == []
            assert os.listdir(folder / "scratch") == []
        assert outcomes[0] == before
        assert outcomes[-1] == after  # it was acknowledged
        assert outcomes == sorted(outcomes, key=lambda outcome: outcome == after)


def test_an_import_that_was_killed_at_any_step_is_finished_or_was_never_begun(
    data: Path, tmp_path: Path, open_store: OpenStore
) -> None:
    crash_at_every_step("import", data, tmp_path / "copies")
    for left in both_endings(tmp_path / "copies"):
        counts = set()
        for folder in left:
            is_committed = any((folder / FOLDER).glob(f"{PREFIX}*/{MANIFEST}"))
            there = len(list((folder / PLACE).glob("*.ics")))
            count = len(seen(open_store(folder)))
            assert count == (1 + IMPORTED if is_committed else there), folder
            counts.add(count)
            assert os.listdir(folder / FOLDER) == []
        assert counts == {1, 1 + IMPORTED}


def test_a_start_that_is_killed_at_any_step_leaves_what_the_next_needs(
    data: Path, tmp_path: Path, open_store: OpenStore
) -> None:
    store = Store(settings_over(data))
    put(store, "new.ics", b"new", creator="bob")
    put(store, "gone.ics", b"gone", creator="bob")
    remove(store, "gone.ics")
    crashed = tmp_path / "crashed"
    shutil.copytree(data, crashed)
    store.close()
    cut_power(crashed)
    crash_at_every_step("open", crashed, tmp_path / "copies")
    for copy in (tmp_path / "copies").iterdir():
        store = open_store(copy / "data")
        assert seen(store) == {"old.ics": b"old", "new.ics": b"new"}
        assert store.state(PLACE).get("new.ics", "creator") == "bob"
        assert trashed(copy / "data") == [("/dav/alice/calendar/gone.ics", b"gone")]


def crash(store: Store, data: Path, to: Path) -> Path:
    """What a power cut leaves at this moment."""
    shutil.copytree(data, to)
    cut_power(to)
    return to


def test_what_was_edited_after_a_power_cut_stays_as_it_was_edited(
    data: Path, tmp_path: Path, open_store: OpenStore
) -> None:
    store = open_store(data)
    put(store, "new.ics", b"new")
    remove(store, "old.ics")
    left = crash(store, data, tmp_path / "left")
    for name in ("new.ics", "old.ics"):
        (left / PLACE / name).write_bytes(b"edited")
    assert seen(open_store(left)) == {"new.ics": b"edited", "old.ics": b"edited"}


def test_a_removal_that_a_power_cut_undid_is_done_again_and_the_item_is_in_the_trash(
    data: Path, tmp_path: Path, open_store: OpenStore
) -> None:
    store = open_store(data)
    remove(store, "old.ics")
    left = crash(store, data, tmp_path / "left")
    shutil.rmtree(left / "trash")
    shutil.copytree(data / "trash", left / "trash")
    os.rename(next((left / "trash").rglob("old.ics")), left / PLACE / "old.ics")
    assert seen(open_store(left)) == {}
    assert trashed(left) == [("/dav/alice/calendar/old.ics", b"old")]


def test_a_torn_record_is_left_out_and_those_before_it_are_not(
    data: Path, tmp_path: Path, open_store: OpenStore
) -> None:
    store = open_store(data)
    put(store, "a.ics", b"first")
    size = store.journal.size
    put(store, "b.ics", b"second")
    left = tmp_path / "left"
    shutil.copytree(data, left)
    segment = Path(segments(str(left))[0])
    content = bytearray(segment.read_bytes())
    content[size + 20] ^= 1
    segment.write_bytes(content)
    (left / PLACE / "b.ics").unlink()
    cut_power(left)
    assert seen(open_store(left)) == {"old.ics": b"old", "a.ics": b"first"}


def test_after_a_clean_stop_the_files_hold_everything_and_the_journal_is_empty(data: Path) -> None:
    store = Store(settings_over(data))
    put(store, "new.ics", b"new")
    assert os.listdir(data / FOLDER) != []
    store.close()
    assert os.listdir(data / FOLDER) == []
    assert (data / PLACE / "new.ics").read_bytes() == b"new"


def test_what_is_not_journaled_empties_the_journal_first_where_it_speaks_of_the_same_collection(
    data: Path, tmp_path: Path, open_store: OpenStore
) -> None:
    store = open_store(data)
    put(store, "new.ics", b"new")
    with store.write("files"):
        assert store.journal.size > 0
    with store.write(PLACE) as tx:
        assert store.journal.size == 0
        tx.move(PLACE, "new.ics", PLACE, "moved.ics")
    left = crash(store, data, tmp_path / "left")
    assert seen(open_store(left)) == {"old.ics": b"old", "moved.ics": b"new"}


def test_writes_that_come_while_another_is_synced_share_the_next_sync(data: Path, open_store: OpenStore) -> None:
    store = open_store(data)
    write, sizes = store.journal.write, []
    syncing, go_on, entered = threading.Event(), threading.Event(), threading.Semaphore(0)
    enter = store.commits.enter

    def counted(commit: Commit) -> None:
        enter(commit)
        entered.release()

    def held(entries: list) -> None:
        sizes.append(len(entries))
        syncing.set()
        assert go_on.wait(60)
        write(entries)

    store.journal.write = held  # type: ignore[method-assign, assignment]
    store.commits.enter = counted  # type: ignore[method-assign]
    threads = [threading.Thread(target=put, args=(store, f"{n}.ics", b"x")) for n in range(8)]
    threads[0].start()
    assert syncing.wait(60)
    for thread in threads[1:]:
        thread.start()
    for _ in threads:
        assert entered.acquire(timeout=60)
    go_on.set()
    for thread in threads:
        thread.join()
    assert sizes == [1, 7]
    assert len(seen(store)) == 9


def test_a_full_disk_refuses_the_record_and_nothing_has_changed(
    data: Path, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(data)
    put(store, "a.ics", b"first")
    before, real = store.sync_token(store.find_folder(PLACE)), os.fdatasync  # type: ignore[arg-type]

    def fail(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdatasync", fail)
    with pytest.raises(DiskFull):
        put(store, "b.ics", b"second")
    with pytest.raises(DiskFull):
        remove(store, "a.ics")
    monkeypatch.setattr(os, "fdatasync", real)
    assert seen(store) == {"old.ics": b"old", "a.ics": b"first"}
    assert store.sync_token(store.find_folder(PLACE)) == before  # type: ignore[arg-type]
    put(store, "c.ics", b"third")
    puts = [
        step.name
        for segment in segments(str(data))
        for record in read_segment(segment, "")[1]
        for entry in record
        for step in entry.steps
        if isinstance(step, Put)
    ]
    assert puts == ["a.ics", "c.ics"]


def test_a_write_that_cannot_be_done_after_its_record_is_not_done_later_either(
    data: Path, tmp_path: Path, open_store: OpenStore
) -> None:
    store = open_store(data)
    with (
        pytest.raises(NotFound),
        store.write_items(PLACE, "old.ics") as write,
    ):
        row = write.find_member("old.ics")
        assert row is not None
        write.remove(row, by="alice")
        (data / PLACE / "old.ics").rename(data / "elsewhere")
    left = crash(store, data, tmp_path / "left")
    (left / "elsewhere").rename(left / PLACE / "old.ics")
    assert seen(open_store(left)) == {"old.ics": b"old"}
    assert seen(store) == {}


def test_without_syncs_the_journal_outlives_the_process_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    synced: list[int] = []
    journal = Journal(str(tmp_path / "data"), boot="b", durable=False, sync=lambda: synced.append(1), clock=lambda: 0.0)
    journal.write([Entry(1, (Put("p", "n", "s", 1, b"bytes"),))])
    same, records = read_segment(segments(str(tmp_path / "data"))[0], "b")
    assert same
    assert [bytes(step.data or b"") for step in records[0][0].steps if isinstance(step, Put)] == [b"bytes"]
    journal.empty()
    assert synced == []
    assert segments(str(tmp_path / "data")) == []


def test_a_journal_of_another_version_is_kept_and_not_played_back(tmp_path: Path) -> None:
    data = tmp_path / "data"
    Store(settings_over(data)).close()
    (data / FOLDER / "00000007.log").write_bytes(b"davserver journal 9, boot x\nwhat comes later")
    (data / FOLDER / "00000008.log").write_bytes(b"\0" * 100)
    Store(settings_over(data)).close()
    assert [file.name for file in (data / FOLDER).iterdir()] == ["00000007.log.set-aside"]
    assert (data / FOLDER / "00000007.log.set-aside").read_bytes().endswith(b"what comes later")
