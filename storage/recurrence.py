"""
Whether an object overlaps a time range, exactly, by the tables of RFC 4791 §9.9.

The index holds safe bounds and answers for most members; this judges the few that are left. A rule is followed for a
bounded number of steps; one that would cost more is answered by its bounds, that is: it may overlap, so it does.
"""

from __future__ import annotations

import time
import zoneinfo
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from io import StringIO

from dateutil.tz import tzical

from storage import rules
from storage.contentlines import Component, Line
from storage.itemvalues import DAY_S, Moment, parse_duration, parse_moment, parse_period, parse_recurrence
from storage.records import FAR_AWAY, LONG_AGO
from storage.rules import TooCostly

MOST_STEPS = 20_000
COSTLY_S = 0.25
EARLIEST_S, LATEST_S = 62_000_000_000, 253_000_000_000  # the years that ``datetime`` counts
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - clocks of zones are counted from here


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From ``start_s`` up to and without ``end_s``, unix seconds; an open end is far away."""

    start_s: int = LONG_AGO
    end_s: int = FAR_AWAY


class Zones:
    """
    The time zones that an object's TZID parameters name: the system's, else the object's own VTIMEZONE.

    Attributes:
        floating: of dates and of times without a zone (RFC 4791 §7.3); None is UTC.
    """

    def __init__(self, data: bytes, calendar: Component, floating: tzinfo | None = None) -> None:
        self.floating = floating
        self._data = data
        self._calendar = calendar
        self._known: dict[str, tzinfo | None] = {}

    def of(self, line: Line) -> tzinfo | None:
        """The zone of a property's clock; None is UTC."""
        name = line.parameter("TZID")
        if name is None:
            return self.floating
        if name not in self._known:
            self._known[name] = system_zone(name) or self._own_zone(name)
        return self._known[name] or self.floating

    def _own_zone(self, name: str) -> tzinfo | None:
        for child in self._calendar.children:
            line = child.find("TZID")
            if child.name == "VTIMEZONE" and line is not None and line.value == name:
                return read_zone(self._data[child.start : child.end].decode("utf-8", "replace"))
        return None


def read_zone(text: str) -> tzinfo | None:
    """The one zone that a VTIMEZONE describes; None where it cannot be read."""
    try:
        known = tzical(StringIO(text))
        found: tzinfo | None = known.get(known.keys()[0])
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError):
        return None
    return found


def zone_of_calendar(text: str) -> tzinfo | None:
    """The zone of a ``calendar-timezone`` (RFC 4791 §5.2.2): the system's of that name, else as it is described."""
    name = next((line.partition(":")[2].strip() for line in text.splitlines() if line.upper().startswith("TZID")), "")
    return (system_zone(name) if name else None) or read_zone(text)


@lru_cache(maxsize=1024)
def system_zone(name: str) -> tzinfo | None:
    """A zone of the system's database; ``/mozilla.org/20050126_1/Europe/Berlin`` is one too."""
    pieces = name.strip("/").split("/")
    for count in (len(pieces), 3, 2):
        key = "/".join(pieces[-count:])
        if count <= len(pieces) and len(key) < 64:
            try:
                return zoneinfo.ZoneInfo(key)
            except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
                continue
    return None


_costly: set[str] = set()  # ETags of objects whose rules took long once


def overlaps(
    data: bytes, calendar: Component, name: str, asked: TimeRange, etag: str, floating: tzinfo | None = None
) -> bool:
    """Whether one of a calendar object's components of a type overlaps a time range; its bounds are known to."""
    if etag in _costly:
        return True
    started = time.monotonic()
    try:
        return any(reaches(start, end, asked, name) for start, end, _ in spans(data, calendar, name, asked, floating))
    except (TooCostly, OverflowError):
        return True
    finally:
        if time.monotonic() - started > COSTLY_S:
            if len(_costly) > 10_000:
                _costly.clear()
            _costly.add(etag)


def overlap_of(start_s: int, end_s: int, name: str) -> tuple[int, int]:
    """
    An occurrence as first and last second such that it overlaps a range from S to E if ``first < E and last > S``.

    One without length stands where it begins; a task without length is also in a range that ends there (RFC 4791 §9.9).
    """
    if end_s > start_s:
        return start_s, end_s
    return (start_s - 1, start_s + 1) if name == "VTODO" else (start_s, start_s + 1)


def reaches(start_s: int, end_s: int, asked: TimeRange, name: str) -> bool:
    """Whether an occurrence from start to end overlaps a range."""
    first_s, last_s = overlap_of(start_s, end_s, name)
    return first_s < asked.end_s and last_s > asked.start_s


