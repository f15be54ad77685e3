"""
Storing a calendar object whose file is a card or note: what differs from what was served goes into the file.

An edit in one view defeats a stale edit in the other; what is replaced is kept in the history. What changes nothing
writes nothing, so a program that stores again what it has just read makes no version and no news.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from auth.acl import Action
from auth.errors import NeedPrivileges
from storage import paths, quota, treerights
from storage.attachments import own_url, store_inline
from storage.contentlines import parse_components
from storage.errors import ItemRefused, NotFound, PreconditionFailed
from storage.fileterms import Terms
from storage.frontmatter import Document, Value, edited, parse_document, texts
from storage.objectleft import note_left
from storage.objectmoments import utc
from storage.objectnames import ATTACHED, file_stem, stem_of
from storage.objects import OBJECT_KEY, Edit, Layout, Rendering, Room, Source
from storage.objecttext import Content, kept_lines, read_content
from storage.portable import caseless
from storage.viewrows import LARGEST_BYTES, UNREADABLE

if TYPE_CHECKING:
    from storage.collection import Collection
    from storage.icalendar import Judged
    from storage.records import Member
    from storage.session import Session
    from storage.transaction import Transaction

MOST_TRIES = 20  # while others write the same object or take the name
OWN = frozenset({"status", "progress", "completed", "created", "ical", "ical-parts"})  # each with a rule of its own

Check = Callable[[str | None], None]


@dataclass(frozen=True, slots=True)
class _Present:
    """An object as it is: its row, its file and what the client was served."""

    row: Member
    room: Room
    file: Member
    document: Document
    served: Content
    rendered: bytes

    @property
    def path(self) -> str:
        return paths.join(self.room.folder.path, self.file.name)


@dataclass(frozen=True, slots=True)
class Written:
    """What a PUT of an object left: see ``storage.pim_items.Stored``."""

    etag: str
    created: bool
    verbatim: bool


def put_object(session: Session, collection: Collection, name: str, judged: Judged, check: Check) -> Written:
    """Store a calendar object under a name in the calendar of a board or notebook."""
    source = collection.view
    assert source is not None
    calendar = parse_components(judged.data, longest_head=len(judged.data))[0]
    product = calendar.find("PRODID")
    sent = _read(session, source, judged.data)
    _require_size(session, judged, sent)
    if source.kind.rendering is not None:
        return _put_rendered(session, collection, source.kind.rendering, name, judged, sent, check)
    for _ in range(MOST_TRIES):
        present = _find(session, source, name)
        check(None if present is None else present.row.etag)
        layout = session.store.views.layout(source)
        if present is None:
            done = _create(session, source, layout, name, sent)
        else:
            done = _edit(session, source, layout, present, sent, "" if product is None else product.value)
        if done:
            break
    else:
        raise PreconditionFailed("others change this object all the time; try again")
    row = _row(session, source, name)
    if row is not None and sent.inline:
        store_inline(session, paths.join(source.folder.path, row.disk_name), sent.inline)
        row = _row(session, source, name)
    if row is None:
        raise NotFound(collection.asked)
    content = session.store.index.contents([row.id]).get(row.id)
    return Written(row.etag, present is None, content is not None and content.data == judged.data)


def _put_rendered(
    session: Session,
    collection: Collection,
    rendering: Rendering,
    name: str,
    judged: Judged,
    sent: Content,
    check: Check,
) -> Written:
    """What a kind makes of a calendar object whose file is no text."""
    source = collection.view
    assert source is not None
    row = _row(session, source, name)
    check(None if row is None else row.etag)
    content = None if row is None else session.store.index.contents([row.id]).get(row.id)
    if row is None or content is None:
        raise NeedPrivileges(collection.asked, Action.CREATE)
    rendering.put(session, source, row, _read(session, source, content.data), sent)
    row = _row(session, source, name)
    if row is None:
        raise NotFound(paths.join(collection.asked, name))
    content = session.store.index.contents([row.id]).get(row.id)
    return Written(row.etag, False, content is not None and content.data == judged.data)


def remove_object(session: Session, collection: Collection, name: str, check: Check) -> None:
    """Put the file of a calendar object into the trash, with its attachments."""
    source = collection.view
    assert source is not None
    rendering = source.kind.rendering
    if rendering is not None and rendering.remove is not None:
        row = _row(session, source, name)
        if row is None:
            raise NotFound(paths.join(collection.asked, name))
        check(row.etag)
        rendering.remove(session, source, row)
        session.store.views.bring_up(source)
        return
    present = _find(session, source, name)
    if present is None:
        raise NotFound(paths.join(collection.asked, name))
    treerights.require(session, Action.DELETE, present.path)
    place, attached = present.room.folder.place, _attached(session, present.room, present.file.name)
    with session.store.write(place, tree=attached is not None) as tx:
        file = tx.find_member(place, present.file.name)
        if file is None:
            raise NotFound(paths.join(collection.asked, name))
        check(present.row.etag if file.id == present.file.id else f"{present.row.etag}-changed")
        treerights.require_unlocked(session, present.path, Terms(), tree=False)
        tx.remove(place, file.name, by=session.principal.name)
        if attached is not None:
            tx.remove_folder(attached, by=session.principal.name)
    session.store.views.bring_up(source)


def _read(session: Session, source: Source, data: bytes) -> Content:
    calendar = parse_components(data, longest_head=len(data))[0]
    ignored = source.kind.ignored(session.store.views.layout(source))
    return read_content(source.kind.text, data, calendar, own_url(session.store), ignored)


def _require_size(session: Session, judged: Judged, sent: Content) -> None:
    """Without what is attached it may be as large as any calendar object."""
    most = session.store.settings.limits.calendar_item_bytes
    left = len(judged.data) - sum(len(file.data) * 4 // 3 for file in sent.inline)
    if left > most:
        raise ItemRefused("max-resource-size", f"{left} bytes beside its attachments; {most} can be stored")


def _row(session: Session, source: Source, name: str) -> Member | None:
    folder = session.store.views.bring_up(source)
    return session.store.index.member(folder.id, name)


def _find(session: Session, source: Source, name: str) -> _Present | None:
    """What an object is at present; None where there is none of the name."""
    store = session.store
    for _ in range(MOST_TRIES):
        row = _row(session, source, name)
        if row is None:
            return None
        below, _, file_name = row.disk_name.rpartition("/")
        room = store.views.layout(source).room(below)
        content = store.index.contents([row.id]).get(row.id)
        if room is None or content is None:
            continue
        with suppress(NotFound):
            data, file = store.read_member(room.folder, file_name)
            if file.id == row.inode:
                served = _read(session, source, content.data)
                return _Present(row, room, file, parse_document(data), served, content.data)
    raise PreconditionFailed("others change this object all the time; try again")


def _edit(session: Session, source: Source, layout: Layout, present: _Present, sent: Content, agent: str) -> bool:
    """Bring what was sent into the file; false where it is no longer the one that was looked at."""
    treerights.require(session, Action.WRITE, present.path)
    _require_attachable(session, present.path, sent)
    document, room = present.document, present.room
    kept: dict[str, Any] = dict(session.store.state(room.folder.place).get(present.file.name, OBJECT_KEY) or {})
    if "uid" not in kept:  # it was moved away meanwhile
        return False
    served = Content() if document.problem else present.served  # of a file that cannot be read all is written anew
    received = source.kind.receive(Edit(session, layout, room, document, kept, served, sent))
    changes = {**_plain_changes(served, sent, agent), **_dependences(document, sent), **received.changes}
    text = _text_sent(present.served, sent)
    below = _open_room(session, source, layout, received.below, room.below)
    place = _place(session, source, below)
    name = _name_after(session, source, present, sent, place, moves=below != room.below)
    if name != present.file.name or sent.title != present.served.title or document.problem:
        changes["title"] = None if stem_of(name) == sent.title else sent.title
    changes = {key: value for key, value in changes.items() if document.values.get(key) != value}
    if not changes and text is None and below == room.below and name == present.file.name:
        return True
    kept |= {**received.kept, **({"seq": sent.sequence} if sent.sequence else {})}
    changes |= received.along
    if source.kind.writes_uid and document.values.get("uid") != kept["uid"]:
        changes = {"uid": kept["uid"], **changes}
    data = _rewritten(document, changes, text)
    _require_readable(data)
    return _replace(session, source, present, place, name, data, kept)


def _name_after(session: Session, source: Source, present: _Present, sent: Content, place: str, *, moves: bool) -> str:
    """What the file is called: as its object, unless it is the page of its folder, and with a number where that is."""
    name = present.file.name
    stem, is_renamed = stem_of(name), sent.title != present.served.title
    if stem == source.kind.landing:
        is_renamed = False
    if not is_renamed and not moves:
        return name
    return _free_name(session, place, file_stem(sent.title) if is_renamed else stem, name[len(stem) :], present)


def _dependences(document: Document, sent: Content) -> dict[str, Value | None]:
    """What a task waits for: that is not served, so a client only adds to it."""
    known = texts(document, "depends")
    more = tuple(uid for uid in sent.depends if uid not in known)
    return {"depends": (*known, *more)} if more else {}


def _plain_changes(served: Content, sent: Content, agent: str) -> dict[str, Value | None]:
    """What differs between what was served and what came, where a key of the file has it as it is."""
    keys = (served.values.keys() | sent.values.keys()) - OWN
    changes = {key: sent.values.get(key) for key in sorted(keys) if served.values.get(key) != sent.values.get(key)}
    before, after = served.values.get("ical"), kept_lines(served.values.get("ical"), sent.values.get("ical"), agent)
    if sorted(before or ()) != sorted(after):
        changes["ical"] = after or None
    if served.text != sent.text and "ical" in (changes.keys() | served.values.keys()):
        # a formatted text beside the plain one is of the old text, unless it was changed too
        old = [line for line in before or () if line.upper().startswith("X-ALT-DESC")]
        left = tuple(line for line in after if line not in old)
        if len(left) != len(after):
            changes["ical"] = left or None
    if served.values.get("ical-parts") != sent.values.get("ical-parts"):
        changes["ical-parts"] = sent.values.get("ical-parts")
    if served.parent != sent.parent:
        changes["parent"] = sent.parent
    return changes


def _text_sent(served: Content, sent: Content) -> str | None:
    """The text that is to stand in the file, None where it stays; the word on a file that cannot be read goes."""
    if sent.text == served.text and not served.text.startswith(UNREADABLE):
        return None
    first, _, rest = sent.text.partition("\n")
    return rest if first.startswith(UNREADABLE) else sent.text


def _rewritten(document: Document, changes: Mapping[str, Value | None], text: str | None) -> bytes:
    if not document.problem:
        return edited(document, changes, text)
    clean = parse_document(b"")  # what cannot be read is in the history
    values = {key: value for key, value in {**document.values, **changes}.items() if value is not None}
    return edited(clean, values, document.text if text is None else text)


def _require_readable(data: bytes) -> None:
    """What could not be read as an object again is not stored as one."""
    if len(data) > LARGEST_BYTES or parse_document(data).problem:
        raise ItemRefused("max-resource-size", "more lines or bytes than the file of an object can have")


def _require_attachable(session: Session, path: str, sent: Content) -> None:
    """What a file within an object needs beside it is asked for before anything is stored: all comes or nothing."""
    if sent.inline:
        treerights.require_create(session, paths.join(paths.parent_of(path), stem_of(paths.name_of(path)) + ATTACHED))
        quota.require_room(session, path, sum(len(file.data) for file in sent.inline) + len(sent.text.encode()))


def _create(session: Session, source: Source, layout: Layout, name: str, sent: Content) -> bool:
    store = session.store
    received = source.kind.receive(Edit(session, layout, None, parse_document(b""), {}, Content(), sent))
    values: dict[str, Value | None] = {"uid": sent.uid} if source.kind.writes_uid else {}
    for key, value in sent.values.items():
        if key not in OWN or key in ("ical", "ical-parts") or (key == "created" and source.kind.writes_uid):
            values[key] = value
    values |= received.changes
    if sent.parent:
        values["parent"] = sent.parent
    if sent.depends:
        values["depends"] = sent.depends
    place = _place(session, source, _open_room(session, source, layout, received.below, ""))
    file_name = _free_name(session, place, file_stem(sent.title), source.kind.suffixes[0], None)
    if sent.title and (stem_of(file_name) != sent.title or sent.title == source.kind.landing):
        values["title"] = sent.title
    path = paths.path_of(f"{place}/{file_name}")
    treerights.require_create(session, path)
    _require_attachable(session, path, sent)
    data = edited(parse_document(b""), values, sent.text)
    _require_readable(data)
    quota.require_room(session, path, len(data))
    created = sent.values.get("created")
    kept: dict[str, Any] = {"uid": sent.uid, "name": name, "in": source.id, **received.kept}
    kept["created"] = created if isinstance(created, str) else utc(store.clock())
    if sent.sequence:
        kept["seq"] = sent.sequence
    with store.scratch(place) as scratch:
        scratch.write(data)
        with store.write(place) as tx:
            if tx.find_member(place, file_name) is not None or tx.find_folder(f"{place}/{file_name}") is not None:
                return False
            treerights.require_unlocked(session, path, Terms(), tree=False)
            creator = treerights.creator_of_new(session, path)
            tx.put(place, file_name, scratch, creator=creator, by=session.principal.name)
            tx.set_state(place, file_name, OBJECT_KEY, kept)
    return True


def _replace(
    session: Session, source: Source, present: _Present, to_place: str, to_name: str, data: bytes, kept: dict[str, Any]
) -> bool:
    """The file's new bytes, and its new name and folder; false where it changed since it was looked at."""
    store, place, name = session.store, present.room.folder.place, present.file.name
    quota.require_room(session, present.path, len(data) - present.file.size)
    attached = _attached(session, present.room, name) if (to_place, to_name) != (place, name) else None
    with store.scratch(place) as scratch:
        scratch.write(data)
        with store.write(*sorted({place, to_place}), tree=attached is not None) as tx:
            file = tx.find_member(place, name)
            if file is None or file.id != present.file.id:
                return False
            stays = (place, name) == (to_place, to_name)
            if not stays and _is_taken(tx, to_place, to_name, present):
                return False  # somebody else was faster
            treerights.require_unlocked(session, present.path, Terms(), tree=False)
            if not stays:
                treerights.require_unlocked(session, paths.path_of(f"{to_place}/{to_name}"), Terms(), tree=False)
            tx.put(place, name, scratch, by=session.principal.name)
            if stays:
                tx.set_state(place, name, OBJECT_KEY, kept)
                return True
            state = {**tx.state(place).all(name), OBJECT_KEY: kept}
            tx.move(place, name, to_place, to_name, by=session.principal.name, kept=state)
            note_left(session, tx, place, name, paths.path_of(f"{to_place}/{to_name}"))
            if attached is not None:
                tx.move_folder(attached, f"{to_place}/{stem_of(to_name)}{ATTACHED}")
    return True


