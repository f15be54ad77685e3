"""What a principal tells of itself, to whom (RFC 3744 §4)."""

from __future__ import annotations

import pytest

from davserver.dav.names import CALDAV, CALSERVER, CARDDAV, DAV
from tests.conftest import MakeServer
from tests.harness import NAMESPACES, Dav, Row, Server
from tests.pim.samples import sync

OF_ITSELF = (DAV.sync_token, CALSERVER.getctag, CALDAV.calendar_home_set, CARDDAV.addressbook_home_set)
NOTE = "{urn:x}note"
EVERYONE = ("alice", "bob", "carol", "dora", "sport", "board", "association", "van", "hall")


def row_of(client: Dav, path: str, *names: str) -> Row:
    return client.propfind(path, *names).multistatus()[path]


def hrefs(row: Row, name: str) -> list[str]:
    return [href.text or "" for href in row.props[name]]


@pytest.mark.rfc("3744", "4")
@pytest.mark.parametrize(
    ("name", "title"), [("alice", "Alice"), ("sport", "Sports section"), ("board", "board"), ("hall", "Großer Saal")]
)
def test_every_principal_has_a_name_and_says_that_it_is_one(dora: Dav, name: str, title: str) -> None:
    row = row_of(dora, f"/dav/{name}/", DAV.displayname, DAV.resourcetype)
    assert row.text(DAV.displayname) == title
    assert {kind.tag for kind in row.props[DAV.resourcetype]} == {DAV.collection, DAV.principal}


@pytest.mark.rfc("3744", "4.1")
@pytest.mark.rfc("3744", "4.2")
@pytest.mark.parametrize("name", EVERYONE)
def test_a_principal_names_its_url_and_has_no_other(dora: Dav, name: str) -> None:
    path = f"/dav/{name}/"
    row = row_of(dora, path, DAV.principal_URL, DAV.alternate_URI_set)
    assert hrefs(row, DAV.principal_URL) == [path]
    assert len(row.props[DAV.alternate_URI_set]) == 0


@pytest.mark.rfc("3744", "4.3")
@pytest.mark.rfc("3744", "4.4")
def test_membership_is_told_from_both_ends_and_one_level_at_a_time(dora: Dav) -> None:
    names = (DAV.group_member_set, DAV.group_membership)
    found = {name: row_of(dora, f"/dav/{name}/", *names) for name in EVERYONE}
    members = {
        name: hrefs(row, DAV.group_member_set) for name, row in found.items() if DAV.group_member_set in row.props
    }
    groups = {name: hrefs(row, DAV.group_membership) for name, row in found.items()}
    assert members == {
        "sport": ["/dav/alice/", "/dav/bob/", "/dav/van/"],
        "board": ["/dav/carol/"],
        "association": ["/dav/board/", "/dav/sport/"],
    }
    assert {name for name, above in groups.items() if above == ["/dav/sport/"]} == {"alice", "bob", "van"}
    assert groups["carol"] == ["/dav/board/"]
    assert groups["sport"] == groups["board"] == ["/dav/association/"]
    assert groups["dora"] == groups["hall"] == groups["association"] == []


@pytest.mark.rfc("3744", "4.3")
@pytest.mark.parametrize("name", ["alice", "van", "hall"])
def test_who_is_no_group_has_no_property_of_members(dora: Dav, name: str) -> None:
    assert row_of(dora, f"/dav/{name}/", DAV.group_member_set).statuses == {DAV.group_member_set: 404}


@pytest.mark.rfc("6638", "2.4.2")
@pytest.mark.parametrize(
    ("name", "kind"), [("alice", "INDIVIDUAL"), ("sport", "GROUP"), ("hall", "ROOM"), ("van", "RESOURCE")]
)
def test_the_calendar_user_type_tells_people_groups_rooms_and_vehicles_apart(dora: Dav, name: str, kind: str) -> None:
    assert row_of(dora, f"/dav/{name}/", CALDAV.calendar_user_type).text(CALDAV.calendar_user_type) == kind


