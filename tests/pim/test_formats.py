"""The forms of items: by Accept, by the data elements of reports, and in the body of a PUT."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from davserver.dav.accept import parse_accept, quality_of
from davserver.dav.names import CALDAV, CARDDAV, DAV
from tests.harness import Dav, Server
from tests.pim.samples import calendar as in_calendar
from tests.pim.samples import card, card_query, event, multiget, query, sync, task

VARY = "Accept, CalDAV-Timezones"
JCAL, JCARD = "application/calendar+json", "application/vcard+json"
PICTURE_3, PICTURE_4 = "PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQ", "PHOTO:data:image/jpeg;base64,/9j/4AAQ"


@contextmanager
def unchanged(server: Server) -> Iterator[None]:
    """Nothing on disk is another afterwards."""
    before = server.tree()
    yield
    assert server.tree() == before


# -- Accept ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "type", "quality"),
    [
        (None, "text/calendar", 1),
        ("", "text/calendar", 1),
        ("*/*", "text/calendar", 1),
        ("text/*;q=0.3", "text/calendar", 0.3),
        ("text/*;q=0.3, text/calendar;q=0.1, */*", "text/calendar", 0.1),
        ("*/*;q=0.5, application/json", "text/calendar", 0.5),
        ("text/html", "text/calendar", 0),
        ("text/calendar;version=2.0;q=0.4, text/calendar", "text/calendar", 0.4),
        ("text/calendar;version=1.0", "text/calendar", 0),
        ('TEXT/Calendar;charset="UTF-8"', "text/calendar", 1),
        ("text/calendar;q=2", "text/calendar", 0),
        ("text/calendar;q=high, text/calendar;q=0.2", "text/calendar", 0.2),
        (",;,text", "text/calendar", 0),
        ('text/calendar;a="b,c";q=0.5', "text/calendar", 0),
    ],
)
def test_an_accept_header_says_how_much_a_type_is_wanted(accept: str | None, type: str, quality: float) -> None:
    assert quality_of(parse_accept(accept), type, {"version": "2.0"}) == quality


@given(st.text(st.sampled_from('ab/*;,=q01."\\ ')))
def test_any_accept_header_is_read(accept: str) -> None:
    assert 0 <= quality_of(parse_accept(accept), "a/b", {"q": "a"}) <= 1


DEFAULTS = [None, "*/*", "text/calendar", "text/*", "text/html, */*;q=0.8", "image/png", "text/calendar, " + JCAL]


@pytest.mark.parametrize("accept", DEFAULTS)
def test_who_wants_no_other_form_gets_the_stored_bytes(mine: Dav, calendar: str, accept: str | None) -> None:
    stored = mine.put(calendar + "a.ics", event())
    reply = mine.get(calendar + "a.ics", {"Accept": accept} if accept else {})
    assert (reply.status, reply.body, reply.etag) == (200, event().encode(), stored.etag)
    assert reply.headers["content-type"].startswith("text/calendar; charset=utf-8")
    assert reply.headers["vary"] == VARY


@pytest.mark.rfc("7265", "7")
@pytest.mark.parametrize(
    "accept", [JCAL, f"{JCAL};q=0.9, text/calendar;q=0.5", f"text/calendar;q=0, {JCAL}", "application/*"]
)
def test_a_calendar_object_is_sent_as_jcal_to_who_wants_it(mine: Dav, calendar: str, accept: str) -> None:
    stored = mine.put(calendar + "a.ics", event(summary="Meeting"))
    reply = mine.get(calendar + "a.ics", {"Accept": accept})
    assert (reply.status, reply.headers["content-type"], reply.headers["vary"]) == (200, JCAL, VARY)
    [name, _, [[inner, properties, _]]] = json.loads(reply.body)
    assert (name, inner) == ("vcalendar", "vevent")
    assert ["summary", {}, "text", "Meeting"] in properties
    assert reply.etag != stored.etag
    head = mine.head(calendar + "a.ics", {"Accept": accept})
    assert (head.etag, head.headers["content-length"]) == (reply.etag, str(len(reply.body)))


def test_a_form_is_known_by_an_entity_tag_of_its_own(mine: Dav, calendar: str) -> None:
    path, wanted = calendar + "a.ics", {"Accept": JCAL}
    stored = mine.put(path, event())
    first = mine.get(path, wanted)
    known = mine.get(path, {**wanted, "If-None-Match": first.etag})
    assert (known.status, known.body, known.etag, known.headers["vary"]) == (304, b"", first.etag, VARY)
    assert mine.get(path, {**wanted, "If-None-Match": stored.etag}).status == 200
    assert mine.get(path, {"If-None-Match": first.etag}).status == 200
    assert mine.get(path, {**wanted, "If-Match": first.etag}).status == 200
    assert mine.get(path, {**wanted, "If-Match": '"other"'}).status == 412
    mine.put(path, event(summary="Changed"))
    assert mine.get(path, wanted).etag != first.etag


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_who_read_an_item_in_another_form_may_write_while_it_is_the_same(
    mine: Dav, shared: Server, calendar: str, method: str
) -> None:
    path = calendar + "a.ics"
    mine.put(path, event())
    read = mine.get(path, {"Accept": JCAL})
    mine.put(path, event(summary="By another"))
    body = read.body if method == "PUT" else None
    with unchanged(shared):
        stale = mine.request(method, path, body, {"Content-Type": JCAL, "If-Match": read.etag})
    assert stale.status == 412
    read = mine.get(path, {"Accept": JCAL})
    assert mine.request(method, path, body, {"Content-Type": JCAL, "If-Match": read.etag}).status == 204


VERSIONS = [
    # Accept, version of the stored card, version that comes
    ("text/vcard", "3.0", "3.0"),
    ("text/vcard", "4.0", "4.0"),
    ("text/x-vcard", "4.0", "4.0"),
    ("text/vcard;version=4.0, text/vcard;version=3.0", "3.0", "3.0"),
    ("text/vcard; version=4.0", "3.0", "4.0"),
    ("text/vcard; version=3.0", "4.0", "3.0"),
    ("text/vcard; version=3.0", "3.0", "3.0"),
    ("text/vcard;version=4.0;q=0.2, text/vcard", "4.0", "3.0"),
    ('text/vcard; version="4.0", */*;q=0.1', "3.0", "4.0"),
    ("text/html", "4.0", "4.0"),
]


@pytest.mark.rfc("6352", "5.1.1")
@pytest.mark.parametrize(("accept", "stored", "sent"), VERSIONS)
def test_a_card_comes_in_the_version_that_accept_names(
    mine: Dav, book: str, accept: str, stored: str, sent: str
) -> None:
    body = card("c", "Ada", PICTURE_3 if stored == "3.0" else PICTURE_4, version=stored)
    first = mine.put(book + "c.vcf", body)
    reply = mine.get(book + "c.vcf", {"Accept": accept})
    assert reply.status == 200
    assert (reply.etag == first.etag, reply.body == body.encode()) == (stored == sent, stored == sent)
    assert f"\r\nVERSION:{sent}\r\n" in reply.text
    assert ("data:image/jpeg;base64,/9j/4AAQ" in reply.text) is (sent == "4.0")
    assert mine.get(book + "c.vcf").body == body.encode()


@pytest.mark.rfc("7095", "7")
@pytest.mark.parametrize("version", ["3.0", "4.0"])
@pytest.mark.parametrize("accept", [JCARD, f"{JCARD}; version=4.0"])
def test_a_card_is_sent_as_jcard(mine: Dav, book: str, version: str, accept: str) -> None:
    mine.put(book + "c.vcf", card("c", "Ada Lovelace", "item1.EMAIL;TYPE=WORK:a@example.org", version=version))
    reply = mine.get(book + "c.vcf", {"Accept": accept})
    assert (reply.status, reply.headers["content-type"]) == (200, JCARD)
    assert json.loads(reply.body) == [
        "vcard",
        [
            ["version", {}, "text", "4.0"],
            ["uid", {}, "uri", "c"],
            ["fn", {}, "text", "Ada Lovelace"],
            ["n", {}, "text", ["Lovelace", "", "", "", ""]],
            ["email", {"group": "item1", "type": "WORK"}, "text", "a@example.org"],
        ],
    ]


@pytest.mark.rfc("6352", "5.1.1.1")
@pytest.mark.parametrize("accept", ["text/vcard;version=2.1", "application/vcard+xml", f"{JCARD};version=3.0"])
def test_who_wants_cards_in_no_form_but_one_that_is_not_offered_is_told_so(mine: Dav, book: str, accept: str) -> None:
    mine.put(book + "c.vcf", card())
    for path in (book + "c.vcf", book):
        reply = mine.get(path, {"Accept": accept})
        assert (reply.status, reply.condition) == (406, CARDDAV.supported_address_data_conversion)


@pytest.mark.rfc("6352", "5.1.1.1")
def test_a_card_on_disk_that_cannot_be_converted_is_sent_as_it_is_only(mine: Dav, shared: Server, book: str) -> None:
    mine.put(book + "c.vcf", card())
    [file] = [path for path in shared.data.rglob("c.vcf") if book.strip("/").split("/")[-1] in path.parts]
    file.write_text(card(version="2.1"))
    assert "VERSION:2.1" in mine.get(book + "c.vcf").text
    reply = mine.get(book + "c.vcf", {"Accept": "text/vcard;version=4.0"})
    assert (reply.status, reply.condition) == (406, CARDDAV.supported_address_data_conversion)
    asked = multiget(book + "c.vcf", kind="CR:addressbook", data='<CR:address-data version="4.0"/>')
    row = mine.report(book, asked).multistatus()[book + "c.vcf"]
    assert (row.status, row.condition) == (415, CARDDAV.supported_address_data_conversion)
    asked = multiget(book + "c.vcf", kind="CR:addressbook", data="<CR:address-data/>")
    assert "VERSION:2.1" in (mine.report(book, asked).multistatus()[book + "c.vcf"].text(CARDDAV.address_data) or "")


@pytest.mark.rfc("4791", "9.6")
def test_a_calendar_object_on_disk_that_cannot_be_read_is_sent_as_it_is_only(
    mine: Dav, shared: Server, calendar: str
) -> None:
    mine.put(calendar + "a.ics", event("a"))
    mine.put(calendar + "b.ics", event("b"))
    [file] = [path for path in shared.data.rglob("a.ics") if calendar.strip("/").split("/")[-1] in path.parts]
    file.write_text("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:a\r\n")
    assert mine.get(calendar + "a.ics").status == 200
    assert mine.get(calendar + "a.ics", {"Accept": JCAL}).status == 406
    data = f'<C:calendar-data content-type="{JCAL}"/>'
    rows = mine.report(calendar, multiget(calendar + "a.ics", calendar + "b.ics", data=data)).multistatus()
    assert (rows[calendar + "a.ics"].status, rows[calendar + "a.ics"].condition) == (
        415,
        CALDAV.supported_calendar_data,
    )
    assert rows[calendar + "b.ics"].text(CALDAV.calendar_data)
    assert len(json.loads(mine.get(calendar, {"Accept": JCAL}).body)[2]) == 1


def test_an_item_that_was_edited_on_disk_is_converted_as_it_is_now(mine: Dav, shared: Server, calendar: str) -> None:
    mine.put(calendar + "a.ics", event("a", "Before"))
    [file] = [path for path in shared.data.rglob("a.ics") if calendar.strip("/").split("/")[-1] in path.parts]
    file.write_text(event("a", "By hand, afterwards"))
    found = json.loads(mine.get(calendar + "a.ics", {"Accept": JCAL}).body)
    assert ["summary", {}, "text", "By hand, afterwards"] in found[2][0][1]


def test_who_may_not_read_an_item_reads_it_in_no_form(mine: Dav, shared: Server) -> None:
    path = "/dav/alice/drop/"
    if mine.propfind(path, DAV.getetag).status == 404:
        assert mine.mkcalendar(path).status == 201
    mine.put(path + "a.ics", event("a"))
    carol = shared.client("carol")  # she may create items there
    for name in (path, path + "a.ics"):
        plain = carol.get(name)
        reply = carol.get(name, {"Accept": JCAL})
        assert plain.status in (403, 404)
        assert (reply.status, reply.body) == (plain.status, plain.body)


def test_the_title_of_a_calendar_stands_in_its_json_as_in_its_text(mine: Dav, calendar: str) -> None:
    mine.proppatch(calendar, {DAV.displayname: "a,b"})
    assert ["x-wr-calname", {}, "unknown", "a\\,b"] in json.loads(mine.get(calendar, {"Accept": JCAL}).body)[1]
    assert "X-WR-CALNAME:a\\,b\r\n" in mine.get(calendar).text


@pytest.mark.rfc("7265", "3.2")
def test_a_whole_calendar_is_one_jcal_object_with_each_zone_once(mine: Dav, calendar: str) -> None:
    zone = ("BEGIN:VTIMEZONE", "TZID:Here", "BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETFROM:+0100",
            "TZOFFSETTO:+0100", "END:STANDARD", "END:VTIMEZONE")  # fmt: skip
    for uid in ("a", "b"):
        lines = (
            "BEGIN:VEVENT",
            f"UID:{uid}",
            "DTSTAMP:20260101T000000Z",
            "DTSTART;TZID=Here:20270105T100000",
            "END:VEVENT",
        )
        assert mine.put(f"{calendar}{uid}.ics", in_calendar(*zone, *lines)).status == 201
    assert mine.put(calendar + "t.ics", task()).status == 201
    reply = mine.get(calendar, {"Accept": JCAL})
    assert (reply.headers["content-type"], reply.headers["vary"]) == (JCAL, VARY)
    assert reply.headers["content-disposition"].endswith('.json"')
    [name, properties, components] = json.loads(reply.body)
    assert (name, ["version", {}, "text", "2.0"] in properties) == ("vcalendar", True)
    assert sorted(each[0] for each in components) == ["vevent", "vevent", "vtimezone", "vtodo"]
    assert mine.get(calendar).text.startswith("BEGIN:VCALENDAR")


def test_an_empty_calendar_or_book_is_json_too(mine: Dav, calendar: str, book: str) -> None:
    assert json.loads(mine.get(calendar, {"Accept": JCAL}).body)[2] == []
    assert json.loads(mine.get(book, {"Accept": JCARD}).body) == []


@pytest.mark.rfc("7095", "3.2")
def test_a_whole_address_book_comes_in_the_form_that_is_asked(mine: Dav, book: str) -> None:
    mine.put(book + "a.vcf", card("a", "Ada", version="3.0"))
    mine.put(book + "b.vcf", card("b", "Bob", version="4.0"))
    assert [each[1][0] for each in json.loads(mine.get(book, {"Accept": JCARD}).body)] == [
        ["version", {}, "text", "4.0"]
    ] * 2
    assert mine.get(book, {"Accept": "text/vcard;version=3.0"}).text.count("VERSION:3.0") == 2
    assert mine.get(book, {"Accept": "text/vcard;version=4.0"}).text.count("VERSION:4.0") == 2
    assert mine.get(book).text == card("a", "Ada") + card("b", "Bob", version="4.0")


# -- reports ---------------------------------------------------------------------------------------------------------


def data_in(reply_rows: dict[str, object], path: str, name: str) -> tuple[dict[str, str], str]:
    element = reply_rows[path].props[name]  # type: ignore[attr-defined]
    return dict(element.attrib), element.text or ""


@pytest.mark.rfc("4791", "9.6")
@pytest.mark.rfc("7265", "7")
@pytest.mark.parametrize("attributes", [f'content-type="{JCAL}"', f'content-type="{JCAL}" version="2.0"'])
def test_every_report_gives_calendar_data_as_jcal(mine: Dav, calendar: str, attributes: str) -> None:
    path, data = calendar + "a.ics", f"<C:calendar-data {attributes}/>"
    mine.put(path, event(summary="<&>"))
    for body in (
        multiget(path, data=data),
        query('<C:comp-filter name="VEVENT"/>', data),
        sync(props="<D:getetag/>" + data),
    ):
        said, text = data_in(mine.report(calendar, body, depth="1").multistatus(), path, CALDAV.calendar_data)  # type: ignore[arg-type]
        assert said == {"content-type": JCAL, "version": "2.0"}
        assert ["summary", {}, "text", "<&>"] in json.loads(text)[2][0][1]


@pytest.mark.rfc("4791", "9.6.5")
def test_jcal_comes_expanded_limited_and_in_part(mine: Dav, calendar: str) -> None:
    path = calendar + "a.ics"
    mine.put(path, event("a", "Weekly", "RRULE:FREQ=WEEKLY;COUNT=4", start="20270105T100000Z"))
    week = 'start="20270112T000000Z" end="20270113T000000Z"'
    expanded = f'<C:calendar-data content-type="{JCAL}"><C:expand {week}/></C:calendar-data>'
    rows = mine.report(calendar, multiget(path, data=expanded)).multistatus()
    [[_, properties, _]] = json.loads(rows[path].text(CALDAV.calendar_data) or "")[2]
    assert ["recurrence-id", {}, "date-time", "2027-01-12T10:00:00Z"] in properties
    part = '<C:comp name="VCALENDAR"><C:comp name="VEVENT"><C:prop name="SUMMARY"/></C:comp></C:comp>'
    data = f'<C:calendar-data content-type="{JCAL}">{part}</C:calendar-data>'
    rows = mine.report(calendar, multiget(path, data=data)).multistatus()
    assert json.loads(rows[path].text(CALDAV.calendar_data) or "") == [
        "vcalendar",
        [],
        [["vevent", [["summary", {}, "text", "Weekly"]], []]],
    ]


@pytest.mark.rfc("6352", "10.4")
@pytest.mark.parametrize(
    ("attributes", "version", "said"),
    [
        # an attribute that is not sent has its default: version 3.0, which Apple's clients mean
        ("", "3.0", {}),
        ('content-type="text/vcard"', "3.0", {"content-type": "text/vcard", "version": "3.0"}),
        ('version="3.0"', "3.0", {"content-type": "text/vcard", "version": "3.0"}),
        ('content-type="text/vcard" version="4.0"', "4.0", {"content-type": "text/vcard", "version": "4.0"}),
        (
            'content-type="text/vcard; charset=utf-8" version="4.0"',
            "4.0",
            {"content-type": "text/vcard", "version": "4.0"},
        ),
    ],
)
@pytest.mark.parametrize("stored", ["3.0", "4.0"])
def test_every_report_gives_cards_in_the_version_that_is_asked(
    mine: Dav, book: str, attributes: str, version: str, said: dict[str, str], stored: str
) -> None:
    path, data = book + "c.vcf", f"<CR:address-data {attributes}/>"
    body = card("c", "Ada", PICTURE_3 if stored == "3.0" else PICTURE_4, version=stored)
    etag = mine.put(path, body).etag
    asked = card_query("").replace("<D:getetag/>", "<D:getetag/>" + data)
    for report in (multiget(path, kind="CR:addressbook", data=data), asked, sync(props="<D:getetag/>" + data)):
        rows = mine.report(book, report, depth="1").multistatus()
        attributes_sent, text = data_in(rows, path, CARDDAV.address_data)  # type: ignore[arg-type]
        assert attributes_sent == said
        assert rows[path].text(DAV.getetag) == etag
        assert f"VERSION:{version}\r\n" in text
        assert (text == body) is (stored == version)
        assert ("data:image/jpeg" in text) is (version == "4.0")


@pytest.mark.rfc("6352", "10.4")
@pytest.mark.parametrize("attributes", [f'content-type="{JCARD}"', f'content-type="{JCARD}" version="4.0"'])
def test_a_part_of_a_card_comes_as_jcard(mine: Dav, book: str, attributes: str) -> None:
    path = book + "c.vcf"
    mine.put(path, card("c", "Ada", "item1.BDAY:1985-04-12", "NOTE:x"))
    inner = '<CR:prop name="BDAY"/><CR:prop name="NOTE" novalue="yes"/>'
    data = f"<CR:address-data {attributes}>{inner}</CR:address-data>"
    rows = mine.report(book, multiget(path, kind="CR:addressbook", data=data)).multistatus()
    assert json.loads(rows[path].text(CARDDAV.address_data) or "") == [
        "vcard",
        [["bday", {"group": "item1"}, "date-and-or-time", "1985-04-12"], ["note", {}, "text", ""]],
    ]


@pytest.mark.rfc("6352", "8.6")
@pytest.mark.rfc("6352", "8.7")
@pytest.mark.parametrize(
    "attributes",
    [
        'version="2.1"',
        f'content-type="{JCARD}" version="3.0"',
        'content-type="application/vcard+xml"',
        'content-type=""',
    ],
)
def test_address_data_that_is_not_offered_is_refused_by_name(mine: Dav, book: str, attributes: str) -> None:
    data = f"<CR:address-data {attributes}/>"
    asked = card_query("").replace("<D:getetag/>", data)
    for report in (multiget(book + "c.vcf", kind="CR:addressbook", data=data), asked, sync(props=data)):
        reply = mine.report(book, report, depth="1")
        assert (reply.status, reply.condition) == (403, CARDDAV.supported_address_data)


@pytest.mark.rfc("4791", "5.2.4")
def test_a_calendar_says_which_forms_it_has(mine: Dav, calendar: str) -> None:
    rows = mine.propfind(calendar, CALDAV.supported_calendar_data).multistatus()
    listed = [
        (element.get("content-type"), element.get("version"))
        for element in rows[calendar].props[CALDAV.supported_calendar_data]
    ]
    assert listed == [("text/calendar", "2.0"), (JCAL, "2.0")]


@pytest.mark.rfc("6352", "5.1.1")
def test_a_picture_and_a_group_go_from_client_to_client_in_the_words_of_each(mine: Dav, book: str) -> None:
    apple = multiget(book + "g", kind="CR:addressbook", data="<CR:address-data/>")
    davx5 = multiget(
        book + "g", kind="CR:addressbook", data='<CR:address-data content-type="text/vcard" version="4.0"/>'
    )

    def seen(body: str) -> list[str]:
        row = mine.report(book, body).multistatus()[book + "g"]
        return (row.text(CARDDAV.address_data) or "").split("\r\n")

    made = card("g", "Board", "KIND:group", "MEMBER:urn:uuid:1", PICTURE_4, version="4.0")
    etag = mine.put(book + "g", made, {"Content-Type": "text/vcard;version=4.0"}).etag
    found = seen(apple)
    assert {"X-ADDRESSBOOKSERVER-KIND:group", "X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:1"} <= set(found)
    assert "PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQ" in found
    edited = "\r\n".join(found).replace("urn:uuid:1", "urn:uuid:2")
    assert mine.put(book + "g", edited, {"If-Match": etag}).status == 204
    assert mine.get(book + "g").text == edited
    assert set(seen(davx5)) == set(made.replace("urn:uuid:1", "urn:uuid:2").split("\r\n"))


# -- PUT -------------------------------------------------------------------------------------------------------------


@pytest.mark.rfc("4791", "5.3.4")
@pytest.mark.rfc("7265", "7")
def test_jcal_is_stored_as_text_and_its_sender_learns_no_etag(mine: Dav, calendar: str) -> None:
    path = calendar + "a.ics"
    mine.put(path, event("u", "é, or not", "ATTENDEE;CN=^'A^':mailto:a@example.org", "RRULE:FREQ=DAILY;COUNT=2"))
    sent, text = mine.get(path, {"Accept": JCAL}).body, mine.get(path).text
    mine.delete(path)
    reply = mine.put(path, sent, {"Content-Type": f"{JCAL}; charset=utf-8", "If-None-Match": "*"})
    assert (reply.status, "etag" in reply.headers) == (201, False)
    assert mine.get(path).text.replace("\r\n ", "") == text.replace("é, or", "é\\, or")
    assert mine.get(path, {"Accept": JCAL}).body == sent
    during = (
        '<C:comp-filter name="VEVENT"><C:time-range start="20270106T000000Z" end="20270107T000000Z"/></C:comp-filter>'
    )
    assert list(mine.report(calendar, query(during), depth="1").multistatus()) == [path]
    assert mine.put(path, sent, {"Content-Type": JCAL, "If-None-Match": "*"}).status == 412


@pytest.mark.rfc("7095", "7")
def test_jcard_is_stored_as_vcard_4(mine: Dav, book: str) -> None:
    said = ["vcard", [["version", {}, "text", "4.0"], ["fn", {}, "text", "Ada"], ["uid", {}, "uri", "urn:uuid:1"],
                      ["email", {"group": "work", "pref": "1"}, "text", "a@example.org"]]]  # fmt: skip
    reply = mine.put(book + "c", json.dumps(said), {"Content-Type": JCARD})
    assert (reply.status, "etag" in reply.headers) == (201, False)
    assert mine.get(book + "c").text == (
        "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Ada\r\nUID:urn:uuid:1\r\nWORK.EMAIL;PREF=1:a@example.org\r\nEND:VCARD\r\n"
    )


def jcal_of(*properties: object, inner: str = "vevent") -> str:
    components = [[inner, [["dtstamp", {}, "date-time", "2026-01-01T00:00:00Z"], *properties], []]]
    return json.dumps(["vcalendar", [["version", {}, "text", "2.0"], ["prodid", {}, "text", "x"]], components])


UID, START = ["uid", {}, "text", "u"], ["dtstart", {}, "date", "2027-01-05"]
REFUSED = [
    ("{", CALDAV.valid_calendar_data),
    ("[]", CALDAV.valid_calendar_data),
    (event(), CALDAV.valid_calendar_data),
    (jcal_of(UID, ["dtstart", {}, "date", "2027-02-30"]), CALDAV.valid_calendar_data),
    (jcal_of(UID, START, ["x-a", {}, "unknown", "b\r\nEND:VEVENT"]), CALDAV.valid_calendar_data),
    (jcal_of(UID, START, ["end", {}, "text", "VEVENT"]), CALDAV.valid_calendar_data),
    (jcal_of(START), CALDAV.valid_calendar_object_resource),
    (jcal_of(UID, inner="vfreebusy"), CALDAV.supported_calendar_component),
    (f"[{jcal_of(UID, START)},{jcal_of(UID, START)}]", CALDAV.valid_calendar_object_resource),
    (jcal_of(UID, START, ["summary", {}, "text", "x" * 1_100_000]), CALDAV.max_resource_size),
    ("[" * 50_000, CALDAV.valid_calendar_data),
]


@pytest.mark.rfc("4791", "5.3.2.1")
@pytest.mark.parametrize(("body", "condition"), REFUSED, ids=[body[:60] for body, _ in REFUSED])
def test_jcal_that_is_no_calendar_object_is_refused_and_nothing_is_stored(
    mine: Dav, shared: Server, calendar: str, body: str, condition: str
) -> None:
    with unchanged(shared):
        reply = mine.put(calendar + "a.ics", body, {"Content-Type": JCAL})
    assert (reply.status, reply.condition) == (403, condition)


@pytest.mark.rfc("6352", "6.3.2.1")
@pytest.mark.parametrize(
    ("body", "media", "condition"),
    [
        ("{", JCARD, CARDDAV.valid_address_data),
        ('["vcard",[["version",{},"text","4.0"]]]', JCARD, CARDDAV.valid_address_data),
        ('["vcard",[["version",{},"text","2.1"],["fn",{},"text","A"]]]', JCARD, CARDDAV.supported_address_data),
        (jcal_of(UID, START), JCAL, CARDDAV.supported_address_data),
        (card(), "application/vcard+xml", CARDDAV.supported_address_data),
    ],
)
def test_jcard_that_is_no_card_is_refused_and_nothing_is_stored(
    mine: Dav, shared: Server, book: str, body: str, media: str, condition: str
) -> None:
    with unchanged(shared):
        reply = mine.put(book + "a.vcf", body, {"Content-Type": media})
    assert (reply.status, reply.condition) == (403, condition)


@pytest.mark.rfc("6352", "6.3.2.1")
def test_a_uid_that_another_card_has_is_refused_in_any_form(mine: Dav, shared: Server, book: str) -> None:
    mine.put(book + "a.vcf", card("a", version="4.0"))
    sent = mine.get(book + "a.vcf", {"Accept": JCARD}).body
    with unchanged(shared):
        reply = mine.put(book + "b.vcf", sent, {"Content-Type": JCARD})
    assert (reply.status, reply.condition, reply.hrefs) == (403, CARDDAV.no_uid_conflict, [book + "a.vcf"])


def test_a_file_of_json_that_would_not_fit_into_memory_is_not_read(mine: Dav, shared: Server, calendar: str) -> None:
    with unchanged(shared):
        assert mine.put(calendar, b"[" + b" " * (32 << 20), {"Content-Type": JCAL}).status == 413
        assert mine.put(calendar, b"[" * (1 << 21), {"Content-Type": JCAL}).condition == CALDAV.valid_calendar_data


def test_a_file_of_many_items_may_be_json(mine: Dav, book: str, calendar: str) -> None:
    cards = [
        ["vcard", [["version", {}, "text", "4.0"], ["fn", {}, "text", uid], ["uid", {}, "uri", uid]]] for uid in "ab"
    ]
    assert mine.put(book, json.dumps(cards), {"Content-Type": JCARD}).status == 200
    assert sorted(mine.propfind(book, DAV.getetag, depth="1").multistatus()) == [book, book + "a.vcf", book + "b.vcf"]
    whole = mine.get(book, {"Accept": JCARD}).body
    new = book.rstrip("/") + "-copy/"
    assert mine.put(new, whole, {"Content-Type": JCARD}).status == 201
    assert mine.get(new, {"Accept": JCARD}).body == whole
    mine.put(calendar + "a.ics", event())
    whole = mine.get(calendar, {"Accept": JCAL}).body
    assert mine.put(calendar, whole, {"Content-Type": JCAL}).status == 200
