"""A collection that the server keeps is read like any other, and nobody else writes into it."""

from __future__ import annotations

import pytest

from config.loader import load
from davserver.dav.names import CALDAV, CALSERVER, DAV
from storage.kept import make_kept, replace_items
from storage.paths import HIDDEN_ACCESS_FILE
from storage.store import Store
from tests.conftest import MakeServer
from tests.harness import Dav, Server
from tests.pim.samples import event, query, sync

PLACE = "collections/collection-root/alice/matches"
URL = "/dav/alice/matches/"
RULES = b"""
[[rule]]
who = ["bob"]
may = ["read", "create", "write", "delete"]
"""


@pytest.fixture
def club(make_server: MakeServer) -> Server:
    """Alice has a calendar that the server keeps; the rules would let bob do everything with it."""
    server = make_server()
    store = Store(load(server.config))
    meta, files = {"CS:source": "https://example.org/m.ics"}, {HIDDEN_ACCESS_FILE: RULES}
    make_kept(store, PLACE, "subscription", "VCALENDAR", meta, owner="alice", files=files)
    replace_items(store, PLACE, {"a.ics": event("a").encode()})
    store.close()
    return server.start()


@pytest.fixture(params=["alice", "bob"])
def reader(request: pytest.FixtureRequest, club: Server) -> Dav:
    return club.client(request.param)


def test_a_kept_calendar_is_read_queried_and_synchronised(reader: Dav) -> None:
    assert reader.get(URL + "a.ics").text == event("a")
    assert list(reader.report(URL, query('<C:comp-filter name="VEVENT"/>')).multistatus()) == [URL + "a.ics"]
    assert list(reader.report(URL, sync()).multistatus()) == [URL + "a.ics"]


def test_nobody_writes_into_a_kept_calendar(reader: Dav, club: Server) -> None:
    reader.options("/dav/")
    before = club.tree()
    own = f"/dav/{reader.user}/calendar/"
    for reply in (
        reader.put(URL + "a.ics", event("a", "Mine")),
        reader.put(URL + "b.ics", event("b")),
        reader.put(URL, event("b")),
        reader.delete(URL + "a.ics"),
        reader.move(URL + "a.ics", own + "a.ics"),
        reader.move(URL + "a.ics", URL + "b.ics"),
        reader.copy(URL + "a.ics", URL + "b.ics"),
        reader.proppatch(URL + "a.ics", {"{urn:x}n": "x"}),
    ):
        assert (reply.status, reply.condition) == (403, DAV.need_privileges)
    assert club.tree() == before


@pytest.mark.rfc("3744", "5.4")
def test_programs_are_told_that_a_kept_calendar_is_read_only(reader: Dav) -> None:
    rows = reader.propfind(URL, DAV.current_user_privilege_set, depth="1").multistatus()
    for row in rows.values():
        told = {privilege[0].tag for privilege in row.props[DAV.current_user_privilege_set]}
        assert DAV.read in told
        assert told.isdisjoint({DAV.write, DAV.write_content, DAV.write_properties, DAV.bind, DAV.all})
    assert DAV.unbind not in {each[0].tag for each in rows[URL + "a.ics"].props[DAV.current_user_privilege_set]}


def test_a_subscribed_calendar_is_a_calendar_and_tells_its_source(reader: Dav) -> None:
    row = reader.propfind(URL, DAV.resourcetype, CALSERVER.source).multistatus()[URL]
    assert {each.tag for each in row.props[DAV.resourcetype]} == {DAV.collection, CALDAV.calendar, CALSERVER.subscribed}
    assert row.props[CALSERVER.source].findtext(DAV.href) == "https://example.org/m.ics"


def test_the_owner_names_and_removes_a_kept_calendar(club: Server) -> None:
    alice = club.client("alice")
    assert alice.proppatch(URL, {DAV.displayname: "Cup"}).multistatus()[URL].statuses == {DAV.displayname: 200}
    assert alice.delete(URL).status == 204
    assert alice.propfind(URL, DAV.displayname).status == 404


@pytest.mark.rfc("4918", "9.8")
def test_a_copy_of_a_kept_calendar_is_an_ordinary_one(club: Server) -> None:
    alice = club.client("alice")
    alice.options("/dav/")
    copied = "/dav/alice/copied/"
    assert alice.copy(URL, copied).status == 201
    assert alice.put(copied + "b.ics", event("b")).status == 201
    assert CALSERVER.source not in alice.propfind(copied, CALSERVER.source).multistatus()[copied].props
