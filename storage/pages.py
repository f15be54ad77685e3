"""
One page of a synchronisation (RFC 6578 §3.6): the names to report and the token that stands for having them.

The change log is in the order of changes, so a page of it ends at a change's number. The first list is in the order of
names: the token of a page of it carries the last name, and when the list is through, what changed meanwhile is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from storage.errors import InvalidSyncToken

if TYPE_CHECKING:
    from storage.collection import Collection
    from storage.store import Store

AFTER = "?after="


@dataclass(frozen=True, slots=True)
class Page:
    """Names that changed or went, the token after them, and whether more is to come."""

    names: list[str]
    token: str
    is_cut: bool


def sync_page(store: Store, collection: Collection, token: str, limit: int | None) -> Page:
    """
    What a client with this token does not know yet, at most ``limit`` names of it.

    Raises:
        InvalidSyncToken: the client has to begin anew.
    """
    folder = collection.folder
    base, after, last = token.partition(AFTER)
    if base and not after:
        changes = [(name, number) for name, number in store.changes_since(folder, base) if name]
        if limit is not None and len(changes) > limit:
            kept = changes[:limit]
            return Page([name for name, _ in kept], store.sync_token(folder, kept[-1][1]), True)
        return Page([name for name, _ in changes], store.sync_token(folder), False)
    if after and not base:
        raise InvalidSyncToken(f"{token!r} is no token of this server; sync from the beginning")
    return _first_page(store, collection, base, unquote(last), limit)


def _first_page(store: Store, collection: Collection, base: str, last: str, limit: int | None) -> Page:
    folder = collection.folder
    changed = [name for name, _ in store.changes_since(folder, base) if name] if base else []
    start = base or store.sync_token(folder)
    left = sorted(member.name for member in store.members(folder) if member.name > last)
    if limit is not None and len(left) > limit:
        left = left[:limit]
        return Page(left, f"{start}{AFTER}{quote(left[-1], safe='')}", True)
    known = set(left)
    return Page(left + [name for name in changed if name not in known], store.sync_token(folder), False)
