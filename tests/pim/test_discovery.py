"""How a client that knows a host's name finds calendars and books."""

from __future__ import annotations

import pytest

from davserver.dav.names import CALDAV, CALSERVER, CARDDAV, DAV
from tests.conftest import MakeServer
from tests.harness import Dav, Server
from tests.pim.samples import event


def hrefs(reply_row: object, name: str) -> list[str]:
    """The texts of the hrefs in a property."""
    element = reply_row.props[name]  # type: ignore[attr-defined]
    return [href.text or "" for href in element.iter(DAV.href)]


@pytest.mark.rfc("6764", "5")
@pytest.mark.parametrize("service", ["caldav", "carddav"])
def test_the_well_known_address_leads_to_dav(mine: Dav, service: str) -> None:
    reply = mine.propfind(f"/.well-known/{service}", DAV.current_user_principal)
    assert (reply.status, reply.headers["location"]) == (301, "/dav/")


@pytest.mark.rfc("5397", "3")
def test_dav_names_the_principal_that_is_signed_in(mine: Dav) -> None:
    row = mine.propfind("/dav/", DAV.current_user_principal, DAV.principal_collection_set).multistatus()["/dav/"]
    assert hrefs(row, DAV.current_user_principal) == ["/dav/alice/"]
    assert hrefs(row, DAV.principal_collection_set) == ["/dav/"]


@pytest.mark.rfc("4791", "6.2.1")
@pytest.mark.rfc("6352", "7.1.1")
@pytest.mark.rfc("3744", "4.2")
def test_a_member_s_principal_leads_to_the_home_and_its_address(mine: Dav) -> None:
    row = mine.propfind(
        "/dav/alice/",
        CALDAV.calendar_home_set,
        CARDDAV.addressbook_home_set,
        DAV.principal_URL,
        CALDAV.calendar_user_address_set,
        DAV.displayname,
    ).multistatus()["/dav/alice/"]
    assert hrefs(row, CALDAV.calendar_home_set) == ["/dav/alice/"]
    assert hrefs(row, CARDDAV.addressbook_home_set) == ["/dav/alice/"]
    assert hrefs(row, DAV.principal_URL) == ["/dav/alice/"]
    assert hrefs(row, CALDAV.calendar_user_address_set) == ["mailto:alice@example.org", "/dav/alice/"]
    assert row.text(DAV.displayname) == "Alice"


@pytest.mark.rfc("3744", "4.4")
def test_groups_and_resources_have_no_home_set_so_that_nothing_stands_twice_on_a_phone(mine: Dav) -> None:
    row = mine.propfind("/dav/alice/", DAV.group_membership).multistatus()["/dav/alice/"]
    assert hrefs(row, DAV.group_membership) == ["/dav/sport/"]
    for name in ("/dav/sport/", "/dav/van/"):
        row = mine.propfind(
            name, CALDAV.calendar_home_set, CARDDAV.addressbook_home_set, CALDAV.calendar_user_type, DAV.resourcetype
        ).multistatus()[name]
        assert row.statuses[CALDAV.calendar_home_set] == row.statuses[CARDDAV.addressbook_home_set] == 404
        assert row.props[DAV.resourcetype].find(DAV.principal) is not None


def test_proxies_are_present_and_empty(mine: Dav) -> None:
    names = (CALSERVER.calendar_proxy_read_for, CALSERVER.calendar_proxy_write_for)
    row = mine.propfind("/dav/alice/", *names).multistatus()["/dav/alice/"]
    assert [len(row.props[name]) for name in names] == [0, 0]


@pytest.mark.rfc("4791", "5.1")
@pytest.mark.rfc("6352", "6.1")
@pytest.mark.parametrize("path", ["/dav/", "/dav/alice/", "/dav/sport/", "/dav/alice/calendar/", "/dav/alice/none"])
def test_every_path_announces_the_classes_with_1_first_and_no_locks(mine: Dav, path: str) -> None:
    reply = mine.options(path)
    assert reply.status == 200
    assert reply.headers["dav"] == (
        "1, 3, access-control, calendar-access, addressbook, extended-mkcol, calendar-availability"
    )
    assert "LOCK" not in reply.headers["allow"]


def test_locks_are_not_offered(mine: Dav, calendar: str) -> None:
    for reply in (mine.lock(calendar + "a.ics"), mine.unlock(calendar + "a.ics", "urn:x")):
        assert reply.status == 405
        assert "PROPFIND" in reply.headers["allow"]
    assert mine.get(calendar + "a.ics").status == 404


def test_a_member_s_first_sign_in_finds_a_calendar_a_task_list_and_an_address_book(server: Server) -> None:
    rows = (
        server.client("bob")
        .propfind("/dav/bob/", DAV.resourcetype, DAV.displayname, CALDAV.supported_calendar_component_set, depth="1")
        .multistatus()
    )
    assert set(rows) == {"/dav/bob/", "/dav/bob/calendar/", "/dav/bob/tasks/", "/dav/bob/contacts/"}
    assert rows["/dav/bob/contacts/"].props[DAV.resourcetype].find(CARDDAV.addressbook) is not None
    components = {
        name: [comp.get("name") for comp in rows[f"/dav/bob/{name}/"].props[CALDAV.supported_calendar_component_set]]
        for name in ("calendar", "tasks")
    }
    assert components == {"calendar": ["VEVENT"], "tasks": ["VTODO"]}


