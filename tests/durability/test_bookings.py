"""A change to the bookings of a resource, killed at each step: no double booking is left without its mark."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.collection import Collection
from storage.pim_collections import Changes, make_collection
from storage.pim_items import put_item
from storage.session import Session
from storage.store import Store
from tests.durability.steps import BOOKINGS, booking, booking_store, crash_at_every_step
from tests.pim.bookings import marks

HOURS = {"b": (10, 12), "c": (11, 13), "d": (10, 11)}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A van that b and c have booked for the same time, c with the mark, and d in the calendar of a group."""
    folder = tmp_path / "template" / "data"
    folder.parent.mkdir()
    store = booking_store(folder)
    session = Session.of_administrator(store)
    for path in ("/dav/van/calendar", "/dav/sport/calendar"):
        made = make_collection(session, path, "VCALENDAR", Changes({}))
        for uid, (start, end) in HOURS.items():
            if (uid == "d") == ("sport" in path):
                put_item(session, made, f"{uid}.ics", booking(uid, f"{start}-{end}"), lambda etag: None)
    store.close()
    return folder


def booked(store: Store) -> dict[str, str]:
    """What stands in the calendar of the van."""
    session = Session.of_administrator(store)
    van = session.pim.get("/dav/van/calendar")
    assert isinstance(van, Collection)
    names = (member.name for member in store.members(van.folder))
    return {name: store.read_member(van.folder, name)[0].decode() for name in names}


def takes(text: str) -> tuple[str, str]:
    """When a booking begins and ends."""
    start, end = (text.partition(f"{name}:")[2][:15] for name in ("DTSTART", "DTEND"))
    return start, end


@pytest.mark.parametrize("action", BOOKINGS)
def test_no_double_booking_is_left_without_mark_wherever_the_server_is_killed(
    data: Path, tmp_path: Path, action: str
) -> None:
    assert crash_at_every_step(action, data, tmp_path / "copies") > 5
    for copy in sorted((tmp_path / "copies").iterdir()):
        store = booking_store(copy / "data")
        texts = booked(store)
        store.close()
        plain = [takes(text) for text in texts.values() if not marks(text)]
        assert len(plain) >= 1, copy
        for place, (start, end) in enumerate(plain):
            others = plain[:place] + plain[place + 1 :]
            assert all(end <= other[0] or other[1] <= start for other in others), (copy.name, texts)
