"""What a shelf can refuse. ``davserver/errors.py`` turns each into a status and a precondition, by view."""

from __future__ import annotations

import errno
from collections.abc import Sequence

# What a disk answers that takes nothing more: no blocks left, the quota of the server's account, a limit on file sizes.
FULL_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class StorageError(Exception):
    """Base of what this room raises."""


class NotFound(StorageError):
    """Nothing stands at the path (or nothing that the principal may know of)."""

    def __init__(self, path: str) -> None:
        super().__init__(f"nothing at {path}")
        self.path = path


class ParentMissing(StorageError):
    """The folder or collection that should hold the new resource does not exist (RFC 4918 §9.7.1: 409)."""

    def __init__(self, path: str) -> None:
        super().__init__(f"the folder above {path} does not exist; make it first")
        self.path = path


class AlreadyExists(StorageError):
    """Something stands at the path already (MKCOL: 405; Overwrite: F: 412)."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} exists already")
        self.path = path


class NameRefused(StorageError):
    """A name that the server does not store: reserved, too long, or not a name (403)."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"the name {name!r} {why}")
        self.name = name


class PlaceRefused(StorageError):
    """
    The resource cannot be made, moved or removed there (403).

    Attributes:
        condition: local name of the precondition where one fits, such as ``calendar-collection-location-ok``; else "".
    """

    def __init__(self, path: str, why: str, condition: str = "") -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
        self.condition = condition


class NamedByServer(StorageError):
    """What comes into a folder is named by the server, so it is sent to the folder itself (RFC 5995 §4.1: 403)."""

    def __init__(self, folder: str) -> None:
        super().__init__(f"{folder} takes what is sent to it by POST, and names it")
        self.folder = folder


class ReadOnly(StorageError):
    """A derived or fixed resource (405)."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} is written by the server and cannot be changed")
        self.path = path


class PreconditionFailed(StorageError):
    """If-Match, If-None-Match or another header of the request does not hold (412)."""


class NotLocked(PreconditionFailed):
    """A lock that is to be refreshed is none of the principal's on the resource (RFC 4918 §9.10.6: 412)."""


class ItemRefused(StorageError):
    """
    A calendar object or card that cannot be stored as it is (403).

    Attributes:
        condition: local name of the precondition (RFC 4791 §5.3.2.1, RFC 6352 §6.3.2.1): ``valid-calendar-data``.
        is_card: whether it is an address book's, where both RFCs have a precondition of that name.
    """

    def __init__(self, condition: str, why: str, *, is_card: bool = False) -> None:
        super().__init__(why)
        self.condition = condition
        self.is_card = is_card


class UidConflict(StorageError):
    """Another member of the collection holds this UID (RFC 4791 §5.3.2.1, RFC 6352 §6.3.2.1)."""

    def __init__(self, uid: str, holder: str, *, is_card: bool = False) -> None:
        super().__init__(f"UID {uid!r} is already used by {holder}; update that member instead")
        self.uid = uid
        self.holder = holder
        self.is_card = is_card


class BookingRefused(StorageError):
    """The room or vehicle is taken at that time, and its settings refuse a second booking (409)."""


class InvalidSyncToken(StorageError):
    """The token is of another epoch or collection, older than the kept log or ahead of it (RFC 6578 §3.2)."""


class Locked(StorageError):
    """
    A lock whose token was not submitted stands in the way (423).

    Attributes:
        roots: paths of the locks' roots.
    """

    def __init__(self, roots: Sequence[str]) -> None:
        super().__init__(f"locked at {', '.join(roots)}; submit the lock token or wait until it is released")
        self.roots = tuple(roots)


class QuotaExceeded(StorageError):
    """The member's or folder's quota would be exceeded (507, RFC 4331 §6)."""


class DiskFull(StorageError):
    """The disk has no room left (507)."""

    def __init__(self, sentence: str = "the disk has no room left; nothing was changed") -> None:
        super().__init__(sentence)


class FileRefused(StorageError):
    """A configuration file of an object that is broken or gives too much: 422 with lines and reasons as text."""


class TooManyLocks(StorageError):
    """A member holds as many locks as the configuration allows (403)."""

    def __init__(self, most: int) -> None:
        super().__init__(f"{most} locks are the most that one member may hold; release one first")


class StoreBusy(StorageError):
    """Another process holds the data folder."""

    def __init__(self, data: str) -> None:
        super().__init__(f"{data} is in use by another davserver or Radicale; stop it first")


class LockConflict(Locked):
    """
    A lock that is asked for cannot stand beside those of ``roots`` (RFC 4918 §9.10.6).

    Attributes:
        asked: path of what was to be locked.
    """

    def __init__(self, roots: Sequence[str], asked: str) -> None:
        super().__init__(roots)
        self.asked = asked


class IsFolder(ReadOnly):
    """A file cannot be put where a folder stands (405)."""

    def __init__(self, path: str) -> None:
        StorageError.__init__(self, f"{path} is a folder; a file cannot be put in its place")
        self.path = path


class IndexDamaged(StorageError):
    """The index file is damaged; it can be deleted and is made anew at the next start."""