def test_what_was_made_at_the_first_sign_in_and_deleted_does_not_come_back(server: Server) -> None:
    bob = server.client("bob")
    for name in ("calendar", "tasks", "contacts"):
        assert bob.delete(f"/dav/bob/{name}/").status == 204
    server.restart()
    assert set(bob.propfind("/dav/bob/", DAV.resourcetype, depth="1").multistatus()) == {"/dav/bob/"}


def test_the_first_collections_are_named_in_the_configured_language(make_server: MakeServer) -> None:
    server = make_server()
    server.config.write_text('language = "fr"\n' + server.config.read_text())
    rows = server.start().client("bob").propfind("/dav/bob/", DAV.displayname, depth="1").multistatus()
    assert {row.text(DAV.displayname) for row in rows.values()} == {"Bob", "Agenda", "Tâches", "Contacts"}


def test_groups_are_not_given_collections(mine: Dav, shared: Server) -> None:
    mine.propfind("/dav/board/", DAV.resourcetype, depth="1")
    assert not (shared.data / "collections/collection-root/board").exists()


@pytest.mark.rfc("3744", "9.4")
def test_a_principal_is_found_by_part_of_its_name_or_address(mine: Dav) -> None:
    body = (
        '<D:principal-property-search xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:property-search>'
        "<D:prop>{}</D:prop><D:match>{}</D:match></D:property-search><D:prop><D:displayname/></D:prop>"
        "</D:principal-property-search>"
    )
    by_name = mine.report("/dav/", body.format("<D:displayname/>", "CARO"))
    by_mail = mine.report("/dav/", body.format("<C:calendar-user-address-set/>", "carol@"))
    assert list(by_name.multistatus()) == list(by_mail.multistatus()) == ["/dav/carol/"]
    from_the_root = mine.report("/", body.format("<D:displayname/>", "caro"))
    assert list(from_the_root.multistatus()) == ["/dav/carol/"]


@pytest.mark.rfc("3744", "9.4")
def test_a_search_without_a_condition_finds_all_principals(mine: Dav) -> None:
    body = '<D:principal-property-search xmlns:D="DAV:"><D:prop><D:displayname/></D:prop></D:principal-property-search>'
    assert {"/dav/alice/", "/dav/sport/", "/dav/van/"} <= set(mine.report("/dav/", body).multistatus())


def test_a_home_is_found_by_the_account_s_name_in_any_case(club: Server) -> None:
    carol = club.client("carol")
    rows = carol.propfind("/dav/Carol/", DAV.principal_URL, depth="1").multistatus()
    assert {"/dav/Carol/", "/dav/Carol/calendar/"} <= set(rows)
    assert hrefs(rows["/dav/Carol/"], DAV.principal_URL) == ["/dav/carol/"]
    assert carol.put("/dav/CAROL/calendar/a.ics", event()).status == 201
    assert carol.get("/dav/carol/calendar/a.ics").status == 200
    assert carol.move("/dav/Carol/calendar/a.ics", "/dav/carol/calendar/a.ics").status == 403
    assert carol.mkcalendar("/dav/Carol/more/").status == 201
    assert not (club.data / "collections/collection-root/Carol").exists()
    assert (club.data / "collections/collection-root/carol/more").is_dir()


@pytest.mark.rfc("3253", "3.8")
def test_expand_property_puts_the_group_in_the_place_of_its_href(mine: Dav) -> None:
    reply = mine.report(
        "/dav/alice/",
        '<D:expand-property xmlns:D="DAV:"><D:property name="group-membership"><D:property name="displayname"/>'
        "</D:property></D:expand-property>",
    )
    membership = reply.multistatus()["/dav/alice/"].props[DAV.group_membership]
    assert [href.text for href in membership.iter(DAV.href)] == ["/dav/sport/"]


def test_an_expansion_that_multiplies_is_refused_by_name(mine: Dav) -> None:
    leaves = '<D:property name="displayname"/>' * 200
    members = f'<D:property name="group-member-set">{leaves}</D:property>' * 60
    asked = f'<D:property name="group-membership">{members}</D:property>'
    reply = mine.report("/dav/alice/", f'<D:expand-property xmlns:D="DAV:">{asked}</D:expand-property>')
    assert (reply.status, reply.condition) == (403, DAV.number_of_matches_within_limits)


def test_a_principal_that_does_not_exist_is_404(mine: Dav) -> None:
    assert mine.propfind("/dav/nobody/", DAV.displayname).status == 404


def test_without_credentials_every_method_asks_for_them(shared: Server, calendar: str) -> None:
    anonymous = shared.client()
    for method in ("OPTIONS", "PROPFIND", "REPORT", "GET", "PUT", "DELETE", "MKCALENDAR", "MOVE"):
        reply = anonymous.request(method, calendar)
        assert (method, reply.status) == (method, 401)
        assert reply.headers["www-authenticate"].startswith("Basic realm=")
