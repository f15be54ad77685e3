"""What fills a birthday calendar is what its member may read, whoever looks and whatever happens at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from auth.directory import Directory
from auth.principal import Principal
from config.schema import Accounts, Settings, Storage
from storage.collection import ADDRESS_BOOK, Collection, Home
from storage.kept import kept_by
from storage.paths import name_of
from storage.pim_collections import Changes, make_collection
from storage.pim_items import put_item
from storage.session import Session
from storage.store import Store

USERS = '[user.alice]\nmail = "a@example.org"\n[user.bob]\nmail = "b@example.org"\n'
PLACE = "collections/collection-root/alice/birthdays"


def card(uid: str, day: str = "1815-12-10") -> bytes:
    return f"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{uid}\r\nFN:{uid}\r\nN:{uid};;;;\r\nBDAY:{day}\r\nEND:VCARD\r\n".encode()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    (tmp_path / "users.toml").write_text(USERS)
    accounts = Accounts(
        users_file=tmp_path / "users.toml",
        groups_file=tmp_path / "groups.toml",
        access_file=tmp_path / "access.toml",
    )
    settings = Settings(storage=Storage(data=tmp_path / "data"), accounts=accounts)
    store = Store(settings, directory=Directory(settings))
    for member in ("alice", "bob"):
        session = session_of(store, member)
        book = make_collection(session, f"/dav/{member}/book", ADDRESS_BOOK, Changes())
        put_item(session, book, "a.vcf", card(f"friend-of-{member}"), lambda etag: None)
    yield store
    store.close()


def session_of(store: Store, member: str) -> Session:
    principal = store.accounts.principal(member) if store.accounts is not None else None
    assert principal is not None
    return store.session(principal)


def listed(session: Session) -> list[str]:
    home = session.pim.own_home()
    assert isinstance(home, Home)
    return [name_of(each.asked) for each in session.pim.collections(home)]


def names_in(store: Store) -> list[str]:
    folder = store.find_folder(PLACE)
    assert folder is not None
    texts = [read[1].decode() for read in store.read_members(folder, store.members(folder)) if read is not None]
    return sorted(line for text in texts for line in text.split("\r\n") if line.startswith("SUMMARY"))


def test_a_command_of_the_administrator_fills_no_calendar_with_what_its_member_may_not_read(store: Store) -> None:
    session = Session.of_administrator(store, Principal("alice"))
    assert "bob~book" in listed(session)
    assert names_in(store) == ["SUMMARY:🎂 friend-of-alice (1815)"]


def test_two_first_looks_at_once_make_one_calendar(store: Store) -> None:
    together = Barrier(4)

    def look(_: int) -> list[str]:
        together.wait(30)
        return listed(session_of(store, "alice"))

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(look, range(4)))
    assert [name for name in found[0] if name.startswith("birthdays")] == ["birthdays"]
    assert listed(session_of(store, "alice")).count("birthdays") == 1
    assert store.find_folder(PLACE + "-2") is None


def test_looking_again_writes_nothing(store: Store) -> None:
    listed(session_of(store, "alice"))
    before = store.index.meta("change")
    for _ in range(3):
        listed(session_of(store, "alice"))
    assert store.index.meta("change") == before


def test_a_home_that_is_looked_at_within_a_write_is_answered_as_it_is(store: Store) -> None:
    with store.write("files"):
        assert listed(session_of(store, "alice")) == ["book"]
    assert "birthdays" in listed(session_of(store, "alice"))


def test_what_was_changed_in_the_calendar_behind_the_server_s_back_is_put_right(store: Store) -> None:
    listed(session_of(store, "alice"))
    folder = Path(store.directory(PLACE))
    (item,) = folder.glob("*.ics")
    item.unlink()
    (folder / "own.ics").write_bytes(b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")
    listed(session_of(store, "alice"))
    assert [file.name for file in folder.glob("*.ics")] == [item.name]


def test_the_calendar_of_an_account_that_went_is_emptied_when_somebody_looks(store: Store) -> None:
    listed(session_of(store, "alice"))
    assert isinstance(store.accounts, Directory)
    Path(store.settings.accounts.users_file).write_text(USERS.replace("alice", "carol"))
    store.accounts.reload()
    found = Session.of_administrator(store).pim.find("/dav/alice/birthdays")
    assert isinstance(found, Collection)
    assert kept_by(store, PLACE) == "birthdays"
    assert names_in(store) == []
