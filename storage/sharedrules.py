"""
The rules of calendars, address books and lists, as ``/files/Collections/<owner>/<name>/access.toml``.

A calendar collection holds calendar objects only (RFC 4791 §4.2), so its rules lie in it as ``.access.toml``, which no
DAV client sees, and are edited here.
"""

from __future__ import annotations

import hashlib
import os
import stat
from typing import TYPE_CHECKING

from storage.disk import open_to_read
from storage.paths import COLLECTIONS, DAV, HIDDEN_ACCESS_FILE, name_of, parent_of
from storage.records import Folder, Member, etag_of

if TYPE_CHECKING:
    from storage.store import Store
    from storage.transaction import Transaction


def collection_of(path: str) -> str:
    """The collection whose rules a path below ``/files/Collections/`` speaks of."""
    above = parent_of(path) if name_of(path) and path.count("/") > 4 else path
    return DAV + above[len(COLLECTIONS) :]


def open_rules(store: Store, folder: Folder) -> tuple[int, Member] | None:
    """The rules of a collection as a descriptor that the caller closes, and a row that agrees with the bytes."""
    try:
        fd = open_to_read(store.file(folder.place, HIDDEN_ACCESS_FILE))
    except OSError:  # there is none, or something that is not a file has the name
        return None
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode):
        os.close(fd)
        return None
    etag = etag_of(hashlib.sha256(os.pread(fd, status.st_size, 0)).hexdigest())
    times = (status.st_mtime_ns, status.st_ctime_ns, status.st_mtime_ns)
    return fd, Member(0, "access.toml", HIDDEN_ACCESS_FILE, etag, status.st_size, status.st_ino, *times)


def find_rules_member(store: Store, folder: Folder) -> Member | None:
    """The row of a collection's rules, or None where it has none of its own."""
    found = open_rules(store, folder)
    if found is None:
        return None
    os.close(found[0])
    return found[1]


def write_rules(store: Store, tx: Transaction, place: str, data: bytes) -> None:
    """Put the rules of a collection in force; the caller holds its write lock."""
    with store.scratch(place) as scratch:
        scratch.write(data)
        scratch.finish()
        tx.rules_changed(place)
        scratch.rename_to(store.file(place, HIDDEN_ACCESS_FILE))


def remove_rules(store: Store, tx: Transaction, place: str) -> None:
    """Take a collection's own rules away; the caller holds its write lock."""
    tx.rules_changed(place)
    os.unlink(store.file(place, HIDDEN_ACCESS_FILE))
