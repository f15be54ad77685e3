"""What a member finds at the first sign-in, so that no client reports an empty account; the calendar of a resource."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from auth.accounts import Kind
from auth.snapshot import Account
from storage.collection import ADDRESS_BOOK, CALENDAR, COMPONENT_KEY, Home
from storage.kept import kept_by
from storage.paths import DAV, join
from storage.pim_collections import Changes, make_collection
from storage.session import Session

if TYPE_CHECKING:
    from storage.store import Store

STATE_KEY = "welcomed"
# name of the folder, tag, component types
FIRST_COLLECTIONS = (
    ("calendar", CALENDAR, "VEVENT"),
    ("tasks", CALENDAR, "VTODO"),
    ("contacts", ADDRESS_BOOK, ""),
)
DISPLAY_NAMES: Mapping[str, tuple[str, str, str]] = {
    "en": ("Calendar", "Tasks", "Contacts"),
    "fr": ("Agenda", "Tâches", "Contacts"),
    "de": ("Kalender", "Aufgaben", "Kontakte"),
}


def welcome(session: Session) -> None:
    """
    Make ``calendar/``, ``tasks/`` and ``contacts/`` in the member's home, once, if it owns nothing.

    Who removes them later does not find them again: that the member was welcomed stands in the home's state.
    """
    home = session.pim.find(join(DAV, session.principal.name or ""))
    if not isinstance(home, Home) or home.owner != session.principal.name:
        return
    _fill(session, home, DISPLAY_NAMES[session.store.settings.language])


def welcome_resources(store: Store, accounts: Iterable[Account]) -> None:
    """Make ``calendar/``, once and with the name of the resource, in the home of each that owns nothing."""
    session = Session.of_administrator(store)
    for account in accounts:
        home = session.pim.find(join(DAV, account.name)) if account.kind is Kind.RESOURCE else None
        if isinstance(home, Home):
            _fill(session, home, [account.display_name])


def _fill(session: Session, home: Home, titles: Sequence[str]) -> None:
    """Make as many of the first collections as there are titles."""
    store = session.store
    if home.folder is not None and store.state(home.place).get("", STATE_KEY):
        return
    if home.folder is None or all(kept_by(store, folder.place) for folder in store.folders(home.folder)):
        for (name, tag, components), title in zip(FIRST_COLLECTIONS, titles, strict=False):
            meta: dict[str, str | None] = {"D:displayname": title}
            if components:
                meta[COMPONENT_KEY] = components
            make_collection(session, join(home.path, name), tag, Changes(meta))
    with store.write(home.place) as tx:
        tx.set_state(home.place, "", STATE_KEY, True)
