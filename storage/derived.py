"""
What the server derives from other things and keeps as collections: the members' book and the birthday calendars.

They are brought in line with what they come from when somebody asks for them, before the answer: so a change costs its
author nothing, and nothing is ever answered from what somebody may no longer read.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from auth.principal import ALL_USERS
from storage.birthdaycalendar import BirthdayCalendars
from storage.collection import ADDRESS_BOOK, BIRTHDAYS
from storage.errors import StorageError
from storage.kept import kept_by, make_kept, replace_items
from storage.memberbook import member_cards
from storage.paths import HIDDEN_ACCESS_FILE, path_of
from storage.pim import ROOT_PLACE

if TYPE_CHECKING:
    from storage.collection import Collection
    from storage.rulebook import Members
    from storage.session import Session
    from storage.store import Store

MEMBERS_KEEPER = "members"  # the word in the state of the book
MEMBERS_PLACE = f"{ROOT_PLACE}/{ALL_USERS}/members"
MEMBERS_BOOK = path_of(MEMBERS_PLACE)
RULES = b'# Who finds the members in this book.\n[[rule]]\nwho = ["all-users"]\nmay = ["read"]\n'
TEXTS: Mapping[str, tuple[str, str]] = {
    # displayname, addressbook-description
    "en": ("Members", "All members and groups, written by the server"),
    "fr": ("Membres", "Tous les membres et groupes, tenu par le serveur"),
    "de": ("Mitglieder", "Alle Mitglieder und Gruppen, vom Server geführt"),
}

PAUSE_AFTER_FAILURE_S = 30

log = logging.getLogger("davserver.derived")


class Derived:
    """Brings derived collections up to date. Thread-safe; does nothing in a process that knows no accounts."""

    def __init__(self, store: Store, accounts: Members | None) -> None:
        self._store = store
        self._accounts = accounts
        self._birthdays = BirthdayCalendars(store, accounts)
        self._filling = threading.Lock()
        self._not_before_s = 0.0
        self._filled_at: int | None = None  # revision of the accounts that the book was made from
        self._keepers: Mapping[str, Callable[[Session, str], None]] = {
            BIRTHDAYS: self._birthdays.bring_up,
            MEMBERS_KEEPER: lambda session, place: self.bring_up_members(),
        }

    def bring_up(self, session: Session, place: str) -> None:
        """
        Before a kept collection is looked at: what it holds is what its reader may see now.

        Raises:
            StorageError, OSError: it could not be written, and what it holds must not be shown.
        """
        keeper = self._keepers.get(kept_by(self._store, place) or "")
        if keeper is not None and not self._store.is_writing:
            keeper(session, place)

    def bring_up_home(self, session: Session, listed: Sequence[Collection]) -> bool:
        """
        When a member's own home was listed: whether it must be listed again, because something derived changed.

        What fails is logged, and the home is answered as it is.
        """
        if self._store.is_writing:
            return False
        try:
            return self._birthdays.bring_up_listed(session, listed)
        except (StorageError, OSError) as error:
            log.warning(
                "the birthday calendar of %s could not be brought up to date: %s", session.principal.name, error
            )
            return False

    def bring_up_members(self) -> None:
        """The members' book, where other accounts are in force than those it was made from. What fails is logged."""
        accounts, now_s = self._accounts, self._store.clock()
        if accounts is None or accounts.revision == self._filled_at or self._store.is_writing:
            return
        with self._filling:
            if accounts.revision == self._filled_at or now_s < self._not_before_s:
                return
            try:
                self._fill_members(accounts)
            except (StorageError, OSError) as error:
                log.warning("the members' book could not be brought up to date: %s", error)
                self._not_before_s = now_s + PAUSE_AFTER_FAILURE_S

    def empty(self, place: str) -> None:
        """Before a derived collection is removed: what it holds goes to no trash, where it would outlive a right."""
        replace_items(self._store, place, {})

    def _fill_members(self, accounts: Members) -> None:
        revision = accounts.revision
        if self._store.settings.directory.members_book:
            self._make_members_book()
            replace_items(self._store, MEMBERS_PLACE, member_cards(accounts.accounts()))
        elif kept_by(self._store, MEMBERS_PLACE) == MEMBERS_KEEPER:
            self.empty(MEMBERS_PLACE)
            with self._store.write(tree=True) as tx:
                tx.remove_folder(MEMBERS_PLACE, by=None)
        self._filled_at = revision

    def _make_members_book(self) -> None:
        store = self._store
        if store.find_folder(MEMBERS_PLACE) is not None:
            return
        name, description = TEXTS[store.settings.language]
        meta = {"D:displayname": name, "CR:addressbook-description": description}
        make_kept(store, MEMBERS_PLACE, MEMBERS_KEEPER, ADDRESS_BOOK, meta, files={HIDDEN_ACCESS_FILE: RULES})
