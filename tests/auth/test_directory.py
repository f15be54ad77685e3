"""Accounts joined from real files, read again when these change."""

from __future__ import annotations

import os
from pathlib import Path
from statistics import median
from time import perf_counter

import pytest

from auth.accounts import Kind
from auth.directory import Directory
from auth.passwords import hash_app_password, hash_password
from auth.principal import ALL_USERS, WORLD
from config.schema import Accounts, Settings

SECRET = hash_password("secret")
DEVICE = "abcd-efgh-ijkm-nopq-rstu"
USERS = f"""
[user.alice]
display_name = "Alice Martin"
mail = ["alice@example.org"]
password = "{SECRET}"
[[user.alice.app_password]]
label = "phone"
hash = "{hash_app_password(DEVICE)}"

[user.bob]
password = "{SECRET}"
groups = ["sport"]

[user.carol]
"""
GROUPS = """
[group.sport]
members = ["alice", "van"]

[group.association]
groups = ["sport"]

[resource.van]
display_name = "Van"
"""


class Files:
    """The two files of an association, and a directory over them."""

    def __init__(self, folder: Path) -> None:
        self.users = folder / "users.toml"
        self.groups = folder / "groups.toml"
        self.users.write_text(USERS, "utf-8")
        self.groups.write_text(GROUPS, "utf-8")

    def directory(self, **accounts: object) -> Directory:
        return Directory(Settings(accounts=Accounts(users_file=self.users, groups_file=self.groups, **accounts)))


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_a_member_signs_in_with_name_in_any_case_and_password(files):
    alice = files.directory().verify("Alice", "secret")
    assert alice is not None
    assert (alice.name, alice.display_name, alice.addresses) == ("alice", "Alice Martin", ("alice@example.org",))
    assert alice.groups == {"sport", "association", ALL_USERS, WORLD}


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("alice", "Secret"),
        ("alice", ""),
        ("nobody", "secret"),
        ("carol", "secret"),
        ("carol", ""),
        ("sport", "secret"),
        ("van", "secret"),
        ("", ""),
        ("world", "secret"),
        ("bob", DEVICE),
    ],
)
def test_nobody_else_signs_in(files, name, password):
    directory = files.directory()
    assert directory.verify(name, password) is None
    assert directory.verify(name, password) is None


def test_a_device_signs_in_with_its_own_password(files):
    directory = files.directory()
    assert directory.verify("alice", DEVICE) == directory.principal("alice")
    assert directory.verify("alice", DEVICE.replace("-", "").upper()) is not None


def test_a_disabled_member_does_not_sign_in_but_keeps_the_name(files):
    files.users.write_text(USERS.replace("[user.alice]", "[user.alice]\ndisabled = true"), "utf-8")
    directory = files.directory()
    assert directory.verify("alice", "secret") is None
    assert directory.verify("alice", DEVICE) is None
    assert directory.account("alice").disabled
    assert directory.principal("alice").groups >= {"sport"}


def test_accounts_know_their_direct_groups_and_members(files):
    directory = files.directory()
    assert [(each.name, each.kind) for each in directory.accounts()] == [
        ("alice", Kind.MEMBER),
        ("association", Kind.GROUP),
        ("bob", Kind.MEMBER),
        ("carol", Kind.MEMBER),
        ("sport", Kind.GROUP),
        ("van", Kind.RESOURCE),
    ]
    assert directory.account("SPORT").members == ("alice", "bob", "van")
    assert directory.account("sport").groups == ("association",)
    assert directory.account("alice").groups == ("sport",)
    assert directory.account("nobody") is None
    assert directory.problems == ()
    assert (directory.is_member("Alice"), directory.is_member("van"), directory.is_member("x")) == (True, False, False)


def test_groups_that_contain_each_other_have_the_same_members_and_are_reported(files):
    files.groups.write_text('[group.a]\ngroups=["b"]\n[group.b]\ngroups=["a"]\nmembers=["alice"]\n', "utf-8")
    directory = files.directory()
    assert directory.principal("alice").groups >= {"a", "b"}
    assert "the groups a, b contain each other" in [problem.found for problem in directory.problems]


def test_a_name_in_two_files_is_nobodys_and_reported_with_both_places(files):
    files.groups.write_text(GROUPS + "\n[group.Alice]\n", "utf-8")
    directory = files.directory()
    assert directory.account("alice") is None
    assert directory.verify("alice", "secret") is None
    (problem,) = [each for each in directory.problems if "namespace" in each.hint]
    assert problem.found == "the name 'alice' is that of a member already"
    assert f"{files.users}:2" in problem.hint


def test_names_in_groups_that_nobody_has_are_reported_and_give_nothing(files):
    files.groups.write_text(GROUPS.replace('"van"]', '"van", "eve"]'), "utf-8")
    directory = files.directory()
    assert [each.found for each in directory.problems] == ["'sport' names 'eve', and no such group or account is"]
    assert directory.account("sport").members == ("alice", "bob", "van")


