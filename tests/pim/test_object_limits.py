"""The properties that bound a calendar object and the preconditions that go with them (RFC 4791 §5.2.5 to §5.2.9)."""

from __future__ import annotations

import pytest

from davserver.dav.names import CALDAV
from tests.conftest import MakeServer
from tests.harness import Dav, Server
from tests.pim.samples import calendar as in_calendar
from tests.pim.samples import event, task

SETTINGS = """
[limits]
calendar_first_year = 1900
calendar_last_year = 2100
instances = 100
attendees = 10
calendar_item_bytes = 20000
"""
CAL, OTHER = "/dav/alice/bounded/", "/dav/alice/other/"
PEOPLE = [f"ATTENDEE:mailto:m{number}@example.org" for number in range(11)]
REFUSED = {
    "starts too early": ("min-date-time", event("u", "x", start="18991231T235959Z")),
    "starts too early in its zone": ("min-date-time", event("u", "x", "DTSTART;TZID=Asia/Tokyo:19000101T080000")),
    "a day too early": ("min-date-time", event("u", "x", "DTSTART;VALUE=DATE:18991231")),
    "was made too early": ("min-date-time", event("u", "x", "CREATED:18000101T000000Z")),
    "starts too late": ("max-date-time", event("u", "x", start="21010101T000000Z")),
    "ends too late": ("max-date-time", event("u", "x", "DTSTART:21001231T000000Z", "DTEND:21010101T000000Z")),
    "is due too late": ("max-date-time", task("u", "x", "DUE:21010101T000000Z")),
    "a listed instance is too late": ("max-date-time", event("u", "x", "RDATE:20280101T000000Z,21010101T000000Z")),
    "a moved instance is too late": (
        "max-date-time",
        in_calendar(
            *("BEGIN:VEVENT", "UID:u", "DTSTAMP:20260101T000000Z", "DTSTART:20270101T000000Z", "RRULE:FREQ=DAILY"),
            *("END:VEVENT", "BEGIN:VEVENT", "UID:u", "DTSTAMP:20260101T000000Z", "RECURRENCE-ID:20270102T000000Z"),
            *("DTSTART:21010101T000000Z", "END:VEVENT"),
        ),
    ),
    "counts too far": ("max-instances", event("u", "x", "RRULE:FREQ=DAILY;COUNT=101")),
    "ends too far": ("max-instances", event("u", "x", "RRULE:FREQ=DAILY;UNTIL=20270415T100000Z")),
    "ends too far on some days": (
        "max-instances",
        event("u", "x", "RRULE:FREQ=WEEKLY;BYDAY=MO,TU;UNTIL=20290105T100000Z"),
    ),
    "counts and lists too many": (
        "max-instances",
        event("u", "x", "RRULE:FREQ=DAILY;COUNT=99", "RDATE:20280101T000000Z,20280102T000000Z"),
    ),
    "invites too many": ("max-attendees-per-instance", event("u", "x", *PEOPLE)),
    "is too long": ("max-resource-size", event("u", "x" * 20_000)),
}
STORED = {
    "the first second": event("u", "x", start="19000101T000000Z"),
    "the last second": event("u", "x", "DTSTART:21001231T235959Z"),
    "a rule that goes on after the last year": event("u", "x", "RRULE:FREQ=YEARLY"),
    "a rule that ends after the last year": event("u", "x", "RRULE:FREQ=YEARLY;UNTIL=21200101T000000Z"),
    "an alarm of long ago, as Apple's programs send to say never": event(
        *("u", "x", "BEGIN:VALARM", "ACTION:NONE", "TRIGGER;VALUE=DATE-TIME:18760401T005545Z", "END:VALARM")
    ),
    "a zone that begins in 1601, as Outlook's do": event("u", "x", "DTSTART;TZID=Club:20270105T100000").replace(
        "BEGIN:VEVENT",
        "\r\n".join(
            [
                *("BEGIN:VTIMEZONE", "TZID:Club", "BEGIN:STANDARD", "DTSTART:16010101T000000"),
                *("TZOFFSETFROM:+0100", "TZOFFSETTO:+0100", "END:STANDARD", "END:VTIMEZONE", "BEGIN:VEVENT"),
            ]
        ),
    ),
    "as many instances as can be": event("u", "x", "RRULE:FREQ=DAILY;COUNT=100"),
    "as many up to an end": event("u", "x", "RRULE:FREQ=DAILY;UNTIL=20270414T100000Z"),
    "a rule that leaves out most days": event(
        "u", "x", "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;UNTIL=20950101T000000Z"
    ),
    "no end": event("u", "x", "RRULE:FREQ=DAILY"),
    "as many attendees as can be": event("u", "x", *PEOPLE[:10]),
}


@pytest.fixture(scope="module")
def bounded(start_server: MakeServer) -> Server:
    server = start_server(settings=SETTINGS)
    client = server.client("alice")
    assert client.mkcalendar(CAL).status == client.mkcalendar(OTHER).status == 201
    return server


@pytest.fixture
def alice(bounded: Server) -> Dav:
    return bounded.client("alice")


