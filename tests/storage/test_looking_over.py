"""The slow pass in the background and the one at the start: what each kind of edit behind the server's back becomes."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from davserver import housekeeping
from davserver.housekeeping import Housekeeper
from tests.edits import delete, edit_by_rename, edit_in_place, edit_in_place_with_the_old_stamp
from tests.pim.samples import card, event
from tests.storage.conftest import CALENDAR, Shelf

BOOK = "collections/collection-root/alice/book"
SAMPLES: dict[str, Callable[[str, str], str]] = {
    CALENDAR: event,
    BOOK: card,
    "files/A": lambda uid, text: f"{uid} {text}",
}
LONG_AGO = 1_000_000_000
Pass = Callable[[Shelf], None]


def add(file: Path, data: bytes) -> None:
    file.with_name("new.txt").write_bytes(data)


def add_with_an_old_stamp(file: Path, data: bytes) -> None:
    add(file, data)
    os.utime(file.with_name("new.txt"), (LONG_AGO, LONG_AGO))


def rename(file: Path, data: bytes) -> None:
    file.rename(file.with_name("new.txt"))


EDITS = {
    # what is done to old.txt: the names that have changed
    add: {"new.txt"},
    add_with_an_old_stamp: {"new.txt"},
    edit_in_place: {"old.txt"},
    edit_in_place_with_the_old_stamp: {"old.txt"},
    edit_by_rename: {"old.txt"},
    delete: {"old.txt"},
    rename: {"old.txt", "new.txt"},
}


def in_the_background(shelf: Shelf) -> None:
    shelf.store.housekeeping()


def at_the_start(shelf: Shelf) -> None:
    shelf.restart()


@pytest.fixture(params=SAMPLES)
def place(shelf: Shelf, request: pytest.FixtureRequest) -> str:
    """A calendar, an address book or a folder that holds old.txt and other.txt."""
    place: str = request.param
    (shelf.data / place).mkdir(parents=True)
    for name in ("old.txt", "kept.txt"):
        (shelf.data / place / name).write_text(SAMPLES[place](name, "first"), newline="")
    assert shelf.names(place) == ["kept.txt", "old.txt"]
    return place


@pytest.mark.rfc("6578", "3.5.1")
@pytest.mark.parametrize("look", [in_the_background, at_the_start])
@pytest.mark.parametrize("edit", EDITS)
def test_each_edit_is_a_change_in_the_log(
    shelf: Shelf, place: str, edit: Callable[[Path, bytes], None], look: Pass
) -> None:
    token, kept = shelf.token(place), shelf.read(place, "kept.txt")
    data = SAMPLES[place]("old.txt", "FIRST").encode()
    edit(shelf.data / place / "old.txt", data)
    look(shelf)
    row = shelf.store.index.folder(place)
    assert row is not None
    assert {change.name for change in shelf.store.changes_since(row, token)} == EDITS[edit]
    assert {name: shelf.read(place, name)[0] for name in shelf.names(place)} == {
        entry.name: entry.read_bytes() for entry in (shelf.data / place).iterdir()
    }
    assert shelf.read(place, "kept.txt") == kept


@pytest.mark.parametrize("look", [in_the_background, at_the_start])
def test_a_renamed_directory_is_gone_there_and_here_with_all_it_holds(shelf: Shelf, place: str, look: Pass) -> None:
    above, _, name = place.rpartition("/")
    token = shelf.token(above)
    (shelf.data / place).rename(shelf.data / above / "Z")
    look(shelf)
    assert shelf.store.index.folder(place) is None
    row = shelf.store.index.folder(f"{above}/Z")
    assert row is not None
    assert [member.name for member in shelf.store.members(row)] == ["kept.txt", "old.txt"]
    assert shelf.changes(above, token) == {name, "Z"}


@pytest.mark.parametrize("look", [in_the_background, at_the_start])
def test_a_pass_over_what_nobody_touched_changes_nothing(shelf: Shelf, place: str, look: Pass) -> None:
    shelf.clock.ahead_s = 3  # all stamps are settled
    look(shelf)
    token, before = shelf.token(place), shelf.store.index.meta("writes")
    reads: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("storage.reconcile.read_bytes", lambda file: reads.append(file))
        look(shelf)
    assert (shelf.token(place), shelf.store.index.meta("writes"), reads) == (token, before, [])


def test_a_file_that_may_not_be_read_does_not_keep_the_others_from_being_served(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from storage import reconcile

    def read(file: str) -> bytes:
        if file.endswith("/closed.ics"):
            raise PermissionError(13, "Permission denied", file)
        return Path(file).read_bytes()

    monkeypatch.setattr(reconcile, "read_bytes", read)
    (shelf.data / CALENDAR).mkdir(parents=True)
    for name in ("closed.ics", "open.ics"):
        (shelf.data / CALENDAR / name).write_text(event(name), newline="")
    assert shelf.names(CALENDAR) == ["open.ics"]
    assert "closed.ics cannot be read and is not served: Permission denied" in caplog.text
    monkeypatch.undo()
    shelf.store.housekeeping()
    assert shelf.names(CALENDAR) == ["closed.ics", "open.ics"]


def test_the_pass_waits_after_every_step_and_holds_no_folder_meanwhile(shelf: Shelf) -> None:
    (shelf.data / CALENDAR).mkdir(parents=True)
    for number in range(600):
        (shelf.data / CALENDAR / f"{number}.ics").write_text(event(f"e{number}"), newline="")
    assert len(shelf.names(CALENDAR)) == 600
    held = []
    shelf.store.housekeeping(lambda: held.append(shelf.store._guards.inside))
    assert len(held) >= 600 // 256
    assert not any(held)


def test_the_housekeeper_looks_over_everything_when_its_time_has_come_and_ends_in_the_middle(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    passes: list[str] = []
    begun = threading.Event()
    monkeypatch.setattr(housekeeping, "LOOK_EVERY_S", 0.01)

    def endless(pause: Callable[[], None]) -> None:
        passes.append("begun")
        begun.set()
        while True:
            pause()

    monkeypatch.setattr(shelf.store, "housekeeping", endless)
    housekeeper = Housekeeper(shelf.store, clock=lambda: now[0])
    housekeeper.start()
    assert passes == []
    now[0] = housekeeping.PASS_EVERY_S
    assert begun.wait(20)
    housekeeper.stop(within_s=20)
    assert passes == ["begun"]
    assert not housekeeper._thread.is_alive()
