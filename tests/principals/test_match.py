"""Which principals the member is, and what names it (RFC 3744 §9.3)."""

from __future__ import annotations

import pytest

from davserver.dav.names import CALDAV, DAV
from tests.conftest import MakeServer
from tests.harness import Dav
from tests.pim.samples import event
from tests.principals.conftest import ask

MATCH = "principal-match"


def of(name: str) -> str:
    """A ``DAV:principal-property`` with one property."""
    return f"<D:principal-property><{name}/></D:principal-property>"


@pytest.mark.rfc("3744", "9.3")
def test_among_all_principals_match_the_own_one_and_the_groups_of_groups(alice: Dav, dora: Dav) -> None:
    rows = ask(alice, "/dav/", MATCH, "<D:self/>").multistatus()
    assert list(rows) == ["/dav/alice/", "/dav/association/", "/dav/sport/"]
    assert {row.status for row in rows.values()} == {200}
    assert list(ask(dora, "/dav/", MATCH, "<D:self/>").multistatus()) == ["/dav/dora/"]


@pytest.mark.rfc("3744", "9.3")
def test_a_group_that_is_asked_matches_its_members_alone(alice: Dav, dora: Dav) -> None:
    for path in ("/dav/sport/", "/dav/association/"):
        assert list(ask(alice, path, MATCH, "<D:self/>").multistatus()) == [path]
        assert ask(dora, path, MATCH, "<D:self/>").multistatus() == {}
    assert list(ask(alice, "/dav/alice/", MATCH, "<D:self/>").multistatus()) == ["/dav/alice/"]
    assert ask(alice, "/dav/board/", MATCH, "<D:self/>").multistatus() == {}
    assert ask(alice, "/dav/alice/open/", MATCH, "<D:self/>").multistatus() == {}


@pytest.mark.rfc("3744", "9.3")
def test_what_belongs_to_the_member_or_its_group_is_found_at_any_depth_and_once(alice: Dav) -> None:
    rows = ask(alice, "/dav/", MATCH, of("D:owner")).multistatus()
    assert {"/dav/alice/", "/dav/alice/open/", "/dav/alice/open/a.ics", "/dav/alice/tasks/", "/dav/sport/"} <= set(rows)
    assert {"/dav/sport/training/", "/dav/sport/board/"} <= set(rows)
    assert not {href for href in rows if "~" in href or href.startswith(("/dav/van", "/dav/bob"))}


@pytest.mark.rfc("3744", "9.3")
def test_below_a_home_or_collection_are_its_own_members_with_what_is_shown_there(alice: Dav, dora: Dav) -> None:
    rows = ask(alice, "/dav/alice/", MATCH, of("D:owner") + "<D:prop><D:owner/></D:prop>").multistatus()
    assert {"/dav/alice/open/", "/dav/alice/open/a.ics", "/dav/alice/sport~training/"} <= set(rows)
    assert not {"/dav/alice/", "/dav/sport/training/", "/dav/alice/van~bookings/"} & set(rows)
    owners = {href: row.props[DAV.owner][0].text for href, row in rows.items()}
    assert (owners["/dav/alice/open/a.ics"], owners["/dav/alice/sport~training/"]) == ("/dav/alice/", "/dav/sport/")
    assert list(ask(alice, "/dav/alice/open/", MATCH, of("D:owner")).multistatus()) == ["/dav/alice/open/a.ics"]
    assert ask(dora, "/dav/alice/", MATCH, of("D:owner")).multistatus() == {}


@pytest.mark.rfc("3744", "9.3")
def test_principals_match_by_their_groups_and_unknown_properties_by_nobody(alice: Dav) -> None:
    rows = ask(alice, "/dav/", MATCH, of("D:group-membership")).multistatus()
    assert set(rows) == {"/dav/alice/", "/dav/bob/", "/dav/van/", "/dav/sport/", "/dav/board/"}
    assert ask(alice, "/dav/", MATCH, of("D:getetag")).multistatus() == {}


@pytest.mark.rfc("3744", "9.3")
def test_a_property_that_a_client_left_counts_too_and_mail_addresses_are_no_principals(make_server: MakeServer) -> None:
    alice = make_server().start().client("alice")
    body = (
        '<D:propertyupdate xmlns:D="DAV:" xmlns:N="urn:x"><D:set><D:prop>'
        "<N:by><D:href>/dav/sport/</D:href></N:by><N:to><D:href>mailto:alice@example.org</D:href></N:to>"
        "<N:at><D:href>http://elsewhere.example/dav/alice/</D:href></N:at>"
        "</D:prop></D:set></D:propertyupdate>"
    )
    assert alice.mkcalendar("/dav/alice/marked/").status == 201
    assert alice.request("PROPPATCH", "/dav/alice/marked/", body).status == 207
    named = {
        name: set(ask(alice, "/dav/alice/", MATCH, of(f"N:{name} xmlns:N='urn:x'")).multistatus())
        for name in ("by", "to", "at")
    }
    assert named == {"by": {"/dav/alice/marked/"}, "to": set(), "at": set()}


@pytest.mark.rfc("3744", "9.3")
def test_more_than_one_request_may_list_is_refused_by_name(make_server: MakeServer) -> None:
    server = make_server(settings="[limits]\ndepth_infinity_resources = 5\n").start()
    alice = server.client("alice")
    for number in range(3):
        assert alice.put(f"/dav/alice/calendar/{number}.ics", event(f"u{number}")).status == 201
    before = server.tree()
    reply = ask(alice, "/dav/alice/", MATCH, of("D:owner"))
    assert (reply.status, reply.condition) == (403, DAV.number_of_matches_within_limits)
    assert ask(alice, "/dav/alice/calendar/", MATCH, of("D:owner")).status == 207
    assert server.tree() == before


@pytest.mark.parametrize(
    "inner",
    [
        "",
        "<D:self/>" + of("D:owner"),
        "<D:principal-property/>",
        "<D:principal-property><D:owner/><D:group/></D:principal-property>",
    ],
)
def test_a_match_that_cannot_be_read_is_refused_with_a_sentence(alice: Dav, inner: str) -> None:
    reply = ask(alice, "/dav/", MATCH, inner)
    assert reply.status == 400
    assert len(reply.text) > 20


@pytest.mark.rfc("3744", "9.3")
def test_what_matches_comes_with_the_properties_that_were_asked(alice: Dav) -> None:
    asked = "<D:self/><D:prop><D:displayname/><C:calendar-user-type/></D:prop>"
    rows = ask(alice, "/dav/", MATCH, asked).multistatus()
    assert {href: (row.text(DAV.displayname), row.text(CALDAV.calendar_user_type)) for href, row in rows.items()} == {
        "/dav/alice/": ("Alice", "INDIVIDUAL"),
        "/dav/association/": ("association", "GROUP"),
        "/dav/sport/": ("Sports section", "GROUP"),
    }
