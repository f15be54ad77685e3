"""Subscribed calendars: made by a client, fetched by the server, read by everybody who may, written by nobody."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from davserver.dav.names import APPLE, CALDAV, CALSERVER, DAV
from tests.conftest import MakeServer
from tests.feeds import Site, site
from tests.harness import NAMESPACES, Dav, Server
from tests.pim.samples import calendar, event, mkcol, query, sync, task

SETTINGS = """
[subscriptions]
allowed_networks = ["127.0.0.1"]
refresh_s = 60
refresh_least_s = 1
most_bytes = 100000
most_items = 20
most_per_home = 3
timeout_s = 5
"""
URL = "/dav/alice/matches/"
SHORT = "REFRESH-INTERVAL;VALUE=DURATION:PT1S"


@pytest.fixture
def web() -> Iterator[Site]:
    with site() as found:
        yield found


@pytest.fixture
def club(make_server: MakeServer) -> Server:
    return make_server(settings=SETTINGS).start()


@pytest.fixture(scope="module")
def shared(start_server: MakeServer) -> Server:
    return start_server(settings=SETTINGS)


@pytest.fixture
def alice(request: pytest.FixtureRequest) -> Iterator[Dav]:
    """Alice at the shared server, or at the test's own where it has one."""
    server: Server = request.getfixturevalue("club" if "club" in request.fixturenames else "shared")
    alice = server.client("alice")
    yield alice
    alice.delete(URL)


def feed(*components: str, head: tuple[str, ...] = (SHORT,)) -> bytes:
    """A calendar of these objects, as a club gives it out; it wants to be asked each second."""
    inner = [line for text in components for line in text.split("\r\n")[3:-2]]
    return calendar(*head, *inner).encode()


def subscribe(client: Dav, source: str, more: str = "", path: str = URL) -> int:
    """What Apple's calendar sends."""
    href = f"<CS:source><D:href>{source}</D:href></CS:source>"
    kinds = "<D:resourcetype><D:collection/><CS:subscribed/></D:resourcetype>"
    body = f"<C:mkcalendar {NAMESPACES}><D:set><D:prop>{kinds}{href}{more}</D:prop></D:set></C:mkcalendar>"
    return client.mkcalendar(path, body).status


def naming(source: str) -> str:
    """The body of a PROPPATCH that names another source."""
    prop = f"<D:prop><CS:source><D:href>{source}</D:href></CS:source></D:prop>"
    return f"<D:propertyupdate {NAMESPACES}><D:set>{prop}</D:set></D:propertyupdate>"


def until(found: Callable[[], bool], within_s: float = 30) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + within_s
    while not found():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def names(client: Dav, path: str = URL) -> set[str]:
    return set(client.propfind(path, DAV.getetag, depth="1").multistatus()) - {path}


def summaries(client: Dav) -> str:
    return client.get(URL).text


def test_a_subscribed_calendar_is_filled_and_follows_its_source(alice: Dav, web: Site) -> None:
    source = web.give("/m.ics", feed(event("a", "Match"), event("b", "Party")))
    assert subscribe(alice, source) == 201
    until(lambda: len(names(alice)) == 2)
    token = alice.report(URL, sync()).xml.findtext(DAV.sync_token) or ""
    web.give("/m.ics", feed(event("a", "Final"), event("c", "Cup")))
    until(lambda: "Cup" in summaries(alice))
    told = alice.report(URL, sync(token)).multistatus()
    assert sorted(row.status or 200 for row in told.values()) == [200, 200, 404]
    assert "Final" in summaries(alice)
    assert "Party" not in summaries(alice)
    assert len(alice.report(URL, query('<C:comp-filter name="VEVENT"/>')).multistatus()) == 2


def test_it_is_a_calendar_to_every_client_and_tells_its_source_to_its_owner(alice: Dav, web: Site) -> None:
    source = web.give("/m.ics", feed(event("a")))
    assert subscribe(alice, source, "<D:displayname>Matches</D:displayname>") == 201
    asked = (DAV.resourcetype, DAV.displayname, CALSERVER.source)
    row = alice.propfind("/dav/alice/", *asked, depth="1").multistatus()[URL]
    assert {each.tag for each in row.props[DAV.resourcetype]} == {DAV.collection, CALDAV.calendar, CALSERVER.subscribed}
    assert row.text(DAV.displayname) == "Matches"
    assert row.props[CALSERVER.source].findtext(DAV.href) == source


