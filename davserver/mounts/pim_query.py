"""Answering queries: the index says who may match, the item itself who does (RFC 4791 §7.8, §7.10, RFC 6352 §8.6)."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import tzinfo
from operator import attrgetter
from xml.etree.ElementTree import Element

from auth.acl import Action
from davserver.dav.names import CALDAV
from davserver.mounts.pim_filter import (
    COLLATIONS,
    CardFilter,
    CompFilter,
    PropFilter,
    parse_calendar_filter,
    parse_card_filter,
    refused,
)
from davserver.mounts.pim_props import meta_text
from davserver.mounts.pim_view import View
from storage.availability import NAME as AVAILABILITY
from storage.availability import speaks_of
from storage.bookings import rule_of
from storage.collection import CALENDAR, Collection
from storage.contentlines import Component, Malformed, mend, parse_components
from storage.index import Index
from storage.occurrences import ZONE_SLACK_S
from storage.records import FAR_AWAY, LONG_AGO, Member
from storage.recurrence import Near, TimeRange, is_in_range, occurrences, overlaps, rings
from storage.rrule import TooCostly
from storage.searchable import SEARCHABLE
from storage.store import Store
from storage.wanted import Match, Wanted
from storage.zonereferences import find_zone_name
from storage.zones import instant_of, system_zone, zone_of_calendar

MOST_CONDITIONS = 100  # that rows are asked at once: SQLite reads expressions up to a depth of 1000
INDEXED = frozenset({"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VAVAILABILITY"})

log = logging.getLogger("davserver.pim")


def parse_query(root: Element, collection: Collection) -> CompFilter | CardFilter:
    """The question of a calendar-query or addressbook-query. Raises PlaceRefused for a filter that is none."""
    return parse_calendar_filter(root) if collection.tag == CALENDAR else parse_card_filter(root)


def floating_zone(root: Element, collection: Collection, view: View) -> tzinfo | None:
    """
    The zone for dates and floating times: the one in the request, else the calendar's (RFC 4791 §7.3); None is UTC.

    The calendar of a room or vehicle is asked in the zone in which its bookings are judged.

    Raises:
        PlaceRefused: what the request names is none (RFC 4791 §7.8, RFC 7809 §3.1.6).
    """
    named, described = ((root.findtext(name) or "").strip() for name in (CALDAV.timezone_id, CALDAV.timezone))
    is_described = bool(described) and find_zone_name(described) is not None
    zone = system_zone(named) if named else zone_of_calendar(described) if is_described else None
    if zone is None and named:
        raise refused("valid-timezone", f"no time zone {named[:40]!r} is known here")
    if zone is None and described:
        raise refused("valid-calendar-data", "the timezone of a query is an iCalendar object with one VTIMEZONE")
    rule = None if zone is not None else rule_of(view.session.store, collection)
    if rule is not None:
        return rule.zone
    own = (meta_text(CALDAV.calendar_timezone, collection) or "").strip()
    return zone or (zone_of_calendar(own) if own else None)


def matches(
    question: CompFilter | CardFilter, collection: Collection, view: View, floating: tzinfo | None = None
) -> Iterator[Member]:
    """
    The members that match and that the principal may read, by name.

    Args:
        floating: the zone of dates and of times without one; None is UTC.
    """
    store, shelf = view.session.store, view.session.pim
    reads_all = shelf.reads_items(collection)
    with store.index.snapshot():  # a version that is replaced between two statements would be in neither
        candidates = list(_candidates(question, collection, store.index, floating))
    for member, is_sure in candidates:
        if not reads_all and not view.session.access.may(Action.READ, collection.path_of(member)):
            continue
        if is_sure or item_matches(question, collection, member, store, floating):
            yield member


def item_matches(
    question: CompFilter | CardFilter,
    collection: Collection,
    member: Member,
    store: Store,
    floating: tzinfo | None = None,
) -> bool:
    """Whether one item matches, by what stands in it."""
    read = next(store.read_members(collection.folder, [member]))
    if read is None:
        return False  # it went meanwhile
    try:
        data = mend(read[1])
        top = parse_components(data, longest_head=len(data), bare_parameters=isinstance(question, CardFilter))
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


def _candidates(
    question: CompFilter | CardFilter, collection: Collection, index: Index, floating: tzinfo | None
) -> Iterator[tuple[Member, bool]]:
    """The members that the index cannot rule out, by name, each with whether it is sure of it."""
    folder_id = collection.folder.id
    if isinstance(question, CardFilter):
        wanted, is_whole = _wanted(question.props)
        if not is_whole and question.any_of:
            wanted = []  # what rows cannot tell may be what matches
        found = index.members_matching(folder_id, "VCARD", wanted, any_of=question.any_of)
        yield from ((member, not question.props or (is_whole and bool(member.plain))) for member in found)
        return
    if question.absent:
        return
    comp = question.comps[0] if len(question.comps) == 1 else None
    if comp is None or comp.name not in INDEXED or comp.absent or question.props or question.time_range:
        asks_nothing = not (question.comps or question.props or question.time_range)
        yield from ((member, asks_nothing) for member in index.members(folder_id))
        return
    wanted, is_whole = _wanted(comp.props)
    is_whole = is_whole and not comp.comps
    is_told = comp.name != AVAILABILITY  # for the index, which free-busy asks too, one is there at any time
    if comp.time_range is None:
        found = index.members_matching(folder_id, comp.name, wanted)
        yield from ((member, is_whole and (bool(member.plain) or not comp.props)) for member in found)
        return
    sure, perhaps = ids_within(index, folder_id, comp.time_range, floating)
    if wanted:
        found = [each for each in index.members_matching(folder_id, comp.name, wanted) if each.id in sure | perhaps]
    else:
        near = (member for member in index.members_with(sure | perhaps) if member.component == comp.name)
        found = sorted(near, key=attrgetter("name"))
    for member in found:
        yield member, is_whole and is_told and member.id in sure and (bool(member.plain) or not comp.props)


def ids_within(index: Index, folder_id: int, asked: TimeRange, floating: tzinfo | None) -> tuple[set[int], set[int]]:
    """The ids of the members that overlap a time range, and of those of which only the object itself can say."""
    start_s, end_s = asked.start_s, asked.end_s
    sure = index.members_within(folder_id, start_s, end_s, local=False)
    perhaps = index.members_perhaps_within(folder_id, start_s, end_s)
    if floating is None:
        sure |= index.members_within(folder_id, start_s, end_s, local=True)
    else:
        found, changing = local_spans(index, folder_id, asked, floating)
        sure |= {member for member, *_ in found}
        perhaps |= changing
    return sure - perhaps, perhaps


def local_spans(
    index: Index, folder_id: int, asked: TimeRange, floating: tzinfo
) -> tuple[list[tuple[int, int, int, int]], set[int]]:
    """
    Spans on local clocks that overlap a time range on the clock of a zone: (id, start, end, busy), in UTC.

    With the second the ids of those during which that clock changes: the object itself says how long they take.
    """
    wide = index.spans_within(folder_id, asked.start_s - ZONE_SLACK_S, asked.end_s + ZONE_SLACK_S, local=True)
    found, changing = [], set()
    for member, start_s, end_s, busy in wide:
        first_s, last_s = _instant(start_s, floating), _instant(end_s, floating)
        if last_s - first_s != end_s - start_s and FAR_AWAY not in (end_s, -start_s):
            changing.add(member)
        elif first_s < asked.end_s and last_s > asked.start_s:
            found.append((member, first_s, last_s, busy))
    return found, changing


def _instant(clock_s: int, zone: tzinfo) -> int:
    try:
        return clock_s if clock_s in (LONG_AGO, FAR_AWAY) else instant_of(clock_s, zone)
    except OverflowError:  # an end after the year 9999, which no zone knows
        return clock_s


def _wanted(props: Sequence[PropFilter]) -> tuple[list[Wanted], bool]:
    """The conditions that rows can judge, and whether their answer is the whole one."""
    if sum(max(1, len(prop.texts)) for prop in props) > MOST_CONDITIONS:
        return [], False
    found, is_whole = [], True
    for prop in props:
        if prop.name not in SEARCHABLE and prop.name != "UID":
            is_whole = False
            continue
        if prop.params or prop.group is not None or prop.time_range is not None:
            is_whole = False
            if not (prop.absent or prop.any_of or prop.time_range is not None):
                found.append(Wanted(prop.name))
            continue
        # several texts have to stand in one property, which rows do not tell
        is_whole = is_whole and (prop.any_of or len(prop.texts) < 2)
        matches = [
            Match(COLLATIONS[text.collation](text.text), text.collation, text.how, text.negate) for text in prop.texts
        ]
        found.append(Wanted(prop.name, prop.absent, tuple(matches), prop.any_of))
    return found, is_whole


class _Asked:
    """One calendar object under question."""

    def __init__(self, data: bytes, calendar: Component, etag: str, floating: tzinfo | None) -> None:
        self._data = data
        self._calendar = calendar
        self._key = f"{etag} {floating}"
        self._floating = floating
        self._near = Near(data, calendar, floating)

    def calendar_holds(self, question: CompFilter) -> bool:
        """Whether the object itself matches the outermost comp-filter."""
        if self._calendar.name != question.name:
            return False
        names = {child.name for child in self._calendar.children} & INDEXED
        if question.time_range is not None and not any(self._overlaps(name, question.time_range) for name in names):
            return False
        return self._has(question, self._calendar)

    def _overlaps(self, name: str, asked: TimeRange) -> bool:
        if name == AVAILABILITY:
            found = (child for child in self._calendar.children if child.name == name)
            return any(speaks_of(child, self._near.zones, asked) for child in found)
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
        if found[0].name == AVAILABILITY:
            return [component for component in found if speaks_of(component, self._near.zones, asked)]
        try:
            near = occurrences(self._data, self._calendar, found[0].name, asked, self._floating)
            reached = {id(occurrence.component) for occurrence in near if occurrence.reaches(asked)}
        except (TooCostly, OverflowError):
            return found
        return [component for component in found if id(component) in reached]

    def _rings(self, outer: Component, alarm: Component, asked: TimeRange) -> bool:
        return rings(self._near, outer, alarm, asked)

    def _lies_in(self, component: Component, name: str, asked: TimeRange) -> bool:
        return is_in_range(self._near, component, name, asked)
