"""A client of one kept connection that costs little beside what it measures."""

from __future__ import annotations

import base64
import io
import socket
from collections.abc import Mapping
from dataclasses import dataclass


class Refused(Exception):
    """An answer that the workload cannot use: another status, or not what was asked for."""


@dataclass(frozen=True, slots=True)
class Account:
    user: str
    password: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; ``headers`` by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def require(self, *wanted: int) -> Reply:
        """
        The reply itself if its status is one of these.

        Raises:
            Refused: it is another one.
        """
        if self.status not in wanted:
            raise Refused(f"HTTP {self.status}: {self.body[:120].decode(errors='replace')}")
        return self


class Client:
    """
    Sends one request at a time over a connection that is opened when it is needed.

    A ``TimeoutError`` means that nothing came for ``timeout_s``; the connection is closed then.
    """

    def __init__(self, port: int, account: Account | None, timeout_s: float) -> None:
        self._port = port
        self._timeout_s = timeout_s
        self._common = f"Host: 127.0.0.1:{port}\r\nUser-Agent: davserver-benchmarks\r\n"
        if account is not None:
            token = base64.b64encode(f"{account.user}:{account.password}".encode()).decode()
            self._common += f"Authorization: Basic {token}\r\n"
        self._socket: socket.socket | None = None
        self._reader: io.BufferedReader | None = None

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = self._reader = None

    def request(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Reply:
        """Send it and read the whole answer; a kept connection that the server closed meanwhile is opened anew once."""
        fields = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        head = f"{method} {path} HTTP/1.1\r\n{self._common}{fields}Content-Length: {len(body)}\r\n\r\n"
        message = head.encode() + body
        kept = self._socket is not None
        try:
            return self._exchange(method, message)
        except TimeoutError:
            self.close()
            raise
        except OSError:
            self.close()
            if not kept:
                raise
        return self._exchange(method, message)

    def _exchange(self, method: str, message: bytes) -> Reply:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), self._timeout_s)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._reader = io.BufferedReader(socket.SocketIO(self._socket, "r"), 1 << 18)
        assert self._reader is not None
        self._socket.sendall(message)
        reply, kept = _read(self._reader, method)
        if not kept:
            self.close()
        return reply


def _read(reader: io.BufferedReader, method: str) -> tuple[Reply, bool]:
    """The reply, and whether the connection stays (RFC 9112 6.3, 9.3)."""
    version, status, headers = _read_head(reader)
    while status < 200:
        version, status, headers = _read_head(reader)
    kept = version != "HTTP/1.0" and headers.get("connection", "").lower() != "close"
    if method == "HEAD" or status in (204, 304):
        body = b""
    elif headers.get("transfer-encoding", "").lower() == "chunked":
        body = b"".join(iter(lambda: _read_chunk(reader), b""))
    elif "content-length" in headers:
        body = _read_exactly(reader, int(headers["content-length"]))
    else:
        kept, body = False, reader.read()
    return Reply(status, headers, body), kept


def _read_head(reader: io.BufferedReader) -> tuple[str, int, dict[str, str]]:
    version, _, rest = _read_line(reader).partition(" ")
    headers: dict[str, str] = {}
    while line := _read_line(reader):
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return version, int(rest[:3]), headers


def _read_line(reader: io.BufferedReader) -> str:
    line = reader.readline()
    if not line.endswith(b"\n"):
        raise ConnectionError("closed in the middle of an answer")
    return line.rstrip(b"\r\n").decode("latin-1")


def _read_chunk(reader: io.BufferedReader) -> bytes:
    size = int(_read_line(reader).partition(";")[0], 16)
    data = _read_exactly(reader, size)
    while size == 0 and _read_line(reader):
        pass  # trailers
    if size:
        _read_line(reader)
    return data


def _read_exactly(reader: io.BufferedReader, size: int) -> bytes:
    data = reader.read(size)
    if len(data) < size:
        raise ConnectionError("closed in the middle of an answer")
    return data
