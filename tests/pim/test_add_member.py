"""POST to a calendar or address book: an item whose name the server chooses (RFC 5995)."""

from __future__ import annotations

import pytest

from davserver.dav.names import CALDAV, CARDDAV, DAV
from tests.harness import Dav, Server, path_of
from tests.pim.samples import card, event, mkcalendar

ICS = {"Content-Type": "text/calendar; charset=utf-8"}


def add_member_of(client: Dav, path: str) -> str | None:
    """The Add-Member URI of a collection, or None."""
    row = client.propfind(path, DAV.add_member).multistatus()[path]
    return path_of(row.props[DAV.add_member][0].text or "") if DAV.add_member in row.props else None


@pytest.mark.rfc("5995", "3.1")
@pytest.mark.rfc("5995", "3.2.1")
@pytest.mark.parametrize("kind", ["calendar", "book"])
def test_an_item_is_added_at_the_announced_url_and_its_own_is_told(
    mine: Dav, calendar: str, book: str, kind: str
) -> None:
    path, body = (calendar, event("posted")) if kind == "calendar" else (book, card("posted"))
    target = add_member_of(mine, path)
    assert target is not None
    reply = mine.request("POST", target, body)
    assert reply.status == 201
    made = path_of(reply.headers["location"])
    assert made.startswith(path)
    read = mine.get(made)
    assert (read.body, read.etag) == (body.encode(), reply.etag)
    assert list(mine.propfind(path, DAV.getetag, depth="1").multistatus()) == [path, made]


@pytest.mark.rfc("5995", "3.2.1")
def test_add_member_is_not_in_an_allprop_and_is_listed_as_a_live_property(mine: Dav, calendar: str, book: str) -> None:
    for path in (calendar, book):
        assert DAV.add_member not in mine.propfind(path).multistatus()[path].props
        row = mine.propfind(path, DAV.supported_live_property_set).multistatus()[path]
        listed = {prop[0].tag for prop in row.props[DAV.supported_live_property_set].iter(DAV.prop)}
        assert DAV.add_member in listed


@pytest.mark.rfc("5995", "7")
def test_nobody_sets_where_members_are_added(mine: Dav, shared: Server, calendar: str) -> None:
    mine.put(calendar + "a.ics", event())
    before = shared.tree()
    for path in (calendar, calendar + "a.ics", "/dav/alice/"):
        assert mine.proppatch(path, {DAV.add_member: "x"}).multistatus()[path].statuses == {DAV.add_member: 403}
    assert mine.mkcalendar("/dav/alice/odd/", mkcalendar("<D:add-member/>")).status == 403
    assert shared.tree() == before


@pytest.mark.rfc("5995", "3.1")
@pytest.mark.parametrize(
    ("body", "media", "condition"),
    [
        ("not a calendar", "text/calendar", CALDAV.valid_calendar_data),
        ("", "text/calendar", CALDAV.valid_calendar_data),
        ("{}", "application/json", CALDAV.supported_calendar_data),
        (event("a").replace("UID:a\r\n", ""), "text/calendar", CALDAV.valid_calendar_object_resource),
        (event("taken"), "text/calendar", CALDAV.no_uid_conflict),
        (event("big", "x" * 1_100_000), "text/calendar", CALDAV.max_resource_size),
    ],
)
def test_what_a_put_refuses_is_refused_alike(
    mine: Dav, shared: Server, calendar: str, body: str, media: str, condition: str
) -> None:
    mine.put(calendar + "holder.ics", event("taken"))
    before = shared.tree()
    reply = mine.request("POST", calendar, body, {"Content-Type": media})
    put = mine.put(calendar + "new.ics", body, {"Content-Type": media})
    assert (reply.status, reply.condition) == (put.status, put.condition) == (403, condition)
    assert reply.hrefs == ([calendar + "holder.ics"] if condition == CALDAV.no_uid_conflict else [])
    assert shared.tree() == before


@pytest.mark.rfc("5995", "3.1")
def test_a_card_that_is_none_or_is_there_already_is_not_added(mine: Dav, shared: Server, book: str) -> None:
    mine.put(book + "a.vcf", card("taken"))
    before = shared.tree()
    assert mine.request("POST", book, "no card").condition == CARDDAV.valid_address_data
    assert mine.request("POST", book, card("taken")).condition == CARDDAV.no_uid_conflict
    assert shared.tree() == before


