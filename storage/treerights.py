"""
What a write at ``/files/`` needs, and the folders that stay where they are.

A tree is moved or deleted whole or not at all, so the right is asked on every member before anything happens, also on
members that the principal may not know of.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from auth.acl import Action
from auth.errors import NeedPrivileges
from auth.principal import fold
from storage.errors import NamedByServer, NameRefused, ParentMissing, PlaceRefused, ReadOnly
from storage.fileterms import Terms, spot_of
from storage.filetree import Node, is_rules_file, is_shared_rules, rules_holder
from storage.made import is_made
from storage.objectnames import POLLS, is_among_answers, is_settings
from storage.paths import (
    ACCESS_FILE,
    DEEPEST,
    FILES,
    LINKS_FILE,
    MEMBERS,
    OBJECT_TOPS,
    RESERVED_TOPS,
    is_former,
    is_within,
    join,
    name_of,
    names_rules,
    nfc,
    parent_of,
    require_name,
)
from storage.pollrights import require_own_vote
from storage.sharedrules import collection_of

if TYPE_CHECKING:
    from storage.session import Session

MOST_TOLD = 100  # members of a tree that are named where they are in the way
RESERVED = frozenset(map(fold, RESERVED_TOPS))
TAKE_AWAY = (Action.READ, Action.DELETE)
REMOVE = (Action.DELETE,)
RESTORE = (Action.READ,)  # back to where it was; and ``create`` there
TAKE_OUT = (Action.READ, Action.DELETE)  # to anywhere else, where others do not look for it


def require(session: Session, action: Action, path: str) -> None:
    """
    Raise NeedPrivileges or Hidden unless the principal may do this.

    A rules file is a matter of ``admin``, and so is changing what says what a board or notebook is.
    """
    if is_rules_file(path):
        session.access.require(Action.ADMIN, rules_holder(path))
    elif is_settings(path) and action is not Action.READ:
        session.access.require(Action.ADMIN, parent_of(path))
    elif action is not Action.READ and session.store.reads_page(session, path):  # who reads it knows of it
        session.access.require_on_found(action, path)
    else:
        session.access.require(action, path)


def may(session: Session, action: Action, path: str) -> bool:
    """Whether the principal may do this; a rules file is a matter of ``admin``."""
    if is_rules_file(path):
        return session.access.may(Action.ADMIN, rules_holder(path))
    return session.access.may(action, path)


def require_create(session: Session, path: str, action: Action = Action.CREATE) -> None:
    """Raise unless the principal may put something new at a path, by ``action`` there, and the name can be stored."""
    name = path.rpartition("/")[2]
    require_in_use(path)
    require_name(name)
    require_depth(path)
    if names_rules(name) and not is_rules_file(path):
        raise NameRefused(name, f"is another spelling of {ACCESS_FILE} or {LINKS_FILE}; write it like that")
    if parent_of(path) == FILES and fold(name) in RESERVED:
        raise NameRefused(name, "is reserved at the top of /files/")
    if is_shared_rules(path) or parent_of(path) == MEMBERS:
        raise PlaceRefused(path, "nothing can be made here")
    require_own_vote(session, path)
    if is_rules_file(path) or is_settings(path):
        session.access.require(Action.ADMIN, parent_of(path))
    else:
        session.access.require(action, parent_of(path))
        _require_answers(session, path)
    if is_made(session.store, path):
        raise ReadOnly(path)


def _require_answers(session: Session, path: str) -> None:
    """
    Raise unless the principal may write all answers, where a path lies among them.

    Who gave one takes it back, and gives another while the form is open.
    """
    if not is_among_answers(path):
        return
    answers = "/".join(path.split("/")[:5])
    if parent_of(path) == answers and not session.access.may(Action.WRITE, answers):
        raise NamedByServer(answers)
    session.access.require(Action.WRITE, answers)


def require_depth(path: str, below: int = 0) -> None:
    """Raise PlaceRefused for a path that is too deep, or with ``below`` one that has so many levels below it."""
    if path.count("/") + below > DEEPEST:
        raise PlaceRefused(path, f"folders can lie within each other {DEEPEST} deep")


def levels_below(session: Session, node: Node) -> int:
    """How many levels a tree has below its top."""
    if not node.is_folder:
        return 0
    deepest = max(folder.place.count("/") for folder in session.store.tree(node.folder))
    return deepest - node.folder.place.count("/") + 1  # a file may lie in the deepest


def require_in_use(path: str) -> None:
    """Raise PlaceRefused for what is in the trash or the history."""
    if is_former(path):
        raise PlaceRefused(path, "what was deleted or overwritten can be read, moved out and deleted, and nothing else")


def require_tree(session: Session, node: Node, actions: tuple[Action, ...], *, sealed: bool = False) -> None:
    """
    Raise unless the principal may do all of this on a resource and on every member of it.

    Args:
        sealed: votes may stay unread: the poll goes where they are kept from everybody as well.
    """
    for action in actions:
        require(session, action, node.path)
    paths = every_path(session, node)
    lacking = [
        (path, action)
        for path in paths
        for action in actions
        if not may(session, action, path) and not (sealed and _is_sealed(session, action, path))
    ]
    if lacking:
        known = [each for each in lacking if session.files.tree.find(each[0]) is not None][:MOST_TOLD]
        members = dict.fromkeys(path for path, _ in known)
        raise NeedPrivileges(node.path, (known or lacking)[0][1], tuple(members))


def _is_sealed(session: Session, action: Action, path: str) -> bool:
    """Whether a file is a vote that is only not to be read."""
    return action is Action.READ and session.store.is_sealed(path)


def require_free_of_rules(session: Session, node: Node, target: str) -> None:
    """
    Raise unless a tree holds no rules, or the principal has ``admin`` where it goes too.

    That it has ``admin`` where the rules are, ``require_tree`` has asked. Who will own the folder at its new place, in
    the own home or as a board of one's own, has ``admin`` there.
    """
    if not any(is_rules_file(path) for path in every_path(session, node)):
        return
    if not node.is_folder or owner_of_new_folder(session, target) is None:
        session.access.require(Action.ADMIN, parent_of(target))


def is_top(path: str) -> bool:
    """Whether a folder is a home, or one of those at the top that the server makes."""
    return parent_of(path) == MEMBERS or (parent_of(path) == FILES and name_of(path) in OBJECT_TOPS)


def require_movable(session: Session, node: Node) -> None:
    """Raise PlaceRefused for what stays where it is: tops, homes, listings and folders that the server's file names."""
    if node.listing or node.path == FILES or is_shared_rules(node.path):
        raise PlaceRefused(node.path, "this folder is the server's and stays where it is")
    if node.is_folder and is_top(node.path):
        raise PlaceRefused(node.path, "this folder is the server's and stays where it is")
    if any(is_within(path, node.path) for path in session.store.rulebook.server_paths):
        why = "the administrator's rules name it or a folder in it; only they move, rename or remove it"
        raise PlaceRefused(node.path, why)


