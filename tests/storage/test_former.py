"""Rules that are kept beside what was deleted or overwritten."""

from __future__ import annotations

import json

import pytest

from auth.acl import Action, Level, decide
from auth.principal import Principal
from auth.rules import Rule
from storage.former import levels_of, snapshot

READERS = Rule(("sport",), frozenset({Action.READ}), False, "access.toml", 3)
LISTERS = Rule(("all-users",), frozenset({Action.READ}), True, "access.toml", 9)
LEVELS = (
    Level("/files/Sport/plans", owner="dora"),
    Level("/files/Sport", (READERS,), inherit=True),
    Level("/files", (LISTERS,)),
    Level("/"),
)


@pytest.mark.parametrize("name", ["alice", "dora", "bob"])
def test_what_was_allowed_is_decided_from_what_was_kept(name):
    groups = {"alice": {"sport"}, "dora": set[str](), "bob": {"board"}}[name]
    principal = Principal(name, frozenset({name, "all-users", "world", *groups}))
    kept = levels_of(json.loads(json.dumps(snapshot(LEVELS))))
    path = "/files/Sport/plans/plan.txt"
    assert decide(principal, path, kept) == decide(principal, path, LEVELS)
    assert (Action.READ in decide(principal, path, kept)) is (name != "bob")


@pytest.mark.parametrize(
    "broken", [None, "levels", [{"rules": []}], [{"path": "/", "rules": [{"who": ["world"]}]}], [1]]
)
def test_what_cannot_be_read_any_more_gives_nobody_anything(broken):
    principal = Principal("alice", frozenset({"alice", "all-users", "world"}))
    assert decide(principal, "/files/a.txt", levels_of(broken)) == frozenset()
