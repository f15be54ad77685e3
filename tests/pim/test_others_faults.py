"""
What other servers get wrong and this one does not: methods, bodies, names and answers.

Each test names the server whose fault it is; the faults were found with that server's newest release.
"""

from __future__ import annotations

import json

import pytest

from davserver.dav.names import CALDAV, CARDDAV, DAV
from davserver.dav.xml import text_of
from tests.harness import NAMESPACES, Dav, Server, quote_path
from tests.pim.samples import busy, card, event, mkcalendar, mkcol, multiget, query, sync

SIGNED_IN = ("GET", "HEAD", "PUT", "POST", "DELETE", "PROPFIND", "PROPPATCH", "REPORT", "MKCOL", "MKCALENDAR")
SIGNED_IN += ("COPY", "MOVE", "LOCK", "UNLOCK", "OPTIONS")
BOM = b"\xef\xbb\xbf"
SPACED = "/dav/alice/two words & more/"

# -- Radicale ---------------------------------------------------------------------------------------------------------


@pytest.mark.rfc("4918", "15.9")
@pytest.mark.parametrize(
    "inner", ["<D:collection/>", "", "<D:collection/><CR:addressbook/>", "<D:collection/><C:calendar/>"]
)
def test_a_calendar_stays_one_whatever_is_said_of_its_type(
    mine: Dav, shared: Server, calendar: str, inner: str
) -> None:
    """Radicale makes an ordinary collection of it, and its events are gone from every client."""
    mine.put(calendar + "a.ics", event())
    before = shared.tree()
    body = (
        f"<D:propertyupdate {NAMESPACES}><D:set><D:prop><D:resourcetype>{inner}</D:resourcetype>"
        "<D:displayname>New</D:displayname></D:prop></D:set></D:propertyupdate>"
    )
    reply = mine.request("PROPPATCH", calendar, body)
    assert reply.multistatus()[calendar].statuses == {DAV.resourcetype: 403, DAV.displayname: 424}
    assert reply.xml.find(f".//{DAV.error}/{DAV.cannot_modify_protected_property}") is not None
    reply = mine.proppatch(calendar, {}, [DAV.resourcetype])
    assert reply.multistatus()[calendar].statuses == {DAV.resourcetype: 403}
    assert shared.tree() == before


@pytest.mark.parametrize("path", ["/dav/alice/", "/dav/alice", "/dav/", "/dav"])
@pytest.mark.parametrize("kind", ["calendar", "book"])
def test_a_put_does_not_replace_a_home(mine: Dav, shared: Server, calendar: str, path: str, kind: str) -> None:
    """Radicale makes one calendar of the whole home."""
    mine.put(calendar + "a.ics", event())
    before = shared.tree()
    body, media = (event("x"), "text/calendar") if kind == "calendar" else (card("x"), "text/vcard")
    assert mine.put(path, body, {"Content-Type": media}).status == 403
    assert shared.tree() == before


@pytest.mark.rfc("9110", "13.1.1")
def test_a_stale_move_moves_nothing(mine: Dav, shared: Server, calendar: str) -> None:
    """Radicale does not look at If-Match on MOVE."""
    first = mine.put(calendar + "a.ics", event()).etag
    second = mine.put(calendar + "a.ics", event(summary="Changed")).etag
    before = shared.tree()
    assert mine.move(calendar + "a.ics", calendar + "b.ics", headers={"If-Match": first}).status == 412
    assert shared.tree() == before
    assert mine.move(calendar + "a.ics", calendar + "b.ics", headers={"If-Match": second}).status == 201


