"""
One connection's bytes, both ways, over a socket that never blocks by itself.

The reception fills the buffer as far as bytes are there; a worker waits, and says so to the pool while it
does, so that clients which are slow or do not read cost a thread and no turn.
"""

from __future__ import annotations

import os
import select
import socket
import ssl
import time
from contextlib import AbstractContextManager

RECEIVE_BYTES = 256 * 1024
SENDFILE_BYTES = 1 << 30
GRACE_S = 30.0  # that a request may wait for its client in all, before the rate below counts
LEAST_BYTES_PER_S = 1024
CORK = getattr(socket, "TCP_CORK", None)  # of Linux
SLICE_S = 30.0  # without a single byte


class TooSlow(TimeoutError):
    """The client sends or takes less than the least rate."""


class Stream:
    """
    Attributes:
        buffer: received and not read yet.
        handshaking: TLS has not been agreed yet.
    """

    def __init__(self, sock: socket.socket, waiting: AbstractContextManager[object]) -> None:
        self.socket = sock
        self.buffer = bytearray()
        self.is_tls = isinstance(sock, ssl.SSLSocket)
        self.handshaking = self.is_tls
        self._waiting = waiting
        self._waited_s = 0.0
        self._moved = 0

    def fileno(self) -> int:
        return self.socket.fileno()

    def begin_request(self) -> None:
        """A new request: the client's slowness is counted afresh."""
        self._waited_s, self._moved = 0.0, 0

    # -- without waiting: the reception

    def fill(self, most: int) -> bool:
        """
        Take what is there, up to ``most`` bytes in the buffer; False when the client has closed.

        Raises:
            OSError: the connection is broken.
        """
        while len(self.buffer) < most:
            try:
                data = self.socket.recv(most - len(self.buffer))
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError, InterruptedError):
                return True
            if not data:
                return False
            self.buffer += data
            if not self.is_tls:
                return True  # the selector says when there is more
        return True

    def shake_hands(self) -> int:
        """Go on with the TLS handshake: 0 when it is done, else the poll event to wait for. Raises OSError."""
        assert isinstance(self.socket, ssl.SSLSocket)
        try:
            self.socket.do_handshake()
        except ssl.SSLWantReadError:
            return select.POLLIN
        except ssl.SSLWantWriteError:
            return select.POLLOUT
        self.handshaking = False
        return 0

    def send_at_once(self, data: bytes) -> None:
        """Send if it goes without waiting; for last words."""
        try:
            self.socket.send(data)
        except (OSError, ValueError):
            pass  # nobody listens

    @property
    def holds_back(self) -> bool:
        """Whether TLS has bytes that were received already: no selector tells of them."""
        return isinstance(self.socket, ssl.SSLSocket) and self.socket.pending() > 0

    # -- waiting: a worker

    def receive(self, most: int) -> bytes:
        """Between 1 and ``most`` bytes; ``b""`` when the client has closed. Raises TooSlow, OSError."""
        if self.buffer:
            data = bytes(self.buffer[:most])
            del self.buffer[:most]
            return data
        while True:
            try:
                data = self.socket.recv(min(most, RECEIVE_BYTES))
            except (BlockingIOError, ssl.SSLWantReadError):
                self._wait(select.POLLIN)
            except ssl.SSLWantWriteError:
                self._wait(select.POLLOUT)
            else:
                self._moved += len(data)
                return data

    def receive_line(self, most: int) -> bytes:
        """A line without its CRLF. Raises ValueError when it has no end or is longer, TooSlow, OSError."""
        while True:
            end = self.buffer.find(b"\r\n")
            if end >= 0:
                line = bytes(self.buffer[:end])
                del self.buffer[: end + 2]
                return line
            if len(self.buffer) > most:
                raise ValueError("a line is too long")
            held = bytes(self.buffer)
            self.buffer.clear()
            data = self.receive(4096)
            if not data:
                raise ValueError("the line has no end")
            self.buffer += held
            self.buffer += data

    def send(self, data: bytes | memoryview, *, more: bool = False) -> None:
        """Send all of it; ``more`` tells the kernel that something follows at once. Raises TooSlow, OSError."""
        flags = socket.MSG_MORE if more and not self.is_tls else 0
        view = memoryview(data)
        while view:
            try:
                sent = self.socket.send(view, flags)
            except (BlockingIOError, ssl.SSLWantWriteError):
                self._wait(select.POLLOUT)
            except ssl.SSLWantReadError:
                self._wait(select.POLLIN)
            else:
                self._moved += sent
                view = view[sent:]

    def send_file(self, fd: int, offset: int, length: int) -> int:
        """Send a slice of a file without reading it (plain connections only); bytes sent. Raises TooSlow, OSError."""
        out, end = self.socket.fileno(), offset + length
        self._cork(1)  # whole segments until the end: a fifth less work on both sides
        while offset < end:
            try:
                sent = os.sendfile(out, fd, offset, min(end - offset, SENDFILE_BYTES))
            except BlockingIOError:
                self._wait(select.POLLOUT)
                continue
            if sent == 0:
                break  # the file became shorter
            self._moved += sent
            offset += sent
        self._cork(0)
        return length - (end - offset)

    def _cork(self, on: int) -> None:
        if CORK is not None:
            self.socket.setsockopt(socket.IPPROTO_TCP, CORK, on)

    def discard(self, most: int, within_s: float) -> None:
        """Say that nothing more is sent, then read away what the client still sends, so that it sees the answer."""
        deadline = time.monotonic() + within_s
        try:
            self.socket.shutdown(socket.SHUT_WR)
            while most > 0 and time.monotonic() < deadline:
                data = self.receive(RECEIVE_BYTES)
                if not data:
                    return
                most -= len(data)
        except (OSError, ValueError):
            pass  # it is gone

    def interrupt(self) -> None:
        """End both directions from another thread; the worker's next call fails."""
        try:
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)
        except OSError:
            pass  # it is gone

    def close(self) -> None:
        """Close the socket."""
        try:
            self.socket.close()
        except OSError:
            pass  # it is closed as far as it can be

    def _wait(self, event: int) -> None:
        began = time.monotonic()
        with self._waiting:
            ready = _poll(self.socket.fileno(), event, SLICE_S * 1000)
        self._waited_s += time.monotonic() - began
        if not ready or self._waited_s > GRACE_S + self._moved / LEAST_BYTES_PER_S:
            raise TooSlow("the client is too slow")


def _poll(fd: int, event: int, timeout_ms: float) -> list[tuple[int, int]]:
    if fd < 0:
        raise ConnectionAbortedError("the connection is closed")
    poll = select.poll()
    poll.register(fd, event)
    return poll.poll(timeout_ms)
