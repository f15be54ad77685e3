"""Multiget, queries, expansion, parts of items and free-busy."""

from __future__ import annotations

import pytest

from davserver.dav.names import CALDAV, CARDDAV, DAV
from tests.harness import Dav, Server
from tests.pim.samples import busy, card, card_query, event, journal, multiget, query, task
from tests.pim.samples import calendar as in_calendar

ALARM = ("BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:x", "TRIGGER:-PT30M", "END:VALARM")
BERLIN = (
    "BEGIN:VTIMEZONE",
    "TZID:Club time",
    "BEGIN:STANDARD",
    "DTSTART:19701025T030000",
    "TZOFFSETFROM:+0200",
    "TZOFFSETTO:+0100",
    "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
    "END:STANDARD",
    "BEGIN:DAYLIGHT",
    "DTSTART:19700329T020000",
    "TZOFFSETFROM:+0100",
    "TZOFFSETTO:+0200",
    "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
    "END:DAYLIGHT",
    "END:VTIMEZONE",
)
ITEMS = {
    "plain": event("plain", "Board meeting", "CATEGORIES:board,monthly", start="20270105T100000Z"),
    "weekly": event("weekly", "Training", "RRULE:FREQ=WEEKLY", *ALARM, start="20260601T180000Z"),
    "moved": in_calendar(
        "BEGIN:VEVENT",
        "UID:moved",
        "DTSTAMP:20260101T000000Z",
        "DTSTART:20270301T090000Z",
        "DTEND:20270301T100000Z",
        "RRULE:FREQ=DAILY;COUNT=3",
        "END:VEVENT",
        "BEGIN:VEVENT",
        "UID:moved",
        "DTSTAMP:20260101T000000Z",
        "RECURRENCE-ID:20270302T090000Z",
        "DTSTART:20270310T090000Z",
        "DTEND:20270310T100000Z",
        "SUMMARY:Moved away",
        "END:VEVENT",
    ),
    "day": event("day", "Holiday", "DTSTART;VALUE=DATE:20270401"),
    "zoned": in_calendar(
        *BERLIN,
        "BEGIN:VEVENT",
        "UID:zoned",
        "DTSTAMP:20260101T000000Z",
        "DTSTART;TZID=Club time:20270701T000000",
        "DTEND;TZID=Club time:20270701T010000",
        "END:VEVENT",
    ),
    "due": task("due", "Pay the rent", "DUE:20270501T120000Z"),
    "done": task("done", "Paid", "COMPLETED:20270502T120000Z", "STATUS:COMPLETED", "RELATED-TO:due"),
    "note": journal("note"),
    "endless": event("endless", "Every second", "RRULE:FREQ=SECONDLY", start="20280101T000000Z"),
    "never": event("never", "No such day", "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", start="20280101T000000Z"),
}


def during(start: str | None, end: str | None, kind: str = "VEVENT", inner: str = "") -> str:
    """A comp-filter with a time-range."""
    limits = "".join(f' {name}="{value}"' for name, value in (("start", start), ("end", end)) if value)
    return f'<C:comp-filter name="{kind}"><C:time-range{limits}/>{inner}</C:comp-filter>'


def having(kind: str, inner: str) -> str:
    """A comp-filter with conditions."""
    return f'<C:comp-filter name="{kind}">{inner}</C:comp-filter>'


@pytest.fixture(scope="module")
def full(shared: Server) -> tuple[Dav, str]:
    """A calendar with one of everything."""
    alice, path = shared.client("alice"), "/dav/alice/queried/"
    alice.mkcalendar(path)
    for name, body in ITEMS.items():
        assert alice.put(f"{path}{name}.ics", body).status == 201, name
    return alice, path


