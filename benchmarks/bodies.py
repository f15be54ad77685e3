"""The XML that the workloads send, with its header fields, and the little that they read of the answers."""

from __future__ import annotations

import re
from collections.abc import Iterable

from benchmarks.client import Refused
from benchmarks.data import MONTH, WEEK

XML = {"Content-Type": "application/xml; charset=utf-8"}
DEPTH_0 = {**XML, "Depth": "0"}
DEPTH_1 = {**XML, "Depth": "1"}

_NAMESPACES = (
    'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:CR="urn:ietf:params:xml:ns:carddav" '
    'xmlns:CS="http://calendarserver.org/ns/"'
)
_RESPONSE = re.compile(rb"<(?:\w+:)?response[\s>]")
_SYNC_TOKEN = re.compile(rb"<(?:\w+:)?sync-token[^>]*>([^<]+)<")
_FREE_BUSY = re.compile(rb"^FREEBUSY[^:]*:(.*)$", re.MULTILINE)


def element(name: str, inner: str) -> bytes:
    """A document whose root declares every prefix that is used here."""
    return f'<?xml version="1.0" encoding="utf-8"?>\n<{name} {_NAMESPACES}>{inner}</{name}>'.encode()


def propfind(*names: str) -> bytes:
    return element("D:propfind", f"<D:prop>{''.join(f'<{name}/>' for name in names)}</D:prop>")


def sync_collection(token: str) -> bytes:
    """RFC 6578 3.2; an empty token asks for everything."""
    inner = f"<D:sync-token>{token}</D:sync-token><D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop>"
    return element("D:sync-collection", inner)


def multiget(hrefs: Iterable[str]) -> bytes:
    named = "".join(f"<D:href>{href}</D:href>" for href in hrefs)
    return element("C:calendar-multiget", f"<D:prop><D:getetag/><C:calendar-data/></D:prop>{named}")


def _calendar_query(component: str, condition: str, data: str = "<C:calendar-data/>") -> bytes:
    inner = f'<C:comp-filter name="VCALENDAR"><C:comp-filter name="{component}">{condition}</C:comp-filter>'
    return element(
        "C:calendar-query",
        f"<D:prop><D:getetag/>{data}</D:prop><C:filter>{inner}</C:comp-filter></C:filter>",
    )


def _range(name: str, span: tuple[str, str]) -> str:
    return f'<C:{name} start="{span[0]}" end="{span[1]}"/>'


def contacts_with(name: str, text: str) -> bytes:
    """Contacts of which this property contains the text (RFC 6352 10.5.4)."""
    match = f'<CR:text-match collation="i;unicode-casemap" match-type="contains">{text}</CR:text-match>'
    return element(
        "CR:addressbook-query",
        "<D:prop><D:getetag/><CR:address-data/></D:prop>"
        f'<CR:filter><CR:prop-filter name="{name}">{match}</CR:prop-filter></CR:filter>',
    )


POLL = propfind("CS:getctag", "D:sync-token")
CTAG = propfind("CS:getctag")
ETAGS = propfind("D:getetag")
TYPE = propfind("D:resourcetype")
QUERY_WEEK = _calendar_query("VEVENT", _range("time-range", WEEK))
QUERY_WEEK_EXPAND = _calendar_query(
    "VEVENT", _range("time-range", WEEK), f"<C:calendar-data>{_range('expand', WEEK)}</C:calendar-data>"
)
OPEN_TASKS = _calendar_query("VTODO", '<C:prop-filter name="COMPLETED"><C:is-not-defined/></C:prop-filter>')
FREE_BUSY_MONTH = element("C:free-busy-query", _range("time-range", MONTH))
NEW_CALENDAR = element("C:mkcalendar", "<D:set><D:prop><D:displayname>import</D:displayname></D:prop></D:set>")


def count_responses(body: bytes) -> int:
    return len(_RESPONSE.findall(body))


def read_sync_token(body: bytes) -> str:
    """
    The token at the end of a sync report.

    Raises:
        Refused: there is none.
    """
    found = _SYNC_TOKEN.findall(body)
    if not found:
        raise Refused("no sync-token in the answer")
    return str(found[-1].decode())


def count_busy_periods(body: bytes) -> int:
    unfolded = body.replace(b"\r\n ", b"").replace(b"\r\n", b"\n")
    return sum(line.count(b"/") for line in _FREE_BUSY.findall(unfolded))
