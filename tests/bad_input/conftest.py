"""One server for all bad input: after every test it holds what it held before, says why in a sentence, and goes on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import MakeServer
from tests.harness import Dav, Reply, Server
from tests.pim.samples import card, event, mkcol

CALENDAR, BOOK = "/dav/alice/cal/", "/dav/alice/book/"
FOLDER = "/files/Home/kept"
FILE, ITEM, CARD = f"{FOLDER}/a.txt", f"{CALENDAR}a.ics", f"{BOOK}a.vcf"
INSIDE = ("Traceback", 'File "', "sqlite", "SELECT ", "/tmp/", "site-packages", "Error(")


@dataclass
class Shelf:
    """The server and what it holds."""

    server: Server
    alice: Dav
    before: dict[str, bytes | None]

    def require_refused(self, reply: Reply, status: int, condition: str | None = None) -> None:
        """The status and precondition, with a sentence that tells nothing of the inside."""
        assert (reply.status, reply.condition) == (status, condition), (reply.status, reply.body[:500])
        assert reply.body, "nothing is said"
        if condition is None and status not in (401, 412):
            assert reply.headers["content-type"].startswith("text/plain")
            assert len(reply.text.strip().splitlines()) == 1 or status == 422
        assert not [word for word in INSIDE if word in reply.text], reply.text

    def require_unharmed(self) -> None:
        """Nothing was stored, nothing changed, and good requests go on working."""
        assert self.server.tree() == self.before
        assert self.alice.get(FILE).text == "kept"
        assert self.alice.get(ITEM).text == event("kept")
        assert self.alice.put(FILE, "kept").status == 204


@pytest.fixture(scope="session")
def bad_input_server(start_server: MakeServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("bad-input")
    server = start_server(folder=folder)
    alice = server.client("alice")
    assert alice.mkcol(FOLDER).status == 201
    assert alice.put(FILE, "kept").status == 201
    assert alice.mkcalendar(CALENDAR).status == 201
    assert alice.mkcol(BOOK, mkcol("CR:addressbook")).status == 201
    assert alice.put(ITEM, event("kept")).status == 201
    assert alice.put(CARD, card("kept")).status == 201
    yield server
    assert "Traceback" not in server.log
    assert " 500 " not in server.log


@pytest.fixture
def shelf(bad_input_server: Server) -> Iterator[Shelf]:
    """What every test of this folder asks: see the module's docstring."""
    shelf = Shelf(bad_input_server, bad_input_server.client("alice"), bad_input_server.tree())
    yield shelf
    shelf.require_unharmed()


@pytest.fixture
def alice(shelf: Shelf) -> Dav:
    return shelf.alice
