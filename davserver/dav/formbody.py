"""
What a form sends: a page's fields and files, a program's JSON object, or a table with one answer a line.

Text is UTF-8 and held in memory up to a bound; the bytes of files are handed on as they arrive.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from davserver.dav.errors import BadRequest, TooLarge, UnsupportedMedia
from davserver.dav.multipart import FORM_DATA, Part, parse_parts

if TYPE_CHECKING:
    from storage.fileterms import Source

URLENCODED, JSON, CSV = "application/x-www-form-urlencoded", "application/json", "text/csv"
PAGES = frozenset({URLENCODED, FORM_DATA})
TEXT_BYTES = 1 << 20  # of all texts together
TABLE_BYTES = 10 << 20
MOST_FIELDS = 5_000
MOST_ROWS = 10_000
FORMULAS = tuple("=+-@\t\r")  # with what a cell begins that a spreadsheet computes
BLOCK_BYTES = 64 * 1024

TakeFile = Callable[[str, Part], None]


@dataclass(slots=True)
class Fields:
    """What one answer says: texts by name, in their order, and of programs option by row for each grid."""

    texts: dict[str, list[str]] = field(default_factory=dict)
    grids: dict[str, dict[str, str]] = field(default_factory=dict)

    def add(self, name: str, text: str) -> None:
        """One more text of a name."""
        self.texts.setdefault(name, []).append(text)


def media_type_of(content_type: str | None) -> str:
    """
    The media type of a form's body.

    Raises:
        UnsupportedMedia: it is none that a form sends.
        BadRequest: it is in another encoding than UTF-8.
    """
    kind, _, rest = (content_type or "").partition(";")
    kind = kind.strip().lower()
    if kind not in (*PAGES, JSON, CSV):
        known = ", ".join((*sorted(PAGES), JSON, CSV))
        raise UnsupportedMedia(f"the body is {kind[:60] or 'of no type'}; it can be {known}")
    for parameter in rest.split(";")[:20]:
        name, _, value = parameter.partition("=")
        charset = value.strip().strip('"').lower()
        if name.strip().lower() == "charset" and charset not in ("utf-8", "utf8", "us-ascii"):
            raise BadRequest(f"the charset is {charset[:40]}; it can be UTF-8")
    return kind


def read_page(content_type: str | None, body: Source, take_file: TakeFile) -> Fields:
    """
    The fields of a page (HTML, "form submission"; RFC 7578).

    Args:
        take_file: is given each file that was chosen, with the name of its field, and may read it.

    Raises:
        BadRequest, TooLarge, UnsupportedMedia, and what ``take_file`` raises.
    """
    fields = Fields()
    if media_type_of(content_type) == URLENCODED:
        for name, text in _pairs(read_text(body, TEXT_BYTES)):
            fields.add(name, text)
        return fields
    left = TEXT_BYTES
    for part in parse_parts(content_type, body, most=MOST_FIELDS):
        if part.filename is None:
            data = _read(part, left)
            left -= len(data)
            fields.add(part.name, _decoded(data))
        elif part.filename:
            take_file(part.name, part)
    return fields


def read_object(body: Source) -> Fields:
    """The fields of a JSON object (RFC 8259), fractions as they are written. Raises BadRequest, TooLarge."""
    try:
        found = json.loads(read_text(body, TEXT_BYTES), parse_float=str, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"the body is no JSON: {str(error)[:100]}") from error
    if not isinstance(found, dict):
        raise BadRequest('the body is JSON, but no object: write {"name": "value"}')
    fields = Fields()
    for name, value in found.items():
        if isinstance(value, dict):
            fields.grids[name] = {row: _scalar(name, option) for row, option in value.items() if option is not None}
        else:
            for each in value if isinstance(value, list) else [value]:
                if each is not None:
                    fields.add(name, _scalar(name, each))
    return fields


def read_table(body: Source, most: int) -> Iterator[tuple[int, dict[str, str]]]:
    """
    The lines of a table (RFC 4180) behind its header, by column, with the number of the line in the file.

    A semicolon separates where the header has no comma, as some spreadsheets write it.

    Args:
        most: bytes that it can have.

    Raises:
        BadRequest, TooLarge.
    """
    text = read_text(body, most).removeprefix("\ufeff")
    head = text.partition("\n")[0]
    delimiter = ";" if ";" in head and "," not in head else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        names = next(reader, None)
        if not names or not any(name.strip() for name in names):
            raise BadRequest("the table has no header with the names of fields")
        names = [name.strip() for name in names]
        if len(set(names)) < len(names):
            raise BadRequest("a column stands in the header twice")
        for count, row in enumerate(reader, 1):
            if count > MOST_ROWS:
                raise TooLarge(f"the table has more than {MOST_ROWS} lines")
            if len(row) > len(names):
                raise BadRequest(f"line {reader.line_num} has {len(row)} columns, the header {len(names)}")
            if any(cell.strip() for cell in row):
                yield reader.line_num, dict(zip(names, row, strict=False))
    except csv.Error as error:
        raise BadRequest(f"line {reader.line_num}: {error}") from error


def read_text(body: Source, most: int) -> str:
    """A whole body as text. Raises TooLarge, BadRequest."""
    return _decoded(_read(body, most))


def _read(source: Source | Part, most: int) -> bytes:
    data = bytearray()
    while block := source.read(BLOCK_BYTES):
        data += block
        if len(data) > most:
            raise TooLarge(f"the texts of the form are longer than the {max(most, TEXT_BYTES)} bytes that it may send")
    return bytes(data)


def _decoded(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise BadRequest("the form is not in UTF-8") from error


def _pairs(text: str) -> list[tuple[str, str]]:
    if text.count("&") >= MOST_FIELDS:
        raise TooLarge(f"the form has more than {MOST_FIELDS} fields")
    try:
        return parse_qsl(text, keep_blank_values=True, encoding="utf-8", errors="strict")
    except UnicodeDecodeError as error:
        raise BadRequest("the form is not in UTF-8") from error


def _refuse_constant(word: str) -> None:
    """Python's own reader takes words for numbers that JSON does not have (RFC 8259 §6)."""
    raise ValueError(f"{word} is no number")


def _scalar(name: str, value: Any) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
    raise BadRequest(f"{name[:60]!a} holds a {type(value).__name__} too deep; send texts, numbers and lists of them")


def cells(values: Mapping[str, str]) -> Mapping[str, str]:
    """The cells of a line without the sign that keeps a spreadsheet from taking them for formulas."""
    return {
        name: cell[1:] if cell[:1] == "'" and cell.lstrip("'").startswith(FORMULAS) else cell
        for name, cell in values.items()
    }
