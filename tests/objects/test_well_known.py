"""``/.well-known/webdav/Notes/``: where Evolution looks for notes by itself, if the settings say so."""

from __future__ import annotations

import pytest

from davserver.dav.names import DAV
from tests.conftest import MakeServer
from tests.harness import ACCESS, Dav, Server
from tests.objects.conftest import RULES

PATH = "/.well-known/webdav/Notes"


@pytest.fixture(scope="module")
def server(start_server: MakeServer) -> Server:
    settings = "well_known_notes = true\n[server]\n"
    return start_server(access=ACCESS + RULES, folders=("Boards", "Notes"), settings=settings)


def test_the_notes_are_there_in_the_words_of_the_request(server: Server) -> None:
    alice = server.client("alice")
    assert alice.put(f"{PATH}/Wifi.md", "as usual\n").status == 201
    assert alice.get("/files/Notes/Wifi.md").text == "as usual\n"
    found = alice.propfind(f"{PATH}/", DAV.getetag, depth="1").multistatus()
    assert set(found) == {f"{PATH}/", f"{PATH}/Wifi.md"}
    etag = found[f"{PATH}/Wifi.md"].text(DAV.getetag) or ""
    assert alice.put(f"{PATH}/Wifi.md", "new\n", {"If-Match": etag}).status == 204
    assert alice.put(f"{PATH}/Wifi.md", "stale\n", {"If-Match": etag}).status == 412
    assert alice.move(f"{PATH}/Wifi.md", f"{PATH}/Wireless.md").status == 201
    assert alice.delete(f"{PATH}/Wireless.md").status == 204


def test_it_asks_for_the_rights_that_the_notes_ask_for(server: Server, start_server: MakeServer) -> None:
    assert server.client().propfind(f"{PATH}/").status == 401
    assert server.client("dora").propfind(f"{PATH}/").status == 404
    alice = server.client("alice")
    assert alice.get(f"{PATH}/../../../files/Home/").status in (400, 403, 404)
    assert alice.propfind(f"{PATH}x/").status == 404


def test_without_the_setting_nothing_is_there(cloud: Server, alice: Dav) -> None:
    assert alice.propfind(f"{PATH}/").status == 404
    before = cloud.tree()
    assert alice.put(f"{PATH}/Wifi.md", "x").status == 404
    assert cloud.tree() == before
