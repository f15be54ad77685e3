"""The trash: what is deleted through any URL is moved to ``data/trash`` with its path and state."""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterable

from storage.state import Change

ENTRY_FILE = ".entry.json"
NO_LINKS = frozenset({errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP})


def new_entry(now_s: float) -> str:
    """A name for an entry; names sort by the time they are of."""
    return f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(now_s))}-{secrets.token_hex(4)}"


def describe(*, path: str, by: str | None, now_s: float, changes: Iterable[Change]) -> str:
    """
    What stands beside a file or folder in the trash, as JSON: the way back.

    Args:
        path: canonical path it had.
        changes: the state that is kept of it in the folder above; a folder's own state goes along inside it.
    """
    state = {key: value for _, key, value in changes}
    return json.dumps({"path": path, "by": by, "at": now_s, "state": state}, ensure_ascii=False)


def discard(trash: str, entry: str, file: str, about: str, *, replaced: bool = False) -> None:
    """
    Move a file or folder into an entry of the trash by a rename.

    Args:
        replaced: the file is about to be renamed over; it stays where it is until then, under a second hard link.
    """
    folder = f"{trash}/{entry}"
    os.makedirs(folder, 0o700, exist_ok=True)  # an administrator empties the trash by deleting it
    with open(f"{folder}/{ENTRY_FILE}", "w", encoding="utf-8", errors="surrogatepass") as opened:
        opened.write(about)
    target = f"{folder}/{os.path.basename(file)}"
    if not (replaced and _link(file, target)):
        os.rename(file, target)


def _link(file: str, target: str) -> bool:
    """Whether the disk can give a file a second name; there are file systems that cannot."""
    try:
        os.link(file, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        return False
    return True


def purge(trash: str, *, before_s: float) -> int:
    """Remove the entries that are older than a time for good; gives how many."""
    limit = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(before_s))
    entries = os.scandir(trash) if os.path.isdir(trash) else ()
    old = [entry.path for entry in entries if entry.name < limit]
    for entry in old:
        shutil.rmtree(entry, ignore_errors=True)
    return len(old)
