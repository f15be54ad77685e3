"""
Subscribed calendars: kept collections whose items come from a calendar elsewhere (``CS:source``).

What a fetch brought is laid over what is there: equal items stay as they are, also where only their DTSTAMP differs,
which some servers set anew for each download; phones would load everything with every refresh.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from auth.acl import Action
from storage.collection import CALENDAR, COMPONENT_KEY, SOURCE_KEY, Collection, Home, read_props
from storage.contentlines import Malformed, logical_lines, mend, parse_line
from storage.errors import ItemRefused, NotFound, PlaceRefused
from storage.icalendar import read_facts
from storage.itemstream import split_collection
from storage.itemvalues import parse_duration
from storage.kept import kept_by, replace_items, set_meta
from storage.paths import parent_of, path_of
from storage.pim import ROOT_PLACE
from storage.pim_collections import Changes, make_collection
from storage.records import Member, etag_of

if TYPE_CHECKING:
    from storage.session import Session
    from storage.store import Store

KEEPER = "subscription"
FEED_KEY = "feed"  # in the state of the collection: what is known of the calendar elsewhere
LONGEST_HEAD = 64 << 10
_STAMP = re.compile(rb"^DTSTAMP[;:][^\n]*\n(?:[ \t][^\n]*\n)*", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Feed:
    """
    What is known of a calendar elsewhere; stands in the state of the collection.

    Attributes:
        url: from where it came; another source begins anew.
        etag, modified: its validators.
        checked_s: Unix time of the last attempt, 0 before the first.
        interval_s: how often it wants to be asked, 0 where it does not say.
        failures: attempts in a row that failed.
        error: what the last one said.
    """

    url: str = ""
    etag: str = ""
    modified: str = ""
    checked_s: int = 0
    interval_s: int = 0
    failures: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscribed calendar: where it lies, where it comes from, and what is known of that."""

    place: str
    source: str
    feed: Feed


def make_subscription(session: Session, path: str, source: str, changes: Changes, *, most: int) -> Collection:
    """
    Make a subscribed calendar, empty until its first refresh.

    Args:
        most: subscriptions that one home may hold.

    Raises:
        PlaceRefused: the home has as many; and what ``make_collection`` raises.
    """
    home = session.pim.find(parent_of(path))
    if isinstance(home, Home) and home.folder is not None:
        session.access.require_on_found(Action.CREATE, home.path)
        held = sum(kept_by(session.store, folder.place) == KEEPER for folder in session.store.folders(home.folder))
        if held >= most:
            raise PlaceRefused(path, f"{most} subscribed calendars are the most that one home may hold")
    changes.meta[SOURCE_KEY] = source
    return make_collection(session, path, CALENDAR, changes, keeper=KEEPER)


def find_subscriptions(store: Store) -> Iterator[Subscription]:
    """Every subscribed calendar."""
    root = store.find_folder(ROOT_PLACE)
    for home in store.folders(root) if root is not None else ():
        for folder in store.folders(home):
            found = find_subscription(store, folder.place)
            if found is not None:
                yield found


def find_subscription(store: Store, place: str) -> Subscription | None:
    """The subscribed calendar at a place, or None."""
    if kept_by(store, place) != KEEPER:
        return None
    source = read_props(store.directory(place)).get(SOURCE_KEY, "")
    feed = _feed_of(store.state(place).get("", FEED_KEY))
    return Subscription(place, source, feed if feed.url == source else Feed(source))


def _feed_of(kept: Any) -> Feed:
    if not isinstance(kept, dict):
        return Feed()
    try:
        return Feed(**kept)
    except TypeError:  # of another version
        return Feed()


def take_over(store: Store, subscription: Subscription, data: bytes, feed: Feed, *, most: int) -> None:
    """
    Make a subscribed calendar hold what came, and keep what is known of its source.

    Args:
        most: items that it may hold.

    Raises:
        ItemRefused: it is no calendar, or has more items; what was there stays.
        NotFound: the subscribed calendar is gone.
    """
    place = subscription.place
    items = split_collection(data, CALENDAR)
    if not data.strip():
        raise ItemRefused("valid-calendar-data", "an empty document came in place of a calendar")
    if len(items) > most:
        raise ItemRefused("max-resource-size", f"it has {len(items)} items; {most} are the most")
    props = read_props(store.directory(place))
    components = props.get(COMPONENT_KEY)
    wanted: dict[str, bytes] = {}
    for item in items:
        facts = read_facts(item)
        if components is None or facts.component in components.split(","):
            wanted[f"{hashlib.sha256((facts.uid or '').encode()).hexdigest()[:32]}.ics"] = item
    keep_feed(store, place, replace(feed, etag="", modified=""))  # killed from here on, the next fetch brings it all
    replace_items(store, place, dict(_with_old_stamps(store, place, wanted)))
    head = dict(_head(data))
    name = head.get("NAME") or head.get("X-WR-CALNAME")
    if name and "D:displayname" not in props:
        set_meta(store, place, {"D:displayname": name})
    keep_feed(store, place, replace(feed, interval_s=_interval(head)))


def keep_feed(store: Store, place: str, feed: Feed) -> None:
    """Keep what is known of a source. Raises NotFound."""
    if store.find_folder(place) is None:
        raise NotFound(path_of(place))
    known = {name: getattr(feed, name) for name in Feed.__slots__}
    with store.write(place) as tx:
        tx.set_state(place, "", FEED_KEY, known)


def _with_old_stamps(store: Store, place: str, wanted: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """The items that came, by name; of one that differs in nothing but its DTSTAMP the bytes that are there."""
    folder = store.find_folder(place)
    present = {} if folder is None else {member.name: member for member in store.members(folder)}
    rows: list[Member] = []
    for name, data in wanted.items():
        row = present.get(name)
        if row is None or row.etag == etag_of(hashlib.sha256(data).hexdigest()):
            yield name, data
        else:
            rows.append(row)
    if folder is None:
        return
    for row, read in zip(rows, store.read_members(folder, rows), strict=True):
        fresh, old = mend(wanted[row.name]), b"" if read is None else read[1]
        yield row.name, old if _STAMP.sub(b"", fresh) == _STAMP.sub(b"", old) else fresh


def _head(data: bytes) -> Iterator[tuple[str, str]]:
    """The properties of the calendar itself that stand before its first component, by name, as texts."""
    for _, _, line in logical_lines(mend(data[:LONGEST_HEAD])):
        try:
            parsed = parse_line(line, 0, 0, longest_head=LONGEST_HEAD)
        except Malformed:
            continue
        if parsed.name == "BEGIN" and parsed.value.upper() != CALENDAR:
            return
        yield parsed.name, parsed.text


def _interval(head: Mapping[str, str]) -> int:
    """How often a calendar wants to be asked (RFC 7986 §5.7, and Microsoft's word for it), in seconds; 0 is unsaid."""
    for name in ("REFRESH-INTERVAL", "X-PUBLISHED-TTL"):
        try:
            return max(0, parse_duration(head.get(name, "")))
        except ValueError:
            continue
    return 0
