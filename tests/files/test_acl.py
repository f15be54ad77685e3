"""RFC 3744 at ``/files/``: who is given what in a folder, and the ACL method, which edits its ``access.toml``."""

from __future__ import annotations

from itertools import count

import pytest

from davserver.dav.names import CALDAV, DAV
from tests.aces import ace, in_words, listed, send
from tests.files.conftest import made
from tests.harness import Dav, Server
from tests.pim.samples import sync

RULES = """# the plan of the year

[[rule]]
who = ["dora"]  # helps
may = ["read", "freebusy"]

[[rule]]
who = ["sport"]
may = ["freebusy"]
"""
OF_LED = ["sport: read write ! < /files/Led/", "carol: all ! < /files/Led/"]
_numbers = count(1)


@pytest.mark.rfc("3744", "5.5")
def test_what_lies_in_the_own_folder_is_the_owners(alice: Dav, home: str) -> None:
    assert alice.put(f"{home}/a.txt", "a").status == 201
    assert listed(alice, home) == ["owner: all !"]
    assert listed(alice, f"{home}/a.txt") == [f"alice: all ! < {home}/"]
    assert listed(alice, "/files/Home/") == ["owner: all !"]


@pytest.mark.rfc("3744", "3.6")
def test_the_list_is_for_those_who_may_give_rights_and_withheld_from_others(bob: Dav, carol: Dav, led: str) -> None:
    assert bob.put(f"{led}/a.txt", "a").status == 201
    rows = bob.propfind(led, DAV.acl, DAV.getetag, depth="1").multistatus()
    assert {row.statuses[DAV.acl] for row in rows.values()} == {403}
    assert rows[f"{led}/a.txt"].statuses[DAV.getetag] == 200
    rows = carol.propfind(led, DAV.acl, DAV.getetag, depth="1").multistatus()
    assert [[in_words(each) for each in row.props[DAV.acl]] for row in rows.values()] == [OF_LED, OF_LED]


def test_rules_are_for_nobody_but_those_who_may_give_rights(carol: Dav, led: str) -> None:
    assert carol.put(f"{led}/access.toml", RULES).status == 201
    assert listed(carol, led) == ["dora: read", OF_LED[1]]
    assert listed(carol, f"{led}/access.toml") == [OF_LED[1]]


def test_the_list_is_answered_or_withheld_on_what_the_server_puts_together(alice: Dav, carol: Dav) -> None:
    assert alice.get("/dav/alice/").status == 200  # makes the first collections
    rows = alice.propfind("/files/", DAV.acl, depth="1").multistatus()
    assert {path: row.statuses[DAV.acl] for path, row in rows.items() if path in ("/files/", "/files/Home/")} == {
        "/files/": 403,
        "/files/Home/": 200,
    }
    rules = "/files/Collections/alice/calendar/"
    assert alice.put(f"{rules}access.toml", '[[rule]]\nwho = ["bob"]\nmay = ["read"]\n').status == 201
    assert listed(alice, rules) == ["alice: all !", "bob: read"]
    assert listed(alice, f"{rules}access.toml") == ["alice: all !"]
    assert carol.propfind("/files/Members/", DAV.acl).multistatus()["/files/Members/"].statuses == {DAV.acl: 403}


@pytest.mark.rfc("3744", "5.3")
@pytest.mark.rfc("3744", "5.6")
@pytest.mark.rfc("3744", "5.7")
def test_the_other_properties_are_answered_to_whoever_reads(bob: Dav, led: str) -> None:
    names = (DAV.supported_privilege_set, DAV.acl_restrictions, DAV.inherited_acl_set, DAV.group)
    (row,) = bob.propfind(led, *names).multistatus().values()
    assert [row.statuses[name] for name in names] == [200, 200, 200, 404]
    supported = {each[0].tag for each in row.props[DAV.supported_privilege_set].iter(DAV.privilege)}
    assert {DAV.all, DAV.read, DAV.write, DAV.bind, DAV.unbind, DAV.write_content, DAV.write_acl} < supported
    assert CALDAV.read_free_busy not in supported
    assert [child.tag for child in row.props[DAV.acl_restrictions]] == [DAV.grant_only, DAV.no_invert]
    assert len(row.props[DAV.inherited_acl_set]) == 0


@pytest.mark.rfc("3744", "5.4")
def test_who_holds_everything_is_told_so(alice: Dav, bob: Dav, home: str, led: str) -> None:
    def held(client: Dav, path: str) -> set[str]:
        (row,) = client.propfind(path, DAV.current_user_privilege_set).multistatus().values()
        return {privilege[0].tag for privilege in row.props[DAV.current_user_privilege_set]}

    assert {DAV.all, DAV.write, DAV.read, DAV.read_acl, DAV.write_acl, DAV.unlock} <= held(alice, home)
    assert DAV.all not in held(bob, led)