def test_who_may_only_read_it_is_not_told_where_it_comes_from(alice: Dav, web: Site, club: Server) -> None:
    source = web.give("/m.ics?key=secret", feed(event("a")))
    assert subscribe(alice, source) == 201
    rules = '[[rule]]\nwho = ["carol"]\nmay = ["read"]\n'
    assert alice.put("/files/Collections/alice/matches/access.toml", rules).status in (201, 204)
    carol = club.client("carol")
    shown = carol.propfind("/dav/carol/", CALSERVER.source, DAV.resourcetype, depth="1").multistatus()
    assert shown["/dav/carol/alice~matches/"].statuses[CALSERVER.source] == 404
    everything = carol.propfind(URL, body=f"<D:propfind {NAMESPACES}><D:allprop/></D:propfind>").text
    assert "secret" not in everything


def test_equal_items_keep_their_etags_also_where_only_the_stamp_is_new(alice: Dav, web: Site) -> None:
    first = feed(event("a"), event("b"))
    subscribe(alice, web.give("/m.ics", first))
    until(lambda: len(names(alice)) == 2)
    before = alice.propfind(URL, DAV.getetag, depth="1").body
    token = alice.report(URL, sync()).xml.findtext(DAV.sync_token) or ""
    web.give("/m.ics", first.replace(b"DTSTAMP:2026", b"DTSTAMP:2027"))
    asked = web.times("/m.ics")
    until(lambda: web.times("/m.ics") >= asked + 2)
    assert alice.propfind(URL, DAV.getetag, depth="1").body == before
    assert alice.report(URL, sync(token)).multistatus() == {}


def test_what_did_not_change_is_not_transferred(alice: Dav, web: Site) -> None:
    subscribe(alice, web.give("/m.ics", feed(event("a")), etag='"1"'))
    until(lambda: web.times("/m.ics") >= 2)
    assert web.asked[1][1].get("if-none-match") == '"1"'
    assert len(names(alice)) == 1


@pytest.mark.parametrize("answer", [b"<html>gone</html>", b"BEGIN:VCALENDAR\r\n", b""])
def test_what_is_no_calendar_changes_nothing(alice: Dav, web: Site, club: Server, answer: bytes) -> None:
    subscribe(alice, web.give("/m.ics", feed(event("a"))))
    until(lambda: len(names(alice)) == 1)
    web.give("/m.ics", answer)
    until(lambda: "was not refreshed" in club.log)
    assert len(names(alice)) == 1


def test_a_source_that_has_too_much_changes_nothing(alice: Dav, web: Site, club: Server) -> None:
    subscribe(alice, web.give("/m.ics", feed(*(event(str(number)) for number in range(21)))))
    subscribe(alice, web.give("/large.ics", b"x" * 200_000), path="/dav/alice/large/")
    until(lambda: "20 are the most" in club.log and "larger than 100000 bytes" in club.log)
    assert names(alice) == set()


def test_a_source_of_this_network_is_never_asked(make_server: MakeServer, web: Site) -> None:
    server = make_server().start()
    subscribe(server.client("alice"), web.give("/m.ics", feed(event("a"))))
    until(lambda: "not in the public network" in server.log)
    assert not web.asked


def test_a_source_that_leads_into_this_network_is_not_followed(make_server: MakeServer, web: Site) -> None:
    settings = '[subscriptions]\nallowed_networks = ["127.0.0.1"]\n'
    server = make_server(settings=settings).start()
    subscribe(server.client("alice"), web.give("/m.ics", b"", 302, Location="http://127.0.0.2:8080/m.ics"))
    until(lambda: "not in the public network" in server.log)


@pytest.mark.parametrize("source", ["", "ftp://example.org/a.ics", "file:///etc/passwd", "http://example.org:25/"])
def test_what_is_no_source_makes_no_calendar(alice: Dav, club: Server, source: str) -> None:
    alice.options("/dav/")
    before = club.tree()
    assert subscribe(alice, source) == 403
    assert club.tree() == before


