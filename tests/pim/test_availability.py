"""Free-busy of what is not events: availability, free-busy objects, transparent calendars (RFC 7953, 4791, 6638)."""

from __future__ import annotations

import re
from itertools import count

import pytest

from davserver.dav.names import CALDAV
from tests.harness import NAMESPACES, Dav, Server
from tests.pim.samples import busy, event, mkcalendar, query
from tests.pim.samples import calendar as in_calendar

KINDS = "".join(f'<C:comp name="{name}"/>' for name in ("VEVENT", "VFREEBUSY", "VAVAILABILITY"))
TAKES_ALL = f"<C:supported-calendar-component-set>{KINDS}</C:supported-calendar-component-set>"
MONDAY = ("20270104T000000Z", "20270105T000000Z")
_numbers = count(1)


def part(start: str, end: str, *more: str, uid: str = "p") -> tuple[str, ...]:
    """An AVAILABLE."""
    return (
        *("BEGIN:AVAILABLE", f"UID:{uid}", "DTSTAMP:20260101T000000Z", f"DTSTART{start}", f"DTEND{end}", *more),
        "END:AVAILABLE",
    )


def availability(*lines: str, uid: str = "a") -> tuple[str, ...]:
    """A VAVAILABILITY."""
    return ("BEGIN:VAVAILABILITY", f"UID:{uid}", "DTSTAMP:20260101T000000Z", *lines, "END:VAVAILABILITY")


OFFICE = part(
    ";TZID=Europe/Berlin:20270101T090000", ";TZID=Europe/Berlin:20270101T180000", "RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE"
)
HOURS = availability(*OFFICE)
BEFORE, AFTER = "20270104T000000Z/20270104T080000Z", "20270104T170000Z/20270105T000000Z"


@pytest.fixture
def room(mine: Dav) -> str:
    """A fresh calendar that takes all that counts in free-busy."""
    path = f"/dav/alice/room{next(_numbers)}/"
    assert mine.mkcalendar(path, mkcalendar(TAKES_ALL)).status == 201
    return path


def periods(asker: Dav, path: str, start: str = MONDAY[0], end: str = MONDAY[1]) -> list[tuple[str, str]]:
    """Kind and period of each FREEBUSY, in the order in which they begin."""
    reply = asker.report(path, busy(start, end))
    assert reply.status == 200, reply.text
    found = re.findall(r"^FREEBUSY;FBTYPE=([A-Z-]+):(.*?)\r$", reply.text, re.MULTILINE)
    return sorted(((kind, period) for kind, period in found), key=lambda each: each[1])


@pytest.mark.rfc("7953", "5")
@pytest.mark.rfc("7953", "7.2.3")
def test_time_that_is_not_available_is_busy_unavailable_and_events_lie_over_it(mine: Dav, room: str) -> None:
    assert mine.put(room + "a.ics", in_calendar(*HOURS)).status == 201
    assert mine.put(room + "e.ics", event("e", "x", start="20270104T110000Z")).status == 201
    assert periods(mine, room) == [
        ("BUSY-UNAVAILABLE", BEFORE),
        ("BUSY", "20270104T110000Z/20270104T120000Z"),
        ("BUSY-UNAVAILABLE", AFTER),
    ]
    assert periods(mine, room, "20270107T000000Z", "20270108T000000Z") == [
        ("BUSY-UNAVAILABLE", "20270107T000000Z/20270108T000000Z")
    ]


