"""The rows of a 207 that answer what a request asks of resources (RFC 4918 §9.1, §13)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from davserver.dav.multistatus import propstat_response
from davserver.dav.names import CALSERVER, PREFIXES, split
from davserver.dav.propfind import Asked, PropRequest
from davserver.dav.xml import open_tag, text_of
from davserver.mounts.acl import WITHHELD
from davserver.mounts.pim_props import ALLPROP, META_KEYS, meta_text, personal_xml, table_of
from davserver.mounts.pim_view import View, href_path, is_read
from storage.collection import Collection, Home, Item, Resource
from storage.pim_collections import PROPS_KEY
from storage.shown import PERSONAL_KEYS

NOTHING: Mapping[str, str] = MappingProxyType({})


class Rows:
    """Renders one row a resource."""

    def __init__(self, asked: PropRequest, view: View, *, minimal: bool = False) -> None:
        self._asked = asked
        self._view = view
        self._minimal = minimal

    def row(self, resource: Resource, extra: Mapping[str, str] = NOTHING) -> str:
        """The ``DAV:response`` of one resource; ``extra`` are whole elements that the caller has rendered, by name."""
        match self._asked.asked:
            case Asked.NAMES:
                table, view = table_of(resource), self._view
                names = [name for name, live in table.items() if live(resource, view) is not None]
                names += dead_properties(resource, view)
                return propstat_response(href_path(resource), [open_tag(name) for name in dict.fromkeys(names)])
            case Asked.ALL:
                table = table_of(resource)
                names = [name for name in table if name in ALLPROP]
                names += [name for name in dead_properties(resource, self._view) if name not in table]
                names += self._asked.names
                found, missing = self._values(resource, dict.fromkeys(names), extra)
                return propstat_response(href_path(resource), found, forbidden=_withheld(missing))
            case Asked.NAMED:
                found, missing = self._values(resource, self._asked.names, extra)
                lost = [] if self._minimal else [open_tag(name) for name in missing if name not in WITHHELD]
                return propstat_response(href_path(resource), found, lost, forbidden=_withheld(missing))

    def _values(
        self, resource: Resource, names: Iterable[str], extra: Mapping[str, str]
    ) -> tuple[list[str], list[str]]:
        table, found, missing = table_of(resource), list[str](), list[str]()
        dead: Mapping[str, str] | None = None
        for name in names:
            live = table.get(name)
            content = live(resource, self._view) if live is not None else None
            if content is not None and not (name in META_KEYS and isinstance(resource, Collection)):
                found.append(open_tag(name, content))
                continue
            if name in extra:
                found.append(extra[name])
                continue
            if dead is None:
                dead = dead_properties(resource, self._view)
            if name in dead:
                found.append(dead[name])
            elif content is not None:
                found.append(open_tag(name, content))
            else:
                missing.append(name)
        return found, missing


def _withheld(missing: Iterable[str]) -> list[str]:
    """Of what has no value those that every resource has, so that they are kept from the principal."""
    return [open_tag(name) for name in missing if name in WITHHELD]


def dead_properties(resource: Resource, view: View) -> Mapping[str, str]:
    """
    The properties that clients left on a resource, whole elements by Clark name.

    A text property under one of Radicale's keys may have a twin with its attributes in the state (``xml:lang``, Apple's
    ``symbolic-color``); it counts as long as its text is still the one in ``.Radicale.props``.
    """
    if not isinstance(resource, Home | Collection | Item):
        return {}
    place, name = (
        (resource.collection.place, resource.member.name)
        if isinstance(resource, Item)
        else (
            resource.place,
            "",
        )
    )
    if isinstance(resource, Home) and resource.folder is None:
        return {}
    if not isinstance(resource, Item) and not is_read(resource, view):
        return {}
    kept = view.session.store.state(place).get(name, PROPS_KEY)
    found: dict[str, str] = dict(kept) if isinstance(kept, dict) else {}
    if isinstance(resource, Collection):
        _add_collection_properties(resource, found)
    return found


def _add_collection_properties(collection: Collection, found: dict[str, str]) -> None:
    for name in META_KEYS:
        text = meta_text(name, collection)
        twin = found.get(name)
        if text is None:
            found.pop(name, None)
        elif twin is None or f">{text_of(text)}</" not in twin:
            found[name] = open_tag(name, text_of(text))
    for key, value in collection.meta.items():
        unknown = clark_of(key)
        if unknown is not None and unknown not in found and unknown not in META_KEYS and unknown != CALSERVER.source:
            found[unknown] = open_tag(unknown, text_of(value))
    for name in PERSONAL_KEYS:
        xml = personal_xml(name, collection) if name not in META_KEYS else None
        if xml is not None:
            found[name] = xml


def clark_of(key: str) -> str | None:
    """The Clark name of a key in ``.Radicale.props``; None for Radicale's own words such as ``tag``."""
    if key.startswith("{"):
        return key if "}" in key and split(key)[1] else None
    prefix, colon, name = key.partition(":")
    namespace = next((uri for uri, short in PREFIXES.items() if short == prefix), None)
    if not colon or namespace is None or not name or name == "supported-calendar-component-set":
        return None
    return f"{{{namespace}}}{name}"
