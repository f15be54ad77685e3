"""
A file of many items, taken apart: what a PUT of an ``.ics`` or ``.vcf`` on a collection brings.

The bytes of every component are kept as they came. Only the frame around them is new: a calendar object of its own for
each UID, with the time zones that it speaks of (RFC 4791 §4.1).
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from storage import vcard
from storage.contentlines import DEEPEST, Malformed, logical_lines, mend, parse_components
from storage.errors import ItemRefused

_INVALID = {"VCALENDAR": "valid-calendar-data", "VADDRESSBOOK": vcard.INVALID}
# Properties of a calendar that are true of each object in it; METHOD and names of the whole file are not.
_SHARED = (b"VERSION", b"PRODID", b"CALSCALE")
_KEYWORD = re.compile(rb"[A-Za-z0-9.-]+")
MOST_ZONE_BYTES = 128 << 20  # of time zones in all objects of one file: each gets its own copy
_ZONE = re.compile(rb';TZID=(?:"([^"]*)"|([^";:,]*))', re.IGNORECASE)


@dataclass(slots=True)
class _Block:
    """A component directly inside of a VCALENDAR, or a card: its bytes and what groups it."""

    name: bytes
    start: int
    end: int = 0
    uid: bytes = b""
    zone: bytes = b""
    zones: set[bytes] = field(default_factory=set)


@dataclass(slots=True)
class _Calendar:
    head: list[bytes] = field(default_factory=list)
    blocks: list[_Block] = field(default_factory=list)


class Part(NamedTuple):
    """An item of a file, ready for ``judge``, and the line of the file in which its first component begins."""

    data: bytes
    line: int


def kind_of(data: bytes) -> str:
    """Of which kind a collection is that can hold a stream: ``VADDRESSBOOK`` where it begins with a card."""
    is_card = data[:100].lstrip(b"\xef\xbb\xbf \r\n").upper().startswith(b"BEGIN:VCARD")
    return "VADDRESSBOOK" if is_card else "VCALENDAR"


def split_collection(data: bytes, tag: str) -> list[bytes]:
    """The items of a file, as ``split_parts`` gives them, without the lines."""
    return [part.data for part in split_parts(data, tag)]


def split_parts(data: bytes, tag: str) -> list[Part]:
    """
    The items of a file, in their order.

    One without UID gets one that is made from its bytes: the same file imported twice makes nothing twice.

    Args:
        data: one or more VCALENDARs, or VCARDs one after another.
        tag: ``VCALENDAR`` or ``VADDRESSBOOK``.

    Raises:
        ItemRefused: the file as a whole cannot be taken apart; single items are judged afterwards.
    """
    data = mend(data)
    line_of = _LineCounter(data)
    try:
        if tag == "VADDRESSBOOK":
            return [
                Part(_named_card(data[block.start : block.end]), line_of(block.start))
                for block in _blocks_of(data, b"VCARD")
            ]
        found = (item for calendar in _calendars(data) for item in _objects(data, calendar))
        return [Part(item, line_of(start)) for start, item in found]
    except Malformed as error:
        raise ItemRefused(_INVALID[tag], str(error)) from error


class _LineCounter:
    """Numbers of lines by byte; of bytes that come in about their order, each is looked at once."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._line = 1

    def __call__(self, at: int) -> int:
        if at < self._at:
            self._at, self._line = 0, 1
        self._line += self._data.count(b"\n", self._at, at)
        self._at = at
        return self._line


def _blocks_of(data: bytes, name: bytes) -> Iterator[_Block]:
    """The top-level components of a file, all of that name."""
    block: _Block | None = None
    depth = 0
    for start, end, line in logical_lines(data):
        keyword, value = _keyword(line)
        if block is None:
            if keyword != b"BEGIN" or value != name:
                number = data.count(b"\n", 0, start) + 1
                raise Malformed(f"line {number}: {line[:40]!r} stands where BEGIN:{name.decode()} should")
            block = _Block(value, start)
        depth += (keyword == b"BEGIN") - (keyword == b"END")
        if depth > DEEPEST:
            raise Malformed(f"components are nested deeper than {DEEPEST}")
        if depth == 0:
            block.end = end
            yield block
            block = None
    if block is not None:
        raise Malformed(f"END:{name.decode()} is missing")


