"""What free-busy heeds beside events: availability, free-busy objects, calendars that do not count (RFC 7953, 6638)."""

from __future__ import annotations

import logging
from functools import lru_cache
from xml.etree.ElementTree import Element

from davserver.dav.multistatus import XMLNS
from davserver.dav.names import CALDAV
from davserver.dav.xml import parse_xml
from davserver.mounts.pim_view import View
from storage.availability import NAME, Availability, read_availability, require_availability
from storage.collection import Collection
from storage.contentlines import mend, parse_components
from storage.itemvalues import parse_period
from storage.occurrences import BUSY, TENTATIVE, UNAVAILABLE
from storage.pim_collections import PROPS_KEY
from storage.recurrence import TimeRange
from storage.rrule import TooCostly

Periods = dict[int, list[tuple[int, int]]]  # by kind, as ``Span.busy``
STATED = {"BUSY": BUSY, "BUSY-TENTATIVE": TENTATIVE, "BUSY-UNAVAILABLE": UNAVAILABLE, "FREE": 0}

log = logging.getLogger("davserver.pim")


def is_transparent(collection: Collection, view: View) -> bool:
    """Whether a calendar takes no part in anybody's busy time (``schedule-calendar-transp``, RFC 6638 §9.1)."""
    element = _property(collection, CALDAV.schedule_calendar_transp, view)
    return element is not None and element.find(CALDAV.transparent) is not None


def own_availability(collection: Collection, asked: TimeRange, view: View) -> list[Availability]:
    """What the calendar's own ``calendar-availability`` says of a range (RFC 7953 §7.2.4)."""
    element = _property(collection, CALDAV.calendar_availability, view)
    if element is None:
        return []
    try:
        return read_availability("".join(element.itertext()).strip().encode(), asked)
    except (ValueError, IndexError, TooCostly, OverflowError) as error:
        log.info("the availability of %s is left out of free-busy: %s", collection.path, error)
        return []


def is_transparency(element: Element) -> bool:
    """Whether a ``schedule-calendar-transp`` says one of its two words (RFC 6638 §9.1)."""
    return [child.tag for child in element] in ([CALDAV.opaque], [CALDAV.transparent])


def is_availability(text: str) -> bool:
    """Whether a text is an iCalendar object of one VAVAILABILITY, its time zones and nothing else (RFC 7953 §7.2.4)."""
    data = mend(text.strip().encode())
    try:
        top = parse_components(data, longest_head=len(data))
        parts = [child for child in top[0].children if child.name != "VTIMEZONE"]
        for part in parts:
            require_availability(part)
        read_availability(data, TimeRange(0, 1))
    except (ValueError, IndexError, OverflowError):
        return False
    except TooCostly:
        pass  # it is one all the same
    return len(top) == 1 and top[0].name == "VCALENDAR" and [part.name for part in parts] == [NAME]


def add_stated(data: bytes, asked: TimeRange, periods: Periods) -> None:
    """Add the periods of a stored VFREEBUSY to those of its kinds (RFC 4791 §7.10, RFC 5545 §3.2.9)."""
    text = mend(data)
    for component in parse_components(text, longest_head=len(text))[0].children:
        for line in component.all("FREEBUSY") if component.name == "VFREEBUSY" else ():
            busy = STATED.get((line.parameter("FBTYPE") or "BUSY").upper(), BUSY)
            for entry in filter(str.strip, line.value.split(",") if busy else ()):
                start, end = parse_period(entry)  # in UTC (RFC 5545 §3.8.2.6)
                if asked.start_s < end.clock_s and asked.end_s > start.clock_s:
                    periods[busy].append((start.clock_s, end.clock_s))


def _property(collection: Collection, name: str, view: View) -> Element | None:
    """A property of the calendar itself; what a member set on a shown one is no word of its owner."""
    kept = view.session.store.state(collection.place).get("", PROPS_KEY)
    xml = kept.get(name) if isinstance(kept, dict) else None
    return _parsed(xml) if isinstance(xml, str) else None


@lru_cache(maxsize=64)
def _parsed(xml: str) -> Element | None:
    outer = parse_xml(f"<x{XMLNS}>{xml}</x>".encode())
    return outer[0] if outer is not None and len(outer) else None
