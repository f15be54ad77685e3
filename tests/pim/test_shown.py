"""What a home shows without owning it: every rule of shown collections over the wire."""

from __future__ import annotations

import tomllib

import pytest

from davserver.dav.names import APPLE, CALDAV, CARDDAV, DAV
from tests.harness import Dav, Server
from tests.pim.samples import event, multiget, sync

OPEN = "/dav/alice/open/"
SHOWN = "/dav/carol/alice~open/"


@pytest.fixture
def alice(club: Server) -> Dav:
    alice = club.client("alice")
    assert alice.mkcalendar(OPEN).status == 201
    assert alice.put(OPEN + "a.ics", event()).status == 201
    assert alice.mkcalendar("/dav/sport/training/").status == 201
    return alice


@pytest.fixture
def carol(club: Server, alice: Dav) -> Dav:
    carol = club.client("carol")
    carol.options("/dav/")
    return carol


def home_of(member: Dav) -> set[str]:
    """Names of the collections that a member's home lists."""
    home = f"/dav/{member.user}/"
    rows = member.propfind(home, DAV.resourcetype, depth="1").multistatus()
    return {href.removeprefix(home).rstrip("/") for href in rows} - {""}


def test_a_home_lists_what_the_member_may_read_and_nothing_else(carol: Dav, club: Server) -> None:
    own = {"calendar", "tasks", "contacts", "van~calendar"}
    assert home_of(carol) == own | {"alice~open", "sport~training"}
    assert home_of(club.client("bob")) == own | {"sport~training"}
    assert home_of(club.client("dora")) == own | {"alice~open"}


def test_both_urls_are_one_resource(carol: Dav) -> None:
    names = (DAV.resource_id, DAV.owner, DAV.sync_token)
    rows = {path: carol.propfind(path, *names).multistatus()[path] for path in (OPEN, SHOWN)}
    values = [[next(iter(row.props[n].itertext()), None) for n in names] for row in rows.values()]
    assert values[0] == values[1]
    assert carol.get(SHOWN + "a.ics").etag == carol.get(OPEN + "a.ics").etag
    token = carol.propfind(OPEN, DAV.sync_token).multistatus()[OPEN].text(DAV.sync_token) or ""
    assert carol.report(SHOWN, sync(token)).multistatus() == {}


def test_hrefs_begin_with_the_path_that_was_asked(carol: Dav) -> None:
    assert set(carol.propfind(SHOWN, DAV.getetag, depth="1").multistatus()) == {SHOWN, SHOWN + "a.ics"}
    assert set(carol.report(SHOWN, sync()).multistatus()) == {SHOWN + "a.ics"}
    asked = [SHOWN + "a.ics", OPEN + "a.ics"]
    assert set(carol.report(SHOWN, multiget(*asked)).multistatus()) == set(asked)


def test_a_conflict_names_the_holder_by_the_path_that_was_asked(club: Server, alice: Dav) -> None:
    bob = club.client("bob")
    shown = "/dav/bob/sport~training/"
    assert bob.put(shown + "a.ics", event()).status == 201
    reply = bob.put(shown + "b.ics", event())
    assert (reply.status, reply.condition, reply.hrefs) == (403, CALDAV.no_uid_conflict, [shown + "a.ics"])


@pytest.mark.rfc("4918", "9.9.4")
def test_moving_from_one_url_to_the_other_is_onto_itself(club: Server, alice: Dav) -> None:
    bob = club.client("bob")
    bob.put("/dav/sport/training/a.ics", event())
    before = club.tree()
    for transfer in (bob.move, bob.copy):
        assert transfer("/dav/sport/training/a.ics", "/dav/bob/sport~training/a.ics").status == 403
        assert transfer("/dav/sport/training/", "/dav/bob/sport~training/").status == 403
    assert club.tree() == before


