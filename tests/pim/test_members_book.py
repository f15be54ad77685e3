"""The members' book: every member finds every other one in the own address books, and nobody writes into it."""

from __future__ import annotations

import pytest

from davserver.dav.names import CARDDAV, DAV
from tests.conftest import MakeServer
from tests.harness import ACCESS, Dav, Reply, Server, users_toml
from tests.pim.samples import card, card_query, multiget, sync

BOOK = "/dav/all-users/members/"
SHOWN = "/dav/alice/all-users~members/"
ON = "[directory]\nmembers_book = true\n"


@pytest.fixture
def club(make_server: MakeServer) -> Server:
    return make_server(settings=ON).start()


@pytest.fixture
def alice(club: Server) -> Dav:
    alice = club.client("alice")
    alice.options("/dav/")
    return alice


def token_of(reply: Reply) -> str:
    """The token at the end of a synchronisation."""
    return reply.xml.findtext(DAV.sync_token) or ""


def names_in(member: Dav, path: str = BOOK) -> set[str]:
    rows = member.propfind(path, DAV.getetag, depth="1").multistatus()
    return {href.removeprefix(path).removesuffix(".vcf") for href in rows} - {""}


def test_every_member_s_home_shows_a_book_with_a_card_of_each_member_and_group(alice: Dav, club: Server) -> None:
    rows = alice.propfind("/dav/alice/", DAV.displayname, DAV.resourcetype, depth="1").multistatus()
    assert rows[SHOWN].text(DAV.displayname) == "Members"
    assert CARDDAV.addressbook in {kind.tag for kind in rows[SHOWN].props[DAV.resourcetype]}
    assert names_in(alice, SHOWN) == {"alice", "bob", "carol", "dora", "sport", "board"}
    text = club.client("dora").get("/dav/dora/all-users~members/bob.vcf").text
    assert "FN:Bob\r\n" in text
    assert "EMAIL;TYPE=INTERNET,PREF:bob@example.org\r\n" in text
    assert "CATEGORIES:sport\r\n" in text


def test_the_book_is_searched_and_its_cards_are_fetched(alice: Dav) -> None:
    asked = card_query('<CR:prop-filter name="EMAIL"><CR:text-match>carol@</CR:text-match></CR:prop-filter>')
    (found,) = alice.report(SHOWN, asked).multistatus()
    assert found == SHOWN + "carol.vcf"
    rows = alice.report(SHOWN, multiget(found, kind="CR:addressbook", data="<CR:address-data/>")).multistatus()
    assert "FN:Carol" in (rows[found].text(CARDDAV.address_data) or "")


def test_a_new_account_appears_with_the_next_synchronisation_and_an_unchanged_card_stays(
    alice: Dav, club: Server
) -> None:
    token = token_of(alice.report(SHOWN, sync()))
    etag = alice.get(SHOWN + "bob.vcf").etag
    club.write_accounts(users=users_toml(("alice", "bob", "carol", "dora", "emil")))
    told = alice.report(SHOWN, sync(token)).multistatus()
    assert set(told) == {SHOWN + "emil.vcf"}
    assert alice.get(SHOWN + "bob.vcf").etag == etag


def test_an_account_that_goes_or_is_disabled_leaves_the_book(alice: Dav, club: Server) -> None:
    token = token_of(alice.report(SHOWN, sync()))
    users = users_toml(("alice", "bob", "carol")).replace("[user.bob]\n", "[user.bob]\ndisabled = true\n")
    club.write_accounts(users=users)
    told = alice.report(SHOWN, sync(token)).multistatus()
    assert {href: row.status for href, row in told.items()} == {
        SHOWN + "bob.vcf": 404,
        SHOWN + "dora.vcf": 404,
        SHOWN + "sport.vcf": None,
    }


def test_a_start_without_other_accounts_changes_nothing(alice: Dav, club: Server) -> None:
    token = token_of(alice.report(SHOWN, sync()))
    club.restart()
    assert alice.report(SHOWN, sync(token)).multistatus() == {}


