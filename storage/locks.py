"""DAV locks (RFC 4918 §6, §7), kept in the index database so that they outlive a restart."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from storage.batch import Batch
from storage.errors import Locked, NotFound, TooManyLocks
from storage.index import Index
from storage.paths import is_within, parent_of


@dataclass(frozen=True, slots=True)
class Lock:
    """
    One lock.

    Attributes:
        token: URI, ``urn:uuid:…``.
        path: canonical path of its root.
        infinite: covers everything below the root too.
        owner: XML of the ``DAV:owner`` element as the client sent it, or "".
        principal: the account that made it; only it may use the token.
        timeout_s: granted seconds; expires_s: seconds since 1970.
    """

    token: str
    path: str
    infinite: bool
    exclusive: bool
    owner: str
    principal: str
    timeout_s: int
    expires_s: float


def _lock(row: tuple[object, ...]) -> Lock:
    token, path, infinite, exclusive, owner, principal, timeout_s, expires_s = row
    return Lock(
        str(token),
        str(path),
        bool(infinite),
        bool(exclusive),
        str(owner),
        str(principal),
        int(str(timeout_s)),
        float(str(expires_s)),
    )


class Locks:
    """
    All locks of the server, in memory as well: every change asks for them. Paths are canonical. Thread-safe.
    """

    def __init__(self, index: Index, clock: Callable[[], float], *, per_member: int) -> None:
        self._index = index
        self._clock = clock
        self._per_member = per_member
        self._changing = threading.RLock()
        self._by_path: dict[str, tuple[Lock, ...]] = {}  # the tuples are replaced, so readers need no lock
        self._by_token: dict[str, Lock] = {}
        for row in index.locks():
            self._keep(_lock(row))

    def find(self, token: str) -> Lock | None:
        """A live lock by its token."""
        lock = self._by_token.get(token)
        return lock if lock is not None and lock.expires_s > self._clock() else None

    def covering(self, path: str) -> list[Lock]:
        """The locks that a change of ``path`` must reckon with: its own and infinite ones above."""
        if not self._by_path:
            return []
        now = self._clock()
        roots = [path]
        while roots[-1] != "/":
            roots.append(parent_of(roots[-1]))
        locks = [lock for root in roots for lock in self._by_path.get(root, ()) if lock.expires_s > now]
        return [lock for lock in locks if lock.path == path or lock.infinite]

    def below(self, path: str) -> list[Lock]:
        """The locks whose root lies strictly below ``path``, by path."""
        now = self._clock()
        roots = sorted(root for root in list(self._by_path) if root != path and is_within(root, path))
        return [lock for root in roots for lock in self._by_path.get(root, ()) if lock.expires_s > now]

    def create(self, path: str, *, infinite: bool, exclusive: bool, owner: str, principal: str, timeout_s: int) -> Lock:
        """
        Grant a lock (RFC 4918 §9.10).

        Raises:
            Locked: a lock that excludes it stands on the path, above it or, for an infinite one, below it.
            TooManyLocks: the member holds as many as the configuration allows.
        """
        now = self._clock()
        with self._changing:
            others = self.covering(path) + (self.below(path) if infinite else [])
            blocking = [lock for lock in others if exclusive or lock.exclusive]
            if blocking:
                raise Locked([lock.path for lock in blocking])
            held = (lock for lock in self._by_token.values() if lock.principal == principal and lock.expires_s > now)
            if sum(1 for _ in held) >= self._per_member:
                raise TooManyLocks(self._per_member)
            token = f"urn:uuid:{uuid.uuid4()}"
            lock = Lock(token, path, infinite, exclusive, owner, principal, timeout_s, now + timeout_s)
            self.forget_expired()
            self._store(lock)
        return lock

    def refresh(self, token: str, timeout_s: int) -> Lock:
        """Start a lock's time anew (RFC 4918 §9.10.2). Raises NotFound."""
        now = self._clock()
        with self._changing:
            lock = self.find(token)
            if lock is None:
                raise NotFound(token)
            fresh = replace(lock, timeout_s=timeout_s, expires_s=now + timeout_s)
            self._store(fresh)
        return fresh

    def remove(self, token: str) -> None:
        """Release a lock; one that is gone already is no error."""
        with self._changing:
            lock = self._by_token.get(token)
            if lock is not None:
                self._take_away([lock])

    def forget(self, path: str) -> None:
        """Remove the locks on a path and below it: its resource is gone or moved (RFC 4918 §7.6)."""
        if not self._by_path:
            return
        with self._changing:
            self._take_away([lock for lock in self._by_token.values() if is_within(lock.path, path)])

    def forget_expired(self) -> None:
        """Remove the locks whose time is over."""
        with self._changing:
            now = self._clock()
            self._take_away([lock for lock in self._by_token.values() if lock.expires_s <= now])

    def require(self, path: str, tokens: Collection[str], principal: str, *, tree: bool = False) -> None:
        """
        Raise Locked unless every lock in the way is one of ``tokens`` and was made by ``principal``.

        Args:
            tree: the change reaches everything below too (DELETE and MOVE of a folder).
        """
        in_the_way = self.covering(path) + (self.below(path) if tree else [])
        submitted = [lock for lock in in_the_way if lock.token in tokens and lock.principal == principal]
        # Of several shared locks on one root, holding one is enough (RFC 4918 §6.2).
        opened = {lock.path for lock in submitted}
        blocking = [lock.path for lock in in_the_way if lock.path not in opened]
        if blocking:
            raise Locked(sorted(set(blocking)))

    def _store(self, lock: Lock) -> None:
        batch = Batch()
        values = (lock.token, lock.path, int(lock.infinite), int(lock.exclusive), lock.owner, lock.principal)
        batch.put_lock((*values, lock.timeout_s, lock.expires_s))
        self._index.commit(batch)
        self._keep(lock)

    def _take_away(self, locks: Sequence[Lock]) -> None:
        if not locks:
            return
        batch = Batch()
        for lock in locks:
            batch.remove_lock(lock.token)
        self._index.commit(batch)
        for lock in locks:
            del self._by_token[lock.token]
            left = tuple(other for other in self._by_path[lock.path] if other.token != lock.token)
            if left:
                self._by_path[lock.path] = left
            else:
                del self._by_path[lock.path]

    def _keep(self, lock: Lock) -> None:
        others = tuple(other for other in self._by_path.get(lock.path, ()) if other.token != lock.token)
        self._by_path[lock.path] = (*others, lock)
        self._by_token[lock.token] = lock
