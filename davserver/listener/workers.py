"""
The threads that answer requests, and the turns they take at the door.

One thread is in front: it waits in the reception for what comes, answers it itself and goes back. As long as answers
are brief, that is all, and nothing is handed from thread to thread and nobody else wants the interpreter. Before a
request that may wait for the disk, when it has to wait for its client, or when an answer takes longer than a moment,
another thread goes to the front. So ``base`` threads may compute at a time, and for each that waits on its socket
another may be started, up to ``most`` in all.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Protocol

MOMENT_S = 0.002
HEARD_WITHIN_S = 1.0
NOBODY, SOMEBODY = 0, -1  # in front: no thread, or one that is on its way

log = logging.getLogger("davserver.workers")


class Served(Protocol):
    """A connection with a request to be read; see ``davserver.listener.http.Connection``."""

    @property
    def is_brief(self) -> bool: ...
    def communicate(self) -> bool: ...
    def close(self) -> None: ...
    def interrupt(self) -> None: ...


class Keeper(Protocol):
    """The server: where connections come from, and who takes one back that stays open."""

    def arrivals(self) -> Sequence[Served] | None: ...
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
        self._queue: deque[Served] = deque()
        self._lock = threading.Lock()
        self._threads: dict[threading.Thread, Served | None] = {}
        self._front = NOBODY  # the ident of the thread there
        self._is_answering = False  # the thread in front, which else waits in the reception
        self._answers = self._seen_answers = 0
        self._alarm: SimpleQueue[None] = SimpleQueue()  # an answer has begun: see that it is brief
        self._bell: SimpleQueue[bool] = SimpleQueue()  # calls a parked thread to the front (True) or home (False)
        self._parked_count = 0
        self._waiting_count = 0
        self._stopping = False

    def start(self) -> None:
        """Nothing yet: cheroot calls it before there is a reception."""

    def run(self) -> None:
        """Have requests answered until ``end``; this thread watches meanwhile that nobody stays away from the front."""
        with self._lock:
            self._appoint()
        while not self._stopping:
            try:
                # A signal that comes right before this thread waits is heard only when it wakes (Python runs handlers
                # between instructions), so it never sleeps for long.
                self._alarm.get(timeout=HEARD_WITHIN_S)
            except Empty:
                continue
            time.sleep(MOMENT_S)
            while self._is_answer_to_be_watched():
                time.sleep(MOMENT_S)

    def end(self) -> None:
        """Let ``run`` return; for signal handlers too."""
        self._stopping = True
        self._alarm.put(None)

    def put(self, conn: Served) -> None:
        """Queue a connection whose request's head has come, for the thread in front."""
        self._queue.append(conn)

    @property
    def qsize(self) -> int:
        """Connections that wait for a thread."""
        return len(self._queue)

    @property
    def idle(self) -> int:
        """Threads without a connection."""
        with self._lock:
            return sum(conn is None for conn in self._threads.values())

    def change_waiting(self, by: int) -> None:
        """One thread more (1) or fewer (-1) waits for its client."""
        with self._lock:
            self._waiting_count += by
            if by > 0 and self._front == threading.get_ident():
                self._leave_front()
            elif by > 0:
                self._appoint()

    def stop(self, timeout: float | None = 5) -> None:
        """Let running and queued requests finish for ``timeout`` seconds, then cut their connections."""
        deadline = time.monotonic() + (timeout or 0)
        self.end()
        with self._lock:
            threads = list(self._threads)
        for _ in threads:
            self._bell.put(False)
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        with self._lock:
            held = [conn for conn in self._threads.values() if conn is not None]
        for conn in held:
            conn.interrupt()
        for thread in threads:
            thread.join(max(0.1, deadline + 1 - time.monotonic()))

    # -- who is in front

    def _appoint(self) -> None:
        """Call a thread to the front if nobody is there and one more may compute. The caller holds the lock."""
        if self._front != NOBODY or self._stopping:
            return
        total = len(self._threads)
        if total - self._parked_count - self._waiting_count >= self._base:
            return  # the next that has done its work goes there
        if self._parked_count:
            self._parked_count -= 1
            self._front = SOMEBODY
            self._bell.put(True)
        elif total < self._most:
            thread = threading.Thread(target=self._run, name="worker", daemon=True)
            thread.start()
            self._threads.setdefault(thread, None)
            self._front = thread.ident or SOMEBODY

    def _is_answer_to_be_watched(self) -> bool:
        """Whether an answer is being given in front; one that was there a moment ago already loses the place."""
        with self._lock:
            if not self._is_answering:
                return False
            if self._answers != self._seen_answers:
                self._seen_answers = self._answers
                return True
            self._leave_front()
            return False

    def _leave_front(self) -> None:
        self._is_answering = False
        self._front = NOBODY
        self._appoint()

    def _go_to_front(self, me: threading.Thread) -> bool:
        """After an answer: back to the front, or wait for a call to it; False where the thread is not needed again."""
        with self._lock:
            self._threads[me] = None
            if self._front == me.ident:
                self._is_answering = False
                return True
            if self._front == NOBODY:
                self._front = me.ident or SOMEBODY
                return True
            if self._stopping or len(self._threads) - self._waiting_count > self._base:
                return False
            self._parked_count += 1
        return self._await_call(me)

    def _await_call(self, me: threading.Thread) -> bool:
        if not self._bell.get():
            return False
        self._front = me.ident or SOMEBODY
        return True

    # -- a thread

    def _run(self) -> None:
        me = threading.current_thread()
        try:
            while (conn := self._next()) is not None:
                self._threads[me] = conn
                self._begin_answer(conn)
                self._serve(conn)
                if not self._go_to_front(me):
                    return
        finally:
            with self._lock:
                self._threads.pop(me, None)
                if self._front == me.ident:
                    self._leave_front()

    def _next(self) -> Served | None:
        """In front: a connection with a request, or None when the server ends."""
        while not self._queue:
            arrivals = self._keeper.arrivals()
            if arrivals is None:
                return None
            self._queue.extend(arrivals)
        return self._queue.popleft()

    def _begin_answer(self, conn: Served) -> None:
        if conn.is_brief:
            self._answers += 1
            self._is_answering = True
            if self._alarm.empty():
                self._alarm.put(None)
        else:
            with self._lock:
                self._leave_front()

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
