"""
What a public link shows of a folder: what the link may read there, less what no link shows.

A link by which things are only added shows its folder's ``index.html``, ``thanks.html`` and what its rule calls
``public``, so that a page can say what is wanted; all else of the folder is not there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.errors import NameRefused, NotFound
from storage.filetree import Node
from storage.linknames import INDEX, THANKS, is_closed, is_never_shown
from storage.objectnames import FORMS, POLLS
from storage.paths import FILES, is_former, is_within, join, name_of, parent_of
from storage.records import Member
from storage.zipstream import Archive, Entry

if TYPE_CHECKING:
    from storage.links import Issued
    from storage.session import Session

PAGES = frozenset({INDEX, THANKS})
ZIP = ".zip"
WITH_PAGES = (f"{FORMS}/", f"{POLLS}/")
SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Zipped:
    """
    All that a link shows of a folder, as one file that lies nowhere.

    Attributes:
        node: how that file is listed.
        nodes: where the bytes of each entry are, by its name in the archive.
    """

    node: Node
    archive: Archive
    nodes: dict[str, Node]


class LinkView:
    """The folder of one link."""

    def __init__(self, reader: Session, issued: Issued) -> None:
        """``reader`` may read what the link's folder holds, whatever the link's right."""
        self._files = reader.files
        self._rulebook = reader.store.rulebook
        self._tree = reader.files.tree
        self._root, self._place = issued.path, issued.place
        link = issued.link
        self._shown = PAGES | frozenset(link.public) if link.right == "drop" else None

    @property
    def is_listed(self) -> bool:
        """Whether the link shows which files there are."""
        return self._shown is None

    def find(self, path: str) -> Node | None:
        """What the link shows at a canonical path, or None."""
        if not is_within(path, self._root) or not is_within(path, FILES) or is_former(path) or is_closed(path):
            return None
        rest = path[len(self._root) + 1 :]
        if any(map(is_never_shown, rest.split("/") if rest else ())):
            return None
        if path.startswith(WITH_PAGES):  # what people send to forms and polls is for no link of a folder above
            return None
        node = self._tree.find(path)
        if (
            node is None or node.listing or not is_within(node.folder.place, self._place)
        ):  # a home is nobody's subfolder
            return None
        if self._shown is None or not rest:
            return node
        return node if rest in self._shown and not node.is_folder else None

    def children(self, node: Node) -> Iterator[Node]:
        """What the link shows in a folder."""
        if self._shown is None:
            found = (child for child in self._tree.children(node) if not child.path.startswith(WITH_PAGES))
            yield from (child for child in found if not is_never_shown(child.name))

    def index(self, folder: Node) -> Node | None:
        """The page that stands for a folder, if it has one."""
        page = self.find(join(folder.path, INDEX))
        return page if page is not None and not page.is_folder else None

    def is_own(self, node: Node) -> bool:
        """
        Whether no stranger can have sent a file, through this link or another of its folder or one above.

        They get neither the names of pages nor those in ``public``.
        """
        return node.name in PAGES or not any(
            link.adds and node.path[len(folder) + 1 :] not in link.public
            for folder in _folders_above(node.path)
            for link in self._rulebook.links_of(folder) or ()
        )

    def find_zipped(self, path: str) -> Zipped | None:
        """All of a folder at ``<folder>/<folder>.zip``, as it is now, where the link shows what is in the folder."""
        above, _, name = path.rpartition("/")
        folder = self.find(above) if self.is_listed and name == name_of(above) + ZIP else None
        if folder is None or not folder.is_folder:
            return None
        found = ((name, self._present(node)) for name, node in self._everything(folder))
        nodes = {name: node for name, node in found if node is not None}
        archive = Archive(map(_entry, nodes.items()))
        at_ns = max(node.modified_ns for node in (folder, *nodes.values()))
        row = Member(0, name, name, archive.etag, archive.length, 0, at_ns, at_ns, folder.created_ns)
        return Zipped(Node(path, folder.folder, row), archive, nodes)

    def _everything(self, folder: Node) -> Iterator[tuple[str, Node]]:
        """What the link shows in a folder, however deep, with its path there; folders before what is in them."""
        waiting = [("", folder)]
        while waiting:
            name, node = waiting.pop()
            if name:
                yield name, node
            if node.is_folder:
                children = [(f"{name}{c.name}/" if c.is_folder else name + c.name, c) for c in self.children(node)]
                waiting += reversed(children)

    def _present(self, node: Node) -> Node | None:
        """A file as it lies on the disk, where somebody may have edited it in its place; None if it went."""
        if node.is_folder:
            return node
        try:
            fd, node = self._files.open(node)
        except NotFound:
            return None
        os.close(fd)
        return node


def _folders_above(path: str) -> Iterator[str]:
    while path != FILES:
        path = parent_of(path)
        yield path


def require_taken(name: str) -> None:
    """Raise NameRefused for a name that a link does not take."""
    if is_never_shown(name):
        raise NameRefused(name, "is not taken through a link")


def _entry(named: tuple[str, Node]) -> Entry:
    name, node = named
    modified_s = node.modified_ns // SECOND
    if node.member is None:
        return Entry(name, 0, modified_s, "")
    return Entry(name, node.member.size, modified_s, node.member.etag)
