"""What a member finds at the first sign-in, so that no client reports an empty account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from storage.collection import ADDRESS_BOOK, CALENDAR, COMPONENT_KEY, Home
from storage.kept import kept_by
from storage.paths import DAV, join
from storage.pim_collections import Changes, make_collection

if TYPE_CHECKING:
    from storage.session import Session

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
    store = session.store
    if home.folder is not None and store.state(home.place).get("", STATE_KEY):
        return
    if home.folder is None or all(kept_by(store, folder.place) for folder in store.folders(home.folder)):
        names = DISPLAY_NAMES[store.settings.language]
        for (name, tag, components), title in zip(FIRST_COLLECTIONS, names, strict=True):
            meta: dict[str, str | None] = {"D:displayname": title}
            if components:
                meta[COMPONENT_KEY] = components
            make_collection(session, join(home.path, name), tag, Changes(meta))
    with store.write(home.place) as tx:
        tx.set_state(home.place, "", STATE_KEY, True)