TIME_RANGES = [
    # what is asked, what is found
    (during("20270105T000000Z", "20270106T000000Z"), {"plain"}),
    (during("20270105T110000Z", "20270105T120000Z"), set()),
    (during("20270105T093000Z", "20270105T100001Z"), {"plain"}),
    (during("20270105T090000Z", "20270105T100000Z"), set()),
    (during("20270112T000000Z", "20270113T000000Z"), set()),
    (during("20270111T000000Z", "20270112T000000Z"), {"weekly"}),
    (during("20270302T000000Z", "20270303T000000Z"), set()),
    (during("20270310T090000Z", "20270310T093000Z"), {"moved"}),
    (during("20270303T090000Z", "20270303T093000Z"), {"moved"}),
    (during("20270401T230000Z", "20270402T000000Z"), {"day"}),
    (during("20270402T000000Z", "20270402T010000Z"), set()),
    (during("20270630T220000Z", "20270630T223000Z"), {"zoned"}),
    (during("20270630T230000Z", "20270630T233000Z"), set()),
    (during("20270501T000000Z", "20270501T120000Z", "VTODO"), {"due"}),
    (during("20270501T120000Z", "20270501T130000Z", "VTODO"), set()),
    (during("20270502T000000Z", "20270503T000000Z", "VTODO"), {"done"}),
    (during(None, "20261201T000000Z"), {"weekly"}),
    (during("20270702T000000Z", "20270704T000000Z"), set()),
    (during("20270101T000000Z", None, "VTODO"), {"due", "done"}),
]


@pytest.mark.rfc("4791", "9.9")
@pytest.mark.parametrize(("asked", "found"), TIME_RANGES)
def test_a_time_range_finds_what_overlaps_it_and_nothing_else(
    full: tuple[Dav, str], asked: str, found: set[str]
) -> None:
    alice, path = full
    rows = alice.report(path, query(asked), depth="1").multistatus()
    assert {href.removeprefix(path).removesuffix(".ics") for href in rows} == found


CONDITIONS = [
    (having("VTODO", ""), {"due", "done"}),
    (having("VJOURNAL", ""), {"note"}),
    ("", set(ITEMS)),
    (having("VTODO", "<C:is-not-defined/>"), set(ITEMS) - {"due", "done"}),
    (having("VTODO", '<C:prop-filter name="COMPLETED"><C:is-not-defined/></C:prop-filter>'), {"due"}),
    (having("VTODO", '<C:prop-filter name="COMPLETED"/>'), {"done"}),
    (
        having("VTODO", '<C:prop-filter name="RELATED-TO"><C:text-match>due</C:text-match></C:prop-filter>'),
        {"done"},
    ),
    (
        having("VEVENT", '<C:prop-filter name="SUMMARY"><C:text-match>MEETING</C:text-match></C:prop-filter>'),
        {"plain"},
    ),
    (
        having(
            "VEVENT",
            '<C:prop-filter name="SUMMARY"><C:text-match collation="i;octet">MEETING</C:text-match></C:prop-filter>',
        ),
        set(),
    ),
    (
        having(
            "VTODO",
            '<C:prop-filter name="SUMMARY"><C:text-match negate-condition="yes">rent</C:text-match></C:prop-filter>',
        ),
        {"done"},
    ),
    (
        having("VEVENT", '<C:prop-filter name="CATEGORIES"><C:text-match>board</C:text-match></C:prop-filter>'),
        {"plain"},
    ),
    (
        having(
            "VEVENT",
            '<C:prop-filter name="DTSTART"><C:param-filter name="TZID"><C:text-match>club</C:text-match>'
            "</C:param-filter></C:prop-filter>",
        ),
        {"zoned"},
    ),
    (
        having(
            "VEVENT",
            '<C:prop-filter name="DTSTART"><C:param-filter name="VALUE"><C:is-not-defined/></C:param-filter>'
            "</C:prop-filter>" + having("VALARM", ""),
        ),
        {"weekly"},
    ),
    (having("VEVENT", during("20270111T173000Z", "20270111T173001Z", "VALARM")), {"weekly"}),
    (having("VEVENT", during("20270111T180000Z", "20270111T183000Z", "VALARM")), set()),
    (
        having(
            "VEVENT",
            '<C:prop-filter name="SUMMARY"><C:text-match>training</C:text-match></C:prop-filter>'
            '<C:time-range start="20270111T000000Z" end="20270112T000000Z"/>',
        ),
        {"weekly"},
    ),
]


