"""Account files on disk as sources: read again when they change, never half read."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Hashable
from pathlib import Path

from auth.accounts import Reading
from auth.errors import Problem

# Kernels before 6.13 stamp files in steps of some milliseconds: within one step a second change cannot be told from
# the first, so a stamp this young does not yet prove that nothing changed since.
_UNSETTLED_S = 2.0


class FileSource:
    """One file of accounts and the parser for it."""

    def __init__(
        self, file: Path, parse: Callable[[str, str], Reading], *, clock: Callable[[], float] = time.time
    ) -> None:
        self._file, self._path = file, str(file)
        self._parse = parse
        self._clock = clock

    def stamp(self) -> Hashable:
        """Changes when the file is written, replaced or taken away; holds a digest of its bytes while young."""
        try:
            status = os.stat(self._path)
            stamp = (status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_size)
            if self._clock() - max(status.st_mtime, status.st_ctime) > _UNSETTLED_S:
                return stamp
            return (*stamp, hashlib.sha256(self._file.read_bytes()).digest())
        except OSError as error:
            return error.errno

    def read(self) -> Reading:
        """The accounts of the file; one that cannot be read gives a problem."""
        file = str(self._file)
        try:
            return self._parse(self._file.read_text("utf-8"), file)
        except OSError as error:
            return Reading(
                problems=(Problem(file, 1, f"it cannot be read: {error.strerror}", "`davserver init` writes one"),)
            )
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            return Reading(problems=(Problem(file, line, "bytes that are not UTF-8", "store the file as UTF-8"),))
