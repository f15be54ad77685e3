"""The reports about principals at ``/files/`` (RFC 3744 §9), with the answers that ``/dav/`` gives."""

from __future__ import annotations

import pytest

from davserver.dav.names import DAV
from tests.files.conftest import made
from tests.harness import Dav, Reply, Server

XML = {"Content-Type": "application/xml", "Depth": "0"}
EVERY = (
    DAV.expand_property,
    DAV.principal_property_search,
    DAV.principal_search_property_set,
    DAV.principal_match,
    DAV.acl_principal_prop_set,
)


def ask(client: Dav, path: str, name: str, inner: str, depth: str = "0") -> Reply:
    return client.request("REPORT", path, f'<D:{name} xmlns:D="DAV:">{inner}</D:{name}>', XML | {"Depth": depth})


@pytest.mark.rfc("3744", "9")
def test_every_report_that_access_control_asks_for_is_announced(alice: Dav, sport: str) -> None:
    assert alice.put(f"{sport}/plan.txt", "x").status == 201
    for path in (f"{sport}/", f"{sport}/plan.txt"):
        reply = alice.options(path)
        assert "access-control" in reply.headers["dav"]
        assert "REPORT" in reply.headers["allow"].split(", ")
        told = alice.propfind(path, DAV.supported_report_set, DAV.supported_live_property_set, depth="0").multistatus()
        names = {element.tag for element in told[path].props[DAV.supported_report_set].iter()}
        assert names >= set(EVERY)
        assert (DAV.sync_collection in names) is path.endswith("/")
        live = {element.tag for element in told[path].props[DAV.supported_live_property_set].iter()}
        assert live >= {DAV.acl, DAV.owner, DAV.getetag, DAV.current_user_privilege_set}


@pytest.mark.rfc("3744", "9.4")
@pytest.mark.rfc("3744", "9.5")
def test_principals_are_searched_as_at_dav(alice: Dav, sport: str) -> None:
    search = (
        "<D:property-search><D:prop><D:displayname/></D:prop><D:match>ob</D:match></D:property-search>"
        "<D:prop><D:displayname/></D:prop>"
    )
    everywhere = search + "<D:apply-to-principal-collection-set/>"
    assert list(ask(alice, sport, "principal-property-search", everywhere).multistatus()) == ["/dav/bob/"]
    assert ask(alice, sport, "principal-property-search", search).multistatus() == {}
    here, there = (ask(alice, path, "principal-search-property-set", "") for path in (sport, "/dav/"))
    assert here.body == there.body


@pytest.mark.rfc("3744", "9.2")
def test_who_is_named_in_the_rules_is_told_to_those_who_may_see_them(
    alice: Dav, carol: Dav, led: str, cloud: Server
) -> None:
    assert alice.put(f"{led}/plan.txt", "x").status == 201
    prop = "<D:prop><D:displayname/></D:prop>"
    for path in (f"{led}/", f"{led}/plan.txt"):
        rows = ask(carol, path, "acl-principal-prop-set", prop).multistatus()
        assert set(rows) == {"/dav/carol/", "/dav/sport/"}
        refused = ask(alice, path, "acl-principal-prop-set", prop)
        assert (refused.status, refused.condition) == (403, DAV.need_privileges)


@pytest.mark.rfc("3744", "9.3")
def test_what_is_one_s_own_is_found_by_its_owner(alice: Dav, bob: Dav, home: str) -> None:
    made(alice, f"{home}/sub")
    assert alice.put(f"{home}/sub/file", "x").status == 201
    owned = "<D:principal-property><D:owner/></D:principal-property><D:prop><D:owner/></D:prop>"
    assert f"{home}/sub/" in ask(alice, home, "principal-match", owned).multistatus()
    assert ask(alice, home, "principal-match", "<D:self/>").multistatus() == {}
    assert ask(alice, home, "principal-match", "").status == 400
    assert ask(alice, home, "principal-match", owned, depth="1").status == 400
    assert ask(bob, "/files/Sport/", "principal-match", owned).multistatus() == {}


@pytest.mark.rfc("3253", "3.8")
def test_properties_are_expanded_to_the_principals_that_they_name(alice: Dav, home: str) -> None:
    made(alice, f"{home}/sub")
    asked = (
        '<D:property name="owner"><D:property name="displayname"/></D:property>'
        '<D:property name="current-user-principal"><D:property name="displayname"/></D:property>'
        '<D:property name="nothing"/>'
    )
    rows = ask(alice, home, "expand-property", asked, depth="1")
    assert rows.status == 207
    assert rows.text.count("<D:displayname>Alice</D:displayname>") == 4
    assert list(rows.multistatus())[:1] == [f"{home}/"]
    assert "<D:nothing/>" in rows.text
    assert f"{home}/sub/" in rows.text


def test_a_report_of_something_hidden_is_404(bob: Dav, home: str) -> None:
    path = home.replace("/files/Home", "/files/Members/alice")
    for name, inner in (("principal-match", "<D:self/>"), ("expand-property", ""), ("principal-property-search", "")):
        assert ask(bob, path, name, inner).status == 404
