"""
``multipart/form-data``: the parts of a form as they arrive, in constant memory (RFC 7578, RFC 2046 §5.1.1).

::

    multipart-body    := [preamble CRLF] dash-boundary transport-padding CRLF body-part
                         *(CRLF dash-boundary transport-padding CRLF body-part)
                         CRLF dash-boundary "--" transport-padding [CRLF epilogue]
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from davserver.dav.errors import BadRequest, BodyBroken, TooLarge, UnsupportedMedia

if TYPE_CHECKING:
    from storage.fileterms import Source

FORM_DATA = "multipart/form-data"
HEAD_BYTES = 8 * 1024  # header fields of one part
BLOCK_BYTES = 256 * 1024
_BOUNDARY = re.compile(rb"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_PARAMETER = re.compile(rb';[ \t]*([A-Za-z0-9*_-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^;"]*))[ \t]*', re.DOTALL)
_PLAIN_CODINGS = frozenset({b"", b"7bit", b"8bit", b"binary"})
_ESCAPED_BY_BROWSERS = {"%22": '"', "%0D": "\r", "%0A": "\n"}


@dataclass(slots=True)
class Part:
    """
    One field of a form; read it before the next is asked for.

    Attributes:
        name: of the field.
        filename: of a file, its last segment; "" where none was chosen, None where the field is no file.
        media_type: that it says it has, in lower case, "" where it does not say.
    """

    name: str
    filename: str | None
    media_type: str
    _stream: _Stream

    def read(self, size: int, /) -> bytes:
        """Some of the bytes, ``b""`` at the end. Raises BodyBroken."""
        return self._stream.read(size)


def parse_parts(content_type: str | None, body: Source, *, most: int) -> Iterator[Part]:
    """
    The fields of a form in their order; the body is read to its end with the last.

    Args:
        most: how many there may be.

    Raises:
        UnsupportedMedia: it is no form with files, or a part is coded.
        BadRequest: it has no boundary, or a part cannot be read.
        BodyBroken: it ends early.
        TooLarge: there are more parts.
    """
    return _parts(_Stream(body, boundary_of(content_type)), body, most)


def boundary_of(content_type: str | None) -> bytes:
    """The boundary of a form's Content-Type. Raises UnsupportedMedia, BadRequest."""
    kind, _, _ = (content_type or "").partition(";")
    if kind.strip().lower() != FORM_DATA:
        raise UnsupportedMedia(f"the body is {kind.strip()[:60] or 'of no type'}; it can be {FORM_DATA}")
    boundary = _parameters((content_type or "").encode("utf-8", "surrogateescape")).get(b"boundary", b"")
    if not _BOUNDARY.fullmatch(boundary):
        raise BadRequest(f"{FORM_DATA} has no boundary of 1 to 70 characters")
    return boundary


def _parts(stream: _Stream, body: Source, most: int) -> Iterator[Part]:
    stream.drain()  # the preamble
    count = 0
    while stream.begin_part():
        count += 1
        if count > most:
            raise TooLarge(f"the form has more than {most} fields")
        yield _part(stream.head(), stream)
        stream.drain()
    while body.read(BLOCK_BYTES):
        pass  # the epilogue


def _part(head: bytes, stream: _Stream) -> Part:
    fields: dict[bytes, bytes] = {}
    for line in head.split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if line and not colon:
            raise BadRequest("a header line of a form's field has no colon")
        fields[name.strip().lower()] = value.strip()
    disposition = fields.get(b"content-disposition", b"")
    if disposition.partition(b";")[0].strip().lower() != b"form-data":
        raise BadRequest("a field of the form has no Content-Disposition: form-data")
    if fields.get(b"content-transfer-encoding", b"").lower() not in _PLAIN_CODINGS:
        raise UnsupportedMedia("a field of the form has a Content-Transfer-Encoding; send its bytes as they are")
    parameters = _parameters(disposition)
    kind = fields.get(b"content-type", b"").partition(b";")[0].strip().lower().decode("ascii", "replace")
    return Part(_text(parameters.get(b"name", b"")), _filename(parameters), kind, stream)


