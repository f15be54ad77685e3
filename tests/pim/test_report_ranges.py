"""Ranges of time in reports, and filters of many conditions: what is answered, and what is refused (RFC 4791 §7)."""

from __future__ import annotations

import pytest

from davserver.dav.names import CALDAV, DAV
from tests.conftest import MakeServer
from tests.harness import Dav
from tests.pim.samples import busy, card, card_query, event, mkcalendar, multiget, query, sync
from tests.pim.samples import calendar as in_calendar

CAL = "/dav/alice/calendar/"
WITHIN = ("19000101T000000Z", "21001231T235959Z")
EARLY = ("18991231T235959Z", "20270201T000000Z")
LATE = ("20270101T000000Z", "21010101T000000Z")
CONDITIONS = {EARLY: CALDAV.min_date_time, LATE: CALDAV.max_date_time}


@pytest.fixture(scope="module")
def alice(start_server: MakeServer) -> Dav:
    """At a server that stores the years 1900 to 2100."""
    settings = "[limits]\ncalendar_first_year = 1900\ncalendar_last_year = 2100\n"
    alice = start_server(settings=settings).client("alice")
    assert alice.put(CAL + "u.ics", event("u", "x", "RRULE:FREQ=DAILY;COUNT=3")).status == 201
    return alice


def attributes(start: str, end: str) -> str:
    return f'start="{start}" end="{end}"'


RANGES = {
    "time-range": lambda span: query(
        f'<C:comp-filter name="VEVENT"><C:time-range {attributes(*span)}/></C:comp-filter>'
    ),
    "time-range of a property": lambda span: query(
        '<C:comp-filter name="VEVENT"><C:prop-filter name="DTSTART">'
        f"<C:time-range {attributes(*span)}/></C:prop-filter></C:comp-filter>"
    ),
    **{
        f"{name} of a {report.__name__}": lambda span, name=name, report=report: report(
            CAL + "u.ics" if report is multiget else '<C:comp-filter name="VEVENT"/>',
            data=f"<C:calendar-data><C:{name} {attributes(*span)}/></C:calendar-data>",
        )
        for name in ("expand", "limit-recurrence-set", "limit-freebusy-set")
        for report in (query, multiget)
    },
}


@pytest.mark.rfc("4791", "5.2.6")
@pytest.mark.rfc("4791", "5.2.7")
@pytest.mark.rfc("4791", "7.8")
@pytest.mark.rfc("4791", "7.9")
@pytest.mark.parametrize("what", RANGES)
@pytest.mark.parametrize("span", CONDITIONS, ids=["early", "late"])
def test_a_range_beyond_what_is_stored_is_refused(alice: Dav, what: str, span: tuple[str, str]) -> None:
    reply = alice.report(CAL, RANGES[what](span), depth="1")
    assert (reply.status, reply.condition) == (403, CONDITIONS[span])


@pytest.mark.rfc("4791", "7.8")
@pytest.mark.parametrize("what", RANGES)
def test_a_range_from_the_first_to_the_last_stored_second_is_answered(alice: Dav, what: str) -> None:
    assert list(alice.report(CAL, RANGES[what](WITHIN), depth="1").multistatus()) == [CAL + "u.ics"]


@pytest.mark.rfc("4791", "9.9")
def test_a_range_with_an_open_end_is_answered(alice: Dav) -> None:
    body = query('<C:comp-filter name="VEVENT"><C:time-range start="20270101T000000Z"/></C:comp-filter>')
    assert list(alice.report(CAL, body, depth="1").multistatus()) == [CAL + "u.ics"]


@pytest.mark.rfc("4791", "7.10")
def test_busy_time_that_is_not_followed_to_the_end_of_the_range_is_not_called_free(mine: Dav, calendar: str) -> None:
    assert mine.put(calendar + "u.ics", event("u", "x", "RRULE:FREQ=HOURLY")).status == 201
    day = mine.report(calendar, busy("20400101T000000Z", "20400102T000000Z"))
    assert (day.status, day.text.count("\r\nFREEBUSY")) == (200, 1)
    reply = mine.report(calendar, busy("20270101T000000Z", "20400101T000000Z"))
    assert (reply.status, reply.condition) == (403, DAV.number_of_matches_within_limits)


@pytest.mark.rfc("4791", "7.10")
def test_a_rule_that_is_never_followed_hides_nobody_elses_busy_time(mine: Dav, calendar: str) -> None:
    assert mine.put(calendar + "r.ics", event("r", "x", "RRULE:RSCALE=CHINESE;FREQ=YEARLY")).status == 201
    many = [f"RRULE:FREQ=DAILY;INTERVAL={number}" for number in range(1, 22)]
    assert mine.put(calendar + "m.ics", event("m", "x", *many)).status == 201
    assert mine.put(calendar + "u.ics", event("u", "x", start="20400101T120000Z")).status == 201
    reply = mine.report(calendar, busy("20400101T000000Z", "20400102T000000Z"))
    assert reply.status == 200
    assert "FREEBUSY;FBTYPE=BUSY:20400101T120000Z/20400101T130000Z\r\n" in reply.text


