"""COPY and MOVE below ``/dav/`` (RFC 4918 §9.8, §9.9): where to, over what, under which conditions, and with what."""

from __future__ import annotations

import resource
from collections.abc import Callable

import pytest

from davserver.dav.names import APPLE, CALDAV, CARDDAV, DAV
from tests.harness import Dav, Reply, Server
from tests.pim.samples import card, event, mkcalendar, task

NOTE, OTHER = "{urn:example:x}note", "{urn:example:x}other"
METHODS = ["COPY", "MOVE"]
Transfer = Callable[..., Reply]


def transfer_of(client: Dav, method: str) -> Transfer:
    return client.copy if method == "COPY" else client.move


@pytest.fixture
def other(mine: Dav, calendar: str) -> str:
    """A second calendar."""
    path = calendar.rstrip("/") + "-other/"
    assert mine.mkcalendar(path).status == 201
    return path


@pytest.mark.rfc("4918", "9.8.3")
@pytest.mark.rfc("4918", "10.6")
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("overwrite", [None, True])
def test_an_item_replaces_another_unless_told_not_to(
    mine: Dav, calendar: str, other: str, method: str, overwrite: bool | None
) -> None:
    mine.put(calendar + "a.ics", event(summary="New"))
    mine.put(other + "b.ics", event(summary="Old"))
    mine.proppatch(calendar + "a.ics", {NOTE: "of the new"})
    mine.proppatch(other + "b.ics", {NOTE: "of the old", OTHER: "of the old"})
    reply = transfer_of(mine, method)(calendar + "a.ics", other + "b.ics", overwrite=overwrite)
    assert reply.status == 204
    assert "SUMMARY:New" in mine.get(other + "b.ics").text
    row = mine.propfind(other + "b.ics", NOTE, OTHER).multistatus()[other + "b.ics"]
    assert (row.text(NOTE), row.statuses[OTHER]) == ("of the new", 404)
    assert mine.get(calendar + "a.ics").status == (200 if method == "COPY" else 404)


@pytest.mark.rfc("4918", "10.6")
@pytest.mark.parametrize("method", METHODS)
def test_nothing_is_overwritten_where_the_client_says_so(
    mine: Dav, shared: Server, calendar: str, other: str, method: str
) -> None:
    mine.put(calendar + "a.ics", event())
    mine.put(other + "b.ics", event())
    before = shared.tree()
    transfer = transfer_of(mine, method)
    assert transfer(calendar + "a.ics", other + "b.ics", overwrite=False).status == 412
    assert transfer(calendar, other, overwrite=False).status == 412
    assert shared.tree() == before
    assert transfer(calendar + "a.ics", other + "c.ics", overwrite=False).condition == CALDAV.no_uid_conflict
    assert shared.tree() == before


@pytest.mark.rfc("4918", "10.6")
def test_overwrite_is_t_or_f(mine: Dav, shared: Server, calendar: str, other: str) -> None:
    mine.put(calendar + "a.ics", event())
    before = shared.tree()
    for method in METHODS:
        reply = transfer_of(mine, method)(calendar + "a.ics", other + "a.ics", headers={"Overwrite": "maybe"})
        assert reply.status == 400
    assert shared.tree() == before


@pytest.mark.rfc("4918", "9.8.5")
@pytest.mark.rfc("4918", "9.9.4")
@pytest.mark.parametrize("method", METHODS)
def test_nothing_is_transferred_onto_itself(mine: Dav, shared: Server, calendar: str, method: str) -> None:
    mine.put(calendar + "a.ics", event())
    mine.mkcalendar("/dav/sport/itself/")
    mine.put("/dav/sport/itself/a.ics", event())
    shown = "/dav/alice/sport~itself/"
    before = shared.tree()
    transfer = transfer_of(mine, method)
    for path, to in (
        (calendar + "a.ics", calendar + "a.ics"),
        (calendar, calendar),
        (calendar, calendar.rstrip("/")),
        (shown + "a.ics", "/dav/sport/itself/a.ics"),
        ("/dav/sport/itself/a.ics", shown + "a.ics"),
        ("/dav/sport/itself/", shown),
    ):
        assert transfer(path, to).status == 403, (path, to)
    assert shared.tree() == before


