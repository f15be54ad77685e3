"""
Polls in the one decision about rights: who votes, and whose file of the folder of votes is whose.

A vote belongs to the member that it is called after. Nobody else writes it, whoever owns the poll; others read it where
the results are open. Who votes sees the folder of the poll and what lies directly in it, whatever rules give beside it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field

from auth.actions import Action
from auth.principal import Principal

SUFFIX = ".toml"
_OWN = frozenset({Action.READ, Action.CREATE, Action.WRITE, Action.DELETE})
_BOX = frozenset({Action.READ, Action.CREATE})
_OTHERS = frozenset({Action.DELETE, Action.ADMIN})


@dataclass(frozen=True, slots=True)
class Ballots:
    """
    What a poll says about its folder, or about the folder in it that has one file of each voter.

    Attributes:
        voters: names of groups and members.
        is_box: it speaks of the folder of votes, not of the poll's own.
        is_open: others may read a vote, if they read the poll.
        key: of an anonymous poll: from it and a member's name comes the name of the file.
    """

    voters: frozenset[str] = frozenset()
    is_box: bool = False
    is_open: bool = False
    key: bytes | None = field(default=None, repr=False)

    def is_voter(self, principal: Principal) -> bool:
        """Whether somebody votes here."""
        return principal.name is not None and not self.voters.isdisjoint(principal.names)

    def file_of(self, name: str) -> str:
        """The name of the file of a member, whose name is as ``fold`` gives it."""
        return name + SUFFIX if self.key is None else hashed_name(self.key, name) + SUFFIX

    def held(self, principal: Principal, name: str | None, given: frozenset[Action]) -> frozenset[Action]:
        """
        What somebody holds.

        Args:
            name: of a file in the folder, None for the folder itself.
            given: what rules and owners give.
        """
        votes = self.is_voter(principal)
        if not self.is_box:
            return given | {Action.READ} if votes else given
        if name is None:
            return given | _BOX if votes else given
        if votes and self.is_own(principal, name):
            return _OWN
        reads = self.is_open and (votes or Action.READ in given)
        held = given & _OTHERS if Action.ADMIN in given else frozenset()
        return held | {Action.READ} if reads else held

    def is_own(self, principal: Principal, name: str) -> bool:
        """Whether a file is the vote of somebody."""
        return principal.name is not None and name == self.file_of(principal.name)


def hashed_name(key: bytes, name: str) -> str:
    """A name that tells nobody without the key whose it is: 20 letters and digits."""
    digest = hmac.new(key, name.encode(), hashlib.sha256).digest()
    return base64.b32encode(digest).decode().lower()[:20]
