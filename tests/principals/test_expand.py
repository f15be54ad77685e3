"""Properties with the resources in the place of their hrefs (RFC 3253 §3.8)."""

from __future__ import annotations

from xml.etree.ElementTree import Element

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from davserver.dav.names import CALDAV, CALSERVER, DAV
from davserver.dav.xml import attribute
from tests.conftest import MakeServer
from tests.harness import Dav, Row, Server, row_of
from tests.pim.samples import event
from tests.principals.conftest import ask

EXPAND = "expand-property"


def prop(name: str, inner: str = "", namespace: str = "") -> str:
    """A ``DAV:property``."""
    space = f' namespace="{namespace}"' if namespace else ""
    return f'<D:property name="{name}"{space}>{inner}</D:property>'


def expanded(element: Element) -> dict[str, Row]:
    """The responses in a property, by path."""
    rows = map(row_of, element.findall(DAV.response))
    return {row.href: row for row in rows}


@pytest.mark.rfc("3253", "3.8")
def test_groups_of_groups_come_nested_in_one_answer(alice: Dav) -> None:
    asked = prop("group-membership", prop("displayname") + prop("group-membership", prop("displayname")))
    [row] = ask(alice, "/dav/alice/", EXPAND, asked).multistatus().values()
    groups = expanded(row.props[DAV.group_membership])
    assert {href: group.text(DAV.displayname) for href, group in groups.items()} == {"/dav/sport/": "Sports section"}
    above = expanded(groups["/dav/sport/"].props[DAV.group_membership])
    assert {href: group.text(DAV.displayname) for href, group in above.items()} == {"/dav/association/": "association"}
    assert row.props[DAV.group_membership].findall(DAV.href) == []


def test_macos_asks_for_delegates_and_finds_none(alice: Dav) -> None:
    cs = str(CALSERVER)
    who = prop("displayname") + prop("calendar-user-address-set", namespace=str(CALDAV)) + prop("group-member-set")
    asked = "".join(
        prop(name, prop("group-member-set", who) + who, cs)
        for name in ("calendar-proxy-read-for", "calendar-proxy-write-for")
    )
    asked += prop("group-membership", who) + prop("calendar-proxy-read", who, cs)
    headers = {"Brief": "t", "Prefer": "return=minimal", "Content-Type": "text/xml"}
    reply = alice.report(
        "/dav/alice/", f'<A:expand-property xmlns:A="DAV:" xmlns:D="DAV:">{asked}</A:expand-property>', headers=headers
    )
    [row] = reply.multistatus().values()
    assert set(row.statuses) == {
        CALSERVER.calendar_proxy_read_for,
        CALSERVER.calendar_proxy_write_for,
        DAV.group_membership,
    }
    assert len(row.props[CALSERVER.calendar_proxy_read_for]) == len(row.props[CALSERVER.calendar_proxy_write_for]) == 0
    members = expanded(row.props[DAV.group_membership])["/dav/sport/"].props[DAV.group_member_set]
    assert [href.text for href in members] == ["/dav/alice/", "/dav/bob/", "/dav/van/"]


@pytest.mark.rfc("3253", "3.8")
def test_a_property_that_is_not_there_is_404_at_each_level(alice: Dav) -> None:
    asked = prop("x", namespace="urn:x") + prop("group-membership", prop("calendar-home-set", namespace=str(CALDAV)))
    [row] = ask(alice, "/dav/alice/", EXPAND, asked).multistatus().values()
    assert row.statuses == {"{urn:x}x": 404, DAV.group_membership: 200}
    [group] = expanded(row.props[DAV.group_membership]).values()
    assert group.statuses == {CALDAV.calendar_home_set: 404}


@pytest.mark.rfc("3253", "3.8")
def test_only_hrefs_are_replaced_and_what_is_no_path_of_ours_stays(alice: Dav) -> None:
    asked = prop("calendar-user-address-set", prop("displayname"), str(CALDAV))
    [row] = ask(alice, "/dav/alice/", EXPAND, asked).multistatus().values()
    addresses = row.props[CALDAV.calendar_user_address_set]
    assert [href.text for href in addresses.findall(DAV.href)] == ["mailto:alice@example.org"]
    assert expanded(addresses)["/dav/alice/"].text(DAV.displayname) == "Alice"


@pytest.mark.rfc("3253", "3.8")
def test_a_structure_around_hrefs_stays_and_hidden_targets_are_404(make_server: MakeServer) -> None:
    server = make_server().start()
    alice, bob = server.client("alice"), server.client("bob")
    bob.options("/dav/")
    body = (
        '<D:propertyupdate xmlns:D="DAV:" xmlns:N="urn:x"><D:set><D:prop><N:links><N:link n="1"><D:href>/dav/bob/'
        "</D:href></N:link><N:link><D:href>/dav/bob/calendar/</D:href> and text</N:link></N:links>"
        "</D:prop></D:set></D:propertyupdate>"
    )
    assert alice.request("PROPPATCH", "/dav/alice/", body).status == 207
    [row] = ask(alice, "/dav/alice/", EXPAND, prop("links", prop("displayname"), "urn:x")).multistatus().values()
    first, second = row.props["{urn:x}links"]
    assert (first.get("n"), expanded(first)["/dav/bob/"].text(DAV.displayname)) == ("1", "Bob")
    hidden = expanded(second)["/dav/bob/calendar/"]
    assert (hidden.status, hidden.statuses) == (404, {})
    assert second[0].tail == " and text"


