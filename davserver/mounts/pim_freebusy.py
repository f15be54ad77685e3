"""When a calendar is busy (RFC 4791 §7.10)."""

from __future__ import annotations

import logging
import uuid
from datetime import UTC, datetime, tzinfo
from xml.etree.ElementTree import Element

from auth.acl import Action
from davserver.dav.errors import BadRequest
from davserver.dav.names import CALDAV
from davserver.mounts.pim_availability import Periods, add_stated, is_transparent, own_availability
from davserver.mounts.pim_filter import parse_time_range
from davserver.mounts.pim_query import floating_zone, local_spans
from davserver.mounts.pim_view import View
from storage.availability import read_availability, unavailable
from storage.collection import CALENDAR, Collection, Home
from storage.contentlines import mend, parse_components
from storage.index import Index
from storage.occurrences import BUSY, TENTATIVE, UNAVAILABLE, busy_of
from storage.recurrence import TimeRange, occurrences
from storage.rrule import TooCostly

UTC_FORM = "%Y%m%dT%H%M%SZ"
FBTYPE = {BUSY: "BUSY", TENTATIVE: "BUSY-TENTATIVE", UNAVAILABLE: "BUSY-UNAVAILABLE"}

log = logging.getLogger("davserver.pim")


def free_busy(root: Element, collection: Collection, view: View) -> str:
    """The busy periods of a calendar as a VFREEBUSY (RFC 4791 §7.10)."""
    asked = _range(root)
    periods: Periods = {busy: [] for busy in FBTYPE}
    if not is_transparent(collection, view):
        _collect(collection, asked, floating_zone(root, collection, view), periods, view)
    return _render_free_busy(asked, periods)


def home_free_busy(root: Element, home: Home, view: View, *, is_deep: bool) -> str:
    """
    As ``free_busy``, of all calendars that lie in a home and that the principal may ask; what is only shown is not the
    owner's time.

    Args:
        is_deep: whether the calendars' objects are meant, which lie two levels down (RFC 4918 §10.2).
    """
    asked = _range(root)
    periods: Periods = {busy: [] for busy in FBTYPE}
    store, access = view.session.store, view.session.access
    for folder in store.folders(home.folder) if is_deep and home.folder is not None else ():
        if not any(access.may(action, folder.path) for action in (Action.READ, Action.FREEBUSY)):
            continue
        collection = view.session.pim.find(folder.path)
        if isinstance(collection, Collection) and collection.tag == CALENDAR and not is_transparent(collection, view):
            _collect(collection, asked, floating_zone(root, collection, view), periods, view)
    return _render_free_busy(asked, periods)


def _range(root: Element) -> TimeRange:
    elements = root.findall(CALDAV.time_range)
    if len(elements) != 1 or elements[0].get("start") is None or elements[0].get("end") is None:
        raise BadRequest("a free-busy-query has one time-range, with start and end")
    return parse_time_range(elements[0])


def _collect(collection: Collection, asked: TimeRange, floating: tzinfo | None, periods: Periods, view: View) -> None:
    """Add the busy periods of a calendar, by kind."""
    store, folder = view.session.store, collection.folder
    index = store.index
    with index.snapshot():
        found, perhaps = _found(index, folder.id, asked, floating)
        unsure = index.members_with(perhaps)
    available = own_availability(collection, asked, view)
    for id, start, end, busy in found:
        if busy and id not in perhaps:
            periods[busy].append((start, end))
    for member, data in filter(None, store.read_members(folder, unsure)):
        try:
            if member.component == "VEVENT":
                _add_periods(mend(data), asked, periods, floating)
            elif member.component == "VFREEBUSY":
                add_stated(data, asked, periods)
            elif member.component == "VAVAILABILITY":
                available += read_availability(data, asked)
        except (ValueError, IndexError, TooCostly, OverflowError) as error:
            log.info("%s/%s is left out of free-busy: %s", collection.path, member.name, error)
    for start, end, busy in unavailable(available):
        periods[busy].append((start, end))


def _found(
    index: Index, folder_id: int, asked: TimeRange, floating: tzinfo | None
) -> tuple[list[tuple[int, int, int, int]], set[int]]:
    """What surely takes place, (id, start, end, busy), and the ids of what only the object itself can say."""
    perhaps = index.members_perhaps_within(folder_id, asked.start_s, asked.end_s)
    found = index.spans_within(folder_id, asked.start_s, asked.end_s, local=False)
    if floating is None:
        found += index.spans_within(folder_id, asked.start_s, asked.end_s, local=True)
    else:
        local, changing = local_spans(index, folder_id, asked, floating)
        found += local
        perhaps |= changing
    return found, perhaps


def _add_periods(data: bytes, asked: TimeRange, periods: Periods, floating: tzinfo | None) -> None:
    calendar = parse_components(data, longest_head=len(data))[0]
    for found in occurrences(data, calendar, "VEVENT", asked, floating):
        busy = busy_of(found.component)
        if busy and found.start_s < found.end_s and found.reaches(asked):
            periods[busy].append((found.start_s, found.end_s))


def _merged(periods: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(periods):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _render_free_busy(asked: TimeRange, periods: Periods) -> str:
    def utc(at_s: float) -> str:
        return datetime.fromtimestamp(at_s, UTC).strftime(UTC_FORM)

    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//davserver//EN",
        "BEGIN:VFREEBUSY",
        f"UID:{uuid.uuid4()}",
        f"DTSTAMP:{datetime.now(UTC).strftime(UTC_FORM)}",
        f"DTSTART:{utc(asked.start_s)}",
        f"DTEND:{utc(asked.end_s)}",
    ]
    for busy, found in periods.items():
        clipped = [(max(start, asked.start_s), min(end, asked.end_s)) for start, end in found]
        lines += [f"FREEBUSY;FBTYPE={FBTYPE[busy]}:{utc(start)}/{utc(end)}" for start, end in _merged(clipped)]
    return "\r\n".join([*lines, "END:VFREEBUSY", "END:VCALENDAR", ""])
