"""A whole calendar or address book as one file, streamed: the components as they are stored, in one frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from storage.collection import CALENDAR
from storage.records import Content
from storage.zonereferences import unnamed_zones

HEAD = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//davserver//EN\r\n"
TAIL = b"END:VCALENDAR\r\n"
PIECE_BYTES = 256 << 10
ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": None})


def join_items(
    items: Iterable[Content], tag: str, title: str, *, about: bytes = b"", with_zones: bool = True
) -> Iterator[bytes]:
    """
    The bytes of one ``.ics`` or ``.vcf``, in pieces of some size.

    A time zone that stands in many items is written once, as the first of them has it.

    Args:
        about: properties of the VCALENDAR itself, see ``storage.calendarnames``.
        with_zones: whether a zone that an item only names is described (RFC 5545 §3.6.5).
    """
    buffer, size = list[bytes](), 0
    for piece in _pieces(items, tag, title, about, with_zones):
        buffer.append(piece)
        size += len(piece)
        if size > PIECE_BYTES:
            yield b"".join(buffer)
            buffer, size = [], 0
    yield b"".join(buffer)


def _pieces(items: Iterable[Content], tag: str, title: str, about: bytes, with_zones: bool) -> Iterator[bytes]:
    if tag != CALENDAR:
        for card, *_ in items:
            yield card if card.endswith(b"\n") else card + b"\r\n"
        return
    yield HEAD
    if title:
        yield f"X-WR-CALNAME:{title.translate(ESCAPES)}\r\n".encode()
    yield about
    zones: set[bytes] = set()
    known: set[bytes] = set()  # texts of time zones that stand in the file already
    for content in items:
        item = content.data
        for zone, text in unnamed_zones(item, zones) if with_zones and b"TZID" in item else ():
            zones.add(zone)
            yield text
        if content.tail:
            zone_text = item[content.head : content.zones]
            if zone_text in known:
                yield item[content.zones : content.tail]
                continue
            known.add(zone_text)
        for name, component in _components(item):
            if name is not None and name in zones:
                continue
            if name is not None:
                zones.add(name)
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
