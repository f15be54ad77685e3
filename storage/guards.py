"""Write locks of folders within the process: one writer a folder, and tree operations alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager


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
        self._folders: dict[str, tuple[threading.RLock, int]] = {}
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
        with ExitStack() as stack:
            stack.enter_context(self._whole(tree))
            stack.enter_context(self._remember(places, everything=tree))
            if not tree:
                for place in sorted(set(places)):
                    stack.enter_context(self._folder(place))
            yield

    @contextmanager
    def _remember(self, places: Sequence[str], *, everything: bool) -> Iterator[None]:
        self._held.depth, self._held.places, self._held.all = 1, frozenset(places), everything
        try:
            yield
        finally:
            self._held.depth, self._held.places, self._held.all = 0, frozenset(), False

    @contextmanager
    def _whole(self, exclusive: bool) -> Iterator[None]:
        with self._condition:
            if exclusive:
                self._waiting += 1
                self._condition.wait_for(lambda: not self._exclusive and self._shared == 0)
                self._waiting -= 1
                self._exclusive = True
            else:
                self._condition.wait_for(lambda: not self._exclusive and self._waiting == 0)
                self._shared += 1
        try:
            yield
        finally:
            with self._condition:
                if exclusive:
                    self._exclusive = False
                else:
                    self._shared -= 1
                self._condition.notify_all()

    @contextmanager
    def _folder(self, place: str) -> Iterator[None]:
        with self._condition:
            lock, users = self._folders.get(place, (None, 0))
            lock = lock or threading.RLock()
            self._folders[place] = (lock, users + 1)
        lock.acquire()
        try:
            yield
        finally:
            lock.release()
            with self._condition:
                lock, users = self._folders[place]
                if users == 1:
                    del self._folders[place]
                else:
                    self._folders[place] = (lock, users - 1)
