"""
Where connections wait: for their TLS handshake, for the whole head of a request, for the next request.

The worker in front attends here and takes a connection only when a head is complete, so a client that sends its head
byte by byte holds a buffer and a deadline and nobody's turn. It stands in for cheroot's ConnectionManager.
"""

from __future__ import annotations

import collections
import contextlib
import errno
import logging
import select
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from socket import socket as Socket
from typing import Protocol

from davserver.listener.stream import Stream

HEAD_S = 10.0
IDLE_S = 75.0
SWEEP_S = 0.5
ACCEPTS_AT_ONCE = 64
FULL = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
LAST_WORDS = b"HTTP/1.1 %b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
TIMED_OUT = LAST_WORDS % b"408 Request Timeout"
CROWDED = LAST_WORDS % b"503 Service Unavailable"

log = logging.getLogger("davserver.reception")


class Guest(Protocol):
    """
    A connection here; see ``davserver.listener.http.Connection``.

    Attributes:
        deadline: on the monotonic clock, by which it must have sent what is expected next.
        is_away: a worker has it.
        awaited: the selector's events that are waited for, 0 where it is not registered.
    """

    stream: Stream
    remote_addr: str
    deadline: float
    is_away: bool
    awaited: int

    @property
    def is_brief(self) -> bool: ...

    def has_head(self) -> bool: ...
    def close(self) -> None: ...


class Host(Protocol):
    """The server around it."""

    socket: Socket

    def make_connection(self, sock: Socket, address: tuple[str, int]) -> Guest: ...


