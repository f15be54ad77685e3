"""
The trash and the history: what is deleted or overwritten through any URL, under the path that it had.

What was deleted at ``/files/Sport/plan.txt`` is ``data/trash/Sport/plan.txt`` and ``/files/Trash/Sport/plan.txt``; what
was at ``/dav/alice/work/`` is ``Collections/alice/work/`` there. A name that is taken already gets the time behind it.
An earlier version of the file is ``data/history/Sport/plan.txt/2026-11-26 10.27.05.txt``. The record of each stands in
the state of the folder above, under the key ``former``: where it was, who removed it and when, and the rules that held
there. Folders that hold entries and are none themselves mirror the folders of the tree; they have no record. The index
finds what is new here as it finds what is put there behind the server's back.
"""

from __future__ import annotations

import errno
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from itertools import count
from typing import Any

from auth.acl import Level
from storage import state as states
from storage.former import snapshot
from storage.numbering import first_free
from storage.paths import COLLECTIONS, DAV, FILES, STATE_FILE, is_within
from storage.state import Change, render_line

FORMER = "former"  # in the state of the folder above an entry
MOST_S = 253_402_300_800  # the year 10,000, which no calendar date has
NO_LINKS = frozenset({errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP})


def record(path: str, by: str | None, at_s: float, levels: Iterable[Level]) -> dict[str, Any]:
    """
    What is kept of an entry: the way back, and who could read it.

    Args:
        path: canonical path that it had.
        levels: the rules that held for it, nearest first.
    """
    return {"path": path, "by": by, "at": at_s, "rules": snapshot(levels)}


def render(spot: str, record: dict[str, Any], changes: Iterable[Change]) -> bytes:
    """
    The lines of state that belong to an entry: its record, and what was kept of the file in the folder above.

    An earlier entry of the name, which somebody removed by hand, has left lines of its own.
    """
    name = spot.rpartition("/")[2]
    kept = ((name, key, value) for _, key, value in changes)
    lines: list[Change] = [states.forgotten(name), *kept, (name, FORMER, record)]
    return b"".join(map(render_line, lines))


def is_former_place(kept: Mapping[str, Any], path: str) -> bool:
    """Whether what is kept of a resource says that it was removed from a path."""
    record = kept.get(FORMER)
    return isinstance(record, dict) and record.get("path") == path


def removal_s(record: Any) -> float:
    """When an entry came there, in seconds since 1970; 0 where its record does not say so."""
    at_s = record.get("at") if isinstance(record, dict) else None
    return at_s if isinstance(at_s, int | float) and 0 <= at_s < MOST_S else 0.0


def mirrored(path: str) -> list[str]:
    """The segments of a canonical path as they are in the trash."""
    return (COLLECTIONS + path[len(DAV) :] if is_within(path, DAV) else path)[len(FILES) + 1 :].split("/")


