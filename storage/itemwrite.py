"""One write to the items of a calendar or address book: checked, recorded in the journal, then done (ADR 0007)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from storage import formertree, paths
from storage.batch import Batch
from storage.commits import Commit, Key
from storage.errors import AlreadyExists, NotFound, ParentMissing, PlaceRefused
from storage.journal import Discard, Keep, Put, Step
from storage.records import Facts, Folder, Member
from storage.scratch import Scratch, on_disk
from storage.state import Change, State
from storage.versions import keeper_of

if TYPE_CHECKING:
    from storage.store import Store

JOURNALED_BYTES = 256 << 10  # what is larger is synced itself before it is recorded, rather than written twice


class ItemWrite:
    """
    What is to change; made by ``Store.write_items`` under the guard of the collection, done when that is left.

    The name and the UID that it was made for are not pending; others may be unless it is alone, and are not asked for.

    Attributes:
        folder: the collection.
    """

    def __init__(self, store: Store, place: str) -> None:
        folder = store.find_folder(place)
        if folder is None:
            raise ParentMissing(paths.path_of(place))
        self.folder: Folder = folder
        self._store = store
        self._place = place
        self._steps: list[Step] = []
        self._actions: list[Callable[[Batch], None]] = []
        self._keys: set[Key] = set()

    def find_member(self, name: str) -> Member | None:
        """An item as it is after all that was entered before."""
        return self._store.find_member(self.folder, name)

    def holder_of_uid(self, uid: str) -> str | None:
        """The name of the item that holds a UID after all that was entered before."""
        return self._store.holder_of_uid(self.folder, uid)

    def put(
        self,
        name: str,
        row: Member | None,
        scratch: Scratch,
        data: bytes,
        facts: Facts,
        *,
        creator: str | None = None,
        kept: Sequence[Change] = (),
        by: str | None = None,
    ) -> None:
        """
        Give a finished scratch file its name; what stood there is replaced and keeps its state.

        Args:
            row: what ``find_member`` gave for the name.
            data: what stands in the scratch file.
            creator: kept for a new name where the rules need it; state left over from an earlier file is dropped.
            kept: lines of state that come with these bytes.
            by: who does it, for the history of what is replaced; without it is none.

        Raises:
            AlreadyExists (a folder has the name), PlaceRefused (something else has it).
        """
        changes: list[Change] = []
        if row is None:
            self._require_free(name)
            changes = [*self._state().removal(name), *([(name, "creator", creator)] if creator is not None else [])]
        changes += kept
        disk_name = name if row is None else row.disk_name
        journaled = data if len(data) <= JOURNALED_BYTES else None
        self._record(changes, Put(self._place, disk_name, scratch.name, scratch.modified_ns, journaled))
        self._claim(name, facts.uid)
        keep = None
        if by is not None and row is not None and row.etag != scratch.digest:
            keep = keeper_of(self._store, self._place, row, by)
        created_ns = int(self._store.clock() * 1e9) if row is None else row.created_ns

        def act(batch: Batch) -> None:
            self._append_state(changes)
            target = self._store.file(self._place, disk_name)
            if keep is not None:
                keep()
            on_disk(lambda: scratch.rename_to(target))
            status = os.stat(target, follow_symlinks=False)
            id = self._store.index.next_write()
            member = Member.of(id, name, disk_name, scratch.digest, status, created_ns=created_ns, facts=facts)
            batch.put_member(self._place, member, facts)
            batch.log(self._place, name, self._store.clock())
            self._store.settle(self._place, name)

        self._actions.append(act)

    def remove(self, row: Member, *, by: str | None) -> None:
        """Move an item to the trash, its state along with it."""
        name, state, now = row.name, self._state(), self._store.clock()
        path = paths.path_of(f"{self._place}/{name}")
        entry, about = "", b""
        if self._store.keeps_removed(path):
            entry = self._store.trash.choose(path, now)
            kept = formertree.record(path, by, now, self._store.rulebook.levels(path))
            about = formertree.render(entry, kept, state.as_changes(name))
        changes = state.removal(name)
        self._record(
            changes, Discard(self._place, row.disk_name, row.inode, now, entry, about.decode("utf-8", "surrogatepass"))
        )
        self._claim(name, row.uid)

        def act(batch: Batch) -> None:
            file = self._store.file(self._place, row.disk_name)
            try:
                on_disk(lambda: self._store.trash.discard(entry, file, about) if entry else os.unlink(file))
            except FileNotFoundError as error:
                raise NotFound(path) from error
            self._append_state(changes)
            batch.remove_member(self._place, name)
            self._store.locks.forget(path)
            batch.log(self._place, name, now)

        self._actions.append(act)

    def commit(self) -> Commit | None:
        """All of it as one commit, or None where nothing changes."""
        if not self._actions:
            return None

        def apply(batch: Batch) -> None:
            for action in self._actions:
                action(batch)

        return Commit(self._place, tuple(self._steps), apply, frozenset(self._keys))

    def _record(self, changes: list[Change], step: Step) -> None:
        if changes:
            self._steps.append(Keep(self._place, tuple(changes)))
        self._steps.append(step)

    def _claim(self, name: str, uid: str | None) -> None:
        self._keys.add(("name", name))
        if uid is not None:
            self._keys.add(("uid", uid))

    def _state(self) -> State:
        return self._store.state(self._place)

    def _append_state(self, changes: list[Change]) -> None:
        if changes:
            self._store.append_state(self._place, changes, journaled=True)

    def _require_free(self, name: str) -> None:
        if not os.path.lexists(self._store.file(self._place, name)):
            return
        path = paths.path_of(f"{self._place}/{name}")
        if self._store.find_folder(f"{self._place}/{name}") is not None:
            raise AlreadyExists(path)
        raise PlaceRefused(path, "something that is not served has this name")