@pytest.mark.rfc("3744", "5.4")
@pytest.mark.parametrize("path", [BOOK, SHOWN])
def test_nobody_writes_into_the_book_and_programs_are_told(path: str, alice: Dav, club: Server) -> None:
    rows = alice.propfind(path, DAV.current_user_privilege_set, depth="1").multistatus()
    writing = {DAV.write, DAV.write_content, DAV.write_properties, DAV.bind, DAV.unbind, DAV.all}
    for row in rows.values():
        told = {privilege[0].tag for privilege in row.props[DAV.current_user_privilege_set]}
        assert DAV.read in told
        assert not told & writing
    before = club.tree()
    for reply in (
        alice.put(path + "bob.vcf", card()),
        alice.put(path + "new.vcf", card()),
        alice.delete(path + "bob.vcf"),
        alice.move(path + "bob.vcf", "/dav/alice/contacts/bob.vcf"),
        alice.delete(BOOK),
    ):
        assert (reply.status, reply.condition) == (403, DAV.need_privileges)
    assert club.tree() == before


def test_the_world_does_not_see_the_book(club: Server) -> None:
    anonymous = club.client()
    for path in (BOOK, BOOK + "bob.vcf"):
        assert anonymous.get(path).status == 401


def test_a_member_takes_the_book_off_the_own_home_alone(alice: Dav, club: Server) -> None:
    assert alice.delete(SHOWN).status == 204
    assert SHOWN not in alice.propfind("/dav/alice/", DAV.getetag, depth="1").multistatus()
    bob = club.client("bob")
    assert "/dav/bob/all-users~members/" in bob.propfind("/dav/bob/", DAV.getetag, depth="1").multistatus()
    assert "bob" in names_in(alice)


def test_members_principals_name_the_book_as_directory_and_it_says_that_it_is_one(alice: Dav) -> None:
    row = alice.propfind("/dav/alice/", CARDDAV.directory_gateway).multistatus()["/dav/alice/"]
    assert [href.text for href in row.props[CARDDAV.directory_gateway]] == [BOOK]
    row = alice.propfind("/dav/sport/", CARDDAV.directory_gateway).multistatus()["/dav/sport/"]
    assert row.statuses[CARDDAV.directory_gateway] == 404
    for path in (BOOK, SHOWN):
        row = alice.propfind(path, DAV.resourcetype).multistatus()[path]
        assert {kind.tag for kind in row.props[DAV.resourcetype]} == {
            DAV.collection,
            CARDDAV.addressbook,
            CARDDAV.directory,
        }
    row = alice.propfind("/dav/alice/contacts/", DAV.resourcetype).multistatus()["/dav/alice/contacts/"]
    assert CARDDAV.directory not in {kind.tag for kind in row.props[DAV.resourcetype]}


def test_the_directory_property_is_protected_and_no_part_of_allprop(alice: Dav, club: Server) -> None:
    assert CARDDAV.directory_gateway not in alice.propfind("/dav/alice/").multistatus()["/dav/alice/"].props
    before = club.tree()
    row = alice.proppatch("/dav/alice/", {CARDDAV.directory_gateway: "x"}).multistatus()["/dav/alice/"]
    assert row.statuses == {CARDDAV.directory_gateway: 403}
    assert club.tree() == before


def test_the_administrator_switches_the_book_off(alice: Dav, club: Server) -> None:
    club.stop()
    club.write_settings("[directory]\nmembers_book = false\n")
    club.start()
    assert SHOWN not in alice.propfind("/dav/alice/", DAV.getetag, depth="1").multistatus()
    assert alice.propfind(BOOK, DAV.getetag).status == 404
    row = alice.propfind("/dav/alice/", CARDDAV.directory_gateway).multistatus()["/dav/alice/"]
    assert row.statuses[CARDDAV.directory_gateway] == 404


def test_the_book_has_its_name_in_the_configured_language(make_server: MakeServer) -> None:
    server = make_server(settings=ON)
    server.config.write_text('language = "de"\n' + server.config.read_text())
    server.start()
    dora = server.client("dora")
    row = dora.propfind(BOOK, DAV.displayname, CARDDAV.addressbook_description).multistatus()[BOOK]
    assert row.text(DAV.displayname) == "Mitglieder"
    assert row.text(CARDDAV.addressbook_description) == "Alle Mitglieder und Gruppen, vom Server geführt"


def test_the_rules_for_the_book_are_the_administrator_s_to_change(alice: Dav, club: Server) -> None:
    rule = f'\n[[rule]]\npath = "{BOOK[:-1]}"\nwho = ["world"]\nmay = ["read"]\n'
    club.write_accounts(access=ACCESS + rule)
    assert club.client().get(BOOK + "bob.vcf").status == 200
