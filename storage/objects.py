"""
Objects: files that are calendar objects too. What is stored is the file; the calendar object is rendered from it.

A board or notebook is a folder, and a collection in the home of every member who may read it (``storage.views``). What
no file says of an object stands in the state of its folder: its UID, the name of its calendar object, its origin.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from auth.acl import Action
from storage import paths
from storage.frontmatter import Document, Value
from storage.objecttext import Content, Kind
from storage.records import Folder, Member

if TYPE_CHECKING:
    from storage.session import Session
    from storage.store import Store

NOTED_KEY = "noted"  # of the file of an answer: what the association says of it in a calendar
OBJECT_KEY = "object"  # in the state: of a folder its id as a collection, of a file what it is as an object
READERS_AND_MAKERS = frozenset({Action.READ, Action.CREATE})  # who makes objects finds their calendar, and the own ones
PLAIN_UID = re.compile(r"[A-Za-z0-9@_+=.,-]{1,120}")


@dataclass(frozen=True, slots=True)
class Room:
    """
    A folder in which objects of a collection lie.

    Attributes:
        below: its path below the collection's folder, "" for that itself.
        means: what its objects are by lying there: a column, a category.
    """

    folder: Folder
    below: str
    means: Any

    def spot(self, name: str) -> str:
        """Where a file of it lies, relative to the collection's folder."""
        return f"{self.below}/{name}" if self.below else name


@dataclass(frozen=True, slots=True)
class Layout:
    """
    How a collection's folder is laid out at present.

    Attributes:
        rooms: by place.
        settings: of the kind, such as what ``board.toml`` says.
        mark: changes with whatever changes what every object is rendered to.
        newest: number of the newest change in the tree when it was looked at.
        ruled: the folders that the server's file had rules of then.
        file: of ``settings``, where there is one.
        accounts: the revision of the accounts that ``settings`` speak of, 0 where they speak of none.
    """

    rooms: Mapping[str, Room]
    settings: Any
    mark: int
    newest: int = -1
    ruled: frozenset[str] = frozenset()
    file: Member | None = None
    accounts: int = 0

    def room(self, below: str) -> Room | None:
        """The room at a path below the collection's folder."""
        return next((room for room in self.rooms.values() if room.below == below), None)


@dataclass(frozen=True, slots=True)
class Edit:
    """
    A calendar object on its way into a file.

    Attributes:
        room: where the file lies, None for a new one.
        document: the file as it is; kept: its state.
        served: what the client was served, sent: what it stores.
    """

    session: Session
    layout: Layout
    room: Room | None
    document: Document
    kept: Mapping[str, Any]
    served: Content
    sent: Content


@dataclass(frozen=True, slots=True)
class Received:
    """
    What of a file changes by a calendar object.

    Attributes:
        changes: of its front matter; None removes.
        below: the folder that it belongs to, relative to the collection's.
        kept: what changes of its state.
        along: of its front matter, where it is written anyway.
    """

    changes: dict[str, Value | None]
    below: str
    kept: Mapping[str, Any] = field(default_factory=dict)
    along: Mapping[str, Value | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rendering:
    """
    How files are calendar objects that are no texts with front matter.

    Attributes:
        key: under which something is kept of a file.
        render: name and bytes of the calendar object of a file, made of its bytes and of what is kept of it; None
            where it is no object.
        put: what storing one does to a file that is there; new ones are not made that way.
        remove: what deleting one does, where that is not to delete the file.
    """

    key: str
    render: Callable[[Source, Layout, Room, Member, bytes, Any], tuple[str, bytes] | None]
    put: Callable[[Session, Source, Member, Content, Content], None]
    remove: Callable[[Session, Source, Member], None] | None = None


class ObjectKind(Protocol):
    """
    A kind of collections of objects.

    Attributes:
        word: before the id in the name of their calendars: ``board``.
        text: how their objects are calendar objects.
        suffixes: of files that are objects; the first is that of new ones.
        writes_uid: a file that is written through the calendar has its UID in the front matter.
        makes_folders: a folder that is named and not there is made by whoever may write.
        landing: the name of a file that is the page of its folder and called like it; "" where there are none.
        rendering: where its files are no texts with front matter.
        shown_to: who has one of these rights to its folder finds the calendar in the own home.
    """

    word: str
    text: Kind
    suffixes: tuple[str, ...]
    writes_uid: bool
    makes_folders: bool
    landing: str
    rendering: Rendering | None
    shown_to: frozenset[Action]

    def folders(self, store: Store) -> Iterator[Folder]:
        """The folders that are such collections."""

    def is_one(self, store: Store, folder: Folder) -> bool:
        """Whether a folder that was one is still one."""

    def holder(self, store: Store, folder: Folder) -> Folder:
        """The folder that has the id and the owner of the collection: itself, or one above."""

    def layout(self, store: Store, folder: Folder) -> Layout:
        """How one is laid out."""

    def content(self, layout: Layout, room: Room, stem: str, document: Document) -> Content:
        """What a file says, its identity aside."""

    def receive(self, edit: Edit) -> Received:
        """What a calendar object changes in a file beside what keys have as it is."""

    def ignored(self, layout: Layout) -> frozenset[str]:
        """Properties that only the server says."""

    def properties(self, store: Store, layout: Layout, folder: Folder) -> Mapping[str, str]:
        """Properties of the calendar, by Radicale's keys."""

    def written_id(self, layout: Layout) -> str:
        """The id that a file of the folder says it has, or ""."""


class RenderedKind:
    """What those kinds have in common whose files are no texts: a ``rendering`` says what stands in their calendars."""

    writes_uid = False
    makes_folders = False
    landing = ""
    shown_to = frozenset({Action.READ})

    def content(self, layout: Layout, room: Room, stem: str, document: Document) -> Content:
        """Nothing."""
        return Content()

    def receive(self, edit: Edit) -> Received:
        """Nothing."""
        return Received({}, "")

    def ignored(self, layout: Layout) -> frozenset[str]:
        """None beside those of every object."""
        return frozenset()


@dataclass(frozen=True, slots=True)
class Source:
    """A folder that is a collection of objects, with the id by which its calendar is named."""

    kind: ObjectKind
    folder: Folder
    id: str
    owner: str | None = None

    @property
    def name(self) -> str:
        """Of its calendar in every home."""
        return f"{self.kind.word}-{self.id}"

    @property
    def place(self) -> str:
        """Of its rows in the index."""
        return f"{paths.VIEWS}/{self.name}"


def mark_of(*said: object) -> int:
    """A number that stands for some values: a layout's ``mark``."""
    return int(hashlib.sha256(repr(said).encode()).hexdigest()[:15], 16)


def resource_name(uid: str) -> str:
    """The name of the calendar object of a UID that no client has given one."""
    plain = PLAIN_UID.fullmatch(uid) is not None and not uid.startswith(".")
    return (uid if plain else secrets.token_hex(16)) + ".ics"


def new_collection_id() -> str:
    """A fresh id of a board or notebook: eight characters that need no escaping and are never mistaken."""
    return "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz234567") for _ in range(8))