@pytest.mark.rfc("7953", "3.1")
@pytest.mark.rfc("7953", "3.2")
@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (("DTSTART:20270104T120000Z",), [("BUSY-UNAVAILABLE", "20270104T120000Z/20270105T000000Z")]),
        (("DTSTART:20270104T120000Z", "DURATION:PT1H"), [("BUSY-UNAVAILABLE", "20270104T120000Z/20270104T130000Z")]),
        (
            ("DTSTART:20270104T120000Z", "DTEND:20270104T140000Z", "BUSYTYPE:BUSY"),
            [("BUSY", "20270104T120000Z/20270104T140000Z")],
        ),
        (
            ("DTEND:20270104T010000Z", "BUSYTYPE:BUSY-TENTATIVE"),
            [("BUSY-TENTATIVE", "20270104T000000Z/20270104T010000Z")],
        ),
        (("DTSTART:20280101T000000Z",), []),
        (
            ("DTSTART:20270104T120000Z", "DTEND:20270104T140000Z", *part(":20270104T110000Z", ":20270104T123000Z")),
            [("BUSY-UNAVAILABLE", "20270104T123000Z/20270104T140000Z")],
        ),
        (
            (
                "DTEND:20270104T120000Z",
                *part(":20270101T080000Z", ":20270101T100000Z", "RRULE:FREQ=DAILY"),
                *part(":20270104T090000Z", ":20270104T093000Z", "RECURRENCE-ID:20270104T080000Z"),
            ),
            [
                ("BUSY-UNAVAILABLE", "20270104T000000Z/20270104T090000Z"),
                ("BUSY-UNAVAILABLE", "20270104T093000Z/20270104T120000Z"),
            ],
        ),
    ],
)
def test_the_time_that_is_covered_is_of_the_kind_that_is_said(
    mine: Dav, room: str, lines: tuple[str, ...], found: list[tuple[str, str]]
) -> None:
    assert mine.put(room + "a.ics", in_calendar(*availability(*lines))).status == 201
    assert periods(mine, room) == found


@pytest.mark.rfc("7953", "4")
def test_of_two_the_one_of_the_higher_priority_decides_about_what_both_cover(mine: Dav, room: str) -> None:
    closed = availability("DTSTART:20270104T100000Z", "DTEND:20270104T120000Z", "PRIORITY:1", "BUSYTYPE:BUSY", uid="c")
    mine.put(room + "a.ics", in_calendar(*availability("PRIORITY:9", *OFFICE)))
    mine.put(room + "c.ics", in_calendar(*closed))
    assert periods(mine, room) == [
        ("BUSY-UNAVAILABLE", BEFORE),
        ("BUSY", "20270104T100000Z/20270104T120000Z"),
        ("BUSY-UNAVAILABLE", AFTER),
    ]
    free = part(":20270104T000000Z", ":20270104T010000Z")
    night = ("DTSTART:20270104T000000Z", "DTEND:20270104T020000Z", "PRIORITY:2")
    opened = availability(*night, *free, uid="o")
    mine.put(room + "o.ics", in_calendar(*opened))
    assert periods(mine, room)[0] == ("BUSY-UNAVAILABLE", "20270104T010000Z/20270104T080000Z")


def availability_property(text: str) -> str:
    return (
        f"<D:propertyupdate {NAMESPACES}><D:set><D:prop><C:calendar-availability>{text}</C:calendar-availability>"
        "</D:prop></D:set></D:propertyupdate>"
    )


@pytest.mark.rfc("7953", "7.2.4")
def test_a_calendar_has_an_availability_of_its_own_that_free_busy_heeds(mine: Dav, calendar: str) -> None:
    text = in_calendar(*HOURS)
    reply = mine.request("PROPPATCH", calendar, availability_property(text))
    assert reply.multistatus()[calendar].statuses == {CALDAV.calendar_availability: 200}
    assert [period for _, period in periods(mine, calendar)] == [BEFORE, AFTER]
    row = mine.propfind(calendar, CALDAV.calendar_availability).multistatus()[calendar]
    assert (row.text(CALDAV.calendar_availability) or "").split() == text.split()
    assert CALDAV.calendar_availability not in mine.propfind(calendar).multistatus()[calendar].statuses
    mine.proppatch(calendar, remove=[CALDAV.calendar_availability])
    assert periods(mine, calendar) == []


