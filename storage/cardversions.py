"""A card in the other version of vCard, for a client that asks for it (RFC 6352 §5.1.1); what is stored stays."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from storage.cardmedia import types_of, with_types
from storage.cardto3 import lines_of_3
from storage.cardto4 import lines_of_4
from storage.contentlines import Component, Line, mend, parse_components
from storage.linewriter import render_line
from storage.partial import HEAD

VERSION_3, VERSION_4 = "3.0", "4.0"
CONVERSIONS: dict[tuple[str, str], Callable[[Component], Iterator[Line]]] = {
    (VERSION_3, VERSION_4): lines_of_4,
    (VERSION_4, VERSION_3): lines_of_3,
}
_FIRST_LINES = 64  # bytes; VERSION is the second line of nearly every card
_VERSION = re.compile(rb"^VERSION:[ \t]*([0-9.]+)[ \t\r\n]", re.IGNORECASE | re.MULTILINE)


class CannotConvert(ValueError):
    """There is no way from what is stored to the version or media type that is asked."""


def version_of(data: bytes) -> str:
    """What a card's VERSION says, "" where none stands in it."""
    match = _VERSION.search(data, 0, _FIRST_LINES) or _VERSION.search(data)
    return "" if match is None else match[1].decode()


def to_version(data: bytes, version: str) -> bytes:
    """
    A card in a version: the same object where it is of that version already.

    Properties that both versions write alike stay byte for byte.

    Raises:
        CannotConvert: it is no card of a version that is known here.
    """
    present = version_of(data)
    if present == version:
        return data
    convert = CONVERSIONS.get((present, version))
    if convert is None:
        raise CannotConvert(f"vCard {present[:10] or 'without version'} cannot be told as vCard {version[:10]}")
    text = mend(data)
    try:
        cards = parse_components(text, longest_head=len(text), bare_parameters=True)
        return _convert(text, cards, version, convert)
    except ValueError as error:
        raise CannotConvert(str(error)) from error


def _convert(
    text: bytes, cards: list[Component], version: str, convert: Callable[[Component], Iterator[Line]]
) -> bytes:
    if len(cards) != 1 or cards[0].children:
        raise CannotConvert("an address object is one card")
    newline = "\r\n" if b"\r\n" in text else "\n"
    parts = [f"BEGIN:VCARD{newline}VERSION:{version}{newline}".encode()]
    for line in convert(cards[0]):
        stored = text[line.start : line.end]
        is_old_style = bool(line.end) and _is_old_style(line, stored)
        if line.end and not is_old_style:
            parts.append(stored)
            continue
        group = text[line.start : line.start + len(line.group)].decode()  # as the client spelled it
        parameters = with_types(line.parameters, types_of(line)) if is_old_style else line.parameters
        parts.append(render_line(line.name, parameters, line.value, group=group, newline=newline))
    parts.append(f"END:VCARD{newline}".encode())
    return b"".join(parts)


def _is_old_style(line: Line, stored: bytes) -> bool:
    """Whether a TYPE stands without its name, as vCard 2.1 has it (``TEL;HOME:``) and vCard 4 does not."""
    types = sum(key == "TYPE" for key, _ in line.parameters)
    if not types:
        return False
    head = HEAD.match(stored)
    return head is not None and head[0].upper().count(b"TYPE=") < types
