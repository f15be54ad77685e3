"""
The HTTP server: cheroot, with the parts replaced that slow or hostile clients and large files need.

cheroot keeps the listening socket, the frame of a connection's life and the WSGI contract. Ours are the wait for
heads (``listener.reception``), the threads (``listener.workers``), the socket buffers, bodies and the head's parser.
``tests/door/test_cheroot_contract.py`` pins what is overridden.
"""

from __future__ import annotations

import email.utils
import io
import logging
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType
from typing import Any, cast
from urllib.parse import unquote_to_bytes

import cheroot.server
import cheroot.wsgi
from auth.directory import Directory
from storage.store import Store

from auth.errors import AuthError
from config.schema import Settings
from davserver.accesslog import AccessLog
from davserver.app import Application, Trip
from davserver.dav.head import Head, HeadRefused, parse_head
from davserver.dav.message import Environ, reason
from davserver.environ import HEADERS, Proxies
from davserver.housekeeping import Housekeeper
from davserver.listener.body import ChunkedBody, LengthBody, RequestBody
from davserver.listener.reception import Reception
from davserver.listener.stream import Stream
from davserver.listener.tls import Certificate
from davserver.listener.workers import Workers
from davserver.signin import is_loopback
from storage.errors import StorageError

END_OF_HEAD = b"\r\n\r\n"
MOST_THREADS = 256
NEXT_REQUEST_MS = 2  # that a worker without other work waits for the next request on its connection
DRAIN_BYTES = 16 << 20  # of a body nobody read, to keep the connection
DISCARD_BYTES, DISCARD_S = 256 << 20, 30.0  # of a longer one, so that the client sees the answer
JOIN_BYTES = 64 * 1024
BACKLOG = 512

log = logging.getLogger("davserver.server")


class Exchange(cheroot.server.HTTPRequest):  # type: ignore[misc]
    """One request and its answer."""

    conn: Connection
    server: Server

    def parse_request(self) -> None:
        """Read the head, which is complete in the buffer; ``ready`` says whether it was one."""
        self.started_request = True
        self.scheme = b"https" if self.conn.stream.is_tls else b"http"
        self._pending = b""
        self.head: Head | None = None
        stream = self.conn.stream
        end = stream.buffer.find(END_OF_HEAD)
        try:
            if end < 0 or end > self.server.head_bytes:
                raise HeadRefused(431, f"the head is longer than {self.server.head_bytes} bytes")
            data = bytes(stream.buffer[:end])
            del stream.buffer[: end + 4]
            self.head = parse_head(data, max_fields=self.server.head_fields)
        except HeadRefused as refusal:
            self.close_connection = True
            self.simple_response(reason(refusal.status), f"{refusal}\n")
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

    def send_headers(self) -> None:
        """Compose the head of the answer; it goes out with the first bytes of the body."""
        names = {name.lower() for name, _ in self.outheaders}
        status = int(self.status[:3])
        has_body = status >= 200 and status not in (204, 304) and self.method != b"HEAD"
        if b"content-length" not in names and has_body:
            if self.response_protocol == "HTTP/1.1":
                self.chunked_write = True
                self.outheaders.append((b"Transfer-Encoding", b"chunked"))
            else:
                self.close_connection = True
        if (b"Connection", b"close") in self.outheaders or not self._can_stay():
            self.close_connection = True
        if b"connection" not in names:
            if self.close_connection:
                self.outheaders.append((b"Connection", b"close"))
            elif self.response_protocol == "HTTP/1.0":
                self.outheaders.append((b"Connection", b"keep-alive"))
        lines = [b"HTTP/1.1 " + self.status, b"Date: " + _date(), b"Server: davserver"]
        lines += [name + b": " + value for name, value in self.outheaders]
        self._pending = b"\r\n".join(lines) + END_OF_HEAD

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


