"""How other programs change a file of the data folder, behind the server's back."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

Edit = Callable[[Path, bytes], None]


def edit_in_place(file: Path, data: bytes) -> None:
    """Some editors, and ``>`` of a shell: the directory's stamp stays."""
    with file.open("r+b") as opened:
        opened.write(data)
        opened.truncate()


def edit_in_place_with_the_old_stamp(file: Path, data: bytes) -> None:
    """As a program that restores times does."""
    status = file.stat()
    edit_in_place(file, data)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def edit_by_rename(file: Path, data: bytes) -> None:
    """Most editors: write another file, give it the name."""
    other = file.with_name("other")
    other.write_bytes(data)
    other.rename(file)


def delete(file: Path, data: bytes) -> None:
    """Remove it, whatever the data."""
    file.unlink()