class FormerTree:
    """
    The trash or the history of one data folder. Thread-safe.

    Attributes:
        top: the place of its root.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self.top = os.path.basename(root)
        self._lock = threading.RLock()
        self._mirrors: set[str] = set()  # folders that are known to be no entries

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nothing is added meanwhile; who waits for it may hold write locks, who holds it must not wait."""
        with self._lock:
            yield

    def turn(self, place: str) -> Any:
        """``alone`` where a place lies in this tree."""
        return self.alone() if is_within(place, self.top) else nullcontext()

    def choose(self, path: str, at_s: float) -> str:
        """Where what is deleted at a path is to lie, relative to the root."""
        *above, name = mirrored(path)
        with self._lock:
            folder = ""
            for segment in above:
                folder = self._mirror(folder, segment, at_s)
            return self._free(folder, name, at_s)

    def choose_version(self, path: str, at_s: float) -> str:
        """Where what is overwritten at a path is to lie, relative to the root."""
        with self._lock:
            folder = ""
            for segment in mirrored(path):
                folder = self._mirror(folder, segment, at_s)
            stem, dot, suffix = path.rpartition("/")[2].rpartition(".")
            ending = dot + suffix if stem and len(suffix) <= 20 else ""
            start = f"{folder}/{_stamp(at_s)}"
            return self._first_free(lambda number: f"{start}{'' if number == 1 else f' ({number})'}{ending}")

    def discard(self, spot: str, file: str, about: bytes) -> None:
        """
        Move a file or folder to its spot by a rename.

        Args:
            about: its lines of state, from ``render``.

        Raises:
            OSError.
        """
        with self._lock:
            target = self._begin(spot, about)
            os.rename(file, target)

    def link(self, spot: str, file: str, about: bytes) -> None:
        """As ``discard``; the file stays where it is too, by another hard link or, where none can be, a copy."""
        with self._lock:
            target = self._begin(spot, about)
            try:
                os.link(file, target, follow_symlinks=False)
            except OSError as error:
                if error.errno not in NO_LINKS:
                    raise
                shutil.copy2(file, target, follow_symlinks=False)

    def _begin(self, spot: str, about: bytes) -> str:
        folder = join_to(self._root, spot.rpartition("/")[0])
        os.makedirs(folder, 0o700, exist_ok=True)  # an administrator empties the trash by deleting what is in it
        _append(folder, about)
        self._mirrors.discard(spot)
        return f"{self._root}/{spot}"

    def _mirror(self, above: str, segment: str, at_s: float) -> str:
        for name in map(_names(segment, at_s), count(1)):
            spot = f"{above}/{name}" if above else name
            if spot in self._mirrors and os.path.isdir(f"{self._root}/{spot}"):
                return spot
            folder = join_to(self._root, above)
            if not os.path.lexists(f"{self._root}/{spot}"):
                os.makedirs(f"{self._root}/{spot}", 0o700)
                _append(folder, render_line(states.forgotten(name)))
            elif not os.path.isdir(f"{self._root}/{spot}") or states.read(folder).get(name, FORMER) is not None:
                continue
            self._mirrors.add(spot)
            return spot
        raise AssertionError("unreachable")

    def free(self, spot: str, at_s: float) -> str:
        """A spot, or where something lies there already another one beside it."""
        folder, _, name = spot.rpartition("/")
        return self._free(folder, name, at_s)

    def note(self, spot: str, about: bytes) -> None:
        """Write the lines of state of what lies at a spot."""
        _append(join_to(self._root, spot.rpartition("/")[0]), about)

    def _free(self, folder: str, name: str, at_s: float) -> str:
        above = f"{folder}/" if folder else ""
        named = _names(name, at_s)
        return self._first_free(lambda number: above + named(number))

    def _first_free(self, spot: Callable[[int], str]) -> str:
        """A numbered spot where nothing lies."""
        return spot(first_free(lambda number: os.path.lexists(f"{self._root}/{spot(number)}")))


def join_to(root: str, below: str) -> str:
    """An absolute path."""
    return f"{root}/{below}" if below else root


def _names(name: str, at_s: float) -> Callable[[int], str]:
    """A name, and those to take where it is taken: with the time, and with a number too."""
    stem, dot, suffix = name.rpartition(".")
    if not stem or len(suffix) > 20:
        stem, dot, suffix = name, "", ""
    stamp = _stamp(at_s)

    def numbered(number: int) -> str:
        if number == 1:
            return name
        added = f" ({stamp})" if number == 2 else f" ({stamp}, {number - 1})"
        return _shortened(stem, len(f"{added}{dot}{suffix}".encode())) + added + dot + suffix

    return numbered


def _stamp(at_s: float) -> str:
    return time.strftime("%Y-%m-%d %H.%M.%S", time.gmtime(at_s))


def _shortened(stem: str, rest: int) -> str:
    return stem.encode()[: 255 - rest].decode(errors="ignore")


def _append(folder: str, data: bytes) -> None:
    """State lines that nothing has to be read for: thousands of files may be deleted out of one folder."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(f"{folder}/{STATE_FILE}", flags, 0o600)
    try:
        os.write(fd, data)
    finally:
        os.close(fd)
