"""
The article's example as a table: who may do what in the association of ``examples/association``.

The same table is asked over HTTP elsewhere; here it is the pure decision over the files as they are.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from auth.acl import Action, actions
from auth.directory import Directory
from auth.names import names_without_account
from auth.principal import ANONYMOUS, Principal
from auth.rules import FolderRules, parse_folder_rules, parse_server_rules
from config.schema import Accounts, Settings
from tests.auth.book import Book

ASSOCIATION = Path(__file__).resolve().parents[2] / "examples" / "association"
PEOPLE = {
    "alice": "secretary, board",
    "bob": "treasurer, board",
    "carol": "president, board",
    "dora": "leads the sports section: an officer",
    "emil": "volunteer",
    "fiona": "staff",
    "hugo": "a member",
    "world": "somebody without account",
}
RESOURCES = {
    "administration": "/files/Administration/minutes.txt",
    "sport": "/files/Sport/Plans/plan.txt",
    "sport calendar": "/dav/sport/calendar/training.ics",
    "communication": "/files/Communication/poster.pdf",
    "officers' calendar": "/dav/officers/calendar/meeting.ics",
    "a private file": "/files/Members/alice/diary.txt",
}
# r read, c create, w write, d delete, a admin, - nothing
TABLE = """
                     alice  bob    carol  dora   emil   fiona  hugo   world
administration       rcwd   rcwd   r      -      r      r      -      -
sport                -      -      -      rcwd   -      -      -      -
sport calendar       -      -      -      rcwd   -      -      -      -
communication        rcwd   rcwd   rcwd   r      r      r      r      r
officers' calendar   rcwd   rcwd   rcwd   rcwd   r      r      r      -
a private file       rcwda  -      -      -      -      -      -      -
"""


def cells() -> list[tuple[str, str, Action, bool]]:
    """Principal, resource, action and whether it is allowed."""
    heads, *lines = TABLE.strip("\n").splitlines()
    return [
        (person, line[:21].strip(), action, action[0] in given)
        for line in lines
        for person, given in zip(heads.split(), line[21:].split(), strict=True)
        for action in Action
        if action is not Action.FREEBUSY
    ]


@pytest.fixture(scope="module")
def directory() -> Directory:
    return Directory(
        Settings(
            accounts=Accounts(
                users_file=ASSOCIATION / "users.toml",
                groups_file=ASSOCIATION / "groups.toml",
                access_file=ASSOCIATION / "access.toml",
            )
        )
    )


@pytest.fixture(scope="module")
def rules() -> dict[str, FolderRules]:
    file = ASSOCIATION / "access.toml"
    return parse_server_rules(file.read_text("utf-8"), str(file))


@pytest.fixture(scope="module")
def book(rules) -> Book:
    return Book(
        {path: folder.rules for path, folder in rules.items()},
        inherit=frozenset(path for path, folder in rules.items() if folder.inherit),
        owners={"/files/Members/alice": "alice"},
    )


def principal(directory: Directory, name: str) -> Principal:
    found = ANONYMOUS if name == "world" else directory.principal(name)
    assert found is not None
    return found


@pytest.mark.parametrize(("person", "resource", "action", "allowed"), cells())
def test_a_cell_of_the_table_is_as_the_example_says(directory, book, person, resource, action, allowed):
    assert (action in actions(principal(directory, person), RESOURCES[resource], book)) is allowed


def test_the_rules_of_the_example_take_less_than_40_lines():
    assert len((ASSOCIATION / "access.toml").read_text("utf-8").splitlines()) < 40


def test_the_example_has_no_problems_and_no_names_that_nobody_has(directory, rules):
    assert directory.problems == ()
    assert names_without_account(rules, directory.account) == ()


def test_no_password_is_kept_with_the_example():
    assert "$" not in (ASSOCIATION / "users.toml").read_text("utf-8")


def test_who_books_the_hall_changes_the_own_booking_and_nobody_elses(directory):
    booking = parse_folder_rules((ASSOCIATION / "booking.toml").read_text("utf-8"), "booking.toml")
    calendar = Book({"/dav/hall/calendar": booking.rules}, creators={"/dav/hall/calendar/party.ics": "hugo"})
    may = {name: actions(principal(directory, name), "/dav/hall/calendar/party.ics", calendar) for name in PEOPLE}
    assert {name for name in PEOPLE if Action.READ in may[name]} == set(PEOPLE) - {"world"}
    assert {name for name in PEOPLE if Action.CREATE in may[name]} == set(PEOPLE) - {"world"}
    assert {name for name in PEOPLE if Action.DELETE in may[name]} == {"hugo", "alice"}
