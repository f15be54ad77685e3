"""How clients come from a host's name or a principal to the collections: each of them once (docs/clients.md)."""

from __future__ import annotations

import pytest

from davserver.dav.names import CALDAV, CALSERVER, CARDDAV, DAV
from tests.harness import Dav, Row, Server
from tests.principals.conftest import ask

HOMES = {CALDAV.calendar: CALDAV.calendar_home_set, CARDDAV.addressbook: CARDDAV.addressbook_home_set}
RELATED = (DAV.group_membership, CALSERVER.calendar_proxy_read_for, CALSERVER.calendar_proxy_write_for)
EVERY_METHOD = ("OPTIONS", "GET", "HEAD", "PROPFIND", "REPORT", "PUT", "DELETE", "PROPPATCH", "MKCALENDAR", "MKCOL")
GUESSES = (
    "/principals/",
    "/principals/users/alice/",
    "/calendar/dav/alice/user/",
    "/addressbooks",
    "/caldav/",
    "/carddav",
    "/remote.php/dav/",
    "/dav.php/",
    "/.well-known/other",
    "/.well-known/caldav/more",
)


def follow(client: Dav, path: str, *names: str) -> tuple[str, Row]:
    """PROPFIND Depth 0, redirects followed with method and body; where it ended, and the one row."""
    reply = client.propfind(path, *names)
    if reply.status in (301, 302, 303, 307, 308):
        return follow(client, reply.headers["location"], *names)
    [row] = reply.multistatus().values()
    return path, row


def hrefs(row: Row, name: str) -> list[str]:
    return [href.text or "" for href in row.props[name].iter(DAV.href)] if name in row.props else []


def related_principals(client: Dav, principal: str) -> list[str]:
    """The principal itself and those that DAVx5 asks after it: groups and proxies, two levels deep."""
    found, level = [principal], [principal]
    for _ in range(2):
        rows = [client.propfind(each, DAV.displayname, *RELATED).multistatus()[each] for each in level]
        level = [href for row in rows for name in RELATED for href in hrefs(row, name) if href not in found]
        found += level
    return found


def collections(client: Dav, principal: str, kind: str) -> list[tuple[str, str]]:
    """What DAVx5 lists of a kind: each by its path, with the id of the resource."""
    found, homes = list[tuple[str, str]](), list[str]()
    for each in related_principals(client, principal):
        row = client.propfind(each, DAV.displayname, DAV.resourcetype, HOMES[kind], *RELATED).multistatus()[each]
        homes += hrefs(row, HOMES[kind])
    for home in homes:
        listed = client.propfind(home, DAV.resourcetype, DAV.resource_id, DAV.owner, depth="1").multistatus()
        found += [
            (path, hrefs(row, DAV.resource_id)[0])
            for path, row in listed.items()
            if row.props[DAV.resourcetype].find(kind) is not None
        ]
    return found


@pytest.mark.rfc("3744", "4.4")
@pytest.mark.rfc("4791", "6.2.1")
@pytest.mark.rfc("6352", "7.1.1")
def test_davx5_walks_over_groups_of_groups_and_finds_each_collection_once(alice: Dav, carol: Dav) -> None:
    assert related_principals(alice, "/dav/alice/") == ["/dav/alice/", "/dav/sport/", "/dav/association/"]
    found = {
        client.user: {kind: collections(client, f"/dav/{client.user}/", kind) for kind in HOMES}
        for client in (alice, carol)
    }
    for kinds in found.values():
        for each in kinds.values():
            assert len({path for path, _ in each}) == len({known for _, known in each}) == len(each)
    listed = {user: {path for each in kinds.values() for path, _ in each} for user, kinds in found.items()}
    mine = ("calendar", "tasks", "contacts", "open", "sport~training", "sport~board", "van~bookings")
    assert {f"/dav/alice/{name}/" for name in mine} <= listed["alice"]
    hers = ("calendar", "tasks", "contacts", "alice~open", "sport~board", "van~bookings")
    assert {f"/dav/carol/{name}/" for name in hers} <= listed["carol"]
    assert "/dav/carol/sport~training/" not in listed["carol"]


def test_a_group_s_home_leads_nowhere_even_for_its_members(alice: Dav) -> None:
    for path in ("/dav/sport/", "/dav/van/", "/dav/association/"):
        row = alice.propfind(path, *HOMES.values()).multistatus()[path]
        assert set(row.statuses.values()) == {404}


def test_davx5_takes_the_account_s_address_and_the_services_from_the_principal(alice: Dav) -> None:
    _, row = follow(alice, "/.well-known/carddav", DAV.current_user_principal)
    [principal] = hrefs(row, DAV.current_user_principal)
    for service in ("calendar-access", "addressbook"):
        assert service in alice.options(principal).headers["dav"]
    row = alice.propfind(principal, CALDAV.calendar_user_address_set).multistatus()[principal]
    assert hrefs(row, CALDAV.calendar_user_address_set)[0] == "mailto:alice@example.org"


