"""Answering queries: the index says who may match, the item itself who does (RFC 4791 §7.8, §7.10, RFC 6352 §8.6)."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from datetime import tzinfo
from xml.etree.ElementTree import Element

from davserver.dav.names import CALDAV
from davserver.mounts.pim_filter import (
    CardFilter,
    CompFilter,
    parse_calendar_filter,
    parse_card_filter,
    refused,
)
from davserver.mounts.pim_view import View
from storage.collection import CALENDAR, Collection, Item
from storage.contentlines import Component, Malformed, mend, parse_components
from storage.errors import NotFound
from storage.records import Member
from storage.recurrence import TimeRange, is_in_range, occurrences, overlaps, rings
from storage.rrule import TooCostly
from storage.zones import system_zone, zone_of_calendar

INDEXED = frozenset({"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY"})
PLAIN_TEXT = re.compile(r"[A-Za-z0-9 @._+-]+")

log = logging.getLogger("davserver.pim")


def parse_query(root: Element, collection: Collection, view: View) -> CompFilter | CardFilter:
    """The question of a calendar-query or addressbook-query. Raises PlaceRefused for a filter that is none."""
    return parse_calendar_filter(root) if collection.tag == CALENDAR else parse_card_filter(root)


def floating_zone(root: Element, collection: Collection) -> tzinfo | None:
    """
    The zone for dates and floating times: the one in the request, else the calendar's (RFC 4791 §7.3); None is UTC.

    Raises:
        PlaceRefused: what the request names is none (RFC 4791 §7.8, RFC 7809 §3.1.6).
    """
    named, described = ((root.findtext(name) or "").strip() for name in (CALDAV.timezone_id, CALDAV.timezone))
    zone = system_zone(named) if named else zone_of_calendar(described) if described else None
    if zone is None and named:
        raise refused("valid-timezone", f"no time zone {named[:40]!r} is known here")
    if zone is None and described:
        raise refused("valid-calendar-data", "the timezone of a query is an iCalendar object with one VTIMEZONE")
    own = collection.meta.get("C:calendar-timezone", "").strip()
    return zone or (zone_of_calendar(own) if own else None)


def matches(
    question: CompFilter | CardFilter,
    collection: Collection,
    members: Iterable[Member],
    view: View,
    floating: tzinfo | None = None,
) -> Iterator[Item]:
    """The members that match, in their order; ``floating`` is the zone of dates and times without one."""
    base, path = collection.asked + "/", collection.path + "/"
    needed = _needed_texts(question) if isinstance(question, CardFilter) else ()
    for member in members:
        if isinstance(question, CompFilter):
            known = known_by_index(question, member)
            if known is False:
                continue
        else:
            known = None if question.props else True
        if known or _matches_bytes(question, collection, member, needed, view, floating):
            yield Item(base + member.name, path + member.name, collection, member)


def known_by_index(question: CompFilter, member: Member) -> bool | None:
    """What the index knows: True, False, or None where the item must be read."""
    if question.absent:
        return False
    sure = question.time_range is None and not question.props
    for comp in question.comps:
        if comp.name not in INDEXED or member.component is None:
            sure = False
            continue
        if (member.component == comp.name) is comp.absent:
            return False
        asked = comp.time_range
        if asked is not None:
            if member.last_s is not None and asked.start_s > member.last_s:
                return False
            if member.first_s is not None and asked.end_s < member.first_s:
                return False
        sure = sure and asked is None and comp.is_bare
    return True if sure else None


def _matches_bytes(
    question: CompFilter | CardFilter,
    collection: Collection,
    member: Member,
    needed: tuple[bytes, ...],
    view: View,
    floating: tzinfo | None,
) -> bool:
    try:
        data = view.session.store.read_member(collection.folder, member.name)[0]
        if needed and data.isascii() and not any(text in _unfolded(data) for text in needed):
            return False
        data = mend(data)
        top = parse_components(data, longest_head=len(data), bare_parameters=isinstance(question, CardFilter))
    except NotFound:
        return False  # it went meanwhile
    except Malformed as error:
        log.info("%s/%s is no item and matches no filter: %s", collection.path, member.name, error)
        return False
    if not top:
        return False
    try:
        if isinstance(question, CardFilter):
            return question.holds(top[0])
        return _Asked(data, top[0], member.etag, floating).calendar_holds(question)
    except ValueError as error:
        log.info("%s/%s cannot be compared: %s", collection.path, member.name, error)
        return False


def _unfolded(data: bytes) -> bytes:
    return data.replace(b"\r\n ", b"").replace(b"\n ", b"").replace(b"\r\n\t", b"").lower()


def _needed_texts(question: CardFilter) -> tuple[bytes, ...]:
    """Texts of which a matching card holds at least one as bytes; none where that cannot be said."""
    texts = []
    for prop in question.props:
        if prop.absent or prop.params or not prop.texts:
            return ()
        for text in prop.texts:
            if text.negate or not PLAIN_TEXT.fullmatch(text.text):
                return ()
            texts.append(text.text.lower().encode())
    return tuple(texts)


class _Asked:
    """One calendar object under question."""

    def __init__(self, data: bytes, calendar: Component, etag: str, floating: tzinfo | None) -> None:
        self._data = data
        self._calendar = calendar
        self._key = f"{etag} {floating}"
        self._floating = floating

    def calendar_holds(self, question: CompFilter) -> bool:
        """Whether the object itself matches the outermost comp-filter."""
        if self._calendar.name != question.name:
            return False
        names = {child.name for child in self._calendar.children} & INDEXED
        if question.time_range is not None and not any(self._overlaps(name, question.time_range) for name in names):
            return False
        return self._has(question, self._calendar)

    def _overlaps(self, name: str, asked: TimeRange) -> bool:
        return overlaps(self._data, self._calendar, name, asked, f"{self._key} {name}", self._floating)

    def _has(self, question: CompFilter, component: Component) -> bool:
        return all(prop.holds(component, self._lies_in) for prop in question.props) and all(
            self._holds(comp, component) for comp in question.comps
        )

    def _holds(self, question: CompFilter, outer: Component) -> bool:
        found = [child for child in outer.children if child.name == question.name]
        if question.absent or not found:
            return question.absent and not found
        asked = question.time_range
        if asked is not None:
            if outer is not self._calendar:
                found = [alarm for alarm in found if self._rings(outer, alarm, asked)]
            elif len(found) == 1 or question.is_bare:
                if not self._overlaps(question.name, asked):
                    return False
            else:
                found = self._overlapping(found, asked)
        return any(self._has(question, component) for component in found)

    def _overlapping(self, found: list[Component], asked: TimeRange) -> list[Component]:
        """Of master and overrides those of which an instance overlaps: the same one has the properties."""
        try:
            near = occurrences(self._data, self._calendar, found[0].name, asked, self._floating)
            reached = {id(occurrence.component) for occurrence in near if occurrence.reaches(asked)}
        except (TooCostly, OverflowError):
            return found
        return [component for component in found if id(component) in reached]

    def _rings(self, outer: Component, alarm: Component, asked: TimeRange) -> bool:
        return rings(self._data, self._calendar, outer, alarm, asked, self._floating)

    def _lies_in(self, component: Component, name: str, asked: TimeRange) -> bool:
        return is_in_range(self._data, self._calendar, component, name, asked, self._floating)
