"""Expansion of recurring components by Radicale, and what it does not know (RFC 4791 §9.6.5)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from davserver.mounts.pim_expand import expanded
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
    lines = expanded(body.encode(), asked).decode().split("\r\n")
    assert [line.partition(":")[2] for line in lines if line.startswith("DTSTART")] == starts
    assert [line.partition(":")[2] for line in lines if line.startswith("RECURRENCE-ID")] == starts
    assert not any(line.startswith(("RRULE", "RDATE")) for line in lines)
    kind = body.split("BEGIN:")[2].split("\r\n")[0]
    assert lines.count(f"BEGIN:{kind}") == lines.count(f"END:{kind}") == len(starts)


def test_a_task_keeps_its_due_time_in_utc() -> None:
    lines = expanded(task("t", "x", *FROM_FIVE_TO_SIX, DAILY + ";COUNT=1").encode(), WEEK).decode().split("\r\n")
    assert "DUE:20270105T170000Z" in lines


@pytest.mark.parametrize(
    "body",
    [
        event("e", "x", "RDATE;VALUE=PERIOD:20270107T100000Z/PT2H"),
        event("e", "x", "DTSTART:20270105T100000", DAILY),
        task("t", "x", "DUE:20270105T100000Z"),
        MOVED_OUT,
        event("e", "x", "RRULE:FREQ=SECONDLY"),
    ],
    ids=["period", "floating", "due alone", "moved out of the range", "costly"],
)
def test_what_the_guest_would_get_wrong_comes_as_it_is(body: str) -> None:
    assert expanded(body.encode(), WEEK) == body.encode()
