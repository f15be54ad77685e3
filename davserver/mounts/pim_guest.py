"""
Radicale, the guest: it expands recurring events (RFC 4791 §9.6.5) by its model of an item.

Its application, storage, authentication and web interface are not used; ``tests/pim/test_guest_contract.py`` pins what
is. The bytes that are stored never pass through it.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from xml.etree.ElementTree import Element

from radicale.app.report import _expand
from radicale.item import Item

from davserver.dav.names import CALDAV
from storage.recurrence import TimeRange

MOST_OCCURRENCES = 5_000
EMPTY = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//davserver//EN\r\nEND:VCALENDAR\r\n"

log = logging.getLogger("davserver.pim")


def expand(data: bytes, asked: TimeRange) -> bytes:
    """
    An event's occurrences in a range, each a VEVENT in UTC with a RECURRENCE-ID where it recurs.

    What the guest cannot model (an invitation to single instances, a task) comes back as it is.
    """
    start, end = (datetime.fromtimestamp(at_s, UTC) for at_s in (asked.start_s, asked.end_s))
    try:
        item = Item(collection_path="", text=data.decode())
        element, count = _expand(
            Element(CALDAV.calendar_data),
            item,
            start,
            end,
            time_range_start=start,
            time_range_end=end,
            max_occurrence=MOST_OCCURRENCES,
        )
    except Exception as error:  # the guest's parser raises whatever its libraries do
        log.debug("not expanded: %s", error)
        return data
    return str(element.text).encode() if count else EMPTY
