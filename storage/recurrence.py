"""
Where a calendar object's occurrences stand, and whether they overlap a range by the tables of RFC 4791 §9.9.

The index holds safe bounds and answers for most members; this judges the few that are left. A rule is followed for a
bounded number of steps; one that would cost more is answered by its bounds, that is: it may overlap, so it does.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo

from storage.contentlines import Component, Line
from storage.itemvalues import (
    DAY_S,
    Moment,
    parse_duration,
    parse_moment,
    parse_nominal_duration,
    parse_period,
    parse_recurrence,
)
from storage.records import FAR_AWAY, LONG_AGO
from storage.rrule import TooCostly, Unfollowable, rule_starts
from storage.zones import Zones, clock_of, find_instant, instant_of, seconds

SLACK_S = 2 * DAY_S  # a zone's clock is less than a day away from UTC (RFC 5545 §3.3.14)
MOST_RULES = 20  # of one component, where RFC 5545 §3.6.1 has one; each may cost what a rule may
END_OF = {"VEVENT": "DTEND", "VTODO": "DUE"}


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From ``start_s`` up to and without ``end_s``, unix seconds; an open end is far away."""

    start_s: int = LONG_AGO
    end_s: int = FAR_AWAY


@dataclass(frozen=True, slots=True)
class Occurrence:
    """
    One recurrence instance, or the only one.

    Attributes:
        start_s, end_s: when it takes place, unix seconds; a task with DUE alone stands there.
        identity_s: when the rule has it start: what a RECURRENCE-ID names.
        above_s, below_s: it overlaps a range where ``range.end_s > above_s`` and ``range.start_s < below_s``: the
            tables of RFC 4791 §9.9 in whole seconds.
        component: what describes it: the master or an override.
    """

    start_s: int
    end_s: int
    identity_s: int
    above_s: int
    below_s: int
    component: Component

    def reaches(self, asked: TimeRange) -> bool:
        """Whether it overlaps the range."""
        return asked.start_s < self.below_s and asked.end_s > self.above_s


_costly: set[str] = set()  # ETags of objects with a rule that was too costly once


def overlaps(
    data: bytes, calendar: Component, name: str, asked: TimeRange, etag: str, floating: tzinfo | None = None
) -> bool:
    """Whether one of a calendar object's components of a type overlaps a time range; its bounds are known to."""
    if etag in _costly:
        return True
    try:
        return any(found.reaches(asked) for found in occurrences(data, calendar, name, asked, floating))
    except (TooCostly, OverflowError):
        if len(_costly) > 10_000:
            _costly.clear()
        _costly.add(etag)
        return True


def occurrences(
    data: bytes, calendar: Component, name: str, asked: TimeRange, floating: tzinfo | None = None
) -> Iterator[Occurrence]:
    """
    The occurrences of a calendar object's components of a type: all that overlap the range, and some around it.

    Each once (RFC 5545 §3.8.5.2), in no order. An override stands in the place of what it names; with
    RANGE=THISANDFUTURE also of what follows, moved by as much and as long (RFC 5545 §3.8.4.4).

    Raises:
        TooCostly: a rule takes too many steps.
        ValueError: a date, duration or rule cannot be read.
    """
    zones = Zones(data, calendar, floating)
    found = [_Series(child, zones) for child in calendar.children if child.name == name]
    overrides = {series.identity_s: series for series in found if series.identity_s is not None}
    following = sorted(identity_s for identity_s, series in overrides.items() if series.moves_what_follows)
    reach_s = max((overrides[identity_s].reach_s for identity_s in following), default=0)
    for series in found:
        if series.identity_s is not None:
            yield from series.own()
            continue
        for occurrence in series.all(asked, reach_s):
            identity_s = occurrence.identity_s
            if identity_s not in overrides:
                place = bisect_right(following, identity_s)
                yield overrides[following[place - 1]].later(identity_s) if place else occurrence