def test_shown_names_resolve_for_that_member_alone(carol: Dav, club: Server) -> None:
    dora = club.client("dora")
    for path in (SHOWN, SHOWN + "a.ics"):
        assert dora.propfind(path, DAV.getetag).status == 404
    assert dora.get(SHOWN + "a.ics").status == 404
    rows = dora.propfind("/dav/carol/", DAV.resourcetype, depth="1").multistatus()
    assert set(rows) == {"/dav/carol/"}
    assert set(dora.propfind("/dav/alice/", DAV.resourcetype, depth="1").multistatus()) == {"/dav/alice/", OPEN}


@pytest.mark.rfc("4791", "5.3.1.1")
def test_nobody_takes_a_name_that_could_be_a_shown_one(carol: Dav, club: Server) -> None:
    before = club.tree()
    for name in ("bob~x", "board-abcd2345", "~"):
        reply = carol.mkcalendar(f"/dav/carol/{name}/")
        assert (reply.status, reply.condition) == (403, CALDAV.calendar_collection_location_ok)
    reply = carol.move("/dav/carol/contacts/", "/dav/carol/bob~contacts/")
    assert (reply.status, reply.condition) == (403, CARDDAV.addressbook_collection_location_ok)
    assert {path for path in club.tree() if "carol" not in path} == {path for path in before if "carol" not in path}


def test_a_folder_already_on_disk_with_that_name_wins(carol: Dav, club: Server) -> None:
    carol.options("/dav/carol/")
    folder = club.data / "collections/collection-root/carol/alice~open"
    folder.mkdir()
    (folder / ".Radicale.props").write_text('{"tag": "VCALENDAR", "D:displayname": "My own"}')
    row = carol.propfind(SHOWN, DAV.displayname).multistatus()[SHOWN]
    assert row.text(DAV.displayname) == "My own"
    assert len([name for name in home_of(carol) if name == "alice~open"]) == 1
    assert carol.get(SHOWN + "a.ics").status == 404


def test_deleting_a_shown_collection_takes_it_off_this_home_and_touches_nothing_else(
    carol: Dav, club: Server, alice: Dav
) -> None:
    assert carol.delete(SHOWN).status == 204
    assert carol.propfind(SHOWN, DAV.getetag).status == carol.get(SHOWN + "a.ics").status == 404
    assert "alice~open" not in home_of(carol)
    assert "alice~open" in home_of(club.client("dora"))
    assert alice.get(OPEN + "a.ics").status == 200
    assert carol.get(OPEN + "a.ics").status == 200
    file = club.data / "homes/carol/collections.toml"
    assert tomllib.loads(file.read_text()) == {"alice~open": {"hidden": True}}
    file.write_text("")
    assert "alice~open" in home_of(carol)


def test_deleting_on_the_canonical_url_needs_the_right(carol: Dav, club: Server) -> None:
    before = club.tree()
    reply = carol.delete(OPEN)
    assert (reply.status, reply.condition) == (403, DAV.need_privileges)
    assert club.tree() == before


def test_name_colour_and_order_of_a_shown_collection_are_the_member_s_own(carol: Dav, club: Server, alice: Dav) -> None:
    file = club.data / "homes/carol/collections.toml"
    carol.options("/dav/carol/")
    file.parent.mkdir(exist_ok=True)
    file.write_text("# mine\n['sport~training']\ncolor = '#111111' # kept\n")
    transp = "<C:transparent xmlns:C='urn:ietf:params:xml:ns:caldav'/>"
    mine = {DAV.displayname: "Alice's", APPLE.calendar_color: "#00ff00", APPLE.calendar_order: "7"}
    assert set(carol.proppatch(SHOWN, mine).multistatus()[SHOWN].statuses.values()) == {200}
    body = f"<D:propertyupdate xmlns:D='DAV:' xmlns:C='{CALDAV}'><D:set><D:prop><C:schedule-calendar-transp>{transp}"
    body += "</C:schedule-calendar-transp></D:prop></D:set></D:propertyupdate>"
    assert carol.request("PROPPATCH", SHOWN, body).status == 207
    row = carol.propfind(SHOWN, *mine, CALDAV.schedule_calendar_transp).multistatus()[SHOWN]
    assert {name: row.text(name) for name in mine} == mine
    assert row.props[CALDAV.schedule_calendar_transp].find(CALDAV.transparent) is not None
    theirs = alice.propfind(OPEN, *mine).multistatus()[OPEN]
    assert theirs.text(DAV.displayname) == "open"
    assert theirs.statuses[APPLE.calendar_color] == 404
    text = file.read_text()
    assert "# mine" in text
    assert "# kept" in text
    kept = tomllib.loads(text)["alice~open"]
    assert (kept["displayname"], kept["color"], kept["order"]) == ("Alice's", "#00ff00", 7)
    carol.proppatch(SHOWN, {}, [DAV.displayname])
    assert carol.propfind(SHOWN, DAV.displayname).multistatus()[SHOWN].text(DAV.displayname) == "open"


