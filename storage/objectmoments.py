"""Dates and times as front matter has them: ``2026-12-01``, ``2026-12-01T18:00:00 Europe/Paris``, or with ``Z``."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from storage.contentlines import Line
from storage.itemvalues import parse_moment
from storage.zones import EPOCH, Zones, instant_of, system_zone

_MOMENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d))?(Z?)(?:\s+(\S{1,64}))?)?", re.ASCII)


def line_of(name: str, said: str) -> str | None:
    """A content line of a date or time in front matter (RFC 5545 §3.3.4, §3.3.5); None where it is neither."""
    match = _MOMENT.fullmatch(said.strip())
    if match is None:
        return None
    day = match[1] + match[2] + match[3]
    if match[4] is None:
        line, value = f"{name};VALUE=DATE:{day}", day
    else:
        value = f"{day}T{match[4]}{match[5]}{match[6] or '00'}{match[7]}"
        zone = match[8]
        if zone is not None and (match[7] or system_zone(zone) is None or re.search(r'[;:,"]', zone)):
            return None
        line = f"{name}:{value}" if zone is None else f"{name};TZID={zone}:{value}"
    try:
        parse_moment(value)
    except ValueError:
        return None
    return line


def said_by(line: Line, zones: Zones) -> str | None:
    """What front matter says for a DATE or DATE-TIME; in UTC where only the object knows its zone. None where none."""
    try:
        moment = parse_moment(line.value)
    except ValueError:
        return None
    clock = EPOCH + timedelta(seconds=moment.clock_s)
    if moment.is_date:
        return f"{clock:%Y-%m-%d}"
    if moment.utc:
        return f"{clock:%Y-%m-%dT%H:%M:%SZ}"
    name = line.parameter("TZID")
    zone = system_zone(name) if name is not None else None
    if zone is not None:
        return f"{clock:%Y-%m-%dT%H:%M:%S} {getattr(zone, 'key', name)}"
    own = zones.of(line) if name is not None else None
    if own is None:
        return f"{clock:%Y-%m-%dT%H:%M:%S}"
    return utc(instant_of(moment.clock_s, own))


def utc(at_s: float) -> str:
    """An instant as front matter has it."""
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def stamp(at_ns: int) -> str:
    """An instant as a UTC DATE-TIME of iCalendar."""
    return datetime.fromtimestamp(at_ns // 1_000_000_000, UTC).strftime("%Y%m%dT%H%M%SZ")
