"""``davserver rights``: who may do what at a path, and by which line of which file."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, cast

from auth.accounts import Kind
from auth.acl import Action, Level, actions
from auth.asked import Asked
from auth.ballots import Ballots
from auth.directory import Directory
from auth.links import PRINCIPAL, LinkBook
from auth.principal import ANONYMOUS, WORLD, Principal, fold
from auth.rules import Rule
from config.schema import Settings
from davserver.commands.console import OK, CommandFailed, Commands, add_command, add_config, say, settings_of, warn
from storage import paths
from storage import state as states
from storage.asking import asked_on_disk
from storage.errors import NameRefused
from storage.linknames import is_never_shown
from storage.pollrights import ballots_on_disk
from storage.rulebook import DiskRuleBook
from storage.state import State

if TYPE_CHECKING:
    from storage.store import Store

_TEXT = """\
The rules are read from the disk as they are now, whether the server runs or not.

examples:
  davserver rights /files/Sport
  davserver rights /files/Sport/2026/plan.ods bob
  davserver rights /dav/sport/calendar world          what holds for people without an account
"""


class UnopenedStore:
    """
    As much of a store as a rule book asks for, read from the data folder without opening it.

    A running server holds the folder alone; to read files and state lines beside it is harmless.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._data = str(settings.storage.data)

    def file(self, place: str, disk_name: str) -> str:
        """The absolute path of a file on disk."""
        return f"{self._data}/{place}/{disk_name}"

    def state(self, place: str) -> State:
        """What is kept of a folder beside the files."""
        return states.read(f"{self._data}/{place}")

    def folder_row(self, place: str) -> str | None:
        """Something where a folder stands."""
        directory = f"{self._data}/{place}"
        return place if os.path.isdir(directory) and not os.path.islink(directory) else None

    def asked_at(self, path: str) -> Asked | None:
        """What a form says about rights in a folder."""
        return asked_on_disk(self._data, path)

    def ballots_at(self, path: str) -> Ballots | None:
        """What a poll says about rights in a folder."""
        return ballots_on_disk(self._data, path, time.time())


def add_to(commands: Commands) -> None:
    parser = add_command(commands, "rights", _rights, "show who may do what at a path, and by which line", _TEXT)
    parser.add_argument("path", metavar="PATH", help="as in a URL: /files/Sport, /dav/sport/calendar")
    parser.add_argument("name", metavar="NAME", nargs="?", help="only this member, or 'world'; else everybody")
    add_config(parser)


def open_rulebook(settings: Settings, directory: Directory) -> DiskRuleBook:
    """The rules in force, beside a running server or without one."""
    return DiskRuleBook(cast("Store", UnopenedStore(settings)), directory)


def _rights(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    directory = Directory(settings)
    book = open_rulebook(settings, directory)
    principals = _asked(directory, arguments.name)
    if not any(book.is_folder(paths.parent_of(_path(arguments.path, each))) for each in principals):
        warn(f"there is no folder that could hold {arguments.path}; shown is what would hold there")
    for principal in principals:
        path = _path(arguments.path, principal)
        held = actions(principal, path, book)
        if not paths.is_within(path, paths.DAV):
            held -= {Action.FREEBUSY}
        reasons = list(explain(principal, path, book)) if held else ["no rule gives anything"]
        say(f"{principal.name or WORLD:16} {_words(held):38} {reasons[0]}")
        for reason in reasons[1:]:
            say(f"{'':55} {reason}")
    if arguments.name is None:
        _say_links(_path(arguments.path, ANONYMOUS), book)
    return OK


def _say_links(path: str, book: DiskRuleBook) -> None:
    """The public links that lead to a path, nearest folder first; their URLs are for who reads its ``links.txt``."""
    folder = path
    while folder != "/":
        for link in book.rules_of(folder).links:
            if actions(PRINCIPAL, path, LinkBook(book, folder, link)) and not _is_never_shown(path, folder):
                called = f"link {link.name}" if link.name else "a link"
                say(f"{called:16} {link.right:38} {folder}/access.toml:{link.line}")
        folder = paths.parent_of(folder)


def _is_never_shown(path: str, folder: str) -> bool:
    return path != folder and any(map(is_never_shown, path[len(folder) + 1 :].split("/")))


def _asked(directory: Directory, name: str | None) -> list[Principal]:
    if name is None:
        members = [each.name for each in directory.accounts() if each.kind == Kind.MEMBER]
        return [ANONYMOUS, *(found for each in members if (found := directory.principal(each)) is not None)]
    if fold(name) == WORLD:
        return [ANONYMOUS]
    if (principal := directory.principal(name)) is None:
        raise CommandFailed(f"there is no account {name!r}; `davserver user list` shows all")
    return [principal]


def _path(text: str, principal: Principal) -> str:
    """A path as typed in its canonical form; ``Collections/`` stands for the collection itself."""
    try:
        path = paths.canonical(text, principal.name)
    except NameRefused as refused:
        raise CommandFailed(str(refused)) from refused
    if paths.is_former(path):
        why = "it is for those who could read it then and could today where it was; ask for that path"
        raise CommandFailed(f"{text} is what was deleted or overwritten: {why}")
    if paths.is_within(path, paths.COLLECTIONS):
        path = paths.DAV + path[len(paths.COLLECTIONS) :]
    if path != "/" and not any(paths.is_within(path, tree) for tree in (paths.FILES, paths.DAV)):
        raise CommandFailed(f"{text} is neither under /files nor under /dav; try /files{path}")
    return path


def explain(principal: Principal, path: str, book: DiskRuleBook) -> Iterator[str]:
    """What gives the principal its rights, in the order in which it counts."""
    levels = book.levels(path)
    ballots = levels[0].ballots if levels else None
    if ballots is not None and ballots.is_box and not actions(principal, path, book):
        return  # of somebody's vote, whatever rules give around it
    if ballots is not None and ballots.is_voter(principal):
        poll = paths.parent_of(levels[0].path) if ballots.is_box else levels[0].path
        yield f"{poll}/poll.toml has it among the voters"
    asked = levels[0].asked if levels and levels[0].path == path else None
    if asked is not None and asked.is_asked(principal):
        yield f"{'/'.join(path.split('/')[:4])}/form.toml asks it to answer"
    yield from _owned(principal, levels)
    for rule in _giving(principal, path, levels):
        yield f"{rule.source}:{rule.line} gives {_words(rule.may)} to {_meant(rule, principal)}"
    creator = book.creator(path)
    if principal.name is not None and creator is not None and fold(creator) == principal.name:
        yield "made it"


def _owned(principal: Principal, levels: Sequence[Level]) -> Iterator[str]:
    for level in levels:
        if principal.name is not None and level.owner is not None and fold(level.owner) == principal.name:
            yield f"owner of {level.path}"


def _giving(principal: Principal, path: str, levels: Sequence[Level]) -> Iterator[Rule]:
    """The rules that give something: of the nearest level that decides, and every one that gives ``admin``."""
    deciding = True
    for level in levels:
        rules = [rule for rule in level.rules if not rule.here or level.path == path]
        deciding = deciding and not level.closed
        for rule in rules:
            if not principal.names.isdisjoint(rule.who) and (deciding or Action.ADMIN in rule.may):
                yield rule
        if rules and not level.inherit:
            deciding = False


def _words(given: Collection[Action]) -> str:
    return " ".join(action for action in Action if action in given) or "nothing"


def _meant(rule: Rule, principal: Principal) -> str:
    """By which of its names a rule means somebody."""
    return ", ".join(name for name in rule.who if name in principal.names)