def _is_taken(tx: Transaction, place: str, name: str, present: _Present) -> bool:
    if (place, name) == (present.room.folder.place, present.file.name):
        return False
    return tx.find_member(place, name) is not None or tx.find_folder(f"{place}/{name}") is not None


def _attached(session: Session, room: Room, name: str) -> str | None:
    """The place of an object's attachments, where it has any that are for those whom the object is for."""
    store = session.store
    folder = store.find_folder(f"{room.folder.place}/{stem_of(name)}{ATTACHED}")
    if folder is None or any(store.rulebook.has_rules(each) for each in store.tree(folder)):
        return None
    return folder.place


def _open_room(session: Session, source: Source, layout: Layout, below: str, here: str) -> str:
    """The folder that an object goes to: where it is, if the one that is meant is none of this collection."""
    store, ruled = session.store, session.store.rulebook.server_paths
    segments = below.split("/") if below else []
    for number in range(1, len(segments) + 1):
        part = "/".join(segments[:number])
        if layout.room(part) is not None:
            continue
        place = f"{source.folder.place}/{part}"
        above = store.find_folder(place.rpartition("/")[0])
        is_file = above is not None and store.find_member(above, segments[number - 1]) is not None
        if is_file or store.find_folder(place) is not None or paths.path_of(place) in ruled:
            return here
    return below


