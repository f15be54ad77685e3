"""
Bringing the index in line with the disk: one pass over a directory's entries, comparing inode, size and times.

What was added, edited or removed behind the server's back becomes a change in the log like any other.
"""

from __future__ import annotations

import hashlib
import logging
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from storage import arrivals, paths
from storage import state as states
from storage.batch import Batch
from storage.disk import find_status, modified_of, read_bytes, stamp_in
from storage.icalendar import read_facts
from storage.index import Index
from storage.records import DISTRUSTED, NEVER, NO_FACTS, Facts, Folder, Member, Stamps, Veil, agrees, etag_of
from storage.scan import Found, go_on, scan, scan_folders
from storage.state import State

SETTLE_NS = 2_000_000_000  # kernels before 6.13 stamp in steps of 4 ms: a younger stamp may hide a second edit
LARGEST_HASHED = 8 << 20  # an unsettled plain file up to this size is told apart by its bytes
AT_ONCE = 200  # files under one lock and in one commit: a write of a member waits for them
BYTES_AT_ONCE = 4 << 20
PAUSE_EVERY = 16  # files that are read, parsed and hashed
ROWS_AT_ONCE = 2000

Count = Callable[[int], None]

log = logging.getLogger("davserver.reconcile")


def count_nothing(files: int) -> None:
    """Nobody wants to know how far it is."""


def is_item_place(place: str) -> bool:
    """Whether a folder is a calendar or address book, whose members have hashes of their bytes as ETags."""
    root = paths.TREES[-1][1]
    return place.startswith(root + "/") and place.count("/") == root.count("/") + 2


@dataclass(frozen=True, slots=True)
class Looked:
    """
    A file as it was looked at.

    Attributes:
        status: None where nothing, or no regular file, had the name.
        digest, facts: of its bytes, where they were read.
    """

    name: str
    disk_name: str
    status: os.stat_result | None
    digest: str = ""
    facts: Facts = NO_FACTS