class Near:
    """The occurrences of one object near a range: followed once, however many components and alarms are asked about."""

    def __init__(self, data: bytes, calendar: Component, floating: tzinfo | None = None) -> None:
        self.zones = Zones(data, calendar, floating)
        self._data = data
        self._calendar = calendar
        self._floating = floating
        self._known: dict[tuple[str, TimeRange], dict[int, list[Occurrence]] | None] = {}
        self._instants: dict[tuple[int, TimeRange, bool], list[int]] = {}
        self._leads_s: dict[str, int] = {}

    def of(self, component: Component, asked: TimeRange) -> list[Occurrence]:
        """Those that a component describes. Raises TooCostly."""
        key = component.name, asked
        if key not in self._known:
            self._known[key] = self._follow(*key)
        found = self._known[key]
        if found is None:
            raise TooCostly
        return found.get(id(component), [])

    def _follow(self, name: str, asked: TimeRange) -> dict[int, list[Occurrence]] | None:
        found: dict[int, list[Occurrence]] = {}
        try:
            for occurrence in occurrences(self._data, self._calendar, name, asked, self._floating):
                found.setdefault(id(occurrence.component), []).append(occurrence)
        except (TooCostly, OverflowError):
            return None
        return found

    def instants(self, component: Component, asked: TimeRange, *, ends: bool) -> list[int]:
        """When those that may ring in a range begin, or end, rising. Raises TooCostly."""
        key = id(component), asked, ends
        if key not in self._instants:
            lead_s = self._longest_lead(component.name)
            reach = TimeRange(max(asked.start_s - lead_s, LONG_AGO), min(asked.end_s + lead_s, FAR_AWAY))
            found = self.of(component, reach)
            self._instants[key] = sorted(each.end_s if ends else each.start_s for each in found)
        return self._instants[key]

    def _longest_lead(self, name: str) -> int:
        """The most seconds between an occurrence and an alarm of it, of any component of that name."""
        if name not in self._leads_s:
            outer = (child for child in self._calendar.children if child.name == name)
            alarms = [alarm for child in outer for alarm in child.children if alarm.name == "VALARM"]
            self._leads_s[name] = max((_lead(alarm) for alarm in alarms), default=0)
        return self._leads_s[name]


def is_in_range(near: Near, component: Component, name: str, asked: TimeRange) -> bool:
    """
    Whether a property's value lies in a range, by the last paragraphs of RFC 4791 §9.9; a date lasts its day.

    DTSTART, DTEND and DUE are looked at in every recurrence instance, as they stand or as DURATION gives them.
    """
    lines = component.all(name)
    if name not in ("DTSTART", "DTEND", "DUE") or component.name == "VFREEBUSY":
        moments = [(parse_moment(line.value), near.zones.of(line)) for line in lines]
        return any(_lies_in(seconds(moment, zone), moment, asked) for moment, zone in moments)
    lasting = END_OF.get(component.name) == name and component.find("DURATION")
    anchor = component.find(name) or (component.find("DTSTART") if lasting else None)
    if anchor is None:
        return False
    first = parse_moment(anchor.value)
    try:
        return any(
            _lies_in(found.start_s if name == "DTSTART" else found.end_s, first, asked)
            for found in near.of(component, asked)
        )
    except TooCostly:
        return True


def _lies_in(at_s: int, moment: Moment, asked: TimeRange) -> bool:
    return asked.start_s < at_s + (DAY_S if moment.is_date else 1) and asked.end_s > at_s


