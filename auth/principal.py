"""Principals (RFC 3744 §2): who is asking, named once at the door and carried in the session."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

ALL_USERS = "all-users"
WORLD = "world"


def fold(name: str) -> str:
    """The form in which names of members, groups and resources are compared: NFC and lower case."""
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).lower())


@dataclass(frozen=True, slots=True)
class Principal:
    """
    Somebody who asks.

    Attributes:
        name: the account's name as ``fold`` gives it, or None for somebody without an account.
        groups: every group it belongs to, groups of groups followed, with ``world`` and for accounts ``all-users``.
        display_name: what people call it.
        addresses: mail addresses, the preferred one first.
    """

    name: str | None
    groups: frozenset[str] = frozenset({WORLD})
    display_name: str = ""
    addresses: tuple[str, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """All names by which a rule can mean this principal."""
        return self.groups if self.name is None else self.groups | {self.name}


ANONYMOUS = Principal(None)
