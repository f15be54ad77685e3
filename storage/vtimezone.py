"""
A zone of the system's database written as a VTIMEZONE (RFC 5545 §3.6.5), for who wants the description beside the name.

Python's zones tell their offset at an instant, not when it changes: the changes are looked for. Those that go on by a
rule become an RRULE, the others are listed up to the year 2100.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

from storage.itemvalues import DAY_S, WEEKDAYS
from storage.zones import EPOCH, YEAR_2100_S

FIRST_YEAR = 1835  # no zone of the database changes earlier
STEP_S = 3 * DAY_S  # no two changes of a zone that undo each other were ever closer
RULED = range(2060, 2100)  # a whole cycle of weekdays and leap years: what holds in it is a rule
DATES_OF_LINE = 4


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a change is to the clock: its offsets from UTC before and after, in seconds, and what it is called then."""

    before_s: int
    after_s: int
    name: str
    daylight: bool


@dataclass(frozen=True, slots=True)
class _Change:
    """
    A change of a clock.

    Attributes:
        onset: what the clock shows when it is changed.
    """

    at_s: int
    onset: datetime
    kind: _Kind


@dataclass(frozen=True, slots=True)
class _Rule:
    """
    The day of the year on which a clock is changed.

    Attributes:
        weekday: of the onset, 0 is Monday; None where only the date counts.
        days: of the month, of which the weekday is one; none where it is the last one.
    """

    month: int
    time: timedelta
    weekday: int | None
    days: tuple[int, ...]

    def gives(self, onset: datetime) -> bool:
        """Whether a clock that is changed then is changed by this rule."""
        if onset.month != self.month or _time_of(onset) != self.time:
            return False
        if self.weekday is not None and onset.weekday() != self.weekday:
            return False
        return onset.day in self.days if self.days else onset.day + 7 > _length(onset)

    @property
    def parts(self) -> str:
        """As parts of an RRULE (RFC 5545 §3.3.10)."""
        month = f"FREQ=YEARLY;BYMONTH={self.month}"
        if self.weekday is None:
            return f"{month};BYMONTHDAY={self.days[0]}"
        if not self.days:
            return f"{month};BYDAY=-1{WEEKDAYS[self.weekday]}"
        if self.days[0] % 7 == 1:
            return f"{month};BYDAY={self.days[0] // 7 + 1}{WEEKDAYS[self.weekday]}"
        return f"{month};BYMONTHDAY={','.join(map(str, self.days))};BYDAY={WEEKDAYS[self.weekday]}"


@lru_cache(maxsize=256)
def render_vtimezone(name: str, zone: tzinfo, since_year: int) -> str:
    """
    The VTIMEZONE of a zone, right for every time from a year on up to 2100.

    Args:
        name: its TZID, as the object spells it.
    """
    since_s = round((datetime(max(since_year, 1), 1, 1) - EPOCH).total_seconds())  # noqa: DTZ001 - see EPOCH
    changes = _changes(zone)
    earlier = [change for change in changes if change.at_s <= since_s]
    needed = frozenset([*earlier[-1:], *changes[len(earlier) :]])
    lines = [f"TZID:{name}"]
    if not earlier:
        lines += _observance(_first_kind(zone, changes), [EPOCH + timedelta(seconds=min(since_s, 0))])
    groups: dict[_Kind, list[_Change]] = {}
    for change in changes:
        groups.setdefault(change.kind, []).append(change)
    for kind, group in groups.items():
        listed, ruled, rule = _ruled(group)
        onsets = [change.onset for change in listed if change in needed]
        if onsets:
            lines += _observance(kind, onsets)
        if rule is not None:
            lines += _observance(kind, [ruled[0].onset], rule)
    return "".join(f"{line}\r\n" for line in ("BEGIN:VTIMEZONE", *lines, "END:VTIMEZONE"))


@lru_cache(maxsize=64)
def _changes(zone: tzinfo) -> Sequence[_Change]:
    """Every change of a zone's offset up to 2100, rising."""
    found: list[_Change] = []
    at_s = round((datetime(FIRST_YEAR, 1, 1) - EPOCH).total_seconds())  # noqa: DTZ001 - see EPOCH
    offset_s = _offset_s(at_s, zone)
    while at_s < YEAR_2100_S:
        at_s += STEP_S
        after_s = _offset_s(at_s, zone)
        if after_s != offset_s:
            changed_s = _first_second(at_s - STEP_S, at_s, offset_s, zone)
            found.append(_change(changed_s, offset_s, zone))
            at_s = changed_s
            offset_s = _offset_s(changed_s, zone)
    return tuple(found)


