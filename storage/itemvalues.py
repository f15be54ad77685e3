"""Value types of iCalendar that are judged and indexed: DATE, DATE-TIME, DURATION, PERIOD, RECUR (RFC 5545 §3.3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

DAY_S = 86_400
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
# Every repetition is bounded and each character belongs to one piece only: nothing to backtrack over.
_DATE = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:T([0-9]{2})([0-9]{2})([0-9]{2})(Z?))?", re.ASCII)
_DURATION = re.compile(
    r"([+-]?)P(?:([0-9]{1,9})W)?(?:([0-9]{1,9})D)?"
    r"(T(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9})S)?)?",
    re.ASCII,
)
_BY_DAY = re.compile(r"([+-]?[0-9]{1,2})?(?:SU|MO|TU|WE|TH|FR|SA)", re.ASCII)
_NUMBER = re.compile(r"[+-]?[0-9]{1,9}L?", re.ASCII)  # L: a leap month of a non-Gregorian year (RFC 7529 §4.2)

FREQUENCIES = ("SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY")
# part: largest absolute value, whether it may be negative; 0 only where a clock shows it (RFC 5545 §3.3.10)
_BY_NUMBER = {
    "BYSECOND": (60, False),
    "BYMINUTE": (59, False),
    "BYHOUR": (23, False),
    "BYMONTHDAY": (31, True),
    "BYYEARDAY": (385, True),  # a leap year of RFC 7529's calendars
    "BYWEEKNO": (55, True),
    "BYMONTH": (13, False),
    "BYSETPOS": (385, True),
}
_CLOCK = ("BYSECOND", "BYMINUTE", "BYHOUR")
_MOST_NUMBERS = 1000


@dataclass(frozen=True, slots=True)
class Moment:
    """
    A DATE or DATE-TIME on its own clock.

    Attributes:
        clock_s: what the clock shows, as if it were UTC, in unix seconds.
        utc: whether that clock is UTC; else it is local, of a zone or floating.
        is_date: a whole day.
    """

    clock_s: int
    utc: bool
    is_date: bool


@dataclass(frozen=True, slots=True)
class Recurrence:
    """An RRULE; ``by`` has each BY… part in the order it came, ``week_start`` is 0 for Monday."""

    frequency: str
    interval: int
    count: int | None
    until: Moment | None
    by: dict[str, tuple[str, ...]]
    gregorian: bool
    week_start: int = 0


def parse_moment(value: str) -> Moment:
    """
    Read a DATE or DATE-TIME; the shape decides which, as clients leave VALUE=DATE out (RFC 5545 §3.3.4, §3.3.5).

    Raises:
        ValueError: it is neither, or no such day or time exists.
    """
    match = _DATE.fullmatch(value.strip())
    if match is None:
        raise ValueError(f"{value[:40]!r} is not a date like 20260131 or a time like 20260131T180000Z")
    year, month, day, hour, minute, second = (int(piece or 0) for piece in match.groups()[:6])
    try:
        moment = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError as error:
        raise ValueError(f"{value[:40]!r}: {error}") from error
    if second > 60:
        raise ValueError(f"{value[:40]!r}: second must be in 0..60")
    return Moment(int(moment.timestamp()), match[7] == "Z", match[4] is None)


def parse_duration(value: str) -> int:
    """
    Read a DURATION as seconds (RFC 5545 §3.3.6); a day is 24 hours.

    Raises:
        ValueError: it is none, or has more than nine digits in a piece.
    """
    return sum(parse_nominal_duration(value))


def parse_nominal_duration(value: str) -> tuple[int, int]:
    """
    Read a DURATION as seconds on the clock, its weeks and days, and seconds that pass, the rest (RFC 5545 §3.3.6).

    Raises:
        ValueError: as ``parse_duration``.
    """
    match = _DURATION.fullmatch(value.strip())
    if match is None or match[4] == "T" or not any(match.group(2, 3, 5, 6, 7)):
        raise ValueError(f"{value[:40]!r} is not a duration like PT1H30M or P1D")
    weeks, days, hours, minutes, seconds = (int(piece or 0) for piece in match.group(2, 3, 5, 6, 7))
    sign = -1 if match[1] == "-" else 1
    return sign * (weeks * 7 + days) * DAY_S, sign * (hours * 3600 + minutes * 60 + seconds)


def parse_period(value: str) -> tuple[Moment, Moment]:
    """
    Read one entry of an RDATE or FREEBUSY as start and end: a moment alone or a PERIOD (RFC 5545 §3.3.9).

    Raises:
        ValueError: it is neither.
    """
    first, slash, last = value.partition("/")
    start = parse_moment(first)
    if not slash:
        return start, start
    if last.strip()[:1] in ("P", "+", "-"):
        return start, Moment(start.clock_s + parse_duration(last), start.utc, start.is_date)
    return start, parse_moment(last)


def parse_recurrence(value: str) -> Recurrence:
    """
    Read an RRULE (RFC 5545 §3.3.10, with RSCALE and SKIP of RFC 7529 §4).

    Raises:
        ValueError: a part is not in the grammar or out of its range.
    """
    parts: dict[str, str] = {}
    for piece in value.strip().upper().split(";"):
        if not piece:
            continue  # a closing semicolon is common
        name, equals, content = piece.partition("=")
        if not equals or not content or name in parts:
            raise ValueError(f"the rule part {piece[:40]!r} is not NAME=value, once")
        parts[name] = content
    frequency = parts.pop("FREQ", "")
    if frequency not in FREQUENCIES:
        raise ValueError(f"FREQ is {frequency[:20]!r}; it can be {', '.join(FREQUENCIES)}")
    until = parse_moment(parts.pop("UNTIL")) if "UNTIL" in parts else None
    count = _parse_positive("COUNT", parts.pop("COUNT")) if "COUNT" in parts else None
    interval = _parse_positive("INTERVAL", parts.pop("INTERVAL", "1"))
    scale = parts.pop("RSCALE", "GREGORIAN")
    week_start = parts.pop("WKST", "MO")
    if week_start not in WEEKDAYS:
        raise ValueError(f"WKST is {week_start[:20]!r}; it can be {', '.join(WEEKDAYS)}")
    by = {name: _parse_by(name, content) for name, content in parts.items() if name.startswith("BY")}
    for name in parts:
        if name not in by and name != "SKIP" and not name.startswith("X-"):
            raise ValueError(f"{name[:20]!r} is not a part of a recurrence rule")
    return Recurrence(frequency, interval, count, until, by, scale == "GREGORIAN", WEEKDAYS.index(week_start))


def _parse_positive(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 9) or int(value) == 0:
        raise ValueError(f"{name} is {value[:20]!r}; it must be a number above 0")
    return int(value)


def _parse_by(name: str, content: str) -> tuple[str, ...]:
    entries = tuple(content.split(","))
    if len(entries) > _MOST_NUMBERS:
        raise ValueError(f"{name} has more than {_MOST_NUMBERS} entries")
    if name == "BYDAY":
        if not all(_BY_DAY.fullmatch(entry) for entry in entries):
            raise ValueError(f"BYDAY is {content[:40]!r}; it can hold days like MO, 1MO or -1FR")
        return entries
    if name not in _BY_NUMBER:
        raise ValueError(f"{name[:20]!r} is not a part of a recurrence rule")
    largest, signed = _BY_NUMBER[name]
    for entry in entries:
        number = int(entry.removesuffix("L")) if _NUMBER.fullmatch(entry) else largest + 1
        if abs(number) > largest or (number < 0 and not signed) or (number == 0 and name not in _CLOCK):
            raise ValueError(f"{name} is {content[:40]!r}, which no calendar has")
    return entries
