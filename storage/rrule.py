"""
The occurrences of a recurrence rule on its own clock (RFC 5545 §3.3.10).

A rule is followed interval by interval (a day, week, month or year, times INTERVAL), and each costs a share of a budget
whether or not it holds an occurrence: a rule that asks for the 30th of February ends when the budget does. A rule
without COUNT is followed from the time that is asked for, not from its beginning.
"""

from __future__ import annotations

import calendar
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import count

from storage.itemvalues import DAY_S, WEEKDAYS, Moment, Recurrence

MOST_STEPS = 20_000  # less than a tenth of a second
COSTS = {"DAILY": 1, "WEEKLY": 1, "MONTHLY": 3, "YEARLY": 20}  # steps of an interval, by what there is to compute
UNIT_S = {"SECONDLY": 1, "MINUTELY": 60, "HOURLY": 3600}
STEP_S = {**UNIT_S, "DAILY": DAY_S, "WEEKLY": 7 * DAY_S}
EPOCH_DAY = date(1970, 1, 1).toordinal()
LAST_DAY = date.max.toordinal()


class TooCostly(Exception):
    """A rule would take more steps than are taken here."""


class Unfollowable(TooCostly):
    """Rules that are followed for no range, however short: by a calendar that is not known here, or too many."""


def rule_starts(rule: Recurrence, first: Moment, after_s: int, before_s: int) -> Iterator[int]:
    """
    When occurrences start, as ``Moment.clock_s``, rising.

    COUNT and UNTIL are the caller's: they count what the zone's clock shows and compare in UTC. Without COUNT, what
    lies before ``after_s`` is left out, and so is what lies after ``before_s``.

    Raises:
        TooCostly: after ``MOST_STEPS``, or ``Unfollowable``.
    """
    if not rule.gregorian:
        raise Unfollowable
    after_s = first.clock_s if rule.count is not None else max(after_s, first.clock_s)
    if not rule.by and rule.frequency in STEP_S:
        found = _by_steps
    else:
        found = _by_clock if rule.frequency in UNIT_S else _by_days
    for at_s in found(rule, first, after_s, before_s):
        if at_s > before_s:
            return
        if at_s >= after_s:
            yield at_s


class _Budget:
    def __init__(self) -> None:
        self._left = MOST_STEPS

    def take(self, steps: int) -> None:
        self._left -= steps
        if self._left < 0:
            raise TooCostly


@dataclass(frozen=True, slots=True)
class _Parts:
    """
    The BY… parts that name days, as numbers; empty where they are not there.

    Attributes:
        weekdays: which of them, or 0 for each; 0 is Monday.
    """

    months: frozenset[int]
    weeks: frozenset[int]
    year_days: frozenset[int]
    month_days: frozenset[int]
    weekdays: frozenset[tuple[int, int]]

    def let(self, day: int) -> bool:
        """Whether a day is not limited away (the table of RFC 5545 §3.3.10, where days are not expanded)."""
        if not (self.months or self.month_days or self.weekdays or self.year_days):
            return True
        when = date.fromordinal(day)
        if self.months and when.month not in self.months:
            return False
        if self.weekdays and all(number != when.weekday() for _, number in self.weekdays):
            return False
        if self.month_days and not {when.day, when.day - _length(when.year, when.month) - 1} & self.month_days:
            return False
        return not self.year_days or day in _year_days(when.year, self)


def _parts(rule: Recurrence) -> _Parts:
    # elsewhere a number before a day has no meaning
    is_nth = rule.frequency in ("MONTHLY", "YEARLY")
    weekdays = (
        (int(entry[:-2] or 0) if is_nth else 0, WEEKDAYS.index(entry[-2:])) for entry in rule.by.get("BYDAY", ())
    )
    months, weeks, year_days, month_days = (
        _numbers(rule, name) for name in ("BYMONTH", "BYWEEKNO", "BYYEARDAY", "BYMONTHDAY")
    )
    return _Parts(months, weeks, year_days, month_days, frozenset(weekdays))


def _by_days(rule: Recurrence, first: Moment, after_s: int, before_s: int) -> Iterator[int]:
    """DAILY to YEARLY: the days of each interval with each time of day."""
    parts, times, budget = _parts(rule), _times_of_day(rule, first), _Budget()
    last_day = before_s // DAY_S + EPOCH_DAY
    for days in _intervals(rule, parts, first, _skipped(rule, first, after_s), last_day):
        budget.take(COSTS[rule.frequency] + len(days) * len(times))
        found = [(day - EPOCH_DAY) * DAY_S + time for day in sorted(days) for time in times]
        yield from _picked(rule, found)


