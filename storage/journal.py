"""
The journal: writes of items that are on the disk although their own files are not yet (``data/journal``).

A group of writes is one record, appended and synced before any of them is done; their files follow unsynced. Emptying
presses the files onto the disk and drops the records. What a crash left is read by ``storage.replay``. See ADR 0007.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from storage.disk import sync_directory
from storage.errors import FULL_DISK, DiskFull
from storage.state import Change

FOLDER = "journal"
SUFFIX = ".log"
HEADER = "davserver journal 1, boot {boot}\n"
FULL_BYTES = 16 << 20  # above this it is emptied in the background
MOST_BYTES = 64 << 20  # above this by whoever writes
ROOM_BYTES = 1 << 20  # zeros written ahead: to overwrite them takes a shorter sync than to let the file grow

_FRAME = struct.Struct("<II")  # bytes in the record, CRC-32 of them; zeros are the end

Data = bytes | memoryview


@dataclass(frozen=True, slots=True)
class Put:
    """
    A scratch file gets a name in a collection.

    Attributes:
        name: as spelled on disk.
        scratch: the file's name in ``data/scratch``.
        modified_ns: its modification time.
        data: its bytes; None of a large one, which was synced itself before.
    """

    place: str
    name: str
    scratch: str
    modified_ns: int
    data: Data | None


@dataclass(frozen=True, slots=True)
class Discard:
    """
    A file of a collection goes to the trash.

    Attributes:
        inode: by which it is known whether the file that has the name is still that one.
        at_s: when, in seconds since 1970.
        entry, about: name of the entry in the trash and what stands in its ``.entry.json``.
    """

    place: str
    name: str
    inode: int
    at_s: float
    entry: str
    about: str


@dataclass(frozen=True, slots=True)
class Keep:
    """Lines of state of a collection."""

    place: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Void:
    """A write that was recorded could not be done, and whoever asked for it knows."""

    number: int


Step = Put | Discard | Keep | Void


@dataclass(frozen=True, slots=True)
class Entry:
    """One write: its number in this run of the server, and its steps in their order."""

    number: int
    steps: tuple[Step, ...]


class Journal:
    """
    The segment that is being written, and those that wait to be dropped. Thread-safe but for ``write``.

    Attributes:
        turn: held while a record is written and its writes are done, so that emptying finds none half done.
        last_write_s: when the last record was written, by the clock that was given.
    """

    def __init__(
        self, data: str, *, boot: str, durable: bool, sync: Callable[[], None], clock: Callable[[], float]
    ) -> None:
        """
        Args:
            boot: which start of the machine this is.
            durable: sync; without it records outlive the process and not the machine.
            sync: presses every file of the data folder onto the disk.
        """
        self._folder = f"{data}/{FOLDER}"
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        self._boot = boot
        self._durable = durable
        self._sync = sync
        self._clock = clock
        self.turn = threading.Lock()
        self.last_write_s = 0.0
        self._emptying = threading.Lock()
        self._segment = max((number_of(file) for file in segments(data)), default=0)
        self._fd = -1
        self._size = 0
        self._room = 0
        self._places: set[str] = set()
        self._leaving: set[str] = set()  # places of records whose files are being synced
        self._old: list[str] = []  # segments that are to be dropped then

    @property
    def size(self) -> int:
        """Bytes of the records in the segment that is being written."""
        return self._size

    def holds(self, places: Sequence[str], *, tree: bool = False) -> bool:
        """Whether there are records of some places, or with ``tree`` of any."""
        known = self._places | self._leaving
        return bool(known) if tree else not known.isdisjoint(places)

    def write(self, entries: Sequence[Entry]) -> None:
        """
        Append a record; on return it is on the disk. The caller has the ``turn``.

        Raises:
            DiskFull: and other errors of the disk; nothing of the record counts then.
        """
        payload = b"".join(part for entry in entries for part in _render(entry))
        frame = _FRAME.pack(len(payload), zlib.crc32(payload)) + payload
        try:
            if self._fd < 0:
                self._begin()
            if self._size + len(frame) > self._room:
                self._make_room(len(frame))
            if os.pwrite(self._fd, frame, self._size) < len(frame):
                raise DiskFull
            if self._durable:
                os.fdatasync(self._fd)
        except OSError as error:
            self._take_back()
            raise DiskFull() if error.errno in FULL_DISK else error from error
        self._size += len(frame)
        self._places.update(step.place for entry in entries for step in entry.steps if not isinstance(step, Void))
        self.last_write_s = self._clock()

    def empty(self) -> None:
        """Press what the records speak of onto the disk and drop them; writes go on meanwhile. Raises OSError."""
        with self._emptying:
            with self.turn:
                old = self._leave()
            self._drop(old)

    def _leave(self) -> list[str]:
        """End the segment; the next record begins another. Gives the segments that can go once all is synced."""
        if self._fd >= 0:
            os.close(self._fd)
            self._old.append(f"{self._folder}/{self._segment:08}{SUFFIX}")
            self._fd, self._size, self._room = -1, 0, 0
        self._leaving |= self._places
        self._places = set()
        return list(self._old)

    def _drop(self, segments: Sequence[str]) -> None:
        if not segments:
            return
        if self._durable:
            self._sync()
        for segment in segments:
            os.unlink(segment)
            self._old.remove(segment)
        if self._durable:
            sync_directory(self._folder)
        self._leaving = set()

    def _begin(self) -> None:
        self._segment += 1
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._fd = os.open(f"{self._folder}/{self._segment:08}{SUFFIX}", flags, 0o600)
        header = HEADER.format(boot=self._boot).encode()
        self._size = self._room = os.write(self._fd, header)
        if self._durable:
            os.fsync(self._fd)
            sync_directory(self._folder)

    def _take_back(self) -> None:
        """Cut off what was begun, lest its end be taken for a record; what follows goes into another segment."""
        if self._fd >= 0:
            os.ftruncate(self._fd, self._size)
            self._leave()

    def _make_room(self, needed: int) -> None:
        ahead = bytes(max(ROOM_BYTES, needed + _FRAME.size))
        written = os.pwrite(self._fd, ahead, self._size)
        if written < needed:
            raise DiskFull
        self._room = self._size + written


def segments(data: str) -> list[str]:
    """The files of the journal, oldest first."""
    folder = f"{data}/{FOLDER}"
    names = os.listdir(folder) if os.path.isdir(folder) else ()
    return sorted(f"{folder}/{name}" for name in names if name.endswith(SUFFIX) and name[: -len(SUFFIX)].isdigit())


def number_of(segment: str) -> int:
    """The number in a segment's name."""
    return int(os.path.basename(segment)[: -len(SUFFIX)])


