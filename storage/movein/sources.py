"""
Files of a folder that its owner may change meanwhile, read by an administrator: nothing leads out of it.

Each folder on the way is opened in the one before and none by way of a symbolic link, so it does not matter what takes
whose place between looking and reading.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from storage.disk import modified_of
from storage.movein.values import NotUsable

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Source:
    """
    A file or folder below a folder.

    Attributes:
        top: the folder that everything lies in.
        names: those of the folders below it, then its own.
        size: in bytes.
        modified_ns: when it was changed last.
    """

    top: Path
    names: tuple[str, ...]
    is_folder: bool
    size: int
    modified_ns: int

    @property
    def name(self) -> str:
        """Its own."""
        return self.names[-1]

    @property
    def below(self) -> str:
        """Its path below the top."""
        return "/".join(self.names)

    def read(self, most_bytes: int) -> bytes:
        """The first bytes of a file. Raises NotUsable, OSError."""
        with self.opened() as file:
            return file.read(most_bytes)

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """The file, which is still one. Raises NotUsable, OSError."""
        with _folder(self.top, self.names[:-1]) as above:
            fd = os.open(self.name, _FILE, dir_fd=above)
        with os.fdopen(fd, "rb") as file:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise NotUsable(f"{self.below} was changed meanwhile; nothing is stored")
            yield file


@contextmanager
def _folder(top: Path, names: tuple[str, ...]) -> Iterator[int]:
    fd = os.open(top, _FOLDER)
    try:
        for name in names:
            below = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=fd)
            os.close(fd)
            fd = below
        yield fd
    finally:
        os.close(fd)


def walk(top: Path, *, most: int, leave_out: Callable[[tuple[str, ...], os.stat_result], bool]) -> Iterator[Source]:
    """
    Everything below a folder, each folder before what it holds.

    Args:
        leave_out: told the names and the status of each; whether it is passed over, with all it holds.

    Raises:
        NotUsable: there are more than ``most``.
        OSError.
    """
    count, left = 0, [tuple[str, ...]()]
    while left:
        names = left.pop()
        with _folder(top, names) as fd, os.scandir(fd) as entries:
            found = sorted(
                ((entry.name, entry.stat(follow_symlinks=False)) for entry in islice(entries, most + 1)),
                key=lambda each: each[0],
            )
        for name, status in found:
            count += 1
            if count > most:
                raise NotUsable(f"{top} holds more than {most} files and folders")
            if leave_out((*names, name), status):
                continue
            is_folder = stat.S_ISDIR(status.st_mode)
            yield Source(top, (*names, name), is_folder, status.st_size, modified_of(status))
            if is_folder:
                left.append((*names, name))
