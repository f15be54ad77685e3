"""
The shelf of files: every write at ``/files/`` with the rights, locks and conditions it needs, asked under the lock.

A write asks for rights first, so that a refused upload is not read; conditions and locks are asked again when the
folder's write lock is held, so that nothing changes between the question and the rename.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from auth.acl import Action
from auth.errors import NeedPrivileges
from storage import objectfiles, quota, rulesgate, treerights
from storage.casting import read_short, require_vote
from storage.decisions import require_calendar, settle_decision
from storage.disk import read_bytes
from storage.errors import (
    AlreadyExists,
    IsFolder,
    LockConflict,
    Locked,
    NameRefused,
    NotFound,
    ParentMissing,
    PlaceRefused,
    PreconditionFailed,
    ReadOnly,
)
from storage.fileterms import Claim, Nothing, Stored, Terms, Upload, places_of, require_place, spot_of
from storage.filetransfer import Transfer, remove
from storage.filetree import FileTree, Node, is_rules_file, is_shared_rules
from storage.formerrules import entries_below, find_entry
from storage.made import open_made
from storage.numbering import first_free, numbered
from storage.objectnames import POLL_FILE, takes_answers
from storage.paths import FILES, LINKS_FILE, is_former, join, name_of, names_rules, parent_of
from storage.polls import find_poll
from storage.portable import require_portable
from storage.sharedrules import collection_of, open_rules, remove_rules, write_rules
from storage.starters import settle_starters
from storage.treesync import TreeSync

if TYPE_CHECKING:
    from storage.locks import Lock
    from storage.scratch import Scratch
    from storage.session import Session
    from storage.transaction import Transaction

CHUNK_BYTES = 256 * 1024
MOST_TRIES = 20  # at a card that others move meanwhile


class FileShelf:
    """Files and folders of one session's principal."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._store = session.store
        self.tree = FileTree(session)
        self.sync = TreeSync(session, self.tree)
        self._transfer = Transfer(session, self.tree)

    def open(self, node: Node) -> tuple[int, Node]:
        """A file's bytes as a descriptor that the caller closes, and the node that agrees with them."""
        if node.is_derived or is_shared_rules(node.path):
            name, folder = node.name, node.folder
            found = open_made(self._session, folder, name) if node.is_derived else open_rules(self._store, folder)
            if found is None:
                raise NotFound(node.path)
            return found[0], Node(node.path, node.folder, found[1])
        if node.member is None or not self.tree.may_read(node.path):
            raise NotFound(node.path)
        fd, member = self._store.open_member(node.folder, node.member.name, node.member)
        return fd, Node(node.path, node.folder, member)

    def put(self, path: str, upload: Upload, terms: Terms) -> Stored:
        """Store a file whole; a broken upload leaves what was there (RFC 4918 §9.7)."""
        if is_shared_rules(path):
            return self._put_shared_rules(path, upload, terms)
        before = self.tree.find(path)
        self._require_put(path, before)
        terms.check(before)
        treerights.require_unlocked(self._session, path, terms, tree=False, member=before is None)
        quota.require_room(self._session, path, quota.growth_bytes(path, _size(before), upload.length or 0))
        place, name = spot_of(path)
        with self._store.scratch(place) as scratch:
            self._receive(path, upload, scratch)
            for tries_left in reversed(range(MOST_TRIES)):
                self._bring_back(path, scratch, terms)
                with ExitStack() as promises, self._writing(path, terms, place) as (tx, node):
                    if node is None and tries_left and self._find_left(path, scratch, terms) is not None:
                        continue  # it left between the question and the lock
                    self._require_put(path, node)
                    require_vote(self._session, tx, path, lambda: read_short(scratch.file))
                    growth = quota.growth_bytes(path, _size(node), scratch.size)  # it may not be what was there before
                    promises.enter_context(self._store.promised.room(self._session, path, growth))
                    creator = treerights.creator_of_new(self._session, path) if node is None else None
                    by = treerights.actor(self._session, path)
                    member = tx.put(place, name, scratch, creator=creator, by=by)
                    settle_starters(self._session, tx, path)
                break
        folder = self._store.find_folder(place)
        if folder is None:
            raise NotFound(path)
        if name == POLL_FILE and (poll := find_poll(self._store, path)) is not None:
            settle_decision(self._store, poll)
        return Stored(Node(path, folder, member), node is None)

    def _find_left(self, path: str, scratch: Scratch, terms: Terms) -> str | None:
        """Where a card or note is that left a path while somebody had it open there; see ``objectfiles.find_left``."""
        if not objectfiles.is_object_path(path):
            return None
        return objectfiles.find_left(self._session, path, lambda: read_bytes(scratch.file), terms)

    def _bring_back(self, path: str, scratch: Scratch, terms: Terms) -> None:
        """Have such an object come back: what is stored is its text."""
        present = self._find_left(path, scratch, terms)
        if present is not None and self.tree.find(path) is None:
            with suppress(AlreadyExists, NotFound, PreconditionFailed):  # others move it too
                self._transfer.move(present, path, Terms(terms.tokens), overwrite=False)

    def add(self, folder: str, name: str, upload: Upload, terms: Terms) -> Stored:
        """Store a new file under a name, or a numbered one where it is taken; nothing is replaced (RFC 5995)."""
        path = join(folder, name)
        if names_rules(name):
            raise NameRefused(name, "is that of a file of the folder's rules or links; PUT it")
        objectfiles.require_no_settings(path)
        treerights.require_create(self._session, path)
        terms.check(None)
        treerights.require_unlocked(self._session, path, terms, tree=False)
        quota.require_room(self._session, path, upload.length or 0)
        place = require_place(folder)
        with self._store.scratch(place) as scratch:
            self._receive(path, upload, scratch)
            with ExitStack() as promises, self._store.write(place) as tx:
                promises.enter_context(self._store.promised.room(self._session, path, scratch.size))
                number = first_free(lambda number: self._is_taken(tx, place, numbered(name, number)))
                path = join(folder, numbered(name, number))
                treerights.require_unlocked(self._session, path, terms, tree=False)
                require_portable(self._session, path)
                creator = treerights.creator_of_new(self._session, path)
                by = self._session.principal.name
                member = tx.put(place, name_of(path), scratch, creator=creator, by=by)
        row = self._store.find_folder(place)
        if row is None:
            raise ParentMissing(path)
        return Stored(Node(path, row, member), True)

    def _is_taken(self, tx: Transaction, place: str, name: str) -> bool:
        known = tx.find_member(place, name) or tx.find_folder(f"{place}/{name}")
        return known is not None or os.path.lexists(self._store.file(place, name))

    def make_folder(self, path: str, terms: Terms, properties: dict[str, str] | None = None) -> None:
        """
        Make a folder (RFC 4918 §9.3). Raises AlreadyExists, ParentMissing.

        Args:
            properties: its dead properties (RFC 5689), Clark name to XML.
        """
        before = self.tree.find(path)
        terms.check(before)
        if before is not None:
            raise AlreadyExists(path)
        above = self.tree.find(parent_of(path))
        if above is None or not above.is_folder:
            raise ParentMissing(path)
        treerights.require_create(self._session, path)
        if is_rules_file(path) or objectfiles.settings_reader(path) is not None:
            raise PlaceRefused(path, "this name is for a file of the folder's rules, links or settings")
        objectfiles.require_folder(self._session, path)
        place = require_place(path)
        with self._writing(path, terms, place.rpartition("/")[0], place) as (tx, node):
            if node is not None or tx.find_folder(place) is not None:
                raise AlreadyExists(path)
            require_portable(self._session, path)
            tx.make_folder(
                place,
                owner=treerights.owner_of_new_folder(self._session, path),
                creator=treerights.creator_of_new(self._session, path),
                state={"props": properties or None},
            )
            objectfiles.furnish(self._session, tx, path)

    def remove(self, path: str, terms: Terms) -> None:
        """Put a file or a whole tree into the trash (RFC 4918 §9.6)."""
        node = self.tree.find_removable(path)
        if node is None:
            raise NotFound(path)
        if is_shared_rules(path):
            self._remove_shared_rules(node, terms)
            return
        if node.is_derived:
            raise ReadOnly(path)
        if is_former(path) and find_entry(self._store, path) is None:
            self._empty(node, terms)
            return
        along = objectfiles.files_of_answer(self._session, path)
        for each in [node] if along is None else [node, along]:
            treerights.require_movable(self._session, each)
            treerights.require_tree(self._session, each, treerights.REMOVE)
        with self._removing(node, terms, along) as (tx, present):
            if present is None:
                raise NotFound(path)
            gone = [each for each in (present, along and self.tree.find(along.path)) if each is not None]
            for each in gone:
                treerights.require_tree(self._session, each, treerights.REMOVE)
            require_vote(self._session, tx, path, None)
            for each in gone:
                remove(self._session, tx, each)

    def _empty(self, node: Node, terms: Terms) -> None:
        """
        Delete for good all that the principal may of a folder that only mirrors the tree, or of the whole trash.

        Raises:
            NeedPrivileges: something that it sees is not its to delete, and has stayed; the rest is gone.
        """
        terms.check(node)
        kept = []
        for path in sorted(entries_below(self._store, node.path)):
            try:
                if self.tree.find(path) is not None:
                    self.remove(path, Terms())
            except NeedPrivileges:
                kept.append(path)
            except NotFound:  # somebody else was faster
                pass
        if kept:
            raise NeedPrivileges(node.path, Action.DELETE, kept[: treerights.MOST_TOLD])

    def copy(self, source: str, target: str, terms: Terms, *, overwrite: bool, deep: bool) -> bool:
        """Copy what the principal may read (RFC 4918 §9.8); true if nothing stood at the target."""
        return self._transfer.copy(source, target, terms, overwrite=overwrite, deep=deep)

    def move(self, source: str, target: str, terms: Terms, *, overwrite: bool) -> bool:
        """Move a file or a whole tree (RFC 4918 §9.9); true if nothing stood at the target."""
        return self._transfer.move(source, target, terms, overwrite=overwrite)

    def set_properties(
        self,
        path: str,
        changes: dict[str, str | None],
        terms: Terms,
        *,
        most: int,
        modified_ns: int | None = None,
    ) -> None:
        """
        Set and remove dead properties together (RFC 4918 §9.2).

        Args:
            changes: Clark name to the property element as XML, None to remove it.
            most: how many a resource may have.
            modified_ns: the time of change that a file is to have, by the property that Explorer sets.
        """
        node = self.tree.get(path)
        self._require_properties(node)
        place, name = node.state_key
        with self._writing(path, terms, place, adds_member=False) as (tx, present):
            if present is None:
                raise NotFound(path)
            properties = {**self.tree.properties(present), **changes}
            kept = {key: value for key, value in properties.items() if value is not None}
            if len(kept) > most:
                raise PlaceRefused(path, f"{len(kept)} properties are more than the {most} that a resource may have")
            tx.set_state(place, name, "props", kept or None)
            if modified_ns is not None and present.member is not None:
                tx.set_modified(place, name, modified_ns)

    def lock(self, path: str, terms: Terms, claim: Claim) -> tuple[Lock, bool]:
        """
        Lock a resource; where there is none, an empty file is made (RFC 4918 §7.3, §9.10).

        Returns:
            The lock, and whether a file was made.
        """
        place = require_place(collection_of(path) if is_shared_rules(path) else parent_of(path))
        if self._store.find_folder(place) is None:
            self._require_lockable(path, None)  # whether there is a folder is not for everybody to know
            raise ParentMissing(path)
        with self._store.write(place):
            node = self.tree.find(path)
            self._require_lockable(path, node)
            terms.check(node)
            if node is None:
                treerights.require_unlocked(self._session, parent_of(path), terms, tree=False, member=False)
            lock = self._claim(path, claim)
            if node is None:
                self._fill_locked(path, Terms(terms.tokens | {lock.token}), lock)
        return lock, node is None

    def _claim(self, path: str, claim: Claim) -> Lock:
        try:
            return self._store.locks.create(
                path,
                infinite=claim.infinite,
                exclusive=claim.exclusive,
                owner=claim.owner_xml,
                principal=self._session.principal.name or "",
                timeout_s=objectfiles.lock_timeout_s(path, claim.timeout_s),
            )
        except Locked as error:
            raise LockConflict(error.roots, path) from error

    def _fill_locked(self, path: str, terms: Terms, lock: Lock) -> None:
        try:
            self.put(path, Upload(Nothing(), 0), terms)
        except BaseException:
            self._store.locks.remove(lock.token)
            raise

    def _require_lockable(self, path: str, node: Node | None) -> None:
        """Raise unless the principal may lock the resource, or the place where none is yet (RFC 4918 §7.3)."""
        access = self._session.access
        if is_shared_rules(path) and (node is None or not node.listing):
            self._require_shared_rules(path)
        elif node is None:
            treerights.require_create(self._session, path)
        elif node.listing or node.path == FILES:
            raise PlaceRefused(path, "this folder is put together by the server and cannot be locked")
        elif not node.is_folder or takes_answers(path) or not access.may(Action.CREATE, path):
            treerights.require_write(self._session, node)

    # what writes share

    @contextmanager
    def _writing(
        self, path: str, terms: Terms, *places: str, adds_member: bool = True
    ) -> Iterator[tuple[Transaction, Node | None]]:
        """The write lock of folders, with the present resource once its locks and the request's terms hold."""
        with self._store.write(*places) as tx:
            node = self.tree.find(path)
            terms.check(node)
            treerights.require_unlocked(self._session, path, terms, tree=False, member=adds_member and node is None)
            yield tx, node

    @contextmanager
    def _removing(
        self, node: Node, terms: Terms, along: Node | None = None
    ) -> Iterator[tuple[Transaction, Node | None]]:
        """Like ``_writing`` for what goes away with everything below it, and a folder that goes along with it."""
        gone = [node] if along is None else [node, along]
        places = sorted({place for each in gone for place in places_of(each)})
        with self._store.write(*places, tree=any(each.is_folder for each in gone), removes=True) as tx:
            present = self.tree.find_removable(node.path)
            terms.check(present)
            for each in gone:
                treerights.require_unlocked(self._session, each.path, terms, tree=True)
            yield tx, present

    def _require_properties(self, node: Node) -> None:
        if is_shared_rules(node.path):
            raise PlaceRefused(node.path, "the rules of a collection keep no properties")
        treerights.require_write(self._session, node)

    def _require_put(self, path: str, node: Node | None) -> None:
        if node is not None and node.is_folder:
            raise IsFolder(path)
        if node is not None:
            treerights.require_write(self._session, node)
        else:
            treerights.require_create(self._session, path)
            treerights.require_nothing_hidden(self._session, path)
            require_portable(self._session, path)

    def _receive(self, path: str, upload: Upload, scratch: Scratch) -> None:
        """Read a body into a scratch file, and judge it first where it comes into force as rules."""
        if rulesgate.holds_rules(path):
            data = read_rules(upload, path)
            rulesgate.require_rules(self._session, path, parent_of(path), data)
            scratch.write(data)
        elif objectfiles.settings_reader(path) is not None:
            data = read_rules(upload, path)
            objectfiles.require_settings(path, data)
            if name_of(path) == POLL_FILE:
                require_calendar(self._store, path, data)
            scratch.write(data)
        else:
            while chunk := upload.source.read(CHUNK_BYTES):
                scratch.write(chunk)
        if upload.modified_ns is not None:
            scratch.set_modified(upload.modified_ns)
        scratch.finish()

    # the rules of calendars and address books

    def _put_shared_rules(self, path: str, upload: Upload, terms: Terms) -> Stored:
        collection = self._require_shared_rules(path)
        data = read_rules(upload, path)
        rulesgate.require_rules(self._session, path, collection, data)
        with self._store.write(require_place(collection)) as tx:
            node = self.tree.find(path)
            terms.check(node)
            treerights.require_unlocked(self._session, path, terms, tree=False, member=False)
            write_rules(self._store, tx, require_place(collection), data)
        return Stored(self.tree.get(path), node is None)

    def _require_shared_rules(self, path: str) -> str:
        """The collection that the rules at a path are for, if the principal has ``admin`` on it."""
        collection = collection_of(path)
        self._session.access.require(Action.ADMIN, collection)
        if name_of(path) == LINKS_FILE:
            raise ReadOnly(path)
        if not rulesgate.holds_rules(path) or path.count("/") != 5:
            raise PlaceRefused(path, "only access.toml of a collection stands here")
        if self._store.find_folder(require_place(collection)) is None:
            raise ParentMissing(path)
        return collection

    def _remove_shared_rules(self, node: Node, terms: Terms) -> None:
        if node.is_folder:
            raise PlaceRefused(node.path, "this folder is the server's and stays where it is")
        if node.is_derived:
            raise ReadOnly(node.path)
        with self._store.write(node.folder.place) as tx:
            terms.check(self.tree.find(node.path))
            treerights.require_unlocked(self._session, node.path, terms, tree=False, member=False)
            remove_rules(self._store, tx, node.folder.place)
            self._store.locks.forget(node.path)


def read_rules(upload: Upload, path: str) -> bytes:
    """The whole body of an ``access.toml``."""
    parts: list[bytes] = []
    size = 0
    while chunk := upload.source.read(CHUNK_BYTES):
        size += len(chunk)
        if size > rulesgate.LONGEST_RULES_BYTES:
            raise PlaceRefused(path, f"rules are no longer than {rulesgate.LONGEST_RULES_BYTES} bytes")
        parts.append(chunk)
    return b"".join(parts)


def _size(node: Node | None) -> int:
    return node.member.size if node is not None and node.member is not None else 0
