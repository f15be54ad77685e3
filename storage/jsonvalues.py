"""Value types of iCalendar and vCard as JSON has them, and back (RFC 7265 §3.6, RFC 7095 §3.5)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

from storage.contentlines import escape, unescape

_DATE = re.compile(r"([0-9]{4}|--)([0-9]{2})([0-9]{2})")
_EXTENDED_DATE = re.compile(r"([0-9]{4}-|--)([0-9]{2})-([0-9]{2})")
_ZONE = r"(Z|[+-][0-9]{2}(?:[0-9]{2})?)?"
_EXTENDED_ZONE = r"(?:Z|[+-][0-9]{2}(?::[0-9]{2})?)?"
_TIME = re.compile(rf"(?:([0-9]{{2}})(?:([0-9]{{2}})([0-9]{{2}})?)?|-([0-9]{{2}})([0-9]{{2}})?|--([0-9]{{2}})){_ZONE}")
_EXTENDED_TIME = re.compile(
    rf"(?:[0-9]{{2}}(?::[0-9]{{2}}){{0,2}}|-[0-9]{{2}}(?::[0-9]{{2}})?|--[0-9]{{2}}){_EXTENDED_ZONE}"
)
_OFFSET = re.compile(r"([+-][0-9]{2})([0-9]{2})?([0-9]{2})?")
_EXTENDED_OFFSET = re.compile(r"[+-][0-9]{2}(?::[0-9]{2}){0,2}")
_INTEGER = re.compile(r"[+-]?[0-9]{1,15}")
_FLOAT = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,15})?")
_BOOLEANS: dict[str, bool] = {"TRUE": True, "FALSE": False}
_NUMBERS = frozenset({"count", "interval"})  # and all that begin with "by" but "byday" (RFC 7265 §3.6.10)
_TEXTS = frozenset({"freq", "wkst", "byday"})


class ValueType(NamedTuple):
    """
    How a value of one type is read and written.

    Attributes:
        read: from how it stands in a line; what is not of the type comes as the string that it is.
        write: the inverse. Raises ValueError for JSON of the wrong shape.
    """

    read: Callable[[str], object]
    write: Callable[[object], str]


def split_unescaped(value: str, separator: str) -> list[str]:
    """The pieces between separators that no backslash escapes."""
    if "\\" not in value:
        return value.split(separator)
    pieces, start = list[str](), 0
    for match in re.finditer(rf"\\.|{separator}", value, re.DOTALL):
        if match[0] == separator:
            pieces.append(value[start : match.start()])
            start = match.end()
    return [*pieces, value[start:]]


def plain(value: object) -> str:
    """A JSON value as a string that stands for itself; some writers give numbers and booleans where strings are due."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return format(Decimal(repr(value)), "f")
    if isinstance(value, str):
        return value
    raise ValueError(f"{str(value)[:40]} stands where one value is due")


def _write_text(value: object) -> str:
    return escape(plain(value).replace("\r\n", "\n").replace("\r", "\n"))


def _read_date(value: str) -> str:
    match = _DATE.fullmatch(value)
    if match is None:
        return value
    year = match[1] if match[1] == "--" else match[1] + "-"
    return f"{year}{match[2]}-{match[3]}"


def _write_date(value: object) -> str:
    match = _EXTENDED_DATE.fullmatch(plain(value))
    return plain(value) if match is None else f"{match[1] if match[1] == '--' else match[1][:-1]}{match[2]}{match[3]}"


def _read_time(value: str) -> str:
    """Complete, reduced to the hour, or truncated: ``-2050`` is twenty minutes and fifty seconds past some hour."""
    match = _TIME.fullmatch(value)
    if match is None:
        return value
    hour, minute, second, past_hour, past_second, past_minute, zone = match.groups()
    if hour:
        clock = ":".join(filter(None, (hour, minute, second)))
    else:
        clock = "-" + ":".join(filter(None, (past_hour, past_second))) if past_hour else f"--{past_minute}"
    return clock + (f"{zone[:3]}:{zone[3:]}" if zone and len(zone) > 3 else zone or "")


