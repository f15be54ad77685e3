"""
Double bookings of a room or vehicle: the one that came later is marked or refused.

It is one where an instance that is neither TRANSPARENT nor CANCELLED overlaps such an instance of another UID; where
one ends when the other begins they do not overlap. Of a recurrence that is looked at which has not ended, for two years
from now or from where it begins. Days and times without a zone are meant in the resource's zone.

Bookings stand in the order in which they came. One that is changed keeps its place as long as it overlaps nothing that
it did not overlap before; else it goes to the end, so nobody who moves a booking puts a mark on somebody else's. A
booking is marked where it overlaps one that stands before it. Its place, and what STATUS was before the mark, are kept
beside the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any

from auth.accounts import Kind
from auth.snapshot import Account
from storage.bookingmark import WORDS, with_marks
from storage.bookingtimes import Booking, Taken, Times
from storage.collection import CALENDAR, Collection
from storage.errors import BookingRefused
from storage.records import Folder, Member
from storage.zones import system_zone, zone_of_calendar

if TYPE_CHECKING:
    from storage.state import Change
    from storage.store import Store

BOOKED, MARKED = "booked", "marked"  # in the state of a booking: its place in the order, and STATUS before the mark


@dataclass(frozen=True, slots=True)
class BookingRule:
    """
    How the calendar of a resource is booked.

    Attributes:
        refused: a double booking is not stored; else it is marked.
        word: the category of the mark.
        zone: of days and times without a zone; None is UTC.
    """

    refused: bool
    word: str
    zone: tzinfo | None


def resource_of(store: Store, owner: str | None) -> Account | None:
    """The room or vehicle that owns a home; None where it is somebody else's."""
    account = None if store.accounts is None or owner is None else store.accounts.account(owner)
    return account if isinstance(account, Account) and account.kind is Kind.RESOURCE else None


