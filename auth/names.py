"""
Names of members, groups and resources: one namespace, compared as ``fold`` gives them.

A name is typed into phones, stands in a URL (``/dav/<name>/``) and is a folder on disk, so it is kept plain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from auth.errors import Problem
from auth.principal import ALL_USERS, WORLD, fold
from auth.rules import FolderRules

BUILT_IN = frozenset({ALL_USERS, WORLD})
LONGEST_NAME_BYTES = 128


def name_fault(name: str) -> tuple[str, str] | None:
    """
    Why ``name`` cannot be an account's: what was found and what would work; None where it can.

    ``:`` cannot be sent by HTTP Basic (RFC 7617 §2), ``~`` parts the names of shown collections, a dot in front is
    a hidden file.
    """
    folded = fold(name)
    if folded in BUILT_IN:
        return f"the name {name!r} is built in", "everyone belongs to it already; choose another name"
    if not folded or folded != folded.strip():
        return f"the name {name!r} is empty or has a blank at its end", "use letters, digits, '-', '_', '.' and '@'"
    if folded.startswith(".") or any(c in '/\\:~"<>|*?' or not c.isprintable() for c in folded):
        return (
            f'the name {name!r} begins with a dot or holds one of / \\ : ~ " < > | * ? or a control character',
            "use letters, digits, '-', '_', '.' and '@'",
        )
    try:
        size = len(folded.encode())
    except UnicodeEncodeError:
        return f"the name {name!r} is not valid Unicode", "use letters, digits, '-', '_', '.' and '@'"
    if size > LONGEST_NAME_BYTES:
        return f"the name {name[:20]!r}… has {size} bytes", f"a name can have {LONGEST_NAME_BYTES}"
    return None


def names_without_account(by_path: Mapping[str, FolderRules], exists: Callable[[str], object]) -> tuple[Problem, ...]:
    """
    The names in rules that nobody has: they give nothing, and often are a slip of the pen.

    Args:
        by_path: rules by folder, as ``parse_server_rules`` gives them.
        exists: something true for a name that an account has, such as ``Directory.account``.
    """
    return tuple(
        Problem(rule.source, rule.line, f"{name!r} in the rule for {path} is nobody's name", "correct it, or add it")
        for path, folder in by_path.items()
        for rule in folder.rules
        for name in rule.who
        if name not in BUILT_IN and not exists(name)
    )