@pytest.mark.parametrize("kind", ["calendar", "book"])
@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_a_byte_order_mark_before_an_item_is_no_reason_to_refuse_it(
    mine: Dav, calendar: str, book: str, kind: str, method: str
) -> None:
    """Radicale answers 400."""
    above, body, name = (calendar, event(), "a.ics") if kind == "calendar" else (book, card(), "a.vcf")
    reply = mine.request(method, above + name if method == "PUT" else above, BOM + body.encode())
    assert reply.status == 201
    [path] = [path for path in mine.propfind(above, DAV.getetag, depth="1").multistatus() if path != above]
    assert mine.get(path).body.removeprefix(BOM) == body.encode()
    report = multiget(path) if kind == "calendar" else multiget(path, kind="CR:addressbook", data="<CR:address-data/>")
    data = (
        mine.report(above, report)
        .multistatus()[path]
        .text(CALDAV.calendar_data if kind == "calendar" else CARDDAV.address_data)
    )
    assert data is not None
    assert data.startswith("BEGIN:")


def test_a_byte_order_mark_before_xml_is_read_over(mine: Dav, calendar: str) -> None:
    """Radicale answers 400."""
    body = BOM + f"<D:propfind {NAMESPACES}><D:prop><D:resourcetype/></D:prop></D:propfind>".encode()
    assert mine.request("PROPFIND", calendar, body, {"Depth": "0"}).multistatus()[calendar].statuses == {
        DAV.resourcetype: 200
    }
    made = "/dav/alice/made-with-mark/"
    assert mine.request("MKCALENDAR", made, BOM + mkcalendar("<D:displayname>x</D:displayname>").encode()).status == 201


@pytest.mark.rfc("4918", "16")
def test_a_failed_precondition_is_told_in_xml(mine: Dav, shared: Server, calendar: str, book: str) -> None:
    """Radicale answers in plain text, so that no client can tell what was wrong."""
    mine.put(calendar + "a.ics", event("taken"))
    mine.put(book + "a.vcf", card("taken"))
    before = shared.tree()
    carol = shared.client("carol")
    mine.mkcalendar("/dav/alice/open/")
    carol.options("/dav/")
    before = shared.tree()
    href = quote_path(calendar + "a.ics")
    faults = {
        CALDAV.valid_calendar_data: mine.put(calendar + "b.ics", "none"),
        CALDAV.no_uid_conflict: mine.put(calendar + "b.ics", event("taken")),
        CALDAV.supported_calendar_data: mine.put(calendar + "b.ics", "{}", {"Content-Type": "application/json"}),
        CARDDAV.valid_address_data: mine.put(book + "b.vcf", "none"),
        CARDDAV.no_uid_conflict: mine.put(book + "b.vcf", card("taken")),
        CARDDAV.supported_address_data: mine.put(book + "b.vcf", "<x/>", {"Content-Type": "text/html"}),
        CALDAV.calendar_collection_location_ok: mine.mkcalendar(calendar + "within/"),
        CARDDAV.addressbook_collection_location_ok: mine.mkcol(calendar + "within/", mkcol("CR:addressbook")),
        DAV.resource_must_be_null: mine.mkcalendar(calendar),
        DAV.valid_sync_token: mine.report(calendar, sync("urn:davserver:sync:x:y:1")),
        DAV.propfind_finite_depth: mine.propfind(calendar, DAV.getetag, depth="infinity"),
        DAV.supported_report: mine.report(book, multiget(href)),
        DAV.need_privileges: carol.put("/dav/alice/open/a.ics", event()),
    }
    for condition, reply in faults.items():
        assert reply.condition == condition
        assert reply.headers["content-type"].startswith("application/xml")
        assert reply.status == (405 if condition == DAV.resource_must_be_null else 403)
    assert shared.tree() == before


# -- Xandikos ---------------------------------------------------------------------------------------------------------


@pytest.mark.rfc("9110", "15.5.2")
@pytest.mark.parametrize("method", SIGNED_IN)
@pytest.mark.parametrize(
    "path", ["/dav/", "/dav/alice/", "/dav/alice/calendar/", "/dav/alice/calendar/a.ics", "/dav/x/y/z"]
)
def test_who_is_not_signed_in_is_asked_to(shared: Server, method: str, path: str) -> None:
    """Xandikos answers some of them with 500."""
    before = shared.tree()
    body = event() if method in ("PUT", "POST") else None
    reply = shared.client().request(method, path, body, {"Destination": "/dav/alice/other/", "Depth": "0"})
    assert reply.status == 401
    assert reply.headers["www-authenticate"].startswith("Basic ")
    assert shared.tree() == before


