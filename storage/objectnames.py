"""Names of the files of objects: which are objects, and what one with a title is called."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from storage.portable import made_safe

ATTACHED = ".files"  # behind the name of an object: the folder of its attachments
LONGEST_STEM_BYTES = 120
IGNORED = re.compile(r"[.~].*|.*(?:\.tmp|~|\.swp|#)|thumbs\.db|desktop\.ini", re.IGNORECASE | re.DOTALL)


def is_object(name: str, suffixes: Sequence[str]) -> bool:
    """Whether a file of that name is an object: not one of those that programs leave behind."""
    return name.lower().endswith(tuple(suffixes)) and IGNORED.fullmatch(name) is None


def stem_of(name: str) -> str:
    """A name without its suffix."""
    return os.path.splitext(name)[0]


def file_stem(title: str) -> str:
    """The name, without suffix, of the file of an object: its title as far as every system can show it."""
    stem = made_safe(title)
    if len(stem.encode()) > LONGEST_STEM_BYTES:
        stem = made_safe(stem.encode()[:LONGEST_STEM_BYTES].decode(errors="ignore"))
    return stem