class Gateway(cheroot.wsgi.Gateway_10):  # type: ignore[misc]
    """Hands a request to the application and its answer to the connection."""

    req: Exchange

    def get_environ(self) -> Environ:
        """The WSGI environment (PEP 3333)."""
        request, conn = self.req, self.req.conn
        head = request.head
        assert head is not None
        raw_path, _, query = head.target.partition("?")
        environ: Environ = {
            "ACTUAL_SERVER_PROTOCOL": "HTTP/1.1",
            "PATH_INFO": unquote_to_bytes(raw_path.encode("latin-1")).decode("latin-1"),
            "QUERY_STRING": query,
            "REMOTE_ADDR": conn.remote_addr,
            "REMOTE_PORT": str(conn.remote_port),
            "REQUEST_METHOD": head.method,
            "REQUEST_URI": head.target,
            "SCRIPT_NAME": "",
            "SERVER_NAME": request.server.server_name,
            "SERVER_PORT": str(request.server.bind_addr[1]),
            "SERVER_PROTOCOL": request.response_protocol,
            "SERVER_SOFTWARE": "davserver",
            "wsgi.errors": sys.stderr,
            "wsgi.input": request.rfile,
            "wsgi.input_terminated": True,
            "wsgi.multiprocess": False,
            "wsgi.multithread": True,
            "wsgi.run_once": False,
            "wsgi.url_scheme": request.scheme.decode(),
            "wsgi.version": (1, 0),
            HEADERS: head.fields,
        }
        for name, value in head.fields.items():
            environ["HTTP_" + name.upper().replace("-", "_")] = value
        for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            value = environ.pop("HTTP_" + name, None)
            if value is not None:
                environ[name] = value
        return environ

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


class Connection(cheroot.server.HTTPConnection):  # type: ignore[misc]
    """A connection; between requests it is the reception's, during one a worker's."""

    RequestHandlerClass = Exchange
    server: Server

    def __init__(self, server: Server, sock: socket.socket, address: tuple[Any, ...]) -> None:
        self.stream = Stream(sock, server.requests.waiting)
        super().__init__(server, sock, lambda sock, mode, size: _Socket(self.stream))
        self.remote_addr: str = address[0]
        self.remote_port: int = address[1]
        self.deadline = 0.0
        self._is_closed = False

    def has_head(self) -> bool:
        """Whether the head of a request is complete, or too long to become one; blank lines before it are dropped."""
        buffer = self.stream.buffer
        while buffer.startswith(b"\r\n"):
            del buffer[:2]
        return buffer.find(END_OF_HEAD) >= 0 or len(buffer) > self.server.head_bytes

    def communicate(self) -> bool:
        """Answer requests while they come; whether the connection is to be kept for another."""
        while True:
            self.stream.begin_request()
            if not super().communicate():
                return False
            if self.has_head():
                continue
            if self.server.requests.qsize or not self.stream.is_readable_within(NEXT_REQUEST_MS):
                return True
            try:
                if not self.stream.fill(self.server.head_bytes + 1):
                    return False
            except OSError:
                return False
            if not self.has_head():
                return True

    def interrupt(self) -> None:
        """Cut it while a worker has it."""
        self.stream.interrupt()

    def close(self) -> None:
        """Close the socket, once."""
        if not self._is_closed:
            self._is_closed = True
            self.stream.close()
            self.server.reception.forget(self)


class Server(cheroot.wsgi.Server):  # type: ignore[misc]
    """
    Args:
        app: the WSGI application.
        settings: what ``[server]`` and ``[limits]`` say.
        every_sweep: called about twice a second in the main thread.
    """

    ConnectionClass = Connection

    def __init__(
        self, app: Callable[..., Iterable[bytes]], settings: Settings, every_sweep: Callable[[], None] = lambda: None
    ) -> None:
        listen, limits = settings.server, settings.limits
        super().__init__(
            (listen.host, listen.port),
            app,
            server_name=listen.host,
            request_queue_size=BACKLOG,
            shutdown_timeout=listen.shutdown_timeout_s,
        )
        self.gateway = Gateway
        self.head_bytes, self.head_fields = limits.request_head_bytes, limits.request_fields
        self.body_bytes = limits.upload_bytes
        self.requests = Workers(self, base=listen.threads, most=MOST_THREADS)
        self.reception: Reception
        self.certificate = (
            Certificate(listen.certificate, listen.private_key) if listen.certificate and listen.private_key else None
        )
        self._settings = settings
        self._every_sweep = every_sweep

    def prepare(self) -> None:
        """Listen, and put our reception in the place of cheroot's connection manager."""
        super().prepare()
        self._connections.close()
        trusts = Proxies(self._settings.server.trusted_proxies).trusts
        self.reception = self._connections = Reception(
            self,
            head_bytes=self.head_bytes,
            most=self._settings.limits.connections,
            most_each=self._settings.limits.connections_per_address,
            is_exempt=lambda address: is_loopback(address) or trusts(address),
            every_sweep=self._sweep,
        )

    def serve(self) -> None:
        """Serve until ``end``."""
        self.reception.run()

    def end(self) -> None:
        """Let ``serve`` return; for signal handlers."""
        self.reception.stop()

    def make_connection(self, sock: socket.socket, address: tuple[Any, ...]) -> Connection:
        """A connection over an accepted socket, with TLS where it is configured."""
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.certificate is not None:
            sock = self.certificate.wrap(sock)
        return Connection(self, sock, address)

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        """cheroot's messages, in our log."""
        log.log(level, "%s", msg, exc_info=traceback)

    def _sweep(self) -> None:
        if self.certificate is not None:
            self.certificate.reload_if_changed()
        self._every_sweep()


