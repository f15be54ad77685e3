"""MKCALENDAR and extended MKCOL: what they refuse, in which words, and that nothing is left behind."""

from __future__ import annotations

import pytest

from davserver.dav.names import APPLE, CALDAV, CARDDAV, DAV
from tests.harness import NAMESPACES, Dav, Reply, Server
from tests.pim.samples import event, mkcalendar, mkcol

PATH = "/dav/alice/not-made/"
NOTE = "{urn:example:x}note"
TYPE = "<D:resourcetype>{}</D:resourcetype>"
ZONE = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VTIMEZONE\r\nTZID:Own\r\nBEGIN:STANDARD\r\n"
    "DTSTART:19700101T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
    "END:VCALENDAR\r\n"
)


def outcome(reply: Reply) -> dict[str, tuple[int, str | None]]:
    """Status and condition of each property in a ``mkcol-response`` or ``mkcalendar-response``."""
    found: dict[str, tuple[int, str | None]] = {}
    for propstat in reply.xml.findall(DAV.propstat):
        error = propstat.find(DAV.error)
        status = int((propstat.findtext(DAV.status) or "").split()[1])
        for prop in propstat.find(DAV.prop) or ():
            found[prop.tag] = status, error[0].tag if error is not None else None
    return found


@pytest.fixture
def untouched(mine: Dav, shared: Server) -> object:
    """The data before; what a test makes is compared with it by ``assert_untouched``."""
    mine.options("/dav/alice/")
    return shared.tree()


def assert_untouched(mine: Dav, shared: Server, before: object) -> None:
    assert shared.tree() == before
    assert mine.propfind(PATH, DAV.resourcetype).status == 404


@pytest.mark.rfc("5689", "3.3")
@pytest.mark.parametrize(
    "kinds",
    [
        "<D:collection/><x:unknown xmlns:x='urn:example:x'/>",
        "<D:collection/><C:calendar/><CR:addressbook/>",
        "<D:collection/><CS:subscribed/>",
        "<D:collection/><D:principal/>",
        "<C:calendar/>",
        "<CR:addressbook/>",
        "",
    ],
    ids=["unknown", "both", "subscription", "principal", "calendar-alone", "book-alone", "none"],
)
@pytest.mark.parametrize("method", ["MKCOL", "MKCALENDAR"])
def test_a_kind_that_cannot_be_made_is_refused_and_the_rest_fails_with_it(
    mine: Dav, shared: Server, untouched: object, kinds: str, method: str
) -> None:
    inner = TYPE.format(kinds) + "<D:displayname>Odd</D:displayname>"
    root = "D:mkcol" if method == "MKCOL" else "C:mkcalendar"
    body = f"<{root} {NAMESPACES}><D:set><D:prop>{inner}</D:prop></D:set></{root}>"
    reply = mine.request(method, PATH, body)
    assert reply.status == 403
    assert reply.xml.tag == (DAV.mkcol_response if method == "MKCOL" else CALDAV.mkcalendar_response)
    assert outcome(reply) == {DAV.resourcetype: (403, DAV.valid_resourcetype), DAV.displayname: (424, None)}
    assert_untouched(mine, shared, untouched)


@pytest.mark.rfc("4791", "5.3.1")
def test_mkcalendar_makes_calendars_and_nothing_else(mine: Dav, shared: Server, untouched: object) -> None:
    reply = mine.mkcalendar(PATH, mkcalendar(TYPE.format("<D:collection/><CR:addressbook/>")))
    assert outcome(reply) == {DAV.resourcetype: (403, DAV.valid_resourcetype)}
    assert_untouched(mine, shared, untouched)
    made = "/dav/alice/typed-calendar/"
    assert mine.mkcalendar(made, mkcalendar(TYPE.format("<D:collection/><C:calendar/>"))).status == 201
    row = mine.propfind(made, DAV.resourcetype).multistatus()[made]
    assert row.props[DAV.resourcetype].find(CALDAV.calendar) is not None


