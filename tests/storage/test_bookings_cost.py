"""What a booking costs does not grow with what was booked before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from auth.directory import Directory
from config.schema import Accounts, Settings, Storage
from storage import bookingtimes
from storage.collection import Collection
from storage.pim_items import put_item
from storage.records import Content, Folder, Member
from storage.session import Session
from storage.store import Store
from tests.pim.bookings import MARK
from tests.pim.samples import event

PLACE = "collections/collection-root/van/calendar"
PAST = 5000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A van with thousands of bookings that are over, an hour each, and one of tomorrow's day on its own clock."""
    (tmp_path / "groups.toml").write_text("[resource.van]\n")
    folder = tmp_path / "data" / PLACE
    folder.mkdir(parents=True)
    (folder / ".Radicale.props").write_text('{"tag": "VCALENDAR"}')
    for number in range(PAST):
        at = datetime(2025, 1, 1) + timedelta(hours=2 * number)  # noqa: DTZ001 - a clock
        dates = at.strftime("DTSTART:%Y%m%dT%H%M%S") + ("" if number % 3 else "Z"), "DURATION:PT1H"
        (folder / f"{number}.ics").write_text(event(f"u{number}", "Trip", *dates), newline="")
    (folder / "day.ics").write_text(event("day", "Day", "DTSTART;VALUE=DATE:20400105"), newline="")
    accounts = Accounts(tmp_path / "users.toml", None, tmp_path / "groups.toml", tmp_path / "access.toml")
    settings = Settings(storage=Storage(data=tmp_path / "data", durability="process"), accounts=accounts)
    store = Store(settings, directory=Directory(settings))
    yield store
    store.close()


def test_a_booking_reads_none_of_the_bookings_that_are_not_near_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: set[str] = set()
    contents, member = store.read_contents, store.read_member

    def watch(folder: Folder, members: Iterable[Member]) -> Iterator[tuple[Member, Content] | None]:
        some = list(members)
        read.update(each.name for each in some)
        return contents(folder, some)

    def watch_one(folder: Folder, name: str) -> tuple[bytes, Member]:
        read.add(name)
        return member(folder, name)

    session = Session.of_administrator(store)
    van = session.pim.get("/dav/van/calendar")
    assert isinstance(van, Collection)
    monkeypatch.setattr(store, "read_contents", watch)
    monkeypatch.setattr(store, "read_member", watch_one)
    booked = {
        "free.ics": event("free", "Trip", start="20400101T100000Z"),
        "taken.ics": event("taken", "Trip", start="20400105T100000Z"),
        "daily.ics": event("daily", "Trip", "DTSTART:20400201T100000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY"),
    }
    for name, text in booked.items():
        put_item(session, van, name, text.encode(), lambda etag: None)
    assert read == {"day.ics"}
    monkeypatch.undo()
    texts = {name: store.read_member(van.folder, name)[0].decode() for name in booked}
    assert {name for name, text in texts.items() if MARK in text} == {"taken.ics"}


def test_bookings_of_every_minute_cost_a_booking_no_more_than_can_be_followed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, followed, follow = Session.of_administrator(store), [0], bookingtimes.occurrences
    van = session.pim.get("/dav/van/calendar")
    assert isinstance(van, Collection)

    def count(*arguments: Any) -> Iterator[Any]:
        for found in follow(*arguments):
            followed[0] += 1
            yield found

    monkeypatch.setattr(bookingtimes, "MOST_FOLLOWED", 6000)
    monkeypatch.setattr(bookingtimes, "MOST_INSTANCES", 50)
    monkeypatch.setattr(bookingtimes, "occurrences", count)
    minutes = "DTSTART:20400101T000000", "DURATION:PT30S", "RRULE:FREQ=MINUTELY"
    for number in range(12):
        followed[0] = 0
        put_item(session, van, f"m{number}.ics", event(f"m{number}", "x", *minutes).encode(), lambda etag: None)
        assert followed[0] < 2 * 6000 + 5 * 1490  # what is followed begins a day before its range
    texts = [store.read_member(van.folder, f"m{number}.ics")[0].decode() for number in range(12)]
    assert [MARK in text for text in texts] == [False] + 11 * [True]
