"""Who is named in the rules of a resource (RFC 3744 §9.2)."""

from __future__ import annotations

import pytest

from davserver.dav.names import DAV
from tests.conftest import MakeServer
from tests.harness import Dav, Server
from tests.pim.samples import event
from tests.principals.conftest import ask

REPORT = "acl-principal-prop-set"
NAMED = "<D:prop><D:displayname/></D:prop>"
GROUPS = """
[group.office]
members = ["dora"]

[group.sport]
members = ["alice", "bob"]
"""
ACCESS = """
[[rule]]
path = "/dav"
who = ["office"]
may = ["admin"]

[[rule]]
path = "/dav"
who = ["bob"]
may = ["read"]

[[rule]]
path = "/dav/alice/open"
who = ["carol", "sport", "all-users", "world", "nobody"]
may = ["read"]

[[rule]]
path = "/dav/alice/open"
who = ["carol"]
may = ["write"]

[[rule]]
path = "/dav/alice/here"
who = ["carol"]
may = ["read"]
scope = "here"

[[rule]]
path = "/dav/sport"
who = ["sport"]
may = ["read", "create"]

[[rule]]
path = "/dav/sport/more"
who = ["carol"]
may = ["read"]
inherit = true
"""


@pytest.fixture(scope="module")
def club(start_server: MakeServer) -> Server:
    server = start_server(groups=GROUPS, access=ACCESS)
    alice = server.client("alice")
    for path in ("/dav/alice/open/", "/dav/alice/here/", "/dav/alice/closed/", "/dav/sport/more/"):
        assert alice.mkcalendar(path).status == 201
    for path in ("/dav/alice/open/a.ics", "/dav/alice/here/a.ics"):
        assert alice.put(path, event()).status == 201
    return server


@pytest.mark.rfc("3744", "9.2")
@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/dav/alice/open/", ["alice", "carol", "sport", "office"]),
        ("/dav/alice/open/a.ics", ["alice", "carol", "sport", "office"]),
        ("/dav/alice/here/", ["alice", "carol", "office"]),
        ("/dav/alice/here/a.ics", ["alice", "office", "bob"]),  # the rule is of the folder alone
        ("/dav/alice/closed/", ["alice", "office", "bob"]),
        ("/dav/alice/", ["alice", "office", "bob"]),
        ("/dav/sport/more/", ["carol", "sport", "office", "alice"]),  # who made it
        ("/dav/sport/", ["sport", "office"]),
        ("/dav/", ["office", "bob"]),
    ],
)
def test_those_who_hold_something_are_named_once_with_groups_and_without_what_has_no_url(
    club: Server, path: str, names: list[str]
) -> None:
    rows = ask(club.client("dora"), path, REPORT, NAMED).multistatus()
    assert list(rows) == [f"/dav/{name}/" for name in names]
    assert all(row.text(DAV.displayname) for row in rows.values())


@pytest.mark.rfc("3744", "9.2")
def test_without_properties_the_principals_are_only_named(club: Server) -> None:
    rows = ask(club.client("alice"), "/dav/alice/open/", REPORT).multistatus()
    assert [row.status for row in rows.values()] == [200] * 4


@pytest.mark.rfc("3744", "9.2")
@pytest.mark.rfc("3744", "3.6")
@pytest.mark.parametrize("path", ["/dav/alice/open/", "/dav/alice/open/a.ics", "/dav/alice/", "/dav/"])
def test_who_gives_no_rights_there_is_not_told_who_holds_them(club: Server, path: str) -> None:
    carol: Dav = club.client("carol")
    carol.options("/dav/")
    before = club.tree()
    reply = ask(carol, path, REPORT, NAMED)
    assert (reply.status, reply.condition) == (403, DAV.need_privileges)
    assert reply.xml.find(f".//{DAV.privilege}/{DAV.read_acl}") is not None
    assert club.tree() == before


def test_of_what_is_hidden_nothing_is_told(club: Server) -> None:
    assert ask(club.client("carol"), "/dav/alice/closed/", REPORT, NAMED).status == 404


def test_two_lists_of_properties_are_refused(club: Server) -> None:
    assert ask(club.client("alice"), "/dav/alice/open/", REPORT, NAMED + NAMED).status == 400


@pytest.mark.rfc("3744", "9.2")
def test_those_whom_a_calendar_s_own_rules_name_are_told(club: Server) -> None:
    alice = club.client("alice")
    assert alice.mkcalendar("/dav/alice/own/").status == 201
    rules = '[[rule]]\nwho = ["bob"]\nmay = ["read"]\n'
    assert alice.put("/files/Collections/alice/own/access.toml", rules).status == 201
    named = ask(alice, "/dav/alice/own/", REPORT, NAMED).multistatus()
    assert list(named) == ["/dav/alice/", "/dav/bob/", "/dav/office/"]


@pytest.mark.rfc("3744", "9.2")
def test_of_a_folder_that_is_closed_by_a_broken_file_only_owners_and_administrators_are_named(
    make_server: MakeServer,
) -> None:
    rules = """
[[rule]]
path = "/dav"
who = ["dora"]
may = ["admin"]

[[rule]]
path = "/dav/alice/calm"
who = ["bob"]
may = ["read"]
"""
    server = make_server(access=rules)
    folder = server.data / "collections/collection-root/alice/calm"
    folder.mkdir(parents=True)
    (folder / ".Radicale.props").write_text('{"tag": "VCALENDAR"}')
    (folder / ".access.toml").write_text("[[rule")
    alice = server.start().client("alice")
    assert list(ask(alice, "/dav/alice/calm/", REPORT, NAMED).multistatus()) == ["/dav/alice/", "/dav/dora/"]
    assert server.client("bob").propfind("/dav/alice/calm/", DAV.displayname).status == 404
