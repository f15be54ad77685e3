"""COPY and MOVE at ``/files/`` (RFC 4918 §9.8, §9.9): a tree goes whole or not at all, and takes no rights along."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from auth.acl import Action
from storage import objectfiles, quota, rulesgate, treerights
from storage.casting import read_short, require_no_votes, require_vote
from storage.errors import NotFound, ParentMissing, PlaceRefused, PreconditionFailed, ReadOnly
from storage.fileterms import Terms, places_of, spot_of
from storage.filetree import FileTree, Node, is_shared_rules
from storage.formertree import FORMER, is_former_place
from storage.objectnames import POLLS
from storage.paths import FILES, is_former, is_within, parent_of
from storage.portable import require_portable, require_portable_tree
from storage.starters import settle_starters, settle_starters_in
from storage.treecopy import built_copy

if TYPE_CHECKING:
    from storage.session import Session
    from storage.store import Store
    from storage.transaction import Transaction


class Transfer:
    """From one path to another, for one session's principal."""

    def __init__(self, session: Session, tree: FileTree) -> None:
        self._session = session
        self._store = session.store
        self._tree = tree

    def copy(self, source: str, target: str, terms: Terms, *, overwrite: bool, deep: bool) -> bool:
        """Copy what the principal may read (RFC 4918 §9.8); true if nothing stood at the target."""
        node = self._require_pair(source, target)
        data = self._rules_bytes(node, target)
        before = self._require_target(node, target, overwrite=overwrite)
        creator = self._creator_after(before, source, target)
        size = _counted(self._store, node, target, deep=deep)
        quota.require_room(self._session, target, size - _given_up(self._store, before))
        quota.require_disk(self._session, size)
        with ExitStack() as promises, ExitStack() as stack:
            # A large tree takes its time, in which others write: what they change in it is looked for under the lock.
            version = self._version(node)
            try:
                directory = self._built(stack, node, target, creator, deep=deep)
            except NotFound:  # something was taken away meanwhile
                version = directory = None
            tx = stack.enter_context(self._store.write(*_both(node, target), tree=_is_tree(node, before)))
            now = self._tree.get(source)
            terms.check(now)
            treerights.require_unlocked(self._session, target, terms, tree=True)
            if data is not None:
                rulesgate.require_rules(self._session, target, parent_of(target), data)
            before = self._require_target(node, target, overwrite=overwrite)
            growth = _counted(self._store, now, target, deep=deep) - _given_up(self._store, before)
            promises.enter_context(self._store.promised.room(self._session, target, growth))
            present = self._creator_after(before, source, target)
            if node.is_folder and (version, creator) != (self._version(node), present):
                directory = self._built(stack, node, target, present, deep=deep)
            require_vote(self._session, tx, target, self._reader(node, target))
            over = self._make_way(tx, node, before)
            if directory is not None:
                tx.adopt_folder(directory, "/".join(spot_of(target)))
                settle_starters_in(self._session, tx, target)
            elif node.member is not None:
                by = treerights.actor(self._session, target)
                tx.copy(node.folder.place, node.member.name, *spot_of(target), creator=present, over=over, by=by)
                settle_starters(self._session, tx, target)
        return before is None

    def _version(self, node: Node) -> int | None:
        """A number that changes with everything in a tree."""
        return self._store.index.newest_change(node.folder.place) if node.is_folder else 0

    def _built(self, stack: ExitStack, node: Node, target: str, creator: str | None, *, deep: bool) -> str | None:
        """The directory with the copy of a folder; None for a file."""
        if not node.is_folder:
            return None
        owner = treerights.owner_of_new_folder(self._session, target)
        copy = built_copy(self._store, self._tree, node, target, owner=owner, creator=creator, deep=deep)
        return stack.enter_context(copy)

    def move(self, source: str, target: str, terms: Terms, *, overwrite: bool) -> bool:
        """Move a file or a whole tree (RFC 4918 §9.9); true if nothing stood at the target."""
        node = self._require_pair(source, target)
        self._require_leave(node, target)
        data = self._rules_bytes(node, target)
        before = self._require_target(node, target, overwrite=overwrite, leaving=source)
        with ExitStack() as promises, self._store.write(*_both(node, target), tree=_is_tree(node, before)) as tx:
            present = self._tree.get(source)
            terms.check(present)
            treerights.require_unlocked(self._session, source, terms, tree=True)
            treerights.require_unlocked(self._session, target, terms, tree=True)
            self._require_leave(present, target)
            if data is not None:
                rulesgate.require_rules(self._session, target, parent_of(target), data)
            before = self._require_target(node, target, overwrite=overwrite, leaving=source)
            growth = _counted(self._store, present, target) - _given_up(self._store, before)
            left = _counted(self._store, present, source)
            room = self._store.promised.room(self._session, target, growth, leaving=source, left_bytes=left)
            promises.enter_context(room)
            creator = self._creator_after(before, source, target, moved=True)
            require_vote(self._session, tx, source, None)
            require_vote(self._session, tx, target, self._reader(present, target))
            over = self._make_way(tx, present, before)
            with self._store.trash.turn(present.folder.place), self._store.history.turn(present.folder.place):
                self._move(tx, present, target, creator, over=over)
                tx.checkpoint()
        return before is None

    def _reader(self, node: Node, target: str) -> Callable[[], bytes]:
        """What gives the bytes of a file that is to be a vote."""

        def read() -> bytes:
            if node.member is None:
                raise PlaceRefused(target, "a vote is a file")
            return read_short(self._store.open_member(node.folder, node.member.name, node.member)[0])

        return read

    def _make_way(self, tx: Transaction, node: Node, before: Node | None) -> bool:
        """Remove what stands at the target, unless a file is replaced by a file, which is one step with the rename."""
        if before is None or (node.member is not None and before.member is not None):
            return before is not None
        remove(self._session, tx, before)
        return False

    def _require_pair(self, source: str, target: str) -> Node:
        node = self._tree.get(source)
        if is_within(target, source) or is_within(source, target):
            raise PlaceRefused(target, "a resource cannot be copied or moved onto, into or over itself")
        if node.is_derived:
            raise ReadOnly(source)
        if node.listing or node.path == FILES or is_shared_rules(source):
            raise PlaceRefused(source, "this folder is the server's; copy or move what lies in it")
        return node

    def _require_leave(self, node: Node, target: str) -> None:
        treerights.require_movable(self._session, node)
        if is_former(node.path):
            treerights.require_restorable(self._session, node, target)
        elif node.is_folder and parent_of(node.path) == parent_of(target) == POLLS:  # with the votes in it
            treerights.require_tree(self._session, node, treerights.TAKE_AWAY, sealed=True)
        elif node.member is not None and objectfiles.is_one_collection(self._session, node.path, target):
            treerights.require(self._session, Action.WRITE, node.path)
        else:
            treerights.require_tree(self._session, node, treerights.TAKE_AWAY)
        treerights.require_free_of_rules(self._session, node, target)
        if node.is_folder:
            require_no_votes(self._session, node, target)

    def _require_target(self, node: Node, target: str, *, overwrite: bool, leaving: str | None = None) -> Node | None:
        """
        What stands at the target and gives way, once the principal may put the new resource there.

        Args:
            leaving: what is moved there.
        """
        parent = self._tree.find(parent_of(target))
        if parent is None or not parent.is_folder:
            raise ParentMissing(target)
        treerights.require_depth(target, treerights.levels_below(self._session, node))
        before = self._tree.find(target)
        if node.is_folder:
            objectfiles.require_folder(self._session, target, node)
        if before is None:
            stays = leaving is not None and objectfiles.is_one_collection(self._session, leaving, target)
            action = Action.WRITE if stays and node.member is not None else Action.CREATE
            treerights.require_create(self._session, target, action)
            treerights.require_nothing_hidden(self._session, target)
            require_portable(self._session, target, leaving=leaving)
            if leaving is None or parent_of(leaving) != parent_of(target):
                require_portable_tree(self._session, node, target)
            return None
        if not overwrite:
            raise PreconditionFailed(f"{target} exists and the request says Overwrite: F")
        if not before.is_folder and not node.is_folder:
            treerights.require_write(self._session, before)
            return before
        treerights.require_movable(self._session, before)
        treerights.require_tree(self._session, before, treerights.REMOVE)
        treerights.require_create(self._session, target)
        require_portable_tree(self._session, node, target)
        return before

    def _rules_bytes(self, node: Node, target: str) -> bytes | None:
        """The bytes of a file that becomes rules by this COPY or MOVE."""
        if objectfiles.settings_reader(target) is not None:
            if node.member is None:
                raise PlaceRefused(target, "this name is for what says what the folder is, which is a file")
            objectfiles.require_settings(target, self._store.read_member(node.folder, node.member.name)[0])
        if not rulesgate.holds_rules(target):
            return None
        if node.member is None:
            raise PlaceRefused(target, "this name is for the rules of the folder, which are a file")
        self._session.access.require(Action.ADMIN, parent_of(target))
        data, _ = self._store.read_member(node.folder, node.member.name)
        return data

    def _creator_after(self, before: Node | None, source: str, target: str, *, moved: bool = False) -> str | None:
        """The maker to keep at the target: of a replaced file its own, within a folder the old one."""
        book = self._store.rulebook
        if before is not None and not before.is_folder:
            return book.creator(target)
        if parent_of(source) == parent_of(target) and moved:
            return book.creator(source)
        return treerights.creator_of_new(self._session, target)

    def _move(self, tx: Transaction, node: Node, target: str, creator: str | None, *, over: bool) -> None:
        place, name = spot_of(target)
        if node.member is not None:
            kept = {**tx.state(node.folder.place).all(node.member.name)}
            is_back = not over and is_former_place(kept, target)
            creator = kept.get("creator") if is_back else creator
            for key in (FORMER, "creator"):
                kept.pop(key, None)
            if creator is not None:
                kept["creator"] = creator
            if over:
                kept = objectfiles.kept_over(tx, place, name, kept)
            by = treerights.actor(self._session, target)
            tx.move(node.folder.place, node.member.name, place, name, over=over, by=by, kept=kept)
            objectfiles.settle_moved(self._session, tx, node.path, target, over=over)
            settle_starters(self._session, tx, target)
            return
        above, _, former_name = node.folder.place.rpartition("/")
        known = tx.state(above).all(former_name)
        stays_whose_it_was = parent_of(node.path) == parent_of(target) or is_former_place(known, target)
        tx.move_folder(node.folder.place, f"{place}/{name}")
        objectfiles.rename_column(self._session, tx, node.path, target)
        if FORMER in known:
            tx.set_state(above, former_name, FORMER, None)
        if not stays_whose_it_was:
            self._settle(tx, f"{place}/{name}", target, creator)
        settle_starters_in(self._session, tx, target)

    def _settle(self, tx: Transaction, place: str, path: str, creator: str | None) -> None:
        """In a moved tree nobody keeps what ownership and authorship gave in the old place."""
        folder = tx.find_folder(place)
        if folder is None:
            return
        for below in self._store.tree(folder):
            state = self._store.state(below.place)
            for name in state.names():
                tx.set_state(below.place, name, "owner", None)
                tx.set_state(below.place, name, "creator", None)
            if creator is not None:
                for name in ("", *(member.name for member in self._store.members(below))):
                    tx.set_state(below.place, name, "creator", creator)
        tx.set_state(place, "", "owner", treerights.owner_of_new_folder(self._session, path))


def _counted(store: Store, node: Node, path: str, *, deep: bool = True) -> int:
    """What a resource counts at a path, in bytes."""
    if node.member is not None:
        return quota.counted_bytes(path, node.member.size)
    return store.tree_bytes(node.folder) if deep else 0


def _given_up(store: Store, before: Node | None) -> int:
    """What no longer counts when a resource gives way."""
    return 0 if before is None else _counted(store, before, before.path)


def remove(session: Session, tx: Transaction, node: Node) -> None:
    """Put a resource into the trash."""
    by = treerights.actor(session, node.path)
    if node.member is None:
        tx.remove_folder(node.folder.place, by=by)
        objectfiles.rename_column(session, tx, node.path, None)
    else:
        tx.remove(node.folder.place, node.member.name, by=by)


def _both(node: Node, target: str) -> list[str]:
    place, name = spot_of(target)
    return sorted({*places_of(node), place, f"{place}/{name}"})


def _is_tree(node: Node, before: Node | None) -> bool:
    return node.is_folder or (before is not None and before.is_folder)
