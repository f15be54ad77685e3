"""Each member's birthday calendar shows what the address books hold that the member may read, and nothing else."""

from __future__ import annotations

import tomllib

import pytest

from davserver.dav.names import CALDAV, DAV
from tests.conftest import MakeServer
from tests.harness import Dav, Reply, Server
from tests.pim.samples import card, event, mkcol, multiget, query, sync

BOOK = "/dav/alice/contacts/"
CALENDAR = "/dav/alice/birthdays/"
SHARED = "/dav/sport/people/"
ADA = card("ada", "Ada Lovelace", "BDAY:1815-12-10")
BEN = card("ben", "Ben Bell", "BDAY:--0229", version="4.0")
RULE = """
[[rule]]
path = "{}"
who = ["{}"]
may = ["{}"]
"""


@pytest.fixture
def alice(club: Server) -> Dav:
    alice = club.client("alice")
    alice.options("/dav/")
    return alice


def token_of(reply: Reply) -> str:
    """The token at the end of a synchronisation."""
    return reply.xml.findtext(DAV.sync_token) or ""


def home_of(member: Dav) -> set[str]:
    """Names of the collections that a member's home lists."""
    home = f"/dav/{member.user}/"
    rows = member.propfind(home, DAV.resourcetype, depth="1").multistatus()
    return {href.removeprefix(home).rstrip("/") for href in rows} - {""}


def shown(member: Dav, path: str | None = None) -> list[str]:
    """Summaries of a birthday calendar's events, sorted."""
    path = path or f"/dav/{member.user}/birthdays/"
    reply = member.report(path, query('<C:comp-filter name="VEVENT"/>', "<C:calendar-data/>"))
    if reply.status == 404:
        return []
    rows = reply.multistatus().values()
    texts = [row.text(CALDAV.calendar_data) or "" for row in rows]
    return sorted(line.removeprefix("SUMMARY:") for text in texts for line in text.split("\r\n") if "SUMMARY" in line)


def test_a_home_without_birthdays_has_no_birthday_calendar(alice: Dav) -> None:
    assert alice.put(BOOK + "c.vcf", card()).status == 201
    assert home_of(alice) == {"calendar", "tasks", "contacts", "van~calendar"}


def test_the_first_birthday_makes_the_calendar_and_later_ones_follow_the_cards(alice: Dav) -> None:
    alice.put(BOOK + "ada.vcf", ADA)
    assert "birthdays" in home_of(alice)
    assert shown(alice) == ["🎂 Ada Lovelace (1815)"]
    alice.put(BOOK + "ben.vcf", BEN)
    assert shown(alice) == ["🎂 Ada Lovelace (1815)", "🎂 Ben Bell"]
    alice.put(BOOK + "ada.vcf", card("ada", "Ada King", "BDAY:1815-12-11"))
    assert shown(alice) == ["🎂 Ada King (1815)", "🎂 Ben Bell"]
    alice.delete(BOOK + "ben.vcf")
    alice.put(BOOK + "ada.vcf", card("ada", "Ada King"))
    assert shown(alice) == []
    assert "birthdays" in home_of(alice)


@pytest.mark.rfc("6578", "3.2")
def test_a_synchronisation_tells_which_birthdays_changed_and_no_others(alice: Dav) -> None:
    alice.put(BOOK + "ada.vcf", ADA)
    alice.put(BOOK + "ben.vcf", BEN)
    home_of(alice)
    first = alice.report(CALENDAR, sync())
    assert len(first.multistatus()) == 2
    token = token_of(first)
    alice.put(BOOK + "eve.vcf", card("eve", "Eve", "NOTE:no birthday"))
    assert alice.report(CALENDAR, sync(token)).multistatus() == {}
    alice.put(BOOK + "ben.vcf", card("ben", "Ben Bell", "BDAY:--0301"))
    alice.delete(BOOK + "ada.vcf")
    told = alice.report(CALENDAR, sync(token)).multistatus()
    assert sorted(row.status or 200 for row in told.values()) == [200, 404]
    assert set(told) == set(first.multistatus())


def test_a_home_tells_by_its_token_that_a_birthday_changed(alice: Dav) -> None:
    alice.put(BOOK + "ada.vcf", ADA)
    token = token_of(alice.report("/dav/alice/", sync()))
    alice.put(BOOK + "ada.vcf", card("ada", "Ada", "BDAY:1815-12-11"))
    told = alice.report("/dav/alice/", sync(token)).multistatus()
    assert set(told) == {BOOK, CALENDAR}


def test_a_birthday_stands_in_every_year_it_is_asked_for(alice: Dav) -> None:
    alice.put(BOOK + "ben.vcf", BEN)
    home_of(alice)
    span = 'start="20270101T000000Z" end="20290101T000000Z"'
    data = f"<C:calendar-data><C:expand {span}/></C:calendar-data>"
    asked = query(f'<C:comp-filter name="VEVENT"><C:time-range {span}/></C:comp-filter>', data)
    (row,) = alice.report(CALENDAR, asked).multistatus().values()
    text = row.text(CALDAV.calendar_data) or ""
    assert [line[-8:] for line in text.split("\r\n") if line.startswith("DTSTART")] == ["20270228", "20280229"]


