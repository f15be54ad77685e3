"""What every export becomes: a folder of files to be stored, and a list of what had no place in it."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from storage.numbering import first_free
from storage.paths import is_private, names_rules
from storage.portable import caseless, made_safe

if TYPE_CHECKING:
    from storage.movein.sources import Source

MOST_ENTRIES = 100_000  # files and folders of one export
DEEPEST_LEVELS = 40  # of folders in one export
LONGEST_STEM_BYTES = 120  # of a name, its suffix not counted
MOST_NAMED = 20  # things of one kind whose names a report holds
MOST_KINDS = 200  # of things that a report tells apart
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,16}")


class NotUsable(Exception):
    """The export is none, is damaged, or is larger than anything that is one; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class File:
    """
    A file to be stored.

    Attributes:
        path: below the folder that the export becomes, such as ``To do/Posters.md``.
        content: its bytes, or where they lie.
        size: how many there are, in bytes.
        modified_ns: when it was changed last, None for now.
        created: of a note when it was made, as ``utc_of`` gives it; of a card that stands in the file.
    """

    path: str
    content: bytes | Source
    size: int
    modified_ns: int | None = None
    created: str | None = None


@dataclass(frozen=True, slots=True)
class Tree:
    """
    A board or a folder of notes.

    Attributes:
        name: of the folder that it becomes.
        folders: below it, each after the one that it lies in.
        people: whom its cards are assigned to, by the names that they have in the export.
        lost: what had no place, a sentence each.
    """

    name: str
    folders: tuple[str, ...]
    files: tuple[File, ...]
    people: frozenset[str]
    lost: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


class Lost:
    """Collects what has no place: how often, and where the first few of a kind were."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._where: dict[str, list[str]] = {}

    def add(self, what: str, where: str = "", count: int = 1) -> None:
        """Note that something had no place; ``what`` in the plural, ``where`` the title of what held it."""
        if what not in self._counts and len(self._counts) >= MOST_KINDS:
            what, where = "other fields", ""
        self._counts[what] += count
        names = self._where.setdefault(what, [])
        if where and len(names) < MOST_NAMED and where not in names:
            names.append(where)

    def fields(self, item: Mapping[str, Any], known: frozenset[str], where: str) -> None:
        """Note each field that holds something and that nobody here has heard of."""
        for key in item:
            if key not in known and item[key] not in (None, "", [], {}, False, 0):
                self.add(f"fields {key[:40]!r}", where)

    def sentences(self) -> tuple[str, ...]:
        """``comments: 3 ('Posters', 'Tents')``."""
        return tuple(self._sentence(what, count) for what, count in self._counts.items())

    def _sentence(self, what: str, count: int) -> str:
        names = [repr(name[:80]) for name in self._where[what]]
        more = ["…"] if len(names) == MOST_NAMED and count > MOST_NAMED else []
        return f"{what}: {count}" + (f" ({', '.join(names + more)})" if names else "")


class Names:
    """The names of one folder, no two alike in any case."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = {folded(name) for name in taken}

    def choose(self, stem: str, suffix: str = "") -> str:
        """The name, or the first one with a number that is free; it is taken from now on, and no file of the server."""
        if names_rules(stem + suffix) or is_private(stem + suffix):
            stem += "_"
        name = _numbered(stem, suffix, first_free(lambda n: folded(_numbered(stem, suffix, n)) in self._taken))
        self._taken.add(folded(name))
        return name


def folded(name: str) -> str:
    """A name as it is compared with others, by Windows and by ``board.toml``."""
    return caseless(name).casefold()


def _numbered(stem: str, suffix: str, number: int) -> str:
    end = "" if number == 1 else f" ({number})"
    return cut(stem, LONGEST_STEM_BYTES - len(end)) + end + suffix


def cut(text: str, most_bytes: int) -> str:
    """The start of a text, without a space or dot at its end where something was cut off."""
    encoded = text.encode()
    return text if len(encoded) <= most_bytes else encoded[:most_bytes].decode(errors="ignore").rstrip(" .")


def stem_of(title: str) -> str:
    """The name of a file for a title; programs take what begins with ``~`` for leavings of an editor."""
    return made_safe(cut(made_safe(title).lstrip("~ ."), LONGEST_STEM_BYTES))


def folder_stem(title: str) -> str:
    """The name of a folder for a title: one that is neither a file of the server nor attachments of a card or note."""
    stem = stem_of(stem_of(title).lstrip("@").rstrip("~"))
    is_other = stem.casefold().endswith((".files", ".tmp", ".swp", ".toml")) or names_rules(stem) or is_private(stem)
    return f"{stem}_" if is_other else stem


def words(text: str) -> frozenset[str]:
    """The words of a text, for long lists of names."""
    return frozenset(text.split())


def split_name(name: str, other: str = "") -> tuple[str, str]:
    """The stem and suffix of a file's name, made safe; ``other`` is the suffix where it has none."""
    stem, suffix = os.path.splitext(one_line(name))
    if not _SUFFIX.fullmatch(suffix):
        stem, suffix = stem + suffix, other if _SUFFIX.fullmatch(other) else ""
    return stem_of(stem), suffix


def one_line(text: str) -> str:
    """A title without line breaks and what a terminal or a calendar program would trip over."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def text_of(item: Mapping[str, Any], key: str) -> str:
    """A text, "" where there is none."""
    value = item.get(key)
    return value if isinstance(value, str) else ""


def number_of(item: Mapping[str, Any], key: str) -> float:
    """A finite number, 0 where there is none."""
    value = item.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return 0.0
    return float(value) if -1e300 < value < 1e300 else 0.0


def objects_in(item: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """The objects of a list, or of an object that PHP wrote in place of one."""
    return list(each_object(item.get(key)))


def each_object(value: Any) -> Iterator[dict[str, Any]]:
    """The objects in a list or among the values of an object."""
    values = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return (each for each in values if isinstance(each, dict))


def utc_of(value: Any) -> str | None:
    """
    A moment as front matter has it, ``2026-12-01T17:00:00Z``; None where it is none.

    Args:
        value: seconds since 1970, or as in ISO 8601; UTC where it names no zone.
    """
    moment = moment_of(value)
    return None if moment is None else moment.replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def moment_of(value: Any) -> datetime | None:
    """A moment in UTC; ``value`` as for ``utc_of``."""
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value.strip())
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None


def ns_of(moment: datetime | None) -> int | None:
    """Nanoseconds since 1970, of what a disk can hold."""
    if moment is None or not 1970 <= moment.year < 2200:
        return None
    return int(moment.timestamp()) * 1_000_000_000
