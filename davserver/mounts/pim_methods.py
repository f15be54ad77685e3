"""Which methods and live properties a resource below ``/dav/`` supports (RFC 3253 §3.1.3, §3.1.4)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from davserver.dav.names import DAV
from davserver.dav.xml import attribute, open_tag
from storage.collection import ADDRESS_BOOK, CALENDAR, Collection, Home, Item, Resource, Root

READING = ("OPTIONS", "GET", "HEAD", "PROPFIND", "REPORT")
WRITING = ("DELETE", "PROPPATCH", "COPY", "MOVE")
HOLDING = frozenset({CALENDAR, ADDRESS_BOOK})  # what items are put in and added to


def methods_of(resource: Resource) -> tuple[str, ...]:
    """The methods that can succeed on a resource of this kind, for somebody."""
    match resource:
        case Root():
            return READING
        case Home():
            return (*READING, "PROPPATCH")
        case Collection(tag=tag) if tag in HOLDING:
            return (*READING, "PUT", "POST", *WRITING, "ACL")
        case Collection():
            return (*READING, *WRITING, "ACL")
        case Item():
            return (*READING, "PUT", *WRITING)


def supported_methods(resource: Resource) -> str:
    """The content of ``DAV:supported-method-set``."""
    return _render_methods(methods_of(resource))


def supported_live_properties(names: Iterable[str]) -> str:
    """The content of ``DAV:supported-live-property-set``."""
    return _render_names(tuple(names))


@lru_cache(maxsize=16)
def _render_methods(names: tuple[str, ...]) -> str:
    return "".join(f'<D:supported-method name="{attribute(name)}"/>' for name in names)


@lru_cache(maxsize=16)
def _render_names(names: tuple[str, ...]) -> str:
    listed = (open_tag(DAV.prop, open_tag(name)) for name in names)
    return "".join(open_tag(DAV.supported_live_property, prop) for prop in listed)
