"""Clients that break off, send rubbish or never read: the server goes on, and nothing of them stays behind."""

from __future__ import annotations

import os
import random
import socket
import struct
import threading
import time
from contextlib import suppress

from tests.harness import Dav, Server

ABRUPT = struct.pack("ii", 1, 0)  # SO_LINGER: closing resets the connection


def pieces(authorization: str) -> list[bytes]:
    """Parts of requests, whole ones and rubbish, to be sent in any order."""

    def head(line: str, *fields: str) -> bytes:
        return "\r\n".join([f"{line} HTTP/1.1", "Host: h", f"Authorization: {authorization}", *fields, "", ""]).encode()

    return [
        head("GET /files/Sport/big"),
        head("GET /files/Sport/big", "Range: bytes=0-1,5-6"),
        head("PUT /files/Sport/never", "Content-Length: 1000000"),
        head("PUT /files/Sport/chunked", "Transfer-Encoding: chunked"),
        head("PROPFIND /files/", "Depth: 1"),
        head("PROPFIND /dav/alice/", "Depth: 1", "Content-Length: 50"),
        b"5\r\nhello\r\n",
        b"0\r\n\r\n",
        b"\r\n",
        b"\x00\xff" * 100,
        b"x" * 3000,
    ]


def misbehave(port: int, parts: list[bytes], seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(40):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.02) as sock:
            for _ in range(chance.randint(1, 5)):
                sock.sendall(chance.choice(parts))
                with suppress(TimeoutError):
                    sock.recv(chance.choice([10, 100_000]))
            if chance.random() < 0.3:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABRUPT)


def descriptors(server: Server) -> int:
    return len(os.listdir(f"/proc/{server.pid}/fd"))


def test_clients_that_misbehave_leave_nothing_behind(server: Server, alice: Dav) -> None:
    (server.data / "files" / "Sport" / "big").write_bytes(os.urandom(4 << 20))
    parts = pieces(alice.authorization)

    def round_of(seeds: range) -> int:
        threads = [threading.Thread(target=misbehave, args=(server.port, parts, seed)) for seed in seeds]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        time.sleep(0.5)
        assert alice.get("/files/Sport/big").status == 200
        return descriptors(server)

    first = round_of(range(6))
    second = round_of(range(6, 12))
    assert second <= first + 16  # connections to the index of threads that are just ending
    assert not (server.data / "files" / "Sport" / "never").exists()
    assert os.listdir(server.data / "scratch") == []
    assert server.stop() == 0
    assert "Traceback" not in server.log
    assert " 500 " not in server.log
