"""A part of an item, as a report asks for it (RFC 4791 §9.6, RFC 6352 §10.4.2): lines kept or left out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import tzinfo
from xml.etree.ElementTree import Element

from storage.contentlines import Component, Line, logical_lines, mend, parse_components
from storage.itemvalues import parse_moment, parse_period
from storage.linewriter import fold
from storage.records import LONG_AGO
from storage.recurrence import TimeRange, occurrences
from storage.rrule import TooCostly
from storage.zones import Zones, seconds

HEAD = re.compile(rb'(?:[^":]|"[^"]*")*:')  # name and parameters
LONGEST_NAME = 200  # bytes of a line that are looked at for its name, or for what begins or ends


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
    for line in _folded_lines(data):
        name, _, value = line[:LONGEST_NAME].decode("utf-8", "replace").strip().partition(":")
        name = name.partition(";")[0].upper()
        if name == "BEGIN":
            inner = _inner(stack[-1], value.strip().upper())
            stack.append(inner)
            if inner is not None:
                kept.append(line)
        elif name == "END":
            ended = stack.pop() if len(stack) > 1 else None
            if ended is not None:
                kept.append(line)
        elif _is_wanted(stack[-1], name):
            kept.append(_without_value(line, stack[-1], name))
    return b"".join(kept)


def _folded_lines(data: bytes) -> Iterator[bytes]:
    """Lines with those that continue them, as they are stored."""
    whole: list[bytes] = []
    for line in data.splitlines(keepends=True):
        if whole and line[:1] not in (b" ", b"\t"):
            yield b"".join(whole)
            whole.clear()
        whole.append(line)
    yield b"".join(whole)


EVERYTHING = Selection(None, None)


def _component(element: Element) -> Selection:
    """What a ``comp`` selects; one that holds nothing stands for all of the component, as in RFC 4791 §7.8.1."""
    if not len(element):
        return EVERYTHING
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
    """A name without a group stands for those in any group, one with a group for itself (RFC 6352 §10.4.2)."""
    if within is None or within.names is None:
        return within is not None
    return name in within.names or name.rpartition(".")[2] in within.names


def _without_value(line: bytes, within: Selection | None, name: str) -> bytes:
    """The line, or with ``novalue`` its name and parameters (RFC 4791 §9.6.4, RFC 6352 §10.4.2)."""
    if within is None or within.names is None:
        return line
    if within.names.get(name, within.names.get(name.rpartition(".")[2], True)):
        return line
    head = HEAD.match(line)
    return (name.encode() + b":" if head is None else head[0]) + b"\r\n"


def limit_recurrence_set(data: bytes, asked: TimeRange, floating: tzinfo | None = None) -> bytes:
    """
    The master and those overrides that impact a range: where they are or where they would be (RFC 4791 §9.6.6).

    What cannot be read, or costs too much to follow, comes whole.
    """
    text = mend(data)
    try:
        calendar = parse_components(text, longest_head=len(text))[0]
        dropped = _untouched(text, calendar, asked, floating)
    except (ValueError, IndexError, OverflowError, TooCostly):
        return data
    return _without(text, [(child.start, child.end) for child in dropped]) if dropped else data


def _untouched(text: bytes, calendar: Component, asked: TimeRange, floating: tzinfo | None) -> list[Component]:
    """The overrides that have nothing to do with the range."""
    overrides = [child for child in calendar.children if child.find("RECURRENCE-ID")]
    plain = replace(calendar, children=[child for child in calendar.children if not child.find("RECURRENCE-ID")])
    are_in, would_be = set[int](), set[int]()
    for kind in {child.name for child in overrides}:
        found = occurrences(text, calendar, kind, asked, floating)
        are_in.update(id(occurrence.component) for occurrence in found if occurrence.reaches(asked))
        found = occurrences(text, plain, kind, asked, floating)
        would_be.update(occurrence.identity_s for occurrence in found if occurrence.reaches(asked))
    zones, latest_s = Zones(text, calendar, floating), max(would_be, default=LONG_AGO)

    def has_place(override: Component) -> bool:
        named = override.find("RECURRENCE-ID")
        assert named is not None
        first_s = seconds(parse_moment(named.value), zones.of(named))
        return first_s in would_be or (named.parameter("RANGE") is not None and first_s <= latest_s)

    return [child for child in overrides if id(child) not in are_in and not has_place(child)]


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
            pieces.append(fold((head + kept.value.encode()).decode()))
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


def _without(text: bytes, gaps: list[tuple[int, int]]) -> bytes:
    kept = zip([0, *(end for _, end in gaps)], [*(start for start, _ in gaps), len(text)], strict=True)
    return b"".join(text[start:end] for start, end in kept)
