"""What the index knows of a folder and of a file in it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from storage import paths
from storage.disk import modified_of

NEVER = 0
DISTRUSTED = -1

LENGTHS_S = (86_400, 8 * 86_400, 64 * 86_400, 512 * 86_400)  # the longest span of a kind; kind 4 has no longest
LOCAL = 8  # added to the kind of what stands on a local clock
OPEN_ROW = 7  # the kind of what takes place between start and end or not: only the object itself can say
LONG_AGO, FAR_AWAY = -(1 << 60), 1 << 60


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


class Member(NamedTuple):
    """
    A regular file in a folder. A tuple, as lists of ten thousands of them are made.

    Attributes:
        id: number that no other version of any file has; what the index keeps of its content hangs on it.
        name: in NFC; ``disk_name`` is how it is spelled on disk.
        etag: the bare value, without quotes. For calendar objects and cards a hash of the bytes.
        size: bytes.
        uid, component: of a calendar object or card; component is ``VEVENT``, ``VTODO``, ``VJOURNAL`` or ``VCARD``.
        plain: whether its ``Facts`` say all that a filter on properties can ask.
    """

    id: int
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
    plain: int = 0

    @classmethod
    def of(
        cls, id: int, name: str, disk_name: str, etag: str, status: os.stat_result, *, created_ns: int, facts: Facts
    ) -> Member:
        """The row of a file whose status is at hand."""
        return cls(
            id,
            name,
            disk_name,
            etag,
            status.st_size,
            status.st_ino,
            modified_of(status),
            status.st_ctime_ns,
            created_ns,
            facts.uid,
            facts.component,
            int(facts.plain),
        )


class Veil(IntEnum):
    """From whom something that went may have been hidden; it stays with the name in the log."""

    NONE = 0  # whoever may read in the folder knew of it, and nobody else
    SOME = 1  # some who may not read there may have known of it too: its maker, of a folder whoever may write there
    RULED = 2  # it had rules or an owner of its own: nobody can be sure


class NameChange(NamedTuple):
    """
    The newest change of a name in a folder's log.

    Attributes:
        n: its number; changes are numbered through the whole index.
        veiled: who may have known of what had the name before.
    """

    n: int
    name: str
    veiled: Veil


class Span(NamedTuple):
    """
    When a calendar object takes place, once: it overlaps a range from S to E if ``start_s < E and end_s > S``.

    Attributes:
        kind: a class of lengths, which bounds how far before a range it can have begun; see ``LENGTHS_S``.
        start_s, end_s: unix seconds; what its clock shows, as if it were UTC, where the kind is local.
        busy: the occurrence takes time of its owner: 0 no, 1 yes, 2 tentatively (RFC 4791 §7.10).
    """

    kind: int
    start_s: int
    end_s: int
    busy: int


class Text(NamedTuple):
    """
    A value of a property as a filter compares it (RFC 4791 §9.7.5, RFC 6352 §10.5.4).

    Attributes:
        folded: under ``i;unicode-casemap``; None where that is the value in upper-case ASCII.
    """

    name: str
    value: str
    folded: str | None


class Content(NamedTuple):
    """
    The bytes of an item, so that reports need not open its file.

    Attributes:
        zones: offset of the first byte after the time zones, where a calendar has its parts in the usual order:
            head, zones, components, ``END:VCALENDAR``; else 0.
        head: offset where the first part begins.
        tail: offset of ``END:VCALENDAR``.
    """

    data: bytes
    head: int = 0
    zones: int = 0
    tail: int = 0


class Stamps(NamedTuple):
    """What of a member tells whether a file is still the one of its row: all that the start reads of most of them."""

    name: str
    disk_name: str
    inode: int
    size: int
    modified_ns: int
    changed_ns: int


def agrees(row: Member | Stamps, status: os.stat_result) -> bool:
    """Whether a file is the one that its row describes."""
    return (
        row.changed_ns == status.st_ctime_ns
        and row.inode == status.st_ino
        and row.size == status.st_size
        and row.modified_ns == modified_of(status)
    )


@dataclass(frozen=True, slots=True)
class Facts:
    """
    What the index keeps of a calendar object or card; see ``Member``.

    Attributes:
        plain: it has one component, and each of its values that ``storage.searchable`` lists stands whole in ``texts``.
    """

    uid: str | None = None
    component: str | None = None
    plain: bool = False
    spans: tuple[Span, ...] = ()
    texts: tuple[Text, ...] = ()
    content: Content | None = None


NO_FACTS = Facts()


def etag_of(hexdigest: str) -> str:
    """The ETag of bytes by their SHA-256: 32 hexadecimal characters."""
    return hexdigest[:32]
