"""
Reads ``davserver.toml`` into ``Settings`` and finds every problem in one go.

A path in the file is relative to the file. What the command line and the environment say counts more than the file.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import Field, dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, get_type_hints

from config.consistency import find_conflicts
from config.errors import ConfigRefused, Problem
from config.lines import TomlLines
from config.schema import Settings
from config.values import Refused, nearest, read_value

CONFIG_VARIABLE = "DAVSERVER_CONFIG"
LISTEN_VARIABLE = "DAVSERVER_LISTEN"
DATA_VARIABLE = "DAVSERVER_DATA"


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the command line or the environment puts in place of the file's word."""

    listen: str | None = None
    data: str | None = None

    @classmethod
    def of(cls, listen: str | None, data: str | None, environment: Mapping[str, str]) -> Overrides:
        """Arguments first, then the environment."""
        return cls(listen or environment.get(LISTEN_VARIABLE), data or environment.get(DATA_VARIABLE))


def load(file: Path, overrides: Overrides = Overrides()) -> Settings:
    """
    The settings of a file.

    Raises:
        ConfigRefused: the file or something it names is wrong; holds all problems, in the order of their lines.
    """
    text = _text_of(file)
    source = _Source(file, TomlLines(text), [])
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigRefused((syntax_problem(file, error, text),)) from error
    settings = _overridden(source.read(Settings, table, ()), overrides, source)
    source.problems.extend(find_conflicts(settings, file, source.lines))
    if source.problems:
        raise ConfigRefused(tuple(sorted(source.problems, key=lambda problem: problem.line)))
    return settings


def syntax_problem(file: Path, error: tomllib.TOMLDecodeError, text: str) -> Problem:
    """A TOML error as a problem with its line."""
    place = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
    line = int(place[1]) if place else max(1, len(text.splitlines()))
    reason = re.sub(r"\s*\(at .*\)$", "", str(error))
    return Problem(
        str(file),
        line,
        f"this is not TOML: {reason}",
        'a line is `key = value`, text stands in "quotes", tables in [brackets]',
    )


def parse_listen(value: str) -> tuple[str, int]:
    """
    Read ``HOST:PORT``; an IPv6 address stands in brackets, a missing host is this machine alone.

    Raises:
        ValueError: it is not of that form.
    """
    found = re.fullmatch(r"(?:\[(?P<six>[0-9A-Fa-f:.%]+)\]|(?P<host>[^:\[\]\s]*)):(?P<port>\d{1,5})", value)
    if found is None or int(found["port"]) > 65_535:
        raise ValueError(f"{value!r} is not HOST:PORT; 127.0.0.1:8080 or [::1]:8080 would be")
    return found["six"] or found["host"] or "127.0.0.1", int(found["port"])


@dataclass(frozen=True, slots=True)
class _Source:
    """The file that is being read, and the problems found so far."""

    file: Path
    lines: TomlLines
    problems: list[Problem]

    @property
    def _folder(self) -> Path:
        return self.file.absolute().parent

    def read(self, kind: type[Any], table: Mapping[str, Any], path: tuple[str, ...]) -> Any:
        """A dataclass of the schema from a table; what is wrong is noted and stays at its default."""
        known = {each.name: each for each in fields(kind)}
        hints = get_type_hints(kind)
        for key in table.keys() - known.keys():
            self._note((*path, key), f"unknown setting {'.'.join((*path, key))!r}", nearest(key, known))
        chosen = {}
        for name, each in known.items():
            if is_dataclass(hints[name]):
                chosen[name] = self._section(hints[name], table.get(name, {}), (*path, name))
            elif name in table:
                chosen[name] = self._value(each, hints[name], table[name], (*path, name))
            elif isinstance(each.default, Path):
                chosen[name] = self._folder / each.default
        return kind(**chosen)

    def _section(self, kind: Any, table: Any, path: tuple[str, ...]) -> Any:
        if not isinstance(table, dict):
            self._note(
                path, f"{'.'.join(path)} is a value", f"it is a table: write [{'.'.join(path)}] on a line of its own"
            )
            table = {}
        return self.read(kind, table, path)

    def _value(self, each: Field[Any], hint: Any, value: Any, path: tuple[str, ...]) -> Any:
        try:
            return read_value(each, hint, value, self._folder)
        except Refused as refused:
            self._note(path, f"{'.'.join(path)} is {refused.found}", refused.hint)
            return each.default

    def _note(self, path: tuple[str, ...], found: str, hint: str) -> None:
        self.problems.append(Problem(str(self.file), self.lines.of(*path), found, hint))


def _text_of(file: Path) -> str:
    try:
        return file.read_bytes().decode()
    except FileNotFoundError:
        raise _no_file(
            file, "there is no such file", "name it with -c FILE, or make one with `davserver init DIR`"
        ) from None
    except OSError as error:
        raise _no_file(
            file, f"it cannot be read ({error.strerror})", "name a file that this account may read"
        ) from error
    except UnicodeDecodeError as error:
        raise _no_file(file, f"byte {error.start} is not UTF-8", "save it as UTF-8") from error


def _no_file(file: Path, found: str, hint: str) -> ConfigRefused:
    return ConfigRefused((Problem(str(file), 1, found, hint),))


def _overridden(settings: Settings, overrides: Overrides, source: _Source) -> Settings:
    if overrides.listen is not None:
        try:
            host, port = parse_listen(overrides.listen)
        except ValueError as error:
            found, _, hint = str(error).partition("; ")
            source.problems.append(Problem("--listen", 1, found, hint))
        else:
            settings = replace(settings, server=replace(settings.server, host=host, port=port))
    if overrides.data is not None:
        # As everywhere on a command line, relative to where one stands, not to the file.
        settings = replace(settings, storage=replace(settings.storage, data=Path(os.path.abspath(overrides.data))))
    return settings