@pytest.mark.rfc("4791", "5.3.1")
@pytest.mark.rfc("4918", "9.3")
@pytest.mark.parametrize("method", ["MKCOL", "MKCALENDAR"])
@pytest.mark.parametrize(
    ("body", "media", "status"),
    [
        ("BEGIN:VCALENDAR", "text/calendar", 415),
        ("{}", "application/json", 415),
        ("what is this", "xyz-foo/bar-512", 415),
        ("not xml", "application/xml", 400),
        ("not xml", None, 400),
        ("<D:propfind xmlns:D='DAV:'/>", "text/xml", 400),
        ("<x xmlns='urn:example:x'/>", "application/xml; charset=utf-8", 400),
        ("<D:mkcol xmlns:D='DAV:'><D:remove><D:prop><D:displayname/></D:prop></D:remove></D:mkcol>", None, 400),
    ],
)
def test_a_body_that_is_none_is_refused(
    mine: Dav, shared: Server, untouched: object, method: str, body: str, media: str | None, status: int
) -> None:
    assert mine.request(method, PATH, body, {"Content-Type": media} if media else {}).status == status
    assert_untouched(mine, shared, untouched)


@pytest.mark.parametrize(
    "media", ["text/xml", "application/xml; charset=utf-8", "application/davmount+xml", "text/plain"]
)
def test_the_media_types_that_clients_send_are_taken(mine: Dav, media: str) -> None:
    path = f"/dav/alice/media-{media.partition(';')[0].replace('/', '-').replace('+', '-')}/"
    assert mine.mkcalendar(path, mkcalendar("<D:displayname>x</D:displayname>"), {"Content-Type": media}).status == 201


def test_a_media_type_without_a_body_is_not_looked_at(mine: Dav) -> None:
    headers = {"Content-Type": "httpd/unix-directory"}
    assert mine.mkcol("/dav/alice/unix-directory/", headers=headers).status == 201


@pytest.mark.rfc("4791", "5.3.1")
@pytest.mark.rfc("5689", "3")
@pytest.mark.parametrize(
    ("inner", "refused"),
    [
        ("<D:getetag>x</D:getetag>", {DAV.getetag: (403, DAV.cannot_modify_protected_property)}),
        ("<D:owner><D:href>/dav/bob/</D:href></D:owner>", {DAV.owner: (403, DAV.cannot_modify_protected_property)}),
        ("<D:add-member/>", {DAV.add_member: (403, DAV.cannot_modify_protected_property)}),
        ("<D:supported-report-set/>", {DAV.supported_report_set: (403, DAV.cannot_modify_protected_property)}),
        ("<D:sync-token>x</D:sync-token>", {DAV.sync_token: (403, DAV.cannot_modify_protected_property)}),
        (
            "<C:calendar-timezone>Europe/Berlin</C:calendar-timezone>",
            {CALDAV.calendar_timezone: (403, CALDAV.valid_calendar_data)},
        ),
        (
            f"<C:calendar-timezone>{ZONE}{ZONE}</C:calendar-timezone>",
            {CALDAV.calendar_timezone: (403, CALDAV.valid_calendar_data)},
        ),
        (
            "<C:supported-calendar-component-set/>",
            {CALDAV.supported_calendar_component_set: (403, CALDAV.supported_calendar_component)},
        ),
        ("<x:note xmlns:x='urn:example:x'>" + "x" * 20_000 + "</x:note>", {NOTE: (507, None)}),
    ],
)
def test_a_property_that_cannot_be_set_fails_all_the_others(
    mine: Dav, shared: Server, untouched: object, inner: str, refused: dict[str, tuple[int, str | None]]
) -> None:
    rest = "<D:displayname>Odd</D:displayname><ICAL:calendar-color>#112233</ICAL:calendar-color>"
    expected = {DAV.displayname: (424, None), APPLE.calendar_color: (424, None), **refused}
    for reply in (mine.mkcalendar(PATH, mkcalendar(rest + inner)), mine.mkcol(PATH, mkcol("C:calendar", rest + inner))):
        found = outcome(reply)
        found.pop(DAV.resourcetype, None)
        assert (reply.status, found) == (403, expected)
    assert_untouched(mine, shared, untouched)


@pytest.mark.rfc("5689", "3")
def test_an_address_book_has_no_set_of_components(mine: Dav, shared: Server, untouched: object) -> None:
    inner = '<C:supported-calendar-component-set><C:comp name="VEVENT"/></C:supported-calendar-component-set>'
    reply = mine.mkcol(PATH, mkcol("CR:addressbook", inner))
    assert outcome(reply) == {
        DAV.resourcetype: (424, None),
        CALDAV.supported_calendar_component_set: (403, DAV.cannot_modify_protected_property),
    }
    assert_untouched(mine, shared, untouched)


