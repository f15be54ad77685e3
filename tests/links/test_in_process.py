"""Public links at a store in this process: what is read for an answer, and many visitors at once."""

from __future__ import annotations

import io
import secrets
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import pytest

from auth.errors import LinkOver, NoSuchLink
from config.schema import Accounts, Settings, Storage
from davserver.dav.message import Request
from davserver.mounts.public import PublicMount
from storage.store import Store
from tests.pim.samples import event

PLACE = "collections/collection-root/alice/season"
TOKEN = "a-token-of-our-own-2027"


@pytest.fixture
def store(tmp_path: Path) -> Iterable[Store]:
    data = tmp_path / "data"
    folder = data / PLACE
    folder.mkdir(parents=True)
    (folder / ".Radicale.props").write_text('{"tag": "VCALENDAR"}')
    for number in range(20):
        (folder / f"{number}.ics").write_text(event(f"u{number}"), newline="")
    write_rules(data, f'token = "{TOKEN}"\n')
    store = Store(
        Settings(storage=Storage(data=data), accounts=Accounts(access_file=tmp_path / "access.toml")),
    )
    yield store
    store.close()


def write_rules(data: Path, more: str = "") -> None:
    (data / PLACE / ".access.toml").write_text(f'[[link]]\nright = "read"\n{more}')


def get(token: str = TOKEN, **headers: str) -> Request:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    path = f"/p/{token}/"
    return Request("id", "GET", path, fields, io.BytesIO(), 0, "192.0.2.7", "https", "cloud.example", {})


def etag_in(headers: list[tuple[str, str]]) -> str:
    return dict(headers)["ETag"]


def test_who_has_it_already_is_told_so_without_a_look_at_an_item(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    mount = PublicMount(store, store.settings)
    etag = etag_in(mount(get()).headers)

    def never(*arguments: object) -> None:
        raise AssertionError("an item was looked at")

    for name in ("read_contents", "read_member", "members", "open_member"):
        monkeypatch.setattr(store, name, never)
    assert mount(get(if_none_match=etag)).status == 304


def test_no_more_visitors_than_there_are_downloads_get_the_file(store: Store) -> None:
    write_rules(Path(store.data), f'token = "{TOKEN}"\ndownloads = 5\n')
    mount, start = PublicMount(store, store.settings), Barrier(12)

    def visit(_: int) -> int:
        start.wait(30)
        try:
            return mount(get()).status
        except LinkOver:
            return 410

    with ThreadPoolExecutor(12) as visitors:
        statuses = sorted(visitors.map(visit, range(12)))
    assert statuses == [200] * 5 + [410] * 7


def test_of_many_who_read_the_links_first_all_find_one_token(store: Store) -> None:
    write_rules(Path(store.data))
    start = Barrier(8)

    def read(_: int) -> str:
        start.wait(30)
        (issued,) = store.links.of(PLACE)
        return issued.token

    with ThreadPoolExecutor(8) as readers:
        tokens = set(readers.map(read, range(8)))
    assert len(tokens) == 1
    found = store.links.find(tokens.pop())
    assert found is not None
    assert found.path == "/dav/alice/season"


def test_guesses_beside_writes_of_rules_come_to_an_end(store: Store) -> None:
    """Reading every folder's links takes the locks that writers hold, and writers read them too."""
    other = f"{PLACE}-2"
    with store.write("collections/collection-root/alice") as tx:
        tx.make_folder(other, files={".Radicale.props": b'{"tag": "VCALENDAR"}'})
    start = Barrier(6)

    def guess(_: int) -> None:
        start.wait(30)
        for _ in range(20):
            assert store.links.find(secrets.token_urlsafe(16)) is None

    def write(place: str) -> None:
        from storage.sharedrules import remove_rules, write_rules

        start.wait(30)
        for _ in range(10):
            with store.write(place) as tx:
                write_rules(store, tx, place, b'[[link]]\nright = "read"\n')
            assert len(store.links.of(place)) == 1
            with store.write(place) as tx:
                remove_rules(store, tx, place)
            assert store.links.of(place) == []

    with ThreadPoolExecutor(6) as hands:
        done = [
            *(hands.submit(guess, number) for number in range(4)),
            *(hands.submit(write, p) for p in (PLACE, other)),
        ]
        for each in done:
            each.result(60)


def test_a_name_that_no_line_can_carry_is_made_harmless(store: Store) -> None:
    name = "Sea\\u0000\\r\\nATTENDEE:x\\ud800son/2027"
    (Path(store.data) / PLACE / ".Radicale.props").write_text(f'{{"tag": "VCALENDAR", "D:displayname": "{name}"}}')
    answer = PublicMount(store, store.settings)(get())
    assert isinstance(answer.body, Iterable)
    lines = b"".join(answer.body).split(b"\r\n")
    assert b"NAME:Sea\\nATTENDEE:xson/2027" in lines
    disposition = dict(answer.headers)["Content-Disposition"]
    assert disposition.isascii()
    assert disposition.isprintable()


def test_what_is_no_token_is_no_link(store: Store) -> None:
    mount = PublicMount(store, store.settings)
    for token in ("A" * 22, "A" * 21, "A" * 201, "not.a.token.but.long.enough", ""):
        with pytest.raises(NoSuchLink):
            mount(get(token))


def test_a_password_is_not_taken_in_the_clear(store: Store) -> None:
    write_rules(Path(store.data), f'token = "{TOKEN}"\npassword = "rosebud-12"\n')
    mount = PublicMount(store, store.settings)
    credentials = {"authorization": "Basic eDpyb3NlYnVkLTEy"}
    assert mount(get(**credentials)).status == 200
    for headers in ({}, credentials):
        assert mount(replace(get(**headers), scheme="http")).status == 403
