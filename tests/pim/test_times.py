"""What the tables of RFC 4791 §9.9 say of dates, floating times and free-busy objects, and which zone is meant."""

from __future__ import annotations

from itertools import count, pairwise

import pytest

from tests.harness import Dav, Server
from tests.pim.referee.made import VTIMEZONES
from tests.pim.samples import calendar as in_calendar
from tests.pim.samples import event, mkcalendar, query, task

BERLIN = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{VTIMEZONES['Europe/Berlin']}\r\nEND:VCALENDAR\r\n"
REQUEST = {
    "described in the query": f"<C:timezone>{BERLIN}</C:timezone>",
    "named in the query": "<C:timezone-id>Europe/Berlin</C:timezone-id>",
    "of the calendar": "",
}
DAY = event("u", "a day", "DTSTART;VALUE=DATE:20270328")  # of 23 hours in Berlin
FLOATING = event("u", "floating", "DTSTART:20270328T120000", "DURATION:PT1H")
NIGHT = event(
    "u", "two hours that pass", "DTSTART:20271031T013000", "DURATION:PT2H"
)  # the clock shows one of them twice
DAYS_LONG = event("u", "two days", "DTSTART;VALUE=DATE:20270327", "DURATION:P2D")


_numbers = count(1)


def finds(asker: Dav, path: str, start: str, end: str, more: str = "", kind: str = "VEVENT") -> bool:
    inner = f'<C:comp-filter name="{kind}"><C:time-range start="{start}" end="{end}"/></C:comp-filter>'
    body = query(inner).replace("</C:filter>", f"</C:filter>{more}")
    return bool(asker.report(path, body, depth="1").multistatus())


@pytest.mark.rfc("4791", "7.3")
@pytest.mark.rfc("4791", "9.8")
@pytest.mark.parametrize("zone", REQUEST)
@pytest.mark.parametrize(
    ("body", "start", "end", "found"),
    [
        (DAY, "20270327T220000Z", "20270327T230000Z", False),
        (DAY, "20270327T230000Z", "20270327T230001Z", True),
        (DAY, "20270328T215959Z", "20270328T220000Z", True),
        (DAY, "20270328T220000Z", "20270328T230000Z", False),
        (DAYS_LONG, "20270328T215959Z", "20270328T220000Z", True),
        (DAYS_LONG, "20270328T220000Z", "20270328T230000Z", False),
        (FLOATING, "20270328T100000Z", "20270328T110000Z", True),
        (FLOATING, "20270328T110000Z", "20270328T130000Z", False),
        (NIGHT, "20271031T012959Z", "20271031T013000Z", True),
        (NIGHT, "20271031T013000Z", "20271031T023000Z", False),
    ],
)
def test_dates_and_floating_times_are_of_the_zone_that_is_meant(
    mine: Dav, zone: str, body: str, start: str, end: str, found: bool
) -> None:
    path = f"/dav/alice/floating{next(_numbers)}/"
    own = f"<C:calendar-timezone>{BERLIN}</C:calendar-timezone>" if zone == "of the calendar" else ""
    assert mine.mkcalendar(path, mkcalendar(own)).status == 201
    assert mine.put(path + "u.ics", body).status == 201
    assert finds(mine, path, start, end, REQUEST[zone]) is found


@pytest.mark.rfc("4791", "9.9")
@pytest.mark.parametrize(
    ("lines", "start", "end", "found"),
    [
        # VTODO, row by row, at the edges
        (("DTSTART:20270301T100000Z", "DURATION:PT1H"), "20270301T110000Z", "20270301T120000Z", True),
        (("DTSTART:20270301T100000Z", "DURATION:PT1H"), "20270301T110001Z", "20270301T120000Z", False),
        (("DTSTART:20270301T100000Z", "DURATION:PT1H"), "20270301T090000Z", "20270301T100000Z", False),
        (("DTSTART:20270301T100000Z", "DURATION:PT0S"), "20270301T090000Z", "20270301T100000Z", True),
        (("DTSTART:20270301T100000Z", "DUE:20270301T110000Z"), "20270301T110000Z", "20270301T120000Z", False),
        (("DTSTART:20270301T100000Z", "DUE:20270301T110000Z"), "20270301T090000Z", "20270301T100000Z", False),
        (("DTSTART:20270301T100000Z", "DUE:20270301T100000Z"), "20270301T090000Z", "20270301T100000Z", True),
        (("DTSTART:20270301T100000Z", "DUE:20270301T100000Z"), "20270301T100000Z", "20270301T110000Z", True),
        (("DTSTART:20270301T100000Z",), "20270301T090000Z", "20270301T100000Z", False),
        (("DTSTART:20270301T100000Z",), "20270301T100000Z", "20270301T100001Z", True),
        (("DTSTART:20270301T100000Z",), "20270301T100001Z", "20270301T110000Z", False),
        (("DUE:20270301T100000Z",), "20270301T090000Z", "20270301T100000Z", True),
        (("DUE:20270301T100000Z",), "20270301T100000Z", "20270301T110000Z", False),
        (("COMPLETED:20270301T100000Z", "CREATED:20270201T100000Z"), "20270301T100000Z", "20270302T000000Z", True),
        (("COMPLETED:20270301T100000Z", "CREATED:20270201T100000Z"), "20270101T000000Z", "20270201T100000Z", True),
        (("COMPLETED:20270301T100000Z", "CREATED:20270201T100000Z"), "20270301T100001Z", "20270302T000000Z", False),
        (("COMPLETED:20270301T100000Z",), "20270301T090000Z", "20270301T100000Z", True),
        (("COMPLETED:20270301T100000Z",), "20270301T090000Z", "20270301T095959Z", False),
        (("CREATED:20270301T100000Z",), "20270301T090000Z", "20270301T100000Z", False),
        (("CREATED:20270301T100000Z",), "20280301T090000Z", "20280301T100000Z", True),
        ((), "20270301T090000Z", "20270301T090001Z", True),
    ],
)
def test_a_task_is_in_a_range_by_its_row_of_the_table(
    mine: Dav, calendar: str, lines: tuple[str, ...], start: str, end: str, found: bool
) -> None:
    assert mine.put(calendar + "t.ics", task("t", "x", *lines)).status == 201
    assert finds(mine, calendar, start, end, kind="VTODO") is found