@pytest.mark.rfc("4791", "9.7")
@pytest.mark.parametrize(("asked", "found"), CONDITIONS)
def test_a_filter_finds_what_has_the_property_or_component(full: tuple[Dav, str], asked: str, found: set[str]) -> None:
    alice, path = full
    rows = alice.report(path, query(asked), depth="0").multistatus()
    assert {href.removeprefix(path).removesuffix(".ics") for href in rows} == found


@pytest.mark.rfc("4791", "7.8")
@pytest.mark.parametrize(
    ("asked", "condition"),
    [
        (during("20270105T000000", "20270106T000000Z"), CALDAV.valid_filter),
        (during("20270106T000000Z", "20270105T000000Z"), CALDAV.valid_filter),
        (during(None, None), CALDAV.valid_filter),
        (having("VEVENT", "<C:unknown/>"), CALDAV.valid_filter),
        (
            having(
                "VEVENT", '<C:prop-filter name="SUMMARY"><C:text-match collation="i;x">a</C:text-match></C:prop-filter>'
            ),
            CALDAV.supported_collation,
        ),
    ],
)
def test_a_filter_that_is_none_is_refused_by_name(full: tuple[Dav, str], asked: str, condition: str) -> None:
    alice, path = full
    reply = alice.report(path, query(asked), depth="1")
    assert (reply.status, reply.condition) == (403, condition)


@pytest.mark.rfc("4791", "9.6.5")
def test_expansion_gives_each_occurrence_in_utc_with_the_moved_one_where_it_is(full: tuple[Dav, str]) -> None:
    alice, path = full
    data = '<C:calendar-data><C:expand start="20270301T000000Z" end="20270401T000000Z"/></C:calendar-data>'
    rows = alice.report(path, query(during("20270301T000000Z", "20270401T000000Z"), data), depth="1").multistatus()
    text = rows[path + "moved.ics"].text(CALDAV.calendar_data) or ""
    starts = [line.partition(":")[2] for line in text.splitlines() if line.startswith("DTSTART")]
    assert sorted(starts) == ["20270301T090000Z", "20270303T090000Z", "20270310T090000Z"]
    assert "RRULE" not in text
    assert text.count("RECURRENCE-ID") == 3


@pytest.mark.rfc("4791", "9.6")
def test_a_part_of_an_item_can_be_asked(full: tuple[Dav, str]) -> None:
    alice, path = full
    part = (
        '<C:calendar-data><C:comp name="VCALENDAR"><C:prop name="VERSION"/><C:comp name="VEVENT">'
        '<C:prop name="UID"/><C:prop name="SUMMARY"/></C:comp></C:comp></C:calendar-data>'
    )
    rows = alice.report(path, multiget(path + "weekly.ics", data=part)).multistatus()
    assert (rows[path + "weekly.ics"].text(CALDAV.calendar_data) or "").splitlines() == [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "BEGIN:VEVENT",
        "UID:weekly",
        "SUMMARY:Training",
        "END:VEVENT",
        "END:VCALENDAR",
    ]


@pytest.mark.rfc("4791", "7.9")
@pytest.mark.parametrize("depth", ["0", "1", None])
def test_multiget_gives_the_stored_bytes_and_404_for_the_rest(full: tuple[Dav, str], depth: str | None) -> None:
    alice, path = full
    wanted = [path + "plain.ics", path + "missing.ics", "/dav/alice/calendar/x.ics", "/elsewhere", "%zz"]
    wanted.append(f"http://127.0.0.1:{alice.port}{path}note.ics")
    rows = alice.report(path, multiget(*wanted), depth=depth).multistatus()
    assert rows[path + "plain.ics"].text(CALDAV.calendar_data) == ITEMS["plain"]
    assert rows[path + "note.ics"].text(CALDAV.calendar_data) == ITEMS["note"]
    assert [row.status for row in rows.values()] == [None, 404, 404, 404, 404, None]
    etag = alice.get(path + "plain.ics").etag
    assert rows[path + "plain.ics"].text(DAV.getetag) == etag


