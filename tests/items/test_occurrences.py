"""The bounds in the index never leave an occurrence out, and never cost more for a rule that recurs more."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st

from storage.icalendar import judge
from storage.records import Facts
from tests.items.conftest import Judge, calendar, component, event

DAY_S = 86_400


def second(text: str) -> int:
    return int(datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp())


EXACT = {
    # kind, its lines, and the bounds as month, day and hour of 2026
    "an event with end": ("VEVENT", "DTSTART:20260101T100000Z DTEND:20260101T110000Z", "0101T10 0101T11"),
    "an event with duration": ("VEVENT", "DTSTART:20260101T100000Z DURATION:PT2H", "0101T10 0101T12"),
    "an event of no length": ("VEVENT", "DTSTART:20260101T100000Z", "0101T10 0101T10"),
    "a task with start and due": ("VTODO", "DTSTART:20260101T100000Z DUE:20260103T100000Z", "0101T10 0103T10"),
    "a task with start and duration": ("VTODO", "DTSTART:20260101T100000Z DURATION:P1D", "0101T10 0102T10"),
    "a task with due": ("VTODO", "DUE:20260103T100000Z", "0103T10 0103T10"),
    "a task due before its start": ("VTODO", "DTSTART:20260103T100000Z DUE:20260101T100000Z", "0101T10 0103T10"),
    "a completed task": ("VTODO", "COMPLETED:20260105T000000Z CREATED:20260101T000000Z", "0101T00 0105T00"),
    "a task that was completed some time": ("VTODO", "COMPLETED:20260105T000000Z", "0105T00 0105T00"),
    "a task that waits": ("VTODO", "CREATED:20260101T000000Z", "0101T00 open"),
    "a task of no time": ("VTODO", "SUMMARY:x", "open open"),
    "a note": ("VJOURNAL", "SUMMARY:x", "open open"),
    "a journal entry": ("VJOURNAL", "DTSTART:20260101T100000Z", "0101T10 0101T10"),
    "busy times": (
        "VFREEBUSY",
        "FREEBUSY:20260101T100000Z/PT1H,20260102T100000Z/20260102T120000Z",
        "0101T10 0102T12",
    ),
    "more dates": ("VEVENT", "DTSTART:20260101T100000Z DURATION:PT1H RDATE:20260301T100000Z", "0101T10 0301T11"),
    "a rule without end": ("VEVENT", "DTSTART:20260101T100000Z RRULE:FREQ=DAILY", "0101T10 open"),
    "a rule until": ("VEVENT", "DTSTART:20260101T100000Z RRULE:FREQ=DAILY;UNTIL=20260201T000000Z", "0101T10 0201T00"),
}


@pytest.mark.rfc("4791", "9.9")
@pytest.mark.parametrize(("kind", "lines", "expected"), EXACT.values(), ids=EXACT.keys())
def test_bounds_follow_the_tables_of_time_range(judge_calendar: Judge, kind: str, lines: str, expected: str) -> None:
    facts = judge_calendar(calendar(*component(kind, *lines.split()))).facts
    first, last = (None if text == "open" else second(f"2026{text}0000Z") for text in expected.split())
    assert facts == Facts("1@example.com", kind, first, last)


@pytest.mark.rfc("4791", "9.9")
def test_an_all_day_event_covers_its_day_in_every_zone(judge_calendar: Judge) -> None:
    facts = judge_calendar(event(start="DTSTART;VALUE=DATE:20260101")).facts
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        midnight = datetime(2026, 1, 1, tzinfo=ZoneInfo(zone)).timestamp()
        assert facts.first_s is not None
        assert facts.last_s is not None
        assert facts.first_s <= midnight <= midnight + DAY_S <= facts.last_s


def test_a_flight_between_two_zones_is_covered(judge_calendar: Judge) -> None:
    facts = judge_calendar(
        event("DTEND;TZID=America/Los_Angeles:20260101T080000", start="DTSTART;TZID=Asia/Tokyo:20260101T170000")
    ).facts
    landing = datetime(2026, 1, 1, 8, tzinfo=ZoneInfo("America/Los_Angeles")).timestamp()
    assert facts.last_s is not None
    assert landing <= facts.last_s


def test_an_override_outside_of_the_rule_widens_the_bounds(judge_calendar: Judge) -> None:
    master = component("VEVENT", "DTSTART:20260110T100000Z", "RRULE:FREQ=DAILY;UNTIL=20260120T100000Z")
    moved = component("VEVENT", "RECURRENCE-ID:20260112T100000Z", "DTSTART:20260301T100000Z", "DURATION:PT1H")
    early = component("VEVENT", "RECURRENCE-ID:20260113T100000Z", "DTSTART:20260101T100000Z")
    facts = judge_calendar(calendar(*master, *moved, *early)).facts
    assert (facts.first_s, facts.last_s) == (second("20260101T100000Z"), second("20260301T110000Z"))


def test_an_override_that_moves_what_follows_opens_the_end(judge_calendar: Judge) -> None:
    master = component("VEVENT", "DTSTART:20260110T100000Z", "RRULE:FREQ=DAILY;COUNT=5")
    moved = component("VEVENT", "RECURRENCE-ID;RANGE=THISANDFUTURE:20260112T100000Z", "DTSTART:20260301T100000Z")
    assert judge_calendar(calendar(*master, *moved)).facts.last_s is None


BY = (
    *("", ";BYDAY=MO", ";BYDAY=MO,WE,FR", ";BYDAY=1MO", ";BYDAY=-1SU,5FR", ";BYMONTHDAY=1", ";BYMONTHDAY=31"),
    *(";BYMONTH=2", ";BYMONTH=2;BYMONTHDAY=-1", ";BYMONTH=6;BYDAY=2TU", ";BYDAY=MO,TU;BYSETPOS=-1", ";BYHOUR=5,6"),
)
RULES = st.builds(
    lambda frequency, count, interval, by: f"FREQ={frequency};COUNT={count};INTERVAL={interval}{by}",
    st.sampled_from(["HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    st.integers(1, 30),
    st.integers(1, 4),
    st.sampled_from(BY),
)


@pytest.mark.rfc("5545", "3.3.10")
@given(RULES, st.integers(1_546_300_800, 1_735_689_600), st.integers(0, 3))
def test_no_occurrence_of_a_counted_rule_is_left_out(rule: str, start_s: int, days: int) -> None:
    start = datetime.fromtimestamp(start_s, UTC)
    if "BYHOUR" in rule:
        rule = rule.replace("HOURLY", "DAILY")  # dateutil refuses the steps of hours that never meet
    if "BYDAY=1" in rule or "BYDAY=-1" in rule:
        rule = rule.replace("WEEKLY", "MONTHLY").replace("DAILY", "MONTHLY").replace("HOURLY", "MONTHLY")
    facts = _judged(f"RRULE:{rule}", f"DURATION:P{days}D", start=start)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        begins = [start, *islice(rrulestr(rule, dtstart=start), 30)]
    ends = [(begin + timedelta(days=days)).timestamp() for begin in begins]
    assert facts.first_s is not None
    assert facts.first_s <= min(begin.timestamp() for begin in begins)
    assert facts.last_s is None or facts.last_s >= max(ends)


def _judged(*lines: str, start: datetime) -> Facts:
    data = event(*lines, start=f"DTSTART:{start:%Y%m%dT%H%M%SZ}")
    return judge(data, "VCALENDAR", max_bytes=9999, max_line_bytes=999).facts


@pytest.mark.parametrize("rule", ["DAILY;COUNT=10", "WEEKLY;BYDAY=MO,WE;COUNT=10", "MONTHLY;BYDAY=-1FR;COUNT=5"])
def test_what_calendars_make_has_an_end_in_the_index(judge_calendar: Judge, rule: str) -> None:
    assert judge_calendar(event(f"RRULE:FREQ={rule}")).facts.last_s is not None


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY",
        "FREQ=SECONDLY;COUNT=999999999",
        "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30;COUNT=1",
        "FREQ=YEARLY;INTERVAL=999999999;COUNT=999999999",
        "FREQ=SECONDLY;UNTIL=99991231T235959Z",
        "FREQ=YEARLY;BYSECOND=" + ",".join(map(str, range(60))) + ";BYMINUTE=1,2,3;BYSETPOS=-1;COUNT=500000000",
        "FREQ=MINUTELY;BYDAY=53MO;COUNT=3",
    ],
    ids=lambda rule: rule[:30],
)
@pytest.mark.timeout(20)
def test_a_rule_that_never_ends_costs_what_any_rule_costs(judge_calendar: Judge, rule: str) -> None:
    assert judge_calendar(event(f"RRULE:{rule}")).facts.first_s == second("20041207T120000Z")


def test_a_time_of_the_last_year_is_no_overflow(judge_calendar: Judge) -> None:
    facts = judge_calendar(event("DURATION:P99999999W", start="DTSTART:99991231T235959Z")).facts
    assert facts.last_s is None
