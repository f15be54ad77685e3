"""The rule book: what it keeps of an answer never outlives the files and accounts that the answer came from."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field

import pytest

from auth.acl import Level
from storage.rulebook import DiskRuleBook
from tests.storage.conftest import CALENDAR, Shelf

RULE = '[[rule]]\nwho = ["bob"]\nmay = ["read"]\n'
OTHER = '[[rule]]\nwho = ["eve"]\nmay = ["read"]\n'
SERVER_RULE = '[[rule]]\npath = "/dav/alice/calendar"\nwho = ["bob"]\nmay = ["write"]\n'
PATHS = ["/dav/alice/calendar", "/dav/alice/calendar/1.ics", "/dav/alice", "/files/Sport/Plans", "/files/Sport/gone"]


@dataclass
class Accounts:
    """Members that come and go."""

    names: set[str] = field(default_factory=lambda: {"alice", "bob"})
    revision: int = 0

    def is_member(self, name: str) -> bool:
        return name in self.names

    def account(self, name: str) -> object | None:
        return name if name in self.names else None


@pytest.fixture
def accounts(shelf: Shelf) -> Accounts:
    accounts = Accounts()
    shelf.store.accounts = accounts
    shelf.store.rulebook = DiskRuleBook(shelf.store, accounts)
    shelf.make("collections/collection-root/alice")
    shelf.make(CALENDAR)
    shelf.make("files/Sport", owner="bob")
    shelf.make("files/Sport/Plans")
    return accounts


def found(book: DiskRuleBook) -> dict[str, list[Level]]:
    return {path: list(book.levels(path)) for path in PATHS}


def require_change(shelf: Shelf, accounts: Accounts, before: dict[str, list[Level]]) -> dict[str, list[Level]]:
    """A book that has answered before must see what one sees that never has."""
    after = found(shelf.store.rulebook)
    assert after != before
    assert after == found(DiskRuleBook(shelf.store, accounts))
    assert after == found(shelf.store.rulebook)
    return after


@pytest.mark.parametrize("place", [CALENDAR, "files/Sport/Plans", "files/Sport"])
def test_a_rules_file_that_comes_changes_breaks_and_goes_is_in_force_with_the_next_question(
    shelf: Shelf, accounts: Accounts, place: str
) -> None:
    file = shelf.data / place / (".access.toml" if place == CALENDAR else "access.toml")
    levels = found(shelf.store.rulebook)
    file.write_text(RULE)
    levels = require_change(shelf, accounts, levels)
    file.write_text("inherit = true\n" + OTHER)
    levels = require_change(shelf, accounts, levels)
    before = file.stat()
    file.with_suffix(".new").write_text("inherit = true\n" + RULE)  # as long as the other one, and as old
    os.utime(file.with_suffix(".new"), ns=(before.st_atime_ns, before.st_mtime_ns))
    file.with_suffix(".new").rename(file)
    levels = require_change(shelf, accounts, levels)
    file.unlink()
    levels = require_change(shelf, accounts, levels)
    file.write_text("[[rule]]\nwho =")
    require_change(shelf, accounts, levels)


def test_an_owner_a_rule_of_the_server_and_an_account_count_at_once(shelf: Shelf, accounts: Accounts) -> None:
    levels = found(shelf.store.rulebook)
    with shelf.store.write("files/Sport") as tx:
        tx.set_state("files/Sport", "", "owner", "eve")
    levels = require_change(shelf, accounts, levels)
    shutil.copy(shelf.data / "files/Sport/.state.jsonl", shelf.data / "files/Sport/Plans/.state.jsonl")  # a restore
    levels = require_change(shelf, accounts, levels)
    shelf.settings.accounts.access_file.write_text(SERVER_RULE)
    levels = require_change(shelf, accounts, levels)
    accounts.names.discard("alice")
    accounts.revision += 1
    require_change(shelf, accounts, levels)


def test_a_folder_that_goes_and_comes_back_is_the_one_that_came_back(shelf: Shelf, accounts: Accounts) -> None:
    (shelf.data / "files/Sport/Plans/access.toml").write_text(RULE)
    levels = found(shelf.store.rulebook)
    with shelf.store.write("files/Sport", "files/Sport/Plans", tree=True) as tx:
        tx.remove_folder("files/Sport/Plans", by=None)
    levels = require_change(shelf, accounts, levels)
    shelf.make("files/Sport/Plans", owner="eve")
    require_change(shelf, accounts, levels)
