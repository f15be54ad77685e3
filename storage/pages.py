"""
One page of a synchronisation (RFC 6578 §3.6): what to report and the token that stands for having it.

The change log is in the order of changes, so a page of it ends at a change's number. The first list is in the order of
names: the token of a page of it carries the last name, and what changed while it was handed out follows after its end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from storage.errors import InvalidSyncToken

if TYPE_CHECKING:
    from storage.collection import Collection
    from storage.records import Member
    from storage.store import Store

AFTER = "?after="


@dataclass(frozen=True, slots=True)
class Page:
    """Members that changed and names that went, the token after them, and whether more is to come."""

    changed: list[Member]
    gone: list[str]
    token: str
    is_cut: bool


def sync_page(store: Store, collection: Collection, token: str, limit: int | None) -> Page:
    """
    What a client with this token does not know yet, at most ``limit`` names of it.

    Raises:
        InvalidSyncToken: the client has to begin anew.
    """
    folder = collection.folder
    base, after = split_token(token)
    if not base or after is not None:
        return _first_page(store, collection, base, after or "", limit)
    changes = [change for change in store.changes_since(folder, base) if change.name]
    kept = changes[:limit]
    is_cut = len(kept) < len(changes)
    present = store.members_named(folder, [change.name for change in kept])
    changed = [present[change.name] for change in kept if change.name in present]
    gone = [change.name for change in kept if change.name not in present]
    return Page(changed, gone, store.sync_token(folder, kept[-1].n if is_cut else None), is_cut)


def split_token(token: str) -> tuple[str, str | None]:
    """
    A token as the state it stands for ("" for none) and, within the first list, the last name that was handed out.

    Raises:
        InvalidSyncToken: there is a name and no state.
    """
    base, mark, last = token.partition(AFTER)
    if mark and not base:
        raise InvalidSyncToken(f"{token!r} is no token of this server; sync from the beginning")
    return base, unquote(last) if mark else None


def token_after(base: str, last: str) -> str:
    """The token of a page within the first list that ends with a name."""
    return f"{base}{AFTER}{quote(last, safe='')}"


def _first_page(store: Store, collection: Collection, base: str, last: str, limit: int | None) -> Page:
    folder = collection.folder
    start = base or store.sync_token(folder)
    is_behind = store.parse_sync_token(folder, start) < folder.counter
    left = store.members(folder, after=last, most=None if limit is None else limit + 1)
    if limit is not None and len(left) > limit:
        return Page(left[:limit], [], token_after(start, left[limit - 1].name), True)
    return Page(left, [], start, is_behind)
