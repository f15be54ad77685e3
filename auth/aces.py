"""
Rules as access control entries (RFC 3744 §5.5): who is given what at a path, and by which folder.

Both are one thing seen twice: the entries are read off the levels from which ``auth.acl`` decides, in the order in
which they count. There is no deny, so an entry is a name and what is given to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from auth.acl import Action, Level
from auth.principal import fold
from auth.rules import Rule

EVERYTHING = frozenset({Action.ADMIN})  # whoever has `admin` holds all the others
OF_OWN = frozenset({Action.READ, Action.WRITE, Action.DELETE})  # what `create` includes on what one made oneself


@dataclass(frozen=True, slots=True)
class Grant:
    """
    What somebody is given.

    Attributes:
        name: of an account as ``fold`` gives it, ``all-users`` or ``world``.
        may: as ``essence`` gives it.
    """

    name: str
    may: frozenset[Action]


@dataclass(frozen=True, slots=True)
class Ace:
    """
    One entry.

    Attributes:
        protected: no ACL request can change it, wherever it is sent (§5.5.3).
        inherited: path of the folder that it comes from, None for the object itself (§5.5.4).
    """

    grant: Grant
    protected: bool = False
    inherited: str | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """
    What becomes of the rules in a folder's own file.

    Attributes:
        stay: for each of the present rules the names that stay in it; a rule that loses its last one goes.
        new: rules to add; one without names closes the folder.
        inherits: the folders above are to add theirs from now on.
    """

    stay: tuple[tuple[str, ...], ...]
    new: tuple[Rule, ...] = ()
    inherits: bool = False


def essence(may: Iterable[Action]) -> frozenset[Action]:
    """Actions less those that others among them include, so that equal rights are equal sets."""
    held = frozenset(may)
    if Action.ADMIN in held:
        return EVERYTHING
    return held - {Action.FREEBUSY} if Action.READ in held else held


def entries(path: str, levels: Sequence[Level]) -> list[Ace]:
    """
    The entries in force at a path, by its levels, nearest first; owners stand before the rules of their level.

    Rules of a folder above that does not decide give nothing but ``admin``, which is never lost further down.
    """
    found: list[Ace] = []
    owners: set[str] = set()
    deciding = True
    for level in levels:
        above = None if level.path == path else level.path
        owner = None if level.owner is None else fold(level.owner)
        if owner is not None and owner not in owners:
            owners.add(owner)
            found.append(Ace(Grant(owner, EVERYTHING), True, above))
        deciding = deciding and not level.closed
        rules = applicable(path, level)
        for rule in rules:
            given = essence(rule.may if deciding else rule.may & EVERYTHING)
            protected = not is_own(rule, level) or (above is not None and given == EVERYTHING)
            found += [Ace(Grant(name, given), protected, above) for name in rule.who if given]
        if rules and not level.inherit:
            deciding = False
    return found


def applicable(path: str, level: Level) -> list[Rule]:
    """The rules of a level that speak of what stands at a path."""
    return [rule for rule in level.rules if not rule.here or level.path == path]


def is_own(rule: Rule, level: Level) -> bool:
    """Whether a rule stands in the folder's own file, not in the server's."""
    return rule.source == f"{level.path}/access.toml"


def gives_anything(path: str, above: Sequence[Level]) -> bool:
    """Whether the levels above a folder would give somebody something if they were asked."""
    for level in above:
        rules = applicable(path, level)
        if level.closed or any(rule.who for rule in rules):
            return not level.closed
        if rules and not level.inherit:
            return False
    return False


def edit_for(present: Sequence[Rule], wanted: Sequence[Grant], shown: Callable[[str, Rule], Grant | None]) -> Edit:
    """
    What to change so that the rules give what is wanted and nothing else.

    Args:
        shown: the entry as which a name in a rule was shown; None for one that was not, and stays (§8.1).
    """
    asked = set(wanted)
    held = {grant for rule in present for name in rule.who if (grant := shown(name, rule)) is not None}
    stay = tuple(tuple(name for name in rule.who if shown(name, rule) in (None, *asked)) for rule in present)
    # Who had something of the folder alone is not given what lies in it when that changes.
    narrow = {name for rule in present if rule.here for name in rule.who}
    narrow -= {name for rule in present if not rule.here for name in rule.who}
    new = [grant for grant in dict.fromkeys(wanted) if grant not in held]
    alike = groupby(new, key=lambda grant: (grant.may, grant.name in narrow))
    return Edit(stay, tuple(Rule(_names(grants), may, here, "", 0) for (may, here), grants in alike))


def _names(grants: Iterable[Grant]) -> tuple[str, ...]:
    return tuple(grant.name for grant in grants)
