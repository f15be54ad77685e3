"""A whole calendar or address book as JSON, streamed (RFC 7265 §3.2, RFC 7095 §3.2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from storage.collection import CALENDAR
from storage.contentlines import escape
from storage.jcal import jcal_parts, jcal_properties
from storage.jcard import to_jcard
from storage.jsonform import render_json
from storage.records import Content


def join_json(items: Iterable[Content], tag: str, title: str, about: bytes = b"") -> Iterator[bytes]:
    """
    One jCal object with all components, or an array of jCards. What cannot be read stands in neither.

    A time zone that stands in many items is written once, as the first of them has it.

    Args:
        about: content lines that a calendar says of itself, as the text of it has them (RFC 7986 §5).
    """
    pieces = _components(items) if tag == CALENDAR else _cards(items)
    yield _head(title, about) if tag == CALENDAR else b"["
    first = next(pieces, None)
    if first is not None:
        yield first
    for piece in pieces:
        yield b"," + piece
    yield b"]]" if tag == CALENDAR else b"]"


def _head(title: str, about: bytes) -> bytes:
    named = [["x-wr-calname", {}, "unknown", escape(title)]] if title else []
    properties = [
        ["version", {}, "text", "2.0"],
        ["prodid", {}, "text", "-//davserver//EN"],
        *named,
        *jcal_properties(about),
    ]
    return b'["vcalendar",' + render_json(properties) + b",["


def _components(items: Iterable[Content]) -> Iterator[bytes]:
    zones = set[str]()
    for item in items:
        try:
            parts = jcal_parts(item.data)
        except ValueError:
            continue
        for zone, part in parts:
            if zone not in zones:
                yield part
            if zone:
                zones.add(zone)


def _cards(items: Iterable[Content]) -> Iterator[bytes]:
    for item in items:
        try:
            yield to_jcard(item.data)
        except ValueError:
            continue
