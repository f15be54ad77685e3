"""One server for polls; each test has one of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

from tests.conftest import MakeServer
from tests.harness import ACCESS, Dav, Server

RULES = """
[[rule]]
path = "/files/Polls"
who = ["sport"]
may = ["create"]
scope = "here"
"""
OPTIONS = """
[[option]]
id = "a"
start = "2027-01-12T18:00:00 Europe/Paris"
end = "2027-01-12T20:00:00 Europe/Paris"
[[option]]
id = "b"
start = 2027-01-13
[[option]]
id = "c"
label = "Later"
start = 2027-02-01T10:00:00Z
"""
LINK = '[[link]]\nright = "drop"\n'
numbers = count(1)


@dataclass
class Poll:
    """
    A poll of alice's, in which bob and carol vote and dora does not.

    Attributes:
        path: its folder; visitor: somebody without an account.
    """

    server: Server
    path: str
    alice: Dav = field(init=False)
    visitor: Dav = field(init=False)

    def __post_init__(self) -> None:
        self.alice = self.server.client("alice")
        self.visitor = self.server.client()

    @property
    def votes(self) -> str:
        return f"{self.path}/votes"

    @property
    def disk(self) -> Path:
        return self.server.data / self.path.lstrip("/")

    @property
    def id(self) -> str:
        found = re.search('^id = "([a-z2-7]{8})"', self.alice.get(f"{self.path}/poll.toml").text, re.MULTILINE)
        assert found is not None
        return found[1]

    def define(self, head: str = "", options: str = OPTIONS) -> None:
        """Store another poll.toml; with it the poll keeps its id."""
        said = f'id = "{self.id}"\ntitle = "Assembly"\nkind = "date"\n'
        said += "" if "voters" in head else 'voters = ["bob", "board"]\n'
        reply = self.alice.put(f"{self.path}/poll.toml", f"{said}{head}\n{options}")
        assert reply.status == 204, reply.text

    def publish(self, more: str = "") -> str:
        """The URL path of a link, with slash."""
        assert self.alice.put(f"{self.path}/access.toml", LINK + more).status in (201, 204)
        found = re.search(r"https?://[^/]+(/p/[A-Za-z0-9_-]+/)", self.alice.get(f"{self.path}/links.txt").text)
        assert found is not None
        return found[1]

    def tree(self) -> dict[str, bytes | None]:
        """All that lies in the poll's folder on disk, but for the state beside it."""
        found, below = self.server.tree(), self.path.lstrip("/")
        return {name: data for name, data in found.items() if name.startswith(below) and ".state" not in name}

    def results(self, client: Dav | None = None) -> list[list[str]]:
        """The table of results."""
        reply = (client or self.alice).get(f"{self.path}/results.csv")
        assert reply.status == 200
        return [line.split(",") for line in reply.text.split("\r\n") if line]

    def close(self) -> None:
        """Let its time be over."""
        self.define("closes = 2020-01-01T00:00:00Z")


@pytest.fixture(scope="package")
def polls_server(start_server: MakeServer) -> Server:
    return start_server(access=ACCESS + RULES, folders=("Polls",))


@pytest.fixture
def poll(polls_server: Server) -> Poll:
    made = Poll(polls_server, f"/files/Polls/p{next(numbers)}")
    assert made.alice.mkcol(made.path).status == 201
    made.define()
    return made


@pytest.fixture
def bob(polls_server: Server) -> Dav:
    return polls_server.client("bob")


@pytest.fixture
def carol(polls_server: Server) -> Dav:
    return polls_server.client("carol")


@pytest.fixture
def dora(polls_server: Server) -> Dav:
    return polls_server.client("dora")
