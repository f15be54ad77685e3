"""Making, changing, copying, moving, hiding and removing collections."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from auth.acl import Action
from auth.errors import NeedPrivileges
from storage import shown
from storage.bookingmark import with_marks
from storage.bookings import MARKED, resource_of
from storage.collection import (
    ADDRESS_BOOK,
    BIRTHDAYS,
    CALENDAR,
    KEPT_KEY,
    PROPS_FILE,
    SOURCE_KEY,
    Collection,
    Home,
    Item,
    Root,
    dump_props,
    read_props,
)
from storage.errors import AlreadyExists, NotFound, ParentMissing, PlaceRefused
from storage.identity import ID_KEY, new_id
from storage.paths import HIDDEN_ACCESS_FILE, MEMBERS, is_within, join, name_of, names_rules, parent_of, require_name
from storage.pim import ROOT_PLACE

if TYPE_CHECKING:
    from storage.session import Session
    from storage.store import Store
    from storage.transaction import Transaction

PROPS_KEY = "props"  # in the state: Clark name -> XML of the property


@dataclass(frozen=True, slots=True)
class Changes:
    """
    What a PROPPATCH or MKCOL sets; None removes.

    Attributes:
        meta: by Radicale's key, in ``.Radicale.props``.
        dead: XML text by Clark name, in the state.
        personal: by key of ``Home/collections.toml``.
    """

    meta: dict[str, str | None] = field(default_factory=dict)
    dead: dict[str, str | None] = field(default_factory=dict)
    personal: dict[str, str | None] = field(default_factory=dict)


def make_collection(
    session: Session, path: str, tag: str, changes: Changes, *, keeper: str | None = None
) -> Collection:
    """
    Make a calendar, address book or plain folder at ``/dav/<owner>/<name>`` (RFC 4791 §5.3.1, RFC 5689 §3).

    Args:
        keeper: what fills it, where the server does (``storage.kept``).

    Raises:
        PlaceRefused: collections do not stand there, or the name is kept for shown ones.
        AlreadyExists: something stands there.
        ParentMissing: there is no such home.
    """
    home = require_place(session, path, tag)
    name = name_of(path)
    session.access.require_on_found(Action.CREATE, home.path)
    place = f"{home.place}/{name}"
    own = home.owner == session.principal.name
    with session.store.write(ROOT_PLACE, home.place) as tx:
        make_home(tx, home)
        maker = session.principal.name
        meta = {key: value for key, value in changes.meta.items() if value is not None}
        dead = {key: value for key, value in changes.dead.items() if value is not None}
        tx.make_folder(
            place,
            owner=maker if own else None,
            creator=None if own else maker,
            state={PROPS_KEY: dead or None, KEPT_KEY: keeper, ID_KEY: new_id()},
            files={PROPS_FILE: dump_props({**meta, "tag": tag})} if tag else {},
        )
    session.access.forget(join(home.path, name))
    made = session.pim.find(join(home.path, name))
    if not isinstance(made, Collection):
        raise NotFound(path)
    return made


def change(session: Session, resource: Home | Collection | Item, changes: Changes) -> None:
    """Set and remove properties, all together; what is personal goes to the member's own file."""
    shared = bool(changes.meta or changes.dead)
    if shared:
        session.access.require_on_found(Action.WRITE, resource.path)
        above = resource.collection if isinstance(resource, Item) else resource
        if isinstance(above, Collection) and above.view is not None:
            raise PlaceRefused(resource.asked, "what it is called and looks like stands in the files of its folder")
    if changes.personal:
        _change_personal(session, name_of(resource.asked), dict(changes.personal))
    if not shared:
        return
    if isinstance(resource, Item):
        place, name = resource.collection.place, resource.member.name
    else:
        place, name = resource.place, ""
    if isinstance(resource, Home) and resource.folder is None:
        with session.store.write(ROOT_PLACE, place) as tx:
            make_home(tx, resource)
    with session.store.write(place) as tx:
        if changes.meta and isinstance(resource, Collection):
            present = read_props(session.store.directory(place))  # others may have changed it since it was asked for
            merged = {**present, **changes.meta}
            meta = {key: value for key, value in merged.items() if value is not None}
            write_props(session.store, tx, place, meta)
        if changes.dead:
            kept = dict(tx.state(place).get(name, PROPS_KEY) or {})
            merged = {**kept, **changes.dead}
            dead = {key: value for key, value in merged.items() if value is not None}
            tx.set_state(place, name, PROPS_KEY, dead or None, log=True)


