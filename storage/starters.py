"""
Starter pages: written into the folder of a form or poll once, and following its settings until somebody edits them.

Which page is still the one that was written, its digest in the folder's state tells, whatever the server writes today.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from storage import paths
from storage.disk import read_bytes
from storage.errors import FileRefused
from storage.form import parse_form
from storage.formpages import render_closed, render_index, render_thanks
from storage.linknames import CLOSED, INDEX, THANKS
from storage.objectnames import FORM_FILE, FORMS, POLL_FILE, POLLS
from storage.poll import parse_poll
from storage.pollpages import render_poll

if TYPE_CHECKING:
    from storage.session import Session
    from storage.transaction import Transaction

STARTER_KEY = "starter"  # in the state of a page: digest of what the server wrote

Pages = Mapping[str, bytes]


def settle_starters(session: Session, tx: Transaction, path: str) -> None:
    """After settings were stored, within that write: write what is missing, and follow with what is unedited."""
    folder_path, name = paths.parent_of(path), paths.name_of(path)
    render = RENDERERS.get((paths.parent_of(folder_path), name))
    store, place = session.store, paths.place_of(folder_path) or ""
    row = None if render is None else tx.find_member(place, name)
    if render is None or row is None:
        return
    try:
        data = read_bytes(store.file(place, row.disk_name))
        pages = render(data, paths.name_of(folder_path), store.settings.language)
    except FileRefused:
        return
    is_new = tx.find_member(place, INDEX) is None
    for page, text in pages.items():
        _settle(session, tx, folder_path, page, text, is_new=is_new)


def _of_form(data: bytes, name: str, language: str) -> Pages:
    form = parse_form(data)
    title = form.title or name
    return {INDEX: render_index(form, title, language), **_others(title, language)}


def _of_poll(data: bytes, name: str, language: str) -> Pages:
    poll = parse_poll(data)
    title = poll.title or name
    return {INDEX: render_poll(poll, title, language), **_others(title, language)}


def _others(title: str, language: str) -> Pages:
    return {THANKS: render_thanks(title, language), CLOSED: render_closed(title, language)}


RENDERERS: Mapping[tuple[str, str], Callable[[bytes, str, str], Pages]] = {
    (FORMS, FORM_FILE): _of_form,
    (POLLS, POLL_FILE): _of_poll,
}


def _settle(session: Session, tx: Transaction, folder_path: str, name: str, data: bytes, *, is_new: bool) -> None:
    store, place = session.store, paths.place_of(folder_path) or ""
    present, digest = tx.find_member(place, name), hashlib.sha256(data).hexdigest()
    if present is None and not is_new:
        return  # somebody does without it
    if present is not None:
        written = tx.state(place).get(name, STARTER_KEY)
        found = hashlib.sha256(read_bytes(store.file(place, present.disk_name))).hexdigest()
        if found == digest != written:  # a program copied the folder file by file, the settings last
            tx.set_state(place, name, STARTER_KEY, digest)
        if found != written or digest == written or list(store.locks.covering(paths.join(folder_path, name))):
            return
    elif tx.find_folder(f"{place}/{name}") is not None:
        return
    with store.scratch(place) as scratch:
        scratch.write(data)
        tx.put(place, name, scratch)
    tx.set_state(place, name, STARTER_KEY, digest)
