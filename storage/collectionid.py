"""
The id of a board, form or poll: fixed when it is made, kept in the state of its folder, and written into its settings.

A folder that was copied brings the id of the other one along. The one that was known first keeps it, which its inode
tells; the copy gets another, made of the id and its own inode, so that it is the same whoever asks first.
"""

from __future__ import annotations

import base64
import hashlib
import logging
from typing import TYPE_CHECKING, Any

from storage.errors import NotFound, ParentMissing
from storage.objects import OBJECT_KEY

if TYPE_CHECKING:
    from storage.records import Folder
    from storage.store import Store

ID_CHARACTERS = 8

log = logging.getLogger("davserver.objects")


def collection_id(store: Store, folder: Folder, written: str) -> str:
    """
    The id of a folder, which is kept if nobody writes just now.

    Args:
        written: what its settings say its id is, "" where they do not.
    """
    kept: Any = store.state(folder.place).get("", OBJECT_KEY)
    id = kept.get("id") if isinstance(kept, dict) else None
    if isinstance(id, str) and kept.get("inode") == folder.inode:
        return id
    id = id if isinstance(id, str) else written
    if not id or id in _ids_beside(store, folder):
        id = _other(id, folder)
    _keep(store, folder, id)
    return id


def _ids_beside(store: Store, folder: Folder) -> set[str]:
    """The ids that other folders beside this one have for themselves."""
    above = store.find_folder(folder.place.rpartition("/")[0])
    found = set[str]()
    for other in store.folders(above) if above is not None else ():
        kept: Any = store.state(other.place).get("", OBJECT_KEY)
        if other.place != folder.place and isinstance(kept, dict) and kept.get("inode") == other.inode:
            found.add(str(kept.get("id")))
    return found


def _other(id: str, folder: Folder) -> str:
    digest = hashlib.sha256(f"{id} {folder.inode} {folder.created_ns}".encode()).digest()
    return base64.b32encode(digest).decode().lower()[:ID_CHARACTERS]


def _keep(store: Store, folder: Folder, id: str) -> None:
    if store.is_writing:
        return
    try:
        with store.write(folder.place) as tx:
            tx.set_state(folder.place, "", OBJECT_KEY, {"id": id, "inode": folder.inode})
    except (NotFound, ParentMissing):
        log.debug("%s went away while it was looked at", folder.place)