@pytest.mark.rfc("4791", "5.3.1")
def test_a_calendar_is_made_with_a_time_zone_a_description_and_dead_properties(mine: Dav) -> None:
    path = "/dav/alice/made-with-zone/"
    inner = (
        f"<C:calendar-timezone>{ZONE}</C:calendar-timezone>"
        "<C:calendar-description xml:lang='en'>Trips</C:calendar-description>"
        "<x:note xmlns:x='urn:example:x'>kept</x:note>"
    )
    assert mine.mkcalendar(path, mkcalendar(inner)).status == 201
    row = mine.propfind(path, CALDAV.calendar_timezone, CALDAV.calendar_description, NOTE).multistatus()[path]
    assert "BEGIN:VTIMEZONE" in (row.text(CALDAV.calendar_timezone) or "")
    assert (row.text(CALDAV.calendar_description), row.text(NOTE)) == ("Trips", "kept")


@pytest.mark.rfc("5689", "3")
def test_an_extended_mkcol_makes_an_address_book_with_its_properties(mine: Dav) -> None:
    path = "/dav/alice/made-book/"
    inner = "<D:displayname>People</D:displayname><CR:addressbook-description>All</CR:addressbook-description>"
    reply = mine.mkcol(path, mkcol("CR:addressbook", inner))
    assert (reply.status, reply.body) == (201, b"")
    row = mine.propfind(path, DAV.displayname, CARDDAV.addressbook_description).multistatus()[path]
    assert [row.text(name) for name in row.statuses] == ["People", "All"]


@pytest.mark.rfc("9110", "13.1.1")
@pytest.mark.parametrize("method", ["MKCOL", "MKCALENDAR"])
def test_conditions_that_want_something_there_keep_it_from_being_made(
    mine: Dav, shared: Server, untouched: object, method: str
) -> None:
    for headers in ({"If-Match": "*"}, {"If-Match": '"x"'}, {"If": '(["x"])'}, {"If": "(<urn:uuid:1>)"}):
        assert mine.request(method, PATH, headers=headers).status == 412
    assert_untouched(mine, shared, untouched)
    path = f"/dav/alice/made-if-new-{method.lower()}/"
    assert mine.request(method, path, headers={"If-None-Match": "*"}).status == 201


@pytest.mark.rfc("4791", "5.3.1")
@pytest.mark.parametrize("method", ["MKCOL", "MKCALENDAR"])
def test_what_exists_stays_also_where_the_new_one_would_be_refused(
    mine: Dav, shared: Server, calendar: str, method: str
) -> None:
    before = shared.tree()
    body = mkcol("C:calendar", "<D:getetag>x</D:getetag>") if method == "MKCOL" else mkcalendar("<D:getetag/>")
    reply = mine.request(method, calendar, body)
    assert (reply.status, reply.condition) == (405, DAV.resource_must_be_null)
    assert shared.tree() == before


@pytest.mark.rfc("3744", "7.1.1")
@pytest.mark.parametrize("method", ["MKCOL", "MKCALENDAR"])
def test_who_may_not_bind_in_a_home_makes_nothing_there(mine: Dav, shared: Server, method: str) -> None:
    mine.mkcalendar("/dav/sport/there/")
    carol = shared.client("carol")
    carol.options("/dav/")
    before = shared.tree()
    reply = carol.request(method, "/dav/sport/hers/")
    assert (reply.status, reply.condition) == (403, DAV.need_privileges)
    assert [privilege[0].tag for privilege in reply.xml.iter(DAV.privilege)] == [DAV.bind]
    assert shared.tree() == before


@pytest.mark.rfc("4918", "9.2")
@pytest.mark.parametrize("kind", ["calendar", "item", "home"])
@pytest.mark.parametrize(
    "name",
    [
        DAV.resourcetype,
        DAV.add_member,
        DAV.owner,
        DAV.resource_id,
        DAV.supported_method_set,
        DAV.supported_live_property_set,
        DAV.current_user_privilege_set,
        CALDAV.calendar_home_set,
        CALDAV.supported_calendar_component_set,
    ],
)
def test_what_the_server_computes_somewhere_is_a_dead_property_nowhere(
    mine: Dav, shared: Server, calendar: str, kind: str, name: str
) -> None:
    mine.put(calendar + "a.ics", event())
    path = {"calendar": calendar, "item": calendar + "a.ics", "home": "/dav/alice/"}[kind]
    before = shared.tree()
    reply = mine.proppatch(path, {name: "x", NOTE: "y"})
    assert reply.multistatus()[path].statuses == {name: 403, NOTE: 424}
    assert reply.xml.find(f".//{DAV.error}/{DAV.cannot_modify_protected_property}") is not None
    assert shared.tree() == before
