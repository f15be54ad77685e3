"""Giving rights on: a rule can give only what its author holds at its folder without that file."""

from __future__ import annotations

from collections.abc import Iterable

from auth.acl import Action, RuleBook, actions, decide
from auth.errors import Problem, RulesRefused
from auth.principal import Principal
from auth.rules import FolderRules, Link
from auth.tables import listed

LINK_GIVES = {
    "read": frozenset({Action.READ}),
    "drop": frozenset({Action.CREATE}),
    "read-drop": frozenset({Action.READ, Action.CREATE}),
}


def require_grantable(
    rules: FolderRules, path: str, author: Principal, book_without: RuleBook, *, file: str = "access.toml"
) -> None:
    """
    Check a folder's new ``access.toml`` when it is stored; it stays in force when its author leaves.

    Args:
        path: the folder it speaks of.
        book_without: the rules in force, less those of the file that is replaced.
        file: how the problems call it.

    Raises:
        RulesRefused: a rule or link gives more than its author holds; all of them are named.
    """
    here = actions(author, path, book_without)
    # What the author holds through a rule for the folder alone must not be given on for everything below it.
    below = here & decide(author, f"{path}/…", book_without.levels(path))
    problems = [
        problem
        for rule in rules.rules
        if rule.who and (problem := _excess(rule.may, here if rule.here else below, file, rule.line))
    ]
    problems += [problem for link in rules.links if (problem := _excess(_given_by(link), below, file, link.line))]
    if problems:
        raise RulesRefused(tuple(problems))


def _given_by(link: Link) -> frozenset[Action]:
    return LINK_GIVES[link.right]


def _excess(given: Iterable[Action], held: frozenset[Action], file: str, line: int) -> Problem | None:
    """The problem of a rule that gives more than its author holds, or None."""
    excess = [action for action in Action if action in given and action not in held]
    if not excess:
        return None
    able = [action for action in Action if action in held]
    return Problem(
        file,
        line,
        f"this gives {listed(excess)}, which you do not hold here without this file",
        f"you can give {listed(able)}" if able else "ask an administrator for the rights first",
    )
