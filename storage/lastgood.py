"""Settings of folders as they were read last and were not broken: an edit on the disk may leave a file half written."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from storage.errors import FileRefused, NotFound

if TYPE_CHECKING:
    from storage.records import Folder, Member
    from storage.store import Store

T = TypeVar("T")

log = logging.getLogger("davserver.objects")


class LastGood(Generic[T]):
    """What the file of one name said in each folder. Thread-safe."""

    def __init__(self, parse: Callable[[bytes], T], nothing: T, longest_bytes: int) -> None:
        """
        Args:
            parse: reads the file. Raises FileRefused.
            nothing: what holds where it was never good.
            longest_bytes: a longer one is not looked at.
        """
        self._parse = parse
        self._nothing = nothing
        self._longest = longest_bytes
        self._read: dict[str, tuple[int, T]] = {}  # by place, with the version of the file

    def read(self, store: Store, folder: Folder, row: Member) -> T:
        """What it says now; a broken one is logged, and what it said before stays in force."""
        version, said = self._read.get(folder.place, (-1, self._nothing))
        if version == row.id or row.size > self._longest:
            return said
        try:
            data, row = store.read_member(folder, row.name)
            said = self._parse(data)
        except (FileRefused, NotFound) as error:
            log.warning("%s: %s; what it said before stays in force", folder.place, error)
        self._read[folder.place] = row.id, said
        return said
