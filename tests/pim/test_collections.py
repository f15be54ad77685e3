"""Making, changing, moving and removing collections, and their properties."""

from __future__ import annotations

import json
import shutil

import pytest

from davserver.dav.names import APPLE, CALDAV, CALSERVER, CARDDAV, DAV
from tests.harness import NAMESPACES, Dav, Server
from tests.pim.samples import event, mkcalendar, mkcol

NOTE = "{urn:example:x}note"


@pytest.mark.rfc("4791", "5.3.1")
def test_a_calendar_is_made_with_the_properties_of_the_request(mine: Dav, shared: Server) -> None:
    inner = (
        "<D:displayname>Trips &amp; more</D:displayname>"
        "<ICAL:calendar-color symbolic-color='red'>#FF0000FF</ICAL:calendar-color>"
        '<C:supported-calendar-component-set><C:comp name="VTODO"/></C:supported-calendar-component-set>'
        "<C:schedule-calendar-transp><C:transparent/></C:schedule-calendar-transp>"
    )
    assert mine.mkcalendar("/dav/alice/made-whole/", mkcalendar(inner)).status == 201
    row = mine.propfind(
        "/dav/alice/made-whole/",
        DAV.resourcetype,
        DAV.displayname,
        APPLE.calendar_color,
        CALDAV.supported_calendar_component_set,
        CALDAV.schedule_calendar_transp,
    ).multistatus()["/dav/alice/made-whole/"]
    assert row.props[DAV.resourcetype].find(CALDAV.calendar) is not None
    assert row.text(DAV.displayname) == "Trips & more"
    assert row.text(APPLE.calendar_color) == "#FF0000FF"
    assert row.props[APPLE.calendar_color].get("symbolic-color") == "red"
    assert [comp.get("name") for comp in row.props[CALDAV.supported_calendar_component_set]] == ["VTODO"]
    assert row.props[CALDAV.schedule_calendar_transp].find(CALDAV.transparent) is not None
    props = json.loads((shared.data / "collections/collection-root/alice/made-whole/.Radicale.props").read_text())
    assert props == {
        "tag": "VCALENDAR",
        "D:displayname": "Trips & more",
        "ICAL:calendar-color": "#FF0000FF",
        "C:supported-calendar-component-set": "VTODO",
    }


@pytest.mark.rfc("4791", "5.2.3")
def test_a_calendar_made_without_a_component_set_takes_all_three(mine: Dav, calendar: str) -> None:
    row = mine.propfind(calendar, CALDAV.supported_calendar_component_set).multistatus()[calendar]
    components = [comp.get("name") for comp in row.props[CALDAV.supported_calendar_component_set]]
    assert components == ["VEVENT", "VTODO", "VJOURNAL"]


@pytest.mark.rfc("5689", "3")
@pytest.mark.parametrize(("kind", "name"), [("C:calendar", CALDAV.calendar), ("CR:addressbook", CARDDAV.addressbook)])
def test_extended_mkcol_makes_both_kinds_also_without_a_trailing_slash(mine: Dav, kind: str, name: str) -> None:
    path = f"/dav/alice/ext-{kind[0]}{len(kind)}"
    assert mine.mkcol(path, mkcol(kind, "<D:displayname>Made</D:displayname>")).status == 201
    row = mine.propfind(path, DAV.resourcetype, DAV.displayname).multistatus()[path + "/"]
    assert row.props[DAV.resourcetype].find(name) is not None
    assert row.text(DAV.displayname) == "Made"


@pytest.mark.rfc("5689", "3.3")
@pytest.mark.parametrize(
    "kind", ["D:principal", "CS:shared-owner", "C:calendar/><CR:addressbook"], ids=["principal", "unknown", "both"]
)
def test_a_kind_that_is_not_offered_is_refused_and_nothing_is_made(mine: Dav, shared: Server, kind: str) -> None:
    before = shared.tree()
    reply = mine.mkcol("/dav/alice/odd/", mkcol(kind))
    assert reply.status == 403
    assert reply.xml.tag == DAV.mkcol_response
    assert reply.xml.find(f".//{DAV.error}/{DAV.valid_resourcetype}") is not None
    assert shared.tree() == before


