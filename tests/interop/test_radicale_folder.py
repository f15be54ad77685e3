"""The folder on disk is Radicale's: it reads ours, with our state beside it, and we read what it wrote."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from davserver.dav.names import APPLE, CALDAV, DAV
from tests.harness import Dav, Server, free_port
from tests.pim.conftest import ACCESS
from tests.pim.samples import card, event, mkcol, multiget, sync

StartRadicale = Callable[[Path], Dav]


@pytest.fixture
def start_radicale(tmp_path: Path) -> Iterator[StartRadicale]:
    """Starts Radicale over a storage folder; everybody may sign in and sees the own home."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(folder: Path) -> Dav:
        port = free_port()
        options = {
            "server-hosts": f"127.0.0.1:{port}",
            "auth-type": "none",
            "storage-filesystem-folder": str(folder),
            "web-type": "none",
        }
        command = [sys.executable, "-m", "radicale", "--config", ""]
        command += [part for name, value in options.items() for part in (f"--{name}", value)]
        log = (tmp_path / "radicale.log").open("ab")
        processes.append(subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "TMPDIR": str(tmp_path)}))
        client = Dav(port, "alice", "any")
        for _ in range(200):
            try:
                client.options("/")
                return client
            except OSError:
                time.sleep(0.05)
        raise AssertionError((tmp_path / "radicale.log").read_text())

    yield start
    for process in processes:
        if process.poll() is None:
            process.terminate()
        process.wait(20)


@pytest.fixture
def server(make_server: Callable[..., Server]) -> Server:
    return make_server(access=ACCESS).start()


def test_radicale_serves_what_we_stored_with_properties_owners_and_rules_in_place(
    server: Server, start_radicale: StartRadicale
) -> None:
    alice = server.client("alice")
    alice.put("/dav/alice/calendar/a.ics", event(summary="Grüße"))
    alice.put("/dav/alice/contacts/b.vcf", card())
    alice.proppatch("/dav/alice/calendar/", {DAV.displayname: "Ours", APPLE.calendar_color: "#00ff00", "{urn:x}n": "x"})
    alice.proppatch("/dav/alice/calendar/a.ics", {"{urn:x}n": "x"})
    alice.mkcalendar("/dav/alice/second/")
    (server.data / "collections/collection-root/alice/calendar/.access.toml").write_text(
        '[[rule]]\nwho = ["bob"]\nmay = ["read"]\n'
    )
    assert server.client("bob").get("/dav/alice/calendar/a.ics").status == 200
    server.stop()
    radicale = start_radicale(server.data / "collections")
    rows = radicale.propfind("/alice/", DAV.displayname, APPLE.calendar_color, depth="1").multistatus()
    assert {"/alice/calendar/", "/alice/contacts/", "/alice/tasks/", "/alice/second/"} <= set(rows)
    assert rows["/alice/calendar/"].text(DAV.displayname) == "Ours"
    assert rows["/alice/calendar/"].text(APPLE.calendar_color) == "#00ff00"
    found = radicale.propfind("/alice/calendar/", DAV.getetag, depth="1").multistatus()
    assert set(found) == {"/alice/calendar/", "/alice/calendar/a.ics"}
    data = radicale.report("/alice/calendar/", multiget("/alice/calendar/a.ics")).multistatus()
    assert "SUMMARY:Grüße" in (data["/alice/calendar/a.ics"].text(CALDAV.calendar_data) or "")
    assert "FN:Ada Lovelace" in radicale.get("/alice/contacts/b.vcf").text
    assert radicale.put("/alice/calendar/c.ics", event("c", "Made there")).status == 201


def test_we_serve_what_radicale_stored_and_go_on_where_it_stopped(
    server: Server, start_radicale: StartRadicale, tmp_path: Path
) -> None:
    server.stop()
    folder = tmp_path / "radicale"
    radicale = start_radicale(folder)
    assert radicale.mkcol("/alice/club/", mkcol("C:calendar", "<D:displayname>Club</D:displayname>")).status == 201
    assert radicale.mkcol("/alice/people/", mkcol("CR:addressbook")).status == 201
    assert radicale.put("/alice/club/a.ics", event()).status == 201
    assert radicale.put("/alice/people/b.vcf", card()).status == 201
    assert radicale.propfind("/alice/club/", DAV.sync_token).status == 207
    shutil.rmtree(server.data / "collections")
    shutil.copytree(folder, server.data / "collections", symlinks=True)
    server.start()
    alice = server.client("alice")
    rows = alice.propfind("/dav/alice/", DAV.displayname, depth="1").multistatus()
    assert set(rows) == {"/dav/alice/", "/dav/alice/club/", "/dav/alice/people/", "/dav/alice/van~calendar/"}
    assert rows["/dav/alice/club/"].text(DAV.displayname) == "Club"
    etag = alice.get("/dav/alice/club/a.ics").etag
    assert alice.put("/dav/alice/club/a.ics", event(summary="Later"), {"If-Match": etag}).status == 204
    assert "UID:c1" in alice.get("/dav/alice/people/b.vcf").text


def test_while_we_serve_radicale_is_kept_from_writing(server: Server) -> None:
    locked = subprocess.run(
        ["flock", "-n", str(server.data / "collections/.Radicale.lock"), "true"], check=False, capture_output=True
    )
    assert locked.returncode != 0


def test_what_radicale_changed_meanwhile_is_told_by_the_next_synchronisation(
    server: Server, start_radicale: StartRadicale
) -> None:
    alice, path = server.client("alice"), "/dav/alice/calendar/"
    for name in ("changed", "removed", "same"):
        assert alice.put(f"{path}{name}.ics", event(name)).status == 201
    alice.proppatch(path + "changed.ics", {"{urn:x}n": "kept"})
    alice.proppatch(path, {"{urn:x}n": "kept"})
    token = alice.report(path, sync()).xml.findtext(DAV.sync_token) or ""
    server.stop()
    radicale = start_radicale(server.data / "collections")
    assert radicale.put("/alice/calendar/changed.ics", event("changed", "There")).status == 204
    assert radicale.put("/alice/calendar/new.ics", event("new")).status == 201
    assert radicale.delete("/alice/calendar/removed.ics").status == 200
    assert radicale.proppatch("/alice/calendar/", {DAV.displayname: "There"}).status == 207
    assert radicale.mkcol("/alice/club/", mkcol("C:calendar")).status == 201
    server.start()
    rows = alice.report(path, sync(token)).multistatus()
    assert {href.removeprefix(path): row.status for href, row in rows.items()} == {
        "changed.ics": None,
        "new.ics": None,
        "removed.ics": 404,
    }
    assert "SUMMARY:There" in alice.get(path + "changed.ics").text
    for kept in (path, path + "changed.ics"):
        assert alice.propfind(kept, "{urn:x}n").multistatus()[kept].text("{urn:x}n") == "kept"
    assert alice.propfind(path, DAV.displayname).multistatus()[path].text(DAV.displayname) == "There"
    assert "/dav/alice/club/" in alice.propfind("/dav/alice/", DAV.getetag, depth="1").multistatus()
