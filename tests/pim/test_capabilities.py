"""What each kind of resource says of itself: its methods, live properties, reports and id, and no locks."""

from __future__ import annotations

import shutil
from uuid import UUID

import pytest

from davserver.dav.names import CALDAV, CARDDAV, DAV
from tests.harness import Dav, Server
from tests.pim.samples import card, event

READING = {"OPTIONS", "GET", "HEAD", "PROPFIND", "REPORT"}
METHODS = {
    "root": READING,
    "home": READING | {"PROPPATCH"},
    "calendar": READING | {"PUT", "POST", "DELETE", "PROPPATCH", "COPY", "MOVE"},
    "book": READING | {"PUT", "POST", "DELETE", "PROPPATCH", "COPY", "MOVE"},
    "folder": READING | {"DELETE", "PROPPATCH", "COPY", "MOVE"},
    "event": READING | {"PUT", "DELETE", "PROPPATCH", "COPY", "MOVE"},
    "card": READING | {"PUT", "DELETE", "PROPPATCH", "COPY", "MOVE"},
}
SHAPES = (DAV.supported_method_set, DAV.supported_live_property_set, DAV.supported_report_set, DAV.resource_id)


@pytest.fixture
def paths(mine: Dav, calendar: str, book: str) -> dict[str, str]:
    """One resource of each kind."""
    mine.mkcol("/dav/alice/a-folder/")
    assert mine.put(calendar + "a.ics", event()).status == 201
    assert mine.put(book + "a.vcf", card()).status == 201
    return {
        "root": "/dav/",
        "home": "/dav/alice/",
        "calendar": calendar,
        "book": book,
        "folder": "/dav/alice/a-folder/",
        "event": calendar + "a.ics",
        "card": book + "a.vcf",
    }


def resource_id(client: Dav, path: str) -> str:
    """The id of a resource as PROPFIND tells it."""
    row = client.propfind(path, DAV.resource_id).multistatus()[path]
    [href] = row.props[DAV.resource_id]
    assert href.tag == DAV.href
    return href.text or ""


@pytest.mark.rfc("3253", "3.1.3")
@pytest.mark.parametrize("kind", METHODS)
def test_every_kind_of_resource_lists_the_methods_that_can_succeed_on_it(
    mine: Dav, paths: dict[str, str], kind: str
) -> None:
    row = mine.propfind(paths[kind], DAV.supported_method_set).multistatus()[paths[kind]]
    listed = [method.get("name") or "" for method in row.props[DAV.supported_method_set]]
    assert METHODS[kind] <= set(listed)
    assert len(listed) == len(set(listed))
    assert not {"LOCK", "UNLOCK", "MKCOL", "MKCALENDAR"} & set(listed)
    if kind not in ("calendar", "book"):
        assert "POST" not in listed


@pytest.mark.rfc("3253", "3.1.3")
@pytest.mark.parametrize("kind", METHODS)
def test_no_listed_method_is_answered_with_405(mine: Dav, paths: dict[str, str], kind: str) -> None:
    row = mine.propfind(paths[kind], DAV.supported_method_set).multistatus()[paths[kind]]
    for method in row.props[DAV.supported_method_set]:
        reply = mine.request(method.get("name") or "", paths[kind], headers={"If-Match": '"never"', "Depth": "0"})
        assert reply.status not in (405, 500, 501), method.get("name")


@pytest.mark.rfc("3253", "3.1.4")
@pytest.mark.parametrize("kind", METHODS)
def test_the_live_properties_that_are_listed_are_those_that_propname_shows(
    mine: Dav, paths: dict[str, str], kind: str
) -> None:
    path = paths[kind]
    row = mine.propfind(path, DAV.supported_live_property_set).multistatus()[path]
    listed = {prop[0].tag for prop in row.props[DAV.supported_live_property_set].iter(DAV.prop)}
    names = mine.propfind(path, body='<propfind xmlns="DAV:"><propname/></propfind>').multistatus()[path].props
    assert set(names) <= listed
    assert set(SHAPES) <= listed
    assert not {DAV.lockdiscovery, DAV.supportedlock} & listed


