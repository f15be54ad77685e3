"""
What a search asks of the rows of files, as far as SQL can answer it; what passes is looked at one by one.

A filter may let pass what does not match; it never keeps back what does. Like ``storage.wanted`` a part of the index.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

LARGEST = (1 << 63) - 1
NOT_ASCII = "name GLOB '*[^\x01-\x7f]*'"  # SQLite knows the letters of ASCII only: all others are candidates
SUFFIX = "replace(lower(name), rtrim(lower(name), replace(lower(name), '.', '')), '')"  # what follows the last dot
COLUMNS = {"size": "size", "modified": "modified_ns", "created": "created_ns"}


@dataclass(frozen=True, slots=True)
class RowFilter:
    """SQL over the columns of a member, and the values for its question marks."""

    sql: str
    values: tuple[str | int, ...] = ()


EVERYTHING = RowFilter("1")
NOTHING = RowFilter("0")


def name_holds(text: str, *, caseless: bool) -> RowFilter:
    """Names with a text in them, which is in lower case if that does not count."""
    if caseless:
        return RowFilter(f"(instr(lower(name), ?) OR {NOT_ASCII})", (text,))
    return RowFilter("instr(name, ?)", (text,))


def name_ends(suffixes: Iterable[str]) -> RowFilter:
    """Names with one of these suffixes, which are in lower case and without the dot."""
    values = tuple(suffixes)
    return RowFilter(f"({SUFFIX} IN ({', '.join('?' * len(values))}) OR {NOT_ASCII})", values)


def within(column: Literal["size", "modified", "created"], low: int | None, high: int | None) -> RowFilter:
    """From ``low`` on and below ``high``: bytes, or nanoseconds since 1970."""
    bounds = ((">=", low), ("<", high))
    known = [(sign, max(-LARGEST, min(value, LARGEST))) for sign, value in bounds if value is not None]
    sql = " AND ".join(f"{COLUMNS[column]} {sign} ?" for sign, _ in known)
    return RowFilter(f"({sql})", tuple(value for _, value in known))


def all_of(filters: Iterable[RowFilter]) -> RowFilter:
    """What passes each of at least one filter."""
    return _joined(list(filters), " AND ")


def any_of(filters: Iterable[RowFilter]) -> RowFilter:
    """What passes one of at least one filter."""
    return _joined(list(filters), " OR ")


def _joined(filters: list[RowFilter], by: str) -> RowFilter:
    values = tuple(value for each in filters for value in each.values)
    return RowFilter(f"({by.join(each.sql for each in filters)})", values)
