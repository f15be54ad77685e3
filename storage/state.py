"""
State beside the files: what belongs to a folder and stands in no file (``.state.jsonl``).

One JSON line per change: ``{"name": "plan.txt", "key": "creator", "value": "alice"}``. Names are relative and ``""``
is the folder itself, so a folder that is copied or restored brings its state along. The last line for a name and key
wins, ``null`` removes, with an empty key all of the name; a torn last line is dropped; the file is compacted when most
of it is stale.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Mapping
from typing import Any

from storage import disk
from storage.disk import NO_STAMP, Stamp
from storage.paths import SCRATCH_PREFIX, STATE_FILE

COMPACT_ABOVE_LINES = 64

log = logging.getLogger("davserver.state")

Change = tuple[str, str, Any]


class State:
    """What the lines of one folder say. Read-only; ``append`` and ``rename`` give the changed one."""

    __slots__ = ("_values", "lines", "stamp", "whole_bytes")

    def __init__(
        self, values: dict[str, dict[str, Any]] | None = None, *, lines: int = 0, whole_bytes: int = 0
    ) -> None:
        self._values = values or {}
        self.lines = lines
        self.whole_bytes = whole_bytes
        self.stamp: Stamp = NO_STAMP

    def get(self, name: str, key: str) -> Any | None:
        """One value, or None."""
        return self._values.get(name, {}).get(key)

    def all(self, name: str) -> Mapping[str, Any]:
        """All values of a name."""
        return self._values.get(name, {})

    def names(self) -> set[str]:
        """Every name that something is kept of."""
        return set(self._values)

    @property
    def count(self) -> int:
        """How many names something is kept of: there are as many values or more."""
        return len(self._values)

    def changed(self, changes: Iterable[Change]) -> State:
        """The state after some changes."""
        values = dict(self._values)
        count = 0
        for name, key, value in changes:
            _apply(values, name, key, value)
            count += 1
        return State(values, lines=self.lines + count, whole_bytes=self.whole_bytes)

    def as_changes(self, name: str, to_name: str | None = None) -> list[Change]:
        """What is kept of a name as changes that give it to ``to_name``."""
        target = name if to_name is None else to_name
        return [(target, key, value) for key, value in self.all(name).items()]

    def removal(self, name: str) -> list[Change]:
        """The changes that forget a name."""
        return [(name, key, None) for key in self.all(name)]

    def size(self) -> int:
        """How many values are kept."""
        return sum(len(keys) for keys in self._values.values())


EMPTY = State()


def forgotten(name: str) -> Change:
    """The change that forgets a name, for those who have not read what is kept of it."""
    return name, "", None


def _apply(values: dict[str, dict[str, Any]], name: str, key: str, value: Any) -> None:
    keys = dict(values.get(name, {})) if key else {}
    if value is None:
        keys.pop(key, None)
    else:
        keys[key] = value
    if keys:
        values[name] = keys
    else:
        values.pop(name, None)


def stamp_of(folder: str) -> Stamp:
    """What tells whether a folder's state file is the one that was read."""
    return disk.stamp_of(f"{folder}/{STATE_FILE}")


def read(folder: str) -> State:
    """The state of a directory; damaged lines are passed over and logged."""
    stamp = stamp_of(folder)
    if stamp == NO_STAMP:
        return EMPTY
    data = disk.read_bytes(f"{folder}/{STATE_FILE}")
    whole = data.rfind(b"\n") + 1
    values: dict[str, dict[str, Any]] = {}
    lines = data[:whole].split(b"\n")[:-1]
    for number, line in enumerate(lines, 1):
        change = parse_line(line)
        if change is None:
            log.warning("%s/%s:%d: not a state line, passed over", folder, STATE_FILE, number)
        else:
            _apply(values, *change)
    state = State(values, lines=len(lines), whole_bytes=whole)
    state.stamp = stamp
    return state


def parse_line(line: bytes) -> Change | None:
    """One line as (name, key, value), or None when it is not one."""
    try:
        entry = json.loads(line)
        name, key = entry["name"], entry["key"]
    except (ValueError, KeyError, TypeError):
        return None
    if not isinstance(name, str) or not isinstance(key, str):
        return None
    return name, key, entry.get("value")


def render_line(change: Change) -> bytes:
    """A change as its line."""
    name, key, value = change
    entry = {"name": name, "key": key, "value": value}
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass") + b"\n"


def append(folder: str, state: State, changes: list[Change], *, durable: bool, journaled: bool = False) -> State:
    """
    Write changes to a directory's state file and give the state that holds them.

    Appends, or rewrites the file where most of it is stale. With ``durable`` the bytes are on the disk on return; the
    directory's entry of a new file is the caller's to sync.

    Args:
        journaled: these changes are in the journal and need no sync; a file written anew is synced all the same.
    """
    after = state.changed(changes)
    if after.lines > max(COMPACT_ABOVE_LINES, 2 * after.count) and after.lines > 2 * after.size():
        return _rewrite(folder, after, durable=durable)
    data = b"".join(render_line(change) for change in changes)
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(f"{folder}/{STATE_FILE}", flags, 0o600)
    try:
        if os.fstat(fd).st_size > state.whole_bytes:  # a line torn by a crash
            os.ftruncate(fd, state.whole_bytes)
        os.pwrite(fd, data, state.whole_bytes)
        if durable and not journaled:
            os.fdatasync(fd)
    finally:
        os.close(fd)
    after.whole_bytes = state.whole_bytes + len(data)
    after.stamp = stamp_of(folder)
    return after


def append_missing(folder: str, changes: Iterable[Change]) -> None:
    """After a crash: write those of some changes that a directory's state does not show yet, if it is there."""
    if not os.path.isdir(folder):
        return
    state = read(folder)
    missing = [(name, key, value) for name, key, value in changes if state.get(name, key) != value]
    if missing:
        append(folder, state, missing, durable=True)


def _rewrite(folder: str, state: State, *, durable: bool) -> State:
    changes = [(name, key, value) for name in state.names() for key, value in state.all(name).items()]
    data = b"".join(render_line(change) for change in changes)
    scratch = f"{folder}/{SCRATCH_PREFIX}state"
    fd = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, data)
        if durable:
            os.fsync(fd)
    finally:
        os.close(fd)
    os.rename(scratch, f"{folder}/{STATE_FILE}")
    after = State(state._values, lines=len(changes), whole_bytes=len(data))
    after.stamp = stamp_of(folder)
    return after
