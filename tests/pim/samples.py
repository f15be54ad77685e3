"""Calendar objects and cards for the tests, and the bodies of reports."""

from __future__ import annotations

from tests.harness import NAMESPACES

CRLF = "\r\n"


def calendar(*lines: str) -> str:
    """Lines in a VCALENDAR."""
    return CRLF.join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//tests//EN", *lines, "END:VCALENDAR", ""])


def event(uid: str = "u1", summary: str = "Meeting", *more: str, start: str = "20270105T100000Z") -> str:
    """A VEVENT of an hour, with further lines."""
    dates = () if any(line.startswith("DTSTART") for line in more) else (f"DTSTART:{start}", "DURATION:PT1H")
    return calendar(
        "BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z", f"SUMMARY:{summary}", *dates, *more, "END:VEVENT"
    )


def task(uid: str = "t1", summary: str = "Paint the van", *more: str) -> str:
    """A VTODO."""
    return calendar("BEGIN:VTODO", f"UID:{uid}", "DTSTAMP:20260101T000000Z", f"SUMMARY:{summary}", *more, "END:VTODO")


def journal(uid: str = "j1", summary: str = "Minutes") -> str:
    """A VJOURNAL without a date: a note."""
    return calendar("BEGIN:VJOURNAL", f"UID:{uid}", "DTSTAMP:20260101T000000Z", f"SUMMARY:{summary}", "END:VJOURNAL")


def card(uid: str | None = "c1", name: str = "Ada Lovelace", *more: str, version: str = "3.0") -> str:
    """A vCard; without UID where it is None."""
    family = name.split()[-1]
    lines = [f"UID:{uid}"] if uid is not None else []
    return CRLF.join(
        ["BEGIN:VCARD", f"VERSION:{version}", *lines, f"FN:{name}", f"N:{family};;;;", *more, "END:VCARD", ""]
    )


def mkcol(kind: str, inner: str = "") -> str:
    """The body of an extended MKCOL; ``kind`` is an element such as ``C:calendar``."""
    return (
        f"<D:mkcol {NAMESPACES}><D:set><D:prop><D:resourcetype><D:collection/><{kind}/></D:resourcetype>"
        f"{inner}</D:prop></D:set></D:mkcol>"
    )


def mkcalendar(inner: str) -> str:
    """The body of a MKCALENDAR that sets these properties."""
    return f"<C:mkcalendar {NAMESPACES}><D:set><D:prop>{inner}</D:prop></D:set></C:mkcalendar>"


def sync(token: str = "", props: str = "<D:getetag/>", more: str = "", *, level: str | None = "1") -> str:
    """The body of a sync-collection; ``more`` is a ``DAV:limit``."""
    reach = "" if level is None else f"<D:sync-level>{level}</D:sync-level>"
    return (
        f"<D:sync-collection {NAMESPACES}><D:sync-token>{token}</D:sync-token>{reach}"
        f"{more}<D:prop>{props}</D:prop></D:sync-collection>"
    )


def multiget(*hrefs: str, kind: str = "C:calendar", data: str = "<C:calendar-data/>") -> str:
    """The body of a multiget."""
    listed = "".join(f"<D:href>{href}</D:href>" for href in hrefs)
    return f"<{kind}-multiget {NAMESPACES}><D:prop><D:getetag/>{data}</D:prop>{listed}</{kind}-multiget>"


def query(inner: str, data: str = "") -> str:
    """The body of a calendar-query; ``inner`` stands in the comp-filter of the VCALENDAR."""
    return (
        f"<C:calendar-query {NAMESPACES}><D:prop><D:getetag/>{data}</D:prop><C:filter>"
        f'<C:comp-filter name="VCALENDAR">{inner}</C:comp-filter></C:filter></C:calendar-query>'
    )


def card_query(inner: str, test: str = "anyof", more: str = "") -> str:
    """The body of an addressbook-query."""
    return (
        f"<CR:addressbook-query {NAMESPACES}><D:prop><D:getetag/></D:prop>"
        f'<CR:filter test="{test}">{inner}</CR:filter>{more}</CR:addressbook-query>'
    )


def busy(start: str, end: str) -> str:
    """The body of a free-busy-query."""
    return f'<C:free-busy-query {NAMESPACES}><C:time-range start="{start}" end="{end}"/></C:free-busy-query>'
