"""The ranges that a ``calendar-data`` element names (RFC 4791 §9.6.5)."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from davserver.dav.errors import BadRequest
from davserver.dav.names import CALDAV
from davserver.mounts.pim_filter import parse_time_range
from storage.recurrence import TimeRange


def parse_expand(element: Element) -> TimeRange | None:
    """The range of a ``CALDAV:expand`` in calendar-data (RFC 4791 §9.6.5)."""
    expand = element.find(CALDAV.expand)
    if expand is None:
        return None
    if expand.get("start") is None or expand.get("end") is None:
        raise BadRequest("expand has a start and an end")
    return parse_time_range(expand)
