"""Work that no request asks for: hand-overs that a command requested, and the slow pass over the data folder."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from storage.handover import work_off
from storage.store import Store

LOOK_EVERY_S = 0.5
PAUSE_AFTER_FAILURE_S = 30
PASS_EVERY_S = 900
PAUSES_PER_WORK = 4  # the pass has a fifth of a processor at most

log = logging.getLogger("davserver.housekeeping")


class _Ending(Exception):
    """The server ends, so the pass is given up; the next one begins anew."""


class Housekeeper:
    """A thread beside those that answer requests; what fails is logged and tried again."""

    def __init__(self, store: Store, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._next_pass = clock() + PASS_EVERY_S
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)

    def start(self) -> None:
        """Begin; what was requested while no server ran is done at once."""
        self._thread.start()

    def stop(self, *, within_s: float) -> None:
        """End after the piece of work in hand, or without it after some seconds: it is done again at the next start."""
        self._ended.set()
        self._thread.join(within_s)

    def _run(self) -> None:
        while True:
            pause_s: float = LOOK_EVERY_S
            try:
                self._look()
            except _Ending:
                return
            except Exception:
                log.exception("housekeeping failed; again in %d s", PAUSE_AFTER_FAILURE_S)
                pause_s = PAUSE_AFTER_FAILURE_S
            if self._ended.wait(pause_s):
                return

    def _look(self) -> None:
        work_off(self._store)
        self._store.upkeep()
        if self._clock() >= self._next_pass:
            self._next_pass = self._clock() + PASS_EVERY_S
            self._store.housekeeping(self._pacer())

    def _pacer(self) -> Callable[[], None]:
        """Waits after each step for a multiple of what the step took."""
        begun_s = time.monotonic()

        def pause() -> None:
            nonlocal begun_s
            if self._ended.wait((time.monotonic() - begun_s) * PAUSES_PER_WORK):
                raise _Ending
            begun_s = time.monotonic()

        return pause
