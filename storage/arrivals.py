"""
State that changes together with a rename over a name that is in use.

A rename and a line of state are two writes. What is to be kept of the arriving file is announced with its inode
before the rename and settled after it; after a crash in between the inode under the name tells which of the two holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from storage.state import Change, State

ARRIVING = "arriving"


def announcement(name: str, inode: int, kept: Mapping[str, Any]) -> Change:
    """The line that says what will be kept of the file with this inode once it has the name."""
    return name, ARRIVING, {"inode": inode, "state": dict(kept)}


def settlement(state: State, name: str, kept: Mapping[str, Any]) -> list[Change]:
    """The changes after which ``kept`` and nothing else is kept of a name."""
    if state.all(name) == kept:
        return []
    return [*state.removal(name), *((name, key, value) for key, value in kept.items())]


def unsettled(state: State, inodes: Mapping[str, int]) -> list[Change]:
    """What a crash left to settle in a folder; ``inodes`` are those of its files by name."""
    changes: list[Change] = []
    for name in state.names():
        announced = state.get(name, ARRIVING)
        if not isinstance(announced, dict):
            continue
        kept = announced.get("state")
        if isinstance(kept, dict) and inodes.get(name) == announced.get("inode"):
            changes += settlement(state, name, kept)
        else:
            changes.append((name, ARRIVING, None))
    return changes
