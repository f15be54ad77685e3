"""
Joplin's "RAW" export, which is also what a ``.jex`` holds: a file for each note, notebook, tag and attachment.

    item       = [title newline [newline body newline]] newline *(key ": " value newline)
    attachment = "resources/" id "." suffix

The file's name is the item's id; notes name each other and their attachments by ``:/`` and the id.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from storage.frontmatter import Value, edited, parse_document
from storage.movein.sources import Source
from storage.movein.values import (
    DEEPEST_LEVELS,
    MOST_ENTRIES,
    File,
    Lost,
    Names,
    NotUsable,
    Tree,
    folder_stem,
    moment_of,
    ns_of,
    one_line,
    split_name,
    stem_of,
    utc_of,
)

NOTE, NOTEBOOK, ATTACHMENT, TAG, NOTE_TAG = "1", "2", "4", "5", "6"
LONGEST_ITEM_BYTES = 16 << 20
SPARE = "_resources"  # for attachments that no note shows
_ITEM_FILE = re.compile(r"[0-9a-f]{32}\.md")
_PROPERTY = re.compile(r"([a-z_]+): ?(.*)")
_LINK = re.compile(r":/([0-9a-f]{32})")
_KINDS = {"13": "revisions of notes", "9": "encryption keys", "14": "settings"}


@dataclass(frozen=True, slots=True)
class _Item:
    title: str
    body: str
    values: Mapping[str, str]

    def get(self, key: str) -> str:
        return self.values.get(key, "")


def is_raw(names: Iterable[str]) -> bool:
    """Whether the files at the top of a folder are those of a RAW export."""
    notes = [name for name in names if name.endswith(".md")]
    return bool(notes) and all(_ITEM_FILE.fullmatch(name) for name in notes)


def box_line(title: str, due: str | None, *, done: bool) -> str:
    """The first line of a note that was a to-do."""
    return f"- [{'x' if done else ' '}] {one_line(title)}" + (f" (due {due})" if due else "")


def read_raw(name: str, found: Mapping[str, Source], lost: Lost) -> Tree:
    """
    What an export becomes.

    Args:
        found: every file by its path below the export's folder.

    Raises:
        NotUsable, OSError.
    """
    items: defaultdict[str, dict[str, _Item]] = defaultdict(dict)
    for path, file in found.items():
        if not _ITEM_FILE.fullmatch(path):
            continue
        if file.size > LONGEST_ITEM_BYTES:
            lost.add(f"items of more than {LONGEST_ITEM_BYTES} bytes", path)
            continue
        item = _parse(file.read(LONGEST_ITEM_BYTES).decode(errors="replace"))
        if item.get("encryption_applied") == "1":
            lost.add("encrypted items", path)
        elif item.get("deleted_time") not in ("", "0"):
            lost.add("notes and notebooks in the trash of Joplin", item.title)
        else:
            items[item.get("type_")][path.removesuffix(".md")] = item
    for kind in items.keys() - {NOTE, NOTEBOOK, ATTACHMENT, TAG, NOTE_TAG}:
        lost.add(_KINDS.get(kind, f"items of the type {kind[:20]!r}"), count=len(items[kind]))
    return _Export(items, found, lost).tree(name)


def _parse(text: str) -> _Item:
    lines = text.replace("\r\n", "\n").rstrip("\n").split("\n")
    first, values = len(lines), dict[str, str]()
    while first > 0 and (match := _PROPERTY.fullmatch(lines[first - 1])) is not None:
        values.setdefault(match[1], match[2].strip())
        first -= 1
    above = lines[:first]
    return _Item(above[0] if above else "", "\n".join(above[2:]).strip("\n"), values)


class _Export:
    """An export on its way to a tree."""

    def __init__(self, items: Mapping[str, Mapping[str, _Item]], found: Mapping[str, Source], lost: Lost) -> None:
        self._notes = items.get(NOTE, {})
        self._notebooks = items.get(NOTEBOOK, {})
        self._attachments = items.get(ATTACHMENT, {})
        resources = (file for path, file in found.items() if path.startswith("resources/"))
        self._bytes = {os.path.splitext(file.name)[0]: file for file in resources}
        self._lost = lost
        self._names: defaultdict[str, Names] = defaultdict(Names)
        self._folders: dict[str, str] = {}
        self._files: list[File] = []
        self._shown: set[str] = set()
        titles = items.get(TAG, {})
        self._tags: defaultdict[str, set[str]] = defaultdict(set)
        for link in items.get(NOTE_TAG, {}).values():
            if link.get("tag_id") in titles:
                self._tags[link.get("note_id")].add(one_line(titles[link.get("tag_id")].title))

    def tree(self, name: str) -> Tree:
        for id in self._notebooks:
            self._folder(id)
        places = {id: self._place(note) for id, note in self._notes.items()}
        for id, note in self._notes.items():
            self._add_note(id, note, places)
        for id in sorted(self._attachments.keys() - self._shown):
            self._add_attachment(id, SPARE)
        for id in sorted(self._bytes.keys() - self._attachments.keys() - self._shown):
            self._lost.add("files of attachments that no item describes", self._bytes[id].name)
        folders = sorted({*self._folders.values(), *map(os.path.dirname, (file.path for file in self._files))} - {""})
        if len(folders) + len(self._files) > MOST_ENTRIES:
            raise NotUsable(f"the export holds more than {MOST_ENTRIES} notes, notebooks and attachments")
        return Tree(name, tuple(folders), tuple(self._files), frozenset(), self._lost.sentences())

    def _folder(self, id: str) -> str:
        """The folder of a notebook; one whose notebook is not there or lies within itself stands at the top."""
        chain: list[str] = []
        while id in self._notebooks and id not in self._folders and id not in chain:
            chain.append(id)
            id = self._notebooks[id].get("parent_id")
        if len(chain) > DEEPEST_LEVELS:
            raise NotUsable(f"notebooks lie deeper than {DEEPEST_LEVELS} levels")
        path = self._folders.get(id, "")
        for id in reversed(chain):
            title = one_line(self._notebooks[id].title)
            name = self._names[path].choose(folder_stem(title))
            if name != title:
                self._lost.add("names of notebooks, which are called otherwise here", f"{title} → {name}")
            path = f"{path}/{name}".lstrip("/")
            self._folders[id] = path
        return path

    def _place(self, note: _Item) -> str:
        """The path of a note."""
        folder = self._folders.get(note.get("parent_id"), "")
        return f"{folder}/{self._names[folder].choose(stem_of(one_line(note.title)), '.md')}".lstrip("/")

    def _add_note(self, id: str, note: _Item, places: Mapping[str, str]) -> None:
        path = places[id]
        stem, here = os.path.basename(path).removesuffix(".md"), os.path.dirname(path)
        added: dict[str, str] = {}

        def link(match: re.Match[str]) -> str:
            target = places.get(match[1])
            if target is None:
                if match[1] not in added:
                    added[match[1]] = self._add_attachment(match[1], path.removesuffix(".md") + ".files")
                target = added[match[1]]
            if not target:
                self._lost.add("links to what is not in the export", note.title)
                return match[0]
            return quote(os.path.relpath(target, here or "."))

        body = _LINK.sub(link, note.body)
        if note.get("is_todo") == "1":
            due = utc_of(_seconds(note.get("todo_due")))
            body = f"{box_line(note.title, due, done=note.get('todo_completed') not in ('', '0'))}\n\n{body}"
        title = one_line(note.title)
        values: dict[str, Value | None] = {
            "title": title if title and title != stem else None,
            "tags": tuple(sorted(self._tags[id])) or None,
            "source": note.get("source_url") or None,
            "author": note.get("author") or None,
        }
        is_bare = not any(values.values()) and body.startswith("---")
        data = edited(parse_document(b""), values, f"\n{body}" if is_bare else body)
        changed = moment_of(note.get("user_updated_time") or note.get("updated_time"))
        made = utc_of(note.get("user_created_time") or note.get("created_time"))
        self._files.append(File(path, data, len(data), ns_of(changed), made))
        self._note_rest(note)

    def _note_rest(self, note: _Item) -> None:
        if note.get("markup_language") == "2":
            self._lost.add("notes in HTML, kept as they are", note.title)
        if any(note.get(key).strip("0.-") for key in ("latitude", "longitude")):
            self._lost.add("places where notes were made", note.title)
        if note.get("is_conflict") == "1":
            self._lost.add("marks of a conflict", note.title)

    def _add_attachment(self, id: str, folder: str) -> str:
        """Put an attachment into a folder; its path, "" where its bytes are not in the export."""
        file = self._bytes.get(id)
        item = self._attachments.get(id)
        if file is None:
            if item is not None:
                self._shown.add(id)
                self._lost.add("attachments, whose bytes are not in the export", item.title or id)
            return ""
        self._shown.add(id)
        if len(self._files) > MOST_ENTRIES:
            raise NotUsable(f"the export holds more than {MOST_ENTRIES} notes, notebooks and attachments")
        own = os.path.splitext(file.name)[1]
        stem, suffix = split_name(item.title if item is not None and item.title else id, own)
        path = f"{folder}/{self._names[folder].choose(stem, suffix)}"
        self._files.append(File(path, file, file.size, file.modified_ns))
        return path


def _seconds(milliseconds: str) -> float | None:
    return int(milliseconds) / 1000 if re.fullmatch(r"[0-9]{1,15}", milliseconds) else None
