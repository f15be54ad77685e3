"""
One write: rename, sync, commit, in that order, under the write locks of the folders it touches.

On leaving, directories and state lines are pressed onto the disk, then the index and its change log are committed.
Where anything fails between a rename and the commit, the folder is reconciled: the disk is the truth.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from storage import arrivals, formertree, paths
from storage.batch import Batch
from storage.disk import modified_of, read_bytes
from storage.errors import FULL_DISK, AlreadyExists, DiskFull, NotFound, ParentMissing, PlaceRefused
from storage.icalendar import read_facts
from storage.reconcile import is_item_place
from storage.records import NO_FACTS, Facts, Folder, Member, Veil, etag_of
from storage.scratch import Scratch, on_disk
from storage.state import Change, State
from storage.versions import keeper_of

if TYPE_CHECKING:
    from storage.store import Store

log = logging.getLogger("davserver.transaction")

OWN_KEYS = ("owner", "creator", "booked", "marked", "object", "noted", "left", formertree.FORMER)  # never copied


class Transaction:
    """Changes to a few folders; made by ``Store.write``. Places and names are as in ``Store``."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._batch = Batch()
        self._changes: defaultdict[str, list[Change]] = defaultdict(list)
        self._passing: defaultdict[str, int] = defaultdict(int)  # how many of these a power cut may take
        self._pending: dict[str, tuple[int, set[str]]] = {}  # names in so many of the changes of a place
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
        self,
        place: str,
        name: str,
        scratch: Scratch,
        facts: Facts | None = None,
        *,
        creator: str | None = None,
        by: str | None = None,
    ) -> Member:
        """
        Give a scratch file its name; what stood there is replaced and keeps its state.

        Args:
            facts: of a calendar object or card.
            creator: kept for a new name where the rules need it; state left over from an earlier file is dropped.
            by: who does it, for the history of what is replaced.

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
        elif not is_item_place(place):
            self._keep_version(place, row, by)
        return self._place(place, name, scratch, facts or NO_FACTS, row)

    def set_modified(self, place: str, name: str, modified_ns: int) -> None:
        """Give a file another time of change; its bytes and ETag stay. Raises NotFound."""
        row = self._require_member(place, name)
        self._will_change(place)
        file = self._store.file(place, row.disk_name)
        os.utime(file, ns=(modified_ns, modified_ns), follow_symlinks=False)
        status = os.stat(file, follow_symlinks=False)
        self._wrote(place, row._replace(modified_ns=modified_of(status), changed_ns=status.st_ctime_ns))

    def remove(self, place: str, name: str, *, by: str | None) -> None:
        """Move a file to the trash, its state along with it; its locks end. Raises NotFound."""
        row = self._require_member(place, name)
        self._will_change(place)
        state = self.state(place)
        self._discard(place, row.disk_name, name, by, state.as_changes(name))
        veiled = _veil_of(state, name)
        self._changes[place] += state.removal(name)
        self._batch.remove_member(place, name)
        self._gone(place, name, veiled=veiled)

    def drop(self, place: str, name: str) -> None:
        """Remove a file that can be made again at any time, and its state; it goes to no trash. Raises NotFound."""
        row = self._require_member(place, name)
        self._will_change(place)
        os.unlink(self._store.file(place, row.disk_name))
        self._changes[place] += self.state(place).removal(name)
        self._batch.remove_member(place, name)
        self._gone(place, name, veiled=Veil.NONE)

    def move(
        self,
        place: str,
        name: str,
        to_place: str,
        to_name: str,
        *,
        over: bool = False,
        by: str | None = None,
        kept: Mapping[str, Any] | None = None,
    ) -> Member:
        """
        Rename a file; its state goes along, its locks do not (RFC 4918 §7.6).

        Args:
            over: a file of the new name goes to the history, at once with the rename; without it the name is free.
            by: who does it, for the history.
            kept: what is kept of the file from then on, where that is not what was kept before.

        Raises:
            NotFound, ParentMissing, AlreadyExists.
        """
        row = self._require_member(place, name)
        before = self._require_target(to_place, to_name, over=over)
        source = self._store.file(place, row.disk_name)
        kept = self.state(place).all(name) if kept is None else kept
        self._will_change(place)
        self._announce(to_place, to_name, os.stat(source, follow_symlinks=False).st_ino, kept, before, by)
        disk_name = to_name if before is None else before.disk_name
        target = self._store.file(to_place, disk_name)
        on_disk(lambda: os.rename(source, target))
        if os.path.lexists(source):  # a rename of one hard link over another of the same file does nothing
            os.unlink(source)
        veiled = _veil_of(self.state(place), name)
        removal = self.state(place).removal(name)  # of a name that is gone: nobody asks for it, and a new one clears it
        self._changes[place] += removal
        self._passing[place] += len(removal)
        self._settle(to_place, to_name, kept, before)
        self._batch.remove_member(place, name)
        self._gone(place, name, veiled=veiled)
        return self._adopt(to_place, to_name, disk_name, row.created_ns)

    def copy(
        self,
        place: str,
        name: str,
        to_place: str,
        to_name: str,
        *,
        creator: str | None = None,
        over: bool = False,
        by: str | None = None,
        text: bytes = b"",
        kept: Mapping[str, Any] | None = None,
    ) -> Member:
        """
        Copy a file with its dead properties; a reflink where the disk can, else the bytes. ``over`` as for ``move``.

        Args:
            text: what the copy holds, where that is not what the file holds.
            kept: what is kept of the copy beside that.

        Raises:
            NotFound, ParentMissing, AlreadyExists.
        """
        if (place, name) in self._rows:
            self.checkpoint()
        folder = self._store.find_folder(place)
        if folder is None:
            raise NotFound(paths.path_of(f"{place}/{name}"))
        before = self._require_target(to_place, to_name, over=over)
        with self._store.scratch(to_place) as scratch:
            if text:
                scratch.write(text)
            else:
                fd, source = self._store.open_member(folder, name)
                try:
                    copy_bytes(fd, scratch)
                    scratch.set_modified(source.modified_ns)  # a copy is as old: sync programs copy on the server
                finally:
                    os.close(fd)
            with_it = {key: value for key, value in self.state(place).all(name).items() if key not in OWN_KEYS}
            kept = {**with_it, **(kept or {})}
            if creator is not None:
                kept["creator"] = creator
            scratch.finish()
            self._announce(to_place, to_name, scratch.inode, kept, before, by)
            facts = read_facts(read_bytes(scratch.file)) if is_item_place(to_place) else NO_FACTS
            member = self._place(to_place, to_name, scratch, facts, before)
        self._settle(to_place, to_name, kept, before)
        return member

    # -- folders ---------------------------------------------------------------------------------------------------

    def make_folder(
        self,
        place: str,
        *,
        owner: str | None = None,
        creator: str | None = None,
        state: Mapping[str, Any] | None = None,
        files: Mapping[str, bytes] | None = None,
    ) -> Folder:
        """
        Make a folder; it appears with all that belongs to it or not at all.

        Args:
            state: what is kept of the folder beside owner and creator.
            files: the server's own files in it (``.Radicale.props``), by name.

        Raises:
            ParentMissing, AlreadyExists.
        """
        above, _, name = place.rpartition("/")
        self._require_free(above, name)
        self._will_change(above)
        kept = {**(state or {}), "owner": owner, "creator": creator}
        changes: list[Change] = [("", key, value) for key, value in kept.items() if value is not None]
        directory = f"{self._store.directory(above)}/{name}"
        on_disk(lambda: self._store.build_folder(directory, changes, files or {}))
        status = os.stat(directory, follow_symlinks=False)
        stamp = modified_of(status)
        self._batch.put_folder(place, inode=status.st_ino, stamp_ns=stamp, modified_ns=stamp, owner=owner, ruled=False)
        self._batch.refuse_earlier(place)
        self._batch.log(above, name, self._store.clock())
        self.checkpoint()
        folder = self._store.find_folder(place)
        if folder is None:
            raise NotFound(paths.path_of(place))
        return folder

    def adopt_folder(self, directory: str, place: str) -> None:
        """
        Give a directory that was built elsewhere its place and read it. Needs the guards of the whole tree.

        Raises:
            ParentMissing, AlreadyExists.
        """
        above, _, name = place.rpartition("/")
        self._require_free(above, name)
        self.checkpoint()
        target = self._store.file(above, name)
        on_disk(lambda: os.rename(directory, target))
        self._store.sync_directory(above)
        folder = self._store.find_folder(place)
        if folder is None:
            raise NotFound(paths.path_of(place))
        self._store.tree(folder)  # what it holds counts from now on

    def remove_folder(self, place: str, *, by: str | None) -> None:
        """Move a folder with all it holds to the trash. Needs the guards of the whole tree. Raises NotFound."""
        if self.find_folder(place) is None:
            raise NotFound(paths.path_of(place))
        self.checkpoint()
        above, _, name = place.rpartition("/")
        self._will_change(above)
        veiled = self._veil_of_folder(place)
        self._discard(above, name, name, by, ())
        self._changes[above] += self.state(above).removal(name)
        self._store.forget_states(place)
        self._batch.remove_tree(place)
        self._gone(above, name, veiled=veiled)
        self.checkpoint()

    def move_folder(self, place: str, to_place: str) -> None:
        """
        Rename a folder with all it holds; its state goes along. Needs the guards of the whole tree.

        A calendar or address book keeps its id and change log: clients know it by its token at the new place. Plain
        folders begin new ones, for all in them is new to whoever synchronises the tree at the new place.

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
        on_disk(lambda: os.rename(source, target))
        self._store.forget_states(place)
        veiled = self._veil_of_folder(place)
        self._batch.move_tree(place, to_place)
        self._gone(above, name, veiled=veiled)
        is_collection = is_item_place(to_place)
        if not is_collection:
            self._batch.refuse_earlier(to_place)
        self._batch.log(to_above, to_name, self._store.clock())
        if not is_collection:
            self._batch.log_arrival(to_place, self._store.clock())
        self.checkpoint()

    def restore_folder(self, place: str, to_place: str) -> None:
        """
        Rename a folder out of the trash to where it is read anew, as one that was put there by hand.

        Raises:
            NotFound, ParentMissing, AlreadyExists.
        """
        if self.find_folder(place) is None:
            raise NotFound(paths.path_of(place))
        above, _, name = place.rpartition("/")
        to_above, _, to_name = to_place.rpartition("/")
        self._require_free(to_above, to_name)
        self.checkpoint()
        self._will_change(above)
        source, target = self._store.file(above, name), self._store.file(to_above, to_name)
        on_disk(lambda: os.rename(source, target))
        self._store.forget_states(place)
        self._changes[above] += self.state(above).removal(name)
        self._batch.remove_tree(place)
        self._gone(above, name, veiled=Veil.NONE)
        self.checkpoint()
        self._store.sync_directory(to_above)

    # -- state -----------------------------------------------------------------------------------------------------

    def set_state(self, place: str, name: str, key: str, value: Any | None, *, log: bool = False) -> None:
        """Keep a value beside the files, or with None forget it; ``log`` makes it a change that a sync reports."""
        self._require_folder(place, name)
        known = self.state(place) if self._is_pending(place, name) else self._store.state(place)
        if known.get(name, key) == value:
            return
        self._will_change(place)
        self._changes[place].append((name, key, value))
        if name == "" and key == "owner":
            self._marks.add(place)
        if log:
            self.touch(place, name)

    def set_passing_state(self, place: str, name: str, key: str, value: Any) -> None:
        """As ``set_state``, for what a power cut may take."""
        before = len(self._changes[place])
        self.set_state(place, name, key, value)
        self._passing[place] += len(self._changes[place]) - before

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

    def _is_pending(self, place: str, name: str) -> bool:
        """Whether this transaction keeps something of a name; asked of thousands of one folder, one after another."""
        changes, (count, names) = self._changes[place], self._pending.get(place, (0, set()))
        names.update(change[0] for change in changes[count:])
        self._pending[place] = len(changes), names
        return name in names

    def _require_folder(self, place: str, name: str) -> Folder:
        folder = self.find_folder(place)
        if folder is None:
            raise ParentMissing(paths.path_of(f"{place}/{name}" if name else place))
        return folder

    def _require_member(self, place: str, name: str) -> Member:
        row = self.find_member(place, name)
        if row is None:
            raise NotFound(paths.path_of(f"{place}/{name}"))
        return row

    def _require_target(self, place: str, name: str, *, over: bool) -> Member | None:
        """The file that gives way at a target, or None where nothing stands there."""
        self._require_folder(place, name)
        before = self.find_member(place, name) if over else None
        if before is None:
            self._require_free(place, name)
        return before

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

    def _announce(
        self, place: str, name: str, inode: int, kept: Mapping[str, Any], before: Member | None, by: str | None
    ) -> None:
        """Before a rename: the state that comes with the file, and of the one that gives way a link in the history."""
        self._will_change(place)
        state = self.state(place)
        if before is None:
            self._changes[place] += arrivals.settlement(state, name, kept)
        elif state.all(name) != kept:
            self._changes[place].append(arrivals.announcement(name, inode, kept))
        self._flush(place)
        if before is not None:
            self._keep_version(place, before, by)
            self._store.locks.forget(paths.path_of(f"{place}/{name}"))

    def _settle(self, place: str, name: str, kept: Mapping[str, Any], before: Member | None) -> None:
        """After the rename: what was announced is what is kept."""
        if before is not None:
            self._changes[place] += arrivals.settlement(self.state(place), name, kept)

    def _place(self, place: str, name: str, scratch: Scratch, facts: Facts, before: Member | None) -> Member:
        """Rename a scratch file to its name, over the one that stands there, and give its row."""
        disk_name = name if before is None else before.disk_name
        target = self._store.file(place, disk_name)
        self._will_change(place)
        on_disk(lambda: scratch.rename_to(target))
        created_ns = before.created_ns if before is not None else int(self._store.clock() * 1e9)
        etag = scratch.digest if is_item_place(place) else self._store.next_etag()
        return self._enter(place, name, disk_name, etag, facts, created_ns)

    def _adopt(self, place: str, name: str, disk_name: str, created_ns: int) -> Member:
        """The row of a file that was moved here."""
        if not is_item_place(place):
            return self._enter(place, name, disk_name, self._store.next_etag(), NO_FACTS, created_ns)
        data = read_bytes(self._store.file(place, disk_name))
        etag = etag_of(hashlib.sha256(data).hexdigest())
        return self._enter(place, name, disk_name, etag, read_facts(data), created_ns)

    def _enter(self, place: str, name: str, disk_name: str, etag: str, facts: Facts, created_ns: int) -> Member:
        status = os.stat(self._store.file(place, disk_name), follow_symlinks=False)
        id = self._store.index.next_write()
        member = Member.of(id, name, disk_name, etag, status, created_ns=created_ns, facts=facts)
        self._wrote(place, member, facts)
        return member

    def _wrote(self, place: str, member: Member, facts: Facts | None = None) -> None:
        self._rows[place, member.name] = member
        self._batch.put_member(place, member, facts)
        self._batch.log(place, member.name, self._store.clock())
        self._store.settle(place, member.name)
        if member.name == paths.ACCESS_FILE:
            self._marks.add(place)

    def _veil_of_folder(self, place: str) -> Veil:
        """From whom a folder and what lies in it may be hidden."""
        folder = self._store.folder_row(place)
        marked = folder is not None and (folder.owner is not None or bool(folder.ruled))
        return Veil.RULED if marked or self._store.index.marked_below(place) else Veil.SOME

    def _gone(self, place: str, name: str, *, veiled: Veil) -> None:
        """After a name went: its locks end and the change is logged."""
        self._rows[place, name] = None
        self._store.locks.forget(paths.path_of(f"{place}/{name}"))
        self._batch.log(place, name, self._store.clock(), veiled=veiled)
        if name == paths.ACCESS_FILE:
            self._marks.add(place)

    def _discard(
        self,
        place: str,
        disk_name: str,
        name: str,
        by: str | None,
        changes: Iterable[Change],
    ) -> None:
        file, path = self._store.file(place, disk_name), paths.path_of(f"{place}/{name}")
        of_macos = paths.is_kept_apart(name) and not os.path.isdir(file)
        if paths.is_former(path) or of_macos or not self._store.keeps_removed(path):
            on_disk(lambda: self._store.erase(file))
            return
        now = self._store.clock()
        levels = self._store.rulebook.levels(path)
        about = formertree.record(path, by, now, levels)

        def discard() -> None:
            with self._store.trash.alone():
                spot = self._store.trash.choose(path, now)
                self._disagree(f"trash/{spot}")
                self._store.trash.discard(spot, file, formertree.render(spot, about, changes))

        on_disk(discard)

    def _keep_version(self, place: str, before: Member, by: str | None) -> None:
        """Link a file that is about to be renamed over into the history."""
        keep = keeper_of(self._store, place, before, by)
        if keep is not None:
            self._disagree(keep())

    def _disagree(self, spot: str) -> None:
        """What comes to a folder that this transaction takes something from is not known to its rows."""
        above = spot.rpartition("/")[0]
        if above in self._directories:
            self._directories[above] = False

    def _will_change(self, place: str) -> None:
        """Note, before the first change to a directory, whether the index agreed with its stamp."""
        if place not in self._directories:
            self._directories[place] = self._store.begin_change(place)

    def _flush(self, place: str) -> None:
        self._pending.pop(place, None)
        changes, passing = self._changes.pop(place, None), self._passing.pop(place, 0)
        if changes:
            self._store.append_state(place, changes, is_passing=len(changes) == passing)

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
                self._batch.stamp_folder(place, modified_of(os.stat(self._store.directory(place))))
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
        try:
            for place in self._directories:
                self._store.distrust(place)
        except DiskFull:  # the directories' own stamps have moved, so they are looked at all the same
            log.warning("the disk is full: the index could not note that it is behind")


def _veil_of(state: State, name: str) -> Veil:
    return Veil.NONE if state.get(name, "creator") is None else Veil.SOME


def copy_bytes(fd: int, scratch: Scratch) -> None:
    """Copy within the kernel where the scratch file needs no hash of its own; the disk may share the blocks."""
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
                raise DiskFull() from error
            hashed = True
            continue
        if count == 0:
            return
        scratch.wrote(count)
