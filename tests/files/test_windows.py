"""What the Windows redirector, Explorer and Office send, in their order (docs/clients.md)."""

from __future__ import annotations

import pytest

from davserver.dav.names import DAV
from tests.files.conftest import made
from tests.harness import Dav, Reply, Server

WIN = "{urn:schemas-microsoft-com:}"
MODIFIED, CREATED, ACCESSED, ATTRIBUTES = (
    f"{WIN}Win32{name}" for name in ("LastModifiedTime", "CreationTime", "LastAccessTime", "FileAttributes")
)
UA = {"User-Agent": "Microsoft-WebDAV-MiniRedir/10.0.22621", "translate": "f"}
OWNER = "<D:href>DOMAIN\\alice</D:href>"


def lock(client: Dav, path: str, timeout: str = "Second-3600") -> Reply:
    """As the redirector asks: without Depth, its owner an href."""
    body = (
        '<?xml version="1.0" encoding="utf-8" ?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>'
        f"<D:locktype><D:write/></D:locktype><D:owner>{OWNER}</D:owner></D:lockinfo>"
    )
    return client.request("LOCK", path, body, {**UA, "Timeout": timeout})


def unlock(client: Dav, path: str, token: str) -> int:
    """As the redirector sends it: the token without its brackets."""
    return client.request("UNLOCK", path, headers={**UA, "Lock-Token": token}).status


def ask(client: Dav, path: str, depth: str = "0") -> Reply:
    """PROPFIND with ``Content-Length: 0``, which is allprop."""
    return client.request("PROPFIND", path, b"", {**UA, "Depth": depth})


@pytest.mark.rfc("4918", "10.1")
@pytest.mark.parametrize("share", ["/files/Home/deep/share", "/files/Sport/deep/share"])
def test_explorer_mounts_a_share_through_every_parent(alice: Dav, share: str) -> None:
    parts = share.split("/")
    for number in range(4, len(parts) + 1):
        alice.mkcol("/".join(parts[:number]))
    for path in ["/", *("/".join(parts[:number]) for number in range(2, len(parts) + 1))]:
        for spelled in {path, path.rstrip("/") + "/"}:
            offered = alice.options(spelled, UA)
            assert offered.status == 200
            assert {"1", "2"} <= {part.strip() for part in offered.headers["dav"].split(",")}
            assert offered.headers["ms-author-via"] == "DAV"
            answer = ask(alice, spelled)
            assert answer.status == 207, "answered in place, not sent elsewhere"
            (row,) = answer.multistatus().values()
            assert row.props[DAV.resourcetype].find(DAV.collection) is not None


@pytest.mark.rfc("4918", "9.1")
def test_explorers_listing_has_what_it_shows(alice: Dav, home: str) -> None:
    alice.put(f"{home}/Case Kept.TXT", "abc", {"X-OC-Mtime": "1000000000"})
    made(alice, f"{home}/Sub")
    rows = ask(alice, home, "1").multistatus()
    assert sorted(rows) == [f"{home}/", f"{home}/Case Kept.TXT", f"{home}/Sub/"]
    file = rows[f"{home}/Case Kept.TXT"]
    assert file.text(DAV.getlastmodified) == "Sun, 09 Sep 2001 01:46:40 GMT"
    assert file.text(DAV.getcontentlength) == "3"
    for row in rows.values():
        assert (row.text(DAV.creationdate) or "").endswith("Z")
        assert row.text(DAV.getlastmodified)


@pytest.mark.parametrize("top", ["/files/Home", "/files/Sport", "/files/Dropbox"])
def test_explorer_copies_a_file_in_and_its_properties_come_back_as_they_were_set(alice: Dav, top: str) -> None:
    path = f"{top}/Copied In.docx"
    assert ask(alice, path).status == 404
    assert alice.put(path, b"", UA).status == 201
    locked = lock(alice, path)
    assert locked.status == 200
    opened = {**UA, "If": f"(<{locked.lock_token}>)"}
    then = "Mon, 01 Jan 2024 00:00:00 GMT"
    first = {CREATED: then, ACCESSED: "Tue, 02 Jan 2024 00:00:00 GMT", MODIFIED: then, ATTRIBUTES: "00000000"}
    row = alice.proppatch(path, first, headers=opened).multistatus()[path]
    assert row.statuses == dict.fromkeys(first, 200)
    assert alice.head(path, UA).status == 200
    assert alice.put(path, b"x" * 100_000, opened).status == 204
    last = {MODIFIED: "Wed, 03 Jan 2024 00:00:00 GMT", ATTRIBUTES: "00000020"}
    assert alice.proppatch(path, last, headers=opened).multistatus()[path].statuses == dict.fromkeys(last, 200)
    assert unlock(alice, path, locked.lock_token) == 204
    for reply in (ask(alice, path), alice.propfind(path, *first, DAV.creationdate, DAV.getlastmodified)):
        row = reply.multistatus()[path]
        assert {name: row.text(name) for name in first} == first | last
        assert row.text(DAV.creationdate) == "2024-01-01T00:00:00Z"
        assert row.text(DAV.getlastmodified) == last[MODIFIED]
    assert alice.get(path).body == b"x" * 100_000
    assert alice.delete(path, UA).status == 204


