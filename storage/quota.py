"""
Room in homes and shared folders (RFC 4331).

A home has what ``users.toml`` gives its member, any folder what a ``[[folder]]`` of the server's ``access.toml`` gives
it; homes and shared folders of which nothing is said have the general quota. Where several hold, there must be room in
each.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from auth.principal import fold
from auth.snapshot import Account
from storage.errors import DiskFull, QuotaExceeded
from storage.paths import (
    APART_BYTES,
    FILES,
    MEMBERS,
    is_former,
    is_kept_apart,
    is_within,
    name_of,
    parent_of,
    place_of,
)

if TYPE_CHECKING:
    from storage.session import Session


def counted_folder(path: str) -> str | None:
    """The home or shared folder whose quota a path counts against, or None where nothing is counted."""
    if is_former(path):
        return None
    segments = path.split("/")
    deep = 4 if is_within(path, MEMBERS) else 3
    return "/".join(segments[:deep]) if len(segments) >= deep and is_within(path, FILES) else None


def quotas_of(session: Session, path: str) -> dict[str, int]:
    """The folders at and above a path that have a quota, with its bytes."""
    counted = counted_folder(path)
    if counted is None:
        return {}
    found = {counted: _usual(session, counted)}
    found |= {folder: given for folder, given in session.store.rulebook.quotas().items() if is_within(path, folder)}
    return {folder: given for folder, given in found.items() if given}


def _usual(session: Session, counted: str) -> int:
    """The quota of a home or shared folder of which the rules say nothing; 0 is none."""
    if parent_of(counted) == MEMBERS and session.store.accounts is not None:
        account = session.store.accounts.account(fold(name_of(counted)))
        if isinstance(account, Account) and account.quota_bytes is not None:
            return account.quota_bytes
    return session.store.settings.storage.quota_bytes


def used_bytes(session: Session, path: str) -> int:
    """Bytes in the home or shared folder that a path lies in (RFC 4331 §4)."""
    counted = counted_folder(path)
    return 0 if counted is None else _bytes_in(session, counted)


def _bytes_in(session: Session, path: str) -> int:
    place = place_of(path)
    folder = session.store.find_folder(place) if place is not None else None
    return session.store.tree_bytes(folder) if folder is not None else 0


def available_bytes(session: Session, path: str) -> int:
    """Bytes that can still be added there: what the quota leaves, and never more than the disk has (RFC 4331 §3)."""
    return max(0, min([session.store.free_bytes(), *left_bytes(session, path)]))


def left_bytes(session: Session, path: str) -> list[int]:
    """What each quota that holds there leaves; below 0 where more lies there."""
    return [given - _bytes_in(session, folder) for folder, given in quotas_of(session, path).items()]


def counted_bytes(path: str, size: int) -> int:
    """What a file adds to what counts: what macOS keeps for itself does where it is large."""
    return 0 if size <= APART_BYTES and is_kept_apart(name_of(path)) else size


def growth_bytes(path: str, before: int, after: int) -> int:
    """What a file of another size adds to what counts."""
    return counted_bytes(path, after) - counted_bytes(path, before)


def require_room(session: Session, path: str, added_bytes: int) -> None:
    """Raise QuotaExceeded or DiskFull unless so many bytes can be added at a path."""
    if added_bytes <= 0:
        return
    for folder, given in quotas_of(session, path).items():
        _require_quota(folder, given, _bytes_in(session, folder), added_bytes)
    require_disk(session, added_bytes)


def require_disk(session: Session, added_bytes: int) -> None:
    """Raise DiskFull unless so many bytes can be written."""
    if added_bytes > 0 and not session.store.make_room(added_bytes):
        raise DiskFull("the disk of the server is full")


def _require_quota(folder: str, given: int, held: int, added_bytes: int) -> None:
    if held + added_bytes > given:
        raise QuotaExceeded(f"{added_bytes} more bytes do not fit into the {given} bytes of {name_of(folder)}")


class Promised:
    """
    Bytes that are being written, by the folder whose quota they count against. Thread-safe.

    Writes of different folders hold different locks: each counts what the others are about to add.
    """

    def __init__(self) -> None:
        self._ended = threading.Condition()
        self._bytes: Counter[str] = Counter()

    @contextmanager
    def room(
        self, session: Session, path: str, added_bytes: int, *, leaving: str | None = None, left_bytes: int = 0
    ) -> Iterator[None]:
        """
        Until the end, room for so many bytes is nobody else's. Who finds it taken waits for what becomes of it.

        Begin it under the write lock, where what gives way no longer changes, and end it after that, when the index has
        the bytes. No other folder is compared with the disk under that lock: what the index says has to do.

        Args:
            leaving: where bytes go away, which leaves room to the quotas that hold there too; left_bytes: how many.

        Raises:
            QuotaExceeded.
        """
        quotas = quotas_of(session, path)
        freed = {folder: left_bytes for folder in quotas if leaving is not None and is_within(leaving, folder)}
        added = {folder: more for folder in quotas if (more := added_bytes - freed.get(folder, 0)) > 0}
        if not added:
            yield
            return
        with self._ended:
            self._ended.wait_for(lambda: self._fits(session, quotas, added))
            self._bytes.update(added)
        try:
            yield
        finally:
            with self._ended:
                self._bytes.subtract(added)
                self._bytes += Counter()  # without those of nothing
                self._ended.notify_all()

    def _fits(self, session: Session, quotas: dict[str, int], added: dict[str, int]) -> bool:
        """
        Whether bytes fit beside what others are about to add, some of which the index may have already.

        Raises:
            QuotaExceeded: without the others they do not fit either.
        """
        fits = True
        for folder, more in added.items():
            held = session.store.index.tree_bytes(place_of(folder) or "")
            _require_quota(folder, quotas[folder], held, more)
            fits = fits and held + self._bytes[folder] + more <= quotas[folder]
        return fits