def test_the_cards_of_every_book_that_a_member_may_read_count(alice: Dav, club: Server) -> None:
    bob, carol, dora = (club.client(name) for name in ("bob", "carol", "dora"))
    assert bob.mkcol(SHARED, mkcol("CR:addressbook")).status == 201
    bob.put(SHARED + "ada.vcf", ADA)
    alice.put(BOOK + "ben.vcf", BEN)
    assert [shown(member) if home_of(member) else [] for member in (alice, bob, carol, dora)] == [
        ["🎂 Ada Lovelace (1815)", "🎂 Ben Bell"],
        ["🎂 Ada Lovelace (1815)"],
        ["🎂 Ada Lovelace (1815)"],
        [],
    ]


def test_a_book_that_the_member_took_off_the_home_does_not_count(alice: Dav, club: Server) -> None:
    bob = club.client("bob")
    bob.mkcol(SHARED, mkcol("CR:addressbook"))
    bob.put(SHARED + "ada.vcf", ADA)
    home_of(alice)
    assert shown(alice) == ["🎂 Ada Lovelace (1815)"]
    assert alice.delete("/dav/alice/sport~people/").status == 204
    assert shown(alice) == []


@pytest.mark.parametrize("how", ["query", "get", "multiget", "export", "copy", "listing", "sync"])
def test_a_right_that_ends_takes_its_birthdays_away_with_the_next_request(how: str, club: Server) -> None:
    carol, bob = club.client("carol"), club.client("bob")
    bob.mkcol(SHARED, mkcol("CR:addressbook"))
    bob.put(SHARED + "ada.vcf", ADA)
    home_of(carol)
    calendar = "/dav/carol/birthdays/"
    (item,) = carol.report(calendar, sync()).multistatus()
    assert carol.get(item).status == 200
    club.write_accounts(access=RULE.format("/dav/sport", "sport", "read"))
    if how == "query":
        assert shown(carol) == []
    elif how == "get":
        assert carol.get(item).status == 404
    elif how == "multiget":
        assert carol.report("/dav/carol/birthdays/", multiget(item)).multistatus()[item].status == 404
    elif how == "export":
        assert "Ada" not in carol.get(calendar).text
    elif how == "copy":
        assert carol.copy(item, "/dav/carol/calendar/x.ics").status == 404
    elif how == "listing":
        assert set(carol.propfind(calendar, DAV.getetag, depth="1").multistatus()) == {calendar}
    elif how == "sync":
        assert carol.report(calendar, sync()).multistatus() == {}


def test_a_group_that_a_member_leaves_takes_its_birthdays_away(club: Server) -> None:
    bob, carol = club.client("bob"), club.client("carol")
    bob.mkcol(SHARED, mkcol("CR:addressbook"))
    bob.put(SHARED + "ada.vcf", ADA)
    home_of(carol)
    assert shown(carol) == ["🎂 Ada Lovelace (1815)"]
    club.write_accounts(groups='[group.sport]\nmembers = ["alice", "bob"]\n')
    assert shown(carol) == []


def test_a_right_that_ended_while_no_server_ran_is_felt_at_the_first_request(club: Server) -> None:
    carol, bob = club.client("carol"), club.client("bob")
    bob.mkcol(SHARED, mkcol("CR:addressbook"))
    bob.put(SHARED + "ada.vcf", ADA)
    home_of(carol)
    (item,) = carol.report("/dav/carol/birthdays/", sync()).multistatus()
    club.stop()
    club.write_accounts(access="")
    club.start()
    assert club.client("carol").get(item).status == 404


def test_nobody_else_sees_a_member_s_birthdays_by_a_rule_for_the_home(alice: Dav, club: Server) -> None:
    alice.put(BOOK + "ada.vcf", ADA)
    home_of(alice)
    club.write_accounts(access=RULE.format("/dav/alice", "bob", "read"))
    bob = club.client("bob")
    assert bob.get(BOOK + "ada.vcf").status == 200
    assert bob.propfind(CALENDAR, DAV.getetag).status == 404
    assert "alice~birthdays" not in home_of(bob)


def test_whoever_is_let_in_sees_what_the_member_may_read_now(alice: Dav, club: Server) -> None:
    alice.put(BOOK + "ada.vcf", ADA)
    home_of(alice)
    rules = club.data / "collections/collection-root/alice/birthdays/.access.toml"
    rules.write_text('[[rule]]\nwho = ["dora"]\nmay = ["read"]\n')
    dora = club.client("dora")
    assert shown(dora, CALENDAR) == shown(dora, "/dav/dora/alice~birthdays/") == ["🎂 Ada Lovelace (1815)"]
    alice.delete(BOOK + "ada.vcf")
    assert shown(dora, CALENDAR) == []


