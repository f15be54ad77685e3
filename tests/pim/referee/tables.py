"""
The second judge: what matches, by the tables and sentences of RFC 4791 §9.7 and §9.9, read off the values themselves.

Nothing of the server's code is used. Rules are followed by dateutil, clocks by zoneinfo.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from dateutil.rrule import rrulestr

from tests.pim.referee.made import (
    DAY,
    UTC_FORM,
    Alarm,
    AskedComp,
    AskedProp,
    AskedText,
    Between,
    Made,
    Part,
    Prop,
    When,
)

HORIZON = datetime(2028, 5, 1)  # noqa: DTZ001 - a clock; everything that is made has happened once by then
LONG_AGO, FAR_AWAY = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Instance:
    """One recurrence instance: the component that describes it, its start and end."""

    part: Part
    start: When
    end: When


def matches(made: Made, asked: AskedComp) -> bool:
    """Whether a calendar object matches a comp-filter inside of its VCALENDAR (RFC 4791 §9.7.1)."""
    found = [part for part in made.parts if part.kind == asked.name]
    if asked.absent or not found:
        return asked.absent and not found
    instances = instances_of(made)
    return any(
        (asked.between is None or _is_during(part, instances, asked.between))
        and all(_has(part, instances, prop) for prop in asked.props)
        and all(_has_alarm(part, instances, alarm) for alarm in asked.comps)
        for part in found
    )


@lru_cache(maxsize=64)
def instances_of(made: Made) -> list[Instance]:
    """The recurrence set (RFC 5545 §3.8.5), with overrides in their places (§3.8.4.4)."""
    return list(_instances_of(made))


def _instances_of(made: Made) -> Iterator[Instance]:
    overrides = {part.identity.instant: part for part in made.parts if part.identity}
    for part in overrides.values():
        yield _instance(part, part.start)
    for master in (part for part in made.parts if not part.identity and _anchor(part)):
        for identity, lasting in _starts(master).values():
            if identity.instant in overrides:
                continue
            before = [at for at, part in overrides.items() if part.following and at <= identity.instant]
            if before:
                yield _moved(overrides[max(before)], identity)
            elif lasting is not None:
                yield Instance(master, identity, identity.later(lasting))
            else:
                yield _instance(master, identity)


def _anchor(part: Part) -> When | None:
    return part.start or (part.end if part.kind == "VTODO" else None)


def _starts(part: Part) -> dict[datetime, tuple[When, timedelta | None]]:
    first = _anchor(part)
    assert first is not None
    left_out = {when.instant for when in part.left_out}
    found: dict[datetime, tuple[When, timedelta | None]] = {}
    for when, lasting in (*part.added, (first, None)):
        if lasting is not None or when.instant not in found:
            found[when.instant] = (when, lasting)
    counted = 1
    for local in rrulestr(part.rule, dtstart=first.local) if part.rule else ():
        when = When(local, first.zone, first.is_date)
        if local > HORIZON or (part.count and counted >= part.count) or _is_over(when, part.until):
            break
        if local == first.local or not when.exists:
            continue
        counted += 1
        found.setdefault(when.instant, (when, None))
    return {instant: start for instant, start in found.items() if instant not in left_out}


def _is_over(when: When, until: When | None) -> bool:
    return until is not None and when.instant > until.instant


def _moved(override: Part, identity: When) -> Instance:
    assert override.start is not None
    assert override.identity is not None
    return _instance(override, identity.moved(override.start.local - override.identity.local))


def _instance(part: Part, start: When | None) -> Instance:
    assert start is not None
    if part.start is None:
        end = start
    elif part.length is not None:
        end = part.length.after(start)
    elif part.end is not None:
        exact = part.end.instant - part.start.instant
        end = start.moved(part.end.local - part.start.local) if start.is_date else start.later(exact)
    else:
        end = start.moved(DAY) if start.is_date and part.kind != "VTODO" else start
    return Instance(part, start, end)


def _is_during(part: Part, instances: list[Instance], asked: Between) -> bool:
    start, end = asked.start or LONG_AGO, asked.end or FAR_AWAY
    own = [(found.start.instant, found.end.instant) for found in instances if found.part == part]
    if part.kind == "VTODO":
        return _task_is_during(part, own, start, end)
    if part.kind == "VJOURNAL" and part.start is None:
        return False
    return any((start < last or (first == last and start <= first)) and end > first for first, last in own)


def _task_is_during(part: Part, own: list[tuple[datetime, datetime]], start: datetime, end: datetime) -> bool:
    """The table of VTODO, row by row."""
    if part.start is not None and part.length is not None:
        return any(start <= last and (end > first or end >= last) for first, last in own)
    if part.start is not None and part.end is not None:
        return any((start < due or start <= first) and (end > first or end >= due) for first, due in own)
    if part.start is not None:
        return any(start <= first < end for first, _ in own)
    if part.end is not None:
        return any(start < due <= end for due, _ in own)
    completed, created = part.completed, part.created
    if completed is not None and created is not None:
        return (start <= created or start <= completed) and (end >= created or end >= completed)
    if completed is not None:
        return start <= completed <= end
    return created is None or end > created


def _has_alarm(part: Part, instances: list[Instance], asked: AskedComp) -> bool:
    if asked.absent or not part.alarms:
        return asked.absent and not part.alarms
    between = asked.between
    return between is None or any(_is_in(at, between) for alarm in part.alarms for at in _rings(part, alarm, instances))


def _rings(part: Part, alarm: Alarm, instances: list[Instance]) -> Iterator[datetime]:
    for again in range(alarm.repeat + 1):
        later = alarm.every * again
        if isinstance(alarm.trigger, datetime):
            yield alarm.trigger + later
            continue
        for found in instances:
            if found.part == part:
                yield (found.end if alarm.from_end else found.start).instant + alarm.trigger + later


def _is_in(at: datetime, asked: Between, lasting: timedelta = timedelta(seconds=1)) -> bool:
    return (asked.start or LONG_AGO) < at + lasting and (asked.end or FAR_AWAY) > at


def _has(part: Part, instances: list[Instance], asked: AskedProp) -> bool:
    if asked.between is not None:
        return any(_is_in(at, asked.between, lasting) for at, lasting in _values(part, asked.name, instances))
    found = [prop for prop in part.props if prop.name == asked.name]
    names = {line.partition(":")[0].partition(";")[0] for line in part.lines("u")}
    if asked.absent or asked.name not in names:
        return asked.absent and asked.name not in names
    if not asked.texts and not asked.params:
        return True
    found = [
        prop for prop in found if all(_has_param(prop, param.name, param.absent, param.text) for param in asked.params)
    ]
    if not asked.texts:
        return bool(found)
    held = [any(_is_text_in(asked.texts[0], value) for value in _texts(prop)) for prop in found]
    return bool(held) and (not any(held) if asked.texts[0].negate else any(held))


def _values(part: Part, name: str, instances: list[Instance]) -> Iterator[tuple[datetime, timedelta]]:
    """Each value of a date property, also where DURATION gives it, with how long it lasts."""
    if name in ("COMPLETED", "CREATED"):
        at = part.completed if name == "COMPLETED" else part.created
        if at is not None:
            yield at, timedelta(seconds=1)
        return
    of_end = name == ("DUE" if part.kind == "VTODO" else "DTEND")
    if part.start is None if name == "DTSTART" else not (of_end and (part.end or part.length)):
        return
    for found in instances:
        if found.part == part:
            at = found.start if name == "DTSTART" else found.end
            yield at.instant, DAY if at.is_date else timedelta(seconds=1)


def _texts(prop: Prop) -> list[str]:
    return [",".join(prop.texts), *prop.texts]


def _has_param(prop: Prop, name: str, absent: bool, text: AskedText | None) -> bool:
    values = [value for key, value in prop.params if key == name]
    if absent or not values:
        return absent and not values
    return text is None or any(_is_text_in(text, value) for value in values) is not text.negate


def _is_text_in(asked: AskedText, value: str) -> bool:
    fold = {"i;octet": str, "i;unicode-casemap": _unicode}.get(asked.collation, _ascii)
    return fold(asked.text) in fold(value)


def _ascii(text: str) -> str:
    return text.encode().lower().decode()  # of bytes, only A to Z are lowered


def _unicode(text: str) -> str:
    return "".join(unicodedata.normalize("NFD", letter if letter == "ß" else letter.upper()) for letter in text)


def starts_within(made: Made, asked: Between) -> list[str]:
    """When the instances start that overlap a range, rising: what an expansion has as DTSTART (RFC 4791 §9.6.5)."""
    found = [instance for instance in instances_of(made) if _is_during(instance.part, [instance], asked)]
    return sorted(
        instance.start.value if instance.start.is_date else instance.start.instant.strftime(UTC_FORM)
        for instance in found
    )


def busy(made: list[Made], asked: Between) -> list[tuple[str, datetime, datetime]]:
    """Type, start and end of the busy periods, merged, clipped and in order (RFC 4791 §7.10)."""
    assert asked.start is not None
    assert asked.end is not None
    found: dict[str, list[tuple[datetime, datetime]]] = {}
    for instance in (instance for one in made for instance in instances_of(one)):
        start, end = max(instance.start.instant, asked.start), min(instance.end.instant, asked.end)
        kind = _busy_type(instance.part)
        if instance.part.kind == "VEVENT" and kind and start < end:
            found.setdefault(kind, []).append((start, end))
    return [(kind, start, end) for kind in sorted(found) for start, end in _merged(sorted(found[kind]))]


def _busy_type(part: Part) -> str:
    states = [prop.texts[0] for prop in part.props if prop.name == "STATUS"]
    return {"CANCELLED": "", "TENTATIVE": "BUSY-TENTATIVE"}.get(states[0] if states else "", "BUSY")


def _merged(periods: list[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    merged = periods[:1]
    for start, end in periods[1:]:
        if start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