def remove_collection(session: Session, collection: Collection) -> None:
    """Move a collection to the trash; one that is only shown is taken off the member's home and nothing else."""
    if collection.asked != collection.path:
        _change_personal(session, name_of(collection.asked), {"hidden": True})
        return
    _require_whole(session, collection, Action.DELETE)
    is_own = collection.owner == session.principal.name
    if is_own and session.store.state(collection.place).get("", KEPT_KEY) == BIRTHDAYS:
        _change_personal(session, BIRTHDAYS, {"hidden": True})  # else it would be made again
        session.store.derived.empty(collection.place)
    with session.store.write(tree=True, removes=True) as tx:
        _require_whole(session, collection, Action.DELETE)
        tx.remove_folder(collection.place, by=session.principal.name)


def move_collection(session: Session, collection: Collection, to: str, overwrite: bool) -> bool:
    """Rename a collection, or hand it to another home; whether the target is new."""
    _require_own_folder(collection)
    _require_whole(session, collection, Action.READ, Action.DELETE)
    home, new = _require_target(session, collection, to, overwrite)
    if home.place != parent_of(collection.place):
        _require_no_bookings(session, collection, home, to)
    if _has_rules(session, collection):  # they go along
        session.access.require_on_found(Action.ADMIN, home.path)
    place = f"{home.place}/{name_of(to)}"
    with session.store.write(tree=True) as tx:
        _require_whole(session, collection, Action.READ, Action.DELETE)
        make_home(tx, home)
        if not new:
            tx.remove_folder(place, by=session.principal.name)
        tx.move_folder(collection.place, place)
    return new


def copy_collection(session: Session, collection: Collection, to: str, overwrite: bool, *, members: bool) -> bool:
    """
    Copy a collection with what the copier may read of it; whether the target is new.

    Where the disk has no room for all of it nothing new is left; what was to be replaced is in the trash then.
    """
    _require_own_folder(collection)
    session.access.require(Action.READ, collection.path)
    home, new = _require_target(session, collection, to, overwrite)
    if members:
        _require_no_bookings(session, collection, home, to)
    if not new:
        with session.store.write(tree=True) as tx:
            tx.remove_folder(f"{home.place}/{name_of(to)}", by=session.principal.name)
    dead = session.store.state(collection.place).get("", PROPS_KEY) or {}
    meta = {key: value for key, value in collection.meta.items() if key not in ("tag", SOURCE_KEY)}
    made = make_collection(session, to, collection.tag, Changes({**meta}, {**dead}))
    if members:
        try:
            _copy_members(session, collection, made)
        except BaseException:
            with session.store.write(tree=True) as tx:
                tx.remove_folder(made.place, by=session.principal.name)
            raise
    return new


def _require_own_folder(collection: Collection) -> None:
    if collection.view is not None:
        said = f"it is {collection.view.folder.path} and is copied and moved there"
        raise PlaceRefused(collection.asked, said, "calendar-collection-location-ok")


def _copy_members(session: Session, collection: Collection, made: Collection) -> None:
    with session.store.write(collection.place, made.place) as tx:
        state = tx.state(collection.place)
        for member in session.pim.members(collection):
            text, before = b"", state.get(member.name, MARKED)
            if before is not None:  # a mark says something of the room's calendar
                text = with_marks(session.store.read_member(collection.folder, member.name)[0], (), "", before)[0]
            tx.copy(collection.place, member.name, made.place, member.name, creator=None, text=text)


def write_props(store: Store, tx: Transaction, place: str, meta: Mapping[str, str]) -> None:
    """Replace ``.Radicale.props`` of a collection, synced, and log that the collection itself changed."""
    tx.touch_directory(place)
    with store.scratch(place) as scratch:
        scratch.write(dump_props(meta))
        scratch.rename_to(store.file(place, PROPS_FILE))
    tx.touch(place, "")


