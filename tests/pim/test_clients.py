"""What calendar and contact clients send, in the order they send it (docs/clients.md), and what each needs back."""

from __future__ import annotations

import pytest

from davserver.dav.names import APPLE, CALDAV, CALSERVER, CARDDAV, DAV
from tests.conftest import MakeServer
from tests.harness import NAMESPACES, Dav, Row, Server
from tests.pim.samples import busy, card, event, journal, mkcol, multiget, query, sync, task

HOME = "/dav/alice/"
PUSH = "{https://bitfire.at/webdav-push}"


@pytest.fixture
def club(make_server: MakeServer) -> Server:
    """Alice's van is everybody's to see, and the sports group has a calendar."""
    access = '[[rule]]\npath = "/dav/van"\nwho = ["all-users"]\nmay = ["read"]\n'
    access += '[[rule]]\npath = "/dav/sport"\nwho = ["sport"]\nmay = ["read", "create", "write", "delete"]\n'
    return make_server(access=access).start()


@pytest.fixture
def alice(club: Server) -> Dav:
    root = club.data / "collections/collection-root"
    for owner in ("van", "sport"):
        (root / owner / "calendar").mkdir(parents=True, exist_ok=True)
        (root / owner / "calendar/.Radicale.props").write_text('{"tag": "VCALENDAR"}')
    return club.client("alice")


def follow(client: Dav, path: str, *names: str) -> tuple[str, Row]:
    """PROPFIND Depth 0, redirects followed with method and body; where it ended, and the one row."""
    reply = client.propfind(path, *names)
    if reply.status in (301, 302, 307, 308):
        return follow(client, reply.headers["location"], *names)
    [row] = reply.multistatus().values()
    return path, row


def href_in(row: Row, name: str) -> list[str]:
    """The hrefs in a property that came with 200."""
    return [href.text or "" for href in row.props[name].iter(DAV.href)] if name in row.props else []


def events_between(start: str, end: str) -> str:
    """A comp-filter for the events of a time range."""
    return f'<C:comp-filter name="VEVENT"><C:time-range start="{start}" end="{end}"/></C:comp-filter>'


def kinds(row: Row) -> set[str]:
    return {child.tag for child in row.props[DAV.resourcetype]}


def held(row: Row) -> set[str]:
    return {privilege[0].tag for privilege in row.props[DAV.current_user_privilege_set]}


def test_thunderbird_finds_a_calendar_and_synchronises_it(club: Server, alice: Dav) -> None:
    wanted = (DAV.resourcetype, DAV.owner, DAV.displayname, DAV.current_user_principal, CALDAV.calendar_home_set)
    assert alice.request("PUT", "/", b"", {"If-Match": "nothing"}).status in (403, 405, 412)
    anonymous = club.client()
    assert anonymous.propfind("/.well-known/caldav", *wanted).status == 301
    assert anonymous.propfind("/dav/", *wanted).status == 401
    _, row = follow(alice, "/.well-known/caldav", *wanted)
    [principal] = href_in(row, DAV.current_user_principal)
    [home] = href_in(follow(alice, principal, CALDAV.calendar_home_set)[1], CALDAV.calendar_home_set)
    listed = (DAV.resourcetype, DAV.displayname, DAV.current_user_privilege_set, APPLE.calendar_color)
    rows = alice.propfind(home, *listed, depth="1").multistatus()
    calendars = {path for path, row in rows.items() if CALDAV.calendar in kinds(row)}
    assert calendars == {HOME + name for name in ("calendar/", "tasks/", "van~calendar/", "sport~calendar/")}
    assert {path for path in calendars if not held(rows[path]) & {DAV.write, DAV.write_content, DAV.all}} == {
        HOME + "van~calendar/"
    }
    assert anonymous.options(home).status == 401
    assert alice.options(home).headers["dav"].startswith("1,")
    used = (DAV.supported_report_set, CALDAV.supported_calendar_component_set, CALSERVER.getctag)
    row = alice.propfind(HOME + "calendar/", *used).multistatus()[HOME + "calendar/"]
    assert row.props[DAV.supported_report_set].find(f".//{DAV.sync_collection}") is not None
    item = HOME + "calendar/u1.ics"
    etag = alice.put(item, event(), {"If-None-Match": "*", "Content-Type": "text/calendar; charset=utf-8"}).etag
    found = alice.report(HOME + "calendar/", sync(props="<D:getcontenttype/><D:getetag/>"), depth="1").multistatus()
    assert (found[item].text(DAV.getetag), found[item].text(DAV.getcontenttype)) == (
        etag,
        "text/calendar; charset=utf-8; component=VEVENT",
    )
    data = alice.report(HOME + "calendar/", multiget(item), depth="1").multistatus()[item]
    assert "UID:u1" in (data.text(CALDAV.calendar_data) or "")
    assert alice.put(item, event(summary="By the other"), {"If-Match": etag}).status == 204
    assert alice.put(item, event(summary="Stale"), {"If-Match": etag}).status == 412
    assert alice.put(item, event(summary="Overwritten on purpose")).status == 204


