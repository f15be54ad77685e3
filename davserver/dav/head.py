"""
The head of an HTTP/1.1 request (RFC 9112 §3, §5, §6.3): bytes to values.

::

    request-line = method SP request-target SP "HTTP/1." DIGIT CRLF
    field-line   = field-name ":" OWS field-value OWS CRLF

Where two readings of a head are possible (two lengths, a length beside chunks, blanks before the colon) it is refused,
because a proxy in front may have taken the other one (§11.2).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
VERSION = re.compile(r"HTTP/1\.[0-9]\Z")
SINGLE = frozenset({"authorization", "content-length", "content-type", "destination", "host", "lock-token"})
MAX_LENGTH_DIGITS = 18
BLANKS = " \t"


class HeadRefused(Exception):
    """The head cannot be taken; the connection is closed after the answer."""

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True, slots=True)
class Head:
    """
    A request's head.

    Attributes:
        target: as it came, bytes beyond ASCII as Latin-1.
        minor: 0 or 1 of ``HTTP/1.x``.
        fields: values by lower-case name, repeated ones joined with ``", "``.
        field_lines: the bytes that ``fields`` were read from.
        content_length: bytes of the body; 0 without one, None when it is chunked.
        expects_continue: the client waits for ``100 Continue`` before it sends the body.
    """

    method: str
    target: str
    minor: int
    fields: Mapping[str, str]
    field_lines: bytes
    content_length: int | None
    keep_alive: bool
    expects_continue: bool


def parse_head(data: bytes, *, max_fields: int, previous: Head | None = None) -> Head:
    """
    Read a head, without the empty line that ends it.

    Args:
        previous: the one before on the same connection. Clients send the same fields again and again; what was read
            of them, and found good, holds for the same bytes.

    Raises:
        HeadRefused: with the status that says why.
    """
    line, _, field_lines = data.partition(b"\r\n")
    method, target, minor = _request_line(_text(line))
    if previous is not None and previous.field_lines == field_lines and previous.minor == minor:
        return Head(
            method,
            target,
            minor,
            previous.fields,
            field_lines,
            previous.content_length,
            previous.keep_alive,
            previous.expects_continue,
        )
    fields = _fields(_text(field_lines).split("\r\n") if field_lines else [], max_fields)
    if minor and "host" not in fields:
        raise _bad("there is no Host field")
    expect = fields.get("expect", "").lower()
    if expect not in ("", "100-continue"):
        raise HeadRefused(HTTPStatus.EXPECTATION_FAILED, "the only expectation met here is 100-continue")
    length = _body_length(fields, minor)
    return Head(
        method=method,
        target=target,
        minor=minor,
        fields=MappingProxyType(fields),
        field_lines=field_lines,
        content_length=length,
        keep_alive=_keep_alive(fields.get("connection", ""), minor),
        expects_continue=bool(expect) and minor > 0 and length != 0,
    )


def _text(data: bytes) -> str:
    text = data.decode("latin-1")
    if CONTROLS.search(text.replace("\r\n", "")):
        raise _bad("the head holds a control character")
    return text


def _request_line(line: str) -> tuple[str, str, int]:
    parts = line.split(" ")
    if len(parts) != 3 or not TOKEN.match(parts[0]) or not parts[1]:
        raise _bad("the request line is not 'METHOD target HTTP/1.1'")
    method, target, version = parts
    if not VERSION.match(version):
        if version.startswith("HTTP/"):
            raise HeadRefused(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "HTTP/1.1 and 1.0 are spoken here")
        raise _bad("the request line is not 'METHOD target HTTP/1.1'")
    return method, target, 0 if version.endswith("0") else 1


def _fields(lines: list[str], max_fields: int) -> dict[str, str]:
    if len(lines) > max_fields:
        raise HeadRefused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"there are more than {max_fields} header fields")
    fields: dict[str, str] = {}
    name = ""
    for line in lines:
        if line[:1] in (" ", "\t"):
            if not name:
                raise _bad("the first header field begins with a blank")
            fields[name] = f"{fields[name]} {line.strip(BLANKS)}".strip()
            continue
        name, colon, text = line.partition(":")
        name = name.lower()
        if not colon or not TOKEN.match(name):
            raise _bad("a header field is not 'Name: value'")
        if name not in fields:
            fields[name] = text.strip(BLANKS)
        elif name in SINGLE:
            raise _bad(f"{name} stands twice")
        else:
            fields[name] = f"{fields[name]}, {text.strip(BLANKS)}"
    # X_Forwarded_For would be taken for X-Forwarded-For by everything that reads a WSGI environment
    for name in [name for name in fields if "_" in name]:
        del fields[name]
    return fields


def _body_length(fields: dict[str, str], minor: int) -> int | None:
    length, coding = fields.get("content-length"), fields.get("transfer-encoding")
    if coding is not None:
        if length is not None:
            raise _bad("Content-Length and Transfer-Encoding stand together")
        if minor == 0:
            raise _bad("HTTP/1.0 has no Transfer-Encoding")
        if coding.lower() != "chunked":
            raise HeadRefused(HTTPStatus.NOT_IMPLEMENTED, "the only transfer coding read here is chunked")
        return None
    if length is None:
        return 0
    if not (length.isascii() and length.isdigit() and len(length) <= MAX_LENGTH_DIGITS):
        raise _bad("Content-Length is not a number of bytes")
    return int(length)


def _keep_alive(connection: str, minor: int) -> bool:
    options = {option.strip().lower() for option in connection.split(",")}
    return "close" not in options if minor else "keep-alive" in options


def _bad(sentence: str) -> HeadRefused:
    return HeadRefused(HTTPStatus.BAD_REQUEST, sentence)
