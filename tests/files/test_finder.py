"""What Finder (webdavfs) sends, in its order (docs/clients.md)."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from davserver.dav.message import quote_path
from davserver.dav.names import DAV
from tests.files.conftest import made
from tests.files.test_sync import ask, token_of, told
from tests.harness import Dav, Reply, Server

UA = {"User-Agent": "WebDAVFS/3.0.0 (03008000) Darwin/23.6.0 (arm64)"}
TOPS = ["/files/Home", "/files/Sport", "/files/Dropbox"]


def upload(client: Dav, path: str, parts: list[bytes], announced: int | None = None) -> Reply:
    """An empty file, a lock, then the bytes in chunks with their number in a header; the reply to these."""
    assert client.propfind(path, DAV.resourcetype, headers=UA).status == 404
    assert client.put(path, b"", UA).status == 201
    token = client.lock(path, timeout="Second-600", headers=UA).lock_token
    length = sum(map(len, parts)) if announced is None else announced
    sent = {**UA, "If": f"(<{token}>)", "X-Expected-Entity-Length": str(length)}
    stored = client.put(path, iter(parts), sent)
    assert client.propfind(path, DAV.getcontentlength, headers=UA).status == 207, "reading asks for no token"
    assert client.unlock(path, token, UA).status == 204
    return stored


@pytest.mark.parametrize("top", TOPS)
def test_finder_stores_a_file_and_its_twin(alice: Dav, top: str) -> None:
    name = "Photo from Finder.jpg"
    for path, data in ((f"{top}/{name}", b"x" * 200_000), (f"{top}/._{name}", b"\0\5\x16\7" * 1024)):
        assert upload(alice, path, [data[:1000], data[1000:]]).status == 204
        assert alice.get(path, UA).body == data
    listed = alice.propfind(top, DAV.resourcetype, depth="1", headers=UA).multistatus()
    assert [path for path in listed if path.endswith(name)] == [f"{top}/{name}"]
    for path in (f"{top}/{name}", f"{top}/._{name}"):
        assert alice.delete(path, UA).status == 204


@pytest.mark.parametrize("announced", [5, 7])
def test_a_body_of_another_length_than_announced_is_not_stored(
    alice: Dav, home: str, cloud: Server, announced: int
) -> None:
    path = f"{home}/a.txt"
    reply = upload(alice, path, [b"abc", b"def"], announced)
    assert reply.status == 400
    assert alice.get(path).body == b""
    assert [name for name in cloud.tree() if "scratch" in name and "-" in name] == []


@pytest.mark.rfc("4331", "3")
@pytest.mark.parametrize("path", ["/files", *TOPS])
def test_finder_asks_for_room_and_gets_numbers(alice: Dav, path: str) -> None:
    old = (DAV("quota"), DAV("quotaused"))
    row = next(iter(alice.propfind(path, DAV.quota_available_bytes, DAV.quota_used_bytes, *old).multistatus().values()))
    assert int(row.text(DAV.quota_available_bytes) or "-1") >= 0
    assert [row.statuses[name] for name in old] == [404, 404]
    assert int(row.text(DAV.quota_used_bytes) or "-1") >= 0


@pytest.mark.parametrize(
    "name",
    ["._.", ".DS_Store", ".metadata_never_index", ".Spotlight-V100", ".Trashes", ".hidden", "mach_kernel", "Contents"],
)
def test_what_finder_looks_for_is_not_there(alice: Dav, home: str, name: str, unchanged: None) -> None:
    assert alice.propfind(f"{home}/{name}", DAV.resourcetype, headers=UA).status == 404


@pytest.mark.rfc("4918", "5.2")
def test_a_folder_asked_for_without_its_slash_is_answered_in_place(alice: Dav, home: str) -> None:
    answer = alice.propfind(home, DAV.resourcetype, DAV("appledoubleheader"), headers=UA)
    assert (answer.status, list(answer.multistatus())) == (207, [f"{home}/"])


def test_finder_locks_a_file_and_its_twin_and_forgets_one(alice: Dav, home: str) -> None:
    tokens = {name: alice.lock(f"{home}/{name}", timeout="Second-600").lock_token for name in ("f", "._f")}
    assert alice.unlock(f"{home}/f", tokens["f"]).status == 204
    assert alice.put(f"{home}/f", "x").status == 204
    assert alice.put(f"{home}/._f", "x").status == 423
    assert alice.put(f"{home}/._f", "x", {"If": f"(<{tokens['._f']}>)"}).status == 204


def test_finder_deletes_a_folder_member_by_member(alice: Dav, home: str) -> None:
    folder = made(alice, f"{home}/folder")
    for name in ("a.txt", "._a.txt", ".DS_Store"):
        alice.put(f"{folder}/{name}", "x")
    assert [alice.delete(f"{folder}/{name}", UA).status for name in ("a.txt", "._a.txt", ".DS_Store")] == [204] * 3
    assert alice.delete(f"{folder}/", UA).status == 204
    assert list(alice.propfind(home, DAV.resourcetype, depth="1").multistatus()) == [f"{home}/"]


def test_a_decomposed_name_is_the_composed_one_everywhere(alice: Dav, home: str, cloud: Server) -> None:
    composed = "Übergröße é"
    apart = unicodedata.normalize("NFD", composed)
    assert composed != apart
    assert alice.mkcol(f"{home}/{apart}", headers=UA).status == 201
    assert alice.mkcol(f"{home}/{composed}").status == 405
    assert alice.put(f"{home}/{apart}/{apart}.txt", "x", UA).status == 201
    path = f"{home}/{composed}/{composed}.txt"
    rows = alice.propfind(home, DAV.getetag, depth="infinity").multistatus()
    assert sorted(rows) == sorted([f"{home}/", f"{home}/{composed}/", path])
    token = alice.lock(path, timeout="Second-600").lock_token
    url = f"http://127.0.0.1:{cloud.port}{quote_path(f'{home}/{apart}/{apart}.txt')}"
    assert alice.put(path, "y", {"If": f"<{url}> (<{token}>)"}).status == 204
    assert alice.unlock(f"{home}/{apart}/{apart}.txt", token).status == 204
    assert alice.move(path, f"{home}/{apart}/{apart}.md", headers=UA).status == 201
    assert alice.move(f"{home}/{apart}", f"{home}/Neue {apart}", headers=UA).status == 201
    assert alice.get(f"{home}/Neue {composed}/{composed}.md").text == "y"
    on_disk = [name for name in cloud.tree() if home.rpartition("/")[2] in name]
    assert [name for name in on_disk if unicodedata.normalize("NFC", name) != name] == []


def test_a_file_that_stands_decomposed_on_the_disk_has_one_name_for_everybody(
    alice: Dav, bob: Dav, sport: str, cloud: Server
) -> None:
    first = ask(bob, sport + "/")
    composed = "Größe.txt"
    apart = unicodedata.normalize("NFD", composed)
    folder = Path(cloud.data, sport.lstrip("/"))
    (folder / apart).write_text("by hand")
    path = f"{sport}/{composed}"
    assert sorted(alice.propfind(sport, DAV.getetag, depth="1").multistatus()) == [f"{sport}/", path]
    assert told(ask(bob, sport + "/", token_of(first))) == {path: None}
    for spelled in (composed, apart):
        assert alice.get(f"{sport}/{spelled}").text == "by hand"
    assert alice.put(path, "by client").status == 204
    assert [entry.name for entry in folder.iterdir() if entry.suffix == ".txt"] == [apart]
    assert (folder / apart).read_text() == "by client"
    assert alice.move(f"{sport}/{apart}", f"{sport}/renamed.txt").status == 201
    assert sorted(alice.propfind(sport, DAV.getetag, depth="1").multistatus()) == [f"{sport}/", f"{sport}/renamed.txt"]
    assert told(ask(bob, sport + "/", token_of(first))) == {path: 404, f"{sport}/renamed.txt": None}


def test_a_folder_that_stands_decomposed_on_the_disk_is_served_with_all_that_is_in_it(
    alice: Dav, bob: Dav, sport: str, cloud: Server
) -> None:
    first = ask(bob, sport + "/")
    composed = "Große Übung"
    apart = Path(cloud.data, sport.lstrip("/"), unicodedata.normalize("NFD", composed))
    (apart / "Äpfel").mkdir(parents=True)
    (apart / "Äpfel" / "ö.txt").write_text("by hand")
    assert alice.get(f"{sport}/{composed}/Äpfel/ö.txt").text == "by hand"
    assert list(told(ask(bob, sport + "/", token_of(first)))) == [f"{sport}/{composed}/"]
    assert alice.put(f"{sport}/{composed}/Äpfel/ö.txt", "by client").status == 204
    assert alice.move(f"{sport}/{composed}", f"{sport}/plain").status == 201
    assert alice.get(f"{sport}/plain/Äpfel/ö.txt").text == "by client"


def test_of_two_folders_of_one_name_the_composed_one_is_served_and_the_log_says_so(
    alice: Dav, sport: str, cloud: Server
) -> None:
    for form in ("NFD", "NFC"):
        folder = Path(cloud.data, sport.lstrip("/"), unicodedata.normalize(form, "Übung"))
        folder.mkdir(parents=True)
        (folder / form).write_text(form)
    assert list(alice.propfind(f"{sport}/Übung", DAV.getetag, depth="1").multistatus()) == [
        f"{sport}/Übung/",
        f"{sport}/Übung/NFC",
    ]
    assert "'U\\u0308bung' are one name; '\\xdcbung' is served" in cloud.log
