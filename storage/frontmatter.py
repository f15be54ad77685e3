"""
Front matter: the block of ``key: value`` lines at the start of a text file, and the text below it.

A small subset of YAML in which every scalar is text: no types, nesting, anchors or tags, so nothing is guessed. A file
is edited line by line: what is not changed stays as people wrote it, byte for byte.

    block = "---" newline *(entry / comment / blank) "---" newline
    entry = key ":" [scalar / "[" [scalar *("," scalar)] "]"] newline *("- " scalar newline)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

Value = str | tuple[str, ...]

FENCE = "---"
BLOCK_LISTS = frozenset({"ical", "ical-parts"})  # lists of content lines: each has a line of its own
MOST_LINES = 5000  # of a block
_ENTRY = re.compile(r"([A-Za-z][A-Za-z0-9_-]*)[ \t]*:(?:[ \t]+(.*))?$")
_ITEM = re.compile(r"[ \t]*-(?:[ \t]+(.*))?$")
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"')
_SINGLE = re.compile(r"'((?:[^']|'')*)'")
_PLAIN = re.compile(r"(?![-?:,\[\]{}#&*!|>'\"%@`\s])[^\x00-\x1f\x7f]*(?<!\s)(?<!:)")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "0": "\0", "/": "/", " ": " "}
_ENCODED = {"\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85\u2028\u2029\ud800-\udfff\ufffe\uffff]")


class Unreadable(ValueError):
    """A scalar or list is outside of the subset."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A key with the lines of the block that are its own, the one after the last not included."""

    key: str
    value: Value
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class Document:
    """
    A text file taken apart.

    Attributes:
        lines: of the block, without line ends; None where the file has no block.
        gap: empty lines between the block and the text.
        text: what stands below the block, with ``\\n`` as line end and none at its end.
        problem: what of the block cannot be read, ``line 3: …``; the other lines are read all the same.
    """

    bom: str
    newline: str
    lines: tuple[str, ...] | None
    gap: str
    text: str
    entries: tuple[_Entry, ...] = ()
    problem: str = ""

    @property
    def values(self) -> Mapping[str, Value]:
        """What the block says, by key; of a key that stands twice the first counts."""
        found: dict[str, Value] = {}
        for entry in self.entries:
            found.setdefault(entry.key, entry.value)
        return MappingProxyType(found)


def parse_document(data: bytes) -> Document:
    """
    Take a file apart; of one that is not UTF-8 each byte that is none becomes U+FFFD, and ``problem`` says so.
    """
    try:
        text, problem = data.decode(), ""
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        text, problem = data.decode(errors="replace"), f"line {line}: not UTF-8"
    bom = "\ufeff" if text.startswith("\ufeff") else ""
    text = text[len(bom) :]
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = text.replace("\r\n", "\n").split("\n")
    if lines[0].rstrip() != FENCE:
        return Document(bom, newline, None, "", _stripped("\n".join(lines)), problem=problem)
    closing = next((number for number, line in enumerate(lines[1:MOST_LINES], 1) if line.rstrip() == FENCE), None)
    if closing is None:
        said = f"line 1: the block that begins with {FENCE} has no line {FENCE} at its end"
        return Document(bom, newline, None, "", _stripped("\n".join(lines)), problem=problem or said)
    block = lines[1:closing]
    entries, found = _parse_block(block)
    below = lines[closing + 1 :]
    first = next((number for number, line in enumerate(below) if line.strip()), len(below))
    gap = "\n" * (first if first < len(below) else 0)
    return Document(bom, newline, tuple(block), gap, _stripped("\n".join(below[first:])), entries, problem or found)


def texts(document: Document, key: str) -> tuple[str, ...]:
    """What the block says for a key as a list: one text alone is a list of it."""
    value = document.values.get(key, ())
    found = (value,) if isinstance(value, str) else value
    return tuple(" ".join(text.split()) for text in found if text.strip())


def edited(document: Document, changes: Mapping[str, Value | None], text: str | None = None) -> bytes:
    """
    The file with some keys changed, added at the end of the block or, with None, removed.

    Args:
        text: what is to stand below the block; without it, what stands there.
    """
    lines, is_same = _edited_lines(document, changes), text is None and document.lines is None
    text = document.text if text is None else _stripped(text.replace("\r\n", "\n"))
    is_mistaken = not is_same and (text.startswith("\ufeff") or text.partition("\n")[0].rstrip() == FENCE)
    block = "".join(f"{line}\n" for line in (FENCE, *lines, FENCE)) if lines or is_mistaken else ""
    below = f"{document.gap if block else ''}{text}\n" if text else ""
    return (document.bom + (block + below).replace("\n", document.newline)).encode(errors="replace")