def rule_of(store: Store, collection: Collection) -> BookingRule | None:
    """The rule of a resource's calendar; None of all other collections, in which everything may overlap."""
    account = resource_of(store, collection.owner) if collection.tag == CALENDAR else None
    if account is None:
        return None
    zone = system_zone(account.booking.timezone) if account.booking.timezone else None
    described = collection.meta.get("C:calendar-timezone", "").strip()
    if zone is None and described:
        zone = zone_of_calendar(described)
    return BookingRule(account.booking.refused, WORDS[store.settings.language], zone)


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    What is to be stored of one booking.

    Attributes:
        row: what stands there.
        is_rewritten: ``data`` is not what was put, or what stands there.
        kept: what is kept beside it, by key; None where nothing is.
        changes: the lines of state for that, where what stands there is replaced.
    """

    name: str
    row: Member | None
    data: bytes
    is_rewritten: bool
    kept: Mapping[str, Any]
    changes: tuple[Change, ...]


class Bookings:
    """
    Changes to one calendar, judged one after another before any of them is done.

    The caller holds the write lock of the calendar, and nothing of it is pending.
    """

    def __init__(self, store: Store, folder: Folder, rule: BookingRule) -> None:
        self._store = store
        self._folder = folder
        self._rule = rule
        self._state = store.state(folder.place)
        self._times = Times(store, folder, rule.zone, int(store.clock()))
        self._latest = int(store.clock() * 1e6)  # microseconds: the place of what comes now
        self._changed: dict[str, Booking | None] = {}
        self._taken = Taken()  # by what is changed
        self._doubtful: set[str] = set()  # marked ones whose overlap may have ended

    def remove(self, row: Member) -> None:
        """An object goes."""
        self._times.refill()
        present = self._find(row.name)
        self._replace(row.name, None)
        if present is not None:
            self._doubt(present, self._overlapped(present))

    def put(
        self, name: str, row: Member | None, data: bytes, uid: str | None, *, renamed: Member | None = None
    ) -> None:
        """
        An object comes, or is replaced.

        Args:
            row: what it replaces.
            data: a calendar object that was judged.
            renamed: what it was until now under another name of this calendar.

        Raises:
            BookingRefused: the time is taken.
        """
        self._times.refill()
        stands = renamed or row
        present = None if stands is None else self._find(stands.name)
        if renamed is not None:
            self.remove(renamed)
        before = {} if present is None else self._overlapped(present)
        booking = self._times.read(name, row, data, uid)
        booking.before = {} if present is None else present.before
        overlapped = self._overlapped(booking)
        if present is not None and overlapped.keys() <= before.keys():
            booking.place = present.place
        else:
            self._latest = max([self._latest, *map(self._place_of, overlapped)]) + 1
            booking.place = self._latest
        self._judge(booking, overlapped)
        if booking.marked and self._rule.refused:
            raise BookingRefused(self._refusal(booking))
        if present is not None:
            self._doubt(present, before)
        self._doubt(booking, overlapped)
        self._replace(name, booking)

    def outcomes(self) -> list[Outcome]:
        """What was put, in that order, then what gets another mark by it."""
        near = [booking for booking in self._judged_again() if booking.name not in self._changed]
        put = [self._outcome(booking) for booking in self._changed.values() if booking is not None]
        return put + [each for each in map(self._outcome, near) if each.is_rewritten]

    def _judged_again(self) -> list[Booking]:
        """The doubtful ones, as far as they can be followed; the others keep their marks."""
        self._times.refill()
        judged = []
        for name in sorted(self._doubtful):
            booking = self._find(name)
            overlapped = {} if booking is None else self._overlapped(booking)
            if self._times.is_spent:
                break
            if booking is not None:
                self._judge(booking, overlapped)
                judged.append(booking)
        return judged

    def _outcome(self, booking: Booking) -> Outcome:
        data, before = with_marks(booking.data, booking.marked, self._rule.word, booking.before)
        kept = {BOOKED: booking.place, MARKED: dict(before) if booking.marked else None}
        present = {} if booking.row is None else self._state.all(booking.name)
        changes = [(booking.name, key, value) for key, value in kept.items() if present.get(key) != value]
        return Outcome(booking.name, booking.row, data, data != booking.data, kept, tuple(changes))

    # -- the order -------------------------------------------------------------------------------------------------

    def _judge(self, booking: Booking, overlapped: Mapping[str, set[str]]) -> None:
        keys = (keys for other, keys in overlapped.items() if self._place_of(other) < booking.place)
        booking.marked = frozenset().union(*keys)

    def _place_of(self, name: str) -> int:
        changed = self._changed.get(name)
        if changed is not None:
            return changed.place
        kept = self._state.get(name, BOOKED)
        if isinstance(kept, int):
            return kept
        row = self._store.member_row(self._folder, name)
        return 0 if row is None else row.created_ns // 1000

    def _doubt(self, booking: Booking, overlapped: Iterable[str]) -> None:
        """Marked ones near a booking that changes are judged again, also beyond where it is followed."""
        near = {*overlapped, *self._times.names_beyond(booking)}
        self._doubtful |= {name for name in near if name != booking.name and self._is_marked(name)}

    def _is_marked(self, name: str) -> bool:
        changed = self._changed.get(name)
        return bool(changed.marked) if changed is not None else self._state.get(name, MARKED) is not None

    def _refusal(self, booking: Booking) -> str:
        at_s = next(period.start_s for period in booking.periods if period.key in booking.marked)
        at = datetime.fromtimestamp(at_s, self._rule.zone or UTC).strftime("%Y-%m-%d %H:%M %Z")
        return f"somebody has booked before what begins on {at} or an instance after it; choose another time"

    # -- what there is ---------------------------------------------------------------------------------------------

    def _overlapped(self, booking: Booking) -> dict[str, set[str]]:
        """The names of the other bookings that overlap one, each with those of its events that they overlap."""
        found = self._times.overlapped(booking, apart_from=self._changed)
        for name, keys in self._taken.overlapped(booking).items():
            found.setdefault(name, set()).update(keys)
        return found

    def _find(self, name: str) -> Booking | None:
        """A booking as it was put, or as it stands there."""
        if name in self._changed:
            return self._changed[name]
        booking = self._times.find(name)
        if booking is not None:
            booking.place, booking.before = self._place_of(name), self._state.get(name, MARKED) or {}
        return booking

    def _replace(self, name: str, booking: Booking | None) -> None:
        self._taken.replace(name, booking)
        self._changed.pop(name, None)
        self._changed[name] = booking
