"""A rule can give only what its author holds there without that file."""

from __future__ import annotations

import pytest

from auth.acl import Action
from auth.errors import RulesRefused
from auth.grants import require_grantable
from auth.rules import parse_folder_rules
from tests.auth.book import Book, member, rule

ALICE = member("alice")


def require(text: str, *rules, path: str = "/files/A", at: str = "/files/A", owners: dict[str, str] | None = None):
    require_grantable(parse_folder_rules(text, "access.toml"), path, ALICE, Book({at: rules}, owners=owners or {}))


def test_what_one_holds_can_be_given_on():
    require("[[rule]]\nwho = ['bob']\nmay = ['read', 'freebusy']", rule("alice", may="read"))


def test_more_than_one_holds_is_refused_and_every_such_rule_is_named():
    text = "[[rule]]\nwho=['bob']\nmay=['read']\n[[rule]]\nwho=['bob']\nmay=['write','delete']\n[[link]]\nright='drop'"
    with pytest.raises(RulesRefused) as refused:
        require(text, rule("alice", may="read"))
    assert [(problem.line, problem.found) for problem in refused.value.problems] == [
        (4, "this gives write or delete, which you do not hold here without this file"),
        (7, "this gives create, which you do not hold here without this file"),
    ]
    assert refused.value.problems[0].hint == "you can give read or freebusy"


def test_an_owner_and_an_administrator_can_give_everything():
    text = f"[[rule]]\nwho=['bob']\nmay={[str(action) for action in Action]}"
    require(text, owners={"/files": "alice"})
    require(text, rule("alice", may="admin"), at="/")


def test_a_rule_that_closes_the_folder_gives_nothing_and_needs_nothing():
    require("[[rule]]\nwho = []")


def test_what_one_holds_in_the_folder_alone_cannot_be_given_for_everything_below():
    held = rule("alice", may="read create", here=True)
    require("[[rule]]\nwho=['bob']\nmay=['create']\nscope='here'", held)
    with pytest.raises(RulesRefused):
        require("[[rule]]\nwho=['bob']\nmay=['create']", held)
    with pytest.raises(RulesRefused):
        require("[[link]]\nright='read'", held)
