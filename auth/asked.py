"""
Forms in the one decision about rights: whom a form asks sees its folder and adds to its answers, whatever rules give
beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

from auth.actions import Action
from auth.principal import Principal


@dataclass(frozen=True, slots=True)
class Asked:
    """
    What a form says about its folder, or about those of the answers in it.

    Attributes:
        names: of groups and members who are to answer.
        is_box: it speaks of the folder of answers, or of one in it, and not of the form's own.
    """

    names: frozenset[str] = frozenset()
    is_box: bool = False

    def is_asked(self, principal: Principal) -> bool:
        """Whether somebody is to answer."""
        return principal.name is not None and not self.names.isdisjoint(principal.names)

    def held(self, principal: Principal, given: frozenset[Action]) -> frozenset[Action]:
        """What somebody holds on the folder itself, where rules and owners give this."""
        if not self.is_asked(principal):
            return given
        return given | {Action.CREATE if self.is_box else Action.READ}
