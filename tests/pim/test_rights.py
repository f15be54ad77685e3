"""Who may do what with calendars and items; the table of the whole association is in ``tests/rights``."""

from __future__ import annotations

import pytest

from davserver.dav.names import CALDAV, CALSERVER, DAV
from tests.harness import Dav, Server
from tests.pim.samples import busy, event, multiget, query, sync

BUSY = busy("20270101T000000Z", "20280101T000000Z")


@pytest.fixture
def alice(club: Server) -> Dav:
    alice = club.client("alice")
    for name in ("open", "busy", "drop", "public"):
        assert alice.mkcalendar(f"/dav/alice/{name}/").status == 201
        assert alice.put(f"/dav/alice/{name}/a.ics", event()).status == 201
    return alice


@pytest.fixture
def carol(club: Server, alice: Dav) -> Dav:
    carol = club.client("carol")
    carol.options("/dav/")
    return carol


@pytest.mark.rfc("3744", "7.1.1")
def test_what_may_be_read_but_not_changed_is_refused_with_the_privilege_that_lacks(carol: Dav, club: Server) -> None:
    before = club.tree()
    path = "/dav/alice/open/a.ics"
    replies = {
        DAV.write_content: carol.put(path, event(summary="Mine")),
        DAV.bind: carol.put("/dav/alice/open/b.ics", event("b")),
        DAV.unbind: carol.delete(path),
    }
    for privilege, reply in replies.items():
        assert (reply.status, reply.condition) == (403, DAV.need_privileges)
        assert reply.xml.find(f".//{DAV.privilege}/{privilege}") is not None
    for reply in (
        carol.proppatch(path, {"{urn:x}n": "x"}),
        carol.proppatch("/dav/alice/open/", {DAV.displayname: "x"}),
        carol.delete("/dav/alice/open/"),
        carol.move(path, "/dav/carol/calendar/a.ics"),
        carol.move("/dav/alice/open/", "/dav/carol/taken/"),
        carol.mkcalendar("/dav/alice/new/"),
        carol.put("/dav/alice/open/", event("c")),
    ):
        assert reply.status in (403, 404)
    assert club.tree() == before


@pytest.mark.rfc("6578", "4")
@pytest.mark.parametrize("calendar", ["busy", "drop"])
def test_who_may_not_read_every_item_is_not_told_when_something_changed(carol: Dav, calendar: str) -> None:
    path = f"/dav/alice/{calendar}/"
    props = (DAV.sync_token, CALSERVER.getctag, DAV.supported_report_set)
    row = carol.propfind(path, *props).multistatus()[path]
    assert row.statuses == {DAV.sync_token: 404, CALSERVER.getctag: 404, DAV.supported_report_set: 200}
    assert row.props[DAV.supported_report_set].find(f".//{DAV.sync_collection}") is None
    reply = carol.report(path, sync())
    assert (reply.status, reply.condition) == (403, DAV.need_privileges)


def test_what_may_not_be_read_is_nowhere(carol: Dav, club: Server) -> None:
    hidden = "/dav/alice/calendar/"
    before = club.tree()
    for reply in (
        carol.propfind(hidden, DAV.getetag),
        carol.get(hidden),
        carol.get(hidden + "a.ics"),
        carol.report(hidden, sync()),
        carol.report(hidden, query("")),
        carol.report(hidden, BUSY),
        carol.delete(hidden),
        carol.proppatch(hidden, {DAV.displayname: "x"}),
        carol.copy(hidden, "/dav/carol/stolen/"),
    ):
        assert reply.status == 404
    assert carol.put(hidden + "b.ics", event("b")).status == 409
    assert hidden not in carol.propfind("/dav/alice/", DAV.getetag, depth="1").multistatus()
    asked = multiget(hidden + "a.ics", "/dav/alice/open/a.ics")
    rows = carol.report("/dav/alice/open/", asked).multistatus()
    assert [row.status for row in rows.values()] == [404, None]
    assert club.tree() == before


