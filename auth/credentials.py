"""
Verified credentials, remembered for some minutes, so that a polling phone does not pay for argon2 each time.

What is kept is a keyed hash (BLAKE2b, key of this process) of name, password and stored hash, never the password.
Because the stored hash is part of it, a password that was changed or taken away is forgotten in the same moment.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future

from auth.passwords import verify_password


class VerifiedCredentials:
    """A bounded memory of what was verified; safe to use from many threads."""

    def __init__(self, *, lifetime_s: float, entries: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._lifetime_s = lifetime_s
        self._entries = entries
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._until: OrderedDict[bytes, float] = OrderedDict()
        self._running: dict[bytes, Future[bool]] = {}

    def verify(self, name: str, password: str, stored: str) -> bool:
        """Whether the password belongs to the stored hash; only a yes is remembered."""
        digest = self._digest(name, password, stored)
        with self._lock:
            if self._until.get(digest, 0.0) > self._clock():
                return True
        verified = self._once(digest, password, stored)
        if verified:
            self._remember(digest)
        return verified

    def refuse(self, name: str, password: str, decoy: str) -> None:
        """Do the work of ``verify`` for an account that cannot sign in, so that it cannot be told from one that can."""
        self._once(self._digest(name, password, decoy), password, decoy)

    def forget(self) -> None:
        """Drop everything."""
        with self._lock:
            self._until.clear()

    def __len__(self) -> int:
        return len(self._until)

    def _digest(self, *parts: str) -> bytes:
        # Lengths in front: no two triples give the same text.
        text = "".join(f"{len(part)}:{part}" for part in parts)
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), key=self._key, digest_size=32).digest()

    def _once(self, digest: bytes, password: str, stored: str) -> bool:
        """Verify; requests that bring the same credential meanwhile wait for the one answer."""
        with self._lock:
            running = self._running.get(digest)
            if running is None:
                mine = self._running[digest] = Future()
        if running is not None:
            return running.result()
        try:
            mine.set_result(verify_password(password, stored))
        except BaseException as error:
            mine.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._running[digest]
        return mine.result()

    def _remember(self, digest: bytes) -> None:
        if self._lifetime_s <= 0:
            return
        with self._lock:
            self._until[digest] = self._clock() + self._lifetime_s
            self._until.move_to_end(digest)
            while len(self._until) > self._entries:
                self._until.popitem(last=False)
