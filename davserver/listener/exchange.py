"""One request and its answer on a connection: cheroot's request and WSGI gateway with our head, body and sending."""

from __future__ import annotations

import email.utils
import logging
import os
import sys
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote_to_bytes

import cheroot.server
import cheroot.wsgi

from davserver.dav.head import Head, HeadRefused, parse_head
from davserver.dav.message import Environ, reason
from davserver.environ import HEADERS
from davserver.listener.body import ChunkedBody, LengthBody, RequestBody
from davserver.trip import Trip

if TYPE_CHECKING:
    from davserver.listener.http import Connection, Server

END_OF_HEAD = b"\r\n\r\n"
DRAIN_BYTES = 16 << 20  # of a body nobody read, to keep the connection
DISCARD_BYTES, DISCARD_S = 256 << 20, 30.0  # of a longer one, so that the client sees the answer
REFUSED_S = 2.0  # in which a client whose head was refused may send what follows it
JOIN_BYTES = 16 * 1024  # so much of a body goes out in one piece with the head

log = logging.getLogger("davserver.http")


class Exchange(cheroot.server.HTTPRequest):
    """
    One request and its answer.

    Attributes:
        fields: header fields of the answer as the application gave them.
        names: their names in lower case.
    """

    conn: Connection
    server: Server
    ready: bool
    status: str
    fields: list[tuple[str, str]]
    names: set[str]

    def parse_request(self) -> None:
        """Read the head, which is complete in the buffer; ``ready`` says whether it was one."""
        self.started_request = True
        self.scheme = b"https" if self.conn.stream.is_tls else b"http"
        self._pending = b""
        self.fields, self.names = [], set()
        self.head: Head | None = None
        stream = self.conn.stream
        end = stream.buffer.find(END_OF_HEAD)
        try:
            if end < 0 or end > self.server.head_bytes:
                raise HeadRefused(
                    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
                    f"the head is longer than {self.server.head_bytes} bytes",
                )
            data = bytes(stream.buffer[:end])
            del stream.buffer[: end + 4]
            self.head = parse_head(data, max_fields=self.server.head_fields, previous=self.conn.head)
        except HeadRefused as refusal:
            # No request came of it, so the access log has no line.
            log.info("a head from %s is refused with %d: %s", self.conn.remote_addr, refusal.status, refusal)
            self.simple_response(reason(refusal.status), f"{refusal}\n")
            stream.discard(JOIN_BYTES, REFUSED_S)
            return
        self.method = self.head.method.encode()
        self.response_protocol = "HTTP/1.1" if self.head.minor else "HTTP/1.0"
        self.close_connection = not self.head.keep_alive
        self.ready = True

    def respond(self) -> None:
        """Have the application answer, then see that the connection is fit for the next request."""
        assert self.head is not None
        invite = self._invite if self.head.expects_continue else None
        length, stream = self.head.content_length, self.conn.stream
        self.rfile: RequestBody = (
            ChunkedBody(stream, self.server.body_bytes, invite)
            if length is None
            else LengthBody(stream, length, invite)
        )
        self.server.gateway(self).respond()
        self.ensure_headers_sent()
        if self.chunked_write:
            self._pending += b"0\r\n\r\n"
        if self._pending:
            self._send(b"")
        if not self.rfile.finished:
            self._settle_body()

    def simple_response(self, status: str, msg: str = "") -> None:
        """An answer without the application; the connection is closed after it."""
        self.close_connection = self.sent_headers = True
        body = msg.encode()
        self.conn.stream.send(
            f"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
            "Connection: close\r\n\r\n".encode()
            + body
        )

    def send_headers(self) -> None:
        """Compose the head of the answer; it goes out with the first bytes of the body."""
        fields, names = self.fields, self.names
        status = int(self.status[:3])
        has_body = status >= 200 and status not in (204, 304) and self.method != b"HEAD"
        if "content-length" not in names and has_body:
            if self.response_protocol == "HTTP/1.1":
                self.chunked_write = True
                fields.append(("Transfer-Encoding", "chunked"))
            else:
                self.close_connection = True
        if ("Connection", "close") in fields or not self._can_stay():
            self.close_connection = True
        if "connection" not in names:
            if self.close_connection:
                fields.append(("Connection", "close"))
            elif self.response_protocol == "HTTP/1.0":
                fields.append(("Connection", "keep-alive"))
        lines = "".join([f"{name}: {value}\r\n" for name, value in fields])
        head = f"HTTP/1.1 {self.status}\r\nDate: {_date()}\r\nServer: davserver\r\n{lines}\r\n"
        self._pending = head.encode("latin-1")

    def write(self, chunk: bytes) -> None:
        """Send a piece of the body."""
        if self.method == b"HEAD" or not chunk:
            return
        if self.chunked_write:
            chunk = b"%x\r\n%b\r\n" % (len(chunk), chunk)
        self._send(chunk)

    def send_file(self, fd: int, offset: int, length: int) -> int:
        """Send the head and a slice of a file; the bytes of it that went out."""
        self.ensure_headers_sent()
        if length <= JOIN_BYTES:
            data = os.pread(fd, length, offset)
            self._send(data)
            sent = len(data)
        else:
            pending, self._pending = self._pending, b""
            self.conn.stream.send(pending, more=True)
            sent = self.conn.stream.send_file(fd, offset, length)
        if sent < length:
            raise ConnectionAbortedError("the file became shorter while it was sent")
        return sent

    def _send(self, data: bytes) -> None:
        pending, self._pending = self._pending, b""
        if pending and len(data) > JOIN_BYTES:
            self.conn.stream.send(pending, more=True)
            pending = b""
        self.conn.stream.send(pending + data if pending else data)

    def _invite(self) -> None:
        if not self.sent_headers:
            self.conn.stream.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _can_stay(self) -> bool:
        """Whether the connection can be used again after what is left of the body."""
        if not self.server.can_add_keepalive_connection:
            return False
        body = self.rfile
        return body.finished or not (body.is_awaited or (isinstance(body, LengthBody) and body.left > DRAIN_BYTES))

    def _settle_body(self) -> None:
        """Read away what the application did not want, or close so that the client still sees the answer."""
        left = DRAIN_BYTES
        try:
            while not self.close_connection and not self.rfile.finished and left > 0:
                left -= len(self.rfile.read(JOIN_BYTES))
        except Exception as error:
            log.debug("the rest of a body could not be read: %s", error)
            self.close_connection = True
            return
        if not self.rfile.finished:
            self.close_connection = True
            if not self.rfile.is_awaited:
                self.conn.stream.discard(DISCARD_BYTES, DISCARD_S)