@pytest.mark.rfc("4791", "9.9")
@pytest.mark.parametrize(
    ("lines", "start", "end", "found"),
    [
        (("DTSTART:20270301T100000Z", "DTEND:20270301T110000Z"), "20270301T110000Z", "20270301T120000Z", True),
        (("DTSTART:20270301T100000Z", "DTEND:20270301T110000Z"), "20270301T110001Z", "20270301T120000Z", False),
        (("DTSTART:20270301T100000Z", "DTEND:20270301T110000Z"), "20270301T090000Z", "20270301T100000Z", False),
        (("FREEBUSY:20270301T100000Z/PT1H,20270302T100000Z/PT1H",), "20270302T105959Z", "20270303T000000Z", True),
        (("FREEBUSY:20270301T100000Z/PT1H,20270302T100000Z/PT1H",), "20270302T110000Z", "20270303T000000Z", False),
        (("FREEBUSY:20270301T100000Z/PT1H,20270302T100000Z/PT1H",), "20270301T110000Z", "20270302T100000Z", False),
        (("COMMENT:nothing",), "20270101T000000Z", "20280101T000000Z", False),
    ],
)
def test_a_free_busy_object_is_in_a_range_by_its_row_of_the_table(
    shared: Server, mine: Dav, calendar: str, lines: tuple[str, ...], start: str, end: str, found: bool
) -> None:
    body = in_calendar("BEGIN:VFREEBUSY", "UID:f", "DTSTAMP:20260101T000000Z", *lines, "END:VFREEBUSY")
    folder = shared.data / "collections/collection-root" / calendar.removeprefix("/dav/")
    (folder / "f.ics").write_text(body, newline="")  # a calendar takes none by PUT; one can lie there
    assert finds(mine, calendar, start, end, kind="VFREEBUSY") is found


@pytest.mark.rfc("5545", "3.8.5.3")
def test_the_first_instance_counts_though_the_rule_does_not_give_it(mine: Dav, calendar: str) -> None:
    body = event("u", "x", "RRULE:FREQ=WEEKLY;BYDAY=WE;COUNT=2", start="20270301T100000Z")
    assert mine.put(calendar + "u.ics", body).status == 201
    days = [f"202703{day:02}T000000Z" for day in range(1, 20)]
    found = [start[6:8] for start, end in pairwise(days) if finds(mine, calendar, start, end)]
    assert found == ["01", "03"]


@pytest.mark.rfc("4791", "7.5")
def test_the_default_collation_of_calendars_knows_ascii_alone(mine: Dav, calendar: str) -> None:
    mine.put(calendar + "u.ics", event("u", "Übung der Jugend"))
    for text, found in (("übung", False), ("Übung DER", True)):
        for collation in ("", ' collation="default"'):
            asked = (
                '<C:comp-filter name="VEVENT"><C:prop-filter name="SUMMARY">'
                f"<C:text-match{collation}>{text}</C:text-match></C:prop-filter></C:comp-filter>"
            )
            assert bool(mine.report(calendar, query(asked), depth="1").multistatus()) is found


@pytest.mark.rfc("4791", "9.9")
def test_a_task_of_no_end_is_found_whatever_zone_is_meant(mine: Dav, calendar: str) -> None:
    mine.put(calendar + "a.ics", task("a", "ever"))
    mine.put(calendar + "b.ics", task("b", "since", "CREATED:20270301T100000Z"))
    for zone in REQUEST.values():
        assert finds(mine, calendar, "20280301T090000Z", "20280301T100000Z", zone, kind="VTODO")
