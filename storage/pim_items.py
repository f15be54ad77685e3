"""Storing, moving and removing calendar objects and cards: the client's bytes, judged and indexed (RFC 4791 §5.3.2)."""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auth.acl import Action
from storage.collection import ADDRESS_BOOK, CALENDAR, Collection, Item
from storage.errors import ItemRefused, NotFound, PlaceRefused, PreconditionFailed, UidConflict
from storage.icalendar import Judged, judge
from storage.itemstream import split_collection
from storage.paths import join, require_name

if TYPE_CHECKING:
    from storage.records import Member
    from storage.session import Session
    from storage.transaction import Transaction

Check = Callable[[str | None], None]  # given the present ETag or None, raises PreconditionFailed
SUFFIXES = {CALENDAR: ".ics", ADDRESS_BOOK: ".vcf"}
IMPORTED_AT_ONCE = 25
PLAIN_UID = re.compile(r"[A-Za-z0-9@_+=.,-]{1,120}")


@dataclass(frozen=True, slots=True)
class Stored:
    """
    What a PUT left on the shelf.

    Attributes:
        verbatim: whether the stored bytes are the client's; only then does it learn the ETag.
    """

    member: Member
    created: bool
    verbatim: bool


def put_item(session: Session, collection: Collection, name: str, data: bytes, check: Check) -> Stored:
    """Create or replace one item; on any refusal nothing has changed."""
    limits = session.store.settings.limits
    require_name(name, longest_bytes=limits.name_bytes)
    _require_items_fit(collection)
    present = session.store.find_member(collection.folder, name)
    _require_put(session, collection, name, present)
    check(None if present is None else present.etag)
    judged = _judge(session, data, collection.tag, collection.components, present)
    with session.store.write(collection.place) as tx:
        present = tx.find_member(collection.place, name)
        _require_put(session, collection, name, present)
        check(None if present is None else present.etag)
        return _store(session, tx, collection, name, judged, present)


def judge_stream(session: Session, data: bytes, tag: str, components: Sequence[str]) -> list[Judged]:
    """The items of one ``.ics`` or ``.vcf`` stream. Raises ItemRefused for the first that cannot be stored."""
    return [_judge(session, part, tag, components, None) for part in split_collection(data, tag)]


def import_items(session: Session, collection: Collection, items: Sequence[Judged]) -> None:
    """
    Add and update judged items by UID; nothing is removed.

    What the rights or a name refuse is refused before anything is stored. They are stored some at a time, so that
    others who read or write there meanwhile wait for a moment only; a crash leaves those that were stored.
    """
    _require_items_fit(collection)
    for judged in items:
        name = _name_for(session, collection, judged)
        _require_put(session, collection, name, session.store.find_member(collection.folder, name))
    for start in range(0, len(items), IMPORTED_AT_ONCE):
        with session.store.write(collection.place) as tx:
            for judged in items[start : start + IMPORTED_AT_ONCE]:
                name = _name_for(session, collection, judged)
                present = tx.find_member(collection.place, name)
                _require_put(session, collection, name, present)
                _store(session, tx, collection, name, judged, present)


def remove_item(session: Session, item: Item, check: Check) -> None:
    """Move an item to the trash."""
    session.access.require(Action.DELETE, item.path)
    place, name = item.collection.place, item.member.name
    with session.store.write(place) as tx:
        present = tx.find_member(place, name)
        if present is None:
            raise NotFound(item.path)
        check(present.etag)
        tx.remove(place, name, by=session.principal.name)


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
    if present is None:
        session.access.require(Action.CREATE, collection.path)
    else:
        session.access.require(Action.WRITE, join(collection.path, name))


def _judge(session: Session, data: bytes, tag: str, components: Sequence[str], present: Member | None) -> Judged:
    limits = session.store.settings.limits
    largest = limits.calendar_item_bytes if tag == CALENDAR else limits.card_bytes
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
    return judged


def _store(
    session: Session, tx: Transaction, collection: Collection, name: str, judged: Judged, present: Member | None
) -> Stored:
    _require_free_uid(session, collection, name, judged.facts.uid, present)
    path = join(collection.path, name)
    creator = None
    if present is None and not session.access.may(Action.WRITE, path):
        creator = session.principal.name  # a rule gives create alone: what one made oneself stays one's own
    with session.store.scratch(collection.place) as scratch:
        scratch.write(judged.data)
        member = tx.put(collection.place, name, scratch, judged.facts, creator=creator)
    return Stored(member, present is None, not judged.rewritten)


def _require_free_uid(
    session: Session, collection: Collection, name: str, uid: str | None, present: Member | None, source: str = ""
) -> None:
    """No other member may hold the UID, nor may an item be replaced by one with another (RFC 4791 §5.3.2.1)."""
    if uid is None:
        return
    if present is not None and present.uid is not None and present.uid != uid:
        raise UidConflict(uid, join(collection.asked, name), is_card=collection.tag == ADDRESS_BOOK)
    holder = session.store.holder_of_uid(collection.folder, uid)
    if holder is not None and holder not in (name, source):
        may_know = session.access.may(Action.READ, join(collection.path, holder))
        named = join(collection.asked, holder) if may_know else collection.asked + "/"
        raise UidConflict(uid, named, is_card=collection.tag == ADDRESS_BOOK)


def _name_for(session: Session, collection: Collection, judged: Judged) -> str:
    uid = judged.facts.uid
    if uid is None:
        return secrets.token_hex(16) + SUFFIXES[collection.tag]
    holder = session.store.holder_of_uid(collection.folder, uid)
    if holder is not None:
        return holder
    name = (uid if PLAIN_UID.fullmatch(uid) and not uid.startswith(".") else secrets.token_hex(16)) + SUFFIXES[
        collection.tag
    ]
    taken = session.store.find_member(collection.folder, name) is not None
    return secrets.token_hex(16) + SUFFIXES[collection.tag] if taken else name


def _transfer(
    session: Session, item: Item, target: Collection, name: str, overwrite: bool, check: Check, *, keep: bool
) -> bool:
    path = join(target.path, name)
    if path == item.path:
        raise PlaceRefused(path, "the destination is the resource itself")
    require_name(name, longest_bytes=session.store.settings.limits.name_bytes)
    _require_items_fit(target)
    source = item.collection
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
        same = source.place == target.place and not keep
        _require_free_uid(session, target, name, member.uid, present, member.name if same else "")
        by, over = session.principal.name, present is not None
        creator = _creator_after(session, path, present, item.path if same else None)
        if keep:
            tx.copy(source.place, member.name, target.place, name, creator=creator, over=over, by=by)
        else:
            kept = {**tx.state(source.place).all(member.name)}
            kept.pop("creator", None)
            if creator is not None:
                kept["creator"] = creator
            tx.move(source.place, member.name, target.place, name, over=over, by=by, kept=kept)
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
