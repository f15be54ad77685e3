"""
Names that Windows can show, for folders whose ``access.toml`` says ``names = "portable"``; elsewhere any are stored.

What stands there already stays and can be read, written, renamed and removed. The rules are those of Win32 (Microsoft,
"Naming Files, Paths, and Namespaces"): no reserved characters, no dot or space at the end, no device of DOS, and no two
names that differ in case only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from storage.errors import NameRefused
from storage.fileterms import require_place
from storage.filetree import Node
from storage.paths import join, name_of, nfc, parent_of

if TYPE_CHECKING:
    from storage.records import Folder
    from storage.session import Session

RESERVED = re.compile(r'[\\/:*?"<>|\x00-\x1f]')
DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])[ ]*(\..*)?", re.IGNORECASE | re.DOTALL)


def why_not(name: str) -> str | None:
    """What keeps Windows from showing a name, as the end of a sentence; None where nothing does."""
    found = RESERVED.search(name)
    if found is not None:
        return f"holds {found[0]!r}, which Windows cannot show"
    if name.endswith((".", " ")):
        return "ends with a dot or space, which Windows drops"
    if DEVICE.fullmatch(name):
        return "is that of a device in Windows"
    return None


def made_safe(name: str) -> str:
    """A name that anything can show, made of a text that is only a wish for one."""
    safe = RESERVED.sub("-", "".join(c if c.isprintable() else "-" for c in nfc(name))).strip(" .")
    if DEVICE.fullmatch(safe):
        device, dot, suffix = safe.partition(".")
        safe = f"{device}_{dot}{suffix}"
    return safe or "Untitled"


def caseless(name: str) -> str:
    """A name as Windows compares it: letter by letter in capitals, so that ``ß`` is not ``SS``."""
    return name.upper() if name.isascii() else "".join(c.upper() if len(c.upper()) == 1 else c for c in name)


def require_portable(session: Session, path: str, *, leaving: str | None = None) -> None:
    """
    Raise NameRefused where a new name is not for the folder it is to stand in.

    Args:
        leaving: the path of what gets the name and gives up its own.
    """
    above = parent_of(path)
    if not session.store.rulebook.settings_of(above).portable:
        return
    require_portable_name(session, path)
    folder = session.store.find_folder(require_place(above))
    if folder is not None:
        taken = (name for name in names_in(session, folder) if join(above, name) not in (path, leaving))
        _require_apart(name_of(path), taken)


def require_portable_name(session: Session, path: str) -> None:
    """As ``require_portable``, whatever other names there are."""
    if session.store.rulebook.settings_of(parent_of(path)).portable:
        _require(name_of(path))


def require_portable_tree(session: Session, node: Node, target: str) -> None:
    """Raise NameRefused where anything below a folder has a name that is not for the place it would come to."""
    if not node.is_folder or not session.store.rulebook.settings_of(parent_of(target)).portable:
        return
    for folder in session.store.tree(node.folder):
        names = sorted(names_in(session, folder), key=caseless)
        for before, name in zip(["", *names], names, strict=False):
            _require(name)
            _require_apart(name, [before])


def names_in(session: Session, folder: Folder) -> Iterator[str]:
    """Every name in a folder, whoever may know of it."""
    yield from (nfc(child.name) for child in session.store.folders(folder))
    yield from (member.name for member in session.store.members(folder))


def _require(name: str) -> None:
    why = why_not(name)
    if why is not None:
        raise NameRefused(name, f"{why}; this folder takes portable names only")


def _require_apart(name: str, others: Iterable[str]) -> None:
    folded = caseless(name)
    if any(caseless(other) == folded for other in others):
        raise NameRefused(name, "differs from that of another file or folder in case only; rename one of them")
