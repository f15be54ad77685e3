"""The rows that the index keeps of when an object takes place answer every range as the object itself would."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from storage.contentlines import parse_components
from storage.icalendar import judge
from storage.occurrences import KEPT_AHEAD_S, MOST_ROWS
from storage.records import FAR_AWAY, LENGTHS_S, LOCAL, LONG_AGO, OPEN_ROW, Span
from storage.recurrence import TimeRange, overlaps
from tests.items.conftest import Judge, calendar, component, event

DAY_S = 86_400


def second(text: str) -> int:
    return int(datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp())


EXACT = {
    # kind, its lines, and the rows as month, day, hour and minute of 2026; a point is half-open, as all spans are
    "an event with end": (
        "VEVENT",
        "DTSTART:20260101T100000Z DTEND:20260101T110000Z",
        [("0101T100000", "0101T110000")],
    ),
    "an event with duration": ("VEVENT", "DTSTART:20260101T100000Z DURATION:PT2H", [("0101T100000", "0101T120000")]),
    "an event of no length": ("VEVENT", "DTSTART:20260101T100000Z", [("0101T100000", "0101T100001")]),
    "a task with start and due": (
        "VTODO",
        "DTSTART:20260101T100000Z DUE:20260103T100000Z",
        [("0101T100000", "0103T100000")],
    ),
    "a task with due": ("VTODO", "DUE:20260103T100000Z", [("0103T095959", "0103T100000")]),
    "a note": ("VJOURNAL", "SUMMARY:x", []),
    "a journal entry": ("VJOURNAL", "DTSTART:20260101T100000Z", [("0101T100000", "0101T100001")]),
    "more dates": (
        "VEVENT",
        "DTSTART:20260101T100000Z DURATION:PT1H RDATE:20260301T100000Z",
        [("0101T100000", "0101T110000"), ("0301T100000", "0301T110000")],
    ),
    "a rule until": (
        "VEVENT",
        "DTSTART:20260101T100000Z RRULE:FREQ=WEEKLY;UNTIL=20260115T000000Z",
        [("0101T100000", "0101T100001"), ("0108T100000", "0108T100001")],
    ),
}


@pytest.mark.rfc("4791", "9.9")
@pytest.mark.parametrize(("kind", "lines", "expected"), EXACT.values(), ids=EXACT.keys())
def test_rows_follow_the_tables_of_time_range(
    judge_calendar: Judge, kind: str, lines: str, expected: list[tuple[str, str]]
) -> None:
    facts = judge_calendar(calendar(*component(kind, *lines.split()))).facts
    assert facts.component == kind
    assert sorted(span[1:3] for span in facts.spans) == [
        (second(f"2026{a}Z"), second(f"2026{b}Z")) for a, b in expected
    ]


def test_a_task_of_no_time_stands_everywhere(judge_calendar: Judge) -> None:
    facts = judge_calendar(calendar(*component("VTODO", "SUMMARY:x"))).facts
    assert facts.spans == (Span(len(LENGTHS_S), LONG_AGO, FAR_AWAY, 0),)


@pytest.mark.rfc("4791", "7.3")
def test_a_day_is_kept_as_every_clock_shows_it(judge_calendar: Judge) -> None:
    midnight = second("20260101T000000Z")
    facts = judge_calendar(event(start="DTSTART;VALUE=DATE:20260101")).facts
    assert facts.spans == (Span(LOCAL, midnight, midnight + DAY_S, 1),)


def test_a_flight_between_two_zones_is_kept_in_utc(judge_calendar: Judge) -> None:
    facts = judge_calendar(
        event("DTEND;TZID=America/Los_Angeles:20260101T080000", start="DTSTART;TZID=Asia/Tokyo:20260101T170000")
    ).facts
    start = datetime(2026, 1, 1, 17, tzinfo=ZoneInfo("Asia/Tokyo")).timestamp()
    landing = datetime(2026, 1, 1, 8, tzinfo=ZoneInfo("America/Los_Angeles")).timestamp()
    assert facts.spans == (Span(0, int(start), int(landing), 1),)


def test_what_mixes_clocks_is_left_to_the_object_itself(judge_calendar: Judge) -> None:
    facts = judge_calendar(
        event("RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20260102T100000Z", start="DTSTART:20260101T100000")
    )
    assert [span.kind for span in facts.facts.spans] == [OPEN_ROW]


@pytest.mark.rfc("4791", "7.10")
@pytest.mark.parametrize(
    ("line", "busy"), [("CLASS:PUBLIC", 1), ("TRANSP:TRANSPARENT", 0), ("STATUS:CANCELLED", 0), ("STATUS:TENTATIVE", 2)]
)
def test_a_row_says_whether_it_takes_time(judge_calendar: Judge, line: str, busy: int) -> None:
    assert [span.busy for span in judge_calendar(event("DURATION:PT1H", line)).facts.spans] == [busy]


def test_a_rule_without_end_is_followed_for_two_years_and_then_left_open() -> None:
    start = datetime.now(UTC).replace(microsecond=0)
    data = event("RRULE:FREQ=WEEKLY", start=f"DTSTART:{start:%Y%m%dT%H%M%SZ}")
    *rows, last = judge(data, "VCALENDAR", max_bytes=9999, max_line_bytes=999).facts.spans
    assert len(rows) == KEPT_AHEAD_S // (7 * DAY_S) + 1
    assert last.kind == OPEN_ROW
    assert rows[-1].start_s < last.start_s + 3 * DAY_S
    assert last.end_s == FAR_AWAY


def test_a_rule_of_many_occurrences_is_left_open_after_some(judge_calendar: Judge) -> None:
    master = component("VEVENT", "DTSTART:20260110T100000Z", "RRULE:FREQ=DAILY;COUNT=5000")
    moved = component("VEVENT", "RECURRENCE-ID:20360112T100000Z", "DTSTART:20260111T110000Z")
    spans = judge_calendar(calendar(*master, *moved)).facts.spans
    assert MOST_ROWS - 1 <= len(spans) <= MOST_ROWS + 2
    assert [span.kind for span in spans].count(OPEN_ROW) == 1
    assert second("20260111T110000Z") in [span.start_s for span in spans]


RULES = [
    *("", "RRULE:FREQ=DAILY;COUNT=10", "RRULE:FREQ=WEEKLY;BYDAY=MO,WE,FR", "RRULE:FREQ=MONTHLY;BYDAY=-1FR;COUNT=5"),
    *("RRULE:FREQ=DAILY;INTERVAL=3", "RRULE:FREQ=YEARLY", "RRULE:FREQ=MONTHLY;BYMONTHDAY=31;UNTIL=20270101T000000Z"),
    *("RRULE:FREQ=WEEKLY;COUNT=700", "RRULE:FREQ=HOURLY;INTERVAL=7", "RDATE:20260301T100000Z"),
]
STARTS = [
    *("DTSTART:20260101T100000Z", "DTSTART;TZID=Europe/Berlin:20260327T023000", "DTSTART:20260101T233000"),
    *("DTSTART;VALUE=DATE:20260328", "DTSTART;TZID=Nowhere/Unknown:20260101T100000"),
]
LENGTHS = ["", "DURATION:PT1H", "DURATION:P2D", "DURATION:PT0S", "DURATION:P300D"]
MORE = ["", "EXDATE:20260102T100000Z", "EXDATE;VALUE=DATE:20260329", "RDATE;VALUE=PERIOD:20260401T100000Z/PT3H"]
ZONES = [None, ZoneInfo("Europe/Berlin"), ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Pacific/Pago_Pago")]
RANGES = st.tuples(st.integers(second("20251201T000000Z"), second("20290101T000000Z")), st.integers(1, 40 * DAY_S))


@pytest.mark.rfc("4791", "9.9")
@given(
    st.sampled_from(RULES),
    st.sampled_from(STARTS),
    st.sampled_from(LENGTHS),
    st.sampled_from(MORE),
    st.sampled_from(ZONES),
    st.lists(RANGES, min_size=5, max_size=5),
)
@example("", STARTS[3], "", "", ZONES[2], [(second("20260327T090000Z"), DAY_S), (second("20260328T100000Z"), 5)])
def test_rows_never_disagree_with_the_object(
    rule: str, start: str, length: str, more: str, zone: ZoneInfo | None, ranges: list[tuple[int, int]]
) -> None:
    data = event(*filter(None, [rule, length, more]), start=start)
    spans = judge(data, "VCALENDAR", max_bytes=9999, max_line_bytes=999).facts.spans
    top = parse_components(data, longest_head=999)[0]
    for number, (start_s, length_s) in enumerate(ranges):
        asked = TimeRange(start_s, start_s + length_s)
        if any(_is_within(span, asked, None) for span in spans if span.kind == OPEN_ROW):
            continue
        by_rows = any(_is_within(span, asked, zone) for span in spans if span.kind != OPEN_ROW)
        assert by_rows == overlaps(data, top, "VEVENT", asked, f"{hash(data)} {zone} {number}", zone), asked


def _is_within(span: Span, asked: TimeRange, zone: ZoneInfo | None) -> bool:
    def utc(clock_s: int) -> float:
        if zone is None or span.kind < LOCAL:
            return clock_s
        return datetime.fromtimestamp(clock_s, UTC).replace(tzinfo=zone).timestamp()

    return utc(span.start_s) < asked.end_s and utc(span.end_s) > asked.start_s


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
        "FREQ=DAILY;BYMONTH=2;BYSETPOS=366",
        "FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO;BYMONTH=6",
    ],
    ids=lambda rule: rule[:30],
)
@pytest.mark.timeout(20)
def test_a_rule_that_never_ends_costs_what_any_rule_costs(judge_calendar: Judge, rule: str) -> None:
    spans = judge_calendar(event(f"RRULE:{rule}")).facts.spans
    assert len(spans) <= MOST_ROWS + 1
    assert min(span.start_s for span in spans) <= second("20041207T120000Z")


def test_a_rule_that_is_too_costly_to_follow_is_open_from_its_start_to_its_end(judge_calendar: Judge) -> None:
    spans = judge_calendar(event("RRULE:FREQ=SECONDLY;BYMONTH=12;UNTIL=20050101T000000Z")).facts.spans
    assert [span.kind for span in spans] == [OPEN_ROW]
    assert second("20041201T000000Z") < spans[0].start_s < second("20041207T120000Z")
    assert second("20050101T000000Z") < spans[0].end_s < second("20050110T000000Z")


def test_a_time_of_the_last_year_is_no_overflow(judge_calendar: Judge) -> None:
    facts = judge_calendar(event("DURATION:P99999999W", start="DTSTART:99991231T235959Z")).facts
    assert len(facts.spans) == 1


def test_a_rule_after_a_long_list_of_dates_has_no_gap(judge_calendar: Judge) -> None:
    dates = ",".join(
        f"2028{month:02}{day:02}T{hour:02}0000Z" for month in (1, 2) for day in range(1, 21) for hour in range(14)
    )
    spans = judge_calendar(
        event("RRULE:FREQ=DAILY;COUNT=300", f"RDATE:{dates}", start="DTSTART:20270101T100000Z")
    ).facts.spans
    in_june = second("20270601T100000Z")
    assert any(span.start_s <= in_june < span.end_s for span in spans)
