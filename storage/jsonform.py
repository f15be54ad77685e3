"""
What jCal and jCard share: a property as a JSON array of name, parameters, type and values (RFC 7265, RFC 7095).

A ``Form`` is the table of one of them. Nothing is judged here: what ``write_property`` gives is read by the judge.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from storage.contentlines import Line
from storage.jsonvalues import RAW, TYPES, ValueType, plain, split_unescaped
from storage.linewriter import NAME, decode_carets, encode_carets, render_line

UNKNOWN = "unknown"
MOST_ARRAYS = 1_000_000  # and objects of one text, each of which takes some fifty bytes; a large calendar has a third
FRAME = frozenset({"begin", "end"})  # what makes components of lines: no property of a JSON form (RFC 7095 §3.2)

Property = list[object]


@dataclass(frozen=True, slots=True)
class Form:
    """
    The table of a JSON form; property names are in upper case.

    Attributes:
        defaults: the type of a property without VALUE.
        lists: properties whose values are separated by commas.
        structured: properties whose value has parts, separated by semicolons; whether a part can be a list.
        split: parameters whose values are a list also within quotes.
        by_shape: the type of a value where a property's default type is not what clients write without VALUE.
        types: how values are read and written.
        has_groups: whether a property can have a group before its name.
        value_case: how a type is spelled in VALUE.
    """

    defaults: Mapping[str, str]
    lists: frozenset[str]
    structured: Mapping[str, bool]
    by_shape: Callable[[str, str, str], str]
    split: frozenset[str] = frozenset()
    types: Mapping[str, ValueType] = field(default_factory=lambda: TYPES)
    has_groups: bool = False
    value_case: Callable[[str], str] = str.upper

    def type_of(self, line: Line) -> str:
        """The type identifier (RFC 7265 §3.5.1, RFC 7095 §3.4.1)."""
        named = line.parameter("VALUE")
        if named and NAME.fullmatch(named):
            return named.lower()
        default = self.defaults.get(line.name, UNKNOWN)
        return self.by_shape(line.name, default, line.value)


def read_json(data: bytes) -> object:
    """
    A JSON text. No NaN and no infinity, which JSON does not have.

    Raises:
        ValueError: it is none, or is nested too deep or of too many parts to be read.
    """
    if data.count(b"[") + data.count(b"{") > MOST_ARRAYS:
        raise ValueError(f"more than {MOST_ARRAYS} arrays and objects")
    try:
        found: object = json.loads(data.decode("utf-8-sig"), parse_constant=_no_number)
    except RecursionError as error:
        raise ValueError("the JSON is nested too deep") from error
    except ValueError as error:
        raise ValueError(f"the body is no JSON: {error}") from error
    return found


def render_json(value: object) -> bytes:
    """A JSON text in UTF-8 without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def read_property(line: Line, form: Form) -> Property:
    """One property as its array (RFC 7265 §3.4, RFC 7095 §3.3)."""
    kind = form.type_of(line)
    reader = form.types.get(kind, RAW).read
    parameters, value = _read_parameters(line, form), line.value
    structure = form.structured.get(line.name) if kind == form.defaults.get(line.name) else None
    if structure is not None:
        parts = [_read_part(part, reader, is_list=structure) for part in split_unescaped(value, ";")]
        values = [parts if len(parts) > 1 or isinstance(parts[0], list) else parts[0]]
    elif line.name in form.lists:
        values = [reader(each) for each in split_unescaped(value, ",")]
    else:
        values = [reader(value)]
    return [line.name.lower(), parameters, kind, *values]


def _read_part(part: str, reader: Callable[[str], object], *, is_list: bool) -> object:
    entries = [reader(each) for each in (split_unescaped(part, ",") if is_list else [part])]
    return entries if len(entries) > 1 else entries[0]


def _read_parameters(line: Line, form: Form) -> dict[str, str | list[str]]:
    found: dict[str, list[str]] = {}
    if line.group and form.has_groups:
        found["group"] = [line.group.lower()]
    for key, values in line.parameters:
        if key == "VALUE" or (key == "GROUP" and form.has_groups):
            continue  # said by the type; reserved (RFC 7095 §7.1)
        if key in form.split:
            values = tuple(entry for value in values for entry in value.split(","))
        decoded = map(decode_carets, values)
        found.setdefault(key.lower(), []).extend(_lines_of(key, each) if form.has_groups else each for each in decoded)
    return {key: values if len(values) > 1 else values[0] for key, values in found.items()}


def _lines_of(key: str, value: str) -> str:
    r"""RFC 6350 §6.3.1 writes the line ends of a LABEL as ``\n``, from before RFC 6868."""
    return re.sub(r"\\[nN]", "\n", value).replace("\\,", ",") if key == "LABEL" else value


def write_property(found: object, form: Form) -> bytes:
    """
    One property's array as a content line.

    Raises:
        ValueError: it is none, or holds what a line cannot.
    """
    if not isinstance(found, list) or len(found) < 4:
        raise ValueError(f"{str(found)[:60]} is not a property: name, parameters, type and values")
    name, parameters, kind, *values = found
    if not isinstance(name, str) or not isinstance(parameters, dict) or not isinstance(kind, str):
        raise ValueError(f"{str(found)[:60]} is not a property: name, parameters, type and values")
    if not NAME.fullmatch(name) or name.lower() in FRAME or not NAME.fullmatch(kind):
        raise ValueError(f"{name[:40]!r} of type {kind[:40]!r} is no property")
    key, kind = name.upper(), kind.lower()
    writer = form.types.get(kind, RAW).write
    written = ",".join(_write_value(value, writer, is_period=kind == "period") for value in values)
    group, others = _write_parameters(parameters, form)
    if kind not in (UNKNOWN, form.defaults.get(key)):
        others.append(("VALUE", [form.value_case(kind)]))
    return render_line(key, others, written, group=group)


def _write_value(value: object, writer: Callable[[object], str], *, is_period: bool) -> str:
    if not isinstance(value, list) or is_period:
        return writer(value)
    return ";".join(",".join(map(writer, part)) if isinstance(part, list) else writer(part) for part in value)


def _write_parameters(parameters: Mapping[str, object], form: Form) -> tuple[str, list[tuple[str, list[str]]]]:
    group, written = "", list[tuple[str, list[str]]]()
    for key, value in parameters.items():
        values = [encode_carets(plain(each)) for each in (value if isinstance(value, list) else [value])]
        if key.lower() == "group" and form.has_groups:
            group = "".join(values).upper()
        elif key.lower() != "value" and values:
            written.append((key.upper(), values))
    return group, written


def _no_number(said: str) -> float:
    raise ValueError(f"{said} is no number")
