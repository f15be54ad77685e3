"""What ``davserver check`` finds in the ``[[link]]`` tables of folders, beside what their grammar refuses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from auth.errors import RulesRefused
from auth.rules import parse_folder_rules
from config.errors import Problem
from storage.linksgate import wrong_rights


def link_problems(file: Path, path: str, tokens: dict[str, str]) -> Iterator[Problem]:
    """
    Links that are not in force for what is beside them: their kind of folder, another folder with the same token.

    Args:
        path: canonical path of the folder or collection that the file speaks of.
        tokens: which file has which token so far; those of this one are added.
    """
    try:
        links = parse_folder_rules(file.read_text("utf-8"), str(file)).links
    except (RulesRefused, UnicodeDecodeError):
        return  # that is said already
    yield from wrong_rights(links, path, str(file))
    for link in links:
        if link.token is not None and (other := tokens.setdefault(link.token, str(file))) != str(file):
            yield Problem(str(file), link.line, f"the token that {other} has too", "leave one of them to the server")
