"""
When the objects of a resource's calendar take the resource, and which of them overlap.

The index tells what lies near a booking; only objects of which it cannot tell exactly are read: those on a local clock,
and those that recur beyond the rows that the index has of them.
"""

from __future__ import annotations

import logging
from bisect import bisect_left, insort
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from storage.bookingmark import Before, events_of, key_of
from storage.contentlines import mend
from storage.itemvalues import parse_moment
from storage.occurrences import KEPT_AHEAD_S, ZONE_SLACK_S, busy_of
from storage.records import FAR_AWAY, LONG_AGO, Folder, Member
from storage.recurrence import TimeRange, occurrences
from storage.rrule import TooCostly
from storage.zones import Zones, seconds

if TYPE_CHECKING:
    from storage.store import Store

MOST_INSTANCES = 5_000  # of one booking: six a day for two years
MOST_FOLLOWED = 20_000  # of others, while one change is judged
COST_OF_READING = 10  # an object, in instances
ASKED_APART = 32  # instances; of more the index is asked once, for all between the first and the last

log = logging.getLogger("davserver.bookings")


class Period(NamedTuple):
    """
    An instance that takes the resource, or some of one event that follow each other without a gap.

    Attributes:
        start_s, end_s: unix seconds.
        key: which event of the object describes it, as ``storage.bookingmark.key_of`` gives it.
    """

    start_s: int
    end_s: int
    key: str


@dataclass(slots=True)
class Booking:
    """
    One object of the calendar as it is, or as it is to be.

    Attributes:
        row: what is stored under the name.
        periods: by start, as far as they are looked at.
        horizon_s: where the instances of a recurrence were no longer followed.
        place: in the order of bookings.
        marked: the events that overlap an earlier booking.
        before: the STATUS lines kept with the marks that are in the text.
    """

    name: str
    row: Member | None
    data: bytes
    uid: str | None
    periods: list[Period] = field(default_factory=list)
    horizon_s: int | None = None
    place: int = 0
    marked: frozenset[str] = frozenset()
    before: Before = field(default_factory=dict)


class Times:
    """What is stored in one calendar, as the index and the objects tell it."""

    def __init__(self, store: Store, folder: Folder, zone: tzinfo | None, now_s: int) -> None:
        self._store = store
        self._folder = folder
        self._zone = zone
        self._now_s = now_s
        self._left = MOST_FOLLOWED

    @property
    def is_spent(self) -> bool:
        """Whether so much was followed that what is told from now on is not all."""
        return self._left <= 0

    def refill(self) -> None:
        """Another change is judged, or what it means for others."""
        self._left = MOST_FOLLOWED

    def find(self, name: str) -> Booking | None:
        """A booking as it stands there."""
        row = self._store.find_member(self._folder, name)
        read = None if row is None else next(self._store.read_members(self._folder, [row]))
        return None if read is None else self.read(name, read[0], read[1], read[0].uid)

    def read(self, name: str, row: Member | None, data: bytes, uid: str | None) -> Booking:
        """
        A booking with when it takes place.

        Of a recurrence that is what has not ended, for two years from now or from where it begins.
        """
        booking = Booking(name, row, data, uid)
        text, asked = mend(data), TimeRange()
        try:
            calendar, events = events_of(text)
            zones = Zones(text, calendar, self._zone)
            lines = [line for event in events for line in event.all("DTSTART")]
            starts_s = [seconds(parse_moment(line.value), zones.of(line)) for line in lines]
        except (ValueError, OverflowError):
            return booking  # it was not stored through us
        if starts_s and (len(events) > 1 or any(event.find("RRULE") or event.find("RDATE") for event in events)):
            asked = TimeRange(self._now_s, max(self._now_s, min(starts_s)) + KEPT_AHEAD_S)
            booking.horizon_s = asked.end_s
        booking.periods = _merged(sorted(islice(self._periods(text, asked), MOST_INSTANCES)))
        return booking

    def overlapped(self, booking: Booking, *, apart_from: Container[str]) -> dict[str, set[str]]:
        """The names of others that overlap a booking, each with the keys of those of its periods that they overlap."""
        if not booking.periods:
            return {}
        others = ((name, *each) for name, each in self._near(booking, apart_from))
        return _overlapped(booking, others)

    def names_beyond(self, booking: Booking) -> set[str]:
        """The names of what takes place after the last instance of a recurrence that is looked at."""
        if booking.horizon_s is None:
            return set()
        index, after_s = self._store.index, booking.horizon_s - ZONE_SLACK_S
        ids = index.members_perhaps_within(self._folder.id, after_s, FAR_AWAY)
        for local in (False, True):
            ids |= index.members_within(self._folder.id, after_s, FAR_AWAY, local=local)
        return {member.name for member in index.members_with(ids)}

    def _near(self, booking: Booking, apart_from: Container[str]) -> Iterator[tuple[str, tuple[int, int]]]:
        """When others near a booking take the resource, by name."""
        asked = [TimeRange(period.start_s, period.end_s) for period in booking.periods]
        whole = TimeRange(asked[0].start_s, max(each.end_s for each in asked))
        spans, unsure = self._spans(asked if len(asked) <= ASKED_APART else [whole])
        others = {
            member.id: member
            for member in self._store.index.members_with(spans.keys() | unsure)
            if member.name != booking.name
            and member.name not in apart_from
            and member.component == "VEVENT"
            and (member.uid is None or member.uid != booking.uid)
        }
        for id, member in others.items():
            if id not in unsure:
                yield from ((member.name, span) for span in spans[id])
        to_read = [member for id, member in others.items() if id in unsure]
        for member, data in filter(None, self._store.read_members(self._folder, to_read)):
            self._left -= COST_OF_READING
            for period in self._periods(mend(data), whole):
                yield member.name, (period.start_s, period.end_s)
                if self.is_spent:
                    break
            if self.is_spent:
                log.warning("%s is booked so often that not all of it is looked at", self._folder.place)
                return

    def _spans(self, asked: Sequence[TimeRange]) -> tuple[dict[int, set[tuple[int, int]]], set[int]]:
        """What surely takes the resource in some ranges, by id, and the ids of what only the objects can say."""
        index, folder_id = self._store.index, self._folder.id
        spans: dict[int, set[tuple[int, int]]] = {}
        unsure: set[int] = set()
        for each in asked:
            for id, start_s, end_s, busy in index.spans_within(folder_id, each.start_s, each.end_s, local=False):
                if busy:
                    spans.setdefault(id, set()).add((start_s, end_s))
            unsure |= index.members_perhaps_within(folder_id, each.start_s, each.end_s)
            wide = each.start_s - ZONE_SLACK_S, each.end_s + ZONE_SLACK_S
            unsure |= {id for id, _, _, busy in index.spans_within(folder_id, *wide, local=True) if busy}
        return spans, unsure

    def _periods(self, text: bytes, asked: TimeRange) -> Iterator[Period]:
        """When an object takes the resource within a range, as far as its rules can be followed."""
        try:
            calendar, _ = events_of(text)
            for found in occurrences(text, calendar, "VEVENT", asked, self._zone):
                self._left -= 1
                if found.end_s > found.start_s and found.reaches(asked) and busy_of(found.component):
                    yield Period(found.start_s, found.end_s, key_of(found.component))
        except (ValueError, IndexError, TooCostly, OverflowError) as error:
            said = str(error) or "it recurs too often"
            log.info("a booking in %s is not followed to its end: %s", self._folder.place, said)


