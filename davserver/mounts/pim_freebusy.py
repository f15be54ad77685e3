"""When a calendar is busy (RFC 4791 §7.10)."""

from __future__ import annotations

import logging
import uuid
from datetime import UTC, datetime, tzinfo
from xml.etree.ElementTree import Element

from davserver.dav.errors import BadRequest
from davserver.dav.names import CALDAV
from davserver.mounts.pim_filter import CompFilter, parse_time_range
from davserver.mounts.pim_query import floating_zone, known_by_index
from davserver.mounts.pim_view import View
from storage.collection import Collection
from storage.contentlines import Component, mend, parse_components
from storage.errors import NotFound
from storage.recurrence import TimeRange, spans
from storage.rrule import TooCostly

UTC_FORM = "%Y%m%dT%H%M%SZ"

log = logging.getLogger("davserver.pim")


def free_busy(root: Element, collection: Collection, view: View) -> str:
    """The busy periods of a calendar as a VFREEBUSY (RFC 4791 §7.10)."""
    element = root.find(CALDAV.time_range)
    if element is None or element.get("start") is None or element.get("end") is None:
        raise BadRequest("a free-busy-query has a time-range with start and end")
    asked = parse_time_range(element)
    store = view.session.store
    periods: dict[str, list[tuple[int, int]]] = {}
    question = CompFilter("VCALENDAR", comps=(CompFilter("VEVENT", time_range=asked),))
    floating = floating_zone(root, collection)
    for member in store.members(collection.folder):
        if known_by_index(question, member) is False:
            continue
        try:
            data = mend(store.read_member(collection.folder, member.name)[0])
            _add_periods(data, asked, periods, floating)
        except (NotFound, ValueError, IndexError, TooCostly, OverflowError) as error:
            log.info("%s/%s is left out of free-busy: %s", collection.path, member.name, error)
    return _render_free_busy(asked, periods)


def _add_periods(
    data: bytes, asked: TimeRange, periods: dict[str, list[tuple[int, int]]], floating: tzinfo | None
) -> None:
    calendar = parse_components(data, longest_head=len(data))[0]
    for start, end, component in spans(data, calendar, "VEVENT", asked, floating):
        kind = _busy_type(component)
        start, end = max(start, asked.start_s), min(end, asked.end_s)
        if kind is not None and start < end:
            periods.setdefault(kind, []).append((start, end))


def _busy_type(component: Component) -> str | None:
    """FBTYPE of an event; None where it takes no time (RFC 4791 §7.10)."""
    texts = {
        name: (line.value.strip().upper() if line else "")
        for name in ("TRANSP", "STATUS")
        for line in [component.find(name)]
    }
    if texts["TRANSP"] == "TRANSPARENT" or texts["STATUS"] == "CANCELLED":
        return None
    return "BUSY-TENTATIVE" if texts["STATUS"] == "TENTATIVE" else "BUSY"


def _merged(periods: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(periods):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _render_free_busy(asked: TimeRange, periods: dict[str, list[tuple[int, int]]]) -> str:
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
    for kind, found in sorted(periods.items()):
        lines += [f"FREEBUSY;FBTYPE={kind}:{utc(start)}/{utc(end)}" for start, end in _merged(found)]
    return "\r\n".join([*lines, "END:VFREEBUSY", "END:VCALENDAR", ""])
