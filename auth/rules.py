"""
The grammar of ``access.toml``: who may do what, the server's file and the one of a folder.

A folder's own file speaks of its folder and what lies in it::

    inherit = true                     # above the first [[rule]]: adds what the folders above give; missing: false
    names = "portable"                 # refuse names that Windows cannot show; "any" where a folder above refuses them
    trash = false                      # what is deleted here is gone at once
    history = false                    # no earlier versions are kept of what is stored here

    [[rule]]
    who   = ["secretary", "board"]     # members, groups, resources, "all-users", "world"; [] closes the folder
    may   = ["read", "create", "write", "delete"]   # also "admin", and for calendars "freebusy"
    scope = "here"                     # only this folder, not what lies in it; missing: everything below too

    [[link]]                           # a public link; the server makes its URL
    name      = "press"                # tells links apart; may be missing when there is one only
    right     = "read"                 # "read", "drop" or "read-drop"; of a calendar or address book only "read"
    until     = 2027-01-01T00:00:00Z   # may be missing, like all that follow
    password  = "rosebud-12"           # as text, or a hash that `davserver hash` printed
    downloads = 100
    token     = "…"                    # one's own: at least 22 of A-Z a-z 0-9 - _
    public    = ["logo.png"]           # what a "drop" link shows beside index.html and thanks.html
    quota_bytes = 5000000000           # of all that is ever stored through it; missing: as davserver.toml says
    uploads_per_minute = 100           # through it, from everywhere; missing: as davserver.toml says

In the server's file every rule names its folder, and there are no links; ``inherit = true`` on one rule of a folder
holds for the folder. What is said of a folder beside its rules stands in a ``[[folder]]``::

    [[rule]]
    path = "/files/Administration"     # or "/dav/<owner>/<calendar>"
    who  = ["secretary", "treasurer"]
    may  = ["read", "create", "write", "delete"]

    [[folder]]
    path = "/files/Sport"
    quota_bytes = 5000000000           # of all that lies in it; also names, trash and history

A file with a fault is refused as a whole, with all its problems.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from auth.actions import Action
from auth.errors import Problem, RulesRefused
from auth.paths import path_fault, tidy_path
from auth.principal import fold
from auth.tables import Table, TomlFile, listed

_RULE_KEYS = ("who", "may", "scope")
_DROP_KEYS = ("public", "quota_bytes", "uploads_per_minute")
_LINK_KEYS = ("name", "right", "until", "password", "downloads", "token", *_DROP_KEYS)
_SETTING_KEYS = ("names", "trash", "history")
NAMES = ("any", "portable")
RIGHTS = ("read", "drop", "read-drop")
LONGEST_RULES = 64 * 1024  # characters of a folder's file: members write it
_MOST_PROBLEMS = 100  # said of one file
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22,200}")
_STRAYS = {
    "inherit": "put it above the first [[rule]] of the file",
    "path": "a folder's own file speaks of its own folder; leave the path out, or ask an administrator",
    "rules": "rules are written [[rule]]",
    "links": "links are written [[link]]",
    "link": "links stand in the access.toml of their folder",
    "folders": "folders are written [[folder]]",
    **{key: f"put {key} above the first [[rule]] of the file" for key in _SETTING_KEYS},
    "quota_bytes": "the room of a folder is the administrator's to give, in a [[folder]] of the server's file",
}

_SERVER_STRAYS = {
    "inherit": "put it into a [[rule]] of the folder that inherits",
    **{key: f"put {key} into a [[folder]] with its path" for key in (*_SETTING_KEYS, "quota_bytes")},
}


@dataclass(frozen=True, slots=True)
class Rule:
    """
    Who may do what in a folder.

    Attributes:
        who: names as ``fold`` gives them; empty closes the folder.
        here: only the folder itself, not what lies in it.
        source, line: where it stands, for whoever asks why.
    """

    who: tuple[str, ...]
    may: frozenset[Action]
    here: bool
    source: str
    line: int


@dataclass(frozen=True, slots=True)
class Link:
    """
    A public link.

    Attributes:
        right: one of ``RIGHTS``.
        until: aware, or None for ever.
        password: as text or a hash.
        downloads: how many there can be, or None.
        token: the association's own, or None where the server makes it.
        public: paths within the folder that whoever may only add to it reads all the same.
        quota_bytes: of all that is ever stored through it, or None for what is usual.
        uploads_per_minute: through it, from everywhere, or None for what is usual.
    """

    name: str | None
    right: str
    until: datetime | None
    password: str | None
    downloads: int | None
    token: str | None
    line: int
    public: tuple[str, ...] = ()
    quota_bytes: int | None = None
    uploads_per_minute: int | None = None

    @property
    def adds(self) -> bool:
        """Whether something can be put into the folder through it."""
        return self.right != "read"


@dataclass(frozen=True, slots=True)
class FolderSettings:
    """
    What is said of a folder beside its rules; None where nothing is said.

    Attributes:
        portable: names that Windows cannot show are refused.
        trash: what is deleted is kept for a while.
        history: what is overwritten is kept for a while.
        quota_bytes: of all that lies in the folder; only the server's file says it.
    """

    portable: bool | None = None
    trash: bool | None = None
    history: bool | None = None
    quota_bytes: int | None = None


NO_SETTINGS = FolderSettings()


@dataclass(frozen=True, slots=True)
class FolderRules:
    """What is written about one folder; ``inherit`` adds what the folders above it give."""

    rules: tuple[Rule, ...] = ()
    inherit: bool = False
    links: tuple[Link, ...] = ()
    settings: FolderSettings = NO_SETTINGS


def parse_server_rules(text: str, file: str) -> dict[str, FolderRules]:
    """
    Read the server's ``access.toml``: the rules of every folder it names, by canonical path.

    Raises:
        RulesRefused: with all that is wrong in the file.
    """
    document = TomlFile(text, file)
    document.root.only(("rule", "folder"), _STRAYS | _SERVER_STRAYS)
    rules: dict[str, list[Rule]] = {}
    inheriting: set[str] = set()
    for table in document.root.each("rule"):
        table.only((*_RULE_KEYS, "path", "inherit"))
        path = _path(table, "a rule")
        rules.setdefault(path, []).append(_rule(table, file))
        if table.flag("inherit"):
            inheriting.add(path)
    settings = dict(_folders(document))
    _refuse_if_broken(document)
    return {
        path: FolderRules(tuple(rules.get(path, ())), path in inheriting, settings=settings.get(path, NO_SETTINGS))
        for path in (*rules, *(path for path in settings if path not in rules))
    }


def parse_folder_rules(text: str, file: str) -> FolderRules:
    """
    Read the ``access.toml`` of a folder.

    Raises:
        RulesRefused: with all that is wrong in the file.
    """
    document = TomlFile(text, file, longest=LONGEST_RULES)
    known = ("inherit", *_SETTING_KEYS, "rule", "link")
    document.root.only(known, {key: hint for key, hint in _STRAYS.items() if key not in known})
    inherit = bool(document.root.flag("inherit"))
    settings = _settings(document.root)
    rules: list[Rule] = []
    for table in document.root.each("rule"):
        table.only(_RULE_KEYS, _STRAYS)
        rules.append(_rule(table, file))
    links = tuple(_links(document))
    _refuse_if_broken(document)
    return FolderRules(tuple(rules), inherit, links, settings)


def _folders(document: TomlFile) -> Iterator[tuple[str, FolderSettings]]:
    """What the server's file says of folders beside their rules, by path."""
    lines: dict[str, int] = {}
    for table in document.root.each("folder"):
        table.only(("path", "quota_bytes", *_SETTING_KEYS))
        path = _path(table, "a folder")
        if (first := lines.setdefault(path, table.line)) != table.line:
            table.report("path", f"a second [[folder]] for {path!r}", f"put it into the one in line {first}")
        yield path, replace(_settings(table), quota_bytes=table.number("quota_bytes", least=0))