def _parameters(value: bytes) -> dict[bytes, bytes]:
    """The parameters of a header field by lower-case name; a quoted value without its quotes."""
    found: dict[bytes, bytes] = {}
    for match in _PARAMETER.finditer(value):
        quoted = match[2]
        text = match[3].strip() if quoted is None else re.sub(rb'\\(["\\])', rb"\1", quoted)
        found.setdefault(match[1].lower(), text)
    return found


def _filename(parameters: dict[bytes, bytes]) -> str | None:
    """
    The name of a file without the folders before it (RFC 7578 §4.2).

    ``filename*`` is not for forms, but programs that send it mean it (RFC 8187). Browsers write three characters as
    percent signs and digits (HTML, "multipart form data"); Explorer of old sent ``C:\\folder\\name``.
    """
    extended = parameters.get(b"filename*")
    if extended is not None:
        charset, _, rest = extended.partition(b"'")
        name = _unquoted(rest.partition(b"'")[2], "iso-8859-1" if charset.lower() == b"iso-8859-1" else "utf-8")
    elif b"filename" in parameters:
        name = _text(parameters[b"filename"])
        for escaped, character in _ESCAPED_BY_BROWSERS.items():
            name = name.replace(escaped, character)
    else:
        return None
    return re.split(r"[/\\]", name)[-1].strip()


def _unquoted(value: bytes, charset: str) -> str:
    plain = re.sub(rb"%([0-9A-Fa-f]{2})", lambda match: bytes([int(match[1], 16)]), value)
    try:
        return plain.decode(charset)
    except UnicodeDecodeError as error:
        raise BadRequest("filename* is not in the encoding that it names") from error


def _text(value: bytes) -> str:
    """UTF-8 (RFC 7578 §5.1), or what pages without a declared encoding send."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("cp1252", "replace")


class _Stream:
    """A body, cut at its delimiters."""

    def __init__(self, body: Source, boundary: bytes) -> None:
        self._body = body
        self._delimiter = b"\r\n--" + boundary
        self._buffer = bytearray(b"\r\n")  # the first delimiter may begin the body
        self._at_delimiter = False

    def read(self, size: int) -> bytes:
        """Bytes before the next delimiter, ``b""`` when it is reached."""
        if self._at_delimiter:
            return b""
        while True:
            end = self._buffer.find(self._delimiter)
            ready = end if end >= 0 else len(self._buffer) - len(self._delimiter) + 1
            if ready > 0:
                return self._take(min(ready, size))
            if end == 0:
                del self._buffer[: len(self._delimiter)]
                self._at_delimiter = True
                return b""
            self._fill()

    def drain(self) -> None:
        """Pass over what comes before the next delimiter."""
        while self.read(BLOCK_BYTES):
            pass

    def begin_part(self) -> bool:
        """Behind a delimiter: whether a part follows, or the form ends."""
        self._at_delimiter = False
        while len(self._buffer) < 2:
            self._fill()
        if self._buffer.startswith(b"--"):
            return False
        if self._until(b"\r\n").strip(b" \t"):
            raise BadRequest("the boundary of the form stands within a line")
        self._buffer[:0] = b"\r\n"  # of a part without header fields
        return True

    def head(self) -> bytes:
        """The header fields of a part."""
        return self._until(b"\r\n\r\n")

    def _until(self, end: bytes) -> bytes:
        while (at := self._buffer.find(end)) < 0:
            if len(self._buffer) > HEAD_BYTES:
                raise BadRequest(f"a field of the form has more than {HEAD_BYTES} bytes of header")
            self._fill()
        found = self._take(at)
        del self._buffer[: len(end)]
        return found

    def _take(self, size: int) -> bytes:
        taken = bytes(memoryview(self._buffer)[:size])
        del self._buffer[:size]
        return taken

    def _fill(self) -> None:
        data = self._body.read(BLOCK_BYTES)
        if not data:
            raise BodyBroken("the form ends before its last boundary")
        self._buffer += data
