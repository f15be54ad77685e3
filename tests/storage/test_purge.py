"""What is too old, too close together or too much goes from trash and history; before a full disk refuses anybody."""

from __future__ import annotations

from dataclasses import replace

import pytest

from config.schema import History, Trash
from storage.purge import make_room, purge
from storage.store import Store
from tests.storage.conftest import Shelf

DAY_S = 86_400


def keep(store: Store, **sections: Trash | History) -> None:
    store.settings = replace(store.settings, **sections)


def removed(shelf: Shelf, name: str, data: bytes = b"words") -> None:
    shelf.put("files", name, data)
    with shelf.store.write("files") as tx:
        tx.remove("files", name, by="alice")


def left(shelf: Shelf, top: str) -> list[str]:
    return sorted(path.name for path in (shelf.data / top).rglob("*.txt") if path.is_file())


def later(shelf: Shelf, seconds: float) -> None:
    now = shelf.store.clock()
    shelf.store.clock = lambda: now + seconds


def test_what_is_older_than_it_is_kept_goes_and_the_folders_above_it_too(shelf: Shelf) -> None:
    shelf.make("files/A")
    shelf.put("files/A", "old.txt", b"words")
    with shelf.store.write("files/A") as tx:
        tx.remove("files/A", "old.txt", by="alice")
    later(shelf, 29 * DAY_S)
    removed(shelf, "new.txt")
    later(shelf, 2 * DAY_S)
    assert purge(shelf.store, lambda: None) == 1
    assert left(shelf, "trash") == ["new.txt"]
    assert not (shelf.data / "trash/A").exists()


def test_the_oldest_goes_where_it_is_too_much(shelf: Shelf) -> None:
    for name in ("a.txt", "b.txt", "c.txt"):
        removed(shelf, name, b"x" * 1000)
        later(shelf, 10)
    keep(shelf.store, trash=Trash(most_bytes=2000))
    assert purge(shelf.store, lambda: None) == 1
    assert left(shelf, "trash") == ["b.txt", "c.txt"]


def test_versions_are_thinned_by_age(shelf: Shelf) -> None:
    for number in range(6):
        shelf.put("files", "plan.txt", f"version {number}".encode())
        later(shelf, 600)
    assert purge(shelf.store, lambda: None) == 0
    assert len(left(shelf, "history")) == 5
    later(shelf, 2 * DAY_S)
    purge(shelf.store, lambda: None)
    assert 1 <= len(left(shelf, "history")) <= 2
    later(shelf, 400 * DAY_S)
    purge(shelf.store, lambda: None)
    assert left(shelf, "history") == []


def test_before_the_disk_is_full_the_oldest_goes(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.txt", "b.txt", "c.txt"):
        removed(shelf, name)
        later(shelf, 10)
    monkeypatch.setattr(shelf.store, "free_bytes", lambda: 100 if len(left(shelf, "trash")) <= 1 else 0)
    assert shelf.store.make_room(50)
    assert left(shelf, "trash") == ["c.txt"]
    assert not make_room(shelf.store, 1000)
    assert left(shelf, "trash") == []
