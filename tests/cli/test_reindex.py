"""``davserver reindex``, beside a running server and without one."""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path

import pytest

from davserver.dav.names import DAV
from tests.cli.command import Result, davserver
from tests.conftest import MakeServer
from tests.durability.mirror import Mirror
from tests.harness import Dav, Server
from tests.pim.samples import event, mkcol

CALENDAR, BOOK = "/dav/alice/cal/", "/dav/alice/book/"
ON_DISK = Path("collections/collection-root/alice/cal")


def reindex(server: Server) -> Result:
    return davserver("reindex", "-c", str(server.config))


def pretend_unchanged(server: Server, name: str) -> None:
    """Let the index hold the stamps that a file has now, as if none had betrayed the edit."""
    status = (server.data / ON_DISK / name).stat()
    connection = sqlite3.connect(server.data / "index.sqlite")
    connection.execute(
        "UPDATE member SET modified_ns = ?, changed_ns = ?, size = ?, inode = ? WHERE name = ?",
        (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino, name),
    )
    connection.commit()
    connection.close()


@pytest.fixture
def filled(server: Server, alice: Dav) -> Server:
    """A calendar with a.ics and b.ics, an address book, a file."""
    assert alice.mkcalendar(CALENDAR).status == 201
    assert alice.mkcol(BOOK, mkcol("CR:addressbook")).status == 201
    for uid in "ab":
        assert alice.put(f"{CALENDAR}{uid}.ics", event(uid, "first")).status == 201
    assert alice.put("/files/Sport/a.txt", "one").status == 201
    return server


@pytest.mark.rfc("6578", "3.5.1")
def test_what_no_stamp_betrays_is_found_by_the_running_server_and_told_to_clients(filled: Server, alice: Dav) -> None:
    mirror = Mirror(alice, CALENDAR)
    mirror.synchronise()
    etag = alice.propfind(CALENDAR + "b.ics", DAV.getetag).multistatus()[CALENDAR + "b.ics"].text(DAV.getetag)
    file = filled.data / ON_DISK / "a.ics"
    file.write_text(event("a", "FIRST"), newline="")
    pretend_unchanged(filled, "a.ics")
    result = reindex(filled)
    assert (result.code, result.err) == (0, "")
    assert "the running server looked at 3 files; 1 differed from the index" in result.out
    mirror.require_truth({"a.ics": event("a", "FIRST").encode(), "b.ics": event("b", "first").encode()})
    assert mirror.refused == 0
    assert mirror.etags["b.ics"] == etag


def test_what_is_right_keeps_etags_and_tokens(filled: Server, alice: Dav) -> None:
    paths = (CALENDAR, BOOK, CALENDAR + "a.ics", "/files/Sport/a.txt")

    def look() -> dict[str, tuple[str | None, str | None]]:
        rows = {path: alice.propfind(path, DAV.getetag, DAV.sync_token).multistatus()[path] for path in paths}
        return {path: (row.text(DAV.getetag), row.text(DAV.sync_token)) for path, row in rows.items()}

    before = look()
    assert reindex(filled) == Result(0)
    assert look() == before
    assert reindex(filled.restart()) == Result(0)
    assert look() == before


def test_members_are_served_meanwhile_and_what_they_write_stays(filled: Server, alice: Dav) -> None:
    for number in range(300):
        (filled.data / ON_DISK / f"{number}.ics").write_text(event(f"e{number}"), newline="")
    results: list[Result] = []
    command = threading.Thread(target=lambda: results.append(reindex(filled)))
    command.start()
    etags = {}
    while command.is_alive():
        number = len(etags)
        reply = alice.put(f"{CALENDAR}{number}.ics", event(f"e{number}", "meanwhile"))
        assert reply.status in (201, 204)
        etags[number] = reply.etag
        assert alice.propfind(CALENDAR, DAV.sync_token).status == 207
    command.join()
    assert results == [Result(0)]
    for number, etag in etags.items():
        reply = alice.get(f"{CALENDAR}{number}.ics")
        assert (reply.text, reply.etag) == (event(f"e{number}", "meanwhile"), etag)


def test_without_a_server_the_command_does_it_and_says_so(filled: Server, alice: Dav) -> None:
    mirror = Mirror(alice, CALENDAR)
    mirror.synchronise()
    filled.stop()
    (filled.data / ON_DISK / "a.ics").write_text(event("a", "FIRST"), newline="")
    pretend_unchanged(filled, "a.ics")
    result = reindex(filled)
    assert result == Result(0)
    assert "no server runs, so this command looked at 3 files; 1 differed" in result.out
    filled.start()
    mirror.require_truth({"a.ics": event("a", "FIRST").encode(), "b.ics": event("b", "first").encode()})
    assert mirror.refused == 0


def damage(file: Path) -> None:
    """Pages that belong to nothing: only a look at the last row finds them."""
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("DELETE FROM sqlite_schema WHERE name = 'lock_path'")
    connection.commit()
    connection.close()


def test_of_a_damaged_index_the_running_server_says_what_to_do_and_that_helps(filled: Server, alice: Dav) -> None:
    before = filled.tree()
    damage(filled.data / "index.sqlite")
    result = reindex(filled)
    assert result.code == 1
    assert "index.sqlite is damaged" in result.err
    assert "stop the server, delete that file and start it again" in result.err
    assert filled.tree() == before
    assert alice.get(CALENDAR + "a.ics").status == 200
    filled.stop()
    (filled.data / "index.sqlite").unlink()
    filled.start()
    assert reindex(filled) == Result(0)
    assert alice.get(CALENDAR + "a.ics").text == event("a", "first")


def test_a_damaged_index_is_made_anew_without_a_server(filled: Server, alice: Dav) -> None:
    filled.stop()
    damage(filled.data / "index.sqlite")
    result = reindex(filled)
    assert result == Result(0)
    assert "looked at 3 files" in result.out
    assert (filled.data / "index.sqlite.set-aside").exists()
    filled.start()
    assert alice.get(CALENDAR + "a.ics").text == event("a", "first")


def test_a_folder_that_radicale_holds_is_left_alone(make_server: MakeServer) -> None:
    import fcntl

    server = make_server()
    (server.data / "collections").mkdir(parents=True)
    with (server.data / "collections/.Radicale.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = server.tree()
        result = reindex(server)
        assert result.code == 1
        assert "is in use by another davserver or Radicale" in result.err
        assert server.tree().keys() - before.keys() <= {
            "homes",
            "collections/collection-root",
            "trash",
            "history",
            "scratch",
        }


def test_it_ends_with_the_server_and_says_that_it_did(filled: Server) -> None:
    """The socket is there as long as the server is, however it ended."""
    socket = filled.data / "control.sock"
    assert socket.is_socket()
    assert oct(os.stat(socket).st_mode & 0o777) == "0o600"
    filled.stop()
    assert not socket.exists()
    filled.start()
    filled.kill()
    assert socket.is_socket()  # a crash leaves it behind
    assert "no server runs" in reindex(filled).out
    filled.start()
    assert "the running server looked at" in reindex(filled).out


def test_a_data_folder_with_a_path_longer_than_a_sockets_address_can_be_is_reached(tmp_path: Path) -> None:
    server = Server(tmp_path / ("long" * 20) / ("longer" * 20))
    try:
        server.start()
        assert "the running server looked at" in reindex(server).out
    finally:
        server.stop()