def test_thunderbird_keeps_an_address_book(alice: Dav) -> None:
    _, row = follow(alice, "/.well-known/carddav", DAV.current_user_principal)
    [principal] = href_in(row, DAV.current_user_principal)
    [home] = href_in(follow(alice, principal, CARDDAV.addressbook_home_set)[1], CARDDAV.addressbook_home_set)
    rows = alice.propfind(home, DAV.resourcetype, DAV.displayname, depth="1").multistatus()
    [book] = [path for path, row in rows.items() if CARDDAV.addressbook in kinds(row)]
    item = book + "3b9c5f2e"
    etag = alice.put(item, card(version="4.0"), {"Content-Type": "text/vcard"}).etag
    assert alice.get(item).etag == etag
    props = "<D:getetag/><CR:address-data/>"
    reply = alice.report(book, sync(props=props), depth="1")
    assert reply.multistatus()[item].text(CARDDAV.address_data).startswith("BEGIN:VCARD")  # type: ignore[union-attr]
    assert "<D:status>HTTP/1.1 200 OK</D:status>" in reply.text
    token = reply.xml.findtext(DAV.sync_token) or ""
    assert alice.delete(item, {"Content-Type": "text/xml"}).status == 204
    reply = alice.report(book, sync(token, props), depth="1")
    assert reply.multistatus()[item].status == 404
    assert "<D:status>HTTP/1.1 404 Not Found</D:status>" in reply.text


def test_evolution_finds_its_sources_and_edits_without_conditions(alice: Dav) -> None:
    first = (DAV.resourcetype, DAV.current_user_principal, DAV.principal_URL, CALDAV.calendar_home_set)
    _, row = follow(alice, "/", *first)
    [principal] = href_in(row, DAV.current_user_principal)
    [home] = href_in(follow(alice, principal, CALDAV.calendar_home_set)[1], CALDAV.calendar_home_set)
    listed = (DAV.resourcetype, CALSERVER.source, CALDAV.supported_calendar_component_set, CALSERVER.getctag)
    rows = alice.propfind(home, *listed, depth="1").multistatus()
    assert rows[HOME + "calendar/"].statuses[CALDAV.supported_calendar_component_set] == 200
    assert "calendar-access" in alice.options(HOME + "calendar/").headers["dav"]
    assert "addressbook" in alice.options(HOME + "contacts/").headers["dav"]
    sent = {"Content-Type": 'text/calendar; charset="utf-8"', "Prefer": "return=minimal", "If-None-Match": "*"}
    item = HOME + "calendar/e.ics"
    assert alice.put(item, event(), sent).status == 201
    near = events_between("20261201T000000Z", "20270209T000000Z")
    for asked in (near, '<C:comp-filter name="VEVENT"/>'):
        assert set(alice.report(HOME + "calendar/", query(asked), depth="1").multistatus()) == {item}
    before = alice.propfind(HOME + "calendar/", CALSERVER.getctag).multistatus()[HOME + "calendar/"]
    assert item in alice.report(HOME + "calendar/", multiget(item), depth=None).multistatus()
    assert alice.put(item, event(summary="Changed"), {"Content-Type": sent["Content-Type"]}).status == 204
    after = alice.propfind(HOME + "calendar/", CALSERVER.getctag).multistatus()[HOME + "calendar/"]
    assert before.text(CALSERVER.getctag) != after.text(CALSERVER.getctag)
    assert alice.delete(item).status == 204
    assert alice.put(HOME + "contacts/c.vcf", card(), {"If-None-Match": "*"}).status == 201
    asked = multiget(HOME + "contacts/c.vcf", kind="CR:addressbook", data="<CR:address-data/>")
    assert alice.report(HOME + "contacts/", asked, depth=None).status == 207


