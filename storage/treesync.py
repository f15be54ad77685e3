"""
Synchronising file trees as one principal sees them (RFC 6578), one level deep or the whole tree.

Changes are numbered through the whole index, so one number stands for the state of a whole tree, and what changed
since is found in the logs of those folders whose newest change is later: a look at each folder, none at files that did
not change. Beside the number the token holds a fingerprint of what decides which part of the tree the principal sees.
Where that changes, the token is refused: what came into sight or went out of it has changed no folder.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from auth.acl import Action
from storage.errors import InvalidSyncToken
from storage.filetree import ROOT_PLACE, FileTree, Node, is_rules_file, is_shared_rules
from storage.made import is_made
from storage.pages import split_token, token_after
from storage.paths import VIRTUAL_TOPS, is_former, is_kept_apart, is_within, join, parent_of, place_of
from storage.polls import is_box, is_poll_path
from storage.records import Veil

if TYPE_CHECKING:
    from auth.acl import Access
    from storage.records import Folder, Member, NameChange
    from storage.session import Session

SIGHT = (Action.READ, Action.CREATE, Action.ADMIN)  # what decides about seeing; ``create`` shows one's own files
MANY = 50  # names of one folder from which on their rows are read at once


@dataclass(frozen=True, slots=True)
class Gone:
    """A member that is no longer there."""

    path: str


@dataclass(frozen=True, slots=True)
class Apart:
    """A member whose own members are not reported from here: it lies elsewhere and is synchronised by itself."""

    node: Node


Told = Node | Gone | Apart
Key = tuple[str, ...]  # the segments of a path below the folder that is synchronised


@dataclass(frozen=True, slots=True)
class TreePage:
    """What to report, the token that stands for having it, and whether more is to come."""

    found: list[Told]
    token: str
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Moment:
    """
    A tree at one moment.

    Attributes:
        folders: the rows of its folders by place.
        newest: the number of the newest change in it.
    """

    folders: dict[str, Folder]
    newest: int


class Place:
    """A folder with changes: what the principal may know of its members, asked once."""

    def __init__(self, node: Node, tree: FileTree, access: Access) -> None:
        self.node = node
        self.may_read = tree.reader(node)
        held = access.actions(node.path)
        self.is_box = access.is_box(node.path)
        self.sees_all = Action.ADMIN in held and not self.is_box
        of_members = access.actions_on_members(node.path)
        self.reads = Action.READ in of_members
        self.knows_some = not self.reads and (Action.CREATE in held or bool(of_members))
        self.rows: dict[str, Member] | None = None


def is_synchronised(node: Node) -> bool:
    """Whether a resource answers the report: folders do, but for those that are put together from others."""
    return node.is_folder and not node.listing and not (is_shared_rules(node.path) or is_former(node.path))


class TreeSync:
    """Tokens and reports of file trees for one session's principal."""

    def __init__(self, session: Session, tree: FileTree) -> None:
        self._session = session
        self._store = session.store
        self._access = session.access
        self._tree = tree

    def token(self, node: Node) -> str:
        """The token of a folder as it is (RFC 6578 §4); the same for both levels."""
        moment = self._moment(node)
        return self._token(node, moment, moment.newest)

    def page(self, node: Node, token: str, *, infinite: bool, limit: int) -> TreePage:
        """
        What a client with this token does not know yet, at most ``limit`` members of it.

        Raises:
            InvalidSyncToken: the client has to begin anew.
        """
        base, after = split_token(token)
        moment = self._moment(node)
        if not base:
            base, after = self._token(node, moment, moment.newest), ""
        since = self._require_token(node, base, moment, infinite=infinite)
        if after is not None:
            page = self._first_page(node, base, after, limit, infinite=infinite)
            return page if page.is_cut else replace(page, is_cut=since < moment.newest)
        return self._changes(node, moment, since, limit, infinite=infinite)

    def _moment(self, node: Node) -> Moment:
        folders = {folder.place: folder for folder in self._store.present_tree(node.folder)}
        return Moment(folders, max((folder.counter for folder in folders.values()), default=0))

    # tokens

    def _token(self, node: Node, moment: Moment, n: int) -> str:
        return f"{self._store.sync_token(node.folder, n)}:{self._fingerprint(node, moment, n)}"

    def _require_token(self, node: Node, token: str, moment: Moment, *, infinite: bool) -> int:
        """The number that a token holds, once it is sure that everything later is known and may be told."""
        plain, _, seen = token.rpartition(":")
        kept = moment.folders.values() if infinite else [node.folder]
        kept_from = max((folder.kept_from for folder in kept), default=0)
        n = self._store.parse_sync_token(node.folder, plain, kept_from=kept_from, newest=moment.newest)
        if seen != self._fingerprint(node, moment, n):
            raise InvalidSyncToken("who may see what has changed since; sync from the beginning")
        return n

    def _fingerprint(self, node: Node, moment: Moment, n: int) -> str:
        """
        What decides which part of a tree the principal sees, as far as it was there at a change's number.

        Only folders count in which something else is seen than in the one above. A hidden one that is younger does
        not count: nothing of it was told or will be, and its making should cost nobody a full synchronisation.
        """
        parts = [self._session.principal.name or "", node.path, self._sight(node.path)]
        parts += [apart.path for apart in self._tree.apart(node)]
        has_all = Action.ADMIN in self._access.actions(node.path)  # who has it here has it in the whole tree …
        for path, place in sorted(self._deciding(node, moment).items()):
            if has_all and not self._access.is_box(path):  # … but votes that are not to be seen
                continue
            sight = self._sight(path)
            if sight == self._sight_of_members(parent_of(path)) * 2:
                continue
            if sight.strip("-") or self._store.index.change_number(place) <= n:
                parts.append(f"{path}\n{sight}")
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def _deciding(self, node: Node, moment: Moment) -> dict[str, str]:
        """The folders below that may have rules or an owner of their own, are polls or hold votes: path to place."""
        found = {path: place_of(path) or "" for path in self._store.rulebook.server_paths}
        found |= {folder.path: folder.place for folder in moment.folders.values() if _may_decide(folder)}
        return {path: place for path, place in found.items() if path != node.path and is_within(path, node.path)}

    def _sight(self, path: str) -> str:
        """What is seen of a folder and of any file in it, and which file of votes is one's own."""
        return _flags(self._access.actions(path)) + self._sight_of_members(path) + self._access.own_ballot(path)

    def _sight_of_members(self, path: str) -> str:
        return _flags(self._access.actions_on_members(path))

    # the first list

    def _first_page(self, node: Node, base: str, after: str, limit: int, *, infinite: bool) -> TreePage:
        last = tuple(after.split("/")) if after else ()
        found: list[Told] = []
        end = last
        for key, told in self._walk(node, node, last, infinite=infinite):
            if len(found) == limit:
                return TreePage(found, token_after(base, "/".join(end)), True)
            found.append(told)
            end = key
        return TreePage(found, base, False)

    def _walk(self, top: Node, node: Node, last: Key, *, infinite: bool) -> Iterator[tuple[Key, Told]]:
        """What lies in a folder, parents first and by name, from after ``last`` on."""
        apart = {child.path for child in self._tree.apart(node)}
        kept = (child for child in self._tree.children(node) if not is_former(child.path))
        present = (child for child in kept if not child.is_derived)  # what the server makes has no history
        children = {tuple(child.path[len(top.path) + 1 :].split("/")): child for child in present}
        for key in sorted(children):
            child = children[key]
            lies_here = child.path not in apart
            if key > last:
                yield key, child if lies_here or (is_synchronised(child) and not infinite) else Apart(child)
            if infinite and child.is_folder and lies_here and key >= last[: len(key)]:
                yield from self._walk(top, child, last, infinite=True)

    # changes

    def _changes(self, node: Node, moment: Moment, since: int, limit: int, *, infinite: bool) -> TreePage:
        found: list[Told] = []
        done = since
        for place, change in self._logged(node, moment, since, infinite=infinite):
            told = self._told(place, change, moment, since)
            if told is not None and len(found) == limit:
                return TreePage(found, self._token(node, moment, done), True)
            if told is not None:
                found.append(told)
            done = change.n
        return TreePage(found, self._token(node, moment, moment.newest), False)

    def _logged(self, node: Node, moment: Moment, since: int, *, infinite: bool) -> list[tuple[Place, NameChange]]:
        """What changed where the principal sees anything, oldest first."""
        folders = moment.folders.values() if infinite else [node.folder]
        found: list[tuple[Place, NameChange]] = []
        for folder in folders:
            if folder.counter <= since or not self._is_served(folder):
                continue
            place = Place(Node(folder.path, folder), self._tree, self._access)
            changes = self._store.index.changed_names(folder.id, since, moment.newest)
            if len(changes) > MANY:
                place.rows = self._store.members_named(folder, [change.name for change in changes])
            found += [(place, change) for change in changes]
        return sorted(found, key=lambda each: each[1].n)

    def _is_served(self, folder: Folder) -> bool:
        """Whether a folder is there for the principal; what lies under a reserved name at the top is for nobody."""
        segments = folder.place.split("/")
        if any(map(is_kept_apart, segments)):
            return False
        top = segments[:2]
        return not (top[0] == ROOT_PLACE and top[-1] in VIRTUAL_TOPS) and self._access.sees(folder.path)

    def _told(self, place: Place, change: NameChange, moment: Moment, since: int) -> Told | None:
        """
        A changed member as it is now, or None where the principal is not to know of it.

        Raises:
            InvalidSyncToken: it had a namesake that the principal may have known of, or may not.
        """
        if is_kept_apart(change.name):
            return None
        path = join(place.node.path, change.name)
        if is_made(self._store, path):
            return None
        folder = moment.folders.get(f"{place.node.folder.place}/{change.name}")
        if folder is not None and self._is_served(folder):
            return Node(path, folder)
        if folder is not None:
            _require_no_namesake(path, had_one=folder.kept_from > since)
            return None
        member = self._member(place, change.name)
        if member is not None and place.may_read(change.name):
            return Node(path, place.node.folder, member)
        if place.sees_all or self._store.reads_page(self._session, path):
            return Gone(path)
        if place.is_box:  # of votes that are not seen nobody learns that they came or went
            is_own = self._access.is_own_ballot(place.node.path, change.name)
            return Gone(path) if place.reads or is_own else None
        if is_rules_file(path):
            return None
        ruled = change.veiled is Veil.RULED or path in self._store.rulebook.server_paths
        if place.reads and not ruled:
            return Gone(path)
        knew = place.knows_some and (change.veiled is Veil.SOME or member is None)
        _require_no_namesake(path, had_one=ruled or knew)
        return None

    def _member(self, place: Place, name: str) -> Member | None:
        if place.rows is not None:
            return place.rows.get(name)
        return self._store.find_member(place.node.folder, name)


def _require_no_namesake(path: str, *, had_one: bool) -> None:
    """Raise InvalidSyncToken where a hidden resource may stand in for one that the principal knew of."""
    if had_one:
        raise InvalidSyncToken(f"what went from {parent_of(path)} cannot be told; sync from the beginning")


def _may_decide(folder: Folder) -> bool:
    if folder.owner or folder.ruled:
        return True
    return folder.place.startswith("files/") and (is_poll_path(folder.path) or is_box(folder.path))


def _flags(held: frozenset[Action]) -> str:
    return "".join("x" if action in held else "-" for action in SIGHT) + ("x" if held else "-")
