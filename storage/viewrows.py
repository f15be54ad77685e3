"""
The rows of a collection of objects, and one look at its files that brings them in line.

They stand in the index alone, in a folder ``views/<word>-<id>`` that no disk has, so reports, queries and tokens know
no difference to an ordinary task list. Of a row ``disk_name`` is where its file lies below the collection's folder, and
``inode`` the number of the file's version.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from storage.attachments import attached_lines, own_url
from storage.batch import Batch
from storage.contentlines import parse_components
from storage.disk import find_status
from storage.errors import NotFound, ParentMissing
from storage.frontmatter import parse_document
from storage.icalendar import read_facts
from storage.objectidentity import Identities, Kept
from storage.objectnames import ATTACHED, is_object, stem_of
from storage.objects import OBJECT_KEY, Layout, Room, Source
from storage.objecttext import Content as OfObject
from storage.objecttext import read_content, render_content
from storage.records import Content, Member, agrees, etag_of

if TYPE_CHECKING:
    from storage.store import Store

MOST_LOOKS = 20  # at files that others move meanwhile
LARGEST_BYTES = 4 << 20  # of a file that is rendered
UNREADABLE = "[file cannot be read: "  # at the head of the text of an object whose front matter is broken

log = logging.getLogger("davserver.objects")


@dataclass(slots=True)
class Rows:
    """
    The rows of a collection in memory, so that one change costs what one costs.

    Attributes:
        stamp: id and number of the folder's row that they belong to.
        by_spot: by where the file lies.
        holders: where the object of each UID lies, and the name of its calendar object.
    """

    stamp: tuple[int, int] = (0, 0)
    by_spot: dict[str, Member] = field(default_factory=dict)
    by_name: dict[str, Member] = field(default_factory=dict)
    holders: dict[str, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, members: Iterable[Member]) -> Rows:
        """Those of the index."""
        rows = cls()
        for member in members:
            rows.by_spot[member.disk_name] = rows.by_name[member.name] = member
            if member.uid is not None:
                rows.holders[member.uid] = member.disk_name, member.name
        return rows

    def name_of(self, uid: str) -> str | None:
        """The name of the calendar object of a UID."""
        return self.holders[uid][1] if uid in self.holders else None


def rendered_tag(data: bytes) -> str:
    """The bare ETag of a rendered calendar object."""
    return etag_of(hashlib.sha256(data).hexdigest())


class Look:
    """
    One look at the files of a collection.

    Attributes:
        batch: what is to change in the index.
    """

    def __init__(self, store: Store, source: Source, layout: Layout, rows: Rows, identities: Identities) -> None:
        self._store = store
        self._source = source
        self._layout = layout
        self._rows = rows
        self._identities = identities
        self._states: dict[str, dict[str, Kept]] = {}  # by place and name: what is to be kept
        self.batch = Batch()

    def run(self, since: int | None) -> bool:
        """
        Bring the rows in line; whether they are, which files that are moved all the while can keep them from.

        Args:
            since: the number of the newest change that they know of; None where all files are to be looked at.
        """
        if not self._rows.by_name:
            self._recall()
        for _ in range(MOST_LOOKS):
            gone = self._render_changed(since)
            self._keep_states()
            if gone is None:
                continue
            for spot in gone:
                row = self._rows.by_spot.get(spot)
                if row is not None and row.disk_name == spot:
                    self._drop(row)
                    self._pass_over(row)
            self._keep_states()
            return True
        return False

    def _render_changed(self, since: int | None) -> list[str] | None:
        """
        Render what has changed; where objects lay that are no more, None where one was moved meanwhile.

        All is asked of one state of the index: what is dragged to and fro is on one side of it.
        """
        with self._store.index.snapshot():
            changed = list(self._changed(since))
        gone, is_whole = list[str](), True
        for spot, room, member in changed:
            rendered = False if room is None or member is None else self._render(room, member)
            if rendered is None:
                is_whole = False
            elif not rendered:
                gone.append(spot)
        return gone if is_whole else None

    def _recall(self) -> None:
        """What each file was, where no row says it: no other one becomes that object when the index was lost."""
        for room in self._layout.rooms.values():
            state = self._store.state(room.folder.place)
            for name in state.names():
                kept = state.get(name, OBJECT_KEY)
                if isinstance(kept, dict) and kept.get("in") == self._source.id and isinstance(kept.get("uid"), str):
                    self._rows.holders.setdefault(kept["uid"], (room.spot(name), str(kept.get("name"))))

    def _changed(self, since: int | None) -> Iterator[tuple[str, Room | None, Member | None]]:
        """Where objects lie, or lay, that may differ from their rows, with the file that is there."""
        found, suffixes = set[str](), self._source.kind.suffixes
        for room in self._layout.rooms.values():
            if since is None:
                members = {member.name: member for member in self._store.members(room.folder)}
                names: Iterable[str] = members
            else:
                names = self._changed_names(room, since)
                members = self._store.members_named(room.folder, names)
            for name in names:
                spot, member = room.spot(name), members.get(name)
                if is_object(name, suffixes) and (member is not None or spot in self._rows.by_spot):
                    found.add(spot)
                    yield spot, room, member
        for spot in [] if since is not None else [spot for spot in self._rows.by_spot if spot not in found]:
            yield spot, None, None

    def _changed_names(self, room: Room, since: int) -> list[str]:
        """Names of files that changed in a room, or whose attachments did."""
        index = self._store.index
        names = [change.name for change in index.changed_names(room.folder.id, since)]
        attached = [name for name in names if name.endswith(ATTACHED)]  # a folder that came or went
        children = index.folders(room.folder.place)
        attached += [child.name for child in children if child.counter > since and child.name.endswith(ATTACHED)]
        stems, suffixes = {name.removesuffix(ATTACHED) for name in attached}, self._source.kind.suffixes
        return list(dict.fromkeys([*names, *(stem + suffix for stem in stems for suffix in suffixes)]))

    def _render(self, room: Room, member: Member) -> bool | None:
        """Render the object of a file; whether it is one, None where it went meanwhile."""
        if member.size > LARGEST_BYTES:
            return False
        try:
            data, member = self._store.read_member(room.folder, member.name)
        except NotFound:
            return None
        rendering = self._source.kind.rendering
        if rendering is not None:
            state = self._store.state(room.folder.place).get(member.name, rendering.key)
            made = rendering.render(self._source, self._layout, room, member, data, state)
            if made is not None:
                self._put(made[0], room.spot(member.name), member, made[1])
            return made is not None
        document = parse_document(data)
        kept = dict(self._identities.of(self._source, room, member, document, self._rows))
        status = find_status(self._store.file(room.folder.place, member.disk_name))
        if status is None or not agrees(member, status):
            return None  # and what was kept of it may have gone along before it was asked for
        self._rows.holders[kept["uid"]] = room.spot(member.name), kept["name"]
        content = self._source.kind.content(self._layout, room, stem_of(member.name), document)
        if document.problem:
            kept.setdefault("good", self._text_of(kept["name"]))
            content = self._good(kept["good"]) or content
            content = replace(content, text=f"{UNREADABLE}{document.problem}]\n{content.text}".rstrip("\n"))
        else:
            kept.pop("good", None)
        if kept != self._store.state(room.folder.place).get(member.name, OBJECT_KEY):
            self._states.setdefault(room.folder.place, {})[member.name] = kept
        content = replace(
            content,
            uid=kept["uid"],
            sequence=kept.get("seq", 0),
            values={"created": kept["created"], **content.values},
            attached=tuple(attached_lines(self._store, room.folder, member.name)),
        )
        rendered = render_content(self._source.kind.text, content, member.modified_ns)
        self._put(kept["name"], room.spot(member.name), member, rendered)
        return True

    def _text_of(self, name: str) -> str:
        """A calendar object as it was rendered last, "" where it was not."""
        row = self._rows.by_name.get(name)
        content = None if row is None else self._store.index.contents([row.id]).get(row.id)
        return "" if content is None else content.data.decode()

    def _good(self, text: str) -> OfObject | None:
        """What an object said while its file could be read."""
        if not text:
            return None
        data, kind = text.encode(), self._source.kind
        calendar = parse_components(data, longest_head=len(data))[0]
        return read_content(kind.text, data, calendar, own_url(self._store), kind.ignored(self._layout))

    def _put(self, name: str, spot: str, member: Member, rendered: bytes) -> None:
        rows, before = self._rows, self._rows.by_name.get(name)
        etag = rendered_tag(rendered)
        if before is not None and (before.etag, before.disk_name, before.inode) == (etag, spot, member.id):
            return
        facts = read_facts(rendered)
        row = Member(
            id=self._store.index.next_write(),
            name=name,
            disk_name=spot,
            etag=etag,
            size=len(rendered),
            inode=member.id,
            modified_ns=member.modified_ns,
            changed_ns=0,
            created_ns=member.created_ns if before is None else before.created_ns,
            uid=facts.uid,
            component=facts.component,
            plain=int(facts.plain),
        )
        self.batch.put_member(self._source.place, row, replace(facts, content=facts.content or Content(rendered)))
        if before is None or before.etag != etag:
            self.batch.log(self._source.place, name, self._store.clock())
        if before is not None and rows.by_spot.get(before.disk_name) is before:
            del rows.by_spot[before.disk_name]
        replaced = rows.by_spot.get(spot)
        rows.by_spot[spot] = rows.by_name[name] = row
        if replaced is not None and replaced.name != name:
            self._drop(replaced)

    def _drop(self, row: Member) -> None:
        rows = self._rows
        if rows.by_name.get(row.name) is not row:
            return  # another file has become this object
        del rows.by_name[row.name]
        if row.uid is not None and rows.holders.get(row.uid) == (row.disk_name, row.name):
            del rows.holders[row.uid]
        if rows.by_spot.get(row.disk_name) is row:
            del rows.by_spot[row.disk_name]
        self.batch.remove_member(self._source.place, row.name)
        self.batch.log(self._source.place, row.name, self._store.clock())

    def _pass_over(self, gone: Member) -> None:
        """A file that was written as the one that went, shortly before that went, is that object."""
        claim = self._identities.claim_of(self._source, gone.uid or "")
        room = None if claim is None else self._layout.rooms.get(claim.place)
        if claim is None or room is None:
            return
        member = self._store.find_member(room.folder, claim.name)
        if member is None:
            return
        kept = dict(self._store.state(claim.place).get(claim.name, OBJECT_KEY) or {})
        self._rows.holders[claim.uid] = gone.disk_name, gone.name
        self._states[claim.place] = {claim.name: {**kept, "uid": claim.uid, "name": gone.name, "not": None}}
        self._keep_states()
        self._render(room, member)

    def _keep_states(self) -> None:
        states, self._states = self._states, {}
        for place, kept_of in states.items():
            try:
                with self._store.write(place) as tx:
                    for name, kept in kept_of.items():
                        if tx.find_member(place, name) is not None:
                            known = {key: value for key, value in kept.items() if value is not None}
                            tx.set_state(place, name, OBJECT_KEY, known)
            except (NotFound, ParentMissing):
                log.debug("%s went away while it was looked at", place)
