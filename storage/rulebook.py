"""
The rules in force, read from the server's ``access.toml`` and the folders' own, with owners and creators from state.

A file that changed is in force with the next question. A file that is broken on disk is said in the log: the old one
stays in force, or, where there is none since the start, the folder is closed to all but owner and administrators.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from auth.acl import Former, Level
from auth.errors import RulesRefused
from auth.principal import Principal, fold
from auth.rules import (
    NO_SETTINGS,
    FolderRules,
    FolderSettings,
    Link,
    parse_folder_rules,
    parse_server_rules,
)
from storage import paths
from storage.collection import KEPT_KEY
from storage.disk import NO_STAMP, Stamp, read_bytes, stamp_of
from storage.formerrules import entries_below, find_entry, former
from storage.objectnames import FORMS, POLLS, is_among_answers
from storage.reconcile import is_item_place

if TYPE_CHECKING:
    from auth.principal import Principal
    from auth.snapshot import Account
    from storage.records import Folder
    from storage.store import Store

NO_RULES = FolderRules()
KEPT_WALKS = 2000
HOMES = (paths.MEMBERS, paths.DAV)
VIRTUAL_FOLDERS = frozenset({"/", paths.FILES, paths.MEMBERS, paths.COLLECTIONS, paths.DAV})

log = logging.getLogger("davserver.rules")


class Members(Protocol):
    """
    What the rule book asks about accounts.

    Attributes:
        revision: changes when other accounts are in force.
    """

    revision: int

    def is_member(self, name: str) -> bool:
        """Whether ``name`` (as ``fold`` gives it) is a member's account; groups and resources own nothing."""

    def account(self, name: str) -> Account | None:
        """The member, group or resource of a name."""

    def principal(self, name: str) -> Principal | None:
        """Whoever has a name, with its groups."""

    def accounts(self) -> Iterable[Account]:
        """All of them, by name."""

    def reload_if_changed(self) -> bool:
        """Read the files again if one of them changed."""


class _Read:
    """One rules file as it was read."""

    __slots__ = ("closed", "rules", "stamp")

    def __init__(self, stamp: Stamp, rules: FolderRules, *, closed: bool = False) -> None:
        self.stamp = stamp
        self.rules = rules
        self.closed = closed


class _Walk:
    """The levels above a folder as they were found, and what tells whether they still are."""

    __slots__ = ("accounts", "levels", "revision", "stamps")

    def __init__(self, revision: int, accounts: int, stamps: list[tuple[str, Stamp]], levels: list[Level]) -> None:
        self.revision = revision
        self.accounts = accounts
        self.stamps = stamps
        self.levels = levels

    def holds(self, revision: int, accounts: int) -> bool:
        """Whether it would be found again; each of the files is asked."""
        if self.revision != revision or self.accounts != accounts:
            return False
        return all(stamp_of(file) == stamp for file, stamp in self.stamps)


