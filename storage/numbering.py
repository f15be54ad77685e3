"""Names for what must not replace anything: the one that is wished for, or the first free one with a number."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Callable

LONGEST_NAME_BYTES = 255
LONGEST_SUFFIX_BYTES = 32  # what is longer is no suffix but a part of the name with a dot before it


def numbered(name: str, number: int) -> str:
    """``plan (2).pdf``, not longer than a name can be; number 1 is the name itself."""
    if number == 1:
        return name
    stem, suffix = os.path.splitext(name)
    if len(suffix.encode()) > LONGEST_SUFFIX_BYTES:
        stem, suffix = name, ""
    end = f" ({number}){suffix}"
    return stem.encode()[: LONGEST_NAME_BYTES - len(end.encode())].decode(errors="ignore") + end


def first_free(is_taken: Callable[[int], bool]) -> int:
    """
    A number from 1 on that is free, the first one where none was given up in between.

    Of a thousand that are in use, twenty are looked at.
    """
    if not is_taken(1):
        return 1
    end = 2
    while is_taken(end):
        end *= 2
    between = range(end // 2 + 1, end)
    return between.start + bisect_left(between, True, key=lambda number: not is_taken(number))
