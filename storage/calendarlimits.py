"""
What a calendar object may hold at most: its dates, instances and attendees (RFC 4791 §5.2.6 to §5.2.9).

Rules without end are stored whatever the limits are: they are followed as far as somebody asks and no further.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from itertools import islice

from config.schema import Limits
from storage.contentlines import Component, Line, parse_components
from storage.errors import ItemRefused
from storage.itemvalues import DAY_S, Moment, Recurrence, parse_moment, parse_period, parse_recurrence
from storage.recurrence import TimeRange, occurrences
from storage.rrule import UNIT_S, TooCostly
from storage.zones import Zones, seconds

# The values that an object states itself (RFC 5545 §3.8); alarms and time zones have dates of their own.
DATED = frozenset(
    {
        *("DTSTART", "DTEND", "DUE", "RECURRENCE-ID", "RDATE", "EXDATE", "FREEBUSY"),
        *("COMPLETED", "CREATED", "DTSTAMP", "LAST-MODIFIED"),
    }
)
_SHORTEST_S = {**UNIT_S, "DAILY": DAY_S, "WEEKLY": 7 * DAY_S, "MONTHLY": 28 * DAY_S, "YEARLY": 365 * DAY_S}
_MOST_DAYS = {"DAILY": 1, "WEEKLY": 7, "MONTHLY": 31, "YEARLY": 366}


def require_within(data: bytes, components: Sequence[Component], limits: Limits) -> None:
    """
    A calendar object keeps within the limits of its calendar (RFC 4791 §5.3.2.1).

    Args:
        data: the object, as it was judged.
        components: its components without the time zones.

    Raises:
        ItemRefused: ``min-date-time``, ``max-date-time``, ``max-instances`` or ``max-attendees-per-instance``.
    """
    for component in components:
        number = len(component.all("ATTENDEE"))
        if number > limits.attendees:
            said = f"{number} attendees; {limits.attendees} are the most"
            raise ItemRefused("max-attendees-per-instance", said)
    if (limits.calendar_first_year, limits.calendar_last_year) != (1, 9999):
        _require_dates(data, limits)
    if any(line.name in ("RRULE", "RDATE") for component in components for line in component.lines):
        _require_instances(data, components, limits.instances)


@lru_cache(maxsize=8)
def first_and_last(limits: Limits) -> tuple[str, str]:
    """``min-date-time`` and ``max-date-time``, both inclusive, as they are written (RFC 4791 §5.2.6, §5.2.7)."""
    return f"{limits.calendar_first_year:04}0101T000000Z", f"{limits.calendar_last_year:04}1231T235959Z"


def _require_dates(data: bytes, limits: Limits) -> None:
    first, last = (parse_moment(text).clock_s for text in first_and_last(limits))
    calendar = parse_components(data, longest_head=len(data))[0]
    zones = Zones(data, calendar)
    for component in calendar.children:
        if component.name == "VTIMEZONE":
            continue
        for line in component.lines:
            for moment in _moments(line) if line.name in DATED else ():
                at_s = seconds(moment, zones.of(line))
                if at_s < first:
                    said = f"{line.name} is earlier than {limits.calendar_first_year}, the first year that is stored"
                    raise ItemRefused("min-date-time", said)
                if at_s > last:
                    said = f"{line.name} is later than {limits.calendar_last_year}, the last year that is stored"
                    raise ItemRefused("max-date-time", said)


def _moments(line: Line) -> Iterator[Moment]:
    try:
        for entry in filter(str.strip, line.value.split(",")):
            yield from parse_period(entry)
    except ValueError:
        return  # a stamp that nothing is computed with


def _require_instances(data: bytes, components: Sequence[Component], most: int) -> None:
    for component in components:
        if component.find("RECURRENCE-ID") is not None:
            continue  # it stands in the place of an instance that is counted
        number = sum(line.value.count(",") + 1 for line in component.all("RDATE"))
        rules = [parse_recurrence(line.value) for line in component.all("RRULE")]
        number += max(1, sum(rule.count for rule in rules if rule.count is not None))
        if number > most or (_may_exceed(component, rules, most - number) and _exceeds(data, component.name, most)):
            raise ItemRefused("max-instances", f"the rule gives more than {most} instances, which are the most")


def _may_exceed(component: Component, rules: Collection[Recurrence], left: int) -> bool:
    """Whether the rules that end at some time may give more than are left, by their intervals alone."""
    start = component.find("DTSTART") or component.find("DUE")
    if start is None:
        return False
    begin_s, number = parse_moment(start.value).clock_s, 0
    for rule in rules:
        if rule.until is not None and rule.count is None:
            intervals = (rule.until.clock_s + DAY_S - begin_s) // (_SHORTEST_S[rule.frequency] * rule.interval) + 1
            number += max(intervals, 0) * _most_of(rule)
    return number > left


def _most_of(rule: Recurrence) -> int:
    """How many instances one interval of a rule can hold."""
    number = 1
    for part in ("BYHOUR", "BYMINUTE", "BYSECOND"):
        number *= max(1, len(rule.by.get(part, ())))
    days = any(part in rule.by for part in ("BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYMONTH"))
    return number * (_MOST_DAYS.get(rule.frequency, 1) if days else 1)


def _exceeds(data: bytes, kind: str, most: int) -> bool:
    """By following the rules; what cannot be followed is not known to be too much."""
    try:
        calendar = parse_components(data, longest_head=len(data))[0]
        ends = [
            rule.until.clock_s
            for child in calendar.children
            for line in child.all("RRULE")
            if (rule := parse_recurrence(line.value)).until is not None
        ]
        asked = TimeRange(end_s=max(ends) + 2 * DAY_S)
        return next(islice(occurrences(data, calendar, kind, asked), most, None), None) is not None
    except (TooCostly, OverflowError, ValueError):
        return False
