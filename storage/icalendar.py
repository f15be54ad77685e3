"""
The judge of items: whether bytes can stand in a calendar or address book, and what the index keeps of them.

A judge, not an editor: what is well formed is stored byte for byte, also where a calendar library could not model it.
Only what no client could ever be sent again (a byte order mark, control characters, a card without UID) is mended.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from storage import vcard
from storage.availability import NAME as AVAILABILITY
from storage.availability import require_availability
from storage.contentlines import Component, Line, Malformed, logical_lines, mend, parse_components, parse_line, unescape
from storage.errors import ItemRefused
from storage.itemvalues import parse_duration, parse_moment, parse_period, parse_recurrence
from storage.occurrences import EVERYWHERE, date_entries, find_spans
from storage.records import Content, Facts
from storage.searchable import texts_of

INVALID = {"VCALENDAR": "valid-calendar-data", "VADDRESSBOOK": vcard.INVALID}
OBJECT = "valid-calendar-object-resource"

Check = Callable[[str], object]
_ONCE: dict[str, Check] = {
    # properties that stand once in a component, and the reader of their value (RFC 5545 §3.6)
    "UID": str,
    "DTSTART": parse_moment,
    "DTEND": parse_moment,
    "DUE": parse_moment,
    "DURATION": parse_duration,
    "RECURRENCE-ID": parse_moment,
    "COMPLETED": parse_moment,
    "CREATED": parse_moment,
}
_LISTS: dict[str, Check] = {"RDATE": parse_period, "EXDATE": parse_period, "FREEBUSY": parse_period}
_DATED = frozenset({"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY"})  # those whose dates the index knows
_LARGEST_KEPT = 64 << 10  # bytes of an item that the index keeps; larger ones are read from their file


@dataclass(frozen=True, slots=True)
class Judged:
    """
    An item that can be stored.

    Attributes:
        data: the bytes to store; the client's own unless ``rewritten``, and then its answer carries no ETag.
        components: the card, or the calendar's components without the time zones.
    """

    data: bytes
    rewritten: bool
    facts: Facts
    components: tuple[Component, ...]


def judge(
    data: bytes,
    tag: str,
    *,
    max_bytes: int,
    max_line_bytes: int,
    new_uid: Callable[[], str] = lambda: str(uuid.uuid4()),
) -> Judged:
    """
    Whether an item can stand in a collection (RFC 4791 §5.3.2.1, RFC 6352 §6.3.2.1).

    Args:
        data: the body of a PUT.
        tag: ``VCALENDAR`` or ``VADDRESSBOOK``, as Radicale names the kinds of collections.
        max_bytes: ``max-resource-size`` of the collection.
        max_line_bytes: most bytes of a line's name and parameters, and of a value that is computed with.
        new_uid: names a card that came without UID.

    Raises:
        ItemRefused: with the local name of the precondition. Which components the collection takes is the caller's
            question, by ``facts.component``.
    """
    if len(data) > max_bytes:
        said = f"{len(data)} bytes; at most {max_bytes} can be stored"
        raise ItemRefused("max-resource-size", said, is_card=tag == "VADDRESSBOOK")
    mended = mend(data)
    components: tuple[Component, ...]
    try:
        if tag == "VADDRESSBOOK":
            stored, card = _judge_card(mended, max_line_bytes, new_uid)
            facts, components = _card_facts(stored, card), (card,)
        else:
            stored, calendar, components = _judge_calendar(mended, max_line_bytes)
            facts = _calendar_facts(stored, calendar, components, time.time())
    except ValueError as error:
        raise ItemRefused(INVALID[tag], str(error)) from error
    return Judged(stored, stored != data, facts, components)


def read_facts(data: bytes) -> Facts:
    """
    What can be read of a file that was not stored through ``judge``: dropped in, edited or broken by hand.

    Never refuses: of a file that is no item nothing is known, of one that is not quite one as much as can be found.
    """
    is_card = mend(data[:64]).lstrip()[:11].upper() == b"BEGIN:VCARD"
    try:
        tag = "VADDRESSBOOK" if is_card else "VCALENDAR"
        facts = judge(data, tag, max_bytes=len(data), max_line_bytes=len(data), new_uid=lambda: "").facts
    except ItemRefused:
        return _read_broken(data, ("VCARD",) if is_card else ("VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", AVAILABILITY))
    return facts if facts.content is None or facts.content.data == data else replace(facts, content=_content(data))


def _read_broken(data: bytes, kinds: Collection[str]) -> Facts:
    """The first component of these kinds, and its UID."""
    uid = component = None
    try:
        for name, value in _outline(mend(data)):
            if name == "BEGIN" and component is None and value.strip().upper() in kinds:
                component = value.strip().upper()
            elif name == "UID" and component is not None and uid is None:
                uid = unescape(value).strip() or None
    except Malformed:
        pass  # what stands before the break is known
    return Facts(uid, component, spans=(EVERYWHERE,), content=_content(data))


def _outline(data: bytes) -> Iterator[tuple[str, str]]:
    for start, end, content in logical_lines(data):
        if content[:4].upper() in (b"BEGI", b"UID:", b"UID;"):
            line = parse_line(content, start, end, longest_head=len(content), bare_parameters=True)
            yield line.name, line.value


def _judge_card(data: bytes, longest: int, new_uid: Callable[[], str]) -> tuple[bytes, Component]:
    card = vcard.require_card(parse_components(data, longest_head=longest, bare_parameters=True))
    if vcard.uid_of(card):
        return data, card
    named = vcard.with_uid(data, card, new_uid())
    return named, vcard.require_card(parse_components(named, longest_head=longest, bare_parameters=True))


def _judge_calendar(data: bytes, longest: int) -> tuple[bytes, Component, tuple[Component, ...]]:
    calendar = _require_calendar(parse_components(data, longest_head=longest))
    components = tuple(child for child in calendar.children if child.name != "VTIMEZONE")
    _require_object(calendar, components)
    needless = [line for component in components for line in _needless_durations(component)]
    if needless:
        kept = zip([0, *(line.end for line in needless)], [*(line.start for line in needless), len(data)], strict=True)
        return _judge_calendar(b"".join(data[start:end] for start, end in kept), longest)
    for component in components:
        if component.name in _DATED:
            _require_component(component, longest)
        elif component.name == AVAILABILITY:
            for part in (component, *component.children):
                _require_component(part, longest)
            require_availability(component)
    return data, calendar, components


def _needless_durations(component: Component) -> list[Line]:
    """Thunderbird moves an occurrence as a DTEND with DURATION:PT0S beside it; the end is what it means."""
    if component.name != "VEVENT" or not component.find("DTEND"):
        return []
    return [line for line in component.all("DURATION") if parse_duration(line.value) == 0]


def _require_calendar(top: Sequence[Component]) -> Component:
    if not top or any(component.name != "VCALENDAR" for component in top):
        found = next((component.name[:20] for component in top if component.name != "VCALENDAR"), "nothing")
        raise ItemRefused(INVALID["VCALENDAR"], f"found {found}; a calendar object is one VCALENDAR")
    if len(top) > 1:
        raise ItemRefused(OBJECT, f"{len(top)} VCALENDARs; a calendar object is one")
    version = top[0].find("VERSION")
    if version is not None and "2.0" not in version.value:
        raise ItemRefused("supported-calendar-data", f"VERSION is {version.value[:20]!r}; it must be 2.0")
    return top[0]


def _require_object(calendar: Component, components: Sequence[Component]) -> None:
    """One kind, one UID, one master, no METHOD (RFC 4791 §4.1)."""
    if calendar.find("METHOD"):
        raise ItemRefused(OBJECT, "METHOD is a property of messages; a stored calendar object has none")
    kinds = sorted({component.name[:20] for component in components})
    if len(kinds) != 1:
        found = " and ".join(kinds) or "no component but time zones"
        raise ItemRefused(OBJECT, f"found {found}; a calendar object holds one kind of component")
    uids = {line.text.strip() for component in components for line in component.all("UID")}
    if "" in uids or not all(component.find("UID") for component in components):
        raise ItemRefused(OBJECT, f"a {kinds[0]} has no UID; all components of a calendar object have the same one")
    if len(uids) != 1:
        raise ItemRefused(OBJECT, f"found {len(uids)} UIDs; all components of a calendar object have the same one")
    if sum(component.find("RECURRENCE-ID") is None for component in components) > 1:
        raise ItemRefused(OBJECT, "more than one component has no RECURRENCE-ID; only the overrides stand beside it")


def _require_component(component: Component, longest: int) -> None:
    """The properties that occurrences are computed from can be read (RFC 5545 §3.6.1 to §3.6.4)."""
    for name, read in _ONCE.items():
        lines = component.all(name)
        if len(lines) > 1:
            raise ValueError(f"{name} stands {len(lines)} times in a {component.name}")
        for line in lines:
            _require_value(name, read, [line.value], longest)
    for line in component.all("RRULE"):
        _require_value("RRULE", parse_recurrence, [line.value], longest)
    for name, read in _LISTS.items():
        for line in component.all(name):
            _require_value(name, read, list(date_entries(line)), longest)
    if component.name == "VEVENT" and component.find("DTSTART") is None:
        raise ValueError("DTSTART is missing; a VEVENT has one")
    end = "DUE" if component.name == "VTODO" else "DTEND"
    if component.find("DURATION") and component.find(end) and component.name != "VFREEBUSY":
        raise ValueError(f"{end} and DURATION stand in one {component.name}; it can have one of them")


def _require_value(name: str, read: Check, values: Sequence[str], longest: int) -> None:
    try:
        for value in values:
            if len(value) > longest:
                raise ValueError(f"longer than {longest} bytes")
            read(value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _calendar_facts(data: bytes, calendar: Component, components: Sequence[Component], now_s: float) -> Facts:
    uid = components[0].find("UID")
    assert uid is not None  # _require_object has seen it
    plain, texts = texts_of(components)
    spans = find_spans(data, calendar, components, now_s) if components[0].name in _DATED else ()
    if components[0].name == AVAILABILITY:  # free-busy asks it about any time
        spans = (EVERYWHERE,)
    return Facts(uid.text.strip(), components[0].name, plain, spans, texts, _calendar_content(data, calendar))


def _card_facts(data: bytes, card: Component) -> Facts:
    plain, texts = texts_of([card])
    return Facts(vcard.uid_of(card), "VCARD", plain, (), texts, _content(data))


def _content(data: bytes) -> Content | None:
    return Content(data) if len(data) <= _LARGEST_KEPT else None


def _calendar_content(data: bytes, calendar: Component) -> Content | None:
    """The bytes with where their parts begin, where they stand in the usual order and in lines that end with CRLF."""
    children = calendar.children
    zones = sum(child.name == "VTIMEZONE" for child in children)
    is_usual = all(child.name == "VTIMEZONE" for child in children[:zones])
    is_joined = all(one.end == other.start for one, other in pairwise(children))
    is_usual = is_usual and bool(children) and is_joined and children[-1].end == calendar.closing
    if not is_usual or len(data) > _LARGEST_KEPT or data.count(b"\n") != data.count(b"\r\n") or b"\r\n\r\n" in data:
        return _content(data)
    first = children[zones].start if zones < len(children) else calendar.closing
    return Content(data, children[0].start, first, calendar.closing)
