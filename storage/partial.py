"""A part of an item, as a report asks for it (RFC 4791 §9.6, RFC 6352 §10.4.2): lines kept or left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import tzinfo
from xml.etree.ElementTree import Element

from storage.contentlines import Component, Line, logical_lines, mend, parse_components
from storage.itemvalues import parse_moment, parse_period
from storage.records import FAR_AWAY
from storage.recurrence import TimeRange, occurrences
from storage.rrule import TooCostly
from storage.zones import Zones, seconds

FOLD_AT = 75  # octets of a line (RFC 5545 §3.1)


@dataclass(frozen=True, slots=True)
class Selection:
    """
    What of a component is wanted; None means all of it.

    Attributes:
        names: properties by upper-case name; the value says whether the value itself is wanted.
        components: by upper-case name.
    """

    names: Mapping[str, bool] | None
    components: Mapping[str, Selection] | None

    @classmethod
    def parse(cls, element: Element) -> Selection | None:
        """The selection in a ``calendar-data`` or ``address-data`` element; None where it names no part."""
        comps = [child for child in element if child.tag.endswith("}comp")]
        if comps:
            return cls({}, {comp.get("name", "").upper(): _component(comp) for comp in comps})
        if any(child.tag.endswith("}prop") for child in element):
            return cls({}, {"VCARD": _component(element)})
        return None


def select_parts(data: bytes, selection: Selection) -> bytes:
    """The wanted lines of an item, each as it is stored."""
    kept: list[bytes] = []
    stack: list[Selection | None] = [selection]
    keeping = False
    for line in data.splitlines(keepends=True):
        if line[:1] in (b" ", b"\t"):
            if keeping:
                kept.append(line)
            continue
        name, _, value = line.decode("utf-8", "replace").strip().partition(":")
        name = name.partition(";")[0].upper()
        if name == "BEGIN":
            inner = _inner(stack[-1], value.strip().upper())
            stack.append(inner)
            keeping = inner is not None
            if keeping:
                kept.append(line)
        elif name == "END":
            ended = stack.pop() if len(stack) > 1 else None
            keeping = ended is not None
            if keeping:
                kept.append(line)
        else:
            keeping = _is_wanted(stack[-1], name.rpartition(".")[2])
            if keeping:
                kept.append(_without_value(line, stack[-1], name))
                keeping = kept[-1] is line
    return b"".join(kept)


EVERYTHING = Selection(None, None)


def _component(element: Element) -> Selection:
    names: dict[str, bool] | None = {}
    components: dict[str, Selection] | None = {}
    for child in element:
        kind = child.tag.rpartition("}")[2]
        if kind == "allprop":
            names = None
        elif kind == "allcomp":
            components = None
        elif kind == "prop" and names is not None:
            names[child.get("name", "").upper()] = child.get("novalue", "no").lower() != "yes"
        elif kind == "comp" and components is not None:
            components[child.get("name", "").upper()] = _component(child)
    return Selection(names, components)


def _inner(outer: Selection | None, name: str) -> Selection | None:
    if outer is None:
        return None
    return EVERYTHING if outer.components is None else outer.components.get(name)


def _is_wanted(within: Selection | None, name: str) -> bool:
    return within is not None and (within.names is None or name in within.names)


def _without_value(line: bytes, within: Selection | None, name: str) -> bytes:
    if within is None or within.names is None or within.names.get(name, True):
        return line
    return name.encode() + b":\r\n"


def limit_recurrence_set(data: bytes, asked: TimeRange, floating: tzinfo | None = None) -> bytes:
    """
    The master and those overrides that impact a range: where they are or where they would be (RFC 4791 §9.6.6).

    What cannot be read, or costs too much to follow, comes whole.
    """
    text = mend(data)
    try:
        calendar = parse_components(text, longest_head=len(text))[0]
        dropped = [child for child in calendar.children if _is_untouched(text, calendar, child, asked, floating)]
    except (ValueError, IndexError, OverflowError, TooCostly):
        return data
    return _without(text, [(child.start, child.end) for child in dropped]) if dropped else data


def _is_untouched(
    text: bytes, calendar: Component, child: Component, asked: TimeRange, floating: tzinfo | None
) -> bool:
    """Whether a component is an override that has nothing to do with the range."""
    identity = child.find("RECURRENCE-ID")
    if identity is None:
        return False
    found = occurrences(text, calendar, child.name, asked, floating)
    if any(occurrence.component is child and occurrence.reaches(asked) for occurrence in found):
        return False
    first_s = seconds(parse_moment(identity.value), Zones(text, calendar, floating).of(identity))
    last_s = first_s if identity.parameter("RANGE") is None else FAR_AWAY
    plain = replace(calendar, children=[other for other in calendar.children if not other.find("RECURRENCE-ID")])
    return not any(
        first_s <= occurrence.identity_s <= last_s and occurrence.reaches(asked)
        for occurrence in occurrences(text, plain, child.name, asked, floating)
    )


def limit_freebusy_set(data: bytes, asked: TimeRange) -> bytes:
    """A VFREEBUSY with those periods of its FREEBUSY properties that intersect a range (RFC 4791 §9.6.7)."""
    text = mend(data)
    try:
        calendar = parse_components(text, longest_head=len(text))[0]
        found = [line for child in calendar.children if child.name == "VFREEBUSY" for line in child.all("FREEBUSY")]
        changed = {line.start: _with_periods_within(line, asked) for line in found}
    except (ValueError, IndexError, OverflowError):
        return data
    pieces: list[bytes] = []
    for start, end, content in logical_lines(text):
        kept = changed.get(start)
        if kept is None:
            pieces.append(text[start:end])
        elif kept.value:
            head = content[: len(content) - len(kept.whole.encode())]
            pieces.append(_folded(head + kept.value.encode()))
    return b"".join(pieces)


@dataclass(frozen=True, slots=True)
class _Kept:
    whole: str
    value: str


def _with_periods_within(line: Line, asked: TimeRange) -> _Kept | None:
    """The value as it was and as it is to be; None where all of it stays."""
    kept = list(_periods_within(line, asked))
    return None if len(kept) == line.value.count(",") + 1 else _Kept(line.value, ",".join(kept))


def _periods_within(line: Line, asked: TimeRange) -> Iterator[str]:
    for entry in filter(str.strip, line.value.split(",")):
        start, end = parse_period(entry)  # in UTC (RFC 5545 §3.8.2.6)
        if asked.start_s < end.clock_s and asked.end_s > start.clock_s:
            yield entry


def _folded(content: bytes) -> bytes:
    """A line of ASCII, folded (RFC 5545 §3.1)."""
    rest = range(FOLD_AT, len(content), FOLD_AT - 1)
    return b"\r\n ".join([content[:FOLD_AT], *(content[at : at + FOLD_AT - 1] for at in rest)]) + b"\r\n"


def _without(text: bytes, gaps: list[tuple[int, int]]) -> bytes:
    kept = zip([0, *(end for _, end in gaps)], [*(start for start, _ in gaps), len(text)], strict=True)
    return b"".join(text[start:end] for start, end in kept)
