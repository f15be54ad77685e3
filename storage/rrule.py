"""
The occurrences of a recurrence rule on its own clock (RFC 5545 §3.3.10).

One interval of FREQ after the other, day by day. A rule without COUNT is followed from the time that is asked for, not
from its beginning; and how much is looked at is bounded, so that no rule costs more than any other, whatever it says.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import count, product

from storage.itemvalues import DAY_S, WEEKDAYS, Moment, Recurrence

MOST_STEPS = 20_000  # days looked at and occurrences found; less than a tenth of a second
EPOCH_DAY = date(1970, 1, 1).toordinal()
LAST_DAY = date.max.toordinal() - EPOCH_DAY
UNIT_S = {"SECONDLY": 1, "MINUTELY": 60, "HOURLY": 3600, "DAILY": DAY_S, "WEEKLY": 7 * DAY_S}


class TooCostly(Exception):
    """A rule would take more steps than are taken here, or counts by a calendar that is not known here."""


def rule_starts(rule: Recurrence, first: Moment, after_s: int, before_s: int) -> Iterator[int]:
    """
    When occurrences start, as ``Moment.clock_s``, rising.

    COUNT and UNTIL are the caller's: they count what the zone's clock shows and compare in UTC. Without COUNT, what
    lies before ``after_s`` may be left out; what lies after ``before_s`` is.

    Raises:
        TooCostly: after ``MOST_STEPS``.
    """
    if not rule.gregorian:
        raise TooCostly
    if rule.count is not None:
        after_s = first.clock_s
    found = _by_clock if rule.frequency in ("SECONDLY", "MINUTELY", "HOURLY") else _by_days
    for at_s in found(rule, first, max(after_s, first.clock_s), before_s):
        if at_s > before_s:
            return
        if at_s >= first.clock_s:
            yield at_s


class _Budget:
    def __init__(self) -> None:
        self._left = MOST_STEPS

    def take(self, steps: int) -> None:
        self._left -= steps
        if self._left < 0:
            raise TooCostly


class _Days:
    """Which days a rule's BY… parts let through; what they do not say, DTSTART says."""

    def __init__(self, rule: Recurrence, first: Moment) -> None:
        start = _date(first.clock_s // DAY_S)
        self._week_start = rule.week_start
        self.months = _numbers(rule, "BYMONTH")
        self._month_days = _numbers(rule, "BYMONTHDAY")
        self._year_days = _numbers(rule, "BYYEARDAY")
        self._weeks = _numbers(rule, "BYWEEKNO")
        nth = rule.frequency in ("MONTHLY", "YEARLY")  # elsewhere a number before a day has no meaning
        named = [(entry[:-2] if nth else "", WEEKDAYS.index(entry[-2:])) for entry in rule.by.get("BYDAY", ())]
        self._weekdays = {(int(number or 0), weekday) for number, weekday in named}
        self._in_month = rule.frequency == "MONTHLY" or bool(self.months)
        if not (self._month_days or self._year_days or self._weeks or self._weekdays):
            if rule.frequency == "WEEKLY":
                self._weekdays = {(0, start.weekday())}
            elif nth:
                self._month_days = frozenset({start.day})
                if rule.frequency == "YEARLY" and not self.months:
                    self.months = frozenset({start.month})

    def fit(self, number: int) -> bool:
        """Whether occurrences may start on a day, given as days since 1970."""
        day = _date(number)
        if self.months and day.month not in self.months:
            return False
        if self._month_days:
            length = calendar.monthrange(day.year, day.month)[1]
            if day.day not in self._month_days and day.day - length - 1 not in self._month_days:
                return False
        if self._weekdays and (0, day.weekday()) not in self._weekdays and not self._is_nth(day):
            return False
        if self._year_days:
            at, length = day.timetuple().tm_yday, 366 if calendar.isleap(day.year) else 365
            if at not in self._year_days and at - length - 1 not in self._year_days:
                return False
        return not self._weeks or self._is_in_week(day)

    def _is_nth(self, day: date) -> bool:
        at, length = day.day, calendar.monthrange(day.year, day.month)[1]
        if not self._in_month:
            at, length = day.timetuple().tm_yday, 366 if calendar.isleap(day.year) else 365
        weekday = day.weekday()
        return ((at - 1) // 7 + 1, weekday) in self._weekdays or (-((length - at) // 7 + 1), weekday) in self._weekdays

    def _is_in_week(self, day: date) -> bool:
        """By the week that the day lies in; the first of a year is the one with four days of it."""
        middle = day.toordinal() - (day.weekday() - self._week_start) % 7 + 3
        if middle > date.max.toordinal():
            return False
        year = date.fromordinal(middle)
        number = (year.timetuple().tm_yday - 1) // 7 + 1
        length = 366 if calendar.isleap(year.year) else 365
        total = number + (length - year.timetuple().tm_yday) // 7
        return number in self._weeks or number - total - 1 in self._weeks


def _by_days(rule: Recurrence, first: Moment, after_s: int, before_s: int) -> Iterator[int]:
    """DAILY to YEARLY: the days of each interval with each time of day."""
    days, budget = _Days(rule, first), _Budget()
    times = _times_of_day(rule, first)
    for span in _intervals(rule, first, after_s, days):
        if span[0] * DAY_S > before_s or span[0] > LAST_DAY:
            return
        budget.take(len(span))
        fitting = [day for day in span if day <= LAST_DAY and days.fit(day)]
        if rule.by.get("BYSETPOS"):
            budget.take(len(fitting) * len(times))
            yield from _picked(rule, [day * DAY_S + time for day in fitting for time in times])
            continue
        for day, time in product(fitting, times):
            budget.take(1)
            yield day * DAY_S + time


def _intervals(rule: Recurrence, first: Moment, after_s: int, days: _Days) -> Iterator[Sequence[int]]:
    """The days of each interval of the rule, from the one that ``after_s`` lies in."""
    begin, after = first.clock_s // DAY_S, after_s // DAY_S
    if rule.frequency in ("DAILY", "WEEKLY"):
        length = UNIT_S[rule.frequency] // DAY_S
        anchor = begin if length == 1 else begin - (_date(begin).weekday() - rule.week_start) % 7
        step = length * rule.interval
        for at in count(anchor + max(after - anchor, 0) // step * step, step):
            yield range(at, at + length)
    start, asked = _date(begin), _date(min(after, LAST_DAY))
    unit = 12 if rule.frequency == "YEARLY" else 1
    anchor = start.year * 12 + (start.month - 1 if unit == 1 else 0)
    step = unit * rule.interval
    inside = [month - 1 for month in sorted(days.months or range(1, 13)) if month < 13] if unit == 12 else [0]
    if not inside:
        return
    for at in count(anchor + max(asked.year * 12 + asked.month - 1 - anchor, 0) // step * step, step):
        if (at + unit - 1) // 12 > date.max.year:
            return
        yield [day for month in inside for day in _days_of_month(at + month)]


def _days_of_month(month: int) -> range:
    begin = date(month // 12, month % 12 + 1, 1).toordinal() - EPOCH_DAY
    return range(begin, begin + calendar.monthrange(month // 12, month % 12 + 1)[1])


def _by_clock(rule: Recurrence, first: Moment, after_s: int, before_s: int) -> Iterator[int]:
    """HOURLY to SECONDLY: hour by hour; a day, hour or minute that does not fit is passed in one step."""
    days, budget = _Days(rule, first), _Budget()
    unit = UNIT_S[rule.frequency]
    step = unit * rule.interval
    hours, minutes, seconds = (_numbers(rule, name) for name in ("BYHOUR", "BYMINUTE", "BYSECOND"))
    inner = _times_in_hour(rule, first) if unit == 3600 else sorted(seconds or {first.clock_s % 60})
    at_s = first.clock_s // unit * unit
    at_s += (after_s - at_s) // step * step
    known, fits = -1, False
    while at_s <= before_s and at_s // DAY_S <= LAST_DAY:
        budget.take(1)
        if at_s // DAY_S != known:
            known, fits = at_s // DAY_S, days.fit(at_s // DAY_S)
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


def _date(number: int) -> date:
    return date.fromordinal(number + EPOCH_DAY)
