"""Writers take turns at computing; nobody who was entered waits for one who does not come, or keeps others waiting."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage import commits
from storage.commits import Commit
from storage.store import Store
from tests.durability.steps import PLACE, put
from tests.durability.test_imports import store_with_calendar

FOR_EVER_S = 600


class Slow(threading.Thread):
    """Somebody whose turn lasts until it is told to end."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.begun, self.go_on = threading.Event(), threading.Event()
        self._store = store

    def run(self) -> None:
        with self._store.commits.turn():
            self.begun.set()
            assert self.go_on.wait(60)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = store_with_calendar(tmp_path / "data")
    yield opened
    opened.close()


@pytest.fixture
def slow(store: Store) -> Iterator[Slow]:
    """It has the turn."""
    thread = Slow(store)
    thread.start()
    assert thread.begun.wait(60)
    yield thread
    thread.go_on.set()
    thread.join()


@pytest.fixture
def waiting(store: Store, slow: Slow, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Thread]:
    """A write that was entered meanwhile, and would wait for the other one as long as it takes."""
    monkeypatch.setattr(commits, "PATIENCE_S", 0)
    monkeypatch.setattr(commits, "GATHERED_S", FOR_EVER_S)
    entered, enter = threading.Event(), store.commits.enter

    def observed(commit: Commit) -> None:
        enter(commit)
        entered.set()

    monkeypatch.setattr(store.commits, "enter", observed)
    thread = threading.Thread(target=put_in_turn, args=(store, "waits.ics"))
    thread.start()
    assert entered.wait(60)
    yield thread
    slow.go_on.set()
    thread.join()


def put_in_turn(store: Store, name: str) -> None:
    """Store an item as a PUT does."""
    with store.commits.turn():
        put(store, name, b"x")


def names(store: Store) -> set[str]:
    folder = store.find_folder(PLACE)
    assert folder is not None
    return {member.name for member in store.members(folder)}


def test_a_turn_that_lasts_keeps_nobody_from_writing(store: Store, slow: Slow) -> None:
    put_in_turn(store, "a.ics")
    assert slow.is_alive()
    assert names(store) == {"a.ics"}


def test_a_turn_that_ends_without_a_write_lets_those_go_on_that_waited_for_it(
    store: Store, slow: Slow, waiting: threading.Thread
) -> None:
    assert names(store) == set()
    slow.go_on.set()
    waiting.join(60)
    assert not waiting.is_alive()
    assert names(store) == {"waits.ics"}


def test_whoever_needs_what_was_entered_does_not_wait_for_what_may_come(
    store: Store, slow: Slow, waiting: threading.Thread
) -> None:
    store.commits.wait_until_free(PLACE, [("name", "waits.ics")])
    assert slow.is_alive()
    assert names(store) == {"waits.ics"}


def test_another_kind_of_write_does_not_wait_for_what_may_come(
    store: Store, slow: Slow, waiting: threading.Thread
) -> None:
    with store.write(PLACE) as tx:
        tx.set_state(PLACE, "waits.ics", "note", "x")
    assert slow.is_alive()
    assert names(store) == {"waits.ics"}


def test_writes_that_come_together_are_one_record(store: Store, slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commits, "PATIENCE_S", FOR_EVER_S)
    monkeypatch.setattr(commits, "GATHERED_S", FOR_EVER_S)
    write, sizes = store.journal.write, []
    monkeypatch.setattr(store.journal, "write", lambda entries: (sizes.append(len(entries)), write(entries)))
    threads = [threading.Thread(target=put_in_turn, args=(store, f"{n}.ics")) for n in range(8)]
    for thread in threads:
        thread.start()
    while store.commits._coming < len(threads) + 1:
        pass
    slow.go_on.set()
    for thread in threads:
        thread.join()
    assert sizes == [8]
    assert len(names(store)) == 8
