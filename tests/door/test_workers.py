"""The threads that answer requests (``davserver.listener.workers``)."""

from __future__ import annotations

import threading

from davserver.listener.workers import HEARD_WITHIN_S, Workers


class _Nobody:
    """A reception to which nobody comes, until it is told to end."""

    def __init__(self) -> None:
        self.ended = threading.Event()

    def arrivals(self) -> None:
        self.ended.wait()

    def put_conn(self, conn: object) -> None:
        raise AssertionError


def test_an_end_that_wakes_nobody_is_heard_all_the_same() -> None:
    """As when SIGTERM comes right before the main thread begins to wait: Python runs the handler when it wakes."""
    reception = _Nobody()
    workers = Workers(reception, base=1, most=1)
    thread = threading.Thread(target=workers.run, daemon=True)
    thread.start()
    workers._stopping = True
    thread.join(HEARD_WITHIN_S * 10)
    reception.ended.set()
    assert not thread.is_alive()