class DiskRuleBook:
    """A ``auth.acl.RuleBook`` over a store. Thread-safe: entries are replaced, never changed."""

    def __init__(self, store: Store, members: Members | None) -> None:
        """Raises RulesRefused when the server's file is broken: no start without it."""
        self._store = store
        self._members = members
        self._revision = 0
        self._folders: dict[str, _Read] = {}
        self._walks: dict[str, _Walk] = {}
        self._server_file = str(store.settings.accounts.access_file)
        self._server_stamp = NO_STAMP
        self._server: dict[str, FolderRules] = {}
        self._read_server_file()

    @property
    def revision(self) -> int:
        """Grows with every rule and owner that changed."""
        return self._revision

    def refresh(self) -> None:
        """What was decided before may be decided otherwise now."""
        self._revision += 1

    @property
    def server_paths(self) -> frozenset[str]:
        """The folders that the server's file names: they are not moved, renamed or deleted through DAV."""
        self.reload()
        return frozenset(self._server)

    def has_rules(self, folder: Folder) -> bool:
        """Whether a folder has rules of its own, in it or in the server's file, which may hide it from others."""
        return bool(folder.ruled) or folder.path in self.server_paths

    def reload(self) -> None:
        """Read the server's file again where it changed; a broken one is logged and the old one stays."""
        if stamp_of(self._server_file) == self._server_stamp:
            return
        try:
            self._read_server_file()
        except (RulesRefused, OSError, UnicodeDecodeError) as error:
            self._server_stamp = stamp_of(self._server_file)
            log.error("the old rules stay in force: %s", error)

    def _read_server_file(self) -> None:
        stamp = stamp_of(self._server_file)
        if stamp != NO_STAMP:
            with open(self._server_file, encoding="utf-8") as file:
                self._server = parse_server_rules(file.read(), self._server_file)
        elif self._server:
            log.error("%s is gone; its rules stay in force until the next start", self._server_file)
        self._server_stamp = stamp
        self._revision += 1

    def levels(self, path: str) -> Sequence[Level]:
        """Nearest first: the object where it is a folder, then every folder up to ``/``."""
        levels = self._found(path)
        if path.startswith(FORMS + "/"):
            asked = self._store.asked_at(levels[0].path)
            return levels if asked is None else [replace(levels[0], asked=asked), *levels[1:]]
        if not path.startswith(POLLS + "/"):
            return levels
        ballots = self._store.ballots_at(levels[0].path)  # which depend on the time, and are not remembered
        return levels if ballots is None else [replace(levels[0], ballots=ballots), *levels[1:]]

    def _found(self, path: str) -> Sequence[Level]:
        self.reload()
        if not self.is_folder(path):
            return self._levels(path, of_folder=False)
        accounts = 0 if self._members is None else self._members.revision
        walk = self._walks.get(path)
        if walk is not None and walk.holds(self._revision, accounts):
            return walk.levels
        return self._walk(path, accounts)

    def _walk(self, path: str, accounts: int) -> list[Level]:
        revision = self._revision
        stamps = [(file, stamp_of(file)) for file in self._files_above(path)]  # before they are read
        levels = self._levels(path, of_folder=True)
        if len(self._walks) >= KEPT_WALKS:
            self._walks.clear()
        self._walks[path] = _Walk(revision, accounts, stamps, levels)
        return levels

    def _files_above(self, path: str) -> Iterator[str]:
        """The files that rules and owners stand in, of the folder at a path and of those above."""
        while path != "/":
            place, above = paths.place_of(path), paths.parent_of(path)
            if place is not None:
                yield self._rules_file(place)
                if above not in HOMES:
                    yield self._store.file(place, paths.STATE_FILE)
            path = above

    def without(self, path: str) -> _Without:
        """The book as if the folder at ``path`` had no file of its own."""
        return _Without(self, path)

    def _levels(self, path: str, *, of_folder: bool, without: str = "") -> list[Level]:
        levels = []
        current = path
        while True:
            if current != path or of_folder:
                levels.append(self._level(current, own=current != without))
            if current == "/":
                return levels
            current = paths.parent_of(current)

    def _level(self, path: str, *, own: bool) -> Level:
        server = self._server.get(path, NO_RULES)
        place = paths.place_of(path)
        read = self._folder_rules(path, place) if own and place is not None else None
        kept = place is not None and is_item_place(place) and self._store.state(place).get("", KEPT_KEY) is not None
        if read is None:
            owner = self._owner(path, place)
            return Level(path, server.rules, server.inherit, owner, kept=kept, sent=is_among_answers(path))
        return Level(
            path,
            server.rules + read.rules.rules,
            server.inherit or read.rules.inherit,
            self._owner(path, place),
            read.closed,
            kept,
            sent=is_among_answers(path),
        )

    def rules_of(self, path: str) -> FolderRules:
        """A folder's own rules and links."""
        place = paths.place_of(path)
        read = None if place is None else self._folder_rules(path, place)
        return NO_RULES if read is None else read.rules

    def settings_of(self, path: str) -> FolderSettings:
        """What holds for a path beside the rules: of each setting the word of the nearest folder upwards."""
        self.reload()
        found = NO_SETTINGS
        while True:
            for said in (self.rules_of(path).settings, self._server.get(path, NO_RULES).settings):
                found = found if said == NO_SETTINGS else _completed(found, said)
            if path == "/":
                return found
            path = paths.parent_of(path)

    def quotas(self) -> dict[str, int]:
        """The room that the server's file gives folders, in bytes, by canonical path."""
        self.reload()
        given = ((path, rules.settings.quota_bytes) for path, rules in self._server.items())
        return {path: quota for path, quota in given if quota is not None}

    def links_of(self, path: str) -> tuple[Link, ...] | None:
        """The public links in a folder's own file; None where it is broken and none was in force before."""
        place = paths.place_of(path)
        read = None if place is None else self._folder_rules(path, place)
        if read is None:
            return ()
        return None if read.closed else read.rules.links

    def _folder_rules(self, path: str, place: str) -> _Read | None:
        file = self._rules_file(place)
        stamp = stamp_of(file)
        known = self._folders.get(place)
        if stamp == NO_STAMP:
            if known is not None:
                self._folders.pop(place, None)
                self._revision += 1
            return None
        if known is not None and known.stamp == stamp:
            return known
        fresh = self._parse(path, file, stamp, known)
        self._folders[place] = fresh
        self._revision += 1
        return fresh

    def _rules_file(self, place: str) -> str:
        return self._store.file(place, paths.HIDDEN_ACCESS_FILE if is_item_place(place) else paths.ACCESS_FILE)

    @staticmethod
    def _parse(path: str, file: str, stamp: Stamp, known: _Read | None) -> _Read:
        try:
            return _Read(stamp, parse_folder_rules(read_bytes(file).decode(), f"{path}/{paths.ACCESS_FILE}"))
        except (RulesRefused, OSError, UnicodeDecodeError) as error:
            if known is not None and not known.closed:
                log.error("the old rules of %s stay in force: %s", path, error)
                return _Read(stamp, known.rules)
            log.error("%s is closed to all but owner and administrators: %s", path, error)
            return _Read(stamp, NO_RULES, closed=True)

    def _is_home(self, path: str) -> bool:
        """Whether a path is a member's home, or below ``/dav/`` also that of a group or resource."""
        above, name = paths.parent_of(path), fold(paths.name_of(path))
        if above not in HOMES or self._members is None:
            return above in HOMES
        return self._members.is_member(name) if above == paths.MEMBERS else self._members.account(name) is not None

    def _owner(self, path: str, place: str | None) -> str | None:
        """Who holds everything from here down: a member in the own home, else whoever made the folder."""
        if place is None:
            return None
        if paths.parent_of(path) in HOMES:
            name = fold(paths.name_of(path))
            return name if self._members is None or self._members.is_member(name) else None
        owner = self._store.state(place).get("", "owner")
        return owner if isinstance(owner, str) else None

    def creator(self, path: str) -> str | None:
        """Who made this file, folder or item, where that is kept."""
        place = paths.place_of(path)
        if place is None:
            return None
        above, _, name = place.rpartition("/")
        of_folder, of_file = self._store.state(place).get("", "creator"), self._store.state(above).get(name, "creator")
        if of_folder is None and of_file is None:
            return None  # as nearly always
        creator = of_file if self._store.folder_row(place) is None else of_folder
        return creator if isinstance(creator, str) else None

    def former(self, path: str) -> Former | None:
        """What a path in the trash or history was; None for every path outside."""
        return former(self, self._store, path) if paths.is_former(path) else None

    def levels_above(self, path: str) -> list[Level]:
        """The levels above a path, with what the server's file says of the path itself."""
        server = self._server.get(path, NO_RULES)
        return [Level(path, server.rules, server.inherit), *self.levels(paths.parent_of(path))]

    def level_of_removed(self, path: str) -> Level | None:
        """The level of a folder in the trash; None for what is no folder."""
        return self._level(path, own=True) if self.is_folder(path) else None

    def is_folder(self, path: str) -> bool:
        """Whether a folder or collection stands there, or what is one without: a home before its first use."""
        if path in VIRTUAL_FOLDERS or self._is_home(path):
            return True
        place = paths.place_of(path)
        return place is not None and self._store.folder_row(place) is not None

    def marked_below(self, path: str) -> Iterable[str]:
        """Paths strictly below with rules or an owner; polls too, and of ``/files/Members`` and ``/dav`` every home."""
        if paths.is_former(path):
            return self._marked_in_former(path)
        found = {named for named in self._server if named != path and paths.is_within(named, path)}
        for prefix, root in paths.TREES:
            if paths.is_within(prefix, path):
                found.add(prefix)
                place = root
            elif paths.is_within(path, prefix):
                place = paths.place_of(path) or ""
            else:
                continue
            found.update(paths.path_of(marked) for marked in self._store.index.marked_below(place))
            if prefix in HOMES and place == root:
                found.update(folder.path for folder in self._store.index.folders(root))
        if paths.is_within(POLLS, path):  # who votes in one finds the way there
            found.update(folder.path for folder in self._store.index.folders(paths.place_of(POLLS) or ""))
        found.discard(path)
        return found

    def _marked_in_former(self, path: str) -> Iterable[str]:
        if find_entry(self._store, path) is None:
            return entries_below(self._store, path)
        return [paths.path_of(marked) for marked in self._store.index.marked_below(paths.place_of(path) or "")]


def _completed(nearer: FolderSettings, farther: FolderSettings) -> FolderSettings:
    """Settings with what is said only farther up."""
    return FolderSettings(
        farther.portable if nearer.portable is None else nearer.portable,
        farther.trash if nearer.trash is None else nearer.trash,
        farther.history if nearer.history is None else nearer.history,
    )


class _Without:
    """A rule book less one folder's own file: what its author holds without it (``auth.grants``)."""

    def __init__(self, book: DiskRuleBook, path: str) -> None:
        self._book = book
        self._path = path

    @property
    def revision(self) -> int:
        """As the book's."""
        return self._book.revision

    def levels(self, path: str) -> Sequence[Level]:
        """As the book's, the one file left out."""
        return self._book._levels(path, of_folder=self._book.is_folder(path), without=self._path)

    def creator(self, path: str) -> str | None:
        """As the book's."""
        return self._book.creator(path)

    def is_folder(self, path: str) -> bool:
        """As the book's."""
        return self._book.is_folder(path)

    def former(self, path: str) -> Former | None:
        """As the book's."""
        return self._book.former(path)

    def marked_below(self, path: str) -> Iterable[str]:
        """As the book's."""
        return self._book.marked_below(path)
