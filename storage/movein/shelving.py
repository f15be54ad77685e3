"""
Putting trees that were read from an export into the drive, on the administrator's word: all of them or none.

They are built beside the drive and get their names when they are whole, as a COPY of a folder does. Nothing that is
there is replaced: a name that comes from the export gets a number where it is taken, one that was asked for is refused.
"""

from __future__ import annotations

import os
import secrets
import shutil
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auth.principal import ANONYMOUS, Principal
from storage import quota, treerights
from storage import state as states
from storage.disk import LATEST_NS
from storage.errors import PlaceRefused
from storage.fileterms import Terms, require_place
from storage.movein.parcel import Entry
from storage.movein.values import DEEPEST_LEVELS, MOST_ENTRIES
from storage.numbering import first_free, numbered
from storage.objects import OBJECT_KEY, resource_name
from storage.paths import (
    FILES,
    MEMBERS,
    OBJECT_TOPS,
    is_kept_apart,
    is_private,
    is_within,
    join,
    name_of,
    names_rules,
    parent_of,
    require_name,
)
from storage.portable import caseless, names_in
from storage.scratch import Scratch
from storage.session import Session

if TYPE_CHECKING:
    from storage.state import Change
    from storage.store import Store
    from storage.transaction import Transaction

THINGS = {"Boards": "board", "Polls": "poll"}  # what lies in a top folder and nowhere else
PAUSE_EVERY = 16  # files and folders


@dataclass(frozen=True, slots=True)
class Delivery:
    """
    What is to be stored, and where.

    Attributes:
        to: the folder that the trees come into, or one that is not there yet and that the only tree becomes.
        names: of the trees.
        size: bytes of all files.
        people: whom cards are assigned to.
        top: where such trees lie: ``Boards``, ``Notes`` or ``Polls``.
        owner: member who owns what is made; "" for nobody.
        create: make the folders that ``to`` lies in where there are none.
        dry_run: only say what would be done.
    """

    to: str
    names: Sequence[str]
    size: int
    people: Sequence[str] = ()
    top: str = "Boards"
    owner: str = ""
    create: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Shelved:
    """Where the trees are, or with ``dry_run`` would be, and who of ``people`` is no member."""

    paths: tuple[str, ...]
    strangers: tuple[str, ...]


def shelve(store: Store, delivery: Delivery, entries: Iterator[Entry], pause: Callable[[], None]) -> Shelved:
    """
    Store trees.

    Args:
        entries: of all trees; none is taken with ``dry_run``, or before it is sure that they have a place.
        pause: called now and then; what it raises ends the work, and nothing is stored.

    Raises:
        StorageError: they cannot stand there.
        ValueError: an entry is none that a tree has.
    """
    if not delivery.names:
        raise ValueError("nothing to store")
    session = _session(store, delivery.owner)
    above, wished = _target(session, delivery)
    paths = _paths(session, above, wished, delivery)
    quota.require_room(session, paths[0], delivery.size)
    strangers = tuple(name for name in delivery.people if store.accounts is None or not store.accounts.is_member(name))
    if delivery.dry_run:
        return Shelved(tuple(paths), strangers)
    with _built(session, paths, delivery.size, entries, pause) as directory:
        missing = _missing(session, above)
        places = [require_place(path) for path in (*map(parent_of, missing), *missing, above, *paths)]
        with ExitStack() as promises, store.write(*sorted(set(places)), tree=True) as tx:
            for path in missing:
                _make_folder(session, tx, path)
            paths = _paths(session, above, wished, delivery)
            for path in paths:
                treerights.require_unlocked(session, path, Terms(), tree=True)
            promises.enter_context(store.promised.room(session, paths[0], delivery.size))
            for number, path in enumerate(paths):
                tx.adopt_folder(f"{directory}/{number}", require_place(path))
    return Shelved(tuple(paths), strangers)


def require_entry_path(path: str, trees: int) -> None:
    """Raise unless a path lies in one of the trees and each name on it is one that members could store."""
    number, *names = path.split("/")
    is_tree = number.isascii() and number.isdigit() and len(number) < 7 and int(number) < trees
    if not is_tree or len(names) > DEEPEST_LEVELS + 1:
        raise ValueError(f"{path!r} is in no tree")
    for name in names:
        require_name(name)
        if names_rules(name) or is_private(name) or is_kept_apart(name):
            raise ValueError(f"{name!r} is the name of a file that is not for members")


def _session(store: Store, owner: str) -> Session:
    if not owner:
        return Session.of_administrator(store, ANONYMOUS)
    principal = None if store.accounts is None else store.accounts.principal(owner)
    if principal is None or store.accounts is None or not store.accounts.is_member(owner):
        raise PlaceRefused(owner, "there is no member of this name")
    return Session.of_administrator(store, Principal(principal.name))


