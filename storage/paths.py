"""
Paths: from the decoded path of a URL to the place below the data folder, and back.

Three trees have files: ``/files/<folder>/…`` in ``data/files``, ``/files/Members/<member>/…`` in ``data/homes`` and
``/dav/<owner>/<collection>/<item>`` in Radicale's layout. Everything above works with canonical paths: NFC, no
trailing slash, ``/files/Home`` already replaced by ``/files/Members/<member>``, so one resource has one path.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from storage.errors import NameRefused

FILES = "/files"
HOME = "/files/Home"
MEMBERS = "/files/Members"
COLLECTIONS = "/files/Collections"
DAV = "/dav"
TREES = (
    # canonical prefix, place below the data folder; the longer prefix first
    (MEMBERS, "homes"),
    (FILES, "files"),
    (DAV, "collections/collection-root"),
)
TRASH = "/files/Trash"
HISTORY = "/files/History"
NOTES, WELL_KNOWN_NOTES = "/files/Notes", "/.well-known/webdav/Notes"
VIEWS = "views"  # in the index alone: the rows of what is rendered from files
FORMER_TREES = ((TRASH, "trash"), (HISTORY, "history"))  # what was deleted and overwritten
EVERY_TREE = (*FORMER_TREES, *TREES)  # what the index knows; in TREES is what people work with
VIRTUAL_TOPS = frozenset(
    {"Home", "Members", "Collections", "Trash", "History"}
)  # at /files/, not folders of data/files
OBJECT_TOPS = ("Boards", "Notes", "Forms", "Polls", "Rooms", "Expenses")
RESERVED_TOPS = VIRTUAL_TOPS | frozenset(OBJECT_TOPS)

ACCESS_FILE = "access.toml"
LINKS_FILE = "links.txt"
STATE_FILE = ".state.jsonl"
HIDDEN_ACCESS_FILE = ".access.toml"  # the rules of a calendar or book, beside its .Radicale.props
SCRATCH_PREFIX = ".davserver-scratch-"
RADICALE_PREFIX = ".Radicale."
# Folders within folders: each is looked at for its own rules, so a deeper one makes every question about it dearer.
DEEPEST = 100
FORMER_LEVELS = 4
APART_PREFIX = "._"  # AppleDouble: what macOS keeps of a file where the file system cannot
APART_NAMES = frozenset(
    {".DS_Store", ".Spotlight-V100", ".Trashes", ".fseventsd", ".TemporaryItems", ".apdisk", ".DocumentRevisions-V100"}
)
APART_BYTES = 256 * 1024  # a larger one counts towards quotas: a film under such a name is a film


def nfc(text: str) -> str:
    """Unicode NFC: a name sent decomposed by macOS and composed by others is one file."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def is_too_deep(place: str) -> bool:
    """Whether a place lies deeper than any folder that is served; the trash has what was deleted some levels deeper."""
    root = place.partition("/")[0]
    return place.count("/") > DEEPEST + (FORMER_LEVELS if root in dict(FORMER_TREES).values() else 0)


def is_view(place: str) -> bool:
    """Whether a place is of rows that no directory stands for."""
    return place.startswith(VIEWS + "/")


def is_former(path: str) -> bool:
    """Whether a path is among what was deleted or overwritten."""
    return is_within(path, TRASH) or is_within(path, HISTORY)


def is_private(name: str) -> bool:
    """Whether a name is the server's own and never seen through DAV, in any case or normal form."""
    if name.isascii() and not name.startswith("."):  # nearly every name, told apart at no cost
        return False
    folded = unicodedata.normalize("NFKC", name).casefold()
    return folded in (STATE_FILE, HIDDEN_ACCESS_FILE) or folded.startswith((RADICALE_PREFIX.casefold(), SCRATCH_PREFIX))


def is_kept_apart(name: str) -> bool:
    """
    Whether macOS writes files of this name for itself, beside people's own.

    They are files like others for whoever asks for them by name, but stand in no listing, report or copy of a tree.
    """
    return name.startswith(".") and (name.startswith(APART_PREFIX) or name in APART_NAMES)


def names_rules(name: str) -> bool:
    """Whether a name is that of a rules file in any case or normal form, as some disks and all people read it."""
    return unicodedata.normalize("NFKC", name).casefold() in (ACCESS_FILE, LINKS_FILE)


def require_name(name: str, *, longest_bytes: int = 255) -> None:
    """Raise NameRefused unless ``name`` can be the name of a file that a member stores."""
    if not name or name in (".", ".."):
        raise NameRefused(name, "is not a name")
    if "/" in name or any(ord(c) < 32 or ord(c) == 127 for c in name):
        raise NameRefused(name, "holds a slash or control character")
    try:
        encoded = name.encode()
    except UnicodeEncodeError as error:
        raise NameRefused(name, "is not valid Unicode") from error
    if len(encoded) > longest_bytes:
        raise NameRefused(name[:40] + "…", f"is longer than {longest_bytes} bytes")
    if is_private(name):
        raise NameRefused(name, "is reserved for the server")


def join(parent: str, name: str) -> str:
    """A member's path; the root's members have one slash."""
    return f"{parent}/{name}" if parent != "/" else f"/{name}"


def parent_of(path: str) -> str:
    """The path of the folder above; that of ``/`` is ``/``."""
    return path.rpartition("/")[0] or "/"


def name_of(path: str) -> str:
    """The last segment."""
    return path.rpartition("/")[2]


def is_within(path: str, ancestor: str) -> bool:
    """Whether ``path`` is ``ancestor`` or lies below it."""
    return path == ancestor or ancestor == "/" or path.startswith(ancestor + "/")


def canonical(path: str, member: str | None) -> str:
    """
    A decoded URL path in the one form that stands for its resource.

    ``Home`` becomes the signed-in member's folder, ``/.well-known/webdav/Notes`` the folder of all notes; shown
    collections (``<owner>~<name>``) are resolved by
    ``storage.pim``, which knows what is shown. Empty segments are dropped.

    Raises:
        NameRefused: a segment is ``.`` or ``..`` or holds NUL.
    """
    segments = [segment for segment in nfc(path).split("/") if segment]
    for segment in segments:
        if segment in (".", "..") or "\0" in segment:
            raise NameRefused(segment, "is not a name")
    if segments[:3] == [".well-known", "webdav", "Notes"]:
        segments[:3] = ["files", "Notes"]
    if member is not None and segments[:2] == ["files", "Home"]:
        segments[1:2] = ["Members", member]
    if member is not None and segments[:3] in (["files", "Trash", "Home"], ["files", "History", "Home"]):
        segments[2:3] = ["Members", member]
    return "/" + "/".join(segments)


@lru_cache(maxsize=1024)
def place_of(path: str) -> str | None:
    """
    Where a canonical path has its bytes, below the data folder (``files/Sport/plan.txt``); None where none can be.
    """
    for prefix, place in EVERY_TREE:
        if is_within(path, prefix):
            return place + path[len(prefix) :]
    return None


def path_of(place: str) -> str:
    """The canonical path of a place below the data folder; inverse of ``place_of``."""
    for prefix, root in EVERY_TREE:
        if place == root or place.startswith(root + "/"):
            return prefix + place[len(root) :]
    raise ValueError(f"{place!r} is not in a tree")
