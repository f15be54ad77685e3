"""
How often something may be done: so many times a minute, all at once or spread.

Nothing here ever sleeps; who comes too often is told when to come again.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

from auth.errors import TooManyUploads as TooManyUploads

MINUTE_S = 60.0


class Rates:
    """Counts uploads; a bounded number of counters in memory, of which the one used longest ago goes. Thread-safe."""

    def __init__(self, entries: int = 10_000, *, clock: Callable[[], float] = time.time) -> None:
        self._entries = entries
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # what is left of a key's share, and when
        self._lock = threading.Lock()

    def take(self, per_minute: Mapping[str, int]) -> None:
        """
        Count one upload for every key, or for none.

        Args:
            per_minute: how many each key may have; so many are there at once, and come back within a minute.

        Raises:
            TooManyUploads: one has no more.
        """
        now_s = self._clock()
        with self._lock:
            left = {key: self._left_of(key, most, now_s) for key, most in per_minute.items()}
            waits = [(1 - left[key]) * MINUTE_S / most for key, most in per_minute.items() if left[key] < 1]
            if waits:
                raise TooManyUploads(math.ceil(max(waits)))
            for key, number in left.items():
                self._left[key] = (number - 1, now_s)
                self._left.move_to_end(key)
            while len(self._left) > self._entries:
                self._left.popitem(last=False)

    def _left_of(self, key: str, most: int, now_s: float) -> float:
        number, at_s = self._left.get(key, (float(most), now_s))
        return min(float(most), number + max(0.0, now_s - at_s) * most / MINUTE_S)