@pytest.mark.rfc("4791", "6.1.1")
def test_who_may_know_when_it_is_busy_learns_nothing_else(carol: Dav) -> None:
    path = "/dav/alice/busy/"
    assert "FREEBUSY;FBTYPE=BUSY:20270105T100000Z/20270105T110000Z" in carol.report(path, BUSY).text
    assert carol.get(path + "a.ics").status == 404
    assert carol.propfind(path, DAV.getetag, depth="1").multistatus().keys() == {path}
    assert carol.report(path, query("")).status == 403
    assert carol.report(path, sync()).status == 403
    assert carol.report(path, multiget(path + "a.ics")).multistatus()[path + "a.ics"].status == 404
    assert "alice~busy" not in carol.propfind("/dav/carol/", DAV.getetag, depth="1").text


def test_who_may_only_create_sees_and_changes_what_is_one_s_own(carol: Dav, club: Server, alice: Dav) -> None:
    path = "/dav/alice/drop/"
    assert carol.put(path + "mine.ics", event("mine")).status == 201
    assert carol.put(path + "mine.ics", event("mine", "Changed")).status == 204
    assert set(carol.propfind(path, DAV.getetag, depth="1").multistatus()) == {path, path + "mine.ics"}
    before = club.tree()
    assert carol.get(path + "a.ics").status == 404
    assert carol.put(path + "a.ics", event(summary="Taken")).status in (403, 404)
    assert carol.delete(path + "a.ics").status == 404
    assert club.tree() == before
    assert carol.delete(path + "mine.ics").status == 204


def test_a_booking_is_changed_by_who_made_it_and_nobody_else(club: Server, alice: Dav) -> None:
    bob, carol = club.client("bob"), club.client("carol")
    assert carol.mkcalendar("/dav/van/bookings/").status == 201
    path = "/dav/van/bookings/trip.ics"
    assert bob.put(path, event("trip")).status == 201
    bob.options("/dav/")
    alice.options("/dav/")
    before = club.tree()
    assert alice.put(path, event("trip", "Mine now")).condition == DAV.need_privileges
    assert alice.delete(path).condition == DAV.need_privileges
    assert club.tree() == before
    assert bob.put(path, event("trip", "Later")).status == 204
    assert bob.delete(path).status == 204


def test_the_world_reads_what_is_published_by_get_alone(alice: Dav, club: Server) -> None:
    anonymous = club.client()
    assert anonymous.get("/dav/alice/public/a.ics").status == 200
    assert "BEGIN:VEVENT" in anonymous.get("/dav/alice/public/").text
    for path in ("/dav/alice/open/a.ics", "/dav/alice/none", "/dav/alice/"):
        assert anonymous.get(path).status == 401
    assert anonymous.propfind("/dav/alice/public/", DAV.getetag).status == 401
    assert anonymous.put("/dav/alice/public/b.ics", event("b")).status == 401


def test_whoever_makes_a_collection_in_a_group_s_home_may_not_give_it_away(club: Server, alice: Dav) -> None:
    alice.mkcalendar("/dav/sport/training/")
    row = alice.propfind("/dav/sport/training/", DAV.current_user_privilege_set, DAV.owner).multistatus()
    held = {p[0].tag for p in row["/dav/sport/training/"].props[DAV.current_user_privilege_set]}
    assert DAV.write in held
    assert not {DAV.write_acl, DAV.all} & held
    assert [href.text for href in row["/dav/sport/training/"].props[DAV.owner]] == ["/dav/sport/"]


def test_a_collection_that_the_administrator_s_rules_name_stays_where_it_is(alice: Dav, club: Server) -> None:
    before = club.tree()
    assert alice.delete("/dav/alice/open/").status == 403
    assert alice.move("/dav/alice/open/", "/dav/alice/elsewhere/").status == 403
    assert alice.copy("/dav/alice/calendar/", "/dav/alice/open/").status == 403
    assert club.tree() == before


def test_a_copy_of_a_collection_takes_no_rules_along(alice: Dav, club: Server) -> None:
    folder = club.data / "collections/collection-root/alice/calendar"
    (folder / ".access.toml").write_text('[[rule]]\nwho = ["dora"]\nmay = ["read"]\n')
    dora = club.client("dora")
    assert dora.propfind("/dav/alice/calendar/", DAV.getetag).status == 207
    assert alice.copy("/dav/alice/calendar/", "/dav/alice/copied/").status == 201
    assert dora.propfind("/dav/alice/copied/", DAV.getetag).status == 404
    assert alice.move("/dav/alice/calendar/", "/dav/alice/moved/").status == 201
    assert dora.propfind("/dav/alice/moved/", DAV.getetag).status == 207


