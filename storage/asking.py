"""What forms say about rights, folder by folder; the decision itself is ``auth.acl``'s."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auth.asked import Asked
from auth.principal import ALL_USERS, fold
from storage import paths
from storage.disk import read_bytes
from storage.errors import FileRefused
from storage.form import MEMBERS, WORLD, Form, parse_form
from storage.forms import find_form
from storage.objectnames import FORM_FILE, FORMS, RESPONSES

if TYPE_CHECKING:
    from storage.store import Store


def asked_at(store: Store, path: str) -> Asked | None:
    """Of the folder of a form, that of its answers or one in it; None of every other folder."""
    found = find_form(store, path) if _speaks_of(path) else None
    return None if found is None else _asked(found.form, path)


def asked_on_disk(data: str, path: str) -> Asked | None:
    """As ``asked_at``, from the files of a data folder that a server may have open."""
    if not _speaks_of(path):
        return None
    folder = paths.place_of("/".join(path.split("/")[:4]))
    try:
        return _asked(parse_form(read_bytes(f"{data}/{folder}/{FORM_FILE}")), path)
    except (OSError, FileRefused):
        return None


def _speaks_of(path: str) -> bool:
    return path.startswith(FORMS + "/") and path.split("/")[4:5] in ([], [RESPONSES])


def _asked(form: Form, path: str) -> Asked | None:
    """Who is named; a form for the world is published by a link, and names nobody."""
    if form.who == WORLD:
        return None
    names = {ALL_USERS} if form.who == MEMBERS else set(map(fold, form.who))
    return Asked(frozenset(names), is_box=path.count("/") > FORMS.count("/") + 1)
