"""
The HTTP server: cheroot, with the parts replaced that slow or hostile clients and large files need.

cheroot keeps the listening socket, the frame of a connection and the WSGI contract. Ours are the wait for heads
(``reception``), the threads (``workers``), the socket buffers (``stream``), bodies and the head's parser.
``tests/door/test_cheroot_contract.py`` pins what is overridden. This package is cheroot's one host.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

import cheroot.server
import cheroot.wsgi

from config.schema import Settings
from davserver.dav.head import Head
from davserver.dav.message import Environ, reason
from davserver.environ import Proxies
from davserver.listener.exchange import END_OF_HEAD, Exchange, Gateway
from davserver.listener.reception import Reception
from davserver.listener.stream import Stream
from davserver.listener.tls import Certificate
from davserver.listener.workers import Workers
from davserver.signin import is_loopback

MOST_THREADS = 256
BACKLOG = 512
BRIEF = (b"GET ", b"HEAD ", b"PROPFIND ", b"REPORT ", b"OPTIONS ")  # that wait for no disk sync and no writer

log = logging.getLogger("davserver.http")


class Connection(cheroot.server.HTTPConnection):
    """
    A connection; between requests it is in the reception, during one with a worker.

    Attributes:
        deadline, is_away, awaited: the reception's, see there.
        head, environ: of the last request, and what of its environment the next one shares if its fields are the same.
    """

    RequestHandlerClass = Exchange
    server: Server

    def __init__(self, server: Server, sock: socket.socket, address: tuple[Any, ...]) -> None:
        self.stream = Stream(sock, server.requests.waiting)
        super().__init__(server, sock, lambda sock, mode, size: _Socket(self.stream))
        self.remote_addr: str = address[0]
        self.remote_port: int = address[1]
        self.deadline = 0.0
        self.is_away = False
        self.awaited = 0
        self.head: Head | None = None
        self.environ: Environ = {}
        self._is_closed = False

    def has_head(self) -> bool:
        """Whether the head of a request is complete, or too long to become one; blank lines before it are dropped."""
        buffer = self.stream.buffer
        while buffer.startswith(b"\r\n"):
            del buffer[:2]
        return buffer.find(END_OF_HEAD) >= 0 or len(buffer) > self.server.head_bytes

    @property
    def is_brief(self) -> bool:
        """Whether the request that came is of a kind that is answered without waiting."""
        return self.stream.buffer.startswith(BRIEF)

    def communicate(self) -> bool:
        """Answer what has come; whether the connection is to be kept for another request."""
        while True:
            self.stream.begin_request()
            if not self._answer_one():
                return False
            try:
                if self.stream.holds_back and not self.stream.fill(self.server.head_bytes + 1):
                    return False
            except OSError:
                return False
            if not self.has_head():
                return True

    def _answer_one(self) -> bool:
        """Answer one request; whether the connection is fit for another."""
        request = Exchange(self.server, self)
        try:
            request.parse_request()
            if request.ready:
                request.respond()
            return not request.close_connection
        except OSError as error:  # the client went away or is too slow
            log.debug("connection from %s: %s", self.remote_addr, error)
        except Exception:
            log.exception("an answer could not be sent")
            if not request.sent_headers:
                request.simple_response(reason(500))
        return False

    def interrupt(self) -> None:
        """Cut it while a worker has it."""
        self.stream.interrupt()

    def close(self) -> None:
        """Close the socket, once."""
        if not self._is_closed:
            self._is_closed = True
            self.server.reception.forget(self)
            self.stream.close()


class Server(cheroot.wsgi.Server):
    """
    Args:
        app: the WSGI application.
        settings: what ``[server]`` and ``[limits]`` say.
        every_sweep: called about twice a second by the worker in front.
    """

    ConnectionClass = Connection
    _connections: Any

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
        self.requests.run()

    def end(self) -> None:
        """Let ``serve`` return; for signal handlers."""
        self.requests.end()
        self.reception.stop()

    def arrivals(self) -> Sequence[Connection] | None:
        """For the worker in front: connections with a request, when some have come; None when the server ends."""
        return cast("Sequence[Connection] | None", self.reception.arrivals())

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
