"""
What a member's home shows without owning it, and what the member keeps about it in ``Home/collections.toml``.

A collection of somebody else that the member may read stands in the member's home as ``<owner>~<collection>``.
``[<name>] hidden = true`` takes it off; ``displayname``, ``color``, ``order`` and the like are the member's own.
"""

from __future__ import annotations

import logging
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import tomlkit
import tomlkit.exceptions
from tomlkit.items import InlineTable, Table

from storage.errors import FileRefused

if TYPE_CHECKING:
    from storage.store import Store

SEPARATOR = "~"
FILE = "collections.toml"
VIEW_NAME = re.compile(r"(board|notes|room|form|money)-[a-z2-7]{8}|polls|poll-tasks")

# Clark name of a property that is the member's own on a shown collection -> its key in the file.
PERSONAL_KEYS: Mapping[str, str] = MappingProxyType(
    {
        "{DAV:}displayname": "displayname",
        "{http://apple.com/ns/ical/}calendar-color": "color",
        "{http://apple.com/ns/ical/}calendar-order": "order",
        "{urn:ietf:params:xml:ns:caldav}calendar-timezone": "timezone",
        "{urn:ietf:params:xml:ns:caldav}calendar-timezone-id": "timezone-id",
        "{urn:ietf:params:xml:ns:caldav}schedule-calendar-transp": "transparency",
        "{urn:ietf:params:xml:ns:caldav}default-alarm-vevent-datetime": "alarm-event",
        "{urn:ietf:params:xml:ns:caldav}default-alarm-vevent-date": "alarm-day",
        "{urn:ietf:params:xml:ns:caldav}default-alarm-vtodo-datetime": "alarm-task",
        "{urn:ietf:params:xml:ns:caldav}default-alarm-vtodo-date": "alarm-task-day",
    }
)
XML_KEYS = frozenset({"transparency"})  # kept as the property's XML, not as its text

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Personal:
    """What a member keeps for one shown collection: values by the file's keys."""

    hidden: bool = False
    values: Mapping[str, str] = field(default_factory=dict)


NOTHING_KEPT = Personal()


def shown_name(owner: str, collection: str) -> str:
    """The name under which a collection stands in other members' homes."""
    return f"{owner}{SEPARATOR}{collection}"


def is_reserved(name: str) -> bool:
    """Whether nobody may make a collection of that name: it could be a shown one or a view."""
    return SEPARATOR in name or VIEW_NAME.fullmatch(name) is not None


def splits(name: str) -> Iterator[tuple[str, str]]:
    """Every way to read a shown name as owner and collection."""
    at = name.find(SEPARATOR)
    while at != -1:
        if at and at + 1 < len(name):
            yield name[:at], name[at + 1 :]
        at = name.find(SEPARATOR, at + 1)


def parse(text: bytes) -> Mapping[str, Personal]:
    """
    The member's word on each shown collection, by shown name.

    Values of an unexpected type are left out: the file is the member's and may hold anything.

    Raises:
        FileRefused: it is not TOML.
    """
    try:
        document = tomllib.loads(text.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FileRefused(f"Home/{FILE}: {error}") from error
    return {name: _personal(table) for name, table in document.items() if isinstance(table, dict)}


def changed(text: bytes, name: str, values: Mapping[str, str | bool | None]) -> bytes:
    """
    The file with some keys of one collection set, or removed where the value is None; comments and order stay.

    Raises:
        FileRefused: the file as it stands is not TOML and cannot be changed without losing something.
    """
    try:
        document = tomlkit.parse(text.decode())
    except (tomlkit.exceptions.TOMLKitError, UnicodeDecodeError) as error:
        raise FileRefused(f"Home/{FILE}: {error}; mend it first") from error
    table = document.get(name)
    if not isinstance(table, Table | InlineTable):
        table = tomlkit.table()
        document[name] = table
    for key, value in values.items():
        if value is None:
            table.pop(key, None)
        else:
            table[key] = int(value) if key == "order" and str(value).lstrip("-").isdecimal() else value
    if not table:
        document.remove(name)
    return tomlkit.dumps(document).encode()


def read(store: Store, member: str) -> Mapping[str, Personal]:
    """The parsed file of a member; nothing where it is missing or broken, which the log then says."""
    folder = store.find_folder(f"homes/{member}")
    if folder is None or store.find_member(folder, FILE) is None:
        return {}
    data, _ = store.read_member(folder, FILE)
    try:
        return parse(data)
    except FileRefused as error:
        log.warning("%s: nothing in it counts until it is mended: %s", member, error)
        return {}


def _personal(table: Mapping[str, Any]) -> Personal:
    values = {
        key: str(table[key])
        for key in PERSONAL_KEYS.values()
        if isinstance(table.get(key), str | int | float) and not isinstance(table.get(key), bool)
    }
    return Personal(table.get("hidden") is True, values)
