"""
Where Radicale 3.9 is wrong: what such a case looks like, the section that says so, and why Radicale errs.

Each has a test of its own in ``test_referee.py`` that shows what the RFC wants.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dateutil.rrule import rrulestr

from tests.pim.referee.made import (
    DAY,
    HOUR,
    Alarm,
    AskedComp,
    AskedParam,
    AskedProp,
    AskedText,
    Between,
    Length,
    Made,
    Part,
    Prop,
    When,
    utc,
)
from tests.pim.referee.tables import instances_of

Applies = Callable[[Made, AskedComp], bool]


@dataclass(frozen=True)
class Wrong:
    """
    A case in which Radicale errs.

    Attributes:
        rfc, section: what says so.
        why: what Radicale does.
        applies: whether an object and a filter are such a case.
        made, asked: an example.
        wanted: whether the RFC has it match.
    """

    name: str
    rfc: str
    section: str
    why: str
    applies: Applies
    made: Made
    asked: AskedComp
    wanted: bool


def _props(asked: AskedComp) -> Iterator[AskedProp]:
    yield from asked.props


def _alarm_named(made: Made, asked: AskedComp) -> bool:
    return any(comp.between is None for comp in asked.comps)


def _alarm_time(made: Made, asked: AskedComp) -> bool:
    ranges = [comp.between for comp in asked.comps if comp.between is not None]
    if not ranges:
        return False
    alarms = [alarm for part in made.parts for alarm in part.alarms]
    edges = {edge for between in ranges for edge in (between.start, between.end)}
    rings = {
        alarm.trigger if isinstance(alarm.trigger, datetime) else found.start.instant + alarm.trigger
        for alarm in alarms
        for found in instances_of(made)
    }
    return any(alarm.repeat or alarm.from_end for alarm in alarms) or bool(edges & rings) or _recurs(made)


def _recurs(made: Made) -> bool:
    master = made.parts[0]
    return bool(len(made.parts) > 1 or master.rule or master.added or master.left_out)


def _is_timed(asked: AskedComp) -> bool:
    return any(comp.between for comp in (asked, *asked.comps))


def _following(made: Made, asked: AskedComp) -> bool:
    return _is_timed(asked) and any(part.following for part in made.parts)


def _period(made: Made, asked: AskedComp) -> bool:
    return _is_timed(asked) and any(lasting for part in made.parts for _, lasting in part.added)


def _first_lost(made: Made, asked: AskedComp) -> bool:
    master = made.parts[0]
    start = master.start or master.end
    if not _is_timed(asked) or start is None:
        return False
    if not master.rule:
        return bool(master.left_out) and not master.added
    by_rule = next(iter(rrulestr(master.rule, dtstart=start.local)), None)
    return by_rule != start.local and bool(master.until or master.count)


def _clock_change(made: Made, asked: AskedComp) -> bool:
    return _is_timed(asked) and any(
        found.end.local - found.start.local != _length_to_radicale(found.part) for found in instances_of(made)
    )


def _length_to_radicale(part: Part) -> timedelta:
    if part.length is not None:
        return part.length.total
    if part.start is None or part.end is None:
        return DAY if part.start and part.start.is_date and part.kind != "VTODO" else timedelta(0)
    same = part.end.zone == part.start.zone
    return part.end.local - part.start.local if same else part.end.instant - part.start.instant


def _skipped_hour(made: Made, asked: AskedComp) -> bool:
    return _is_timed(asked) and any(
        part.rule and part.start and part.start.zone not in ("", "UTC") and part.start.local.hour == 2
        for part in made.parts
    )


def _casemap(made: Made, asked: AskedComp) -> bool:
    return any(
        not text.text.isascii() and text.collation in ("", "default", "i;ascii-casemap")
        for prop in _props(asked)
        for text in prop.texts
    )


def _other_component(made: Made, asked: AskedComp) -> bool:
    return len(made.parts) > 1 and bool(asked.props or asked.comps)


def _other_property(made: Made, asked: AskedComp) -> bool:
    return any(prop.params for prop in _props(asked)) and any(
        sum(prop.name == "ATTENDEE" for prop in part.props) > 1 for part in made.parts
    )


def _instances_of_property(made: Made, asked: AskedComp) -> bool:
    return any(
        prop.between and prop.name in ("DTSTART", "DTEND", "DUE") and _is_inferred(part, prop.name)
        for prop in _props(asked)
        for part in made.parts
    )


def _is_inferred(part: Part, name: str) -> bool:
    return bool(part.rule or part.added or part.left_out or (part.length and name != "DTSTART"))


def _never(made: Made, asked: AskedComp) -> bool:
    is_timeless_task = made.parts[0].kind == "VTODO" and not (made.parts[0].start or made.parts[0].end)
    return asked.between is not None and not is_timeless_task and not instances_of(made)


def _day_override(made: Made, asked: AskedComp) -> bool:
    return _is_timed(asked) and any(part.identity and part.identity.is_date for part in made.parts)


def _recurring_day(made: Made, asked: AskedComp) -> bool:
    master = made.parts[0]
    recurs = master.rule or master.added or master.left_out
    return asked.between is not None and bool(recurs and master.start and master.start.is_date and not master.end)


def day(number: int, hour: int = 0) -> datetime:
    """A clock in March 2027."""
    return datetime(2027, 3, number, hour)  # noqa: DTZ001 - a clock


def between(first: tuple[int, ...], last: tuple[int, ...]) -> Between:
    """A range of days and hours, UTC."""
    return Between(utc(day(*first)), utc(day(*last)))


def event(start: When, length: Length | None = None, **more: Any) -> Part:
    """A VEVENT."""
    return Part("VEVENT", start, length=length, **more)


def events(asked: Between | None = None, *props: AskedProp, alarm: AskedComp | None = None) -> AskedComp:
    """A filter of events."""
    return AskedComp("VEVENT", False, asked, props, (alarm,) if alarm else ())


HOURLONG = Length(rest=HOUR)
NOON = When(day(12, 12), "UTC")
BERLIN = When(day(27, 12), "Europe/Berlin")
DAILY = "FREQ=DAILY"
ADA = Prop("ATTENDEE", ("mailto:ada@example.org",), (("PARTSTAT", "ACCEPTED"),))
BOB = Prop("ATTENDEE", ("mailto:bob@example.org",))
WRONG = (
    Wrong(
        *("an alarm by name", "4791", "9.7.1", "compares VALARM with the name of the item's component"),
        _alarm_named,
        Made((event(NOON, HOURLONG, alarms=(Alarm(-HOUR),)),)),
        events(alarm=AskedComp("VALARM")),
        True,
    ),
    Wrong(
        *("an alarm by time", "4791", "9.9", "knows the start alone, without what repeats, and not the range's start"),
        _alarm_time,
        Made((event(NOON, HOURLONG, alarms=(Alarm(-HOUR, repeat=2, every=HOUR),)),)),
        events(alarm=AskedComp("VALARM", between=between((12, 13), (12, 14)))),
        True,
    ),
    Wrong(
        *("this and future", "5545", "3.8.4.4", "moves the named instance alone"),
        _following,
        Made(
            (
                event(NOON, HOURLONG, rule=DAILY, count=5),
                event(When(day(13, 15), "UTC"), HOURLONG, identity=NOON.moved(DAY), following=True),
            )
        ),
        events(between((14, 12), (14, 13))),
        False,
    ),
    Wrong(
        *("a period as RDATE", "5545", "3.8.5.2", "passes periods over"),
        _period,
        Made((event(NOON, HOURLONG, added=((NOON.moved(DAY), 2 * HOUR),)),)),
        events(between((13, 13), (13, 14))),
        True,
    ),
    Wrong(
        *(
            "the first instance",
            "5545",
            "3.8.5.1",
            "lets EXDATE alone leave nothing out; loses DTSTART beside a rule",
        ),
        _first_lost,
        Made((event(NOON, HOURLONG, left_out=(NOON,)),)),
        events(Between(None, utc(day(12, 13)))),
        False,
    ),
    Wrong(
        *("a clock that changes", "5545", "3.8.5.3", "adds what passes to the clock"),
        _clock_change,
        Made((event(BERLIN, Length(rest=24 * HOUR)),)),
        events(between((28, 10), (28, 11))),
        True,
    ),
    Wrong(
        *("an hour that is skipped", "5545", "3.3.10", "has instances at times that do not exist"),
        _skipped_hour,
        Made((event(When(day(27, 2), "Europe/Berlin"), HOURLONG, rule=DAILY),)),
        events(between((28, 0), (28, 12))),
        False,
    ),
    Wrong(
        *("case beyond ASCII", "4790", "9.2.1", "lowers all letters whatever the collation"),
        _casemap,
        Made((event(NOON, props=(Prop("SUMMARY", ("Übung",)),)),)),
        events(None, AskedProp("SUMMARY", texts=(AskedText("übung"),))),
        False,
    ),
    Wrong(
        *("one component", "4791", "9.7.1", "looks for each condition in any component"),
        _other_component,
        Made(
            (
                event(NOON, HOURLONG, rule=DAILY, props=(Prop("SUMMARY", ("Training",)),)),
                event(NOON.moved(DAY), HOURLONG, identity=NOON.moved(DAY), props=(Prop("SUMMARY", ("Final",)),)),
            )
        ),
        events(between((15, 0), (16, 0)), AskedProp("SUMMARY", texts=(AskedText("final"),))),
        False,
    ),
    Wrong(
        *("one property", "4791", "9.7.2", "looks for each condition in any property"),
        _other_property,
        Made((event(NOON, props=(ADA, BOB)),)),
        events(
            None,
            AskedProp(
                "ATTENDEE", texts=(AskedText("bob"),), params=(AskedParam("PARTSTAT", text=AskedText("accepted")),)
            ),
        ),
        False,
    ),
    Wrong(
        *("a property without the parameter", "4791", "9.7.3", "wants none of the properties to have it"),
        _other_property,
        Made((event(NOON, props=(ADA, BOB)),)),
        events(None, AskedProp("ATTENDEE", params=(AskedParam("PARTSTAT", absent=True),))),
        True,
    ),
    Wrong(
        *("effective values", "4791", "9.9", "looks at the first instance's own property"),
        _instances_of_property,
        Made((event(NOON, HOURLONG, rule=DAILY),)),
        events(None, AskedProp("DTEND", between=between((14, 13), (14, 14)))),
        True,
    ),
    Wrong(
        *("an object that is never", "4791", "9.9", "lets it match where nothing else is asked"),
        _never,
        Made((Part("VJOURNAL"),)),
        AskedComp("VJOURNAL", between=Between(None, utc(day(12)))),
        False,
    ),
    Wrong(
        *("a day that was moved", "5545", "3.8.4.4", "takes a date and its midnight for two things"),
        _day_override,
        Made(
            (
                event(When(day(12), is_date=True), Length(DAY), rule=DAILY, count=3),
                event(When(day(20), is_date=True), identity=When(day(13), is_date=True)),
            )
        ),
        events(between((13, 1), (13, 2))),
        False,
    ),
    Wrong(
        *("a day that recurs", "4791", "9.9", "gives it a second without DTEND or DURATION"),
        _recurring_day,
        Made((event(When(day(12), is_date=True), rule=DAILY, count=2),)),
        events(between((13, 12), (13, 13))),
        True,
    ),
)
