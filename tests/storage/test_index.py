"""The index can be lost, damaged, copied or of another version; no token ever skips a change."""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from config.schema import Settings
from storage import index as index_module
from storage.errors import InvalidSyncToken
from tests.storage.conftest import Shelf


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


@pytest.mark.parametrize("damage", ["garbage", "newer"])
def test_a_damaged_or_newer_index_is_set_aside_and_rebuilt(shelf: Shelf, damage: str, caplog) -> None:
    shelf.put("files", "a.txt", b"one")
    shelf.store.close()
    file = shelf.data / "index.sqlite"
    if damage == "garbage":
        file.write_bytes(b"not a database" * 1000)
    else:
        connection = sqlite3.connect(file)
        connection.execute("PRAGMA user_version = 99")
        connection.close()
    shelf.store = type(shelf.store)(shelf.settings)
    assert shelf.names("files") == ["a.txt"]
    assert (shelf.data / "index.sqlite.set-aside").exists()
    assert "set aside" in caplog.text


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


def test_a_plain_files_etag_is_never_used_again(shelf: Shelf) -> None:
    seen = set()
    for n in range(5):
        seen.add(shelf.put("files", "a.txt", b"same bytes").etag)
        if n == 2:
            shelf.restart()
    assert len(seen) == 5


def test_two_servers_cannot_hold_one_data_folder(shelf: Shelf, tmp_path: Path) -> None:
    from storage.errors import StoreBusy
    from storage.store import Store

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
