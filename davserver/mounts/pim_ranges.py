"""Ranges of time in a report lie within what a calendar stores (RFC 4791 §7.8, §7.9)."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from config.schema import Limits
from davserver.dav.names import CALDAV
from davserver.mounts.pim_filter import refused
from storage.calendarlimits import first_and_last
from storage.itemvalues import parse_moment

RANGES = frozenset({CALDAV.time_range, CALDAV.expand, CALDAV.limit_recurrence_set, CALDAV.limit_freebusy_set})
WHOLE = Limits()  # without a word of the administrator every date is stored, and none can be asked that is not


def require_ranges(root: Element, limits: Limits) -> None:
    """
    No range that a calendar-query or calendar-multiget names begins or ends outside ``min-`` and ``max-date-time``.

    What cannot be read as a time is left to who reads the range.

    Raises:
        PlaceRefused: ``min-date-time`` or ``max-date-time``.
    """
    first, last = first_and_last(limits)
    if (first, last) == first_and_last(WHOLE):
        return
    first_s, last_s = (parse_moment(text).clock_s for text in (first, last))
    for element in root.iter():
        for text in (element.get("start"), element.get("end")) if element.tag in RANGES else ():
            at_s = _instant(text)
            if at_s is not None and at_s < first_s:
                raise refused("min-date-time", f"the range begins or ends before {first}")
            if at_s is not None and at_s > last_s:
                raise refused("max-date-time", f"the range begins or ends after {last}")


def _instant(text: str | None) -> int | None:
    try:
        return None if text is None else parse_moment(text).clock_s
    except ValueError:
        return None