@pytest.mark.rfc("5689", "3")
def test_a_property_that_cannot_be_set_keeps_the_collection_from_being_made(mine: Dav, shared: Server) -> None:
    before = shared.tree()
    reply = mine.mkcalendar("/dav/alice/odd/", mkcalendar("<D:displayname>Odd</D:displayname><D:getetag>x</D:getetag>"))
    assert reply.status == 403
    statuses = {stat.findtext(DAV.status): [p.tag for p in stat.find(DAV.prop) or ()] for stat in reply.xml}
    assert statuses == {
        "HTTP/1.1 424 Failed Dependency": [DAV.displayname],
        "HTTP/1.1 403 Forbidden": [DAV.getetag],
    }
    assert shared.tree() == before


@pytest.mark.rfc("4791", "5.3.1.1")
def test_what_exists_is_not_made_again(mine: Dav, shared: Server, calendar: str) -> None:
    mine.put(calendar + "a.ics", event())
    before = shared.tree()
    for reply in (mine.mkcalendar(calendar), mine.mkcol(calendar), mine.mkcalendar(calendar + "a.ics")):
        assert (reply.status, reply.condition) == (405, DAV.resource_must_be_null)
    assert shared.tree() == before


@pytest.mark.rfc("4791", "5.3.1.1")
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/dav/nobody/x/", 409),
        ("/dav/x/", 403),
        ("/dav/alice/calendar/inner/", 403),
        ("/dav/alice/bob~calendar/", 403),
        ("/dav/alice/board-abcd2345/", 403),
        ("/dav/alice/polls/", 403),
    ],
)
@pytest.mark.parametrize("kind", ["calendar", "book"])
def test_collections_stand_in_homes_under_names_that_cannot_be_shown_ones(
    mine: Dav, shared: Server, path: str, status: int, kind: str
) -> None:
    mine.options("/dav/alice/")
    before = shared.tree()
    reply = mine.mkcalendar(path) if kind == "calendar" else mine.mkcol(path, mkcol("CR:addressbook"))
    assert reply.status == status
    if status == 403:
        expected = {
            "calendar": CALDAV.calendar_collection_location_ok,
            "book": CARDDAV.addressbook_collection_location_ok,
        }
        assert reply.condition == expected[kind]
    assert shared.tree() == before


@pytest.mark.rfc("4918", "9.2")
def test_properties_are_set_and_removed_all_together_or_not_at_all(mine: Dav, shared: Server, calendar: str) -> None:
    done = mine.proppatch(calendar, {DAV.displayname: "Named", NOTE: "kept"}).multistatus()[calendar]
    assert set(done.statuses.values()) == {200}
    before = shared.tree()
    refused = mine.proppatch(calendar, {DAV.displayname: "Other", DAV.getetag: "x", NOTE: "other"})
    row = refused.multistatus()[calendar]
    assert row.statuses == {DAV.displayname: 424, DAV.getetag: 403, NOTE: 424}
    assert refused.xml.find(f".//{DAV.error}/{DAV.cannot_modify_protected_property}") is not None
    assert shared.tree() == before
    mine.proppatch(calendar, {}, [NOTE, DAV.displayname])
    row = mine.propfind(calendar, NOTE, DAV.displayname).multistatus()[calendar]
    assert row.statuses[NOTE] == 404
    assert row.text(DAV.displayname) == calendar.split("/")[3]


@pytest.mark.rfc("4791", "5.2.3")
@pytest.mark.parametrize(
    "name", [CALDAV.supported_calendar_component_set, DAV.resourcetype, DAV.sync_token, CALSERVER.getctag, DAV.owner]
)
def test_protected_properties_stay(mine: Dav, shared: Server, calendar: str, name: str) -> None:
    before = shared.tree()
    assert mine.proppatch(calendar, {name: "x"}).multistatus()[calendar].statuses == {name: 403}
    assert shared.tree() == before


@pytest.mark.rfc("4791", "5.2.2")
def test_a_time_zone_that_is_none_is_refused(mine: Dav, calendar: str) -> None:
    reply = mine.proppatch(calendar, {CALDAV.calendar_timezone: "Europe/Berlin"})
    assert reply.multistatus()[calendar].statuses == {CALDAV.calendar_timezone: 403}
    assert reply.xml.find(f".//{DAV.error}/{CALDAV.valid_calendar_data}") is not None


