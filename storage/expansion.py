"""Recurring events, tasks and notes as their occurrences, each a component of its own in UTC (RFC 4791 §9.6.5)."""

from __future__ import annotations

from datetime import UTC, datetime

from storage.contentlines import Component, Line, mend, parse_components
from storage.itemvalues import parse_moment
from storage.recurrence import TimeRange, Zones, reaches, seconds, spans
from storage.rules import TooCostly

EXPANDED = ("VEVENT", "VTODO", "VJOURNAL")
RULES = frozenset({"RRULE", "RDATE", "EXDATE", "EXRULE"})
MOST_OCCURRENCES = 5_000
BARE_MARKS = (b"RRULE", b"RDATE", b"TZID", b"RECURRENCE-ID")  # without any of them an object is its one occurrence


def expand(data: bytes, asked: TimeRange) -> bytes:
    """
    An object as its occurrences in a range, without time zones.

    What cannot be expanded at a bounded cost comes as it is: a client that gets the rule can follow it, one that gets
    too few occurrences cannot know.
    """
    try:
        text = mend(data)
        calendar = parse_components(text, longest_head=len(text))[0]
        kind = next((child.name for child in calendar.children if child.name in EXPANDED), EXPANDED[0])
        zones, parts = Zones(text, calendar), list[bytes]()
        for start, end, component in spans(text, calendar, kind, asked):
            if not reaches(start, end, asked, kind):
                continue
            if len(parts) == MOST_OCCURRENCES:
                return data
            parts.append(_occurrence(text, component, zones, start, end))
    except (ValueError, IndexError, TooCostly, OverflowError):
        return data
    if parts and not any(mark in text.upper() for mark in BARE_MARKS):
        return data
    head = b"".join(text[line.start : line.end] for line in calendar.lines)
    return b"".join([b"BEGIN:VCALENDAR\r\n", head, *parts, b"END:VCALENDAR\r\n"])


def _occurrence(data: bytes, component: Component, zones: Zones, start_s: int, end_s: int) -> bytes:
    recurs = any(line.name in RULES for line in component.lines) and component.find("RECURRENCE-ID") is None
    lines = [f"BEGIN:{component.name}\r\n".encode()]
    begins = component.find("DTSTART") or component.find("DUE")
    for line in component.lines:
        if line.name in RULES:
            continue
        if recurs and line is begins:
            lines.append(_dated(line, line.name, zones, end_s if line.name == "DUE" else start_s))
            lines.append(_dated(line, "RECURRENCE-ID", zones, end_s if line.name == "DUE" else start_s))
        elif recurs and line.name in ("DTEND", "DUE"):
            lines.append(_dated(line, line.name, zones, end_s))
        elif line.parameter("TZID") is not None:
            lines.append(_in_utc(data, line, zones))
        else:
            lines.append(data[line.start : line.end])
    lines += [data[child.start : child.end] for child in component.children]
    return b"".join([*lines, f"END:{component.name}\r\n".encode()])


def _in_utc(data: bytes, line: Line, zones: Zones) -> bytes:
    try:
        return _dated(line, line.name, zones, seconds(parse_moment(line.value), zones.of(line)))
    except ValueError:  # not a moment: some property of a client's own
        return data[line.start : line.end]


def _dated(line: Line, name: str, zones: Zones, at_s: int) -> bytes:
    """A date property with another name and time; on a local clock it stays there."""
    moment, others = parse_moment(line.value), [pair for pair in line.parameters if pair[0] not in ("TZID", "VALUE")]
    parameters = "".join(f';{key}="{",".join(values)}"' for key, values in others if name == line.name)
    if moment.is_date:
        parameters += ";VALUE=DATE"
    is_local = not moment.utc and zones.of(line) is None
    form = "%Y%m%d" if moment.is_date else "%Y%m%dT%H%M%S" if is_local else "%Y%m%dT%H%M%SZ"
    return f"{name}{parameters}:{datetime.fromtimestamp(at_s, UTC).strftime(form)}\r\n".encode()
