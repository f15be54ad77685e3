"""
``check.txt``: where the page of a form and its settings no longer agree, for whoever edits them.
"""

from __future__ import annotations

from collections.abc import Mapping
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from auth.acl import Action
from storage import paths
from storage.errors import FileRefused, NotFound
from storage.form import Form, parse_form
from storage.formpages import control_names
from storage.forms import FormFolder, find_form
from storage.linknames import INDEX
from storage.made import Made, Maker
from storage.objectnames import FORM_FILE, FORMS, RESPONSES

if TYPE_CHECKING:
    from storage.records import Folder
    from storage.session import Session
    from storage.store import Store

NAME = "check.txt"
LONGEST_BYTES = 1 << 20  # of a page that is looked at
CONTROLS = frozenset({"input", "select", "textarea"})
NOT_SENT = frozenset({"submit", "button", "reset", "image"})
SAID: Mapping[str, Mapping[str, str]] = {
    "fine": {
        "en": "The page and form.toml agree.",
        "fr": "La page et form.toml concordent.",
        "de": "Die Seite und form.toml stimmen überein.",
    },
    "missing": {
        "en": "There is no index.html; store form.toml again to get one.",
        "fr": "Il n'y a pas de index.html ; enregistrez form.toml pour en obtenir un.",
        "de": "Es gibt keine index.html; wer form.toml neu speichert, bekommt eine.",
    },
    "unknown": {
        "en": "index.html asks for {}, which form.toml does not know: it is not stored.",
        "fr": "index.html demande {}, inconnu de form.toml : ce n'est pas enregistré.",
        "de": "index.html fragt nach {}, was form.toml nicht kennt: es wird nicht gespeichert.",
    },
    "unasked": {
        "en": "form.toml has the field {}, which index.html does not ask for.",
        "fr": "form.toml a le champ {}, que index.html ne demande pas.",
        "de": "form.toml hat das Feld {}, nach dem index.html nicht fragt.",
    },
    "action": {
        "en": "No form of index.html sends to responses/ by post.",
        "fr": "Aucun formulaire de index.html n'envoie à responses/ par post.",
        "de": "Kein Formular in index.html sendet mit post an responses/.",
    },
    "long": {
        "en": "index.html is too long to be looked at.",
        "fr": "index.html est trop long pour être vérifié.",
        "de": "index.html ist zu lang, um geprüft zu werden.",
    },
}


class _Controls(HTMLParser):
    """The names of what a page sends."""

    def __init__(self) -> None:
        super().__init__()
        self.names: dict[str, None] = {}
        self.sends = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of a control or form."""
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            to = said.get("action", "").strip().removeprefix("./").rstrip("/")
            self.sends = self.sends or (to == RESPONSES and said.get("method", "").lower() == "post")
        if tag in CONTROLS and said.get("name") and said.get("type", "").lower() not in NOT_SENT:
            self.names[said["name"]] = None


def differences(form: Form, html: str, language: str) -> list[str]:
    """A line for each difference between a form and its page."""
    page = _Controls()
    page.feed(html.replace("<![", "<!"))  # a comment to browsers, and an assertion of the parser
    known = control_names(form)
    every = {name for names in known.values() for name in names} | {*known, form.honeypot, "_charset_"}
    lines = [SAID["unknown"][language].format(name[:80]) for name in page.names if name not in every]
    for field, names in known.items():
        if not (names | {field}) & page.names.keys():
            lines.append(SAID["unasked"][language].format(field))
    return lines if page.sends else [SAID["action"][language], *lines]


def _make(session: Session, folder: Folder) -> Made | None:
    store, found = session.store, find_form(session.store, folder.path)
    if found is None or not session.access.may(Action.WRITE, folder.path):
        return None
    index = store.find_member(folder, INDEX)
    stamp = (found.row.id, index and index.id)
    modified_ns = max(found.row.modified_ns, index.modified_ns if index is not None else 0)
    return store.made.of((NAME, folder.place), stamp, lambda: Made.of(_text(store, found), modified_ns))


def _text(store: Store, found: FormFolder) -> bytes:
    language, lines = store.settings.language, list[str]()
    try:
        parse_form(store.read_member(found.folder, FORM_FILE)[0])
    except FileRefused as error:  # it was edited on the disk
        lines += str(error).split("\n")
    except NotFound:
        pass
    try:
        data, _ = store.read_member(found.folder, INDEX)
    except NotFound:
        lines.append(SAID["missing"][language])
    else:
        is_long = len(data) > LONGEST_BYTES
        lines += (
            [SAID["long"][language]] if is_long else differences(found.form, data.decode("utf-8", "replace"), language)
        )
    return ("\n".join(lines or [SAID["fine"][language]]) + "\n").encode()


def _belongs(store: Store, path: str) -> bool:
    return paths.parent_of(path) == FORMS and find_form(store, path) is not None


MAKER = Maker(NAME, _belongs, _make)
