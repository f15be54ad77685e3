"""Opening a file of a folder that others may change meanwhile."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from storage.movein.values import NotUsable


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """
    A file that is still one, and no symbolic link or pipe that took its place.

    Raises:
        NotUsable, OSError.
    """
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(fd, "rb") as source:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise NotUsable(f"{path} was changed meanwhile; nothing is stored")
        yield source