def serve(settings: Settings, config_file: Path) -> int:
    """
    Serve in the foreground until SIGTERM or SIGINT; the process's exit code.

    SIGHUP, like a changed file, reloads accounts, rights and the certificate; connections stay.
    """
    _configure_logging(settings)
    try:
        directory = Directory(settings)
        store = Store(settings, directory=directory)
    except (AuthError, StorageError, OSError) as error:
        print(f"davserver cannot start: {error}", file=sys.stderr)
        return 1
    try:
        app = Application(settings, directory, store, AccessLog(settings.log.format))
        server = Server(app, settings)
        server.prepare()
    except OSError as error:
        print(_cannot_listen(settings, error), file=sys.stderr)
        store.close()
        return 1
    hangups: list[int] = []
    server._every_sweep = lambda: _reload(directory, server) if hangups and hangups.pop() else None
    _install_signals(server, hangups)
    housekeeper = Housekeeper(store)
    housekeeper.start()
    _announce(settings, server, config_file)
    try:
        server.serve()
    finally:
        server.stop()
        housekeeper.stop()
        store.close()
    log.info("stopped")
    return 0


def _install_signals(server: Server, hangups: list[int]) -> None:
    def end(number: int, frame: FrameType | None) -> None:
        server.end()

    def hang_up(number: int, frame: FrameType | None) -> None:
        hangups[:] = [number]

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGHUP, hang_up)


def _reload(directory: Directory, server: Server) -> None:
    directory.reload()
    if server.certificate is not None:
        server.certificate.reload()
    for problem in directory.problems:
        log.warning("%s", problem)
    log.info("accounts and rights were read again")


def _announce(settings: Settings, server: Server, config_file: Path) -> None:
    """Say on standard output what is served where."""
    host, port = server.bind_addr[:2]
    scheme = "https" if server.certificate is not None else "http"
    url = settings.server.public_url.rstrip("/") or f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
    print(f"davserver: files at {url}/files/, calendars, tasks and contacts at {url}/dav/")
    print(f"davserver: listening on {host} port {port}, data in {settings.storage.data}, settings from {config_file}")
    sys.stdout.flush()


def _cannot_listen(settings: Settings, error: OSError) -> str:
    where = f"{settings.server.host} port {settings.server.port}"
    if "in use" in str(error):
        return f"davserver cannot start: {where} is taken by another program; stop it or use --listen HOST:PORT"
    return f"davserver cannot start: it cannot listen on {where}: {error}"


def _configure_logging(settings: Settings) -> None:
    logging.basicConfig(
        stream=sys.stderr,
        level=settings.log.level.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    if isinstance(sys.stdout, io.TextIOWrapper):  # file names of members in the log of a machine without a locale
        sys.stdout.reconfigure(errors="backslashreplace")


class _Socket:
    """The file object that cheroot writes its few own answers to."""

    bytes_read = bytes_written = 0
    closed = False

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def write(self, data: bytes) -> None:
        self._stream.send(data)

    def close(self) -> None:
        """The stream is closed by the connection."""


_dated: tuple[int, bytes] = (0, b"")


def _date() -> bytes:
    """The Date field, composed once a second."""
    global _dated
    now = int(time.time())
    if _dated[0] != now:
        _dated = (now, email.utils.formatdate(now, usegmt=True).encode())
    return _dated[1]
