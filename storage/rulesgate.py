"""Every way of writing an ``access.toml`` passes here: it is valid and gives nothing that its author does not hold."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from auth.errors import Problem, RulesRefused
from auth.grants import require_grantable
from auth.rules import FolderRules, parse_folder_rules
from storage.linksgate import require_links
from storage.paths import ACCESS_FILE, name_of, parent_of

if TYPE_CHECKING:
    from storage.session import Session

LONGEST_RULES_BYTES = 64 * 1024


def require_rules(session: Session, path: str, folder: str, data: bytes) -> None:
    """
    Raise RulesRefused unless the bytes can be stored as the rules of a folder.

    A rule or link that stands in the present file as well is in force already and gives nothing new, so that whoever
    got ``admin`` by this file can edit the rest of it; so is a rule that lost some of its names.

    Args:
        path: where the file is addressed, for the message.
        folder: canonical path of the folder or collection that the rules speak of.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RulesRefused((Problem(name_of(path), line, "bytes that are not UTF-8", "save it as UTF-8"),)) from error
    rules = parse_folder_rules(text, name_of(path))
    require_links(session.store, rules.links, folder, name_of(path))
    fresh = _less(rules, session.store.rulebook.rules_of(folder))
    require_grantable(fresh, folder, session.principal, session.store.rulebook.without(folder))


def _less(rules: FolderRules, present: FolderRules) -> FolderRules:
    """The rules and links that are not in force yet."""
    known = {(name, rule.may, rule.here) for rule in present.rules for name in rule.who}
    links = {replace(link, line=0) for link in present.links}
    return replace(
        rules,
        rules=tuple(rule for rule in rules.rules if any((name, rule.may, rule.here) not in known for name in rule.who)),
        links=tuple(link for link in rules.links if replace(link, line=0) not in links),
    )


def holds_rules(path: str) -> bool:
    """Whether what is stored at a path comes into force as rules."""
    return name_of(path) == ACCESS_FILE and parent_of(path) != "/"
