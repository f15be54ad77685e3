"""
Copying a folder with what a principal may read in it: built whole beside the drive, then given its name.

So a copy is there entirely or not at all, whatever happens, and the disk is waited for once and not for every file.
The index reads it as it reads what somebody put there by hand.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from storage import state as states
from storage.filetree import FileTree, Node, is_rules_file
from storage.paths import join
from storage.polls import is_vote_path
from storage.scratch import Scratch
from storage.transaction import OWN_KEYS, copy_bytes

if TYPE_CHECKING:
    from storage.state import Change
    from storage.store import Store


@contextmanager
def built_copy(
    store: Store, tree: FileTree, node: Node, target: str, *, owner: str | None, creator: str | None, deep: bool
) -> Iterator[str]:
    """
    The directory with a copy of a folder, on the disk to the last byte; what nobody took from there is removed.

    Args:
        target: the path that it is for: no votes come into a poll so.
        owner: of the copy, kept in it.
        creator: of all that is in it.
        deep: with the members too.
    """
    directory = f"{store.data}/scratch/{secrets.token_hex(8)}"
    try:
        _build(store, tree, node, target, directory, {"owner": owner, "creator": creator}, creator, deep=deep)
        store.sync_all()
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _build(
    store: Store,
    tree: FileTree,
    node: Node,
    target: str,
    directory: str,
    about: dict[str, str | None],
    creator: str | None,
    *,
    deep: bool,
) -> None:
    os.mkdir(directory, 0o755)
    kept = {"props": tree.properties(node) or None, **about}
    changes: list[Change] = [("", key, value) for key, value in kept.items() if value is not None]
    state = store.state(node.folder.place)
    for child in tree.children(node) if deep else ():
        path = join(target, child.name)
        if is_rules_file(child.path) or child.is_derived or is_vote_path(path):
            continue
        if child.member is None:
            _build(store, tree, child, path, f"{directory}/{child.name}", {"creator": creator}, creator, deep=True)
            continue
        _copy_file(store, child, directory)
        with_it = {key: value for key, value in state.all(child.name).items() if key not in OWN_KEYS}
        changes += [(child.name, key, value) for key, value in ({**with_it, "creator": creator}).items() if value]
    if changes:
        states.append(directory, states.EMPTY, changes, durable=False)


def _copy_file(store: Store, node: Node, directory: str) -> None:
    assert node.member is not None
    fd, row = store.open_member(node.folder, node.member.name, node.member)
    try:
        with Scratch(directory, durable=False, hashed=False, name=node.name, make_room=store.make_room) as file:
            copy_bytes(fd, file)
            file.set_modified(row.modified_ns)  # a copy is as old: sync programs copy on the server
            file.rename_to(f"{directory}/{node.name}")
    finally:
        os.close(fd)
