"""
A ZIP archive that is written while it is sent: how long it will be is known before a byte of its files is read.

Entries are stored as they are (APPNOTE.TXT 6.3.10 of PKWARE, method 0), with their check sum behind them (§4.3.9) and
the 64 bit forms of §4.5.3 where something is too large for 32. Names are UTF-8 (§4.4.4, bit 11); times are there twice,
as DOS wrote them and as seconds since 1970 ("UT", Info-ZIP), which know no time zone.
"""

from __future__ import annotations

import hashlib
import struct
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

RENDERER = 1  # raised with every change of the bytes that come of the same entries
LIMIT_32 = 0xFFFFFFFF
LIMIT_16 = 0xFFFF
FIRST_S, LAST_S = 315532800, 0x7FFFFFFF  # 1980, where DOS begins; 2038, where "UT" ends
PLAIN, WITH_64 = 20, 45  # versions of the format that a reader must know
UTF_8, SUM_FOLLOWS = 0x0800, 0x0008
UNIX = 3 << 8
FILE_MODE, FOLDER_MODE = 0o100644 << 16, 0o040755 << 16 | 0x10
LOCAL = struct.Struct("<4s5H3L2H")
SUM, SUM_64 = struct.Struct("<4s3L"), struct.Struct("<4sL2Q")
CENTRAL = struct.Struct("<4s6H3L5H2L")
TIMES = struct.Struct("<2HBl")
END = struct.Struct("<4s4H2LH")
END_64, LOCATOR = struct.Struct("<4sQ2H2L4Q"), struct.Struct("<4sLQL")


@dataclass(frozen=True, slots=True)
class Entry:
    """
    One file or folder of an archive.

    Attributes:
        name: path within the archive; that of a folder ends with a slash.
        etag: bare and strong, of the bytes; "" of a folder.
    """

    name: str
    size: int
    modified_s: int
    etag: str

    @property
    def is_folder(self) -> bool:
        """Whether it has no bytes."""
        return self.name.endswith("/")


class Archive:
    """
    An archive of some entries.

    Attributes:
        length: bytes of the whole.
        etag: bare and strong: the same entries give the same bytes.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = list(entries)
        known = hashlib.sha256(f"{RENDERER}".encode())
        at = central = 0
        for entry in self._entries:
            known.update(f"\n{entry.etag} {entry.size} {entry.modified_s} {entry.name}".encode())
            central += len(_central(entry, at, 0))
            at += len(_local(entry)) + entry.size + (0 if entry.is_folder else len(_sum(entry, 0)))
        self.length = at + central + len(_end(len(self._entries), central, at))
        self.etag = known.hexdigest()[:32]

    def stream(self, read: Callable[[Entry], Iterator[bytes]]) -> Iterator[bytes]:
        """
        The bytes; ``read`` gives those of a file, exactly ``size`` of them.

        Raises:
            ValueError: it gave fewer or more. What was sent so far is no archive, and the rest must not be sent.
        """
        at, sums = 0, []
        for entry in self._entries:
            head = _local(entry)
            yield head
            at_entry, at, checked, count = at, at + len(head), 0, 0
            if not entry.is_folder:
                for block in read(entry):
                    checked, count = zlib.crc32(block, checked), count + len(block)
                    if count > entry.size:
                        break
                    yield block
                if count != entry.size:
                    raise ValueError(f"{entry.name} has changed while it was sent")
                tail = _sum(entry, checked)
                yield tail
                at += count + len(tail)
            sums.append((entry, at_entry, checked))
        central = b"".join(_central(*each) for each in sums)
        yield central
        yield _end(len(self._entries), len(central), at)


def _local(entry: Entry) -> bytes:
    name, large = entry.name.encode(), entry.size >= LIMIT_32
    size = LIMIT_32 if large else entry.size
    extra = (struct.pack("<2H2Q", 1, 16, entry.size, entry.size) if large else b"") + _times(entry)
    head = (
        b"PK\3\4",
        WITH_64 if large else PLAIN,
        _flags(entry),
        0,
        *_dos(entry),
        0,
        size,
        size,
        len(name),
        len(extra),
    )
    return LOCAL.pack(*head) + name + extra


def _sum(entry: Entry, checked: int) -> bytes:
    form = SUM_64 if entry.size >= LIMIT_32 else SUM
    return form.pack(b"PK\7\x08", checked, entry.size, entry.size)


def _central(entry: Entry, at: int, checked: int) -> bytes:
    name, large, far = entry.name.encode(), entry.size >= LIMIT_32, at >= LIMIT_32
    wide = ([entry.size, entry.size] if large else []) + ([at] if far else [])
    extra = (struct.pack(f"<2H{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b"") + _times(entry)
    size, version = LIMIT_32 if large else entry.size, WITH_64 if wide else PLAIN
    head = (b"PK\1\2", UNIX | version, version, _flags(entry), 0, *_dos(entry), checked, size, size)
    mode = FOLDER_MODE if entry.is_folder else FILE_MODE
    return CENTRAL.pack(*head, len(name), len(extra), 0, 0, 0, mode, LIMIT_32 if far else at) + name + extra


def _end(count: int, central: int, at: int) -> bytes:
    wide = b""
    if count >= LIMIT_16 or central >= LIMIT_32 or at >= LIMIT_32:
        wide = END_64.pack(b"PK\6\6", END_64.size - 12, UNIX | WITH_64, WITH_64, 0, 0, count, count, central, at)
        wide += LOCATOR.pack(b"PK\6\7", 0, at + central, 1)
    count = min(count, LIMIT_16)
    return wide + END.pack(b"PK\5\6", 0, 0, count, count, min(central, LIMIT_32), min(at, LIMIT_32), 0)


def _flags(entry: Entry) -> int:
    return UTF_8 if entry.is_folder else UTF_8 | SUM_FOLLOWS


def _times(entry: Entry) -> bytes:
    return TIMES.pack(0x5455, 5, 1, max(-LAST_S, min(entry.modified_s, LAST_S)))


def _dos(entry: Entry) -> tuple[int, int]:
    """Time and date as DOS has them, in UTC."""
    at = time.gmtime(max(FIRST_S, min(entry.modified_s, LAST_S)))
    clock = at.tm_hour << 11 | at.tm_min << 5 | at.tm_sec // 2
    return clock, (at.tm_year - 1980) << 9 | at.tm_mon << 5 | at.tm_mday
