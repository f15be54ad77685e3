"""Synchronisation by token (RFC 6578), and ctags."""

from __future__ import annotations

import base64
import zlib

import pytest

from davserver.dav.names import CALDAV, CALSERVER, CARDDAV, DAV
from tests.harness import Dav, Reply, Server
from tests.pim.samples import card, event, sync

CUT = "<D:limit><D:nresults>2</D:nresults></D:limit>"


def token_of(reply: Reply) -> str:
    """The sync token of an answer."""
    return reply.xml.findtext(DAV.sync_token) or ""


@pytest.mark.rfc("6578", "3.2")
@pytest.mark.parametrize("depth", ["0", "1", None])
def test_a_client_learns_what_changed_and_what_went(mine: Dav, calendar: str, depth: str | None) -> None:
    for name in ("a", "b"):
        mine.put(f"{calendar}{name}.ics", event(name))
    first = mine.report(calendar, sync(), depth=depth)
    assert set(first.multistatus()) == {calendar + "a.ics", calendar + "b.ics"}
    mine.put(calendar + "c.ics", event("c"))
    mine.put(calendar + "a.ics", event("a", "Changed"))
    mine.delete(calendar + "b.ics")
    second = mine.report(calendar, sync(token_of(first)), depth=depth)
    rows = second.multistatus()
    assert {href: row.status for href, row in rows.items()} == {
        calendar + "a.ics": None,
        calendar + "b.ics": 404,
        calendar + "c.ics": None,
    }
    assert mine.report(calendar, sync(token_of(second)), depth=depth).multistatus() == {}


def test_the_token_is_the_same_in_propfind_ctag_and_report(mine: Dav, calendar: str) -> None:
    mine.put(calendar + "a.ics", event())
    row = mine.propfind(calendar, DAV.sync_token, CALSERVER.getctag).multistatus()[calendar]
    token = token_of(mine.report(calendar, sync()))
    assert row.text(DAV.sync_token) == row.text(CALSERVER.getctag) == token
    assert token.startswith("urn:")
    mine.put(calendar + "a.ics", event(summary="Changed"))
    assert mine.propfind(calendar, CALSERVER.getctag).multistatus()[calendar].text(CALSERVER.getctag) != token


@pytest.mark.rfc("6578", "3.2")
@pytest.mark.parametrize("token", ["x", "urn:davserver:sync:a:b:1", "urn:davserver:sync:::", "?after=a"])
def test_a_token_of_another_time_or_place_is_refused_by_name(mine: Dav, calendar: str, token: str) -> None:
    reply = mine.report(calendar, sync(token))
    assert (reply.status, reply.condition) == (403, DAV.valid_sync_token)


def test_a_token_of_another_collection_or_ahead_of_time_is_refused(mine: Dav, calendar: str, book: str) -> None:
    token = token_of(mine.report(calendar, sync()))
    assert mine.report(book, sync(token)).condition == DAV.valid_sync_token
    ahead = token.rpartition(":")[0] + ":999"
    assert mine.report(calendar, sync(ahead)).condition == DAV.valid_sync_token


@pytest.mark.rfc("6578", "3.6")
def test_a_long_list_is_cut_and_goes_on_with_the_new_token(mine: Dav, calendar: str) -> None:
    names = {f"{calendar}{number}.ics" for number in range(5)}
    for name in names:
        mine.put(name, event(name.replace("/", "-")))
    seen: set[str] = set()
    token, cuts = "", 0
    for _ in range(5):
        reply = mine.report(calendar, sync(token, more=CUT))
        rows = reply.multistatus()
        token = token_of(reply)
        cuts += calendar in rows
        assert calendar not in rows or rows[calendar].status == 507
        assert len(set(rows) - {calendar}) <= 2
        seen |= set(rows) - {calendar}
        if calendar not in rows:
            break
        mine.put(calendar + "0.ics", event(f"{calendar}0.ics".replace("/", "-"), f"Changed {cuts}"))
    assert seen == names
    assert mine.report(calendar, sync(token)).multistatus() == {}


@pytest.mark.rfc("6578", "3.6")
def test_a_long_list_of_changes_is_cut_where_a_change_ends(mine: Dav, calendar: str) -> None:
    token = token_of(mine.report(calendar, sync()))
    for number in range(3):
        mine.put(f"{calendar}{number}.ics", event(str(number)))
    first = mine.report(calendar, sync(token, more=CUT))
    assert first.multistatus()[calendar].status == 507
    rest = mine.report(calendar, sync(token_of(first), more=CUT))
    assert list(rest.multistatus()) == [calendar + "2.ics"]


