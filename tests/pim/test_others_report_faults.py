"""What other servers were seen to get wrong in reports, and how it is here."""

from __future__ import annotations

from itertools import count

import pytest

from davserver.dav.names import CALDAV, DAV
from tests.harness import NAMESPACES, Dav, Server
from tests.pim.samples import busy, card, card_query, event, mkcalendar, multiget, query, sync, task
from tests.pim.samples import calendar as in_calendar

WEEK = ("20270104T000000Z", "20270111T000000Z")
_numbers = count(1)


def expansion(start: str = WEEK[0], end: str = WEEK[1]) -> str:
    return f'<C:calendar-data><C:expand start="{start}" end="{end}"/></C:calendar-data>'


def during(start: str, end: str, kind: str = "VEVENT") -> str:
    return f'<C:comp-filter name="{kind}"><C:time-range start="{start}" end="{end}"/></C:comp-filter>'


def expanded(asker: Dav, calendar: str, body: str) -> list[str]:
    """The lines of the expansion of one object that is put as ``u.ics``."""
    assert asker.put(calendar + "u.ics", body).status == 201
    rows = asker.report(calendar, query(during(*WEEK), expansion()), depth="1").multistatus()
    return (rows[calendar + "u.ics"].text(CALDAV.calendar_data) or "").split("\r\n")


# -- Radicale ----------------------------------------------------------------------------------------------------------


@pytest.mark.rfc("4791", "9.6.5")
@pytest.mark.parametrize(
    ("body", "starts"),
    [
        (
            event("u", "x", "DTSTART;TZID=Europe/Berlin:20270105T100000", "RRULE:FREQ=DAILY;COUNT=2"),
            ["20270105T090000Z", "20270106T090000Z"],
        ),
        (event("u", "x", "DTSTART;VALUE=DATE:20270105", "RRULE:FREQ=DAILY;COUNT=2"), ["20270105", "20270106"]),
        (
            event("u", "x", "DTSTART;TZID=Europe/Berlin:20270105T100000", "RDATE;TZID=Europe/Berlin:20270107T100000"),
            ["20270105T090000Z", "20270107T090000Z"],
        ),
        (
            event("u", "x", "DTSTART;TZID=Europe/Berlin:20270105T100000", "RRULE:FREQ=DAILY;UNTIL=20270106"),
            ["20270105T090000Z", "20270106T090000Z"],
        ),
        (event("u", "x", "DTSTART;TZID=Europe/Berlin:20270105T100000"), ["20270105T090000Z"]),
    ],
    ids=["zone", "days", "listed", "until a day", "once"],
)
def test_expansion_answers_whatever_the_rule_is_and_leaves_nothing_in_local_time(
    mine: Dav, calendar: str, body: str, starts: list[str]
) -> None:
    lines = expanded(mine, calendar, body)
    assert [line.partition(":")[2] for line in lines if line.startswith("DTSTART")] == starts
    assert not any("TZID" in line or line.startswith(("RRULE", "RDATE")) for line in lines)


@pytest.mark.rfc("4791", "9.6.5")
def test_a_recurrence_id_is_of_the_kind_of_its_start(mine: Dav, calendar: str) -> None:
    moved = in_calendar(
        *("BEGIN:VEVENT", "UID:u", "DTSTAMP:20260101T000000Z", "DTSTART;TZID=Europe/Berlin:20270105T100000"),
        *("DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=2", "END:VEVENT", "BEGIN:VEVENT", "UID:u"),
        *("DTSTAMP:20260101T000000Z", "RECURRENCE-ID;TZID=Europe/Berlin:20270106T100000"),
        *("DTSTART;TZID=Europe/Berlin:20270106T150000", "DURATION:PT1H", "END:VEVENT"),
    )
    lines = expanded(mine, calendar, moved)
    assert [line for line in lines if line.startswith("RECURRENCE-ID")] == [
        "RECURRENCE-ID:20270105T090000Z",
        "RECURRENCE-ID:20270106T090000Z",
    ]
    assert "DTSTART:20270106T140000Z" in lines


