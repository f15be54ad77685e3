"""Rules that would recur for ever: stored where they are valid, and no report takes long or much for them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from davserver.dav.names import CALDAV
from tests.conftest import MakeServer
from tests.harness import Dav, Server
from tests.pim.samples import busy, event, multiget, query
from tests.pim.samples import calendar as in_calendar

CAL = "/dav/alice/bombs/"
MOST_KIB = 300_000
PAST = "20000101T000000Z"
RULES = (
    "FREQ=SECONDLY",
    "FREQ=SECONDLY;UNTIL=99991231T235959Z",
    "FREQ=SECONDLY;COUNT=999999999",
    "FREQ=SECONDLY;BYSETPOS=2",
    "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=MINUTELY;INTERVAL=7;BYHOUR=3;BYSECOND=1,2,3,4,5,6,7,8,9",
    "FREQ=HOURLY;BYMONTHDAY=31;BYMONTH=2,4,6",
    "FREQ=DAILY;BYSETPOS=2",
    "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=50",
    "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=300",
    "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6",
    "FREQ=YEARLY;INTERVAL=999999999",
    "FREQ=YEARLY;UNTIL=99991231T235959Z",
    "FREQ=YEARLY;COUNT=999999999;BYMONTH=1,2,3,4,5,6,7,8,9,10,11,12;BYMONTHDAY=1,2,3,4,5,6,7,8,9,10"
    f";BYHOUR={','.join(map(str, range(24)))};BYMINUTE={','.join(map(str, range(60)))}"
    f";BYSECOND={','.join(map(str, range(60)))}",
)
FAR = ("99990101T000000Z", "99991231T000000Z")
WEEK = ("20270104T000000Z", "20270111T000000Z")
ALL = ("19000101T000000Z", "99991231T235959Z")


def during(start: str, end: str) -> str:
    return f'<C:comp-filter name="VEVENT"><C:time-range start="{start}" end="{end}"/></C:comp-filter>'


def expand(start: str, end: str) -> str:
    return f'<C:calendar-data><C:expand start="{start}" end="{end}"/></C:calendar-data>'


def limit(start: str, end: str) -> str:
    return f'<C:calendar-data><C:limit-recurrence-set start="{start}" end="{end}"/></C:calendar-data>'


HREFS = [f"{CAL}{number}.ics" for number in range(len(RULES))]
ALARMS = '<C:comp-filter name="VEVENT"><C:comp-filter name="VALARM">{}</C:comp-filter></C:comp-filter>'
STARTS = '<C:comp-filter name="VEVENT"><C:prop-filter name="DTSTART">{}</C:prop-filter></C:comp-filter>'


def within(filters: str, start: str, end: str) -> str:
    return filters.format(f'<C:time-range start="{start}" end="{end}"/>')


REPORTS = {
    "query": lambda asked: query(during(*asked)),
    "query with expand": lambda asked: query(during(*asked), expand(*asked)),
    "query with limit": lambda asked: query(during(*asked), limit(*asked)),
    "query of alarms": lambda asked: query(within(ALARMS, *asked)),
    "query of starts": lambda asked: query(within(STARTS, *asked)),
    "multiget with expand": lambda asked: multiget(*HREFS, data=expand(*asked)),
    "free-busy": lambda asked: busy(*asked),
}


@pytest.fixture(scope="module")
def cloud(start_server: MakeServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = start_server(tmp_path_factory.mktemp("bombs") / "server")
    client = server.client("alice")
    assert client.mkcalendar(CAL).status == 201
    alarm = ("BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:x", "TRIGGER:-PT1M", "END:VALARM")
    for href, rule in zip(HREFS, RULES, strict=True):
        body = event(href, "x", f"RRULE:{rule}", *alarm, start=PAST)
        reply = client.put(href, body)
        if reply.condition == CALDAV.max_instances:  # it can come by hand
            file = server.data / "collections/collection-root" / href.removeprefix("/dav/")
            file.write_text(body, newline="")
        else:
            assert reply.status == 201, rule
    yield server
    assert " 500 " not in server.log
    assert "Traceback" not in server.log


@pytest.mark.timeout(120)
@pytest.mark.rfc("4791", "7.4")
@pytest.mark.parametrize("asked", [WEEK, FAR, ALL], ids=["a week", "the last year", "all time"])
@pytest.mark.parametrize("what", REPORTS)
def test_a_rule_without_end_is_answered_while_others_are_served(
    cloud: Server, what: str, asked: tuple[str, str]
) -> None:
    client, other = cloud.client("alice"), cloud.client("bob")
    answers: list[int] = []
    waiting = threading.Thread(target=lambda: answers.append(client.report(CAL, REPORTS[what](asked), "1").status))
    waiting.start()
    while waiting.is_alive():
        assert other.propfind("/dav/bob/").status == 207
        waiting.join(0.05)
    # what is not followed to its end is not called free (RFC 4791 §7.10)
    assert answers == [403 if what == "free-busy" else 207]
    client.close()
    other.close()


def test_the_bombs_took_no_more_memory_than_a_small_machine_has(cloud: Server) -> None:
    status = Path("/proc", str(cloud.pid), "status").read_text()
    peak_kib = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    assert peak_kib < MOST_KIB


def test_every_bomb_is_what_was_put(cloud: Server) -> None:
    client: Dav = cloud.client("alice")
    for href, rule in zip(HREFS, RULES, strict=True):
        assert f"RRULE:{rule}".encode() in client.get(href).body.replace(b"\r\n ", b"")


def part(*lines: str) -> tuple[str, ...]:
    return ("BEGIN:VEVENT", "UID:many", "DTSTAMP:20260101T000000Z", *lines, "END:VEVENT")


def alarm(minutes: int) -> tuple[str, ...]:
    return ("BEGIN:VALARM", "ACTION:AUDIO", f"TRIGGER:-PT{minutes}M", "END:VALARM")


OFTEN = ("RRULE:FREQ=SECONDLY", "TZOFFSETFROM:+0100")
CHANGES = ("STANDARD", "TZOFFSETTO:+0100"), ("DAYLIGHT", "TZOFFSETTO:+0200")
ZONE = [
    line
    for kind, offset in CHANGES
    for line in (f"BEGIN:{kind}", "DTSTART:19700101T000000", *OFTEN, offset, f"END:{kind}")
]
MOVED = [f"{day:%Y%m%d}" for day in (date(2020, 1, 1) + timedelta(number) for number in range(1000))]
CROWDS = {
    "a zone that changes each second": in_calendar(
        *("BEGIN:VTIMEZONE", "TZID:Bomb", *ZONE, "END:VTIMEZONE"),
        *part("DTSTART;TZID=Bomb:20260101T000000", "RRULE:FREQ=DAILY"),
    ),
    "many rules": in_calendar(*part(f"DTSTART:{PAST}", *["RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"] * 5000)),
    "many alarms": in_calendar(
        *part(f"DTSTART:{PAST}", "RRULE:FREQ=DAILY;COUNT=19000", *(line for n in range(5000) for line in alarm(n + 1)))
    ),
    "many overrides": in_calendar(
        *part("DTSTART:20200101T000000Z", "RRULE:FREQ=DAILY"),
        *(line for day in MOVED for line in part(f"RECURRENCE-ID:{day}T000000Z", f"DTSTART:{day}T010000Z", *alarm(5))),
    ),
}


@pytest.mark.timeout(120)
@pytest.mark.rfc("4791", "7.4")
@pytest.mark.parametrize("crowd", CROWDS)
def test_an_object_of_many_parts_costs_what_its_size_says(cloud: Server, crowd: str) -> None:
    client, path = cloud.client("alice"), f"/dav/alice/crowd{list(CROWDS).index(crowd)}/"
    assert client.mkcalendar(path).status == 201
    assert client.put(path + "many.ics", CROWDS[crowd]).status == 201
    for asked in (WEEK, ("19900101T000000Z", "19900102T000000Z"), ("20600101T000000Z", "20600102T000000Z")):
        for what, body in REPORTS.items():
            assert client.report(path, body(asked), depth="1").status in (200, 207), what
    assert client.report(path, multiget(path + "many.ics", data=limit(*WEEK))).status == 207


@pytest.mark.rfc("4791", "9.8")
def test_a_query_with_a_zone_that_changes_each_second_is_refused(cloud: Server) -> None:
    client = cloud.client("alice")
    zone = in_calendar("BEGIN:VTIMEZONE", "TZID:Bomb", *ZONE, "END:VTIMEZONE")
    body = query(during(*WEEK)).replace("</C:filter>", f"</C:filter><C:timezone>{zone}</C:timezone>")
    reply = client.report(CAL, body, depth="1")
    assert (reply.status, reply.condition) == (403, CALDAV.valid_calendar_data)
