"""
When somebody can be booked at all: VAVAILABILITY (RFC 7953), as the periods outside of what is marked available.

The time that a VAVAILABILITY covers is busy, but for its AVAILABLE parts; of several, the one of the higher PRIORITY
decides about the time that both cover (1 is the highest, none the lowest).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from storage.contentlines import Component, mend, parse_components
from storage.itemvalues import parse_duration, parse_moment
from storage.occurrences import BUSY, TENTATIVE, UNAVAILABLE
from storage.records import FAR_AWAY, LONG_AGO
from storage.recurrence import TimeRange, occurrences
from storage.zones import Zones, seconds

NAME, PART = "VAVAILABILITY", "AVAILABLE"
LOWEST = 10  # behind the nine priorities that there are
BUSY_TYPES = {"BUSY": BUSY, "BUSY-UNAVAILABLE": UNAVAILABLE, "BUSY-TENTATIVE": TENTATIVE}

Period = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Availability:
    """
    What one VAVAILABILITY says of a range.

    Attributes:
        covered: the part of the range that it speaks of.
        busy: of which kind that time is where it is not available, as ``Span.busy``.
        available: in no order; may reach beyond what is covered.
    """

    priority: int
    covered: Period
    busy: int
    available: tuple[Period, ...]


def read_availability(data: bytes, asked: TimeRange) -> list[Availability]:
    """
    The VAVAILABILITYs of an iCalendar object that cover some of a range.

    Raises:
        ValueError, TooCostly, OverflowError: it cannot be read or followed.
    """
    text = mend(data)
    calendar = parse_components(text, longest_head=len(text))[0]
    found = (_read(text, calendar, child, asked) for child in calendar.children if child.name == NAME)
    return [each for each in found if each.covered[0] < each.covered[1]]


def speaks_of(component: Component, zones: Zones, asked: TimeRange) -> bool:
    """Whether the time that a VAVAILABILITY covers overlaps a range (RFC 7953 §7.2.2)."""
    start_s, end_s = _spoken_of(component, zones)
    return asked.start_s < end_s and asked.end_s > start_s


def unavailable(found: Iterable[Availability]) -> list[tuple[int, int, int]]:
    """The periods that are not available, (start, end, busy)."""
    painted: list[tuple[int, int, int]] = []
    levels: dict[int, list[Availability]] = {}
    for each in found:
        levels.setdefault(each.priority, []).append(each)
    for priority in sorted(levels, reverse=True):
        for each in levels[priority]:
            painted = _without(painted, [each.covered])
            painted.append((*each.covered, each.busy))
        for each in levels[priority]:  # after all that are busy, as RFC 7953 §5 has them follow each other
            painted = _without(painted, _clipped(each.available, each.covered))
    return painted


def require_availability(component: Component) -> None:
    """
    The dates of a VAVAILABILITY and its parts can be computed with (RFC 7953 §3.1).

    Raises:
        ValueError: a date is missing, has no zone, or stands beside a duration that says the same.
    """
    _require_dates(component)
    priority = component.find("PRIORITY")
    if priority is not None and not priority.value.strip().isdecimal():
        raise ValueError(f"PRIORITY is {priority.value[:20]!r}; it can be 0 to 9")
    for part in component.children:
        if part.name == PART:
            if not (part.find("UID") and part.find("DTSTART")):
                raise ValueError("an AVAILABLE has a UID and a DTSTART")
            _require_dates(part)


def _require_dates(component: Component) -> None:
    for name in ("DTSTART", "DTEND"):
        line = component.find(name)
        if line is None:
            continue
        moment = parse_moment(line.value)
        if moment.is_date or not (moment.utc or line.parameter("TZID")):
            raise ValueError(f"{name} of a {component.name} is a time in UTC or with a zone")
    if component.find("DURATION") and (component.find("DTEND") or not component.find("DTSTART")):
        raise ValueError(f"DURATION stands beside the DTSTART of a {component.name} and not beside a DTEND")


def _read(data: bytes, calendar: Component, component: Component, asked: TimeRange) -> Availability:
    start_s, end_s = _spoken_of(component, Zones(data, calendar))
    kind, priority = component.find("BUSYTYPE"), component.find("PRIORITY")
    busy = UNAVAILABLE if kind is None else BUSY_TYPES.get(kind.value.strip().upper(), UNAVAILABLE)
    number = 0 if priority is None else int(priority.value)
    covered = max(start_s, asked.start_s), min(end_s, asked.end_s)
    return Availability(number or LOWEST, covered, busy, tuple(_available(data, calendar, component, asked)))


def _spoken_of(component: Component, zones: Zones) -> Period:
    start, end, duration = (component.find(name) for name in ("DTSTART", "DTEND", "DURATION"))
    start_s = LONG_AGO if start is None else seconds(parse_moment(start.value), zones.of(start))
    end_s = FAR_AWAY if end is None else seconds(parse_moment(end.value), zones.of(end))
    if end is None and duration is not None:
        end_s = start_s + parse_duration(duration.value)
    return start_s, end_s


def _available(data: bytes, calendar: Component, component: Component, asked: TimeRange) -> Iterator[Period]:
    """The instances of its AVAILABLE parts; what has one UID is one series (RFC 5545 §3.8.4.4)."""
    series: dict[str, list[Component]] = {}
    for part in component.children:
        if part.name == PART:
            uid = part.find("UID")
            series.setdefault("" if uid is None else uid.value, []).append(part)
    described = [child for child in calendar.children if child.name == "VTIMEZONE"]
    for parts in series.values():
        for found in occurrences(data, replace(calendar, children=[*described, *parts]), PART, asked):
            if found.reaches(asked):
                yield found.start_s, found.end_s


def _clipped(periods: Sequence[Period], within: Period) -> list[Period]:
    return [(max(start, within[0]), min(end, within[1])) for start, end in periods]


def _without(painted: list[tuple[int, int, int]], gaps: Iterable[Period]) -> list[tuple[int, int, int]]:
    """What is left of periods without the gaps."""
    left: list[tuple[int, int, int]] = []
    ordered = sorted(gap for gap in gaps if gap[0] < gap[1])
    for start, end, busy in painted:
        for first, last in ordered:
            if first >= end:
                break
            if last > start:
                if first > start:
                    left.append((start, first, busy))
                start = last
            if start >= end:
                break
        if start < end:
            left.append((start, end, busy))
    return left
