"""
Group commit: writes of items that come together share one sync of the journal and one transaction of the index.

Writers take turns at judging what they bring: threads that compute beside each other only take the interpreter from
each other. A write is then checked under the guard of its collection and entered here; turn and guard are free for the
next. The first that finds nobody at work and nobody coming leads: it records all that were entered, syncs once, does
them and wakes the others. Until a write is done its names and UIDs are pending, and whoever asks for one of them waits.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from storage.batch import Batch
from storage.disk import modified_of
from storage.errors import DiskFull
from storage.journal import MOST_BYTES, Entry, Step, Void

if TYPE_CHECKING:
    from storage.store import Store

MOST_AT_ONCE = 32  # writes that wait for those that are coming
GATHERED_S = 0.05  # for which they do at most: one that comes may be long in coming
PATIENCE_S = 0.1  # with somebody whose turn takes long; then one computes beside it

log = logging.getLogger("davserver.commits")

Key = tuple[str, str]  # ("name" or "uid", its value)


@dataclass(slots=True, eq=False)
class Commit:
    """
    One checked write of one collection.

    Attributes:
        apply: does it on disk and adds its rows to a batch.
        keys: what nobody else may ask for until it is done.
    """

    place: str
    steps: tuple[Step, ...]
    apply: Callable[[Batch], None]
    keys: frozenset[Key]
    number: int = 0
    done: bool = False
    error: BaseException | None = None
    wake: threading.Lock = field(default_factory=threading.Lock)  # held until it is done or its thread is to lead


class Commits:
    """What was entered and is not done yet. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._state = threading.Condition()
        self._queue: list[Commit] = []
        self._led = False
        self._number = 0
        self._pending: Counter[tuple[str, Key]] = Counter()
        self._counts: Counter[str] = Counter()  # by place
        self._long: Counter[str] = Counter()  # by place, of those that take more than a moment
        self._computing = threading.Lock()
        self._coming = 0  # writers that have a turn or wait for one
        self._awaited = 0  # those who wait until what was entered is done
        self._turns = threading.local()

    # -- turns -----------------------------------------------------------------------------------------------------

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Compute one after another; over when the write is entered, must wait for others, or is refused."""
        with self._state:
            self._coming += 1
        self._turns.is_coming = True
        self._turns.has_lock = self._computing.acquire(timeout=PATIENCE_S)
        try:
            yield
        finally:
            self._end_turn()

    def _end_turn(self) -> None:
        with self._state:
            self._count_out()
            successor = self._find_leader()
        if successor is not None:
            successor.wake.release()

    def _count_out(self) -> None:
        if not getattr(self._turns, "is_coming", False):
            return
        self._turns.is_coming = False
        self._coming -= 1
        if self._turns.has_lock:
            self._computing.release()

    def _must_lead(self) -> bool:
        """Whether somebody has to: writes were entered, and there is no reason to wait for more."""
        is_due = self._coming == 0 or self._awaited > 0 or len(self._queue) >= MOST_AT_ONCE
        return is_due and bool(self._queue) and not self._led

    def _find_leader(self) -> Commit | None:
        """Of those that wait the one that leads from now on."""
        if not self._must_lead():
            return None
        self._led = True
        return self._queue[0]

    # -- pending ---------------------------------------------------------------------------------------------------

    def claim(self, place: str, keys: Collection[Key], *, long: bool = False) -> None:
        """Make names and UIDs pending. The caller holds the place's guard and has waited for them."""
        with self._state:
            self._pending.update((place, key) for key in keys)
            self._counts[place] += 1
            if long:
                self._long[place] += 1

    def release(self, place: str, keys: Iterable[Key], *, last: bool = True, long: bool = False) -> None:
        """Give pending names and UIDs free; ``last`` where no others of the claim are left."""
        with self._state:
            self._release(place, keys, last=last)
            if long and last:
                self._long -= Counter([place])
            self._state.notify_all()

    def _release(self, place: str, keys: Iterable[Key], *, last: bool) -> None:
        for key in keys:
            if self._pending[place, key] <= 1:
                del self._pending[place, key]
            else:
                self._pending[place, key] -= 1
        if last:
            self._counts -= Counter([place])

    def wait_until_free(self, place: str, keys: Iterable[Key] | None) -> None:
        """
        Wait until none of some names and UIDs is pending, or for None nothing at all in the place; with the guard of
        the place ``are_free`` tells if so.
        """
        with self._state:
            if self._are_free(place, keys):
                return
        self._end_turn()
        self._wait_for(lambda: self._are_free(place, keys))

    def are_free(self, place: str, keys: Iterable[Key] | None) -> bool:
        """Whether none of some names and UIDs is pending."""
        with self._state:
            return self._are_free(place, keys)

    def _are_free(self, place: str, keys: Iterable[Key] | None) -> bool:
        if keys is None:
            return place not in self._counts
        return not any((place, key) in self._pending for key in keys)

    def wait_until_quiet(self, places: Collection[str], *, tree: bool, long: bool = False) -> None:
        """Wait until nothing is pending in some places, or with ``tree`` anywhere; with ``long`` no long work only."""
        counts = self._long if long else self._counts
        self._wait_for(lambda: not counts if tree else not any(place in counts for place in places))

    def _wait_for(self, is_so: Callable[[], bool]) -> None:
        """Wait for writes to be done; those that were entered wait for no more of them meanwhile."""
        with self._state:
            if is_so():
                return
            self._awaited += 1
            leader = self._find_leader()
            if leader is not None:
                leader.wake.release()
            self._state.wait_for(is_so)
            self._awaited -= 1

    # -- committing ------------------------------------------------------------------------------------------------

    def enter(self, commit: Commit) -> None:
        """Queue a checked write, under the guard of its place; ``finish`` follows without it."""
        commit.wake.acquire()
        with self._state:
            self.claim(commit.place, commit.keys)
            self._number += 1
            commit.number = self._number
            self._queue.append(commit)

    def finish(self, commit: Commit) -> None:
        """Return when the write is durable and seen by all. Raises what kept it from being done."""
        with self._state:
            self._count_out()
            leads = self._must_lead()
            self._led = self._led or leads
        if not leads and not commit.wake.acquire(timeout=GATHERED_S):
            with self._state:
                leads = not self._led and not commit.done
                self._led = self._led or leads
            if not leads:
                commit.wake.acquire()
        if not commit.done:
            self._lead()
        if commit.error is not None:
            raise commit.error
        if self._store.journal.size > MOST_BYTES:
            self._store.journal.empty()

    def _lead(self) -> None:
        with self._state:
            group, self._queue = self._queue, []
        try:
            with self._store.journal.turn:
                self._commit(group)
        except BaseException as error:
            for commit in group:
                commit.error = commit.error or error
        with self._state:
            for commit in group:
                commit.done = True
                self._release(commit.place, commit.keys, last=True)
            self._state.notify_all()
            self._led = False
            successor = self._find_leader()
        for commit in group:
            commit.wake.release()
        if successor is not None:
            successor.wake.release()

    def _commit(self, group: list[Commit]) -> None:
        store = self._store
        store.journal.write([Entry(commit.number, commit.steps) for commit in group])
        places = sorted({commit.place for commit in group})
        batch = Batch()
        with store.applying.hold(places), self._undisturbed():
            agreed = {place for place in places if store.stamp_agrees(place)}
            for commit in group:
                if not self._apply(commit, batch):
                    agreed.discard(commit.place)  # what was half done is found at the next look
            for place in agreed:
                batch.stamp_folder(place, modified_of(os.stat(store.directory(place))))
            store.index.commit(batch)

    @contextmanager
    def _undisturbed(self) -> Iterator[None]:
        """Keep others from computing: each step on disk or in the index would wait for the interpreter."""
        has_lock = self._awaited == 0 and self._computing.acquire(timeout=GATHERED_S)
        try:
            yield
        finally:
            if has_lock:
                self._computing.release()

    def _apply(self, commit: Commit, batch: Batch) -> bool:
        """Do one write of a group, and give whether it could be done; if not, the journal says so too."""
        own = Batch()
        try:
            commit.apply(own)
        except Exception as error:
            commit.error = error
            self._take_back(commit)
            return False
        batch.add(own)
        return True

    def _take_back(self, commit: Commit) -> None:
        try:
            self._store.journal.write([Entry(0, (Void(commit.number),))])
        except (OSError, DiskFull):
            log.warning("a write failed that is in the journal: after a power cut it would be done")