@pytest.mark.rfc("4918", "9.8.5")
@pytest.mark.rfc("4918", "9.9.4")
@pytest.mark.parametrize("method", METHODS)
def test_a_collection_is_not_transferred_into_itself_or_another(
    mine: Dav, shared: Server, calendar: str, other: str, book: str, method: str
) -> None:
    mine.put(calendar + "a.ics", event())
    before = shared.tree()
    transfer = transfer_of(mine, method)
    for to in (calendar + "within/", other + "within/", book + "within/", calendar + "a.ics", calendar + "a.ics/"):
        reply = transfer(calendar, to)
        assert (reply.status, reply.condition) == (403, CALDAV.calendar_collection_location_ok), to
    reply = transfer(book, calendar + "within/")
    assert (reply.status, reply.condition) == (403, CARDDAV.addressbook_collection_location_ok)
    assert shared.tree() == before


@pytest.mark.rfc("4918", "9.9.4")
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("to", ["/dav/", "/dav/alice/", "/dav/bob/", "/dav/van/", "/dav/new-home/"])
def test_homes_are_no_destination(mine: Dav, shared: Server, calendar: str, method: str, to: str) -> None:
    mine.put(calendar + "a.ics", event())
    before = shared.tree()
    transfer = transfer_of(mine, method)
    assert transfer(calendar, to).status in (403, 409)
    assert transfer(calendar + "a.ics", to).status in (403, 409)
    assert shared.tree() == before


@pytest.mark.rfc("4918", "9.9.3")
@pytest.mark.parametrize("method", METHODS)
def test_an_item_does_not_replace_a_collection(
    mine: Dav, shared: Server, calendar: str, other: str, method: str
) -> None:
    mine.put(calendar + "a.ics", event())
    before = shared.tree()
    for to in (other, other.rstrip("/"), calendar, "/dav/alice/"):
        assert transfer_of(mine, method)(calendar + "a.ics", to, overwrite=True).status == 403
    assert shared.tree() == before


@pytest.mark.rfc("4918", "9.8.5")
@pytest.mark.rfc("4918", "9.9.4")
@pytest.mark.parametrize("method", METHODS)
def test_a_missing_parent_is_409(mine: Dav, shared: Server, calendar: str, method: str) -> None:
    mine.put(calendar + "a.ics", event())
    before = shared.tree()
    transfer = transfer_of(mine, method)
    assert transfer(calendar + "a.ics", "/dav/alice/nowhere/a.ics").status == 409
    assert transfer(calendar + "a.ics", "/dav/nobody/calendar/a.ics").status == 409
    assert transfer(calendar, "/dav/nobody/calendar/").status == 409
    assert shared.tree() == before


@pytest.mark.rfc("4918", "9.8.5")
@pytest.mark.rfc("4918", "9.9.4")
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("destination", "status"),
    [
        ("http://elsewhere.example/dav/alice/x.ics", 502),
        ("https://elsewhere.example:8443/dav/alice/x.ics", 502),
        ("//elsewhere.example/dav/alice/x.ics", 400),
        ("ftp://127.0.0.1/dav/alice/x.ics", 400),
        ("x.ics", 400),
        ("", 400),
        ("/dav/alice/%ff.ics", 400),
        ("/dav/alice/a%2fb.ics", 400),
        ("/dav/alice/../bob/x.ics", 400),
        ("/files/Public/x.ics", 403),
        ("/", 403),
    ],
)
def test_a_destination_that_is_not_below_this_tree_is_refused(
    mine: Dav, shared: Server, calendar: str, method: str, destination: str, status: int
) -> None:
    mine.put(calendar + "a.ics", event())
    before = shared.tree()
    for path in (calendar + "a.ics", calendar):
        assert mine.request(method, path, headers={"Destination": destination}).status == status
    assert shared.tree() == before


@pytest.mark.rfc("4918", "10.3")
@pytest.mark.parametrize("method", METHODS)
def test_a_destination_is_a_path_or_a_url_by_any_name_of_this_host(
    mine: Dav, shared: Server, calendar: str, other: str, method: str
) -> None:
    names = [other + "p.ics", f"http://127.0.0.1{other}u.ics", f"https://x:y@127.0.0.1:443{other}s.ics?q#f"]
    for number, destination in enumerate(names):
        path = f"{calendar}{number}.ics"
        mine.put(path, event(f"u{number}"))
        assert mine.request(method, path, headers={"Destination": destination}).status == 201
    held = set(mine.propfind(other, DAV.getetag, depth="1").multistatus()) - {other}
    assert held == {other + "p.ics", other + "u.ics", other + "s.ics"}