class Gateway(cheroot.wsgi.Gateway_10):
    """Hands a request to the application and its answer to the connection."""

    req: Exchange

    def get_environ(self) -> Environ:  # type: ignore[override]
        """The WSGI environment (PEP 3333)."""
        request, conn = self.req, self.req.conn
        head = request.head
        assert head is not None
        if conn.head is None or conn.head.fields is not head.fields:
            conn.environ = self._environ_of(head)
        conn.head = head
        environ = conn.environ.copy()
        path, _, environ["QUERY_STRING"] = head.target.partition("?")
        environ["PATH_INFO"] = unquote_to_bytes(path.encode("latin-1")).decode("latin-1") if "%" in path else path
        environ["REQUEST_METHOD"] = head.method
        environ["REQUEST_URI"] = head.target
        environ["wsgi.input"] = request.rfile
        return environ

    def _environ_of(self, head: Head) -> Environ:
        """What all requests on a connection have in common whose header fields are the same."""
        request, conn = self.req, self.req.conn
        environ: Environ = {
            "ACTUAL_SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": conn.remote_addr,
            "REMOTE_PORT": str(conn.remote_port),
            "SCRIPT_NAME": "",
            "SERVER_NAME": request.server.server_name,
            "SERVER_PORT": str(request.server.bind_addr[1]),
            "SERVER_PROTOCOL": request.response_protocol,
            "SERVER_SOFTWARE": "davserver",
            "wsgi.errors": sys.stderr,
            "wsgi.input_terminated": True,
            "wsgi.multiprocess": False,
            "wsgi.multithread": True,
            "wsgi.run_once": False,
            "wsgi.url_scheme": request.scheme.decode(),
            "wsgi.version": (1, 0),
            HEADERS: head.fields,
        }
        for name, value in head.fields.items():
            environ[_environ_key(name)] = value
        for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            value = environ.pop("HTTP_" + name, None)
            if value is not None:
                environ[name] = value
        return environ

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], None]:
        """Take the head of the answer; after a failure another one may replace it, until it was sent (PEP 3333)."""
        if self.started_response and not exc_info:
            raise RuntimeError("start_response was called a second time without exc_info")
        if self.req.sent_headers:
            raise exc_info[1]
        self.started_response = True
        self.req.status, self.req.fields = status, list(headers)
        values = {name.lower(): value for name, value in headers}
        self.req.names = set(values)
        self.remaining_bytes_out = int(values["content-length"]) if "content-length" in values else None
        return self.write

    def respond(self) -> None:
        """Call the application and send what it gives; a file goes out by ``sendfile`` on a plain connection."""
        request = self.req
        answer: Iterable[bytes] = request.server.wsgi_app(self.env, self.start_response)
        try:
            file = answer.file if isinstance(answer, Trip) else None
            if file is not None and not request.conn.stream.is_tls:
                cast(Trip, answer).sent_bytes = request.send_file(file.fd, file.offset, file.length)
                return
            for chunk in answer:
                if chunk:
                    self.write(chunk)
            if self.remaining_bytes_out and request.method != b"HEAD":
                request.close_connection = True  # the client was promised more
        finally:
            close = getattr(answer, "close", None)
            if close is not None:
                close()

    def write(self, chunk: bytes) -> None:
        """Send a piece of the body, never more than was announced."""
        if self.remaining_bytes_out is not None:
            chunk = chunk[: self.remaining_bytes_out]
            self.remaining_bytes_out -= len(chunk)
        self.req.ensure_headers_sent()
        self.req.write(chunk)


@lru_cache(maxsize=256)
def _environ_key(name: str) -> str:
    return "HTTP_" + name.upper().replace("-", "_")


_dated: tuple[int, str] = (0, "")


def _date() -> str:
    """The Date field, composed once a second."""
    global _dated
    now = int(time.time())
    if _dated[0] != now:
        _dated = (now, email.utils.formatdate(now, usegmt=True))
    return _dated[1]
