"""
Digests of what is sent and stored: ``Content-Digest``, ``Repr-Digest`` and what asks for them (RFC 9530).

Sync programs that speak to ownCloud, rclone among them, say the same by ``OC-Checksum: SHA1:0a4d55a8…``.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from davserver.dav.errors import BadRequest
from davserver.dav.message import FileBody

if TYPE_CHECKING:
    from storage.fileterms import Source


class Hash(Protocol):
    """What takes bytes and makes a digest of them."""

    def update(self, data: bytes, /) -> None: ...
    def digest(self) -> bytes: ...


class Adler32:
    """The sum of RFC 1950 §8.2 as a hash."""

    def __init__(self) -> None:
        self._sum = 1

    def update(self, data: bytes, /) -> None:
        """Take the next bytes."""
        self._sum = zlib.adler32(data, self._sum)

    def digest(self) -> bytes:
        """Four bytes."""
        return self._sum.to_bytes(4, "big")


ALGORITHMS: dict[str, Callable[[], Hash]] = {
    # those that are not deprecated (RFC 9530 §5)
    "sha-256": hashlib.sha256,
    "sha-512": hashlib.sha512,
}
CHECKSUMS: dict[str, Callable[[], Hash]] = {
    # of OC-Checksum: they tell of accidents, not of attacks
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),
    "md5": lambda: hashlib.md5(usedforsecurity=False),
    "sha256": hashlib.sha256,
    "sha3-256": hashlib.sha3_256,
    "adler32": Adler32,
}
# Members of a dictionary of structured fields (RFC 8941 §3.2): a byte sequence or an integer, parameters left aside.
_DIGEST = re.compile(r"[ \t]*([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/=]{0,200}):(?:;[^,]*)?[ \t]*")
_WISH = re.compile(r"[ \t]*([a-z*][a-z0-9_.*-]*)=(\d{1,2})(?:;[^,]*)?[ \t]*")
_BLOCK_BYTES = 1 << 20


def parse_digests(headers: Mapping[str, str]) -> dict[str, bytes]:
    """
    The digests that a request gives of its body, by algorithm; of algorithms that are not known here none.

    What is stored is the body itself, so ``Repr-Digest`` and ``Content-Digest`` say the same of it (RFC 9530 §3.1).

    Raises:
        BadRequest: a field cannot be read, or two say different things.
    """
    found: dict[str, bytes] = {}
    for name in ("content-digest", "repr-digest"):
        for member in filter(None, headers.get(name, "").split(",")):
            read = _DIGEST.fullmatch(member)
            if read is None:
                raise BadRequest(f"{name} is no list of algorithm=:base64:")
            try:
                digest = base64.b64decode(read[2], validate=True)
            except ValueError as error:
                raise BadRequest(f"{name} holds what is not base64") from error
            if read[1] in ALGORITHMS and found.setdefault(read[1], digest) != digest:
                raise BadRequest("Content-Digest and Repr-Digest of one body differ")
    return found | _checksums(headers.get("oc-checksum", ""))


def _checksums(value: str) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for checksum in value.split():
        kind, _, digits = checksum.lower().partition(":")
        if kind not in CHECKSUMS:
            continue
        try:
            digest = bytes.fromhex(digits)
        except ValueError as error:
            raise BadRequest(f"OC-Checksum holds a {kind} that is not hexadecimal") from error
        if found.setdefault(kind, digest) != digest:
            raise BadRequest(f"OC-Checksum holds two {kind} that differ")
    return found


@dataclass(slots=True)
class Verified:
    """A body that is what its digests say, or raises at its end."""

    body: Source
    digests: Mapping[str, bytes]
    _hashes: dict[str, Hash] = field(init=False)

    def __post_init__(self) -> None:
        known = ALGORITHMS | CHECKSUMS
        self._hashes = {name: known[name]() for name in self.digests}

    def read(self, size: int, /) -> bytes:
        """The next bytes, ``b""`` at a proper end. Raises BadRequest."""
        data = self.body.read(size)
        for name, digest in self._hashes.items():
            if data:
                digest.update(data)
            elif digest.digest() != self.digests[name]:
                raise BadRequest(f"the body has another {name} digest than was announced; nothing is stored")
        return data


def wanted_algorithm(header: str | None) -> str | None:
    """The algorithm that a ``Want-Repr-Digest`` or its twin likes best of those known here (RFC 9530 §4), or None."""
    wishes = (_WISH.fullmatch(member) for member in (header or "").split(","))
    known = [(int(wish[2]), wish[1]) for wish in wishes if wish is not None and wish[1] in ALGORITHMS]
    weight, algorithm = max(known, default=(0, ""))
    return algorithm if weight else None


def render_digest(file: FileBody, version: int, algorithm: str) -> str:
    """
    The value of a ``Repr-Digest`` or ``Content-Digest`` of a file, or of a slice of one.

    Args:
        version: a number that no other version of any file has: what was computed is remembered by it.
    """
    digest = _digest_of(version, algorithm, file.offset, file.length, _Opened(file.fd))
    return f"{algorithm}=:{base64.b64encode(digest).decode()}:"


class _Opened:
    """A descriptor that is no part of what is remembered."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Opened)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=4096)
def _digest_of(version: int, algorithm: str, first: int, length: int, opened: _Opened) -> bytes:
    digest, offset, end = ALGORITHMS[algorithm](), first, first + length
    while block := os.pread(opened.fd, min(_BLOCK_BYTES, end - offset), offset):
        digest.update(block)
        offset += len(block)
    return digest.digest()
