"""
Entity tags of folders: another one after every change of bytes and names at or below the folder.

The tag holds the number of the newest change in the tree, which is never given twice in an epoch of the index (see
``docs/adr/0008-one-number-for-a-tree.md``), so nothing is kept for it and no tag comes back. It is the same for
everybody: it tells whoever may see the folder that something in it changed, and not what.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.filetree import HOMES_PLACE, ROOT_PLACE, Node, is_shared_rules
from storage.paths import FILES, MEMBERS, is_former, name_of, parent_of

if TYPE_CHECKING:
    from storage.store import Store

TOGETHER = {FILES: (ROOT_PLACE, HOMES_PLACE), MEMBERS: (HOMES_PLACE,)}  # what lies below, where it is several trees


def folder_tag(store: Store, node: Node) -> str | None:
    """The bare tag of a folder; None for files, and for folders that are not what lies in one directory."""
    if not node.is_folder or is_shared_rules(node.path) or is_former(node.path):
        return None
    places = TOGETHER.get(node.path, (node.folder.place,))
    return _rendered(store, node, max(map(store.index.newest_change, places)))


class FolderTags:
    """The tags of the folders of one answer: those that lie in one folder are asked for together."""

    def __init__(self, store: Store, top: str) -> None:
        """``top`` is the path of the resource that the answer is about."""
        self._store = store
        self._top = top
        self._known: dict[str, dict[str, int]] = {}

    def tag(self, node: Node) -> str | None:
        """As ``folder_tag``."""
        above = parent_of(node.folder.place)
        if (
            node.path in (self._top, *TOGETHER)
            or above == HOMES_PLACE
            or is_shared_rules(node.path)
            or is_former(node.path)
        ):
            return folder_tag(self._store, node)
        if above not in self._known:
            self._known[above] = self._store.index.newest_changes_in(above)
        return _rendered(self._store, node, self._known[above].get(name_of(node.folder.place), node.folder.counter))


def _rendered(store: Store, node: Node, newest: int) -> str:
    return f"{node.folder.cid}-{store.epoch}-{newest}"