def test_more_hrefs_than_allowed_are_refused_by_name(full: tuple[Dav, str]) -> None:
    alice, path = full
    reply = alice.report(path, multiget(*(f"{path}{number}" for number in range(10_001))))
    assert (reply.status, reply.condition) == (403, DAV.number_of_matches_within_limits)


@pytest.mark.rfc("4791", "7.9")
def test_data_of_another_media_type_is_refused_by_name(full: tuple[Dav, str]) -> None:
    alice, path = full
    data = '<C:calendar-data content-type="application/calendar+xml"/>'
    reply = alice.report(path, multiget(path + "plain.ics", data=data))
    assert (reply.status, reply.condition) == (403, CALDAV.supported_calendar_data)


@pytest.mark.rfc("3253", "3.6")
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/dav/alice/", query("")),
        ("/dav/alice/contacts/", query("")),
        ("/dav/alice/calendar/", card_query("")),
        ("/dav/", '<D:sync-collection xmlns:D="DAV:"><D:sync-token/></D:sync-collection>'),
        ("/dav/alice/calendar/", '<D:version-tree xmlns:D="DAV:"/>'),
    ],
)
def test_a_report_that_a_resource_does_not_have_is_refused_by_name(mine: Dav, path: str, body: str) -> None:
    reply = mine.report(path, body)
    assert (reply.status, reply.condition) == (403, DAV.supported_report)


