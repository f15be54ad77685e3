"""
What strangers add to a folder through a link: new files, never in the place of others, as much as the link may take.

A name that is taken gets a number, whoever may know of what has it, so that nothing is replaced and nobody learns more
than that. Nothing is made but files: a link adds to the folders that it shows.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

from auth.acl import Action
from auth.errors import NoSuchLink
from storage import quota, treerights
from storage.errors import ParentMissing, QuotaExceeded
from storage.fileterms import Terms, Upload, require_place
from storage.filetree import Node
from storage.linknames import is_closed, is_never_shown
from storage.linkview import PAGES, ZIP, require_taken
from storage.numbering import first_free, numbered
from storage.paths import is_former, is_within, join
from storage.portable import caseless, names_in, require_portable_name

if TYPE_CHECKING:
    from storage.links import Issued
    from storage.scratch import Scratch
    from storage.session import Session
    from storage.transaction import Transaction

CHUNK_BYTES = 256 * 1024


class Delivery:
    """
    Files for one folder: received one after the other, then stored together or not at all.

    Use it as a context manager: what was not stored is removed on leaving.

    Attributes:
        room_bytes: what may come, by the quotas of the link and of the folders it lies in.
    """

    def __init__(self, session: Session, issued: Issued, folder: str) -> None:
        """
        Args:
            session: of the link, with its right to add.
            folder: canonical path.

        Raises:
            ParentMissing: the link shows no such folder.
        """
        self._session = session
        self._store = session.store
        self._issued = issued
        self._folder = folder
        self._place = _place_in(session, issued, folder)
        left = [self._store.links.left_bytes(issued), *quota.left_bytes(session, join(folder, "…"))]
        self.room_bytes = max(0, min(left))
        self._received: list[tuple[str, Scratch]] = []
        self._scratches = ExitStack()

    def __enter__(self) -> Delivery:
        return self

    def __exit__(self, *_: object) -> None:
        self._scratches.close()

    def __len__(self) -> int:
        return len(self._received)

    def require_name(self, name: str) -> None:
        """Raise NameRefused for a name that cannot be stored here through a link."""
        require_taken(name)
        path = join(self._folder, name)
        treerights.require_create(self._session, path)
        require_portable_name(self._session, path)

    def receive(self, name: str, upload: Upload) -> None:
        """Read a file to the end. Raises NameRefused, QuotaExceeded, DiskFull and what the upload's source raises."""
        self.require_name(name)
        size = self._size()
        self._require_room(size + (upload.length or 0))
        scratch = self._scratches.enter_context(self._store.scratch(self._place))
        while chunk := upload.source.read(CHUNK_BYTES):
            self._require_room(size + scratch.size + len(chunk))
            scratch.write(chunk)
        if upload.modified_ns is not None:
            scratch.set_modified(upload.modified_ns)
        scratch.finish()
        self._received.append((name, scratch))

    def store(self) -> list[Node]:
        """
        Give what was received its names; it counts towards the link's quota from then on.

        Raises:
            NoSuchLink: the link has ended meanwhile.
            Locked, QuotaExceeded, DiskFull.
        """
        issued = self._store.links.find(self._issued.token)
        if issued is None or not issued.link.adds or issued.place != self._issued.place:
            raise NoSuchLink
        first = join(self._folder, self._received[0][0])
        with ExitStack() as promises, self._store.write(*sorted({self._place, issued.place})) as tx:
            promises.enter_context(self._store.promised.room(self._session, first, self._size()))
            treerights.require_unlocked(self._session, first, Terms(), tree=False)
            self._store.links.count_stored(tx, issued, self._size())
            names = _Names(self._session, tx, issued, self._folder)
            for name, scratch in self._received:
                tx.put(self._place, names.take(name), scratch)
            folder = tx.find_folder(self._place)
            rows = [(name, tx.find_member(self._place, name)) for name in names.taken_now]
        if folder is None:
            raise ParentMissing(self._folder)
        return [Node(join(self._folder, name), folder, row) for name, row in rows]

    def _size(self) -> int:
        return sum(scratch.size for _, scratch in self._received)

    def _require_room(self, size: int) -> None:
        if size > self.room_bytes:
            raise QuotaExceeded(f"{size} bytes are more than the {self.room_bytes} that fit")


class _Names:
    """The names that are free in a folder, under its write lock."""

    def __init__(self, session: Session, tx: Transaction, issued: Issued, folder: str) -> None:
        self._store = session.store
        self._tx = tx
        self._place = require_place(folder)
        self._inner = f"{folder}/"[len(issued.path) + 1 :]
        self._public = issued.link.public
        self._kept = PAGES | {caseless_zip(folder)}
        self._alike: set[str] | None = None  # names as Windows compares them, where the folder is for it
        row = tx.find_folder(self._place)
        if row is not None and self._store.rulebook.settings_of(folder).portable:
            self._alike = set(map(caseless, names_in(session, row)))
        self.taken_now: list[str] = []

    def take(self, name: str) -> str:
        """A name, or if it is taken a numbered one."""
        name = numbered(name, first_free(lambda number: self._is_taken(numbered(name, number))))
        self.taken_now.append(name)
        if self._alike is not None:
            self._alike.add(caseless(name))
        return name

    def _is_taken(self, name: str) -> bool:
        """Whether something has the name, or it is that of a page of the link, which nobody is to put in its place."""
        if name.casefold() in self._kept or self._inner + name in self._public:
            return True
        if self._alike is not None and caseless(name) in self._alike:
            return True
        known = self._tx.find_member(self._place, name) or self._tx.find_folder(f"{self._place}/{name}")
        return known is not None or os.path.lexists(self._store.file(self._place, name))


def caseless_zip(folder: str) -> str:
    """The name of a folder's archive, in lower case."""
    return (folder.rpartition("/")[2] + ZIP).casefold()


def _place_in(session: Session, issued: Issued, folder: str) -> str:
    """Where a folder that the link shows has its bytes. Raises ParentMissing."""
    if not is_within(folder, issued.path) or is_former(folder) or is_closed(folder):
        raise ParentMissing(folder)
    inner = folder[len(issued.path) + 1 :]
    node = None if inner and any(map(is_never_shown, inner.split("/"))) else session.files.tree.find(folder)
    if node is None or not node.is_folder or node.listing or not session.access.may(Action.CREATE, folder):
        raise ParentMissing(folder)
    if not is_within(node.folder.place, issued.place):
        raise ParentMissing(folder)
    return node.folder.place
