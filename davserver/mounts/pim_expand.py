"""Recurring events as their occurrences (RFC 4791 §9.6.5)."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from davserver.dav.errors import BadRequest
from davserver.dav.names import CALDAV
from davserver.mounts import pim_guest
from davserver.mounts.pim_filter import parse_time_range
from storage.contentlines import mend, parse_components
from storage.recurrence import TimeRange, TooCostly, spans


def parse_expand(element: Element) -> TimeRange | None:
    """The range of a ``CALDAV:expand`` in calendar-data (RFC 4791 §9.6.5)."""
    expand = element.find(CALDAV.expand)
    if expand is None:
        return None
    if expand.get("start") is None or expand.get("end") is None:
        raise BadRequest("expand has a start and an end")
    return parse_time_range(expand)


def expanded(data: bytes, asked: TimeRange) -> bytes:
    """A recurring event as its occurrences in a range, in UTC; what cannot be expanded comes as it is."""
    try:
        top = parse_components(mend(data), longest_head=len(data))
        for count, _ in enumerate(spans(data, top[0], "VEVENT", asked)):
            if count > pim_guest.MOST_OCCURRENCES:
                return data
    except (ValueError, IndexError, TooCostly, OverflowError):
        return data
    return pim_guest.expand(data, asked)