@pytest.mark.rfc("5995", "3.1")
def test_a_component_that_the_calendar_does_not_hold_is_not_added(mine: Dav, shared: Server) -> None:
    path = "/dav/alice/only-tasks/"
    tasks = '<C:supported-calendar-component-set><C:comp name="VTODO"/></C:supported-calendar-component-set>'
    assert mine.mkcalendar(path, mkcalendar(tasks)).status == 201
    before = shared.tree()
    reply = mine.request("POST", path, event(), ICS)
    assert (reply.status, reply.condition) == (403, CALDAV.supported_calendar_component)
    assert shared.tree() == before


@pytest.mark.rfc("5995", "3.1")
def test_conditions_speak_of_the_item_that_is_to_be(mine: Dav, shared: Server, calendar: str) -> None:
    assert mine.request("POST", calendar, event("one"), {"If-None-Match": "*"}).status == 201
    before = shared.tree()
    for headers in ({"If-Match": "*"}, {"If-Match": '"x"'}, {"If": '(["x"])'}, {"If": "(<urn:uuid:1>)"}):
        assert mine.request("POST", calendar, event("two"), headers).status == 412
    assert shared.tree() == before


@pytest.mark.rfc("6578", "5")
def test_an_item_is_added_only_if_nothing_else_changed_where_the_token_says_so(
    mine: Dav, shared: Server, calendar: str
) -> None:
    token = mine.propfind(calendar, DAV.sync_token).multistatus()[calendar].text(DAV.sync_token)
    assert mine.request("POST", calendar, event("one"), {"If": f"(<{token}>)"}).status == 201
    before = shared.tree()
    assert mine.request("POST", calendar, event("two"), {"If": f"(<{token}>)"}).status == 412
    assert shared.tree() == before


@pytest.mark.rfc("5995", "5")
def test_who_may_not_bind_adds_nothing(mine: Dav, shared: Server) -> None:
    mine.mkcalendar("/dav/alice/open/")
    carol = shared.client("carol")
    carol.options("/dav/carol/")
    before = shared.tree()
    reply = carol.request("POST", "/dav/alice/open/", event(), ICS)
    assert (reply.status, reply.condition) == (403, DAV.need_privileges)
    assert [privilege[0].tag for privilege in reply.xml.iter(DAV.privilege)] == [DAV.bind]
    assert shared.tree() == before


def test_who_may_only_create_adds_and_changes_what_was_added(mine: Dav, shared: Server) -> None:
    mine.mkcalendar("/dav/alice/drop/")
    carol = shared.client("carol")
    made = path_of(carol.request("POST", "/dav/alice/drop/", event("dropped"), ICS).headers["location"])
    assert carol.put(made, event("dropped", "Changed")).status == 204


def test_an_item_added_to_a_shown_calendar_has_an_url_below_it(mine: Dav, shared: Server) -> None:
    mine.mkcalendar("/dav/sport/games/")
    bob = shared.client("bob")
    assert mine.propfind("/dav/alice/sport~games/", DAV.resourcetype).status == 207
    reply = bob.request("POST", "/dav/bob/sport~games/", event("posted"), ICS)
    made = path_of(reply.headers["location"])
    assert made.startswith("/dav/bob/sport~games/")
    assert bob.get(made).status == 200
    assert bob.get(made.replace("/bob/sport~", "/sport/")).status == 200


@pytest.mark.parametrize("path", ["/dav/", "/dav/alice/", "/dav/alice/plain-folder/", "item"])
def test_nothing_is_added_to_what_holds_no_items(mine: Dav, shared: Server, calendar: str, path: str) -> None:
    mine.mkcol("/dav/alice/plain-folder/")
    mine.put(calendar + "a.ics", event())
    before = shared.tree()
    reply = mine.request("POST", calendar + "a.ics" if path == "item" else path, event(), ICS)
    assert reply.status == 405
    assert "POST" not in reply.headers["allow"].split(", ")
    assert shared.tree() == before


def test_nothing_is_added_where_nothing_is(mine: Dav, shared: Server) -> None:
    before = shared.tree()
    assert mine.request("POST", "/dav/alice/nowhere/", event(), ICS).status == 404
    assert shared.tree() == before


def test_a_page_of_another_site_adds_nothing(mine: Dav, shared: Server, calendar: str) -> None:
    before = shared.tree()
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert mine.request("POST", calendar, event(), {**headers, "Content-Type": "text/plain"}).status == 403
    assert shared.tree() == before


def test_a_compressed_or_partial_body_is_not_added(mine: Dav, shared: Server, calendar: str) -> None:
    before = shared.tree()
    assert mine.request("POST", calendar, event(), {"Content-Encoding": "gzip"}).status == 415
    assert mine.request("POST", calendar, event(), {"Content-Range": "bytes 0-9/20"}).status == 400
    assert shared.tree() == before
