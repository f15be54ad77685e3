"""An answer on its way out: its body as WSGI wants it, counted, closed and logged at the end."""

from __future__ import annotations

import itertools
import os
import secrets
import time
from collections.abc import Iterable, Iterator
from functools import cached_property

from auth.principal import ANONYMOUS
from davserver.accesslog import AccessLog, Entry
from davserver.dav.errors import BodyBroken
from davserver.dav.message import Environ, FileBody, Request, Response

BLOCK_BYTES = 256 * 1024
NO_SNIFFING = ("X-Content-Type-Options", "nosniff")


class Trip:
    """
    One request on its way out: the WSGI body, whose closing ends the answer and writes the log line.

    Attributes:
        file: the slice of a file that is the body, for a server that can send it without reading it.
        sent_bytes: of the body; a server that sends ``file`` itself counts here.
    """

    def __init__(self, environ: Environ, access_log: AccessLog) -> None:
        self.request: Request | None = None
        self.principal = ANONYMOUS
        self.file: FileBody | None = None
        self.sent_bytes = 0
        self._environ = environ
        self._log = access_log
        self._at_s = time.time()
        self._started = time.perf_counter()
        self._response: Response | None = None
        self._body: Iterable[bytes] = ()

    @cached_property
    def id(self) -> str:
        """The request's id; one of its own where no request came of it."""
        return self.request.id if self.request is not None else secrets.token_hex(8)

    def finish(self, response: Response) -> list[tuple[str, str]]:
        """Take the answer over and give its header fields; HEAD loses the body here."""
        self._response = response
        headers = [*response.headers, NO_SNIFFING]
        body, length = response.body, None
        if isinstance(body, bytes):
            length = len(body)
            self._body = (body,)
        elif isinstance(body, FileBody):
            length = body.length
            self.file = body
        else:
            self._body = body
        has_length = "content-length" in [name.lower() for name, _ in headers]
        if length is not None and not has_length and response.status not in (204, 304):
            headers.append(("Content-Length", str(length)))
        if self._environ["REQUEST_METHOD"] == "HEAD":
            self._drop_body()
        return headers

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._read_file() if self.file is not None else self._body:
            self.sent_bytes += len(chunk)
            yield chunk

    def close(self) -> None:
        """Let go of the body and write the log line; servers call this whatever happened (PEP 3333)."""
        self._drop_body()
        if self._response is None:
            return
        request, environ = self.request, self._environ
        entry = Entry(
            at_s=self._at_s,
            id=self.id,
            remote=request.remote if request else environ.get("REMOTE_ADDR", ""),
            member=self.principal.name,
            method=environ["REQUEST_METHOD"],
            path=request.path if request else str(environ.get("PATH_INFO", ""))[:256],
            status=self._response.status,
            bytes=self.sent_bytes,
            milliseconds=(time.perf_counter() - self._started) * 1000,
        )
        self._response = None
        self._log.write(entry)

    def _read_file(self) -> Iterator[bytes]:
        assert self.file is not None
        offset, left = self.file.offset, self.file.length
        while left > 0:
            block = os.pread(self.file.fd, min(left, BLOCK_BYTES), offset)
            if not block:
                raise BodyBroken("the file became shorter while it was sent")
            yield block
            offset, left = offset + len(block), left - len(block)

    def _drop_body(self) -> None:
        file, self.file = self.file, None
        if file is not None:
            os.close(file.fd)
        body, self._body = self._body, ()
        _close(body)


def begin_body(response: Response) -> None:
    """
    Render the first pieces of a streamed body while a failure can still become an answer of its own.

    A body of one piece is then one of known length.
    """
    body = response.body
    if isinstance(body, bytes | FileBody):
        return
    pieces = iter(body)
    begun = list(itertools.islice(pieces, 2))
    if len(begun) < 2:
        _close(body)
        response.body = b"".join(begun)
    else:
        response.body = _Resumed(begun, pieces, body)


class _Resumed:
    """A streamed body whose first pieces have been taken already."""

    def __init__(self, begun: list[bytes], pieces: Iterator[bytes], body: Iterable[bytes]) -> None:
        self._begun, self._pieces, self._body = begun, pieces, body

    def __iter__(self) -> Iterator[bytes]:
        yield from self._begun
        yield from self._pieces

    def close(self) -> None:
        _close(self._body)


def _close(body: object) -> None:
    close = getattr(body, "close", None)
    if close is not None:
        close()
