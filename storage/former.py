"""
Rules as they were: what is deleted or overwritten is shown later to those only who could read it then.

The levels above a path are kept as JSON beside what went. ``auth.acl.decide`` reads them as it reads those of today,
so that there is one decision about rights, of whatever time the rules are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from auth.acl import Level
from auth.actions import Action
from auth.principal import fold
from auth.rules import Rule

NOBODY = (Level("/", closed=True),)  # where the rules cannot be read any more: owner and administrators of today decide


def snapshot(levels: Iterable[Level]) -> list[dict[str, Any]]:
    """The levels above a path, nearest first, as JSON; such as say nothing are left out."""
    return [_kept(level) for level in levels if level.rules or level.owner is not None or level.closed]


def levels_of(kept: Any) -> Sequence[Level]:
    """The levels of a ``snapshot``; such that give nobody anything where it cannot be read."""
    if not isinstance(kept, list):
        return NOBODY
    try:
        return [_level(each) for each in kept]
    except (KeyError, TypeError, ValueError, AttributeError):
        return NOBODY


def _kept(level: Level) -> dict[str, Any]:
    rules = [{"who": rule.who, "may": sorted(rule.may), "here": rule.here} for rule in level.rules]
    said = {"rules": rules, "inherit": level.inherit, "owner": level.owner, "closed": level.closed}
    return {"path": level.path, **{key: value for key, value in said.items() if value}}


def _level(kept: dict[str, Any]) -> Level:
    owner = kept.get("owner")
    rules = tuple(_rule(rule) for rule in kept.get("rules", ()))
    inherit, closed = bool(kept.get("inherit")), bool(kept.get("closed"))
    return Level(str(kept["path"]), rules, inherit, None if owner is None else fold(owner), closed)


def _rule(kept: dict[str, Any]) -> Rule:
    may = frozenset(map(Action, kept["may"]))
    return Rule(tuple(map(fold, kept["who"])), may, bool(kept["here"]), "", 0)
