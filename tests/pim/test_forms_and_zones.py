"""Items as JSON where their time zones or their numbers are in question."""

from __future__ import annotations

import json

import pytest

from davserver.dav.names import APPLE, CALDAV, DAV
from tests.harness import Dav
from tests.pim.referee.made import VTIMEZONES
from tests.pim.samples import calendar as in_calendar
from tests.pim.samples import event

JCAL = "application/calendar+json"
ZONE = VTIMEZONES["Europe/Berlin"].strip()
LINES = (
    *("BEGIN:VEVENT", "UID:u", "DTSTAMP:20260101T000000Z", "DTSTART;TZID=Europe/Berlin:20270105T100000"),
    *("DURATION:PT1H", "END:VEVENT"),
)
STORED = {"with its zone": in_calendar(ZONE, *LINES), "without": in_calendar(*LINES)}


def components(body: bytes) -> list[str]:
    return [component[0] for component in json.loads(body)[2]]


@pytest.mark.rfc("7809", "3.1.3")
@pytest.mark.rfc("7809", "7.1")
@pytest.mark.parametrize("stored", STORED)
@pytest.mark.parametrize(("said", "zones"), [("F", []), ("T", ["vtimezone"])])
def test_json_has_the_zones_that_its_reader_asks_for(
    mine: Dav, calendar: str, stored: str, said: str, zones: list[str]
) -> None:
    assert mine.put(calendar + "u.ics", STORED[stored]).status == 201
    headers = {"Accept": JCAL, "CalDAV-Timezones": said}
    reply = mine.get(calendar + "u.ics", headers)
    assert (reply.headers["content-type"], components(reply.body)) == (JCAL, [*zones, "vevent"])
    assert "caldav-timezones" in reply.headers["vary"].lower()
    again = mine.get(calendar + "u.ics", {**headers, "If-None-Match": reply.etag})
    assert again.status == 304
    assert "caldav-timezones" in again.headers["vary"].lower()
    assert components(mine.get(calendar, headers).body) == [*zones, "vevent"]


@pytest.mark.rfc("7809", "7.1")
def test_json_is_not_sent_to_who_says_neither_of_the_words(mine: Dav, calendar: str) -> None:
    assert mine.put(calendar + "u.ics", event()).status == 201
    assert mine.get(calendar + "u.ics", {"Accept": JCAL, "CalDAV-Timezones": "maybe"}).status == 400


@pytest.mark.rfc("7809", "3.1.3")
def test_a_calendar_as_json_has_the_zones_that_it_has_as_text(mine: Dav, calendar: str) -> None:
    assert mine.put(calendar + "u.ics", STORED["without"]).status == 201
    assert mine.get(calendar).text.count("BEGIN:VTIMEZONE") == 1
    assert components(mine.get(calendar, {"Accept": JCAL}).body) == ["vtimezone", "vevent"]


@pytest.mark.rfc("7986", "5.1")
@pytest.mark.rfc("7986", "5.2")
@pytest.mark.rfc("7986", "5.9")
def test_a_calendar_as_json_says_of_itself_what_its_text_says_and_is_read_again(mine: Dav, calendar: str) -> None:
    said = {
        DAV.displayname: "Club; all, of us",
        CALDAV.calendar_description: "Two\nlines",
        APPLE.calendar_color: "#FF0000",
    }
    assert mine.proppatch(calendar, said).multistatus()[calendar].statuses == dict.fromkeys(said, 200)
    assert mine.put(calendar + "u.ics", event()).status == 201
    reply = mine.get(calendar, {"Accept": JCAL})
    properties = {name: value for name, _, _, value in json.loads(reply.body)[1]}
    assert (properties["name"], properties["description"], properties["color"]) == (
        "Club; all, of us",
        "Two\nlines",
        "red",
    )
    again = calendar.removesuffix("/") + "-again/"
    assert mine.put(again, reply.body, {"Content-Type": JCAL}).status == 201
    row = mine.propfind(again, *said).multistatus()[again]
    assert {name: row.text(name) for name in said} == said


@pytest.mark.rfc("7265", "3.6.5")
@pytest.mark.parametrize("kind", ["integer", "float", "text", "unknown", "date-time"])
def test_any_whole_number_in_json_is_stored_or_refused(mine: Dav, calendar: str, kind: str) -> None:
    properties = [
        ["uid", {}, "text", "u"],
        ["dtstamp", {}, "date-time", "2026-01-01T00:00:00Z"],
        ["dtstart", {}, "date-time", "2027-01-05T10:00:00Z"],
        ["x-number", {}, kind, 10**400],
    ]
    body = json.dumps(["vcalendar", [["version", {}, "text", "2.0"]], [["vevent", properties, []]]])
    reply = mine.put(calendar + "u.ics", body, {"Content-Type": JCAL})
    assert reply.status == 201 or (reply.status, reply.condition) == (403, CALDAV.valid_calendar_data)
    if reply.status == 201:
        assert "1" + "0" * 400 in mine.get(calendar + "u.ics").text.replace("\r\n ", "")
