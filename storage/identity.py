"""
What a resource is, whatever it is called: the ids behind ``DAV:resource-id`` (RFC 5842 §3.1).

A collection or home that is made here is given random bits, kept in its state; they outlive a lost index. The
directory's inode is mixed in, because a folder that somebody copies on disk takes its state along and must not be taken
for the first. What was made by others has no such bits; the id that the index gave it stands in.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from storage.paths import is_view

if TYPE_CHECKING:
    from storage.records import Folder, Member
    from storage.store import Store

ID_KEY = "id"  # in the state of a collection or home


def new_id() -> str:
    """What to keep of a folder that is made."""
    return uuid.uuid4().hex


def id_of_folder(store: Store, folder: Folder) -> uuid.UUID:
    """The id of a home or collection; it stays when the folder is renamed or moved."""
    if is_view(folder.place):
        return uuid.uuid5(uuid.NAMESPACE_URL, folder.place)
    kept = store.state(folder.place).get("", ID_KEY)
    if isinstance(kept, str):
        inode = os.stat(store.directory(folder.place), follow_symlinks=False).st_ino
        return uuid.uuid5(uuid.NAMESPACE_URL, f"{kept}:{inode}")
    return uuid.uuid5(uuid.NAMESPACE_URL, folder.cid)


def ids_of_items(store: Store, folder: Folder) -> Callable[[Member], uuid.UUID]:
    """What gives the ids of calendar objects and cards in a folder: of each what its UID is there, under any name."""
    above = id_of_folder(store, folder)
    return lambda member: uuid.uuid5(above, f"uid:{member.uid}" if member.uid else member.name)