def require_restorable(session: Session, node: Node, target: str) -> None:
    """Raise unless the principal may take a tree out of trash or history: who may not purge it only puts it back."""
    former = session.store.rulebook.former(node.path)
    is_back = former is not None and parent_of(former.path) == parent_of(target)
    is_poll = node.is_folder and parent_of(target) == POLLS
    require_tree(session, node, RESTORE if is_back else TAKE_OUT, sealed=is_poll)


def require_unlocked(session: Session, path: str, terms: Terms, *, tree: bool, member: bool = True) -> None:
    """A lock on the folder guards its list of members, one on the resource the resource (RFC 4918 §7.4)."""
    name = session.principal.name or ""
    session.store.locks.require(path, terms.tokens, name, tree=tree)
    if member:
        session.store.locks.require(parent_of(path), terms.tokens, name)


def require_write(session: Session, node: Node) -> None:
    """Raise unless the principal may change what stands there."""
    require_in_use(node.path)
    if node.listing or node.path == FILES:
        raise PlaceRefused(node.path, "this folder is put together by the server")
    path = node.path
    if is_shared_rules(path):
        session.access.require(Action.ADMIN, collection_of(path))
    else:
        require(session, Action.WRITE, path)
        _require_answers(session, path)
    if node.is_derived:
        raise ReadOnly(path)


def require_nothing_hidden(session: Session, path: str) -> None:
    """
    A name that is taken by what the principal may not know of is not theirs to replace.

    Nothing was found there: who may read what stands there would have found it.
    """
    place, name = spot_of(path)
    folder = session.store.find_folder(place)
    if folder is None:
        raise ParentMissing(path)
    if not may(session, Action.READ, path) and session.store.find_in(folder, name) is not None:
        raise NeedPrivileges(path, Action.WRITE)


def every_path(session: Session, node: Node) -> Iterator[str]:
    """The paths of a resource and of everything below it, whoever may know of them."""
    yield node.path
    if node.is_folder:
        for folder in session.store.tree(node.folder):
            path = node.path + nfc(folder.place[len(node.folder.place) :])
            if path != node.path:
                yield path
            for member in session.store.members(folder):
                yield join(path, member.name)


def owner_of_new_folder(session: Session, path: str) -> str | None:
    """Who owns a folder made at a path: its maker, in the own home and right below the tops of boards, notes …"""
    name = session.principal.name
    if name is None:
        return None
    in_home = is_within(path, join(MEMBERS, name))
    is_object = path.count("/") == 3 and path.split("/")[2] in OBJECT_TOPS
    return name if in_home or is_object else None


def creator_of_new(session: Session, path: str) -> str | None:
    """
    Who is kept as the maker of a resource at a path: only where a rule gives ``create`` without ``write``.

    What one may do with any file there is asked, not with the folder: who made the folder did not make its members.
    """
    access, above = session.access, parent_of(path)
    if access.is_box(above):  # a vote belongs to whom it is called after, and says so to nobody
        return None
    writes = Action.WRITE in access.actions_on_members(above)
    return session.principal.name if access.may(Action.CREATE, above) and not writes else None


def actor(session: Session, path: str) -> str | None:
    """Who is kept as having replaced or removed what stood at a path: of a vote nobody."""
    return None if session.store.is_sealed(path) else session.principal.name
