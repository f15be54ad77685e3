"""vdirsyncer, both ways, for a calendar and an address book, with a conflict."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from davserver.dav.names import APPLE, DAV
from tests.harness import Server, password_of
from tests.pim.samples import card, event

Run = Callable[..., subprocess.CompletedProcess[str]]
CONFIG = """
[general]
status_path = "{folder}/status/"

[pair cal]
a = "cal_here"
b = "cal_there"
collections = ["from a", "from b"]
metadata = ["displayname", "color"]
conflict_resolution = {resolution}

[storage cal_here]
type = "filesystem"
path = "{folder}/cal/"
fileext = ".ics"

[storage cal_there]
type = "caldav"
url = "{url}/"
username = "alice"
password = "{password}"

[pair card]
a = "card_here"
b = "card_there"
collections = ["contacts"]
conflict_resolution = "b wins"

[storage card_here]
type = "filesystem"
path = "{folder}/card/"
fileext = ".vcf"

[storage card_there]
type = "carddav"
url = "{url}/"
username = "alice"
password = "{password}"
"""


@pytest.fixture
def run(server: Server, tmp_path: Path) -> Run:
    """Runs vdirsyncer with a configuration for alice."""
    folder = tmp_path / "vdirsyncer"
    (folder / "cal").mkdir(parents=True)
    (folder / "card").mkdir()

    def run(*arguments: str, resolution: str = '"b wins"', fails: bool = False) -> subprocess.CompletedProcess[str]:
        config = folder / "config"
        config.write_text(
            CONFIG.format(folder=folder, url=server.url, password=password_of("alice"), resolution=resolution)
        )
        command = [sys.executable, "-m", "vdirsyncer", "-c", str(config), *arguments]
        done = subprocess.run(
            command,
            input="y\n" * 20,
            capture_output=True,
            text=True,
            timeout=120,
            cwd=folder,
            env={**os.environ, "HOME": str(folder)},
        )
        assert (done.returncode != 0) is fails, done.stdout + done.stderr
        return done

    return run


def test_both_sides_end_with_the_same_events_and_cards(server: Server, run: Run, tmp_path: Path) -> None:
    alice, folder = server.client("alice"), tmp_path / "vdirsyncer"
    alice.put("/dav/alice/calendar/there.ics", event("there", "Made there"))
    alice.put("/dav/alice/contacts/there.vcf", card("there"))
    (folder / "cal/calendar").mkdir()
    (folder / "card/contacts").mkdir()
    (folder / "cal/calendar/here ü.ics").write_text(event("here", "Made here"), newline="")
    (folder / "card/contacts/here.vcf").write_text(card("here", "Grace Hopper"), newline="")
    run("discover")
    run("sync")
    assert {path.name for path in (folder / "cal/calendar").glob("*.ics")} == {"there.ics", "here ü.ics"}
    assert len(list((folder / "card/contacts").glob("*.vcf"))) == 2
    listed = alice.propfind("/dav/alice/calendar/", DAV.getetag, depth="1").multistatus()
    assert len(listed) == 3
    assert "SUMMARY:Made here" in alice.get("/dav/alice/calendar/").text

    alice.put("/dav/alice/calendar/there.ics", event("there", "Changed there"))
    run("sync")
    assert "Changed there" in (folder / "cal/calendar/there.ics").read_text()
    (folder / "cal/calendar/there.ics").write_text(event("there", "Changed here"), newline="")
    run("sync")
    assert "Changed here" in alice.get("/dav/alice/calendar/there.ics").text

    (folder / "cal/calendar/there.ics").unlink()
    run("sync")
    assert alice.get("/dav/alice/calendar/there.ics").status == 404


def test_a_conflict_is_settled_as_configured(server: Server, run: Run, tmp_path: Path) -> None:
    alice, folder = server.client("alice"), tmp_path / "vdirsyncer"
    alice.put("/dav/alice/calendar/a.ics", event("a", "First"))
    run("discover")
    run("sync")
    alice.put("/dav/alice/calendar/a.ics", event("a", "Theirs"))
    (folder / "cal/calendar/a.ics").write_text(event("a", "Ours"), newline="")
    run("sync", resolution="null", fails=True)
    assert "Theirs" in alice.get("/dav/alice/calendar/a.ics").text
    run("sync", resolution='"a wins"')
    assert "Ours" in alice.get("/dav/alice/calendar/a.ics").text


def test_names_colours_and_a_new_collection_go_along(server: Server, run: Run, tmp_path: Path) -> None:
    alice, folder = server.client("alice"), tmp_path / "vdirsyncer"
    (folder / "cal/made-here").mkdir()
    run("discover")
    run("sync")
    run("metasync")
    (folder / "cal/made-here/displayname").write_text("Made here")
    (folder / "cal/made-here/color").write_text("#112233")
    run("metasync")
    row = alice.propfind("/dav/alice/made-here/", DAV.displayname, APPLE.calendar_color).multistatus()
    assert row["/dav/alice/made-here/"].text(DAV.displayname) == "Made here"
    assert (row["/dav/alice/made-here/"].text(APPLE.calendar_color) or "").lower().startswith("#112233")