def davx5_collections(client: Dav) -> list[str]:
    """The collections that DAVx5 lists: of the principal's homes, and of those of its groups and proxies, two deep."""
    homes = (CALDAV.calendar_home_set, CARDDAV.addressbook_home_set)
    related = (DAV.group_membership, CALSERVER.calendar_proxy_read_for, CALSERVER.calendar_proxy_write_for)
    waiting, found = [(HOME, 0)], list[str]()
    while waiting:
        principal, depth = waiting.pop()
        row = client.propfind(principal, DAV.displayname, DAV.resourcetype, *homes, *related).multistatus()[principal]
        for home in {href for name in homes for href in href_in(row, name)}:
            names = (DAV.resourcetype, DAV.resource_id, DAV.owner, PUSH + "transports")
            rows = client.propfind(home, *names, depth="1").multistatus().values()
            found += [
                href_in(row, DAV.resource_id)[0] for row in rows if kinds(row) & {CALDAV.calendar, CARDDAV.addressbook}
            ]
        if depth < 2:
            waiting += [(href, depth + 1) for name in related for href in href_in(row, name)]
    return found


def test_davx5_finds_everything_once(alice: Dav) -> None:
    names = (DAV.current_user_principal, CALDAV.calendar_home_set, DAV.current_user_privilege_set)
    _, row = follow(alice, "/", *names)
    [principal] = href_in(row, DAV.current_user_principal)
    for service in ("calendar-access", "addressbook"):
        assert service in alice.options(principal).headers["dav"]
    address_row = alice.propfind(principal, CALDAV.calendar_user_address_set).multistatus()[principal]
    assert href_in(address_row, CALDAV.calendar_user_address_set)[0] == "mailto:alice@example.org"
    found = davx5_collections(alice)
    assert len(found) == len(set(found)) == 5
    rights = alice.propfind(HOME, DAV.current_user_privilege_set, depth="1").multistatus()
    assert DAV.bind in held(rights[HOME])
    assert not {DAV.write_content, DAV.unbind} & held(rights[HOME + "van~calendar/"])
    assert {DAV.write_content, DAV.unbind} <= held(rights[HOME + "sport~calendar/"])


def test_davx5_synchronises_a_shown_calendar_in_pieces_and_with_past_days(club: Server, alice: Dav) -> None:
    path = HOME + "sport~calendar/"
    state = (DAV.supported_report_set, DAV.sync_token, CALSERVER.getctag, CALDAV.max_resource_size)
    assert set(alice.propfind(path, *state).multistatus()[path].statuses.values()) == {200}
    for number in range(12):
        assert alice.put(f"{path}{number}.ics", event(f"u{number}"), {"If-None-Match": "*"}).status == 201
    props = "<D:getetag/><D:resourcetype/>"
    rows = alice.report(path, sync(props=props)).multistatus()
    assert len(rows) == 12
    assert all(row.text(DAV.getetag) for row in rows.values())
    assert len(alice.report(path, multiget(*list(rows)[:10])).multistatus()) == 10
    for kind, count in (("VEVENT", 12), ("VTODO", 0), ("VJOURNAL", 0)):
        past = f'<C:comp-filter name="{kind}"><C:time-range start="20261101T000000Z"/></C:comp-filter>'
        assert len(alice.report(path, query(past), depth="1").multistatus()) == count
    reply = alice.report(path, sync("urn:davserver:sync:none:none:1"))
    assert (reply.status, reply.condition) == (403, DAV.valid_sync_token)
    etag = club.client("bob").get("/dav/sport/calendar/3.ics").etag
    assert alice.delete(path + "3.ics", {"If-Match": etag}).status == 204
    reply = alice.put(HOME + "van~calendar/x.ics", event("x"), {"If-None-Match": "*"})
    assert (reply.status, reply.condition) == (403, DAV.need_privileges)  # the edit is taken back quietly


def test_davx5_makes_a_list_for_all_kinds_and_a_book(alice: Dav) -> None:
    path = HOME + "0e2c9a5e-7a5f-4a0a-8f53-6b1f1f3f8d11/"
    body = (
        f"<C:mkcalendar {NAMESPACES}><D:set><D:prop><D:resourcetype><D:collection/><C:calendar/></D:resourcetype>"
        "<D:displayname>Everything</D:displayname><ICAL:calendar-color>#FF0000FF</ICAL:calendar-color>"
        "<C:calendar-description>x</C:calendar-description><C:calendar-timezone-id>Europe/Berlin</C:calendar-timezone-id>"
        "</D:prop></D:set></C:mkcalendar>"
    )
    assert alice.mkcalendar(path, body).status == 201
    for name, item in (("e", event("e")), ("t", task("t", "x", "RELATED-TO:p")), ("j", journal("j"))):
        assert alice.put(f"{path}{name}.ics", item).status == 201
    names = (APPLE.calendar_color, CALDAV.calendar_timezone_id)
    row = alice.propfind(path, *names).multistatus()[path]
    assert [row.text(name) for name in names] == ["#FF0000FF", "Europe/Berlin"]
    book = HOME + "5d1a9f6c/"
    assert alice.mkcol(book, mkcol("CR:addressbook", "<D:displayname>Friends</D:displayname>")).status == 201
    assert alice.delete(path).status == alice.delete(book).status == 204


