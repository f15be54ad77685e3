"""
May they? The one decision about rights, asked by every shelf and every guest.

The nearest folder upwards that has a rule for the object decides alone, and its rules add up; ``inherit`` adds the
levels above. There is no deny. ``admin`` and ownership hold everything and are never lost further down. The decision
is pure: the same principal, path and rules give the same answer.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from auth.actions import EVERY_ACTION
from auth.actions import Action as Action
from auth.asked import Asked
from auth.ballots import Ballots
from auth.errors import Hidden, NeedPrivileges
from auth.principal import Principal, fold
from auth.rules import Rule

# What `create` includes for things one made oneself. Finder and Explorer store a file as PUT of nothing, LOCK, PUT;
# it includes reading, because what one is shown without `read` one must be able to open.
_OWN = frozenset({Action.READ, Action.WRITE, Action.DELETE})
# What anybody can hold on the items of a kept folder, and on the folder itself: its properties, rules and removal.
_ON_KEPT_ITEMS = frozenset({Action.READ, Action.FREEBUSY})
_ON_KEPT_FOLDER = EVERY_ACTION - {Action.CREATE}


@dataclass(frozen=True, slots=True)
class Level:
    """
    What is known of one folder on the way up from an object.

    Attributes:
        rules: of the server's file for this path and of the folder's own file; they add up.
        inherit: the folders above add to these rules.
        owner: who holds everything from here down, or None.
        closed: the folder's own file is broken: nobody but owner and administrators gets anything.
        kept: the server itself writes what lies in the folder, and nobody else does.
        ballots: it is the folder of a poll, or that of its votes.
        sent: it lies among what many have sent; who may only create sees none of it but the own.
        asked: it is the folder of a form, or one of its answers.
    """

    path: str
    rules: tuple[Rule, ...] = ()
    inherit: bool = False
    owner: str | None = None
    closed: bool = False
    kept: bool = False
    ballots: Ballots | None = None
    sent: bool = False
    asked: Asked | None = None


@dataclass(frozen=True, slots=True)
class Former:
    """
    What was removed: where it was, and the rules there.

    Attributes:
        path: canonical, as it was.
        then: the levels at the removal, nearest first; those that went along with it first of all.
        now: the levels that would hold if it were put back today.
        there: the levels of what stands at its former place today, where another folder was made there.
        by: who removed it.
        creator: who had made it, where that was kept.
        box: what the poll says, where it was somebody's vote.
        went_along: it was removed with a folder that it lay in.
    """

    path: str
    then: Sequence[Level]
    now: Sequence[Level]
    by: str | None = None
    creator: str | None = None
    there: Sequence[Level] | None = None
    box: Ballots | None = None
    went_along: bool = False


class RuleBook(Protocol):
    """The rules in force, as the shelves keep them."""

    @property
    def revision(self) -> Hashable:
        """Changes with every rule, owner and creator."""

    def levels(self, path: str) -> Sequence[Level]:
        """Nearest first: the object itself where it is a folder, then every folder up to ``/``."""

    def creator(self, path: str) -> str | None:
        """Who made this file, folder or item, where that is kept."""

    def former(self, path: str) -> Former | None:
        """What a path among what was removed was; None for every path outside."""

    def is_folder(self, path: str) -> bool:
        """Whether a folder or collection stands there."""

    def marked_below(self, path: str) -> Iterable[str]:
        """Paths strictly below that have rules or an owner."""


def actions(principal: Principal, path: str, book: RuleBook) -> frozenset[Action]:
    """Everything that a principal may do with what stands (or would stand) at a canonical path."""
    former = book.former(path)
    if former is not None:
        return actions_on_former(principal, former)
    levels = book.levels(path)
    held = decide(principal, path, levels)
    if held == EVERY_ACTION or _is_of_box(path, levels) or not _made(principal, path, book):
        return held
    if _decides(path, levels):
        return _with_own(held, held)
    parent = _above(path)
    return _with_own(held, decide(principal, parent, book.levels(parent)))


def decide(principal: Principal, path: str, levels: Sequence[Level]) -> frozenset[Action]:
    """What the rules and owners of ``levels`` (nearest first) give; creators aside."""
    given = _given(principal, path, levels)
    ballots = levels[0].ballots if levels else None
    if ballots is not None:
        name = None if levels[0].path == path else path.rpartition("/")[2]
        given = ballots.held(principal, name, given)
    asked = levels[0].asked if levels else None
    if asked is not None and levels[0].path == path and not any(level.closed for level in levels):
        given = _with_freebusy(asked.held(principal, given))
    if not levels or not levels[0].kept:
        return given
    return given & (_ON_KEPT_FOLDER if levels[0].path == path else _ON_KEPT_ITEMS)


def actions_on_former(principal: Principal, former: Former) -> frozenset[Action]:
    """
    What a principal may do with what was removed: read what it could read then and could today.

    Both, so that neither a removal of a folder nor one of its rules opens anything. Where another folder was made at
    its place, what that one gives counts too, but for owners: nobody can keep them from what is theirs by taking its
    name. ``admin`` is for the rules that went along; ``delete`` has whoever removed it, or
    ``admin`` today. People without an account hold nothing: what was published is taken back by deleting it.

    A vote stays between its voter and the poll; whoever may purge the poll purges it unread.
    """
    if principal.name is None:
        return frozenset()
    is_own = former.creator is not None and fold(former.creator) == principal.name

    def held_by(levels: Sequence[Level]) -> frozenset[Action]:
        given = _given(principal, former.path, levels)
        return _with_own(given, given) if is_own else given

    then, now = held_by(former.then), held_by(former.now)
    is_owner = any(level.owner is not None and fold(level.owner) == principal.name for level in former.now)
    if former.there is not None and not is_owner:
        now &= held_by(former.there)
    held = then & now & {Action.READ, Action.ADMIN}
    purges = Action.READ in held and (Action.ADMIN in now or former.by == principal.name)
    if former.box is not None:
        if former.box.is_own(principal, former.path.rpartition("/")[2]):
            return frozenset({Action.READ, Action.DELETE})
        return frozenset({Action.DELETE}) if purges and former.went_along else frozenset()
    return held | {Action.DELETE} if purges else held


def _given(principal: Principal, path: str, levels: Sequence[Level]) -> frozenset[Action]:
    names = principal.names
    held: set[Action] = set()
    deciding = True
    for level in levels:
        if principal.name is not None and level.owner is not None and fold(level.owner) == principal.name:
            return EVERY_ACTION
        deciding = deciding and not level.closed
        rules = [rule for rule in level.rules if not rule.here or level.path == path]
        if not rules:
            continue
        given = {action for rule in rules if not names.isdisjoint(rule.who) for action in rule.may}
        if Action.ADMIN in given:
            return EVERY_ACTION
        if deciding:
            held |= given
        if not level.inherit:
            deciding = False
    return _with_freebusy(frozenset(held))


def sees(principal: Principal, path: str, book: RuleBook) -> bool:
    """
    Whether a principal may know that something stands at a path.

    A folder is seen by whoever holds any action in it or below it, so that the way to what is shared can be walked;
    a file or item by whoever may read it.
    """
    held = actions(principal, path, book)
    if Action.READ in held or not book.is_folder(path):
        return Action.READ in held
    if book.former(path) is None and any(level.sent for level in book.levels(path)[:1]):
        held -= {Action.CREATE}
    return bool(held) or any(actions(principal, below, book) for below in book.marked_below(path))


class Access:
    """
    The decisions for one principal during one request; each is made once.

    What a folder's rules give on its files and items is the same for all of them, so a listing of thousands costs one
    walk up the folders.
    """

    def __init__(self, principal: Principal, book: RuleBook) -> None:
        self.principal = principal
        self._book = _Remembered(book)
        self._actions: dict[str, frozenset[Action]] = {}
        self._given: dict[str, frozenset[Action]] = {}
        self._seen: dict[str, bool] = {}

    def actions(self, path: str) -> frozenset[Action]:
        """Everything the principal may do at a path."""
        held = self._actions.get(path)
        if held is None and (former := self._book.former(path)) is not None:
            held = self._actions[path] = actions_on_former(self.principal, former)
        if held is None:
            of_folder = self._book.is_folder(path)
            held = actions(self.principal, path, self._book) if of_folder else self._actions_of_member(path)
            self._actions[path] = held
        return held

    def _actions_of_member(self, path: str) -> frozenset[Action]:
        """As ``actions`` for what is no folder."""
        folder = _above(path)
        if self.is_box(folder):
            return decide(self.principal, path, self._book.levels(folder))
        held = self.actions_on_members(folder)
        if held == EVERY_ACTION or not _made(self.principal, path, self._book):
            return held
        return _with_own(held, self._given_by(folder, folder))

    def actions_on_members(self, folder: str) -> frozenset[Action]:
        """Everything the principal may do with each file or item in a folder; with what it made itself perhaps more."""
        return self._given_by(folder, folder + "/")

    def _given_by(self, folder: str, path: str) -> frozenset[Action]:
        """What the rules at and above a folder give on the folder itself, or on what is no folder in it."""
        given = self._given.get(path)
        if given is None:
            given = self._given[path] = decide(self.principal, path, self._book.levels(folder))
        return given

    def is_box(self, folder: str) -> bool:
        """Whether each file of a folder is that of one voter, with rights of its own."""
        return self._box(folder) is not None

    def is_own_ballot(self, folder: str, name: str) -> bool:
        """Whether a file of such a folder is the principal's own."""
        box = self._box(folder)
        return box is not None and box.is_own(self.principal, name)

    def own_ballot(self, folder: str) -> str:
        """The name of the principal's own file in such a folder, "" where it has none."""
        box, name = self._box(folder), self.principal.name
        return "" if box is None or name is None or not box.is_voter(self.principal) else box.file_of(name)

    def _box(self, folder: str) -> Ballots | None:
        levels = self._book.levels(folder)
        ballots = levels[0].ballots if levels and levels[0].path == folder else None
        return ballots if ballots is not None and ballots.is_box else None

    def is_kept(self, folder: str) -> bool:
        """Whether the server itself writes what lies in a folder, and nobody else does."""
        levels = self._book.levels(folder)
        return bool(levels) and levels[0].kept and levels[0].path == folder

    def may(self, action: Action, path: str) -> bool:
        """Whether the principal may do it; ``create`` and ``delete`` of members are asked of their folder or them."""
        return action in self.actions(path)

    def require(self, action: Action, path: str) -> None:
        """
        Nothing, or the error that the principal is to see.

        Raises:
            NeedPrivileges: it may know of the resource, but not do this.
            Hidden: for this principal nothing stands there.
        """
        if action in self.actions(path):
            return
        self.require_seen(path)
        raise NeedPrivileges(path, action)

    def require_on_found(self, action: Action, path: str) -> None:
        """
        As ``require``, on what the principal was shown: everybody's home is, as a principal, with nothing held there.

        Raises:
            NeedPrivileges: it may not do this.
        """
        if action not in self.actions(path):
            raise NeedPrivileges(path, action)

    def sees(self, path: str) -> bool:
        """Whether the principal may know of what stands at a path."""
        seen = self._seen.get(path)
        if seen is None:
            seen = self._seen[path] = sees(self.principal, path, self._book)
        return seen

    def forget(self, path: str) -> None:
        """Decide anew about a path: something was made there during the request."""
        for decided in (self._actions, self._given, self._seen):
            decided.pop(path, None)
        self._given.pop(path + "/", None)
        self._book.forget()

    def require_seen(self, path: str) -> None:
        """
        Nothing where the principal may know of what stands there.

        Raises:
            Hidden: it may not.
        """
        if not self.sees(path):
            raise Hidden(path)


