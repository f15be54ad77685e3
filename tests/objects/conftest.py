"""One server for boards and notebooks; each test works in one of its own."""

from __future__ import annotations

import re
from itertools import count

import pytest

from tests.conftest import MakeServer
from tests.harness import ACCESS, Dav, Server

RULES = """
[[rule]]
path = "/files/Boards"
who = ["sport"]
may = ["read", "create", "write", "delete"]

[[rule]]
path = "/files/Boards"
who = ["dora"]
may = ["create"]
scope = "here"

[[folder]]
path = "/files/Boards/Full"
quota_bytes = 600

[[rule]]
path = "/files/Notes"
who = ["sport"]
may = ["read", "create", "write", "delete"]
"""
BOARD = """\
[[column]]
name = "To do"
status = "NEEDS-ACTION"
[[column]]
name = "Doing"
status = "IN-PROCESS"
[[column]]
name = "Review"
status = "IN-PROCESS"
[[column]]
name = "Done"
status = "COMPLETED"
"""
numbers = count(1)


@pytest.fixture(scope="session")
def cloud(start_server: MakeServer) -> Server:
    """A running server: boards and notes of alice and bob, which dora may not see."""
    settings = '[server]\npublic_url = "https://cloud.example.org"\n'
    server = start_server(access=ACCESS + RULES, folders=("Boards", "Notes"), settings=settings)
    for name in ("alice", "bob", "carol", "dora"):
        server.client(name).propfind(f"/dav/{name}/", depth="1")  # made when it is used first
    return server


@pytest.fixture
def alice(cloud: Server) -> Dav:
    return cloud.client("alice")


@pytest.fixture
def bob(cloud: Server) -> Dav:
    return cloud.client("bob")


@pytest.fixture
def dora(cloud: Server) -> Dav:
    return cloud.client("dora")


@pytest.fixture
def board(alice: Dav) -> str:
    """A board with four columns, by its path."""
    path = f"/files/Boards/b{next(numbers)}"
    assert alice.mkcol(path).status == 201
    assert alice.put(f"{path}/board.toml", BOARD).status in (201, 204)
    for column in ("To do", "Doing", "Review", "Done"):
        assert alice.mkcol(f"{path}/{column}").status in (201, 405)
    return path


def calendar_of(client: Dav, path: str) -> str:
    """The URL of the calendar in a member's home that a board or notebook is."""
    title = path.rstrip("/").rpartition("/")[2]
    name = client.user
    found = client.propfind(f"/dav/{name}/", "{DAV:}displayname", depth="1").multistatus()
    (href,) = [
        href
        for href, row in found.items()
        if row.text("{DAV:}displayname") == title and re.search(r"/(board|notes)-[a-z2-7]{8}/$", href)
    ]
    return href


@pytest.fixture
def url(alice: Dav, board: str) -> str:
    """The calendar that the board is for alice."""
    return calendar_of(alice, board)


@pytest.fixture
def notebook(alice: Dav) -> str:
    """A notebook, by its path."""
    path = f"/files/Notes/n{next(numbers)}"
    assert alice.mkcol(path).status == 201
    assert alice.put(f"{path}/notebook.toml", "").status in (201, 204)
    return path


def items_of(client: Dav, url: str) -> dict[str, str]:
    """The calendar objects of a calendar: their URLs by title."""
    found = (href for href in client.propfind(url, depth="1").multistatus() if href != url)
    return {said(client.get(href).text, "SUMMARY"): href for href in found}


def files_of(client: Dav, path: str) -> set[str]:
    """The files below a folder, relative to it."""
    found = client.propfind(path, depth="infinity").multistatus()
    return {href.removeprefix(f"{path}/") for href in found if not href.endswith("/")}


def said(text: str, name: str) -> str:
    """The value of a property of a calendar object, unfolded; "" where it has none."""
    lines = text.replace("\r\n ", "").split("\r\n")
    return next((line.partition(":")[2] for line in lines if re.split("[;:]", line)[0] == name), "")


def changed(text: str, **values: str | None) -> str:
    """A calendar object with some properties of its task or journal set, or with None removed."""
    lines = text.replace("\r\n ", "").split("\r\n")
    for key, value in values.items():
        name = key.replace("_", "-")
        lines = [line for line in lines if re.split("[;:]", line)[0] != name]
        end = next(number for number, line in enumerate(lines) if line in ("END:VTODO", "END:VJOURNAL"))
        lines[end:end] = [] if value is None else [f"{name}{'' if value.startswith(';') else ':'}{value}"]
    return "\r\n".join(lines)