@pytest.mark.rfc("6638", "2.4.1")
@pytest.mark.parametrize(
    ("name", "addresses"),
    [
        ("alice", ["mailto:alice@example.org"]),
        ("van", ["mailto:van@example.org", "mailto:bus@example.org"]),
        ("hall", []),
    ],
)
def test_the_addresses_begin_with_the_mail_addresses_and_end_with_the_principal(
    dora: Dav, name: str, addresses: list[str]
) -> None:
    row = row_of(dora, f"/dav/{name}/", CALDAV.calendar_user_address_set, CALSERVER.email_address_set)
    assert hrefs(row, CALDAV.calendar_user_address_set) == [*addresses, f"/dav/{name}/"]
    mail = row.props[CALSERVER.email_address_set]
    assert [(each.tag, f"mailto:{each.text}") for each in mail] == [
        (CALSERVER.email_address, address) for address in addresses
    ]


@pytest.mark.rfc("6638", "2.4.1")
def test_an_address_stands_in_the_form_of_a_uri(make_server: MakeServer) -> None:
    groups = '[resource.hall]\nmail = ["größe%1@exämple.org", "a+b@example.org"]'
    server = make_server(groups=groups).start()
    row = row_of(server.client("alice"), "/dav/hall/", CALDAV.calendar_user_address_set, CALSERVER.email_address_set)
    assert hrefs(row, CALDAV.calendar_user_address_set)[:2] == [
        "mailto:gr%C3%B6%C3%9Fe%251@ex%C3%A4mple.org",
        "mailto:a+b@example.org",
    ]
    assert row.props[CALSERVER.email_address_set][0].text == "größe%1@exämple.org"


@pytest.mark.parametrize("name", EVERYONE)
def test_proxies_are_there_and_empty_for_everybody(dora: Dav, name: str) -> None:
    proxies = (CALSERVER.calendar_proxy_read_for, CALSERVER.calendar_proxy_write_for)
    row = row_of(dora, f"/dav/{name}/", *proxies)
    assert [len(row.props[proxy]) for proxy in proxies] == [0, 0]


@pytest.mark.parametrize("name", ["all-users", "world", "nobody"])
def test_what_is_built_in_is_no_principal_with_a_url(dora: Dav, name: str) -> None:
    assert dora.propfind(f"/dav/{name}/", DAV.displayname).status == 404


@pytest.mark.rfc("3744", "4")
@pytest.mark.rfc("4791", "6.2.1")
@pytest.mark.rfc("6638", "2.4.1")
def test_an_allprop_leaves_out_what_only_principals_have(alice: Dav) -> None:
    [row] = alice.propfind("/dav/alice/").multistatus().values()
    assert set(row.props) == {DAV.resourcetype, DAV.displayname, NOTE}


@pytest.mark.parametrize("hidden", [*OF_ITSELF, NOTE, DAV.quota_used_bytes, DAV.quota_available_bytes])
def test_a_stranger_is_not_told_what_a_home_is_like(dora: Dav, alice: Dav, hidden: str) -> None:
    assert row_of(dora, "/dav/alice/", hidden, DAV.displayname).statuses == {hidden: 404, DAV.displayname: 200}
    if "quota" not in hidden:
        assert row_of(alice, "/dav/alice/", hidden).statuses == {hidden: 200}


def test_neither_allprop_nor_propname_tells_a_stranger_more(dora: Dav, alice: Dav) -> None:
    body = f"<D:propfind {NAMESPACES}><D:propname/></D:propfind>"
    for client, is_told in ((dora, False), (alice, True)):
        named = client.propfind("/dav/alice/", body=body).multistatus()["/dav/alice/"].props.keys()
        assert {name in named for name in (*OF_ITSELF, NOTE)} == {is_told}
        assert (NOTE in client.propfind("/dav/alice/").multistatus()["/dav/alice/"].props) is is_told
        assert DAV.principal_URL in named
        assert DAV.group_member_set not in named