@pytest.mark.rfc("4918", "9.1.4")
@pytest.mark.parametrize("kind", METHODS)
def test_every_name_that_propname_lists_has_a_value(mine: Dav, paths: dict[str, str], kind: str) -> None:
    path = paths[kind]
    names = mine.propfind(path, body='<propfind xmlns="DAV:"><propname/></propfind>').multistatus()[path].props
    statuses = mine.propfind(path, *names).multistatus()[path].statuses
    assert statuses == dict.fromkeys(names, 200)


@pytest.mark.rfc("3253", "3.1.5")
@pytest.mark.parametrize("kind", METHODS)
def test_every_kind_of_resource_lists_reports_that_it_answers(mine: Dav, paths: dict[str, str], kind: str) -> None:
    row = mine.propfind(paths[kind], DAV.supported_report_set).multistatus()[paths[kind]]
    listed = [report[0].tag for report in row.props[DAV.supported_report_set].iter(DAV.report)]
    assert DAV.expand_property in listed
    for name in listed:
        space, _, local = name[1:].partition("}")
        reply = mine.report(paths[kind], f'<x:{local} xmlns:x="{space}"/>')
        assert reply.condition != DAV.supported_report, name


@pytest.mark.rfc("4918", "15.9")
@pytest.mark.parametrize(
    ("kind", "types"),
    [
        ("root", [DAV.collection]),
        ("home", [DAV.collection, DAV.principal]),
        ("calendar", [DAV.collection, CALDAV.calendar]),
        ("book", [DAV.collection, CARDDAV.addressbook]),
        ("folder", [DAV.collection]),
        ("event", []),
    ],
)
def test_resourcetype_says_what_a_resource_is(mine: Dav, paths: dict[str, str], kind: str, types: list[str]) -> None:
    row = mine.propfind(paths[kind], DAV.resourcetype).multistatus()[paths[kind]]
    assert [child.tag for child in row.props[DAV.resourcetype]] == types


@pytest.mark.rfc("5842", "3.1")
def test_every_resource_has_an_id_of_its_own_that_is_a_uuid(mine: Dav, paths: dict[str, str]) -> None:
    ids = [resource_id(mine, path) for path in paths.values()]
    assert len(set(ids)) == len(ids)
    for text in ids:
        assert UUID(text.removeprefix("urn:uuid:")).urn == text


@pytest.mark.rfc("5842", "3.1")
def test_a_listing_gives_each_item_its_own_id(mine: Dav, calendar: str) -> None:
    for name in ("a", "b"):
        mine.put(f"{calendar}{name}.ics", event(name))
    rows = mine.propfind(calendar, DAV.resource_id, DAV.getetag, depth="1").multistatus()
    told = {href: row.props[DAV.resource_id][0].text for href, row in rows.items()}
    assert told == {href: resource_id(mine, href) for href in rows}
    assert len(set(told.values())) == 3


@pytest.mark.rfc("5842", "3.1")
def test_an_id_stays_through_renaming_and_changing(mine: Dav, calendar: str) -> None:
    mine.put(calendar + "a.ics", event())
    whole, item = resource_id(mine, calendar), resource_id(mine, calendar + "a.ics")
    mine.put(calendar + "a.ics", event(summary="Changed"))
    assert mine.move(calendar + "a.ics", calendar + "b.ics").status == 201
    renamed = calendar.rstrip("/") + "-renamed/"
    assert mine.move(calendar, renamed).status == 201
    assert (resource_id(mine, renamed), resource_id(mine, renamed + "b.ics")) == (whole, item)


@pytest.mark.rfc("5842", "3.1")
def test_a_new_collection_under_an_old_name_has_another_id(mine: Dav, calendar: str) -> None:
    first = resource_id(mine, calendar)
    mine.delete(calendar)
    mine.mkcalendar(calendar)
    assert resource_id(mine, calendar) != first