@pytest.mark.rfc("4791", "9.9")
@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (("DTSTART;VALUE=DATE:20270111",), False),
        (("DTSTART;VALUE=DATE:20270111", "DTEND;VALUE=DATE:20270112"), False),
        (("DTSTART;VALUE=DATE:20270103",), False),
        (("DTSTART;VALUE=DATE:20270110",), True),
        (("DTSTART;VALUE=DATE:20270104",), True),
        (("DTSTART;VALUE=DATE:20270102", "DTEND;VALUE=DATE:20270104"), False),
        (("DTSTART;VALUE=DATE:20270102", "DTEND;VALUE=DATE:20270105"), True),
        (("DTSTART;VALUE=DATE:20270101", "RRULE:FREQ=WEEKLY;BYDAY=MO"), True),
        (("DTSTART;VALUE=DATE:20270111", "RRULE:FREQ=DAILY"), False),
    ],
)
def test_a_day_with_or_without_an_end_is_in_the_days_that_it_has(
    mine: Dav, calendar: str, lines: tuple[str, ...], found: bool
) -> None:
    """Radicale finds what begins where the window ends; Cyrus errs about days without DTEND."""
    assert mine.put(calendar + "u.ics", event("u", "x", *lines)).status == 201
    assert bool(mine.report(calendar, query(during(*WEEK)), depth="1").multistatus()) is found


@pytest.mark.rfc("4791", "5.2.3")
@pytest.mark.parametrize("way", ["put", "import", "copy", "move"])
def test_a_component_that_a_calendar_does_not_name_does_not_come_in(
    shared: Server, mine: Dav, calendar: str, way: str
) -> None:
    tasks = f"/dav/alice/tasks{next(_numbers)}/"
    kinds = '<C:supported-calendar-component-set><C:comp name="VTODO"/></C:supported-calendar-component-set>'
    assert mine.mkcalendar(tasks, mkcalendar(kinds)).status == 201
    mine.put(calendar + "u.ics", event("u"))
    before = shared.tree()
    reply = {
        "put": lambda: mine.put(tasks + "u.ics", event("u")),
        "import": lambda: mine.put(tasks, event("u")),
        "copy": lambda: mine.copy(calendar + "u.ics", tasks + "u.ics"),
        "move": lambda: mine.move(calendar + "u.ics", tasks + "u.ics"),
    }[way]()
    assert (reply.status, reply.condition) == (403, CALDAV.supported_calendar_component)
    assert shared.tree() == before
    assert mine.put(tasks + "t.ics", task("t")).status == 201


@pytest.mark.rfc("6578", "3.2")
@pytest.mark.parametrize("props", ["", "<D:getetag/>", "<D:no-such/>"], ids=["none", "etag", "unknown"])
def test_no_changed_member_is_lost_whatever_properties_are_asked(mine: Dav, calendar: str, props: str) -> None:
    token = mine.report(calendar, sync("", props)).xml.findtext(DAV.sync_token) or ""
    mine.put(calendar + "a.ics", event("a"))
    mine.put(calendar + "b.ics", event("b"))
    mine.delete(calendar + "b.ics")
    reply = mine.report(calendar, sync(token, props))
    rows = reply.multistatus()
    assert set(rows) == {calendar + "a.ics", calendar + "b.ics"}
    assert rows[calendar + "b.ics"].status == 404
    assert rows[calendar + "a.ics"].status in (None, 200)


@pytest.mark.rfc("4791", "5.3.4")
def test_a_uri_keeps_what_stands_behind_its_comma(mine: Dav, calendar: str) -> None:
    lines = ("X-MAP;VALUE=URI:geo:48.85,2.35;u=10", "URL:https://example.org/a,b;c", "ATTACH:https://example.org/d,e")
    body = event("u", "x", *lines)
    assert mine.put(calendar + "u.ics", body).status == 201
    assert mine.get(calendar + "u.ics").text == body
    assert (
        mine.report(calendar, multiget(calendar + "u.ics")).multistatus()[calendar + "u.ics"].text(CALDAV.calendar_data)
        == body
    )


# -- Xandikos ----------------------------------------------------------------------------------------------------------


