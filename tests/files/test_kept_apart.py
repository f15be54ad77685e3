"""What macOS keeps for itself beside people's files: found by name, and in nobody's way."""

from __future__ import annotations

from pathlib import Path

import pytest

from davserver.dav.names import DAV
from tests.conftest import MakeServer
from tests.files.conftest import made
from tests.files.test_sync import ask, token_of, told
from tests.harness import Dav, Server

FILES = ("._a.txt", ".DS_Store", "._", ".apdisk")
FOLDERS = (".Trashes", ".Spotlight-V100", ".fseventsd", ".TemporaryItems")
QUOTA = 100_000


@pytest.fixture
def mac(alice: Dav, sport: str) -> str:
    """A folder that a Mac has used, with one file of alice's in it."""
    alice.put(f"{sport}/a.txt", "mine")
    for name in FILES:
        assert alice.put(f"{sport}/{name}", "finder").status == 201
    for name in FOLDERS:
        assert alice.put(f"{made(alice, f'{sport}/{name}')}/inside.txt", "finder").status == 201
    return sport


@pytest.mark.parametrize("depth", ["1", "infinity"])
def test_nobodys_listing_shows_it(alice: Dav, bob: Dav, mac: str, depth: str) -> None:
    for client in (alice, bob):
        rows = client.propfind(mac, DAV.getetag, depth=depth).multistatus()
        assert sorted(rows) == [f"{mac}/", f"{mac}/a.txt"]
        assert client.get(mac).text == "a.txt\n"


@pytest.mark.parametrize("level", ["1", "infinite"])
def test_no_report_tells_of_it(alice: Dav, bob: Dav, mac: str, level: str) -> None:
    first = ask(bob, mac + "/", level=level)
    assert told(first) == {f"{mac}/a.txt": None}
    alice.put(f"{mac}/._a.txt", "again")
    alice.put(f"{mac}/.Trashes/other.txt", "again")
    alice.delete(f"{mac}/.DS_Store")
    alice.delete(f"{mac}/.fseventsd")
    alice.put(f"{mac}/b.txt", "mine")
    assert told(ask(bob, mac + "/", token_of(first), level=level)) == {f"{mac}/b.txt": None}


def test_whoever_asks_by_name_finds_changes_and_removes_it(alice: Dav, bob: Dav, mac: str, cloud: Server) -> None:
    for name in FILES:
        path = f"{mac}/{name}"
        assert alice.propfind(path, DAV.getcontentlength).multistatus()[path].text(DAV.getcontentlength) == "6"
        assert bob.get(path).text == "finder"
        assert alice.put(path, "changed").status == 204
        assert Path(cloud.data, path.lstrip("/")).read_text() == "changed", "its bytes are a file on the disk"
        assert alice.move(path, f"{mac}/._moved").status == 201
        assert alice.delete(f"{mac}/._moved").status == 204
        assert alice.get(path).status == 404


def test_a_copy_of_the_folder_does_without_and_a_move_takes_it_along(alice: Dav, mac: str, cloud: Server) -> None:
    assert alice.copy(mac, f"{mac}-copy").status == 201
    assert sorted(path.name for path in Path(cloud.data, f"{mac}-copy".lstrip("/")).glob("[!.]*")) == ["a.txt"]
    assert [alice.get(f"{mac}-copy/{name}").status for name in FILES] == [404] * len(FILES)
    assert alice.move(mac, f"{mac}-moved").status == 201
    assert [alice.get(f"{mac}-moved/{name}").status for name in FILES] == [200] * len(FILES)


def test_a_folder_with_nothing_else_in_it_is_deleted(alice: Dav, mac: str) -> None:
    assert alice.delete(f"{mac}/a.txt").status == 204
    assert alice.delete(mac).status == 204
    assert alice.propfind(mac).status == 404


@pytest.fixture(scope="module")
def small(start_server: MakeServer) -> Server:
    """A server on which a home holds little."""
    return start_server(settings=f'[storage]\ndata = "data"\nquota_bytes = {QUOTA}\n')


@pytest.mark.rfc("4331", "4")
def test_small_ones_count_towards_no_quota_and_large_ones_do(small: Server) -> None:
    alice = small.client("alice")
    assert alice.put("/files/Home/film.mp4", b"x" * QUOTA).status == 201

    def used() -> str | None:
        row = alice.propfind("/files/Home", DAV.quota_used_bytes).multistatus()["/files/Home/"]
        return row.text(DAV.quota_used_bytes)

    assert alice.put("/files/Home/more.txt", "x").status == 507
    assert alice.put("/files/Home/._film.mp4", b"x" * 50_000).status == 201
    assert alice.put("/files/Home/.DS_Store", iter([b"x" * 50_000])).status == 201
    assert used() == str(QUOTA)
    before = small.tree()
    large = b"x" * 300_000
    for body in (large, iter([large])):
        reply = alice.put("/files/Home/._film.mp4", body)
        assert (reply.status, reply.condition) == (507, DAV.quota_not_exceeded)
    assert small.tree() == before
