"""
What an object is: its UID and the name of its calendar object, which stay its own wherever its file is moved.

Both stand in the state of the file's folder. A ``uid`` in the file counts, unless another file of the collection is
that object already, or the file was copied from elsewhere: then it is an object of its own.
"""

from __future__ import annotations

import os
import secrets
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from storage import paths
from storage.frontmatter import Document
from storage.objectmoments import utc
from storage.objects import OBJECT_KEY, Room, Source, resource_name

if TYPE_CHECKING:
    from storage.records import Member
    from storage.store import Store
    from storage.viewrows import Rows

CLAIMED_S = 60  # some editors save by writing under another name and deleting the old one
MOST_CLAIMS = 1000

Kept = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Claim:
    """A file that says it is an object which another one is: a program may be about to delete that one."""

    uid: str
    place: str
    name: str
    until_s: float


class Identities:
    """Tells what files are. The caller holds the collection."""

    def __init__(self, store: Store, find: Callable[[str], Source | None]) -> None:
        """
        Args:
            find: the collection of a name.
        """
        self._store = store
        self._find = find
        self._claims: dict[tuple[str, str], Claim] = {}  # by id of the collection and UID

    def of(self, source: Source, room: Room, member: Member, document: Document, rows: Rows) -> Kept:
        """What is to be kept of a file: ``uid``, ``name`` of its calendar object, collection, ``created``."""
        spot = room.spot(member.name)
        found = self._store.state(room.folder.place).get(member.name, OBJECT_KEY)
        kept: dict[str, Any] | None = (
            dict(found) if isinstance(found, dict) and isinstance(found.get("uid"), str) else None
        )
        said = document.values.get("uid")
        uid = said.strip() if isinstance(said, str) and said.strip() else None
        is_copy = kept is not None and kept.get("in") != source.id
        is_copy = is_copy and kept is not None and self._is_elsewhere(source, kept["uid"], kept.get("in"))
        if is_copy:  # it came with a copy of its folder
            kept = None
        elif uid is not None and self._may_become(source, room, kept, uid, spot, rows):
            kept = {**(kept or {}), "uid": uid, "name": rows.name_of(uid) or resource_name(uid)}
            kept.pop("not", None)
        if kept is None or not self._is_free(room, kept["uid"], spot, rows):
            fresh = str(uuid.uuid4())
            kept = {"uid": fresh, "name": resource_name(fresh)}
            if uid is not None:  # that is another object, and stays so
                kept["not"] = uid
                self._claim(source, Claim(uid, room.folder.place, member.name, self._store.clock() + CLAIMED_S))
        if kept.get("in") != source.id or not isinstance(kept.get("created"), str):
            kept = {"created": utc(member.modified_ns / 1e9), **kept, "in": source.id}
        if self._has_name(room, kept, spot, rows):
            kept["name"] = f"{secrets.token_hex(16)}.ics"
        return kept

    def claim_of(self, source: Source, uid: str) -> Claim | None:
        """The file that is to be an object that goes; it is told once."""
        claim = self._claims.pop((source.id, uid), None)
        return claim if claim is not None and claim.until_s >= self._store.clock() else None

    def _claim(self, source: Source, claim: Claim) -> None:
        if len(self._claims) >= MOST_CLAIMS:
            self._claims.clear()
        self._claims[source.id, claim.uid] = claim

    def _may_become(self, source: Source, room: Room, kept: Kept | None, uid: str, spot: str, rows: Rows) -> bool:
        """Whether a file is the object that it says it is, where it was none or another one."""
        if kept is not None and (kept["uid"] == uid or kept.get("not") == uid):
            return False
        return self._is_free(room, uid, spot, rows) and (kept is not None or not self._is_elsewhere(source, uid))

    def _is_free(self, room: Room, uid: str, spot: str, rows: Rows) -> bool:
        """Whether no other file of the collection is the object of a UID."""
        holder, _ = rows.holders.get(uid, (spot, ""))
        if holder == spot:
            return True
        place, _, name = _place(room, holder).rpartition("/")
        kept = self._store.state(place).get(name, OBJECT_KEY)
        return not os.path.exists(self._store.file(place, name)) or (isinstance(kept, dict) and kept.get("uid") != uid)

    def _has_name(self, room: Room, kept: Kept, spot: str, rows: Rows) -> bool:
        """Whether another object of the collection has the name."""
        other = rows.by_name.get(kept["name"])
        if other is None or other.uid == kept["uid"] or other.disk_name == spot:
            return False
        return os.path.exists(f"{self._store.data}/{_place(room, other.disk_name)}")

    def _is_elsewhere(self, source: Source, uid: str, id: str | None = None) -> bool:
        """Whether a file of another collection, or of the one with an id, is the object of a UID."""
        for folder in self._store.index.folders(paths.VIEWS):
            name = None if folder.name == source.name else self._store.index.holder_of_uid(folder.id, uid)
            if name is None or (id is not None and not folder.name.endswith(f"-{id}")):
                continue
            row, other = self._store.index.member(folder.id, name), self._find(folder.name)
            file = None if row is None or other is None else self._store.file(other.folder.place, row.disk_name)
            if file is not None and os.path.exists(file):
                return True
        return False


def _place(room: Room, spot: str) -> str:
    """The place of a file of the collection that a room belongs to."""
    root = room.folder.place[: len(room.folder.place) - len(room.below)].rstrip("/")
    return f"{root}/{spot}"