def spans(
    data: bytes, calendar: Component, name: str, asked: TimeRange, floating: tzinfo | None = None
) -> Iterator[tuple[int, int, Component]]:
    """
    Start and end of each occurrence, in unix seconds up to the end of the range, and the component that gives it.

    Raises:
        TooCostly: a rule takes too many steps.
    """
    zones = Zones(data, calendar, floating)
    components = [child for child in calendar.children if child.name == name]
    overridden = set()
    for component in components:
        line = component.find("RECURRENCE-ID")
        if line is not None:
            overridden.add(seconds(parse_moment(line.value), zones.of(line)))
    for component in components:
        is_override = component.find("RECURRENCE-ID") is not None
        for start, end in _component_spans(component, zones, asked, set() if is_override else overridden):
            yield start, end, component


def seconds(moment: Moment, zone: tzinfo | None) -> int:
    """A moment on a zone's clock as unix seconds."""
    return moment.clock_s if zone is None or moment.utc else on_clock(moment.clock_s, zone)


def on_clock(clock_s: int, zone: tzinfo) -> int:
    """What a zone's clock shows, in seconds as if it were UTC, as unix seconds; the far ends of time stay."""
    if not -EARLIEST_S < clock_s < LATEST_S:
        return clock_s
    local = EPOCH + timedelta(seconds=clock_s)
    return int(local.replace(tzinfo=zone).timestamp())


def _component_spans(
    component: Component, zones: Zones, asked: TimeRange, overridden: set[int]
) -> Iterator[tuple[int, int]]:
    line = component.find("DTSTART") or (component.find("DUE") if component.name == "VTODO" else None)
    if line is None:
        yield from _undated_spans(component)
        return
    first, zone = parse_moment(line.value), zones.of(line)
    length = _length(component, line, first, zones)
    left_out = overridden | set(_listed(component.all("EXDATE"), zones))
    begin_s = seconds(first, zone)
    if begin_s not in left_out:
        yield _span(begin_s, length, line)
    for rdate in component.all("RDATE"):
        for entry in rdate.value.split(","):
            if entry.strip():
                start, end = parse_period(entry)
                start_s, end_s = seconds(start, zones.of(rdate)), seconds(end, zones.of(rdate))
                if start_s not in left_out:
                    yield (start_s, end_s) if end_s > start_s else _span(start_s, length, line)
    for rule in component.all("RRULE"):
        for start_s in _rule_starts(rule, first, zone, asked, length):
            if start_s not in left_out and start_s != begin_s:
                yield _span(start_s, length, line)


def _span(start_s: int, length: int, line: Line) -> tuple[int, int]:
    return (start_s - length, start_s) if line.name == "DUE" else (start_s, start_s + length)


def _length(component: Component, line: Line, first: Moment, zones: Zones) -> int:
    duration, end = component.find("DURATION"), component.find("DTEND") or component.find("DUE")
    if line.name == "DUE":
        return 1  # "start < DUE and end >= DUE": the second before
    if duration is not None:
        return max(parse_duration(duration.value), 0)
    if end is not None:
        return max(seconds(parse_moment(end.value), zones.of(end)) - seconds(first, zones.of(line)), 0)
    return DAY_S if first.is_date else 0


def _listed(lines: Sequence[Line], zones: Zones) -> Iterator[int]:
    for line in lines:
        for entry in line.value.split(","):
            if entry.strip():
                yield seconds(parse_moment(entry), zones.of(line))


def _undated_spans(component: Component) -> Iterator[tuple[int, int]]:
    """A task without dates stands where it was created and completed, or everywhere; a note nowhere."""
    if component.name != "VTODO":
        return
    completed, created = (component.find(name) for name in ("COMPLETED", "CREATED"))
    ends = [parse_moment(line.value).clock_s for line in (completed, created) if line is not None]
    if not ends:
        yield LONG_AGO, FAR_AWAY
    elif completed is None:
        yield ends[0], FAR_AWAY
    else:
        yield min(ends) - 1, max(ends) + 1


def _rule_starts(line: Line, first: Moment, zone: tzinfo | None, asked: TimeRange, length: int) -> Iterator[int]:
    """Starts of a rule's occurrences in unix seconds, rising; what ends before the range may be left out."""
    rule = parse_recurrence(line.value)
    until_s = FAR_AWAY
    if rule.until is not None:
        until_s = seconds(rule.until, zone) + (DAY_S - 1 if rule.until.is_date and not first.is_date else 0)
    local_zone = None if first.utc else zone
    from_s = None if asked.start_s == LONG_AGO else asked.start_s - length - 2 * DAY_S
    for step, clock_s in enumerate(rules.starts(rule, first, from_s=from_s)):
        start_s = clock_s if local_zone is None else on_clock(clock_s, local_zone)
        if start_s > until_s or start_s >= asked.end_s:
            return
        if step > MOST_STEPS:
            raise TooCostly
        yield start_s