APPLE_HEADERS = {"Brief": "t", "Prefer": "return=minimal", "Content-Type": "text/xml"}


def test_ios_adds_an_account_and_reminders_makes_a_list(club: Server, alice: Dav) -> None:
    for path in ("/.well-known/caldav", "/", "/principals/", "/calendar/dav/alice/user/", "/addressbooks"):
        for client in (club.client(), alice):
            names = (DAV.current_user_principal, DAV.principal_URL, DAV.resourcetype)
            reply = client.propfind(path, *names, headers=APPLE_HEADERS)
            assert reply.status in (207, 301, 401, 404)
    offered = alice.options(HOME).headers["dav"]
    assert all(word in offered for word in ("1", "3", "access-control", "calendar-access", "extended-mkcol"))
    names = (
        CALDAV.calendar_home_set,
        CALDAV.calendar_user_address_set,
        CALSERVER("dropbox-home-URL"),
        CALSERVER.email_address_set,
        DAV.principal_collection_set,
        DAV.supported_report_set,
        CALDAV("schedule-inbox-URL"),
    )
    row = alice.propfind(HOME, *names, headers=APPLE_HEADERS).multistatus()[HOME]
    assert set(row.statuses.values()) == {200}
    assert not {CALSERVER("dropbox-home-URL"), CALDAV("schedule-inbox-URL")} & set(row.statuses)
    assert row.props[DAV.supported_report_set].find(f".//{DAV.sync_collection}") is not None
    rows = alice.propfind(HOME, DAV.resourcetype, CALSERVER.getctag, depth="1", headers=APPLE_HEADERS).multistatus()
    assert CALDAV.calendar not in kinds(rows[HOME])
    path = HOME + "5E4F0C3D-LIST/"
    body = (
        f"<C:mkcalendar {NAMESPACES}><D:set><D:prop><D:displayname>Groceries</D:displayname>"
        '<ICAL:calendar-color symbolic-color="red">#FF2968FF</ICAL:calendar-color>'
        "<ICAL:calendar-order>3</ICAL:calendar-order><C:calendar-free-busy-set><D:none/></C:calendar-free-busy-set>"
        "<C:schedule-calendar-transp><C:transparent/></C:schedule-calendar-transp>"
        '<C:supported-calendar-component-set><C:comp name="VTODO"/></C:supported-calendar-component-set>'
        "</D:prop></D:set></C:mkcalendar>"
    )
    assert alice.mkcalendar(path, body).status == 201
    reply = alice.put(path + "e.ics", event("e"))
    assert (reply.status, reply.condition) == (403, CALDAV.supported_calendar_component)
    alarms = {CALDAV("default-alarm-vevent-date"): "BEGIN:VALARM\r\nEND:VALARM\r\n", APPLE.calendar_order: "4"}
    assert alice.proppatch(path, alarms, headers=APPLE_HEADERS).status == 200
    row = alice.propfind(path, APPLE.calendar_color, APPLE.calendar_order).multistatus()[path]
    assert row.props[APPLE.calendar_color].get("symbolic-color") == "red"
    assert row.text(APPLE.calendar_order) == "4"


def test_outlook_s_synchroniser_asks_by_time_and_windows_with_depth_0(alice: Dav) -> None:
    path = HOME + "calendar/"
    assert alice.put(path + "a.ics", event(), {"If-None-Match": "*"}).status == 201
    asked = events_between("20270101T000000Z", "20270201T000000Z")
    for depth in ("1", "0"):
        assert set(alice.report(path, query(asked), depth=depth).multistatus()) == {path + "a.ics"}
    assert alice.report(path, busy("20270101T000000Z", "20270201T000000Z"), depth="1").status == 200
    etag = alice.get(path + "a.ics").etag
    assert alice.delete(path + "a.ics", {"If-Match": etag}).status == 204
