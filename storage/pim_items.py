"""Storing, moving and removing calendar objects and cards: the client's bytes, judged and indexed (RFC 4791 §5.3.2)."""

from __future__ import annotations

import os
import re
import secrets
import uuid
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from auth.acl import Action
from auth.errors import NeedPrivileges
from storage.attachments import MOST_BYTES
from storage.bookings import BOOKED, MARKED, Bookings, rule_of
from storage.bookingwrite import Transfer, write_outcomes
from storage.calendarlimits import require_within
from storage.collection import ADDRESS_BOOK, CALENDAR, Collection, Item
from storage.errors import ItemRefused, NotFound, PlaceRefused, PreconditionFailed, UidConflict
from storage.icalendar import Judged, judge
from storage.imports import Import, Staged, Target, staged
from storage.itemstream import split_collection
from storage.objectwrite import put_object, remove_object
from storage.paths import join, require_name

if TYPE_CHECKING:
    from storage.bookings import BookingRule
    from storage.itemwrite import ItemWrite
    from storage.records import Folder, Member
    from storage.session import Session
    from storage.state import Change

Check = Callable[[str | None], None]  # given the present ETag or None, raises PreconditionFailed
SUFFIXES = {CALENDAR: ".ics", ADDRESS_BOOK: ".vcf"}
PLANNED_APART = 3  # times, before others who write into the collection meanwhile must wait
AT_PLACE = frozenset({"creator", BOOKED, MARKED})  # what is kept of an item where it is, and not of it elsewhere
PLAIN_UID = re.compile(r"[A-Za-z0-9@_+=.,-]{1,120}")


@dataclass(frozen=True, slots=True)
class Stored:
    """
    What a PUT left on the shelf.

    Attributes:
        etag: the bare value.
        verbatim: whether the stored bytes are the client's; only then does it learn the ETag.
    """

    etag: str
    created: bool
    verbatim: bool


def put_item(session: Session, collection: Collection, name: str, data: bytes, check: Check) -> Stored:
    """Create or replace one item; on any refusal nothing has changed."""
    _require_place(session, collection, name)
    with session.store.commits.turn():
        return _put(session, collection, name, data, check)


def require_put(session: Session, collection: Collection, name: str, check: Check) -> None:
    """What refuses an item whatever its bytes are, for a client that asks before it sends them."""
    _require_place(session, collection, name)
    present = session.store.find_member(collection.folder, name)
    _require_put(session, collection, name, present)
    check(None if present is None else present.etag)


def _require_place(session: Session, collection: Collection, name: str) -> None:
    require_name(name, longest_bytes=session.store.settings.limits.name_bytes)
    _require_items_fit(collection)


def _put(session: Session, collection: Collection, name: str, data: bytes, check: Check) -> Stored:
    if collection.view is not None:
        return _put_object(session, collection, name, data, check)
    present = session.store.find_member(collection.folder, name)
    _require_put(session, collection, name, present)
    check(None if present is None else present.etag)
    judged = _judge(session, data, collection.tag, collection.components, present)
    rule = rule_of(session.store, collection)
    if rule is not None:
        return _book(session, collection, rule, name, judged, check)
    writing = session.store.write_items(collection.place, name, judged.facts.uid)
    with session.store.item_scratch(judged.data) as scratch, writing as write:
        present, creator = _require_write(session, collection, write, name, judged.facts.uid, check)
        by = session.principal.name
        write.put(name, present, scratch, judged.data, judged.facts, creator=creator, by=by)
    return Stored(scratch.digest, present is None, not judged.rewritten)


def _put_object(session: Session, collection: Collection, name: str, data: bytes, check: Check) -> Stored:
    """Put into the calendar of a board or notebook, whose files are what is stored."""
    present = session.store.find_member(collection.folder, name)
    check(None if present is None else present.etag)
    judged = _judge(session, data, collection.tag, collection.components, present, largest=MOST_BYTES)
    uid = judged.facts.uid
    holder = None if uid is None else session.store.holder_of_uid(collection.folder, uid)
    _require_free_uid(session, collection, name, uid, present, holder)
    written = put_object(session, collection, name, judged, check)
    return Stored(written.etag, written.created, written.verbatim)


