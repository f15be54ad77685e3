"""jCal: iCalendar as JSON, and back (RFC 7265)."""

from __future__ import annotations

import re

from storage.contentlines import DEEPEST, Component, Line, mend, parse_components
from storage.encodedvalues import text_of_base64
from storage.jsonform import Form, Property, read_json, read_property, render_json, write_property
from storage.linewriter import NAME

MEDIA_TYPE = "application/calendar+json"
_DAY = re.compile(r"[0-9]{8}(?:,[0-9]{8})*")
_PERIODS = re.compile(r"[0-9]{8}T[0-9]{6}Z?/.*")
_BY_TYPE = {
    # the types of properties without VALUE (RFC 5545 §3.8, RFC 7808 §7, RFC 7986 §5, RFC 9074); others are unknown
    "text": "CALSCALE METHOD PRODID VERSION CATEGORIES CLASS COMMENT DESCRIPTION LOCATION RESOURCES STATUS SUMMARY "
    "TRANSP TZID TZNAME CONTACT RELATED-TO UID ACTION REQUEST-STATUS NAME COLOR BUSYTYPE PROXIMITY TZID-ALIAS-OF",
    "date-time": "COMPLETED DTEND DUE DTSTART DTSTAMP RECURRENCE-ID EXDATE RDATE CREATED LAST-MODIFIED ACKNOWLEDGED "
    "TZUNTIL",
    "duration": "DURATION TRIGGER",
    "uri": "ATTACH TZURL URL SOURCE",
    "cal-address": "ATTENDEE ORGANIZER",
    "integer": "PERCENT-COMPLETE PRIORITY REPEAT SEQUENCE",
    "float": "GEO",
    "period": "FREEBUSY",
    "recur": "RRULE EXRULE",
    "utc-offset": "TZOFFSETFROM TZOFFSETTO",
}


def _by_shape(name: str, default: str, value: str) -> str:
    """Clients leave VALUE=DATE out; the RFC's own example B.1 takes such a DTSTART for a date."""
    if default == "date-time" and _DAY.fullmatch(value):
        return "date"
    return "period" if name == "RDATE" and _PERIODS.fullmatch(value) else default


FORM = Form(
    defaults={name: kind for kind, names in _BY_TYPE.items() for name in names.split()},
    lists=frozenset({"CATEGORIES", "RESOURCES", "EXDATE", "RDATE", "FREEBUSY"}),
    structured={"GEO": False, "REQUEST-STATUS": False},
    by_shape=_by_shape,
)


def to_jcal(data: bytes) -> bytes:
    """
    An iCalendar object as jCal; of several the JSON array of them (RFC 7265 §3.2).

    Raises:
        ValueError: it is no iCalendar.
    """
    text = mend(data)
    found = [_read_component(each) for each in parse_components(text, longest_head=len(text))]
    if not found:
        raise ValueError("there is no component")
    return render_json(found[0] if len(found) == 1 else found)


def jcal_parts(data: bytes) -> list[tuple[str, bytes]]:
    """
    What stands in a calendar as jCal: each component with the TZID of a time zone, "" of all else.

    Raises:
        ValueError: it is no iCalendar.
    """
    text = mend(data)
    parts = list[tuple[str, bytes]]()
    for child in (child for top in parse_components(text, longest_head=len(text)) for child in top.children):
        named = child.find("TZID") if child.name == "VTIMEZONE" else None
        parts.append(("" if named is None else named.value, render_json(_read_component(child))))
    return parts


def jcal_properties(lines: bytes) -> list[Property]:
    """Content lines without a component around them, as properties. Raises ValueError for what is none."""
    text = b"BEGIN:VCALENDAR\r\n" + lines + b"END:VCALENDAR\r\n"
    return [read_property(line, FORM) for line in parse_components(text, longest_head=len(text))[0].lines]


def _read_component(component: Component) -> list[object]:
    if not NAME.fullmatch(component.name):
        raise ValueError(f"{component.name[:40]!r} is no name of a component")
    properties = [read_property(_without_encoding(line), FORM) for line in component.lines]
    return [component.name.lower(), properties, [_read_component(child) for child in component.children]]


def _without_encoding(line: Line) -> Line:
    """Base64 of what is no BINARY is decoded; of BINARY the type says it (RFC 7265 §3.1)."""
    if (line.parameter("ENCODING") or "").upper() != "BASE64":
        return line
    is_binary = (line.parameter("VALUE") or "").upper() == "BINARY"
    decoded = line.value if is_binary else text_of_base64(line.value)
    if decoded is None:
        return line
    return line._replace(parameters=tuple(pair for pair in line.parameters if pair[0] != "ENCODING"), value=decoded)


def from_jcal(data: bytes) -> bytes:
    """
    The iCalendar text of a jCal object, or of an array of them.

    Raises:
        ValueError: it is no jCal.
    """
    found = read_json(data)
    several = isinstance(found, list) and bool(found) and all(isinstance(each, list) for each in found)
    return b"".join(_write_component(each, 1) for each in (found if several and isinstance(found, list) else [found]))


def _write_component(found: object, depth: int) -> bytes:
    if not isinstance(found, list) or len(found) != 3 or depth > DEEPEST:
        raise ValueError("a component is an array of its name, its properties and its components")
    name, properties, components = found
    if not isinstance(name, str) or not isinstance(properties, list) or not isinstance(components, list):
        raise ValueError("a component is an array of its name, its properties and its components")
    if not NAME.fullmatch(name):
        raise ValueError(f"{name[:40]!r} is no name of a component")
    lines = [write_property(_with_encoding(each), FORM) for each in properties]
    inner = [_write_component(each, depth + 1) for each in components]
    frame = name.upper().encode()
    return b"".join([b"BEGIN:" + frame + b"\r\n", *lines, *inner, b"END:" + frame + b"\r\n"])


def _with_encoding(found: object) -> object:
    """A BINARY value stands in base64 and says so (RFC 5545 §3.3.1)."""
    if not isinstance(found, list) or len(found) < 4 or found[2] != "binary" or not isinstance(found[1], dict):
        return found
    return [found[0], {**found[1], "encoding": "BASE64"}, *found[2:]]
