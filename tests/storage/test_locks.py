"""Locks: who excludes whom, how long, and that they outlive a restart."""

from __future__ import annotations

import pytest

from storage.errors import Locked, TooManyLocks
from storage.locks import Lock
from tests.storage.conftest import Shelf


def lock(shelf: Shelf, path: str, *, infinite: bool = False, exclusive: bool = True, by: str = "alice") -> Lock:
    return shelf.store.locks.create(path, infinite=infinite, exclusive=exclusive, owner="", principal=by, timeout_s=60)


def test_a_lock_outlives_a_restart_and_ends_with_its_time(shelf: Shelf) -> None:
    granted = lock(shelf, "/files/a")
    shelf.restart()
    assert shelf.store.locks.find(granted.token) is not None
    shelf.clock.ahead_s = 61
    assert shelf.store.locks.find(granted.token) is None
    shelf.store.locks.require("/files/a", (), "bob")


@pytest.mark.rfc("4918", "6.1")
def test_an_infinite_lock_covers_what_lies_below_and_a_shallow_one_does_not(shelf: Shelf) -> None:
    lock(shelf, "/files/deep", infinite=True)
    lock(shelf, "/files/shallow")
    with pytest.raises(Locked):
        shelf.store.locks.require("/files/deep/a/b", (), "alice")
    shelf.store.locks.require("/files/shallow/a", (), "alice")
    with pytest.raises(Locked):
        lock(shelf, "/files", infinite=True)


@pytest.mark.rfc("4918", "6.2")
def test_shared_locks_stand_beside_each_other_and_exclude_an_exclusive_one(shelf: Shelf) -> None:
    first = lock(shelf, "/files/a", exclusive=False)
    lock(shelf, "/files/a", exclusive=False, by="bob")
    with pytest.raises(Locked):
        lock(shelf, "/files/a")
    shelf.store.locks.require("/files/a", {first.token}, "alice")


@pytest.mark.rfc("4918", "6.4")
def test_a_token_is_worth_nothing_in_anybody_elses_hand(shelf: Shelf) -> None:
    granted = lock(shelf, "/files/a")
    shelf.store.locks.require("/files/a", {granted.token}, "alice")
    with pytest.raises(Locked) as refused:
        shelf.store.locks.require("/files/a", {granted.token}, "bob")
    assert refused.value.roots == ("/files/a",)


@pytest.mark.rfc("4918", "9.6")
def test_a_deleted_files_lock_ends(shelf: Shelf) -> None:
    shelf.put("files", "a.txt", b"one")
    granted = lock(shelf, "/files/a.txt")
    with shelf.store.write("files") as tx:
        tx.remove("files", "a.txt", by="alice")
    assert shelf.store.locks.find(granted.token) is None


def test_a_tree_operation_reckons_with_the_locks_below(shelf: Shelf) -> None:
    lock(shelf, "/files/A/b")
    shelf.store.locks.require("/files/A", (), "alice")
    with pytest.raises(Locked):
        shelf.store.locks.require("/files/A", (), "alice", tree=True)


def test_a_member_holds_a_limited_number_of_locks(shelf: Shelf) -> None:
    most = shelf.settings.limits.locks_per_member
    for n in range(most):
        lock(shelf, f"/files/{n}")
    with pytest.raises(TooManyLocks):
        lock(shelf, "/files/more")
    lock(shelf, "/files/more", by="bob")