@pytest.mark.rfc("7953", "7.2.4")
@pytest.mark.parametrize(
    "text",
    [
        "nine to five",
        event(),
        in_calendar(*HOURS, "BEGIN:VEVENT", "UID:e", "DTSTART:20270101T000000Z", "END:VEVENT"),
        in_calendar(*availability("DTSTART;VALUE=DATE:20270101")),
        in_calendar(*availability(*part(":20270101T090000", ":20270101T170000"))),
        in_calendar(*availability("DURATION:PT1H")),
        in_calendar(*HOURS, *availability(*OFFICE, uid="b")),
        in_calendar(),
    ],
)
def test_what_is_no_availability_is_refused_and_nothing_changes(
    shared: Server, mine: Dav, calendar: str, room: str, text: str
) -> None:
    before = shared.tree()
    reply = mine.request("PROPPATCH", calendar, availability_property(text))
    assert reply.multistatus()[calendar].statuses == {CALDAV.calendar_availability: 403}
    assert CALDAV.valid_calendar_data in {element.tag for element in reply.xml.iter()}
    if "BEGIN:VAVAILABILITY" in text:
        assert mine.put(room + "a.ics", text).status == 403
    assert shared.tree() == before


@pytest.mark.rfc("7953", "7.1")
def test_a_calendar_takes_what_its_component_set_names_and_says_so(shared: Server, mine: Dav, room: str) -> None:
    plain = f"/dav/alice/plain{next(_numbers)}/"
    mine.mkcalendar(plain)
    body = in_calendar(*HOURS)
    before = shared.tree()
    reply = mine.put(plain + "a.ics", body)
    assert (reply.status, reply.condition) == (403, CALDAV.supported_calendar_component)
    assert shared.tree() == before
    stored = mine.put(room + "a.ics", body)
    assert stored.status == 201
    found = mine.get(room + "a.ics")
    assert (found.text, found.etag) == (body, stored.etag)
    assert "component=VAVAILABILITY" in found.headers["content-type"]
    row = mine.propfind(room, CALDAV.supported_calendar_component_set).multistatus()[room]
    names = [comp.get("name") for comp in row.props[CALDAV.supported_calendar_component_set]]
    assert names == ["VEVENT", "VFREEBUSY", "VAVAILABILITY"]
    asked = query('<C:comp-filter name="VAVAILABILITY"><C:comp-filter name="AVAILABLE"/></C:comp-filter>')
    assert list(mine.report(room, asked, depth="1").multistatus()) == [room + "a.ics"]
    assert "calendar-availability" in mine.options(room).headers["dav"].split(", ")


def test_a_home_says_which_component_sets_a_new_calendar_can_have(mine: Dav) -> None:
    name = CALDAV.supported_calendar_component_sets
    found = mine.propfind("/dav/alice/", name).multistatus()["/dav/alice/"].props[name]
    sets = [[comp.get("name") for comp in each] for each in found]
    assert ["VTODO"] in sets  # Apple's Reminders look for it
    assert ["VEVENT", "VTODO", "VJOURNAL"] in sets
    for names in sets:
        comps = "".join(f'<C:comp name="{comp}"/>' for comp in names)
        path = f"/dav/alice/set{next(_numbers)}/"
        inner = f"<C:supported-calendar-component-set>{comps}</C:supported-calendar-component-set>"
        assert mine.mkcalendar(path, mkcalendar(inner)).status == 201
        row = mine.propfind(path, CALDAV.supported_calendar_component_set).multistatus()[path]
        assert [comp.get("name") for comp in row.props[CALDAV.supported_calendar_component_set]] == names


@pytest.mark.rfc("7953", "7.2.2")
@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        ("20270104T110000Z", "20270104T120000Z", ["always", "until"]),
        ("20270104T115959Z", "20270104T120001Z", ["always", "from", "lasting", "until", "whole"]),
        ("20270104T130000Z", "20270104T131500Z", ["always", "from", "lasting", "until", "whole"]),
        ("20270104T140000Z", "20270104T150000Z", ["always", "from"]),
        ("19990101T000000Z", "19990102T000000Z", ["always", "until"]),
        ("20310101T000000Z", None, ["always", "from"]),
    ],
)
def test_a_query_finds_what_speaks_of_a_time_whether_it_says_available_or_not(
    mine: Dav, room: str, start: str, end: str | None, found: list[str]
) -> None:
    begin, noon = "DTSTART:20270104T120000Z", "DTEND;TZID=Europe/Berlin:20270104T150000"
    for name, lines in {
        "whole": (begin, noon),
        "lasting": (begin, "DURATION:PT2H"),
        "from": (begin,),
        "until": (noon,),
        "always": (),
    }.items():
        assert mine.put(f"{room}{name}.ics", in_calendar(*availability(*lines, *OFFICE, uid=name))).status == 201
    assert mine.put(f"{room}event.ics", event("event", start="20270104T120000Z")).status == 201
    within = f'<C:time-range start="{start}"' + (f' end="{end}"/>' if end else "/>")
    named = '<C:prop-filter name="UID"/>'
    for inner in (within, within + named):
        asked = query(f'<C:comp-filter name="VAVAILABILITY">{inner}</C:comp-filter>')
        rows = mine.report(room, asked, depth="1").multistatus()
        assert sorted(path.removeprefix(room).removesuffix(".ics") for path in rows) == found


