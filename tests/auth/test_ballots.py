"""Polls in the one decision about rights, as values."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auth.acl import Access, Action, Former, Level, actions, actions_on_former, decide
from auth.ballots import Ballots
from auth.principal import Principal
from auth.rules import Rule
from tests.auth.book import Book, rule

BOX = "/files/Polls/p/votes"
BOB = Principal("bob", frozenset({"world", "all-users", "sport"}))
CAROL = Principal("carol", frozenset({"world", "all-users"}))
R, C, W, D, A = Action.READ, Action.CREATE, Action.WRITE, Action.DELETE, Action.ADMIN


def held(
    principal: Principal, path: str, ballots: Ballots, *, owner: str | None = None, may: tuple[Action, ...] = ()
) -> set[Action]:
    rules = (Rule(("all-users",), frozenset(may), False, "access.toml", 1),) if may else ()
    if ballots.is_box:
        levels = [Level(BOX, ballots=ballots), Level("/files/Polls/p", rules, owner=owner)]
    else:
        levels = [Level("/files/Polls/p", rules, owner=owner, ballots=ballots)]
    return set(decide(principal, path, levels)) - {Action.FREEBUSY}


@pytest.mark.parametrize("may", [(), (R,), (R, C, W, D)])
@pytest.mark.parametrize("is_open", [False, True])
def test_a_vote_is_written_by_its_voter_alone(may: tuple[Action, ...], is_open: bool) -> None:
    box = Ballots(frozenset({"sport"}), True, is_open)
    assert held(BOB, f"{BOX}/bob.toml", box, may=may) == {R, C, W, D}
    assert held(BOB, f"{BOX}/carol.toml", box, may=may) == ({R} if is_open else set())
    assert held(CAROL, f"{BOX}/bob.toml", box, may=may) == ({R} if is_open and R in may else set())
    assert held(CAROL, f"{BOX}/carol.toml", box, may=may) == ({R} if is_open and R in may else set())


@pytest.mark.parametrize("is_open", [False, True])
def test_who_administers_a_poll_removes_votes_and_reads_them_where_they_are_open(is_open: bool) -> None:
    box = Ballots(frozenset({"sport"}), True, is_open)
    assert held(CAROL, f"{BOX}/bob.toml", box, owner="carol") == {D, A} | ({R} if is_open else set())
    assert held(BOB, f"{BOX}/bob.toml", box, owner="bob") == {R, C, W, D}


def test_a_voter_reads_what_lies_directly_in_the_polls_folder() -> None:
    poll = Ballots(frozenset({"sport"}))
    assert held(BOB, "/files/Polls/p", poll) == {R}
    assert held(BOB, "/files/Polls/p/poll.toml", poll) == {R}
    assert held(CAROL, "/files/Polls/p/poll.toml", poll) == set()


def test_a_link_votes_for_nobody() -> None:
    link = Principal(None, frozenset({"LINK"}))
    box = Ballots(frozenset({"world", "all-users"}), True, True)
    assert held(link, f"{BOX}/bob.toml", box) == set()
    assert held(link, f"{BOX}/None.toml", box) == set()


def test_the_file_of_an_anonymous_vote_is_called_by_a_hash_of_poll_and_member() -> None:
    first, second = (Ballots(frozenset(), True, False, key) for key in (b"a" * 32, b"b" * 32))
    assert first.file_of("bob") != second.file_of("bob") != second.file_of("carol")
    assert "bob" not in first.file_of("bob")
    assert len(first.file_of("bob")) == 25


@pytest.mark.parametrize("is_open", [False, True])
def test_a_vote_that_was_removed_is_for_its_voter_alone(is_open: bool) -> None:
    box = Ballots(frozenset({"sport"}), True, is_open)
    levels = [Level(BOX, ballots=box), Level("/files/Polls/p", owner="carol")]
    former = Former(f"{BOX}/bob.toml", levels, levels, by="carol", box=box)
    assert actions_on_former(BOB, former) == {R, D}
    assert actions_on_former(CAROL, former) == frozenset()
    assert actions_on_former(CAROL, replace(former, went_along=True)) == {D}  # whoever purges the poll


def test_who_made_a_vote_may_do_no_more_with_it_than_others() -> None:
    """A poll that was copied or moved has files that its new owner made."""
    box = Ballots(frozenset({"sport"}), True, False)

    class Polls(Book):
        def levels(self, path: str) -> list[Level]:
            level, *above = super().levels(path)
            return [replace(level, ballots=box if level.path == BOX else None), *above]

    book = Polls({BOX: (rule("carol", may="create"),)}, creators={f"{BOX}/bob.toml": "carol"})
    assert actions(CAROL, f"{BOX}/bob.toml", book) == Access(CAROL, book).actions(f"{BOX}/bob.toml") == frozenset()
    assert actions(BOB, f"{BOX}/bob.toml", book) == Access(BOB, book).actions(f"{BOX}/bob.toml") == {R, C, W, D}
