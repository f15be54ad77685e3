"""
Bringing a file of many items into a collection on the administrator's word: judged one by one, then stored together.

What a PUT of the file on the collection's URL does, with a report instead of the first refusal, and without asking for
rights: whoever can run it can write the files themselves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from auth.principal import ANONYMOUS, Principal
from storage.calendarnames import read_names
from storage.collection import ADDRESS_BOOK, CALENDAR, COMPONENTS, Collection, Home
from storage.contentlines import Malformed, logical_lines, unescape
from storage.errors import ItemRefused, PlaceRefused
from storage.icalendar import Judged
from storage.itemstream import Part, kind_of, split_parts
from storage.paths import DAV, name_of, parent_of
from storage.pim_collections import Changes, make_collection
from storage.pim_items import import_items, judge_stream
from storage.records import etag_of
from storage.session import Session
from storage.store import Store

Tell = Callable[[str, int, int], None]  # what is being done, how much of it is done, how much there is
SHOWN_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Order:
    """
    What is wanted of an import.

    Attributes:
        to: the collection, ``/dav/alice/work`` or ``alice/work``.
        create: make the collection if there is none, a calendar or an address book by what the file holds.
        dry_run: only say what would be done.
        skip_refused: store the rest if some items cannot be stored; without it nothing is stored then.
    """

    to: str
    create: bool = False
    dry_run: bool = False
    skip_refused: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """
    An item that cannot be stored; the whole file where ``line`` is 0.

    Attributes:
        line: of the file, where the item begins.
        uid, summary: as far as they can be read; of a card its formatted name.
    """

    line: int
    uid: str
    summary: str
    reason: str


@dataclass(frozen=True, slots=True)
class Imported:
    """
    What was done, or with ``dry_run`` would be.

    Attributes:
        collection: its path.
        made: the collection is new.
        stored: whether anything was to be stored; False where something was refused and nothing skipped.
        added, updated, unchanged: items that are new, that are other than the one that had the UID, and that are not.
    """

    collection: str
    made: bool
    stored: bool
    added: int
    updated: int
    unchanged: int
    refused: tuple[Refusal, ...]


def import_file(store: Store, data: bytes, order: Order, tell: Tell) -> Imported:
    """
    Add and update the items of an ``.ics`` or ``.vcf`` by UID; none is removed.

    Args:
        tell: what it raises ends the import; nothing is stored then.

    Raises:
        StorageError: there is no such collection, or it cannot be made.
    """
    session = Session.of_administrator(store)
    path = session.pim.resolve(order.to if order.to.startswith("/") else f"{DAV}/{order.to}")
    target = _find_target(session, path, order)
    is_new = target is None
    tag, components = (kind_of(data), COMPONENTS) if target is None else (target.tag, target.components)
    judged, refused = _judge_all(session, data, tag, components, tell)
    stored = order.skip_refused or not refused
    changes, added = _changes(session, target, judged)
    if stored and not order.dry_run and (changes or is_new):
        if target is None:
            target = _make(store, path, tag, read_names(data) if tag == CALENDAR else {})
        import_items(session, target, _told(changes, tell))
    return Imported(
        path,
        made=is_new and stored,
        stored=stored,
        added=added,
        updated=len(changes) - added,
        unchanged=len(judged) - len(changes),
        refused=tuple(refused),
    )


def _told(changes: Sequence[Judged], tell: Tell) -> Iterator[Judged]:
    """The items, each told of once it is taken."""
    tell("storing", 0, len(changes))
    for number, item in enumerate(changes, 1):
        yield item
        tell("storing", number, len(changes))


def _find_target(session: Session, path: str, order: Order) -> Collection | None:
    """The collection, or None where it is to be made."""
    found = session.pim.find(path)
    if isinstance(found, Collection) and found.tag in (CALENDAR, ADDRESS_BOOK):
        return found
    if found is not None or path.count("/") != 3:
        raise PlaceRefused(path, "a calendar or address book is wanted, such as alice/work")
    if not isinstance(session.pim.find(parent_of(path)), Home):
        raise PlaceRefused(path, f"there is no member, group or resource {name_of(parent_of(path))!r}")
    if not order.create:
        raise PlaceRefused(path, "there is no such calendar or address book; --create makes it")
    return None


def _make(store: Store, path: str, tag: str, names: Mapping[str, str]) -> Collection:
    """A new collection, as its owner would have made it; called as the file calls itself."""
    owner = name_of(parent_of(path))
    is_member = store.accounts is not None and store.accounts.is_member(owner)
    principal = Principal(owner) if is_member else ANONYMOUS
    return make_collection(Session.of_administrator(store, principal), path, tag, Changes({**names}))


def _judge_all(
    session: Session, data: bytes, tag: str, components: Sequence[str], tell: Tell
) -> tuple[list[Judged], list[Refusal]]:
    try:
        parts = split_parts(data, tag)
    except ItemRefused as error:
        return [], [Refusal(0, "", "", str(error))]
    judged: list[Judged] = []
    refused: list[Refusal] = []
    lines: dict[str | None, int] = {}
    for number, part in enumerate(parts, 1):
        try:
            for item in judge_stream(session, part.data, tag, components):
                before = lines.setdefault(item.facts.uid, part.line)
                if before != part.line:
                    raise ItemRefused("no-uid-conflict", f"the item in line {before} has the same UID")
                judged.append(item)
        except ItemRefused as error:
            refused.append(_refusal(part, str(error)))
        tell("judged", number, len(parts))
    return judged, refused


def _refusal(part: Part, reason: str) -> Refusal:
    """What an administrator finds the item by."""
    found: dict[str, str] = {}
    try:
        for _, _, line in logical_lines(part.data):
            name, _, value = line.decode(errors="replace").partition(":")
            found.setdefault(name.partition(";")[0].upper(), unescape(value).strip()[:SHOWN_CHARACTERS])
    except Malformed:
        pass  # what stands before the break is shown
    return Refusal(part.line, found.get("UID", ""), found.get("SUMMARY") or found.get("FN", ""), reason)


def _changes(session: Session, target: Collection | None, judged: list[Judged]) -> tuple[list[Judged], int]:
    """The items that are not there yet as they are, and how many of these are new."""
    if target is None:
        return judged, len(judged)
    changes, added = [], 0
    for item in judged:
        uid = item.facts.uid
        holder = None if uid is None else session.store.holder_of_uid(target.folder, uid)
        member = None if holder is None else session.store.find_member(target.folder, holder)
        if member is None:
            added += 1
        elif member.etag == etag_of(hashlib.sha256(item.data).hexdigest()):
            continue
        changes.append(item)
    return changes, added