class _Series:
    """A component and when its occurrences are; ``identity_s`` is None for a master."""

    def __init__(self, component: Component, zones: Zones) -> None:
        self._component = component
        self._zones = zones
        named = component.find("RECURRENCE-ID")
        self.identity_s = None if named is None else seconds(parse_moment(named.value), zones.of(named))
        self._anchor = component.find("DTSTART") or component.find("DUE")
        self.moves_what_follows = (
            named is not None
            and self._anchor is not None
            and (named.parameter("RANGE") or "").upper() == "THISANDFUTURE"
        )
        if self._anchor is None or component.name == "VFREEBUSY":
            return
        self._first = parse_moment(self._anchor.value)
        self._zone = None if self._first.utc else zones.of(self._anchor)
        self._begin_s = seconds(self._first, self._zone)
        self._nominal_s, self._exact_s = self._length()

    @property
    def reach_s(self) -> int:
        """How far from its place by the rule an instance can be that is moved as this one, its end included."""
        moved_s = abs(self._begin_s - (self.identity_s or 0))
        return moved_s + abs(self._nominal_s) + abs(self._exact_s) + SLACK_S

    def own(self) -> Iterator[Occurrence]:
        """The occurrences without a rule."""
        if self._component.name == "VFREEBUSY":
            yield from self._busy()
        elif self._anchor is None:
            yield from self._undated()
        else:
            yield self._at(self._begin_s, self._begin_s if self.identity_s is None else self.identity_s)

    def later(self, identity_s: int) -> Occurrence:
        """A later instance, moved on the clock as this one is."""
        assert self.identity_s is not None
        moved_s = clock_of(self._begin_s, self._zone) - clock_of(self.identity_s, self._zone)
        return self._at(instant_of(clock_of(identity_s, self._zone) + moved_s, self._zone), identity_s)

    def all(self, asked: TimeRange, reach_s: int) -> Iterator[Occurrence]:
        """Those that overlap the range, or would if they were up to ``reach_s`` somewhere else."""
        if self._anchor is None or self._component.name == "VFREEBUSY":
            yield from self.own()
            return
        left_out = set(self._excluded())
        known = {occurrence.identity_s: occurrence for occurrence in self._listed()}
        known.setdefault(self._begin_s, self._at(self._begin_s, self._begin_s))
        yield from (occurrence for identity_s, occurrence in known.items() if identity_s not in left_out)
        left_out.update(known)
        reach_s += abs(self._nominal_s) + abs(self._exact_s) + SLACK_S
        earliest_s = asked.start_s - reach_s
        rules = self._component.all("RRULE")
        if len(rules) > MOST_RULES:
            raise Unfollowable
        for rule in rules:
            for start_s in self._rule_starts(rule, earliest_s, asked.end_s + reach_s):
                if start_s not in left_out and start_s >= earliest_s:
                    yield self._at(start_s, start_s)
                    if len(rules) > 1:
                        left_out.add(start_s)

    def _at(self, start_s: int, identity_s: int) -> Occurrence:
        end_s = start_s
        if self._nominal_s:
            end_s = instant_of(clock_of(start_s, self._zone) + self._nominal_s, self._zone)
        return self._between(start_s, end_s + self._exact_s, identity_s)

    def _between(self, start_s: int, end_s: int, identity_s: int) -> Occurrence:
        above_s, below_s = start_s, end_s if end_s > start_s else start_s + 1
        if self._component.name == "VTODO":
            assert self._anchor is not None
            if self._anchor.name == "DUE":
                above_s, below_s = start_s - 1, start_s
            elif self._component.find("DURATION"):
                above_s, below_s = start_s - (end_s <= start_s), max(end_s, start_s) + 1
            elif self._component.find("DUE") and end_s <= start_s:
                above_s = end_s - 1
        return Occurrence(start_s, max(end_s, start_s), identity_s, above_s, below_s, self._component)

    def _length(self) -> tuple[int, int]:
        """
        How long an occurrence takes: seconds on the clock, then seconds that pass.

        By DURATION its days are nominal, by DTEND or DUE the time is exact (RFC 5545 §3.8.5.3); dates are days.
        """
        duration, end = self._component.find("DURATION"), self._component.find("DTEND") or self._component.find("DUE")
        if end is not None and end is self._anchor:
            return 0, 0
        if duration is not None:
            nominal_s, exact_s = parse_nominal_duration(duration.value)
            return (nominal_s, exact_s) if nominal_s + exact_s > 0 else (0, 0)
        if end is None:
            return DAY_S if self._first.is_date and self._component.name != "VTODO" else 0, 0
        last = parse_moment(end.value)
        if last.is_date and self._first.is_date:
            return last.clock_s - self._first.clock_s, 0
        return 0, seconds(last, self._zones.of(end)) - self._begin_s

    def _excluded(self) -> Iterator[int]:
        for line in self._component.all("EXDATE"):
            for entry in filter(str.strip, line.value.split(",")):
                yield seconds(parse_moment(entry), self._zones.of(line))

    def _listed(self) -> Iterator[Occurrence]:
        for line in self._component.all("RDATE"):
            for entry in filter(str.strip, line.value.split(",")):
                start, end = (seconds(moment, self._zones.of(line)) for moment in parse_period(entry))
                yield self._between(start, end, start) if end > start else self._at(start, start)

    def _rule_starts(self, line: Line, after_s: int, before_s: int) -> Iterator[int]:
        """Starts by one rule other than DTSTART, in unix seconds."""
        rule, first = parse_recurrence(line.value), self._first
        until_s = FAR_AWAY
        if rule.until is not None and first.is_date:
            until_s = seconds(Moment(rule.until.clock_s, False, True), self._zone)
        elif rule.until is not None:
            until_s = seconds(rule.until, self._zone) + (DAY_S - 1 if rule.until.is_date else 0)
        left = FAR_AWAY if rule.count is None else rule.count - 1  # "DTSTART always counts as the first occurrence"
        for clock_s in rule_starts(rule, first, after_s, before_s):
            if clock_s == first.clock_s:
                continue
            start_s = find_instant(clock_s, self._zone)
            if start_s is None:
                continue  # an hour that is skipped: "MUST be ignored and MUST NOT be counted" (RFC 5545 §3.3.10)
            if start_s > until_s or left <= 0:
                return
            left -= 1
            yield start_s

    def _undated(self) -> Iterator[Occurrence]:
        """A task without dates stands where it was created and completed, or everywhere; a note nowhere."""
        if self._component.name != "VTODO":
            return
        found = {
            name: seconds(parse_moment(line.value), self._zones.of(line))
            for name in ("COMPLETED", "CREATED")
            for line in self._component.all(name)[:1]
        }
        start_s, end_s = min(found.values(), default=LONG_AGO), max(found.values(), default=FAR_AWAY)
        if "COMPLETED" in found:
            yield Occurrence(start_s, end_s, start_s, start_s - 1, end_s + 1, self._component)
        else:
            yield Occurrence(start_s, FAR_AWAY, start_s, start_s, FAR_AWAY, self._component)

    def _busy(self) -> Iterator[Occurrence]:
        """A VFREEBUSY stands where it says, else where its periods are; DURATION means something else in it."""
        start, end = self._component.find("DTSTART"), self._component.find("DTEND")
        if start is not None and end is not None:
            start_s, end_s = (seconds(parse_moment(line.value), self._zones.of(line)) for line in (start, end))
            yield Occurrence(start_s, end_s, start_s, start_s, end_s + 1, self._component)
            return
        for line in self._component.all("FREEBUSY"):
            for entry in filter(str.strip, line.value.split(",")):
                start_s, end_s = (seconds(moment, self._zones.of(line)) for moment in parse_period(entry))
                yield Occurrence(start_s, end_s, start_s, start_s, end_s, self._component)


