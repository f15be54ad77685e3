"""
Looking over everything while requests are answered: the slow pass in the background, and the index made anew.

What turns out to be other than the index said is a change that the next synchronisation tells (RFC 6578 §3.5); what
is as it was keeps its ETag, and sync tokens stay good.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage import paths
from storage.batch import Batch
from storage.errors import IndexDamaged
from storage.reconcile import Count, count_nothing
from storage.scan import go_on

if TYPE_CHECKING:
    from storage.records import Folder
    from storage.store import Progress, Store

PAUSE_S = 0.001  # after every few files: whoever answers a request meanwhile comes first

log = logging.getLogger("davserver.reconcile")


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """
    What a rebuild found.

    Attributes:
        files: looked at.
        changed: of which the index said something else.
    """

    files: int
    changed: int


def look_over(
    store: Store, *, thorough: bool = False, pause: Callable[[], None] = go_on, count: Count = count_nothing
) -> int:
    """
    Compare every file with its row; gives how many differed.

    A folder's write lock is held for a few files at a time.

    Args:
        thorough: calendar objects and cards are read again, whatever their stamps say, and all rows written anew.
        pause: called after every few files, with no lock held; what it raises ends the work.
        count: told of files as they are done.
    """
    changed = 0
    todo = [root for _, root in paths.EVERY_TREE]
    while todo:
        folder = store.find_folder(todo.pop())
        if folder is None:
            continue
        if thorough:
            _refresh_folders(store, folder)
        for looked in store.reconciler.look_over(folder, thorough=thorough, pause=pause, count=count):
            with store.comparing(folder.place):
                changed += store.reconciler.refresh(folder, looked)
            pause()
        todo += [child.place for child in store.index.folders(folder.place)]
    if changed:
        store.rulebook.refresh()
    return changed


def _refresh_folders(store: Store, folder: Folder) -> None:
    with store.comparing(folder.place):
        try:
            if store.reconciler.subfolders(folder):
                store.rulebook.refresh()
        except (FileNotFoundError, NotADirectoryError):
            log.debug("%s went away while it was looked at", folder.place)


def rebuild(store: Store, progress: Progress, *, pause: Callable[[], None] = lambda: time.sleep(PAUSE_S)) -> Rebuilt:
    """
    Make the index anew: nothing that it says is believed, every file is looked at again and its row written.

    Raises:
        IndexDamaged: the file itself is broken, and rows written into it would be lost too; nothing was done.
    """
    damage = store.index.find_damage()
    if damage is not None:
        raise IndexDamaged(f"the index {store.index.file} is damaged: {damage}")
    total, done = store.count_files(), 0

    def count(files: int) -> None:
        nonlocal done
        done += files
        progress(done, max(done, total))

    changed = look_over(store, thorough=True, pause=pause, count=count)
    batch = Batch()
    batch.remove_orphans([*(root for _, root in paths.EVERY_TREE), paths.VIEWS])
    store.index.commit(batch)
    store.index.sweep()
    store.rulebook.refresh()
    progress(done, done)
    return Rebuilt(done, changed)