@pytest.mark.rfc("4918", "7.1")
def test_without_the_token_the_locked_file_takes_no_properties(alice: Dav, bob: Dav, sport: str, cloud: Server) -> None:
    path = f"{sport}/a.docx"
    alice.put(path, "abc")
    assert lock(alice, path).status == 200
    before = cloud.tree()
    for client in (alice, bob):
        refused = client.proppatch(path, {MODIFIED: "Mon, 01 Jan 2024 00:00:00 GMT"}, headers=UA)
        assert (refused.status, refused.condition) == (423, DAV.lock_token_submitted)
    assert cloud.tree() == before


@pytest.mark.rfc("4918", "9.10.5")
def test_a_second_lock_is_refused_until_the_first_one_is_gone(alice: Dav, home: str) -> None:
    path = f"{home}/a.docx"
    alice.put(path, "abc")
    first = lock(alice, path)
    refused = lock(alice, path)
    assert (refused.status, refused.condition) == (423, DAV.no_conflicting_lock)
    assert unlock(alice, path, first.lock_token) == 204
    second = lock(alice, path)
    assert second.status == 200
    assert second.lock_token != first.lock_token
    assert unlock(alice, path, second.lock_token) == 204


@pytest.mark.parametrize("name", ["desktop.ini", "Thumbs.db", "folder.jpg", "AutoRun.inf", "~$letter.docx", "a.exe"])
@pytest.mark.parametrize("top", ["/files", "/files/Home", "/files/Sport", "/files/Dropbox"])
def test_what_explorer_looks_for_is_not_there(alice: Dav, top: str, name: str, unchanged: None) -> None:
    assert ask(alice, f"{top}/{name}").status == 404
    assert alice.get(f"{top}/{name}", UA).status == 404


@pytest.mark.rfc("4918", "9.9")
def test_explorer_renames_a_file_and_a_folder_also_in_case_only(alice: Dav, home: str, cloud: Server) -> None:
    alice.put(f"{home}/New Text Document.txt", "abc")
    made(alice, f"{home}/New folder")
    assert alice.move(f"{home}/New Text Document.txt", f"{home}/notes.txt", overwrite=False, headers=UA).status == 201
    assert alice.move(f"{home}/notes.txt", f"{home}/Notes.txt", overwrite=False, headers=UA).status == 201
    assert alice.move(f"{home}/New folder", f"{home}/Photos", overwrite=False, headers=UA).status == 201
    assert sorted(ask(alice, home, "1").multistatus()) == [f"{home}/", f"{home}/Notes.txt", f"{home}/Photos/"]
    before = cloud.tree()
    assert alice.move(f"{home}/Notes.txt", f"{home}/Photos", overwrite=False, headers=UA).status == 412
    assert cloud.tree() == before


def test_office_saves_over_a_temporary_file_while_its_owner_file_stands(alice: Dav, bob: Dav, sport: str) -> None:
    path, owner, temporary = f"{sport}/letter.docx", f"{sport}/~$letter.docx", f"{sport}/~WRD0001.tmp"
    alice.put(path, "first")
    assert alice.options(sport, UA).status == alice.head(sport, UA).status == 200
    held = lock(alice, path)
    assert alice.get(path, UA).text == "first"
    assert alice.put(owner, b"\x05alice", UA).status == 201
    assert lock(bob, path).status == 423
    assert bob.get(owner).body == b"\x05alice", "Office tells from it who has the document"
    opened = {**UA, "If": f"(<{held.lock_token}>)"}
    assert alice.put(path, "second", opened).status == 204
    assert alice.put(temporary, "third", UA).status == 201
    refused = alice.move(temporary, path, overwrite=True, headers=UA)
    assert refused.status == 423
    assert bob.get(path).text == "second"
    moved = {**UA, "If": f"<{path}> (<{held.lock_token}>)"}
    assert alice.move(temporary, path, overwrite=True, headers=moved).status == 204
    assert unlock(alice, path, held.lock_token) in (204, 409), "the lock went with the file that it was on"
    assert alice.delete(owner, UA).status == 204
    assert sorted(ask(bob, sport, "1").multistatus()) == [f"{sport}/", path]
    assert bob.get(path).text == "third"