@pytest.mark.rfc("4918", "4.3")
def test_a_property_s_language_and_inner_elements_come_back(mine: Dav, calendar: str) -> None:
    body = (
        f'<D:propertyupdate {NAMESPACES} xml:lang="de"><D:set><D:prop><D:displayname>Reisen</D:displayname>'
        '<n:note xmlns:n="urn:example:x"><n:a b="1">t</n:a></n:note></D:prop></D:set></D:propertyupdate>'
    )
    assert mine.request("PROPPATCH", calendar, body).status == 207
    row = mine.propfind(calendar, DAV.displayname, NOTE).multistatus()[calendar]
    language = "{http://www.w3.org/XML/1998/namespace}lang"
    assert (row.text(DAV.displayname), row.props[DAV.displayname].get(language)) == ("Reisen", "de")
    assert (row.props[NOTE].get(language), row.props[NOTE][0].get("b"), row.props[NOTE][0].text) == ("de", "1", "t")


def test_properties_of_collections_items_and_the_home_survive_a_restart_and_a_lost_index(club: Server) -> None:
    alice = club.client("alice")
    calendar, item = "/dav/alice/calendar/", "/dav/alice/calendar/a.ics"
    alice.put(item, event())
    for path in ("/dav/alice/", calendar, item):
        assert alice.proppatch(path, {NOTE: f"of {path}"}).status == 207
    club.stop()
    for file in club.data.glob("index.sqlite*"):
        file.unlink()
    club.start()
    for path in ("/dav/alice/", calendar, item):
        assert alice.propfind(path, NOTE).multistatus()[path].text(NOTE) == f"of {path}"


def test_a_property_or_a_number_of_them_that_is_too_large_is_507(mine: Dav, shared: Server, calendar: str) -> None:
    before = shared.tree()
    assert mine.proppatch(calendar, {NOTE: "x" * 20_000}).multistatus()[calendar].statuses == {NOTE: 507}
    many = {f"{{urn:example:x}}n{number}": "x" for number in range(120)}
    assert 507 in mine.proppatch(calendar, many).multistatus()[calendar].statuses.values()
    assert shared.tree() == before


@pytest.mark.parametrize("header", [{"Prefer": "return=minimal"}, {"Brief": "t"}])
def test_a_client_that_wants_little_gets_an_empty_answer(mine: Dav, calendar: str, header: dict[str, str]) -> None:
    reply = mine.proppatch(calendar, {APPLE.calendar_order: "3"}, headers=header)
    assert (reply.status, reply.body) == (200, b"")
    row = mine.propfind(calendar, APPLE.calendar_order, NOTE, headers=header).multistatus()[calendar]
    assert row.statuses == {APPLE.calendar_order: 200}


@pytest.mark.rfc("4918", "9.6")
def test_a_deleted_collection_goes_to_the_trash_with_its_items(club: Server) -> None:
    alice = club.client("alice")
    alice.put("/dav/alice/calendar/a.ics", event())
    assert alice.delete("/dav/alice/calendar/").status == 204
    assert alice.propfind("/dav/alice/calendar/", DAV.getetag).status == 404
    trashed = [path for path, data in club.tree().items() if data == event().encode()]
    assert [path.startswith("trash/") for path in trashed] == [True]


@pytest.mark.parametrize("path", ["/dav/", "/dav/alice/", "/dav/van/"])
def test_homes_are_not_deleted_moved_or_copied(mine: Dav, shared: Server, path: str) -> None:
    mine.options("/dav/alice/")
    before = shared.tree()
    assert mine.delete(path).status == 403
    assert mine.move(path, "/dav/alice/elsewhere/").status == 403
    assert mine.copy(path, "/dav/alice/elsewhere/").status == 403
    assert shared.tree() == before


