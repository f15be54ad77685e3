"""
Radicale, the guest: it expands recurring components (RFC 4791 §9.6.5) by its model of an item.

Its application, storage, authentication and web interface are not used; ``tests/pim/test_guest_contract.py`` pins what
is. The bytes that are stored never pass through it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from xml.etree.ElementTree import Element

from radicale.app.report import _expand
from radicale.item import Item

from davserver.dav.names import CALDAV
from storage.recurrence import TimeRange

MOST_OCCURRENCES = 5_000
EMPTY = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//davserver//EN\r\nEND:VCALENDAR\r\n"
AS_EVENT: Mapping[str, Mapping[str, str]] = {
    # The guest expands events alone: a task or note is shown to it as one, by these names at the beginning of a line.
    "VEVENT": {},
    "VTODO": {"BEGIN:VTODO": "BEGIN:VEVENT", "END:VTODO": "END:VEVENT", "DUE": "DTEND"},
    "VJOURNAL": {"BEGIN:VJOURNAL": "BEGIN:VEVENT", "END:VJOURNAL": "END:VEVENT"},
}
BARE_DATE = re.compile(r"^RECURRENCE-ID:(\d{8})(?=\r?$)", re.MULTILINE)

log = logging.getLogger("davserver.pim")


def expand(data: bytes, asked: TimeRange, kind: str = "VEVENT") -> tuple[bytes, int]:
    """
    The occurrences of components of a kind in a range, each in UTC with a RECURRENCE-ID where it recurs; their number.

    What the guest cannot model (an invitation to single instances, a task without a start) comes back as it is, with
    the number -1.
    """
    names = AS_EVENT[kind]
    start = datetime.fromtimestamp(asked.start_s, UTC)
    end = datetime.fromtimestamp(asked.end_s - 1, UTC)  # to the guest the end is within
    try:
        item = Item(collection_path="", text=_renamed(data.decode(), names))
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
        return data, -1
    if not count:
        return EMPTY, 0
    text = BARE_DATE.sub(r"RECURRENCE-ID;VALUE=DATE:\1", str(element.text))
    return _renamed(text, {new: old for old, new in names.items()}).encode(), count


def _renamed(text: str, names: Mapping[str, str]) -> str:
    """Content lines with other names."""
    if not names:
        return text
    pattern = "^(?:" + "|".join(names) + ")(?=[;:\\r\\n]|$)"
    return re.sub(pattern, lambda found: names[found[0].upper()], text, flags=re.MULTILINE | re.IGNORECASE)
