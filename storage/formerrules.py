"""The rules for what lies in the trash and the history: those that held then, and those that would hold today."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from auth.acl import Former, Level
from storage import paths
from storage.former import NOBODY, levels_of
from storage.formertree import FORMER, is_former_place, mirrored, removal_s
from storage.paths import parent_of
from storage.pollrights import ballots_of_former

if TYPE_CHECKING:
    from storage.rulebook import DiskRuleBook
    from storage.store import Store


def find_entry(store: Store, path: str) -> tuple[str, dict[str, Any]] | None:
    """The entry that a path there is or lies in, and its record; None for the folders that mirror the tree."""
    *top, rest = path.split("/", 3) if path.count("/") > 2 else (path, "")
    above = "/".join(top)
    for segment in rest.split("/"):
        record = store.state(paths.place_of(above) or "").get(segment, FORMER)
        above = paths.join(above, segment)
        if isinstance(record, dict) and isinstance(record.get("path"), str):
            return above, record
    return None


def entries_below(store: Store, path: str) -> Iterator[str]:
    """The paths of the entries in a folder that mirrors the tree, at any depth."""
    todo = [path]
    while todo:
        above = todo.pop()
        folder = store.find_folder(paths.place_of(above) or "")
        if folder is None:
            continue
        state = store.state(folder.place)
        yield from (paths.join(above, name) for name in state.names() if state.get(name, FORMER) is not None)
        mirrors = (child.name for child in store.folders(folder) if state.get(child.name, FORMER) is None)
        todo += [paths.join(above, name) for name in mirrors]


def former(book: DiskRuleBook, store: Store, path: str) -> Former:
    """What a path there was, and the rules for it; nobody may do anything with what has no record."""
    found = find_entry(store, path)
    if found is None:
        return Former(path, NOBODY, NOBODY)
    entry, record = found
    before = record["path"] + path[len(entry) :]
    inner = _inner(book, path, entry, record["path"])
    then = levels_of(record.get("rules"))
    own = [level for level in then if level.path == record["path"]]
    now = [*inner, *own, *book.levels_above(record["path"])]
    there = book.levels(before) if book.is_folder(record["path"]) else _gone(book, store, record["path"])
    box = ballots_of_former(store, path, before)
    by, creator = record.get("by"), book.creator(path)
    return Former(before, [*inner, *then], now, by, creator, there, box, went_along=path != entry)


def _gone(book: DiskRuleBook, store: Store, path: str) -> Sequence[Level] | None:
    """
    The levels for a path of which folders above are gone too, as those went, nearest first; None where all stand.

    Of a folder that is not in the trash, renamed or purged, they are not known: owners and administrators of the
    folders above it decide.
    """
    missing = []
    while not book.is_folder(path := parent_of(path)):
        missing.append(path)
    if not missing:
        return None
    return [*(_last_level(book, store, folder, missing) for folder in missing), *book.levels_above(missing[-1])]


def _last_level(book: DiskRuleBook, store: Store, path: str, missing: Sequence[str]) -> Level:
    """What a folder said when it went, alone or in one of those above it that are missing too."""
    for top in reversed([folder for folder in missing if paths.is_within(path, folder)]):
        entry, record = _newest_entry(store, top)
        removed = entry + path[len(top) :]
        if record is None or store.find_folder(paths.place_of(removed) or "") is None:
            continue
        if top == path:
            return next((level for level in levels_of(record.get("rules")) if level.path == path), Level(path))
        level = book.level_of_removed(removed)
        return Level(path) if level is None else replace(level, path=path)
    return Level(path, closed=True)


def _newest_entry(store: Store, path: str) -> tuple[str, dict[str, Any] | None]:
    """Where in the trash that lies which was removed last at a path, and its record."""
    above = "/".join((paths.TRASH, *mirrored(path)[:-1]))
    state = store.state(paths.place_of(above) or "")
    found = [(name, state.get(name, FORMER)) for name in state.names() if is_former_place(state.all(name), path)]
    name, record = max(found, key=lambda each: removal_s(each[1]), default=("", None))
    return paths.join(above, name), record


def _inner(book: DiskRuleBook, path: str, entry: str, before: str) -> Sequence[Level]:
    """The rules that lie in a removed tree, nearest first, as those of the folders that they were of."""
    found = []
    while path != entry:
        level = book.level_of_removed(path)
        if level is not None:
            found.append(replace(level, path=before + path[len(entry) :]))
        path = parent_of(path)
    return found
