"""What clients prefer to get back: little, or what a request has made (RFC 8144)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from davserver.dav.names import APPLE, CALDAV, DAV
from davserver.dav.prefer import Preferences, Return, parse_prefer
from tests.harness import Dav, Reply, Server, path_of
from tests.pim.samples import card, event, mkcalendar, mkcol, multiget, query, sync

NOTE = "{urn:example:x}note"
MINIMAL = [
    {"Prefer": "return=minimal"},
    {"Prefer": 'Return = "minimal"'},
    {"Prefer": "respond-async, wait=10;x=y, return=minimal;foo=bar"},
    {"Brief": "t"},
    {"Brief": "T", "Prefer": "handling=lenient"},
]
WHOLE = {"Prefer": "return=representation"}


def applied(reply: Reply) -> list[str]:
    """The preferences that the answer says were followed."""
    return [part.strip() for part in reply.headers.get("preference-applied", "").split(",") if part]


def varies(reply: Reply) -> set[str]:
    return {part.strip() for part in reply.headers.get("vary", "").split(",")}


@pytest.mark.rfc("8144", "2.1")
@pytest.mark.parametrize("headers", MINIMAL)
def test_missing_properties_are_left_out_of_a_minimal_propfind(
    mine: Dav, calendar: str, headers: dict[str, str]
) -> None:
    mine.put(calendar + "a.ics", event())
    reply = mine.propfind(calendar, DAV.resourcetype, NOTE, depth="1", headers=headers)
    rows = reply.multistatus()
    assert [row.statuses for row in rows.values()] == [{DAV.resourcetype: 200}] * 2
    assert applied(reply) == ["return=minimal"]
    assert {"Brief", "Prefer"} <= varies(reply)


@pytest.mark.rfc("8144", "2.1")
def test_a_row_of_which_nothing_is_left_has_one_empty_propstat(mine: Dav, calendar: str) -> None:
    mine.put(calendar + "a.ics", event())
    reply = mine.propfind(calendar, NOTE, depth="1", headers=MINIMAL[0])
    for response in reply.xml.findall(DAV.response):
        [propstat] = response.findall(DAV.propstat)
        prop = propstat.find(DAV.prop)
        assert prop is not None
        assert (propstat.findtext(DAV.status), len(prop)) == ("HTTP/1.1 200 OK", 0)


@pytest.mark.rfc("8144", "2.1")
@pytest.mark.parametrize("kind", ["sync", "multiget", "query"])
def test_missing_properties_are_left_out_of_minimal_reports(mine: Dav, calendar: str, kind: str) -> None:
    mine.put(calendar + "a.ics", event())
    missing = '<x:note xmlns:x="urn:example:x"/>'
    body = {
        "sync": sync("", f"<D:getetag/>{missing}"),
        "multiget": multiget(calendar + "a.ics", data=missing),
        "query": query("", missing),
    }[kind]
    plain, minimal = mine.report(calendar, body), mine.report(calendar, body, headers=MINIMAL[0])
    assert plain.multistatus()[calendar + "a.ics"].statuses == {DAV.getetag: 200, NOTE: 404}
    assert minimal.multistatus()[calendar + "a.ics"].statuses == {DAV.getetag: 200}
    assert (applied(plain), applied(minimal)) == ([], ["return=minimal"])
    assert {"Brief", "Prefer"} <= varies(plain) & varies(minimal)


@pytest.mark.rfc("8144", "2.2")
@pytest.mark.parametrize("headers", MINIMAL)
def test_a_minimal_proppatch_is_answered_without_a_body_unless_it_failed(
    mine: Dav, shared: Server, calendar: str, headers: dict[str, str]
) -> None:
    done = mine.proppatch(calendar, {APPLE.calendar_order: "3"}, headers=headers)
    assert (done.status, done.body, applied(done)) == (200, b"", ["return=minimal"])
    before = shared.tree()
    failed = mine.proppatch(calendar, {APPLE.calendar_order: "4", DAV.getetag: "x"}, headers=headers)
    assert failed.multistatus()[calendar].statuses == {APPLE.calendar_order: 424, DAV.getetag: 403}
    assert applied(failed) == []
    assert shared.tree() == before


@pytest.mark.rfc("8144", "2.3")
@pytest.mark.parametrize("method", ["MKCOL", "MKCALENDAR"])
def test_a_collection_is_made_without_a_word_unless_it_failed(mine: Dav, shared: Server, method: str) -> None:
    def make(path: str, inner: str) -> Reply:
        body = mkcol("C:calendar", inner) if method == "MKCOL" else mkcalendar(inner)
        return mine.request(method, path, body, MINIMAL[0])

    done = make(f"/dav/alice/quiet-{method.lower()}/", "<D:displayname>Quiet</D:displayname>")
    assert (done.status, done.body, applied(done)) == (201, b"", ["return=minimal"])
    before = shared.tree()
    failed = make("/dav/alice/loud/", "<D:getetag>x</D:getetag>")
    assert failed.status == 403
    assert failed.xml.tag in (DAV.mkcol_response, CALDAV.mkcalendar_response)
    assert shared.tree() == before


@pytest.mark.rfc("8144", "3.1")
@pytest.mark.parametrize("kind", ["calendar", "book"])
def test_a_put_answers_with_what_it_stored_where_that_is_preferred(
    mine: Dav, calendar: str, book: str, kind: str
) -> None:
    path = calendar + "a.ics" if kind == "calendar" else book + "a b.vcf"
    bodies = (event(), event(summary="Changed")) if kind == "calendar" else (card(), card(name="Ada King"))
    for body, status in zip(bodies, (201, 200), strict=True):
        reply = mine.put(path, body, WHOLE)
        assert (reply.status, reply.body, applied(reply)) == (status, body.encode(), ["return=representation"])
        read = mine.get(path)
        assert (reply.etag, reply.headers["content-type"]) == (read.etag, read.headers["content-type"])
        assert path_of(reply.headers["content-location"]) == path
        assert "Prefer" in varies(reply)


@pytest.mark.rfc("8144", "3.1")
def test_what_had_to_be_mended_comes_back_mended_and_with_its_etag(mine: Dav, book: str) -> None:
    reply = mine.put(book + "a.vcf", card(None), WHOLE)
    assert reply.status == 201
    assert "\r\nUID:" in reply.text
    assert reply.etag == mine.get(book + "a.vcf").etag
    assert "etag" not in mine.put(book + "b.vcf", card(None)).headers


@pytest.mark.rfc("8144", "3.1")
def test_an_added_member_comes_back_with_its_url(mine: Dav, calendar: str) -> None:
    reply = mine.request("POST", calendar, event(), WHOLE)
    assert (reply.status, reply.body) == (201, event().encode())
    assert reply.headers["location"] == reply.headers["content-location"]
    assert mine.get(path_of(reply.headers["location"])).etag == reply.etag


@pytest.mark.rfc("8144", "3.1")
@pytest.mark.parametrize("method", ["COPY", "MOVE"])
def test_a_copied_or_moved_item_comes_back_from_where_it_is_now(mine: Dav, calendar: str, method: str) -> None:
    other = calendar.rstrip("/") + "-other/"
    mine.mkcalendar(other)
    mine.put(calendar + "a.ics", event())
    transfer = mine.copy if method == "COPY" else mine.move
    reply = transfer(calendar + "a.ics", other + "b.ics", headers=WHOLE)
    assert (reply.status, reply.body) == (201, event().encode())
    assert path_of(reply.headers["content-location"]) == other + "b.ics"
    assert reply.etag == mine.get(other + "b.ics").etag


@pytest.mark.rfc("8144", "3.2")
@pytest.mark.parametrize("condition", [{"If-Match": '"stale"'}, {"If-None-Match": "*"}, {"If": '(["stale"])'}])
def test_a_stale_put_is_told_what_stands_there_now(
    mine: Dav, shared: Server, calendar: str, condition: dict[str, str]
) -> None:
    stored = mine.put(calendar + "a.ics", event())
    before = shared.tree()
    reply = mine.put(calendar + "a.ics", event(summary="Stale"), {**condition, **WHOLE})
    assert (reply.status, reply.body, reply.etag) == (412, event().encode(), stored.etag)
    assert path_of(reply.headers["content-location"]) == calendar + "a.ics"
    assert applied(reply) == ["return=representation"]
    assert shared.tree() == before


@pytest.mark.rfc("8144", "3.2")
def test_a_condition_on_what_is_not_there_has_nothing_to_show(mine: Dav, shared: Server, calendar: str) -> None:
    before = shared.tree()
    reply = mine.put(calendar + "a.ics", event(), {"If-Match": '"x"', **WHOLE})
    assert (reply.status, applied(reply)) == (412, [])
    assert shared.tree() == before


def test_what_may_not_be_overwritten_is_not_taken_for_the_source(mine: Dav, calendar: str) -> None:
    mine.put(calendar + "a.ics", event("one"))
    mine.put(calendar + "b.ics", event("two"))
    reply = mine.move(calendar + "a.ics", calendar + "b.ics", overwrite=False, headers=WHOLE)
    assert (reply.status, applied(reply)) == (412, [])


def test_who_may_store_but_not_read_is_shown_nothing(mine: Dav, shared: Server) -> None:
    mine.mkcalendar("/dav/alice/drop/")
    mine.put("/dav/alice/drop/secret.ics", event("secret"))
    carol = shared.client("carol")
    reply = carol.put("/dav/alice/drop/secret.ics", event("secret"), {"If-None-Match": "*", **WHOLE})
    assert (reply.status, reply.condition) == (403, DAV.need_privileges)
    assert b"SUMMARY" not in reply.body
    reply = carol.put("/dav/alice/drop/other.ics", event("secret"), {"If-Match": "*", **WHOLE})
    assert (reply.status, applied(reply)) == (412, [])


@pytest.mark.rfc("7240", "2")
@pytest.mark.parametrize(
    ("value", "returned", "no_root"),
    [
        ("return=minimal", Return.MINIMAL, False),
        ("RETURN=Representation", Return.REPRESENTATION, False),
        ('foo; bar, return = "minimal" ; x=1', Return.MINIMAL, False),
        ("depth-noroot, return=minimal", Return.MINIMAL, True),
        ("return=most, return=minimal", Return.MINIMAL, False),
        ("returns=minimal", None, False),
        ("return", None, False),
        ("", None, False),
    ],
)
def test_preferences_are_read_as_a_list_and_unknown_ones_passed_over(
    value: str, returned: Return | None, no_root: bool
) -> None:
    assert parse_prefer(value) == Preferences(returned, no_root)


@given(st.text(max_size=60) | st.text(alphabet='return=minimal;," ', max_size=60))
def test_any_prefer_header_is_read(value: str) -> None:
    assert isinstance(parse_prefer(value), Preferences)


@pytest.mark.rfc("7240", "2")
def test_of_two_wishes_for_what_is_returned_the_first_counts(mine: Dav, calendar: str) -> None:
    both = {"Prefer": "return=minimal, return=representation"}
    reply = mine.put(calendar + "a.ics", event(), both)
    assert (reply.status, reply.body) == (201, b"")


@pytest.mark.rfc("8144", "4")
@pytest.mark.parametrize("headers", [{"Prefer": "depth-noroot"}, {"Depth": "1,noroot"}, {"Depth": "1, noroot"}])
def test_a_listing_leaves_its_own_resource_out_where_that_is_preferred(
    mine: Dav, calendar: str, headers: dict[str, str]
) -> None:
    mine.put(calendar + "a.ics", event())
    reply = mine.propfind(calendar, DAV.getetag, depth="1", headers=headers)
    assert list(reply.multistatus()) == [calendar + "a.ics"]
    assert applied(reply) == (["depth-noroot"] if "Prefer" in headers else [])
    assert calendar in mine.propfind("/dav/alice/", DAV.getetag, depth="1", headers=headers).multistatus()


@pytest.mark.rfc("8144", "4")
def test_a_resource_that_is_asked_for_alone_is_not_left_out(mine: Dav, calendar: str) -> None:
    reply = mine.propfind(calendar, DAV.resourcetype, headers={"Prefer": "depth-noroot"})
    assert list(reply.multistatus()) == [calendar]
    assert applied(reply) == []


@pytest.mark.rfc("8144", "4")
def test_both_preferences_are_followed_together(mine: Dav, calendar: str) -> None:
    mine.put(calendar + "a.ics", event())
    headers = {"Prefer": "depth-noroot, return=minimal"}
    reply = mine.propfind(calendar, DAV.getetag, NOTE, depth="1", headers=headers)
    assert {href: row.statuses for href, row in reply.multistatus().items()} == {calendar + "a.ics": {DAV.getetag: 200}}
    assert set(applied(reply)) == {"return=minimal", "depth-noroot"}