@pytest.mark.rfc("4791", "7.10")
def test_free_busy_tells_when_and_not_what(mine: Dav, calendar: str) -> None:
    bodies = (
        event("a", "Secret", start="20270105T100000Z"),
        event("b", "Touches", start="20270105T110000Z"),
        event("c", "Maybe", "STATUS:TENTATIVE", start="20270106T100000Z"),
        event("d", "Off", "STATUS:CANCELLED", start="20270107T100000Z"),
        event("e", "Free", "TRANSP:TRANSPARENT", start="20270107T100000Z"),
        event("f", "Weekly", "RRULE:FREQ=WEEKLY", start="20260101T235900Z"),
    )
    for number, body in enumerate(bodies):
        mine.put(f"{calendar}{number}.ics", body)
    body = busy("20270105T000000Z", "20270108T000000Z")
    reply = mine.report(calendar, body)
    assert (reply.status, reply.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    assert [line for line in reply.text.splitlines() if line.startswith("FREEBUSY")] == [
        "FREEBUSY;FBTYPE=BUSY:20270105T100000Z/20270105T120000Z",
        "FREEBUSY;FBTYPE=BUSY:20270107T235900Z/20270108T000000Z",
        "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20270106T100000Z/20270106T110000Z",
    ]
    assert "Secret" not in reply.text


@pytest.mark.rfc("4791", "7.5")
@pytest.mark.rfc("6352", "8.3")
@pytest.mark.parametrize(
    ("collation", "text", "found"),
    [
        ("i;unicode-casemap", "ab-Ü", True),
        ("i;unicode-casemap", "AB-Ü", True),
        ("i;ascii-casemap", "AB-Ü", True),
        ("i;octet", "AB-Ü", False),
        ("i;octet", "Ab-Ü", True),
    ],
)
def test_a_uid_is_compared_as_its_collation_says(
    mine: Dav, calendar: str, book: str, collation: str, text: str, found: bool
) -> None:
    mine.put(calendar + "a.ics", event("Ab-Ü"))
    mine.put(book + "a.vcf", card("Ab-Ü"))
    match = f'text-match collation="{collation}">{text}<'
    inner = f'<C:comp-filter name="VEVENT"><C:prop-filter name="UID"><C:{match}/C:text-match></C:prop-filter>'
    assert bool(mine.report(calendar, query(inner + "</C:comp-filter>"), depth="1").multistatus()) is found
    inner = f'<CR:prop-filter name="UID"><CR:{match}/CR:text-match></CR:prop-filter>'
    assert bool(mine.report(book, card_query(inner), depth="1").multistatus()) is found


CARD_FILTERS = [
    ('<CR:prop-filter name="FN"><CR:text-match>LOVE</CR:text-match></CR:prop-filter>', "anyof", {"ada"}),
    (
        '<CR:prop-filter name="FN"><CR:text-match match-type="starts-with">mül</CR:text-match></CR:prop-filter>',
        "anyof",
        {"max"},
    ),
    (
        '<CR:prop-filter name="FN"><CR:text-match match-type="equals">ada</CR:text-match></CR:prop-filter>',
        "anyof",
        set(),
    ),
    (
        '<CR:prop-filter name="EMAIL"><CR:text-match match-type="ends-with">@example.org</CR:text-match>'
        "</CR:prop-filter>",
        "anyof",
        {"ada", "max"},
    ),
    (
        '<CR:prop-filter name="EMAIL"/><CR:prop-filter name="FN"><CR:text-match>max</CR:text-match></CR:prop-filter>',
        "allof",
        {"max"},
    ),
    ('<CR:prop-filter name="EMAIL"><CR:is-not-defined/></CR:prop-filter>', "anyof", {"nobody"}),
    (
        '<CR:prop-filter name="EMAIL"><CR:param-filter name="TYPE"><CR:text-match>work</CR:text-match>'
        "</CR:param-filter></CR:prop-filter>",
        "anyof",
        {"ada"},
    ),
    (
        '<CR:prop-filter name="FN" test="allof"><CR:text-match>a</CR:text-match>'
        '<CR:text-match negate-condition="yes">ada</CR:text-match></CR:prop-filter>',
        "anyof",
        {"max"},
    ),
    ("", "anyof", {"ada", "max", "nobody"}),
]


@pytest.fixture(scope="module")
def people(shared: Server) -> tuple[Dav, str]:
    """An address book with three people."""
    from tests.pim.samples import mkcol

    alice, path = shared.client("alice"), "/dav/alice/people/"
    alice.mkcol(path, mkcol("CR:addressbook"))
    alice.put(path + "ada", card("ada", "Ada Lovelace", "item1.EMAIL;TYPE=WORK:ada@example.org"))
    alice.put(path + "max", card("max", "Müller Max", "EMAIL;TYPE=HOME:max@example.org", version="4.0"))
    alice.put(path + "nobody", card("nobody", "No One"))
    return alice, path


@pytest.mark.rfc("6352", "10.5")
@pytest.mark.parametrize(("inner", "test", "found"), CARD_FILTERS)
def test_a_card_filter_finds_the_cards_that_match(
    people: tuple[Dav, str], inner: str, test: str, found: set[str]
) -> None:
    alice, path = people
    rows = alice.report(path, card_query(inner, test), depth="1").multistatus()
    assert {href.removeprefix(path) for href in rows} == found


@pytest.mark.rfc("6352", "10.5.4")
def test_a_value_that_is_asked_to_be_empty_is_empty(mine: Dav, book: str) -> None:
    mine.put(book + "full.vcf", card("full", "Ada", "NOTE:x"))
    mine.put(book + "empty.vcf", card("empty", "Ada", "NOTE:"))
    inner = '<CR:prop-filter name="NOTE"><CR:text-match match-type="equals"/></CR:prop-filter>'
    assert list(mine.report(book, card_query(inner), depth="1").multistatus()) == [book + "empty.vcf"]


@pytest.mark.rfc("6352", "8.6.1")
def test_a_card_query_with_a_limit_is_cut_and_says_so(people: tuple[Dav, str]) -> None:
    alice, path = people
    limit = "<CR:limit><CR:nresults>1</CR:nresults></CR:limit>"
    rows = alice.report(path, card_query("", more=limit), depth="1").multistatus()
    assert rows[path].status == 507
    assert rows[path].condition == DAV.number_of_matches_within_limits
    assert len(rows) == 2


@pytest.mark.rfc("6352", "8.7")
def test_cards_are_fetched_by_href(people: tuple[Dav, str]) -> None:
    alice, path = people
    body = multiget(path + "ada", path + "none", kind="CR:addressbook", data="<CR:address-data/>")
    rows = alice.report(path, body, depth=None).multistatus()
    assert (rows[path + "ada"].text(CARDDAV.address_data) or "").startswith("BEGIN:VCARD\r\nVERSION:3.0")
    assert rows[path + "none"].status == 404


@pytest.mark.rfc("6352", "10.4.2")
@pytest.mark.parametrize(
    ("asked", "lines"),
    [
        ('name="EMAIL"', ["item1.EMAIL:a@example.org", "EMAIL;TYPE=HOME:b@example.org"]),
        ('name="ITEM1.EMAIL"', ["item1.EMAIL:a@example.org"]),
        ('name="EMAIL" novalue="yes"', ["item1.EMAIL:", "EMAIL;TYPE=HOME:"]),
        ('name="X-LONG" novalue="yes"', ['X-LONG;X-A="a:b";', ' X-B="c;', ' d":']),
    ],
)
def test_a_property_of_a_card_comes_by_group_and_name_and_without_its_value_if_asked(
    mine: Dav, book: str, asked: str, lines: list[str]
) -> None:
    folded = 'X-LONG;X-A="a:b";\r\n X-B="c;\r\n d":va\r\n lue'
    body = card("c", "Ada", "item1.EMAIL:a@example.org", "EMAIL;TYPE=HOME:b@example.org", folded)
    assert mine.put(book + "c.vcf", body).status == 201
    data = f"<CR:address-data><CR:prop {asked}/></CR:address-data>"
    rows = mine.report(book, multiget(book + "c.vcf", kind="CR:addressbook", data=data)).multistatus()
    assert (rows[book + "c.vcf"].text(CARDDAV.address_data) or "").split("\r\n")[1:-2] == lines


@pytest.mark.rfc("4791", "9.6.4")
def test_a_property_of_an_event_keeps_its_parameters_without_its_value(mine: Dav, calendar: str) -> None:
    mine.put(calendar + "a.ics", event("a", "x", "DTSTART;TZID=Europe/Berlin:20270105T100000"))
    prop = '<C:prop name="DTSTART" novalue="yes"/>'
    data = f'<C:calendar-data><C:comp name="VCALENDAR"><C:comp name="VEVENT">{prop}</C:comp></C:comp></C:calendar-data>'
    rows = mine.report(calendar, multiget(calendar + "a.ics", data=data)).multistatus()
    text = rows[calendar + "a.ics"].text(CALDAV.calendar_data) or ""
    assert text.split("\r\n")[2:-3] == ["DTSTART;TZID=Europe/Berlin:"]


@pytest.mark.rfc("4791", "7.10")
def test_free_busy_tells_of_no_earlier_version(mine: Dav) -> None:
    path = "/dav/alice/versions/"
    assert mine.mkcalendar(path).status == 201
    assert mine.put(path + "moved.ics", event("moved", start="20270105T100000Z")).status == 201
    assert mine.put(path + "moved.ics", event("moved", start="20270105T140000Z")).status == 204
    assert mine.put(path + "gone.ics", event("gone", start="20270105T180000Z")).status == 201
    assert mine.delete(path + "gone.ics").status == 204
    text = mine.report(path, busy("20270105T000000Z", "20270106T000000Z")).text
    assert [line for line in text.splitlines() if line.startswith("FREEBUSY")] == [
        "FREEBUSY;FBTYPE=BUSY:20270105T140000Z/20270105T150000Z"
    ]
