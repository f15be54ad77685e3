"""Time zones by reference (RFC 7809): the header, the property that names a zone, and what is announced."""

from __future__ import annotations

import pytest

from davserver.dav.names import CALDAV, DAV
from tests.conftest import MakeServer
from tests.harness import Dav, Server
from tests.pim.referee.made import VTIMEZONES
from tests.pim.samples import calendar as in_calendar
from tests.pim.samples import event, mkcalendar, multiget, query, sync

ZONE = VTIMEZONES["Europe/Berlin"].strip()
OWN = "\r\n".join(
    [
        *("BEGIN:VTIMEZONE", "TZID:Club", "BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETFROM:+0100"),
        *("TZOFFSETTO:+0100", "END:STANDARD", "END:VTIMEZONE"),
    ]
)
LINES = (
    *("BEGIN:VEVENT", "UID:u", "DTSTAMP:20260101T000000Z", "DTSTART;TZID=Europe/Berlin:20270105T100000"),
    *("DTEND;TZID=Club:20270105T120000", "END:VEVENT"),
)
WHOLE = in_calendar(ZONE, OWN, *LINES)
BARE = in_calendar(OWN, *LINES)
BERLIN = in_calendar(ZONE)
SERVICE = "https://zones.example.org/"
ASKED = {
    "get": lambda dav, path, headers: dav.get(path + "u.ics", headers=headers).text,
    "multiget": lambda dav, path, headers: data(dav, path, multiget(path + "u.ics"), headers),
    "query": lambda dav, path, headers: data(
        dav, path, query('<C:comp-filter name="VEVENT"/>', "<C:calendar-data/>"), headers
    ),
    "sync": lambda dav, path, headers: data(dav, path, sync("", "<C:calendar-data/>"), headers),
}


def data(dav: Dav, path: str, body: str, headers: dict[str, str]) -> str:
    rows = dav.report(path, body, depth="0" if "sync-collection" in body else "1", headers=headers).multistatus()
    return rows[path + "u.ics"].text(CALDAV.calendar_data) or ""


@pytest.mark.rfc("7809", "3.1.3")
@pytest.mark.rfc("7809", "7.1")
@pytest.mark.parametrize("way", ASKED)
def test_standard_zones_are_left_out_for_who_says_so_and_others_stay(mine: Dav, calendar: str, way: str) -> None:
    assert mine.put(calendar + "u.ics", WHOLE).status == 201
    assert ASKED[way](mine, calendar, {"CalDAV-Timezones": "F"}) == BARE
    assert ASKED[way](mine, calendar, {"CalDAV-Timezones": "T"}) == WHOLE
    assert ASKED[way](mine, calendar, {}) == WHOLE


@pytest.mark.rfc("7809", "3.1.3")
@pytest.mark.rfc("7809", "3.1.4")
@pytest.mark.parametrize("way", ASKED)
def test_what_came_without_its_zone_is_stored_so_and_sent_with_it_to_who_asks(
    mine: Dav, calendar: str, way: str
) -> None:
    assert mine.put(calendar + "u.ics", BARE).status == 201
    assert ASKED[way](mine, calendar, {}) == ASKED[way](mine, calendar, {"CalDAV-Timezones": "F"}) == BARE
    full = ASKED[way](mine, calendar, {"CalDAV-Timezones": "T"})
    assert full.count("BEGIN:VTIMEZONE") == 2
    assert full.count("TZID:Europe/Berlin") == full.count("TZID:Club") == 1
    assert "DTSTART:19810329T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200" in full
    assert all(line in full for line in LINES)


@pytest.mark.rfc("7809", "3.1.3")
def test_the_etag_is_of_what_is_stored_and_the_answer_says_what_it_depends_on(mine: Dav, calendar: str) -> None:
    stored = mine.put(calendar + "u.ics", WHOLE).etag
    for value in ("T", "F"):
        reply = mine.get(calendar + "u.ics", headers={"CalDAV-Timezones": value})
        assert reply.etag == stored
        assert "caldav-timezones" in reply.headers["vary"].lower()
        assert int(reply.headers["content-length"]) == len(reply.body)
    assert "caldav-timezones" in mine.get(calendar + "u.ics").headers["vary"].lower()
    assert mine.put(calendar + "u.ics", BARE, headers={"If-Match": stored}).status == 204