@pytest.mark.rfc("4791", "1.3")
def test_a_condition_of_caldav_is_403_and_412_is_of_headers_alone(mine: Dav, calendar: str) -> None:
    mine.put(calendar + "u.ics", event("u"))
    for reply in (
        mine.put(calendar + "x.ics", "no calendar"),
        mine.put(calendar + "x.ics", event("u")),
        mine.put(calendar + "x.ics", event("x").replace("VERSION:2.0", "VERSION:2.0\r\nMETHOD:REQUEST")),
        mine.report(calendar, query('<C:comp-filter name="VEVENT"><C:time-range/></C:comp-filter>'), depth="1"),
    ):
        assert reply.status == 403
        assert reply.condition is not None
        assert reply.condition.startswith("{" + CALDAV)
    assert mine.put(calendar + "u.ics", event("u"), headers={"If-None-Match": "*"}).status == 412


@pytest.mark.rfc("6578", "3.6")
def test_with_a_limit_every_change_comes_once(mine: Dav, calendar: str) -> None:
    """Xandikos loses changes behind a limit; sabre/dav has no limit on the first synchronisation."""
    names = {f"{calendar}{number}.ics" for number in range(7)}
    for name in names:
        assert mine.put(name, event(name)).status == 201
    seen: list[str] = []
    token = ""
    for _ in range(10):
        reply = mine.report(calendar, sync(token, more="<D:limit><D:nresults>2</D:nresults></D:limit>"))
        rows = reply.multistatus()
        cut = rows.pop(calendar, None)
        assert len(rows) <= 2
        seen += rows
        token = reply.xml.findtext(DAV.sync_token) or ""
        if cut is None:
            break
        assert cut.status == 507
    assert sorted(seen) == sorted(names)


@pytest.mark.rfc("4791", "7.10")
def test_busy_periods_that_touch_or_overlap_are_one(mine: Dav, calendar: str) -> None:
    for number, start in enumerate(("20270105T100000Z", "20270105T103000Z", "20270105T113000Z", "20270105T140000Z")):
        mine.put(f"{calendar}{number}.ics", event(f"u{number}", "x", start=start))
    mine.put(f"{calendar}5.ics", event("u5", "x", "STATUS:TENTATIVE", start="20270105T110000Z"))
    lines = [line for line in mine.report(calendar, busy(*WEEK)).text.split("\r\n") if line.startswith("FREEBUSY")]
    assert lines == [
        "FREEBUSY;FBTYPE=BUSY:20270105T100000Z/20270105T123000Z",
        "FREEBUSY;FBTYPE=BUSY:20270105T140000Z/20270105T150000Z",
        "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20270105T110000Z/20270105T120000Z",
    ]


# -- Cyrus and sabre/dav -----------------------------------------------------------------------------------------------


@pytest.mark.rfc("3744", "5.1")
def test_what_belongs_to_others_is_answered_where_it_was_asked_and_never_sent_elsewhere(shared: Server) -> None:
    carol = shared.client("carol")
    shared.client("alice").mkcalendar("/dav/alice/open/")
    for path in ("/dav/alice/open/", "/dav/alice/open", "/dav/carol/alice~open/", "/dav/alice/hidden/", "/dav/bob/x/"):
        reply = carol.propfind(path, DAV.displayname)
        assert reply.status in (207, 404)
        assert "location" not in reply.headers


@pytest.mark.rfc("4791", "9.7.1")
def test_all_conditions_of_a_calendar_filter_have_to_hold(mine: Dav, calendar: str) -> None:
    mine.put(calendar + "both.ics", event("both", "Board meeting", "LOCATION:Hall"))
    mine.put(calendar + "one.ics", event("one", "Board meeting", "LOCATION:Garden"))
    mine.put(calendar + "other.ics", event("other", "Training", "LOCATION:Hall"))
    inner = "".join(
        f'<C:prop-filter name="{name}"><C:text-match>{text}</C:text-match></C:prop-filter>'
        for name, text in (("SUMMARY", "board"), ("LOCATION", "hall"))
    )
    asked = f'<C:comp-filter name="VEVENT"><C:time-range start="{WEEK[0]}" end="{WEEK[1]}"/>{inner}</C:comp-filter>'
    assert list(mine.report(calendar, query(asked), depth="1").multistatus()) == [calendar + "both.ics"]