def test_a_member_takes_no_collection_with_rules_out_of_a_group_s_home(alice: Dav, club: Server) -> None:
    alice.mkcalendar("/dav/sport/training/")
    (club.data / "collections/collection-root/sport/training/.access.toml").write_text(
        '[[rule]]\nwho = ["sport"]\nmay = ["read", "create", "write", "delete"]\n'
    )
    before = club.tree()
    assert alice.move("/dav/sport/training/", "/dav/alice/taken/").condition == DAV.need_privileges
    assert club.tree() == before


def test_a_collection_is_not_taken_away_from_under_items_of_others(club: Server, alice: Dav) -> None:
    bob, carol = club.client("bob"), club.client("carol")
    assert carol.mkcalendar("/dav/van/bookings/").status == 201
    assert bob.put("/dav/van/bookings/trip.ics", event("trip")).status == 201
    carol.mkcalendar("/dav/carol/own/")
    before = club.tree()
    for reply in (
        carol.delete("/dav/van/bookings/"),
        carol.move("/dav/van/bookings/", "/dav/carol/taken/"),
        carol.move("/dav/carol/own/", "/dav/van/bookings/"),
        carol.copy("/dav/carol/own/", "/dav/van/bookings/"),
    ):
        assert (reply.status, reply.condition) == (403, DAV.need_privileges)
    assert club.tree() == before
    assert bob.delete("/dav/van/bookings/trip.ics").status == 204
    assert carol.delete("/dav/van/bookings/").status == 204


def test_who_may_delete_but_not_create_replaces_no_collection(club: Server, alice: Dav) -> None:
    bob = club.client("bob")
    alice.mkcalendar("/dav/sport/training/")
    alice.put("/dav/sport/training/a.ics", event())
    club.write_accounts(access='[[rule]]\npath = "/dav/sport"\nwho = ["bob"]\nmay = ["read", "delete"]\n')
    bob.mkcalendar("/dav/bob/own/")
    before = club.tree()
    for transfer in (bob.copy, bob.move):
        reply = transfer("/dav/bob/own/", "/dav/sport/training/")
        assert (reply.status, reply.condition) == (403, DAV.need_privileges)
    assert club.tree() == before


def test_who_may_create_in_a_home_alone_makes_a_collection_that_others_do_not_see(club: Server, alice: Dav) -> None:
    here = '[[rule]]\npath = "/dav/van"\nwho = ["all-users"]\nmay = ["read", "create"]\nscope = "here"\n'
    club.write_accounts(access=here)
    bob, carol = club.client("bob"), club.client("carol")
    assert bob.mkcalendar("/dav/van/bobs/").status == 201
    assert bob.propfind("/dav/van/bobs/", DAV.getetag).status == 207
    assert carol.propfind("/dav/van/bobs/", DAV.getetag).status == 404
    assert "/dav/van/bobs/" not in carol.propfind("/dav/van/", DAV.getetag, depth="1").multistatus()
    assert bob.delete("/dav/van/bobs/").status == 204


def test_a_uid_conflict_does_not_name_an_item_that_may_not_be_read(carol: Dav, alice: Dav) -> None:
    path = "/dav/alice/drop/"
    reply = carol.put(path + "b.ics", event())
    assert (reply.status, reply.condition, reply.hrefs) == (403, CALDAV.no_uid_conflict, [path])


@pytest.mark.rfc("4791", "5.3.2.1")
def test_a_file_with_the_uid_of_a_hidden_item_is_refused_without_its_name(club: Server, alice: Dav, carol: Dav) -> None:
    path = "/dav/alice/drop/"
    before = club.tree()
    reply = carol.put(path, event("new").replace("END:VCALENDAR\r\n", "") + event().split("EN\r\n")[1])
    assert (reply.status, reply.condition, reply.hrefs) == (403, CALDAV.no_uid_conflict, [path])
    assert b"a.ics" not in reply.body
    assert club.tree() == before