def test_another_value_of_the_header_is_a_bad_request(mine: Dav, calendar: str) -> None:
    mine.put(calendar + "u.ics", WHOLE)
    headers = {"CalDAV-Timezones": "maybe"}
    assert mine.get(calendar + "u.ics", headers=headers).status == 400
    assert mine.report(calendar, multiget(calendar + "u.ics"), headers=headers).status == 400


@pytest.mark.rfc("7809", "3.1.3")
def test_a_whole_calendar_as_one_file_describes_each_zone_once_or_not_at_all(mine: Dav, calendar: str) -> None:
    mine.put(calendar + "u.ics", BARE)
    mine.put(calendar + "v.ics", BARE.replace("UID:u", "UID:v"))
    assert mine.get(calendar).text.count("TZID:Europe/Berlin\r\n") == 1
    without = mine.get(calendar, headers={"CalDAV-Timezones": "F"}).text
    assert "TZID:Europe/Berlin\r\n" not in without
    assert without.count("TZID:Club\r\n") == 1


@pytest.mark.rfc("7809", "3.1.5")
@pytest.mark.rfc("7809", "5.2")
def test_the_name_and_the_description_of_a_calendar_s_zone_agree(mine: Dav, calendar: str) -> None:
    names = (CALDAV.calendar_timezone_id, CALDAV.calendar_timezone)

    def both() -> list[str | None]:
        row = mine.propfind(calendar, *names).multistatus()[calendar]
        return [row.text(name) for name in names]

    assert both() == [None, None]
    assert mine.proppatch(calendar, {CALDAV.calendar_timezone: BERLIN}).multistatus()[calendar].statuses == {
        CALDAV.calendar_timezone: 200
    }
    assert both()[0] == "Europe/Berlin"
    mine.proppatch(calendar, {CALDAV.calendar_timezone_id: "Asia/Tokyo"})
    name, described = both()
    assert name == "Asia/Tokyo"
    assert described is not None
    assert "TZID:Asia/Tokyo" in described
    assert described.count("BEGIN:VTIMEZONE") == 1
    assert mine.proppatch(calendar, {CALDAV.calendar_timezone: described}).status == 207
    mine.proppatch(calendar, remove=[CALDAV.calendar_timezone_id])
    assert both() == [None, None]
    assert not set(names) & set(mine.propfind(calendar).multistatus()[calendar].statuses)


@pytest.mark.rfc("7809", "3.1.5")
@pytest.mark.parametrize("name", ["Europe/Atlantis", "", "../../etc/passwd"])
def test_a_zone_that_is_not_known_is_refused_by_name_and_nothing_is_set(
    shared: Server, mine: Dav, calendar: str, name: str
) -> None:
    before = shared.tree()
    reply = mine.proppatch(calendar, {CALDAV.calendar_timezone_id: name, DAV.displayname: "Other"})
    assert reply.multistatus()[calendar].statuses == {CALDAV.calendar_timezone_id: 403, DAV.displayname: 424}
    assert reply.xml.find(f".//{DAV.error}/{CALDAV.valid_timezone}") is not None
    inner = f"<C:calendar-timezone-id>{name}</C:calendar-timezone-id>"
    assert mine.mkcalendar("/dav/alice/nowhere/", mkcalendar(inner)).status == 403
    assert shared.tree() == before


@pytest.mark.rfc("4791", "5.2.10")
@pytest.mark.parametrize(
    "text",
    [
        "Europe/Berlin",
        "BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:Europe/Berlin\nEND:VTIMEZONE\nEND:VCALENDAR",
        in_calendar(ZONE, OWN),
        in_calendar(ZONE, *LINES),
        in_calendar(OWN.replace("TZID:Club", "X-TZID:Club")),
        in_calendar(OWN.replace("TZOFFSETTO:+0100", "TZOFFSETTO:soon")),
        in_calendar(*LINES),
    ],
)
def test_a_description_that_is_not_one_zone_is_refused_and_nothing_is_set(
    shared: Server, mine: Dav, calendar: str, text: str
) -> None:
    before = shared.tree()
    reply = mine.proppatch(calendar, {CALDAV.calendar_timezone: text})
    assert reply.multistatus()[calendar].statuses == {CALDAV.calendar_timezone: 403}
    assert reply.xml.find(f".//{DAV.error}/{CALDAV.valid_calendar_data}") is not None
    assert shared.tree() == before
    asked = query('<C:comp-filter name="VEVENT"/>').replace(
        "</C:filter>", f"</C:filter><C:timezone>{text}</C:timezone>"
    )
    refused = mine.report(calendar, asked, depth="1")
    assert (refused.status, refused.condition) == (403, CALDAV.valid_calendar_data)