def require_place(session: Session, path: str, tag: str) -> Home:
    """The home in which a new collection may stand."""
    condition = "addressbook-collection-location-ok" if tag == ADDRESS_BOOK else "calendar-collection-location-ok"
    above = session.pim.find(parent_of(path))
    if above is None:
        raise ParentMissing(path)
    if isinstance(above, Root):
        raise PlaceRefused(path, "homes are made with their accounts", condition)
    if not isinstance(above, Home):
        raise PlaceRefused(path, "collections stand directly in a home", condition)
    name = name_of(path)
    require_name(name, longest_bytes=session.store.settings.limits.name_bytes)
    if shown.is_reserved(name) or names_rules(name):
        raise PlaceRefused(path, "names like this are kept for what a home shows and for rules", condition)
    if session.pim.find(path) is not None:
        raise AlreadyExists(path)
    return above


def _require_target(session: Session, collection: Collection, to: str, overwrite: bool) -> tuple[Home, bool]:
    """Where a collection may be moved or copied, and whether nothing stands there yet."""
    if session.pim.resolve(to) == collection.path:
        raise PlaceRefused(to, "the destination is the resource itself")
    present = session.pim.find(to)
    if isinstance(present, Collection):
        if not overwrite:
            raise AlreadyExists(to)
        _require_whole(session, present, Action.DELETE)
        above = session.pim.find(parent_of(present.path))
        if isinstance(above, Home) and present.asked == present.path and not shown.is_reserved(name_of(to)):
            session.access.require(Action.CREATE, above.path)
            return above, False
        raise PlaceRefused(to, "what a home only shows is not replaced")
    home = require_place(session, to, collection.tag)
    session.access.require_on_found(Action.CREATE, home.path)
    return home, True


def _require_no_bookings(session: Session, collection: Collection, home: Home, to: str) -> None:
    """The bookings of a room or vehicle are judged one by one, which those that came in a calendar would not be."""
    if collection.tag == CALENDAR and resource_of(session.store, home.owner) is not None:
        said = "a room or vehicle is booked by events, not by a calendar of them; copy or import those into its own"
        raise PlaceRefused(to, said, "calendar-collection-location-ok")


def _require_whole(session: Session, collection: Collection, *actions: Action) -> None:
    """
    A collection goes whole or not at all: the rights are asked on it and on every item, and ``admin`` for its rules.

    What the administrator's rules name by its path stays, because those rules would be left behind.
    """
    may, path = session.access.may, collection.path
    for action in actions:
        session.access.require(action, path)
    if any(is_within(named, path) for named in session.store.rulebook.server_paths):
        raise PlaceRefused(collection.asked, "the administrator's rules name it; only they move, rename or remove it")
    if _has_rules(session, collection):
        session.access.require(Action.ADMIN, path)
    for member in () if session.access.is_kept(path) else session.store.members(collection.folder):
        lacking = next((action for action in actions if not may(action, join(path, member.name))), None)
        if lacking is not None:  # named by the collection: what is in the way may be hidden
            raise NeedPrivileges(path, lacking)


def _has_rules(session: Session, collection: Collection) -> bool:
    return os.path.lexists(session.store.file(collection.place, HIDDEN_ACCESS_FILE))


def make_home(tx: Transaction, home: Home) -> None:
    if tx.find_folder(home.place) is None:
        tx.make_folder(home.place, state={ID_KEY: new_id()})


def _change_personal(session: Session, name: str, values: dict[str, str | bool | None]) -> None:
    member = session.principal.name or ""
    place, path = f"homes/{member}", join(MEMBERS, member)
    with session.store.write("homes", place) as tx:
        folder = tx.find_folder(place) or tx.make_folder(place, owner=member)
        present = tx.find_member(place, shown.FILE)
        for locked in (join(path, shown.FILE), path)[: 1 if present else 2]:  # an editor has it open
            session.store.locks.require(locked, (), member)
        text = b"" if present is None else session.store.read_member(folder, shown.FILE)[0]
        with session.store.scratch(place) as scratch:
            scratch.write(shown.changed(text, name, values))
            tx.put(place, shown.FILE, scratch)
