"""``calendar-data`` and ``address-data`` in answers (RFC 4791 §9.6, RFC 6352 §10.4): the stored bytes as XML text."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree.ElementTree import Element

from davserver.dav.errors import BadRequest
from davserver.dav.names import CALDAV, CARDDAV
from davserver.dav.propfind import PropRequest
from davserver.dav.xml import text_of
from davserver.mounts import pim_expand
from davserver.mounts.pim_filter import parse_time_range
from davserver.mounts.pim_query import floating_zone
from davserver.mounts.pim_rows import Data
from davserver.mounts.pim_view import View
from storage.collection import Item
from storage.errors import ItemRefused
from storage.partial import Selection, limit_freebusy_set, limit_recurrence_set, select_parts
from storage.recurrence import TimeRange

LIMIT_RECURRENCES, LIMIT_FREE_BUSY = CALDAV.limit_recurrence_set, CALDAV.limit_freebusy_set

DATA = {
    # Clark name: element as written, media type, versions that can be asked
    CALDAV.calendar_data: ("C:calendar-data", "text/calendar", ("2.0",), "supported-calendar-data"),
    CARDDAV.address_data: ("CR:address-data", "text/vcard", ("3.0", "4.0"), "supported-address-data"),
}


def data_of(asked: PropRequest, view: View) -> Mapping[str, Data]:
    """
    What renders the data elements that a report asks for.

    Raises:
        ItemRefused: another media type or version is asked.
    """
    return {name: _renderer(name, asked.elements[name], view) for name in DATA if name in asked.elements}


def _limit(element: Element, name: str) -> TimeRange | None:
    """The range of a ``limit-recurrence-set`` or ``limit-freebusy-set`` (RFC 4791 §9.6.6, §9.6.7)."""
    limit = element.find(name)
    if limit is None:
        return None
    if limit.get("start") is None or limit.get("end") is None:
        raise BadRequest(f"{name} has a start and an end")
    return parse_time_range(limit)


def _renderer(name: str, element: Element, view: View) -> Data:
    tag, media, versions, condition = DATA[name]
    if element.get("content-type", media).lower() != media or element.get("version", versions[0]) not in versions:
        raise ItemRefused(condition, f"{media} is what this server has", is_card=name == CARDDAV.address_data)
    expand = pim_expand.parse_expand(element)
    recurrence_set, freebusy_set = (_limit(element, name) for name in (LIMIT_RECURRENCES, LIMIT_FREE_BUSY))
    if expand is not None and recurrence_set is not None:
        raise BadRequest("calendar-data has an expand or a limit-recurrence-set")
    selection = Selection.parse(element)

    def render(item: Item) -> str:
        data, _ = view.session.store.read_member(item.collection.folder, item.member.name)
        if expand is not None:
            data = pim_expand.expanded(data, expand)
        if recurrence_set is not None:
            data = limit_recurrence_set(data, recurrence_set, floating_zone(element, item.collection))
        if freebusy_set is not None:
            data = limit_freebusy_set(data, freebusy_set)
        if selection is not None:
            data = select_parts(data, selection)
        text = text_of(data.decode("utf-8", "replace")).replace("\r", "&#13;")
        return f"<{tag}>{text}</{tag}>"

    return render
