"""The trash in the administrator's hands: what is in it, and one of it back to its place; rights are not asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage import paths
from storage.errors import AlreadyExists, NotFound
from storage.fileterms import Terms
from storage.formerrules import entries_below, find_entry
from storage.formertree import removal_s
from storage.restore import restore
from storage.session import Session

if TYPE_CHECKING:
    from storage.store import Store


@dataclass(frozen=True, slots=True, order=True)
class Trashed:
    """
    One entry of the trash.

    Attributes:
        at_s: when it was deleted, seconds since 1970.
        path: canonical path that it had; lies is the one that it has in the trash.
        by: who deleted it, or None for somebody without an account.
    """

    at_s: float
    path: str
    lies: str
    by: str | None


def trashed(store: Store, below: str = "/") -> list[Trashed]:
    """What was deleted at and below a path, the oldest first."""
    return sorted(each for each in _every(store) if paths.is_within(each.path, below))


def bring_back(store: Store, path: str, to: str | None) -> str:
    """
    Restore what was deleted last at a path, or lies at a path of the trash; gives where it is now.

    Args:
        to: canonical path, None for where it was.

    Raises:
        NotFound: nothing of that path is in the trash.
        AlreadyExists: something stands at the target.
        StorageError: what else keeps it from standing there.
    """
    found = max((each for each in _every(store) if path in (each.path, each.lies)), default=None)
    if found is None:
        raise NotFound(path)
    target = to or found.path
    session = Session.of_administrator(store)
    node = session.files.tree.get(found.lies)
    if paths.is_within(target, paths.FILES):
        if session.files.tree.find(target) is not None:
            raise AlreadyExists(target)
        session.files.move(found.lies, target, Terms(), overwrite=False)
    else:
        if session.pim.find(target) is not None:
            raise AlreadyExists(target)
        restore(session, node, target, Terms(), overwrite=False)
    return target


def _every(store: Store) -> Iterator[Trashed]:
    for lies in entries_below(store, paths.TRASH):
        found = find_entry(store, lies)
        if found is not None:
            record = found[1]
            by = record.get("by")
            yield Trashed(removal_s(record), record["path"], lies, by if isinstance(by, str) else None)