@pytest.mark.rfc("7809", "3.1.5")
def test_davx5_gives_name_and_description_of_a_new_calendar_and_its_own_text_stays(mine: Dav) -> None:
    path = "/dav/alice/zoned/"
    inner = (
        f"<C:calendar-timezone>{BERLIN}</C:calendar-timezone>"
        "<C:calendar-timezone-id>Europe/Berlin</C:calendar-timezone-id>"
    )
    assert mine.mkcalendar(path, mkcalendar(inner)).status == 201
    row = mine.propfind(path, CALDAV.calendar_timezone_id, CALDAV.calendar_timezone).multistatus()[path]
    assert row.text(CALDAV.calendar_timezone_id) == "Europe/Berlin"
    assert (row.text(CALDAV.calendar_timezone) or "").split() == BERLIN.split()


@pytest.mark.rfc("7809", "3.1.5")
def test_the_zone_of_a_shown_calendar_is_the_member_s_own(shared: Server, mine: Dav) -> None:
    path, seen = "/dav/alice/open/", "/dav/carol/alice~open/"
    mine.mkcalendar(path)
    mine.put(path + "day.ics", event("day", "x", "DTSTART;VALUE=DATE:20270328"))
    carol = shared.client("carol")
    name = CALDAV.calendar_timezone_id
    assert carol.proppatch(seen, {name: "Asia/Tokyo"}).multistatus()[seen].statuses == {name: 200}
    assert carol.propfind(seen, name).multistatus()[seen].text(name) == "Asia/Tokyo"
    assert mine.propfind(path, name).multistatus()[path].text(name) is None
    asked = query(
        '<C:comp-filter name="VEVENT"><C:time-range start="20270327T160000Z" end="20270327T170000Z"/></C:comp-filter>'
    )
    assert list(carol.report(seen, asked, depth="1").multistatus()) == [seen + "day.ics"]  # the day begins in Tokyo
    assert not mine.report(path, asked, depth="1").multistatus()


@pytest.mark.rfc("7809", "3.1.6")
@pytest.mark.rfc("7809", "6.2")
def test_a_query_with_a_zone_of_no_such_name_is_refused(mine: Dav, calendar: str) -> None:
    asked = query('<C:comp-filter name="VEVENT"/>')
    asked = asked.replace("</C:filter>", "</C:filter><C:timezone-id>Europe/Atlantis</C:timezone-id>")
    reply = mine.report(calendar, asked, depth="1")
    assert (reply.status, reply.condition) == (403, CALDAV.valid_timezone)


@pytest.mark.rfc("7809", "3.1.1")
@pytest.mark.rfc("7809", "3.1.2")
@pytest.mark.rfc("7809", "5.1")
def test_the_capability_is_announced_where_the_administrator_names_a_service(
    make_server: MakeServer, mine: Dav, calendar: str
) -> None:
    server = make_server(settings=f'[server]\ntimezone_services = ["{SERVICE}"]\n').start()
    alice, home = server.client("alice"), "/dav/alice/"
    for path in (home, "/dav/alice/calendar/"):
        assert "calendar-no-timezone" in alice.options(path).headers["dav"].split(", ")
        assert "calendar-no-timezone" not in mine.options(path).headers["dav"].split(", ")
    found = alice.propfind(home, CALDAV.timezone_service_set).multistatus()[home].props[CALDAV.timezone_service_set]
    assert [href.text for href in found] == [SERVICE]
    assert mine.propfind(home, CALDAV.timezone_service_set).multistatus()[home].statuses == {
        CALDAV.timezone_service_set: 404
    }
