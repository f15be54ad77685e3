"""Storing, reading and removing calendar objects and cards."""

from __future__ import annotations

import pytest

from davserver.dav.names import CALDAV, CARDDAV, DAV
from tests.harness import Dav, Server, quote_path
from tests.pim.samples import calendar as in_calendar
from tests.pim.samples import card, event, journal, mkcalendar, task


@pytest.mark.rfc("4791", "5.3.2")
@pytest.mark.rfc("4791", "5.3.4")
@pytest.mark.parametrize(
    "body",
    [
        event(),
        event("a,b", "Comma, unescaped", "X-NOTE:one, two\\; three"),
        event("lf", "Lines end with LF").replace("\r\n", "\n"),
        event("period", "RDATE with periods", "RDATE;VALUE=PERIOD:20270106T100000Z/PT2H"),
        event("rscale", "Another calendar", "RRULE:RSCALE=CHINESE;FREQ=YEARLY"),
        in_calendar(
            "BEGIN:VEVENT",
            "UID:only-one",
            "DTSTAMP:20260101T000000Z",
            "RECURRENCE-ID:20270105T100000Z",
            "DTSTART:20270105T110000Z",
            "END:VEVENT",
        ),
        journal(),
        task("t", "A task", "RELATED-TO;RELTYPE=PARENT:other", "X-APPLE-SORT-ORDER:5"),
    ],
)
def test_what_comes_back_is_byte_for_byte_what_was_put(mine: Dav, calendar: str, body: str) -> None:
    stored = mine.put(calendar + "a.ics", body, {"If-None-Match": "*", "Content-Type": "text/calendar"})
    assert stored.status == 201
    read = mine.get(calendar + "a.ics")
    assert read.body == body.encode()
    assert read.etag == stored.etag
    assert read.headers["content-type"].startswith("text/calendar; charset=utf-8")


@pytest.mark.rfc("6352", "6.3.2")
@pytest.mark.parametrize("version", ["3.0", "4.0"])
def test_a_card_is_stored_without_suffix_and_with_any_media_type_clients_send(
    mine: Dav, book: str, version: str
) -> None:
    body = card("c1", "Ada Lovelace", "PHOTO;ENCODING=b;TYPE=JPEG:AAAA", version=version)
    stored = mine.put(book + "5f3c", body, {"Content-Type": "text/vcard; charset=utf-8"})
    assert stored.status == 201
    assert mine.get(book + "5f3c").body == body.encode()


def test_a_card_without_uid_is_given_one_and_the_answer_has_no_etag(mine: Dav, book: str) -> None:
    stored = mine.put(book + "a.vcf", card(None))
    assert stored.status == 201
    assert "etag" not in stored.headers
    first = mine.get(book + "a.vcf").text
    assert "\r\nUID:" in first
    assert mine.put(book + "a.vcf", card(None, "Ada King")).status == 204
    uid = next(line for line in first.splitlines() if line.startswith("UID:"))
    assert uid in mine.get(book + "a.vcf").text


@pytest.mark.rfc("4918", "9.7.1")
def test_a_replaced_item_has_another_etag(mine: Dav, calendar: str) -> None:
    first = mine.put(calendar + "a.ics", event())
    second = mine.put(calendar + "a.ics", event(summary="Changed"), {"If-Match": first.etag})
    assert (second.status, second.etag != first.etag) == (204, True)


@pytest.mark.parametrize(
    "headers", [{"If-Match": '"other"'}, {"If-None-Match": "*"}, {"If": '(["other"])'}, {"If": "(<urn:uuid:1>)"}]
)
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_condition_that_does_not_hold_is_412_and_changes_nothing(
    mine: Dav, shared: Server, calendar: str, headers: dict[str, str], method: str
) -> None:
    mine.put(calendar + "a.ics", event())
    before = shared.tree()
    reply = mine.request(method, calendar + "a.ics", event(summary="Stale") if method == "PUT" else None, headers)
    assert reply.status == 412
    assert shared.tree() == before


def test_if_match_on_what_does_not_exist_is_412(mine: Dav, shared: Server, calendar: str) -> None:
    before = shared.tree()
    assert mine.put(calendar + "a.ics", event(), {"If-Match": "*"}).status == 412
    assert shared.tree() == before


