"""
Time zones by reference (RFC 7809): a calendar object with the VTIMEZONEs of what it names, or without those that every
client knows by name.

What is stored stays as it came; this is what is sent.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from datetime import UTC, datetime
from functools import lru_cache

from storage.contentlines import Component, Line, Malformed, mend, parse_components
from storage.itemvalues import parse_moment
from storage.vtimezone import render_vtimezone
from storage.zones import read_zone, system_zone

DATED = frozenset({"DTSTART", "DTEND", "DUE", "RECURRENCE-ID", "RDATE", "EXDATE"})
BEGINS = re.compile(rb"^BEGIN:VTIMEZONE", re.IGNORECASE | re.MULTILINE)
NAMES = re.compile(rb"TZ(?:\r?\n[ \t])?ID", re.IGNORECASE)
OBSERVANCE = ("DTSTART", "TZOFFSETFROM", "TZOFFSETTO")
NAMED = re.compile(rb";TZID=([^:;\r\n]+)", re.IGNORECASE)
DESCRIBED = re.compile(rb"^TZID[^:\r\n]*:([^\r\n]+)", re.IGNORECASE | re.MULTILINE)
FOLD = re.compile(rb"\r?\n[ \t]")
EARLIEST_YEAR = 1970  # for a file of many objects
SINCE_YEAR = 2000  # what a calendar's zone tells of; queries about earlier years ask the database itself
FRAME = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//davserver//EN\r\n{}END:VCALENDAR\r\n"


def is_standard(name: str) -> bool:
    """Whether a TZID is the plain name of a zone of the database; one with a vendor's path before it is not."""
    return getattr(system_zone(name), "key", None) == name


def without_standard_zones(data: bytes) -> bytes:
    """An object without the VTIMEZONEs of standard zones (RFC 7809 §3.1.3); what cannot be read comes as it is."""
    if not BEGINS.search(data):
        return data
    try:
        text = mend(data)
        calendar = parse_components(text, longest_head=len(text))[0]
    except (Malformed, IndexError):
        return data
    left_out = [child for child in calendar.children if is_standard(_name_of(child))]
    if not left_out:
        return data
    ends = [0, *(child.end for child in left_out)]
    starts = [*(child.start for child in left_out), len(text)]
    return b"".join(text[end:start] for end, start in zip(ends, starts, strict=True))


def with_named_zones(data: bytes) -> bytes:
    """An object with the VTIMEZONE of every zone that it names and that is known (RFC 7809 §3.1.3)."""
    if not NAMES.search(data):
        return data
    try:
        text = mend(data)
        calendar = parse_components(text, longest_head=len(text))[0]
    except (Malformed, IndexError):
        return data
    missing = missing_zones(calendar)
    if not missing:
        return data
    place = calendar.children[0].start if calendar.children else calendar.closing
    return text[:place] + missing.encode() + text[place:]


def missing_zones(calendar: Component) -> str:
    """The VTIMEZONEs of the known zones that an object names and does not describe."""
    described = {_name_of(child) for child in calendar.children}
    lines = [line for child in calendar.children for line in _lines(child)]
    named = dict.fromkeys(name for line in lines if (name := line.parameter("TZID")) is not None)
    wanted = {name: zone for name in named if name not in described and (zone := system_zone(name)) is not None}
    if not wanted:
        return ""
    since_year = min((year for line in lines if line.name in DATED for year in _years(line.value)), default=1970) - 1
    return "".join(render_vtimezone(name, zone, since_year) for name, zone in wanted.items())


def unnamed_zones(data: bytes, known: Container[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """
    The zones that an object names and does not describe, (TZID, VTIMEZONE), as far as they are known to nobody yet.

    Args:
        known: TZIDs of those that need no description any more.
    """
    named = {name.strip(b'"') for name in NAMED.findall(FOLD.sub(b"", data))}
    named = {name for name in named if name not in known}
    if not named:
        return
    for name in sorted(named - {name.strip() for name in DESCRIBED.findall(data)}):
        zone = system_zone(name.decode("utf-8", "replace"))
        if zone is not None:
            yield name, render_vtimezone(name.decode(), zone, EARLIEST_YEAR).encode()


def calendar_of_zone(name: str) -> str | None:
    """A ``calendar-timezone`` that describes a standard zone (RFC 7809 §3.1.5); None where the name is unknown."""
    zone = system_zone(name)
    return FRAME.format(render_vtimezone(name, zone, SINCE_YEAR)) if zone is not None else None


@lru_cache(maxsize=256)
def find_zone_name(text: str) -> str | None:
    """The TZID of a ``calendar-timezone``; None where that is no VCALENDAR of one valid VTIMEZONE (RFC 4791 §5.2.2)."""
    data = mend(text.strip().encode())
    try:
        top = parse_components(data, longest_head=len(data))
    except Malformed:
        return None
    if len(top) != 1 or top[0].name != "VCALENDAR" or [child.name for child in top[0].children] != ["VTIMEZONE"]:
        return None
    zone = top[0].children[0]
    observances = [child for child in zone.children if child.name in ("STANDARD", "DAYLIGHT")]
    is_whole = bool(observances) and all(child.find(name) for child in observances for name in OBSERVANCE)
    name = _name_of(zone)
    if not name or not is_whole:
        return None
    described = data[zone.start : zone.end].decode()
    return name if system_zone(name) is not None or read_zone(described) is not None else None


def _name_of(component: Component) -> str:
    line = component.find("TZID") if component.name == "VTIMEZONE" else None
    return "" if line is None else line.value.strip()


def _lines(component: Component) -> Iterator[Line]:
    if component.name != "VTIMEZONE":
        yield from component.lines
        for child in component.children:
            yield from _lines(child)


def _years(value: str) -> Iterator[int]:
    for entry in filter(str.strip, value.split(",")):
        try:
            clock_s = parse_moment(entry.partition("/")[0]).clock_s
        except ValueError:
            continue
        yield datetime.fromtimestamp(clock_s, UTC).year