@pytest.mark.rfc("9110", "13.1.1")
@pytest.mark.rfc("4918", "10.4")
@pytest.mark.parametrize("method", METHODS)
def test_conditions_are_asked_of_what_is_transferred(
    mine: Dav, shared: Server, calendar: str, other: str, method: str
) -> None:
    etag = mine.put(calendar + "a.ics", event()).etag
    mine.put(other + "b.ics", event())
    before = shared.tree()
    transfer = transfer_of(mine, method)
    for headers in (
        {"If-Match": '"stale"'},
        {"If-None-Match": etag},
        {"If-None-Match": "*"},
        {"If": '(["stale"])'},
        {"If": f"(Not [{etag}])"},
        {"If": f'<{other}b.ics> (["stale"])'},
        {"If": "(<urn:uuid:1>)"},
    ):
        assert transfer(calendar + "a.ics", other + "c.ics", headers=headers).status == 412, headers
    for headers in ({"If-Match": '"x"'}, {"If-None-Match": "*"}, {"If": "(<urn:davserver:sync:x:y:1>)"}):
        assert transfer(calendar, calendar.rstrip("/") + "-2/", headers=headers).status == 412, headers
    assert shared.tree() == before


@pytest.mark.rfc("4918", "10.4")
@pytest.mark.parametrize("method", METHODS)
def test_an_if_header_can_speak_of_the_destination(mine: Dav, calendar: str, other: str, method: str) -> None:
    etag = mine.put(calendar + "a.ics", event(summary="New")).etag
    old = mine.put(other + "b.ics", event(summary="Old")).etag
    headers = {"If": f"<{calendar}a.ics> ([{etag}]) <{other}b.ics> ([{old}])", "If-Match": etag}
    assert transfer_of(mine, method)(calendar + "a.ics", other + "b.ics", headers=headers).status == 204


@pytest.mark.rfc("4918", "10.4")
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PROPPATCH", "COPY", "MOVE"])
def test_an_if_header_with_the_right_etag_lets_every_method_pass(
    mine: Dav, calendar: str, other: str, method: str
) -> None:
    etag = mine.put(calendar + "a.ics", event()).etag
    headers = {"If": f'(["stale"]) ([{etag}])', "Destination": other + "a.ics"}
    update = "<set><prop><displayname>x</displayname></prop></set>"
    body = {"PUT": event(), "PROPPATCH": f'<propertyupdate xmlns="DAV:">{update}</propertyupdate>'}.get(method)
    assert mine.request(method, calendar + "a.ics", body, headers).status in (201, 204, 207)


@pytest.mark.rfc("9110", "13.1.1")
@pytest.mark.parametrize("kind", ["item", "calendar"])
def test_properties_are_not_set_on_what_has_changed(mine: Dav, shared: Server, calendar: str, kind: str) -> None:
    mine.put(calendar + "a.ics", event())
    path = calendar + "a.ics" if kind == "item" else calendar
    before = shared.tree()
    for headers in ({"If-Match": '"stale"'}, {"If-None-Match": "*"}, {"If": '(["stale"])'}):
        assert mine.proppatch(path, {NOTE: "x"}, headers=headers).status == 412
    assert shared.tree() == before
    assert mine.proppatch(path, {NOTE: "x"}, headers={"If-Match": "*"}).status == 207


@pytest.mark.rfc("4918", "9.8.2")
@pytest.mark.rfc("4918", "9.9.1")
@pytest.mark.parametrize("method", METHODS)
def test_dead_properties_of_a_collection_and_its_items_go_along(mine: Dav, calendar: str, method: str) -> None:
    item = calendar + "a.ics"
    mine.put(item, event())
    mine.proppatch(item, {NOTE: "of the item", DAV.displayname: "Item"})
    mine.proppatch(calendar, {NOTE: "of the calendar", DAV.displayname: "Named", APPLE.calendar_color: "#123456"})
    target = calendar.rstrip("/") + "-target/"
    assert transfer_of(mine, method)(calendar, target).status == 201
    rows = mine.propfind(target, NOTE, DAV.displayname, APPLE.calendar_color, depth="1").multistatus()
    assert [rows[target].text(name) for name in (NOTE, DAV.displayname, APPLE.calendar_color)] == [
        "of the calendar",
        "Named",
        "#123456",
    ]
    assert [rows[target + "a.ics"].text(name) for name in (NOTE, DAV.displayname)] == ["of the item", "Item"]