@pytest.mark.rfc("3744", "8.1.2")
def test_a_list_is_in_force_with_the_next_request_and_stands_in_the_file(alice: Dav, dora: Dav, home: str) -> None:
    assert alice.put(f"{home}/a.txt", "a").status == 201
    theirs = home.replace("/files/Home", "/files/Members/alice")
    assert dora.get(f"{theirs}/a.txt").status == 404
    reply = send(alice, home, ace("dora", "D:read", "D:bind"))
    assert (reply.status, reply.body) == (200, b"")
    assert alice.get(f"{home}/access.toml").text == '[[rule]]\nwho = ["dora"]\nmay = ["read", "create"]\n'
    assert listed(alice, home) == ["owner: all !", "dora: bind read"]
    assert dora.get(f"{theirs}/a.txt").text == "a"
    assert dora.put(f"{theirs}/new.txt", "n").status == 201
    assert listed(alice, f"{home}/new.txt") == [
        f"alice: all ! < {home}/",
        f"dora: bind read < {home}/",
        "dora: read unbind write-content !",
    ]
    assert send(alice, home).status == 200
    assert alice.get(f"{home}/access.toml").status == 404
    assert dora.get(f"{theirs}/a.txt").status == 404


@pytest.mark.rfc("3744", "5.5.4")
def test_what_was_inherited_stays_inherited(bob: Dav, carol: Dav, dora: Dav, led: str) -> None:
    assert send(carol, led, ace("dora", "D:read")).status == 200
    assert carol.get(f"{led}/access.toml").text == 'inherit = true\n\n[[rule]]\nwho = ["dora"]\nmay = ["read"]\n'
    assert listed(carol, led) == ["dora: read", *OF_LED]
    assert bob.put(f"{led}/a.txt", "a").status == 201
    assert dora.get(f"{led}/a.txt").status == 200


@pytest.mark.rfc("3744", "8.1")
def test_comments_and_what_is_not_shown_stay(carol: Dav, led: str) -> None:
    assert carol.put(f"{led}/access.toml", RULES).status == 201
    assert send(carol, led, ace("dora", "D:read"), ace("bob", "D:write-content")).status == 200
    assert carol.get(f"{led}/access.toml").text == f'{RULES}\n[[rule]]\nwho = ["bob"]\nmay = ["write"]\n'


@pytest.mark.rfc("3744", "8.1")
def test_a_list_that_is_sent_as_it_is_changes_nothing(carol: Dav, led: str, cloud: Server) -> None:
    assert carol.put(f"{led}/access.toml", RULES).status == 201
    before = cloud.tree(), carol.head(f"{led}/access.toml").etag, carol.propfind(led, DAV.sync_token).text
    assert send(carol, led, ace("dora", "D:read")).status == 200
    assert (cloud.tree(), carol.head(f"{led}/access.toml").etag, carol.propfind(led, DAV.sync_token).text) == before


def test_a_changed_list_is_told_to_those_who_synchronise(carol: Dav, led: str) -> None:
    token = carol.propfind(led, DAV.sync_token).multistatus()[f"{led}/"].text(DAV.sync_token) or ""
    assert send(carol, led, ace("dora", "D:read")).status == 200
    assert f"{led}/access.toml" in carol.report(led, sync(token)).multistatus()


REFUSED = [
    ("not-supported-privilege", [ace("bob", "C:read-free-busy")]),
    ("no-abstract", [ace("bob", "D:write-acl")]),
    ("recognized-principal", [ace("nobody", "D:read")]),
    ("allowed-principal", [ace("<D:unauthenticated/>", "D:read")]),
    ("grant-only", [ace("bob", "D:read").replace("grant>", "deny>")]),
    ("limited-number-of-aces", [ace("bob", "D:read")] * 501),
    (
        "no-inherited-ace-conflict",
        [ace("bob", "D:read", marks="<D:inherited><D:href>/files/Led/</D:href></D:inherited>")],
    ),
]


@pytest.mark.rfc("3744", "8.1.1")
@pytest.mark.parametrize(("condition", "aces"), REFUSED)
def test_a_list_that_cannot_be_set_exactly_is_refused_with_its_precondition(
    carol: Dav, led: str, cloud: Server, condition: str, aces: list[str]
) -> None:
    before = cloud.tree()
    reply = send(carol, led, *aces)
    assert (reply.status, reply.condition) == (403, DAV(condition))
    assert cloud.tree() == before


