"""PATCH at ``/files/``: a part of a file, as clients of sabre/dav send it (RFC 5789)."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace

from davserver.dav.errors import BadRequest, TooLarge
from davserver.dav.message import Response
from davserver.mounts.files_call import Call, etag_of
from davserver.mounts.files_read import ACCEPT_PATCH, PATCH_TYPE
from davserver.mounts.files_write import Checked, verified
from storage.errors import IsFolder, PreconditionFailed
from storage.fileterms import Source, Terms, Upload
from storage.filetree import Node

_RANGE = re.compile(r"append|bytes=(?:(\d{1,18})-(\d{1,18})?|-(\d{1,18}))")


@dataclass(slots=True)
class Patched:
    """
    The bytes of a file with a body laid over them.

    Attributes:
        fd: the file as it is; size: its bytes.
        start: where the body begins.
    """

    fd: int
    size: int
    start: int
    body: Source
    offset: int = 0
    in_body: bool = False

    def read(self, size: int, /) -> bytes:
        """The next bytes, ``b""`` at the end."""
        if not self.in_body and self.offset < self.start:
            return self._old(min(size, self.start - self.offset))
        if not self.in_body or self.offset >= self.start:
            self.in_body = True
            data = self.body.read(size)
            if data:
                self.offset += len(data)
                return data
        return self._old(size) if self.offset < self.size else b""

    def _old(self, size: int) -> bytes:
        data = os.pread(self.fd, size, self.offset)
        self.offset += len(data)
        return data


def patch(call: Call) -> Response:
    """
    Replace a part of a file or add to its end: a new version, whole or not at all.

    ``X-Update-Range`` is ``append``, ``bytes=4-9``, ``bytes=4-`` or ``bytes=-5``, the last counted from the end.
    """
    request = call.request
    if (request.header("content-type") or "").partition(";")[0].strip().lower() != PATCH_TYPE:
        return Response.text(415, f"a part of a file is sent as {PATCH_TYPE}\n", ACCEPT_PATCH)
    length = request.content_length
    if length is None:
        return Response.text(411, "a part of a file is sent with its Content-Length\n")
    node = call.get()
    if node.is_folder:
        raise IsFolder(call.path)
    fd, node = call.files.open(node)
    try:
        size = node.member.size if node.member is not None else 0
        start = _start(request.header("x-update-range"), size, length)
        if start is None:
            return Response.text(416, f"the file has {size} bytes\n", ("Content-Range", f"bytes */{size}"))
        most, after = call.settings.limits.upload_bytes, max(size, start + length)
        if after > most:
            raise TooLarge(f"the file would have {after} bytes; a file may have {most}")
        body = verified(request, Checked(request.body, length, most))
        upload = Upload(Patched(fd, size, start, body), after)
        stored = call.files.put(call.path, upload, _unchanged(call.terms(), node))
    finally:
        os.close(fd)
    return Response.empty(204, ("ETag", f'"{etag_of(stored.node)}"'))


def _start(header: str | None, size: int, length: int) -> int | None:
    """Where a part begins; None where that lies outside of the file. Raises BadRequest."""
    found = _RANGE.fullmatch((header or "").strip())
    if found is None:
        raise BadRequest("X-Update-Range is append, bytes=4-9, bytes=4- or bytes=-5")
    first, last, from_end = (None if group is None else int(group) for group in found.groups())
    if first is not None and last is not None and last - first + 1 != length:
        raise BadRequest(f"the range has {last - first + 1} bytes and the body {length}")
    start = size if first is None and from_end is None else first if first is not None else size - (from_end or 0)
    return start if 0 <= start <= size else None


def _unchanged(terms: Terms, node: Node) -> Terms:
    """The request's terms, and that the file is the one whose other bytes were taken."""

    def check(present: Node | None) -> None:
        terms.check(present)
        if etag_of(present) != etag_of(node):
            raise PreconditionFailed("the file was changed meanwhile")

    return replace(terms, check=check)