@pytest.mark.rfc("3253", "3.8")
def test_what_is_hidden_from_strangers_is_not_reached_by_an_expansion(dora: Dav) -> None:
    asked = prop("owner", prop("sync-token") + prop("note", namespace="urn:x") + prop("displayname"))
    [row] = ask(dora, "/dav/alice/", EXPAND, asked).multistatus().values()
    [owner] = expanded(row.props[DAV.owner]).values()
    assert owner.statuses == {DAV.sync_token: 404, "{urn:x}note": 404, DAV.displayname: 200}


@pytest.mark.rfc("3253", "3.6")
def test_the_depth_tells_of_what_else_it_is_asked(alice: Dav, dora: Dav) -> None:
    def rows(client: Dav, path: str, depth: str | None) -> set[str]:
        return set(ask(client, path, EXPAND, prop("owner", prop("displayname")), depth=depth).multistatus())

    assert rows(alice, "/dav/alice/", None) == rows(alice, "/dav/alice/", "0") == {"/dav/alice/"}
    one = rows(alice, "/dav/alice/", "1")
    assert {"/dav/alice/", "/dav/alice/open/", "/dav/alice/sport~training/"} <= one
    assert "/dav/alice/open/a.ics" not in one
    assert rows(alice, "/dav/alice/open/", "1") == {"/dav/alice/open/", "/dav/alice/open/a.ics"}
    assert {"/dav/", "/dav/alice/open/a.ics", "/dav/sport/training/"} <= rows(alice, "/dav/", "infinity")
    assert rows(dora, "/dav/alice/", "infinity") == {"/dav/alice/"}
    assert ask(alice, "/dav/alice/", EXPAND, prop("owner"), depth="2").status == 400


def test_groups_that_contain_each_other_end_the_expansion(make_server: MakeServer) -> None:
    groups = '[group.a]\nmembers = ["alice", "bob"]\ngroups = ["b"]\n[group.b]\ngroups = ["a"]\nmembers = ["carol"]\n'
    server = make_server(groups=groups).start()
    alice = server.client("alice")
    alice.options("/dav/")
    before = server.tree()

    def nested(levels: int) -> str:
        return prop("group-member-set", nested(levels - 1)) if levels else prop("displayname")

    assert ask(alice, "/dav/a/", EXPAND, nested(10)).status == 207
    reply = ask(alice, "/dav/a/", EXPAND, nested(30))
    assert (reply.status, reply.condition) == (403, DAV.number_of_matches_within_limits)
    wide = prop("group-member-set", prop("group-member-set", prop("displayname") * 900) * 7)
    reply = ask(alice, "/dav/a/", EXPAND, wide)
    assert (reply.status, reply.condition) == (403, DAV.number_of_matches_within_limits)
    assert server.tree() == before


@pytest.mark.parametrize(
    "asked",
    [
        "<D:property/>",
        prop(""),
        prop("a b"),
        prop("x/&gt;&lt;y"),
        prop("1a"),
        prop("a:b"),
        prop("²"),
        prop("a", namespace="urn:}x"),
        prop("lang", namespace="http://www.w3.org/XML/1998/namespace"),
        prop("group-membership", prop("a b")),
    ],
)
def test_what_no_element_can_be_called_is_refused_with_a_sentence(alice: Dav, asked: str) -> None:
    reply = ask(alice, "/dav/alice/", EXPAND, asked)
    assert reply.status == 400
    assert len(reply.text) > 20


XML_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(name=XML_TEXT, namespace=XML_TEXT)
def test_any_name_gives_an_answer_that_can_be_read_or_a_refusal(association: Server, name: str, namespace: str) -> None:
    asked = prop(attribute(name), namespace=attribute(namespace))
    reply = ask(association.client("alice"), "/dav/alice/", EXPAND, asked)
    assert reply.status in (207, 400)
    if reply.status == 207:
        [row] = reply.multistatus().values()
        assert len(row.statuses) == 1


@pytest.mark.rfc("3253", "3.8")
def test_items_and_collections_expand_too(make_server: MakeServer) -> None:
    alice = make_server().start().client("alice")
    assert alice.put("/dav/alice/calendar/a.ics", event()).status == 201
    asked = prop("getetag") + prop("current-user-principal", prop("displayname"))
    for path in ("/dav/alice/calendar/a.ics", "/dav/alice/calendar/"):
        [row] = ask(alice, path, EXPAND, asked).multistatus().values()
        assert row.href == path
        assert expanded(row.props[DAV.current_user_principal])["/dav/alice/"].text(DAV.displayname) == "Alice"
        assert row.statuses[DAV.getetag] == (200 if path.endswith("ics") else 404)