def _target(session: Session, delivery: Delivery) -> tuple[str, str | None]:
    """The folder that the trees come into, and the name that was asked for the only one."""
    to = delivery.to if delivery.to.startswith("/") else f"{FILES}/{delivery.to}"
    path = session.canonical(to)
    if not is_within(path, FILES):
        why = "boards, notes and polls are files: a folder below /files is wanted, such as Boards or Notes"
        raise PlaceRefused(path, why)
    thing = THINGS.get(delivery.top)
    if thing is None and any(is_within(path, join(FILES, top)) for top in OBJECT_TOPS if top != "Notes"):
        raise PlaceRefused(path, "notes do not lie here; name a folder such as Notes/From Nextcloud")
    node = session.files.tree.find(path)
    if node is not None and not node.is_folder:
        raise PlaceRefused(path, "a file has this name; name a folder")
    is_above = treerights.is_top(path) or node is not None
    above, wished = (path, None) if is_above else (parent_of(path), name_of(path))
    if thing is not None and above != join(FILES, delivery.top):
        why = (
            f"there is a {thing} of this name already"
            if parent_of(path) == join(FILES, delivery.top)
            else f"{thing}s lie in {join(FILES, delivery.top)} and nowhere else"
        )
        raise PlaceRefused(path, f"{why}; name another, such as {delivery.top}/Summer camp")
    if wished is not None and len(delivery.names) > 1:
        raise PlaceRefused(path, f"the file holds {len(delivery.names)} boards, which cannot all have this name")
    found = session.files.tree.find(above)
    if found is not None and (not found.is_folder or found.listing or (above == FILES and wished is None)):
        raise PlaceRefused(above, "nothing can be made here")
    if found is None and not delivery.create:
        raise PlaceRefused(above, "there is no such folder; --create makes it")
    return above, wished


def _paths(session: Session, above: str, wished: str | None, delivery: Delivery) -> list[str]:
    """Where each tree will be."""
    folder = session.store.find_folder(require_place(above))
    taken = {caseless(name) for name in names_in(session, folder)} if folder is not None else set()
    paths = []
    for wanted in delivery.names if wished is None else (wished,):
        require_name(wanted)
        name = _free(wanted, taken)
        if wished is not None and name != wished:
            raise PlaceRefused(join(above, wished), "something has this name already; name another")
        taken.add(caseless(name))
        path = join(above, name)
        treerights.require_create(session, path)
        treerights.require_depth(path, DEEPEST_LEVELS + 1)
        paths.append(path)
    return paths


def _free(name: str, taken: set[str]) -> str:
    return numbered(name, first_free(lambda number: caseless(numbered(name, number)) in taken))


def _missing(session: Session, above: str) -> list[str]:
    """The folders that are to be made, from the top."""
    missing: list[str] = []
    while session.store.find_folder(require_place(above)) is None:
        missing.insert(0, above)
        above = parent_of(above)
    return missing


def _make_folder(session: Session, tx: Transaction, path: str) -> None:
    if parent_of(path) == MEMBERS:
        raise PlaceRefused(path, "a member's folder is made when the member comes")
    if not treerights.is_top(path):
        treerights.require_create(session, path)
    tx.make_folder(require_place(path), owner=treerights.owner_of_new_folder(session, path))


@contextmanager
def _built(
    session: Session, paths: Sequence[str], size: int, entries: Iterator[Entry], pause: Callable[[], None]
) -> Iterator[str]:
    """A directory with the trees by number, on the disk to the last byte; what nobody took from there is removed."""
    store = session.store
    directory = f"{store.data}/scratch/{secrets.token_hex(8)}"
    kept: defaultdict[str, list[Change]] = defaultdict(list)
    for number, path in enumerate(paths):
        owner = treerights.owner_of_new_folder(session, path)
        if owner is not None:
            kept[str(number)].append(("", "owner", owner))
    try:
        os.mkdir(directory, 0o755)
        for count, entry in enumerate(entries):
            if count > 2 * MOST_ENTRIES + len(paths):
                raise ValueError("more files and folders than an export has")
            require_entry_path(entry.path, len(paths))
            if entry.size < 0 or not -LATEST_NS <= (entry.modified_ns or 0) <= LATEST_NS:
                raise ValueError(f"{entry.path!r} has a size or time that no file has")
            if len(f"{paths[0]}{entry.path}".encode()) > store.settings.limits.path_bytes:
                raise PlaceRefused(entry.path.partition("/")[2], "the path is longer than limits.path_bytes")
            size -= entry.size
            if size < 0:
                raise ValueError("more bytes than were announced")
            _build(store, f"{directory}/{entry.path}", entry)
            if entry.created is not None:
                folder, _, name = entry.path.rpartition("/")
                kept[folder].append((name, OBJECT_KEY, _object(entry.created)))
            if count % PAUSE_EVERY == 0:
                pause()
        if not all(os.path.isdir(f"{directory}/{number}") for number in range(len(paths))):
            raise ValueError("a tree did not come")
        for folder, changes in kept.items():
            states.append(f"{directory}/{folder}", states.EMPTY, changes, durable=False)
        store.sync_all()
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _object(created: str) -> dict[str, str]:
    """What is kept of a note that was made before it came here."""
    uid = str(uuid.uuid4())
    return {"uid": uid, "name": resource_name(uid), "created": created}


def _build(store: Store, file: str, entry: Entry) -> None:
    folder, _, name = file.rpartition("/")
    if os.path.lexists(file) or not os.path.isdir(folder):
        raise ValueError(f"{name!r} is there twice, or its folder is not there")
    if entry.chunks is None:
        os.mkdir(file, 0o755)
        return
    with Scratch(folder, durable=False, hashed=False, name=name, make_room=store.make_room) as scratch:
        for chunk in entry.chunks:
            scratch.write(chunk)
        if entry.modified_ns is not None:
            scratch.set_modified(entry.modified_ns)
        scratch.rename_to(file)
