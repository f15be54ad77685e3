"""Programs read what the server derives: the members' book and a birthday calendar."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from davserver.dav.names import DAV
from tests.conftest import MakeServer
from tests.harness import Server, password_of
from tests.interop.test_radicale_folder import StartRadicale
from tests.interop.test_radicale_folder import start_radicale as start_radicale
from tests.pim.samples import card

CONFIG = """
[general]
status_path = "{folder}/status/"
"""
PAIR = """
[pair {kind}]
a = "{kind}_here"
b = "{kind}_there"
collections = ["{collection}"]
conflict_resolution = "b wins"

[storage {kind}_here]
type = "filesystem"
path = "{folder}/{kind}/"
fileext = "{suffix}"

[storage {kind}_there]
type = "{kind}"
url = "{url}/"
username = "alice"
password = "{password}"
read_only = true
"""


@pytest.fixture
def server(make_server: MakeServer) -> Server:
    server = make_server(settings="[directory]\nmembers_book = true\n").start()
    alice = server.client("alice")
    alice.put("/dav/alice/contacts/ada.vcf", card("ada", "Ada Lovelace", "BDAY:1815-12-10"))
    alice.propfind("/dav/alice/", DAV.displayname, depth="1")
    return server


def test_vdirsyncer_reads_both_and_follows_them(server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "vdirsyncer"
    folder.mkdir()
    pairs = (("caldav", "birthdays", ".ics"), ("carddav", "all-users~members", ".vcf"))
    config = CONFIG.format(folder=folder)
    for kind, collection, suffix in pairs:
        (folder / kind).mkdir()
        password, url = password_of("alice"), server.url
        config += PAIR.format(
            kind=kind, collection=collection, suffix=suffix, folder=folder, url=url, password=password
        )
    (folder / "config").write_text(config)

    def run(*arguments: str) -> None:
        command = [sys.executable, "-m", "vdirsyncer", "-c", str(folder / "config"), *arguments]
        environment = {**os.environ, "HOME": str(folder)}
        done = subprocess.run(
            command, input="y\n" * 20, capture_output=True, text=True, timeout=120, cwd=folder, env=environment
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def texts(kind: str, collection: str) -> str:
        return "".join(file.read_text() for file in sorted((folder / kind / collection).glob("*.*")))

    run("discover")
    run("sync")
    assert "SUMMARY:🎂 Ada Lovelace (1815)" in texts("caldav", "birthdays")
    assert "FN:Bob" in texts("carddav", "all-users~members")
    server.client("alice").put("/dav/alice/contacts/ada.vcf", card("ada", "Ada King", "BDAY:1815-12-10"))
    run("sync")
    assert "Ada King" in texts("caldav", "birthdays")


def test_radicale_serves_a_birthday_calendar_from_the_same_folder(
    server: Server, start_radicale: StartRadicale
) -> None:
    server.stop()
    radicale = start_radicale(server.data / "collections")
    rows = radicale.propfind("/alice/", DAV.displayname, depth="1").multistatus()
    assert rows["/alice/birthdays/"].text(DAV.displayname) == "Birthdays"
    assert "🎂 Ada Lovelace (1815)" in radicale.get("/alice/birthdays/").text
    assert radicale.get("/alice/contacts/").status == 200