def _calendars(data: bytes) -> Iterator[_Calendar]:
    for outer in _blocks_of(data, b"VCALENDAR"):
        calendar, inner, depth = _Calendar(), list[_Block](), 0
        for start, end, line in logical_lines(data[outer.start : outer.end]):
            keyword, value = _keyword(line)
            if keyword == b"BEGIN":
                depth += 1
                if depth == 2:
                    inner.append(_Block(value, outer.start + start))
            elif keyword == b"END":
                depth -= 1
                if depth == 1:
                    inner[-1].end = outer.start + end
            elif depth == 1 and keyword in _SHARED:
                calendar.head.append(data[outer.start + start : outer.start + end])
            elif depth > 1:
                _note(inner[-1], depth, keyword, line)
        calendar.blocks = inner
        yield calendar


def _note(block: _Block, depth: int, keyword: bytes, line: bytes) -> None:
    """Keep the UID, the zone's own name, and the zones that a line names."""
    if depth == 2 and keyword in (b"UID", b"TZID"):
        value = line.partition(b":")[2].strip()
        block.uid, block.zone = (value, block.zone) if keyword == b"UID" else (block.uid, value)
    elif b";TZID=" in line.upper():
        block.zones.update((quoted or bare).strip() for quoted, bare in _ZONE.findall(line))


def _objects(data: bytes, calendar: _Calendar) -> Iterator[tuple[int, bytes]]:
    zones = {block.zone: block for block in calendar.blocks if block.name == b"VTIMEZONE"}
    groups: dict[tuple[bytes, bytes], list[_Block]] = {}
    for block in calendar.blocks:
        if block.name != b"VTIMEZONE":
            key = block.uid or b"bytes:" + hashlib.sha256(data[block.start : block.end]).digest()
            groups.setdefault((key, block.name), []).append(block)
    copied = 0
    for blocks in groups.values():
        used = dict.fromkeys(zone for block in blocks for zone in sorted(block.zones) if zone in zones)
        copied += sum(zones[zone].end - zones[zone].start for zone in used)
        if copied > MOST_ZONE_BYTES:
            raise ItemRefused("max-resource-size", "its time zones are so long that it cannot be taken apart")
        pieces = [data[zones[zone].start : zones[zone].end] for zone in used]
        pieces += [_named(data[block.start : block.end], block.uid) for block in blocks[: None if blocks[0].uid else 1]]
        head = calendar.head or [b"VERSION:2.0\r\n", b"PRODID:-//davserver//EN\r\n"]
        framed = (b"BEGIN:VCALENDAR\r\n", *head, *pieces, b"END:VCALENDAR\r\n")
        yield blocks[0].start, b"".join(map(_ended, framed))


def _named(component: bytes, uid: bytes) -> bytes:
    if uid:
        return component
    begin, newline, rest = component.partition(b"\n")
    return begin + newline + f"UID:{_uid_from(component)}\r\n".encode() + rest


def _named_card(data: bytes) -> bytes:
    """The card, with a UID from its bytes where it has none; one that is broken is left to the judge."""
    try:
        card = parse_components(data, longest_head=len(data), bare_parameters=True)[0]
    except Malformed:
        return data
    return data if vcard.uid_of(card) else vcard.with_uid(data, card, _uid_from(data))


def _uid_from(data: bytes) -> str:
    return str(uuid.UUID(bytes=hashlib.sha256(data).digest()[:16], version=5))


def _ended(piece: bytes) -> bytes:
    return piece if piece.endswith(b"\n") else piece + b"\r\n"


def _keyword(line: bytes) -> tuple[bytes, bytes]:
    """The property's name in upper case, and the value where it is BEGIN or END."""
    match = _KEYWORD.match(line)
    keyword = match[0].upper() if match else b""
    if keyword in (b"BEGIN", b"END"):
        return keyword, line.partition(b":")[2].strip().upper()
    return keyword, b""
