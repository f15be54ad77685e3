"""A crash between a rename and the state that belongs to it: the next look settles which of the two holds."""

from __future__ import annotations

import os

import pytest

from storage import arrivals
from tests.storage.conftest import Shelf


@pytest.fixture
def pair(shelf: Shelf) -> Shelf:
    """``a.txt`` of alice and ``b.txt`` of bob, and the announcement that the first is about to replace the second."""
    shelf.put("files", "a.txt", b"one", creator="alice")
    shelf.put("files", "b.txt", b"two", creator="bob")
    inode = os.stat(shelf.data / "files/a.txt").st_ino
    shelf.store.append_state("files", [arrivals.announcement("b.txt", inode, {"creator": "alice"})])
    return shelf


def test_state_announced_for_a_rename_that_happened_is_in_force_after_the_crash(pair: Shelf) -> None:
    os.rename(pair.data / "files/a.txt", pair.data / "files/b.txt")
    pair.restart()
    assert dict(pair.store.state("files").all("b.txt")) == {"creator": "alice"}


def test_state_announced_for_a_rename_that_did_not_happen_is_forgotten(pair: Shelf) -> None:
    pair.restart()
    assert dict(pair.store.state("files").all("b.txt")) == {"creator": "bob"}
    assert dict(pair.store.state("files").all("a.txt")) == {"creator": "alice"}


def test_a_file_moved_over_another_leaves_that_one_in_the_history_and_nothing_announced(shelf: Shelf) -> None:
    shelf.put("files", "a.txt", b"one", creator="alice")
    shelf.put("files", "b.txt", b"two", creator="bob")
    with shelf.store.write("files") as tx:
        tx.move("files", "a.txt", "files", "b.txt", over=True, by="alice")
    assert shelf.names("files") == ["b.txt"]
    assert shelf.read("files", "b.txt")[0] == b"one"
    assert dict(shelf.store.state("files").all("b.txt")) == {"creator": "alice"}
    assert not shelf.store.state("files").all("a.txt")
    kept = [path.read_bytes() for path in (shelf.data / "history/b.txt").glob("*.txt")]
    assert kept == [b"two"]


def test_a_file_copied_over_another_keeps_none_of_its_properties(shelf: Shelf) -> None:
    shelf.put("files", "a.txt", b"one")
    shelf.put("files", "b.txt", b"two")
    with shelf.store.write("files") as tx:
        tx.set_state("files", "a.txt", "props", {"{x}y": "<y/>"})
        tx.set_state("files", "b.txt", "props", {"{x}z": "<z/>"})
    with shelf.store.write("files") as tx:
        tx.copy("files", "a.txt", "files", "b.txt", over=True, by="alice")
    assert shelf.read("files", "b.txt")[0] == b"one"
    assert dict(shelf.store.state("files").all("b.txt")) == {"props": {"{x}y": "<y/>"}}


def test_moving_one_hard_link_over_another_of_the_same_file_leaves_one_name(shelf: Shelf) -> None:
    shelf.put("files", "a.txt", b"one")
    os.link(shelf.data / "files/a.txt", shelf.data / "files/b.txt")
    with shelf.store.write("files") as tx:
        tx.move("files", "a.txt", "files", "b.txt", over=True, by="alice")
    assert shelf.names("files") == ["b.txt"]
    assert [entry.name for entry in (shelf.data / "files").iterdir()] == ["b.txt"]
