"""
The mark of a double booking in the text of an event: STATUS:TENTATIVE and a category that says why (RFC 5545 §3.8.1.11,
§3.8.1.2).

Whatever else stands in the text stays byte for byte. What STATUS was before is given back, to be kept beside the file,
so that the mark can be taken off again. Clients send back what they were given, put together anew: the mark is known
by its category, in each of the server's languages.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from storage.contentlines import Component, Line, escape, parse_components, unescape

WORDS: Mapping[str, str] = {"en": "double booking", "fr": "double réservation", "de": "Doppelbelegung"}
MARK = "TENTATIVE"
FOLD_BYTES = 75  # of a line, its end not counted (RFC 5545 §3.1)

_KNOWN = frozenset(map(str.casefold, WORDS.values()))
_ENTRY = re.compile(r"(?:\\.|[^\\,])+", re.DOTALL)
_FOLD = re.compile(rb"\r?\n[ \t]")

Before = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class _Edit:
    start: int
    end: int
    text: bytes


def events_of(data: bytes) -> tuple[Component, list[Component]]:
    """The calendar and its events, master and overrides. Raises ValueError for a text that is no calendar."""
    top = parse_components(data, longest_head=len(data))
    if len(top) != 1 or top[0].name != "VCALENDAR":
        raise ValueError("one VCALENDAR is expected")
    return top[0], [child for child in top[0].children if child.name == "VEVENT"]


def key_of(event: Component) -> str:
    """What tells master and overrides apart: the RECURRENCE-ID as it is written, "" of the master."""
    line = event.find("RECURRENCE-ID")
    return "" if line is None else line.value.strip()


def with_marks(data: bytes, marked: Collection[str], word: str, before: Before) -> tuple[bytes, Before]:
    """
    The text with these of its events marked and no others, and the STATUS lines that those had before.

    Args:
        marked: the events, as ``key_of`` gives them.
        word: the category.
        before: the STATUS lines that were kept with the marks of the version before; None where there was no line.
    """
    edits: list[_Edit] = []
    kept: dict[str, str | None] = {}
    try:
        events = events_of(data)[1]
    except ValueError:  # broken by hand: what it was meant to be is not known
        return data, kept
    for event in events:
        key = key_of(event)
        if key in marked:
            kept[key] = _before(data, event, key, before)
            edits += _set(data, event, word)
        elif _bears(event) or (key in before and _status(event) == MARK):
            edits += _clear(data, event, before.get(key))
    return _edited(data, edits), kept


def _before(data: bytes, event: Component, key: str, before: Before) -> str | None:
    """What STATUS was or, where it is the mark's, what it was before that."""
    line = event.find("STATUS")
    if _status(event) == MARK and (key in before or _bears(event)):
        return before.get(key)
    return None if line is None else data[line.start : line.end].decode()


def _set(data: bytes, event: Component, word: str) -> Iterator[_Edit]:
    end = _line_end(data, event)
    at = min([child.start for child in event.children] + [event.closing])
    line = event.find("STATUS")
    if line is None:
        yield _Edit(at, at, b"STATUS:TENTATIVE" + end)
    elif _status(event) != MARK:
        yield _Edit(line.start, line.end, b"STATUS:TENTATIVE" + end)
    if not _bears(event):
        yield _Edit(at, at, f"CATEGORIES:{escape(word)}".encode() + end)


def _clear(data: bytes, event: Component, status: str | None) -> Iterator[_Edit]:
    line = event.find("STATUS")
    if line is not None and _status(event) == MARK:
        yield _Edit(line.start, line.end, b"" if status is None else status.encode())
    for line in event.all("CATEGORIES"):
        left = [entry for entry in _entries(line) if not _is_known(entry)]
        if len(left) < len(_entries(line)):
            text = _line_with(data, line, ",".join(left), _line_end(data, event)) if left else b""
            yield _Edit(line.start, line.end, text)


def _status(event: Component) -> str:
    line = event.find("STATUS")
    return "" if line is None else line.value.strip().upper()


def _bears(event: Component) -> bool:
    return any(_is_known(entry) for line in event.all("CATEGORIES") for entry in _entries(line))


def _entries(line: Line) -> list[str]:
    return _ENTRY.findall(line.value)


def _is_known(entry: str) -> bool:
    return unescape(entry).strip().casefold() in _KNOWN


def _line_end(data: bytes, event: Component) -> bytes:
    return b"\r\n" if b"\r\n" in data[event.start : event.end] else b"\n"


def _line_with(data: bytes, line: Line, value: str, end: bytes) -> bytes:
    """A line with another value, folded."""
    whole = _FOLD.sub(b"", data[line.start : line.end]).rstrip(b"\r\n")
    text = whole.decode()[: -len(line.value)] + value
    pieces, size = [""], 0
    for character in text:
        size += len(character.encode())
        if size > FOLD_BYTES:
            pieces.append(" ")
            size = 1 + len(character.encode())
        pieces[-1] += character
    return end.join(piece.encode() for piece in pieces) + end


def _edited(data: bytes, edits: list[_Edit]) -> bytes:
    parts, position = [], 0
    for edit in sorted(edits, key=lambda each: (each.start, each.end)):
        parts += [data[position : edit.start], edit.text]
        position = edit.end
    return b"".join([*parts, data[position:]])
