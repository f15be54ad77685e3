"""
Synchronising a home (RFC 6578): which collections appeared in it, changed or went.

A home shows collections of others too, by rights that change at other places, so it has no change log. Its token holds
the listing that it stands for: each collection by name with a mark of its state, packed. What the member could not see
is never in it, what changed is found by comparing, and it outlives a rebuilt index.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.errors import InvalidSyncToken
from storage.paths import name_of

if TYPE_CHECKING:
    from storage.collection import Collection, Home
    from storage.pim import PimShelf

HOME_TOKEN = "urn:davserver:sync:home:"  # noqa: S105 - the beginning of a sync token, no secret
LARGEST_LISTING = 1 << 20  # bytes
Listing = dict[str, str]


@dataclass(frozen=True, slots=True)
class HomePage:
    """
    What a client does not know yet.

    Attributes:
        changed: collections, each with whether the client had no word of it before.
        gone: names of collections that the home does not show any more.
        token: stands for knowing all this.
        is_cut: there is more.
    """

    changed: list[tuple[Collection, bool]]
    gone: list[str]
    token: str
    is_cut: bool


def home_token(shelf: PimShelf, home: Home) -> str:
    """The token of a home as it is."""
    listing = {name: mark for name, (_, mark) in _collections(shelf, home).items()}
    return _render(home, listing)


def home_page(shelf: PimShelf, home: Home, token: str, limit: int | None) -> HomePage:
    """
    What changed since a token, at most ``limit`` collections.

    Raises:
        InvalidSyncToken: it is none of this home.
    """
    known = _parse(home, token) if token else {}
    present = _collections(shelf, home)
    differing = sorted(name for name in known.keys() | present.keys() if known.get(name) != _mark_in(present, name))
    told = differing[:limit]
    after = {name: mark for name, mark in known.items() if name not in told}
    after |= {name: present[name][1] for name in told if name in present}
    changed = [(present[name][0], name not in known) for name in told if name in present]
    gone = [name for name in told if name not in present]
    return HomePage(changed, gone, _render(home, after), len(told) < len(differing))


def _collections(shelf: PimShelf, home: Home) -> dict[str, tuple[Collection, str]]:
    """What the home shows, by name in it, each with its mark."""
    found = {}
    for collection in shelf.collections(home):
        kept = sorted(collection.personal.values.items()) if collection.personal is not None else []
        state = json.dumps([shelf.token(collection), kept]).encode()
        found[name_of(collection.asked)] = collection, hashlib.sha256(state).hexdigest()[:10]
    return found


def _mark_in(present: dict[str, tuple[Collection, str]], name: str) -> str | None:
    return present[name][1] if name in present else None


def _render(home: Home, listing: Listing) -> str:
    data = json.dumps([home.path, listing], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    packed = zlib.compress(data.encode("utf-8", "surrogatepass"), 9)
    return HOME_TOKEN + base64.urlsafe_b64encode(packed).decode().rstrip("=")


def _parse(home: Home, token: str) -> Listing:
    """The listing in a token. Raises InvalidSyncToken."""
    try:
        packed = base64.urlsafe_b64decode(token.removeprefix(HOME_TOKEN) + "===")
        data = zlib.decompressobj().decompress(packed, LARGEST_LISTING)
        path, listing = json.loads(data)
        "".join(listing).encode()  # half a character is no part of a name
    except (ValueError, TypeError, RecursionError, zlib.error):
        path, listing = None, None
    if not token.startswith(HOME_TOKEN) or path != home.path or not isinstance(listing, dict):
        raise InvalidSyncToken(f"{token[:80]!r} is not a token of this home; sync from the beginning")
    return {str(name): str(mark) for name, mark in listing.items()}
