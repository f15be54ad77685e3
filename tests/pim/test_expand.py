"""Recurring components as their occurrences (RFC 4791 §9.6.5)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from storage.expansion import expand
from storage.recurrence import TimeRange
from tests.pim.samples import calendar, event, journal, task

DAILY = "RRULE:FREQ=DAILY"
FROM_FIVE_TO_SIX = ("DTSTART;TZID=Europe/Berlin:20270105T170000", "DUE;TZID=Europe/Berlin:20270105T180000")


def between(start: str, end: str) -> TimeRange:
    """Two UTC times in iCalendar's form."""
    first, last = (datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) for text in (start, end))
    return TimeRange(int(first.timestamp()), int(last.timestamp()))


WEEK = between("20270104T000000Z", "20270111T000000Z")
ONE_DAY = between("20270107T100000Z", "20270108T100000Z")
MOVED_OUT = calendar(
    *("BEGIN:VEVENT", "UID:m", "DTSTAMP:20260101T000000Z", "DTSTART:20270105T090000Z", "DURATION:PT1H", DAILY),
    *("END:VEVENT", "BEGIN:VEVENT", "UID:m", "DTSTAMP:20260101T000000Z", "RECURRENCE-ID:20270106T090000Z"),
    *("DTSTART:20270310T090000Z", "DURATION:PT1H", "END:VEVENT"),
)
FOUND = [
    # what is expanded, the range, the occurrences' starts
    (event("e", "x", DAILY), ONE_DAY, ["20270107T100000Z"]),
    (event("e", "takes no time", "DTSTART:20270105T100000Z", DAILY), ONE_DAY, ["20270107T100000Z"]),
    (
        event("e", "a day", "DTSTART;VALUE=DATE:20270105", DAILY),
        between("20270107T000000Z", "20270108T000000Z"),
        ["20270107"],
    ),
    (event("e", "listed", "RDATE:20270107T100000Z"), WEEK, ["20270105T100000Z", "20270107T100000Z"]),
    (task("t", "x", *FROM_FIVE_TO_SIX, DAILY + ";COUNT=2"), WEEK, ["20270105T160000Z", "20270106T160000Z"]),
    (
        journal("j").replace("SUMMARY", f"DTSTART:20270105T100000Z\r\n{DAILY};COUNT=2\r\nSUMMARY"),
        WEEK,
        ["20270105T100000Z", "20270106T100000Z"],
    ),
]


@pytest.mark.rfc("4791", "9.6.5")
@pytest.mark.parametrize(("body", "asked", "starts"), FOUND, ids=["event", "instant", "day", "rdate", "task", "note"])
def test_each_occurrence_in_the_range_is_a_component_in_utc(body: str, asked: TimeRange, starts: list[str]) -> None:
    lines = expand(body.encode(), asked).decode().split("\r\n")
    assert [line.partition(":")[2] for line in lines if line.startswith("DTSTART")] == starts
    assert [line.partition(":")[2] for line in lines if line.startswith("RECURRENCE-ID")] == starts
    assert not any(line.startswith(("RRULE", "RDATE")) for line in lines)
    kind = body.split("BEGIN:")[2].split("\r\n")[0]
    assert lines.count(f"BEGIN:{kind}") == lines.count(f"END:{kind}") == len(starts)


def test_a_task_keeps_its_due_time_in_utc() -> None:
    lines = expand(task("t", "x", *FROM_FIVE_TO_SIX, DAILY + ";COUNT=1").encode(), WEEK).decode().split("\r\n")
    assert "DUE:20270105T170000Z" in lines


def test_a_period_keeps_its_own_end() -> None:
    body = event(
        "e", "x", "DTSTART:20270105T090000Z", "DTEND:20270105T100000Z", "RDATE;VALUE=PERIOD:20270107T100000Z/PT2H"
    )
    lines = expand(body.encode(), ONE_DAY).decode().split("\r\n")
    assert [line for line in lines if line.startswith("DT") and "STAMP" not in line] == [
        "DTSTART:20270107T100000Z",
        "DTEND:20270107T120000Z",
    ]


@pytest.mark.rfc("4791", "7.3")
def test_a_floating_time_stays_floating() -> None:
    lines = expand(event("e", "x", "DTSTART:20270105T100000", DAILY).encode(), ONE_DAY).decode().split("\r\n")
    assert "DTSTART:20270107T100000" in lines
    assert "RECURRENCE-ID:20270107T100000" in lines


def test_one_occurrence_alone_loses_its_zone_only() -> None:
    body = event("e", "x", "DTSTART;TZID=Europe/Berlin:20270105T100000", "X-OWN;TZID=Europe/Berlin:a text")
    lines = expand(body.encode(), WEEK).decode().split("\r\n")
    assert "DTSTART:20270105T090000Z" in lines
    assert "X-OWN;TZID=Europe/Berlin:a text" in lines
    assert not any(line.startswith("RECURRENCE-ID") for line in lines)


def test_what_does_not_recur_and_has_no_zone_comes_as_it_is() -> None:
    body = task("t", "x", "DUE:20270105T100000Z").encode()
    assert expand(body, WEEK) == body


def test_an_occurrence_that_was_moved_out_of_the_range_is_not_in_it() -> None:
    lines = expand(MOVED_OUT.encode(), WEEK).decode().split("\r\n")
    starts = [line.partition(":")[2] for line in lines if line.startswith("DTSTART")]
    assert starts == [f"202701{day:02}T090000Z" for day in (5, 7, 8, 9, 10)]


def test_what_costs_too_much_comes_as_it_is() -> None:
    body = event("e", "x", "RRULE:FREQ=SECONDLY").encode()
    assert expand(body, WEEK) == body


def test_nothing_in_the_range_is_an_empty_calendar() -> None:
    lines = expand(event("e", "x", "DTSTART:20290105T100000Z").encode(), WEEK).decode().split("\r\n")
    assert lines[0] == "BEGIN:VCALENDAR"
    assert "BEGIN:VEVENT" not in lines


@pytest.mark.rfc("4791", "9.6.5")
@pytest.mark.parametrize("start", ["DTSTART;tzid=Club:20270105T100000", "DTSTART;X-A=b;TZ\r\n ID=Club:20270105T100000"])
def test_a_zone_of_the_object_s_own_is_found_however_it_is_named(start: str) -> None:
    zone = ("BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETFROM:+0500", "TZOFFSETTO:+0500", "END:STANDARD")
    body = event("e", "x", start, DAILY).replace(
        "BEGIN:VEVENT", "\r\n".join(["BEGIN:VTIMEZONE", "TZID:Club", *zone, "END:VTIMEZONE", "BEGIN:VEVENT"])
    )
    assert "20270107T050000Z" in expand(body.encode(), WEEK).decode()
