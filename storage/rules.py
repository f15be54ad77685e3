"""
Following a recurrence rule (RFC 5545 §3.3.10): its occurrences in rising order, at a bounded cost.

All is counted on one clock, in seconds as if it were UTC. A rule is followed period by period (a day, week, month or
year, times INTERVAL), and each period costs a share of a budget whether or not it holds an occurrence: a rule that
asks for the 30th of February ends when the budget does.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from storage.itemvalues import DAY_S, Moment, Recurrence

BUDGET = 20_000
COSTS = {"DAILY": 1, "WEEKLY": 1, "MONTHLY": 3, "YEARLY": 20}  # a period's share of it, by what there is to compute
CLOCK_STEPS_S = {"HOURLY": 3600, "MINUTELY": 60, "SECONDLY": 1}
EPOCH_DAY = date(1970, 1, 1).toordinal()
LAST_DAY = date.max.toordinal()
WEEKDAYS = {name: number for number, name in enumerate(("MO", "TU", "WE", "TH", "FR", "SA", "SU"))}


class TooCostly(Exception):
    """A rule would take more steps than are taken here."""


@dataclass(frozen=True, slots=True)
class _Parts:
    """The BY… parts of a rule as numbers; empty where they are not there."""

    months: frozenset[int]
    weeks: tuple[int, ...]
    year_days: tuple[int, ...]
    month_days: tuple[int, ...]
    weekdays: tuple[tuple[int, int], ...]  # (which, or 0 for each; 0 is Monday)
    positions: tuple[int, ...]

    @property
    def names_days(self) -> bool:
        """Whether the rule itself says which days; else the start does."""
        return bool(self.weeks or self.year_days or self.month_days or self.weekdays)


def starts(rule: Recurrence, first: Moment, *, from_s: int | None = None) -> Iterator[int]:
    """
    The starts of a rule's occurrences from the first one on, COUNT observed and UNTIL not.

    Args:
        first: DTSTART; what the rule does not say is as in it.
        from_s: what lies before may be left out.

    Raises:
        TooCostly: the budget is used up, or the rule is of a kind that is not followed.
    """
    if rule.frequency in CLOCK_STEPS_S and rule.gregorian and not rule.by:
        yield from _clock_starts(rule, first, from_s)
        return
    if rule.frequency not in COSTS or not rule.gregorian:
        raise TooCostly
    parts, left = _parts(rule), rule.count
    times = _times(rule, first)
    skipped = _skipped(rule, first, from_s)
    if left is not None and skipped:
        left -= skipped  # one a period
    budget = BUDGET
    for days in _periods(rule, parts, first, skipped):
        budget -= COSTS[rule.frequency]
        if budget < 0:
            raise TooCostly
        found = [(day - EPOCH_DAY) * DAY_S + time for day in sorted(days) for time in times]
        if parts.positions:
            found = _positioned(found, parts.positions)
        for start_s in found:
            if start_s < first.clock_s:
                continue
            if left is not None:
                if left <= 0:
                    return
                left -= 1
            yield start_s


def _clock_starts(rule: Recurrence, first: Moment, from_s: int | None) -> Iterator[int]:
    """A rule of hours, minutes or seconds that names none of them."""
    step_s = rule.interval * CLOCK_STEPS_S[rule.frequency]
    skipped = 0 if from_s is None else max(0, (from_s - first.clock_s) // step_s)
    last = BUDGET + skipped if rule.count is None else min(rule.count, BUDGET + skipped)
    yield from (first.clock_s + number * step_s for number in range(skipped, last))
    if last != rule.count:
        raise TooCostly


def _parts(rule: Recurrence) -> _Parts:
    def numbers(name: str) -> tuple[int, ...]:
        return tuple(int(entry.removesuffix("L")) for entry in rule.by.get(name, ()))

    weekdays = ((int(entry[:-2] or 0), WEEKDAYS[entry[-2:]]) for entry in rule.by.get("BYDAY", ()))
    return _Parts(
        frozenset(numbers("BYMONTH")),
        numbers("BYWEEKNO"),
        numbers("BYYEARDAY"),
        numbers("BYMONTHDAY"),
        tuple(weekdays),
        numbers("BYSETPOS"),
    )


def _times(rule: Recurrence, first: Moment) -> list[int]:
    """Seconds of the day at which occurrences begin; a DATE has none of its own (RFC 5545 §3.3.10)."""
    if first.is_date:
        return [0]
    of_day = first.clock_s % DAY_S
    clock = ((of_day // 3600, "BYHOUR", 3600), (of_day // 60 % 60, "BYMINUTE", 60), (of_day % 60, "BYSECOND", 1))
    times = {0}
    for own, name, worth_s in clock:
        values = {min(int(entry), 59) for entry in rule.by.get(name, ())} or {own}
        times = {time + value * worth_s for time in times for value in values}
    return sorted(times)


def _positioned(found: list[int], positions: Iterable[int]) -> list[int]:
    chosen = {position - 1 if position > 0 else len(found) + position for position in positions}
    return [found[index] for index in sorted(chosen) if 0 <= index < len(found)]


# -- periods ---------------------------------------------------------------------------------------------------------


def _skipped(rule: Recurrence, first: Moment, from_s: int | None) -> int:
    """How many periods end before what is asked for; with COUNT only where each surely holds one occurrence."""
    if from_s is None or from_s <= first.clock_s:
        return 0
    is_counted = rule.count is not None
    if is_counted and (rule.by or rule.frequency not in ("DAILY", "WEEKLY")):
        return 0
    shortest_s = {"DAILY": DAY_S, "WEEKLY": 7 * DAY_S, "MONTHLY": 31 * DAY_S, "YEARLY": 366 * DAY_S}[rule.frequency]
    return max(0, (from_s - first.clock_s) // (shortest_s * rule.interval) - 1)


def _periods(rule: Recurrence, parts: _Parts, first: Moment, skipped: int) -> Iterator[Iterable[int]]:
    """The days of each period on which occurrences can begin, as ordinals."""
    start = first.clock_s // DAY_S + EPOCH_DAY
    anchor = date.fromordinal(start)
    step = rule.interval
    if rule.frequency == "DAILY":
        for day in range(start + skipped * step, LAST_DAY, step):
            yield [day] if _passes(day, parts) else []
    elif rule.frequency == "WEEKLY":
        begin = start - (anchor.weekday() - WEEKDAYS[rule.week_start]) % 7
        offsets = sorted({(number - WEEKDAYS[rule.week_start]) % 7 for _, number in parts.weekdays} or {start - begin})
        for week in range(begin + 7 * skipped * step, LAST_DAY - 7, 7 * step):
            yield [week + offset for offset in offsets if _passes(week + offset, parts)]
    elif rule.frequency == "MONTHLY":
        number = anchor.year * 12 + anchor.month - 1
        for month in range(number + skipped * step, 12 * 10_000, step):
            yield _days_of_month(month // 12, month % 12 + 1, parts, anchor) if _has_month(month, parts) else ()
    else:
        for year in range(anchor.year + skipped * step, 10_000, step):
            yield _days_of_year(year, parts, anchor, WEEKDAYS[rule.week_start])


def _has_month(month: int, parts: _Parts) -> bool:
    return not parts.months or month % 12 + 1 in parts.months


def _passes(day: int, parts: _Parts) -> bool:
    """Whether a day is not limited away (the table of RFC 5545 §3.3.10, DAILY and WEEKLY)."""
    if not (parts.months or parts.month_days or parts.weekdays or parts.year_days):
        return True
    when = date.fromordinal(day)
    if parts.months and when.month not in parts.months:
        return False
    if parts.weekdays and all(number != when.weekday() for _, number in parts.weekdays):
        return False
    if parts.month_days:
        length = _length(when.year, when.month)
        if when.day not in parts.month_days and when.day - length - 1 not in parts.month_days:
            return False
    return not parts.year_days or bool({day} & _year_days(when.year, parts))


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
        if parts.names_days and not (parts.month_days or parts.weekdays):
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
            found = {day for day in found if _passes(day, parts)}
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
