"""The association of ``examples/association`` as a running server, with things in it for tests to try a hand on."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.conftest import MakeServer
from tests.harness import ROOT, Dav, Reply, Server
from tests.pim.samples import card, event, task

EXAMPLE = ROOT / "examples" / "association"
PEOPLE = ("alice", "bob", "carol", "dora", "emil", "fiona", "hugo")
WORLD = "world"
COLLECTIONS_PLACE = "collections/collection-root"
# The address books that the example's rules speak of and its data has not yet.
BOOKS = ("officers/contacts", "sport/contacts")
BOOKED = ("hall", "van")


@dataclass(frozen=True, slots=True)
class Kind:
    """
    What things of one kind look like.

    Attributes:
        suffix: of the names of its items.
        media: the Content-Type that its clients send.
    """

    name: str
    suffix: str
    media: str

    def body(self, uid: str, words: str) -> str:
        """An item's bytes; the same ``uid`` is the same thing with other words."""
        match self.name:
            case "calendar":
                return event(uid, words)
            case "tasks":
                return task(uid, words)
            case "book":
                return card(uid, words)
        return f"{words}\n"


FILE = Kind("file", ".txt", "text/plain")
CALENDAR = Kind("calendar", ".ics", "text/calendar; charset=utf-8")
TASKS = Kind("tasks", ".ics", "text/calendar; charset=utf-8")
BOOK = Kind("book", ".vcf", "text/vcard; charset=utf-8")


@dataclass(frozen=True, slots=True)
class Place:
    """
    A folder, calendar, task list or address book of the association.

    Attributes:
        keeper: who may do everything with what lies in it, and puts there what the others try to get at.
    """

    path: str
    kind: Kind
    keeper: str

    @property
    def rules(self) -> str:
        """Where the place's own ``access.toml`` is edited."""
        if self.kind is FILE:
            return f"{self.path}/access.toml"
        return f"/files/Collections{self.path.removeprefix('/dav')}/access.toml"


def start_association(start: MakeServer, folder: Path) -> Server:
    """Copy the example to ``folder``, sign everybody in once and give the server back."""
    shutil.copytree(EXAMPLE / "data", folder / "data")
    root = folder / "data" / COLLECTIONS_PLACE
    for resource in BOOKED:
        shutil.copyfile(EXAMPLE / "booking.toml", root / resource / "calendar" / ".access.toml")
    for book in BOOKS:
        (root / book).mkdir(parents=True)
        (root / book / ".Radicale.props").write_text(json.dumps({"tag": "VADDRESSBOOK"}))
    server = start(
        folder=folder,
        users=PEOPLE,
        groups=(EXAMPLE / "groups.toml").read_text(),
        access=(EXAMPLE / "access.toml").read_text(),
        folders=(),
    )
    for name in PEOPLE:  # what a member finds at the first sign-in is made now
        assert server.client(name).propfind(f"/dav/{name}/").status == 207
        assert server.client(name).propfind("/files/Home/").status == 207
    return server


@cache
def client_of(server: Server, person: str) -> Dav:
    """The client of a member, or of somebody without an account; one each, as the server counts connections."""
    return server.client(None if person == WORLD else person)


def stored(reply: Reply) -> Reply:
    """The answer to a PUT, MKCOL, COPY or MOVE that has to succeed for the test to mean something."""
    assert reply.status in (201, 204), (reply.status, reply.body)
    return reply
