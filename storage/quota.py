"""Room in a home or shared folder (RFC 4331)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.errors import DiskFull, QuotaExceeded
from storage.paths import APART_BYTES, FILES, MEMBERS, is_kept_apart, is_within, name_of, place_of

if TYPE_CHECKING:
    from storage.session import Session


def counted_folder(path: str) -> str | None:
    """The home or shared folder whose quota a path counts against, or None where nothing is counted."""
    segments = path.split("/")
    deep = 4 if is_within(path, MEMBERS) else 3
    return "/".join(segments[:deep]) if len(segments) >= deep and is_within(path, FILES) else None


def used_bytes(session: Session, path: str) -> int:
    """Bytes in the home or shared folder that a path lies in (RFC 4331 §4)."""
    counted = counted_folder(path)
    place = place_of(counted) if counted is not None else None
    folder = session.store.find_folder(place) if place is not None else None
    return session.store.tree_bytes(folder) if folder is not None else 0


def available_bytes(session: Session, path: str) -> int:
    """Bytes that can still be added there: what the quota leaves, and never more than the disk has (RFC 4331 §3)."""
    free = session.store.free_bytes()
    quota = session.store.settings.storage.quota_bytes
    if not quota or counted_folder(path) is None:
        return free
    return max(0, min(free, quota - used_bytes(session, path)))


def growth_bytes(path: str, before: int, after: int) -> int:
    """What a file of another size adds to what counts; what macOS keeps for itself counts where it is large."""

    def counted(size: int) -> int:
        return 0 if size <= APART_BYTES and is_kept_apart(name_of(path)) else size

    return counted(after) - counted(before)


def require_room(session: Session, path: str, added_bytes: int) -> None:
    """Raise QuotaExceeded or DiskFull unless so many bytes can be added at a path."""
    if added_bytes <= 0:
        return
    quota = session.store.settings.storage.quota_bytes
    if quota and counted_folder(path) is not None and used_bytes(session, path) + added_bytes > quota:
        raise QuotaExceeded(f"{added_bytes} more bytes do not fit into the {quota} bytes of this folder")
    if added_bytes > session.store.free_bytes():
        raise DiskFull("the disk of the server is full")
