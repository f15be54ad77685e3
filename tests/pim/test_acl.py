"""RFC 3744 below ``/dav/``: who is given what, told to those who may know, and changed by the ACL method."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from xml.etree.ElementTree import Element, canonicalize, tostring

import pytest

from auth.aces import essence
from auth.acl import Action
from davserver.dav.names import CALDAV, DAV
from davserver.mounts.privileges import OF_CALENDARS, actions_of, privileges_of, render_supported
from tests.aces import OWNER, ace, acl, in_words, listed, send
from tests.conftest import MakeServer
from tests.harness import NAMESPACES, USERS, Dav, Reply, Server
from tests.pim.samples import event, sync

ACCESS = """
[[rule]]
path = "/dav/sport"
who = ["sport"]
may = ["read", "create", "write", "delete"]

[[rule]]
path = "/dav/sport"
who = ["carol"]
may = ["admin"]

[[rule]]
path = "/dav/sport/named"
who = ["dora"]
may = ["read"]

[[rule]]
path = "/dav/van"
who = ["all-users"]
may = ["read", "create"]

[[rule]]
path = "/dav/van"
who = ["carol"]
may = ["admin"]
"""
RULES = """# who trains with us

# bob keeps it
[[rule]]
who = ["bob", "gone"]  # gone left
may = ["read", "write", "create", "delete"]

[[rule]]
who = ["all-users"]
may = ["read"]
scope = "here"

