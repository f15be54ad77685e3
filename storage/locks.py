"""DAV locks (RFC 4918 §6, §7), kept in the index database so that they outlive a restart."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass

from storage.batch import Batch
from storage.errors import Locked, NotFound, TooManyLocks
from storage.index import Index
from storage.paths import parent_of


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
    """All locks of the server. Paths are canonical."""

    def __init__(self, index: Index, clock: Callable[[], float], *, per_member: int) -> None:
        self._index = index
        self._clock = clock
        self._per_member = per_member

    def find(self, token: str) -> Lock | None:
        """A live lock by its token."""
        row = self._index.lock(token, self._clock())
        return None if row is None else _lock(row)

    def covering(self, path: str) -> list[Lock]:
        """The locks that a change of ``path`` must reckon with: its own and infinite ones above."""
        above = [path]
        while above[-1] != "/":
            above.append(parent_of(above[-1]))
        locks = [_lock(row) for row in self._index.locks(above, self._clock())]
        return [lock for lock in locks if lock.path == path or lock.infinite]

    def below(self, path: str) -> list[Lock]:
        """The locks whose root lies strictly below ``path``."""
        return [_lock(row) for row in self._index.locks_below(path, self._clock())]

    def create(self, path: str, *, infinite: bool, exclusive: bool, owner: str, principal: str, timeout_s: int) -> Lock:
        """
        Grant a lock (RFC 4918 §9.10).

        Raises:
            Locked: a lock that excludes it stands on the path, above it or, for an infinite one, below it.
            TooManyLocks: the member holds as many as the configuration allows.
        """
        now = self._clock()
        with self._index.exclusive():
            others = self.covering(path) + (self.below(path) if infinite else [])
            blocking = [lock for lock in others if exclusive or lock.exclusive]
            if blocking:
                raise Locked([lock.path for lock in blocking])
            if self._index.count_locks(principal, now) >= self._per_member:
                raise TooManyLocks(self._per_member)
            token = f"urn:uuid:{uuid.uuid4()}"
            lock = Lock(token, path, infinite, exclusive, owner, principal, timeout_s, now + timeout_s)
            self._store(lock, now)
        return lock

    def refresh(self, token: str, timeout_s: int) -> Lock:
        """Start a lock's time anew (RFC 4918 §9.10.2). Raises NotFound."""
        now = self._clock()
        with self._index.exclusive():
            lock = self.find(token)
            if lock is None:
                raise NotFound(token)
            fresh = Lock(
                token,
                lock.path,
                lock.infinite,
                lock.exclusive,
                lock.owner,
                lock.principal,
                timeout_s,
                now + timeout_s,
            )
            self._store(fresh, now)
        return fresh

    def remove(self, token: str) -> None:
        """Release a lock; one that is gone already is no error."""
        batch = Batch()
        batch.remove_lock(token)
        self._index.commit(batch)

    def forget(self, path: str) -> None:
        """Remove the locks on a path and below it: its resource is gone or moved (RFC 4918 §7.6)."""
        batch = Batch()
        batch.forget_locks(path)
        self._index.commit(batch)

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

    def _store(self, lock: Lock, now: float) -> None:
        batch = Batch()
        batch.remove_expired_locks(now)
        batch.put_lock(
            (
                lock.token,
                lock.path,
                int(lock.infinite),
                int(lock.exclusive),
                lock.owner,
                lock.principal,
                lock.timeout_s,
                lock.expires_s,
            )
        )
        self._index.commit(batch)
