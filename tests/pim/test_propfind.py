"""PROPFIND: what is listed, in which form, and what it says of rights."""

from __future__ import annotations

import pytest

from davserver.dav.names import CALDAV, CALSERVER, CARDDAV, DAV
from tests.harness import Dav, Server
from tests.pim.samples import card, event


@pytest.mark.rfc("4918", "9.1")
def test_an_empty_body_asks_for_all_that_an_allprop_lists(mine: Dav, calendar: str) -> None:
    mine.put(calendar + "a.ics", event())
    mine.proppatch(calendar + "a.ics", {"{urn:x}note": "dead"})
    row = mine.propfind(calendar + "a.ics").multistatus()[calendar + "a.ics"]
    assert set(row.props) == {
        DAV.resourcetype,
        DAV.getetag,
        DAV.getcontenttype,
        DAV.getcontentlength,
        DAV.getlastmodified,
        DAV.creationdate,
        "{urn:x}note",
    }
    collection = mine.propfind(calendar).multistatus()[calendar]
    assert CALDAV.supported_calendar_component_set not in collection.props


@pytest.mark.rfc("4918", "9.1.1")
def test_propname_lists_names_without_values(mine: Dav, calendar: str) -> None:
    reply = mine.propfind(calendar, body='<propfind xmlns="DAV:"><propname/></propfind>')
    row = reply.multistatus()[calendar]
    assert {DAV.sync_token, CALDAV.supported_calendar_component_set, CALSERVER.getctag} <= set(row.props)
    assert not any(element.text or len(element) for element in row.props.values())


@pytest.mark.rfc("4918", "14.8")
def test_allprop_with_include_adds_what_is_named(mine: Dav, calendar: str) -> None:
    body = '<D:propfind xmlns:D="DAV:"><D:allprop/><D:include><D:sync-token/></D:include></D:propfind>'
    row = mine.propfind(calendar, body=body).multistatus()[calendar]
    assert {DAV.sync_token, DAV.resourcetype} <= set(row.props)


def test_text_that_does_not_belong_is_not_looked_at(mine: Dav, calendar: str) -> None:
    body = "<d:propfind xmlns:d='DAV:'><d:prop><d:resourcetype/></d:prop>M</d:propfind>"
    assert mine.propfind(calendar, body=body).multistatus()[calendar].statuses == {DAV.resourcetype: 200}


@pytest.mark.rfc("4918", "9.1")
@pytest.mark.parametrize("depth", ["infinity", None])
def test_infinite_depth_is_refused_on_what_holds_others(mine: Dav, calendar: str, depth: str | None) -> None:
    for path in ("/dav/", "/dav/alice/", calendar):
        reply = mine.propfind(path, DAV.getetag, depth=depth)
        assert (reply.status, reply.condition) == (403, DAV.propfind_finite_depth)


def test_found_properties_come_before_missing_ones(mine: Dav, calendar: str) -> None:
    reply = mine.propfind(calendar, "{urn:x}none", DAV.resourcetype)
    statuses = [element.text for element in reply.xml.iter(DAV.status)]
    assert statuses == ["HTTP/1.1 200 OK", "HTTP/1.1 404 Not Found"]


def test_the_address_without_slash_is_answered_in_place(mine: Dav, calendar: str) -> None:
    assert list(mine.propfind(calendar.rstrip("/"), DAV.resourcetype).multistatus()) == [calendar]


@pytest.mark.rfc("6352", "6.2.2")
def test_an_address_book_says_which_cards_it_takes(mine: Dav, book: str) -> None:
    mine.put(book + "a.vcf", card())
    rows = mine.propfind(
        book, CARDDAV.supported_address_data, CARDDAV.max_resource_size, DAV.getcontenttype, depth="1"
    ).multistatus()
    forms = [
        (element.get("content-type"), element.get("version"))
        for element in rows[book].props[CARDDAV.supported_address_data]
    ]
    assert forms == [("text/vcard", "3.0"), ("text/vcard", "4.0"), ("application/vcard+json", "4.0")]
    assert rows[book].text(CARDDAV.max_resource_size) == "5242880"
    assert rows[book + "a.vcf"].text(DAV.getcontenttype) == "text/vcard; charset=utf-8"


@pytest.mark.rfc("3253", "3.1.5")
@pytest.mark.rfc("6578", "3.2")
def test_every_collection_and_the_home_list_their_reports(mine: Dav, calendar: str, book: str) -> None:
    def reports(path: str) -> set[str]:
        row = mine.propfind(path, DAV.supported_report_set).multistatus()[path]
        return {report[0].tag for report in row.props[DAV.supported_report_set].iter(DAV.report)}

    assert {DAV.sync_collection, CALDAV.calendar_query, CALDAV.calendar_multiget, CALDAV.free_busy_query} <= reports(
        calendar
    )
    assert {DAV.sync_collection, CARDDAV.addressbook_query, CARDDAV.addressbook_multiget} <= reports(book)
    assert DAV.sync_collection in reports("/dav/alice/")


@pytest.mark.rfc("3744", "5.4")
@pytest.mark.parametrize(
    ("member", "granted", "lacking"),
    [
        ("alice", {DAV.read, DAV.write, DAV.write_content, DAV.bind, DAV.unbind}, {DAV.all, DAV.write_acl}),
        ("carol", {DAV.read, CALDAV.read_free_busy}, {DAV.write, DAV.write_content, DAV.bind, DAV.unbind}),
    ],
)
def test_privileges_say_who_may_write(
    shared: Server, mine: Dav, member: str, granted: set[str], lacking: set[str]
) -> None:
    mine.mkcalendar("/dav/sport/training/")
    bob = shared.client("bob")
    bob.options("/dav/")
    asker = shared.client(member) if member != "alice" else bob  # alice made it and owns nothing there by that
    row = asker.propfind("/dav/sport/training/", DAV.current_user_privilege_set).multistatus()["/dav/sport/training/"]
    held = {privilege[0].tag for privilege in row.props[DAV.current_user_privilege_set]}
    assert granted <= held
    assert not lacking & held


@pytest.mark.rfc("3744", "5.1")
def test_the_owner_of_a_collection_is_whose_home_it_stands_in(mine: Dav, calendar: str) -> None:
    row = mine.propfind(calendar, DAV.owner).multistatus()[calendar]
    assert [href.text for href in row.props[DAV.owner]] == ["/dav/alice/"]


def test_who_may_only_create_is_told_that_what_is_created_can_be_changed(mine: Dav, shared: Server) -> None:
    mine.mkcalendar("/dav/van/bookings/")
    carol = shared.client("carol")
    row = carol.propfind("/dav/van/bookings/", DAV.current_user_privilege_set).multistatus()["/dav/van/bookings/"]
    held = {privilege[0].tag for privilege in row.props[DAV.current_user_privilege_set]}
    assert {DAV.read, DAV.bind, DAV.write_content, DAV.unbind} <= held
    assert not {DAV.write, DAV.write_properties} & held