def _first_second(low_s: int, high_s: int, offset_s: int, zone: tzinfo) -> int:
    """The first instant of another offset."""
    while high_s - low_s > 1:
        middle_s = (low_s + high_s) // 2
        if _offset_s(middle_s, zone) == offset_s:
            low_s = middle_s
        else:
            high_s = middle_s
    return high_s


def _change(at_s: int, before_s: int, zone: tzinfo) -> _Change:
    local = _at(at_s, zone)
    kind = _Kind(before_s, _offset_s(at_s, zone), local.tzname() or "", bool(local.dst()))
    return _Change(at_s, EPOCH + timedelta(seconds=at_s + before_s), kind)


def _first_kind(zone: tzinfo, changes: Sequence[_Change]) -> _Kind:
    """What a clock shows before it was ever changed."""
    at_s = changes[0].at_s - 1 if changes else 0
    offset_s = _offset_s(at_s, zone)
    return _Kind(offset_s, offset_s, _at(at_s, zone).tzname() or "", False)


def _at(at_s: int, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(at_s, UTC).astimezone(zone)


def _offset_s(at_s: int, zone: tzinfo) -> int:
    offset = datetime.fromtimestamp(at_s, zone).utcoffset()
    return 0 if offset is None else round(offset.total_seconds())


def _ruled(group: Sequence[_Change]) -> tuple[Sequence[_Change], Sequence[_Change], _Rule | None]:
    """Changes of one kind as those that are listed and those that a rule gives, the rule with them."""
    years: dict[int, list[_Change]] = {}
    for change in group:
        years.setdefault(change.onset.year, []).append(change)
    rule = _rule_of([change.onset for year in RULED for change in years.get(year, ())])
    if rule is None:
        return group, (), None
    begin = RULED.stop
    while len(years.get(begin - 1, ())) == 1 and rule.gives(years[begin - 1][0].onset):
        begin -= 1
    listed = [change for change in group if change.onset.year < begin]
    return listed, group[len(listed) :], rule


def _rule_of(onsets: Sequence[datetime]) -> _Rule | None:
    """The rule by which a clock is changed once in each of the years; None where there is none."""
    if [onset.year for onset in onsets] != list(RULED):
        return None
    days = sorted({onset.day for onset in onsets})
    weekdays = {onset.weekday() for onset in onsets}
    for rule in _rules(onsets[0], days, weekdays):
        if all(map(rule.gives, onsets)):
            return rule
    return None


def _rules(onset: datetime, days: list[int], weekdays: set[int]) -> Iterator[_Rule]:
    month, time = onset.month, _time_of(onset)
    if len(weekdays) == 1:
        yield _Rule(month, time, onset.weekday(), ())
        if days[-1] - days[0] == 6:
            yield _Rule(month, time, onset.weekday(), tuple(days))
    elif len(days) == 1:
        yield _Rule(month, time, None, tuple(days))


def _time_of(onset: datetime) -> timedelta:
    return timedelta(hours=onset.hour, minutes=onset.minute, seconds=onset.second)


def _length(onset: datetime) -> int:
    return calendar.monthrange(onset.year, onset.month)[1]


def _observance(kind: _Kind, onsets: Sequence[datetime], rule: _Rule | None = None) -> Iterator[str]:
    """The lines of a STANDARD or DAYLIGHT."""
    name = "DAYLIGHT" if kind.daylight else "STANDARD"
    yield f"BEGIN:{name}"
    yield f"DTSTART:{_written(onsets[0])}"
    yield f"TZOFFSETFROM:{_offset(kind.before_s)}"
    yield f"TZOFFSETTO:{_offset(kind.after_s)}"
    if kind.name:
        yield f"TZNAME:{kind.name}"
    if rule is not None:
        yield f"RRULE:{rule.parts}"
    for first in range(1, len(onsets), DATES_OF_LINE):
        yield f"RDATE:{','.join(map(_written, onsets[first : first + DATES_OF_LINE]))}"
    yield f"END:{name}"


def _written(onset: datetime) -> str:
    return f"{onset.year:04}{onset.strftime('%m%dT%H%M%S')}"  # strftime writes early years without their zeros


def _offset(offset_s: int) -> str:
    """A UTC-OFFSET (RFC 5545 §3.3.14); offsets of the time before zones have seconds."""
    minutes, seconds = divmod(abs(offset_s), 60)
    sign = "-" if offset_s < 0 else "+"
    return f"{sign}{minutes // 60:02}{minutes % 60:02}{f'{seconds:02}' if seconds else ''}"
