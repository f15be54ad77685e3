"""vdirsyncer's ``http`` storage subscribes to a published calendar, as calendar programs do by URL."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.harness import Server
from tests.pim.samples import event

CONFIG = """
[general]
status_path = "{folder}/status/"

[pair published]
a = "here"
b = "there"
collections = null

[storage here]
type = "filesystem"
path = "{folder}/here/"
fileext = ".ics"

[storage there]
type = "http"
url = "{url}"
"""
COLLECTION = "/files/Collections/alice/calendar"


def test_a_published_calendar_is_subscribed_to_and_followed(server: Server, tmp_path: Path) -> None:
    alice = server.client("alice")
    alice.put("/dav/alice/calendar/a.ics", event("a", "Match"))
    alice.put("/dav/alice/calendar/b.ics", event("b", "Doctor", "CLASS:PRIVATE"))
    assert alice.put(f"{COLLECTION}/access.toml", '[[link]]\nright = "read"\n').status == 201
    found = re.search(r"http://\S+", alice.get(f"{COLLECTION}/links.txt").text)
    assert found is not None
    folder = tmp_path / "vdirsyncer"
    (folder / "here").mkdir(parents=True)
    (folder / "config").write_text(CONFIG.format(folder=folder, url=found[0]))

    def sync() -> dict[str, bytes]:
        for command in (["discover"], ["sync"]):
            done = subprocess.run(
                [sys.executable, "-m", "vdirsyncer", "-c", str(folder / "config"), *command],
                input="y\n" * 5,
                capture_output=True,
                text=True,
                timeout=120,
                cwd=folder,
                env={**os.environ, "HOME": str(folder)},
            )
            assert done.returncode == 0, done.stdout + done.stderr
        return {path.name: path.read_bytes() for path in (folder / "here").iterdir()}

    first = sync()
    assert [re.findall(b"SUMMARY:(.*?)\r?\n", data) for data in first.values()] == [[b"Match"]]
    assert sync() == first
    alice.put("/dav/alice/calendar/c.ics", event("c", "Party"))
    alice.put("/dav/alice/calendar/a.ics", event("a", "Match moved"))
    second = sync()
    assert len(second) == 2
    assert any(b"Match moved" in data for data in second.values())
    alice.delete("/dav/alice/calendar/a.ics")
    assert len(sync()) == 1
