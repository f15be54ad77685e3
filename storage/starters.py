"""
Starter pages: written into the folder of a form or poll once, and following its settings until somebody edits them.

A page that is still as some server wrote it says so itself: its last line has the digest of all before that. So it
follows in a copy too, in a tree from a backup, and where a crash came between settings and page.

::

    last-line = "<!-- " words SP 64(HEXDIG) " -->" LF
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
from storage.objectnames import FORM_FILE, FORMS, POLL_FILE, POLLS, PROPOSALS
from storage.poll import parse_poll
from storage.pollpages import render_poll

if TYPE_CHECKING:
    from storage.session import Session
    from storage.transaction import Transaction

LARGEST_BYTES = 16 << 20  # what is larger, no server wrote
DIGEST, END = 64, b" -->\n"
SAID = {
    "en": "This page follows its settings until somebody edits it.",
    "fr": "Cette page suit ses réglages tant que personne ne la modifie.",
    "de": "Diese Seite folgt ihren Einstellungen, bis jemand sie bearbeitet.",
}

Pages = Mapping[str, bytes]


def settle_starters(session: Session, tx: Transaction, path: str) -> None:
    """
    After settings were stored, within that write: write what is missing, and follow with what is unedited.

    A poll that takes proposals has a folder for them too.
    """
    folder_path, name = paths.parent_of(path), paths.name_of(path)
    render = RENDERERS.get((paths.parent_of(folder_path), name))
    store, place = session.store, paths.place_of(folder_path) or ""
    row = None if render is None else tx.find_member(place, name)
    if render is None or row is None:
        return
    try:
        settings = read_bytes(store.file(place, row.disk_name))
        pages = render(settings, paths.name_of(folder_path), store.settings.language)
    except FileRefused:
        return
    if name == POLL_FILE and parse_poll(settings).propose and tx.find_folder(f"{place}/{PROPOSALS}") is None:
        tx.make_folder(f"{place}/{PROPOSALS}")
    is_new = tx.find_member(place, INDEX) is None
    for page, text in pages.items():
        data = marked(text, store.settings.language)
        _settle(session, tx, folder_path, page, data, is_new=is_new)


def settle_starters_in(session: Session, tx: Transaction, folder_path: str) -> None:
    """After a folder came to its place, within that write: without a title, its name is what the pages say."""
    for top, name in RENDERERS:
        if paths.parent_of(folder_path) == top:
            settle_starters(session, tx, paths.join(folder_path, name))


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


def marked(page: bytes, language: str) -> bytes:
    """A page as it is written."""
    data = page + f"<!-- {SAID[language]} ".encode()
    return data + hashlib.sha256(data).hexdigest().encode() + END


def is_starter(data: bytes) -> bool:
    """Whether a page is, to the last byte, as a server wrote it."""
    rest, digest = data[: -DIGEST - len(END)], data[-DIGEST - len(END) : -len(END)]
    return data.endswith(END) and hashlib.sha256(rest).hexdigest().encode() == digest


def _settle(session: Session, tx: Transaction, folder_path: str, name: str, data: bytes, *, is_new: bool) -> None:
    store, place = session.store, paths.place_of(folder_path) or ""
    present = tx.find_member(place, name)
    if present is None and (not is_new or tx.find_folder(f"{place}/{name}") is not None):
        return  # somebody does without it
    if present is not None:
        if present.size > LARGEST_BYTES or list(store.locks.covering(paths.join(folder_path, name))):
            return
        before = read_bytes(store.file(place, present.disk_name))
        if before == data or not is_starter(before):
            return
    with store.scratch(place) as scratch:
        scratch.write(data)
        tx.put(place, name, scratch)