def _settings(table: Table) -> FolderSettings:
    names = table.text("names")
    if names not in (None, *NAMES):
        table.report("names", f"names are {names!r}", f"they can be {listed(NAMES)}")
    portable = None if names is None else names == "portable"
    return FolderSettings(portable, table.flag("trash"), table.flag("history"))


def _refuse_if_broken(document: TomlFile) -> None:
    problems = sorted(document.problems, key=lambda problem: problem.line)
    if len(problems) > _MOST_PROBLEMS:
        more = len(problems) - _MOST_PROBLEMS
        last = problems[_MOST_PROBLEMS]
        problems[_MOST_PROBLEMS:] = [Problem(document.file, last.line, f"{more} more problems", "mend these first")]
    if problems:
        raise RulesRefused(tuple(problems))


def _path(table: Table, what: str) -> str:
    path = table.text("path")
    if path is None:
        if "path" not in table:
            table.report(None, f"{what} without path", 'name the folder: path = "/files/Sport"')
        return ""
    if fault := path_fault(path):
        table.report("path", *fault)
    return tidy_path(path)


def _rule(table: Table, file: str) -> Rule:
    who = table.texts("who")
    if who is None and "who" not in table:
        table.report(None, "a rule without who", 'name who it is for: who = ["board"]; who = [] closes the folder')
    for name in who or ():
        if not name.strip():
            table.report("who", "an empty name", "name a member, group or resource; who = [] closes the folder")
    may = _actions(table)
    if who and may == frozenset():
        table.report(
            "may" if "may" in table else None,
            "a rule that gives nothing",
            f"may can be {listed(tuple(Action))}; who = [] closes the folder",
        )
    scope = table.text("scope")
    if scope not in (None, "here"):
        table.report("scope", f"scope is {scope!r}", '"here" or no scope at all, for everything below too')
    return Rule(tuple(map(fold, who or ())), may or frozenset(), scope == "here", file, table.line)


