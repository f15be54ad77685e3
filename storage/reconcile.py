"""
Bringing the index in line with the disk: one pass over a directory's entries, comparing inode, size and times.

What was added, edited or removed behind the server's back becomes a change in the log like any other.
"""

from __future__ import annotations

import hashlib
import logging
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass

from storage import arrivals, paths
from storage import state as states
from storage.disk import find_status, read_bytes
from storage.icalendar import read_facts
from storage.index import Batch, Index
from storage.records import DISTRUSTED, NEVER, NO_FACTS, Folder, Member, etag_of

SETTLE_NS = 2_000_000_000  # kernels before 6.13 stamp in steps of 4 ms: a younger stamp may hide a second edit
LARGEST_HASHED = 8 << 20  # an unsettled plain file up to this size is told apart by its bytes

log = logging.getLogger("davserver.reconcile")


def is_item_place(place: str) -> bool:
    """Whether a folder is a calendar or address book, whose members have hashes of their bytes as ETags."""
    root = paths.TREES[-1][1]
    return place.startswith(root + "/") and place.count("/") == root.count("/") + 2


@dataclass(frozen=True, slots=True)
class Found:
    """What a directory holds on disk, by name in NFC."""

    files: dict[str, tuple[str, os.stat_result]]
    folders: dict[str, tuple[str, os.stat_result]]


def scan(directory: str) -> Found:
    """The regular files and folders of a directory; links, FIFOs, devices and private names are passed over."""
    found = Found({}, {})
    with os.scandir(directory) as entries:
        for entry in entries:
            name = paths.nfc(entry.name)
            if paths.is_private(name) or not _is_text(name):
                continue
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            kind = found.folders if stat.S_ISDIR(status.st_mode) else found.files
            if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
                continue
            if name in found.files or name in found.folders:
                other = (found.files.get(name) or found.folders[name])[0]
                log.warning("%s: %r and %r are one name; only one is served", directory, entry.name, other)
                if entry.name > other:
                    continue
                found.files.pop(name, None)
                found.folders.pop(name, None)
            kind[name] = (entry.name, status)
    return found


def _is_text(name: str) -> bool:
    return name.isprintable() or not any("\ud800" <= c <= "\udfff" or c < " " for c in name)


