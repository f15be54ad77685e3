"""Collections whose items the server writes: equal items stay, others follow, and nothing else is lost on the way."""

from __future__ import annotations

import pytest

from storage.errors import NotFound
from storage.kept import kept_by, make_kept, replace_items, set_meta
from tests.storage.conftest import Shelf

PLACE = "collections/collection-root/alice/matches"


def event(uid: str, summary: str = "Match") -> bytes:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", "BEGIN:VEVENT", f"UID:{uid}"]
    lines += ["DTSTAMP:20260101T000000Z", "DTSTART:20260301T180000Z", f"SUMMARY:{summary}", "END:VEVENT"]
    return ("\r\n".join([*lines, "END:VCALENDAR"]) + "\r\n").encode()


@pytest.fixture
def kept(shelf: Shelf) -> Shelf:
    make_kept(shelf.store, PLACE, "subscription", "VCALENDAR", {"D:displayname": "Matches"}, owner="alice")
    return shelf


def test_what_keeps_a_collection_is_known_after_a_restart(kept: Shelf) -> None:
    assert kept_by(kept.store, PLACE) == "subscription"
    kept.restart()
    assert kept_by(kept.store, PLACE) == "subscription"
    assert kept_by(kept.store, "collections/collection-root/alice") is None


def test_a_kept_collection_holds_exactly_what_is_wanted(kept: Shelf) -> None:
    assert replace_items(kept.store, PLACE, {"a.ics": event("a"), "b.ics": event("b")})
    assert replace_items(kept.store, PLACE, {"b.ics": event("b", "Final"), "c.ics": event("c")})
    assert kept.names(PLACE) == ["b.ics", "c.ics"]
    assert kept.read(PLACE, "b.ics")[0] == event("b", "Final")
    kept.restart()
    assert kept.names(PLACE) == ["b.ics", "c.ics"]


def test_a_sync_tells_of_what_differs_and_of_nothing_else(kept: Shelf) -> None:
    replace_items(kept.store, PLACE, {"a.ics": event("a"), "b.ics": event("b"), "c.ics": event("c")})
    token = kept.token(PLACE)
    replace_items(kept.store, PLACE, {"a.ics": event("a"), "b.ics": event("b", "Final")})
    assert kept.changes(PLACE, token) == {"b.ics", "c.ics"}


def test_equal_items_change_nothing(kept: Shelf) -> None:
    wanted = {"a.ics": event("a")}
    replace_items(kept.store, PLACE, wanted)
    token = kept.token(PLACE)
    assert not replace_items(kept.store, PLACE, wanted)
    assert kept.token(PLACE) == token


def test_an_item_comes_back_under_another_name(kept: Shelf) -> None:
    replace_items(kept.store, PLACE, {"a.ics": event("a")})
    replace_items(kept.store, PLACE, {"other.ics": event("a")})
    assert kept.names(PLACE) == ["other.ics"]


def test_what_cannot_be_stored_is_left_out_and_the_rest_comes(kept: Shelf) -> None:
    replace_items(kept.store, PLACE, {"a.ics": event("a"), "b.ics": event("b")})
    twice = {"c.ics": event("c"), "d.ics": event("c")}
    replace_items(kept.store, PLACE, {"a.ics": b"<html>", "b.ics": event("b"), **twice})
    assert kept.names(PLACE) == ["b.ics", "c.ics"]


def test_what_is_dropped_goes_to_no_trash(kept: Shelf) -> None:
    replace_items(kept.store, PLACE, {"a.ics": event("a")})
    replace_items(kept.store, PLACE, {})
    assert kept.names(PLACE) == []
    assert not list((kept.data / "trash").iterdir())


def test_many_items_are_dropped_and_stored(kept: Shelf) -> None:
    replace_items(kept.store, PLACE, {f"{n}.ics": event(str(n)) for n in range(250)})
    replace_items(kept.store, PLACE, {f"{n}.ics": event(str(n)) for n in range(200, 300)})
    assert len(kept.names(PLACE)) == 100


def test_properties_are_written_where_they_differ(kept: Shelf) -> None:
    token = kept.token(PLACE)
    set_meta(kept.store, PLACE, {"D:displayname": "Matches"})
    assert kept.token(PLACE) == token
    set_meta(kept.store, PLACE, {"D:displayname": "Cup"})
    assert b"Cup" in (kept.data / PLACE / ".Radicale.props").read_bytes()


def test_a_collection_that_went_is_not_made_again(kept: Shelf) -> None:
    with kept.store.write(tree=True) as tx:
        tx.remove_folder(PLACE, by="alice")
    with pytest.raises(NotFound):
        replace_items(kept.store, PLACE, {"a.ics": event("a")})
