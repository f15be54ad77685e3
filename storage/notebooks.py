"""
Notebooks: ``/files/Notes/`` and the folders in it that have a ``notebook.toml``; their texts are notes and journals.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from storage import paths
from storage.frontmatter import Document, Value, texts
from storage.objectnames import ATTACHED, NOTEBOOK_FILE, file_stem
from storage.objects import READERS_AND_MAKERS, Edit, Layout, Received, Rendering, Room, mark_of
from storage.objecttext import NOTE, Content

if TYPE_CHECKING:
    from storage.records import Folder
    from storage.store import Store

TOP = "files/Notes"
TEMPLATES = "Templates"
OWN_KEYS = frozenset({"uid", "title", "tags", "parent", "depends"})
NAMES: Mapping[str, str] = {"en": "Notes", "fr": "Notes", "de": "Notizen"}


class NotebookKind:
    """See ``storage.objects.ObjectKind``."""

    word = "notes"
    text = NOTE
    suffixes: tuple[str, ...] = (".md", ".txt")
    writes_uid = False
    makes_folders = False
    landing = "README"
    rendering: Rendering | None = None
    shown_to = READERS_AND_MAKERS

    def folders(self, store: Store) -> Iterator[Folder]:
        """The folder of all notes, and those in it that are notebooks of their own."""
        top = store.find_folder(TOP)
        if top is None:
            return
        todo = [top]
        while todo:
            folder = todo.pop()
            if folder is top or store.find_member(folder, NOTEBOOK_FILE) is not None:
                yield folder
            todo += [child for child in store.folders(folder) if _is_open(child.name)]

    def is_one(self, store: Store, folder: Folder) -> bool:
        """Whether it still has its ``notebook.toml``."""
        return folder.place == TOP or store.find_member(folder, NOTEBOOK_FILE) is not None

    def holder(self, store: Store, folder: Folder) -> Folder:
        """The folder itself."""
        return folder

    def layout(self, store: Store, folder: Folder) -> Layout:
        """Each folder below that is no notebook of its own and has no rules of its own, as a category."""
        rooms: dict[str, Room] = {}
        todo = [(folder, "")]
        while todo:
            place, below = todo.pop()
            rooms[place.place] = Room(place, below, f"/{below}" if below else "")
            for child in store.folders(place):
                is_other = store.rulebook.has_rules(child) or store.find_member(child, NOTEBOOK_FILE) is not None
                if _is_open(child.name) and child.name != TEMPLATES and not is_other:
                    name = paths.nfc(child.name)
                    todo.append((child, f"{below}/{name}" if below else name))
        return Layout(rooms, None, mark_of(sorted(rooms)))

    def content(self, layout: Layout, room: Room, stem: str, document: Document) -> Content:
        """A note as its journal: its folder as the first category, with a slash before it."""
        values: dict[str, Value] = {key: value for key, value in document.values.items() if key not in OWN_KEYS}
        title, parent = document.values.get("title"), document.values.get("parent")
        named = room.folder.name if stem == self.landing else stem
        tags = [tag for tag in texts(document, "tags") if not tag.startswith("/")]
        return Content(
            title=title if isinstance(title, str) and title else paths.nfc(named),
            text=document.text,
            categories=tuple(dict.fromkeys([*([room.means] if room.means else []), *tags])),
            parent=parent if isinstance(parent, str) and parent else None,
            values=values,
        )

    def receive(self, edit: Edit) -> Received:
        """The folder that a category with a slash names, the tags, and what the note is."""
        present = edit.room.means if edit.room is not None else ""
        named = [category for category in edit.sent.categories if category.startswith("/")]
        wanted = next((category for category in named if category != present), present)
        changes: dict[str, Value | None] = {}
        tags = [tag for tag in edit.sent.categories if not tag.startswith("/")]
        if tags != [tag for tag in edit.served.categories if not tag.startswith("/")]:
            changes["tags"] = tuple(tags) or None
        if edit.sent.values.get("status") != edit.served.values.get("status"):
            changes["status"] = edit.sent.values.get("status")
        here = edit.room.below if edit.room is not None else ""
        segments = [file_stem(segment) for segment in wanted.split("/") if segment.strip()]
        is_shown = all(_is_open(segment) and segment != TEMPLATES for segment in segments)
        return Received(changes, here if wanted == present or not is_shown else "/".join(segments))

    def ignored(self, layout: Layout) -> frozenset[str]:
        """None beside those of every object."""
        return frozenset()

    def properties(self, store: Store, layout: Layout, folder: Folder) -> Mapping[str, str]:
        """Its name is that of the folder, of that of all notes a word of the configured language."""
        is_top = folder.place == TOP
        return {"D:displayname": NAMES[store.settings.language] if is_top else paths.nfc(folder.name)}

    def written_id(self, layout: Layout) -> str:
        """Notebooks have theirs in their state alone."""
        return ""


def _is_open(name: str) -> bool:
    return not name.startswith((".", "~")) and not name.endswith(ATTACHED)
