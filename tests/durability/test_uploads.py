"""Uploads that break off: what was there stays, nothing of the new one does, and no sync client hears of it."""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Callable

import pytest

from tests.conftest import MakeServer
from tests.durability.mirror import Mirror
from tests.harness import Dav, Server
from tests.pim.samples import card, event, mkcol

ABRUPT = struct.pack("ii", 1, 0)  # SO_LINGER: closing resets the connection
PLACES = {
    "/files/Sport/a.txt": (b"the old text", b"the new text" * 20_000),
    "/files/Home/a.txt": (b"the old text", b"the new text" * 20_000),
    "/dav/alice/cal/a.ics": (event("u", "old").encode(), event("u", "new " * 5_000).encode()),
    "/dav/alice/book/a.vcf": (card("u", "Old Name").encode(), card("u", "New Name" * 2_000).encode()),
}
Cut = Callable[[Dav, str, bytes], bytes]


def head(client: Dav, path: str, *fields: str) -> bytes:
    lines = [f"PUT {path} HTTP/1.1", "Host: h", f"Authorization: {client.authorization}", *fields, "", ""]
    return "\r\n".join(lines).encode()


def ended_early(client: Dav, path: str, data: bytes) -> bytes:
    """Fewer bytes than announced, then the end of the stream."""
    return client.raw(head(client, path, f"Content-Length: {len(data)}") + data[: len(data) // 2], half_close=True)


def reset(client: Dav, path: str, data: bytes) -> bytes:
    """A connection that breaks in the middle of the body."""
    with socket.create_connection((client.host, client.port), timeout=10) as sock:
        sock.sendall(head(client, path, f"Content-Length: {len(data)}") + data[: len(data) // 2])
        time.sleep(0.1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABRUPT)
    return b""


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def chunked_without_the_last(client: Dav, path: str, data: bytes) -> bytes:
    """All of the data, but not the chunk of length 0 that says so."""
    return client.raw(head(client, path, "Transfer-Encoding: chunked") + chunk(data), half_close=True)


def chunked_cut_in_a_chunk(client: Dav, path: str, data: bytes) -> bytes:
    sent = chunk(data[:1000]) + chunk(data[1000:])[:-50]
    return client.raw(head(client, path, "Transfer-Encoding: chunked") + sent, half_close=True)


def chunked_with_a_broken_size(client: Dav, path: str, data: bytes) -> bytes:
    return client.raw(head(client, path, "Transfer-Encoding: chunked") + chunk(data[:1000]) + b"zz\r\n")


CUTS = (ended_early, reset, chunked_without_the_last, chunked_cut_in_a_chunk, chunked_with_a_broken_size)


@pytest.fixture(scope="module")
def kept(start_server: MakeServer) -> Server:
    server = start_server()
    alice = server.client("alice")
    assert alice.mkcalendar("/dav/alice/cal/").status == 201
    assert alice.mkcol("/dav/alice/book/", mkcol("CR:addressbook")).status == 201
    for path, (old, _) in PLACES.items():
        assert alice.put(path, old).status == 201
    return server


@pytest.fixture
def alice(kept: Server) -> Dav:
    return kept.client("alice")


def settled(server: Server) -> None:
    """Wait until the server has noticed that a connection broke."""
    deadline = time.monotonic() + 5
    while os.listdir(server.data / "scratch") and time.monotonic() < deadline:
        time.sleep(0.05)


@pytest.mark.parametrize("cut", CUTS, ids=lambda cut: cut.__name__)
@pytest.mark.parametrize("path", PLACES)
def test_an_upload_that_breaks_off_changes_nothing(kept: Server, alice: Dav, path: str, cut: Cut) -> None:
    old, new = PLACES[path]
    etag = alice.get(path).etag
    mirrors = [Mirror(alice, "/dav/alice/cal/"), Mirror(alice, "/dav/alice/book/")]
    for mirror in mirrors:
        mirror.synchronise()
    tokens, before = [mirror.token for mirror in mirrors], kept.tree()
    beside = path.replace("/a.", "/beside.")
    for target in (path, beside):
        answer = cut(alice, target, new)
        assert answer == b"" or b" 400 " in answer.partition(b"\r\n")[0]
    settled(kept)
    got = alice.get(path)
    assert (got.body, got.etag) == (old, etag)
    assert alice.get(beside).status == 404
    assert kept.tree() == before
    for mirror in mirrors:
        mirror.synchronise()
    assert [mirror.token for mirror in mirrors] == tokens


def test_an_upload_that_goes_on_after_a_pause_is_stored_whole(kept: Server, alice: Dav) -> None:
    _, new = PLACES["/files/Sport/a.txt"]
    with socket.create_connection((alice.host, alice.port), timeout=10) as sock:
        sock.sendall(head(alice, "/files/Sport/slow", f"Content-Length: {len(new)}", "Connection: close") + new[:1000])
        time.sleep(1)
        assert alice.get("/files/Sport/slow").status == 404
        sock.sendall(new[1000:])
        assert sock.recv(100).startswith(b"HTTP/1.1 201")
    assert alice.get("/files/Sport/slow").body == new


def test_the_server_that_is_killed_during_an_upload_starts_with_the_old_file_and_no_scratch(
    make_server: MakeServer,
) -> None:
    server = make_server().start()
    alice = server.client("alice")
    alice.put("/files/Sport/a.txt", b"old")
    with socket.create_connection((alice.host, alice.port), timeout=10) as sock:
        sock.sendall(head(alice, "/files/Sport/a.txt", "Content-Length: 1000000") + b"x" * 500_000)
        time.sleep(0.3)
        assert os.listdir(server.data / "scratch")
        server.kill()
    server.start()
    assert server.client("alice").get("/files/Sport/a.txt").body == b"old"
    assert os.listdir(server.data / "scratch") == []
