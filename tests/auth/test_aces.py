"""Rules as access control entries: they say what ``auth.acl`` decides, and an edit gives what is wanted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.aces import EVERYTHING, Ace, Edit, Grant, applicable, edit_for, entries, essence
from auth.acl import Action, Level, decide
from auth.actions import EVERY_ACTION
from auth.principal import ALL_USERS, WORLD, Principal
from auth.rules import Rule

PATHS = ("/files/a/b", "/files/a", "/files", "/")
NAMES = ("alice", "bob", "sport", ALL_USERS, WORLD)
SERVER = "/etc/davserver/access.toml"
ALICE = Principal("alice", frozenset({"sport", ALL_USERS, WORLD}))
BOB = Principal("bob", frozenset({ALL_USERS, WORLD}))
NOBODY = Principal(None)
READ = frozenset({Action.READ})
WRITE = frozenset({Action.WRITE})


def own(who: str, may: frozenset[Action] = READ, *, path: str = PATHS[0], here: bool = False) -> Rule:
    """A rule of the folder's own file."""
    return Rule(tuple(who.split()), may, here, f"{path}/access.toml", 1)


def of_server(who: str, may: frozenset[Action] = READ) -> Rule:
    return Rule(tuple(who.split()), may, False, SERVER, 1)


def held_by(principal: Principal, aces: list[Ace]) -> frozenset[Action]:
    """What the entries that match somebody give together (RFC 3744 §6: there is no deny)."""
    given = frozenset(action for ace in aces if ace.grant.name in principal.names for action in ace.grant.may)
    if Action.ADMIN in given:
        return EVERY_ACTION
    return given | {Action.FREEBUSY} if Action.READ in given else given


ACTIONS = st.frozensets(st.sampled_from(Action), max_size=3)


@st.composite
def some_levels(draw: st.DrawFn) -> list[Level]:
    found = []
    for path in PATHS:
        rules = draw(
            st.lists(
                st.builds(
                    Rule,
                    st.lists(st.sampled_from(NAMES), max_size=2, unique=True).map(tuple),
                    ACTIONS,
                    st.booleans(),
                    st.sampled_from([SERVER, f"{path}/access.toml"]),
                    st.just(1),
                ),
                max_size=2,
            )
        )
        owner = draw(st.sampled_from([None, None, "alice", "Bob"]))
        found.append(Level(path, tuple(rules), draw(st.booleans()), owner, draw(st.booleans())))
    return found


@given(some_levels(), st.sampled_from([ALICE, BOB, NOBODY]), st.sampled_from([PATHS[0], f"{PATHS[0]}/file"]))
@pytest.mark.rfc("3744", "5.5")
def test_the_entries_give_everybody_what_is_decided(levels: list[Level], principal: Principal, path: str) -> None:
    assert held_by(principal, entries(path, levels)) == decide(principal, path, levels)


def test_the_owner_stands_first_and_can_be_changed_by_nobody() -> None:
    levels = [Level(PATHS[0], (own("bob"),)), Level(PATHS[1], owner="Alice"), Level(PATHS[2], owner="alice")]
    assert entries(PATHS[0], levels) == [
        Ace(Grant("bob", READ)),
        Ace(Grant("alice", EVERYTHING), protected=True, inherited=PATHS[1]),
    ]


@pytest.mark.rfc("3744", "5.5.3")
def test_the_rules_of_the_servers_file_are_protected_and_the_folders_own_are_not() -> None:
    levels = [Level(PATHS[0], (of_server("sport"), own("bob")))]
    assert entries(PATHS[0], levels) == [Ace(Grant("sport", READ), protected=True), Ace(Grant("bob", READ))]


@pytest.mark.rfc("3744", "5.5.4")
def test_what_comes_from_above_names_its_folder_and_ends_where_a_nearer_one_decides() -> None:
    above = Level(PATHS[1], (own("sport", path=PATHS[1]), own("alice", EVERYTHING, path=PATHS[1])))
    leads = Ace(Grant("alice", EVERYTHING), protected=True, inherited=PATHS[1])
    reads = Ace(Grant("sport", READ), inherited=PATHS[1])
    assert entries(PATHS[0], [Level(PATHS[0]), above]) == [reads, leads]
    decides = Level(PATHS[0], (own("bob"),))
    assert entries(PATHS[0], [decides, above]) == [Ace(Grant("bob", READ)), leads]
    assert entries(PATHS[0], [replace(decides, inherit=True), above]) == [Ace(Grant("bob", READ)), reads, leads]


def as_shown(name: str, rule: Rule) -> Grant | None:
    return None if name == "gone" else Grant(name, essence(rule.may))


def test_an_edit_that_wants_what_is_there_changes_nothing() -> None:
    rules = [own("bob alice"), own("", frozenset()), own("sport", WRITE | {Action.READ})]
    wanted = [Grant("sport", WRITE | READ), Grant("bob", READ), Grant("alice", READ)]
    assert edit_for(rules, wanted, as_shown) == Edit((("bob", "alice"), (), ("sport",)))


def test_an_edit_takes_out_names_keeps_those_that_were_not_shown_and_adds_alike_ones_together() -> None:
    wanted = [Grant("alice", WRITE), Grant("sport", WRITE), Grant(WORLD, READ)]
    edit = edit_for([own("bob gone"), own("dora"), own("world")], wanted, as_shown)
    assert edit.stay == (("gone",), (), (WORLD,))
    assert [(rule.who, rule.may, rule.here) for rule in edit.new] == [(("alice", "sport"), WRITE, False)]


def test_who_had_something_of_the_folder_alone_is_not_given_what_lies_in_it() -> None:
    edit = edit_for([own("alice", here=True), own("bob", here=True), own("bob")], [], as_shown)
    assert edit.new == ()
    edit = edit_for(
        [own("alice", here=True), own("bob", here=True), own("bob")],
        [Grant("alice", WRITE), Grant("bob", WRITE)],
        as_shown,
    )
    assert [(rule.who, rule.here) for rule in edit.new] == [(("alice",), True), (("bob",), False)]


@given(st.lists(st.builds(own, st.sampled_from(["", "bob", "bob alice", "sport"]), ACTIONS), max_size=4), st.data())
def test_after_an_edit_the_rules_give_exactly_what_was_wanted(rules: list[Rule], data: st.DataObject) -> None:
    grants = st.builds(Grant, st.sampled_from(NAMES), ACTIONS.filter(bool).map(essence))
    wanted = data.draw(st.lists(grants, max_size=4))
    rules = [rule for rule in rules if rule.may]
    edit = edit_for(rules, wanted, as_shown)
    after = [replace(rule, who=who) for rule, who in zip(rules, edit.stay, strict=True)] + list(edit.new)
    level = Level(PATHS[0], tuple(after))
    assert applicable(PATHS[0], level) == after
    assert {Grant(name, essence(rule.may)) for rule in after for name in rule.who} == set(wanted)
