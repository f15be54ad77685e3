"""What the disk says of one file: status, bytes, and the stamp that tells whether it changed. No link is followed."""

from __future__ import annotations

import ctypes
import os
import secrets

Stamp = tuple[int, int, int, int]
NO_STAMP: Stamp = (0, 0, 0, 0)
LATEST_NS = (1 << 63) - 1  # in the year 2262: the index holds nothing later

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
    return NO_STAMP if status is None else stamp_in(status)


def stamp_in(status: os.stat_result) -> Stamp:
    """The stamp that a status holds."""
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def modified_of(status: os.stat_result) -> int:
    """When something was changed, as the index keeps it; files of backups and cameras may come from later than that."""
    return min(status.st_mtime_ns, LATEST_NS)


def open_to_read(file: str) -> int:
    """A descriptor for reading; a link is refused and a FIFO does not make it wait. Raises OSError."""
    return os.open(file, _READING)


def read_bytes(file: str) -> bytes:
    """All of a file. Raises OSError."""
    with os.fdopen(open_to_read(file), "rb") as opened:
        return opened.read()


def sync_directory(directory: str) -> None:
    """Press a directory's entries onto the disk. Raises OSError."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_file_system(fd: int) -> None:
    """
    Press all that was written on the file system of an open file onto the disk (``syncfs`` of Linux, else ``sync``).

    What could not be written since ``fd`` was opened is an error here as well. Raises OSError.
    """
    if _SYNCFS is None:
        os.sync()
    elif _SYNCFS(fd) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def boot_id() -> str:
    """Which start of the machine this is; a power cut changes it. Where that cannot be known, never the same."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return f"unknown {secrets.token_hex(8)}"


_SYNCFS = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
