"""``limit-recurrence-set`` and ``limit-freebusy-set`` in calendar-data (RFC 4791 §9.6.6, §9.6.7)."""

from __future__ import annotations

import pytest

from davserver.dav.names import CALDAV
from tests.harness import Dav, Server
from tests.pim.samples import calendar as in_calendar
from tests.pim.samples import multiget


def part(start: str, *more: str) -> tuple[str, ...]:
    """A component of a series, half an hour long."""
    return (
        *("BEGIN:VEVENT", "UID:s", "DTSTAMP:20260101T000000Z", f"DTSTART:{start}", "DURATION:PT30M"),
        *more,
        "END:VEVENT",
    )


MASTER = part("20270301T100000Z", "RRULE:FREQ=DAILY;COUNT=20")
MOVED_FAR = part("20270410T100000Z", "RECURRENCE-ID:20270305T100000Z", "SUMMARY:moved far")
RENAMED = part("20270307T100000Z", "RECURRENCE-ID:20270307T100000Z", "SUMMARY:renamed")
LATER = part("20270311T110000Z", "RECURRENCE-ID;RANGE=THISANDFUTURE:20270310T100000Z", "SUMMARY:later")
SERIES = in_calendar(*MASTER, *MOVED_FAR, *RENAMED, *LATER)


def limited(asker: Dav, path: str, limit: str, start: str, end: str) -> str:
    data = f'<C:calendar-data><C:{limit} start="{start}" end="{end}"/></C:calendar-data>'
    rows = asker.report(path, multiget(path + "x.ics", data=data)).multistatus()
    return rows[path + "x.ics"].text(CALDAV.calendar_data) or ""


@pytest.mark.rfc("4791", "9.6.6")
@pytest.mark.parametrize(
    ("start", "end", "kept"),
    [
        ("20270305T000000Z", "20270306T000000Z", (MOVED_FAR,)),
        ("20270410T000000Z", "20270411T000000Z", (MOVED_FAR,)),
        ("20270307T101500Z", "20270307T103000Z", (RENAMED,)),
        ("20270307T103000Z", "20270308T000000Z", ()),
        ("20270315T000000Z", "20270316T000000Z", (LATER,)),
        ("20270302T000000Z", "20270320T000000Z", (MOVED_FAR, RENAMED, LATER)),
        ("20280101T000000Z", "20280102T000000Z", ()),
    ],
)
def test_overrides_come_where_they_are_or_would_be_in_the_range(
    mine: Dav, calendar: str, start: str, end: str, kept: tuple[tuple[str, ...], ...]
) -> None:
    mine.put(calendar + "x.ics", SERIES)
    found = limited(mine, calendar, "limit-recurrence-set", start, end)
    assert found == in_calendar(*MASTER, *(line for part in kept for line in part))


BUSY = (
    "20270301T100000Z/PT1H,20270302T100000Z/20270302T120000Z,20270303T100000Z/PT1H",
    "20270305T100000Z/PT1H",
)


def free_busy(*periods: str) -> str:
    return in_calendar(
        *("BEGIN:VFREEBUSY", "UID:f", "DTSTAMP:20260101T000000Z"),
        *(f"FREEBUSY;FBTYPE=BUSY:{entries}" for entries in periods),
        "END:VFREEBUSY",
    )


@pytest.mark.rfc("4791", "9.6.7")
@pytest.mark.parametrize(
    ("start", "end", "kept"),
    [
        ("20270302T110000Z", "20270303T103000Z", ("20270302T100000Z/20270302T120000Z,20270303T100000Z/PT1H",)),
        ("20270305T000000Z", "20270306T000000Z", ("20270305T100000Z/PT1H",)),
        ("20270302T120000Z", "20270303T100000Z", ()),
        ("20270301T000000Z", "20270306T000000Z", BUSY),
    ],
)
def test_busy_periods_come_where_they_are_in_the_range(
    shared: Server, mine: Dav, start: str, end: str, kept: tuple[str, ...]
) -> None:
    path = f"/dav/alice/busy{start}/"
    assert mine.mkcalendar(path).status == 201
    folder = shared.data / "collections/collection-root" / path.removeprefix("/dav/")
    (folder / "x.ics").write_text(free_busy(*BUSY), newline="")  # a calendar takes none by PUT; one can lie there
    found = limited(mine, path, "limit-freebusy-set", start, end)
    assert found.replace("\r\n ", "") == free_busy(*kept)
    assert all(len(line) <= 75 for line in found.splitlines()) or kept == BUSY


def test_a_limit_without_an_end_is_refused(mine: Dav, calendar: str) -> None:
    mine.put(calendar + "x.ics", SERIES)
    for inner in (
        '<C:limit-recurrence-set start="20270301T000000Z"/>',
        '<C:limit-freebusy-set end="20270301T000000Z"/>',
        '<C:expand start="20270301T000000Z" end="20270302T000000Z"/>'
        '<C:limit-recurrence-set start="20270301T000000Z" end="20270302T000000Z"/>',
    ):
        reply = mine.report(calendar, multiget(calendar + "x.ics", data=f"<C:calendar-data>{inner}</C:calendar-data>"))
        assert reply.status == 400
    assert mine.get(calendar + "x.ics").text == SERIES
