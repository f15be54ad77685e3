"""A rule book in memory, by the same protocol as the one over the disk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from auth.acl import Former, Level
from auth.actions import Action
from auth.principal import ALL_USERS, WORLD, Principal
from auth.rules import Rule


def rule(*who: str, may: str = "read", here: bool = False) -> Rule:
    """A rule as if read from a file; ``may`` are words with blanks between."""
    return Rule(who, frozenset(map(Action, may.split())), here, "access.toml", 1)


def member(name: str, *groups: str) -> Principal:
    """Somebody who signed in."""
    return Principal(name, frozenset({*groups, ALL_USERS, WORLD}))


@dataclass
class Book:
    """Rules, owners and creators by path; a path with a dot in its last segment is a file."""

    rules: dict[str, tuple[Rule, ...]] = field(default_factory=dict)
    inherit: frozenset[str] = frozenset()
    owners: dict[str, str] = field(default_factory=dict)
    creators: dict[str, str] = field(default_factory=dict)
    closed: frozenset[str] = frozenset()
    revision: int = 0

    def levels(self, path: str) -> Sequence[Level]:
        start = path if self.is_folder(path) else _above(path)
        return [self._level(folder) for folder in _up(start)]

    def creator(self, path: str) -> str | None:
        return self.creators.get(path)

    def former(self, path: str) -> Former | None:
        return None

    def is_folder(self, path: str) -> bool:
        return "." not in path.rpartition("/")[2]

    def marked_below(self, path: str) -> Iterable[str]:
        prefix = path.rstrip("/") + "/"
        return [marked for marked in {*self.rules, *self.owners} if marked != path and marked.startswith(prefix)]

    def _level(self, path: str) -> Level:
        return Level(path, self.rules.get(path, ()), path in self.inherit, self.owners.get(path), path in self.closed)


def _above(path: str) -> str:
    return path.rpartition("/")[0] or "/"


def _up(path: str) -> Iterable[str]:
    while True:
        yield path
        if path == "/":
            return
        path = _above(path)
