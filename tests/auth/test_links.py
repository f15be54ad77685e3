"""What a public link holds, until when, and by which password."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from auth.acl import Action, actions
from auth.links import PRINCIPAL, LinkBook, LinkPasswords, is_over
from auth.principal import ANONYMOUS
from auth.rules import Link, parse_folder_rules
from tests.auth.book import Book, member, rule
from tests.harness import hash_of

NOW = datetime(2027, 1, 1, tzinfo=UTC)


def link(right: str = "read", *, until: datetime | None = None, downloads: int | None = None) -> Link:
    return Link(None, right, until, None, downloads, None, 1)


def held(book: Book, path: str, right: str = "read") -> set[Action]:
    return set(actions(PRINCIPAL, path, LinkBook(book, "/files/A", link(right)))) - {Action.FREEBUSY}


@pytest.mark.parametrize(
    ("right", "given"),
    [("read", {Action.READ}), ("drop", {Action.CREATE}), ("read-drop", {Action.READ, Action.CREATE})],
)
def test_a_link_holds_its_right_from_its_folder_downwards(right: str, given: set[Action]) -> None:
    for path in ("/files/A", "/files/A/x.txt", "/files/A/B", "/files/A/B/x.txt"):
        assert held(Book(), path, right) == given
    for path in ("/", "/files", "/files/B", "/files/AB", "/files/x.txt"):
        assert held(Book(), path, right) == set()


def test_a_folder_below_with_rules_of_its_own_is_closed_to_the_link() -> None:
    for below in (rule("bob"), rule(), rule("all-users"), rule("world")):
        assert held(Book({"/files/A/B": (below,)}), "/files/A/B/x.txt") == set()
    assert held(Book({"/files/A/B": (rule("bob"),)}, frozenset({"/files/A/B"})), "/files/A/B/x.txt") == {Action.READ}
    assert held(Book({"/files/A/B": (rule("bob", here=True),)}), "/files/A/B/C/x.txt") == {Action.READ}


def test_rules_of_the_links_own_folder_do_not_close_it_and_a_broken_file_does() -> None:
    assert held(Book({"/files/A": (rule(),)}), "/files/A/x.txt") == {Action.READ}
    assert held(Book(closed=frozenset({"/files/A"})), "/files/A/x.txt") == set()
    assert held(Book(closed=frozenset({"/files/A/B"})), "/files/A/B/x.txt") == set()


def test_a_link_gives_nothing_to_anybody_else_and_no_rule_can_mean_it() -> None:
    book = LinkBook(Book(), "/files/A", link())
    for other in (ANONYMOUS, member("alice"), member("link")):
        assert actions(other, "/files/A/x.txt", book) == frozenset()
    (name,) = PRINCIPAL.names
    (meant,) = parse_folder_rules(f'[[rule]]\nwho = ["{name}"]\nmay = ["read"]\n', "access.toml").rules
    assert actions(PRINCIPAL, "/files/B/x.txt", Book({"/files/B": (meant,)})) == frozenset()


def test_a_link_is_over_at_its_time_or_with_its_last_download() -> None:
    second = timedelta(seconds=1)
    assert not is_over(link(), NOW, 1000)
    assert not is_over(link(until=NOW), NOW - second, 0)
    assert is_over(link(until=NOW), NOW, 0)
    assert not is_over(link(downloads=3), NOW, 2)
    assert is_over(link(downloads=3), NOW, 3)
    assert is_over(link(until=datetime.min.replace(tzinfo=UTC)), NOW, 0)
    assert not is_over(link(until=datetime.max.replace(tzinfo=UTC)), NOW, 0)


@pytest.mark.parametrize("stored", ["rose\u0301bud", "rosébud", hash_of("rosébud")], ids=["decomposed", "text", "hash"])
def test_a_password_stands_as_text_or_as_a_hash(stored: str) -> None:
    passwords = LinkPasswords(lifetime_s=300, entries=10)
    for _ in range(2):
        assert passwords.verify("token", "rosébud", stored)
        assert not passwords.verify("token", "rosebud", stored)
        assert not passwords.verify("token", "", stored)
