"""Each kind of edit behind the server's back is told by the next synchronisation, and by the next listing of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from davserver.dav.names import DAV
from tests.conftest import MakeServer
from tests.durability.mirror import Mirror
from tests.edits import Edit, delete, edit_by_rename, edit_in_place
from tests.harness import Dav, Server
from tests.pim.samples import card, event, mkcol


def add(file: Path, data: bytes) -> None:
    file.with_name(f"new{file.suffix}").write_bytes(data)


def rename(file: Path, data: bytes) -> None:
    file.rename(file.with_name(f"renamed{file.suffix}"))


MOVING: tuple[Edit, ...] = (add, edit_by_rename, delete, rename)  # the directory's stamp
EDITS: tuple[Edit, ...] = (*MOVING, edit_in_place)
HOME = Path("collections/collection-root/alice")


class Place:
    """A calendar, an address book or a folder that holds old and kept, and what a client knows of it."""

    def __init__(self, server: Server, client: Dav, kind: str, edit: Edit) -> None:
        self._client = client
        self._edit = edit
        name = f"{kind}-{edit.__name__}"
        self.is_files = kind == "files"
        self._sample = card if kind == "book" else event
        suffix = ".vcf" if kind == "book" else ".ics"
        self.url = f"/files/Sport/{name}/" if self.is_files else f"/dav/alice/{name}/"
        self.disk = server.data / ("files/Sport" if self.is_files else HOME) / name
        body = mkcol({"calendar": "C:calendar", "book": "CR:addressbook"}[kind]) if not self.is_files else None
        assert client.mkcol(self.url, body).status == 201
        for uid in ("old", "kept"):
            assert client.put(f"{self.url}{uid}{suffix}", self._sample(uid)).status == 201
        self._file = self.disk / f"old{suffix}"
        self._mirror = Mirror(client, self.url)
        self._etags: dict[str, str] = {}
        self.look()

    def look(self) -> None:
        """What a client does to learn what is there."""
        if not self.is_files:
            self._mirror.synchronise()
            assert self._mirror.refused == 0
            return
        rows = self._client.propfind(self.url, DAV.getetag, DAV.getcontentlength, depth="1").multistatus()
        etags = {path.removeprefix(self.url): row.text(DAV.getetag) or "" for path, row in rows.items()}
        del etags[""]
        data = {name: self._mirror.data[name] for name, etag in etags.items() if self._etags.get(name) == etag}
        self._etags = etags
        self._mirror.data = {name: data.get(name) or self._client.get(self.url + name).body for name in etags}

    def edit(self) -> None:
        """Do it on the disk."""
        self._edit(self._file, self._sample("new" if self._edit is add else "old", "another text").encode())

    def require_truth(self) -> None:
        """What the client knows, without reading again what has the ETag it knows, is what is there."""
        self.look()
        there = (entry for entry in self.disk.iterdir() if not entry.name.startswith("."))
        assert self._mirror.data == {entry.name: entry.read_bytes() for entry in there}


KINDS = ("calendar", "book", "files")


@pytest.fixture(scope="module")
def running(start_server: MakeServer) -> Server:
    return start_server()


@pytest.mark.rfc("6578", "3.5.1")
@pytest.mark.rfc("6578", "3.5.2")
@pytest.mark.parametrize("edit", MOVING)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_done_beside_the_running_server_is_told_with_the_next_request(
    running: Server, kind: str, edit: Edit
) -> None:
    place = Place(running, running.client("alice"), kind, edit)
    place.edit()
    place.require_truth()


@pytest.mark.parametrize("kind", KINDS)
def test_an_edit_in_place_is_told_once_the_file_was_read(running: Server, kind: str) -> None:
    """It moves no directory's stamp: without a read, the slow pass finds it."""
    alice = running.client("alice")
    place = Place(running, alice, kind, edit_in_place)
    place.edit()
    name = "old.vcf" if kind == "book" else "old.ics"
    assert alice.get(place.url + name).body == (place.disk / name).read_bytes()
    place.require_truth()


@pytest.mark.rfc("6578", "3.5.1")
@pytest.mark.rfc("6578", "3.5.2")
def test_what_is_done_while_no_server_runs_is_told_with_the_first_request(make_server: MakeServer) -> None:
    server = make_server().start()
    alice = server.client("alice")
    places = [Place(server, alice, kind, edit) for kind in KINDS for edit in EDITS]
    server.stop()
    for place in places:
        place.edit()
    server.start()
    for place in places:
        place.require_truth()


@pytest.mark.parametrize("when", ["beside the running server", "while no server runs"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_renamed_directory_is_gone_there_and_here_with_all_it_holds(
    make_server: MakeServer, kind: str, when: str
) -> None:
    server = make_server().start()
    alice = server.client("alice")
    place = Place(server, alice, kind, delete)
    if when == "while no server runs":
        server.stop()
    place.disk.rename(place.disk.with_name(f"{kind}-elsewhere"))
    if when == "while no server runs":
        server.start()
    assert alice.propfind(place.url).status == 404
    above = place.url.rstrip("/").rpartition("/")[0] + "/"
    elsewhere = f"{above}{kind}-elsewhere/"
    listed = alice.propfind(above, DAV.getetag, depth="1").multistatus()
    assert elsewhere in listed
    assert place.url not in listed
    rows = alice.propfind(elsewhere, DAV.getetag, depth="1").multistatus()
    names = {"old.vcf", "kept.vcf"} if kind == "book" else {"old.ics", "kept.ics"}
    assert set(rows) == {elsewhere, *(elsewhere + name for name in names)}
    if kind != "files":
        Mirror(alice, elsewhere).require_truth(
            {name: (place.disk.with_name(f"{kind}-elsewhere") / name).read_bytes() for name in names}
        )
