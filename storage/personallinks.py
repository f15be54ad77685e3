"""
Personal links: a form or poll for one member in a browser, with none of the member's credentials.

The token is a keyed hash of what it is for, so it is kept nowhere; ``my-link.txt`` shows it to that member alone.
Another number behind ``links_reset`` ends all of a form or poll.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auth.principal import Principal
from storage import paths
from storage.forms import find_form
from storage.made import Made, Maker
from storage.objectnames import FORMS, POLLS
from storage.openpages import may_use
from storage.polls import find_poll

if TYPE_CHECKING:
    from storage.records import Folder
    from storage.session import Session
    from storage.store import Store

NAME = "my-link.txt"
TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")
HEAD = {
    "en": "Your own link; what comes through it counts as yours. Do not pass it on.\n\n{url}\n",
    "fr": "Votre lien personnel ; ce qui passe par lui compte comme venant de vous. Ne le transmettez pas.\n\n{url}\n",
    "de": "Dein eigener Link; was durch ihn kommt, zählt als deines. Gib ihn nicht weiter.\n\n{url}\n",
}


@dataclass(frozen=True, slots=True)
class Personal:
    """Whose link it is, and for which folder."""

    path: str
    principal: Principal


class PersonalLinks:
    """Finds the folder and member of a token. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._look: object = None  # of what tells at no cost that nothing changed
        self._stamp: object = None  # of what the tokens are made of
        self._found: dict[bytes, tuple[str, str]] = {}  # by digest of the token: path and name of the member

    def token(self, kind: str, id: str, reset: int, member: str) -> str:
        """The token of a member's link."""
        said = f"{kind}\0{id}\0{reset}\0{member}".encode()
        digest = hmac.new(self._store.secret, said, hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).decode()[:22]

    def find(self, token: str) -> Personal | None:
        """Whose link has a token, as long as the account is there and signs in."""
        accounts = self._store.accounts
        if accounts is None or not TOKEN.fullmatch(token):
            return None
        accounts.reload_if_changed()  # nobody signs in here, which elsewhere looks for changes
        path, name = self._table().get(_digest(token), ("", ""))
        door, principal, account = _door(self._store, path), accounts.principal(name), accounts.account(name)
        if door is None or principal is None or account is None or account.disabled:
            return None
        is_current = self.token(*door, name) == token  # edits on the disk move no log
        return Personal(path, principal) if is_current else None

    def _table(self) -> dict[bytes, tuple[str, str]]:
        """The digests of all tokens that there can be; looked through again when a form, poll or account changed."""
        store, accounts = self._store, self._store.accounts
        revision = 0 if accounts is None else accounts.revision
        look = (revision, *(store.index.newest_change(paths.place_of(top) or "") for top in (FORMS, POLLS)))
        with self._lock:
            if look == self._look:
                return self._found
        doors = {path: door for path in _folders(store) if (door := _door(store, path)) is not None}
        stamp = (revision, tuple(doors.items()))
        with self._lock:
            if stamp == self._stamp:
                self._look = look
                return self._found
        names = [] if accounts is None else [each.name for each in accounts.accounts() if accounts.is_member(each.name)]
        table = {_digest(self.token(*door, name)): (path, name) for path, door in doors.items() for name in names}
        with self._lock:
            self._look, self._stamp, self._found = look, stamp, table
        return table


def make_my_link(session: Session, folder: Folder) -> Made | None:
    """The file, for a member who may answer the form or votes in the poll."""
    store, name, principal = session.store, session.principal.name, session.principal
    form, poll = find_form(store, folder.path), find_poll(store, folder.path)
    is_for_form = form is not None and may_use(session.access, principal, form)
    door = _door(store, folder.path)
    if name is None or door is None or not (is_for_form or (poll is not None and poll.is_voter(principal))):
        return None
    url = f"{session.base_url}/p/{store.personal.token(*door, name)}/"
    text = HEAD[store.settings.language].format(url=url).encode()
    return Made.of(text, max(found.row.modified_ns for found in (form, poll) if found is not None))


def _door(store: Store, path: str) -> tuple[str, str, int] | None:
    """Of a form or poll what its tokens are made of: kind, id and the number that ends them."""
    form, poll = find_form(store, path), find_poll(store, path)
    if form is not None:
        return "form", form.id, form.form.links_reset
    return None if poll is None else ("poll", poll.id, poll.poll.links_reset)


def _is_door(store: Store, path: str) -> bool:
    above = paths.parent_of(path)
    is_form = above == FORMS and find_form(store, path) is not None
    return is_form or (above == POLLS and find_poll(store, path) is not None)


def _folders(store: Store) -> Iterator[str]:
    for above in (FORMS, POLLS):
        top = store.find_folder(paths.place_of(above) or "")
        yield from (folder.path for folder in (store.folders(top) if top is not None else ()))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


MAKER = Maker(NAME, _is_door, make_my_link)
