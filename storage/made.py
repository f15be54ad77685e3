"""
Derived files: what the server makes of other files whenever somebody reads it.

One lies nowhere, so nobody writes it and it is in nobody's way; it stands in listings with its length and the strong
ETag of its bytes. What it takes some work to make is made once per change (``MadeCache``).
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.paths import is_former, name_of, parent_of
from storage.records import Member, etag_of

if TYPE_CHECKING:
    from storage.records import Folder
    from storage.session import Session
    from storage.store import Store

KEPT_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Made:
    """The bytes of a derived file, when they changed last, and their bare ETag."""

    data: bytes
    modified_ns: int
    etag: str

    @classmethod
    def of(cls, data: bytes, modified_ns: int) -> Made:
        """With the ETag that belongs to the bytes."""
        return cls(data, modified_ns, etag_of(hashlib.sha256(data).hexdigest()))


@dataclass(frozen=True, slots=True)
class Maker:
    """
    What makes the derived files of one name.

    Attributes:
        belongs: whether the folder at a canonical path has such a file, whoever asks; it is asked for each listing.
        make: the file for a session's principal, None where it is not for that.
    """

    name: str
    belongs: Callable[[Store, str], bool]
    make: Callable[[Session, Folder], Made | None]


class MadeCache:
    """What was made last, as long as what it was made of has not changed; a bounded number of bytes. Thread-safe."""

    def __init__(self, most_bytes: int = KEPT_BYTES) -> None:
        self._most = most_bytes
        self._kept: OrderedDict[Hashable, tuple[Hashable, Made]] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def of(self, key: Hashable, stamp: Hashable, make: Callable[[], Made]) -> Made:
        """
        What stands under a key if it was made with an equal stamp, else what ``make`` gives.

        Args:
            stamp: of what it is made of, asked before ``make`` reads that.
        """
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and kept[0] == stamp:
                self._kept.move_to_end(key)
                return kept[1]
        made = make()
        with self._lock:
            self._drop(key)
            self._kept[key] = stamp, made
            self._size += len(made.data)
            while self._size > self._most:
                self._drop(next(iter(self._kept)))
        return made

    def _drop(self, key: Hashable) -> None:
        kept = self._kept.pop(key, None)
        self._size -= 0 if kept is None else len(kept[1].data)


def is_made(store: Store, path: str) -> bool:
    """Whether a path is that of a derived file, whether or not somebody may read it."""
    maker = store.makers.get(name_of(path))
    return maker is not None and not is_former(path) and maker.belongs(store, parent_of(path))


def find_made(session: Session, folder: Folder, name: str) -> Member | None:
    """The row of a derived file of a folder; None where it has none of the name for the principal."""
    maker = session.store.makers.get(name)
    made = None if maker is None or not maker.belongs(session.store, folder.path) else maker.make(session, folder)
    return None if made is None else _row(name, made)


def open_made(session: Session, folder: Folder, name: str) -> tuple[int, Member] | None:
    """A derived file as a descriptor that the caller closes, and the row that agrees with its bytes."""
    maker = session.store.makers.get(name)
    made = None if maker is None or not maker.belongs(session.store, folder.path) else maker.make(session, folder)
    if made is None:
        return None
    with tempfile.TemporaryFile(dir=f"{session.store.data}/scratch") as file:
        file.write(made.data)
        file.flush()
        return os.dup(file.fileno()), _row(name, made)


def _row(name: str, made: Made) -> Member:
    times = (made.modified_ns, made.modified_ns, made.modified_ns)
    return Member(0, name, name, made.etag, len(made.data), 0, *times)
