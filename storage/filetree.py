"""
The tree at ``/files/`` as one principal sees it: shared folders, homes and the listings that are no directory.

What may not be read is not there: it is neither found nor listed. Paths are canonical.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from auth.acl import Action
from storage.errors import NotFound
from storage.made import find_made
from storage.paths import (
    ACCESS_FILE,
    COLLECTIONS,
    DAV,
    FILES,
    FORMER_TREES,
    HISTORY,
    LINKS_FILE,
    MEMBERS,
    VIRTUAL_TOPS,
    is_former,
    is_kept_apart,
    is_private,
    is_within,
    join,
    name_of,
    nfc,
    parent_of,
    place_of,
)
from storage.records import Folder, Member
from storage.sharedrules import find_rules_member
from storage.state import State

if TYPE_CHECKING:
    from storage.session import Session

RULES_FILES = frozenset({ACCESS_FILE, LINKS_FILE})
ROOT_PLACE = "files"
HOMES_PLACE = "homes"
CALENDARS_PLACE = "collections/collection-root"


@dataclass(frozen=True, slots=True)
class Node:
    """
    A resource at ``/files/``.

    Attributes:
        path: canonical.
        folder: the directory itself, of a file the directory that holds it, of a listing the one that lends its times.
        member: the file's index row; None for folders.
        listing: a folder that is put together from others and holds nothing of its own (``Members/``).
    """

    path: str
    folder: Folder
    member: Member | None = None
    listing: bool = False

    @property
    def is_folder(self) -> bool:
        """Whether it is a collection."""
        return self.member is None

    @property
    def name(self) -> str:
        """The last segment."""
        return name_of(self.path)

    @property
    def is_derived(self) -> bool:
        """Whether the server makes it as it is read, and nobody writes it (``storage.made``)."""
        return self.member is not None and self.member.id == 0 and self.member.name != ACCESS_FILE

    @property
    def modified_ns(self) -> int:
        """When it was changed last."""
        return self.folder.modified_ns if self.member is None else self.member.modified_ns

    @property
    def created_ns(self) -> int:
        """When it was made."""
        return self.folder.created_ns if self.member is None else self.member.created_ns

    @property
    def state_key(self) -> tuple[str, str]:
        """Place and name under which its state is kept."""
        return self.folder.place, "" if self.member is None else self.member.name


def is_rules_file(path: str) -> bool:
    """Whether the path names a file that holds rules, tokens or link passwords, and is for ``admin`` only."""
    return name_of(path) in RULES_FILES or (is_within(path, HISTORY) and name_of(parent_of(path)) in RULES_FILES)


def rules_holder(path: str) -> str:
    """Where ``admin`` is asked for the rules in a file: at its folder, of former rules at the file itself."""
    return path if is_former(path) else parent_of(path)


def is_shared_rules(path: str) -> bool:
    """Whether the path lies among the rules of calendars and address books."""
    return is_within(path, COLLECTIONS)


def properties_in(state: State, name: str) -> dict[str, str]:
    """The dead properties that a folder's state keeps of a member, or with "" of the folder itself."""
    found: Any = state.get(name, "props")
    return dict(found) if isinstance(found, dict) else {}


