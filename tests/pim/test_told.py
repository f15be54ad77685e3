"""What is told, and how a refusal reads, where somebody holds less than ``read`` or another form of an item."""

from __future__ import annotations

import pytest

from davserver.dav.names import CALDAV, DAV
from tests.conftest import MakeServer
from tests.harness import Dav, Server
from tests.pim.conftest import ACCESS
from tests.pim.samples import event, mkcalendar, sync

DEAD = "{urn:example:notes}note"
BIND = f".//{DAV.bind}"
ACL = '<D:acl xmlns:D="DAV:"/>'


@pytest.fixture(scope="module")
def shared(start_server: MakeServer) -> Server:
    """A server of its own for this module: other tests use the calendars of the same rules."""
    return start_server(access=ACCESS)


@pytest.fixture
def carol(shared: Server) -> Dav:
    """Who may see when alice is busy, add to ``drop``, and holds nothing in bob's home."""
    return shared.client("carol")


@pytest.fixture
def restricted(shared: Server, mine: Dav) -> None:
    """The calendars of alice's that the server's rules name, each with a note and an event."""
    for name in ("busy", "drop"):
        path = f"/dav/alice/{name}/"
        said = "<C:calendar-description>Therapy</C:calendar-description>"
        mine.mkcalendar(path, mkcalendar(said))
        assert mine.proppatch(path, {DEAD: "private"}).multistatus()[path].statuses == {DEAD: 200}
        assert mine.put(path + "a.ics", event(f"told-{name}")).status in (201, 204)


@pytest.mark.rfc("3744", "7.1.1")
def test_a_principal_that_may_be_read_is_not_said_to_be_missing_when_it_is_written_to(mine: Dav) -> None:
    path = "/dav/bob/"
    assert mine.propfind(path, DAV.displayname).multistatus()[path].text(DAV.displayname) == "Bob"
    for reply in (
        mine.proppatch(path, {DEAD: "x"}),
        mine.request("ACL", path, ACL),
        mine.mkcalendar(path + "new/"),
        mine.mkcol(path + "new/"),
    ):
        assert (reply.status, reply.condition) == (403, DAV.need_privileges)


@pytest.mark.rfc("3744", "7.1.1")
def test_a_collection_copied_to_the_home_of_somebody_else_lacks_bind_there(mine: Dav, calendar: str) -> None:
    for reply in (mine.copy(calendar, "/dav/bob/new/"), mine.move(calendar, "/dav/bob/new/")):
        assert (reply.status, reply.condition) == (403, DAV.need_privileges)
        assert reply.hrefs == ["/dav/bob"]
        assert reply.xml.find(BIND) is not None
    assert mine.propfind(calendar, DAV.displayname).status == 207


@pytest.mark.rfc("3744", "7.1.1")
def test_a_calendar_of_somebody_else_s_is_refused_alike_where_one_is_hidden_and_where_nothing_is(
    shared: Server, mine: Dav
) -> None:
    bob = shared.client("bob")
    bob.mkcalendar("/dav/bob/hidden/")
    there, nowhere = mine.mkcalendar("/dav/bob/hidden/"), mine.mkcalendar("/dav/bob/nowhere/")
    assert (there.status, there.body) == (nowhere.status, nowhere.body) == (403, nowhere.body)


@pytest.mark.rfc("4791", "6.1.1")
@pytest.mark.usefixtures("restricted")
@pytest.mark.parametrize("name", ["busy", "drop"])
def test_without_read_a_calendar_s_properties_are_not_told(carol: Dav, mine: Dav, name: str) -> None:
    path = f"/dav/alice/{name}/"
    secret = (DEAD, CALDAV.calendar_description, DAV.getlastmodified)
    told = carol.propfind(path, *secret, DAV.resourcetype, DAV.current_user_privilege_set).multistatus()[path]
    assert {each: told.statuses[each] for each in secret} == dict.fromkeys(secret, 404)
    assert told.statuses[DAV.resourcetype] == told.statuses[DAV.current_user_privilege_set] == 200
    assert "private" not in carol.propfind(path).text
    names = carol.propfind(path, body='<D:propfind xmlns:D="DAV:"><D:propname/></D:propfind>').multistatus()[path]
    assert not set(secret) & set(names.props)
    assert mine.propfind(path, *secret).multistatus()[path].statuses == dict.fromkeys(secret, 200)


