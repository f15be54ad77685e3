"""Changing rules by the ACL method while others write the same file."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from auth.aces import Ace, Grant
from auth.acl import Action
from auth.principal import ALL_USERS, WORLD, Principal
from storage import acl
from storage.acl import access_list, change_access_list
from storage.errors import PreconditionFailed
from storage.fileterms import Terms, Upload
from storage.session import Session
from tests.storage.conftest import Shelf

ALICE = Principal("alice", frozenset({ALL_USERS, WORLD}))
FOLDER = "/files/Members/alice"
FILE = f"{FOLDER}/access.toml"
READ = Grant("bob", frozenset({Action.READ}))
OWNER = Ace(Grant("alice", frozenset({Action.ADMIN})), protected=True)


@pytest.fixture
def session(shelf: Shelf) -> Session:
    shelf.make("homes/alice", owner="alice")
    return shelf.store.session(ALICE)


def put(session: Session, text: str) -> None:
    session.files.put(FILE, Upload(io.BytesIO(text.encode())), Terms())


def interrupted(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[int], None]) -> list[int]:
    """After each reading of the rules somebody else writes them; how often they were read is noted."""
    read, times = acl._read, list[int]()

    def read_and_lose(session: Session, file: str) -> tuple[bytes, str | None]:
        found = read(session, file)
        times.append(len(times))
        meanwhile(len(times))
        return found

    monkeypatch.setattr(acl, "_read", read_and_lose)
    return times


@pytest.mark.parametrize("before", [None, '[[rule]]\nwho = ["dora"]\nmay = ["read"]\n'])
def test_what_was_written_meanwhile_is_not_lost(
    shelf: Shelf, session: Session, monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    if before is not None:
        put(session, before)

    def meanwhile(time: int) -> None:
        if time == 1:
            put(shelf.store.session(ALICE), "# said meanwhile\n")

    times = interrupted(monkeypatch, meanwhile)
    change_access_list(session, FOLDER, [READ])
    assert len(times) == 2
    assert (
        shelf.read("homes/alice", "access.toml")[0] == b'# said meanwhile\n\n[[rule]]\nwho = ["bob"]\nmay = ["read"]\n'
    )
    assert access_list(shelf.store.session(ALICE), FOLDER) == [OWNER, Ace(READ)]


def test_where_others_write_all_the_while_it_is_given_up_and_theirs_stays(
    shelf: Shelf, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = interrupted(monkeypatch, lambda time: put(shelf.store.session(ALICE), f"# {time}\n"))
    with pytest.raises(PreconditionFailed):
        change_access_list(session, FOLDER, [READ])
    assert len(times) == acl.TRIES
    assert shelf.read("homes/alice", "access.toml")[0] == f"# {acl.TRIES}\n".encode()


def test_a_byte_order_mark_stays(shelf: Shelf, session: Session) -> None:
    put(session, '\ufeff[[rule]]\r\nwho = ["dora"]\r\nmay = ["read"]\r\n')
    change_access_list(session, FOLDER, [READ])
    assert shelf.read("homes/alice", "access.toml")[0] == (
        b'\xef\xbb\xbf[[rule]]\r\nwho = ["bob"]\r\nmay = ["read"]\r\n'
    )
