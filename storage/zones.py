"""The clocks that dates and times are told on: zones of the system, of an object's own VTIMEZONE, or of a calendar."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from io import StringIO

from dateutil.tz import tzical

from storage.contentlines import Component, Line, parse_components
from storage.itemvalues import Moment, parse_moment, parse_recurrence

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - clocks of zones are counted from here
MOST_CHANGES = 10_000  # of a described clock up to the year 2100: each is passed for each time that is told by it
YEAR_S = 31_556_952
YEAR_2100_S = 4_102_444_800


def seconds(moment: Moment, zone: tzinfo | None) -> int:
    """
    A moment on a zone's clock as unix seconds.

    Of a time that comes twice the first is meant; one that is skipped is told by the offset before (RFC 5545 §3.3.5).
    """
    return moment.clock_s if moment.utc else instant_of(moment.clock_s, zone)


def instant_of(clock_s: int, zone: tzinfo | None) -> int:
    """The instant at which a zone's clock shows a time; None is UTC."""
    if zone is None:
        return clock_s
    return clock_s - _offset_s(_local(clock_s, zone))


def find_instant(clock_s: int, zone: tzinfo | None) -> int | None:
    """As ``instant_of``; None where the zone's clock skips the time."""
    if zone is None:
        return clock_s
    local = _local(clock_s, zone)
    offset_s = _offset_s(local)
    at_s = clock_s - offset_s
    is_near_change = offset_s != _offset_s(local.replace(fold=1))
    return None if is_near_change and clock_of(at_s, zone) != clock_s else at_s


def _offset_s(local: datetime) -> int:
    offset = local.utcoffset()
    return 0 if offset is None else round(offset.total_seconds())


def _local(clock_s: int, zone: tzinfo) -> datetime:
    return (EPOCH + timedelta(seconds=clock_s)).replace(tzinfo=zone)


def clock_of(at_s: int, zone: tzinfo | None) -> int:
    """What a zone's clock shows at an instant."""
    if zone is None:
        return at_s
    local = (EPOCH + timedelta(seconds=at_s)).replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)
    return round((local - EPOCH).total_seconds())


class Zones:
    """
    The time zones that an object's TZID parameters name: the system's, else the object's own VTIMEZONE.

    Attributes:
        floating: of dates and of times without a zone (RFC 4791 §7.3); None is UTC.
    """

    def __init__(self, data: bytes, calendar: Component, floating: tzinfo | None = None) -> None:
        self.floating = floating
        self._data = data
        self._calendar = calendar
        self._known: dict[str, tzinfo | None] = {}

    def of(self, line: Line) -> tzinfo | None:
        """The zone of a property's clock; None is UTC."""
        name = line.parameter("TZID")
        if name is None:
            return self.floating
        if name not in self._known:
            self._known[name] = system_zone(name) or self._own_zone(name)
        return self._known[name] or self.floating

    def _own_zone(self, name: str) -> tzinfo | None:
        for child in self._calendar.children:
            line = child.find("TZID")
            if child.name == "VTIMEZONE" and line is not None and line.value == name:
                return read_zone(self._data[child.start : child.end].decode("utf-8", "replace"))
        return None


def read_zone(text: str) -> tzinfo | None:
    """The one zone that a VTIMEZONE describes; None where it cannot be read or changes too often."""
    try:
        data = text.encode()
        if sum(map(_changes, parse_components(data, longest_head=len(data)))) > MOST_CHANGES:
            return None
        known = tzical(StringIO(text))
        found: tzinfo | None = known.get(known.keys()[0])
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError):
        return None
    return found


def _changes(component: Component) -> int:
    """How often a described clock changes up to the year 2100, about. Raises ValueError if more than by some days."""
    count = sum(map(_changes, component.children))
    count += sum(line.value.count(",") + 1 for line in component.all("RDATE"))
    for line in component.all("RRULE"):
        rule, start = parse_recurrence(line.value), component.find("DTSTART")
        if start is None or rule.frequency != "YEARLY" or not rule.by.keys() <= {"BYMONTH", "BYDAY", "BYMONTHDAY"}:
            raise ValueError(f"{line.value[:40]!r} is no rule by which clocks are changed")
        last_s = YEAR_2100_S if rule.until is None else min(rule.until.clock_s, YEAR_2100_S)
        years = max(0, last_s - parse_moment(start.value).clock_s) // YEAR_S + 1
        days = [len(rule.by["BYMONTHDAY"])] if "BYMONTHDAY" in rule.by else []
        if "BYDAY" in rule.by:
            days.append(sum(1 if entry[:-2] else 5 for entry in rule.by["BYDAY"]))
        count += years * len(rule.by.get("BYMONTH", ("",))) * min(days, default=1)
    return count


def zone_of_calendar(text: str) -> tzinfo | None:
    """The zone of a ``calendar-timezone`` (RFC 4791 §5.2.2): the system's of that name, else as it is described."""
    name = next((line.partition(":")[2].strip() for line in text.splitlines() if line.upper().startswith("TZID")), "")
    return (system_zone(name) if name else None) or read_zone(text)


@lru_cache(maxsize=1024)
def system_zone(name: str) -> tzinfo | None:
    """A zone of the system's database; ``/mozilla.org/20050126_1/Europe/Berlin`` is one too."""
    pieces = name.strip("/").split("/")
    for count in (len(pieces), 3, 2):
        key = "/".join(pieces[-count:])
        if count <= len(pieces) and len(key) < 64:
            try:
                return zoneinfo.ZoneInfo(key)
            except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
                continue
    return None
