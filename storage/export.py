"""A whole calendar or address book as one file, streamed: the components as they are stored, in one frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from storage.collection import CALENDAR
from storage.records import Content

HEAD = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//davserver//EN\r\n"
TAIL = b"END:VCALENDAR\r\n"
PIECE_BYTES = 256 << 10
ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": None})


def join_items(items: Iterable[Content], tag: str, title: str, more: bytes = b"") -> Iterator[bytes]:
    """
    The bytes of one ``.ics`` or ``.vcf``, in pieces of some size.

    A time zone that stands in many items is written once, as the first of them has it.

    Args:
        more: further properties of the calendar, as whole lines.
    """
    buffer, size = list[bytes](), 0
    for piece in _pieces(items, tag, title, more):
        buffer.append(piece)
        size += len(piece)
        if size > PIECE_BYTES:
            yield b"".join(buffer)
            buffer, size = [], 0
    yield b"".join(buffer)


def _pieces(items: Iterable[Content], tag: str, title: str, more: bytes) -> Iterator[bytes]:
    if tag != CALENDAR:
        for card, *_ in items:
            yield card if card.endswith(b"\n") else card + b"\r\n"
        return
    yield HEAD
    if title:
        yield f"X-WR-CALNAME:{title.translate(ESCAPES)}\r\n".encode()
    if more:
        yield more
    zones: set[bytes] = set()
    known: set[bytes] = set()  # texts of time zones that stand in the file already
    for content in items:
        item = content.data
        if content.tail:
            zone_text = item[content.head : content.zones]
            if zone_text in known:
                yield item[content.zones : content.tail]
                continue
            known.add(zone_text)
        for zone, component in _components(item):
            if zone is not None and zone in zones:
                continue
            if zone is not None:
                zones.add(zone)
            yield component
    yield TAIL


def _components(item: bytes) -> Iterator[tuple[bytes | None, bytes]]:
    """What stands directly in a VCALENDAR: (name of a time zone or None, bytes)."""
    depth, lines, zone = 0, list[bytes](), b""
    for line in item.splitlines(keepends=True):
        bare = b"" if line[:1] in (b" ", b"\t") else line.strip().upper()
        if bare.startswith(b"BEGIN:"):
            depth += 1
            if depth == 2:
                lines, zone = [], b""
        if depth >= 2:
            lines.append(line.rstrip(b"\r\n") + b"\r\n")
            if depth == 2 and bare.startswith(b"TZID"):
                zone = line.strip().partition(b":")[2]
        if bare.startswith(b"END:"):
            depth -= 1
            if depth == 1 and lines:
                is_zone = lines[0].strip().upper() == b"BEGIN:VTIMEZONE"
                yield (zone if is_zone else None), b"".join(lines)
                lines = []