def _book(
    session: Session, collection: Collection, rule: BookingRule, name: str, judged: Judged, check: Check
) -> Stored:
    """Put into a resource's calendar: who comes second is marked or refused."""
    store, uid = session.store, judged.facts.uid
    with ExitStack() as scratches, store.write_items(collection.place, name, uid, alone=True) as write:
        present, creator = _require_write(session, collection, write, name, uid, check)
        bookings = Bookings(store, write.folder, rule)
        bookings.put(name, present, judged.data, uid)
        outcomes = bookings.outcomes()
        creators, by = {} if creator is None else {name: creator}, session.principal.name
        etag, *_ = write_outcomes(store, write, outcomes, scratches, creators, by=by)
    return Stored(etag, present is None, not judged.rewritten and not outcomes[0].is_rewritten)


def _require_write(
    session: Session, collection: Collection, write: ItemWrite, name: str, uid: str | None, check: Check
) -> tuple[Member | None, str | None]:
    """Under the write lock: what is replaced, and the maker to keep."""
    present = write.find_member(name)
    _require_put(session, collection, name, present)
    check(None if present is None else present.etag)
    holder = None if uid is None else write.holder_of_uid(uid)
    _require_free_uid(session, collection, name, uid, present, holder)
    return present, _creator_of_new(session, collection, name, present)


def judge_stream(session: Session, data: bytes, tag: str, components: Sequence[str]) -> Iterator[Judged]:
    """The items of one ``.ics`` or ``.vcf`` stream. Raises ItemRefused at the first that cannot be stored."""
    for part in split_collection(data, tag):
        yield _judge(session, part, tag, components, None)


def import_items(session: Session, collection: Collection, items: Iterable[Judged]) -> int:
    """
    Add and update judged items by UID, all or none; nothing is removed. Gives how many there were.

    What the items, the rights or a name refuse is refused before anything is stored. After that the import will be
    finished, if this process does not live so long by the next. Others read and write in the collection meanwhile.
    """
    _require_items_fit(collection)
    with staged(session.store, items, by=session.principal.name) as prepared:
        return finish_import(session, collection, prepared)


def finish_import(session: Session, collection: Collection, prepared: Import) -> int:
    """Give what ``staged`` has prepared to a collection; see ``import_items``."""
    _require_items_fit(collection)
    if collection.view is not None:
        raise PlaceRefused(collection.asked, "items are stored here one by one")
    rule = rule_of(session.store, collection)
    if rule is not None:
        _book_all(session, collection, rule, prepared)
        return len(prepared.items)
    targets = _begin_import(session, collection, prepared)
    prepared.finish(collection.place, targets)
    return len(prepared.items)


def _book_all(session: Session, collection: Collection, rule: BookingRule, prepared: Import) -> None:
    """The items of an import as bookings, in their order, in one write."""
    store = session.store
    with ExitStack() as scratches, store.write_items(collection.place, "", alone=True) as write:
        targets = _plan(session, collection, write.folder, prepared.items)
        bookings = Bookings(store, write.folder, rule)
        for target in targets:
            bookings.put(target.name, target.present, prepared.read(target.item), target.item.facts.uid)
        creators = {name: who for target in targets for name, key, who in target.changes if key == "creator" and who}
        write_outcomes(store, write, bookings.outcomes(), scratches, creators)


def _begin_import(session: Session, collection: Collection, prepared: Import) -> list[Target]:
    """Commit an import. Where each item belongs is looked up beforehand: the write lock is held for a moment only."""
    store, place = session.store, collection.place
    for attempt in count(1):
        before = store.find_folder(place) or collection.folder
        targets = _plan(session, collection, before, prepared.items)
        with store.import_into(place) as folder:
            if folder.counter != before.counter and attempt < PLANNED_APART:
                continue
            if folder.counter != before.counter:
                targets = _plan(session, collection, folder, prepared.items)
            prepared.commit(place, targets)
            break
    return targets