def _edited_lines(document: Document, changes: Mapping[str, Value | None]) -> list[str]:
    lines, left = list(document.lines or ()), dict(changes)
    for entry in reversed(document.entries):
        if entry.key in changes:
            is_first = entry is next(each for each in document.entries if each.key == entry.key)
            value = left.pop(entry.key, None) if is_first else None
            if value == entry.value:
                continue
            is_list = any(_ITEM.match(line) for line in lines[entry.first + 1 : entry.end])
            new = [] if value is None else _rendered(entry.key, value, as_block=is_list)
            lines[entry.first : entry.end] = new
    for key, value in left.items():
        if value is not None:
            lines += _rendered(key, value, as_block=False)
    return lines


def _stripped(text: str) -> str:
    return text.rstrip("\n")


def _parse_block(lines: list[str]) -> tuple[tuple[_Entry, ...], str]:
    entries: list[_Entry] = []
    keys: set[str] = set()
    problem, number = "", 0
    while number < len(lines):
        first, line = number, lines[number]
        number += 1
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        entry = _ENTRY.match(line)
        try:
            if entry is None:
                raise Unreadable("not 'key: value'")
            said = (entry[2] or "").strip()
            if said and not said.startswith("#"):
                value = _parse_value(said)
            else:
                value, number = _parse_items(lines, number)
            if entry[1] in keys:
                raise Unreadable(f"{entry[1]} stands there twice")
        except Unreadable as error:
            problem = problem or f"line {first + 2}: {error}"
            continue
        keys.add(entry[1])
        entries.append(_Entry(entry[1], value, first, number))
    return tuple(entries), problem


def _parse_items(lines: list[str], number: int) -> tuple[Value, int]:
    """The items below a key without a value; "" where there are none. Also the number of the line after them."""
    items: list[str] = []
    while number < len(lines) and (item := _ITEM.match(lines[number])) is not None:
        items.append(_parse_scalar((item[1] or "").strip()))
        number += 1
    return tuple(items) or "", number


def _parse_value(said: str) -> Value:
    if not said.startswith("["):
        return _parse_scalar(said)
    rest, items = said[1:].lstrip(), list[str]()
    while not rest.startswith("]"):
        quoted = _DOUBLE.match(rest) or _SINGLE.match(rest)
        piece = quoted[0] if quoted else re.match(r"[^,\]]*", rest)[0]  # type: ignore[index]
        items.append(_parse_scalar(piece.strip()))
        rest = rest[len(piece) :].lstrip()
        if rest.startswith(","):
            rest = rest[1:].lstrip()
        elif not rest.startswith("]"):
            raise Unreadable("a list that begins with '[' has no ']' at its end")
    _require_comment(rest[1:])
    return tuple(items)


def _parse_scalar(said: str) -> str:
    quoted = _DOUBLE.match(said)
    if quoted is not None:
        _require_comment(said[quoted.end() :])
        return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[0]), quoted[1])
    quoted = _SINGLE.match(said)
    if quoted is not None:
        _require_comment(said[quoted.end() :])
        return quoted[1].replace("''", "'")
    if said[:1] in ("{", "[", "&", "*", "!", "|", ">", '"', "'"):
        raise Unreadable(f"a value that begins with {said[0]!r} must be quoted")
    return re.split(r"[ \t]#", said, maxsplit=1)[0].rstrip()


def _require_comment(rest: str) -> None:
    if rest.strip() and not re.match(r"[ \t]+#", rest):
        raise Unreadable(f"{rest.strip()[:20]!r} stands behind the value")


def _rendered(key: str, value: Value, *, as_block: bool) -> list[str]:
    if isinstance(value, str):
        return [f"{key}: {_scalar(value)}"]
    if as_block or key in BLOCK_LISTS:
        return [f"{key}:", *(f"- {_scalar(item)}" for item in value)]
    return [f"{key}: [{', '.join(_scalar(item, in_list=True) for item in value)}]"]


def _scalar(text: str, *, in_list: bool = False) -> str:
    text = _UNWRITABLE.sub("", text)
    is_plain = _PLAIN.fullmatch(text) and " #" not in text and ": " not in text
    if text and is_plain and not (in_list and re.search(r"[,\[\]{}]", text)):
        return text
    return '"' + re.sub(r'[\n\t\r"\\]', lambda match: _ENCODED[match[0]], text) + '"'