@pytest.mark.rfc("4918", "9.8.3")
def test_a_copy_with_depth_0_is_a_collection_without_items(mine: Dav, calendar: str) -> None:
    mine.put(calendar + "a.ics", event())
    mine.proppatch(calendar, {NOTE: "kept"})
    target = calendar.rstrip("/") + "-empty/"
    assert mine.copy(calendar, target, depth="0").status == 201
    rows = mine.propfind(target, NOTE, DAV.resourcetype, depth="1").multistatus()
    assert list(rows) == [target]
    assert rows[target].text(NOTE) == "kept"
    assert rows[target].props[DAV.resourcetype].find(CALDAV.calendar) is not None


@pytest.mark.rfc("4918", "9.8.3")
@pytest.mark.rfc("4918", "9.9.2")
@pytest.mark.parametrize(("method", "depth"), [("COPY", "1"), ("COPY", "2"), ("MOVE", "0"), ("MOVE", "1")])
def test_a_collection_is_transferred_with_the_depths_of_the_rfc_only(
    mine: Dav, shared: Server, calendar: str, method: str, depth: str
) -> None:
    mine.put(calendar + "a.ics", event())
    before = shared.tree()
    assert transfer_of(mine, method)(calendar, calendar.rstrip("/") + "-x/", depth=depth).status == 400
    assert shared.tree() == before


@pytest.mark.rfc("4918", "9.8.4")
@pytest.mark.rfc("4918", "9.9.3")
@pytest.mark.parametrize("method", METHODS)
def test_a_collection_that_replaces_another_holds_nothing_of_it(
    mine: Dav, shared: Server, calendar: str, other: str, method: str
) -> None:
    mine.put(calendar + "new.ics", event("new"))
    old = event("old-of-" + other.strip("/").rpartition("/")[2])
    mine.put(other + "old.ics", old)
    mine.proppatch(other, {NOTE: "of the old"})
    assert transfer_of(mine, method)(calendar, other).status == 204
    rows = mine.propfind(other, NOTE, depth="1").multistatus()
    assert set(rows) == {other, other + "new.ics"}
    assert rows[other].statuses[NOTE] == 404
    trashed = [path for path, data in shared.tree().items() if data == old.encode()]
    assert [path.startswith("trash/") for path in trashed] == [True]


@pytest.mark.parametrize("method", METHODS)
def test_what_is_transferred_must_fit_where_it_goes(
    mine: Dav, shared: Server, calendar: str, book: str, method: str
) -> None:
    tasks = calendar.rstrip("/") + "-tasks/"
    only = '<C:supported-calendar-component-set><C:comp name="VTODO"/></C:supported-calendar-component-set>'
    assert mine.mkcalendar(tasks, mkcalendar(only)).status == 201
    mine.put(calendar + "a.ics", event())
    mine.put(book + "a.vcf", card())
    mine.mkcol("/dav/alice/no-items/")
    before = shared.tree()
    transfer = transfer_of(mine, method)
    for path, to, condition in (
        (calendar + "a.ics", tasks + "a.ics", CALDAV.supported_calendar_component),
        (calendar + "a.ics", book + "a.ics", CARDDAV.supported_address_data),
        (book + "a.vcf", calendar + "a.vcf", CALDAV.supported_calendar_data),
    ):
        reply = transfer(path, to)
        assert (reply.status, reply.condition) == (403, condition)
    assert transfer(calendar + "a.ics", "/dav/alice/no-items/a.ics").status == 403
    assert shared.tree() == before
    mine.put(calendar + "t.ics", task())
    assert transfer(calendar + "t.ics", tasks + "t.ics").status == 201


