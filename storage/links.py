"""
Public links in force: whose token it is, and the token of each ``[[link]]`` of a folder's rules.

The server makes a token when a link is first in force and keeps it in the state of the link's folder, under the link's
name. So the URL stays while the rule is edited, ends with the rule or its name, and comes along with a folder that is
moved or restored. What tokens there are is kept in memory, by their SHA-256, and read again from the folders when a
token is asked for that is not known: rules that were edited behind the server's back are in force as well.

Where a token stands in two folders, of which one is a copy, the folder keeps it that was known first, else the one
whose inode is noted beside it; the other gets a fresh one.
"""

from __future__ import annotations

import hashlib
import logging
import re
import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from auth.rules import Link
from storage import paths
from storage.errors import DiskFull, QuotaExceeded
from storage.state import Change, State

if TYPE_CHECKING:
    from storage.records import Folder
    from storage.store import Store
    from storage.transaction import Transaction

LINKS_KEY = "links"  # in a folder's state: name of the link -> {token, inode, own}
SERVED_KEY = "served"  # name of the link -> how many downloads there were
STORED_KEY = "stored"  # name of the link -> how many bytes came through it
TOKEN_BYTES = 16
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22,200}")
_NOTHING: Mapping[str, Any] = {}

log = logging.getLogger("davserver.links")

Holder = tuple[str, str]  # place of the folder, name of the link


@dataclass(frozen=True, slots=True)
class Issued:
    """
    A link in force.

    Attributes:
        path: canonical path of the folder or collection it speaks of.
        served: how many downloads there were, counted only where the link has a number of them.
        stored: how many bytes were ever stored through it.
    """

    place: str
    path: str
    link: Link
    token: str = field(repr=False)
    served: int = 0
    stored: int = 0

    @property
    def name(self) -> str:
        """What tells the links of one folder apart; "" for the one without a name."""
        return self.link.name or ""