@pytest.mark.rfc("4791", "5.2.6")
@pytest.mark.rfc("4791", "5.2.7")
@pytest.mark.rfc("4791", "5.2.8")
@pytest.mark.rfc("4791", "5.2.9")
def test_a_calendar_says_what_its_objects_can_hold(alice: Dav) -> None:
    names = (
        *(CALDAV.min_date_time, CALDAV.max_date_time, CALDAV.max_instances),
        *(CALDAV.max_attendees_per_instance, CALDAV.max_resource_size),
    )
    row = alice.propfind(CAL, *names).multistatus()[CAL]
    assert [row.text(name) for name in names] == ["19000101T000000Z", "21001231T235959Z", "100", "10", "20000"]
    everything = alice.propfind(CAL).multistatus()[CAL]
    assert not set(names) & set(everything.statuses)
    refused = alice.proppatch(CAL, dict.fromkeys(names, "1")).multistatus()[CAL]
    assert set(refused.statuses.values()) == {403}
    assert [alice.propfind(CAL, *names).multistatus()[CAL].text(name) for name in names][2] == "100"


@pytest.mark.rfc("4791", "5.3.2.1")
@pytest.mark.parametrize("way", ["put", "replace", "import", "new calendar"])
@pytest.mark.parametrize("why", REFUSED)
def test_what_holds_too_much_is_refused_by_name_and_nothing_changes(
    bounded: Server, alice: Dav, why: str, way: str
) -> None:
    condition, body = REFUSED[why]
    path = {"import": CAL, "new calendar": "/dav/alice/fresh/"}.get(way, CAL + "u.ics")
    if way == "replace":
        assert alice.put(path, event("u")).status == 201
    before = bounded.tree()
    reply = alice.put(path, body)
    assert (reply.status, reply.condition) == (403, CALDAV(condition))
    assert bounded.tree() == before
    if way == "replace":
        assert alice.delete(path).status == 204


@pytest.mark.rfc("4791", "5.3.2.1")
@pytest.mark.parametrize("method", ["COPY", "MOVE"])
@pytest.mark.parametrize("why", REFUSED)
def test_what_lies_there_by_hand_is_not_carried_into_another_calendar(
    bounded: Server, alice: Dav, why: str, method: str
) -> None:
    condition, body = REFUSED[why]
    file = bounded.data / "collections/collection-root/alice/bounded/hand.ics"
    file.write_text(body, newline="")
    try:
        assert alice.get(CAL + "hand.ics").status == 200
        before = bounded.tree()
        transfer = alice.copy if method == "COPY" else alice.move
        reply = transfer(CAL + "hand.ics", OTHER + "u.ics")
        assert (reply.status, reply.condition) == (403, CALDAV(condition))
        assert bounded.tree() == before
        assert alice.get(OTHER + "u.ics").status == 404
    finally:
        file.unlink()


@pytest.mark.rfc("4791", "5.3.2.1")
@pytest.mark.parametrize(
    ("condition", "body"),
    [
        ("valid-calendar-data", "BEGIN:VCALENDAR\r\nnonsense\r\nEND:VCALENDAR\r\n"),
        ("valid-calendar-object-resource", event("u").replace("VERSION:2.0", "VERSION:2.0\r\nMETHOD:REQUEST")),
        ("supported-calendar-data", event("u").replace("VERSION:2.0", "VERSION:1.0")),
    ],
)
@pytest.mark.parametrize("method", ["COPY", "MOVE"])
def test_what_is_no_calendar_object_is_not_carried_either(
    bounded: Server, alice: Dav, condition: str, body: str, method: str
) -> None:
    file = bounded.data / "collections/collection-root/alice/bounded/broken.ics"
    file.write_text(body, newline="")
    try:
        assert alice.get(CAL + "broken.ics").status == 200
        before = bounded.tree()
        reply = (alice.copy if method == "COPY" else alice.move)(CAL + "broken.ics", OTHER + "u.ics")
        assert (reply.status, reply.condition) == (403, CALDAV(condition))
        assert bounded.tree() == before
        assert alice.move(CAL + "broken.ics", CAL + "renamed.ics").status == 201
        assert alice.get(CAL + "renamed.ics").text == body
        assert alice.delete(CAL + "renamed.ics").status == 204
    finally:
        file.unlink(missing_ok=True)


@pytest.mark.rfc("4791", "5.2.6")
@pytest.mark.rfc("4791", "5.2.8")
@pytest.mark.parametrize("what", STORED)
def test_what_keeps_within_the_bounds_is_stored_as_it_came(alice: Dav, what: str) -> None:
    assert alice.put(CAL + "u.ics", STORED[what]).status == 201
    assert alice.get(CAL + "u.ics").text == STORED[what]
    assert alice.delete(CAL + "u.ics").status == 204


@pytest.mark.rfc("4791", "5.2.6")
def test_without_a_word_of_the_administrator_every_date_is_stored(mine: Dav, calendar: str) -> None:
    row = mine.propfind(calendar, CALDAV.min_date_time, CALDAV.max_date_time).multistatus()[calendar]
    assert row.text(CALDAV.min_date_time) == "00010101T000000Z"
    assert row.text(CALDAV.max_date_time) == "99991231T235959Z"
    for number, day in enumerate(("00010101", "16040229", "40010101", "99991231")):
        body = event(f"u{number}", "x", f"DTSTART;VALUE=DATE:{day}", "RRULE:FREQ=YEARLY")
        assert mine.put(f"{calendar}{number}.ics", body).status == 201