@pytest.mark.rfc("3744", "7.1.1")
def test_what_is_not_allowed_is_403_with_the_privilege_that_is_needed(mine: Dav, shared: Server) -> None:
    """Xandikos answers 500 where a right is missing."""
    mine.mkcalendar("/dav/alice/open/")
    assert mine.put("/dav/alice/open/a.ics", event("in the open")).status in (201, 204)
    carol = shared.client("carol")
    carol.options("/dav/")
    before = shared.tree()
    for method, name, body in (
        ("PUT", "a.ics", event("in the open")),
        ("PUT", "b.ics", event("b")),
        ("POST", "", event("b")),
        ("DELETE", "a.ics", None),
        ("DELETE", "", None),
        (
            "PROPPATCH",
            "a.ics",
            f"<D:propertyupdate {NAMESPACES}><D:set><D:prop><x/></D:prop></D:set></D:propertyupdate>",
        ),
        ("MOVE", "a.ics", None),
        ("MOVE", "", None),
    ):
        reply = carol.request(method, f"/dav/alice/open/{name}", body, {"Destination": "/dav/carol/calendar/a.ics"})
        if method == "MOVE" and not name:
            reply = carol.move("/dav/alice/open/", "/dav/carol/taken/")
        assert (reply.status, reply.condition) == (403, DAV.need_privileges), (method, name)
        assert next(reply.xml.iter(DAV.privilege))[0].tag.startswith("{DAV:}")
    assert shared.tree() == before


@pytest.mark.parametrize("method", SIGNED_IN)
def test_what_may_not_be_known_of_is_answered_as_what_is_not_there(mine: Dav, shared: Server, method: str) -> None:
    """Xandikos tells the difference."""
    mine.mkcalendar("/dav/alice/private/")
    mine.put("/dav/alice/private/a.ics", event())
    bob = shared.client("bob")
    bob.options("/dav/")
    before = shared.tree()
    body = {"PUT": event(), "POST": event(), "PROPFIND": "", "REPORT": sync()}.get(method)
    for name in ("", "a.ics"):
        there, not_there = (
            bob.request(method, f"/dav/alice/{folder}/{name}", body, {"Destination": "/dav/bob/x/", "Depth": "0"})
            for folder in ("private", "missing")
        )
        assert there.status == not_there.status, name
        assert there.text.replace("private", "missing") == not_there.text
    assert shared.tree() == before


# -- Cyrus ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def spaced(shared: Server) -> str:
    """A calendar with blanks in its name, and an item with some."""
    alice = shared.client("alice")
    assert alice.mkcalendar(SPACED).status == 201
    assert alice.put(SPACED + "one item.ics", event()).status == 201
    return SPACED


def test_names_with_blanks_are_listed_and_reported_under_hrefs_that_lead_back(mine: Dav, spaced: str) -> None:
    """Cyrus answers hrefs that it does not find again."""
    item = spaced + "one item.ics"
    replies = [
        mine.propfind(spaced, DAV.getetag, depth="1"),
        mine.report(spaced, multiget(text_of(quote_path(item)))),
        mine.report(spaced, multiget(text_of(f"http://127.0.0.1{quote_path(item)}"))),
        mine.report(spaced, query('<C:comp-filter name="VEVENT"/>')),
        mine.report(spaced, sync()),
    ]
    for reply in replies:
        row = reply.multistatus()[item]
        assert DAV.getetag in row.props
        [href] = [href.text or "" for href in reply.xml.iter(DAV.href) if (href.text or "").endswith(".ics")]
        assert " " not in href
        assert mine.request("GET", target=href.removeprefix("http://127.0.0.1")).status == 200
    assert spaced in mine.propfind("/dav/alice/", DAV.resourcetype, depth="1").multistatus()
    assert mine.report(spaced, busy("20270105T000000Z", "20270106T000000Z")).status == 200


