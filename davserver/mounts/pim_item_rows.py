"""The rows of many items of one collection: what is the same for all of them is rendered once."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from davserver.dav.conditional import render_http_date
from davserver.dav.message import quote_path
from davserver.dav.multistatus import propstat_end, status_response
from davserver.dav.names import CALDAV, CARDDAV, DAV
from davserver.dav.propfind import Asked, PropRequest
from davserver.dav.xml import open_tag, text_of
from davserver.mounts.acl import WITHHELD
from davserver.mounts.pim_props import ITEM_PROPS, ITEM_TABLES, iso_date
from davserver.mounts.pim_rows import Rows
from davserver.mounts.pim_view import View
from storage.cardversions import CannotConvert
from storage.collection import ADDRESS_BOOK, CALENDAR, Collection, Item
from storage.identity import ids_of_items
from storage.pim_collections import PROPS_KEY
from storage.records import Member

Data = Callable[[bytes], str]  # the whole element of calendar-data or address-data, from an item's bytes
Part = Callable[[Member, bytes], str]

PLAIN_PATH = re.compile(r"[A-Za-z0-9/._~@=+-]+", re.ASCII)  # stands in an href as it is
BY_MEMBER: dict[str, Callable[[Member], str]] = {
    # content of the live properties that differ from row to row
    DAV.getetag: lambda member: f'"{member.etag}"',
    DAV.getcontentlength: lambda member: str(member.size),
    DAV.getlastmodified: lambda member: render_http_date(member.modified_ns / 1e9),
    DAV.creationdate: lambda member: iso_date(member.created_ns),
}
UNCONVERTIBLE = {
    # of an item that is stored in a form from which no way leads to the one that is asked
    CALENDAR: CALDAV.supported_calendar_data,
    ADDRESS_BOOK: CARDDAV.supported_address_data_conversion,
}
VARYING = frozenset({DAV.current_user_privilege_set, DAV.getcontenttype})  # computed with the item
NOBODY = Member(0, "*", "*", "", 0, 0, 0, 0, 0)  # stands in where a property is the same for every member


class ItemRows:
    """
    Renders the items of a collection.

    Args:
        data: what renders the elements that need an item's bytes, by Clark name.
    """

    def __init__(
        self,
        asked: PropRequest,
        collection: Collection,
        view: View,
        *,
        minimal: bool = False,
        data: Mapping[str, Data] | None = None,
    ) -> None:
        self._collection = collection
        self._view = view
        self._store = view.session.store
        self._data = data or {}
        self._rows = Rows(asked, view, minimal=minimal)
        self._state = self._store.state(collection.place)
        self._table = ITEM_TABLES.get(collection.tag, ITEM_PROPS)
        missing = [name for name in asked.names if name not in self._table and name not in self._data]
        self._asks_dead = bool(missing)
        self._found = [self._part(name) for name in asked.names if name not in missing]
        self._tail = _tail([] if minimal else missing)
        self._has_template = asked.asked is Asked.NAMED and bool(self._found) and WITHHELD.isdisjoint(asked.names)

    def rows(self, members: Iterable[Member]) -> Iterator[str]:
        """The ``DAV:response`` of each item; 404 for one that went meanwhile."""
        base = self._collection.asked + "/"
        return self.rows_at((base + member.name, member) for member in members)

    def rows_at(self, members: Iterable[tuple[str, Member]]) -> Iterator[str]:
        """As ``rows``, at the decoded paths by which they were asked for."""
        if not self._data:
            return (self._row(path, member, b"") for path, member in members)
        return self._rows_with_data(members)

    def _rows_with_data(self, members: Iterable[tuple[str, Member]]) -> Iterator[str]:
        paths, rows = itertools.tee(members)
        read = self._store.read_members(self._collection.folder, (member for _, member in rows))
        for (path, _), found in zip(paths, read, strict=True):
            try:
                yield status_response(path, 404) if found is None else self._row(path, *found)
            except CannotConvert:  # RFC 6352 §8.7.2
                yield status_response(path, 415, open_tag(UNCONVERTIBLE.get(self._collection.tag, "")))

    def _row(self, path: str, member: Member, data: bytes) -> str:
        if not self._has_template or (self._asks_dead and self._state.get(member.name, PROPS_KEY)):
            extra = {name: render(data) for name, render in self._data.items()}
            item = Item(path, self._collection.path_of(member), self._collection, member)
            return self._rows.row(item, extra)
        href = path if PLAIN_PATH.fullmatch(path) else text_of(quote_path(path))
        content = "".join([part(member, data) for part in self._found])
        return f"<D:response><D:href>{href}</D:href><D:propstat><D:prop>{content}{self._tail}"

    def _part(self, name: str) -> Part:
        """What renders one property of a row."""
        data, by_member = self._data.get(name), BY_MEMBER.get(name)
        if data is not None:
            return lambda member, content: data(content)
        if by_member is not None:
            opening, closing = open_tag(name, "|").split("|")
            return lambda member, content: f"{opening}{by_member(member)}{closing}"
        if name == DAV.resource_id:
            id_of = ids_of_items(self._store, self._collection.folder)
            return lambda member, content: open_tag(name, open_tag(DAV.href, id_of(member).urn))
        if name in VARYING:
            return lambda member, content: self._live(name, member)
        constant = self._live(name, NOBODY)
        return lambda member, content: constant

    def _live(self, name: str, member: Member) -> str:
        above = self._collection
        item = Item(f"{above.asked}/{member.name}", f"{above.path}/{member.name}", above, member)
        return open_tag(name, self._table[name](item, self._view) or "")


def _tail(missing: Iterable[str]) -> str:
    """All that follows the found properties of a row."""
    names = "".join(open_tag(name) for name in missing)
    lost = f"<D:propstat><D:prop>{names}</D:prop>{propstat_end(404)}" if names else ""
    return f"</D:prop>{propstat_end(200)}{lost}</D:response>"
