"""One server for what is deleted and overwritten; each test works in a folder of its own."""

from __future__ import annotations

from itertools import count

import pytest

from tests.conftest import MakeServer
from tests.harness import ACCESS, Dav, Server

LED = """
[[rule]]
path = "/files/Boards"
who = ["all-users"]
may = ["read", "create"]
scope = "here"

[[rule]]
path = "/files/Led"
who = ["sport"]
may = ["read", "create", "write", "delete"]

[[rule]]
path = "/files/Led"
who = ["carol"]
may = ["admin"]

[[folder]]
path = "/files/Passing"
trash = false
history = false

[[rule]]
path = "/files/Passing"
who = ["sport"]
may = ["read", "create", "write", "delete"]
"""
numbers = count(1)


@pytest.fixture(scope="session")
def cloud(start_server: MakeServer) -> Server:
    """A running server: Sport, Led and Passing for alice and bob, Led led by carol; nothing is kept of Passing."""
    server = start_server(access=ACCESS + LED, folders=("Sport", "Public", "Led", "Passing", "Boards"))
    for name in ("alice", "bob", "carol", "dora"):
        server.client(name).get("/files/Home/")
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
def folder(alice: Dav) -> str:
    """A new folder in Led, which alice and bob write and carol administers, by its path below ``/files/``."""
    name = f"Led/t{next(numbers)}"
    assert alice.mkcol(f"/files/{name}").status == 201
    return name


def seen(client: Dav, path: str) -> list[str]:
    """All that a member sees at and below a path."""
    reply = client.propfind(path, depth="infinity")
    return [] if reply.status == 404 else list(reply.multistatus())
