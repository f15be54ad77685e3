"""One server for all tests of files that do not stop it; each test works in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from tests.conftest import MakeServer
from tests.harness import ACCESS, Dav, Server

MORE = """
[[rule]]
path = "/files/Dropbox"
who = ["sport"]
may = ["create"]

[[rule]]
path = "/files/Dropbox"
who = ["board"]
may = ["read", "create", "write", "delete"]

[[rule]]
path = "/files/Led"
who = ["sport"]
may = ["read", "create", "write", "delete"]

[[rule]]
path = "/files/Led"
who = ["carol"]
may = ["admin"]
"""
FOLDERS = ("Sport", "Public", "Dropbox", "Led")
numbers = count(1)


@pytest.fixture(scope="session")
def cloud(start_server: MakeServer) -> Server:
    """A running server: Sport and Led for alice and bob, Led led by carol, Dropbox write-only for alice and bob."""
    server = start_server(access=ACCESS + MORE, folders=FOLDERS)
    for name in ("alice", "bob", "carol", "dora"):
        server.client(name).get("/files/Home/")  # made when it is used first
    return server


@pytest.fixture
def alice(cloud: Server) -> Dav:
    return cloud.client("alice")


@pytest.fixture
def bob(cloud: Server) -> Dav:
    return cloud.client("bob")


@pytest.fixture
def carol(cloud: Server) -> Dav:
    return cloud.client("carol")


@pytest.fixture
def dora(cloud: Server) -> Dav:
    """A member of no group."""
    return cloud.client("dora")


@pytest.fixture
def home(alice: Dav) -> str:
    """A new folder in alice's home."""
    return made(alice, f"/files/Home/t{next(numbers)}")


@pytest.fixture
def sport(alice: Dav) -> str:
    """A new folder in Sport, which alice and bob write and carol reads."""
    return made(alice, f"/files/Sport/t{next(numbers)}")


@pytest.fixture
def led(alice: Dav) -> str:
    """A new folder in Led, which alice and bob write and carol administers."""
    return made(alice, f"/files/Led/t{next(numbers)}")


def made(client: Dav, path: str) -> str:
    reply = client.mkcol(path)
    assert reply.status == 201, (reply.status, reply.body)
    return path


@pytest.fixture
def unchanged(cloud: Server) -> Iterator[None]:
    """Whatever the test tries, nothing people stored is different afterwards."""
    before = cloud.tree()
    yield
    assert cloud.tree() == before