def _write_time(value: object) -> str:
    text = plain(value)
    return text.replace(":", "") if _EXTENDED_TIME.fullmatch(text) else text


def _read_moment(value: str) -> str:
    date, mark, time = value.partition("T")
    return _read_date(date) + mark + (_read_time(time) if mark else "")


def _write_moment(value: object) -> str:
    date, mark, time = plain(value).partition("T")
    return _write_date(date) + mark + (_write_time(time) if mark else "")


def _read_offset(value: str) -> str:
    match = _OFFSET.fullmatch(value)
    return value if match is None else ":".join(filter(None, match.groups()))


def _write_offset(value: object) -> str:
    text = plain(value)
    return text.replace(":", "") if _EXTENDED_OFFSET.fullmatch(text) else text


def _read_boolean(value: str) -> object:
    return _BOOLEANS.get(value.upper(), value)


def _read_integer(value: str) -> object:
    return int(value) if _INTEGER.fullmatch(value) else value


def _write_integer(value: object) -> str:
    text = plain(value)
    return str(int(value)) if isinstance(value, float) else text


def _read_float(value: str) -> object:
    if not _FLOAT.fullmatch(value):
        return value
    number = float(value)
    return (
        number if Decimal(repr(number)) == Decimal(value) else value
    )  # more digits than a JSON number is sure to hold


def _read_period(value: str) -> object:
    first, slash, last = value.partition("/")
    return [_read_moment(first), _read_moment(last) if last[:1].isdigit() else last] if slash else _read_moment(first)


def _write_period(value: object) -> str:
    parts = value if isinstance(value, list) else plain(value).split("/")  # the RFC's own example B.2.2 has a string
    if not 1 <= len(parts) <= 2:
        raise ValueError(f"{str(value)[:40]} is not a period: its start and its end or length")
    return "/".join(map(_write_moment, parts))


def _read_recurrence(value: str) -> object:
    parts: dict[str, object] = {}
    for piece in filter(None, value.split(";")):
        name, equals, content = piece.partition("=")
        key = name.lower()
        if not equals or key in parts:
            return value
        parts[key] = _read_rule_part(key, content)
    return parts


def _read_rule_part(key: str, content: str) -> object:
    if key == "until":
        return _read_moment(content)
    is_number = key in _NUMBERS or (key.startswith("by") and key not in _TEXTS)
    if not is_number and key != "byday":
        return content
    entries = content.split(",")
    values = [_read_integer(entry) if is_number else entry for entry in entries]
    return values[0] if len(values) == 1 else values


def _write_recurrence(value: object) -> str:
    if not isinstance(value, dict):
        return plain(value)
    first = ("rscale", "freq")  # FREQ comes first for readers of RFC 2445, RSCALE before it in RFC 7529
    ordered = [key for key in first if key in value] + [key for key in value if key not in first]
    return ";".join(f"{key.upper()}={','.join(_rule_entries(key, value[key]))}" for key in ordered)


def _rule_entries(key: str, value: object) -> Iterator[str]:
    for entry in value if isinstance(value, list) else [value]:
        text = _write_moment(entry) if key == "until" else _write_integer(entry)
        if ";" in text or not re.fullmatch("[a-z0-9-]+", key):
            raise ValueError(f"{key[:40]} is no part of a recurrence rule")
        yield text


RAW = ValueType(str, plain)
TYPES: Mapping[str, ValueType] = {
    # a type that is not here stands in JSON as it stands in a line
    "text": ValueType(unescape, _write_text),
    "date": ValueType(_read_date, _write_date),
    "date-time": ValueType(_read_moment, _write_moment),
    "date-and-or-time": ValueType(_read_moment, _write_moment),
    "timestamp": ValueType(_read_moment, _write_moment),
    "time": ValueType(_read_time, _write_time),
    "utc-offset": ValueType(_read_offset, _write_offset),
    "boolean": ValueType(_read_boolean, plain),
    "integer": ValueType(_read_integer, _write_integer),
    "float": ValueType(_read_float, plain),
    "period": ValueType(_read_period, _write_period),
    "recur": ValueType(_read_recurrence, _write_recurrence),
}
