"""
Making the index anew while requests are answered: nothing that it says is believed, everything is looked at again.

What turns out to be other than the index said is a change that the next synchronisation tells (RFC 6578 §3.5); what
is as it was keeps its ETag, and sync tokens stay good.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from storage import paths
from storage.errors import IndexDamaged
from storage.index import Batch
from storage.store import Progress, Store

PAUSE_S = 0.001  # after every few files: whoever answers a request meanwhile comes first


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


def rebuild(store: Store, progress: Progress, *, pause: Callable[[], None] = lambda: time.sleep(PAUSE_S)) -> Rebuilt:
    """
    Look at every file again and write its row anew.

    Raises:
        IndexDamaged: the file itself is broken, and rows written into it would be lost too; nothing was done.
    """
    damage = store.index.find_damage()
    if damage is not None:
        raise IndexDamaged(f"the index {store.data}/index.sqlite is damaged: {damage}")
    total, done = store.count_files(), 0

    def count(files: int) -> None:
        nonlocal done
        done += files
        progress(done, max(done, total))

    changed = store.look_over(thorough=True, pause=pause, count=count)
    batch = Batch()
    batch.remove_orphans([root for _, root in paths.TREES])
    store.index.commit(batch)
    store.rulebook.refresh()
    progress(done, done)
    return Rebuilt(done, changed)