def test_reading_with_a_known_etag_is_304(mine: Dav, calendar: str) -> None:
    stored = mine.put(calendar + "a.ics", event())
    reply = mine.get(calendar + "a.ics", {"If-None-Match": stored.etag})
    assert (reply.status, reply.body, reply.etag) == (304, b"", stored.etag)
    assert mine.head(calendar + "a.ics").headers["content-length"] == str(len(event().encode()))


REFUSALS = [
    # body, media type, condition in a calendar that holds events and tasks
    ("not a calendar", "text/calendar", CALDAV.valid_calendar_data),
    ("", "text/calendar", CALDAV.valid_calendar_data),
    ("{}", "application/json", CALDAV.supported_calendar_data),
    (event().replace("UID:u1\r\n", ""), "text/calendar", CALDAV.valid_calendar_object_resource),
    (event().replace("VERSION:2.0", "VERSION:2.0\r\nMETHOD:REQUEST"), None, CALDAV.valid_calendar_object_resource),
    (
        in_calendar(
            *(
                line
                for uid in ("one", "two")
                for line in ("BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z", "DTSTART:20270101", "END:VEVENT")
            )
        ),
        None,
        CALDAV.valid_calendar_object_resource,
    ),
    (journal(), None, CALDAV.supported_calendar_component),
    (event("big", "x" * 1_100_000), None, CALDAV.max_resource_size),
    (card(), "text/vcard", CALDAV.supported_calendar_data),
]


@pytest.mark.rfc("4791", "5.3.2.1")
@pytest.mark.parametrize(("body", "media", "condition"), REFUSALS)
def test_what_is_no_calendar_object_is_refused_and_nothing_is_stored(
    mine: Dav, shared: Server, body: str, media: str | None, condition: str
) -> None:
    path = "/dav/alice/strict/"
    if mine.propfind(path, DAV.getetag).status == 404:
        components = '<C:supported-calendar-component-set><C:comp name="VEVENT"/><C:comp name="VTODO"/>'
        assert mine.mkcalendar(path, mkcalendar(components + "</C:supported-calendar-component-set>")).status == 201
    before = shared.tree()
    reply = mine.put(path + "x.ics", body, {"Content-Type": media} if media else {})
    assert (reply.status, reply.condition) == (403, condition)
    assert shared.tree() == before


@pytest.mark.rfc("6352", "6.3.2.1")
@pytest.mark.parametrize(
    ("body", "media", "condition"),
    [
        ("not a card", "text/vcard", CARDDAV.valid_address_data),
        (card() + card("c2"), "text/vcard", CARDDAV.valid_address_data),
        ("<html/>", "text/html", CARDDAV.supported_address_data),
        (card("big", "x" * 5_300_000), "text/vcard", CARDDAV.max_resource_size),
    ],
)
def test_what_is_no_card_is_refused_and_nothing_is_stored(
    mine: Dav, shared: Server, book: str, body: str, media: str, condition: str
) -> None:
    before = shared.tree()
    reply = mine.put(book + "x.vcf", body, {"Content-Type": media})
    assert (reply.status, reply.condition) == (403, condition)
    assert shared.tree() == before


@pytest.mark.rfc("4791", "5.3.2.1")
def test_a_second_item_with_the_same_uid_is_refused_and_the_holder_is_named(mine: Dav, calendar: str) -> None:
    mine.put(calendar + "a.ics", event())
    reply = mine.put(calendar + "b.ics", event())
    assert (reply.status, reply.condition, reply.hrefs) == (403, CALDAV.no_uid_conflict, [calendar + "a.ics"])
    assert mine.get(calendar + "b.ics").status == 404


@pytest.mark.rfc("4791", "5.3.2.1")
def test_an_item_is_not_replaced_by_one_with_another_uid(mine: Dav, calendar: str) -> None:
    mine.put(calendar + "a.ics", event())
    reply = mine.put(calendar + "a.ics", event("u2"))
    assert (reply.status, reply.condition) == (403, CALDAV.no_uid_conflict)
    assert "UID:u1" in mine.get(calendar + "a.ics").text


@pytest.mark.rfc("6352", "6.3.2.1")
def test_a_second_card_with_the_same_uid_is_refused_and_the_holder_is_named(mine: Dav, book: str) -> None:
    mine.put(book + "a.vcf", card())
    reply = mine.put(book + "b.vcf", card())
    assert (reply.status, reply.condition, reply.hrefs) == (403, CARDDAV.no_uid_conflict, [book + "a.vcf"])


