"""Recurring events, tasks and notes as their occurrences, each a component of its own in UTC (RFC 4791 §9.6.5)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from itertools import islice
from operator import itemgetter

from storage.contentlines import Component, Line, mend, parse_components
from storage.itemvalues import parse_moment
from storage.recurrence import Occurrence, TimeRange, occurrences
from storage.rrule import TooCostly
from storage.zones import Zones, clock_of, seconds, system_zone

EXPANDED = ("VEVENT", "VTODO", "VJOURNAL")
RULES = frozenset({"RRULE", "RDATE", "EXDATE", "EXRULE"})
MOST_OCCURRENCES = 5_000
TZID = re.compile(rb";TZID=([^:;\r\n]+)", re.IGNORECASE)
FOLD = re.compile(rb"\r?\n[ \t]")


@lru_cache(maxsize=1024)  # the same week is asked for again and again, and most of its items have not changed
def expand(data: bytes, asked: TimeRange, floating: tzinfo | None = None) -> bytes:
    """
    An object as its occurrences in a range, without time zones; ``floating`` is as in ``occurrences``.

    What cannot be expanded at a bounded cost comes as it is: a client that gets the rule can follow it, one that gets
    too few occurrences cannot know.
    """
    try:
        text = _without_known_zones(mend(data))
        calendar = parse_components(text, longest_head=len(text))[0]
        kind = next((child.name for child in calendar.children if child.name in EXPANDED), None)
        if kind is None:
            return data  # free-busy and availability have no instances
        recurs = any(_recurs(child) for child in calendar.children)
        writer = _Writer(text, Zones(text, calendar, floating), recurs=recurs)
        found = (each for each in occurrences(text, calendar, kind, asked, floating) if each.reaches(asked))
        parts = [writer.component(each) for each in islice(found, MOST_OCCURRENCES + 1)]
    except (ValueError, IndexError, TooCostly, OverflowError):
        return data
    if len(parts) > MOST_OCCURRENCES:
        return data
    if parts and not recurs and b"TZID" not in text.upper():
        return data
    head = b"".join(text[line.start : line.end] for line in calendar.lines)
    ordered = [part for _, part in sorted(parts, key=itemgetter(0))]
    return b"".join([b"BEGIN:VCALENDAR\r\n", head, *ordered, b"END:VCALENDAR\r\n"])


def _without_known_zones(data: bytes) -> bytes:
    """The text without its time zones, where the system knows all that are named: they are half of the lines."""
    begin, last = data.find(b"\nBEGIN:VTIMEZONE"), data.rfind(b"\nEND:VTIMEZONE")
    end = data.find(b"\n", last + 1)
    if begin < 0 or end < 0 or any(b"\nBEGIN:" + kind.encode() in data[begin:end] for kind in EXPANDED):
        return data
    rest = data[: begin + 1] + data[end + 1 :]
    named = {name.decode("utf-8", "replace").strip('"') for name in TZID.findall(FOLD.sub(b"", rest))}
    return rest if all(map(system_zone, named)) else data


def _recurs(component: Component) -> bool:
    return any(line.name in RULES or line.name == "RECURRENCE-ID" for line in component.lines)


class _Writer:
    """Writes occurrences of one object; ``recurs``: each has a RECURRENCE-ID."""

    def __init__(self, data: bytes, zones: Zones, *, recurs: bool) -> None:
        self._data = data
        self._zones = zones
        self._recurs = recurs

    def component(self, found: Occurrence) -> tuple[int, bytes]:
        """An occurrence with its start."""
        component = found.component
        anchor = component.find("DTSTART") or component.find("DUE")
        lines = [f"BEGIN:{component.name}\r\n".encode()]
        for line in component.lines:
            if line.name in RULES or line.name == "RECURRENCE-ID":
                continue
            if line is anchor:
                lines.append(self._dated(line, found.start_s))
                if self._recurs:
                    named = component.find("RECURRENCE-ID") or line
                    lines.append(self._dated(Line("RECURRENCE-ID", (), *named[2:]), found.identity_s, of=named))
            elif line.name in ("DTEND", "DUE") and anchor is not None:
                lines.append(self._dated(line, found.end_s))
            elif line.parameter("TZID") is not None:
                lines.append(self._in_utc(line))
            else:
                lines.append(self._data[line.start : line.end])
        lines += [self._data[child.start : child.end] for child in component.children]
        return found.start_s, b"".join([*lines, f"END:{component.name}\r\n".encode()])

    def _in_utc(self, line: Line) -> bytes:
        try:
            return self._dated(line, seconds(parse_moment(line.value), self._zones.of(line)))
        except ValueError:  # not a moment: some property of a client's own
            return self._data[line.start : line.end]

    def _dated(self, line: Line, at_s: int, *, of: Line | None = None) -> bytes:
        """A date property at another time; a date and a floating time stay on their own clock, which ``of`` tells."""
        of = of or line
        moment, zone = parse_moment(of.value), self._zones.of(of)
        others = [pair for pair in line.parameters if pair[0] not in ("TZID", "VALUE")]
        parameters = "".join(f";{key}={','.join(map(_quoted, values))}" for key, values in others)
        if moment.is_date:
            parameters += ";VALUE=DATE"
        is_local = moment.is_date or (not moment.utc and (zone is None or of.parameter("TZID") is None))
        clock_s = clock_of(at_s, zone) if is_local and not moment.utc else at_s
        form = "%Y%m%d" if moment.is_date else "%Y%m%dT%H%M%S" if is_local else "%Y%m%dT%H%M%SZ"
        return f"{line.name}{parameters}:{datetime.fromtimestamp(clock_s, UTC).strftime(form)}\r\n".encode()


def _quoted(value: str) -> str:
    return f'"{value}"' if any(mark in value for mark in ",;:") else value
