"""Range requests (RFC 9110 §14): one slice, several as multipart/byteranges, If-Range."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping

from davserver.dav.conditional import parse_entity_tags, parse_http_date
from davserver.dav.errors import BadRequest, RangeNotSatisfiable
from davserver.dav.message import FileBody, Response

BLOCK_BYTES = 256 * 1024
MAX_DIGITS = 19


def parse_ranges(value: str, size: int, *, limit: int = 10) -> list[tuple[int, int]] | None:
    """
    The asked slices of a file of ``size`` bytes as (first, length), or None where the header is to be ignored.

    It is ignored as RFC 9110 §14.2 allows: unknown units, text that is no range, more than ``limit`` ranges, and
    ranges that together are more than the file.

    Raises:
        RangeNotSatisfiable: it can be read and no range lies within the file.
    """
    unit, equals, text = value.partition("=")
    specs = [spec.strip() for spec in text.split(",", limit + 1) if spec.strip()]
    if unit.strip().lower() != "bytes" or not equals or not specs or len(specs) > limit:
        return None
    slices: list[tuple[int, int]] = []
    for spec in specs:
        bounds = _bounds(spec, size)
        if bounds is None:
            return None
        if bounds[1] > 0:
            slices.append(bounds)
    if not slices:
        raise RangeNotSatisfiable(size)
    return slices if sum(length for _, length in slices) <= size else None


def apply_ranges(
    response: Response, headers: Mapping[str, str], *, size: int, etag: str | None, modified_s: float, limit: int = 10
) -> Response:
    """
    Turn the 200 of a GET whose body is a whole file into the 206 that was asked for, where one was.

    Args:
        response: its body is a FileBody of ``size`` bytes; it is taken over and closed where need be.
        headers: the request's, by lower-case name.
        etag: bare and strong.

    Raises:
        RangeNotSatisfiable: as ``parse_ranges``; the file is closed.
    """
    response.headers.append(("Accept-Ranges", "bytes"))
    body, value = response.body, headers.get("range")
    if not isinstance(body, FileBody) or value is None or not _if_range_holds(headers, etag, modified_s):
        return response
    try:
        slices = parse_ranges(value, size, limit=limit)
    except RangeNotSatisfiable:
        os.close(body.fd)
        raise
    if slices is None:
        return response
    if len(slices) == 1:
        first, length = slices[0]
        content_range = ("Content-Range", f"bytes {first}-{first + length - 1}/{size}")
        return Response(206, [*response.headers, content_range], FileBody(body.fd, body.offset + first, length))
    parts = Multipart(body, slices, size, _content_type(response))
    kept = [(name, text) for name, text in response.headers if name.lower() not in ("content-type", "content-length")]
    kept += [
        ("Content-Type", f"multipart/byteranges; boundary={parts.boundary}"),
        ("Content-Length", str(parts.length)),
    ]
    return Response(206, kept, parts)


class Multipart:
    """The body of a 206 with several slices; closes the file when it is closed."""

    def __init__(self, body: FileBody, slices: list[tuple[int, int]], size: int, content_type: str) -> None:
        self.boundary = secrets.token_hex(12)
        self._body: FileBody | None = body
        self._parts = [
            (
                f"\r\n--{self.boundary}\r\nContent-Type: {content_type}\r\n"
                f"Content-Range: bytes {first}-{first + length - 1}/{size}\r\n\r\n".encode(),
                body.offset + first,
                length,
            )
            for first, length in slices
        ]
        self._end = f"\r\n--{self.boundary}--\r\n".encode()
        self.length = sum(len(head) + length for head, _, length in self._parts) + len(self._end)

    def __iter__(self) -> Iterator[bytes]:
        body = self._body
        if body is None:
            return
        for head, offset, length in self._parts:
            yield head
            while length > 0:
                block = os.pread(body.fd, min(length, BLOCK_BYTES), offset)
                if not block:
                    return  # the file became shorter; the missing bytes end the connection
                yield block
                offset, length = offset + len(block), length - len(block)
        yield self._end

    def close(self) -> None:
        """Close the file."""
        body, self._body = self._body, None
        if body is not None:
            os.close(body.fd)


def _bounds(spec: str, size: int) -> tuple[int, int] | None:
    """First byte and length of one range, length 0 where it lies outside; None where it is no range."""
    first, dash, last = spec.partition("-")
    first, last = first.strip(), last.strip()
    if not dash or not all(not part or _is_number(part) for part in (first, last)):
        return None
    if not first:
        if not last:
            return None
        length = min(int(last), size)
        return size - length, length
    start = int(first)
    if last and int(last) < start:
        return None
    stop = min(int(last), size - 1) if last else size - 1
    return start, max(0, stop - start + 1)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS


def _if_range_holds(headers: Mapping[str, str], etag: str | None, modified_s: float) -> bool:
    value = headers.get("if-range")
    if value is None:
        return True
    if '"' not in value and (since := parse_http_date(value)) is not None:
        return since == int(modified_s)
    try:
        return parse_entity_tags(value).match(etag, exists=True, strong=True)
    except BadRequest:
        return False


def _content_type(response: Response) -> str:
    return next((text for name, text in response.headers if name.lower() == "content-type"), "application/octet-stream")
