"""khal, khard and todoman, whose folders vdirsyncer keeps the same as the server's collections."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from davserver.dav.names import DAV
from tests.harness import Dav, Server, password_of
from tests.pim.samples import card, event, task

VDIRSYNCER = """
[general]
status_path = "{home}/status/"

[pair cal]
a = "cal_here"
b = "cal_there"
collections = ["calendar", "tasks"]
conflict_resolution = "b wins"

[storage cal_here]
type = "filesystem"
path = "{home}/cal/"
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
path = "{home}/card/"
fileext = ".vcf"

[storage card_there]
type = "carddav"
url = "{url}/"
username = "alice"
password = "{password}"
"""
KHAL = """
[calendars]
[[mine]]
path = {home}/cal/calendar/
type = calendar
[locale]
timeformat = %H:%M
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = %Y-%m-%d %H:%M
longdatetimeformat = %Y-%m-%d %H:%M
default_timezone = Europe/Paris
local_timezone = Europe/Paris
"""
KHARD = """
[addressbooks]
[[mine]]
path = {home}/card/contacts/
[general]
default_action = list
editor = true
merge_editor = true
"""
TODOMAN = """
path = "{home}/cal/*"
date_format = "%Y-%m-%d"
time_format = "%H:%M"
default_list = "tasks"
"""


@dataclass
class Desk:
    """A machine with these programs, set up for alice."""

    home: Path
    alice: Dav

    def run(self, program: str, *arguments: str, answer: str = "") -> str:
        """What a program says; it ends well."""
        command = [str(Path(sys.executable).with_name(program)), *arguments]
        environment = {
            **os.environ,
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_DATA_HOME": str(self.home / "data"),
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "LC_ALL": "C.UTF-8",
            "TZ": "Europe/Paris",
            "COLUMNS": "200",
        }
        done = subprocess.run(
            command,
            input=answer,
            capture_output=True,
            text=True,
            timeout=120,
            cwd=self.home,
            env=environment,
            check=False,
        )
        assert done.returncode == 0, (command, done.stdout + done.stderr)
        return done.stdout

    def sync(self) -> None:
        self.run("vdirsyncer", "-c", f"{self.home}/vdirsyncer", "sync")

    def served(self, collection: str) -> str:
        """A collection of alice's as one text."""
        return self.alice.get(f"/dav/alice/{collection}/").text


@pytest.fixture
def desk(server: Server, tmp_path: Path) -> Desk:
    home = tmp_path / "desk"
    files: dict[str, str] = {
        "vdirsyncer": VDIRSYNCER,
        "config/khal/config": KHAL,
        "config/khard/khard.conf": KHARD,
        "config/todoman/config.py": TODOMAN,
    }
    for name, text in files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text.format(home=home, url=server.url, password=password_of("alice")))
    desk = Desk(home, server.client("alice"))
    desk.run("vdirsyncer", "-c", f"{home}/vdirsyncer", "discover", answer="y\n" * 10)
    return desk


def test_khal_shows_and_makes_events(desk: Desk) -> None:
    desk.alice.put("/dav/alice/calendar/there.ics", event("there", "Répétition", start="20270110T100000Z"))
    desk.sync()
    shown = desk.run("khal", "list", "2027-01-10")
    assert "Répétition" in shown
    assert "11:00" in shown
    desk.run("khal", "new", "-a", "mine", "2027-01-12", "14:00", "15:00", "Made in khal")
    desk.run("khal", "new", "-a", "mine", "-r", "weekly", "-u", "2027-03-01", "2027-01-13", "09:00", "10:00", "Weekly")
    desk.sync()
    assert "SUMMARY:Made in khal" in desk.served("calendar")
    assert "RRULE:FREQ=WEEKLY" in desk.served("calendar")
    assert desk.alice.delete("/dav/alice/calendar/there.ics").status == 204
    desk.sync()
    assert "Répétition" not in desk.run("khal", "list", "2027-01-10")


def test_todoman_makes_and_completes_tasks(desk: Desk) -> None:
    desk.alice.put("/dav/alice/tasks/there.ics", task("there", "Paint the van"))
    desk.sync()
    assert "Paint the van" in desk.run("todo", "list")
    desk.run("todo", "new", "-l", "tasks", "Buy", "Räder")
    desk.sync()
    assert "SUMMARY:Buy Räder" in desk.served("tasks")
    number = next(line for line in desk.run("todo", "list").splitlines() if "Paint the van" in line).split()[2]
    desk.run("todo", "done", number)
    desk.sync()
    assert "STATUS:COMPLETED" in desk.alice.get("/dav/alice/tasks/there.ics").text


def test_khard_shows_makes_and_removes_contacts(desk: Desk) -> None:
    desk.alice.put("/dav/alice/contacts/there.vcf", card("there", "Ada Lovelace"))
    desk.sync()
    assert "Lovelace" in desk.run("khard", "list")
    new = "First name : Grace\nLast name : Hopper\nEmail :\n    work : grace@example.org\nPhone :\n    cell : +49 1\n"
    desk.run("khard", "new", "-a", "mine", answer=new)
    desk.sync()
    assert "grace@example.org" in desk.served("contacts")
    desk.run("khard", "remove", "--force", "Grace")
    desk.sync()
    assert "grace@example.org" not in desk.served("contacts")
    names = desk.alice.propfind("/dav/alice/contacts/", DAV.getetag, depth="1").multistatus()
    assert len(names) == 2
