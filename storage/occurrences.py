"""
First and last second of a calendar object, so that a time range can be answered from the index (RFC 4791 §9.9).

The bounds are safe, not exact: every range that overlaps an occurrence by the tables of RFC 4791 §9.9 has
``start <= last_s`` and ``end >= first_s``. Who needs the exact answer judges the few members that are left. Nothing is
expanded here: the cost of a rule does not depend on how often it recurs.

They speak of the components themselves, not of their alarms.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from storage.contentlines import Component, Line
from storage.itemvalues import DAY_S, Moment, Recurrence, parse_duration, parse_moment, parse_period, parse_recurrence

# A local clock is less than 24 hours away from UTC, whatever its VTIMEZONE says (RFC 5545 §3.3.14).
_ZONE_SLACK_S = DAY_S
_LATEST_S = 253_402_300_799  # the end of the year 9999
_STEP_S = {
    # the longest time from one step of a rule to the next
    "SECONDLY": 1,
    "MINUTELY": 60,
    "HOURLY": 3600,
    "DAILY": DAY_S,
    "WEEKLY": 7 * DAY_S,
    "MONTHLY": 31 * DAY_S,
    "YEARLY": 366 * DAY_S,
}


@dataclass(frozen=True, slots=True)
class Bounds:
    """Unix seconds around all occurrences; None is open or unknown."""

    first_s: int | None
    last_s: int | None


OPEN = Bounds(None, None)


def find_bounds(components: Sequence[Component]) -> Bounds:
    """
    The bounds of one object: of its master and overrides, whose values have been judged.

    Raises:
        ValueError: a value is not of its type.
    """
    found = [_component_bounds(component) for component in components] or [OPEN]
    firsts = [bounds.first_s for bounds in found if bounds.first_s is not None]
    lasts = [bounds.last_s for bounds in found if bounds.last_s is not None]
    return Bounds(
        min(firsts) if len(firsts) == len(found) else None,
        max(lasts) if len(lasts) == len(found) else None,
    )


def date_entries(line: Line) -> Iterable[str]:
    """The entries of a list of dates; a property without any (``EXDATE:``, as some clients send) has none."""
    return (entry for entry in line.value.split(",") if entry.strip())


def _component_bounds(component: Component) -> Bounds:
    if component.name == "VFREEBUSY":
        return _freebusy_bounds(component)
    start = component.find("DTSTART") or component.find("DUE")
    if start is None:
        return _undated_bounds(component)
    anchor = parse_moment(start.value)
    before_s, after_s = _reach(component, start, anchor)
    periods = _periods(component, "RDATE")
    first = min(_earliest(moment) for moment in (anchor, *(begin for begin, _ in periods)))
    lasts: list[int | None] = [_latest(moment) for period in periods for moment in period]
    lasts += [_last_start(parse_recurrence(rule.value), anchor) for rule in component.all("RRULE")]
    lasts.append(None if _moves_what_follows(component) else _latest(anchor))
    known = [last for last in lasts if last is not None]
    last = max(known) + after_s if len(known) == len(lasts) else None
    return Bounds(first - before_s, last if last is None or last <= _LATEST_S else None)


def _undated_bounds(component: Component) -> Bounds:
    """A task without DTSTART and DUE stands where it was created and completed; a note stands nowhere."""
    completed = _moments(component, "COMPLETED")
    known = completed + _moments(component, "CREATED")
    if component.name != "VTODO" or component.find("RRULE") or not known:
        return OPEN
    first = min(_earliest(moment) for moment in known)
    return Bounds(first, max(_latest(moment) for moment in known) if completed else None)


def _freebusy_bounds(component: Component) -> Bounds:
    moments = _moments(component, "DTSTART") + _moments(component, "DTEND")
    moments += [moment for period in _periods(component, "FREEBUSY") for moment in period]
    if not moments:
        return OPEN
    return Bounds(min(_earliest(moment) for moment in moments), max(_latest(moment) for moment in moments))


def _reach(component: Component, start: Line, anchor: Moment) -> tuple[int, int]:
    """How many seconds an occurrence reaches before its start (what broken clients send) and after it."""
    duration, end = component.find("DURATION"), component.find("DTEND") or component.find("DUE")
    if duration is not None:
        reach, slack = parse_duration(duration.value), 0
    elif end is not None:
        moment = parse_moment(end.value)
        same_clock = moment.utc == anchor.utc and end.parameter("TZID") == start.parameter("TZID")
        reach, slack = moment.clock_s - anchor.clock_s, 0 if same_clock else 2 * _ZONE_SLACK_S
    else:
        reach, slack = DAY_S if anchor.is_date else 0, 0
    return max(slack - reach, 0), max(reach + slack, 0)


def _last_start(rule: Recurrence, anchor: Moment) -> int | None:
    """The latest second at which an occurrence of the rule can start; None where nothing cheap can be said."""
    if rule.until is not None:
        return _latest(rule.until) + (DAY_S if rule.until.is_date else 0)  # a DATE closes with that day
    if rule.count is None or not rule.gregorian or not _fills_every_step(rule, anchor):
        return None
    a_step = len(set(rule.by["BYDAY"])) if rule.frequency == "WEEKLY" and rule.by else 1
    steps = -(-rule.count // a_step) + 1  # one more, as the first may be cut short by DTSTART
    return _latest(anchor) + steps * rule.interval * _STEP_S[rule.frequency]


def _fills_every_step(rule: Recurrence, anchor: Moment) -> bool:
    """
    Whether every step (day, week, month or year) surely holds an occurrence, so that COUNT bounds the time.

    Told for the rules that calendars make; False where it would take a calendar to know (the 31st of each month).
    """
    day = datetime.fromtimestamp(anchor.clock_s, UTC)
    each_month = any(abs(int(number)) <= 28 for number in rule.by.get("BYMONTHDAY", ()))
    each_weekday = any(abs(int(entry[:-2] or 1)) <= 4 for entry in rule.by.get("BYDAY", ()))
    filled: dict[str, dict[frozenset[str], bool]] = {
        "WEEKLY": {frozenset({"BYDAY"}): True},
        "MONTHLY": {
            frozenset(): day.day <= 28,
            frozenset({"BYMONTHDAY"}): each_month,
            frozenset({"BYDAY"}): each_weekday,
        },
        "YEARLY": {
            frozenset(): (day.month, day.day) != (2, 29),
            frozenset({"BYMONTH"}): day.day <= 28,
            frozenset({"BYMONTH", "BYMONTHDAY"}): each_month,
            frozenset({"BYMONTH", "BYDAY"}): each_weekday,
        },
    }
    parts = frozenset(rule.by)
    return filled.get(rule.frequency, {}).get(parts, not parts)


def _moves_what_follows(component: Component) -> bool:
    """RANGE=THISANDFUTURE moves all later occurrences by as much (RFC 5545 §3.2.13)."""
    identity = component.find("RECURRENCE-ID")
    return identity is not None and identity.parameter("RANGE") is not None


def _moments(component: Component, name: str) -> list[Moment]:
    return [parse_moment(line.value) for line in component.all(name)]


def _periods(component: Component, name: str) -> list[tuple[Moment, Moment]]:
    return [parse_period(entry) for line in component.all(name) for entry in date_entries(line)]


def _earliest(moment: Moment) -> int:
    return moment.clock_s if moment.utc else moment.clock_s - _ZONE_SLACK_S


def _latest(moment: Moment) -> int:
    return moment.clock_s if moment.utc else moment.clock_s + _ZONE_SLACK_S