class EveryAccess(Access):
    """The administrator's at the machine itself, whose files these are anyway: rights are not asked."""

    def actions(self, path: str) -> frozenset[Action]:
        """Everything."""
        return EVERY_ACTION

    def actions_on_members(self, folder: str) -> frozenset[Action]:
        """Everything."""
        return EVERY_ACTION

    def is_own_ballot(self, folder: str, name: str) -> bool:
        """All are: a vote that was removed can be brought back."""
        return True

    def sees(self, path: str) -> bool:
        """Always."""
        return True


class _Remembered:
    """A rule book as one request finds it: the levels above a path are looked up once."""

    def __init__(self, book: RuleBook) -> None:
        self._book = book
        self._levels: dict[str, Sequence[Level]] = {}

    @property
    def revision(self) -> Hashable:
        """As the book's."""
        return self._book.revision

    def levels(self, path: str) -> Sequence[Level]:
        """As the book's."""
        levels = self._levels.get(path)
        if levels is None:
            levels = self._levels[path] = self._book.levels(path)
        return levels

    def creator(self, path: str) -> str | None:
        """As the book's."""
        return self._book.creator(path)

    def is_folder(self, path: str) -> bool:
        """As the book's; the levels begin with the object itself where it is a folder."""
        levels = self._levels.get(path)
        return self._book.is_folder(path) if levels is None else levels[0].path == path

    def former(self, path: str) -> Former | None:
        """As the book's."""
        return self._book.former(path)

    def marked_below(self, path: str) -> Iterable[str]:
        """As the book's."""
        return self._book.marked_below(path)

    def forget(self) -> None:
        """Something was made during the request."""
        self._levels.clear()


