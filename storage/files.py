"""
The shelf of files: every write at ``/files/`` with the rights, locks and conditions it needs, asked under the lock.

A write asks for rights first, so that a refused upload is not read; conditions and locks are asked again when the
folder's write lock is held, so that nothing changes between the question and the rename.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from auth.acl import Action
from auth.errors import NeedPrivileges
from storage import quota, rulesgate, treerights
from storage.errors import (
    AlreadyExists,
    IsFolder,
    LockConflict,
    Locked,
    NotFound,
    ParentMissing,
    PlaceRefused,
    PreconditionFailed,
)
from storage.filetree import FileTree, Node, is_rules_file, is_shared_rules
from storage.paths import FILES, is_within, name_of, parent_of, place_of
from storage.sharedrules import collection_of, remove_rules, write_rules

if TYPE_CHECKING:
    from storage.locks import Lock
    from storage.scratch import Scratch
    from storage.session import Session
    from storage.transaction import Transaction

CHUNK_BYTES = 256 * 1024


class Source(Protocol):
    """Bytes that arrive; ``read`` answers ``b""`` at the end and raises if the end came early."""

    def read(self, size: int, /) -> bytes: ...


def no_condition(node: Node | None) -> None:
    """What a request without conditional headers asks of the resource."""


@dataclass(frozen=True, slots=True)
class Terms:
    """
    What a request wants to hold at the moment of its change.

    Attributes:
        tokens: lock tokens submitted.
        check: called with the present resource, None if there is none; raises PreconditionFailed.
    """

    tokens: frozenset[str] = frozenset()
    check: Callable[[Node | None], None] = field(default=no_condition)


@dataclass(frozen=True, slots=True)
class Upload:
    """A body to store: its source, announced length (None when chunked) and the time of change it asks for."""

    source: Source
    length: int | None = None
    modified_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """What stands there now, and whether nothing stood there before."""

    node: Node
    created: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """A write lock that is asked for."""

    infinite: bool
    exclusive: bool
    owner_xml: str
    timeout_s: int


class Nothing:
    """The body of an empty file."""

    def read(self, size: int, /) -> bytes:
        """The end."""
        return b""


class FileShelf:
    """Files and folders of one session's principal."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._store = session.store
        self.tree = FileTree(session)

    def open(self, node: Node) -> tuple[int, Node]:
        """A file's bytes as a descriptor that the caller closes, and the node that agrees with them."""
        if node.member is None or not self.tree.may_read(node.path):
            raise NotFound(node.path)
        fd, member = self._store.open_member(node.folder, node.member.name)
        return fd, Node(node.path, node.folder, member)

    def put(self, path: str, upload: Upload, terms: Terms) -> Stored:
        """Store a file whole; a broken upload leaves what was there (RFC 4918 §9.7)."""
        if is_shared_rules(path):
            return self._put_shared_rules(path, upload, terms)
        before = self._require_put(path, terms)
        quota.require_room(self._session, path, (upload.length or 0) - _size(before))
        place, name = _spot(path)
        with self._store.scratch(place) as scratch:
            self._receive(path, upload, scratch)
            with self._writing(path, terms, place) as (tx, node):
                if node is None:
                    self._require_nothing_hidden(path)
                quota.require_room(self._session, path, scratch.size - _size(node))
                creator = treerights.creator_of_new(self._session, path) if node is None else None
                member = tx.put(place, name, scratch, creator=creator)
        folder = self._store.find_folder(place)
        if folder is None:
            raise NotFound(path)
        return Stored(Node(path, folder, member), node is None)

    def make_folder(self, path: str, terms: Terms) -> None:
        """Make a folder (RFC 4918 §9.3). Raises AlreadyExists, ParentMissing."""
        treerights.require_create(self._session, path)
        if is_rules_file(path):
            raise PlaceRefused(path, "this name is for a file of the folder's rules or links")
        place = _place(path)
        with self._writing(path, terms, place.rpartition("/")[0]) as (tx, node):
            if node is not None or tx.find_folder(place) is not None:
                raise AlreadyExists(path)
            tx.make_folder(
                place,
                owner=treerights.owner_of_new_folder(self._session, path),
                creator=treerights.creator_of_new(self._session, path),
            )

    def remove(self, path: str, terms: Terms) -> None:
        """Put a file or a whole tree into the trash (RFC 4918 §9.6)."""
        node = self.tree.get(path)
        if is_shared_rules(path):
            self._remove_shared_rules(node, terms)
            return
        treerights.require_movable(self._session, node)
        treerights.require_tree(self._session, node, treerights.REMOVE)
        with self._removing(node, terms) as (tx, present):
            if present is None:
                raise NotFound(path)
            treerights.require_tree(self._session, present, treerights.REMOVE)
            self._remove(tx, present)
        self._store.locks.forget(path)

    def copy(self, source: str, target: str, terms: Terms, *, overwrite: bool, deep: bool) -> bool:
        """Copy what the principal may read (RFC 4918 §9.8); true if nothing stood at the target."""
        node = self._require_pair(source, target)
        data = self._rules_bytes(node, target)
        before = self._require_target(node, target, overwrite=overwrite)
        quota.require_room(self._session, target, self._tree_size(node, deep=deep))
        with self._store.write(*_both(node, target), tree=_is_tree(node, before)) as tx:
            terms.check(self.tree.find(source))
            self._require_unlocked(target, terms, tree=True)
            if data is not None:
                rulesgate.require_rules(self._session, target, parent_of(target), data)
            before = self._require_target(node, target, overwrite=overwrite)
            creator = self._creator_after(before, source, target)
            if before is not None:
                self._remove(tx, before)
            self._copy(tx, node, target, creator, deep=deep)
        return before is None

    def move(self, source: str, target: str, terms: Terms, *, overwrite: bool) -> bool:
        """Move a file or a whole tree (RFC 4918 §9.9); true if nothing stood at the target."""
        node = self._require_pair(source, target)
        self._require_leave(node, target)
        data = self._rules_bytes(node, target)
        before = self._require_target(node, target, overwrite=overwrite)
        if quota.counted_folder(source) != quota.counted_folder(target):
            quota.require_room(self._session, target, self._tree_size(node, deep=True))
        with self._store.write(*_both(node, target), tree=_is_tree(node, before)) as tx:
            present = self.tree.get(source)
            terms.check(present)
            self._require_unlocked(source, terms, tree=True)
            self._require_unlocked(target, terms, tree=True)
            self._require_leave(present, target)
            if data is not None:
                rulesgate.require_rules(self._session, target, parent_of(target), data)
            before = self._require_target(node, target, overwrite=overwrite)
            creator = self._creator_after(before, source, target, moved=True)
            if before is not None:
                self._remove(tx, before)
            self._move(tx, present, target, creator)
        self._store.locks.forget(source)
        return before is None

    def set_properties(self, path: str, changes: dict[str, str | None], terms: Terms, *, most: int) -> None:
        """
        Set and remove dead properties together (RFC 4918 §9.2).

        Args:
            changes: Clark name to the property element as XML, None to remove it.
            most: how many a resource may have.
        """
        node = self.tree.get(path)
        self._require_properties(node)
        place, name = node.state_key
        with self._writing(path, terms, place, adds_member=False) as (tx, present):
            if present is None:
                raise NotFound(path)
            properties = {**self.properties(present), **changes}
            kept = {key: value for key, value in properties.items() if value is not None}
            if len(kept) > most:
                raise PlaceRefused(path, f"{len(kept)} properties are more than the {most} that a resource may have")
            tx.set_state(place, name, "props", kept or None)

    def properties(self, node: Node) -> dict[str, str]:
        """The dead properties of a resource: Clark name to XML."""
        if node.listing or is_shared_rules(node.path):
            return {}
        place, name = node.state_key
        found: Any = self._store.state(place).get(name, "props")
        return dict(found) if isinstance(found, dict) else {}

    def lock(self, path: str, terms: Terms, claim: Claim) -> tuple[Lock, bool]:
        """
        Lock a resource; where there is none, an empty file is made (RFC 4918 §7.3, §9.10).

        Returns:
            The lock, and whether a file was made.
        """
        self.require_lockable(path)
        place = _place(collection_of(path) if is_shared_rules(path) else parent_of(path))
        if self._store.find_folder(place) is None:
            raise ParentMissing(path)
        with self._store.write(place):
            node = self.tree.find(path)
            terms.check(node)
            if node is None:
                self._require_unlocked(parent_of(path), terms, tree=False, member=False)
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
                timeout_s=claim.timeout_s,
            )
        except Locked as error:
            raise LockConflict(error.roots) from error

    def _fill_locked(self, path: str, terms: Terms, lock: Lock) -> None:
        try:
            self.put(path, Upload(Nothing(), 0), terms)
        except BaseException:
            self._store.locks.remove(lock.token)
            raise

    def require_lockable(self, path: str) -> None:
        """Raise unless the principal may lock the resource, or the place where none is yet (RFC 4918 §7.3)."""
        node = self.tree.find(path)
        if node is None:
            treerights.require_create(self._session, path)
        elif node.listing or node.path == FILES:
            raise PlaceRefused(path, "this folder is put together by the server and cannot be locked")
        elif not node.is_folder or not self._session.access.may(Action.CREATE, path):
            self._require_write(node)

    # what writes share

    @contextmanager
    def _writing(
        self, path: str, terms: Terms, place: str, *, adds_member: bool = True
    ) -> Iterator[tuple[Transaction, Node | None]]:
        """The write lock of a folder, with the present resource once its locks and the request's terms hold."""
        with self._store.write(place) as tx:
            node = self.tree.find(path)
            terms.check(node)
            self._require_unlocked(path, terms, tree=False, member=adds_member and node is None)
            yield tx, node

    @contextmanager
    def _removing(self, node: Node, terms: Terms) -> Iterator[tuple[Transaction, Node | None]]:
        """Like ``_writing`` for what goes away with everything below it."""
        with self._store.write(*_places(node), tree=node.is_folder) as tx:
            present = self.tree.find(node.path)
            terms.check(present)
            self._require_unlocked(node.path, terms, tree=True)
            yield tx, present

    def _require_unlocked(self, path: str, terms: Terms, *, tree: bool, member: bool = True) -> None:
        """A lock on the folder guards its list of members, one on the resource the resource (RFC 4918 §7.4)."""
        name = self._session.principal.name or ""
        self._store.locks.require(path, terms.tokens, name, tree=tree)
        if member:
            self._store.locks.require(parent_of(path), terms.tokens, name)

    def _require_write(self, node: Node) -> None:
        if node.listing or node.path == FILES:
            raise PlaceRefused(node.path, "this folder is put together by the server")
        path = node.path
        if is_shared_rules(path):
            self._session.access.require(Action.ADMIN, collection_of(path))
        else:
            treerights.require(self._session, Action.WRITE, path)

    def _require_properties(self, node: Node) -> None:
        if is_shared_rules(node.path):
            raise PlaceRefused(node.path, "the rules of a collection keep no properties")
        self._require_write(node)

    def _require_put(self, path: str, terms: Terms) -> Node | None:
        node = self.tree.find(path)
        if node is not None and node.is_folder:
            raise IsFolder(path)
        if node is None:
            treerights.require_create(self._session, path)
            self._require_nothing_hidden(path)
        else:
            self._require_write(node)
        terms.check(node)
        self._require_unlocked(path, terms, tree=False, member=node is None)
        return node

    def _require_nothing_hidden(self, path: str) -> None:
        """A name that is taken by what the principal may not know of is not theirs to replace."""
        place, name = _spot(path)
        folder = self._store.find_folder(place)
        if folder is None:
            raise ParentMissing(path)
        taken = self._store.find_member(folder, name) is not None
        if taken or self._store.find_folder(f"{place}/{name}") is not None:
            raise NeedPrivileges(path, Action.WRITE)

    def _receive(self, path: str, upload: Upload, scratch: Scratch) -> None:
        """Read a body into a scratch file, and judge it first where it comes into force as rules."""
        if rulesgate.holds_rules(path):
            data = read_rules(upload, path)
            rulesgate.require_rules(self._session, path, parent_of(path), data)
            scratch.write(data)
        else:
            while chunk := upload.source.read(CHUNK_BYTES):
                scratch.write(chunk)
        if upload.modified_ns is not None:
            scratch.set_modified(upload.modified_ns)
        scratch.finish()

    # COPY and MOVE

    def _require_pair(self, source: str, target: str) -> Node:
        node = self.tree.get(source)
        if is_within(target, source) or is_within(source, target):
            raise PlaceRefused(target, "a resource cannot be copied or moved onto, into or over itself")
        if node.listing or node.path == FILES or is_shared_rules(source):
            raise PlaceRefused(source, "this folder is the server's; copy or move what lies in it")
        return node

    def _require_leave(self, node: Node, target: str) -> None:
        treerights.require_movable(self._session, node)
        treerights.require_tree(self._session, node, treerights.TAKE_AWAY)
        treerights.require_free_of_rules(self._session, node, parent_of(target))

    def _require_target(self, node: Node, target: str, *, overwrite: bool) -> Node | None:
        """What stands at the target and gives way, once the principal may put the new resource there."""
        parent = self.tree.find(parent_of(target))
        if parent is None or not parent.is_folder:
            raise ParentMissing(target)
        before = self.tree.find(target)
        if before is None:
            treerights.require_create(self._session, target)
            self._require_nothing_hidden(target)
            return None
        if not overwrite:
            raise PreconditionFailed(f"{target} exists and the request says Overwrite: F")
        if not before.is_folder and not node.is_folder:
            self._require_write(before)
            return before
        treerights.require_movable(self._session, before)
        treerights.require_tree(self._session, before, treerights.REMOVE)
        treerights.require_create(self._session, target)
        return before

    def _rules_bytes(self, node: Node, target: str) -> bytes | None:
        """The bytes of a file that becomes rules by this COPY or MOVE."""
        if not rulesgate.holds_rules(target):
            return None
        if node.member is None:
            raise PlaceRefused(target, "this name is for the rules of the folder, which are a file")
        self._session.access.require(Action.ADMIN, parent_of(target))
        data, _ = self._store.read_member(node.folder, node.member.name)
        return data

    def _remove(self, tx: Transaction, node: Node) -> None:
        by = self._session.principal.name
        if node.member is None:
            tx.remove_folder(node.folder.place, by=by)
        else:
            tx.remove(node.folder.place, node.member.name, by=by)

    def _tree_size(self, node: Node, *, deep: bool) -> int:
        if node.member is not None:
            return node.member.size
        return self._store.tree_bytes(node.folder) if deep else 0

    def _copy(self, tx: Transaction, node: Node, target: str, creator: str | None, *, deep: bool) -> None:
        place, name = _spot(target)
        if node.member is not None:
            tx.copy(node.folder.place, node.member.name, place, name, creator=creator)
            return
        owner = treerights.owner_of_new_folder(self._session, target)
        tx.make_folder(f"{place}/{name}", owner=owner, creator=creator)
        properties = self.properties(node)
        if properties:
            tx.set_state(f"{place}/{name}", "", "props", properties)
        for child in self.tree.children(node) if deep else ():
            if not is_rules_file(child.path):
                self._copy(tx, child, f"{target}/{child.name}", creator, deep=True)

    def _creator_after(self, before: Node | None, source: str, target: str, *, moved: bool = False) -> str | None:
        """The maker to keep at the target: of a replaced file its own, within a folder the old one."""
        book = self._store.rulebook
        if before is not None and not before.is_folder:
            return book.creator(target)
        if parent_of(source) == parent_of(target) and moved:
            return book.creator(source)
        return treerights.creator_of_new(self._session, target)

    def _move(self, tx: Transaction, node: Node, target: str, creator: str | None) -> None:
        place, name = _spot(target)
        if node.member is not None:
            tx.move(node.folder.place, node.member.name, place, name)
            tx.set_state(place, name, "creator", creator)
            return
        same_folder = parent_of(node.path) == parent_of(target)
        tx.move_folder(node.folder.place, f"{place}/{name}")
        if not same_folder:
            self._settle(tx, f"{place}/{name}", target, creator)

    def _settle(self, tx: Transaction, place: str, path: str, creator: str | None) -> None:
        """In a moved tree nobody keeps what ownership and authorship gave in the old place."""
        folder = tx.find_folder(place)
        if folder is None:
            return
        for below in self._store.tree(folder):
            state = self._store.state(below.place)
            for name in state.names():
                for key in ("owner", "creator"):
                    if state.get(name, key) is not None:
                        tx.set_state(below.place, name, key, None)
        tx.set_state(place, "", "owner", treerights.owner_of_new_folder(self._session, path))
        tx.set_state(place, "", "creator", creator)

    # the rules of calendars and address books

    def _put_shared_rules(self, path: str, upload: Upload, terms: Terms) -> Stored:
        collection = collection_of(path)
        self._session.access.require(Action.ADMIN, collection)
        if not rulesgate.holds_rules(path) or path.count("/") != 5:
            raise PlaceRefused(path, "only access.toml of a collection stands here")
        data = read_rules(upload, path)
        rulesgate.require_rules(self._session, path, collection, data)
        with self._store.write(_place(collection)) as tx:
            node = self.tree.find(path)
            terms.check(node)
            self._require_unlocked(path, terms, tree=False, member=False)
            write_rules(self._store, tx, _place(collection), data)
        return Stored(self.tree.get(path), node is None)

    def _remove_shared_rules(self, node: Node, terms: Terms) -> None:
        if node.is_folder:
            raise PlaceRefused(node.path, "this folder is the server's and stays where it is")
        with self._store.write(node.folder.place) as tx:
            terms.check(self.tree.find(node.path))
            self._require_unlocked(node.path, terms, tree=False, member=False)
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


def _place(path: str) -> str:
    place = place_of(path)
    if place is None:
        raise PlaceRefused(path, "nothing can be stored here")
    return place


def _spot(path: str) -> tuple[str, str]:
    """The folder and name of a path as a place."""
    return _place(parent_of(path)), name_of(path)


def _places(node: Node) -> tuple[str, ...]:
    """The places whose write locks a change of a resource and of its entry above needs."""
    if node.member is not None:
        return (node.folder.place,)
    return (node.folder.place.rpartition("/")[0], node.folder.place)


def _both(node: Node, target: str) -> list[str]:
    place, name = _spot(target)
    return sorted({*_places(node), place, f"{place}/{name}"})


def _is_tree(node: Node, before: Node | None) -> bool:
    return node.is_folder or (before is not None and before.is_folder)


def _size(node: Node | None) -> int:
    return node.member.size if node is not None and node.member is not None else 0