def _place(session: Session, source: Source, below: str) -> str:
    """The place of a folder of the collection; one that is named and not there yet is made."""
    store, place = session.store, source.folder.place
    for segment in below.split("/") if below else ():
        above, place = place, f"{place}/{segment}"
        if store.find_folder(place) is not None:
            continue
        if not source.kind.makes_folders:
            treerights.require_create(session, paths.path_of(place))
        with store.write(above) as tx:
            if tx.find_folder(place) is None:
                tx.make_folder(place, creator=treerights.creator_of_new(session, paths.path_of(place)))
    return place


def _free_name(session: Session, place: str, stem: str, suffix: str, present: _Present | None) -> str:
    """A name in a folder that nothing else has in any case: with a number where it is taken."""
    store = session.store
    folder = store.find_folder(place)
    if folder is None:
        raise NotFound(paths.path_of(place))
    taken = {caseless(member.name) for member in store.each_member(folder)}
    taken |= {caseless(paths.nfc(child.name)) for child in store.folders(folder)}
    if present is not None and present.room.folder.place == place:
        taken.discard(caseless(present.file.name))
        taken.discard(caseless(stem_of(present.file.name) + ATTACHED))
    for number in count(1):
        added = "" if number == 1 else f" ({number})"
        if caseless(f"{stem}{added}{suffix}") not in taken and caseless(f"{stem}{added}{ATTACHED}") not in taken:
            return f"{stem}{added}{suffix}"
    raise AssertionError("unreachable")