def _skipped(rule: Recurrence, first: Moment, after_s: int) -> int:
    """How many intervals end before what is asked for."""
    longest_days = {"DAILY": 1, "WEEKLY": 7, "MONTHLY": 31, "YEARLY": 366}[rule.frequency]
    return max(0, (after_s - first.clock_s) // (longest_days * DAY_S * rule.interval) - 1)


def _intervals(
    rule: Recurrence, parts: _Parts, first: Moment, skipped: int, last_day: int
) -> Iterator[Collection[int]]:
    """The days of each interval on which occurrences can begin, as ordinals, up to some day."""
    start, step = first.clock_s // DAY_S + EPOCH_DAY, rule.interval
    anchor, last_day = date.fromordinal(start), min(last_day, LAST_DAY)
    if rule.frequency == "DAILY":
        for day in range(start + skipped * step, last_day + 1, step):
            yield (day,) if parts.let(day) else ()
    elif rule.frequency == "WEEKLY":
        begin = start - (anchor.weekday() - rule.week_start) % 7
        offsets = sorted({(number - rule.week_start) % 7 for _, number in parts.weekdays} or {start - begin})
        for week in range(begin + 7 * skipped * step, last_day + 1, 7 * step):
            yield [day for offset in offsets if (day := week + offset) <= LAST_DAY and parts.let(day)]
    elif rule.frequency == "MONTHLY":
        begin = anchor.year * 12 + anchor.month - 1
        for month in count(begin + skipped * step, step):
            if month >= 12 * 10_000 or date(month // 12, month % 12 + 1, 1).toordinal() > last_day:
                return
            is_asked = not parts.months or month % 12 + 1 in parts.months
            yield _days_of_month(month // 12, month % 12 + 1, parts, anchor) if is_asked else ()
    else:
        for year in count(anchor.year + skipped * step, step):
            if year >= 10_000 or date(year, 1, 1).toordinal() - 7 > last_day:
                return
            yield _days_of_year(year, parts, anchor, rule.week_start)


def _days_of_month(year: int, month: int, parts: _Parts, anchor: date) -> set[int]:
    begin, length = date(year, month, 1).toordinal(), _length(year, month)
    if not parts.month_days and not parts.weekdays:
        return {begin + anchor.day - 1} if anchor.day <= length else set()
    found = set[int]()
    if parts.month_days:
        numbers = (day if day > 0 else length + 1 + day for day in parts.month_days)
        found = {begin + day - 1 for day in numbers if 1 <= day <= length}
    if parts.weekdays:
        by_weekday = _weekdays_within(begin, length, parts)
        found = found & by_weekday if parts.month_days else by_weekday
    if parts.year_days:
        found &= _year_days(year, parts)
    return found


def _days_of_year(year: int, parts: _Parts, anchor: date, week_start: int) -> set[int]:
    if parts.months or (parts.month_days and not parts.weeks and not parts.year_days):
        months = parts.months or range(1, 13)
        found = set[int]().union(*(_days_of_month(year, month, parts, anchor) for month in months if 1 <= month <= 12))
        if (parts.weeks or parts.year_days) and not (parts.month_days or parts.weekdays):
            found = set(_all_of_months(year, parts.months))
    elif parts.weekdays and not parts.weeks:
        begin = date(year, 1, 1).toordinal()
        found = _weekdays_within(begin, 365 + calendar.isleap(year), parts)
    elif parts.weeks or parts.year_days:
        found = set(range(date(year, 1, 1).toordinal() - 7, date(year, 12, 31).toordinal() + 8))
    else:
        is_there = anchor.day <= _length(year, anchor.month)
        found = {date(year, anchor.month, anchor.day).toordinal()} if is_there else set()
    if parts.year_days:
        found &= _year_days(year, parts)
    if parts.weeks:
        found &= _weeks(year, parts, anchor, week_start)
        if parts.month_days:
            found = {day for day in found if parts.let(day)}
    return found


def _all_of_months(year: int, months: Iterable[int]) -> Iterator[int]:
    for month in months:
        begin = date(year, month, 1).toordinal()
        yield from range(begin, begin + _length(year, month))


def _weekdays_within(begin: int, length: int, parts: _Parts) -> set[int]:
    """The days of BYDAY within a month or year: each Monday, or the first, or the last but one."""
    found = set[int]()
    first_weekday = (begin - 1) % 7  # day 1 was a Monday
    for which, number in parts.weekdays:
        days = range(begin + (number - first_weekday) % 7, begin + length, 7)
        if which == 0:
            found.update(days)
        elif -len(days) <= which <= len(days):
            found.add(days[which - 1 if which > 0 else which])
    return found


def _year_days(year: int, parts: _Parts) -> set[int]:
    begin, length = date(year, 1, 1).toordinal(), 365 + calendar.isleap(year)
    numbers = (day if day > 0 else length + 1 + day for day in parts.year_days)
    return {begin + day - 1 for day in numbers if 1 <= day <= length}


def _weeks(year: int, parts: _Parts, anchor: date, week_start: int) -> set[int]:
    """The days of BYWEEKNO: the weekdays that are named, else the one of the start."""
    first, following = _first_week(year, week_start), _first_week(year + 1, week_start) if year < 9999 else LAST_DAY
    count = (following - first) // 7
    numbers = {number for _, number in parts.weekdays} or {anchor.weekday()}
    begins = (first + 7 * (week - 1 if week > 0 else count + week) for week in parts.weeks if abs(week) <= count)
    return {begin + (number - week_start) % 7 for begin in begins for number in numbers}


def _first_week(year: int, week_start: int) -> int:
    """The first day of the first week that has at least four days in the year."""
    fourth = date(year, 1, 4).toordinal()
    return fourth - ((fourth - 1) % 7 - week_start) % 7


@lru_cache(maxsize=4096)
def _length(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


def _by_steps(rule: Recurrence, first: Moment, after_s: int, before_s: int) -> Iterator[int]:
    """A rule that says how often and nothing else."""
    step_s, budget = rule.interval * STEP_S[rule.frequency], _Budget()
    last_s = min(before_s, (LAST_DAY - EPOCH_DAY + 1) * DAY_S - 1)
    for at_s in range(first.clock_s + (after_s - first.clock_s) // step_s * step_s, last_s + 1, step_s):
        budget.take(1)
        yield at_s


def _by_clock(rule: Recurrence, first: Moment, after_s: int, before_s: int) -> Iterator[int]:
    """HOURLY to SECONDLY: hour by hour; a day, hour or minute that does not fit is passed in one step."""
    parts, budget = _parts(rule), _Budget()
    unit = UNIT_S[rule.frequency]
    step = unit * rule.interval
    hours, minutes, seconds = (_numbers(rule, name) for name in ("BYHOUR", "BYMINUTE", "BYSECOND"))
    inner = _times_in_hour(rule, first) if unit == 3600 else sorted(seconds or {first.clock_s % 60})
    at_s = first.clock_s // unit * unit
    at_s += (after_s - at_s) // step * step
    known, fits = -1, False
    while at_s <= before_s and at_s // DAY_S + EPOCH_DAY <= LAST_DAY:
        budget.take(1)
        if at_s // DAY_S != known:
            known, fits = at_s // DAY_S, parts.let(at_s // DAY_S + EPOCH_DAY)
        hour, minute = at_s // 3600 % 24, at_s // 60 % 60
        if not fits:
            at_s += _steps_to(DAY_S, at_s, step)
        elif hours and hour not in hours:
            at_s += _steps_to(3600, at_s, step)
        elif minutes and unit < 3600 and minute not in minutes:
            at_s += _steps_to(60, at_s, step)
        else:
            if unit > 1:
                budget.take(len(inner))
                yield from _picked(rule, [at_s + later for later in inner])
            elif not seconds or at_s % 60 in seconds:
                yield from _picked(rule, [at_s])
            at_s += step


def _steps_to(unit: int, at_s: int, step: int) -> int:
    """Seconds in whole steps to the next day, hour or minute."""
    return -(-(unit - at_s % unit) // step) * step


def _times_of_day(rule: Recurrence, first: Moment) -> list[int]:
    if first.is_date:
        return [0]  # BYHOUR and its like "MUST be ignored" there
    hours = sorted(_numbers(rule, "BYHOUR") or {first.clock_s // 3600 % 24})
    return [hour * 3600 + later for hour in hours for later in _times_in_hour(rule, first)]


def _times_in_hour(rule: Recurrence, first: Moment) -> list[int]:
    minutes = sorted(_numbers(rule, "BYMINUTE") or {first.clock_s // 60 % 60})
    seconds = sorted(_numbers(rule, "BYSECOND") or {first.clock_s % 60})
    return [minute * 60 + second for minute in minutes for second in seconds if second < 60]


def _picked(rule: Recurrence, found: list[int]) -> list[int]:
    """BYSETPOS: the named ones of an interval's occurrences."""
    positions = _numbers(rule, "BYSETPOS")
    if not positions:
        return found
    places = {place - 1 if place > 0 else len(found) + place for place in positions}
    return [found[place] for place in sorted(places) if 0 <= place < len(found)]


def _numbers(rule: Recurrence, name: str) -> frozenset[int]:
    return frozenset(int(entry.removesuffix("L")) for entry in rule.by.get(name, ()))