class Reception:
    """
    Args:
        head_bytes: no head is longer.
        most: connections in all.
        most_each: connections of one address, but for those that ``is_exempt`` names (proxies).
        every_sweep: called about twice a second, for what is to be looked at now and then.
    """

    def __init__(
        self,
        host: Host,
        *,
        head_bytes: int,
        most: int,
        most_each: int,
        is_exempt: Callable[[str], bool],
        every_sweep: Callable[[], None],
    ) -> None:
        self._host = host
        self._head_bytes = head_bytes
        self._most, self._most_each = most, most_each
        self._is_exempt = is_exempt
        self._every_sweep = every_sweep
        self._selector = selectors.DefaultSelector()
        self._lock = threading.Lock()
        self._attending = threading.Lock()
        self._next_sweep = time.monotonic() + SWEEP_S
        self._counts: collections.Counter[str] = collections.Counter()
        self._stop = False
        self._waker, self._woken = socket.socketpair()
        for end in (self._waker, self._woken):
            end.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ, None)
        self._listener: socket.socket | None = host.socket
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ, None)
        self._deaf_until = 0.0  # no accepting before: the process is out of file descriptors

    @property
    def can_add_keepalive_connection(self) -> bool:
        """Whether a connection may stay open after its answer; what is too many is refused when it comes."""
        return not self._stop

    def arrivals(self) -> Sequence[Guest] | None:
        """
        Wait for connections with a whole head, which leave the reception; none where a moment passed without.

        One thread at a time comes here. None after ``stop``.
        """
        arrived: list[Guest] = []
        with self._attending:
            if self._stop:
                return None
            for key, _ in self._selector.select(max(0.0, self._next_sweep - time.monotonic())):
                try:
                    self._turn_to(key, arrived)
                except Exception:  # one connection's trouble must not be everybody's
                    log.exception("a connection could not be attended to")
            if time.monotonic() >= self._next_sweep:
                self._next_sweep = time.monotonic() + SWEEP_S
                try:
                    self._sweep()
                except Exception:
                    log.exception("the sweep failed")
        return arrived

    def stop(self) -> None:
        """Let ``arrivals`` return; may be called from a signal handler or another thread."""
        self._stop = True
        with contextlib.suppress(OSError):
            self._waker.send(b"x")

    def put(self, conn: Guest) -> None:
        """Take a connection back from a worker, to wait for its next request."""
        conn.deadline = time.monotonic() + (HEAD_S if conn.stream.buffer else IDLE_S)
        conn.is_away = False
        try:
            self._register(conn, selectors.EVENT_READ)
        except (OSError, ValueError, KeyError):
            conn.close()

    def forget(self, conn: Guest) -> None:
        """A connection is being closed."""
        self._unregister(conn)
        with self._lock:
            self._counts[conn.remote_addr] -= 1
            if self._counts[conn.remote_addr] <= 0:
                del self._counts[conn.remote_addr]

    def close(self) -> None:
        """After ``stop``: close every connection that waits here."""
        with self._attending:
            for conn in self._guests():
                if not self._is_let_go(conn):
                    conn.close()
            self._selector.close()
            self._waker.close()
            self._woken.close()

    def _turn_to(self, key: selectors.SelectorKey, arrived: list[Guest]) -> None:
        if key.fileobj is self._listener:
            self._accept(arrived)
        elif key.fileobj is self._woken:
            with contextlib.suppress(OSError):
                self._woken.recv(4096)
        else:
            self._attend(key.data, arrived)

    def _accept(self, arrived: list[Guest]) -> None:
        assert self._listener is not None
        for _ in range(ACCEPTS_AT_ONCE):
            try:
                sock, address = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno in FULL:
                    log.warning("no more connections can be taken: %s", error)
                    self._deaf_until = time.monotonic() + 1
                    self._selector.unregister(self._listener)
                return
            self._welcome(sock, address, arrived)

    def _welcome(self, sock: socket.socket, address: tuple[str, int], arrived: list[Guest]) -> None:
        sock.setblocking(False)
        remote = address[0]
        with self._lock:
            is_crowd = self._counts[remote] >= self._most_each and not self._is_exempt(remote)
            if is_crowd or self._counts.total() >= self._most:
                stream = Stream(sock, contextlib.nullcontext())
                stream.send_at_once(CROWDED)
                with contextlib.suppress(OSError):
                    stream.fill(self._head_bytes)  # what is closed unread is reset, the answer with it
                sock.close()
                return
            self._counts[remote] += 1
        try:
            conn = self._host.make_connection(sock, address)
        except (OSError, ValueError) as error:
            log.info("a connection from %s could not be taken: %s", remote, error)
            sock.close()
            with self._lock:
                self._counts[remote] -= 1
            return
        conn.deadline = time.monotonic() + HEAD_S
        self._register(conn, selectors.EVENT_READ)
        if not conn.stream.is_tls:
            self._attend(conn, arrived)  # the head is often here already

    def _attend(self, conn: Guest, arrived: list[Guest]) -> None:
        """Something came: go on with the handshake or the head; with a complete one the connection has arrived."""
        stream = conn.stream
        if self._is_let_go(conn):
            return
        try:
            if stream.handshaking and (event := stream.shake_hands()):
                self._register(conn, selectors.EVENT_WRITE if event == select.POLLOUT else selectors.EVENT_READ)
                return
            is_new = not stream.buffer
            is_open = stream.fill(self._head_bytes + 1)
        except (OSError, ssl.SSLError) as error:
            log.debug("connection from %s: %s", conn.remote_addr, error)
            conn.close()
            return
        if not is_open:
            conn.close()
        elif conn.has_head():
            # A brief answer is given before anybody waits here again: its connection stays registered, which spares two
            # calls of the system. If somebody comes meanwhile and it shows life, it is let go then.
            conn.is_away = True
            if not conn.is_brief:
                self._unregister(conn)
            arrived.append(conn)
        else:
            if is_new and stream.buffer:
                conn.deadline = min(conn.deadline, time.monotonic() + HEAD_S)
            self._register(conn, selectors.EVENT_READ)

    def _is_let_go(self, conn: Guest) -> bool:
        """Whether a worker has a connection, which is not waited for then."""
        with self._lock:
            if conn.is_away:
                self._stop_awaiting(conn)
            return conn.is_away

    def _sweep(self) -> None:
        now = time.monotonic()
        for conn in self._guests():
            if conn.deadline < now and not conn.is_away:
                if conn.stream.buffer:
                    conn.stream.send_at_once(TIMED_OUT)
                conn.close()
        if self._deaf_until and now > self._deaf_until and self._listener is not None:
            self._deaf_until = 0.0
            self._selector.register(self._listener, selectors.EVENT_READ, None)
        self._every_sweep()

    def _guests(self) -> list[Guest]:
        with self._lock:
            keys = list((self._selector.get_map() or {}).values())
        return [key.data for key in keys if key.data is not None]

    def _register(self, conn: Guest, events: int) -> None:
        """Wait for these events of a connection; workers call it too."""
        with self._lock:
            if conn.awaited == 0:
                self._selector.register(conn.stream.fileno(), events, conn)
            elif conn.awaited != events:
                self._selector.modify(conn.stream.fileno(), events, conn)
            conn.awaited = events

    def _unregister(self, conn: Guest) -> None:
        with self._lock:
            self._stop_awaiting(conn)

    def _stop_awaiting(self, conn: Guest) -> None:
        """The caller holds the lock."""
        if conn.awaited:
            conn.awaited = 0
            with contextlib.suppress(KeyError, ValueError, OSError):
                self._selector.unregister(conn.stream.fileno())
