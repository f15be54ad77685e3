"""A request as the door parsed it and the answer a handler gives."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import quote

Environ = dict[str, Any]
_UNSAFE = re.compile(r"[^A-Za-z0-9_.\-/~!$&'()*+,;=:@]")


@lru_cache(maxsize=4096)
def _percent(character: str) -> str:
    return quote(character, safe="")


def quote_path(path: str) -> str:
    """A decoded path as it stands in an href: UTF-8, percent-encoded (RFC 3986 §3.3)."""
    return _UNSAFE.sub(lambda found: _percent(found[0]), path)


class Body(Protocol):
    """The bytes of a request, dechunked and bounded by the server."""

    def read(self, size: int = -1, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Request:
    """
    One request.

    Attributes:
        id: random, in the log line and in error bodies.
        method: upper case.
        path: decoded, NFC, beginning with ``/``; a trailing slash is kept as it came.
        headers: by lower-case name (``"if-match"``), values joined with ``", "`` as HTTP allows.
        body: bounded reader of the body.
        content_length: announced length in bytes; None when chunked, 0 when there is no body.
        remote: the client's address, taken from a trusted proxy's header where there is one.
        scheme, host: as the client sees them.
        environ: the WSGI environment, for guests only.
    """

    id: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: Body
    content_length: int | None
    remote: str
    scheme: str
    host: str
    environ: Environ = field(repr=False)

    def header(self, name: str) -> str | None:
        """A header's value by any case of its name, or None."""
        return self.headers.get(name.lower())


@dataclass(frozen=True, slots=True)
class FileBody:
    """A slice of an open file to send; the server closes ``fd``. With plain HTTP it goes out by ``sendfile``."""

    fd: int
    offset: int
    length: int


@dataclass(slots=True)
class Response:
    """
    An answer: status, headers and a body of bytes, of byte chunks or of a file's slice.

    ``Content-Length`` is added for bytes and files. HEAD is answered like GET; the door drops the body.
    """

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes | Iterable[bytes] | FileBody = b""

    @classmethod
    def text(cls, status: int, text: str, *headers: tuple[str, str]) -> Response:
        """A plain-text answer with one sentence for a person."""
        return cls(status, [("Content-Type", "text/plain; charset=utf-8"), *headers], text.encode())

    @classmethod
    def empty(cls, status: int, *headers: tuple[str, str]) -> Response:
        """An answer without a body."""
        return cls(status, list(headers))


@cache
def reason(status: int) -> str:
    """``207`` as ``207 Multi-Status``; clients compare the text (Thunderbird wants ``200 OK``)."""
    return f"{status} {HTTPStatus(status).phrase}"
