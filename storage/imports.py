"""
A file of many items on its way into a collection, all or nothing (``data/journal/import-…``).

The items are staged as files under numbers and synced; the manifest says where each belongs, and once it is there the
import will be finished, by this process or at the next start: each staged file that still has its number is renamed
to its name. Without a manifest the folder is dropped.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from storage import state as states
from storage.batch import Batch
from storage.commits import Key
from storage.disk import modified_of, read_bytes, sync_directory
from storage.errors import DiskFull
from storage.icalendar import Judged
from storage.journal import FOLDER
from storage.records import Facts, Member
from storage.scratch import Scratch, on_disk
from storage.state import Change
from storage.versions import keeper_of

if TYPE_CHECKING:
    from storage.store import Store

PREFIX = "import-"
MANIFEST = "manifest"
AT_ONCE = 25  # items that are done before others have their turn
KEPT_BYTES = 16 << 20  # of an import's items stay in memory; the others' are read again from their files
PAUSE_S = 0.001  # in which they take it
ROOM_PER_ITEM = 1024  # for the directory and the index

log = logging.getLogger("davserver.imports")


@dataclass(frozen=True, slots=True)
class Staged:
    """An item under its number, as far as the index needs to know it."""

    number: int
    etag: str
    facts: Facts


@dataclass(frozen=True, slots=True)
class Target:
    """
    Where a staged item belongs.

    Attributes:
        present: what it replaces.
        changes: lines of state that come with it.
    """

    item: Staged
    name: str
    present: Member | None
    changes: tuple[Change, ...]

    @property
    def disk_name(self) -> str:
        """The name as spelled on disk."""
        return self.name if self.present is None else self.present.disk_name

    @property
    def keys(self) -> Iterator[Key]:
        """What nobody else may ask for until it is done."""
        yield "name", self.name
        if self.item.facts.uid is not None:
            yield "uid", self.item.facts.uid


class Import:
    """
    One import; made by ``staged``.

    Attributes:
        is_committed: it will be finished, by whoever it may be.
    """

    def __init__(self, store: Store, folder: str, by: str | None) -> None:
        self.items: list[Staged] = []
        self.is_committed = False
        self._store = store
        self._folder = folder
        self._by = by

    def stage(self, items: Iterable[Judged]) -> None:
        """Write items into the folder, one after another as they come, and sync them. Raises what ``items`` does."""
        size = 0
        for number, judged in enumerate(items):
            scratch = Scratch(self._folder, durable=False, hashed=True, name=str(number))
            try:
                scratch.write(judged.data)
            finally:
                scratch.finish()
            size += scratch.size
            facts = judged.facts if size <= KEPT_BYTES else _without_bytes(judged.facts)
            self.items.append(Staged(number, scratch.digest, facts))
        if self._store.free_bytes() < ROOM_PER_ITEM * len(self.items):
            raise DiskFull
        self._store.sync_all()

    def read(self, item: Staged) -> bytes:
        """The bytes of a staged item."""
        return read_bytes(self._file(item.number))

    def commit(self, place: str, targets: Sequence[Target]) -> None:
        """
        From here on the import will be finished, and others wait for what it holds.

        The caller holds the place's guard; nothing of the place is pending or in the journal.
        """
        self._store.commits.claim(place, [key for target in targets for key in target.keys], long=True)
        try:
            self._write_manifest(place, targets)
            self.is_committed = True
        except BaseException:
            self._release(place, targets, last=True)
            raise

    def _write_manifest(self, place: str, targets: Sequence[Target]) -> None:
        with Scratch(self._folder, durable=self._store.durable, hashed=False) as manifest:
            lines = [json.dumps(place), *(json.dumps([t.item.number, t.disk_name, t.changes]) for t in targets)]
            manifest.write("\n".join(lines).encode())
            on_disk(lambda: manifest.rename_to(f"{self._folder}/{MANIFEST}"))
        if self._store.durable:
            sync_directory(self._folder)
            sync_directory(os.path.dirname(self._folder))

    def finish(self, place: str, targets: Sequence[Target]) -> None:
        """
        Give the items their names, some at a time, so that others wait for a moment only.

        Where the disk fails here, those that have their names keep them and the others are dropped; after any other
        failure, as when the server ends meanwhile, the next start does the rest. Raises OSError, DiskFull.
        """
        done = 0
        try:
            while done < len(targets):
                part = targets[done : done + AT_ONCE]
                self._place(place, part)
                done += len(part)
                self._release(place, part, last=False)
                time.sleep(PAUSE_S)
            self._store.sync_directory(place)
        except (DiskFull, OSError):
            log.exception("the import into %s ended after %d of %d items", place, done, len(targets))
            self._end(place, targets[done:])
            raise
        self._end(place, ())

    def _end(self, place: str, left: Sequence[Target]) -> None:
        """Only now may what the import has brought be moved or removed without a word in the journal."""
        drop(self._folder, durable=self._store.durable)
        self._release(place, left, last=True)

    def _place(self, place: str, targets: Sequence[Target]) -> None:
        store, batch = self._store, Batch()
        with store.applying.hold([place]):
            agreed = store.stamp_agrees(place)
            for target in targets:
                if target.changes:
                    store.append_state(place, target.changes)
                self._keep_version(place, target)
                file = store.file(place, target.disk_name)
                on_disk(lambda at=target.item.number, to=file: os.rename(self._file(at), to))  # type: ignore[misc]
                status = os.stat(file, follow_symlinks=False)
                now = store.clock()
                created_ns = int(now * 1e9) if target.present is None else target.present.created_ns
                facts = _with_bytes(target.item.facts, file)
                id, etag = store.index.next_write(), target.item.etag
                row = Member.of(id, target.name, target.disk_name, etag, status, created_ns=created_ns, facts=facts)
                batch.put_member(place, row, facts)
                batch.log(place, target.name, now)
                store.settle(place, target.name)
            if agreed:
                batch.stamp_folder(place, modified_of(os.stat(store.directory(place))))
            store.index.commit(batch)

    def _keep_version(self, place: str, target: Target) -> None:
        before = target.present
        if before is not None and self._by is not None and before.etag != target.item.etag:
            keep = keeper_of(self._store, place, before, self._by)
            if keep is not None:
                keep()

    def _release(self, place: str, targets: Sequence[Target], *, last: bool) -> None:
        keys = [key for target in targets for key in target.keys]
        self._store.commits.release(place, keys, last=last, long=True)

    def _file(self, number: int) -> str:
        return f"{self._folder}/{number}"


def _without_bytes(facts: Facts) -> Facts:
    """What is kept of an item while it waits: its bytes are in its file, and there may be many."""
    return facts if facts.content is None else replace(facts, content=facts.content._replace(data=b""))


def _with_bytes(facts: Facts, file: str) -> Facts:
    if facts.content is None or facts.content.data:
        return facts
    return replace(facts, content=facts.content._replace(data=read_bytes(file)))


@contextmanager
def staged(store: Store, items: Iterable[Judged], by: str | None = None) -> Iterator[Import]:
    """
    An import with its items staged; what is not committed on leaving is dropped.

    Args:
        by: who brings them, for the history of what they replace; without it is none.
    """
    folder = f"{store.data}/{FOLDER}/{PREFIX}{secrets.token_hex(8)}"
    os.mkdir(folder, 0o700)
    prepared = Import(store, folder, by)
    try:
        prepared.stage(items)
        yield prepared
    finally:
        if not prepared.is_committed:
            shutil.rmtree(folder, ignore_errors=True)


def drop(folder: str, *, durable: bool) -> None:
    """Forget an import: its manifest first, for good, then what is left of its items."""
    if os.path.exists(f"{folder}/{MANIFEST}"):
        os.unlink(f"{folder}/{MANIFEST}")
        if durable:
            sync_directory(folder)
    shutil.rmtree(folder, ignore_errors=True)


def unfinished(data: str) -> list[str]:
    """The imports that a crash left committed; those that it left uncommitted are dropped."""
    folder = f"{data}/{FOLDER}"
    found = []
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        if not name.startswith(PREFIX):
            continue
        if os.path.exists(f"{folder}/{name}/{MANIFEST}"):
            found.append(f"{folder}/{name}")
        else:
            shutil.rmtree(f"{folder}/{name}")
    return found


def finish_after_crash(data: str, folder: str) -> None:
    """Do what is left of a committed import; may be done twice. ``drop`` it once all is synced."""
    with open(f"{folder}/{MANIFEST}", encoding="utf-8") as file:
        place = json.loads(next(file))
        entries = [json.loads(line) for line in file]
    directory = f"{data}/{place}"
    if not os.path.isdir(directory):
        log.warning("%s is gone; the import into it is dropped", place)
        return
    left = [entry for entry in entries if os.path.exists(f"{folder}/{entry[0]}")]
    log.info("the import into %s is finished: %d of %d items were left", place, len(left), len(entries))
    changes = [(name, key, value) for _, _, lines in left for name, key, value in lines]
    states.append_missing(directory, changes)
    for number, disk_name, _ in left:
        os.rename(f"{folder}/{number}", f"{directory}/{disk_name}")