def _plan(session: Session, collection: Collection, folder: Folder, items: Sequence[Staged]) -> list[Target]:
    """Where each item belongs. Raises what refuses one of them."""
    targets: dict[str, Target] = {}
    uids: set[str] = set()
    for item in items:
        uid = item.facts.uid
        if uid is not None and uid in uids:
            said = f"two items of the file have the UID {uid!r}; one would be lost"
            raise ItemRefused("no-uid-conflict", said, is_card=collection.tag == ADDRESS_BOOK)
        name = _name_for(session, collection, uid, targets)
        if uid is not None:
            uids.add(uid)
        present = session.store.find_member(folder, name)
        if uid is not None and present is not None and not session.access.may(Action.READ, join(collection.path, name)):
            _require_free_uid(session, collection, "", uid, None, name)  # its name is not told
        _require_put(session, collection, name, present)
        _require_free_uid(session, collection, name, uid, present, None)
        changes: list[Change] = []
        if present is None:
            if os.path.lexists(session.store.file(folder.place, name)):
                raise PlaceRefused(join(collection.asked, name), "something that is not served has this name")
            changes = session.store.state(folder.place).removal(name)
            creator = _creator_of_new(session, collection, name, present)
            changes += [] if creator is None else [(name, "creator", creator)]
        targets[name] = Target(item, name, present, tuple(changes))
    return list(targets.values())


def remove_item(session: Session, item: Item, check: Check) -> None:
    """Move an item to the trash."""
    if item.collection.view is not None:
        remove_object(session, item.collection, item.member.name, check)
        return
    session.access.require(Action.DELETE, item.path)
    store, place, name = session.store, item.collection.place, item.member.name
    rule = rule_of(store, item.collection)
    writing = store.write_items(place, name, alone=rule is not None, removes=True)
    with ExitStack() as scratches, store.commits.turn(), writing as write:
        present = write.find_member(name)
        if present is None:
            raise NotFound(item.path)
        check(present.etag)
        write.remove(present, by=session.principal.name)
        if rule is not None:
            bookings = Bookings(store, write.folder, rule)
            bookings.remove(present)
            write_outcomes(store, write, bookings.outcomes(), scratches, {})


def move_item(session: Session, item: Item, target: Collection, name: str, overwrite: bool, check: Check) -> bool:
    """Move an item within or between collections (RFC 4918 §9.9); whether the target is new."""
    session.access.require(Action.DELETE, item.path)
    return _transfer(session, item, target, name, overwrite, check, keep=False)


def copy_item(session: Session, item: Item, target: Collection, name: str, overwrite: bool, check: Check) -> bool:
    """Copy an item (RFC 4918 §9.8), with its dead properties; whether the target is new."""
    return _transfer(session, item, target, name, overwrite, check, keep=True)


def _require_items_fit(collection: Collection) -> None:
    if collection.tag not in SUFFIXES:
        raise PlaceRefused(collection.asked, "only calendars and address books hold items")


def _require_put(session: Session, collection: Collection, name: str, present: Member | None) -> None:
    path = join(collection.path, name) if present is None else collection.path_of(present)
    if present is None:
        session.access.require(Action.CREATE, collection.path)
    elif session.access.sees(path):
        session.access.require(Action.WRITE, path)
    else:  # what is in the way is not told, and to those who may add nothing not even that something is
        session.access.require(Action.CREATE, collection.path)
        raise NeedPrivileges(collection.path, Action.WRITE)


def _judge(
    session: Session,
    data: bytes,
    tag: str,
    components: Sequence[str],
    present: Member | None,
    *,
    largest: int | None = None,
) -> Judged:
    limits = session.store.settings.limits
    largest = largest or (limits.calendar_item_bytes if tag == CALENDAR else limits.card_bytes)
    judged = judge(
        data,
        tag,
        max_bytes=largest,
        max_line_bytes=limits.content_line_bytes,
        # a card that comes without UID over one that has it is the same card
        new_uid=lambda: (present.uid if present is not None else None) or str(uuid.uuid4()),
    )
    component = judged.facts.component
    if tag == CALENDAR and component not in components:
        held = ", ".join(components)
        raise ItemRefused("supported-calendar-component", f"this calendar holds {held}, not {component}")
    if tag == CALENDAR:
        require_within(judged.data, judged.components, limits)
    return judged


def _creator_of_new(session: Session, collection: Collection, name: str, present: Member | None) -> str | None:
    """The maker to keep where a rule gives ``create`` alone: what one made oneself stays one's own."""
    if present is not None or session.access.may(Action.WRITE, join(collection.path, name)):
        return None
    return session.principal.name


