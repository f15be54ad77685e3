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


def discard(
    trash: str,
    file: str,
    *,
    path: str,
    name: str,
    by: str | None,
    now_s: float,
    changes: Iterable[Change],
    replaced: bool = False,
) -> str:
    """
    Move a file or folder into the trash by a rename, and give the entry's folder.

    Args:
        path: canonical path it had; kept with who deleted it and when, for the way back.
        changes: the state that is kept of it in the folder above; a folder's own state goes along inside it.
        replaced: the file is about to be renamed over; it stays where it is until then, under a second hard link.
    """
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now_s))
    entry = f"{trash}/{stamp}-{secrets.token_hex(4)}"
    os.makedirs(entry, 0o700)  # an administrator empties the trash by deleting it
    state = {key: value for _, key, value in changes}
    with open(f"{entry}/{ENTRY_FILE}", "w", encoding="utf-8") as about:
        json.dump({"path": path, "by": by, "at": now_s, "state": state}, about, ensure_ascii=False)
    if not (replaced and _link(file, f"{entry}/{name}")):
        os.rename(file, f"{entry}/{name}")
    return entry


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
