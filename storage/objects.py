"""
Objects: files that are calendar objects too. What is stored is the file; the calendar object is rendered from it.

A board or notebook is a folder, and a collection in the home of every member who may read it. The rows of such a
collection stand in the index alone, in a folder ``views/<word>-<id>`` that no disk has: rendered when somebody looks
and the files have changed since, so reports, queries and tokens know no difference to an ordinary task list. What no
file says of an object stands in the state of its folder: its UID, the name of its calendar object, where it came from.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import secrets
import threading
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from storage import paths
from storage.attachments import attached_lines, own_url
from storage.batch import Batch
from storage.errors import NotFound, ParentMissing
from storage.frontmatter import Document, parse_document
from storage.icalendar import read_facts
from storage.objectmoments import utc
from storage.objectnames import ATTACHED, is_object, stem_of
from storage.objecttext import Content, Kind, render_content
from storage.records import Content as Stored
from storage.records import Folder, Member, etag_of

if TYPE_CHECKING:
    from storage.objectwrite import Received
    from storage.session import Session
    from storage.store import Store

OBJECT_KEY = "object"  # in the state: of a folder its id as a collection, of a file what it is as an object
PLAIN_UID = re.compile(r"[A-Za-z0-9@_+=.,-]{1,120}")
CLAIMED_S = 60  # some editors save by writing under another name and deleting the old one
KEPT_COLLECTIONS = 64  # whose rows are in memory
LARGEST_BYTES = 4 << 20  # of a file that is rendered

log = logging.getLogger("davserver.objects")


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
    """

    rooms: Mapping[str, Room]
    settings: Any
    mark: int

    def room(self, below: str) -> Room | None:
        """The room at a path below the collection's folder."""
        return next((room for room in self.rooms.values() if room.below == below), None)


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
    """

    word: str
    text: Kind
    suffixes: tuple[str, ...]
    writes_uid: bool
    makes_folders: bool
    landing: str

    def folders(self, store: Store) -> Iterator[Folder]:
        """The folders that are such collections."""

    def is_one(self, store: Store, folder: Folder) -> bool:
        """Whether a folder that was one is still one."""

    def layout(self, store: Store, folder: Folder) -> Layout:
        """How one is laid out."""

    def content(self, layout: Layout, room: Room, stem: str, document: Document) -> Content:
        """What a file says, its identity aside."""

    def receive(
        self,
        session: Session,
        layout: Layout,
        room: Room | None,
        document: Document,
        kept: Mapping[str, Any],
        served: Content,
        sent: Content,
    ) -> Received:
        """
        What a calendar object changes in a file beside what keys have as it is.

        Args:
            room: where it lies, None for a new one.
            kept: its state.
        """

    def ignored(self, layout: Layout) -> frozenset[str]:
        """Properties that only the server says."""

    def properties(self, store: Store, layout: Layout, folder: Folder) -> Mapping[str, str]:
        """Properties of the calendar, by Radicale's keys."""

    def written_id(self, layout: Layout) -> str:
        """The id that a file of the folder says it has, or ""."""


@dataclass(frozen=True, slots=True)
class Source:
    """A folder that is a collection of objects, with the id by which its calendar is named."""

    kind: ObjectKind
    folder: Folder
    id: str

    @property
    def name(self) -> str:
        """Of its calendar in every home."""
        return f"{self.kind.word}-{self.id}"

    @property
    def place(self) -> str:
        """Of its rows in the index."""
        return f"{paths.VIEWS}/{self.name}"


@dataclass(frozen=True, slots=True)
class _Claim:
    """A file that says it is an object which another one is: a program may be about to delete that one."""

    uid: str
    place: str
    name: str
    until_s: float


@dataclass(slots=True)
class _Rows:
    """The rows of a collection in memory, so that one change costs what one costs."""

    stamp: tuple[int, int]  # of the folder's row that they belong to
    by_spot: dict[str, Member]  # by where the file lies
    by_name: dict[str, Member]
    holders: dict[str, tuple[str, str]]  # where the object of each UID lies, and the name of its calendar object


@dataclass(slots=True)
class _Refresh:
    """What one look at a collection found to change."""

    batch: Batch
    rows: dict[str, Member]
    by_name: dict[str, Member]
    holders: dict[str, tuple[str, str]]
    states: dict[str, list[tuple[str, Mapping[str, Any]]]] = field(default_factory=dict)