@pytest.mark.rfc("5842", "3.1")
def test_a_copy_has_other_ids(mine: Dav, calendar: str) -> None:
    mine.put(calendar + "a.ics", event())
    copied = calendar.rstrip("/") + "-copied/"
    assert mine.copy(calendar, copied).status == 201
    assert resource_id(mine, copied) != resource_id(mine, calendar)
    assert resource_id(mine, copied + "a.ics") != resource_id(mine, calendar + "a.ics")


@pytest.mark.rfc("5842", "3.1")
def test_a_shown_calendar_has_the_ids_of_the_one_it_is(mine: Dav, shared: Server) -> None:
    mine.mkcalendar("/dav/sport/matches/")
    mine.put("/dav/sport/matches/a.ics", event())
    for name in ("", "a.ics"):
        assert resource_id(mine, f"/dav/alice/sport~matches/{name}") == resource_id(mine, f"/dav/sport/matches/{name}")


def test_ids_outlive_a_restart_and_a_lost_index(club: Server) -> None:
    alice = club.client("alice")
    alice.put("/dav/alice/calendar/a.ics", event())
    paths = ("/dav/alice/", "/dav/alice/calendar/", "/dav/alice/calendar/a.ics")
    before = [resource_id(alice, path) for path in paths]
    club.stop()
    for file in club.data.glob("index.sqlite*"):
        file.unlink()
    club.start()
    assert [resource_id(alice, path) for path in paths] == before


def test_a_folder_that_is_copied_on_disk_is_not_taken_for_the_first(club: Server) -> None:
    alice = club.client("alice")
    first = resource_id(alice, "/dav/alice/calendar/")
    club.stop()
    home = club.data / "collections/collection-root/alice"
    shutil.copytree(home / "calendar", home / "restored")
    club.start()
    assert resource_id(alice, "/dav/alice/restored/") != first
    assert resource_id(alice, "/dav/alice/calendar/") == first


@pytest.mark.rfc("3744", "5.1")
def test_everything_in_a_home_has_its_owner_and_the_root_has_none(mine: Dav, paths: dict[str, str]) -> None:
    for kind, path in paths.items():
        row = mine.propfind(path, DAV.owner).multistatus()[path]
        told = [href.text for href in row.props[DAV.owner]] if DAV.owner in row.props else None
        assert told == (None if kind == "root" else ["/dav/alice/"]), kind


@pytest.mark.parametrize("kind", METHODS)
@pytest.mark.parametrize("method", ["LOCK", "UNLOCK"])
def test_nothing_is_locked_here(mine: Dav, shared: Server, paths: dict[str, str], kind: str, method: str) -> None:
    before = shared.tree()
    reply = mine.lock(paths[kind]) if method == "LOCK" else mine.unlock(paths[kind], "urn:uuid:1")
    assert reply.status == 405
    allowed = reply.headers["allow"].split(", ")
    assert not {"LOCK", "UNLOCK"} & set(allowed)
    assert "lock-token" not in reply.headers
    assert shared.tree() == before
    statuses = mine.propfind(paths[kind], DAV.supportedlock, DAV.lockdiscovery).multistatus()[paths[kind]].statuses
    assert statuses == {DAV.supportedlock: 404, DAV.lockdiscovery: 404}


@pytest.mark.rfc("4918", "18")
@pytest.mark.parametrize("path", ["/dav/", "/dav/alice/", "/dav/nobody/here/"])
def test_class_2_is_not_announced_and_post_is_allowed(mine: Dav, path: str) -> None:
    reply = mine.options(path)
    assert reply.status == 200
    classes = [part.strip() for part in reply.headers["dav"].split(",")]
    assert classes == list(dict.fromkeys(classes))
    assert {"1", "3", "calendar-access", "addressbook", "extended-mkcol", "access-control"} <= set(classes)
    assert "2" not in classes
    assert {"POST", "PUT", "MKCALENDAR", "MKCOL", "REPORT"} <= set(reply.headers["allow"].split(", "))
    assert "LOCK" not in reply.headers["allow"]