def test_cards_come_with_the_synchronisation_in_one_go(mine: Dav, book: str) -> None:
    mine.put(book + "a", card())
    rows = mine.report(book, sync(props="<D:getetag/><CR:address-data/>"), depth="1").multistatus()
    assert rows[book + "a"].text(CARDDAV.address_data) == card()


def test_items_say_that_they_are_calendar_objects(mine: Dav, calendar: str) -> None:
    mine.put(calendar + "no-suffix", event())
    rows = mine.report(calendar, sync(props="<D:getcontenttype/><D:getetag/>"), depth="1").multistatus()
    assert (rows[calendar + "no-suffix"].text(DAV.getcontenttype) or "").startswith("text/calendar")


HOME = "/dav/alice/"
HOME_TOKEN = "urn:davserver:sync:home:"


def packed(text: str) -> str:
    """A text in the form that a home's token has."""
    return base64.urlsafe_b64encode(zlib.compress(text.encode())).decode()


@pytest.mark.rfc("6578", "3.5")
def test_a_home_tells_which_collections_came_changed_and_went(club: Server) -> None:
    alice = club.client("alice")
    first = alice.report(HOME, sync(props="<D:resourcetype/><D:sync-token/>"))
    assert set(first.multistatus()) == {f"{HOME}{name}/" for name in ("calendar", "contacts", "tasks", "van~calendar")}
    assert alice.report(HOME, sync(token_of(first))).multistatus() == {}
    alice.put(HOME + "calendar/a.ics", event())
    alice.mkcalendar(HOME + "new/")
    alice.delete(HOME + "tasks/")
    alice.proppatch(HOME + "contacts/", {DAV.displayname: "People"})
    second = alice.report(HOME, sync(token_of(first), "<D:sync-token/>"))
    rows = second.multistatus()
    assert {href: row.status for href, row in rows.items()} == {
        HOME + "calendar/": None,
        HOME + "contacts/": None,
        HOME + "new/": None,
        HOME + "tasks/": 404,
    }
    calendar = alice.propfind(HOME + "calendar/", DAV.sync_token).multistatus()[HOME + "calendar/"]
    assert rows[HOME + "calendar/"].text(DAV.sync_token) == calendar.text(DAV.sync_token)
    assert token_of(second) == alice.propfind(HOME, DAV.sync_token).multistatus()[HOME].text(DAV.sync_token)
    assert alice.report(HOME, sync(token_of(second))).multistatus() == {}


@pytest.mark.rfc("6578", "3.6")
def test_a_home_is_told_page_by_page(club: Server) -> None:
    alice = club.client("alice")
    first = alice.report(HOME, sync(more=CUT))
    assert [row.status for row in first.multistatus().values()] == [None, None, 507]
    rest = alice.report(HOME, sync(token_of(first), more=CUT))
    assert set(rest.multistatus()) == {HOME + "tasks/", HOME + "van~calendar/"}
    assert alice.report(HOME, sync(token_of(rest), more=CUT)).multistatus() == {}


@pytest.mark.rfc("6578", "3.5.2")
def test_what_is_shared_no_longer_goes_from_a_home_and_what_never_was_is_not_named(club: Server) -> None:
    alice, bob = club.client("alice"), club.client("bob")
    rules = "/files/Collections/alice/calendar/access.toml"
    shown = "/dav/bob/alice~calendar/"
    alice.propfind(HOME)  # made when it is used first
    token = token_of(bob.report("/dav/bob/", sync()))
    assert bob.report("/dav/bob/", sync(token)).multistatus() == {}
    assert alice.put(rules, '[[rule]]\nwho = ["bob"]\nmay = ["read"]\n').status == 201
    shared = bob.report("/dav/bob/", sync(token))
    assert set(shared.multistatus()) == {shown}
    assert alice.delete(rules).status == 204
    assert {
        href: row.status for href, row in bob.report("/dav/bob/", sync(token_of(shared))).multistatus().items()
    } == {shown: 404}
    assert bob.report("/dav/bob/", sync(token)).multistatus() == {}


