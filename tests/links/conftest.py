"""A calendar that alice publishes, and hands to do it with."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field

import pytest

from tests.conftest import MakeServer
from tests.harness import Dav, Server
from tests.pim.conftest import ACCESS
from tests.pim.samples import mkcol

READ = '[[link]]\nright = "read"\n'
_numbers = itertools.count(1)


@dataclass
class Desk:
    """
    Alice with a collection of hers and its rules.

    Attributes:
        path: of the collection, with slash.
        visitor: somebody without an account.
    """

    server: Server
    alice: Dav
    path: str
    visitor: Dav = field(init=False)

    def __post_init__(self) -> None:
        self.visitor = self.server.client()

    @property
    def folder(self) -> str:
        """Where the rules of the collection are edited."""
        return "/files/Collections" + self.path.removeprefix("/dav").rstrip("/")

    @property
    def rules(self) -> str:
        return f"{self.folder}/access.toml"

    @property
    def links(self) -> str:
        return f"{self.folder}/links.txt"

    @property
    def disk(self) -> str:
        """The collection's directory below the data folder."""
        return "collections/collection-root" + self.path.removeprefix("/dav").rstrip("/")

    def publish(self, rules: str = READ) -> str:
        """Store rules with one link and give the path of its URL with slash."""
        assert self.alice.put(self.rules, rules).status in (201, 204)
        return self.urls()[0]

    def urls(self) -> list[str]:
        """``/p/<token>/`` of each link in ``links.txt``."""
        reply = self.alice.get(self.links)
        assert reply.status == 200, reply.body
        return urls_in(reply.text)

    def put(self, name: str, body: str) -> None:
        assert self.alice.put(self.path + name, body).status in (201, 204)


def urls_in(text: str) -> list[str]:
    """``/p/<token>/`` of each link that a ``links.txt`` names."""
    return re.findall(r"URL: +https?://[^/\s]+(/p/[A-Za-z0-9_-]+/)", text)


@pytest.fixture(scope="session")
def published(start_server: MakeServer) -> Server:
    """One server for tests that neither stop it nor guess at tokens."""
    return start_server(access=ACCESS)


@pytest.fixture
def desk(published: Server) -> Desk:
    """A fresh calendar at the shared server."""
    return desk_at(published, f"/dav/alice/cal{next(_numbers)}/")


@pytest.fixture
def book(published: Server) -> Desk:
    """A fresh address book at the shared server."""
    alice, path = published.client("alice"), f"/dav/alice/book{next(_numbers)}/"
    assert alice.mkcol(path, mkcol("CR:addressbook")).status == 201
    return Desk(published, alice, path)


@pytest.fixture
def club(make_server: MakeServer) -> Desk:
    """A calendar at a server of its own."""
    return desk_at(make_server(access=ACCESS).start(), "/dav/alice/season/")


def desk_at(server: Server, path: str) -> Desk:
    """A new calendar of alice's."""
    alice = server.client("alice")
    assert alice.mkcalendar(path).status == 201
    return Desk(server, alice, path)
