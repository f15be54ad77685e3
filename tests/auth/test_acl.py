"""The decision: what rules, owners and creators give, and what an error tells to whom."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.acl import Access, actions, sees
from auth.actions import EVERY_ACTION, Action
from auth.errors import Hidden, NeedPrivileges
from auth.principal import ANONYMOUS, Principal
from auth.rules import Rule
from tests.auth.book import Book, member, rule

ALICE = member("alice", "sport")
BOB = member("bob")
OWN = {Action.READ, Action.WRITE, Action.DELETE, Action.FREEBUSY}


def words(found: frozenset[Action]) -> str:
    return " ".join(action for action in Action if action in found)


def test_without_any_rule_nobody_may_do_anything():
    assert actions(ALICE, "/files/Sport", Book()) == frozenset()


def test_rules_of_one_folder_add_up():
    book = Book({"/files/A": (rule("sport", may="read"), rule("alice", may="write"), rule("bob", may="delete"))})
    assert words(actions(ALICE, "/files/A/x.txt", book)) == "read write freebusy"


def test_the_nearest_folder_with_a_rule_decides_alone():
    book = Book({"/files": (rule("alice", may="read write delete"),), "/files/A": (rule("alice", may="read"),)})
    assert words(actions(ALICE, "/files/A/B/x.txt", book)) == "read freebusy"


def test_a_rule_for_others_closes_a_folder_to_those_above():
    book = Book({"/files": (rule("all-users"),), "/files/A": (rule("bob"),)})
    assert actions(ALICE, "/files/A", book) == frozenset()


def test_a_folder_without_rules_does_not_stop_those_above():
    book = Book({"/files": (rule("alice"),), "/files/A": ()})
    assert Action.READ in actions(ALICE, "/files/A/B", book)


def test_inherit_adds_the_levels_above():
    book = Book(
        {"/files": (rule("alice"),), "/files/A": (rule("alice", may="write"),)}, inherit=frozenset({"/files/A"})
    )
    assert words(actions(ALICE, "/files/A", book)) == "read write freebusy"


def test_inherit_reaches_no_further_than_the_next_folder_that_decides():
    rules = {"/": (rule("alice", may="delete"),), "/files": (rule("alice"),), "/files/A": (rule("alice", may="write"),)}
    book = Book(rules, inherit=frozenset({"/files/A"}))
    assert words(actions(ALICE, "/files/A", book)) == "read write freebusy"


def test_a_rule_for_the_folder_alone_says_nothing_of_what_lies_in_it():
    book = Book({"/files": (rule("alice", may="read create", here=True),)})
    assert words(actions(ALICE, "/files", book)) == "read create freebusy"
    assert actions(ALICE, "/files/A", book) == frozenset()
    assert actions(ALICE, "/files/x.txt", book) == frozenset()


def test_a_rule_for_the_folder_alone_leaves_what_lies_in_it_to_the_levels_above():
    book = Book({"/files": (rule("alice"),), "/files/A": (rule("alice", may="write", here=True),)})
    assert words(actions(ALICE, "/files/A", book)) == "write"
    assert words(actions(ALICE, "/files/A/B", book)) == "read freebusy"


def test_a_rule_for_nobody_closes_its_folder_to_all_but_owner_and_administrators():
    rules = {"/files": (rule("all-users"), rule("carol", may="admin")), "/files/A": (rule(may=""),)}
    book = Book(rules, owners={"/files/A": "bob"})
    assert actions(ALICE, "/files/A/x.txt", book) == frozenset()
    assert actions(BOB, "/files/A/x.txt", book) == EVERY_ACTION
    assert actions(member("carol"), "/files/A/x.txt", book) == EVERY_ACTION


def test_a_broken_file_closes_its_folder_even_where_it_said_inherit():
    rules = {"/files": (rule("alice"), rule("carol", may="admin")), "/files/A": (rule("alice"),)}
    book = Book(rules, owners={"/files/A": "bob"}, inherit=frozenset({"/files/A"}), closed=frozenset({"/files/A"}))
    assert actions(ALICE, "/files/A/x.txt", book) == frozenset()
    assert actions(BOB, "/files/A/x.txt", book) == EVERY_ACTION
    assert actions(member("carol"), "/files/A/x.txt", book) == EVERY_ACTION


def test_admin_for_the_folder_alone_is_not_admin_below_it():
    book = Book({"/files/A": (rule("alice", may="admin", here=True),)})
    assert actions(ALICE, "/files/A", book) == EVERY_ACTION
    assert actions(ALICE, "/files/A/B", book) == frozenset()


def test_world_means_everyone_and_all_users_those_with_an_account():
    book = Book({"/files/A": (rule("world"),), "/files/B": (rule("all-users"),)})
    assert Action.READ in actions(ANONYMOUS, "/files/A", book)
    assert Action.READ in actions(ALICE, "/files/A", book)
    assert actions(ANONYMOUS, "/files/B", book) == frozenset()


@pytest.mark.rfc("4791", "6.1.1")
def test_who_may_read_sees_when_it_is_busy_and_not_the_other_way_round():
    book = Book({"/dav/hall/a": (rule("alice"), rule("bob", may="freebusy"))})
    assert words(actions(ALICE, "/dav/hall/a", book)) == "read freebusy"
    assert words(actions(BOB, "/dav/hall/a", book)) == "freebusy"


def test_an_owner_without_name_is_nobody():
    assert actions(ANONYMOUS, "/files/A", Book(owners={"/files/B": "alice"})) == frozenset()


def test_an_owner_is_found_in_another_case_and_normal_form():
    book = Book(owners={"/files/A": "JOSE\u0301"})
    assert actions(member("josé"), "/files/A/x.txt", book) == EVERY_ACTION


def test_create_includes_what_one_created_and_nothing_of_others():
    book = Book({"/files/A": (rule("all-users", may="create"),)}, creators={"/files/A/x.txt": "alice"})
    assert actions(ALICE, "/files/A/x.txt", book) == OWN | {Action.CREATE}
    assert words(actions(BOB, "/files/A/x.txt", book)) == "create"


def test_create_for_the_folder_alone_includes_what_one_created_in_it():
    book = Book({"/files/A": (rule("all-users", may="create", here=True),)}, creators={"/files/A/x.txt": "alice"})
    assert actions(ALICE, "/files/A/x.txt", book) == OWN
    assert actions(BOB, "/files/A/x.txt", book) == frozenset()


def test_what_one_created_is_lost_with_the_right_to_create():
    book = Book({"/files/A": (rule("bob", may="create"),)}, creators={"/files/A/x.txt": "alice"})
    assert actions(ALICE, "/files/A/x.txt", book) == frozenset()


def test_a_folder_that_was_closed_is_closed_to_who_created_it():
    rules = {"/files/A": (rule("alice", may="create"),), "/files/A/B": (rule(may=""),)}
    assert actions(ALICE, "/files/A/B", Book(rules, creators={"/files/A/B": "alice"})) == frozenset()


def test_an_unnamed_creator_is_not_the_anonymous():
    book = Book({"/files/A": (rule("world", may="create"),)})
    assert words(actions(ANONYMOUS, "/files/A/x.txt", book)) == "create"


def test_a_folder_is_seen_by_who_holds_something_below_it():
    book = Book({"/files/A/B/C": (rule("alice", may="create"),)})
    assert sees(ALICE, "/files/A", book)
    assert sees(ALICE, "/files/A/B/C", book)
    assert not sees(BOB, "/files/A", book)
    assert not sees(ALICE, "/files/B", book)


def test_a_file_that_one_may_not_read_is_not_seen():
    book = Book({"/files/A": (rule("all-users", may="create"),)}, creators={"/files/A/x.txt": "bob"})
    assert not sees(ALICE, "/files/A/x.txt", book)
    assert sees(BOB, "/files/A/x.txt", book)
    assert sees(ALICE, "/files/A", book)


@pytest.mark.rfc("3744", "7.1.1")
def test_who_may_know_of_a_resource_is_told_what_is_needed():
    access = Access(ALICE, Book({"/files/A": (rule("alice"),)}))
    access.require(Action.READ, "/files/A/x.txt")
    with pytest.raises(NeedPrivileges) as refused:
        access.require(Action.WRITE, "/files/A/x.txt")
    assert (refused.value.path, refused.value.action) == ("/files/A/x.txt", "write")


def test_for_who_may_not_know_of_a_resource_nothing_is_there():
    access = Access(BOB, Book({"/files/A": (rule("alice"),)}))
    for path in ("/files/A", "/files/A/x.txt"):
        with pytest.raises(Hidden):
            access.require(Action.WRITE, path)
        with pytest.raises(Hidden):
            access.require_seen(path)


def test_one_request_walks_up_once_for_all_files_of_a_folder():
    asked: list[str] = []

    class Counting(Book):
        def levels(self, path):
            asked.append(path)
            return super().levels(path)

    access = Access(ALICE, Counting({"/files": (rule("alice"),)}))
    assert all(access.may(Action.READ, f"/files/{number}.txt") for number in range(100))
    assert asked == ["/files"]


NAMES = st.sampled_from(["alice", "bob", "sport", "all-users", "world"])
PATHS = st.sampled_from(["/", "/files", "/files/A", "/files/A/B", "/files/A/B/C", "/files/A/B/x.txt", "/files/D"])
FOLDERS = PATHS.filter(lambda path: "." not in path)
RULES = st.builds(
    Rule,
    st.lists(NAMES, max_size=3).map(tuple),
    st.frozensets(st.sampled_from(Action)),
    st.booleans(),
    st.just("access.toml"),
    st.just(1),
)
BOOKS = st.builds(
    Book,
    st.dictionaries(FOLDERS, st.lists(RULES, max_size=3).map(tuple), max_size=4),
    st.frozensets(FOLDERS, max_size=2),
    st.dictionaries(FOLDERS, st.sampled_from(["alice", "bob"]), max_size=2),
    st.dictionaries(PATHS, st.sampled_from(["alice", "bob"]), max_size=2),
    st.frozensets(FOLDERS, max_size=1),
)
PRINCIPALS = st.sampled_from([ALICE, BOB, ANONYMOUS])


def is_within(path: str, ancestor: str) -> bool:
    return path == ancestor or ancestor == "/" or path.startswith(ancestor + "/")


@given(BOOKS, PRINCIPALS)
def test_the_decisions_of_a_request_are_those_of_the_pure_function(book, principal):
    access = Access(principal, book)
    for path in ("/files/A/B/x.txt", "/files/A/B", "/files/A/B/x.txt", "/files/y.txt", "/files", "/"):
        assert access.actions(path) == actions(principal, path, book)
        assert access.sees(path) == sees(principal, path, book)


@given(BOOKS, PRINCIPALS)
def test_what_one_may_do_with_each_member_of_a_folder_one_may_do_with_one_that_nobody_made(book, principal):
    access = Access(principal, book)
    for folder in ("/files/A/B", "/files/A", "/files", "/"):
        member = f"{folder.rstrip('/')}/nobodys.txt"
        assert access.actions_on_members(folder) == actions(principal, member, book)


@given(BOOKS, PRINCIPALS, PATHS, FOLDERS)
def test_ownership_is_never_lost_further_down(book, principal, path, folder):
    if principal.name is not None and book.owners.get(folder) == principal.name and is_within(path, folder):
        assert actions(principal, path, book) == EVERY_ACTION


@given(BOOKS, PRINCIPALS, PATHS, FOLDERS)
def test_admin_is_never_lost_further_down(book, principal, path, folder):
    gives_admin = any(
        Action.ADMIN in each.may and not each.here and principal.names & set(each.who)
        for each in book.rules.get(folder, ())
    )
    if gives_admin and is_within(path, folder):
        assert actions(principal, path, book) == EVERY_ACTION


@given(BOOKS, PRINCIPALS, PATHS)
def test_admin_is_everything_and_read_includes_freebusy(book, principal, path):
    held = actions(principal, path, book)
    assert Action.ADMIN not in held or held == EVERY_ACTION
    assert Action.READ not in held or Action.FREEBUSY in held


@given(BOOKS, PRINCIPALS, PATHS)
def test_the_world_holds_nothing_that_somebody_with_an_account_does_not(book, principal, path):
    assert actions(ANONYMOUS, path, book) <= actions(principal, path, book)


@given(BOOKS, PATHS, st.sampled_from(["sport", "board"]))
def test_one_more_group_never_takes_anything_away(book, path, group):
    more = Principal("alice", ALICE.groups | {group})
    assert actions(member("alice"), path, book) <= actions(more, path, book)


@given(BOOKS, PRINCIPALS, PATHS)
def test_the_way_to_what_is_seen_can_be_walked(book, principal, path):
    # Items that one made oneself are no marks: their folder is seen by the right to create there.
    marks = {*book.rules, *book.owners}
    for folder in marks:
        if sees(principal, folder, book) and is_within(folder, path) and book.is_folder(path):
            assert sees(principal, path, book)


@given(BOOKS, PRINCIPALS, PATHS, RULES.filter(lambda each: Action.ADMIN not in each.may))
def test_a_rule_far_above_changes_nothing_where_a_nearer_folder_decides(book, principal, path, far):
    nearer = Book({**book.rules, "/files/A": (rule("bob", may="read"),)}, owners=book.owners, creators=book.creators)
    changed = Book({**nearer.rules, "/": (*nearer.rules.get("/", ()), far)}, owners=book.owners, creators=book.creators)
    if is_within(path, "/files/A"):
        assert actions(principal, path, nearer) == actions(principal, path, changed)
