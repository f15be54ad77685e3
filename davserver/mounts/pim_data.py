"""``calendar-data`` and ``address-data`` in answers (RFC 4791 §9.6, RFC 6352 §10.4): the stored bytes as XML text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import tzinfo
from xml.etree.ElementTree import Element

from davserver.dav.errors import BadRequest
from davserver.dav.names import CALDAV, CARDDAV
from davserver.dav.propfind import PropRequest
from davserver.dav.xml import text_of_bytes
from davserver.mounts.pim_filter import parse_time_range
from davserver.mounts.pim_formats import FORMATS, Convert, encoded, find_format
from davserver.mounts.pim_item_rows import Data
from storage.cardversions import CannotConvert
from storage.collection import ADDRESS_BOOK, CALENDAR
from storage.errors import ItemRefused
from storage.expansion import expand
from storage.partial import Selection, limit_freebusy_set, limit_recurrence_set, select_parts
from storage.recurrence import TimeRange

LIMIT_RECURRENCES, LIMIT_FREE_BUSY = CALDAV.limit_recurrence_set, CALDAV.limit_freebusy_set

DATA = {
    # Clark name: element as written, kind of the collections whose items it holds, condition where it cannot
    CALDAV.calendar_data: ("C:calendar-data", CALENDAR, "supported-calendar-data"),
    CARDDAV.address_data: ("CR:address-data", ADDRESS_BOOK, "supported-address-data"),
}


def data_of(
    asked: PropRequest, floating: tzinfo | None = None, zones: Callable[[bytes], bytes] | None = None
) -> Mapping[str, Data]:
    """
    What renders the data elements that a report asks for.

    Args:
        floating: the zone of dates and of times without one; None is UTC.
        zones: what is done with the time zones of what is not expanded.

    Raises:
        BadRequest: a range is missing an end.
        ItemRefused: another media type or version is asked.
    """
    return {name: _renderer(name, asked.elements[name], floating, zones) for name in DATA if name in asked.elements}


def _range(element: Element, name: str) -> TimeRange | None:
    """The range of an ``expand``, ``limit-recurrence-set`` or ``limit-freebusy-set`` (RFC 4791 §9.6.5 to §9.6.7)."""
    limit = element.find(name)
    if limit is None:
        return None
    if limit.get("start") is None or limit.get("end") is None:
        raise BadRequest(f"{name} has a start and an end")
    return parse_time_range(limit)


def _renderer(name: str, element: Element, floating: tzinfo | None, zones: Callable[[bytes], bytes] | None) -> Data:
    tag, kind, condition = DATA[name]
    form = find_format(kind, element.get("content-type"), element.get("version"))
    if form is None:
        offered = " and ".join(f"{each.media} {each.version}" for each in FORMATS[kind])
        raise ItemRefused(condition, f"{offered} are what this server has", is_card=kind == ADDRESS_BOOK)
    is_asked = "content-type" in element.attrib or "version" in element.attrib
    opening = f'<{tag} content-type="{form.media}" version="{form.version}">' if is_asked else f"<{tag}>"
    to_text, encode, is_lenient = form.text, form.encode, "version" not in element.attrib
    expanded = _range(element, CALDAV.expand)
    recurrence_set, freebusy_set = (_range(element, name) for name in (LIMIT_RECURRENCES, LIMIT_FREE_BUSY))
    if expanded is not None and recurrence_set is not None:
        raise BadRequest("calendar-data has an expand or a limit-recurrence-set")
    selection = Selection.parse(element)

    def render(data: bytes) -> str:
        if to_text is not None:
            data = _text_of(data, to_text, leniently=is_lenient)
        if expanded is not None:
            data = expand(data, expanded, floating)
        if recurrence_set is not None:
            data = limit_recurrence_set(data, recurrence_set, floating)
        if freebusy_set is not None:
            data = limit_freebusy_set(data, freebusy_set)
        if zones is not None and expanded is None:
            data = zones(data)
        if selection is not None:
            data = select_parts(data, selection)
        if encode is not None:
            data = encoded(data, encode)
        return f"{opening}{text_of_bytes(data)}</{tag}>"

    return render


def _text_of(data: bytes, convert: Convert, *, leniently: bool) -> bytes:
    """A card in the version that is asked; one that is not of a known version comes as it is to who asked for none."""
    try:
        return convert(data)
    except CannotConvert:
        if leniently:
            return data
        raise
