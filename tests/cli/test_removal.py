"""``davserver user remove``: what a member owned is the other one's, whether the server runs or not."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from auth.acl import EVERY_ACTION, actions
from auth.directory import Directory
from config.loader import load
from davserver.housekeeping import Housekeeper
from storage import handover
from storage.store import Store
from tests.cli.command import Result, davserver

WORD = "correct horse battery\n"
EVENT = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//EN\r\nBEGIN:VEVENT\r\nUID:u1\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260101T100000Z\r\nSUMMARY:x\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"  # noqa: E501
PROPS = {"tag": "VCALENDAR", "D:displayname": "Calendar"}


@pytest.fixture
def association(tmp_path: Path) -> Path:
    """alice and bob, each with a home and a calendar; bob made a board and a file in a shared folder."""
    folder = tmp_path / "cloud"
    davserver("init", str(folder))
    davserver("group", "add", "sport", folder=folder)
    for name in ("alice", "bob"):
        davserver("user", "add", name, "--group", "sport", "--password-stdin", folder=folder, stdin=WORD)
        calendar = folder / "data/collections/collection-root" / name / "calendar"
        calendar.mkdir(parents=True)
        (calendar / ".Radicale.props").write_text(json.dumps(PROPS))
        (calendar / "u1.ics").write_bytes(EVENT)
    private = folder / "data/collections/collection-root/bob/private"
    private.mkdir()
    (private / ".Radicale.props").write_text(json.dumps(PROPS))
    home = folder / "data/homes/bob/Letters"
    home.mkdir(parents=True)
    (home / "draft.txt").write_text("dear")
    board = folder / "data/files/Boards/Fête"
    board.mkdir()
    (board / ".state.jsonl").write_text(state_line("", "owner", "bob") + state_line("card.md", "creator", "bob"))
    (board / "card.md").write_text("# card")
    (folder / "data/files/Boards/.state.jsonl").write_text(state_line("Fête", "props", {}))
    return folder


def state_line(name: str, key: str, value: object) -> str:
    return json.dumps({"name": name, "key": key, "value": value}, ensure_ascii=False) + "\n"


@pytest.fixture
def running(association: Path) -> Iterator[Store]:
    """The store as a running server holds it, with its housekeeping."""
    settings = load(association / "davserver.toml")
    store = Store(settings, directory=Directory(settings))
    housekeeper = Housekeeper(store)
    housekeeper.start()
    yield store
    housekeeper.stop(within_s=10)
    store.close()


def remove(association: Path, name: str = "bob", other: str = "alice") -> Result:
    return davserver("user", "remove", name, "--to", other, folder=association)


def assert_handed_over(association: Path) -> None:
    data = association / "data"
    collections = data / "collections/collection-root"
    assert (data / "homes/alice/From bob/Letters/draft.txt").read_text() == "dear"
    assert not (data / "homes/bob").exists()
    assert not (collections / "bob").exists()
    assert (collections / "alice/calendar/u1.ics").read_bytes() == EVENT
    assert (collections / "alice/calendar-bob/u1.ics").read_bytes() == EVENT
    for name in ("private", "calendar-bob"):
        props = json.loads((collections / "alice" / name / ".Radicale.props").read_text())
        assert props == {**PROPS, "D:displayname": "Calendar (bob)"}
    assert (data / "files/Boards/Fête/card.md").read_text() == "# card"
    assert list(tomllib.loads((association / "users.toml").read_text())["user"]) == ["alice"]
    groups = tomllib.loads((association / "groups.toml").read_text())
    assert groups["group"]["sport"]["members"] == ["alice"]


def test_while_no_server_runs_the_other_gets_home_collections_and_ownership(association: Path) -> None:
    assert remove(association) == Result(0)
    assert_handed_over(association)
    rights = davserver("rights", "/files/Boards/Fête", "alice", folder=association)
    assert "owner of /files/Boards/Fête" in rights.out
    assert davserver("check", folder=association).code == 0


def test_a_running_server_hands_over_and_serves_the_new_state(association: Path, running: Store) -> None:
    assert remove(association) == Result(0)
    assert_handed_over(association)
    alice = Directory(load(association / "davserver.toml")).principal("alice")
    assert alice is not None
    assert actions(alice, "/files/Boards/Fête", running.rulebook) == EVERY_ACTION
    folder = running.find_folder("collections/collection-root/alice/calendar-bob")
    assert folder is not None
    assert [member.name for member in running.members(folder)] == ["u1.ics"]
    assert running.find_folder("homes/bob") is None
    assert running.rulebook.creator("/files/Boards/Fête/card.md") == "alice"


def test_a_member_who_comes_later_with_the_same_name_owns_nothing_of_it(association: Path) -> None:
    assert remove(association) == Result(0)
    davserver("user", "add", "bob", "--password-stdin", folder=association, stdin=WORD)
    rights = davserver("rights", "/files/Boards/Fête", "bob", folder=association)
    assert rights.out.split()[:2] == ["bob", "nothing"]


def test_a_request_that_no_server_took_is_done_by_the_next_one(association: Path) -> None:
    settings = load(association / "davserver.toml")
    handover.request(str(settings.storage.data), "bob", "alice")
    store = Store(settings, directory=Directory(settings))
    assert handover.work_off(store) == 1
    assert handover.work_off(store) == 0
    store.close()
    assert (association / "data/homes/alice/From bob/Letters/draft.txt").exists()


def test_a_hand_over_that_was_interrupted_is_finished_by_doing_it_again(association: Path) -> None:
    settings = load(association / "davserver.toml")
    store = Store(settings, directory=Directory(settings))
    handover.hand_over(store, "bob", "alice")
    assert handover.hand_over(store, "bob", "alice") == []
    store.close()
    assert remove(association) == Result(0)
    assert_handed_over(association)


def test_a_damaged_request_is_put_aside_and_nothing_changes(association: Path) -> None:
    settings = load(association / "davserver.toml")
    requests = association / "data/handover"
    requests.mkdir()
    (requests / "bob.json").write_text('{"name": "../x", "to"')
    store = Store(settings, directory=Directory(settings))
    assert handover.work_off(store) == 0
    store.close()
    assert (requests / "bob.json.broken").exists()
    assert (association / "data/homes/bob").exists()


@pytest.mark.parametrize(("name", "other"), [("bob", "bob"), ("bob", "nobody"), ("nobody", "alice"), ("bob", "sport")])
def test_a_removal_that_makes_no_sense_changes_nothing(association: Path, name: str, other: str) -> None:
    before = (association / "users.toml").read_bytes()
    assert remove(association, name, other) == Result(1)
    assert (association / "users.toml").read_bytes() == before
    assert (association / "data/homes/bob/Letters/draft.txt").exists()
