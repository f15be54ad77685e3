"""Which calendar objects are stored, and that they are stored as they came."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import ItemRefused
from storage.icalendar import judge, read_facts
from tests.items.conftest import Judge, Refusal, calendar, component, event

PARIS = (
    "BEGIN:VTIMEZONE",
    "TZID:Europe/Paris",
    "BEGIN:STANDARD",
    "DTSTART:16010101T000000",
    "TZOFFSETFROM:+0200",
    "TZOFFSETTO:+0100",
    "END:STANDARD",
    "END:VTIMEZONE",
)
LIMITS = {"max_bytes": 1 << 20, "max_line_bytes": 1 << 16}

KEPT = {
    "the master and an override (RFC 4791 §4.1)": calendar(
        *component("VEVENT", "DTSTART:20041206T120000Z", "DTEND:20041206T130000Z", "RRULE:FREQ=WEEKLY"),
        *component("VEVENT", "RECURRENCE-ID:20041213T120000Z", "DTSTART:20041213T130000Z", "DTEND:20041213T140000Z"),
    ),
    "an override without its master": event("RECURRENCE-ID:20041213T120000Z"),
    "two overrides without their master": calendar(
        *component("VEVENT", "RECURRENCE-ID:20041213T120000Z", "DTSTART:20041213T130000Z"),
        *component("VEVENT", "RECURRENCE-ID:20041220T120000Z", "DTSTART:20041220T130000Z"),
    ),
    "RDATE with periods": event("RDATE;VALUE=PERIOD:19960403T020000Z/19960403T040000Z,19960404T010000Z/PT3H"),
    "RSCALE (RFC 7529 §7.1)": event("RRULE:RSCALE=CHINESE;FREQ=YEARLY", start="DTSTART;VALUE=DATE:20130210"),
    "RSCALE with a leap month": event("RRULE:RSCALE=HEBREW;FREQ=YEARLY;BYMONTH=5L;BYMONTHDAY=8;SKIP=FORWARD"),
    "a comma without backslash": event("SUMMARY:Rehearsal, then dinner", "X-NOTE:a,b;c"),
    "a literal backslash at the end": event("DESCRIPTION:C:\\temp\\"),
    "carets in a parameter (RFC 6868)": event("ATTENDEE;CN=George Herman ^'Babe^' Ruth:mailto:babe@example.com"),
    "colon, semicolon and comma in quotes": event('ATTENDEE;CN="Doe, Jane; a:b";ROLE=CHAIR:mailto:jd@example.com'),
    "properties and components nobody knows": calendar(
        *component("VEVENT", "DTSTART:20041207T120000Z", "X-FOO_BAR;X-P=1:x", "BEGIN:X-PART", "X-A:b", "END:X-PART")
    ),
    "an inline attachment in one line": event("ATTACH;ENCODING=BASE64;VALUE=BINARY:" + "QUJD" * 30_000),
    "a zone after the task, as Apple writes": calendar(
        *component("VTODO", "DUE;TZID=Europe/Paris:20260101T100000"), *PARIS
    ),
    "a zone that stands nowhere (RFC 7809)": event(start="DTSTART;TZID=Europe/Paris:20260101T100000"),
    "a date beside a time": calendar(*component("VTODO", "DTSTART:20260101T100000Z", "DUE;VALUE=DATE:20260102")),
    "a date that does not say VALUE=DATE": event(start="DTSTART:20260101"),
    "a leap second": event(start="DTSTART:20161231T235960Z"),
    "an empty EXDATE": event("RRULE:FREQ=DAILY", "EXDATE:"),
    "a rule that ends in a semicolon": event("RRULE:FREQ=DAILY;"),
    "lower case": event("summary:small").replace(b"VEVENT", b"vevent"),
    "alarms with ends of their own": event("BEGIN:VALARM", "UID:other", "TRIGGER:-PT5M", "DURATION:PT1M", "END:VALARM"),
    "a journal without date": calendar(*component("VJOURNAL", "SUMMARY:Note")),
    "line feeds alone": calendar(*component("VTODO", "SUMMARY:x"), newline="\n"),
    "no line end at the end": event().rstrip(),
    "empty lines": event().replace(b"END:VEVENT", b"\r\nEND:VEVENT") + b"\r\n\r\n",
    "folds": event("SUMMARY:one\r\n  two\r\n\tthree"),
    "neither PRODID nor VERSION": b"BEGIN:VCALENDAR\nBEGIN:VTODO\nUID:1\nEND:VTODO\nEND:VCALENDAR\n",
}


@pytest.mark.rfc("4791", "5.3.4")
@pytest.mark.parametrize("data", KEPT.values(), ids=KEPT.keys())
def test_a_sound_object_is_stored_byte_for_byte(judge_calendar: Judge, data: bytes) -> None:
    judged = judge_calendar(data)
    assert (judged.data, judged.rewritten) == (data, False)


REFUSED = {
    "nothing": (b"", "valid-calendar-data"),
    "prose": (b"See you at eight.\r\n", "valid-calendar-data"),
    "HTML": (b"<html></html>", "valid-calendar-data"),
    "a card": (b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:A\r\nEND:VCARD\r\n", "valid-calendar-data"),
    "UTF-16": (event().decode().encode("utf-16"), "valid-calendar-data"),
    "Latin-1": (event("SUMMARY:Fête").decode().encode("latin-1"), "valid-calendar-data"),
    "a bare carriage return": (event("SUMMARY:a\rDTEND:20041207T130000Z"), "valid-calendar-data"),
    "a missing end": (event().replace(b"END:VEVENT\r\n", b""), "valid-calendar-data"),
    "ends in the wrong order": (
        calendar("BEGIN:VEVENT", "BEGIN:VALARM", "END:VEVENT", "END:VALARM"),
        "valid-calendar-data",
    ),
    "an end too many": (event() + b"END:VCALENDAR\r\n", "valid-calendar-data"),
    "a line without colon": (event("SUMMARY"), "valid-calendar-data"),
    "a quote that stays open": (event('ATTENDEE;CN="Jane:mailto:jd@example.com'), "valid-calendar-data"),
    "deep nesting": (calendar(*["BEGIN:X"] * 100, *["END:X"] * 100), "valid-calendar-data"),
    "a continuation of nothing": (b" " + event(), "valid-calendar-data"),
    "no DTSTART": (event(start=""), "valid-calendar-data"),
    "two DTSTART": (event("DTSTART:20041208T120000Z"), "valid-calendar-data"),
    "the 30th of February": (event(start="DTSTART;VALUE=DATE:20260230"), "valid-calendar-data"),
    "a date with dashes": (event(start="DTSTART:2026-01-30"), "valid-calendar-data"),
    "a time with offset": (event(start="DTSTART:20260130T100000+0100"), "valid-calendar-data"),
    "digits of another script": (event(start="DTSTART:２０２６０１０１"), "valid-calendar-data"),
    "a broken end": (event("DTEND:soon"), "valid-calendar-data"),
    "a broken duration": (event("DURATION:1h"), "valid-calendar-data"),
    "end and duration": (event("DTEND:20041207T130000Z", "DURATION:PT2H"), "valid-calendar-data"),
    "a broken recurrence id": (event("RECURRENCE-ID:yesterday"), "valid-calendar-data"),
    "a rule without frequency": (event("RRULE:COUNT=3"), "valid-calendar-data"),
    "a rule of no frequency": (event("RRULE:FREQ=FORTNIGHTLY"), "valid-calendar-data"),
    "a rule that stands still": (event("RRULE:FREQ=DAILY;INTERVAL=0"), "valid-calendar-data"),
    "a month that no year has": (event("RRULE:FREQ=YEARLY;BYMONTH=99"), "valid-calendar-data"),
    "a weekday that no week has": (event("RRULE:FREQ=WEEKLY;BYDAY=XX"), "valid-calendar-data"),
    "a broken RDATE": (event("RDATE:20260101T100000Z,never"), "valid-calendar-data"),
    "METHOD": (event().replace(b"VERSION:2.0", b"VERSION:2.0\r\nMETHOD:REQUEST"), "valid-calendar-object-resource"),
    "two kinds": (
        calendar(*component("VEVENT", "DTSTART:20041207T120000Z"), *component("VTODO")),
        "valid-calendar-object-resource",
    ),
    "two UIDs": (calendar(*component("VTODO"), *component("VTODO", uid="2")), "valid-calendar-object-resource"),
    "no UID": (calendar("BEGIN:VTODO", "END:VTODO"), "valid-calendar-object-resource"),
    "an empty UID": (calendar(*component("VTODO", uid=" ")), "valid-calendar-object-resource"),
    "two masters": (calendar(*component("VTODO"), *component("VTODO")), "valid-calendar-object-resource"),
    "two calendars": (event() + event(), "valid-calendar-object-resource"),
    "a zone alone": (calendar(*PARIS), "valid-calendar-object-resource"),
    "vCalendar 1.0": (event().replace(b"VERSION:2.0", b"VERSION:1.0"), "supported-calendar-data"),
    "more than the limit": (event("DESCRIPTION:" + "x" * (1 << 20)), "max-resource-size"),
}


@pytest.mark.rfc("4791", "5.3.2.1")
@pytest.mark.parametrize(("data", "condition"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_stored_is_refused_with_its_precondition(
    calendar_refusal: Refusal, data: bytes, condition: str
) -> None:
    assert calendar_refusal(data) == condition


MENDED = {
    "a byte order mark": (b"\xef\xbb\xbf" + event(), event()),
    "control characters": (event("SUMMARY:a\x00\x0bb"), event("SUMMARY:ab")),
    "what XML cannot carry": (event("SUMMARY:a\ufffeb"), event("SUMMARY:ab")),
    "a fold inside of a character": (event("SUMMARY:é").replace(b"\xc3\xa9", b"\xc3\r\n \xa9"), event("SUMMARY:é")),
    "no duration beside an end": (event("DTEND:20041207T130000Z", "DURATION:PT0S"), event("DTEND:20041207T130000Z")),
}


@pytest.mark.parametrize(("data", "stored"), MENDED.values(), ids=MENDED.keys())
def test_what_no_report_could_carry_is_mended_and_said_to_be(judge_calendar: Judge, data: bytes, stored: bytes) -> None:
    judged = judge_calendar(data)
    assert (judged.data, judged.rewritten) == (stored, True)
    assert judge_calendar(judged.data).rewritten is False


def test_components_of_a_mended_object_point_into_the_stored_bytes(judge_calendar: Judge) -> None:
    judged = judge_calendar(b"\xef\xbb\xbf" + event("DURATION:PT0S", "DTEND:20041207T130000Z"))
    (found,) = judged.components
    assert judged.data[found.start : found.end].startswith(b"BEGIN:VEVENT\r\n")
    assert judged.data[found.closing : found.end] == b"END:VEVENT\r\n"


def test_the_uid_is_read_as_text(judge_calendar: Judge) -> None:
    assert judge_calendar(calendar(*component("VTODO", uid="a\\,b\\\\c"))).facts.uid == "a,b\\c"


@given(st.binary(max_size=400) | st.text(alphabet='BEGINDVALRUT:;,="\r\n \t^2026Z/-+', max_size=400).map(str.encode))
def test_any_bytes_are_judged_or_refused(data: bytes) -> None:
    read_facts(data)
    for tag in ("VCALENDAR", "VADDRESSBOOK"):
        with suppress(ItemRefused):
            assert judge(data, tag, **LIMITS).facts.uid


@given(
    st.sampled_from(
        ["DTSTART", "DTEND", "DUE", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "X", "ATTENDEE;CN="]
    ),
    st.text(alphabet='0123456789TZPWDHMS+-/,;=FREQCOUNTILBYASV:"', max_size=60),
    st.sampled_from(["VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VPOLL"]),
)
def test_any_value_is_judged_or_refused(name: str, value: str, kind: str) -> None:
    data = calendar(*component(kind, "DTSTART:20260101T000000Z", f"{name}:{value}"))
    with suppress(ItemRefused):
        assert judge(data, "VCALENDAR", **LIMITS).data == data


@pytest.mark.parametrize(
    "line",
    [
        "X" + ";A=1" * 200_000 + ":x",
        "X;A=" + '"1",' * 200_000 + ":x",
        "X" + '"' * 900_000,
        "DTEND:" + "2" * 900_000,
        "DURATION:P" + "1" * 900_000 + "D",
        "RRULE:FREQ=DAILY;BYDAY=" + "MO," * 300_000,
        "RRULE:FREQ=DAILY" + ";" * 900_000,
        "RDATE:" + "20260101T000000Z," * 50_000,
        "X:" + "\r\n " * 200_000,
    ],
    ids=lambda line: line[:12],
)
@pytest.mark.timeout(20)
def test_a_hostile_line_takes_no_time(line: str) -> None:
    with suppress(ItemRefused):
        assert judge(event(line), "VCALENDAR", **LIMITS).facts.uid == "1@example.com"


FOUND = {
    "an event without start": (event(start=""), ("1@example.com", "VEVENT")),
    "a task in a broken calendar": (calendar(*component("VTODO"))[:-20], ("1@example.com", "VTODO")),
    "no calendar": (b"\x00\x01\x02", (None, None)),
    "a card without name": (b"BEGIN:VCARD\nUID:7\nEND:VCARD\n", ("7", "VCARD")),
    "a sound card without UID": (b"BEGIN:VCARD\nVERSION:3.0\nFN:A\nEND:VCARD\n", (None, "VCARD")),
}


@pytest.mark.parametrize(("data", "expected"), FOUND.values(), ids=FOUND.keys())
def test_of_a_file_that_was_dropped_in_what_can_be_read_is_read(
    data: bytes, expected: tuple[str | None, str | None]
) -> None:
    facts = read_facts(data)
    assert (facts.uid, facts.component) == expected
    assert facts.content is not None
    assert facts.content.data == data
