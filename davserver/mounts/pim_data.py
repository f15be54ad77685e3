"""``calendar-data`` and ``address-data`` in answers (RFC 4791 §9.6, RFC 6352 §10.4): the stored bytes as XML text."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree.ElementTree import Element

from davserver.dav.names import CALDAV, CARDDAV
from davserver.dav.propfind import PropRequest
from davserver.dav.xml import text_of
from davserver.mounts.pim_expand import parse_expand
from davserver.mounts.pim_item_rows import Data
from storage.errors import ItemRefused
from storage.expansion import expand
from storage.partial import Selection, select_parts

DATA = {
    # Clark name: element as written, media type, versions that can be asked
    CALDAV.calendar_data: ("C:calendar-data", "text/calendar", ("2.0",), "supported-calendar-data"),
    CARDDAV.address_data: ("CR:address-data", "text/vcard", ("3.0", "4.0"), "supported-address-data"),
}


def data_of(asked: PropRequest) -> Mapping[str, Data]:
    """
    What renders the data elements that a report asks for.

    Raises:
        ItemRefused: another media type or version is asked.
    """
    return {name: _renderer(name, asked.elements[name]) for name in DATA if name in asked.elements}


def _renderer(name: str, element: Element) -> Data:
    tag, media, versions, condition = DATA[name]
    if element.get("content-type", media).lower() != media or element.get("version", versions[0]) not in versions:
        raise ItemRefused(condition, f"{media} is what this server has", is_card=name == CARDDAV.address_data)
    asked = parse_expand(element)
    selection = Selection.parse(element)

    def render(data: bytes) -> str:
        if asked is not None:
            data = expand(data, asked)
        if selection is not None:
            data = select_parts(data, selection)
        text = text_of(data.decode("utf-8", "replace")).replace("\r", "&#13;")
        return f"<{tag}>{text}</{tag}>"

    return render