@pytest.mark.rfc("4918", "9.9")
def test_a_collection_is_renamed_with_items_properties_and_identity(mine: Dav, calendar: str) -> None:
    mine.put(calendar + "a.ics", event())
    mine.proppatch(calendar, {NOTE: "kept", DAV.displayname: "Named"})
    identity = mine.propfind(calendar, DAV.resource_id).multistatus()[calendar].props[DAV.resource_id][0].text
    target = calendar.rstrip("/") + "-renamed/"
    assert mine.move(calendar, target, overwrite=False).status == 201
    row = mine.propfind(target, DAV.resource_id, NOTE, DAV.displayname).multistatus()[target]
    assert row.props[DAV.resource_id][0].text == identity
    assert (row.text(NOTE), row.text(DAV.displayname)) == ("kept", "Named")
    assert mine.get(target + "a.ics").body == event().encode()
    assert mine.propfind(calendar, DAV.getetag).status == 404


@pytest.mark.rfc("4918", "9.8")
def test_a_collection_is_copied_with_items_and_properties_but_is_another(mine: Dav, calendar: str) -> None:
    mine.put(calendar + "a.ics", event())
    mine.proppatch(calendar, {NOTE: "kept"})
    target = calendar.rstrip("/") + "-copied/"
    assert mine.copy(calendar, target).status == 201
    rows = {p: mine.propfind(p, DAV.resource_id, NOTE).multistatus()[p] for p in (calendar, target)}
    assert rows[target].text(NOTE) == "kept"
    assert len({row.props[DAV.resource_id][0].text for row in rows.values()}) == 2
    assert mine.get(target + "a.ics").body == event().encode()
    assert mine.copy(calendar, target, overwrite=False).status == 412
    assert mine.copy(calendar, calendar).status == 403
    assert mine.copy(calendar, target).status == 204


def test_a_folder_that_radicale_left_is_served_as_it_is(club: Server) -> None:
    club.stop()
    folder = club.data / "collections/collection-root/bob/old"
    (folder / ".Radicale.cache/item").mkdir(parents=True)
    (folder / ".Radicale.cache/item/a.ics").write_bytes(b"x")
    (folder / ".Radicale.props").write_text(
        json.dumps(
            {"tag": "VCALENDAR", "D:displayname": "Old", "{urn:example:x}note": "theirs", "ICAL:calendar-color": "#1"}
        )
    )
    (folder / "a.ics").write_text(event())
    club.start()
    bob = club.client("bob")
    rows = bob.propfind("/dav/bob/", DAV.displayname, NOTE, APPLE.calendar_color, depth="1").multistatus()
    assert set(rows) == {"/dav/bob/", "/dav/bob/old/", "/dav/bob/van~calendar/"}
    row = rows["/dav/bob/old/"]
    assert [row.text(n) for n in (DAV.displayname, NOTE, APPLE.calendar_color)] == ["Old", "theirs", "#1"]
    assert list(bob.propfind("/dav/bob/old/", DAV.getetag, depth="1").multistatus())[1:] == ["/dav/bob/old/a.ics"]
    bob.proppatch("/dav/bob/old/", {NOTE: "mine"})
    assert bob.propfind("/dav/bob/old/", NOTE).multistatus()["/dav/bob/old/"].text(NOTE) == "mine"
    assert NOTE not in json.loads((folder / ".Radicale.props").read_text())
    shutil.rmtree(folder / ".Radicale.cache")


@pytest.mark.parametrize("method", ["PROPFIND", "PROPPATCH", "REPORT", "MKCOL", "MKCALENDAR"])
@pytest.mark.parametrize(
    "body",
    [
        "<not closed",
        '<!DOCTYPE x [<!ENTITY e "x">]><x>&e;</x>',
        "<x/>",
        "<D:propfind xmlns:D='DAV:'>" + "<a>" * 100 + "</a>" * 100 + "</D:propfind>",
    ],
    ids=["open", "entity", "other", "deep"],
)
def test_xml_that_is_none_of_ours_is_refused_and_nothing_changes(
    mine: Dav, shared: Server, calendar: str, method: str, body: str
) -> None:
    path = calendar if method not in ("MKCOL", "MKCALENDAR") else "/dav/alice/odd/"
    before = shared.tree()
    assert mine.request(method, path, body, {"Depth": "0"}).status in (400, 403, 413)
    assert shared.tree() == before
