"""One value of ``davserver.toml``: its type and range, judged by the field of the schema."""

from __future__ import annotations

import difflib
import types
from collections.abc import Collection
from dataclasses import Field
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

_KINDS = {
    bool: ("a boolean", "true or false"),
    int: ("a number", "a whole number without quotes"),
    str: ("text", 'text in "quotes"'),
    float: ("a number with a point", ""),
    list: ("a list", ""),
    dict: ("a table", ""),
}


class Refused(Exception):
    """A value that does not fit: what was found and what would work."""

    def __init__(self, found: str, hint: str) -> None:
        super().__init__(f"{found}; {hint}")
        self.found = found
        self.hint = hint


def read_value(field: Field[Any], hint: Any, value: Any, folder: Path) -> Any:
    """
    The value for a field; a path comes out absolute.

    Args:
        hint: the field's resolved type.
        folder: what relative paths are relative to.

    Raises:
        Refused: wrong type, not one of the choices or out of range.
    """
    if get_origin(hint) is Literal:
        return _choice(value, get_args(hint))
    if get_origin(hint) is types.UnionType:
        hint = next(kind for kind in get_args(hint) if kind is not type(None))
    if hint is Path:
        return folder / Path(_text(value)).expanduser()
    if get_origin(hint) is tuple:
        return _list(value)
    if hint is int:
        return _number(value, field.metadata["least"], field.metadata["most"])
    if type(value) is not hint:
        raise Refused(_shown(value), f"it takes {_KINDS[hint][1]}")
    return value


def nearest(key: str, known: Collection[str]) -> str:
    """A sentence that names the known key closest to an unknown one, or all of them."""
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else f"known here: {', '.join(sorted(known))}"


def _choice(value: Any, choices: tuple[Any, ...]) -> Any:
    if value not in choices or type(value) is not str:
        raise Refused(_shown(value), f"it is one of {', '.join(map(repr, choices))}")
    return value


def _text(value: Any) -> str:
    if type(value) is not str:
        raise Refused(_shown(value), 'it takes a path in "quotes"')
    if not value or "\0" in value:
        raise Refused("empty" if not value else "text with a zero byte", "name a file or folder, or leave the line out")
    return value


def _list(value: Any) -> tuple[str, ...]:
    if type(value) is not list or any(type(each) is not str for each in value):
        raise Refused(_shown(value), 'it takes a list of texts: ["one", "two"]')
    return tuple(value)


def _number(value: Any, least: int | None, most: int | None) -> int:
    # bool is an int for Python, but not for whoever wrote the file.
    if type(value) is not int:
        raise Refused(_shown(value), f"it takes {_KINDS[int][1]}")
    if (least is not None and value < least) or (most is not None and value > most):
        raise Refused(str(value), f"it can be {least} to {most}")
    return value


def _shown(value: Any) -> str:
    """A value as the operator wrote it, short."""
    kind = _KINDS.get(type(value), (f"a {type(value).__name__}", ""))[0]
    if type(value) is bool:
        return f"{kind} ({str(value).lower()})"
    if type(value) in (int, float, str):
        return f"{kind} ({str(value)[:40]!r})" if type(value) is str else f"{kind} ({value})"
    return kind
