"""
Kept collections: calendars and address books whose items the server itself writes.

One is an ordinary folder in Radicale's layout, so index, queries, tokens and reads know no difference. Its state says
what keeps it; by that the one decision about rights (``auth.acl``) lets nobody else write into it. Its items can be
made again at any time, so what they were goes to no trash.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from storage.collection import ADDRESS_BOOK, CALENDAR, KEPT_KEY, PROPS_FILE, dump_props, read_props
from storage.errors import ItemRefused, NotFound
from storage.icalendar import Judged, judge
from storage.identity import ID_KEY, new_id
from storage.imports import Target, staged
from storage.paths import path_of
from storage.pim import ROOT_PLACE
from storage.pim_collections import write_props
from storage.records import Folder, Member, etag_of

if TYPE_CHECKING:
    from storage.store import Store

MOST_DROPPED_AT_ONCE = 100  # items that are removed before others have their turn

log = logging.getLogger("davserver.kept")


def kept_by(store: Store, place: str) -> str | None:
    """What keeps a collection (``subscription``, ``birthdays`` …), or None where people write into it."""
    keeper = store.state(place).get("", KEPT_KEY)
    return keeper if isinstance(keeper, str) else None


def make_kept(
    store: Store,
    place: str,
    keeper: str,
    tag: str,
    meta: Mapping[str, str],
    *,
    owner: str | None = None,
    files: Mapping[str, bytes] | None = None,
) -> Folder:
    """
    Make an empty kept collection, and the home above it where there is none yet.

    Args:
        keeper: the word by which ``kept_by`` tells what fills it.
        tag: ``VCALENDAR`` or ``VADDRESSBOOK``.
        meta: its properties under Radicale's keys.
        files: the server's own files that come with it, such as its rules.

    Raises:
        AlreadyExists: something stands there.
    """
    home = place.rpartition("/")[0]
    with store.write(ROOT_PLACE, home) as tx:
        if tx.find_folder(home) is None:
            tx.make_folder(home, state={ID_KEY: new_id()})
        folder = tx.make_folder(
            place,
            owner=owner,
            state={KEPT_KEY: keeper, ID_KEY: new_id()},
            files={PROPS_FILE: dump_props({**meta, "tag": tag}), **(files or {})},
        )
        tx.rules_changed(place)
        return folder


def set_meta(store: Store, place: str, changes: Mapping[str, str]) -> None:
    """Set properties of a kept collection under Radicale's keys; nothing is written where all are so already."""
    with store.write(place) as tx:
        present = read_props(store.directory(place))
        merged = {**present, **changes}
        if merged != present:
            write_props(store, tx, place, merged)


def replace_items(store: Store, place: str, wanted: Mapping[str, bytes]) -> bool:
    """
    Make a kept collection hold exactly these items; whether anything changed.

    Equal items are not touched, so their ETags stay and a sync tells of the others only. An item that no collection
    could store is left out, with a line in the log.

    Args:
        wanted: the bytes of each item by its name, which ends in ``.ics`` or ``.vcf``.

    Raises:
        NotFound: the collection is gone.
    """
    folder = store.find_folder(place)
    if folder is None:
        raise NotFound(path_of(place))
    present = {member.name: member for member in store.members(folder)}
    judged = dict(_judge_changed(store, place, wanted, present))
    changed = {
        name: item for name, item in judged.items() if name not in present or present[name].etag != _etag(item.data)
    }
    refused = {name for name in wanted if name not in judged and not _is_equal(wanted[name], present.get(name))}
    gone = sorted((present.keys() - wanted.keys()) | (refused & present.keys()))
    _drop(store, place, gone)  # first, so that an item may come back under another name
    _store(store, place, changed)
    return bool(gone or changed)


def _judge_changed(
    store: Store, place: str, wanted: Mapping[str, bytes], present: Mapping[str, Member]
) -> Iterable[tuple[str, Judged]]:
    """The items that are not there byte for byte already and can be stored, by name."""
    limits, tag = store.settings.limits, read_props(store.directory(place)).get("tag", CALENDAR)
    most = limits.card_bytes if tag == ADDRESS_BOOK else limits.calendar_item_bytes
    uids: set[str | None] = set()
    for name, data in wanted.items():
        if _is_equal(data, present.get(name)):
            uids.add(present[name].uid)
            continue
        try:
            item = judge(data, tag, max_bytes=most, max_line_bytes=limits.content_line_bytes)
        except ItemRefused as error:
            log.warning("%s/%s is left out: %s", place, name, error)
            continue
        if item.facts.uid is not None and item.facts.uid in uids:
            log.warning("%s/%s is left out: another item has its UID", place, name)
            continue
        uids.add(item.facts.uid)
        yield name, item


def _is_equal(data: bytes, member: Member | None) -> bool:
    return member is not None and member.etag == _etag(data)


def _etag(data: bytes) -> str:
    return etag_of(hashlib.sha256(data).hexdigest())


def _drop(store: Store, place: str, names: list[str]) -> None:
    for first in range(0, len(names), MOST_DROPPED_AT_ONCE):
        with store.write(place) as tx:
            for name in names[first : first + MOST_DROPPED_AT_ONCE]:
                if tx.find_member(place, name) is not None:
                    tx.drop(place, name)


def _store(store: Store, place: str, items: Mapping[str, Judged]) -> None:
    if not items:
        return
    with staged(store, items.values()) as prepared:
        with store.import_into(place) as folder:
            targets = [
                Target(item, name, store.find_member(folder, name), ())
                for item, name in zip(prepared.items, items, strict=True)
            ]
            prepared.commit(place, targets)
        prepared.finish(place, targets)
