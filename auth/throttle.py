"""
Guessing is slow: after ten failures for a pair of address and account, at most one try a second.

The pair is what counts, so the real member is not locked out by somebody at another address. Nothing here ever
sleeps: a worker thread that waited would be the attacker's.
"""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from auth.errors import TooManyTries as TooManyTries
from auth.principal import fold

FREE_FAILURES = 10
_INTERVAL_S = 1.0
_FORGOTTEN_AFTER_S = 3600.0
_LONGEST_NAME = 128


@dataclass(frozen=True, slots=True)
class Tally:
    """
    What is remembered of one pair.

    Attributes:
        failures: since the last success.
        last_s: when the last try was let through, on the clock of the throttle.
    """

    failures: int
    last_s: float


class Counters(Protocol):
    """Where tallies are kept: in memory, or in the index database once there are several processes."""

    def get(self, key: str) -> Tally | None:
        """The tally of a pair."""

    def put(self, key: str, tally: Tally) -> None:
        """Keep a tally; the oldest may be dropped for it."""

    def remove(self, key: str) -> None:
        """Forget a pair."""


class MemoryCounters:
    """A bounded number of tallies in memory; the one that was changed longest ago goes first."""

    def __init__(self, entries: int = 10_000) -> None:
        self._entries = entries
        self._tallies: OrderedDict[str, Tally] = OrderedDict()

    def get(self, key: str) -> Tally | None:
        """The tally of a pair."""
        return self._tallies.get(key)

    def put(self, key: str, tally: Tally) -> None:
        """Keep a tally."""
        self._tallies[key] = tally
        self._tallies.move_to_end(key)
        while len(self._tallies) > self._entries:
            self._tallies.popitem(last=False)

    def remove(self, key: str) -> None:
        """Forget a pair."""
        self._tallies.pop(key, None)


class Throttle:
    """Counts failed tries; safe to use from many threads."""

    def __init__(self, counters: Counters | None = None, *, clock: Callable[[], float] = time.time) -> None:
        self._counters = MemoryCounters() if counters is None else counters
        self._clock = clock
        self._lock = threading.Lock()

    def require(self, address: str, name: str) -> None:
        """
        Nothing where a try may be made now; ask before a password is looked at.

        Raises:
            TooManyTries: it may not, however good the password is.
        """
        key, now_s = _key(address, name), self._clock()
        with self._lock:
            tally = self._counters.get(key)
            if tally is None or tally.failures < FREE_FAILURES:
                return
            # A clock that was set back must not lock anybody out for longer than the interval.
            waited_s = max(0.0, now_s - tally.last_s)
            if waited_s < _INTERVAL_S:
                raise TooManyTries(math.ceil(_INTERVAL_S - waited_s))
            # Taking the turn under the lock: of ten tries at once one goes through.
            self._counters.put(key, Tally(tally.failures, now_s))

    def failed(self, address: str, name: str) -> None:
        """Count a wrong password or an unknown name."""
        key, now_s = _key(address, name), self._clock()
        with self._lock:
            tally = self._counters.get(key)
            fresh = tally is None or now_s - tally.last_s > _FORGOTTEN_AFTER_S
            self._counters.put(key, Tally(1 if tally is None or fresh else tally.failures + 1, now_s))

    def succeeded(self, address: str, name: str) -> None:
        """Forget the failures of a pair."""
        with self._lock:
            self._counters.remove(_key(address, name))


def _key(address: str, name: str) -> str:
    return f"{network_of(address)} {fold(name)[:_LONGEST_NAME]}"


@lru_cache(maxsize=1024)
def network_of(address: str) -> str:
    """An IPv4 address, or the /64 of an IPv6 one: a household has 2^64 of those and would never run out."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
