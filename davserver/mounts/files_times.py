"""
Times that clients set by PROPPATCH: the time of change of a file, and the date of making of whatever it is.

=============================  =======================================================================================
``Win32LastModifiedTime``      Explorer, after the bytes (docs/clients.md); given back as the time of the file, so that
                               it does not lie after a later upload
``DAV:getlastmodified``        an HTTP date (RFC 4918 §15.7)
``DAV:lastmodified``           seconds since 1970, as rclone sends it to ownCloud and Nextcloud; others send a date
``Win32CreationTime``          Explorer; kept, and becomes the ``creationdate``
``DAV:creationdate``           RFC 3339 (RFC 4918 §15.1)
=============================  =======================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from davserver.dav.conditional import parse_http_date
from davserver.dav.names import DAV, Namespace
from davserver.dav.xml import open_tag
from storage.disk import LATEST_NS

WIN32 = Namespace("urn:schemas-microsoft-com:")
SECOND = 1_000_000_000  # in nanoseconds
OLDEST_S, END_S = 0, LATEST_NS // SECOND  # 1970 to the year 2262


def parse_seconds(value: str | None) -> int | None:
    """Whole seconds since 1970, or those of an HTTP date; None where the text is neither."""
    text = (value or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else parse_http_date(text)


def parse_rfc3339(value: str | None) -> int | None:
    """Seconds of an RFC 3339 date with its offset; None where it cannot be read."""
    try:
        moment = datetime.fromisoformat((value or "").strip())
    except ValueError:
        return None
    return int(moment.timestamp()) if moment.tzinfo is not None else None


MODIFIED: dict[str, Callable[[str | None], int | None]] = {
    WIN32.Win32LastModifiedTime: parse_http_date,
    DAV.getlastmodified: parse_http_date,
    DAV.lastmodified: parse_seconds,
}
CREATED: dict[str, Callable[[str | None], int | None]] = {
    WIN32.Win32CreationTime: parse_http_date,
    DAV.creationdate: parse_rfc3339,
}
PARSERS = MODIFIED | CREATED
WINDOWS = frozenset({WIN32.Win32LastModifiedTime, WIN32.Win32CreationTime})
LIVE_OF_FILES = frozenset({DAV.getlastmodified, DAV.lastmodified})  # set the file's time and are not kept beside it


def is_wrong(name: str, text: str | None) -> bool:
    """
    Whether a value cannot be what its property holds (RFC 4918 §9.2.1: 409).

    Explorer sends 1601 for a time that it does not know: what is readable and out of range is kept, and sets nothing.
    """
    parse = PARSERS.get(name)
    if parse is None:
        return False
    seconds = parse(text)
    return seconds is None or (name not in WINDOWS and not OLDEST_S <= seconds < END_S)


def modified_ns(texts: dict[str, str | None]) -> int | None:
    """The time of change that some properties ask for in nanoseconds, the last one winning; None where none does."""
    return next((ns for name in reversed(texts) if (ns := _ns(MODIFIED, name, texts[name])) is not None), None)


def render_created(texts: dict[str, str | None]) -> str | None:
    """The ``DAV:creationdate`` element that some properties ask for; None where none does."""
    ns = next((ns for name in reversed(texts) if (ns := _ns(CREATED, name, texts[name])) is not None), None)
    if ns is None:
        return None
    return open_tag(DAV.creationdate, datetime.fromtimestamp(ns // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))


def _ns(parsers: Mapping[str, Callable[[str | None], int | None]], name: str, text: str | None) -> int | None:
    parse = parsers.get(name)
    seconds = None if parse is None else parse(text)
    in_range = seconds is not None and OLDEST_S <= seconds < END_S
    return seconds * SECOND if seconds is not None and in_range else None
