"""
The birthday calendar of each member: ``/dav/<member>/birthdays/``, from every address book that the member may read.

Rights differ, so everybody has an own one, closed to all others. Whether it is what it must be is asked each time
that somebody looks at it, which costs a look at each book's counter: a right that ended is felt at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from auth.acl import Access, Action
from auth.principal import Principal, fold
from storage.birthdays import TITLES, birthday_events
from storage.collection import ADDRESS_BOOK, BIRTHDAYS, CALENDAR, COMPONENT_KEY, Collection, Home
from storage.errors import AlreadyExists
from storage.guards import Guards
from storage.kept import kept_by, make_kept, replace_items
from storage.occasions import Occasion, find_occasions
from storage.paths import HIDDEN_ACCESS_FILE, name_of, parent_of, path_of
from storage.shown import NOTHING_KEPT

if TYPE_CHECKING:
    from storage.records import Folder
    from storage.rulebook import Members
    from storage.session import Session
    from storage.store import Store

KEPT_BOOKS = 10_000
RULES = b"""\
# The birthdays are from address books that others perhaps may not read, so nobody else sees this calendar.
# Whoever is named here sees it all the same.
[[rule]]
who = []
may = ["read"]
"""


@dataclass(frozen=True, slots=True)
class _Seen:
    """An address book or calendar as it was looked at."""

    path: str
    place: str
    cid: str
    counter: int

    @classmethod
    def of(cls, folder: Folder) -> _Seen:
        """As its row says."""
        return cls(folder.path, folder.place, folder.cid, folder.counter)


@dataclass(frozen=True, slots=True)
class _Filling:
    """
    What a member's calendar was made from.

    Attributes:
        marks: any change of data, rules or accounts changes one of them.
        calendars: the birthday calendars in the home; more than one where one was handed over.
    """

    marks: tuple[int, int, int]
    books: tuple[_Seen, ...]
    calendars: tuple[_Seen, ...]


class BirthdayCalendars:
    """Fills the calendars. Thread-safe; what a process knows of a calendar begins when it is first asked for."""

    def __init__(self, store: Store, accounts: Members | None) -> None:
        self._store = store
        self._accounts = accounts
        self._fillings: dict[str, _Filling] = {}
        self._one_at_a_time = Guards()
        self._cards = _Cards(store)

    def bring_up(self, session: Session, place: str) -> None:
        """Before somebody looks at a birthday calendar: it holds what the member in whose home it lies may read."""
        owner = self._member(fold(name_of(parent_of(path_of(place)))))
        if owner is not None and owner.name is not None:
            own = self._session_of(owner, session)
            known = self._fillings.get(owner.name)
            if known is None or not self._holds(own, known):
                self._refill(own, owner)
        elif self._store.members(self._folder(place)):  # nobody's any more
            replace_items(self._store, place, {})

    def bring_up_listed(self, session: Session, listed: Sequence[Collection]) -> bool:
        """
        The calendar of a member whose home was just listed; it is made with the first birthday.

        Costs a comparison where nothing changed, else gives True.
        """
        member = self._member(session.principal.name or "")
        if member is None or member.name is None:
            return False
        known = self._fillings.get(member.name)
        if known is not None and self._see(session, listed) == (known.books, known.calendars):
            return False
        self._refill(session, member)
        return True

    def _refill(self, session: Session, member: Principal) -> None:
        name, session = member.name or "", self._session_of(member, session)
        with self._one_at_a_time.hold([name]):
            known = self._fillings.pop(name, None)
            self._fillings[name] = self._fill(session, known)

    def _session_of(self, member: Principal, session: Session) -> Session:
        """The member's own: not somebody else's, and not one of the administrator's, which may read everything."""
        is_own = session.principal.name == member.name and type(session.access) is Access
        return session if is_own else self._store.session(member)

    def _member(self, name: str) -> Principal | None:
        accounts = self._accounts
        return accounts.principal(name) if accounts is not None and accounts.is_member(name) else None

    def _folder(self, place: str) -> Folder:
        folder = self._store.find_folder(place)
        assert folder is not None  # it was just found
        return folder

    def _marks(self) -> tuple[int, int, int]:
        accounts = 0 if self._accounts is None else self._accounts.revision
        return int(self._store.index.meta("change") or 0), self._store.rulebook.revision, accounts

    def _holds(self, session: Session, known: _Filling) -> bool:
        """Whether a calendar would be filled in the same way again; disk and rules are asked, not only remembered."""
        if not all(_may_read(session, book.path) for book in known.books):
            return False
        for seen in (*known.books, *known.calendars):
            folder = self._store.find_folder(seen.place)
            if folder is None or _Seen.of(folder) != seen:
                return False
        return known.marks == self._marks()

    def _see(self, session: Session, listed: Sequence[Collection]) -> tuple[tuple[_Seen, ...], tuple[_Seen, ...]]:
        """The books that count and the birthday calendars among what a home lists."""
        books, calendars = self._books(session, listed), self._calendars(session, listed)
        return tuple(map(_Seen.of, books)), tuple(map(_Seen.of, calendars))

    def _books(self, session: Session, listed: Sequence[Collection]) -> list[Folder]:
        """The address books that people fill and of which the member may read every card: the own ones first."""
        if not self._is_wanted(session):
            return []
        books = [each for each in listed if each.tag == ADDRESS_BOOK and not session.access.is_kept(each.path)]
        return [each.folder for each in books if _may_read(session, each.path)]

    def _calendars(self, session: Session, listed: Sequence[Collection]) -> list[Folder]:
        """The member's birthday calendars: the one that is filled first; its name is not what tells it."""
        kept = [each for each in listed if each.asked == each.path and session.access.is_kept(each.path)]
        return [each.folder for each in kept if kept_by(self._store, each.place) == BIRTHDAYS]

    def _is_wanted(self, session: Session) -> bool:
        """Whether the administrator offers these calendars and the member has not taken it off the home."""
        hidden = session.pim.personal.get(BIRTHDAYS, NOTHING_KEPT).hidden
        return self._store.settings.birthday_calendars and not hidden

    def _fill(self, session: Session, known: _Filling | None) -> _Filling:
        marks = self._marks()  # before the reading: a change in between is found by the next look
        home = session.pim.own_home()
        listed = session.pim.listed(home) if home is not None else []
        books, calendars = self._see(session, listed)
        if home is None or (known is not None and (known.books, known.calendars) == (books, calendars)):
            return _Filling(marks, books, calendars)
        occasions = [each for book in self._books(session, listed) for each in self._cards.occasions(book)]
        events = birthday_events(occasions, self._store.settings.language)
        places = [calendar.place for calendar in calendars]
        if events and not places:
            places = [self._make(session, home)]
        if places and self._is_wanted(session):
            replace_items(self._store, places.pop(0), events)
        for place in places:
            replace_items(self._store, place, {})  # it goes to no trash
            with self._store.write(tree=True) as tx:
                tx.remove_folder(place, by=session.principal.name)
        return _Filling(marks, books, self._see(session, session.pim.listed(home))[1])

    def _make(self, session: Session, home: Home) -> str:
        """A new empty calendar under the first name that nothing in the home has."""
        meta = {"D:displayname": TITLES[self._store.settings.language], COMPONENT_KEY: "VEVENT"}
        for place in _places_to_take(home):
            try:
                make_kept(self._store, place, BIRTHDAYS, CALENDAR, meta, files={HIDDEN_ACCESS_FILE: RULES})
            except AlreadyExists:
                continue
            session.access.forget(path_of(place))
            return place
        raise AssertionError("unreachable")