def test_a_stranger_finds_nothing_in_a_home_by_any_method(dora: Dav, association: Server) -> None:
    before = association.tree()
    assert list(dora.propfind("/dav/alice/", DAV.displayname, depth="1").multistatus()) == ["/dav/alice/"]
    assert dora.get("/dav/alice/").body == b""
    reports = row_of(dora, "/dav/alice/", DAV.supported_report_set).props[DAV.supported_report_set]
    assert reports.find(f".//{DAV.expand_property}") is not None
    assert reports.find(f".//{DAV.sync_collection}") is None
    reply = dora.report("/dav/alice/", sync())
    assert (reply.status, reply.condition) == (403, DAV.need_privileges)
    for reply in (
        dora.proppatch("/dav/alice/", {NOTE: "mine"}),
        dora.delete("/dav/alice/"),
        dora.mkcalendar("/dav/alice/new/"),
        dora.put("/dav/alice/a.ics", b"x"),
    ):
        assert reply.status in (403, 404, 405, 409)
    assert association.tree() == before


def test_whom_a_calendar_is_opened_to_sees_that_and_no_more_of_the_home(carol: Dav) -> None:
    rows = carol.propfind("/dav/alice/", DAV.displayname, *OF_ITSELF, NOTE, depth="1").multistatus()
    assert set(rows) == {"/dav/alice/", "/dav/alice/open/"}
    home = rows["/dav/alice/"]
    assert {name: home.statuses[name] for name in (*OF_ITSELF, NOTE)} == {**dict.fromkeys(OF_ITSELF, 200), NOTE: 404}
    found = carol.report("/dav/alice/", sync(props="<D:displayname/>")).multistatus()
    assert set(found) == {"/dav/alice/open/"}


def test_of_all_homes_only_those_are_listed_in_which_something_may_be_seen(dora: Dav, carol: Dav) -> None:
    assert set(dora.propfind("/dav/", DAV.displayname, depth="1").multistatus()) == {
        "/dav/",
        "/dav/dora/",
        "/dav/sport/",  # a calendar in it is open to everybody
    }
    listed = carol.propfind("/dav/", DAV.displayname, depth="1").multistatus()
    assert {"/dav/carol/", "/dav/alice/", "/dav/sport/", "/dav/van/"} <= set(listed)
    assert not {"/dav/bob/", "/dav/dora/"} & set(listed)


@pytest.mark.rfc("5397", "3")
@pytest.mark.rfc("3744", "5.8")
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/dav/",
        "/dav/carol/",
        "/dav/alice/",
        "/dav/sport/",
        "/dav/alice/open/",
        "/dav/carol/alice~open/",
        "/dav/alice/open/a.ics",
        "/files/",
        "/files/Home/",
    ],
)
def test_everything_names_the_principal_that_is_signed_in_and_where_principals_are(carol: Dav, path: str) -> None:
    row = row_of(carol, path, DAV.current_user_principal, DAV.principal_collection_set)
    assert hrefs(row, DAV.current_user_principal) == ["/dav/carol/"]
    assert hrefs(row, DAV.principal_collection_set) == ["/dav/"]


@pytest.mark.rfc("6764", "7")
@pytest.mark.parametrize("path", ["/", "/dav/", "/dav/alice/", "/dav/alice/open/", "/files/"])
def test_without_credentials_a_propfind_is_asked_for_them(association: Server, path: str) -> None:
    reply = association.client().propfind(path, DAV.current_user_principal, DAV.displayname)
    assert reply.status == 401
    assert reply.headers["www-authenticate"].startswith("Basic ")


def test_a_home_whose_account_is_gone_is_a_principal_of_no_type_without_groups(make_server: MakeServer) -> None:
    server = make_server(access='[[rule]]\npath = "/dav/gone"\nwho = ["all-users"]\nmay = ["read"]\n')
    (server.data / "collections/collection-root/gone").mkdir(parents=True)
    names = (DAV.displayname, DAV.principal_URL, DAV.group_membership, CALSERVER.email_address_set)
    none = (DAV.group_member_set, CALDAV.calendar_user_type, CALDAV.calendar_home_set)
    row = row_of(server.start().client("dora"), "/dav/gone/", *names, *none, CALDAV.calendar_user_address_set)
    assert {row.statuses[name] for name in names} == {200}
    assert {row.statuses[name] for name in none} == {404}
    assert row.text(DAV.displayname) == "gone"
    assert hrefs(row, CALDAV.calendar_user_address_set) == ["/dav/gone/"]
