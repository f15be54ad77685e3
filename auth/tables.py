"""
Reading the association's TOML files: values with their types, and every problem at once with its line.

A reader asks a ``Table`` for what its grammar knows; what does not fit becomes a ``Problem`` and the answer is None,
so one pass over a file finds everything that is wrong with it.
"""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from auth.errors import Problem
from config.lines import TomlLines

LONGEST_TEXT = 1 << 20  # characters of one file; some thousand accounts take less
_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
# tomllib takes time with the square of a key's dotted parts: half a minute for one key of 64 KiB.
MOST_DOTS_IN_A_LINE = 500
_SECRETS = frozenset({"password", "hash", "token"})
_SYNTAX_HINT = "see https://toml.io; the line before may be the one to mend"


class TomlFile:
    """
    One file that is being read, and what was found wrong with it so far.

    Attributes:
        root: the whole file as a table; empty where the file is no TOML at all.
        problems: in the order they were found.
    """

    def __init__(self, text: str, file: str, *, longest: int = LONGEST_TEXT) -> None:
        self.file = file
        self._longest = longest
        self.problems: list[Problem] = []
        text = text.removeprefix("\ufeff")  # Notepad puts a byte order mark in front
        self._lines = TomlLines(text)
        self.root = Table(self, self._parse(text), ())

    def line(self, *path: str | int) -> int:
        """The line on which a key or table stands."""
        return self._lines.of(*path)

    def report(self, line: int, found: str, hint: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(self.file, line, found, hint))

    def _parse(self, text: str) -> dict[str, Any]:
        if len(text) > self._longest:
            self.report(1, f"{len(text)} characters", f"a file can have {self._longest}")
            return {}
        for number, line in enumerate(text.split("\n"), 1):
            if line.count(".") > MOST_DOTS_IN_A_LINE:
                self.report(number, f"more than {MOST_DOTS_IN_A_LINE} dots in one line", "use several lines")
                return {}
        try:
            return tomllib.loads(text)
        except RecursionError:
            self.report(1, "not TOML: nested too deeply", _SYNTAX_HINT)
        except ValueError as error:
            place = _PLACE.search(str(error))
            end_of_document = text.rstrip().count("\n") + 1
            at = 1 if place is None else int(place[1] or end_of_document)
            self.report(at, f"not TOML: {_PLACE.sub('', str(error))}", _SYNTAX_HINT)
        return {}


class Table:
    """One table of a file; every getter answers None (or an empty value) where the key is missing or wrong."""

    def __init__(self, file: TomlFile, values: dict[str, Any], path: tuple[str | int, ...]) -> None:
        self._file = file
        self._values = values
        self._path = path
        self.line = file.line(*path)

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def report(self, key: str | None, found: str, hint: str) -> None:
        """Note a problem at a key's line, or at the table's own."""
        self._file.report(self.line_of(key), found, hint)

    def line_of(self, key: str | None) -> int:
        """The line of a key, or the table's own for None."""
        return self.line if key is None else self._file.line(*self._path, key)

    def only(self, known: Sequence[str], hints: dict[str, str] | None = None) -> None:
        """Report every key that the grammar does not know; ``hints`` says where a well-known stray belongs."""
        for key in self._values:
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1)
                usual = f"did you mean {near[0]!r}?" if near else f"it can be {listed(known)}"
                self.report(key, f"unknown key {key!r}", (hints or {}).get(key, usual))

    def text(self, key: str, *, empty: bool = False) -> str | None:
        """A text in quotes."""
        value = self._values.get(key)
        if value is None:
            return None
        if not isinstance(value, str):
            self._wrong(key, value, 'a text in quotes, such as "Sport"')
            return None
        if not value.strip() and not empty:
            self.report(key, f"{key} is empty", "write a text or leave the key out")
            return None
        return value

    def texts(self, key: str, *, single: bool = False) -> tuple[str, ...] | None:
        """A list of texts; with ``single`` one text alone will do."""
        value = self._values.get(key)
        if value is None:
            return None
        if single and isinstance(value, str):
            value = [value]
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self._wrong(key, value, 'a list of texts, such as ["alice", "sport"]')
            return None
        return tuple(value)

    def flag(self, key: str) -> bool | None:
        """True or false."""
        value = self._values.get(key)
        if value is None or isinstance(value, bool):
            return value
        self._wrong(key, value, "true or false, without quotes")
        return None

    def number(self, key: str, *, least: int) -> int | None:
        """A whole number from ``least`` up."""
        value = self._values.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            self._wrong(key, value, f"a whole number from {least} up, without quotes")
            return None
        return value

    def value(self, key: str) -> object:
        """Whatever stands there, None where nothing does; who reads it judges it."""
        return self._values.get(key)

    def decimal(self, key: str) -> Decimal | None:
        """A number, whole or with a fraction, exactly as it is written in decimal."""
        value = self._values.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self._wrong(key, value, "a number, without quotes")
            return None
        return Decimal(str(value)) if isinstance(value, float) or abs(value) < 1e18 else Decimal("1e18")

    def instant(self, key: str) -> datetime | None:
        """A date with time and offset, unambiguous wherever the server stands."""
        value = self._values.get(key)
        if value is None:
            return None
        if not isinstance(value, datetime) or value.tzinfo is None:
            self._wrong(key, value, "a time with its offset and without quotes, such as 2027-01-01T00:00:00Z")
            return None
        return value

    def named(self, key: str, example: str) -> Iterator[tuple[str, Table]]:
        """The tables ``[key.<name>]`` with their names."""
        value = self._values.get(key, {})
        if not isinstance(value, dict):
            self._wrong(key, value, f"tables: [{key}.{example}]")
            return
        for name, values in value.items():
            if isinstance(values, dict):
                yield name, Table(self._file, values, (*self._path, key, name))
            else:
                self._file.report(
                    self._file.line(*self._path, key, name),
                    f"{key}.{name} is {kind_of(values)}",
                    f"it can be a table: [{key}.{name}]",
                )

    def keys(self) -> list[str]:
        """What stands in it."""
        return list(self._values)

    def table(self, key: str) -> Table | None:
        """The table ``[key]``."""
        value = self._values.get(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            self._wrong(key, value, f"a table: [{key}]")
            return None
        return Table(self._file, value, (*self._path, key))

    def each(self, key: str) -> Iterator[Table]:
        """The tables ``[[key]]`` in their order."""
        value = self._values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self._wrong(key, value, f"tables: [[{key}]], with two brackets on each side")
            return
        for position, values in enumerate(value):
            yield Table(self._file, values, (*self._path, key, position))

    def _wrong(self, key: str, value: object, takes: str) -> None:
        # Problems are logged; a password that was written without quotes must not be.
        found = "no text" if key in _SECRETS else kind_of(value)
        self.report(key, f"{key} is {found}", f"it can be {takes}")


def listed(words: Sequence[str]) -> str:
    """``a, b or c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def kind_of(value: object) -> str:
    """What a value is, in the words of somebody who edits the file."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            # Python refuses to print integers of thousands of digits.
            return f"the number {value}" if abs(value) < 1e18 else "a very large number"
        case str():
            return f"the text {value[:40]!r}"
        case list():
            strays = [item for item in value if not isinstance(item, str)]
            return f"a list that holds {kind_of(strays[0])}" if strays else "a list"
        case dict():
            return "a table"
        case datetime():
            return "a time" if value.tzinfo else "a time without offset"
        case _:
            return f"{value}"[:60]
