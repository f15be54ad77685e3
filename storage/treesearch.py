"""
Finding files and folders by what the index knows of them, as one principal sees them.

A tree is looked at as a whole: the rows of its folders, and of its files those that may be wanted. Whether the
principal may know of a resource is asked last, and so only of what is wanted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from storage.filetree import FileTree, Node, properties_in
from storage.paths import FILES, is_former, is_kept_apart, join, name_of, nfc, parent_of
from storage.rowfilter import RowFilter
from storage.treesync import is_synchronised

if TYPE_CHECKING:
    from storage.records import Folder, Member
    from storage.session import Session

AT_ONCE = 100  # folders whose files are read together


@dataclass(frozen=True, slots=True)
class Sought:
    """
    What is wanted.

    Attributes:
        rows: passed by every wanted file, as far as the file is what its row says.
        given: Clark names of dead properties that say something else than the row; a file with one passes in any case.
        wants: whether a folder, or a file that passes, is wanted.
    """

    rows: RowFilter
    given: frozenset[str]
    wants: Callable[[Node], bool]


class TreeSearch:
    """One search in several places, which may lie within each other: what was found once is not found again."""

    def __init__(self, session: Session, tree: FileTree, sought: Sought) -> None:
        self._store = session.store
        self._access = session.access
        self._tree = tree
        self._sought = sought
        self._found: set[str] = set()
        self._walked: set[str] = set()  # folders that were looked through with all that lies below
        self._whole: set[str] = set()  # those of them whose members all lie in one directory

    def itself(self, node: Node) -> Iterator[Node]:
        """A resource, if it is wanted."""
        if self._sought.wants(node) and self._is_new(node):
            yield node

    def children(self, top: Node) -> Iterator[Node]:
        """What is wanted of a resource and of its members."""
        yield from self.itself(top)
        if _is_whole(top):
            members = [self._below(top, folder) for folder in self._store.folders(top.folder)]
            yield from filter(self._is_new, self._folders(top, members))
            yield from filter(self._is_new, self._files(top, [top]))
        elif top.is_folder:
            for child in self._tree.children(top):
                yield from self.itself(child)

    def everything(self, top: Node) -> Iterator[Node]:
        """
        What is wanted of a resource and of all that lies below it.

        What was deleted or overwritten is passed over, unless it is among that where one looks.
        """
        yield from self.itself(top)
        if not top.is_folder or top.path in self._walked or self._whole.intersection(_above(top.path)):
            return
        self._walked.add(top.path)
        if _is_whole(top):
            self._whole.add(top.path)
            nodes = [self._below(top, folder) for folder in self._store.present_tree(top.folder)]
            yield from filter(self._is_new, self._folders(top, nodes))
            yield from filter(self._is_new, self._files(top, nodes))
            return
        for child in self._tree.children(top):
            if is_former(top.path) or not is_former(child.path):
                yield from self.everything(child)

    def _is_new(self, node: Node) -> bool:
        is_new = node.path not in self._found
        self._found.add(node.path)
        return is_new

    def _below(self, top: Node, folder: Folder) -> Node:
        return Node(top.path + nfc(folder.place[len(top.folder.place) :]), folder)

    def _folders(self, top: Node, nodes: list[Node]) -> Iterator[Node]:
        """The wanted ones of some folders that lie below another."""
        for node in nodes:
            if self._sought.wants(node) and self._is_served(top, node):
                yield node

    def _files(self, top: Node, nodes: list[Node]) -> Iterator[Node]:
        """The wanted files in some folders that lie below another."""
        for start in range(0, len(nodes), AT_ONCE):
            part = nodes[start : start + AT_ONCE]
            rows = defaultdict[int, list["Member"]](list)
            for folder_id, member in self._store.members_passing([node.folder for node in part], self._sought.rows):
                rows[folder_id].append(member)
            for node in part:
                yield from self._files_in(top, node, rows[node.folder.id])

    def _files_in(self, top: Node, node: Node, passed: list[Member]) -> Iterator[Node]:
        """The wanted files in one folder."""
        members = passed + self._with_given(node.folder, passed)
        wanted = (child for member in members if self._sought.wants(child := _file(node, member)) and _is_listed(child))
        first = next(wanted, None)
        if first is not None and self._is_served(top, node):
            may_read = self._tree.reader(node)
            yield from (child for child in chain([first], wanted) if may_read(child.name))
        made = [each for each in self._tree.made(node.path, node.folder) if self._sought.wants(each)]
        if made and self._is_served(top, node):
            yield from made

    def _with_given(self, folder: Folder, passed: list[Member]) -> list[Member]:
        """The files that did not pass, but may as what people gave them."""
        if not self._sought.given:
            return []
        state = self._store.state(folder.place)
        given = {name for name in state.names() if not self._sought.given.isdisjoint(properties_in(state, name))}
        given.difference_update(member.name for member in passed)
        return list(self._store.members_named(folder, given).values()) if given else []

    def _is_served(self, top: Node, node: Node) -> bool:
        """Whether the principal may know of a folder below one that it knows of."""
        names = node.path[len(top.path) + 1 :].split("/")
        return not any(map(is_kept_apart, names)) and self._access.sees(node.path)


def _is_whole(node: Node) -> bool:
    """Whether all that lies below a resource lies in one directory, and nothing else does."""
    return is_synchronised(node) and node.path != FILES


def _above(path: str) -> Iterator[str]:
    """A folder and those above it in whose trees it is listed."""
    while path != "/":
        yield path
        path = "/" if is_kept_apart(name_of(path)) else parent_of(path)


def _file(node: Node, member: Member) -> Node:
    return Node(join(node.path, member.name), node.folder, member)


def _is_listed(node: Node) -> bool:
    return not is_kept_apart(node.name) and not node.is_derived