class FileTree:
    """Finding and listing what a session's principal may know of."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._store = session.store
        self._access = session.access

    def find(self, path: str) -> Node | None:
        """The resource at a canonical path, or None if nothing stands there that the principal may know of."""
        if path == FILES:
            return Node(path, self._root())
        if not is_within(path, FILES):
            return None
        top = path.split("/")[2]
        if top not in VIRTUAL_TOPS:
            return self._on_disk(path)
        finder = FINDERS.get(top)
        return finder(self, path) if finder else None

    def find_removable(self, path: str) -> Node | None:
        """The resource at a path as ``find`` gives it, or a vote that the principal may remove, but not read."""
        node = self.find(path)
        if node is not None or not is_within(path, FILES) or not self._access.is_box(parent_of(path)):
            return node
        folder = self._store.find_folder(place_of(parent_of(path)) or "")
        member = None if folder is None else self._store.find_member(folder, name_of(path))
        may_remove = member is not None and self._access.may(Action.DELETE, path)
        return Node(path, folder, member) if folder is not None and may_remove else None

    def get(self, path: str) -> Node:
        """The resource at a path. Raises NotFound."""
        node = self.find(path)
        if node is None:
            raise NotFound(path)
        return node

    def children(self, node: Node) -> Iterator[Node]:
        """
        The members of a folder that the principal may know of: folders, then files, by name.

        What macOS keeps for itself is left out; whoever knows its name finds it.
        """
        lister = LISTERS.get(node.path)
        if lister is not None:
            yield from lister(self, node)
        elif is_shared_rules(node.path):
            yield from self._shared_children(node)
        else:
            yield from self._folder_children(node)

    def walk(self, node: Node) -> Iterator[Node]:
        """A resource and everything below it that the principal may know of, parents first."""
        yield node
        if node.is_folder:
            for child in self.children(node):
                yield from self.walk(child)

    def may_read(self, path: str) -> bool:
        """Whether a file's bytes are for the principal; rules are for administrators."""
        if is_rules_file(path):
            return self._access.may(Action.ADMIN, rules_holder(path))
        return self._access.may(Action.READ, path) or self._store.reads_page(self._session, path)

    def properties(self, node: Node) -> dict[str, str]:
        """The dead properties of a resource: Clark name to XML."""
        if node.listing or is_shared_rules(node.path):
            return {}
        place, name = node.state_key
        return properties_in(self._store.state(place), name)

    def _root(self) -> Folder:
        folder = self._store.find_folder(ROOT_PLACE)
        if folder is None:
            raise NotFound(FILES)
        return folder

    def _on_disk(self, path: str) -> Node | None:
        place = place_of(path)
        if place is None or is_private(name_of(path)):
            return None
        parent = self._store.find_folder(parent_of(place))
        if parent is None:
            return None
        made = self.find_made(parent_of(path), parent, name_of(path))
        if made is not None:
            return made
        found = self._store.find_in(parent, name_of(path))
        if isinstance(found, Folder):
            return Node(path, found) if self._access.sees(path) else None
        return Node(path, parent, found) if found is not None and self.may_read(path) else None

    def find_made(self, folder_path: str, folder: Folder, name: str) -> Node | None:
        """A derived file of a folder, as far as it is for the principal."""
        if name not in self._store.makers or is_former(folder_path):
            return None
        member = find_made(self._session, folder, name)
        return None if member is None else Node(join(folder_path, name), folder, member)

    def made(self, folder_path: str, folder: Folder) -> list[Node]:
        """The derived files of a folder that are for the principal, by name."""
        names = (name for name in self._store.makers if folder.ruled or name != LINKS_FILE)
        found = (self.find_made(folder_path, folder, name) for name in names)
        return [node for node in found if node is not None]

    def _folder_children(self, node: Node) -> Iterator[Node]:
        for folder in self._store.folders(node.folder):
            path = join(node.path, nfc(folder.name))
            is_hidden = is_kept_apart(folder.name) or (node.path == FILES and folder.name in VIRTUAL_TOPS)
            if not is_hidden and self._access.sees(path):
                yield Node(path, folder)
        may_read = self.reader(node)
        start = join(node.path, "")
        made = {each.name: each for each in self.made(node.path, node.folder)}
        waiting = sorted(made, reverse=True)
        for member in self._store.each_member(node.folder):
            while waiting and member.name >= waiting[-1]:
                yield made[waiting.pop()]
            if may_read(member.name) and not is_kept_apart(member.name) and member.name not in made:
                yield Node(start + member.name, node.folder, member)
        yield from (made[name] for name in reversed(waiting))

    def reader(self, node: Node) -> Callable[[str], bool]:
        """
        ``may_read`` for the files of one folder, decided once: but for rules files and what the principal made
        itself, they are all alike.
        """
        if is_former(node.path) or self._access.is_box(node.path):  # each file has rights of its own there
            return lambda member: self.may_read(join(node.path, member))
        everything = Action.READ in self._access.actions_on_members(node.path)
        name = self._session.principal.name
        state = self._store.state(node.folder.place)

        def may_read(member: str) -> bool:
            if member in RULES_FILES:
                return self._access.may(Action.ADMIN, node.path)
            if everything or name is None:
                return everything
            if state.get(member, "creator") != name:
                return self._store.reads_page(self._session, join(node.path, member))
            return self._access.may(Action.READ, join(node.path, member))

        return may_read

    # Home and Members

    def _find_in_members(self, path: str) -> Node | None:
        if path == MEMBERS:
            return Node(path, self._root(), listing=True)
        if path.split("/")[3] == self._session.principal.name:
            self._make_home(self._session.principal.name)
        return self._on_disk(path)

    def _make_home(self, member: str) -> None:
        """A member's folder is made when it is used first."""
        place = f"{HOMES_PLACE}/{member}"
        if self._store.find_folder(place) is not None:
            return
        with self._store.write(HOMES_PLACE) as tx:
            if tx.find_folder(place) is None:
                tx.make_folder(place, owner=member)

    def _member_folders(self, node: Node) -> Iterator[Node]:
        """Homes of others who share something; one's own is ``Home/`` and would stand twice in every sync."""
        homes = self._store.find_folder(HOMES_PLACE)
        for folder in self._store.folders(homes) if homes is not None else ():
            path = join(MEMBERS, nfc(folder.name))
            if folder.name != self._session.principal.name and self._access.sees(path):
                yield Node(path, folder)

    def apart(self, node: Node) -> Iterator[Node]:
        """The members of a folder that do not lie in it on disk: at the top one's own folder and the listings."""
        name = self._session.principal.name
        if node.path == FILES and name is not None:
            yield self.get(join(MEMBERS, name))
            if next(self._member_folders(node), None) is not None:
                yield self.get(MEMBERS)
            if next(self._collection_owners(node), None) is not None:
                yield self.get(COLLECTIONS)

    # Trash and History

    def _find_former(self, path: str) -> Node | None:
        place = dict(FORMER_TREES).get(path)
        if place is None:
            return self._on_disk(path)
        folder = self._store.find_folder(place)
        is_known = folder is not None and self._session.principal.name is not None
        return Node(path, folder, listing=True) if folder is not None and is_known else None

    def _top_children(self, node: Node) -> Iterator[Node]:
        yield from self.apart(node)
        for path, _ in FORMER_TREES:
            top = self.find(path)
            if top is not None and self._access.sees(path):
                yield top
        yield from self._folder_children(node)

    # Collections

    def _find_shared(self, path: str) -> Node | None:
        depth = len(path.split("/")) - 3
        if self._session.principal.name is None or depth > 3:
            return None
        if depth == 0:
            return Node(path, self._root(), listing=True)
        if depth == 1:
            return next((node for node in self._collection_owners(self.get(COLLECTIONS)) if node.path == path), None)
        return self._find_rules(path, depth)

    def _find_rules(self, path: str, depth: int) -> Node | None:
        above = path if depth == 2 else parent_of(path)
        folder = self._collection(above)
        if folder is None:
            return None
        if depth == 2:
            return Node(path, folder, listing=True)
        finder = RULES_FINDERS.get(name_of(path))
        member = None if finder is None else finder(self._session, folder)
        return Node(path, folder, member) if member is not None else None

    def _collection(self, path: str) -> Folder | None:
        """The calendar, book or list whose rules lie at a path, if the principal has ``admin`` on it."""
        dav_path = DAV + path[len(COLLECTIONS) :]
        place = place_of(dav_path)
        if place is None or not self._access.may(Action.ADMIN, dav_path):
            return None
        return self._store.find_folder(place)

    def _collection_owners(self, node: Node) -> Iterator[Node]:
        root = self._store.find_folder(CALENDARS_PLACE)
        for owner in self._store.folders(root) if root is not None else ():
            path = join(COLLECTIONS, owner.name)
            if next(self._owned_collections(Node(path, owner, listing=True)), None) is not None:
                yield Node(path, owner, listing=True)

    def _owned_collections(self, node: Node) -> Iterator[Node]:
        for folder in self._store.folders(node.folder):
            path = join(node.path, folder.name)
            if self._collection(path) is not None:
                yield Node(path, folder, listing=True)

    def _shared_children(self, node: Node) -> Iterator[Node]:
        if len(node.path.split("/")) == 4:
            yield from self._owned_collections(node)
        else:
            found = (self.find(join(node.path, name)) for name in RULES_FINDERS)
            yield from (file for file in found if file is not None)


def _find_rules_member(session: Session, folder: Folder) -> Member | None:
    return find_rules_member(session.store, folder)


def _find_links_member(session: Session, folder: Folder) -> Member | None:
    return find_made(session, folder, LINKS_FILE)


Finder = Callable[[FileTree, str], Node | None]
Lister = Callable[[FileTree, Node], Iterator[Node]]

RULES_FINDERS: dict[str, Callable[[Session, Folder], Member | None]] = {
    # what stands in /files/Collections/<owner>/<name>/: its row where it is there
    ACCESS_FILE: _find_rules_member,
    LINKS_FILE: _find_links_member,
}
FINDERS: dict[str, Finder] = {
    "Members": FileTree._find_in_members,
    "Collections": FileTree._find_shared,
    "Trash": FileTree._find_former,
    "History": FileTree._find_former,
}
LISTERS: dict[str, Lister] = {
    FILES: FileTree._top_children,
    MEMBERS: FileTree._member_folders,
    COLLECTIONS: FileTree._collection_owners,
}