class Taken:
    """When some bookings take the resource that are not stored yet."""

    def __init__(self) -> None:
        self._periods: list[tuple[int, int, str]] = []  # start, end, name of the booking
        self._longest_s = 0

    def replace(self, name: str, booking: Booking | None) -> None:
        """A booking comes, changes or with None goes."""
        if any(each[2] == name for each in self._periods):
            self._periods = [each for each in self._periods if each[2] != name]
        for period in booking.periods if booking is not None else ():
            insort(self._periods, (period.start_s, period.end_s, name))
            self._longest_s = max(self._longest_s, period.end_s - period.start_s)

    def overlapped(self, booking: Booking) -> dict[str, set[str]]:
        """As ``Times.overlapped``."""
        return _overlapped(booking, self._near(booking))

    def _near(self, booking: Booking) -> Iterator[tuple[str, int, int]]:
        for period in booking.periods if self._periods else ():
            first = bisect_left(self._periods, (period.start_s - self._longest_s, LONG_AGO, ""))
            for place in range(first, len(self._periods)):
                start_s, end_s, name = self._periods[place]
                if start_s >= period.end_s:
                    break
                if name != booking.name and end_s > period.start_s:
                    yield name, start_s, end_s


def _merged(periods: Iterable[Period]) -> list[Period]:
    """Sorted periods with those of one event joined that overlap or touch: they are overlapped by the same."""
    merged: list[Period] = []
    latest: dict[str, int] = {}  # by key, where the last one stands
    for period in periods:
        at = latest.get(period.key)
        if at is not None and period.start_s <= merged[at].end_s:
            merged[at] = merged[at]._replace(end_s=max(merged[at].end_s, period.end_s))
        else:
            latest[period.key] = len(merged)
            merged.append(period)
    return merged


def _overlapped(booking: Booking, others: Iterable[tuple[str, int, int]]) -> dict[str, set[str]]:
    """Of others those that overlap a booking, each with the keys of what of it they overlap."""
    longest_s = max((period.end_s - period.start_s for period in booking.periods), default=0)
    every_key = {period.key for period in booking.periods}
    found: dict[str, set[str]] = {}
    for name, start_s, end_s in others:
        if found.get(name) == every_key:
            continue
        first = bisect_left(booking.periods, start_s - longest_s, key=attrgetter("start_s"))
        for place in range(first, len(booking.periods)):
            period = booking.periods[place]
            if period.start_s >= end_s:
                break
            if period.end_s > start_s:
                found.setdefault(name, set()).add(period.key)
    return found
