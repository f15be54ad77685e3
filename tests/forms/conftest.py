"""One server for forms and polls; each test has a form of its own."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.conftest import MakeServer
from tests.harness import ACCESS, Dav, Reply, Server

RULES = """
[[rule]]
path = "/files/Forms"
who = ["sport"]
may = ["create"]
scope = "here"

[[folder]]
path = "/files/Forms/Full"
quota_bytes = 20000
"""
FIELDS = """
[[field]]
name = "name"
label = "Your name"
required = true
max = 200
[[field]]
name = "days"
label = "Days"
type = "choices"
options = ["Mon", "Tue", "Wed"]
[[field]]
name = "cv"
label = "CV"
type = "file"
types = [".pdf"]
max_bytes = 1000
"""
SHARED = """
[[rule]]
who = ["bob"]
may = ["read", "write", "delete"]
[[rule]]
who = ["carol"]
may = ["create"]
"""
LINK = '[[link]]\nright = "drop"\n'
PAGE = {"Content-Type": "application/x-www-form-urlencoded"}
numbers = count(1)


@dataclass
class Form:
    """
    A form of alice's. Bob reads, changes and deletes its answers, carol may answer, dora has nothing.

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
    def answers(self) -> str:
        return f"{self.path}/responses/"

    @property
    def disk(self) -> Path:
        return self.server.data / self.path.lstrip("/")

    def define(self, head: str = "", fields: str = FIELDS) -> None:
        """Store another form.toml; with it the form keeps its id."""
        said = f'id = "{self.id}"\ntitle = "Camp"\nwho = "world"\nsummary = ["name"]\nper_minute_of_address = 1000\n'
        said = said if "per_minute" not in head else said.replace("per_minute_of_address = 1000\n", "")
        said = said if "who =" not in head else said.replace('who = "world"\n', "")
        reply = self.alice.put(f"{self.path}/form.toml", f"{said}{head}\n{fields}")
        assert reply.status == 204, reply.text

    @property
    def id(self) -> str:
        found = re.search('^id = "([a-z2-7]{8})"', self.alice.get(f"{self.path}/form.toml").text, re.MULTILINE)
        assert found is not None
        return found[1]

    def publish(self, more: str = "") -> str:
        """The URL path of a link, with slash."""
        assert self.alice.put(f"{self.path}/access.toml", SHARED + LINK + more).status in (201, 204)
        found = re.search(r"https?://[^/]+(/p/[A-Za-z0-9_-]+/)", self.alice.get(f"{self.path}/links.txt").text)
        assert found is not None
        return found[1]

    def stored(self) -> list[dict[str, object]]:
        """The answers on disk, by name of their files."""
        return [json.loads(file.read_bytes()) for file in sorted((self.disk / "responses").glob("*.json"))]

    def said(self) -> list[object]:
        """What the answers on disk say."""
        return [each["answers"] for each in self.stored()]

    def tree(self) -> dict[str, bytes | None]:
        """All that lies in the form's folder on disk, but for the state beside it."""
        found = self.server.tree()
        below = self.path.lstrip("/")
        return {name: data for name, data in found.items() if name.startswith(below) and ".state" not in name}


@pytest.fixture(scope="package")
def forms_server(start_server: MakeServer) -> Server:
    return start_server(access=ACCESS + RULES, folders=("Forms",))


@pytest.fixture
def form(forms_server: Server) -> Form:
    made = Form(forms_server, f"/files/Forms/f{next(numbers)}")
    assert made.alice.mkcol(made.path).status == 201
    assert made.alice.put(f"{made.path}/access.toml", SHARED).status == 201
    made.define()
    return made


def send(client: Dav, where: str, values: dict[str, object] | list[tuple[str, str]], **headers: str) -> Reply:
    """Send a page's fields."""
    extra = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.request("POST", where, urlencode(values, doseq=True), {**PAGE, **extra})


def send_json(client: Dav, where: str, said: object) -> Reply:
    """Send an object, as a program does; text goes as it is."""
    body = said if isinstance(said, str | bytes) else json.dumps(said)
    return client.request("POST", where, body, {"Content-Type": "application/json"})


def multipart(fields: list[tuple[str, str | tuple[str, str, bytes]]]) -> tuple[bytes, dict[str, str]]:
    """The body of a page with files, and its header: texts, and of files name, type and bytes."""
    parts = []
    for name, value in fields:
        head = f'--b\r\nContent-Disposition: form-data; name="{name}"'
        if isinstance(value, str):
            parts.append(f"{head}\r\n\r\n{value}\r\n".encode())
        else:
            file, kind, data = value
            parts.append(f'{head}; filename="{file}"\r\nContent-Type: {kind}\r\n\r\n'.encode() + data + b"\r\n")
    return b"".join(parts) + b"--b--\r\n", {"Content-Type": "multipart/form-data; boundary=b"}