def test_other_properties_of_a_shown_collection_need_the_right_to_write(carol: Dav, club: Server) -> None:
    carol.options("/dav/carol/")
    before = club.tree()
    reply = carol.proppatch(SHOWN, {CALDAV.calendar_description: "x", APPLE.calendar_color: "#1"})
    assert (reply.status, reply.condition) == (403, DAV.need_privileges)
    assert club.tree() == before


def test_a_broken_file_of_one_s_own_hides_nothing_and_is_not_overwritten(carol: Dav, club: Server) -> None:
    carol.options("/dav/carol/")
    file = club.data / "homes/carol/collections.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_text("[alice~open\nhidden = true")
    assert "alice~open" in home_of(carol)
    assert carol.delete(SHOWN).status == 422
    assert file.read_text() == "[alice~open\nhidden = true"


def test_what_is_shown_read_only_says_so(carol: Dav) -> None:
    row = carol.propfind(SHOWN, DAV.current_user_privilege_set).multistatus()[SHOWN]
    held = {privilege[0].tag for privilege in row.props[DAV.current_user_privilege_set]}
    assert DAV.read in held
    assert not {DAV.write, DAV.write_content, DAV.write_properties, DAV.bind, DAV.unbind} & held


def test_a_right_that_ends_takes_the_collection_off_the_home_with_the_next_request(carol: Dav, club: Server) -> None:
    assert "alice~open" in home_of(carol)
    club.write_accounts(access="")
    assert "alice~open" not in home_of(carol)
    assert carol.get(SHOWN + "a.ics").status == 404


def test_a_refusal_names_the_resource_by_the_path_that_was_asked(carol: Dav) -> None:
    refused = {
        SHOWN + "a.ics": carol.delete(SHOWN + "a.ics"),
        SHOWN.rstrip("/"): carol.put(SHOWN + "b.ics", event("b")),
    }
    carol.put("/dav/carol/calendar/c.ics", event("c"))
    refused |= {SHOWN.rstrip("/") + " ": carol.move("/dav/carol/calendar/c.ics", SHOWN + "c.ics")}
    for path, reply in refused.items():
        assert (reply.status, reply.condition, reply.hrefs) == (403, DAV.need_privileges, [path.strip()])


def test_the_member_s_own_file_is_not_changed_while_an_editor_has_it_locked(carol: Dav, club: Server) -> None:
    file = "/files/Home/collections.toml"
    assert carol.put(file, "# mine\n").status == 201
    token = carol.lock(file).lock_token
    before = club.tree()
    for reply in (carol.delete(SHOWN), carol.proppatch(SHOWN, {DAV.displayname: "x"})):
        assert reply.status == 503
        assert int(reply.headers["retry-after"]) > 0
    assert club.tree() == before
    assert carol.unlock(file, token).status == 204
    assert carol.delete(SHOWN).status == 204
    assert "# mine" in carol.get(file).text


def test_the_member_s_own_file_may_hold_inline_tables(carol: Dav, club: Server) -> None:
    carol.put("/files/Home/collections.toml", '"alice~open" = { color = "#123456" }\n')
    assert carol.proppatch(SHOWN, {DAV.displayname: "Hers"}).status == 207
    kept = tomllib.loads((club.data / "homes/carol/collections.toml").read_text())
    assert kept == {"alice~open": {"color": "#123456", "displayname": "Hers"}}
