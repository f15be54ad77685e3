"""
What of an item the world gets to see where its calendar or address book is published.

=============  ========================================================================================================
CLASS          PRIVATE, and what nobody knows (RFC 5545 §3.8.1.3 has it taken as PRIVATE), is left out. Of CONFIDENTIAL
               events the times remain, if they take time; of such tasks, journals and cards nothing. What a series
               says holds for its occurrences too; an occurrence that is left out of a series is excepted from it.
people         ATTENDEE, ORGANIZER and what invitations leave behind are left out: addresses that nobody meant to give
               to strangers. Who is to be asked can stand in CONTACT or the description.
VALARM         is left out, as are the notes of programs on alarms: it would ring at strangers.
=============  ========================================================================================================
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from storage.collection import ADDRESS_BOOK
from storage.contentlines import Component, Line, Malformed, parse_components
from storage.linewriter import fold
from storage.records import Content, Member

BUSY = {"en": "Busy", "fr": "Occupé", "de": "Beschäftigt"}
LEFT_OUT = frozenset(
    {
        "ATTENDEE",
        "ORGANIZER",
        "REQUEST-STATUS",
        "X-CALENDARSERVER-ATTENDEE-COMMENT",
        "X-CALENDARSERVER-PRIVATE-COMMENT",
        "X-MOZ-INVITED-ATTENDEE",
        "X-MOZ-LASTACK",
        "X-MOZ-SNOOZE-TIME",
    }
)
PARTS_LEFT_OUT = frozenset({"VALARM", "PARTICIPANT"})
TIMES = frozenset(
    {"DTSTAMP", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "STATUS", "SEQUENCE"}
    | {"TRANSP", "CLASS"}
)
_FOLD = re.compile(rb"\r?\n[ \t]")
# A name stands at the beginning of a line or behind the group of a vCard's property. A line feed is what ends lines; an
# item in which a carriage return does it alone is looked at closely, and left out.
_CLOSELY = re.compile(
    rb"(?:\A|[\n.])(?:CLASS(?!:PUBLIC\s*(?:\n|\Z))|X-MOZ-SNOOZE-TIME|BEGIN:\s*(?:"
    + b"|".join(sorted(name.encode() for name in PARTS_LEFT_OUT))
    + b")|"
    + b"|".join(sorted(name.encode() for name in LEFT_OUT))
    + rb")|\r(?!\n)",
    re.IGNORECASE,
)
_KEPT_BYTES = 16 << 20


class Secrecy(IntEnum):
    """How much of a component is for the world."""

    PUBLIC = 0
    CONFIDENTIAL = 1
    PRIVATE = 2


class WorldView:
    """What the world sees of items, kept in memory for those of which it is not all. Thread-safe."""

    def __init__(self, busy: str, *, kept_bytes: int = _KEPT_BYTES) -> None:
        self._busy = busy
        self._most = kept_bytes
        self._kept: OrderedDict[int, Content | None] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def of(self, member: Member, content: Content, tag: str) -> Content | None:
        """As ``for_the_world``; the row of a member is the one of these bytes and of no others."""
        with self._lock:
            if member.id in self._kept:
                self._kept.move_to_end(member.id)
                return self._kept[member.id]
        seen = for_the_world(content, tag, self._busy)
        if seen is not content:
            self._keep(member.id, seen)
        return seen

    def _keep(self, id: int, seen: Content | None) -> None:
        with self._lock:
            if id in self._kept:
                return
            self._kept[id] = seen
            self._size += _weight(seen)
            while self._size > self._most:
                self._size -= _weight(self._kept.popitem(last=False)[1])


def _weight(seen: Content | None) -> int:
    """Bytes of memory, roughly."""
    return 200 + (0 if seen is None else len(seen.data))


@dataclass(frozen=True, slots=True)
class _Edit:
    """Bytes from ``start`` to ``end`` that are replaced."""

    start: int
    end: int
    text: bytes = b""


def for_the_world(content: Content, tag: str, busy: str) -> Content | None:
    """
    An item as the world may see it, the same object where that is all of it; None where it is nothing.

    Args:
        tag: of its collection.
        busy: what stands for the title of confidential events.
    """
    if _CLOSELY.search(_FOLD.sub(b"", content.data)) is None:
        return content
    try:
        top = parse_components(content.data, longest_head=len(content.data), bare_parameters=tag == ADDRESS_BOOK)
    except Malformed:  # what cannot be read cannot be known to be harmless
        return None
    if tag == ADDRESS_BOOK:
        return content if all(_secrecy(card) is Secrecy.PUBLIC for card in top) else None
    edits = [edit for calendar in top for edit in _edits(content.data, calendar, busy)]
    shown = sum(child.name != "VTIMEZONE" for calendar in top for child in calendar.children)
    if sum(edit.text == _GONE for edit in edits) >= shown:
        return None
    return Content(_edited(content.data, edits))


_GONE = b"\0"  # in place of a whole component


def _edits(data: bytes, calendar: Component, busy: str) -> Iterator[_Edit]:
    objects: dict[str, list[Component]] = {}
    for line in calendar.lines:  # where nothing of the kind belongs
        if _is_left_out(line) or line.name == "CLASS":
            yield _Edit(line.start, line.end)
    for child in calendar.children:
        if child.name == "VTIMEZONE":
            yield from _trimmed(child)
        elif child.name in PARTS_LEFT_OUT:
            yield _Edit(child.start, child.end, _GONE)
        else:
            uid = child.find("UID")
            objects.setdefault("" if uid is None else uid.text.strip(), []).append(child)
    for components in objects.values():
        yield from _edits_of_object(data, components, busy)


def _edits_of_object(data: bytes, components: list[Component], busy: str) -> Iterator[_Edit]:
    """Of a series with its overrides, or of a single component."""
    masters = [component for component in components if component.find("RECURRENCE-ID") is None]
    least = max(map(_secrecy, masters), default=Secrecy.PUBLIC)
    secrecies = [max(least, _secrecy(component)) for component in components]
    hidden = [
        component
        for component, secrecy in zip(components, secrecies, strict=True)
        if secrecy is Secrecy.PRIVATE or (secrecy is Secrecy.CONFIDENTIAL and not _takes_time(component))
    ]
    if any(_reaches_on(component) for component in hidden):
        hidden = components  # it stands for all later occurrences, which no EXDATE could except
    excepted = b"".join(_exception(component) for component in hidden)
    for component, secrecy in zip(components, secrecies, strict=True):
        is_master = component in masters
        if component in hidden:
            yield _Edit(component.start, component.end, _GONE)
        elif secrecy is Secrecy.CONFIDENTIAL:
            yield _Edit(component.start, component.end, _times(data, component, busy, excepted if is_master else b""))
        else:
            yield from _trimmed(component)
            if is_master and excepted:
                start = component.lines[0].start if component.lines else component.closing
                yield _Edit(start, start, excepted)


def _secrecy(component: Component) -> Secrecy:
    words = {"PUBLIC": Secrecy.PUBLIC, "CONFIDENTIAL": Secrecy.CONFIDENTIAL}
    found = (words.get(line.value.strip().upper(), Secrecy.PRIVATE) for line in component.all("CLASS"))
    return max(found, default=Secrecy.PUBLIC)


def _takes_time(component: Component) -> bool:
    transparency = component.find("TRANSP")
    return component.name == "VEVENT" and (transparency is None or transparency.value.strip().upper() != "TRANSPARENT")


def _reaches_on(component: Component) -> bool:
    recurrence = component.find("RECURRENCE-ID")
    return recurrence is not None and recurrence.parameter("RANGE") is not None


def _exception(component: Component) -> bytes:
    """The EXDATE that keeps a series from showing what an override that is left out had moved."""
    recurrence = component.find("RECURRENCE-ID")
    if recurrence is None:
        return b""
    parameters = "".join(
        f";{name}={','.join(chr(34) + value + chr(34) if set(value) & set(',;:') else value for value in values)}"
        for name, values in recurrence.parameters
        if name in ("TZID", "VALUE")
    )
    return fold(f"EXDATE{parameters}:{recurrence.value}")


def _times(data: bytes, component: Component, busy: str, excepted: bytes) -> bytes:
    """A confidential event: when it is, and nothing of what it is. Its UID may tell something and is hashed."""
    uid = component.find("UID")
    digest = hashlib.sha256(b"" if uid is None else uid.text.encode()).hexdigest()[:32]
    kept = b"".join(data[line.start : line.end] for line in component.lines if line.name in TIMES)
    return b"BEGIN:VEVENT\r\n" + fold(f"UID:{digest}") + fold(f"SUMMARY:{busy}") + kept + excepted + b"END:VEVENT\r\n"


def _is_left_out(line: Line) -> bool:
    return line.name in LEFT_OUT or line.name.startswith("X-MOZ-SNOOZE-TIME")


def _trimmed(component: Component) -> Iterator[_Edit]:
    """Cut people and alarms out of a component that is shown."""
    for line in component.lines:
        if _is_left_out(line):
            yield _Edit(line.start, line.end)
    for child in component.children:
        if child.name in PARTS_LEFT_OUT:
            yield _Edit(child.start, child.end)
        else:
            yield from _trimmed(child)


def _edited(data: bytes, edits: Iterable[_Edit]) -> bytes:
    pieces, position = list[bytes](), 0
    for edit in sorted(edits, key=lambda edit: edit.start):
        pieces.append(data[position : edit.start])
        pieces.append(b"" if edit.text == _GONE else edit.text)
        position = edit.end
    return b"".join([*pieces, data[position:]])
