"""What was changed behind the running server is told by every listing above it too."""

from __future__ import annotations

import shutil
from pathlib import Path

from davserver.dav.names import DAV
from tests.durability.worlds import see_files
from tests.harness import Dav, Server
from tests.pim.samples import event

ROOT, CALENDAR = "/files/Sport/", "/dav/alice/cal/"
DISK = Path("collections/collection-root/alice/cal")


def test_folders_moved_copied_and_deleted_on_disk_are_what_is_listed(server: Server, alice: Dav) -> None:
    assert alice.mkcol(f"{ROOT}A/").status == 201
    assert alice.put(f"{ROOT}A/a.txt", "one").status == 201
    sport = server.data / "files/Sport"
    shutil.copytree(sport / "A", sport / "B")
    (sport / "A").rename(sport / "C")
    assert set(see_files(alice, ROOT)[0]) == {"B", "B/a.txt", "C", "C/a.txt"}
    shutil.rmtree(sport / "B")
    assert set(see_files(alice, ROOT)[0]) == {"C", "C/a.txt"}


def test_the_home_tells_that_a_calendar_was_changed_on_disk(server: Server, alice: Dav) -> None:
    assert alice.mkcalendar(CALENDAR).status == 201

    def token() -> str | None:
        return alice.propfind("/dav/alice/", DAV.sync_token, depth="1").multistatus()[CALENDAR].text(DAV.sync_token)

    before = token()
    (server.data / DISK / "b.ics").write_text(event("b"), newline="")
    assert token() != before
