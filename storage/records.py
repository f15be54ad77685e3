"""What the index knows of a folder and of a file in it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import IntEnum

from storage import paths

NEVER = 0
DISTRUSTED = -1


@dataclass(frozen=True, slots=True)
class Folder:
    """
    Any directory: a shared folder, a home, a calendar.

    Attributes:
        id: row number in the index, good for as long as the index.
        place: its path below the data folder, ``files/Sport``.
        cid: collection id in its sync tokens.
        counter: number of the newest change in it.
        kept_from: the smallest counter that a sync token may hold.
        inode, stamp_ns: of the directory when it was last compared with its rows; ``NEVER`` and ``DISTRUSTED`` stand
            for a folder that was not compared yet and for one that must be compared again.
        modified_ns, created_ns: nanoseconds since 1970.
        owner: who made it and holds everything from here down, where that is kept.
        ruled: it has an ``access.toml``.
    """

    id: int
    place: str
    cid: str
    counter: int
    kept_from: int
    inode: int
    stamp_ns: int
    modified_ns: int
    created_ns: int
    owner: str | None
    ruled: int

    @property
    def name(self) -> str:
        """The last segment."""
        return paths.name_of(self.place)

    @property
    def path(self) -> str:
        """The canonical URL path, decoded."""
        return paths.path_of(self.place)


@dataclass(frozen=True, slots=True)
class Member:
    """
    A regular file in a folder.

    Attributes:
        name: in NFC; ``disk_name`` is how it is spelled on disk.
        etag: the bare value, without quotes. For calendar objects and cards a hash of the bytes.
        size: bytes.
        uid, component: of a calendar object or card; component is ``VEVENT``, ``VTODO``, ``VJOURNAL`` or ``VCARD``.
        first_s, last_s: bounds that enclose every occurrence, in seconds since 1970; None is open.
    """

    name: str
    disk_name: str
    etag: str
    size: int
    inode: int
    modified_ns: int
    changed_ns: int
    created_ns: int
    uid: str | None = None
    component: str | None = None
    first_s: int | None = None
    last_s: int | None = None

    @classmethod
    def of(
        cls, name: str, disk_name: str, etag: str, status: os.stat_result, *, created_ns: int, facts: Facts
    ) -> Member:
        """The row of a file whose status is at hand."""
        return cls(
            name,
            disk_name,
            etag,
            status.st_size,
            status.st_ino,
            status.st_mtime_ns,
            status.st_ctime_ns,
            created_ns,
            facts.uid,
            facts.component,
            facts.first_s,
            facts.last_s,
        )


class Veil(IntEnum):
    """From whom something that went may have been hidden; it stays with the name in the log."""

    NONE = 0  # whoever may read in the folder knew of it, and nobody else
    SOME = (
        1  # somebody who may not read there may have known of it too: who made it, or of a folder who may write there
    )
    RULED = 2  # it had rules or an owner of its own: nobody can be sure


@dataclass(frozen=True, slots=True)
class NameChange:
    """
    The newest change of a name in a folder's log.

    Attributes:
        n: its number; changes are numbered through the whole index.
        veiled: who may have known of what had the name before.
    """

    n: int
    name: str
    veiled: Veil


@dataclass(frozen=True, slots=True)
class Facts:
    """What the index keeps of a calendar object or card; see ``Member``."""

    uid: str | None = None
    component: str | None = None
    first_s: int | None = None
    last_s: int | None = None


NO_FACTS = Facts()


def etag_of(hexdigest: str) -> str:
    """The ETag of bytes by their SHA-256: 32 hexadecimal characters."""
    return hexdigest[:32]