class _Cards:
    """What the cards of each address book remember, each card read once; shared by all who may read the book."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._books: dict[str, tuple[int, dict[int, tuple[Occasion, ...]]]] = {}

    def occasions(self, folder: Folder) -> Iterator[Occasion]:
        """The birthdays and anniversaries in a book, in the order of its items."""
        counter, known = self._books.get(folder.cid, (-1, {}))
        if counter != folder.counter:
            known = self._read(folder, known)
            if len(self._books) >= KEPT_BOOKS:
                self._books.clear()
            self._books[folder.cid] = folder.counter, known
        for found in known.values():
            yield from found

    def _read(self, folder: Folder, known: dict[int, tuple[Occasion, ...]]) -> dict[int, tuple[Occasion, ...]]:
        rows = self._store.members(folder)
        fresh = [row for row in rows if row.id not in known]
        read = dict(known)
        for row, found in zip(fresh, self._store.read_members(folder, fresh), strict=True):
            read[row.id] = () if found is None else find_occasions(found[1])
        return {row.id: read[row.id] for row in rows}


def _may_read(session: Session, path: str) -> bool:
    """Whether a member may read a book and every card in it."""
    access = session.access
    return access.may(Action.READ, path) and Action.READ in access.actions_on_members(path)


def _places_to_take(home: Home) -> Iterator[str]:
    yield f"{home.place}/{BIRTHDAYS}"
    yield from (f"{home.place}/{BIRTHDAYS}-{number}" for number in count(2))