class Reconciler:
    """Compares one directory at a time. The caller holds the folder's write lock."""

    def __init__(self, root: str, index: Index, clock: Callable[[], float]) -> None:
        self._root = root
        self._index = index
        self._clock = clock
        self._unsettled: dict[str, dict[str, str]] = {}

    def is_due(self, place: str, status: os.stat_result) -> bool:
        """Whether a directory that looked unchanged must be looked at once more, its stamps being settled now."""
        return place in self._unsettled and self._clock() * 1e9 - status.st_mtime_ns > SETTLE_NS

    def folder(self, folder: Folder) -> bool:
        """Bring one folder's rows in line with the disk; gives whether anything had changed."""
        before = os.stat(f"{self._root}/{folder.place}", follow_symlinks=False)
        found = scan(f"{self._root}/{folder.place}")
        self._settle_arrivals(folder, found)
        batch = Batch()
        unsettled: dict[str, str] = {}
        names = self._members(batch, folder, found, unsettled) + self._folders(batch, folder, found)
        marked = self._mark(batch, folder, found)
        now = self._clock()
        if folder.stamp_ns != NEVER:  # no token was given yet that could miss something
            for name in names:
                batch.log(folder.place, name, now)
        if folder.stamp_ns != before.st_mtime_ns or folder.inode != before.st_ino:
            batch.stamp_folder(folder.place, before.st_mtime_ns, before.st_ino)
        if batch:
            self._index.commit(batch)
        if unsettled or now * 1e9 - before.st_mtime_ns < SETTLE_NS:
            self._unsettled[folder.place] = unsettled
        else:
            self._unsettled.pop(folder.place, None)
        return bool(names) or marked

    def _settle_arrivals(self, folder: Folder, found: Found) -> None:
        """Finish what a crash left between a rename and the state that belongs to it."""
        directory = f"{self._root}/{folder.place}"
        state = states.read(directory)
        changes = arrivals.unsettled(state, {name: status.st_ino for name, (_, status) in found.files.items()})
        if changes:
            states.append(directory, state, changes, durable=True)

    def _members(self, batch: Batch, folder: Folder, found: Found, unsettled: dict[str, str]) -> list[str]:
        """Write the rows of files that differ and drop those of missing ones; gives the names that changed."""
        known = {member.name: member for member in self._index.members(folder.id)}
        earlier = self._unsettled.get(folder.place, {})
        names = []
        for name, (disk_name, status) in found.files.items():
            row = known.pop(name, None)
            if row is not None and _agrees(row, disk_name, status) and name not in earlier:
                continue
            if self._member(batch, folder, name, disk_name, status, row, earlier.get(name), unsettled):
                names.append(name)
        for name in known:
            batch.remove_member(folder.place, name)
        return [*names, *known]

    def member(self, folder: Folder, name: str, disk_name: str, row: Member | None) -> None:
        """Bring one file's row in line with the disk after its ``fstat`` differed."""
        batch = Batch()
        unsettled = self._unsettled.get(folder.place, {})
        status = find_status(f"{self._root}/{folder.place}/{disk_name}")
        if status is not None and row is not None and _agrees(row, disk_name, status):
            return  # a write of our own was on its way: its ETag has been given out
        if status is None or not stat.S_ISREG(status.st_mode):
            batch.remove_member(folder.place, name)
            changed = row is not None
        else:
            changed = self._member(batch, folder, name, disk_name, status, row, None, unsettled)
        if changed:
            batch.log(folder.place, name, self._clock())
        self._index.commit(batch)
        if unsettled:
            self._unsettled[folder.place] = unsettled

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
    ) -> bool:
        """Write one file's row; gives whether its content may have changed."""
        item = is_item_place(folder.place)
        young = self._clock() * 1e9 - max(status.st_mtime_ns, status.st_ctime_ns) < SETTLE_NS
        digest, facts = "", NO_FACTS
        if item or ((young or earlier_digest) and status.st_size <= LARGEST_HASHED):
            data = read_bytes(f"{self._root}/{folder.place}/{disk_name}")
            digest = etag_of(hashlib.sha256(data).hexdigest())
            facts = read_facts(data) if item else NO_FACTS
        if young:
            unsettled[name] = digest
        if item:
            same = row is not None and row.etag == digest
        else:
            same = row is not None and _agrees(row, disk_name, status) and digest == (earlier_digest or "")
        etag = row.etag if same and row is not None else digest if item else self.next_etag()
        created_ns = row.created_ns if row is not None else min(status.st_mtime_ns, status.st_ctime_ns)
        id = self._index.next_write()
        member = Member.of(id, name, disk_name, etag, status, created_ns=created_ns, facts=facts)
        batch.put_member(folder.place, member, facts)
        return not same

    def next_etag(self) -> str:
        """A plain file's ETag: the epoch and a number that is never used again."""
        return f"{self._index.epoch}-{self._index.next_write():x}"

    def _folders(self, batch: Batch, folder: Folder, found: Found) -> list[str]:
        """Add the rows of new subfolders and drop those of missing ones; gives the names that changed."""
        known = {row.name: row for row in self._index.folders(folder.place)}
        changed = []
        for name, (disk_name, status) in found.folders.items():
            row = known.pop(name, None)
            if disk_name != name:
                log.warning("%s/%s: a folder whose name is not in NFC is not served", folder.place, disk_name)
                continue
            if row is None:
                changed.append(name)
            elif row.inode == status.st_ino:
                continue
            batch.put_folder(
                f"{folder.place}/{name}",
                inode=status.st_ino,
                stamp_ns=NEVER if row is None else DISTRUSTED,
                modified_ns=status.st_mtime_ns,
                owner=None,
                ruled=False,
            )
        for name in known:
            batch.remove_tree(f"{folder.place}/{name}")
            changed.append(name)
        return changed

    def _mark(self, batch: Batch, folder: Folder, found: Found) -> bool:
        """Note the owner and whether there are rules, so that what is visible from above is found without a walk."""
        directory = f"{self._root}/{folder.place}"
        owner = states.read(directory).get("", "owner")
        owner = owner if isinstance(owner, str) else None
        ruled = paths.ACCESS_FILE in found.files or os.path.exists(f"{directory}/{paths.HIDDEN_ACCESS_FILE}")
        if (owner, ruled) == (folder.owner, bool(folder.ruled)):
            return False
        batch.mark_folder(folder.place, owner=owner, ruled=ruled)
        return True

    def settle(self, place: str, name: str) -> None:
        """Our own write: nothing else can hide behind its stamp."""
        if place in self._unsettled:
            self._unsettled[place].pop(name, None)


def _agrees(row: Member, disk_name: str, status: os.stat_result) -> bool:
    return (row.inode, row.size, row.modified_ns, row.changed_ns, row.disk_name) == (
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
        disk_name,
    )


def agrees(row: Member, status: os.stat_result) -> bool:
    """Whether an open file is the one its row describes."""
    return _agrees(row, row.disk_name, status)
