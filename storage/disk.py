"""What the disk says of one file: status, bytes, and the stamp that tells whether it changed. No link is followed."""

from __future__ import annotations

import os

Stamp = tuple[int, int, int, int]
NO_STAMP: Stamp = (0, 0, 0, 0)

_READING = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def find_status(file: str) -> os.stat_result | None:
    """The status of what has the name, or None where nothing has."""
    try:
        return os.stat(file, follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # no file can have a name with NUL
        return None


def stamp_of(file: str) -> Stamp:
    """Inode, size and times, which tell whether a file is the one that was read; ``NO_STAMP`` where there is none."""
    status = find_status(file)
    if status is None:
        return NO_STAMP
    return (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def open_to_read(file: str) -> int:
    """A descriptor for reading; a link is refused and a FIFO does not make it wait. Raises OSError."""
    return os.open(file, _READING)


def read_bytes(file: str) -> bytes:
    """All of a file. Raises OSError."""
    with os.fdopen(open_to_read(file), "rb") as opened:
        return opened.read()
