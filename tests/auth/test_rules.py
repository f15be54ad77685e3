"""access.toml: what a file means, and what is said about one that is refused."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.actions import Action
from auth.errors import RulesRefused
from auth.names import names_without_account
from auth.rules import FolderRules, FolderSettings, Link, Rule, parse_folder_rules, parse_server_rules

FILE = "access.toml"
READ = frozenset({Action.READ})


def refused(text: str, parse=parse_folder_rules) -> list[tuple[int, str]]:
    """Line and finding of every problem of a file that is refused."""
    with pytest.raises(RulesRefused) as caught:
        parse(text, FILE)
    assert all(problem.file == FILE and problem.hint for problem in caught.value.problems)
    return [(problem.line, problem.found) for problem in caught.value.problems]


def test_a_folders_file_gives_rules_links_and_inheritance():
    rules = parse_folder_rules(
        """inherit = true
        [[rule]]
        who = ["Sport", "world"]
        may = ["read"]
        scope = "here"
        [[link]]
        name = "press"
        right = "read-drop"
        until = 2027-01-01T00:00:00Z
        password = "rosebud-12"
        downloads = 100
        token = "0123456789abcdefghij-_"
        quota_bytes = 5000
        uploads_per_minute = 7
        """,
        FILE,
    )
    until = datetime(2027, 1, 1, tzinfo=UTC)
    link = Link("press", "read-drop", until, "rosebud-12", 100, "0123456789abcdefghij-_", 6, (), 5000, 7)
    assert rules == FolderRules((Rule(("sport", "world"), READ, True, FILE, 2),), True, (link,))


def test_an_empty_file_says_nothing():
    assert parse_folder_rules("\ufeff# later\r\n", FILE) == FolderRules()


def test_a_rule_for_nobody_needs_no_actions():
    assert parse_folder_rules("[[rule]]\nwho = []", FILE).rules == (Rule((), frozenset(), False, FILE, 1),)


def test_the_servers_file_gives_rules_by_folder():
    rules = parse_server_rules(
        """
        [[rule]]
        path = "/files/Sport/"
        who = ["sport"]
        may = ["read"]
        [[rule]]
        path = "/files/Sport"
        inherit = true
        who = ["board"]
        may = ["read"]
        [[rule]]
        path = "/files/Cafe\u0301"
        who = ["world"]
        may = ["read"]
        """,
        FILE,
    )
    assert {path: (len(found.rules), found.inherit) for path, found in rules.items()} == {
        "/files/Sport": (2, True),
        "/files/Café": (1, False),
    }


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        ("[[rule]]\nwho = ['a']\nmay = ['raed']", 3, "'raed' is no action"),
        ("[[rule]]\nwho = 'a'\nmay = ['read']", 2, "who is the text 'a'"),
        ("[[rule]]\nwho = [1]\nmay = ['read']", 2, "who is a list that holds the number 1"),
        ("[[rule]]\nwho = ['']\nmay = ['read']", 2, "an empty name"),
        ("[[rule]]\nmay = ['read']", 1, "a rule without who"),
        ("[[rule]]\nwho = ['a']", 1, "a rule that gives nothing"),
        ("[[rule]]\nwho = ['a']\nmay = []", 3, "a rule that gives nothing"),
        ("[[rule]]\nwho = ['a']\nmay = 'read'", 3, "may is the text 'read'"),
        ("[[rule]]\nwho = []\nscope = 'below'", 3, "scope is 'below'"),
        ("[[rule]]\nwho = []\npath = '/files/A'", 3, "unknown key 'path'"),
        ("[[rule]]\nwho = []\ninherit = true", 3, "unknown key 'inherit'"),
        ("[rule]\nwho = []", 1, "rule is a table"),
        ("[[rules]]", 1, "unknown key 'rules'"),
        ("inherit = 'yes'", 1, "inherit is the text 'yes'"),
        ("[[link]]", 1, "a link without right"),
        ("[[link]]\nright = 'write'", 2, "the right 'write'"),
        ("[[link]]\nright = 'read'\n\n[[link]]\nright = 'drop'", 4, "a second link without name"),
        ("[[link]]\nright = 'read'\nname = 'a'\n[[link]]\nname = 'a'\nright = 'drop'", 4, "the name 'a' again"),
        ("[[link]]\nright = 'read'\ntoken = 'short'", 3, "a token of 5 characters"),
        (f"[[link]]\nright = 'read'\ntoken = '{'+' * 22}'", 3, "a token with other characters, or too long"),
        ("[[link]]\nright = 'read'\nuntil = 2027-01-01", 3, "until is 2027-01-01"),
        ("[[link]]\nright = 'read'\nuntil = 2027-01-01T00:00:00", 3, "until is a time without offset"),
        ("[[link]]\nright = 'read'\ndownloads = true", 3, "downloads is true"),
        ("[[link]]\nright = 'read'\nquota_bytes = 5", 3, "quota_bytes on a link for reading"),
        ("[[link]]\nright = 'drop'\nquota_bytes = -1", 3, "quota_bytes is the number -1"),
        ("[[link]]\nright = 'drop'\nuploads_per_minute = 0", 3, "uploads_per_minute is the number 0"),
        ("[[link]]\nright = 'read'\npassword = 1234", 3, "password is no text"),
        ("\n\nwho = ", 3, "not TOML: Invalid value"),
        (f"a = {'[' * 5000}", 1, "not TOML: nested too deeply"),
        (f"{'a.' * 20_000}b = 1", 1, "more than 500 dots in one line"),
        ("#" * 70_000, 1, "70000 characters"),
        (f"inherit = 0x{'f' * 9000}", 1, "inherit is a very large number"),
    ],
)
def test_a_folders_file_with_a_fault_is_refused_with_its_line(text, line, found):
    assert refused(text) == [(line, found)]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("Sport", "the path 'Sport' does not begin with '/'"),
        ("/Sport", "the path '/Sport' is neither under /files nor /dav"),
        ("/files/../x", "the path '/files/../x' has an empty, '.' or '..' segment or a control character"),
        ("/files//x", "the path '/files//x' has an empty, '.' or '..' segment or a control character"),
        ("/files/Home/x", "/files/Home is another folder for each member"),
        ("/files/Collections/sport/a", "'/files/Collections/sport/a' stands for a calendar or book"),
    ],
)
def test_a_path_that_no_folder_can_have_is_refused(path, found):
    assert refused(f"[[rule]]\nwho = []\npath = '{path}'", parse_server_rules) == [(3, found)]


def test_the_servers_file_needs_a_path_in_every_rule_and_has_no_links():
    text = "inherit = true\n[[rule]]\nwho = []\n[[link]]\nright = 'read'"
    assert refused(text, parse_server_rules) == [
        (1, "unknown key 'inherit'"),
        (2, "a rule without path"),
        (4, "unknown key 'link'"),
    ]


def test_all_faults_are_said_at_once_in_the_order_of_lines():
    text = "x = 1\n[[rule]]\nwho = 1\nmay = ['a', 'b']\n[[link]]\nright = 1"
    assert [line for line, _ in refused(text)] == [1, 3, 4, 4, 6]


def test_a_file_with_thousands_of_faults_is_refused_in_some_lines():
    found = refused("[[rule]]\n" * 5000)
    assert len(found) == 101
    assert found[-1] == (101, "4900 more problems")


def test_names_that_nobody_has_are_listed_and_built_in_ones_are_not():
    text = "[[rule]]\npath = '/files'\nwho = ['alice', 'alcie', 'world', 'all-users']\nmay = ['read']"
    (problem,) = names_without_account(parse_server_rules(text, FILE), {"alice"}.__contains__)
    assert (problem.line, problem.found) == (1, "'alcie' in the rule for /files is nobody's name")


VALUES = st.sampled_from(
    ["1", "true", "'a'", "[]", "['a']", "['read']", "[1]", "{}", "2027-01-01", "nan", "'''a\nb'''"]
)
LINES = st.one_of(
    st.sampled_from(["[[rule]]", "[[link]]", "[rule]", "[[rule.x]]", "#", ""]),
    st.builds("{} = {}".format, st.sampled_from(["who", "may", "scope", "path", "inherit", "token", "x.y"]), VALUES),
)


@given(st.text() | st.lists(LINES, max_size=8).map("\n".join))
def test_any_text_gives_rules_or_problems(text):
    for parse in (parse_folder_rules, parse_server_rules):
        with suppress(RulesRefused):
            assert parse(text, FILE) is not None


def test_a_folder_says_how_names_trash_and_history_are_kept() -> None:
    rules = parse_folder_rules('names = "portable"\ntrash = false\nhistory = true\n', FILE)
    assert rules.settings == FolderSettings(portable=True, trash=False, history=True)
    assert parse_folder_rules('names = "any"', FILE).settings.portable is False
    assert parse_folder_rules("", FILE).settings == FolderSettings()


def test_the_server_says_of_folders_what_stands_beside_rules() -> None:
    found = parse_server_rules("[[folder]]\npath = '/files/Sport/'\nquota_bytes = 5\nnames = 'portable'\n", FILE)
    assert found == {"/files/Sport": FolderRules(settings=FolderSettings(portable=True, quota_bytes=5))}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("names = 'windows'", (1, "names are 'windows'")),
        ("quota_bytes = 5", (1, "unknown key 'quota_bytes'")),
        ("[[rule]]\nwho = []\ntrash = false", (3, "unknown key 'trash'")),
    ],
)
def test_what_a_folder_says_wrongly_is_refused_with_its_line(text: str, problem: tuple[int, str]) -> None:
    assert refused(text) == [problem]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[folder]]\nquota_bytes = 5", (1, "a folder without path")),
        ("[[folder]]\npath = '/files/A'\nquota_bytes = -1", (3, "quota_bytes is the number -1")),
        ("[[folder]]\npath = '/files/A'\n[[folder]]\npath = '/files/A/'", (4, "a second [[folder]] for '/files/A'")),
        ("trash = false", (1, "unknown key 'trash'")),
    ],
)
def test_what_the_server_says_wrongly_is_refused_with_its_line(text: str, problem: tuple[int, str]) -> None:
    assert refused(text, parse_server_rules) == [problem]
