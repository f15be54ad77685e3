"""Write locks of folders within the process: one writer a folder, and tree operations alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager


class Guards:
    """
    Keeps writers apart.

    Writers of single folders run beside each other and take their folders in sorted order; an operation on a tree
    (``tree=True``) waits for them and runs alone. A thread may enter again what it holds.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._shared = 0
        self._exclusive = False
        self._waiting = 0
        self._folders: dict[str, tuple[threading.Lock, int]] = {}  # and how many hold it or wait for it
        self._held = threading.local()

    @property
    def inside(self) -> bool:
        """Whether this thread holds any guard."""
        return bool(getattr(self._held, "depth", 0))

    def holds(self, place: str) -> bool:
        """Whether this thread may write in a folder."""
        return bool(getattr(self._held, "all", False)) or place in getattr(self._held, "places", ())

    @contextmanager
    def hold(self, places: Sequence[str], *, tree: bool = False) -> Iterator[None]:
        """Hold the write locks of some folders, or of everything."""
        if getattr(self._held, "all", False):
            yield
            return
        if self.inside:
            if tree or not all(self.holds(place) for place in places):
                raise RuntimeError("a writer asked for more folders than it began with")
            yield
            return
        locks = self._begin_tree() if tree else self._begin_folders(places)
        try:
            self._held.depth, self._held.places, self._held.all = 1, frozenset(places), tree
            yield
        finally:
            self._held.depth, self._held.places, self._held.all = 0, frozenset(), False
            self._end(locks, tree=tree)

    def _begin_tree(self) -> dict[str, threading.Lock]:
        with self._condition:
            self._waiting += 1
            self._condition.wait_for(lambda: not self._exclusive and self._shared == 0)
            self._waiting -= 1
            self._exclusive = True
        return {}

    def _begin_folders(self, places: Sequence[str]) -> dict[str, threading.Lock]:
        """Take the locks of some folders, which are given, in their order."""
        locks = {}
        with self._condition:
            self._condition.wait_for(lambda: not self._exclusive and self._waiting == 0)
            self._shared += 1
            for place in sorted(set(places)):
                lock, users = self._folders.get(place, (None, 0))
                locks[place] = lock or threading.Lock()
                self._folders[place] = (locks[place], users + 1)
        for lock in locks.values():
            lock.acquire()
        return locks

    def _end(self, locks: dict[str, threading.Lock], *, tree: bool) -> None:
        for lock in locks.values():
            lock.release()
        with self._condition:
            for place, lock in locks.items():
                users = self._folders[place][1]
                if users == 1:
                    del self._folders[place]
                else:
                    self._folders[place] = (lock, users - 1)
            if tree:
                self._exclusive = False
            else:
                self._shared -= 1
            if tree or self._waiting:
                self._condition.notify_all()