@pytest.mark.rfc("4791", "6.1.1")
@pytest.mark.usefixtures("restricted")
def test_who_may_only_ask_when_it_is_busy_cannot_try_out_names(carol: Dav, mine: Dav) -> None:
    assert carol.put("/dav/carol/calendar/told.ics", event("told-carol")).status in (201, 204)
    there, nowhere = "/dav/alice/busy/a.ics", "/dav/alice/busy/nothing.ics"
    before = mine.get(there).body
    for tried in (
        lambda path: carol.put(path, event("tried")),
        lambda path: carol.put(path, event("tried"), {"If-None-Match": "*"}),
        lambda path: carol.copy("/dav/carol/calendar/told.ics", path),
        lambda path: carol.move("/dav/carol/calendar/told.ics", path, overwrite=False),
    ):
        found, missed = tried(there), tried(nowhere)
        assert (found.status, found.condition) == (403, DAV.need_privileges)
        assert (found.status, found.body) == (missed.status, missed.body)
    assert mine.get(there).body == before


@pytest.mark.rfc("3744", "7.1.1")
@pytest.mark.usefixtures("restricted")
def test_a_put_over_what_is_hidden_names_the_collection_and_not_what_is_in_the_way(carol: Dav, mine: Dav) -> None:
    path = "/dav/alice/drop/"
    before = mine.get(path + "a.ics").body
    reply = carol.put(path + "a.ics", event("tried"))
    assert (reply.status, reply.condition, reply.hrefs) == (403, DAV.need_privileges, ["/dav/alice/drop"])
    assert mine.get(path + "a.ics").body == before


@pytest.mark.rfc("8144", "3.1")
@pytest.mark.usefixtures("restricted")
def test_who_may_only_add_gets_the_representation_of_what_it_added(carol: Dav) -> None:
    wanted = {"Prefer": "return=representation"}
    path = "/dav/alice/drop/"
    carol.delete(path + "mine.ics")
    carol.delete(path + "renamed.ics")
    stored = carol.put(path + "mine.ics", event("told-mine"), wanted)
    assert (stored.status, stored.headers.get("preference-applied")) == (201, "return=representation")
    assert "UID:told-mine" in stored.text
    renamed = carol.move(path + "mine.ics", path + "renamed.ics", headers=wanted)
    assert (renamed.status, renamed.headers.get("content-location")) == (201, path + "renamed.ics")
    assert carol.delete(path + "renamed.ics").status == 204


@pytest.mark.rfc("4918", "10.4.3")
def test_the_if_header_takes_the_entity_tag_of_an_item_s_json_form_as_if_match_does(mine: Dav, calendar: str) -> None:
    path = calendar + "a.ics"
    mine.put(path, event("a"))
    tag = mine.get(path, {"Accept": "application/calendar+json"}).etag
    assert tag != mine.get(path).etag
    assert mine.proppatch(path, {DEAD: "1"}, headers={"If-Match": tag}).status == 207
    assert mine.proppatch(path, {DEAD: "2"}, headers={"If": f"([{tag}])"}).status == 207
    assert mine.put(path, event("a", "Changed"), {"If": f"([{tag}])"}).status == 204
    assert mine.proppatch(path, {DEAD: "3"}, headers={"If": f"([{tag}])"}).status == 412


@pytest.mark.rfc("4918", "10.4.3")
def test_a_calendar_made_of_a_file_heeds_the_if_header(mine: Dav, shared: Server) -> None:
    before = shared.tree()
    assert mine.put("/dav/alice/imported/", event("imported"), {"If": "(<opaquelocktoken:x>)"}).status == 412
    assert shared.tree() == before


@pytest.mark.rfc("4918", "10.4.3")
@pytest.mark.usefixtures("restricted")
def test_the_sync_token_of_what_may_not_be_read_cannot_be_tried_out(carol: Dav, mine: Dav) -> None:
    path = "/dav/alice/busy/"
    token = mine.report(path, sync()).xml.findtext(DAV.sync_token)
    tried = carol.proppatch("/dav/carol/calendar/", {DEAD: "x"}, headers={"If": f"<{path}> (<{token}>)"})
    assert tried.status == 412
    assert mine.proppatch(path, {DEAD: "private"}, headers={"If": f"(<{token}>)"}).status == 207


@pytest.mark.rfc("3253", "3.8")
@pytest.mark.rfc("3744", "5.5")
def test_an_expansion_says_that_the_acl_is_kept_and_not_that_there_is_none(mine: Dav) -> None:
    body = '<D:expand-property xmlns:D="DAV:"><D:property name="acl"/><D:property name="nothing"/></D:expand-property>'
    row = mine.report("/dav/bob/", body).multistatus()["/dav/bob/"]
    assert row.statuses == {DAV.acl: 403, DAV("nothing"): 404}
