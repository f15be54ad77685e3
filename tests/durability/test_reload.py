"""Reloading and ending: changed accounts and rights count at once, and no transfer that runs is cut."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.conftest import MakeServer
from tests.harness import ACCESS, GROUPS, USERS, Dav, Server, users_toml
from tests.pim.samples import event

LARGE = os.urandom(48 << 20)  # more than the buffers of a loopback connection hold
PRIVATE = "/files/Public/board-only"
BROKEN_RULES = '[[rule]]\npath = "/files/Sport"\nwho = ["sport"]\nmay = ["flying"]\n'


class Download:
    """A GET that is read piece by piece."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._got = bytearray()

    def read(self, most: int) -> None:
        self._got += self._sock.recv(most)

    def rest(self) -> bytes:
        """The whole body, once the server has sent all of it."""
        while part := self._sock.recv(1 << 20):
            self._got += part
        return bytes(self._got.partition(b"\r\n\r\n")[2])


@contextmanager
def downloading(client: Dav, path: str) -> Iterator[Download]:
    """A slow reader that has the first kilobytes of a large file."""
    with socket.create_connection((client.host, client.port), timeout=20) as sock:
        lines = (f"GET {path} HTTP/1.1", "Host: h", f"Authorization: {client.authorization}", "Connection: close")
        sock.sendall("\r\n".join([*lines, "", ""]).encode())
        download = Download(sock)
        for _ in range(5):
            download.read(1000)
        yield download


@pytest.fixture
def alice(server: Server) -> Dav:
    (server.data / "files/Sport/large").write_bytes(LARGE)
    return server.client("alice")


@pytest.mark.parametrize("hang_up", [True, False], ids=["after-sighup", "without-a-signal"])
def test_changed_users_groups_and_rights_count_with_the_next_request_and_a_download_goes_on(
    server: Server, alice: Dav, hang_up: bool
) -> None:
    bob, dora = server.client("bob"), server.client("dora")
    assert (bob.get("/files/Sport/large", {"Range": "bytes=0-3"}).status, dora.get("/files/Sport/").status) == (
        206,
        404,
    )
    with downloading(alice, "/files/Sport/large") as download:
        server.write_accounts(
            users=users_toml([name for name in USERS if name != "carol"] + ["erin"]),
            groups=GROUPS.replace('["alice", "bob"]', '["dora", "erin"]'),
            access=ACCESS + '\n[[rule]]\npath = "/files/New"\nwho = ["bob"]\nmay = ["read"]\n',
        )
        (server.data / "files/New").mkdir()
        if hang_up:
            server.send_signal(signal.SIGHUP)
            time.sleep(0.5)  # a signal has no answer
        assert dora.get("/files/Sport/").status == 200
        assert server.client("erin").put("/files/Sport/new", b"x").status == 201
        assert bob.get("/files/Sport/large").status == 404
        assert bob.get("/files/New/").status == 200
        assert server.client("carol").propfind("/files/").status == 401
        assert alice.get("/files/Sport/large").status == 404
        assert download.rest() == LARGE
    assert server.stop() == 0


def test_broken_rules_leave_the_old_ones_in_force_and_the_log_says_where(server: Server, alice: Dav) -> None:
    assert alice.put("/files/Sport/a", b"a").status == 201
    server.write_accounts(access=BROKEN_RULES)
    server.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    assert alice.put("/files/Sport/b", b"b").status == 201
    assert server.client("carol").put("/files/Sport/c", b"c").status == 403
    assert "access.toml:4" in server.log
    server.write_accounts(access=ACCESS.replace('may = ["read", "create", "write", "delete"]', 'may = ["read"]'))
    assert alice.put("/files/Sport/d", b"d").status == 403
    assert alice.get("/files/Sport/b").status == 200


def test_broken_rules_of_a_folder_leave_its_old_ones_in_force_and_close_it_at_the_next_start(server: Server) -> None:
    alice, dora = server.client("alice"), server.client("dora")
    alice.mkcol("/files/Home/shared")
    alice.put("/files/Home/shared/a", b"a")
    assert alice.put("/files/Home/shared/access.toml", '[[rule]]\nwho = ["dora"]\nmay = ["read"]\n').status == 201
    theirs = "/files/Members/alice/shared/a"
    assert dora.get(theirs).status == 200
    file = server.data / "homes/alice/shared/access.toml"
    file.write_text('[[rule]]\nwho = ["dora", "bob"]\nmay = ["fly"]\n')
    assert dora.get(theirs).status == 200
    assert server.client("bob").get(theirs).status == 404
    server.restart()
    assert dora.get(theirs).status == 404
    assert alice.get("/files/Home/shared/a").status == 200
    assert "closed to all but owner and administrators" in server.log


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("access.toml", BROKEN_RULES, "access.toml:4"),
        ("access.toml", "[[rule\n", "access.toml:1"),
        ("davserver.toml", "[server]\nport = 'many'\n", "davserver.toml"),
        ("davserver.toml", "[server\n", "davserver.toml:1"),
        ("davserver.toml", "[servers]\nport = 1\n", "servers"),
    ],
)
def test_a_start_with_a_broken_file_is_refused_with_file_line_and_reason(
    make_server: MakeServer, name: str, text: str, said: str
) -> None:
    server = make_server()
    (server.folder / name).write_text(text)
    with pytest.raises(AssertionError, match="the server ended with"):
        server.start()
    assert server.wait() != 0
    assert said in server.log
    assert "Traceback" not in server.log


def test_sigterm_lets_a_slow_download_come_to_its_end_and_takes_no_new_connection(server: Server, alice: Dav) -> None:
    with downloading(alice, "/files/Sport/large") as download:
        server.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        assert not server.answers()
        assert download.rest() == LARGE
    assert server.wait(20) == 0
    assert "Traceback" not in server.log


def test_sigterm_lets_a_running_upload_come_to_its_end(server: Server, alice: Dav) -> None:
    with socket.create_connection((alice.host, alice.port), timeout=20) as sock:
        head = (
            f"PUT /files/Sport/up HTTP/1.1\r\nHost: h\r\nAuthorization: {alice.authorization}\r\nContent-Length: 2000"
        )
        sock.sendall(f"{head}\r\n\r\n".encode() + b"a" * 1000)
        time.sleep(0.3)
        server.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        sock.sendall(b"b" * 1000)
        assert sock.recv(100).startswith(b"HTTP/1.1 201")
    assert server.wait(20) == 0
    server.start()
    assert alice.get("/files/Sport/up").body == b"a" * 1000 + b"b" * 1000


def test_sigterm_waits_for_a_client_that_reads_nothing_no_longer_than_configured(make_server: MakeServer) -> None:
    server = make_server(settings="[server]\nshutdown_timeout_s = 2\n").start()
    (server.data / "files/Sport/large").write_bytes(LARGE)
    with downloading(server.client("alice"), "/files/Sport/large"):
        began = time.monotonic()
        server.send_signal(signal.SIGTERM)
        assert server.wait(20) == 0
        assert 1 < time.monotonic() - began < 10


def test_what_was_answered_before_sigterm_is_there_after_the_next_start(server: Server, alice: Dav) -> None:
    etags = {
        f"/dav/alice/calendar/{n}.ics": alice.put(f"/dav/alice/calendar/{n}.ics", event(f"{n}")).etag for n in range(9)
    }
    assert server.stop() == 0
    server.start()
    assert {path: alice.get(path).etag for path in etags} == etags
