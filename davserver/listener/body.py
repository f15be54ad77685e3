"""Request bodies as file-like objects in constant memory: of known length or chunked (RFC 9112 §6, §7.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from davserver.dav.errors import BodyBroken, TooLarge

LINE_BYTES = 4096
TRAILER_LINES = 100
MAX_SIZE_DIGITS = 15


class Source(Protocol):
    """Where the bytes come from; see ``davserver.listener.stream.Stream``."""

    def receive(self, most: int) -> bytes: ...
    def receive_line(self, most: int) -> bytes: ...


class RequestBody:
    """
    What every body does; a subclass fetches the next bytes.

    The client's ``Expect: 100-continue`` is answered when the first byte is asked for: a refusal that comes before
    spares the client the upload.

    Attributes:
        finished: the whole body has been read.
        is_awaited: the client still waits for ``100 Continue``.
    """

    def __init__(self, source: Source, invite: Callable[[], None] | None) -> None:
        self._source = source
        self._invite = invite
        self.finished = False

    @property
    def is_awaited(self) -> bool:
        return self._invite is not None

    def read(self, size: int | None = -1, /) -> bytes:
        """
        ``size`` bytes, fewer only at the end; all without ``size``.

        Raises:
            BodyBroken: the client ended early or the chunks are malformed.
            TooLarge: a chunked body goes on beyond the limit.
        """
        parts: list[bytes] = []
        left = -1 if size is None else size
        while left != 0 and not self.finished:
            data = self._next(left if left > 0 else 1 << 20)
            parts.append(data)
            left -= len(data) if left > 0 else 0
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def readline(self, size: int = -1, /) -> bytes:
        """A line; WSGI promises it, nobody here needs it fast."""
        line = bytearray()
        while len(line) != size and not line.endswith(b"\n") and (byte := self.read(1)):
            line += byte
        return bytes(line)

    def _next(self, most: int) -> bytes:
        if self._invite is not None:
            invite, self._invite = self._invite, None
            invite()
        return self._fetch(most)

    def _fetch(self, most: int) -> bytes:
        raise NotImplementedError

    def _receive(self, most: int) -> bytes:
        try:
            data = self._source.receive(most)
        except OSError as error:
            raise BodyBroken("the body did not come to its end") from error
        if not data:
            raise BodyBroken("the body ended before its announced length")
        return data


class LengthBody(RequestBody):
    """A body whose length was announced."""

    def __init__(self, source: Source, length: int, invite: Callable[[], None] | None) -> None:
        super().__init__(source, invite)
        self.left = length
        self.finished = length == 0

    def _fetch(self, most: int) -> bytes:
        data = self._receive(min(most, self.left))
        self.left -= len(data)
        self.finished = self.left == 0
        return data


class ChunkedBody(RequestBody):
    """A chunked body, at most ``limit`` bytes of it; trailers are read away."""

    def __init__(self, source: Source, limit: int, invite: Callable[[], None] | None) -> None:
        super().__init__(source, invite)
        self._limit = limit
        self._left = 0  # of the present chunk

    def _fetch(self, most: int) -> bytes:
        if self._left == 0 and not self._begin_chunk():
            self.finished = True
            return b""
        data = self._receive(min(most, self._left))
        self._left -= len(data)
        if self._left == 0 and self._line() != b"":
            raise BodyBroken("a chunk is longer than its size")
        return data

    def _begin_chunk(self) -> bool:
        digits = self._line().partition(b";")[0].strip()
        if not digits or len(digits) > MAX_SIZE_DIGITS or digits.strip(b"0123456789abcdefABCDEF"):
            raise BodyBroken("a chunk's size is not a hexadecimal number")
        self._left = int(digits, 16)
        self._limit -= self._left
        if self._limit < 0:
            raise TooLarge("the body is longer than anything this server stores")
        if self._left == 0:
            self._read_trailers()
        return self._left > 0

    def _read_trailers(self) -> None:
        for _ in range(TRAILER_LINES):
            if not self._line():
                return
        raise BodyBroken("there are too many trailer fields")

    def _line(self) -> bytes:
        try:
            return self._source.receive_line(LINE_BYTES)
        except (OSError, ValueError) as error:
            raise BodyBroken(f"the chunked body is malformed: {error}") from error