@pytest.mark.rfc("7953", "9")
def test_free_busy_tells_nothing_else_of_an_availability(shared: Server, mine: Dav) -> None:
    path = "/dav/alice/busy/"
    mine.mkcalendar(path, mkcalendar(TAKES_ALL))
    mine.put(path + "a.ics", in_calendar(*availability("SUMMARY:hospital", *OFFICE)))
    carol = shared.client("carol")
    reply = carol.report(path, busy(*MONDAY))
    assert reply.status == 200
    assert "hospital" not in reply.text
    assert BEFORE in reply.text
    assert carol.get(path + "a.ics").status == 404


@pytest.mark.rfc("4791", "4.1")
@pytest.mark.rfc("4791", "7.10")
def test_the_periods_of_a_stored_free_busy_object_count_by_their_kinds(mine: Dav, room: str) -> None:
    lines = (
        "FREEBUSY:20270104T100000Z/PT1H,20270104T110000Z/PT1H",
        "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20270104T140000Z/20270104T150000Z",
        "FREEBUSY;FBTYPE=BUSY-UNAVAILABLE:20270103T220000Z/20270104T030000Z",
        "FREEBUSY;FBTYPE=FREE:20270104T160000Z/PT1H",
        "FREEBUSY;FBTYPE=X-OWN:20270104T170000Z/PT1H",
        "FREEBUSY:20270201T100000Z/PT1H",
    )
    body = in_calendar("BEGIN:VFREEBUSY", "UID:f", "DTSTAMP:20260101T000000Z", *lines, "END:VFREEBUSY")
    assert mine.put(room + "f.ics", body).status == 201
    assert mine.get(room + "f.ics").text == body
    assert periods(mine, room) == [
        ("BUSY-UNAVAILABLE", "20270104T000000Z/20270104T030000Z"),
        ("BUSY", "20270104T100000Z/20270104T120000Z"),
        ("BUSY-TENTATIVE", "20270104T140000Z/20270104T150000Z"),
        ("BUSY", "20270104T170000Z/20270104T180000Z"),
    ]


@pytest.mark.rfc("6638", "9.1")
def test_a_transparent_calendar_takes_no_time_and_an_opaque_one_does(shared: Server, mine: Dav, calendar: str) -> None:
    def say(word: str, path: str = calendar, asker: Dav = mine) -> int:
        body = (
            f"<D:propertyupdate {NAMESPACES}><D:set><D:prop><C:schedule-calendar-transp>{word}"
            "</C:schedule-calendar-transp></D:prop></D:set></D:propertyupdate>"
        )
        return asker.request("PROPPATCH", path, body).multistatus()[path].statuses[CALDAV.schedule_calendar_transp]

    mine.put(calendar + "e.ics", event("e", "x", start="20270104T110000Z"))
    full = [("BUSY", "20270104T110000Z/20270104T120000Z")]
    assert periods(mine, calendar) == full
    assert say("<C:transparent/>") == 200
    assert periods(mine, calendar) == []
    before = shared.tree()
    assert say("perhaps") == say("<C:opaque/><C:transparent/>") == say("") == 409
    assert shared.tree() == before
    assert say("<C:opaque/>") == 200
    assert periods(mine, calendar) == full
