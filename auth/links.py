"""
Public links as principals: what a link holds, until when, and by which password.

A link is somebody of its own. It belongs to no group, not even ``world``, and holds what its right gives from its
folder downwards, as one more rule of that folder would: a folder below that has rules of its own is closed to it.
"""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from auth.acl import Former, Level, RuleBook
from auth.credentials import VerifiedCredentials
from auth.grants import LINK_GIVES
from auth.passwords import is_known_hash
from auth.principal import Principal
from auth.rules import Link, Rule

_NAME = "LINK"  # rules mean names in lower case: no rule can mean this one
PRINCIPAL = Principal(None, frozenset({_NAME}))


class LinkBook:
    """The rules in force, and beside them in one folder what a link of it gives; an ``auth.acl.RuleBook``."""

    def __init__(self, book: RuleBook, path: str, link: Link) -> None:
        self._book = book
        self._path = path
        self._rule = Rule((_NAME,), LINK_GIVES[link.right], False, "access.toml", link.line)

    @property
    def revision(self) -> Hashable:
        """As the book's."""
        return self._book.revision

    def levels(self, path: str) -> Sequence[Level]:
        """As the book's, with the link's rule among those of its folder."""
        return [
            replace(level, rules=(*level.rules, self._rule)) if level.path == self._path else level
            for level in self._book.levels(path)
        ]

    def creator(self, path: str) -> str | None:
        """As the book's."""
        return self._book.creator(path)

    def is_folder(self, path: str) -> bool:
        """As the book's."""
        return self._book.is_folder(path)

    def former(self, path: str) -> Former | None:
        """As the book's."""
        return self._book.former(path)

    def marked_below(self, path: str) -> Iterable[str]:
        """As the book's."""
        return self._book.marked_below(path)


def is_over(link: Link, now: datetime, served: int) -> bool:
    """Whether a link's time has passed or its downloads are used up; ``served`` is how many there were."""
    if link.until is not None and now >= link.until:
        return True
    return link.downloads is not None and served >= link.downloads


class LinkPasswords:
    """Checks what a visitor typed; a hash is computed once in a while, as for members."""

    def __init__(self, *, lifetime_s: float, entries: int) -> None:
        self._verified = VerifiedCredentials(lifetime_s=lifetime_s, entries=entries)

    def verify(self, token: str, password: str, stored: str) -> bool:
        """Whether a password is the one of the rule, where it stands as text or as a hash."""
        if is_known_hash(stored):
            return self._verified.verify(token, password, stored)
        return hmac.compare_digest(_plain(password), _plain(stored))


def _plain(password: str) -> bytes:
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
