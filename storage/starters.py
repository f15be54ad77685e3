"""
Starter pages: written into the folder of a form once, and following its settings until somebody edits them.

Which page is still the one that was written, its digest in the folder's state tells, whatever the server writes today.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from storage import paths
from storage.disk import read_bytes
from storage.errors import FileRefused
from storage.form import Form, parse_form
from storage.formpages import render_closed, render_index, render_thanks
from storage.linknames import CLOSED, INDEX, THANKS
from storage.objectnames import FORM_FILE, FORMS

if TYPE_CHECKING:
    from storage.session import Session
    from storage.transaction import Transaction

STARTER_KEY = "starter"  # in the state of a page: digest of what the server wrote

Renderer = Callable[[Form, str, str], bytes]
PAGES: Mapping[str, Renderer] = {
    INDEX: render_index,
    THANKS: lambda form, title, language: render_thanks(title, language),
    CLOSED: lambda form, title, language: render_closed(title, language),
}


def settle_starters(session: Session, tx: Transaction, path: str) -> None:
    """After a ``form.toml`` was stored, within that write: write what is missing, and follow with what is unedited."""
    folder_path = paths.parent_of(path)
    if paths.name_of(path) != FORM_FILE or paths.parent_of(folder_path) != FORMS:
        return
    store, place = session.store, paths.place_of(folder_path) or ""
    row = tx.find_member(place, FORM_FILE)
    if row is None:
        return
    try:
        form = parse_form(read_bytes(store.file(place, row.disk_name)))
    except FileRefused:
        return
    title = form.title or paths.name_of(folder_path)
    is_new = tx.find_member(place, INDEX) is None
    for name, render in PAGES.items():
        _settle(session, tx, folder_path, name, render(form, title, store.settings.language), is_new=is_new)


def _settle(session: Session, tx: Transaction, folder_path: str, name: str, data: bytes, *, is_new: bool) -> None:
    store, place = session.store, paths.place_of(folder_path) or ""
    present, digest = tx.find_member(place, name), hashlib.sha256(data).hexdigest()
    if present is None and not is_new:
        return  # somebody does without it
    if present is not None:
        written = tx.state(place).get(name, STARTER_KEY)
        is_starter = hashlib.sha256(read_bytes(store.file(place, present.disk_name))).hexdigest() == written
        if not is_starter or digest == written or list(store.locks.covering(paths.join(folder_path, name))):
            return
    elif tx.find_folder(f"{place}/{name}") is not None:
        return
    with store.scratch(place) as scratch:
        scratch.write(data)
        tx.put(place, name, scratch)
    tx.set_state(place, name, STARTER_KEY, digest)