@pytest.mark.rfc("4918", "9.7.1")
def test_an_item_in_a_collection_that_does_not_exist_is_409(mine: Dav, shared: Server) -> None:
    before = shared.tree()
    assert mine.put("/dav/alice/nowhere/a.ics", event()).status == 409
    assert shared.tree() == before


@pytest.mark.parametrize("path", ["/dav/", "/dav/alice/", "/dav/alice/loose.ics"])
def test_items_are_stored_in_collections_only(mine: Dav, shared: Server, path: str) -> None:
    before = shared.tree()
    assert mine.put(path, event()).status == 403
    assert shared.tree() == before


@pytest.mark.parametrize(
    "name",
    [".Radicale.props", ".RADICALE.PROPS", ".state.jsonl", ".State.JSONL", ".access.toml", ".davserver-scratch-1"],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PROPFIND", "MOVE"])
def test_the_server_s_own_files_are_out_of_reach(
    mine: Dav, shared: Server, calendar: str, name: str, method: str
) -> None:
    mine.put(calendar + "a.ics", event())
    before = shared.tree()
    headers = {"Destination": calendar + "b.ics", "Depth": "0"} if method in ("MOVE", "PROPFIND") else {}
    assert mine.request(method, calendar + name, event("own") if method == "PUT" else None, headers).status in (
        403,
        404,
    )
    if method == "MOVE":
        assert mine.move(calendar + "a.ics", calendar + name).status == 403
    assert shared.tree() == before


@pytest.mark.parametrize("name", ["a b.ics", "ü%20.ics", "кот@example.org.ics", "a\u0308.ics", "line:1;2,3.ics"])
def test_any_name_is_found_again_by_the_href_that_is_listed(mine: Dav, calendar: str, name: str) -> None:
    assert mine.put(calendar + name, event()).status == 201
    rows = mine.propfind(calendar, DAV.getetag, depth="1").multistatus()
    href = next(href for href in rows if href != calendar)
    assert mine.get("", {}).status != 500
    assert mine.request("GET", target=quote_path(href)).status == 200


@pytest.mark.rfc("4918", "9.6")
def test_a_deleted_item_goes_to_the_trash(club: Server) -> None:
    alice = club.client("alice")
    alice.put("/dav/alice/calendar/a.ics", event())
    assert alice.delete("/dav/alice/calendar/a.ics", {"Content-Type": "text/xml"}).status == 204
    assert alice.get("/dav/alice/calendar/a.ics").status == 404
    assert event().encode() in club.tree().values()


@pytest.mark.rfc("4918", "9.9")
def test_an_item_moves_within_and_between_collections_with_its_properties(mine: Dav, calendar: str, book: str) -> None:
    mine.mkcalendar(calendar.rstrip("/") + "-b/")
    target = calendar.rstrip("/") + "-b/"
    etag = mine.put(calendar + "a.ics", event()).etag
    mine.proppatch(calendar + "a.ics", {"{urn:x}note": "kept"})
    assert mine.move(calendar + "a.ics", calendar + "b.ics").status == 201
    assert mine.move(calendar + "b.ics", target + "c.ics", headers={"If-Match": etag}).status == 201
    row = mine.propfind(target + "c.ics", DAV.getetag, "{urn:x}note").multistatus()[target + "c.ics"]
    assert (row.text(DAV.getetag), row.text("{urn:x}note")) == (etag, "kept")
    assert mine.get(calendar + "a.ics").status == mine.get(calendar + "b.ics").status == 404


@pytest.mark.rfc("4918", "9.9.4")
def test_moving_onto_itself_or_over_what_must_stay_changes_nothing(mine: Dav, shared: Server, calendar: str) -> None:
    mine.put(calendar + "a.ics", event())
    mine.put(calendar + "b.ics", event("u2"))
    before = shared.tree()
    assert mine.move(calendar + "a.ics", calendar + "a.ics").status == 403
    assert mine.move(calendar + "a.ics", calendar + "b.ics", overwrite=False).status == 412
    assert mine.move(calendar + "a.ics", calendar + "b.ics").condition == CALDAV.no_uid_conflict
    assert mine.move(calendar + "a.ics", "/dav/alice/nowhere/a.ics").status == 409
    assert mine.move(calendar + "a.ics", "/files/Public/a.ics").status == 403
    assert mine.move(calendar + "a.ics", calendar).status == 403
    assert mine.move(calendar + "a.ics", calendar + "c.ics", headers={"If-Match": '"x"'}).status == 412
    assert shared.tree() == before


@pytest.mark.rfc("4791", "5.3.2.1")
def test_a_copy_within_a_calendar_would_double_the_uid_and_is_refused(
    mine: Dav, shared: Server, calendar: str, book: str
) -> None:
    mine.put(calendar + "a.ics", event())
    before = shared.tree()
    reply = mine.copy(calendar + "a.ics", calendar + "b.ics")
    assert (reply.status, reply.condition, reply.hrefs) == (403, CALDAV.no_uid_conflict, [calendar + "a.ics"])
    assert mine.copy(calendar + "a.ics", book + "a.vcf").condition == CARDDAV.supported_address_data
    assert shared.tree() == before


@pytest.mark.rfc("4918", "9.8")
def test_a_copy_in_another_calendar_is_an_item_of_its_own(mine: Dav, calendar: str) -> None:
    mine.put(calendar + "a.ics", event())
    other = calendar.rstrip("/") + "-copy/"
    mine.mkcalendar(other)
    assert mine.copy(calendar + "a.ics", other + "a.ics").status == 201
    assert mine.copy(calendar + "a.ics", other + "a.ics").status == 204
    mine.put(other + "a.ics", event(summary="Changed"))
    assert "Meeting" in mine.get(calendar + "a.ics").text


def test_a_file_of_many_items_adds_and_updates_and_never_removes(mine: Dav, calendar: str) -> None:
    mine.put(calendar + "kept.ics", event("kept"))
    mine.put(calendar + "old-name.ics", event("changed", "Before"))
    many = in_calendar(
        *(
            line
            for uid, summary in (("changed", "After"), ("new", "New"))
            for line in event(uid, summary).split("\r\n")[3:-2]
        )
    )
    assert mine.put(calendar, many, {"Content-Type": "text/calendar"}).status == 200
    names = set(mine.propfind(calendar, DAV.getetag, depth="1").multistatus())
    assert names == {calendar, calendar + "kept.ics", calendar + "old-name.ics", calendar + "new.ics"}
    assert "SUMMARY:After" in mine.get(calendar + "old-name.ics").text


def test_a_file_of_many_items_on_a_new_url_makes_the_collection_of_it(mine: Dav, shared: Server) -> None:
    assert mine.put("/dav/alice/brought-along/", event("one"), {"Content-Type": "text/calendar"}).status == 201
    assert mine.put("/dav/alice/brought-cards/", card("one") + card("two")).status == 201
    rows = mine.propfind("/dav/alice/brought-cards/", DAV.resourcetype, depth="1").multistatus()
    assert len(rows) == 3
    assert rows["/dav/alice/brought-cards/"].props[DAV.resourcetype].find(CARDDAV.addressbook) is not None
    before = shared.tree()
    assert mine.put("/dav/alice/brought-nothing/", "no calendar").condition == CALDAV.valid_calendar_data
    assert mine.put("/dav/alice/bob~x/", event()).condition == CALDAV.calendar_collection_location_ok
    assert shared.tree() == before


def test_a_file_with_one_bad_item_stores_none_of_them(mine: Dav, shared: Server, calendar: str) -> None:
    good = event("good").split("\r\n")[3:-2]
    bad = [line for line in event("bad").split("\r\n")[3:-2] if not line.startswith("DTSTART")]
    before = shared.tree()
    reply = mine.put(calendar, in_calendar(*good, *bad))
    assert (reply.status, reply.condition) == (403, CALDAV.valid_calendar_data)
    assert shared.tree() == before


def test_a_collection_is_read_as_one_file_with_each_time_zone_once(mine: Dav, calendar: str) -> None:
    zone = ("BEGIN:VTIMEZONE", "TZID:Europe/Berlin", "BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETFROM:+0100")
    zone += ("TZOFFSETTO:+0100", "END:STANDARD", "END:VTIMEZONE")
    for uid in ("one", "two"):
        body = event(uid, "Long " + "word " * 3).split("\r\n")[3:-2]
        assert mine.put(calendar + uid + ".ics", in_calendar(*zone, *body)).status == 201
    whole = mine.get(calendar).text
    assert whole.count("BEGIN:VTIMEZONE") == whole.count("BEGIN:VCALENDAR") == 1
    assert whole.count("BEGIN:VEVENT") == 2
    assert mine.put(calendar, whole).status == 200


def test_names_in_a_home_are_read_as_plain_text(mine: Dav, calendar: str) -> None:
    reply = mine.get("/dav/alice/")
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    assert calendar.split("/")[3] in reply.text.splitlines()
