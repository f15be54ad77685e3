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
from storage.forms import FormFolder, find_form
from storage.made import Made, Maker
from storage.objectnames import FORMS
from storage.openpages import may_use

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
        """Whose link has a token, as long as the account is there."""
        accounts = self._store.accounts
        if accounts is None or not TOKEN.fullmatch(token):
            return None
        path, name = self._table().get(_digest(token), ("", ""))
        form, principal = find_form(self._store, path), accounts.principal(name)
        if form is None or principal is None:
            return None
        is_current = self.token("form", form.id, form.form.links_reset, name) == token  # edits on the disk move no log
        return Personal(path, principal) if is_current else None

    def _table(self) -> dict[bytes, tuple[str, str]]:
        """The digests of all tokens that there can be; looked through again when a form, poll or account changed."""
        store, accounts = self._store, self._store.accounts
        revision = 0 if accounts is None else accounts.revision
        look = (revision, store.index.newest_change(paths.place_of(FORMS) or ""))
        with self._lock:
            if look == self._look:
                return self._found
        forms = list(_forms(store))
        stamp = (revision, tuple((each.path, each.id, each.form.links_reset) for each in forms))
        with self._lock:
            if stamp == self._stamp:
                self._look = look
                return self._found
        names = [] if accounts is None else [each.name for each in accounts.accounts() if accounts.is_member(each.name)]
        table = {
            _digest(self.token("form", each.id, each.form.links_reset, name)): (each.path, name)
            for each in forms
            for name in names
        }
        with self._lock:
            self._look, self._stamp, self._found = look, stamp, table
        return table


def make_my_link(session: Session, folder: Folder) -> Made | None:
    """The file, for a member who may answer the form."""
    name, found = session.principal.name, find_form(session.store, folder.path)
    if name is None or found is None or not may_use(session.access, session.principal, found):
        return None
    token = session.store.personal.token("form", found.id, found.form.links_reset, name)
    url = f"{session.base_url}/p/{token}/"
    return Made.of(HEAD[session.store.settings.language].format(url=url).encode(), found.row.modified_ns)


def _is_form(store: Store, path: str) -> bool:
    return paths.parent_of(path) == FORMS and find_form(store, path) is not None


def _forms(store: Store) -> Iterator[FormFolder]:
    top = store.find_folder(paths.place_of(FORMS) or "")
    for folder in store.folders(top) if top is not None else ():
        found = find_form(store, folder.path)
        if found is not None:
            yield found


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


MAKER = Maker(NAME, _is_form, make_my_link)