@pytest.mark.rfc("3744", "5.4")
def test_a_birthday_calendar_is_read_only_and_says_so(alice: Dav, club: Server) -> None:
    alice.put(BOOK + "ada.vcf", ADA)
    home_of(alice)
    rows = alice.propfind(CALENDAR, DAV.current_user_privilege_set, depth="1").multistatus()
    for path, row in rows.items():
        told = {privilege[0].tag for privilege in row.props[DAV.current_user_privilege_set]}
        assert DAV.read in told
        assert told.isdisjoint({DAV.write, DAV.write_content, DAV.write_properties, DAV.bind, DAV.all})
        assert path == CALENDAR or DAV.unbind not in told
    (item,) = rows.keys() - {CALENDAR}
    before = club.tree()
    for reply in (
        alice.put(item, event()),
        alice.put(CALENDAR + "x.ics", event()),
        alice.delete(item),
        alice.move(item, "/dav/alice/calendar/x.ics"),
    ):
        assert (reply.status, reply.condition) == (403, DAV.need_privileges)
    assert club.tree() == before


def test_a_member_who_deletes_the_calendar_does_not_find_it_again_until_its_line_goes(alice: Dav, club: Server) -> None:
    alice.put(BOOK + "ada.vcf", ADA)
    home_of(alice)
    assert alice.delete(CALENDAR).status == 204
    file = club.data / "homes/alice/collections.toml"
    assert tomllib.loads(file.read_text()) == {"birthdays": {"hidden": True}}
    assert not list((club.data / "trash").rglob("*.ics"))
    alice.put(BOOK + "ben.vcf", BEN)
    assert "birthdays" not in home_of(alice)
    assert alice.propfind(CALENDAR, DAV.getetag).status == 404
    club.restart()
    assert "birthdays" not in home_of(alice)
    assert alice.put("/files/Home/collections.toml", "").status == 204
    assert "birthdays" in home_of(alice)
    assert len(shown(alice)) == 2


def test_a_calendar_of_that_name_which_the_member_made_is_left_alone(alice: Dav) -> None:
    assert alice.mkcalendar(CALENDAR).status == 201
    alice.put(CALENDAR + "own.ics", event("own", "Mine"))
    alice.put(BOOK + "ada.vcf", ADA)
    assert {"birthdays", "birthdays-2"} <= home_of(alice)
    assert shown(alice, "/dav/alice/birthdays-2/") == ["🎂 Ada Lovelace (1815)"]
    assert shown(alice) == ["Mine"]
    assert alice.put(CALENDAR + "more.ics", event("more")).status == 201


def test_a_member_may_name_and_rename_the_calendar(alice: Dav) -> None:
    alice.put(BOOK + "ada.vcf", ADA)
    home_of(alice)
    alice.proppatch(CALENDAR, {DAV.displayname: "Cake"})
    assert alice.move(CALENDAR, "/dav/alice/cake/").status == 201
    alice.put(BOOK + "ben.vcf", BEN)
    assert "birthdays" not in home_of(alice)
    assert len(shown(alice, "/dav/alice/cake/")) == 2
    row = alice.propfind("/dav/alice/cake/", DAV.displayname).multistatus()["/dav/alice/cake/"]
    assert row.text(DAV.displayname) == "Cake"


def test_a_calendar_that_was_handed_over_shows_nothing_of_its_former_member(alice: Dav, club: Server) -> None:
    bob = club.client("bob")
    alice.put(BOOK + "ada.vcf", ADA)
    bob.put("/dav/bob/contacts/ben.vcf", BEN)
    home_of(alice)
    home_of(bob)
    club.stop()
    root = club.data / "collections/collection-root"
    (root / "alice/birthdays").rename(root / "bob/a-birthdays")
    club.start()
    bob = club.client("bob")
    assert shown(bob, "/dav/bob/a-birthdays/") == ["🎂 Ben Bell"]
    assert "birthdays" not in home_of(bob)


def test_the_administrator_switches_birthday_calendars_off(make_server: MakeServer) -> None:
    server = make_server().start()
    alice = server.client("alice")
    alice.options("/dav/")
    alice.put(BOOK + "ada.vcf", ADA)
    assert "birthdays" in home_of(alice)
    server.stop()
    server.config.write_text("birthday_calendars = false\n" + server.config.read_text())
    server.start()
    assert alice.propfind(CALENDAR, DAV.getetag).status == 404
    assert "birthdays" not in home_of(alice)


def test_names_are_in_the_configured_language(make_server: MakeServer) -> None:
    server = make_server()
    server.config.write_text('language = "fr"\n' + server.config.read_text())
    server.start()
    alice = server.client("alice")
    alice.options("/dav/")
    alice.put(BOOK + "ada.vcf", ADA)
    home_of(alice)
    row = alice.propfind(CALENDAR, DAV.displayname).multistatus()[CALENDAR]
    assert row.text(DAV.displayname) == "Anniversaires"
    assert "CATEGORIES:Anniversaire\r\n" in alice.get(CALENDAR).text
