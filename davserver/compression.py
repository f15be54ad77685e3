"""
Compressing large answers on their way out (RFC 9110 §8.4.1.3).

XML shrinks to a fifth or less. What has an entity tag is left alone: the tag is strong and stands for the bytes as
they are.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from davserver.dav.coding import accepts_gzip
from davserver.dav.message import FileBody, Request, Response

LEAST_BYTES = 4096  # three packets; below it time is lost and none gained
LEVEL = 1  # a third of the time of the usual level 6, for a tenth more bytes
GZIP_WINDOW = 31  # zlib's word for its largest window with gzip's head and checksum
TEXTS = ("application/xml", "text/")
CODING = ("Content-Encoding", "gzip")
VARY = ("Vary", "Accept-Encoding")
MARKS = frozenset({"etag", "content-encoding", "content-range"})


def compress(request: Request, response: Response) -> None:
    """Have an answer's body compressed if it is large XML or text and the client takes it so."""
    body = response.body
    if isinstance(body, FileBody) or (isinstance(body, bytes) and len(body) < LEAST_BYTES):
        return
    fields = {name.lower(): value for name, value in response.headers}
    if not fields.get("content-type", "").startswith(TEXTS) or not MARKS.isdisjoint(fields):
        return
    response.headers.append(VARY)
    if not accepts_gzip(request.headers.get("accept-encoding", "")):
        return
    response.headers = [field for field in response.headers if field[0].lower() != "content-length"]
    response.headers.append(CODING)
    if isinstance(body, bytes):
        response.body = b"".join(_Gzipped((body,)))
    else:
        response.body = _Gzipped(body)


class _Gzipped:
    """A streamed body, compressed piece by piece."""

    def __init__(self, body: Iterable[bytes]) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        packer = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP_WINDOW)
        for piece in self._body:
            packed = packer.compress(piece)
            if packed:
                yield packed
        yield packer.flush()

    def close(self) -> None:
        """Close the body within."""
        close = getattr(self._body, "close", None)
        if close is not None:
            close()