@pytest.mark.rfc("6578", "3.3")
def test_collections_of_a_home_say_once_that_each_is_synchronised_by_itself(club: Server) -> None:
    alice = club.client("alice")
    first = alice.report(HOME, sync(level="infinite"))
    rows = first.multistatus()
    assert len(rows) == 4
    assert {(row.status, row.condition) for row in rows.values()} == {(403, DAV.sync_traversal_supported)}
    alice.put(HOME + "calendar/a.ics", event())
    alice.delete(HOME + "tasks/")
    rows = alice.report(HOME, sync(token_of(first), level="infinite")).multistatus()
    assert {href: row.status for href, row in rows.items()} == {HOME + "tasks/": 404}


@pytest.mark.rfc("6578", "3.3")
def test_a_folder_of_a_home_that_is_not_synchronised_says_so(club: Server) -> None:
    alice = club.client("alice")
    assert alice.mkcol(HOME + "plain/").status == 201
    row = alice.report(HOME, sync(level="infinite")).multistatus()[HOME + "plain/"]
    assert (row.status, row.condition) == (403, DAV.supported_report)
    reply = alice.report(HOME + "plain/", sync())
    assert (reply.status, reply.condition) == (403, DAV.supported_report)


def test_a_home_token_outlives_the_index(club: Server) -> None:
    alice = club.client("alice")
    token = token_of(alice.report(HOME, sync()))
    alice.delete(HOME + "tasks/")
    club.stop()
    for file in club.data.glob("index.sqlite*"):
        file.unlink()
    club.start()
    assert alice.report(HOME, sync(token)).multistatus()[HOME + "tasks/"].status == 404


@pytest.mark.rfc("6578", "3.2")
@pytest.mark.parametrize(
    "token",
    [
        "x",
        "urn:x:y",
        HOME_TOKEN,
        HOME_TOKEN + "eJw",
        HOME_TOKEN + packed("[" * 100_000),
        HOME_TOKEN + packed('["/dav/alice", {"half a character: \\ud800": "0"}]'),
    ],
)
def test_a_home_refuses_what_is_no_token_of_its_own(club: Server, token: str) -> None:
    reply = club.client("alice").report(HOME, sync(token))
    assert (reply.status, reply.condition) == (403, DAV.valid_sync_token)
    other = token_of(club.client("bob").report("/dav/bob/", sync()))
    assert club.client("alice").report(HOME, sync(other)).condition == DAV.valid_sync_token


@pytest.mark.rfc("6578", "5")
def test_a_write_can_be_bound_to_the_state_of_a_collection(mine: Dav, calendar: str) -> None:
    token = token_of(mine.report(calendar, sync()))
    bound = {"If": f"<{calendar}> (<{token}>)"}
    assert mine.put(calendar + "a.ics", event("a"), bound).status == 201
    assert mine.put(calendar + "b.ics", event("b"), bound).status == 412
    assert mine.get(calendar + "b.ics").status == 404


@pytest.mark.rfc("6578", "3.2")
def test_depth_is_no_level_where_there_is_one(mine: Dav, calendar: str) -> None:
    assert mine.report(calendar, sync(), depth="infinity").status == 400


def test_a_token_from_before_a_lost_index_is_refused_and_a_full_list_is_right(club: Server) -> None:
    alice = club.client("alice")
    calendar = "/dav/alice/calendar/"
    alice.put(calendar + "a.ics", event())
    token = token_of(alice.report(calendar, sync()))
    club.stop()
    for file in club.data.glob("index.sqlite*"):
        file.unlink()
    (club.data / "collections/collection-root/alice/calendar/b.ics").write_text(event("b"))
    club.start()
    assert alice.report(calendar, sync(token)).condition == DAV.valid_sync_token
    assert set(alice.report(calendar, sync()).multistatus()) == {calendar + "a.ics", calendar + "b.ics"}


def test_what_was_edited_behind_the_server_is_told_by_the_next_synchronisation(club: Server) -> None:
    alice = club.client("alice")
    calendar = "/dav/alice/calendar/"
    alice.put(calendar + "a.ics", event())
    token = token_of(alice.report(calendar, sync()))
    (club.data / "collections/collection-root/alice/calendar/b.ics").write_text(event("b"))
    rows = alice.report(calendar, sync(token, "<D:getetag/><C:calendar-data/>")).multistatus()
    assert rows[calendar + "b.ics"].text(CALDAV.calendar_data) == event("b")


def test_a_synchronisation_that_says_nothing_of_a_token_is_bad(mine: Dav, calendar: str) -> None:
    assert mine.report(calendar, '<D:sync-collection xmlns:D="DAV:"><D:prop/></D:sync-collection>').status == 400
    assert mine.report(calendar, sync(more="<D:limit><D:nresults>0</D:nresults></D:limit>")).status == 400