def test_a_changed_file_is_in_force_with_the_next_look(files):
    directory = files.directory()
    revision = directory.revision
    assert not directory.reload_if_changed()
    files.users.write_text(USERS.replace("[user.carol]", f'[user.dora]\npassword = "{SECRET}"'), "utf-8")
    assert directory.reload_if_changed()
    assert directory.verify("dora", "secret") is not None
    assert directory.account("carol") is None
    assert directory.revision > revision


def test_a_change_of_equal_length_with_an_old_time_stamp_is_found(files):
    directory = files.directory()
    before = files.users.stat()
    files.users.write_text(USERS.replace("Alice Martin", "Alice Mertin"), "utf-8")
    os.utime(files.users, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert directory.reload_if_changed()
    assert directory.account("alice").display_name == "Alice Mertin"


def test_a_change_of_password_ends_the_old_one_though_it_was_remembered(files):
    directory = files.directory()
    assert directory.verify("alice", "secret") is not None
    files.users.write_text(USERS.replace(SECRET, hash_password("other")), "utf-8")
    assert directory.reload_if_changed()
    assert directory.verify("alice", "secret") is None
    assert directory.verify("alice", "other") is not None


def test_a_change_of_groups_counts_for_a_remembered_credential(files):
    directory = files.directory()
    directory.verify("alice", "secret")
    files.groups.write_text('[group.board]\nmembers = ["alice"]\n[group.sport]\n', "utf-8")
    directory.reload_if_changed()
    assert directory.verify("alice", "secret").groups == {"board", ALL_USERS, WORLD}


@pytest.mark.parametrize("broken", ["[user.alice", "[user.alice]\npasword = 1\n", "[group.x]\n", "\xff"])
def test_a_broken_file_is_refused_and_the_old_one_stays_in_force(files, broken):
    directory = files.directory()
    files.users.write_text(broken, "latin-1")
    assert not directory.reload_if_changed()
    assert directory.problems
    assert directory.verify("alice", "secret") is not None
    files.users.write_text(USERS, "utf-8")
    directory.reload_if_changed()
    assert directory.problems == ()


def test_a_file_that_is_gone_is_a_problem_and_the_accounts_stay(files):
    directory = files.directory()
    files.users.unlink()
    directory.reload_if_changed()
    assert [problem.found for problem in directory.problems] == ["it cannot be read: No such file or directory"]
    assert directory.verify("alice", "secret") is not None


def test_a_name_taken_twice_by_a_change_keeps_the_old_accounts_in_force(files):
    directory = files.directory()
    files.groups.write_text(GROUPS + "\n[group.alice]\n", "utf-8")
    assert not directory.reload_if_changed()
    assert directory.account("alice").kind is Kind.MEMBER


@pytest.mark.parametrize(
    "fault",
    [
        '[user.eve]\npassword = "in the clear"\n',  # within the file
        "[user.eve]\n[user.EVE]\n",
        "[user.van]\n",  # a resource has that name
    ],
)
def test_who_is_disabled_beside_a_fault_that_was_there_at_start_signs_in_no_longer(files, fault):
    files.users.write_text(fault + USERS, "utf-8")
    directory = files.directory()
    assert directory.problems
    assert directory.verify("bob", "secret") is not None
    files.users.write_text(fault + USERS.replace("[user.bob]", "[user.bob]\ndisabled = true"), "utf-8")
    assert directory.reload_if_changed()
    assert directory.verify("bob", "secret") is None
    assert directory.verify("alice", "secret") is not None
    files.users.write_text(f"{fault}{USERS}\n[user.bob.x]\n", "utf-8")
    assert not directory.reload_if_changed()


def test_an_htpasswd_file_with_an_entry_of_another_kind_takes_later_changes(files, tmp_path):
    htpasswd = tmp_path / ".htpasswd"
    member = "alice:$apr1$J4SoX9zu$/E9TeA9DvJzyKC8RUtydH.\n"
    htpasswd.write_text(f"old:{{SHA}}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n{member}", "utf-8")
    directory = files.directory(htpasswd_file=htpasswd)
    assert directory.verify("alice", "Grüße 1") is not None
    htpasswd.write_text("old:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n", "utf-8")
    directory.reload_if_changed()
    assert directory.verify("alice", "Grüße 1") is None


def test_a_htpasswd_file_can_stand_in_for_the_users_file(files, tmp_path):
    htpasswd = tmp_path / ".htpasswd"
    htpasswd.write_text("alice:$apr1$J4SoX9zu$/E9TeA9DvJzyKC8RUtydH.\n", "utf-8")
    directory = files.directory(htpasswd_file=htpasswd)
    assert directory.verify("alice", "Grüße 1").groups >= {"sport"}
    assert directory.account("bob") is None


def test_unknown_and_disabled_names_take_the_work_of_known_ones(files):
    directory = files.directory()

    def seconds(name: str) -> float:
        def once(number: int) -> float:
            start = perf_counter()
            directory.verify(name, f"wrong {number}")
            return perf_counter() - start

        return median(map(once, range(7)))

    # Without the work an answer takes a thousandth of it; the machine may be busy meanwhile.
    known = seconds("alice")
    assert known / 4 < seconds("nobody") < known * 4
    assert known / 4 < seconds("carol") < known * 4