class Links:
    """The links of a store. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._holders: dict[bytes, Holder] = {}
        self._changing = threading.Lock()  # of the holders; nothing is waited for while it is held
        self._reading = threading.Lock()
        self._begun = 0  # readings of all folders
        self._is_read = False

    def find(self, token: str) -> Issued | None:
        """The link that has a token, or None."""
        if not _TOKEN.fullmatch(token):
            return None
        found = self._find_known(token)
        if found is None:
            self._read_again()
            found = self._find_known(token)
        return found

    def of(self, place: str) -> list[Issued]:
        """The links of a folder in the order of its rules; such as have no token yet get one."""
        folder = self._store.find_folder(place)
        if folder is None:
            return []
        if self._due(folder):
            try:
                with self._store.write(place) as tx:
                    for name, key, value in self._due(folder):
                        tx.set_state(place, name, key, value)
            except DiskFull:
                log.warning("the disk is full: what changed in the links of %s is not in force", folder.path)
        return list(self._issued(folder))

    def settle(self, place: str) -> None:
        """Bring a folder's tokens in line with its rules; the caller holds its write lock."""
        folder = self._store.find_folder(place)
        changes = [] if folder is None else self._due(folder)
        if changes:
            self._store.append_state(place, changes)

    def rules_changed(self, place: str) -> None:
        """As ``settle``; the rules are in force already, and what cannot be kept now is when the links are read."""
        try:
            self.settle(place)
        except (DiskFull, OSError):
            log.warning("tokens for the links in %s could not be kept yet", place, exc_info=True)

    def find_other_holder(self, token: str, place: str) -> str | None:
        """The place of another folder that uses a token, as its own or because the server gave it."""
        self._read()
        holder = self._holders.get(_digest(token))
        if holder is None or holder[0] == place or not self._holds(holder, token):
            return None
        return holder[0]

    def count(self, issued: Issued) -> bool:
        """Note a download, durable on return; False where there are none left."""
        with self._store.write(issued.place) as tx:
            served = _mapping(tx.state(issued.place), SERVED_KEY)
            number = _number(served.get(issued.name))
            if issued.link.downloads is not None and number >= issued.link.downloads:
                return False
            tx.set_state(issued.place, "", SERVED_KEY, {**served, issued.name: number + 1})
        return True

    def left_bytes(self, issued: Issued) -> int:
        """How much may still be stored through a link; below 0 where its quota was made smaller."""
        return self.quota_of(issued.link) - issued.stored

    def count_stored(self, tx: Transaction, issued: Issued, added_bytes: int) -> None:
        """Note what is stored through a link, within the write of its folder. Raises QuotaExceeded."""
        stored = _mapping(tx.state(issued.place), STORED_KEY)
        number = _number(stored.get(issued.name)) + added_bytes
        if added_bytes and number > self.quota_of(issued.link):
            raise QuotaExceeded(f"{added_bytes} more bytes do not fit into the {self.quota_of(issued.link)} of a link")
        tx.set_state(issued.place, "", STORED_KEY, {**stored, issued.name: number})

    def quota_of(self, link: Link) -> int:
        """How many bytes may ever be stored through a link."""
        return self._store.settings.links.quota_bytes if link.quota_bytes is None else link.quota_bytes

    # -- one folder ------------------------------------------------------------------------------------------------

    def _find_known(self, token: str) -> Issued | None:
        holder = self._holders.get(_digest(token))
        if holder is None:
            return None
        return next((issued for issued in self.of(holder[0]) if issued.token == token), None)

    def _issued(self, folder: Folder) -> Iterator[Issued]:
        state = self._store.state(folder.place)
        kept, served, stored = (_mapping(state, key) for key in (LINKS_KEY, SERVED_KEY, STORED_KEY))
        for link in self._store.rulebook.links_of(folder.path) or ():
            name = link.name or ""
            token = _token(kept.get(name))
            if token is not None and self._holders.get(_digest(token)) == (folder.place, name):
                yield Issued(
                    folder.place, folder.path, link, token, _number(served.get(name)), _number(stored.get(name))
                )

    def _due(self, folder: Folder) -> list[Change]:
        """The changes to a folder's state after which each of its links has its token and nothing else is kept."""
        links = self._store.rulebook.links_of(folder.path)
        state = self._store.state(folder.place)
        kept = _mapping(state, LINKS_KEY)
        counts = {key: _mapping(state, key) for key in (SERVED_KEY, STORED_KEY)}
        if links is None or (not links and not kept and not any(counts.values())):
            return []  # a broken file ends nothing: it will be mended
        self._read()
        wanted = self._tokens(folder, links, kept)
        pairs = [(LINKS_KEY, kept, wanted)]
        for key, before in counts.items():
            pairs.append((key, before, {name: number for name, number in before.items() if name in wanted}))
        return [("", key, after or None) for key, before, after in pairs if before != after]

    def _tokens(self, folder: Folder, links: Sequence[Link], kept: Mapping[str, Any]) -> dict[str, Any]:
        wanted: dict[str, Any] = {}
        for link in links:
            name = link.name or ""
            before = kept.get(name)
            token = link.token or _token(before)
            is_own = link.token is not None
            was_own = isinstance(before, dict) and bool(before.get("own"))
            if token is None or (was_own and not is_own) or not self._claim(token, (folder.place, name)):
                if is_own:
                    log.error("a link of %s has the token of another folder and is not in force", folder.path)
                    continue
                token = self._new_token((folder.place, name))
            wanted[name] = {"token": token, "inode": folder.inode} | ({"own": True} if is_own else {})
        return wanted

    def _new_token(self, holder: Holder) -> str:
        while True:
            token = secrets.token_urlsafe(TOKEN_BYTES)
            if self._claim(token, holder):
                return token

    # -- whose token it is -----------------------------------------------------------------------------------------

    def _claim(self, token: str, claimant: Holder) -> bool:
        """Whether a token is the claimant's from now on: it was already, or nobody has it (any more)."""
        key = _digest(token)
        while True:
            holder = self._holders.get(key)
            if holder is not None and holder != claimant and self._holds(holder, token):
                return False
            with self._changing:
                if self._holders.get(key) == holder:
                    self._holders[key] = claimant
                    return True

    def _holds(self, holder: Holder, token: str) -> bool:
        """Whether a link that was known to have a token still stands in its folder's rules with it."""
        place, name = holder
        folder = self._store.find_folder(place)
        if folder is None:
            return False
        links = self._store.rulebook.links_of(folder.path)
        kept = _token(_mapping(self._store.state(place), LINKS_KEY).get(name))
        if links is None:
            return kept == token
        link = next((link for link in links if (link.name or "") == name), None)
        return link is not None and (link.token or kept) == token

    # -- all folders -----------------------------------------------------------------------------------------------

    def _read(self) -> None:
        """Once: no token is given away before it is known which there are."""
        if not self._is_read:
            self._read_all()

    def _read_again(self) -> None:
        """Whoever waits while another reads is served by a reading that began after it came."""
        begun = self._begun
        with self._reading:
            if self._begun > begun:
                return
            self._begun += 1
            self._read_all()

    def _read_all(self) -> None:
        """Claim every token for its folder; nothing is written, so this may be done within any write."""
        claims: list[tuple[bool, int, str, Holder]] = []
        for folder in self._ruled():
            kept = _mapping(self._store.state(folder.place), LINKS_KEY)
            for link in self._store.rulebook.links_of(folder.path) or ():
                before = kept.get(link.name or "")
                token = link.token or _token(before)
                if token is not None:
                    is_copy = not isinstance(before, dict) or before.get("inode") != folder.inode
                    claims.append((is_copy, folder.id, token, (folder.place, link.name or "")))
        for _, _, token, holder in sorted(claims):
            self._claim(token, holder)
        self._is_read = True

    def _ruled(self) -> Iterator[Folder]:
        for _, root in paths.TREES:
            top = self._store.find_folder(root)
            if top is not None:
                yield from (folder for folder in self._store.present_tree(top) if folder.ruled)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _mapping(state: State, key: str) -> Mapping[str, Any]:
    found = state.get("", key)
    return found if isinstance(found, dict) else _NOTHING


def _token(kept: Any) -> str | None:
    token = kept.get("token") if isinstance(kept, dict) else None
    return token if isinstance(token, str) and _TOKEN.fullmatch(token) else None


def _number(kept: Any) -> int:
    return kept if isinstance(kept, int) and kept > 0 else 0