class Reconciler:
    """Compares one directory at a time. The caller holds the folder's write lock, but for ``look_over``."""

    def __init__(self, root: str, index: Index, clock: Callable[[], float], *, logs_new: bool = True) -> None:
        """
        Args:
            logs_new: log what lies in folders that are looked at for the first time; not while a new index is filled,
                of which no token was given yet.
        """
        self.logs_new = logs_new
        self._root = root
        self._index = index
        self._clock = clock
        self._unsettled: dict[str, dict[str, str]] = {}

    def is_due(self, place: str, status: os.stat_result) -> bool:
        """Whether a directory that looked unchanged must be looked at once more, its stamps being settled now."""
        return place in self._unsettled and self._clock() * 1e9 - status.st_mtime_ns > SETTLE_NS

    def folder(self, folder: Folder, count: Count = count_nothing) -> bool:
        """
        Bring one folder's rows in line with the disk; gives whether anything had changed.

        Args:
            count: told of files as they are done.
        """
        directory = f"{self._root}/{folder.place}"
        before = os.stat(directory, follow_symlinks=False)
        known = self._known(folder, go_on)
        found = scan(directory, known)
        self._settle_arrivals(folder, found)
        unsettled: dict[str, str] = {}
        changed = self._files(folder, found, known, unsettled, count)
        batch = Batch()
        names = self._folders(batch, folder, found.folders)
        if folder.stamp_ns != NEVER or self.logs_new:  # a token of a folder above could miss something
            self._log(batch, folder, names)
        marked = self._mark(batch, folder)
        if folder.stamp_ns != modified_of(before) or folder.inode != before.st_ino:
            batch.stamp_folder(folder.place, modified_of(before), before.st_ino)
        if batch:
            self._index.commit(batch)
        if unsettled or self._clock() * 1e9 - before.st_mtime_ns < SETTLE_NS:
            self._unsettled[folder.place] = unsettled
        else:
            self._unsettled.pop(folder.place, None)
        return changed or bool(names) or marked

    def subfolders(self, folder: Folder) -> bool:
        """Bring the rows of a folder's own folders, its owner and its mark in line; whether anything had changed."""
        batch = Batch()
        names = self._folders(batch, folder, scan_folders(f"{self._root}/{folder.place}"))
        self._log(batch, folder, names)
        marked = self._mark(batch, folder)
        if batch:
            self._index.commit(batch)
        return bool(names) or marked

    def look_over(
        self, folder: Folder, *, thorough: bool, pause: Callable[[], None], count: Count
    ) -> Iterator[list[Looked]]:
        """
        The files that differ from their rows, a few at a time, for ``refresh``. Needs no lock and holds none.

        Args:
            thorough: every calendar object and card, its bytes read; files of which a row says what is not there.
            pause: called after every few files, so that others get on.
            count: told of files as they are done.
        """
        directory = f"{self._root}/{folder.place}"
        known = self._known(folder, pause)
        try:
            found = scan(directory, known, pause)
        except (FileNotFoundError, NotADirectoryError):
            return
        missing = [row for row in known.values() if row.name not in found.files]
        looked = [Looked(row.name, row.disk_name, None) for row in missing]
        reads, size = thorough and is_item_place(folder.place), 0
        for number, (name, (disk_name, status)) in enumerate(found.files.items(), 1):
            row = known.get(disk_name)
            if reads:
                looked.append(self._look(folder.place, name, disk_name))
                size += status.st_size
            elif row is None or not agrees(row, status):
                looked.append(Looked(name, disk_name, status))
            count(1)
            if reads and number % PAUSE_EVERY == 0:
                pause()
            if len(looked) >= AT_ONCE or size >= BYTES_AT_ONCE:
                yield looked
                looked, size = [], 0
        yield looked

    def _known(self, folder: Folder, pause: Callable[[], None]) -> dict[str, Stamps]:
        """The rows of a folder's files by name on disk."""
        known: dict[str, Stamps] = {}
        rows = self._index.stamps(folder.id, after="", most=ROWS_AT_ONCE)
        while rows:
            known.update((row.disk_name, row) for row in rows)
            pause()
            rows = self._index.stamps(folder.id, after=rows[-1].name, most=ROWS_AT_ONCE)
        return known

    def refresh(self, folder: Folder, looked: Iterable[Looked]) -> int:
        """Bring the rows of these files in line with the disk; gives how many changed."""
        batch = Batch()
        unsettled = self._unsettled.get(folder.place, {})
        changed = []
        for each in looked:
            row = self._index.member(folder.id, each.name)
            status = find_status(f"{self._root}/{folder.place}/{each.disk_name}")
            if status is None or not stat.S_ISREG(status.st_mode):
                if row is not None:
                    batch.remove_member(folder.place, each.name)
                    changed.append(each.name)
            elif not each.digest and row is not None and _agrees(row, each.disk_name, status):
                pass  # a write of our own was on its way: its ETag has been given out
            else:
                current = each if each.digest and _is_same(each.status, status) else None
                if self._member(batch, folder, each.name, each.disk_name, status, row, None, unsettled, current):
                    changed.append(each.name)
        self._log(batch, folder, changed)
        if batch:
            self._index.commit(batch)
        if unsettled:
            self._unsettled[folder.place] = unsettled
        return len(changed)

    def member(self, folder: Folder, name: str, disk_name: str) -> None:
        """Bring one file's row in line with the disk after its ``fstat`` differed."""
        self.refresh(folder, [Looked(name, disk_name, None)])

    def _look(self, place: str, name: str, disk_name: str) -> Looked:
        """A calendar object or card with what its bytes say."""
        file = f"{self._root}/{place}/{disk_name}"
        status = find_status(file)
        if status is None or not stat.S_ISREG(status.st_mode):
            return Looked(name, disk_name, None)
        try:
            data = read_bytes(file)
        except OSError:
            return Looked(name, disk_name, None)
        return Looked(name, disk_name, status, etag_of(hashlib.sha256(data).hexdigest()), read_facts(data))

    def _log(self, batch: Batch, folder: Folder, names: Iterable[str]) -> None:
        now = self._clock()
        creators = states.read(f"{self._root}/{folder.place}")
        for name in names:
            batch.log(folder.place, name, now, veiled=self._veil(folder, name, creators))

    def _veil(self, folder: Folder, name: str, creators: State) -> Veil:
        """From whom a name may have been hidden, if it went."""
        if os.path.lexists(f"{self._root}/{folder.place}/{name}"):
            return Veil.NONE
        row = self._index.folder(f"{folder.place}/{name}")
        if row is not None:
            return Veil.RULED if row.owner or row.ruled or self._index.marked_below(row.place) else Veil.SOME
        return Veil.SOME if creators.get(name, "creator") is not None else Veil.NONE

    def _settle_arrivals(self, folder: Folder, found: Found) -> None:
        """Finish what a crash left between a rename and the state that belongs to it."""
        directory = f"{self._root}/{folder.place}"
        state = states.read(directory)
        changes = arrivals.unsettled(state, {name: status.st_ino for name, (_, status) in found.files.items()})
        if changes:
            states.append(directory, state, changes, durable=True)

    def _files(
        self, folder: Folder, found: Found, known: Mapping[str, Stamps], unsettled: dict[str, str], count: Count
    ) -> bool:
        """Write the rows of files that differ and drop those of missing ones; gives whether any had changed."""
        earlier = self._unsettled.get(folder.place, {})
        batch, changed, is_changed, size = Batch(), list[str](), False, 0
        for name, (disk_name, status) in found.files.items():
            count(1)
            seen = known.get(disk_name)
            if seen is not None and agrees(seen, status) and name not in earlier:
                continue
            row = self._index.member(folder.id, name)
            if self._member(batch, folder, name, disk_name, status, row, earlier.get(name), unsettled):
                changed.append(name)
            size += status.st_size
            if batch.size >= AT_ONCE or size >= BYTES_AT_ONCE:
                is_changed = self._commit(batch, folder, changed) or is_changed
                batch, changed, size = Batch(), [], 0
        gone = {row.name for row in known.values()} - found.files.keys()
        for name in gone:
            batch.remove_member(folder.place, name)
        return self._commit(batch, folder, [*changed, *gone]) or is_changed

    def _commit(self, batch: Batch, folder: Folder, changed: Sequence[str]) -> bool:
        if folder.stamp_ns != NEVER or self.logs_new:
            self._log(batch, folder, changed)
        if batch:
            self._index.commit(batch)
        return bool(changed)

    def _member(
        self,
        batch: Batch,
        folder: Folder,
        name: str,
        disk_name: str,
        status: os.stat_result,
        row: Member | None,
        earlier_digest: str | None,
        unsettled: dict[str, str],
        looked: Looked | None = None,
    ) -> bool:
        """Write one file's row; gives whether its content may have changed."""
        item = is_item_place(folder.place)
        young = self._clock() * 1e9 - max(status.st_mtime_ns, status.st_ctime_ns) < SETTLE_NS
        digest, facts = "", NO_FACTS
        if looked is not None:
            digest, facts = looked.digest, looked.facts
        elif item or ((young or earlier_digest) and status.st_size <= LARGEST_HASHED):
            try:
                data = read_bytes(f"{self._root}/{folder.place}/{disk_name}")
            except OSError as error:  # it went away, or is not ours to read
                log.warning("%s/%s cannot be read and is not served: %s", folder.place, disk_name, error.strerror)
                if row is not None:
                    batch.remove_member(folder.place, name)
                return row is not None
            digest = etag_of(hashlib.sha256(data).hexdigest())
            facts = read_facts(data) if item else NO_FACTS
        if young:
            unsettled[name] = digest
        if item:
            same = row is not None and row.etag == digest
        else:
            same = row is not None and _agrees(row, disk_name, status) and digest == (earlier_digest or "")
            if same:
                return False  # the row stays as it is: what was made of the file goes by its number
        etag = row.etag if same and row is not None else digest if item else self.next_etag()
        created_ns = row.created_ns if row is not None else min(modified_of(status), status.st_ctime_ns)
        id = self._index.next_write()
        member = Member.of(id, name, disk_name, etag, status, created_ns=created_ns, facts=facts)
        batch.put_member(folder.place, member, facts)
        return not same

    def next_etag(self) -> str:
        """A plain file's ETag: the epoch and a number that is never used again."""
        return f"{self._index.epoch}-{self._index.next_write():x}"

    def _folders(self, batch: Batch, folder: Folder, found: Mapping[str, tuple[str, os.stat_result]]) -> list[str]:
        """Add the rows of new subfolders and drop those of missing ones; gives the names that changed."""
        known = {row.name: row for row in self._index.folders(folder.place)}
        changed = []
        if found and paths.is_too_deep(f"{folder.place}/…/…"):
            log.warning("%s: what lies in folders below it is not served, it is too deep", folder.place)
            found = {}
        for name, (disk_name, status) in found.items():
            row = known.pop(name, None)
            if disk_name != name and not self._compose(folder.place, disk_name, name):
                continue
            if row is None:
                changed.append(name)
            elif row.inode == status.st_ino:
                continue
            else:
                changed.append(name)
            batch.put_folder(
                f"{folder.place}/{name}",
                inode=status.st_ino,
                stamp_ns=NEVER if row is None else DISTRUSTED,
                modified_ns=modified_of(status),
                owner=None,
                ruled=False,
            )
            if row is None:
                batch.refuse_earlier(f"{folder.place}/{name}")
        for name in known:
            batch.remove_tree(f"{folder.place}/{name}")
            changed.append(name)
        return changed

    def _compose(self, place: str, disk_name: str, name: str) -> bool:
        """
        Give a folder its composed name on disk too: everything below is found by its path.

        Files keep theirs beside their rows. macOS decomposes names when folders are copied behind our back.
        """
        directory = f"{self._root}/{place}"
        try:
            os.rename(f"{directory}/{disk_name}", f"{directory}/{name}")
        except OSError as error:
            log.warning("%s/%a is not served: it cannot be renamed to %a: %s", place, disk_name, name, error)
            return False
        log.info("%s/%a is now %a, its name in NFC", place, disk_name, name)
        return True

    def _mark(self, batch: Batch, folder: Folder) -> bool:
        """Note the owner and whether there are rules, so that what is visible from above is found without a walk."""
        directory = f"{self._root}/{folder.place}"
        owner = states.read(directory).get("", "owner")
        owner = owner if isinstance(owner, str) else None
        ruled = any(os.path.exists(f"{directory}/{name}") for name in (paths.ACCESS_FILE, paths.HIDDEN_ACCESS_FILE))
        if (owner, ruled) == (folder.owner, bool(folder.ruled)):
            return False
        batch.mark_folder(folder.place, owner=owner, ruled=ruled)
        return True

    def settle(self, place: str, name: str) -> None:
        """Our own write: nothing else can hide behind its stamp."""
        if place in self._unsettled:
            self._unsettled[place].pop(name, None)


def _agrees(row: Member, disk_name: str, status: os.stat_result) -> bool:
    return row.disk_name == disk_name and agrees(row, status)


def _is_same(before: os.stat_result | None, status: os.stat_result) -> bool:
    return before is not None and stamp_in(before) == stamp_in(status)