def _actions(table: Table) -> frozenset[Action] | None:
    """The actions of a rule; None where what stands there has been reported already."""
    words = table.texts("may")
    if words is None:
        return None if "may" in table else frozenset()
    strays = [word for word in words if word not in set(Action)]
    for word in strays:
        table.report("may", f"{word!r} is no action", f"it can be {listed(tuple(Action))}")
    return None if strays else frozenset(map(Action, words))


def _links(document: TomlFile) -> Iterator[Link]:
    names: dict[str | None, int] = {}
    tokens: dict[str, int] = {}
    for table in document.root.each("link"):
        table.only(_LINK_KEYS)
        link = _link(table)
        if (first := names.setdefault(link.name, table.line)) != table.line:
            found = "a second link without name" if link.name is None else f"the name {link.name!r} again"
            table.report(None, found, f'the other is in line {first}; tell them apart: name = "press"')
        if link.token and (first := tokens.setdefault(link.token, table.line)) != table.line:
            table.report("token", "the token of another link", f"that is in line {first}; leave one to the server")
        yield link


def _link(table: Table) -> Link:
    right = table.text("right")
    if right not in RIGHTS and (right is not None or "right" not in table):
        found = "a link without right" if right is None else f"the right {right!r}"
        table.report(None if right is None else "right", found, f"it can be {listed(RIGHTS)}")
    token = table.text("token")
    if token is not None and not _TOKEN.fullmatch(token):
        table.report(
            "token",
            f"a token of {len(token)} characters" if len(token) < 22 else "a token with other characters, or too long",
            "it can be 22 to 200 of A-Z a-z 0-9 - _; leave it out and the server makes one",
        )
    strays = [key for key in _DROP_KEYS if key in table and right == "read"]
    for key in strays:
        table.report(key, f"{key} on a link for reading", 'it is for links with the right "drop" or "read-drop"')
    return Link(
        name=table.text("name"),
        right=right or "read",
        until=table.instant("until"),
        password=table.text("password"),
        downloads=table.number("downloads", least=1),
        token=token,
        line=table.line,
        public=tuple(map(_normal, table.texts("public") or ())),
        quota_bytes=table.number("quota_bytes", least=0),
        uploads_per_minute=table.number("uploads_per_minute", least=1),
    )


def _normal(path: str) -> str:
    """A path within a folder as it is compared."""
    return unicodedata.normalize("NFC", path.strip("/"))
