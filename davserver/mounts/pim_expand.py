"""Recurring events, tasks and notes as their occurrences (RFC 4791 §9.6.5)."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from davserver.dav.errors import BadRequest
from davserver.dav.names import CALDAV
from davserver.mounts import pim_guest
from davserver.mounts.pim_filter import parse_time_range
from storage.contentlines import Component, mend, parse_components
from storage.itemvalues import parse_moment
from storage.recurrence import TimeRange, reaches, spans
from storage.rrule import TooCostly

RECURRING = tuple(pim_guest.AS_EVENT)
LENGTHS = ("DTEND", "DUE", "DURATION")
LONG_FOR_GUEST = ("SECONDLY", "MINUTELY", "HOURLY", "BYSETPOS", "BYMONTHDAY", "BYWEEKNO")


def parse_expand(element: Element) -> TimeRange | None:
    """The range of a ``CALDAV:expand`` in calendar-data (RFC 4791 §9.6.5)."""
    expand = element.find(CALDAV.expand)
    if expand is None:
        return None
    if expand.get("start") is None or expand.get("end") is None:
        raise BadRequest("expand has a start and an end")
    return parse_time_range(expand)


def expanded(data: bytes, asked: TimeRange) -> bytes:
    """
    A recurring component as its occurrences in a range, in UTC.

    What cannot be expanded comes as it is, and so does what the guest finds other occurrences of than we do: a client
    that gets the rule can follow it, one that gets too few occurrences cannot know.
    """
    try:
        text = mend(data)
        calendar = parse_components(text, longest_head=len(text))[0]
        kind = next((child.name for child in calendar.children if child.name in RECURRING), RECURRING[0])
        expected, has_length = 0, False
        for start, end, _ in spans(text, calendar, kind, asked):
            expected += reaches(start, end, asked, kind)
            has_length = has_length or end > start
            if expected > pim_guest.MOST_OCCURRENCES:
                return data
        text = _made_explicit(text, calendar, kind)
    except (ValueError, IndexError, TooCostly, OverflowError):
        return data
    if _is_long_for_guest(calendar, kind):
        return data
    # To the guest what takes no time is over at its start.
    found, count = pim_guest.expand(text, asked if has_length else TimeRange(asked.start_s - 1, asked.end_s), kind)
    return found if count == expected else data


def _is_long_for_guest(calendar: Component, kind: str) -> bool:
    """Whether a rule may make the guest look for its next occurrence until the year 9999."""
    rules = [line.value.upper() for child in calendar.children if child.name == kind for line in child.all("RRULE")]
    return any(mark in rule for rule in rules for mark in LONG_FOR_GUEST)


def _made_explicit(data: bytes, calendar: Component, kind: str) -> bytes:
    """The object with two things said that the guest does not know: a date lasts a day, RDATE needs no rule."""
    master = next(
        (child for child in calendar.children if child.name == kind and not child.find("RECURRENCE-ID")), None
    )
    start = master.find("DTSTART") if master is not None else None
    if master is None or start is None:
        return data
    lines = b""
    if kind == "VEVENT" and parse_moment(start.value).is_date and not any(map(master.find, LENGTHS)):
        lines += b"DURATION:P1D\r\n"
    if master.find("RDATE") and not master.find("RRULE"):
        lines += b"RRULE:FREQ=DAILY;COUNT=1\r\n"
    at = data.index(b"\n", master.start) + 1
    return data[:at] + lines + data[at:]
