"""What a directory holds on disk, in one pass over its entries."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from storage import paths
from storage.records import Stamps, agrees

SCANNED_AT_ONCE = 256
NOTHING: Mapping[str, Stamps] = MappingProxyType({})

log = logging.getLogger("davserver.reconcile")


def go_on() -> None:
    """Nobody else wants the processor."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a directory holds on disk, by name in NFC."""

    files: dict[str, tuple[str, os.stat_result]]
    folders: dict[str, tuple[str, os.stat_result]]


def scan(directory: str, known: Mapping[str, Stamps] = NOTHING, pause: Callable[[], None] = go_on) -> Found:
    """
    The regular files and folders of a directory; links, FIFOs, devices and private names are passed over.

    Args:
        known: rows by name on disk. A file that is still what its row says needs no second look at its name.
        pause: called now and then.
    """
    found = Found({}, {})
    with os.scandir(directory) as entries:
        for number, entry in enumerate(entries, 1):
            if number % SCANNED_AT_ONCE == 0:
                pause()
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            row = known.get(entry.name)
            if row is not None and agrees(row, status):
                name, kind = row.name, found.files
            else:
                name = paths.nfc(entry.name)
                if paths.is_private(name) or not _is_text(name):
                    continue
                if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
                    continue
                kind = found.folders if stat.S_ISDIR(status.st_mode) else found.files
            if name in found.files or name in found.folders:
                other = (found.files.get(name) or found.folders[name])[0]
                if entry.name == other:  # it was renamed over while the directory was read
                    continue
                if served_of(directory, entry.name, other) == other:
                    continue
                found.files.pop(name, None)
                found.folders.pop(name, None)
            kind[name] = (entry.name, status)
    return found


def scan_folders(directory: str) -> dict[str, tuple[str, os.stat_result]]:
    """The folders of a directory alone, by name in NFC; its files cost no look."""
    found: dict[str, tuple[str, os.stat_result]] = {}
    with os.scandir(directory) as entries:
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False) or paths.is_private(entry.name) or not _is_text(entry.name):
                continue
            name = paths.nfc(entry.name)
            if name not in found or served_of(directory, entry.name, found[name][0]) == entry.name:
                found[name] = entry.name, entry.stat(follow_symlinks=False)
    return found


def served_of(directory: str, one: str, other: str) -> str:
    """Of two spellings of one name the one that is served: the composed one, else the first; the log says which."""
    served, hidden = sorted((one, other), key=lambda name: (name != paths.nfc(name), name))
    log.warning("%s: %a and %a are one name; %a is served", directory, served, hidden, served)
    return served


def count_files(directory: str) -> int:
    """How many files lie in a directory and below it, for a progress bar."""
    count, todo = 0, [directory]
    while todo:
        try:
            with os.scandir(todo.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        todo.append(entry.path)
                    elif not paths.is_private(entry.name):
                        count += 1
        except (FileNotFoundError, NotADirectoryError):
            continue
    return count


def _is_text(name: str) -> bool:
    return name.isprintable() or not any("\ud800" <= c <= "\udfff" or c < " " for c in name)
