"""
Calendars, address books and task lists as values: what a collection is, and its properties on disk.

A collection is a folder in Radicale's layout. ``.Radicale.props`` in it is a JSON object of strings under Radicale's
own keys; Radicale fails on anything else, so what has no such key stands in the folder's state instead.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storage.objects import Source
    from storage.records import Folder, Member
    from storage.shown import Personal

CALENDAR = "VCALENDAR"
ADDRESS_BOOK = "VADDRESSBOOK"
SUBSCRIPTION = "VSUBSCRIBED"
TAGS = frozenset({CALENDAR, ADDRESS_BOOK, SUBSCRIPTION})
COMPONENTS = ("VEVENT", "VTODO", "VJOURNAL")
# What a calendar takes whose component set names it: for free-busy (RFC 4791 §7.10, RFC 7953 §3.1).
STORABLE = (*COMPONENTS, "VFREEBUSY", "VAVAILABILITY")
COMPONENT_KEY = "C:supported-calendar-component-set"
SOURCE_KEY = "CS:source"  # of a subscribed calendar: where it comes from

PROPS_FILE = ".Radicale.props"
BIRTHDAYS = "birthdays"  # the word of what keeps a birthday calendar, and its name as long as nothing else has it
KEPT_KEY = "kept"  # in the state of a collection whose items the server itself writes: what keeps it
PROPS_LARGEST = 1 << 20  # bytes; Radicale writes a few hundred
NO_PROPS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Root:
    """``/dav/``: the folder of all homes."""

    asked: str = "/dav"
    path: str = "/dav"


@dataclass(frozen=True, slots=True)
class Home:
    """
    The principal and home of a member, group or resource.

    Attributes:
        folder: None as long as nothing was stored in the home.
    """

    asked: str
    path: str
    place: str
    owner: str
    folder: Folder | None


@dataclass(frozen=True, slots=True)
class Collection:
    """
    A calendar, address book or task list; ``tag`` is Radicale's word for which, "" for a plain folder.

    Attributes:
        asked: the path by which it was asked for; hrefs in the answer begin with it.
        path: the canonical path.
        meta: what ``.Radicale.props`` holds.
        personal: what the member keeps for a collection that is shown in the own home, else None.
        view: the board or notebook whose files are rendered here; then ``path`` is that of its folder.
    """

    asked: str
    path: str
    place: str
    folder: Folder
    tag: str
    meta: Mapping[str, str]
    personal: Personal | None = None
    view: Source | None = None

    @property
    def owner(self) -> str | None:
        """The name of the home in which it lies, of a board or notebook whoever made it."""
        return self.path.split("/")[2] if self.view is None else self.view.owner

    def path_of(self, member: Member) -> str:
        """The canonical path of an item, by which rights to it are asked; of a card or note that of its file."""
        return f"{self.path}/{member.name if self.view is None else member.disk_name}"

    @property
    def components(self) -> tuple[str, ...]:
        """Component types that a calendar takes (RFC 4791 §5.2.3); without a word on it all three."""
        if self.tag != CALENDAR:
            return ()
        named = {part.strip().upper() for part in self.meta.get(COMPONENT_KEY, "").split(",")}
        return tuple(name for name in STORABLE if name in named) or COMPONENTS


@dataclass(frozen=True, slots=True)
class Item:
    """A calendar object or card in its collection."""

    asked: str
    path: str
    collection: Collection
    member: Member


Resource = Root | Home | Collection | Item


def read_props(folder: str) -> Mapping[str, str]:
    """What ``.Radicale.props`` of a folder on disk says; nothing where it is missing or not a JSON object."""
    file = f"{folder}/{PROPS_FILE}"
    try:
        found = os.stat(file, follow_symlinks=False)
    except OSError:
        return NO_PROPS
    if not stat.S_ISREG(found.st_mode) or found.st_size > PROPS_LARGEST:
        return NO_PROPS
    return _load(file, (found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_size))


def tag_of(meta: Mapping[str, str]) -> str:
    """The kind of a collection by its properties; "" for a plain folder."""
    tag = meta.get("tag", "")
    return tag if tag in TAGS else ""


def dump_props(meta: Mapping[str, str]) -> bytes:
    """The bytes of ``.Radicale.props``, in the order in which Radicale writes it."""
    return json.dumps(dict(meta), sort_keys=True).encode()


@lru_cache(maxsize=4096)
def _load(file: str, stamp: tuple[int, ...]) -> Mapping[str, str]:
    try:
        with open(file, "rb") as stream:
            loaded = json.loads(stream.read(PROPS_LARGEST))
    except (OSError, ValueError):
        return NO_PROPS
    if not isinstance(loaded, dict):
        return NO_PROPS
    return MappingProxyType({key: value for key, value in loaded.items() if isinstance(value, str)})
