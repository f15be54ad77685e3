"""A calendar or folder that alice publishes, and hands to do it with."""

from __future__ import annotations

import base64
import io
import itertools
import re
import zipfile
from dataclasses import dataclass, field

import pytest

from tests.conftest import MakeServer
from tests.harness import Dav, Server
from tests.pim.conftest import ACCESS
from tests.pim.samples import mkcol

READ = '[[link]]\nright = "read"\n'
SPORT = """
[[rule]]
path = "/files/Sport"
who = ["alice"]
may = ["admin"]

[[rule]]
path = "/files/Sport"
who = ["bob"]
may = ["read", "create", "write", "delete"]
"""
CLOSED = '[[rule]]\nwho = ["alice"]\nmay = ["admin"]\n'
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


class Stand:
    """Alice with a folder of hers to publish."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.alice = server.client("alice")
        self.visitor = server.client()
        self.folder = f"/files/Sport/stand{next(_numbers)}"
        assert self.alice.mkcol(self.folder).status == 201

    @property
    def name(self) -> str:
        return self.folder.rpartition("/")[2]

    @property
    def disk(self) -> str:
        return f"files{self.folder.removeprefix('/files')}"

    def put(self, name: str, body: str | bytes) -> None:
        assert self.alice.put(f"{self.folder}/{name}", body).status in (201, 204)

    def mkcol(self, name: str) -> None:
        assert self.alice.mkcol(f"{self.folder}/{name}").status == 201

    def publish(self, rules: str = READ) -> str:
        """Store rules with one link and give the path of its URL with slash."""
        self.put("access.toml", rules)
        return self.urls()[0]

    def urls(self) -> list[str]:
        """``/p/<token>/`` of each link."""
        return urls_in(self.alice.get(f"{self.folder}/links.txt").text)


def listed(visitor: Dav, url: str) -> list[str]:
    """What a list names, below the link's URL; comments left out."""
    reply = visitor.get(url)
    assert reply.status == 200, reply.body
    assert reply.headers["content-type"] == "text/uri-list; charset=utf-8"
    lines = reply.text.split("\r\n")
    assert lines.pop() == ""
    return [line.partition(url)[2] for line in lines if not line.startswith("#")]


def zip_of(stand: Stand, url: str, path: str = "") -> zipfile.ZipFile:
    reply = stand.visitor.get(f"{url}{path or stand.name + '.zip'}")
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/zip"
    assert reply.headers["content-length"] == str(len(reply.body))
    archive = zipfile.ZipFile(io.BytesIO(reply.body))
    assert archive.testzip() is None
    return archive


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


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


@pytest.fixture(scope="session")
def sport(start_server: MakeServer) -> Server:
    """One server for tests that neither stop it nor guess at tokens."""
    return start_server(access=SPORT)


@pytest.fixture
def stand(sport: Server) -> Stand:
    """A fresh folder."""
    return Stand(sport)
