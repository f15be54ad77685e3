"""
Emptying the trash and thinning the history: what is too old goes, and the oldest where all of it is too large.

What is gone from there is gone for good.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage import paths
from storage.disk import find_status
from storage.formerrules import entries_below
from storage.formertree import FORMER, removal_s

if TYPE_CHECKING:
    from storage.store import Store

DAY_S = 86_400
APART_S = (  # up to an age in seconds, of each file one version within so many seconds
    (DAY_S, 0),
    (7 * DAY_S, 3600),
    (31 * DAY_S, DAY_S),
    (float("inf"), 7 * DAY_S),
)

log = logging.getLogger("davserver.trash")


@dataclass(frozen=True, slots=True, order=True)
class Removed:
    """An entry of the trash or the history, ordered by when it came there (seconds since 1970)."""

    at_s: float
    place: str
    name: str


def purge(store: Store, pause: Callable[[], None]) -> int:
    """
    Remove for good what is too old, too close together or too much; gives how many entries.

    Args:
        pause: called after every few, with no lock held.
    """
    count = 0
    kept = ((paths.TRASH, store.settings.trash, _no_thinning), (paths.HISTORY, store.settings.history, _thinned))
    for top, settings, thinned in kept:
        entries = sorted(_entries(store, top))
        limit_s = store.clock() - settings.keep_days * 86_400
        going = {entry for entry in entries if entry.at_s < limit_s} | set(thinned(entries, store.clock()))
        if settings.most_bytes:
            going |= set(_excess(store, [entry for entry in entries if entry not in going], settings.most_bytes))
        for entry in going:
            erase(store, entry)
            pause()
        count += len(going)
    return count


def make_room(store: Store, wanted_bytes: int) -> bool:
    """Purge the oldest of trash and history until so many bytes are free; whether they are."""
    entries = sorted(entry for top, _ in paths.FORMER_TREES for entry in _entries(store, top))
    for number, entry in enumerate(entries, 1):
        erase(store, entry)
        if store.free_bytes() >= wanted_bytes:
            log.warning("the disk was full: the %d oldest entries of trash and history are gone", number)
            return True
    return False


def _no_thinning(entries: Sequence[Removed], now_s: float) -> Iterator[Removed]:
    return iter(())


def _thinned(entries: Sequence[Removed], now_s: float) -> Iterator[Removed]:
    """Versions that are not the newest of their file within the span that is kept apart at their age."""
    taken: set[tuple[str, float, int]] = set()
    for entry in reversed(entries):
        apart_s = next(apart_s for age_s, apart_s in APART_S if now_s - entry.at_s <= age_s)
        slot = (entry.place, apart_s, int(entry.at_s // apart_s) if apart_s else id(entry))
        if slot in taken:
            yield entry
        taken.add(slot)


def _excess(store: Store, entries: Sequence[Removed], most_bytes: int) -> Iterator[Removed]:
    """The oldest entries, as many as it takes."""
    sizes = [_size(store, entry) for entry in entries]
    excess = sum(sizes) - most_bytes
    for entry, size in zip(entries, sizes, strict=True):
        if excess <= 0:
            return
        excess -= size
        yield entry


def erase(store: Store, entry: Removed) -> None:
    """Remove an entry for good; one that is gone already is no error."""
    with store.trash.turn(entry.place), store.history.turn(entry.place):
        file = store.file(entry.place, entry.name)
        try:
            store.erase(file)
        except FileNotFoundError:
            pass  # restored, or removed by hand
        kept = store.state(entry.place).removal(entry.name)
        if kept:
            store.append_state(entry.place, kept)
        _prune(store, entry.place)


def _entries(store: Store, top: str) -> Iterator[Removed]:
    for path in entries_below(store, top):
        place, _, name = (paths.place_of(path) or "").rpartition("/")
        yield Removed(removal_s(store.state(place).get(name, FORMER)), place, name)


def _size(store: Store, entry: Removed) -> int:
    folder = store.find_folder(f"{entry.place}/{entry.name}")
    if folder is not None:
        return store.tree_bytes(folder)
    status = find_status(store.file(entry.place, entry.name))
    return 0 if status is None else status.st_size


def _prune(store: Store, place: str) -> None:
    """Remove the folders that mirrored the tree for an entry, where nothing else lies in them."""
    while "/" in place:
        directory = store.directory(place)
        left = [name for name in os.listdir(directory) if name != paths.STATE_FILE]
        if left or store.state(place).names():
            return
        try:
            os.unlink(f"{directory}/{paths.STATE_FILE}")
        except FileNotFoundError:
            pass
        os.rmdir(directory)
        place = place.rpartition("/")[0]