def _require_free_uid(
    session: Session,
    collection: Collection,
    name: str,
    uid: str | None,
    present: Member | None,
    holder: str | None,
    source: str = "",
) -> None:
    """
    No other member may hold the UID, nor may an item be replaced by one with another (RFC 4791 §5.3.2.1).

    Args:
        holder: who holds it.
        source: who may hold it, because it goes away.
    """
    if uid is None:
        return
    if present is not None and present.uid is not None and present.uid != uid:
        raise UidConflict(uid, join(collection.asked, name), is_card=collection.tag == ADDRESS_BOOK)
    if holder is not None and holder not in (name, source):
        may_know = session.access.may(Action.READ, join(collection.path, holder))
        named = join(collection.asked, holder) if may_know else collection.asked + "/"
        raise UidConflict(uid, named, is_card=collection.tag == ADDRESS_BOOK)


def _name_for(session: Session, collection: Collection, uid: str | None, others: Container[str]) -> str:
    """The name of the item that holds the UID, or a new one; ``others`` are given to items of the same import."""
    suffix = SUFFIXES[collection.tag]
    if uid is not None:
        holder = session.store.holder_of_uid(collection.folder, uid)
        if holder is not None:
            return holder
        name = uid + suffix
        is_plain = PLAIN_UID.fullmatch(uid) and not uid.startswith(".")
        if is_plain and name not in others and session.store.find_member(collection.folder, name) is None:
            return name
    return secrets.token_hex(16) + suffix


def _transfer(
    session: Session, item: Item, target: Collection, name: str, overwrite: bool, check: Check, *, keep: bool
) -> bool:
    path = join(target.path, name)
    if path == item.path:
        raise PlaceRefused(path, "the destination is the resource itself")
    require_name(name, longest_bytes=session.store.settings.limits.name_bytes)
    _require_items_fit(target)
    source = item.collection
    if source.view is not None or target.view is not None:
        raise PlaceRefused(item.asked, "store it there and delete it here; a file is moved in its folder")
    if source.tag != target.tag:
        condition = "supported-calendar-data" if target.tag == CALENDAR else "supported-address-data"
        raise ItemRefused(condition, "calendar objects stay in calendars and cards in address books")
    with session.store.write(*sorted({source.place, target.place})) as tx:
        member = tx.find_member(source.place, item.member.name)
        if member is None:
            raise NotFound(item.path)
        check(member.etag)
        present = tx.find_member(target.place, name)
        _require_put(session, target, name, present)
        if present is not None and not overwrite:
            raise PreconditionFailed(f"{path} exists and Overwrite is F")
        _require_component(target, member)
        _require_stored(session, source, member, target, keep=keep)
        same = source.place == target.place and not keep
        holder = None if member.uid is None else session.store.holder_of_uid(target.folder, member.uid)
        _require_free_uid(session, target, name, member.uid, present, holder, member.name if same else "")
        booked = Transfer(session.store, tx, member, source, target)
        booked.judge(name, present, keep=keep)
        by, over = session.principal.name, present is not None
        creator = _creator_after(session, path, present, item.path if same else None)
        if keep:
            text, kept = booked.text, booked.kept
            tx.copy(
                source.place, member.name, target.place, name, creator=creator, over=over, by=by, text=text, kept=kept
            )
        else:
            booked.write_mark()
            kept = {key: value for key, value in tx.state(source.place).all(member.name).items() if key not in AT_PLACE}
            kept |= booked.kept
            if creator is not None:
                kept["creator"] = creator
            tx.move(source.place, member.name, target.place, name, over=over, by=by, kept=kept)
            booked.write_moved(name)
        booked.write()
    return present is None


def _creator_after(session: Session, path: str, present: Member | None, renamed: str | None) -> str | None:
    """The maker to keep at a target: of a replaced item its own, of a renamed one the old one, else as of a new one."""
    if present is not None or renamed is not None:
        return session.store.rulebook.creator(path if renamed is None or present is not None else renamed)
    return None if session.access.may(Action.WRITE, path) else session.principal.name


def _require_component(target: Collection, member: Member) -> None:
    if target.tag == CALENDAR and member.component is not None and member.component not in target.components:
        held = ", ".join(target.components)
        raise ItemRefused("supported-calendar-component", f"that calendar holds {held}, not {member.component}")


def _require_stored(session: Session, source: Collection, member: Member, target: Collection, *, keep: bool) -> None:
    """
    What another member is made of is judged as a PUT of it would be (RFC 4791 §5.3.2.1): the file may lie there longer
    than a limit, or have come by hand. One that only gets another name stays what it is.
    """
    if keep or source.place != target.place:
        data, _ = session.store.read_member(source.folder, member.name)
        _judge(session, data, target.tag, target.components or (), None)