EXPANDED = '<C:calendar-data><C:expand start="20270106T040000Z" end="20270106T060000Z"/></C:calendar-data>'


@pytest.mark.rfc("4791", "7.3")
@pytest.mark.rfc("4791", "9.6.5")
@pytest.mark.parametrize("way", ["query", "multiget", "sync"])
def test_every_report_expands_local_times_in_the_zone_of_the_calendar(mine: Dav, way: str) -> None:
    """Half past eleven in the evening of the fifth in New York is half past four of the sixth in UTC."""
    path = f"/dav/alice/york-{way}/"
    zone = "<C:calendar-timezone-id>America/New_York</C:calendar-timezone-id>"
    assert mine.mkcalendar(path, mkcalendar(zone)).status == 201
    body = event("u", "x", "DTSTART:20270104T233000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=3")
    assert mine.put(path + "u.ics", body).status == 201
    reports = {
        "query": query('<C:comp-filter name="VEVENT"/>', EXPANDED),
        "multiget": multiget(path + "u.ics", data=EXPANDED),
        "sync": sync("", EXPANDED),
    }
    [row] = mine.report(path, reports[way], depth="0" if way == "sync" else "1").multistatus().values()
    lines = (row.text(CALDAV.calendar_data) or "").split("\r\n")
    assert [line for line in lines if line.startswith("DTSTART")] == ["DTSTART:20270105T233000"]


WITHOUT_INSTANCES = {
    "VFREEBUSY": ("DTSTART:20270101T000000Z", "DTEND:20270110T000000Z", "FREEBUSY:20270106T050000Z/PT1H"),
    "VAVAILABILITY": (
        *("DTSTART:20270101T000000Z", "BEGIN:AVAILABLE", "UID:a", "DTSTAMP:20260101T000000Z"),
        *("DTSTART:20270104T090000Z", "DURATION:PT8H", "RRULE:FREQ=WEEKLY", "END:AVAILABLE"),
    ),
}


@pytest.mark.rfc("4791", "9.6.5")
@pytest.mark.parametrize("kind", WITHOUT_INSTANCES)
def test_what_has_no_instances_is_not_lost_by_expanding_it(mine: Dav, kind: str) -> None:
    path = f"/dav/alice/{kind.lower()}/"
    named = f'<C:supported-calendar-component-set><C:comp name="{kind}"/></C:supported-calendar-component-set>'
    assert mine.mkcalendar(path, mkcalendar(named)).status == 201
    lines = WITHOUT_INSTANCES[kind]
    body = in_calendar(f"BEGIN:{kind}", "UID:u", "DTSTAMP:20260101T000000Z", *lines, f"END:{kind}")
    assert mine.put(path + "u.ics", body).status == 201
    [row] = mine.report(path, multiget(path + "u.ics", data=EXPANDED)).multistatus().values()
    assert (row.text(CALDAV.calendar_data) or "").replace("\r\n", "\n") == body.replace("\r\n", "\n")


MANY = range(2000)


@pytest.mark.rfc("4791", "9.7.1")
def test_a_calendar_filter_of_many_conditions_is_answered(mine: Dav, calendar: str) -> None:
    assert mine.put(calendar + "u.ics", event("u", "Meeting")).status == 201
    same = '<C:prop-filter name="SUMMARY"><C:text-match>meet</C:text-match></C:prop-filter>' * len(MANY)
    other = same + '<C:prop-filter name="SUMMARY"><C:text-match>none</C:text-match></C:prop-filter>'
    for inner, found in ((same, [calendar + "u.ics"]), (other, [])):
        body = query(f'<C:comp-filter name="VEVENT">{inner}</C:comp-filter>')
        assert list(mine.report(calendar, body, depth="1").multistatus()) == found


@pytest.mark.rfc("6352", "10.5")
@pytest.mark.parametrize("outer", ["filters", "texts"])
def test_a_card_filter_of_many_conditions_is_answered(mine: Dav, book: str, outer: str) -> None:
    assert mine.put(book + "u.vcf", card("u", "Ada Lovelace")).status == 201
    texts = [f"<CR:text-match>{number}</CR:text-match>" for number in MANY] + ["<CR:text-match>ada</CR:text-match>"]
    groups = texts if outer == "filters" else ["".join(texts)]
    inner = "".join(f'<CR:prop-filter name="FN">{each}</CR:prop-filter>' for each in groups)
    assert list(mine.report(book, card_query(inner), depth="1").multistatus()) == [book + "u.vcf"]
    assert list(mine.report(book, card_query(inner, "allof"), depth="1").multistatus()) == (
        [] if outer == "filters" else [book + "u.vcf"]
    )
