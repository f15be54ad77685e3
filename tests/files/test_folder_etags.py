"""Entity tags of folders: every change gives all folders above a new one."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from davserver.dav.names import DAV
from tests.conftest import MakeServer
from tests.files.conftest import made
from tests.harness import Dav, Server

numbers = count(1)


def tag(client: Dav, path: str) -> str:
    """The ETag of a folder by PROPFIND, which is that of HEAD."""
    found = client.propfind(path, DAV.getetag).multistatus()[path.rstrip("/") + "/"].text(DAV.getetag)
    assert found is not None
    assert client.head(path).etag == found
    return found


def tags(client: Dav, path: str) -> dict[str, str | None]:
    rows = client.propfind(path, DAV.getetag, depth="1").multistatus()
    return {href: row.text(DAV.getetag) for href, row in rows.items() if href.endswith("/")}


CHANGES: dict[str, Callable[[Dav, str], int]] = {
    "create": lambda dav, deep: dav.put(f"{deep}/new.txt", "x").status,
    "content": lambda dav, deep: dav.put(f"{deep}/a.txt", "other").status,
    "delete": lambda dav, deep: dav.delete(f"{deep}/a.txt").status,
    "rename": lambda dav, deep: dav.move(f"{deep}/a.txt", f"{deep}/b.txt").status,
    "copy": lambda dav, deep: dav.copy(f"{deep}/a.txt", f"{deep}/c.txt").status,
    "folder": lambda dav, deep: dav.mkcol(f"{deep}/sub").status,
    "folder renamed": lambda dav, deep: dav.move(f"{deep}/old", f"{deep}/moved").status,
    "folder deleted": lambda dav, deep: dav.delete(f"{deep}/old").status,
    "time": lambda dav, deep: dav.put(f"{deep}/a.txt", "a", {"X-OC-Mtime": "1500000000"}).status,
}


@pytest.mark.rfc("4918", "15.6")
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("top", ["/files/Home", "/files/Sport"])
def test_every_change_gives_all_folders_above_a_new_etag_and_no_other_one(alice: Dav, top: str, change: str) -> None:
    start = made(alice, f"{top}/etags{next(numbers)}")
    deep = made(alice, made(alice, f"{start}/one") + "/two")
    beside = made(alice, f"{start}/beside")
    alice.put(f"{deep}/a.txt", "a")
    made(alice, f"{deep}/old")
    above = ("/files", top, start, f"{start}/one", deep)
    before, listed = {path: tag(alice, path) for path in above}, tags(alice, start)
    still = tag(alice, beside)
    assert CHANGES[change](alice, deep) in (201, 204)
    assert [path for path in above if tag(alice, path) == before[path]] == []
    assert tag(alice, beside) == still
    now = tags(alice, start)
    assert now[f"{start}/one/"] != listed[f"{start}/one/"]
    assert now[f"{start}/beside/"] == listed[f"{start}/beside/"] == still


def test_a_listing_gives_each_folder_the_etag_that_it_has_when_asked_alone(alice: Dav, home: str) -> None:
    for name in ("a", "a b", "ä", "a-b"):
        made(alice, made(alice, f"{home}/{name}") + "/deep")
    for path in (home, "/files"):
        apart = ("/files/Collections/", "/files/Trash/", "/files/History/")
        listed = {href: etag for href, etag in tags(alice, path).items() if href not in apart}
        assert len(listed) > 3
        assert {href: tag(alice, href.rstrip("/")) for href in listed} == listed


@pytest.mark.rfc("9110", "13.1.1")
def test_a_folder_is_deleted_and_moved_only_as_it_was_known(alice: Dav, home: str, cloud: Server) -> None:
    path = made(alice, f"{home}/known")
    known = tag(alice, path)
    alice.put(f"{path}/a.txt", "a")
    before = cloud.tree()
    assert alice.delete(path, {"If-Match": known}).status == 412
    assert alice.request("DELETE", path, headers={"If": f"([{known}])"}).status == 412
    sent = {"Destination": f"{home}/elsewhere", "If-Match": known}
    assert alice.request("MOVE", path, headers=sent).status == 412
    assert cloud.tree() == before
    sent["If-Match"] = tag(alice, path)
    assert alice.request("MOVE", path, headers=sent).status == 201
    now = tag(alice, f"{home}/elsewhere")
    assert alice.delete(f"{home}/elsewhere", {"If-Match": now}).status == 204


@pytest.mark.rfc("9110", "13.1.2")
def test_a_folder_that_is_known_is_not_sent_again(alice: Dav, home: str) -> None:
    known = tag(alice, home)
    for reply in (alice.get(home, {"If-None-Match": known}), alice.head(home, {"If-None-Match": f'"x", {known}'})):
        assert (reply.status, reply.body, reply.etag) == (304, b"", known)
    modified = alice.get(home).headers["last-modified"]
    assert alice.get(home, {"If-Modified-Since": modified}).status == 200, "a second is too coarse"
    alice.put(f"{home}/a.txt", "a")
    assert alice.get(home, {"If-None-Match": known}).text == "a.txt\n"


def test_no_etag_of_a_folder_comes_back_with_its_content(alice: Dav, home: str) -> None:
    seen = {tag(alice, home)}
    for _ in range(3):
        alice.put(f"{home}/a.txt", "a")
        seen.add(tag(alice, home))
        alice.delete(f"{home}/a.txt")
        seen.add(tag(alice, home))
    assert len(seen) == 7


def test_edits_on_the_disk_restarts_and_a_lost_index_are_told_from_each_other(start_server: MakeServer) -> None:
    server = start_server(folders=("Sport",))
    alice = server.client("alice")
    deep = made(alice, made(alice, "/files/Sport/one") + "/two")
    first = tag(alice, "/files/Sport")
    disk = Path(server.data, "files", "Sport", "one", "two", "new.txt")
    disk.write_text("by hand")
    assert alice.propfind(deep, depth="1").status == 207  # somebody looks
    second = tag(alice, "/files/Sport")
    assert second != first
    server.restart()
    assert tag(server.client("alice"), "/files/Sport") == second
    server.stop()
    Path(server.data, "index.sqlite").unlink()
    server.start()
    assert tag(server.client("alice"), "/files/Sport") not in (first, second)
