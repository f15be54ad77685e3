"""The index can be lost, damaged, copied or of another version; no token ever skips a change."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from config.schema import Settings
from storage import index as index_module
from storage.errors import InvalidSyncToken
from storage.store import Store
from tests.pim.samples import event
from tests.storage.conftest import CALENDAR, Shelf


def process(settings: Settings) -> Settings:
    return replace(settings, storage=replace(settings.storage, durability="process"))


def test_a_deleted_index_costs_a_new_epoch_and_no_data(shelf: Shelf) -> None:
    shelf.make("files/A", owner="alice")
    shelf.put("files/A", "a.txt", b"one", creator="bob")
    token = shelf.token("files/A")
    shelf.store.close()
    (shelf.data / "index.sqlite").unlink()
    shelf.store = type(shelf.store)(shelf.settings)
    assert shelf.read("files/A", "a.txt")[0] == b"one"
    assert shelf.store.state("files/A").get("a.txt", "creator") == "bob"
    assert shelf.folder("files/A").owner == "alice"
    with pytest.raises(InvalidSyncToken):
        shelf.changes("files/A", token)


def test_a_log_left_behind_by_a_deleted_index_is_not_played_into_the_new_one(shelf: Shelf) -> None:
    shelf.put("files", "a.txt", b"one")
    wal = (shelf.data / "index.sqlite-wal").read_bytes()
    epoch = shelf.store.epoch
    shelf.store.close()
    (shelf.data / "index.sqlite").unlink()
    (shelf.data / "index.sqlite-wal").write_bytes(wal)
    shelf.store = type(shelf.store)(shelf.settings)
    assert shelf.store.epoch != epoch
    assert shelf.names("files") == ["a.txt"]


def overwrite(file: Path, data: bytes, *, at: int = 0) -> None:
    with file.open("r+b") as opened:
        opened.seek(at)
        opened.write(data)


def execute(file: Path, *statements: str) -> None:
    connection = sqlite3.connect(file)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


DAMAGES: dict[str, Callable[[Path], None]] = {
    "garbage": lambda file: overwrite(file, b"not a database" * 1000),
    "truncated": lambda file: os.truncate(file, file.stat().st_size // 2),
    "a page of another file": lambda file: overwrite(file, os.urandom(4096), at=4096 * 3),
    "newer": lambda file: execute(file, "PRAGMA user_version = 99"),
    "older": lambda file: execute(file, "PRAGMA user_version = 0"),
    "without a table": lambda file: execute(file, "DROP TABLE change"),
    "without an index": lambda file: execute(file, "DROP INDEX member_uid"),
    "a column more": lambda file: execute(file, "ALTER TABLE member ADD COLUMN more"),
    "a database of something else": lambda file: (
        file.unlink(),
        execute(file, f"PRAGMA user_version = {index_module.SCHEMA_VERSION}", "CREATE TABLE folder (id)"),
    )[1],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_or_foreign_index_is_set_aside_and_rebuilt(
    shelf: Shelf, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    shelf.put("files", "a.txt", b"one")
    epoch = shelf.store.epoch
    shelf.store.close()
    file = shelf.data / "index.sqlite"
    DAMAGES[damage](file)
    shelf.store = type(shelf.store)(shelf.settings)
    assert shelf.names("files") == ["a.txt"]
    assert shelf.store.epoch != epoch
    assert shelf.store.index.fresh
    assert (shelf.data / "index.sqlite.set-aside").exists()
    assert caplog.text.count("it is set aside as") == 1


def test_the_log_of_another_index_leads_to_no_wrong_answer(shelf: Shelf, tmp_path: Path) -> None:
    """SQLite plays it in, page by page; whatever comes of it is looked at to the last row, or set aside."""
    os.makedirs(shelf.data / CALENDAR)
    for number in range(300):
        (shelf.data / CALENDAR / f"{number}.ics").write_text(event(f"mine-{number}"), newline="")
    shelf.names(CALENDAR)
    token = shelf.token(CALENDAR)
    shelf.store.close()
    settings = replace(shelf.settings, storage=replace(shelf.settings.storage, data=tmp_path / "other"))
    other = Store(settings)
    os.makedirs(tmp_path / "other" / CALENDAR)
    for number in range(300):
        (tmp_path / "other" / CALENDAR / f"{number}.ics").write_text(event(f"theirs-{number}"), newline="")
    other.reconcile()
    shutil.copy(tmp_path / "other/index.sqlite-wal", shelf.data / "index.sqlite-wal")
    other.close()
    shelf.store = Store(shelf.settings)
    folder = shelf.folder(CALENDAR)
    assert len(shelf.names(CALENDAR)) == 300
    for number in range(300):
        assert shelf.store.holder_of_uid(folder, f"mine-{number}") == f"{number}.ics"
        assert shelf.store.holder_of_uid(folder, f"theirs-{number}") is None
        assert shelf.read(CALENDAR, f"{number}.ics")[0] == event(f"mine-{number}").encode()
    with pytest.raises(InvalidSyncToken):
        shelf.changes(CALENDAR, token)


def test_a_new_index_tells_how_far_it_is_and_one_that_is_there_does_not(shelf: Shelf) -> None:
    for name in "abc":
        shelf.put("files", name, b"one")
    told: list[tuple[int, int]] = []
    shelf.store.close()
    shelf.store = Store(shelf.settings, progress=lambda done, total: told.append((done, total)))
    assert told == []
    shelf.store.close()
    (shelf.data / "index.sqlite").unlink()
    shelf.store = Store(shelf.settings, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3), (3, 3)]
    assert shelf.store.filled


def test_an_index_whose_making_was_interrupted_is_finished_by_the_next_start(shelf: Shelf) -> None:
    os.makedirs(shelf.data / CALENDAR)
    for name in "abcd":
        (shelf.data / CALENDAR / f"{name}.ics").write_text(event(name), newline="")
    shelf.restart()
    assert not shelf.store.filled
    shelf.store.close()
    execute(
        shelf.data / "index.sqlite",  # as it is after the first commits
        "DELETE FROM meta WHERE key = 'complete'",
        "DELETE FROM member WHERE name > 'b.ics'",
        "UPDATE folder SET stamp_ns = 0",
    )
    told: list[tuple[int, int]] = []
    shelf.store = Store(shelf.settings, progress=lambda done, total: told.append((done, total)))
    assert shelf.store.filled
    assert told[-1] == (4, 4)
    assert shelf.names(CALENDAR) == ["a.ics", "b.ics", "c.ics", "d.ics"]
    shelf.restart()
    assert not shelf.store.filled


def test_a_copied_index_begins_a_new_epoch(shelf: Shelf) -> None:
    shelf.put("files", "a.txt", b"one")
    token = shelf.token("files")
    shelf.store.close()
    file = shelf.data / "index.sqlite"
    shutil.copy(file, file.with_suffix(".copy"))
    file.with_suffix(".copy").replace(file)
    shelf.store = type(shelf.store)(shelf.settings)
    with pytest.raises(InvalidSyncToken):
        shelf.changes("files", token)


def test_a_restart_keeps_tokens_and_etags(shelf: Shelf) -> None:
    shelf.put("files", "a.txt", b"one")
    token, read = shelf.token("files"), shelf.read("files", "a.txt")
    shelf.restart()
    assert shelf.read("files", "a.txt") == read
    shelf.put("files", "b.txt", b"two")
    assert shelf.changes("files", token) == {"b.txt"}


@pytest.mark.parametrize(("durability", "kept"), [("full", True), ("process", False)])
def test_after_another_start_of_the_machine_only_a_durable_index_that_was_closed_is_believed(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, durability: str, kept: bool
) -> None:
    if durability == "process":
        shelf.restart(process(shelf.settings))
    shelf.put("files", "a.txt", b"one")
    epoch = shelf.store.epoch
    monkeypatch.setattr(index_module, "boot_id", lambda: "another start")
    shelf.restart()
    assert (shelf.store.epoch == epoch) is kept


@pytest.mark.rfc("6578", "3.2")
@pytest.mark.parametrize(("boot", "kept"), [("the same", True), ("another", False)])
def test_an_index_that_was_not_closed_is_believed_only_since_the_same_start_of_the_machine(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, boot: str, kept: bool
) -> None:
    shelf.put("files", "a.txt", b"one")
    epoch = shelf.store.epoch
    closed_before = sqlite3.connect(shelf.data / "index.sqlite")
    monkeypatch.setattr(shelf.store.index, "close", closed_before.close)  # what a kill leaves
    shelf.store.close()
    if boot == "another":
        monkeypatch.setattr(index_module, "boot_id", lambda: "another start")
    shelf.store = type(shelf.store)(shelf.settings)
    assert (shelf.store.epoch == epoch) is kept
    assert shelf.read("files", "a.txt")[0] == b"one"


@pytest.mark.rfc("6578", "3.2")
@pytest.mark.parametrize("change", ["collection", "epoch", "ahead", "garbage", "digits", "negative"])
def test_a_token_that_is_not_of_this_collection_epoch_and_log_is_refused(shelf: Shelf, change: str) -> None:
    shelf.make("files/A")
    shelf.put("files/A", "a.txt", b"one")
    prefix, cid, epoch, n = shelf.token("files/A").rsplit(":", 3)
    token = {
        "collection": shelf.token("files"),
        "epoch": f"{prefix}:{cid}:0000000000:{n}",
        "ahead": f"{prefix}:{cid}:{epoch}:{int(n) + 1}",
        "garbage": "http://example.org/token",
        "digits": f"{prefix}:{cid}:{epoch}:{'9' * 5000}",
        "negative": f"{prefix}:{cid}:{epoch}:-1",
    }[change]
    with pytest.raises(InvalidSyncToken):
        shelf.changes("files/A", token)


def test_a_token_older_than_the_kept_log_is_refused_and_a_younger_one_is_not(shelf: Shelf) -> None:
    shelf.put("files", "a.txt", b"one")
    old = shelf.token("files")
    with shelf.store.write("files") as tx:
        tx.remove("files", "a.txt", by="alice")
    shelf.clock.ahead_s = 91 * 86_400
    shelf.put("files", "b.txt", b"two")
    young = shelf.token("files")
    shelf.store.housekeeping()
    with pytest.raises(InvalidSyncToken):
        shelf.changes("files", old)
    assert shelf.changes("files", young) == set()


def test_of_too_many_removals_the_oldest_are_forgotten_and_tokens_from_before_them_refused(shelf: Shelf) -> None:
    shelf.restart(replace(shelf.settings, storage=replace(shelf.settings.storage, change_log_entries=100)))
    shelf.make("files/A")
    shelf.put("files/A", "stays.txt", b"one")
    old = shelf.token("files/A")
    tokens = []
    for number in range(102):
        shelf.put("files/A", f"{number}.txt", b"x")
        with shelf.store.write("files/A") as tx:
            tx.remove("files/A", f"{number}.txt", by=None)
        tokens.append(shelf.token("files/A"))
    above = shelf.token("files")
    shelf.store.housekeeping()
    for token in (old, tokens[0]):
        with pytest.raises(InvalidSyncToken):
            shelf.changes("files/A", token)
    assert shelf.changes("files/A", tokens[1]) == {f"{number}.txt" for number in range(2, 102)}
    assert shelf.changes("files", above) == set()


def test_what_is_there_is_never_forgotten_by_the_log(shelf: Shelf) -> None:
    before = shelf.token("files")
    shelf.make("files/A")
    shelf.put("files", "a.txt", b"one")
    shelf.clock.ahead_s = 91 * 86_400
    shelf.store.housekeeping()
    assert shelf.changes("files", before) == {"A", "a.txt"}


def test_no_number_of_a_change_is_given_twice(shelf: Shelf) -> None:
    numbers: list[int] = []
    for _ in range(3):
        shelf.make("files/A")
        shelf.put("files/A", "a.txt", b"one")
        numbers.append(shelf.folder("files/A").counter)
        with shelf.store.write(tree=True) as tx:
            tx.remove_folder("files/A", by=None)
        shelf.restart()
        numbers.append(shelf.folder("files").counter)
    assert numbers == sorted(set(numbers))


def test_a_plain_files_etag_is_never_used_again(shelf: Shelf) -> None:
    seen = set()
    for n in range(5):
        seen.add(shelf.put("files", "a.txt", b"same bytes").etag)
        if n == 2:
            shelf.restart()
    assert len(seen) == 5


def test_two_servers_cannot_hold_one_data_folder(shelf: Shelf, tmp_path: Path) -> None:
    from storage.errors import StoreBusy

    with pytest.raises(StoreBusy):
        Store(shelf.settings)


def test_the_log_of_the_index_is_folded_into_it_beside_its_writers(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = shelf.data / "index.sqlite"
    monkeypatch.setattr(index_module, "FOLDED_LOG_BYTES", 0)
    shelf.store.upkeep()
    before = file.read_bytes()
    shelf.put("files", "a.txt", b"one")
    assert file.read_bytes() == before
    shelf.store.upkeep()
    assert file.read_bytes() != before
    (shelf.data / "index.sqlite-wal").unlink()
    shelf.store.upkeep()
