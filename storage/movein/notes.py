"""
A folder of notes: of Nextcloud Notes (files in folders), of Joplin ("MD" and "MD - Markdown + Front Matter"), or any.

Files stay as they are, byte for byte; what stands in a note's front matter for Joplin alone is put where it is seen.
Joplin's "RAW" and unpacked ``.jex`` are another thing: ``storage.movein.joplin``.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from storage.frontmatter import Document, Value, edited, parse_document
from storage.movein import joplin
from storage.movein.sources import Source, walk
from storage.movein.values import (
    DEEPEST_LEVELS,
    LONGEST_STEM_BYTES,
    MOST_ENTRIES,
    File,
    Lost,
    Names,
    NotUsable,
    Tree,
    folder_stem,
    moment_of,
    ns_of,
    stem_of,
    utc_of,
)
from storage.paths import is_kept_apart, is_private, names_rules, nfc
from storage.portable import why_not

SUFFIXES = (".md", ".txt")
OTHER_TEXTS = frozenset({".markdown", ".mdown", ".mkd", ".org", ".rst", ".html"})
LONGEST_NOTE_BYTES = 16 << 20  # a longer one is not looked into
MOST_TEXT_BYTES = 1 << 30  # of all others: those that are changed are kept in memory
_LEAVINGS = re.compile(r"~.*|.*~|.*\.(tmp|swp)|thumbs\.db|desktop\.ini", re.IGNORECASE | re.DOTALL)
_OWN_FILES = frozenset({"notebook.toml", "board.toml"})
_ATTACHMENTS = ".attachments."  # where Nextcloud's editor puts pictures; links lead there
_JOPLIN_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?Z")
_JOPLIN_DONE = re.compile(r"completed\?:[ \t]*(\w+)[ \t]*")


def read_notes(folder: Path) -> Tree:
    """
    What a folder of notes becomes; symbolic links are not followed.

    Raises:
        NotUsable, OSError.
    """
    lost = Lost()

    def leave_out(names: tuple[str, ...], status: os.stat_result) -> bool:
        why = _why_left_out(names[-1], status, len(names))
        if why is not None:
            lost.add(why, "/".join(names))
        return why is not None

    found = list(walk(folder, most=MOST_ENTRIES, leave_out=leave_out))
    text_bytes = sum(each.size for each in found if _is_note(each.name, each.size))
    if text_bytes > MOST_TEXT_BYTES:
        raise NotUsable(
            f"{folder} holds more than {MOST_TEXT_BYTES} bytes of notes; import one of its folders at a time"
        )
    top_files = [each.name for each in found if len(each.names) == 1 and not each.is_folder]
    name = folder_stem(folder.resolve().name)
    if joplin.is_raw(top_files):
        return joplin.read_raw(name, {each.below: each for each in found if not each.is_folder}, lost)
    taken: dict[tuple[str, ...], tuple[str, Names]] = {(): ("", Names())}
    folders, files = [], []
    for each in found:
        above, names = taken[each.names[:-1]]
        chosen = _choose(each, names)
        path = f"{above}{chosen}"
        if chosen != nfc(each.names[-1]):
            lost.add("names, which are other ones here", f"{each.below} → {chosen}")
        if each.is_folder:
            folders.append(path)
            taken[each.names] = (f"{path}/", Names())
        else:
            files.append(_file(each, path, lost))
    return Tree(name, tuple(folders), tuple(files), frozenset(), lost.sentences())


def _why_left_out(name: str, status: os.stat_result, level: int) -> str | None:
    if stat.S_ISLNK(status.st_mode):
        return "symbolic links, which are not followed"
    is_folder = stat.S_ISDIR(status.st_mode)
    if not is_folder and not stat.S_ISREG(status.st_mode):
        return "neither files nor folders"
    if names_rules(name) or is_private(name) or name in _OWN_FILES:
        return "files that are this server's own by their names"
    if is_kept_apart(name) or (not is_folder and _LEAVINGS.fullmatch(name)):
        return "files that programs keep for themselves"
    if name.startswith(".") and not name.startswith(_ATTACHMENTS):
        return "hidden files and folders"
    if level > DEEPEST_LEVELS:
        return f"files and folders that lie deeper than {DEEPEST_LEVELS} levels"
    return None


def _is_note(name: str, size: int) -> bool:
    return name.lower().endswith(SUFFIXES) and size <= LONGEST_NOTE_BYTES


def _choose(each: Source, names: Names) -> str:
    """The name of a file or folder: its own where any program can show it and none beside it has it."""
    name = nfc(each.names[-1].encode(errors="surrogateescape").decode(errors="replace"))
    stem, suffix = (name, "") if each.is_folder else os.path.splitext(name)
    if len(suffix.encode()) > 32 or why_not(suffix):
        stem, suffix = name, ""
    is_safe = why_not(name) is None and name.isprintable() and len(stem.encode()) <= LONGEST_STEM_BYTES
    return names.choose(stem if is_safe else stem_of(stem), suffix)


def _file(each: Source, path: str, lost: Lost) -> File:
    stem, suffix = os.path.splitext(path.rpartition("/")[2])
    if suffix.lower() in OTHER_TEXTS:
        lost.add(f"texts that are files, but no notes, which end in {' or '.join(SUFFIXES)}", each.below)
    if not _is_note(path, each.size):
        return File(path, each, each.size, each.modified_ns)
    document = parse_document(each.read(LONGEST_NOTE_BYTES))
    values = document.values
    changes: dict[str, Value | None] = {}
    title, text = nfc(os.path.splitext(each.names[-1])[0]), None
    modified_ns, created = each.modified_ns, None
    if _is_joplin(values.get("created")) and _is_joplin(values.get("updated")):
        document, text = _without_to_do(document, stem)
        modified_ns, created = ns_of(moment_of(values["updated"])) or modified_ns, utc_of(values["created"])
        changes = {"created": None, "updated": None, **({"due": None} if text else {})}
        if values.get("title") == stem:
            changes["title"] = None
    elif title != stem and "title" not in values:
        changes["title"] = title
    if document.lines is not None and document.problem:
        lost.add("front matter that is outside of what is read here, kept as it is", each.below)
    if not changes:
        return File(path, each, each.size, modified_ns)
    data = edited(document, changes, text)
    return File(path, data, len(data), modified_ns, created)


def _is_joplin(value: Value | None) -> bool:
    return isinstance(value, str) and _JOPLIN_TIME.fullmatch(value) is not None


def _without_to_do(document: Document, stem: str) -> tuple[Document, str | None]:
    """The note without the line that marks it as a to-do, and its text with a box to tick above it."""
    lines = document.lines or ()
    found = next((match for line in lines if (match := _JOPLIN_DONE.fullmatch(line))), None)
    if found is None:
        return document, None
    values = document.values
    title, due = values.get("title"), values.get("due")
    block = "\n".join(line for line in lines if line != found[0])
    cleared = f"{document.bom}---\n{block}\n---\n\n{document.text}".replace("\n", document.newline)
    when = utc_of(due) if isinstance(due, str) else None
    box = joplin.box_line(title if isinstance(title, str) else stem, when, done=found[1] in ("yes", "true"))
    return parse_document(cleared.encode(errors="replace")), f"{box}\n\n{document.text}"
