"""Writing content lines: names, parameters and values put together, quoted, encoded and folded (RFC 5545 §3.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from storage.contentlines import escape

FOLD_AT = 75  # octets of a line without its line end
NAME = re.compile(r"[A-Za-z0-9_-]+")
_CARETS = {"^n": "\n", "^'": '"', "^^": "^"}
_ENCODED = {"\n": "^n", '"': "^'", "^": "^^"}
_TO_QUOTE = re.compile("[,;:]")
_UNWRITABLE = re.compile("[\x00-\x08\x0a-\x1f\x7f\ufffe\uffff\ud800-\udfff]")  # ends a line, or no line can hold it

Parameters = Sequence[tuple[str, Sequence[str]]]


def decode_carets(value: str) -> str:
    """A parameter's value as it is meant (RFC 6868 §3.2); a caret before anything else stays."""
    return re.sub(r"\^[n'^]", lambda match: _CARETS[match[0]], value) if "^" in value else value


def encode_carets(value: str) -> str:
    """A parameter's value as it stands in a line (RFC 6868 §3.1)."""
    return re.sub(r'[\n"^]', lambda match: _ENCODED[match[0]], value.replace("\r\n", "\n"))


def render_line(name: str, parameters: Parameters, value: str, *, group: str = "", newline: str = "\r\n") -> bytes:
    """
    One property, folded.

    Args:
        parameters: names and values as they stand in a line: carets encoded, quotes not there yet.
        value: as it stands in a line: escaped.

    Raises:
        ValueError: a name is none, or a value has a character that would end the line or that no line can hold.
    """
    return fold(unfolded(name, parameters, value, group=group), newline)


def unfolded(name: str, parameters: Parameters, value: str, *, group: str = "") -> str:
    """As ``render_line``, in one piece and without its end."""
    parts = [f"{group}.{name}" if group else name]
    for key, values in parameters:
        parts.append(f"{key}={','.join(map(_quoted, values))}")
    if not all(NAME.fullmatch(each) for each in (name, group or "x", *(key for key, _ in parameters))):
        raise ValueError(f"a name of the property {name[:40]!r} is not of letters, digits and hyphens")
    line = f"{';'.join(parts)}:{value}"
    if _UNWRITABLE.search(line):
        raise ValueError(f"a value of {name[:40]} has a line end or control character")
    return line


def fold(line: str, newline: str = "\r\n") -> bytes:
    """A line in pieces of 75 octets at most, none of which ends inside a character."""
    if len(line) * 4 <= FOLD_AT or (line.isascii() and len(line) <= FOLD_AT):
        return (line + newline).encode()
    data, ending = line.encode(), newline.encode()
    pieces, start, room = list[bytes](), 0, FOLD_AT
    while len(data) - start > room:
        end = start + room
        while data[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(data[start:end])
        start, room = end, FOLD_AT - 1
    return (ending + b" ").join([*pieces, data[start:]]) + ending


def text_value(text: str) -> str:
    """A TEXT value of this text (RFC 5545 §3.3.11), without the characters that no line can hold."""
    return escape("".join(c for c in text if c in "\n\t" or not _UNWRITABLE.match(c)))


def _quoted(value: str) -> str:
    return f'"{value}"' if _TO_QUOTE.search(value) else value
