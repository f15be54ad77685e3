"""
Content lines and components: the grammar that iCalendar and vCard share (RFC 5545 §3.1, RFC 6350 §3.3).

One pass, each byte looked at a bounded number of times. The text is taken apart, never put together again: every
line and component knows the bytes it stands in, so what is stored are the bytes that came.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

BOM = b"\xef\xbb\xbf"
DEEPEST = 16  # VCALENDAR, VEVENT, VALARM are three; real data never goes beyond four
MOST_LINES = 100_000  # of one item; the longest recurrence set with overrides has a tenth of it
MOST_PARAMETERS = 200

# Neither iCalendar nor XML can carry these, so no report could ever hold an item with one in it.
_UNCARRIABLE = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xef\xbf[\xbe\xbf]")
# A fold between the bytes of one character (RFC 5545 §3.1 warns of it): right line by line, not UTF-8 as a whole.
_FOLD_IN_CHARACTER = re.compile(rb"\r?\n[ \t](?=[\x80-\xbf])")
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_BARE = re.compile(r'[^",;:]*')
_UNQUOTED = re.compile(r'([A-Za-z0-9_-]+)((?:;[A-Za-z0-9_-]+=[^";:]*)*):')  # a head without quotes, as most are


class Malformed(ValueError):
    """The bytes are not content lines or not nested components; says what was found and in which line."""


class Line(NamedTuple):
    """
    One property as it stands in the text.

    Attributes:
        name: in upper case, without the group of a vCard.
        parameters: names in upper case with their values, quotes taken off, carets (RFC 6868) as they came.
        value: unfolded, escapes as they came.
        start, end: the bytes it stands in, its folds and line end included.
        group: of a vCard's property, in upper case; else "".
    """

    name: str
    parameters: tuple[tuple[str, tuple[str, ...]], ...]
    value: str
    start: int
    end: int
    group: str = ""

    def parameter(self, name: str) -> str | None:
        """The first value of a parameter, or None."""
        return next((values[0] for key, values in self.parameters if key == name), None)

    @property
    def text(self) -> str:
        """The value read as TEXT (RFC 5545 §3.3.11)."""
        return unescape(self.value)


@dataclass(slots=True)
class Component:
    """
    What stands between BEGIN and END.

    Attributes:
        start, end: the bytes of both lines and all between.
        closing: where the END line begins.
    """

    name: str
    start: int
    closing: int = 0
    end: int = 0
    lines: list[Line] = field(default_factory=list)
    children: list[Component] = field(default_factory=list)

    def all(self, name: str) -> list[Line]:
        """Its own properties of that name."""
        return [line for line in self.lines if line[0] == name]

    def find(self, name: str) -> Line | None:
        """Its first property of that name."""
        for line in self.lines:
            if line[0] == name:
                return line
        return None


def unescape(value: str) -> str:
    r"""TEXT as it was written: ``\,`` ``\;`` ``\\`` and ``\n`` resolved, a stray backslash kept (RFC 5545 §3.3.11)."""
    if "\\" not in value:
        return value
    return re.sub(r"\\([\\;,nN])", lambda match: "\n" if match[1] in "nN" else match[1], value)


def escape(text: str) -> str:
    r"""A TEXT value of this text: backslash, semicolon, comma and line end with a backslash (RFC 5545 §3.3.11)."""
    return re.sub(r"[\\;,]", lambda match: "\\" + match[0], text).replace("\n", "\\n")


def mend(data: bytes) -> bytes:
    """
    Take out what no report could carry: a byte order mark, control characters, folds inside a character.

    Sound input comes back as the same object.
    """
    mended = data.removeprefix(BOM)
    if _UNCARRIABLE.search(mended):
        mended = _UNCARRIABLE.sub(b"", mended)
    try:
        mended.decode()
    except UnicodeDecodeError:
        mended = _FOLD_IN_CHARACTER.sub(b"", mended)
    return mended


def logical_lines(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """
    Each unfolded line with the bytes it stands in: (start, end, content).

    CRLF and LF end a line; empty lines belong to the line before them.

    Raises:
        Malformed: a bare CR, or a continuation with nothing to continue.
    """
    start, position, pieces = 0, 0, list[bytes]()
    for raw in data.split(b"\n"):
        line = raw.removesuffix(b"\r")
        if b"\r" in line:
            raise Malformed(f"a carriage return without line feed stands in the line {line[:40]!r}")
        if not line.strip():
            pass
        elif line[:1] in (b" ", b"\t"):
            if not pieces:
                raise Malformed("the first line begins with a space, which continues a line before it")
            pieces.append(line[1:])
        else:
            if pieces:
                yield start, position, b"".join(pieces)
            start, pieces = position, [line]
        position += len(raw) + 1
    if pieces:
        yield start, len(data), b"".join(pieces)


def parse_components(data: bytes, *, longest_head: int, bare_parameters: bool = False) -> list[Component]:
    """
    Read a text as its top-level components.

    Args:
        data: the whole text, as ``mend`` leaves it.
        longest_head: most bytes of a line's name and parameters; values are bounded by the text (photos are long).
        bare_parameters: whether ``TEL;HOME:…`` passes, as cards have it since vCard 2.1.

    Raises:
        Malformed: not UTF-8, not content lines, not nested, or above a limit.
    """
    top: list[Component] = []
    stack: list[Component] = []
    for number, (start, end, content) in enumerate(logical_lines(data), 1):
        if number > MOST_LINES:
            raise Malformed(f"more than {MOST_LINES} lines")
        line = parse_line(content, start, end, longest_head=longest_head, bare_parameters=bare_parameters)
        if line.name == "BEGIN":
            if len(stack) >= DEEPEST:
                raise Malformed(f"components are nested deeper than {DEEPEST}")
            component = Component(line.value.strip().upper(), start)
            (stack[-1].children if stack else top).append(component)
            stack.append(component)
        elif not stack:
            raise Malformed(f"{line.name[:40]} stands outside of BEGIN and END")
        elif line.name == "END":
            component = stack.pop()
            if line.value.strip().upper() != component.name:
                raise Malformed(f"END:{line.value[:40]} closes BEGIN:{component.name[:40]}")
            component.closing, component.end = start, end
        else:
            stack[-1].lines.append(line)
    if stack:
        raise Malformed(f"END:{stack[-1].name[:40]} is missing")
    return top


def parse_line(content: bytes, start: int, end: int, *, longest_head: int, bare_parameters: bool = False) -> Line:
    """
    Read one unfolded line (RFC 5545 §3.1).

    contentline = name *(";" param-name "=" param-value *("," param-value)) ":" value

    Raises:
        Malformed: it is not one.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise Malformed(f"the line {content[:20]!r} is not UTF-8") from error
    simple = _UNQUOTED.match(text)
    if simple is not None and simple.end() <= longest_head:
        head = simple[2]
        if not head:
            return Line(simple[1].upper(), (), text[simple.end() :], start, end)
        if head.count(";") <= MOST_PARAMETERS:
            pairs = (piece.partition("=") for piece in head[1:].split(";"))
            named = tuple([(key.upper(), tuple(values.split(","))) for key, _, values in pairs])
            return Line(simple[1].upper(), named, text[simple.end() :], start, end)
    name, group = _NAME.match(text), ""
    if name is not None and bare_parameters and text[name.end() : name.end() + 1] == ".":
        group = name[0].upper()
        name = _NAME.match(text, name.end() + 1)  # the group of a vCard (RFC 6350 §3.3)
    if name is None:
        raise Malformed(f"{text[:40]!r} is not NAME:value")
    position, parameters = name.end(), list[tuple[str, tuple[str, ...]]]()
    while text[position : position + 1] == ";":
        parameter, position = _parse_parameter(text, position + 1, bare_parameters)
        parameters.append(parameter)
        if len(parameters) > MOST_PARAMETERS:
            raise Malformed(f"{name[0][:40]} has more than {MOST_PARAMETERS} parameters")
    if text[position : position + 1] != ":":
        raise Malformed(f"{text[:40]!r} is not NAME:value")
    if position > longest_head:
        raise Malformed(f"the name and parameters of {name[0][:40]} are longer than {longest_head} bytes")
    return Line(name[0].upper(), tuple(parameters), text[position + 1 :], start, end, group)


def _parse_parameter(text: str, position: int, bare: bool) -> tuple[tuple[str, tuple[str, ...]], int]:
    name = _NAME.match(text, position)
    if name is None:
        raise Malformed(f"a parameter of {text[:40]!r} has no name")
    position = name.end()
    if text[position : position + 1] != "=":
        if bare:
            return ("TYPE", (name[0],)), position
        raise Malformed(f"the parameter {name[0][:40]} of {text[:40]!r} has no value")
    values: list[str] = []
    while not values or text[position : position + 1] == ",":
        position += 1
        if text[position : position + 1] == '"':
            closing = text.find('"', position + 1)
            if closing < 0:
                raise Malformed(f"the quote of the parameter {name[0][:40]} is not closed")
            values.append(text[position + 1 : closing])
            position = closing + 1
        else:
            bare_value = _BARE.match(text, position)
            assert bare_value is not None  # it matches the empty string
            values.append(bare_value[0])
            position = bare_value.end()
    return (name[0].upper(), tuple(values)), position
