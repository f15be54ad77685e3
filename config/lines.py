"""
Where a key of a TOML file stands: ``tomllib`` gives values without lines, and a message without a line is no help.

The scan reads what ``tomllib`` has accepted already, so it needs to know only table headers, keys at the start of a
line and where strings and arrays of several lines end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

# key = bare / quoted, dotted with optional blanks (TOML 1.0 "Keys")
_PART = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_KEY = rf"{_PART}(?:\s*\.\s*{_PART})*"
_HEADER = re.compile(rf"\s*(\[\[?)\s*({_KEY})\s*\]\]?")
_PAIR = re.compile(rf"\s*({_KEY})\s*=")
_STRING = re.compile(r'"""|\'\'\'|"(?:[^"\\]|\\.)*"|\'[^\']*\'|#|[\[\]{}]')
_PARTS = re.compile(_PART)


class TomlLines:
    """The line of every table and key of one TOML text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def of(self, *path: str | int) -> int:
        """
        The line of a key, else of the nearest table above it, else 1.

        Args:
            path: table names, position in an array of tables, key: ``("user", "alice", "app_password", 0, "label")``.
        """
        for length in range(len(path), 0, -1):
            if (line := self._lines.get(path[:length])) is not None:
                return line
        return 1

    @cached_property
    def _lines(self) -> dict[tuple[str | int, ...], int]:
        found: dict[tuple[str | int, ...], int] = {}
        counts: dict[tuple[str | int, ...], int] = {}
        table: tuple[str | int, ...] = ()
        for number, line in _statements(self._text):
            if header := _HEADER.match(line):
                table = _resolved(_parts(header[2]), counts)
                if header[1] == "[[":
                    position = counts[table] = counts.get(table, -1) + 1
                    found.setdefault(table, number)
                    table = (*table, position)
                _remember(found, table, number)
            elif pair := _PAIR.match(line):
                _remember(found, (*table, *_parts(pair[1])), number)
        return found


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Lines that begin a table or a pair, with their number from 1; not those inside a string or array."""
    quotes, depth = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if not quotes and depth == 0:
            yield number, line
            if _HEADER.match(line) and not _PAIR.match(line):
                continue
        quotes, depth = _after(line, quotes, depth)


def _after(line: str, quotes: str, depth: int) -> tuple[str, int]:
    """The open quotes and bracket depth behind a line."""
    position = 0
    while True:
        if quotes:
            end = line.find(quotes, position)
            if end < 0:
                return quotes, depth
            position, quotes = end + 3, ""
        token = _STRING.search(line, position)
        if token is None or token[0] == "#":
            return "", depth
        position = token.end()
        if token[0] in ('"""', "'''"):
            quotes = token[0]
        elif token[0] in "[{":
            depth += 1
        elif token[0] in "]}":
            depth -= 1


def _parts(key: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _PARTS.findall(key))


def _resolved(parts: tuple[str, ...], counts: dict[tuple[str | int, ...], int]) -> tuple[str | int, ...]:
    """A header's path, with the position of the array element it extends: ``[[a]]`` then ``[a.b]`` is a, 0, b."""
    path: tuple[str | int, ...] = ()
    for index, part in enumerate(parts):
        path = (*path, part)
        if path in counts and index < len(parts) - 1:
            path = (*path, counts[path])
    return path


def _remember(found: dict[tuple[str | int, ...], int], path: tuple[str | int, ...], number: int) -> None:
    """Note a path and, where they have no line of their own, the tables above it."""
    for length in range(1, len(path) + 1):
        found.setdefault(path[:length], number)
