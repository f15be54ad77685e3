"""
What a crash left undone, done before the first answer: imports that were begun, then the journal.

Since the same start of the machine only the last record can be unfinished: its writes are done before another is
written. After a power cut any file may be missing, torn or of an earlier write, so every recorded one is looked at;
a file that was changed after its record is somebody's edit and stays. All of it may be done twice.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from storage import imports
from storage import state as states
from storage.disk import find_status, read_bytes, sync_directory, sync_file_system
from storage.formertree import FormerTree
from storage.journal import FOLDER, Data, Discard, Entry, Keep, Put, Void, is_readable, read_segment, segments
from storage.scratch import Scratch
from storage.state import Change, parse_line, render_line

log = logging.getLogger("davserver.replay")


def replay(data: str, boot: str, *, durable: bool) -> None:
    """
    Bring the data folder to where everything acknowledged is in its own file, and drop the journal.

    Raises OSError: what is needed could not be written; nothing of the journal is lost then.
    """
    found = imports.unfinished(data)
    files = [file for file in segments(data) if not _is_set_aside(file)]
    if not found and not files:
        return
    for folder in found:
        imports.finish_after_crash(data, folder)
    read = [read_segment(file, boot) for file in files]
    records = [record for _, segment in read for record in segment]
    if all(is_same for is_same, segment in read if segment):
        for entry in _without_voided(records[-1:]):
            _finish(data, entry)
    else:
        log.warning("the machine stopped without a warning: %d records of the journal are played back", len(records))
        wanted = _Wanted()
        for entry in _without_voided(records):
            wanted.add(entry)
        wanted.restore(data, durable=durable)
    if durable:
        _sync(data)
    for file in files:
        os.unlink(file)
    for folder in found:
        imports.drop(folder, durable=durable)
    if durable:
        sync_directory(f"{data}/{FOLDER}")


def _is_set_aside(file: str) -> bool:
    """A segment that this version cannot read is kept for one that can, under another name."""
    if is_readable(file):
        return False
    os.rename(file, f"{file}.set-aside")
    log.error("%s is of another version or damaged; it is kept as %s.set-aside and not played back", file, file)
    return True


def _sync(data: str) -> None:
    fd = os.open(data, os.O_RDONLY | os.O_CLOEXEC)
    try:
        sync_file_system(fd)
    finally:
        os.close(fd)


def _without_voided(records: Iterable[list[Entry]]) -> Iterator[Entry]:
    entries = [entry for record in records for entry in record]
    voided = {step.number for entry in entries for step in entry.steps if isinstance(step, Void)}
    return (entry for entry in entries if entry.number not in voided)


def _finish(data: str, entry: Entry) -> None:
    """Do the rest of a write that a process did not come to; the files tell how far it came."""
    for step in entry.steps:
        match step:
            case Keep(place, changes):
                states.append_missing(f"{data}/{place}", changes)
            case Put(place, name, scratch):
                if os.path.exists(f"{data}/scratch/{scratch}") and os.path.isdir(f"{data}/{place}"):
                    os.rename(f"{data}/scratch/{scratch}", f"{data}/{place}/{name}")
            case Discard(place, name, inode):
                status = find_status(f"{data}/{place}/{name}")
                if status is not None and status.st_ino == inode:
                    _discard(data, step, step.entry)


@dataclass(slots=True)
class _Wanted:
    """Where the journal leads: the last write of each name, and the last value of each line of state."""

    files: dict[tuple[str, str], Put | Discard] = field(default_factory=dict)
    trashed: dict[str, tuple[Discard, Data | None]] = field(default_factory=dict)  # by entry, with the item's bytes
    state: dict[str, dict[tuple[str, str], Change]] = field(default_factory=dict)  # by place

    def add(self, entry: Entry) -> None:
        """Take in what came next."""
        for step in entry.steps:
            match step:
                case Keep(place, changes):
                    self.state.setdefault(place, {}).update(((name, key), (name, key, v)) for name, key, v in changes)
                case Put(place, name):
                    self.files[place, name] = step
                case Discard(place, name):
                    before = self.files.get((place, name))
                    self.trashed[step.entry] = (step, before.data if isinstance(before, Put) else None)
                    self.files[place, name] = step

    def restore(self, data: str, *, durable: bool) -> None:
        """Bring the disk there."""
        for place, changes in self.state.items():
            states.append_missing(f"{data}/{place}", changes.values())
        for discard, held in self.trashed.values():
            _restore_trash(data, discard, held, durable=durable)
        for (place, name), step in self.files.items():
            if not os.path.isdir(f"{data}/{place}"):
                log.warning("%s is gone; %s of it is not brought back", place, name)
            elif isinstance(step, Put):
                _restore_put(data, step, durable=durable)
            else:
                _restore_discard(data, step)


def _restore_put(data: str, put: Put, *, durable: bool) -> None:
    target, scratch = f"{data}/{put.place}/{put.name}", f"{data}/scratch/{put.scratch}"
    status = find_status(target)
    if status is not None and status.st_mtime_ns > put.modified_ns:
        return  # edited later
    if put.data is None:
        if os.path.exists(scratch):  # it was synced before it was recorded
            os.rename(scratch, target)
    elif status is None or read_bytes(target) != put.data:
        log.info("%s/%s is written again from the journal", put.place, put.name)
        _write(data, target, put.data, modified_ns=put.modified_ns, durable=durable)


def _restore_discard(data: str, discard: Discard) -> None:
    file = f"{data}/{discard.place}/{discard.name}"
    status = find_status(file)
    if status is not None and status.st_mtime_ns <= discard.at_s * 1e9:
        # What stands there may be of an earlier write than the one that was removed and is in the trash already.
        _discard(data, discard, discard.entry and FormerTree(f"{data}/trash").free(discard.entry, discard.at_s))


def _discard(data: str, discard: Discard, spot: str) -> None:
    file = f"{data}/{discard.place}/{discard.name}"
    if not spot:
        os.unlink(file)
        return
    about = _about(discard)
    if spot != discard.entry:
        changes = filter(None, map(parse_line, about.splitlines()))
        about = b"".join(render_line((os.path.basename(spot), key, value)) for _, key, value in changes)
    FormerTree(f"{data}/trash").discard(spot, file, about)


def _about(discard: Discard) -> bytes:
    return discard.about.encode("utf-8", "surrogatepass")


def _restore_trash(data: str, discard: Discard, held: Data | None, *, durable: bool) -> None:
    """What was written and removed since the files were last synced is whole in the trash too."""
    file = f"{data}/trash/{discard.entry}"
    if held is None or not discard.entry or (find_status(file) is not None and read_bytes(file) == held):
        return
    os.makedirs(os.path.dirname(file), 0o700, exist_ok=True)
    _write(data, file, held, durable=durable)
    FormerTree(f"{data}/trash").note(discard.entry, _about(discard))


def _write(data: str, target: str, content: Data, *, modified_ns: int | None = None, durable: bool) -> None:
    with Scratch(f"{data}/scratch", durable=durable, hashed=False) as scratch:
        scratch.write(content)
        if modified_ns is not None:
            scratch.set_modified(modified_ns)
        scratch.rename_to(target)