@pytest.mark.rfc("6352", "10.5")
def test_the_conditions_of_a_card_filter_are_joined_as_it_says(mine: Dav, book: str) -> None:
    mine.put(book + "a.vcf", card("a", "Ada Lovelace", "NOTE:first"))
    mine.put(book + "b.vcf", card("b", "Ada Yonath", "NOTE:second"))
    inner = "".join(
        f'<CR:prop-filter name="{name}"><CR:text-match>{text}</CR:text-match></CR:prop-filter>'
        for name, text in (("FN", "ada"), ("NOTE", "first"))
    )
    assert set(mine.report(book, card_query(inner, "allof"), depth="1").multistatus()) == {book + "a.vcf"}
    assert set(mine.report(book, card_query(inner, "anyof"), depth="1").multistatus()) == {
        book + "a.vcf",
        book + "b.vcf",
    }


# -- what the RFC asks of reports beside that --------------------------------------------------------------------------


@pytest.mark.rfc("4791", "7")
def test_an_object_says_which_reports_can_be_asked_of_it(mine: Dav, calendar: str) -> None:
    mine.put(calendar + "u.ics", event("u"))
    for depth in ("0", "1"):
        row = mine.propfind(calendar + "u.ics", DAV.supported_report_set, depth=depth).multistatus()[calendar + "u.ics"]
        names = {element.tag for element in row.props[DAV.supported_report_set].iter()}
        assert {CALDAV.calendar_multiget, CALDAV.calendar_query} <= names
        assert not {CALDAV.free_busy_query, DAV.sync_collection} & names
    assert mine.report(calendar + "u.ics", multiget(calendar + "u.ics")).status == 207
    assert mine.report(calendar + "u.ics", query(during(*WEEK))).status == 207
    assert mine.report(calendar + "u.ics", busy(*WEEK)).status == 403


@pytest.mark.rfc("4791", "7.10")
def test_the_busy_time_of_a_home_is_that_of_the_calendars_that_may_be_asked(club: Server) -> None:
    alice, carol = club.client("alice"), club.client("carol")
    starts = {"open": "20370105T100000Z", "busy": "20370105T120000Z", "private": "20370105T140000Z"}
    for name, start in starts.items():
        alice.mkcalendar(f"/dav/alice/{name}/")
        assert alice.put(f"/dav/alice/{name}/home-busy.ics", event("home-busy", "x", start=start)).status in (201, 204)
    asked = busy("20370105T000000Z", "20370106T000000Z")

    def periods(asker: Dav, path: str = "/dav/alice/", depth: str = "infinity") -> list[str]:
        reply = asker.report(path, asked, depth=depth)
        assert reply.status == 200
        return sorted(line[21:37] for line in reply.text.split("\r\n") if line.startswith("FREEBUSY"))

    assert periods(alice) == list(starts.values())
    assert periods(carol) == [starts["open"], starts["busy"]]
    assert periods(carol, "/dav/carol/") == []
    assert periods(alice, depth="0") == periods(alice, depth="1") == []
    transparent = (
        f"<D:propertyupdate {NAMESPACES}><D:set><D:prop><C:schedule-calendar-transp><C:transparent/>"
        "</C:schedule-calendar-transp></D:prop></D:set></D:propertyupdate>"
    )
    alice.request("PROPPATCH", "/dav/alice/private/", transparent)
    assert periods(alice) == [starts["open"], starts["busy"]]
    assert club.client("dora").report("/dav/bob/", asked, depth="infinity").status in (200, 404)


@pytest.mark.rfc("4791", "7.10")
def test_who_may_only_add_to_a_calendar_finds_no_busy_time_there(shared: Server) -> None:
    path = "/dav/alice/drop/"
    shared.client("alice").mkcalendar(path)
    carol = shared.client("carol")
    assert carol.put(path + f"added{next(_numbers)}.ics", event(f"added{next(_numbers)}")).status == 201
    assert carol.report(path, busy(*WEEK)).status == 404
    assert shared.client("dora").report(path, busy(*WEEK)).status == 404


@pytest.mark.rfc("4791", "7.10")
def test_a_free_busy_query_has_one_range(mine: Dav, calendar: str) -> None:
    both = busy(*WEEK).replace("</C:free", '<C:time-range start="20270104T000000Z" end="20270105T000000Z"/></C:free')
    assert mine.report(calendar, both).status == 400
    assert mine.report(calendar, f"<C:free-busy-query {NAMESPACES}/>").status == 400
