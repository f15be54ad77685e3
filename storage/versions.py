"""The version before an overwrite: a second link of the file in the history, made before another takes its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from storage import formertree, paths
from storage.arrivals import ARRIVING
from storage.scratch import on_disk

if TYPE_CHECKING:
    from storage.records import Member
    from storage.store import Store


def keeper_of(store: Store, place: str, before: Member, by: str | None) -> Callable[[], str] | None:
    """
    What keeps a file that is about to be renamed over, under the rules of now, and gives the spot where it lies then.

    Best effort and never synced: a link where one can be, else a copy.

    Args:
        by: who overwrites it.

    Returns:
        None for what has no history: empty files, those of macOS, and folders where it is switched off.
    """
    path = paths.path_of(f"{place}/{before.name}")
    if not before.size or paths.is_kept_apart(before.name) or not store.keeps_versions(path):
        return None
    now = store.clock()
    record = formertree.record(path, by, now, store.rulebook.levels(path))
    changes = [change for change in store.state(place).as_changes(before.name) if change[1] != ARRIVING]
    file = store.file(place, before.disk_name)

    def keep() -> str:
        with store.history.alone():
            spot = store.history.choose_version(path, now)
            on_disk(lambda: store.history.link(spot, file, formertree.render(spot, record, changes)))
        return f"{store.history.top}/{spot}"

    return keep