def _made(principal: Principal, path: str, book: RuleBook) -> bool:
    creator = None if principal.name is None else book.creator(path)
    return creator is not None and fold(creator) == principal.name


def _is_of_box(path: str, levels: Sequence[Level]) -> bool:
    """Whether it is somebody's vote."""
    ballots = levels[0].ballots if levels and levels[0].path != path else None
    return ballots is not None and ballots.is_box


def _decides(path: str, levels: Sequence[Level]) -> bool:
    """Whether the object has rules of its own, or a broken file in their place."""
    return any(level.path == path and (level.rules or level.closed) for level in levels[:1])


def _with_own(held: frozenset[Action], in_parent: frozenset[Action]) -> frozenset[Action]:
    """
    What the creator of an object holds on it.

    Args:
        in_parent: what it holds on the folder. A rule of the folder itself (scope = "here") gives ``create`` there and
            says nothing of what was created; the creator's share of it still holds.
    """
    return _with_freebusy(held | _OWN) if Action.CREATE in held | in_parent else held


def _with_freebusy(held: frozenset[Action]) -> frozenset[Action]:
    """Who may read a calendar sees when it is busy (RFC 4791 §6.1.1)."""
    return held | {Action.FREEBUSY} if Action.READ in held else held


def _above(path: str) -> str:
    return path.rpartition("/")[0] or "/"
