"""Calendars, address books and their items back out of the trash, by MOVE from ``/files/Trash/`` to ``/dav/``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from auth.acl import Action
from storage import treerights
from storage.collection import ADDRESS_BOOK, Collection, read_props, tag_of
from storage.errors import PlaceRefused, PreconditionFailed
from storage.paths import HIDDEN_ACCESS_FILE, name_of, parent_of
from storage.pim import ROOT_PLACE
from storage.pim_collections import make_home, require_place
from storage.pim_items import put_item
from storage.purge import Removed, erase

if TYPE_CHECKING:
    from storage.fileterms import Terms
    from storage.filetree import Node
    from storage.session import Session


def restore(session: Session, node: Node, target: str, terms: Terms, *, overwrite: bool) -> bool:
    """
    Put what was deleted below ``/dav/`` back there; true if nothing stood at the target.

    Args:
        node: a file or folder in the trash.
        target: where to; an item goes the way of a PUT, with all that this asks.

    Raises:
        PlaceRefused: nothing of this kind can stand there.
        PreconditionFailed: something stands there that does not give way.
    """
    treerights.require_movable(session, node)
    treerights.require_restorable(session, node, target)
    terms.check(node)
    if node.member is not None:
        return _restore_item(session, node, target, overwrite=overwrite)
    _restore_collection(session, node, target)
    return True


def _restore_item(session: Session, node: Node, target: str, *, overwrite: bool) -> bool:
    collection = session.pim.find(parent_of(target))
    if not isinstance(collection, Collection) or node.member is None:
        raise PlaceRefused(target, "an event, task or contact is restored into a calendar or address book")

    def check(etag: str | None) -> None:
        if etag is not None and not overwrite:
            raise PreconditionFailed(f"{target} exists and the request says Overwrite: F")

    data, _ = session.store.read_member(node.folder, node.member.name)
    properties = session.files.tree.properties(node)
    stored = put_item(session, collection, name_of(target), data, check)
    if properties:
        with session.store.write(collection.place) as tx:
            tx.set_state(collection.place, name_of(target), "props", properties)
    erase(session.store, Removed(0, node.folder.place, node.member.name))
    return stored.created


def _restore_collection(session: Session, node: Node, target: str) -> None:
    directory = session.store.directory(node.folder.place)
    tag = tag_of(read_props(directory))
    condition = "addressbook-collection-location-ok" if tag == ADDRESS_BOOK else "calendar-collection-location-ok"
    if not tag:
        raise PlaceRefused(target, "only calendars, address books and their items go below /dav/", condition)
    if session.pim.find(target) is not None:
        raise PreconditionFailed(f"{target} exists; restore it under another name")
    home = require_place(session, target, tag)
    session.access.require_on_found(Action.CREATE, home.path)
    if os.path.lexists(f"{directory}/{HIDDEN_ACCESS_FILE}"):  # its rules come along
        session.access.require_on_found(Action.ADMIN, home.path)
    with session.store.write(ROOT_PLACE, home.place, tree=True) as tx, session.store.trash.alone():
        make_home(tx, home)
        tx.restore_folder(node.folder.place, f"{home.place}/{name_of(target)}")
    session.access.forget(target)
