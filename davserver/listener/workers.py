"""
The threads that answer requests.

A few threads share the interpreter best, but one that waits for a slow client uses none of it. So ``base`` threads
may compute at a time, and for each that waits on its socket another may be started, up to ``most`` in all.
"""

from __future__ import annotations

import logging
import threading
import time
from queue import SimpleQueue
from types import TracebackType
from typing import Protocol

log = logging.getLogger("davserver.workers")


class Served(Protocol):
    """A connection with a request to be read; see ``davserver.server.Connection``."""

    def communicate(self) -> bool: ...
    def close(self) -> None: ...
    def interrupt(self) -> None: ...


class Keeper(Protocol):
    """Who takes a connection back that stays open."""

    def put_conn(self, conn: Served) -> None: ...


class Waiting:
    """``with waiting:`` around every wait of a worker for its client."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    def __enter__(self) -> None:
        self._workers.change_waiting(1)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._workers.change_waiting(-1)


class Workers:
    """The pool; it has the methods that cheroot's server calls on its own (start, put, stop, idle, qsize)."""

    def __init__(self, keeper: Keeper, *, base: int, most: int) -> None:
        self.waiting = Waiting(self)
        self._keeper = keeper
        self._base = base
        self._most = max(base, most)
        self._queue: SimpleQueue[Served | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._threads: dict[threading.Thread, Served | None] = {}
        self._waiting_count = 0
        self._stopping = False

    def start(self) -> None:
        """Start the base threads."""
        for _ in range(self._base):
            self._spawn()

    def put(self, conn: Served) -> None:
        """Queue a connection whose request's head has come."""
        self._queue.put(conn)
        self._compensate()

    @property
    def qsize(self) -> int:
        """Connections that wait for a thread."""
        return self._queue.qsize()

    @property
    def idle(self) -> int:
        """Threads without a connection."""
        with self._lock:
            return sum(conn is None for conn in self._threads.values())

    def change_waiting(self, by: int) -> None:
        """One thread more (1) or fewer (-1) waits for its client."""
        with self._lock:
            self._waiting_count += by
        if by > 0 and not self._queue.empty():
            self._compensate()

    def stop(self, timeout: float | None = 5) -> None:
        """Let running and queued requests finish for ``timeout`` seconds, then cut their connections."""
        deadline = time.monotonic() + (timeout or 0)
        self._stopping = True
        with self._lock:
            threads = list(self._threads)
        for _ in threads:
            self._queue.put(None)
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        with self._lock:
            held = [conn for conn in self._threads.values() if conn is not None]
        for conn in held:
            conn.interrupt()
        for thread in threads:
            thread.join(max(0.1, deadline + 1 - time.monotonic()))

    def _compensate(self) -> None:
        with self._lock:
            total = len(self._threads)
            is_short = total - self._waiting_count < self._base and total < self._most and not self._stopping
        if is_short:
            self._spawn()

    def _spawn(self) -> None:
        thread = threading.Thread(target=self._run, name="worker", daemon=True)
        with self._lock:
            self._threads[thread] = None
        thread.start()

    def _run(self) -> None:
        me = threading.current_thread()
        try:
            while not self._is_surplus(me):
                conn = self._queue.get()
                if conn is None:
                    return
                self._threads[me] = conn
                self._serve(conn)
                self._threads[me] = None
        finally:
            with self._lock:
                self._threads.pop(me, None)

    def _is_surplus(self, me: threading.Thread) -> bool:
        """Whether more threads than needed are left after a wait; the caller then ends."""
        with self._lock:
            if self._stopping or len(self._threads) - self._waiting_count <= self._base:
                return False
            del self._threads[me]
            return True

    def _serve(self, conn: Served) -> None:
        is_kept = False
        try:
            is_kept = conn.communicate()
        except Exception:
            log.exception("a connection failed")
        try:
            if is_kept:
                self._keeper.put_conn(conn)
            else:
                conn.close()
        except Exception:
            log.exception("a connection could not be put back")