@pytest.mark.rfc("5689", "3.3")
def test_a_subscription_without_source_is_refused(alice: Dav, club: Server) -> None:
    alice.options("/dav/")
    before = club.tree()
    reply = alice.mkcol(URL, mkcol("CS:subscribed"))
    assert reply.status == 403
    assert reply.xml.find(f".//{DAV.error}/{DAV.valid_resourcetype}") is not None
    assert club.tree() == before


def test_a_home_holds_only_so_many(alice: Dav, web: Site, club: Server) -> None:
    source = web.give("/m.ics", feed(event("a")))
    for number in range(3):
        assert subscribe(alice, source, path=f"/dav/alice/s{number}/") == 201
    assert subscribe(alice, source, path="/dav/alice/s3/") == 403
    assert alice.propfind("/dav/alice/s3/", DAV.resourcetype).status == 404


def test_its_owner_names_another_source(alice: Dav, web: Site) -> None:
    subscribe(alice, web.give("/m.ics", feed(event("a"))))
    until(lambda: len(names(alice)) == 1)
    other = web.give("/other.ics", feed(event("x", "Other")))
    body = naming(other)
    assert alice.request("PROPPATCH", URL, body).multistatus()[URL].statuses == {CALSERVER.source: 200}
    until(lambda: "Other" in summaries(alice))
    bad = body.replace(other, "ftp://example.org/")
    assert alice.request("PROPPATCH", URL, bad).multistatus()[URL].statuses == {CALSERVER.source: 403}
    assert alice.propfind(URL, CALSERVER.source).multistatus()[URL].props[CALSERVER.source].findtext(DAV.href) == other


def test_an_ordinary_calendar_does_not_become_a_subscribed_one(alice: Dav, web: Site) -> None:
    assert alice.mkcalendar("/dav/alice/plain/").status == 201
    source = web.give("/m.ics", feed(event("a")))
    body = naming(source)
    row = alice.request("PROPPATCH", "/dav/alice/plain/", body).multistatus()["/dav/alice/plain/"]
    assert row.statuses == {CALSERVER.source: 403}


def test_it_takes_the_name_of_its_source_and_only_the_kinds_it_was_made_for(alice: Dav, web: Site) -> None:
    head = (SHORT, "X-WR-CALNAME:Our\\, club")
    source = web.give("/m.ics", feed(event("a"), task("t"), head=head))
    kinds = '<C:supported-calendar-component-set><C:comp name="VEVENT"/></C:supported-calendar-component-set>'
    assert subscribe(alice, source, kinds) == 201
    until(lambda: len(names(alice)) == 1)
    until(lambda: alice.propfind(URL, DAV.displayname).multistatus()[URL].text(DAV.displayname) == "Our, club")
    assert alice.proppatch(URL, {DAV.displayname: "Mine", APPLE.calendar_color: "#FF0000FF"}).status == 207
    asked = web.times("/m.ics")
    until(lambda: web.times("/m.ics") >= asked + 2)
    assert alice.propfind(URL, DAV.displayname).multistatus()[URL].text(DAV.displayname) == "Mine"


def test_who_deletes_it_is_rid_of_it(alice: Dav, web: Site) -> None:
    subscribe(alice, web.give("/m.ics", feed(event("a"))))
    until(lambda: len(names(alice)) == 1)
    assert alice.delete(URL).status == 204
    alice.mkcalendar("/dav/alice/after/")
    asked = web.times("/m.ics")
    time.sleep(3)  # longer than its refresh: nothing asks any more
    assert web.times("/m.ics") <= asked + 1
    assert alice.propfind(URL, DAV.resourcetype).status == 404


def test_a_restart_and_a_lost_index_keep_it(alice: Dav, web: Site, club: Server) -> None:
    subscribe(alice, web.give("/m.ics", feed(event("a"))))
    until(lambda: len(names(alice)) == 1)
    club.stop()
    for file in club.data.glob("index.sqlite*"):
        file.unlink()
    club.start()
    assert len(names(alice)) == 1
    web.give("/m.ics", feed(event("b", "Later")))
    until(lambda: "Later" in summaries(alice))