@pytest.mark.rfc("4791", "5.3.2.1")
@pytest.mark.parametrize("method", METHODS)
def test_a_uid_stays_the_only_one_also_through_a_transfer(
    mine: Dav, shared: Server, calendar: str, other: str, book: str, method: str
) -> None:
    mine.put(calendar + "a.ics", event("same"))
    mine.put(other + "holder.ics", event("same"))
    mine.put(other + "different.ics", event("different"))
    before = shared.tree()
    transfer = transfer_of(mine, method)
    reply = transfer(calendar + "a.ics", other + "a.ics")
    assert (reply.status, reply.condition, reply.hrefs) == (403, CALDAV.no_uid_conflict, [other + "holder.ics"])
    reply = transfer(calendar + "a.ics", other + "different.ics")
    assert (reply.status, reply.condition) == (403, CALDAV.no_uid_conflict)
    assert shared.tree() == before


@pytest.mark.parametrize("method", METHODS)
def test_an_item_goes_to_another_home_where_both_rights_are_held(
    mine: Dav, shared: Server, calendar: str, method: str
) -> None:
    target = f"/dav/sport/handed-{method.lower()}/"
    assert mine.mkcalendar(target).status == 201
    mine.put(calendar + "a.ics", event())
    mine.proppatch(calendar + "a.ics", {NOTE: "kept"})
    assert transfer_of(mine, method)(calendar + "a.ics", target + "a.ics").status == 201
    bob = shared.client("bob")
    assert bob.propfind(target + "a.ics", NOTE).multistatus()[target + "a.ics"].text(NOTE) == "kept"


@pytest.mark.parametrize("method", METHODS)
def test_nothing_goes_where_the_right_to_bind_is_missing(mine: Dav, shared: Server, calendar: str, method: str) -> None:
    mine.mkcalendar("/dav/sport/closed/")
    mine.put("/dav/sport/closed/a.ics", event("theirs"))
    carol = shared.client("carol")
    carol.put("/dav/carol/calendar/own.ics", event("own"))
    before = shared.tree()
    transfer = transfer_of(carol, method)
    for path, to in (
        ("/dav/carol/calendar/own.ics", "/dav/sport/closed/own.ics"),
        ("/dav/carol/calendar/", "/dav/sport/hers/"),
        ("/dav/carol/calendar/", "/dav/sport/closed/"),
    ):
        reply = transfer(path, to)
        assert (reply.status, reply.condition) == (403, DAV.need_privileges), (path, to)
    if method == "MOVE":  # reading is enough for a copy
        reply = carol.move("/dav/sport/closed/a.ics", "/dav/carol/calendar/a.ics")
        assert (reply.status, reply.condition) == (403, DAV.need_privileges)
    assert shared.tree() == before


@pytest.mark.parametrize("method", METHODS)
def test_nothing_comes_from_where_nothing_is(mine: Dav, shared: Server, calendar: str, method: str) -> None:
    before = shared.tree()
    transfer = transfer_of(mine, method)
    assert transfer(calendar + "none.ics", calendar + "a.ics").status == 404
    assert transfer("/dav/alice/nowhere/", "/dav/alice/somewhere/").status == 404
    assert shared.tree() == before


@pytest.mark.rfc("4918", "9.8.5")
def test_a_copy_that_does_not_fit_on_the_disk_leaves_no_half_collection(club: Server) -> None:
    alice = club.client("alice")
    book = "/dav/alice/contacts/"
    assert alice.put(book + "small.vcf", card("small")).status == 201
    photo = "PHOTO;ENCODING=b;TYPE=JPEG:" + "A" * 2_000_000
    assert alice.put(book + "zz-large.vcf", card("large", "Ada", photo)).status == 201
    hard = resource.prlimit(club.pid, resource.RLIMIT_FSIZE)[1]
    resource.prlimit(club.pid, resource.RLIMIT_FSIZE, (1 << 20, hard))
    reply = alice.copy(book, "/dav/alice/copied/")
    assert (reply.status, reply.condition) == (507, DAV.sufficient_disk_space)
    assert alice.propfind("/dav/alice/copied/", DAV.resourcetype).status == 404
    assert set(alice.propfind(book, DAV.getetag, depth="1").multistatus()) == {
        book,
        book + "small.vcf",
        book + "zz-large.vcf",
    }
    resource.prlimit(club.pid, resource.RLIMIT_FSIZE, (hard, hard))
    assert alice.copy(book, "/dav/alice/copied/").status == 201
    assert alice.get("/dav/alice/copied/zz-large.vcf").status == 200