def is_readable(segment: str) -> bool:
    """Whether a segment is of this version, or was begun and never came to hold a record."""
    known = HEADER.partition("{")[0].encode()
    with open(segment, "rb") as file:
        begun = file.read(len(HEADER))
    return begun.startswith(known) or known.startswith(begun.rstrip(b"\0"))


def read_segment(segment: str, boot: str) -> tuple[bool, list[list[Entry]]]:
    """
    Whether a segment was written since this start of the machine, and its records; a torn end is left out.

    Bytes of items stay in the file, mapped, until they are looked at.
    """
    if os.path.getsize(segment) == 0:
        return False, []
    with open(segment, "rb") as file:
        mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    header = bytes(mapped[:200]).partition(b"\n")[0] + b"\n"
    return header == HEADER.format(boot=boot).encode(), list(_records(mapped, len(header)))


def _records(mapped: memoryview, position: int) -> Iterator[list[Entry]]:
    while position + _FRAME.size <= len(mapped):
        length, checksum = _FRAME.unpack_from(mapped, position)
        payload = mapped[position + _FRAME.size : position + _FRAME.size + length]
        if length == 0 or len(payload) < length or zlib.crc32(payload) != checksum:
            return
        yield list(_entries(payload))
        position += _FRAME.size + length


def _entries(payload: memoryview) -> Iterator[Entry]:
    position = 0
    while position < len(payload):
        length = int.from_bytes(payload[position : position + 4], "little")
        position += 4
        number, described = json.loads(bytes(payload[position : position + length]))
        position += length
        steps: list[Step] = []
        for values in described:
            step, size = _parse(values, payload[position:])
            steps.append(step)
            position += size
        yield Entry(number, tuple(steps))


def _render(entry: Entry) -> Iterator[bytes]:
    """An entry: the length of its JSON, the JSON, and the bytes of its items one after another."""
    head = json.dumps([entry.number, [_describe(step) for step in entry.steps]], separators=(",", ":")).encode()
    yield len(head).to_bytes(4, "little")
    yield head
    for step in entry.steps:
        if isinstance(step, Put) and step.data is not None:
            yield bytes(step.data)


def _describe(step: Step) -> list[Any]:
    match step:
        case Put():
            size = None if step.data is None else len(step.data)
            return ["put", step.place, step.name, step.scratch, step.modified_ns, size]
        case Discard():
            return ["discard", step.place, step.name, step.inode, step.at_s, step.entry, step.about]
        case Keep():
            return ["keep", step.place, step.changes]
        case Void():
            return ["void", step.number]


def _parse(values: list[Any], data: memoryview) -> tuple[Step, int]:
    """A step from what ``_describe`` made of it, and how many bytes of ``data`` are its own."""
    match values:
        case ["put", place, name, scratch, modified_ns, size]:
            return Put(place, name, scratch, modified_ns, None if size is None else data[:size]), size or 0
        case ["discard", place, name, inode, at_s, entry, about]:
            return Discard(place, name, inode, at_s, entry, about), 0
        case ["keep", place, changes]:
            return Keep(place, tuple((name, key, value) for name, key, value in changes)), 0
        case ["void", number]:
            return Void(number), 0
    raise ValueError(f"{values!r} is not a step of the journal")
