"""A real store over an empty folder: real files, real SQLite."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from config.schema import Accounts, Settings, Storage
from storage.records import Folder, Member
from storage.store import Store

CALENDAR = "collections/collection-root/alice/calendar"


@dataclass
class Clock:
    """A clock that a test can wind forward; ``None`` is the machine's."""

    ahead_s: float = 0.0

    def __call__(self) -> float:
        import time

        return time.time() + self.ahead_s


@dataclass
class Shelf:
    """A store with short words for what the tests do with it."""

    data: Path
    clock: Clock
    store: Store
    settings: Settings

    def put(self, place: str, name: str, data: bytes, creator: str | None = None) -> Member:
        with self.store.scratch(place) as scratch:
            scratch.write(data)
            scratch.finish()
            with self.store.write(place) as tx:
                return tx.put(place, name, scratch, creator=creator)

    def folder(self, place: str) -> Folder:
        folder = self.store.find_folder(place)
        assert folder is not None
        return folder

    def make(self, place: str, owner: str | None = None) -> Folder:
        with self.store.write(place.rpartition("/")[0]) as tx:
            return tx.make_folder(place, owner=owner)

    def read(self, place: str, name: str) -> tuple[bytes, str]:
        data, member = self.store.read_member(self.folder(place), name)
        return data, member.etag

    def names(self, place: str) -> list[str]:
        return [member.name for member in self.store.members(self.folder(place))]

    def token(self, place: str) -> str:
        return self.store.sync_token(self.folder(place))

    def changes(self, place: str, token: str) -> set[str]:
        return {change.name for change in self.store.changes_since(self.folder(place), token)}

    def restart(self, settings: Settings | None = None) -> None:
        self.store.close()
        self.settings = settings or self.settings
        self.store = Store(self.settings, clock=self.clock)


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    settings = Settings(
        storage=Storage(data=tmp_path / "data"), accounts=Accounts(access_file=tmp_path / "access.toml")
    )
    clock = Clock()
    shelf = Shelf(tmp_path / "data", clock, Store(settings, clock=clock), settings)
    yield shelf
    shelf.store.close()


@pytest.fixture
def edit(shelf: Shelf) -> Callable[[str, bytes], None]:
    """Write into a file in place, behind the store's back."""

    def write(path: str, data: bytes) -> None:
        with open(shelf.data / path, "r+b") as file:
            file.write(data)
            file.truncate()

    return write