def test_names_with_blanks_are_changed_moved_and_deleted(mine: Dav, shared: Server) -> None:
    """Cyrus fails on some of these."""
    first, second = "/dav/alice/a  b/", "/dav/alice/c d e/"
    assert mine.mkcalendar(first).status == 201
    assert mine.put(first + "x y.ics", event()).status == 201
    assert mine.proppatch(first, {DAV.displayname: "Two blanks"}).status == 207
    assert mine.move(first + "x y.ics", first + "y z.ics").status == 201
    assert mine.move(first, second).status == 201
    assert mine.copy(second, first).status == 201
    assert mine.get(second + "y z.ics").body == event().encode()
    posted = mine.request("POST", second, event("posted"))
    assert mine.request("GET", target=posted.headers["location"]).status == 200
    conflict = mine.put(second + "other.ics", event())
    assert (conflict.condition, conflict.hrefs) == (CALDAV.no_uid_conflict, [second + "y z.ics"])
    assert mine.delete(second + "y z.ics").status == 204
    assert mine.delete(second).status == 204


def test_a_shown_calendar_with_blanks_is_reached(mine: Dav, shared: Server) -> None:
    """Cyrus fails on names with blanks."""
    assert mine.mkcalendar("/dav/sport/away games/").status == 201
    bob = shared.client("bob")
    assert bob.put("/dav/bob/sport~away games/a b.ics", event()).status == 201
    assert mine.get("/dav/sport/away games/a b.ics").status == 200


# -- sabre ------------------------------------------------------------------------------------------------------------


@pytest.mark.rfc("4791", "5.3.2.1")
@pytest.mark.rfc("6352", "6.3.2.1")
@pytest.mark.parametrize("kind", ["calendar", "book"])
def test_no_way_of_storing_gives_a_collection_the_same_uid_twice(
    mine: Dav, shared: Server, calendar: str, book: str, kind: str
) -> None:
    """sabre stores a second object with the same UID."""
    above = calendar if kind == "calendar" else book
    item = event if kind == "calendar" else card
    conflict = CALDAV.no_uid_conflict if kind == "calendar" else CARDDAV.no_uid_conflict
    assert mine.put(above + "first", item("same")).status == 201
    assert mine.put(above + "second", item("other")).status == 201
    before = shared.tree()
    for reply in (
        mine.put(above + "third", item("same")),
        mine.put(above + "second", item("same")),
        mine.request("POST", above, item("same")),
        mine.copy(above + "first", above + "third"),
        mine.move(above + "first", above + "second"),
    ):
        assert (reply.status, reply.condition) == (403, conflict)
    assert shared.tree() == before
    assert mine.put(above, item("same", "Renamed")).status == 200
    assert set(mine.propfind(above, DAV.getetag, depth="1").multistatus()) == {above, above + "first", above + "second"}


def test_a_uid_is_free_again_in_other_collections_and_after_its_item_went(mine: Dav, calendar: str) -> None:
    """A server that looks for UIDs everywhere refuses what phones do all day: moving between calendars."""
    other = calendar.rstrip("/") + "-other/"
    mine.mkcalendar(other)
    mine.put(calendar + "a.ics", event("same"))
    assert mine.put(other + "a.ics", event("same")).status == 201
    mine.delete(calendar + "a.ics")
    assert mine.put(calendar + "b.ics", event("same")).status == 201


def test_the_properties_that_radicale_reads_are_strings(mine: Dav, shared: Server, calendar: str) -> None:
    """Radicale answers 500 to everything in a collection whose properties hold anything else."""
    inner = "<D:displayname>One</D:displayname><x:note xmlns:x='urn:example:x'><x:a/></x:note>"
    path = "/dav/alice/for-radicale/"
    assert mine.mkcalendar(path, mkcalendar(inner)).status == 201
    props = json.loads((shared.data / "collections/collection-root/alice/for-radicale/.Radicale.props").read_text())
    assert all(isinstance(value, str) for value in props.values())
    assert mine.delete(calendar).status == 204