@pytest.mark.rfc("6764", "6")
@pytest.mark.parametrize("begin", ["/.well-known/caldav", "/.well-known/carddav", "/.well-known/caldav/", "/", "/dav/"])
def test_every_beginning_leads_to_the_principal_after_signing_in(association: Server, alice: Dav, begin: str) -> None:
    anonymous = association.client().propfind(begin, DAV.current_user_principal)
    assert anonymous.status in (301, 401)
    _, row = follow(alice, begin, DAV.resourcetype, DAV.current_user_principal)
    assert hrefs(row, DAV.current_user_principal) == ["/dav/alice/"]


@pytest.mark.rfc("6764", "5")
@pytest.mark.parametrize("service", ["caldav", "carddav"])
def test_the_redirect_is_not_kept_by_caches_and_leads_every_method_on(association: Server, service: str) -> None:
    anonymous = association.client()
    for method in EVERY_METHOD:
        reply = anonymous.request(method, f"/.well-known/{service}", b"x" if method in ("PUT", "REPORT") else None)
        assert (reply.status, reply.headers["location"]) == (301, "/dav/")
        assert reply.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", GUESSES)
def test_where_nothing_is_every_method_says_so(association: Server, alice: Dav, path: str) -> None:
    before = association.tree()
    for client in (association.client(), alice):
        for method in EVERY_METHOD:
            body = '<D:propfind xmlns:D="DAV:"><D:allprop/></D:propfind>' if method == "PROPFIND" else None
            assert (method, client.request(method, path, body, {"Depth": "0"}).status) == (method, 404)
    assert association.tree() == before


def test_at_the_root_the_questions_of_discovery_are_answered_or_ask_to_sign_in(association: Server, alice: Dav) -> None:
    anonymous = association.client()
    for method, status in (("OPTIONS", 200), ("GET", 200), ("HEAD", 200), ("PROPFIND", 401), ("REPORT", 401)):
        assert (method, anonymous.request(method, "/", headers={"Depth": "0"}).status) == (method, status)
    asked = "<D:prop><D:principal-URL/></D:prop>"
    rows = ask(alice, "/", "principal-property-search", asked).multistatus()
    assert hrefs(rows["/dav/bob/"], DAV.principal_URL) == ["/dav/bob/"]
    assert ask(alice, "/", "principal-search-property-set").status == 200


def test_apple_contacts_and_calendar_read_the_own_principal(alice: Dav) -> None:
    headers = {"Brief": "t", "Prefer": "return=minimal", "Content-Type": "text/xml"}
    _, row = follow(alice, "/.well-known/caldav", DAV.current_user_principal, DAV.principal_URL, DAV.resourcetype)
    [principal] = hrefs(row, DAV.current_user_principal)
    there = (
        CALDAV.calendar_home_set,
        CARDDAV.addressbook_home_set,
        CALDAV.calendar_user_address_set,
        DAV.current_user_principal,
        DAV.displayname,
        CALSERVER.email_address_set,
        DAV.principal_collection_set,
        DAV.principal_URL,
        DAV.supported_report_set,
    )
    absent = (CALSERVER("notification-URL"), CARDDAV.principal_address, CALSERVER("dropbox-home-URL"))
    row = alice.propfind(principal, *there, *absent, headers=headers).multistatus()[principal]
    assert set(row.statuses) == set(there)
    [collection] = hrefs(row, DAV.principal_collection_set)
    reply = alice.report(collection, '<A:principal-search-property-set xmlns:A="DAV:"/>', headers=headers)
    assert (reply.status, reply.xml.tag) == (200, DAV.principal_search_property_set)


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        (CALDAV.calendar, (CALDAV.calendar_home_set, CALDAV.calendar_user_address_set)),
        (CARDDAV.addressbook, (CARDDAV.addressbook_home_set,)),
    ],
)
def test_evolution_and_thunderbird_begin_at_the_root(alice: Dav, kind: str, asked: tuple[str, ...]) -> None:
    _, row = follow(alice, "/", DAV.resourcetype, DAV.current_user_principal, DAV.principal_URL, *asked)
    assert hrefs(row, DAV.current_user_principal) == hrefs(row, DAV.principal_URL) == ["/dav/alice/"]
    assert {row.statuses[name] for name in asked} == {404}
    _, principal = follow(alice, "/dav/alice/", DAV.resourcetype, *asked)
    [home] = hrefs(principal, HOMES[kind])
    listed = alice.propfind(home, DAV.resourcetype, DAV.displayname, CALSERVER.source, depth="1").multistatus()
    assert [path for path, row in listed.items() if row.props[DAV.resourcetype].find(kind) is not None]
    for depth in ("0", "1"):  # Thunderbird looks for files of the root meanwhile
        rows = alice.propfind("/", DAV.getcontenttype, DAV.resourcetype, depth=depth).multistatus()
        assert {row.statuses[DAV.getcontenttype] for row in rows.values()} == {404}
