"""
What a member owned goes to another one when the member leaves.

The home becomes a folder in the other's home, calendars, address books and task lists move to the other's, and wherever
state names the member as owner or creator it names the other. What is in the trash and the history stays there, as
what was at the new paths and is the other's. Each step can be repeated, so what a crash interrupts is finished by doing
all of it again.

A running server holds the data folder alone. Another process then leaves a request in ``data/handover``, one file per
member who leaves, and the server does it: ``work_off`` is called at start and every second or so.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING, Any

from storage import paths
from storage.formertree import FORMER
from storage.identity import ID_KEY, new_id
from storage.records import Folder

if TYPE_CHECKING:
    from storage.store import Store
    from storage.transaction import Transaction

REQUESTS = "handover"
HOMES = "homes"
COLLECTIONS = "collections/collection-root"
PROPS_FILE = ".Radicale.props"
OWNING_KEYS = ("owner", "creator")

Pair = tuple[str, str]  # the former one and the one in its place

log = logging.getLogger("davserver.handover")


def hand_over(store: Store, name: str, other: str) -> list[str]:
    """
    Give everything that ``name`` owned to ``other``, both as ``fold`` gives them; tells what moved, a line each.

    The caller sees to it that ``name`` cannot sign in any more.
    """
    done = [*_hand_over_home(store, name, other), *_hand_over_collections(store, name, other)]
    with store.write(tree=True) as transaction:  # of what is not there any more
        _rewrite_former(store, transaction, (name, other), (f"{HOMES}/{name}", f"{HOMES}/{other}/From {name}"))
        _rewrite_former(store, transaction, (name, other), (f"{COLLECTIONS}/{name}", f"{COLLECTIONS}/{other}"))
    rewritten = sum(_rewrite_state(store, folder, name, other) for folder in _every_folder(store))
    if rewritten:
        done.append(f"{other} is owner or creator of {rewritten} things that were {name}'s")
    return done


def request(data: str, name: str, other: str) -> None:
    """Ask the server that holds the data folder to hand over; ``is_pending`` tells when it has."""
    folder = os.path.join(data, REQUESTS)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    scratch = os.path.join(folder, f".{name}")
    with open(scratch, "w", encoding="utf-8") as file:
        json.dump({"name": name, "to": other}, file, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    os.rename(scratch, os.path.join(folder, f"{name}.json"))


def is_pending(data: str, name: str) -> bool:
    """Whether the server has not yet done what was asked."""
    return os.path.exists(os.path.join(data, REQUESTS, f"{name}.json"))


def withdraw(data: str, name: str) -> bool:
    """Take a request back; False if the server has done it already."""
    try:
        os.unlink(os.path.join(data, REQUESTS, f"{name}.json"))
    except FileNotFoundError:
        return False
    return True


def work_off(store: Store) -> int:
    """Do what was requested; gives how much. Costs one look at a folder when there is nothing."""
    folder = os.path.join(store.data, REQUESTS)
    try:
        names = sorted(entry for entry in os.listdir(folder) if entry.endswith(".json") and not entry.startswith("."))
    except FileNotFoundError:
        return 0
    done = 0
    for entry in names:
        file = os.path.join(folder, entry)
        try:
            asked = _read_request(file)
        except FileNotFoundError:
            continue  # withdrawn
        except (ValueError, KeyError, TypeError):
            log.exception("%s is not a request to hand over; put aside", file)
            os.rename(file, f"{file}.broken")
            continue
        for line in hand_over(store, *asked):
            log.info("%s", line)
        os.unlink(file)
        done += 1
    return done


def _read_request(file: str) -> tuple[str, str]:
    with open(file, encoding="utf-8") as opened:
        asked = json.load(opened)
    name, other = str(asked["name"]), str(asked["to"])
    for each in (name, other):
        paths.require_name(each)
    return name, other


def _hand_over_home(store: Store, name: str, other: str) -> Iterator[str]:
    own = f"{HOMES}/{name}"
    with store.write(tree=True) as transaction:
        if transaction.find_folder(own) is None:
            return
        if transaction.find_folder(f"{HOMES}/{other}") is None:
            transaction.make_folder(f"{HOMES}/{other}")
        target = _free_place(transaction, f"{HOMES}/{other}", f"From {name}")
        _rewrite_former(store, transaction, (name, other), (own, target))
        transaction.move_folder(own, target)
    yield f"the files of {name} are in {paths.path_of(target)}"


def _hand_over_collections(store: Store, name: str, other: str) -> Iterator[str]:
    with store.write(tree=True) as transaction:
        own = transaction.find_folder(f"{COLLECTIONS}/{name}")
        if own is None:
            return
        if transaction.find_folder(f"{COLLECTIONS}/{other}") is None:
            transaction.make_folder(f"{COLLECTIONS}/{other}", state={ID_KEY: new_id()})
        for folder in store.folders(own):
            plain = f"{COLLECTIONS}/{other}/{folder.name}"
            taken = transaction.find_folder(plain) is not None
            target = _free_place(transaction, f"{COLLECTIONS}/{other}", f"{folder.name}-{name}") if taken else plain
            _rewrite_former(store, transaction, (name, other), (folder.place, target))
            transaction.move_folder(folder.place, target)
            _mark_name(store, transaction, target, name)
            yield f"{paths.path_of(folder.place)} is {paths.path_of(target)} now"
        if not store.folders(own) and not store.members(own):
            transaction.remove_folder(own.place, by=None)


def _mark_name(store: Store, transaction: Transaction, place: str, name: str) -> None:
    """Put the former owner behind the name that programs show: two calendars called "Calendar" look alike."""
    file = store.file(place, PROPS_FILE)
    try:
        with open(file, encoding="utf-8") as opened:
            props = json.load(opened)
        shown = props["D:displayname"]
    except (OSError, ValueError, KeyError, TypeError):
        return  # without a name of its own, programs show that of the folder
    transaction.touch_directory(place)
    scratch = f"{file}.scratch"
    with open(scratch, "w", encoding="utf-8") as written:
        json.dump({**props, "D:displayname": f"{shown} ({name})"}, written, ensure_ascii=False)
        written.flush()
        os.fsync(written.fileno())
    os.rename(scratch, file)
    transaction.touch(place, "")


def _free_place(transaction: Transaction, above: str, name: str) -> str:
    """A place for a folder that nothing has: the name, or with a number behind it."""
    names = (name if number == 1 else f"{name} ({number})" for number in count(1))
    return next(
        place
        for place in (f"{above}/{each}" for each in names)
        if transaction.find_folder(place) is None and transaction.find_member(above, paths.name_of(place)) is None
    )


def _every_folder(store: Store) -> Iterator[Folder]:
    for _, root in paths.EVERY_TREE:
        if (top := store.find_folder(root)) is not None:
            yield from store.tree(top)


def _rewrite_former(store: Store, transaction: Transaction, members: Pair, places: Pair) -> None:
    """
    What was deleted and overwritten is the other one's, and what was at and below a place as if at the new one.

    Before anything is moved: a crash in between leaves what is done again with the same end.
    """
    before, after = map(paths.path_of, places)
    for folder in _every_folder(store):
        if paths.is_former(folder.path):
            state = store.state(folder.place)
            for name in state.names():
                record = _given_over(state.get(name, FORMER), members, before, after)
                transaction.set_state(folder.place, name, FORMER, record)
    transaction.checkpoint()


def _given_over(record: Any, members: Pair, before: str, after: str) -> Any:
    """
    A record of what was removed, or a level of the rules in it, with the other one's name and path.

    What cannot be read stays as it is; nobody is shown what it speaks of.
    """
    if not isinstance(record, dict):
        return record
    moved = dict(record)
    if isinstance(path := record.get("path"), str) and paths.is_within(path, before):
        moved["path"] = after + path[len(before) :]
    for key in ("by", "owner"):
        if record.get(key) == members[0]:
            moved[key] = members[1]
    if isinstance(rules := record.get("rules"), list):
        moved["rules"] = [_given_over(rule, members, before, after) for rule in rules]
    return moved


def _rewrite_state(store: Store, folder: Folder, name: str, other: str) -> int:
    """Owner and creator of a folder and of what lies in it; gives how many were changed."""

    def found() -> list[tuple[str, str]]:
        state = store.state(folder.place)
        return [(each, key) for each in state.names() for key in OWNING_KEYS if state.get(each, key) == name]

    if not found():
        return 0
    with store.write(folder.place) as transaction:
        changes = found()
        for each, key in changes:
            # who may see only what is their own sees these files from now on: a synchronisation tells them
            transaction.set_state(folder.place, each, key, other, log=key == "creator" and each != "")
    return len(changes)


def wait_until_done(data: str, name: str, *, patience_s: float) -> bool:
    """Whether the server has handed over within some seconds."""
    until = time.monotonic() + patience_s
    while is_pending(data, name):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True