[[link]]
right = "read"
token = "a-token-of-22-characters-"
"""
BOB, EVERYBODY = "bob: read write", "authenticated: read"
OWNED = "owner: all !"
AUTHENTICATED, ALL = "<D:authenticated/>", "<D:all/>"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def club(start_server: MakeServer) -> Server:
    """Where carol may give rights in the homes of the sports section and of the van."""
    server = start_server(access=ACCESS)
    for name in USERS:
        assert server.client(name).get(f"/dav/{name}/").status == 200  # makes the first collections
    carol = server.client("carol")
    for path in ("/dav/sport/training/", "/dav/sport/named/", "/dav/van/bookings/"):
        assert carol.mkcalendar(path).status == 201
    return server


@pytest.fixture
def alice(club: Server) -> Dav:
    return club.client("alice")


@pytest.fixture
def bob(club: Server) -> Dav:
    return club.client("bob")


@pytest.fixture
def carol(club: Server) -> Dav:
    return club.client("carol")


@pytest.fixture
def dora(club: Server) -> Dav:
    return club.client("dora")


@pytest.fixture
def anonymous(club: Server) -> Dav:
    return club.client()


@pytest.fixture
def calendar(alice: Dav) -> Iterator[str]:
    """A fresh calendar of alice's with one event, its path with slash; another may have its link's token after it."""
    path = f"/dav/alice/cal{next(_numbers)}/"
    assert alice.mkcalendar(path).status == 201
    assert alice.put(f"{path}e.ics", event()).status == 201
    yield path
    alice.delete(file_of(path))


@pytest.fixture
def section(bob: Dav) -> str:
    """A fresh calendar in the home of the sports section."""
    path = f"/dav/sport/cal{next(_numbers)}/"
    assert bob.mkcalendar(path).status == 201
    return path


@pytest.fixture
def unchanged(club: Server) -> Iterator[None]:
    """Whatever the test tries, nothing people stored is different afterwards."""
    before = club.tree()
    yield
    assert club.tree() == before


def file_of(path: str) -> str:
    """Where the rules of a collection are edited as a file."""
    return path.replace("/dav/", "/files/Collections/") + "access.toml"


def held(client: Dav, path: str) -> set[str]:
    (row,) = client.propfind(path, DAV.current_user_privilege_set).multistatus().values()
    return {privilege[0].tag for privilege in row.props[DAV.current_user_privilege_set]}


# -- the properties --------------------------------------------------------------------------------------------------


@pytest.mark.rfc("3744", "5.5.5")
def test_the_example_of_the_rfc_is_answered_as_it_stands_there(alice: Dav, calendar: str) -> None:
    body = (
        '[[rule]]\nwho = ["sport"]\nmay = ["create", "write", "delete"]\n\n[[rule]]\nwho = ["world"]\nmay = ["read"]\n'
    )
    assert alice.put(file_of(calendar), body).status == 201
    (row,) = alice.propfind(calendar, DAV.acl).multistatus().values()
    expected = """
      <D:acl xmlns:D="DAV:">
        <D:ace>
          <D:principal><D:property><D:owner/></D:property></D:principal>
          <D:grant><D:privilege><D:all/></D:privilege></D:grant>
          <D:protected/>
        </D:ace>
        <D:ace>
          <D:principal><D:href>/dav/sport/</D:href></D:principal>
          <D:grant><D:privilege><D:write/></D:privilege></D:grant>
        </D:ace>
        <D:ace>
          <D:principal><D:all/></D:principal>
          <D:grant><D:privilege><D:read/></D:privilege></D:grant>
        </D:ace>
      </D:acl>"""
    found = tostring(row.props[DAV.acl], encoding="unicode")
    assert canonicalize(found, rewrite_prefixes=True) == canonicalize(expected, strip_text=True, rewrite_prefixes=True)


@pytest.mark.rfc("3744", "3.6")
@pytest.mark.parametrize("minimal", [False, True])
def test_the_list_is_for_those_who_may_give_rights_and_withheld_from_others(
    bob: Dav, carol: Dav, section: str, minimal: bool
) -> None:
    headers = {"Prefer": "return=minimal"} if minimal else {}
    (row,) = bob.propfind(section, DAV.acl, DAV.displayname, headers=headers).multistatus().values()
    assert row.statuses == {DAV.displayname: 200, DAV.acl: 403}
    assert listed(carol, section) == [
        "sport: read write ! < /dav/sport/",
        "carol: all ! < /dav/sport/",
        "bob: read unbind write-content !",
    ]


@pytest.mark.rfc("3744", "5.5")
def test_the_list_of_each_item_is_answered_in_a_listing(bob: Dav, carol: Dav, section: str) -> None:
    assert bob.put(f"{section}a.ics", event("a")).status == 201
    rows = bob.propfind(section, DAV.acl, DAV.getetag, depth="1").multistatus()
    assert {row.statuses[DAV.acl] for row in rows.values()} == {403}
    rows = carol.propfind(section, DAV.acl, DAV.getetag, depth="1").multistatus()
    assert [in_words(each) for each in rows[f"{section}a.ics"].props[DAV.acl]] == [
        "sport: read write ! < /dav/sport/",
        "carol: all ! < /dav/sport/",
    ]


def test_who_made_an_item_by_the_right_to_create_stands_in_its_list(bob: Dav, carol: Dav) -> None:
    path = f"/dav/van/bookings/b{next(_numbers)}.ics"
    assert bob.put(path, event(path)).status == 201
    assert listed(carol, path) == [
        "authenticated: bind read ! < /dav/van/",
        "carol: all ! < /dav/van/",
        "bob: read unbind write-content !",
    ]


@pytest.mark.rfc("3744", "5.5")
@pytest.mark.parametrize("body", [None, f"<D:propfind {NAMESPACES}><D:allprop/></D:propfind>"])
def test_access_control_properties_are_not_in_an_allprop(alice: Dav, calendar: str, body: str | None) -> None:
    (row,) = alice.propfind(calendar, body=body).multistatus().values()
    named = {DAV.acl, DAV.acl_restrictions, DAV.inherited_acl_set, DAV.supported_privilege_set}
    assert not named & row.statuses.keys()


def test_a_list_that_is_withheld_is_withheld_from_an_allprop_that_includes_it_too(bob: Dav, section: str) -> None:
    body = f"<D:propfind {NAMESPACES}><D:allprop/><D:include><D:acl/></D:include></D:propfind>"
    (row,) = bob.propfind(section, body=body).multistatus().values()
    assert row.statuses[DAV.acl] == 403


@pytest.mark.rfc("3744", "5.5.3")
def test_rules_of_the_administrator_are_protected_and_those_from_above_inherited(carol: Dav) -> None:
    assert listed(carol, "/dav/sport/named/") == [
        "dora: read !",
        "carol: all ! < /dav/sport/",
    ]
    assert listed(carol, "/dav/sport/") == ["sport: read write !", "carol: all !"]


def test_names_that_nobody_has_are_in_no_list(alice: Dav, calendar: str) -> None:
    assert alice.put(file_of(calendar), RULES).status == 201
    assert listed(alice, calendar) == [OWNED, BOB, EVERYBODY]
    assert listed(alice, f"{calendar}e.ics") == ["owner: all ! < " + calendar, f"{BOB} < {calendar}"]


@pytest.mark.rfc("3744", "5.6")
def test_nothing_can_be_denied_or_inverted(bob: Dav, calendar: str, alice: Dav) -> None:
    for path in (calendar, f"{calendar}e.ics", "/dav/alice/"):
        (row,) = alice.propfind(path, DAV.acl_restrictions).multistatus().values()
        assert [child.tag for child in row.props[DAV.acl_restrictions]] == [DAV.grant_only, DAV.no_invert]


@pytest.mark.rfc("3744", "5.7")
@pytest.mark.rfc("3744", "5.2")
def test_no_other_list_has_to_grant_what_one_grants_and_there_is_no_group(carol: Dav, section: str) -> None:
    (row,) = carol.propfind(section, DAV.inherited_acl_set, DAV.group).multistatus().values()
    assert row.statuses == {DAV.inherited_acl_set: 200, DAV.group: 404}
    assert len(row.props[DAV.inherited_acl_set]) == 0


@pytest.mark.rfc("3744", "5")
@pytest.mark.parametrize("name", ["acl", "acl-restrictions", "inherited-acl-set", "supported-privilege-set"])
def test_the_properties_are_changed_by_no_proppatch(alice: Dav, calendar: str, club: Server, name: str) -> None:
    before = club.tree()
    (row,) = alice.proppatch(calendar, {DAV(name): "x"}).multistatus().values()
    assert row.statuses == {DAV(name): 403}
    assert club.tree() == before


# -- the privileges --------------------------------------------------------------------------------------------------


def tree_of(element: Element) -> dict[str, set[str]]:
    """Each privilege of a ``DAV:supported-privilege-set`` with all that it contains."""
    found = {}
    for each in element.iter(DAV.supported_privilege):
        names = [node.tag for node in (p[0] for p in each.iter(DAV.privilege))]
        found[names[0]] = set(names[1:])
    return found


def abstract_in(element: Element) -> set[str]:
    each = element.iter(DAV.supported_privilege)
    return {node.find(DAV.privilege)[0].tag for node in each if node.find(DAV.abstract) is not None}  # type: ignore[index]


@pytest.mark.rfc("3744", "3.12")
@pytest.mark.rfc("3744", "5.3")
@pytest.mark.rfc("4791", "6.1.1")
def test_the_supported_privileges_aggregate_as_the_rfcs_want(alice: Dav, calendar: str) -> None:
    (row,) = alice.propfind(calendar, DAV.supported_privilege_set).multistatus().values()
    found = row.props[DAV.supported_privilege_set]
    tree = tree_of(found)
    assert [child.find(DAV.privilege)[0].tag for child in found] == [DAV.all]  # type: ignore[index]
    assert tree[DAV.write] == {DAV.bind, DAV.unbind, DAV.write_content, DAV.write_properties}
    assert tree[DAV.read] == {CALDAV.read_free_busy, DAV.read_current_user_privilege_set}
    assert tree[DAV.all] == tree.keys() - {DAV.all}
    assert not any(tree[name] for name in (DAV.read_acl, DAV.write_acl, DAV.read_current_user_privilege_set))
    assert abstract_in(found) == {
        DAV.read_acl,
        DAV.write_acl,
        DAV.unlock,
        DAV.write_properties,
        DAV.read_current_user_privilege_set,
    }
    lang = "{http://www.w3.org/XML/1998/namespace}lang"
    described = list(found.iter(DAV.description))
    assert len(described) == len(tree)
    assert {(each.get(lang), bool(each.text)) for each in described} == {("en", True)}


@pytest.mark.parametrize("language", ["en", "fr", "de"])
def test_privileges_are_described_in_the_language_of_the_association(language: str) -> None:
    said = render_supported("calendars", language)
    assert said.count(f'xml:lang="{language}"') == len(list(OF_CALENDARS.walk()))


@pytest.mark.rfc("3744", "5.5.2")
def test_every_set_of_actions_is_told_in_privileges_that_can_be_given_and_mean_it_again() -> None:
    for number in range(len(Action) + 1):
        for may in map(essence, itertools.combinations(Action, number)):
            assert actions_of(privileges_of(may), OF_CALENDARS) == may


@pytest.mark.rfc("3744", "5.4")
def test_what_one_may_do_is_told_in_the_supported_privileges_whole(
    alice: Dav, bob: Dav, carol: Dav, dora: Dav, calendar: str, section: str
) -> None:
    assert send(alice, calendar, ace("bob", "D:read", "D:write-content"), ace("dora", "D:bind", "D:read")).status == 200
    (row,) = alice.propfind(calendar, DAV.supported_privilege_set).multistatus().values()
    tree = tree_of(row.props[DAV.supported_privilege_set])
    told = [held(alice, calendar), held(bob, calendar), held(bob, section), held(carol, section)]
    for privileges in told:
        assert privileges <= tree.keys()
        for name, contained in tree.items():
            if contained:
                assert (name in privileges) == (contained <= privileges), name
    assert held(dora, calendar) <= tree.keys()


# -- the method ------------------------------------------------------------------------------------------------------


@pytest.mark.rfc("3744", "8.1.2")
def test_the_example_of_the_rfc_sets_rules_that_are_in_force_with_the_next_request(
    alice: Dav, bob: Dav, dora: Dav, anonymous: Dav, calendar: str
) -> None:
    assert bob.get(calendar).status == 404
    body = f"""<?xml version="1.0" encoding="utf-8" ?>
   <D:acl xmlns:D="DAV:">
     <D:ace>
       <D:principal>
         <D:href>http://127.0.0.1:{alice.port}/dav/bob/</D:href>
       </D:principal>
       <D:grant>
         <D:privilege><D:read/></D:privilege>
         <D:privilege><D:write/></D:privilege>
       </D:grant>
     </D:ace>
     <D:ace>
       <D:principal><D:all/></D:principal>
       <D:grant>
         <D:privilege><D:read/></D:privilege>
       </D:grant>
     </D:ace>
   </D:acl>"""
    reply = alice.request("ACL", calendar, body)
    assert (reply.status, reply.body) == (200, b"")
    assert listed(alice, calendar) == [OWNED, BOB, "all: read"]
    assert bob.put(f"{calendar}new.ics", event("new")).status == 201
    assert dora.get(f"{calendar}e.ics").status == 200
    assert dora.delete(f"{calendar}e.ics").condition == DAV.need_privileges
    assert anonymous.get(f"{calendar}e.ics").status == 200
    assert alice.get(file_of(calendar)).text == (
        '[[rule]]\nwho = ["bob"]\nmay = ["read", "create", "write", "delete"]\n\n'
        '[[rule]]\nwho = ["world"]\nmay = ["read"]\n'
    )


EACH = [
    # privileges of an entry, what the file says, and how it is listed
    ("D:read", '"read"', "read"),
    ("C:read-free-busy", '"freebusy"', "read-free-busy"),
    ("D:read C:read-free-busy", '"read"', "read"),
    ("D:bind", '"create"', "bind"),
    ("D:unbind", '"delete"', "unbind"),
    ("D:write-content", '"write"', "write-content"),
    ("D:write", '"create", "write", "delete"', "write"),
    ("D:bind D:write-content D:unbind", '"create", "write", "delete"', "write"),
    ("D:all", '"admin"', "all"),
    ("D:all D:read", '"admin"', "all"),
]


@pytest.mark.rfc("3744", "8.1")
@pytest.mark.parametrize(("privileges", "may", "told"), EACH)
def test_every_privilege_that_can_be_given_is_a_rule_and_is_listed_again(
    alice: Dav, calendar: str, privileges: str, may: str, told: str
) -> None:
    assert send(alice, calendar, ace("bob", *privileges.split())).status == 200
    assert alice.get(file_of(calendar)).text == f'[[rule]]\nwho = ["bob"]\nmay = [{may}]\n'
    assert listed(alice, calendar) == [OWNED, f"bob: {told}"]


@pytest.mark.rfc("3744", "8.1")
def test_entries_of_the_list_that_are_not_sent_go_and_comments_links_and_others_names_stay(
    alice: Dav, bob: Dav, calendar: str
) -> None:
    assert alice.put(file_of(calendar), RULES).status == 201
    assert bob.get(calendar).status == 200
    assert send(alice, calendar, ace(AUTHENTICATED, "D:read"), ace("dora", "D:read")).status == 200
    expected = RULES.replace('["bob", "gone"]', '["gone"]').replace(
        'scope = "here"\n', 'scope = "here"\n\n[[rule]]\nwho = ["dora"]\nmay = ["read"]\n'
    )
    assert alice.get(file_of(calendar)).text == expected
    assert listed(alice, calendar) == [OWNED, EVERYBODY, "dora: read"]
    assert bob.put(f"{calendar}x.ics", event("x")).status == 403


def test_who_had_the_folder_alone_is_not_given_its_items_by_a_change(alice: Dav, bob: Dav, calendar: str) -> None:
    assert alice.put(file_of(calendar), RULES).status == 201
    assert send(alice, calendar, ace(AUTHENTICATED, "D:read", "D:bind")).status == 200
    assert 'who = ["all-users"]\nmay = ["read", "create"]\nscope = "here"' in alice.get(file_of(calendar)).text
    assert bob.get(f"{calendar}e.ics").status == 404


@pytest.mark.rfc("3744", "8.1")
def test_a_list_that_is_sent_as_it_is_changes_no_byte_no_time_and_no_token(
    alice: Dav, bob: Dav, calendar: str, club: Server
) -> None:
    assert alice.put(file_of(calendar), RULES).status == 201
    file = next(club.data.rglob(f"{calendar.split('/')[3]}/.access.toml"))

    def state() -> object:
        tokens = [
            client.propfind(home, DAV.sync_token).text for client, home in ((alice, "/dav/alice/"), (bob, "/dav/bob/"))
        ]
        return file.read_bytes(), file.stat().st_mtime_ns, file.stat().st_ino, tokens, club.tree()

    before = state()
    assert send(alice, calendar, ace(AUTHENTICATED, "D:read"), ace("bob", "D:write", "D:read")).status == 200
    assert state() == before
    (row,) = alice.propfind(calendar, DAV.acl).multistatus().values()
    whole = tostring(row.props[DAV.acl])
    assert alice.request("ACL", calendar, whole).status == 200
    assert state() == before


@pytest.mark.rfc("3744", "5.5.4")
def test_what_was_inherited_stays_inherited_when_the_first_entry_is_set(
    carol: Dav, alice: Dav, dora: Dav, section: str
) -> None:
    (row,) = carol.propfind(section, DAV.acl).multistatus().values()
    inherited = [tostring(each, encoding="unicode") for each in row.props[DAV.acl]]
    assert send(carol, section, *inherited, ace("dora", "D:read")).status == 200
    assert carol.get(file_of(section)).text == 'inherit = true\n\n[[rule]]\nwho = ["dora"]\nmay = ["read"]\n'
    assert listed(carol, section)[:3] == ["dora: read", *listed(carol, "/dav/sport/training/")[:2]]
    assert dora.get(section).status == 200
    assert alice.put(f"{section}a.ics", event("a")).status == 201
    assert send(carol, section).status == 200
    assert dora.get(section).status == 404
    assert alice.get(f"{section}a.ics").status == 200


def test_what_was_not_inherited_does_not_come_into_force_because_the_last_entry_goes(
    carol: Dav, alice: Dav, section: str
) -> None:
    assert carol.put(file_of(section), '[[rule]]\nwho = ["dora"]\nmay = ["read"]\n').status == 201
    assert alice.get(section).status == 404
    assert send(carol, section).status == 200
    assert carol.get(file_of(section)).text == "[[rule]]\nwho = []\n"
    assert alice.get(section).status == 404
    assert listed(carol, section)[0] == "carol: all ! < /dav/sport/"


def test_the_file_goes_with_the_last_entry_where_nothing_else_is_in_it(alice: Dav, calendar: str) -> None:
    assert send(alice, calendar).status == 200
    assert alice.get(file_of(calendar)).status == 404
    assert send(alice, calendar, ace("bob", "D:read")).status == 200
    assert send(alice, calendar).status == 200
    assert alice.get(file_of(calendar)).status == 404
    assert listed(alice, calendar) == [OWNED]


def test_a_shared_calendar_appears_in_the_home_of_others_and_in_their_sync(alice: Dav, bob: Dav, calendar: str) -> None:
    shown = f"/dav/bob/alice~{calendar.split('/')[3]}/"
    token = bob.propfind("/dav/bob/", DAV.sync_token).multistatus()["/dav/bob/"].text(DAV.sync_token) or ""
    assert send(alice, calendar, ace("bob", "D:read")).status == 200
    assert shown in bob.report("/dav/bob/", sync(token)).multistatus()


def test_tokens_move_as_when_the_file_is_put(alice: Dav, bob: Dav, calendar: str) -> None:
    places = ((alice, "/dav/alice/"), (bob, "/dav/bob/"), (alice, calendar), (alice, "/files/Home/"))

    def tokens() -> list[str | None]:
        rows = (client.propfind(path, DAV.sync_token).multistatus()[path] for client, path in places)
        return [row.text(DAV.sync_token) for row in rows]

    def moved(before: list[str | None]) -> list[bool]:
        return [old != new for old, new in zip(before, tokens(), strict=True)]

    before = tokens()
    assert alice.put(file_of(calendar), '[[rule]]\nwho = ["bob"]\nmay = ["read"]\n').status == 201
    by_put = moved(before)
    assert alice.delete(file_of(calendar)).status == 204
    before = tokens()
    assert send(alice, calendar, ace("bob", "D:read")).status == 200
    assert moved(before) == by_put
    assert by_put[1]


@pytest.mark.rfc("3744", "8.1.1")
@pytest.mark.parametrize(
    "href", ["/dav/bob", "/dav/BOB/", "/dav/%62ob/", "https://127.0.0.1/dav/bob/", "\n  http://127.0.0.1:8/dav/bob/ "]
)
def test_a_principal_is_recognised_by_each_of_its_urls(alice: Dav, calendar: str, href: str) -> None:
    assert send(alice, calendar, ace(f"<D:href>{href}</D:href>", "D:read")).status == 200
    assert listed(alice, calendar) == [OWNED, "bob: read"]


def test_a_list_is_changed_by_the_name_that_a_home_shows_too(alice: Dav, bob: Dav, dora: Dav, calendar: str) -> None:
    assert send(alice, calendar, ace("bob", "D:all")).status == 200
    shown = f"/dav/bob/alice~{calendar.split('/')[3]}/"
    assert send(bob, shown, ace("bob", "D:all")).status == 200
    assert listed(bob, shown) == [OWNED, "bob: all"]
    assert listed(bob, f"{shown}e.ics") == [f"owner: all ! < {shown}", f"bob: all ! < {shown}"]


@pytest.mark.rfc("3744", "7.3")
@pytest.mark.rfc("3744", "7.4")
def test_a_move_takes_the_list_along_and_a_copy_does_not(alice: Dav, calendar: str) -> None:
    assert send(alice, calendar, ace("bob", "D:read")).status == 200
    name = f"/dav/alice/kept{next(_numbers)}/"
    assert alice.copy(calendar, f"{name[:-1]}-copy/").status == 201
    assert listed(alice, f"{name[:-1]}-copy/") == [OWNED]
    assert alice.move(calendar, name).status == 201
    assert listed(alice, name) == [OWNED, "bob: read"]


@pytest.mark.rfc("3744", "7.2")
def test_the_method_is_announced(alice: Dav, calendar: str) -> None:
    reply = alice.options(calendar)
    assert "ACL" in reply.headers["allow"].split(", ")
    assert "access-control" in reply.headers["dav"].split(", ")


# -- refusals --------------------------------------------------------------------------------------------------------

READ = "<D:privilege><D:read/></D:privilege>"
TO_BOB = "<D:principal><D:href>/dav/bob/</D:href></D:principal>"
DENY = f"<D:ace>{TO_BOB}<D:deny>{READ}</D:deny></D:ace>"
REFUSED = [
    # the precondition (§8.1.1) and entries that violate it
    ("grant-only", [DENY]),
    ("grant-only", [ace("bob", "D:read"), DENY]),  # as deny-before-grant would have it, which is none here
    ("no-invert", [f"<D:ace><D:invert>{TO_BOB}</D:invert><D:grant>{READ}</D:grant></D:ace>"]),
    ("no-abstract", [ace("bob", "D:read-acl", "D:write-acl")]),
    ("no-abstract", [ace("bob", "D:write-properties", "D:write-content")]),
    ("no-abstract", [ace("bob", "D:unlock")]),
    ("no-abstract", [ace("bob", "D:read", "D:read-current-user-privilege-set")]),
    ("not-supported-privilege", [ace("bob", "D:execute")]),
    ("not-supported-privilege", [ace("bob", "D:read", "C:schedule-send")]),
    ("recognized-principal", [ace("nobody", "D:read")]),
    ("recognized-principal", [ace("alice", "D:read"), ace("<D:href>/dav/alice/calendar/</D:href>", "D:read")]),
    ("recognized-principal", [ace("<D:href>/files/bob/</D:href>", "D:read")]),
    ("recognized-principal", [ace("<D:href>http://elsewhere.example/dav/bob/</D:href>", "D:read")]),
    ("recognized-principal", [ace("<D:href>mailto:bob@example.org</D:href>", "D:read")]),
    ("recognized-principal", [ace("<D:href/>", "D:read")]),
    ("allowed-principal", [ace("<D:unauthenticated/>", "D:read")]),
    ("allowed-principal", [ace("<D:self/>", "D:read")]),
    ("allowed-principal", [ace("<D:property><D:group/></D:property>", "D:read")]),
    ("no-protected-ace-conflict", [ace(OWNER, "D:read")]),
    ("no-protected-ace-conflict", [ace(OWNER, "D:read", marks="<D:protected/>")]),
    ("no-protected-ace-conflict", [ace("dora", "D:all", marks="<D:protected/>")]),
    (
        "no-inherited-ace-conflict",
        [ace("bob", "D:read", marks="<D:inherited><D:href>/dav/alice/</D:href></D:inherited>")],
    ),
    ("limited-number-of-aces", [ace("bob", "D:read")] * 501),
]


@pytest.mark.rfc("3744", "8.1.1")
@pytest.mark.parametrize(("condition", "aces"), REFUSED)
def test_a_list_that_cannot_be_set_exactly_is_refused_with_its_precondition(
    alice: Dav, calendar: str, club: Server, condition: str, aces: list[str]
) -> None:
    assert alice.put(file_of(calendar), RULES).status == 201
    before = club.tree()
    reply = send(alice, calendar, ace("carol", "D:read"), *aces)
    assert (reply.status, reply.condition) == (403, DAV(condition))
    assert reply.xml.findtext(DAV.responsedescription)
    assert club.tree() == before


MALFORMED = [
    "",
    "<D:acl",
    f"<D:propfind {NAMESPACES}/>",
    acl(f"<D:ace>{TO_BOB}<D:grant>{READ}</D:grant>{TO_BOB}<D:deny>{READ}</D:deny></D:ace>"),  # §8.1.5
    acl(f"<D:ace>{TO_BOB}<D:grant><D:read/></D:grant></D:ace>"),
    acl(f"<D:ace>{TO_BOB}<D:grant/></D:ace>"),
    acl(f"<D:ace>{TO_BOB}<D:grant><D:privilege/></D:grant></D:ace>"),
    acl(f"<D:ace>{TO_BOB}</D:ace>"),
    acl(f"<D:ace><D:grant>{READ}</D:grant></D:ace>"),
    acl(f"<D:ace><D:principal/><D:grant>{READ}</D:grant></D:ace>"),
    acl(f"<D:ace><D:principal><D:all/><D:self/></D:principal><D:grant>{READ}</D:grant></D:ace>"),
]


@pytest.mark.rfc("3744", "8.1.5")
@pytest.mark.parametrize("body", MALFORMED)
@pytest.mark.usefixtures("calendar", "unchanged")
def test_a_body_that_is_no_list_is_a_bad_request(alice: Dav, calendar: str, body: str) -> None:
    assert alice.request("ACL", calendar, body or None).status == 400


@pytest.mark.rfc("3744", "3.8")
@pytest.mark.rfc("3744", "7.1.1")
def test_without_the_right_to_give_rights_nothing_is_set(
    bob: Dav, dora: Dav, anonymous: Dav, section: str, calendar: str, club: Server
) -> None:
    before = club.tree()
    reply = send(bob, section, ace("bob", "D:all"))
    assert (reply.status, reply.condition, reply.hrefs) == (403, DAV.need_privileges, [section.rstrip("/")])
    assert reply.xml.find(f".//{DAV.privilege}/{DAV.write_acl}") is not None
    assert send(dora, section, ace("dora", "D:all")).status == 404
    assert send(bob, calendar, ace("bob", "D:all")).status == 404
    assert send(anonymous, calendar, ace("bob", "D:all")).status == 401
    assert club.tree() == before


@pytest.mark.rfc("3744", "8.1.1")
def test_nobody_gives_by_the_method_what_they_hold_through_the_rules_themselves(
    alice: Dav, bob: Dav, calendar: str, club: Server
) -> None:
    sent = (ace("bob", "D:all"), ace("dora", "D:read", "D:write"), ace("carol", "D:read", "D:write"))
    assert send(alice, calendar, *sent).status == 200
    before = club.tree()
    for given in ("D:all", "D:read"):
        reply = send(bob, calendar, *sent, ace(ALL, given))
        assert (reply.status, reply.condition) == (403, DAV.no_ace_conflict)
        assert "which you do not hold here without this file" in (reply.xml.findtext(DAV.responsedescription) or "")
    assert club.tree() == before
    assert send(bob, calendar, *sent[:2]).status == 200  # to take away is another thing
    assert listed(alice, calendar) == [OWNED, "bob: all", "dora: read write"]


@pytest.mark.rfc("3744", "8.1.1")
@pytest.mark.parametrize("path", ["/dav/sport/", "/dav/van/bookings/one.ics"])
def test_homes_and_items_have_no_rules_of_their_own(carol: Dav, club: Server, path: str) -> None:
    if path.endswith(".ics"):
        assert carol.put(path, event("one")).status in (201, 204)
    before = club.tree()
    reply = send(carol, path, ace("bob", "D:read"))
    assert (reply.status, reply.condition) == (403, DAV.no_ace_conflict)
    assert club.tree() == before


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(("path", "status"), [("/dav/", 403), ("/dav/alice/none/", 404), ("/dav/nobody/", 404)])
def test_where_nobody_gives_rights_the_method_is_refused(alice: Dav, path: str, status: int) -> None:
    assert send(alice, path, ace("bob", "D:read")).status == status


@pytest.mark.rfc("4918", "10.4.3")
@pytest.mark.parametrize(
    "headers", [{"If-Match": '"x"'}, {"If-None-Match": "*"}, {"If": "(<urn:davserver:sync:no:0:1>)"}, {"If": '(["x"])'}]
)
def test_conditions_of_the_request_are_asked_first(
    alice: Dav, calendar: str, club: Server, headers: dict[str, str]
) -> None:
    before = club.tree()
    assert send(alice, calendar, ace("bob", "D:read"), headers=headers).status == 412
    assert club.tree() == before
    assert send(alice, calendar, ace("bob", "D:read"), headers={"If-Match": "*"}).status == 200


def test_while_the_rules_are_open_in_an_editor_the_method_waits(alice: Dav, calendar: str, club: Server) -> None:
    token = alice.lock(file_of(calendar)).lock_token
    before = club.tree()
    reply = send(alice, calendar, ace("bob", "D:read"))
    assert (reply.status, "retry-after" in reply.headers) == (503, True)
    assert club.tree() == before
    assert alice.unlock(file_of(calendar), token).status == 204
    assert send(alice, calendar, ace("bob", "D:read")).status == 200


def test_rules_that_are_broken_on_disk_or_written_in_another_shape_are_left_to_their_editor(
    alice: Dav, calendar: str, club: Server
) -> None:
    inline = 'rule = [{who = ["bob"], may = ["read"]}]\n'
    assert alice.put(file_of(calendar), inline).status == 201
    assert listed(alice, calendar) == [OWNED, "bob: read"]
    assert send(alice, calendar, ace("bob", "D:read")).status == 200
    file = next(club.data.rglob(f"{calendar.split('/')[3]}/.access.toml"))
    for text in (inline, "[[rule]\n"):
        file.write_text(text)
        before = club.tree()
        reply: Reply = send(alice, calendar, ace("dora", "D:read"))
        assert (reply.status, reply.condition) == (403, DAV.no_ace_conflict)
        assert club.tree() == before
