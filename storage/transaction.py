"""
One write: rename, sync, commit, in that order, under the write locks of the folders it touches.

On leaving, directories and state lines are pressed onto the disk, then the index and its change log are committed.
Where anything fails between a rename and the commit, the folder is reconciled: the disk is the truth.
"""

from __future__ import annotations

import errno
import os
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from storage import paths, trash
from storage.errors import AlreadyExists, DiskFull, NotFound, ParentMissing, PlaceRefused
from storage.index import Batch, facts_of
from storage.reconcile import is_item_place
from storage.records import NO_FACTS, Facts, Folder, Member
from storage.scratch import FULL_DISK, Scratch
from storage.state import Change, State

if TYPE_CHECKING:
    from storage.store import Store

OWN_KEYS = ("owner", "creator")  # never copied


class Transaction:
    """Changes to a few folders; made by ``Store.write``. Places and names are as in ``Store``."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._batch = Batch()
        self._changes: defaultdict[str, list[Change]] = defaultdict(list)
        self._directories: dict[str, bool] = {}  # places changed here -> whether their recorded stamp was true before
        self._rows: dict[tuple[str, str], Member | None] = {}
        self._marks: set[str] = set()

    # -- looking, under the lock -----------------------------------------------------------------------------------

    def find_folder(self, place: str) -> Folder | None:
        """A folder as this transaction sees it."""
        return self._store.find_folder(place)

    def find_member(self, place: str, name: str) -> Member | None:
        """A file as this transaction sees it."""
        if (place, name) in self._rows:
            return self._rows[place, name]
        folder = self._store.find_folder(place)
        return None if folder is None else self._store.find_member(folder, name)

    def state(self, place: str) -> State:
        """The state of a folder with what this transaction has set."""
        base = self._store.state(place)
        return base.changed(self._changes[place]) if self._changes.get(place) else base

    # -- files -----------------------------------------------------------------------------------------------------

    def put(
        self, place: str, name: str, scratch: Scratch, facts: Facts | None = None, *, creator: str | None = None
    ) -> Member:
        """
        Give a scratch file its name; what stood there is replaced and keeps its state.

        Args:
            facts: of a calendar object or card.
            creator: kept for a new name where the rules need it; state left over from an earlier file is dropped.

        Raises:
            ParentMissing, AlreadyExists (a folder has the name).
        """
        self._require_folder(place, name)
        row = self.find_member(place, name)
        if self.find_folder(f"{place}/{name}") is not None:
            raise AlreadyExists(paths.path_of(f"{place}/{name}"))
        scratch.finish()
        if row is None:
            self._begin_name(place, name, creator)
        disk_name = name if row is None else row.disk_name
        target = self._store.file(place, disk_name)
        self._will_change(place)
        self._on_disk(lambda: scratch.rename_to(target))
        status = os.stat(target, follow_symlinks=False)
        item = is_item_place(place)
        kept = facts or NO_FACTS
        member = Member(
            name,
            disk_name,
            scratch.digest if item else self._store.next_etag(),
            status.st_size,
            status.st_ino,
            status.st_mtime_ns,
            status.st_ctime_ns,
            row.created_ns if row is not None else int(self._store.clock() * 1e9),
            kept.uid,
            kept.component,
            kept.first_s,
            kept.last_s,
        )
        self._wrote(place, member)
        return member

    def set_modified(self, place: str, name: str, modified_ns: int) -> None:
        """Give a file another time of change; its bytes and ETag stay. Raises NotFound."""
        row = self.find_member(place, name)
        if row is None:
            raise NotFound(paths.path_of(f"{place}/{name}"))
        self._will_change(place)
        file = self._store.file(place, row.disk_name)
        os.utime(file, ns=(modified_ns, modified_ns), follow_symlinks=False)
        status = os.stat(file, follow_symlinks=False)
        self._wrote(place, replace(row, modified_ns=status.st_mtime_ns, changed_ns=status.st_ctime_ns))

    def remove(self, place: str, name: str, *, by: str | None) -> None:
        """Move a file to the trash, its state along with it; its locks end. Raises NotFound."""
        row = self.find_member(place, name)
        if row is None:
            raise NotFound(paths.path_of(f"{place}/{name}"))
        self._will_change(place)
        state = self.state(place)
        self._discard(place, row.disk_name, name, by, state.as_changes(name))
        self._changes[place] += state.removal(name)
        self._batch.remove_member(place, name)
        self._gone(place, name)

    def move(self, place: str, name: str, to_place: str, to_name: str) -> Member:
        """
        Rename a file; its state goes along, its locks do not (RFC 4918 §7.6). The new name must be free.

        Raises:
            NotFound, ParentMissing, AlreadyExists.
        """
        row = self.find_member(place, name)
        if row is None:
            raise NotFound(paths.path_of(f"{place}/{name}"))
        self._require_free(to_place, to_name)
        self._will_change(place)
        self._will_change(to_place)
        source, target = self._store.file(place, row.disk_name), self._store.file(to_place, to_name)
        self._on_disk(lambda: os.rename(source, target))
        state = self.state(place)
        moved = state.as_changes(name, to_name)
        self._changes[to_place] += self.state(to_place).removal(to_name)
        self._changes[place] += state.removal(name)
        self._changes[to_place] += moved
        self._batch.remove_member(place, name)
        self._gone(place, name)
        return self._adopt(to_place, to_name, facts_of(row), row.created_ns)

    def copy(self, place: str, name: str, to_place: str, to_name: str, *, creator: str | None = None) -> Member:
        """
        Copy a file with its dead properties; the new name must be free. A reflink where the disk can, else the bytes.

        Raises:
            NotFound, ParentMissing, AlreadyExists.
        """
        if (place, name) in self._rows:
            self.checkpoint()
        folder = self._store.find_folder(place)
        if folder is None:
            raise NotFound(paths.path_of(f"{place}/{name}"))
        self._require_free(to_place, to_name)
        with self._store.scratch(to_place) as scratch:
            fd, row = self._store.open_member(folder, name)
            try:
                _copy_bytes(fd, scratch)
            finally:
                os.close(fd)
            member = self.put(to_place, to_name, scratch, facts_of(row), creator=creator)
        self._copy_state(self.state(place).as_changes(name, to_name), to_place)
        return member

    # -- folders ---------------------------------------------------------------------------------------------------

    def make_folder(self, place: str, *, owner: str | None = None, creator: str | None = None) -> Folder:
        """
        Make an empty folder.

        Raises:
            ParentMissing, AlreadyExists.
        """
        above, _, name = place.rpartition("/")
        self._require_free(above, name)
        self._will_change(above)
        directory = f"{self._store.directory(above)}/{name}"
        self._on_disk(lambda: os.mkdir(directory, 0o755))
        kept = [("", key, value) for key, value in (("owner", owner), ("creator", creator)) if value is not None]
        if kept:
            self._store.append_state(place, kept)
        self._store.sync_directory(place)
        status = os.stat(directory, follow_symlinks=False)
        stamp = status.st_mtime_ns
        self._batch.put_folder(place, inode=status.st_ino, stamp_ns=stamp, modified_ns=stamp, owner=owner, ruled=False)
        self._batch.log(above, name, self._store.clock())
        self.checkpoint()
        folder = self._store.find_folder(place)
        if folder is None:
            raise NotFound(paths.path_of(place))
        return folder

    def remove_folder(self, place: str, *, by: str | None) -> None:
        """Move a folder with all it holds to the trash. Needs the guards of the whole tree. Raises NotFound."""
        if self.find_folder(place) is None:
            raise NotFound(paths.path_of(place))
        self.checkpoint()
        above, _, name = place.rpartition("/")
        self._will_change(above)
        self._discard(above, name, name, by, ())
        self._store.forget_states(place)
        self._batch.remove_tree(place)
        self._gone(above, name)
        self.checkpoint()

    def move_folder(self, place: str, to_place: str) -> None:
        """
        Rename a folder with all it holds; ids, change logs and state go along. Needs the guards of the whole tree.

        Raises:
            NotFound, ParentMissing, AlreadyExists, PlaceRefused (into itself).
        """
        if self.find_folder(place) is None:
            raise NotFound(paths.path_of(place))
        if paths.is_within(to_place, place):
            raise PlaceRefused(paths.path_of(to_place), "a folder cannot be moved into itself")
        above, _, name = place.rpartition("/")
        to_above, _, to_name = to_place.rpartition("/")
        self._require_free(to_above, to_name)
        self.checkpoint()
        self._will_change(above)
        self._will_change(to_above)
        source, target = self._store.file(above, name), self._store.file(to_above, to_name)
        self._on_disk(lambda: os.rename(source, target))
        self._store.forget_states(place)
        self._batch.move_tree(place, to_place)
        self._gone(above, name)
        self._batch.log(to_above, to_name, self._store.clock())
        self.checkpoint()

    # -- state -----------------------------------------------------------------------------------------------------

    def set_state(self, place: str, name: str, key: str, value: Any | None, *, log: bool = False) -> None:
        """Keep a value beside the files, or with None forget it; ``log`` makes it a change that a sync reports."""
        self._require_folder(place, name)
        if self.state(place).get(name, key) == value:
            return
        self._will_change(place)
        self._changes[place].append((name, key, value))
        if name == "" and key == "owner":
            self._marks.add(place)
        if log:
            self.touch(place, name)

    def touch(self, place: str, name: str) -> None:
        """Log a change of ``name`` ("" is the folder itself) that changed no bytes."""
        self._batch.log(place, name, self._store.clock())

    def touch_directory(self, place: str) -> None:
        """Announce that the caller is about to write a private file (``.Radicale.props``) in the folder."""
        self._will_change(place)

    def rules_changed(self, place: str) -> None:
        """Announce that the folder's rules were written or removed under their private name."""
        self._will_change(place)
        self._marks.add(place)

    # -- within ----------------------------------------------------------------------------------------------------

    def _require_folder(self, place: str, name: str) -> Folder:
        folder = self.find_folder(place)
        if folder is None:
            raise ParentMissing(paths.path_of(f"{place}/{name}" if name else place))
        return folder

    def _require_free(self, place: str, name: str) -> None:
        self._require_folder(place, name)
        taken = self.find_member(place, name) is not None or self.find_folder(f"{place}/{name}") is not None
        if taken or os.path.lexists(self._store.file(place, name)):
            raise AlreadyExists(paths.path_of(f"{place}/{name}"))

    def _begin_name(self, place: str, name: str, creator: str | None) -> None:
        """State for a name that is new: its creator on the disk before the name is, and nothing of a namesake."""
        if os.path.lexists(self._store.file(place, name)):
            raise PlaceRefused(paths.path_of(f"{place}/{name}"), "something that is not served has this name")
        state = self.state(place)
        stale = state.removal(name)
        if stale or creator is not None:
            self._will_change(place)
            self._changes[place] += stale
            if creator is not None:
                self._changes[place].append((name, "creator", creator))
            self._flush(place)

    def _copy_state(self, changes: Iterable[Change], place: str) -> None:
        kept = [change for change in changes if change[1] not in OWN_KEYS]
        if kept:
            self._will_change(place)
            self._changes[place] += kept

    def _adopt(self, place: str, name: str, facts: Facts, created_ns: int) -> Member:
        """The row of a file that was moved here."""
        status = os.stat(self._store.file(place, name), follow_symlinks=False)
        item = is_item_place(place)
        etag = self._store.hash_file(place, name) if item else self._store.next_etag()
        member = Member(
            name,
            name,
            etag,
            status.st_size,
            status.st_ino,
            status.st_mtime_ns,
            status.st_ctime_ns,
            created_ns,
            facts.uid,
            facts.component,
            facts.first_s,
            facts.last_s,
        )
        self._wrote(place, member)
        return member

    def _wrote(self, place: str, member: Member) -> None:
        self._rows[place, member.name] = member
        self._batch.put_member(place, member)
        self._batch.log(place, member.name, self._store.clock())
        self._store.settle(place, member.name)
        if member.name == paths.ACCESS_FILE:
            self._marks.add(place)

    def _gone(self, place: str, name: str) -> None:
        """After a name went: its locks end and the change is logged."""
        self._rows[place, name] = None
        self._batch.forget_locks(paths.path_of(f"{place}/{name}"))
        self._batch.log(place, name, self._store.clock())
        if name == paths.ACCESS_FILE:
            self._marks.add(place)

    def _discard(self, place: str, disk_name: str, name: str, by: str | None, changes: Iterable[Change]) -> None:
        path = paths.path_of(f"{place}/{name}")
        file, folder, now = self._store.file(place, disk_name), self._store.trash, self._store.clock()
        self._on_disk(lambda: trash.discard(folder, file, path=path, name=disk_name, by=by, now_s=now, changes=changes))

    def _will_change(self, place: str) -> None:
        """Note, before the first change to a directory, whether the index agreed with its stamp."""
        if place not in self._directories:
            self._directories[place] = self._store.begin_change(place)

    @staticmethod
    def _on_disk(action: Callable[[], object]) -> None:
        try:
            action()
        except OSError as error:
            if error.errno in FULL_DISK:
                raise DiskFull("the disk has no room left; nothing was changed") from error
            if error.errno == errno.ENAMETOOLONG:
                raise PlaceRefused("the new path", "is longer than the disk allows") from error
            raise

    def _flush(self, place: str) -> None:
        changes = self._changes.pop(place, None)
        if changes:
            self._store.append_state(place, changes)

    # -- leaving ---------------------------------------------------------------------------------------------------

    def checkpoint(self) -> None:
        """State and directories onto the disk, then the index."""
        for place in list(self._changes):
            self._flush(place)
        for place in self._marks:
            self._store.mark(self._batch, place)
        for place, agreed in self._directories.items():
            self._store.sync_directory(place)
            if agreed:
                self._batch.stamp_folder(place, os.stat(self._store.directory(place)).st_mtime_ns)
        if self._batch:
            self._store.index.commit(self._batch)
        self._store.end_change(self._directories)
        self._batch = Batch()
        self._directories = {}
        self._rows = {}
        self._marks = set()

    def abandon(self) -> None:
        """After a failure: what the disk says is what the index will say."""
        self._store.end_change(self._directories)
        for place in self._directories:
            self._store.distrust(place)


def _copy_bytes(fd: int, scratch: Scratch) -> None:
    """Within the kernel where the scratch file needs no hash of its own; the disk may share the blocks."""
    hashed = scratch.is_hashed
    while True:
        if hashed:
            data = os.read(fd, 1 << 20)
            if not data:
                return
            scratch.write(data)
            continue
        try:
            count = os.copy_file_range(fd, scratch.fd, 1 << 30)
        except OSError as error:
            if error.errno in FULL_DISK:
                raise DiskFull("the disk has no room left; nothing was changed") from error
            hashed = True
            continue
        if count == 0:
            return
        scratch.wrote(count)