def rings(near: Near, outer: Component, alarm: Component, asked: TimeRange) -> bool:
    """Whether an alarm of a component goes off in a time range, once or when it repeats (RFC 4791 §9.9)."""
    trigger = alarm.find("TRIGGER")
    if trigger is None:
        return False
    repeats_s = [0, *_repeats(alarm)]
    if _is_instant(trigger):
        at_s = seconds(parse_moment(trigger.value), near.zones.of(trigger))
        return any(asked.start_s <= at_s + later_s < asked.end_s for later_s in repeats_s)
    if not (outer.find("DTSTART") or outer.find("DUE")):
        return False
    offset_s = parse_duration(trigger.value)
    try:
        found = near.instants(outer, asked, ends=(trigger.parameter("RELATED") or "").upper() == "END")
    except TooCostly:
        return True
    for later_s in repeats_s:
        place = bisect_left(found, asked.start_s - offset_s - later_s)
        if place < len(found) and found[place] < asked.end_s - offset_s - later_s:
            return True
    return False


def _is_instant(trigger: Line) -> bool:
    return trigger.value.strip()[:1].isdigit()


def _lead(alarm: Component) -> int:
    """The most seconds between what an alarm is of and when it goes off; of one that cannot be read, none."""
    trigger = alarm.find("TRIGGER")
    try:
        if trigger is None or _is_instant(trigger):
            return 0
        return abs(parse_duration(trigger.value)) + max(_repeats(alarm), default=0)
    except ValueError:
        return 0


MOST_REPEATS = 100


def _repeats(alarm: Component) -> list[int]:
    """Seconds after the first time, rising."""
    repeat, duration = alarm.find("REPEAT"), alarm.find("DURATION")
    if repeat is None or duration is None or not repeat.value.strip().isdecimal():
        return []
    every_s = max(parse_duration(duration.value), 0)
    return [every_s * count for count in range(1, min(int(repeat.value), MOST_REPEATS) + 1)]