def mark_of(*said: object) -> int:
    """A number that stands for some values: a layout's ``mark``."""
    return int(hashlib.sha256(repr(said).encode()).hexdigest()[:15], 16)


def resource_name(uid: str) -> str:
    """The name of the calendar object of a UID that no client has given one."""
    plain = PLAIN_UID.fullmatch(uid) is not None and not uid.startswith(".")
    return (uid if plain else secrets.token_hex(16)) + ".ics"


class Views:
    """
    The collections of objects of one store, brought in line with their files when somebody looks. Thread-safe.

    Attributes:
        boards: the kind that boards are.
        swept_s: when what is kept of objects that left a folder was looked through last, by place.
    """

    def __init__(self, store: Store, boards: ObjectKind, notebooks: ObjectKind) -> None:
        self._store = store
        self.boards = boards
        self._url_mark = mark_of(own_url(store))
        self.swept_s: dict[str, float] = {}
        self._kinds = (boards, notebooks)
        self._guard = threading.Lock()
        self._locks: dict[str, threading.RLock] = {}
        self._rows: dict[str, _Rows] = {}  # by place of the view
        self._claims: dict[tuple[str, str], _Claim] = {}  # by id of the collection and UID
        self._places: dict[str, tuple[ObjectKind, str]] = {}  # by name of the calendar, as it was found last

    def sources(self) -> list[Source]:
        """All boards, notebooks and so on, whoever may read them."""
        return [source for kind in self._kinds for source in self._of_kind(kind)]

    def find(self, name: str) -> Source | None:
        """The one whose calendar has a name."""
        kind, place = self._places.get(name, (None, ""))
        folder = self._store.find_folder(place) if kind is not None else None
        if kind is not None and folder is not None:
            id, is_known = _id_of(self._store.state(place).get("", OBJECT_KEY), folder)
            if is_known and id is not None and f"{kind.word}-{id}" == name and kind.is_one(self._store, folder):
                return Source(kind, folder, id)
        word = name.partition("-")[0]
        found = (source for kind in self._kinds if kind.word == word for source in self._of_kind(kind))
        return next((source for source in found if source.name == name), None)

    def at(self, path: str) -> Source | None:
        """The one that a path of a file or folder lies in: the nearest above, or the path itself."""
        found = [source for source in self.sources() if paths.is_within(path, source.folder.path)]
        return max(found, key=lambda source: len(source.folder.place), default=None)

    def bring_up(self, source: Source, layout: Layout | None = None) -> Folder:
        """
        The folder of its rows, which say what its files are now.

        Args:
            layout: how it is laid out, where that was just asked.
        """
        store, present = self._store, self._store.index.folder(source.place)
        if store.is_writing:  # a writer must not wait; what it has written is looked at by the next
            if present is None:
                raise NotFound(source.folder.path)
            return present
        layout = layout or self.layout(source)
        if present is not None and self._agrees(source, layout, present):
            return present
        with self._lock(source.place):
            return self._refresh(source, layout)

    def _mark(self, layout: Layout) -> int:
        return layout.mark ^ self._url_mark

    def _agrees(self, source: Source, layout: Layout, view: Folder) -> bool:
        newest = self._store.index.newest_change(source.folder.place)
        return (view.stamp_ns, view.inode) == (newest, self._mark(layout))

    def layout(self, source: Source) -> Layout:
        """How a collection is laid out now."""
        return source.kind.layout(self._store, source.folder)

    def _lock(self, place: str) -> threading.RLock:
        with self._guard:
            return self._locks.setdefault(place, threading.RLock())

    # -- which there are -------------------------------------------------------------------------------------------

    def _of_kind(self, kind: ObjectKind) -> list[Source]:
        """Each folder with an id of its own: of those that have the same, the one that was known first keeps it."""
        store, found = self._store, list[Source]()
        taken: dict[str, Folder] = {}
        folders = list(kind.folders(store))
        ids = {folder.place: _id_of(store.state(folder.place).get("", OBJECT_KEY), folder) for folder in folders}
        folders.sort(key=lambda folder: (not ids[folder.place][1], folder.created_ns, folder.place))
        for folder in folders:
            known, is_its_own = ids[folder.place]
            id = known or kind.written_id(kind.layout(store, folder))
            if not id or id in taken:
                id = new_collection_id()
            taken[id] = folder
            if not is_its_own or id != known:
                self._keep_id(folder, id)
            source = Source(kind, folder, id)
            self._places[source.name] = kind, folder.place
            found.append(source)
        return sorted(found, key=lambda source: source.folder.place)

    def _keep_id(self, folder: Folder, id: str) -> None:
        if self._store.is_writing:
            return
        try:
            with self._store.write(folder.place) as tx:
                tx.set_state(folder.place, "", OBJECT_KEY, {"id": id, "inode": folder.inode})
        except (NotFound, ParentMissing):
            log.debug("%s went away while it was looked at", folder.place)

    # -- bringing rows in line -------------------------------------------------------------------------------------

    def _refresh(self, source: Source, layout: Layout) -> Folder:
        index = self._store.index
        newest = index.newest_change(source.folder.place)
        view = index.folder(source.place)
        is_whole = view is None or view.inode != self._mark(layout)
        if view is not None and not is_whole and view.stamp_ns == newest:
            return view
        batch = Batch()
        if view is None:
            self._begin(batch, source)
        known = self._rows_of(source, view)
        refresh = _Refresh(batch, known.by_spot, known.by_name, known.holders)
        since = None if is_whole or view is None else view.stamp_ns
        spots = list(self._changed(source, layout, refresh, since))
        self._keep_states(refresh)
        for spot, there in spots:
            row = refresh.rows.get(spot)
            if not there and row is not None and row.disk_name == spot:
                self._drop(source, refresh, row)
                self._pass_over(source, layout, refresh, row)
        self._keep_states(refresh)
        batch.stamp_folder(source.place, newest, self._mark(layout))
        index.commit(batch)
        folder = index.folder(source.place)
        if folder is None:
            raise NotFound(source.folder.path)
        known.stamp = folder.id, newest
        while len(self._rows) >= KEPT_COLLECTIONS and source.place not in self._rows:
            self._rows.pop(next(iter(self._rows)), None)
        self._rows[source.place] = known
        return folder

    def _rows_of(self, source: Source, view: Folder | None) -> _Rows:
        """The rows of a collection; what is in memory is taken from there, so that nobody has what fails halfway."""
        known = self._rows.pop(source.place, None)
        if known is not None and view is not None and known.stamp == (view.id, view.stamp_ns):
            return known
        rows = [] if view is None else self._store.index.members(view.id)
        return _Rows(
            (0, 0),
            {row.disk_name: row for row in rows},
            {row.name: row for row in rows},
            {row.uid: (row.disk_name, row.name) for row in rows if row.uid is not None},
        )

    def _pass_over(self, source: Source, layout: Layout, refresh: _Refresh, gone: Member) -> None:
        """A file that was written as the one that went, shortly before that went, is that object."""
        claim = self._claims.get((source.id, gone.uid or ""))
        room = None if claim is None else layout.rooms.get(claim.place)
        if claim is None or room is None or claim.until_s < self._store.clock():
            return
        member = self._store.find_member(room.folder, claim.name)
        if member is not None:
            refresh.holders[claim.uid] = gone.disk_name, gone.name
            refresh.states.pop(claim.place, None)
            self._render(source, layout, room, member, refresh)
        self._claims.pop((source.id, gone.uid or ""), None)

    def _begin(self, batch: Batch, source: Source) -> None:
        now_ns = int(self._store.clock() * 1e9)
        for place in (paths.VIEWS, source.place):
            if self._store.index.folder(place) is None:
                batch.put_folder(place, inode=0, stamp_ns=0, modified_ns=now_ns, owner=None, ruled=False)

    def _changed(
        self, source: Source, layout: Layout, refresh: _Refresh, since: int | None
    ) -> Iterator[tuple[str, bool]]:
        """
        Where objects lie, or lay, that may differ from their rows, and whether one lies there; each is rendered.

        Args:
            since: the number of the newest change that the rows know of; None where all are to be looked at.
        """
        found: set[str] = set()
        for room in layout.rooms.values():
            if since is None:
                members = {member.name: member for member in self._store.members(room.folder)}
                names: Iterable[str] = members
            else:
                names = self._changed_names(source, room, since)
                members = self._store.members_named(room.folder, names)
            for name in names:
                if not is_object(name, source.kind.suffixes):
                    continue
                member = members.get(name)
                if member is None and room.spot(name) not in refresh.rows:
                    continue
                if member is not None:
                    self._render(source, layout, room, member, refresh)
                found.add(room.spot(name))
                yield room.spot(name), member is not None
        for spot in [] if since is not None else [spot for spot in refresh.rows if spot not in found]:
            yield spot, False

    def _changed_names(self, source: Source, room: Room, since: int) -> list[str]:
        """Names of files that changed in a room, or whose attachments did."""
        names = [change.name for change in self._store.index.changed_names(room.folder.id, since)]
        attached = [name for name in names if name.endswith(ATTACHED)]  # a folder that came or went
        attached += [
            folder.name
            for folder in self._store.index.folders(room.folder.place)
            if folder.counter > since and folder.name.endswith(ATTACHED)
        ]
        stems = {name.removesuffix(ATTACHED) for name in attached}
        return list(dict.fromkeys([*names, *(stem + suffix for stem in stems for suffix in source.kind.suffixes)]))

    def _render(self, source: Source, layout: Layout, room: Room, member: Member, refresh: _Refresh) -> None:
        try:
            if member.size > LARGEST_BYTES:
                raise NotFound(member.name)
            data, member = self._store.read_member(room.folder, member.name)
        except NotFound:  # it went meanwhile, or is a text of some other kind
            return
        document = parse_document(data)
        kept = self._identity(source, room, member, document, refresh)
        content = source.kind.content(layout, room, stem_of(member.name), document)
        if document.problem:
            content = replace(content, text=f"[file cannot be read: {document.problem}]\n{content.text}".rstrip("\n"))
        values = {**content.values}
        values.setdefault("created", kept["created"])
        attached = tuple(attached_lines(self._store, room.folder, member.name))
        content = replace(content, uid=kept["uid"], sequence=kept.get("seq", 0), values=values, attached=attached)
        spot = room.spot(member.name)
        rendered = render_content(source.kind.text, content, member.modified_ns)
        self._put(source, refresh, kept["name"], spot, member, rendered)

    def _put(self, source: Source, refresh: _Refresh, name: str, spot: str, member: Member, rendered: bytes) -> None:
        store, before = self._store, refresh.by_name.get(name)
        etag = etag_of(hashlib.sha256(rendered).hexdigest())
        if before is not None and (before.etag, before.disk_name, before.inode) == (etag, spot, member.id):
            return
        is_same = before is not None and before.etag == etag
        facts = read_facts(rendered)
        if facts.content is None:
            facts = replace(facts, content=Stored(rendered))
        row = Member(
            store.index.next_write(),
            name,
            spot,
            etag,
            len(rendered),
            member.id,
            member.modified_ns,
            0,
            member.created_ns if before is None else before.created_ns,
            facts.uid,
            facts.component,
            int(facts.plain),
        )
        refresh.batch.put_member(source.place, row, facts)
        if not is_same:
            refresh.batch.log(source.place, name, store.clock())
        if before is not None and refresh.rows.get(before.disk_name) is before:
            del refresh.rows[before.disk_name]
        replaced = refresh.rows.get(spot)
        refresh.rows[spot] = refresh.by_name[name] = row
        if replaced is not None and replaced.name != name:
            self._drop(source, refresh, replaced)

    def _drop(self, source: Source, refresh: _Refresh, row: Member) -> None:
        if refresh.by_name.get(row.name) is not row:
            return  # another file has become this object
        refresh.by_name.pop(row.name)
        if row.uid is not None and refresh.holders.get(row.uid) == (row.disk_name, row.name):
            del refresh.holders[row.uid]
        if refresh.rows.get(row.disk_name) is row:
            del refresh.rows[row.disk_name]
        refresh.batch.remove_member(source.place, row.name)
        refresh.batch.log(source.place, row.name, self._store.clock())

    # -- what an object is -----------------------------------------------------------------------------------------

    def _identity(
        self, source: Source, room: Room, member: Member, document: Document, refresh: _Refresh
    ) -> Mapping[str, Any]:
        """
        UID and name of the calendar object of a file, which stay its own wherever it is moved.

        A ``uid`` in the file counts unless another file of the collection has it, or it was copied from elsewhere.
        """
        store, spot = self._store, room.spot(member.name)
        kept = store.state(room.folder.place).get(member.name, OBJECT_KEY)
        kept = kept if isinstance(kept, dict) and isinstance(kept.get("uid"), str) else None
        if kept is not None and kept.get("in") != source.id and self._is_elsewhere(source, kept["uid"], kept.get("in")):
            kept = None  # it came with a copy of its folder
            document = replace(document, entries=())
        said = document.values.get("uid")
        uid = said.strip() if isinstance(said, str) and said.strip() else None
        claim = self._claims.get((source.id, uid)) if uid is not None else None
        is_claimed = claim is not None and claim.until_s >= store.clock()
        if uid is not None and (kept is None or (kept["uid"] != uid and (is_claimed or kept.get("not") != uid))):
            is_free = self._is_free(refresh, room, uid, spot)
            if is_free and (kept is not None or not self._is_elsewhere(source, uid)):
                name = refresh.holders[uid][1] if uid in refresh.holders else resource_name(uid)
                kept = {**(kept or {}), "uid": uid, "name": name}
                kept.pop("not", None)
        if kept is None or not self._is_free(refresh, room, kept["uid"], spot):
            fresh = str(uuid.uuid4())
            kept = {"uid": fresh, "name": resource_name(fresh)}
            if uid is not None:  # it is another object's, and stays so
                kept["not"] = uid
                until_s = store.clock() + CLAIMED_S
                self._claims[source.id, uid] = _Claim(uid, room.folder.place, member.name, until_s)
        if kept.get("in") != source.id or not isinstance(kept.get("created"), str):
            kept = {"created": utc(member.modified_ns / 1e9), **kept, "in": source.id}
        if kept != store.state(room.folder.place).get(member.name, OBJECT_KEY):
            refresh.states.setdefault(room.folder.place, []).append((member.name, kept))
        refresh.holders[kept["uid"]] = spot, kept["name"]
        return kept

    def _is_free(self, refresh: _Refresh, room: Room, uid: str, spot: str) -> bool:
        """Whether no other file of the collection is the object of a UID."""
        holder, _ = refresh.holders.get(uid, (spot, ""))
        if holder == spot:
            return True
        root = room.folder.place[: len(room.folder.place) - len(room.below)].rstrip("/")
        place, _, name = f"{root}/{holder}".rpartition("/")
        kept = self._store.state(place).get(name, OBJECT_KEY)
        is_there = os.path.exists(self._store.file(place, name))
        return not is_there or (isinstance(kept, dict) and kept.get("uid") != uid)

    def _is_elsewhere(self, source: Source, uid: str, id: str | None = None) -> bool:
        """Whether a file of another collection, or of the one with an id, is the object of a UID."""
        for folder in self._store.index.folders(paths.VIEWS):
            name = None if folder.name == source.name else self._store.index.holder_of_uid(folder.id, uid)
            if name is None or (id is not None and not folder.name.endswith(f"-{id}")):
                continue
            row, other = self._store.index.member(folder.id, name), self.find(folder.name)
            file = None if row is None or other is None else self._store.file(other.folder.place, row.disk_name)
            if file is not None and os.path.exists(file):
                return True
        return False

    def _keep_states(self, refresh: _Refresh) -> None:
        for place, changes in refresh.states.items():
            try:
                with self._store.write(place) as tx:
                    for name, kept in changes:
                        if tx.find_member(place, name) is not None:
                            tx.set_state(place, name, OBJECT_KEY, dict(kept))
            except (NotFound, ParentMissing):
                log.debug("%s went away while it was looked at", place)


def _id_of(kept: Any, folder: Folder) -> tuple[str | None, bool]:
    """The id that a folder has, and whether it was given to this very folder and not to one that it is a copy of."""
    id = kept.get("id") if isinstance(kept, dict) else None
    return (id, kept.get("inode") == folder.inode) if isinstance(id, str) else (None, False)


def new_collection_id() -> str:
    """A fresh id of a board or notebook: eight characters that need no escaping and are never mistaken."""
    return "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz234567") for _ in range(8))
