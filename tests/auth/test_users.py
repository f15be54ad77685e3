"""users.toml, htpasswd files and groups.toml: what is read, and what is said about what cannot be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.accounts import Booking, Kind, Reading
from auth.groups import parse_groups
from auth.users import parse_htpasswd, parse_users

ARGON = "$argon2id$v=19$m=19456,t=2,p=1$wZiz1poT4nxvTWmtdc6Zsw$klPq7jf5nDOiBMtwye5prWe1ad/2YMKZKk37Uobrnlk"
APR1 = "$apr1$J4SoX9zu$eUNxXQxnpgSQP6j1Y2DqK."


def said(reading: Reading) -> list[tuple[int, str]]:
    """Line and finding of every problem."""
    return [(problem.line, problem.found) for problem in reading.problems]


def test_a_member_is_read_with_everything_that_stands_there():
    reading = parse_users(
        f"""
        [user.Alice]
        display_name = "Alice Martin"
        mail = ["alice@example.org", "a@example.org"]
        password = "{ARGON}"
        groups = ["Sport"]
        [[user.Alice.app_password]]
        label = "phone"
        hash = "sha256:{"0" * 64}"
        created = 2026-11-25T10:00:00Z
        [user."bob.k@example.org"]
        disabled = true
        mail = "bob@example.org"
        """,
        "users.toml",
    )
    assert reading.problems == ()
    alice, bob = reading.entries
    assert (alice.kind, alice.name, alice.display_name) == (Kind.MEMBER, "alice", "Alice Martin")
    assert (alice.password, alice.groups, alice.line) == (ARGON, ("sport",), 2)
    assert [each.label for each in alice.app_passwords] == ["phone"]
    assert (bob.name, bob.display_name, bob.addresses) == (
        "bob.k@example.org",
        "bob.k@example.org",
        ("bob@example.org",),
    )
    assert bob.disabled


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        ("[user.a]\npasword = 'x'", 2, "unknown key 'pasword'"),
        ("[users.a]", 1, "unknown key 'users'"),
        ("[user.a]\npassword = 'secret'", 2, "the password is no hash of a known kind"),
        ("[user.a]\npassword = 12345", 2, "password is no text"),
        ("[user.a]\ndisabled = 'no'", 2, "disabled is the text 'no'"),
        ("[user.a]\ngroups = 'sport'", 2, "groups is the text 'sport'"),
        ("[user.a]\nmail = 'nowhere'", 2, "'nowhere' is no mail address"),
        ("[user.a]\n[[user.a.app_password]]\nlabel = 'x'", 2, "an application password without hash"),
        ("[user.a]\n[[user.a.app_password]]\nhash = 'x'\nlabel = 'y'", 3, "the hash is not sha256: and 64 hex digits"),
        ("\n[user.world]", 2, "the name 'world' is built in"),
        ("[user]\na = 1", 2, "user.a is the number 1"),
        ("user = 1", 1, "user is the number 1"),
        ("[user.a]\nmail = [", 2, "not TOML: Invalid value"),
    ],
)
def test_a_fault_is_said_with_its_line_and_the_account_is_left_out(text, line, found):
    reading = parse_users(text, "users.toml")
    assert (line, found) in said(reading)
    assert reading.entries == ()
    assert all(problem.file == "users.toml" and problem.hint for problem in reading.problems)


@pytest.mark.parametrize("name", ["", " a", "a/b", "a:b", "a~b", ".a", "a\\tb", "all-users", "World", "x" * 200])
def test_a_name_that_cannot_be_an_account_is_refused(name):
    reading = parse_users(f'[user."{name}"]', "users.toml")
    assert reading.entries == ()
    assert len(reading.problems) == 1


def test_all_faults_of_a_file_are_said_at_once_and_the_others_can_sign_in():
    reading = parse_users("[user.a]\nx = 1\n[user.b]\ny = 2\n[user.c]", "users.toml")
    assert said(reading) == [(2, "unknown key 'x'"), (4, "unknown key 'y'")]
    assert [entry.name for entry in reading.entries] == ["c"]


def test_names_that_differ_in_case_or_normal_form_only_are_nobodys():
    reading = parse_users('[user."JOSE\u0301"]\n[user."josé"]\n[user.eve]', "users.toml")
    assert [entry.name for entry in reading.entries] == ["eve"]
    assert said(reading) == [(2, "the name 'josé' stands twice")]
    assert "line 1" in reading.problems[0].hint


def test_a_htpasswd_file_is_read_line_by_line():
    reading = parse_htpasswd(f"# members\nAlice:{APR1}\r\n\nbob:{{SHA}}xx\nnobody\n:x\n", ".htpasswd")
    assert [(entry.name, entry.display_name, entry.password, entry.line) for entry in reading.entries] == [
        ("alice", "Alice", APR1, 2)
    ]
    assert [line for line, _ in said(reading)] == [4, 5, 6]


def test_groups_and_resources_are_read():
    reading = parse_groups(
        '[group.Sport]\nmembers = ["Alice", "van"]\ngroups = ["coaches"]\n[resource.van]\nmail = "van@example.org"',
        "groups.toml",
    )
    assert reading.problems == ()
    sport, van = reading.entries
    assert (sport.kind, sport.name, sport.members) == (Kind.GROUP, "sport", ("alice", "van", "coaches"))
    assert (van.kind, van.name, van.addresses) == (Kind.RESOURCE, "van", ("van@example.org",))


def test_a_resource_says_what_it_is():
    reading = parse_groups('[resource.hall]\nkind = "room"\n[resource.van]', "groups.toml")
    assert [(entry.name, entry.what) for entry in reading.entries] == [("hall", "room"), ("van", "")]


def test_how_a_resource_is_booked_is_read():
    text = '[resource.van]\n[resource.hall]\ndouble_booking = "refuse"\ntimezone = "Europe/Paris"\n'
    text += '[resource.bus]\ndouble_booking = "mark"'
    reading = parse_groups(text, "groups.toml")
    assert reading.problems == ()
    found = {entry.name: entry.booking for entry in reading.entries}
    assert found == {"van": Booking(), "hall": Booking(True, "Europe/Paris"), "bus": Booking(False, "")}


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        ("[group.world]", 1, "the name 'world' is built in"),
        ("[group.a]\nmembers = ['all-users']", 2, "'all-users' cannot belong to a group"),
        ("[group.a]\nmembers = [1]", 2, "members is a list that holds the number 1"),
        ("[user.a]", 1, "unknown key 'user'"),
        ("[resource.a]\nmembers = ['b']", 2, "unknown key 'members'"),
        ("[resource.a]\nkind = 'boat'", 2, "kind is 'boat'"),
        ("[group.a]\nkind = 'room'", 2, "unknown key 'kind'"),
        ("[resource.a]\ndouble_booking = 'forbid'", 2, "double_booking is 'forbid'"),
        ("[resource.a]\n\ndouble_booking = true", 3, "double_booking is true"),
        ("[resource.a]\ntimezone = 'Europe/Pariss'", 2, "no time zone is called 'Europe/Pariss'"),
        ("[resource.a]\ntimezone = '../zone'", 2, "no time zone is called '../zone'"),
        ("[group.a]\ntimezone = 'Europe/Paris'", 2, "unknown key 'timezone'"),
        ("[group.a]\n[resource.A]", 2, "the name 'a' stands twice"),
    ],
)
def test_a_fault_in_the_groups_file_is_said_with_its_line(text, line, found):
    reading = parse_groups(text, "groups.toml")
    assert said(reading) == [(line, found)]
    assert reading.entries == ()


@given(st.text() | st.from_regex(r"(\[\[?(user|group|resource)\.[ab]\]?\]\n(mail|members|password|x) = .{0,5}\n){1,3}"))
def test_any_text_gives_accounts_or_problems(text):
    for parse in (parse_users, parse_groups, parse_htpasswd):
        reading = parse(text, "file")
        assert all(problem.line >= 1 for problem in reading.problems)