@pytest.mark.rfc("3744", "8.1.1")
def test_nobody_gives_on_what_they_hold_through_the_list_itself(carol: Dav, dora: Dav, led: str, cloud: Server) -> None:
    assert send(carol, led, ace("dora", "D:all"), ace("bob", "D:read")).status == 200
    before = cloud.tree()
    reply = send(dora, led, ace("dora", "D:all"), ace("<D:all/>", "D:read"))
    assert (reply.status, reply.condition) == (403, DAV.no_ace_conflict)
    assert cloud.tree() == before
    assert send(dora, led, ace("dora", "D:all")).status == 200


@pytest.mark.rfc("3744", "7.1.1")
@pytest.mark.rfc("3744", "3.8")
def test_without_the_right_to_give_rights_nothing_is_set(
    alice: Dav, bob: Dav, dora: Dav, led: str, home: str, cloud: Server
) -> None:
    before = cloud.tree()
    for path in (led, "/files/", "/files/Led/"):
        reply = send(bob, path, ace("bob", "D:all"))
        assert (reply.status, reply.condition) == (403, DAV.need_privileges)
        assert reply.xml.find(f".//{DAV.privilege}/{DAV.write_acl}") is not None
    assert send(dora, led, ace("dora", "D:all")).status == 404
    assert send(bob, home.replace("/files/Home", "/files/Members/alice"), ace("bob", "D:all")).status == 404
    assert send(alice, f"{home}/none", ace("bob", "D:read")).status == 404
    assert cloud.client().request("ACL", led).status == 401
    assert cloud.tree() == before


@pytest.mark.rfc("3744", "8.1.1")
def test_files_and_listings_have_no_rules_of_their_own(alice: Dav, home: str, cloud: Server) -> None:
    assert alice.put(f"{home}/a.txt", "a").status == 201
    assert alice.get("/dav/alice/").status == 200  # makes the first collections
    before = cloud.tree()
    for path in (f"{home}/a.txt", "/files/Collections/alice/calendar/"):
        reply = send(alice, path, ace("bob", "D:read"))
        assert (reply.status, reply.condition) == (403, DAV.no_ace_conflict)
    assert cloud.tree() == before


@pytest.mark.rfc("3744", "7.5")
def test_a_lock_of_the_folder_or_of_its_rules_guards_the_list(carol: Dav, led: str, cloud: Server) -> None:
    assert carol.put(f"{led}/access.toml", RULES).status == 201
    for path in (led, f"{led}/access.toml"):
        token = carol.lock(path).lock_token
        before = cloud.tree()
        reply = send(carol, led, ace("bob", "D:read"))
        href = f"{led}/" if path == led else path
        assert (reply.status, reply.condition, reply.hrefs) == (423, DAV.lock_token_submitted, [href])
        assert cloud.tree() == before
        if path == led:
            assert send(carol, led, headers={"If": f"(<{token}>)"}).status == 200
        assert carol.unlock(path, token).status == 204


@pytest.mark.rfc("4918", "10.4.3")
@pytest.mark.parametrize("headers", [{"If-Match": '"x"'}, {"If-None-Match": "*"}, {"If": "(<urn:no:lock>)"}])
def test_conditions_of_the_request_are_asked_first(
    carol: Dav, led: str, cloud: Server, headers: dict[str, str]
) -> None:
    before = cloud.tree()
    assert send(carol, led, ace("bob", "D:read"), headers=headers).status == 412
    assert cloud.tree() == before


def test_rules_that_bring_nobody_in_are_edited_as_well(carol: Dav, bob: Dav, led: str) -> None:
    assert carol.put(f"{led}/access.toml", "# closed\n[[rule]]\nwho = []\n").status == 201
    assert send(carol, led, ace("bob", "D:read")).status == 200
    assert carol.get(f"{led}/access.toml").text == (
        '# closed\n[[rule]]\nwho = []\n\n[[rule]]\nwho = ["bob"]\nmay = ["read"]\n'
    )
    assert bob.propfind(led, DAV.displayname).status == 207
    assert send(carol, led).status == 200
    assert bob.propfind(led, DAV.displayname).status == 404


@pytest.mark.rfc("3744", "7.2")
def test_the_method_is_announced_for_folders(alice: Dav, home: str) -> None:
    assert alice.put(f"{home}/a.txt", "a").status == 201
    folder = made(alice, f"{home}/f{next(_numbers)}")
    assert "ACL" in alice.options(folder).headers["allow"].split(", ")
    assert "ACL" in alice.options("/files/").headers["allow"].split(", ")
    assert "ACL" not in alice.options(f"{home}/a.txt").headers["allow"].split(", ")
    assert "ACL" not in alice.options("/files/Members/").headers["allow"].split(", ")
