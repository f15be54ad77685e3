"""The SEARCH that the administrator's guide shows, as curl sends it."""

from __future__ import annotations

import re
from xml.etree.ElementTree import fromstring

from davserver.dav.names import DAV
from tests.harness import ROOT, Dav, Server, password_of
from tests.interop.programs import program, run


def test_the_curl_command_finds_the_newest_first(server: Server, alice: Dav) -> None:
    program("curl")
    made = {"Minutes May.pdf": 1_780_000_000, "minutes June.PDF": 1_782_000_000, "minutes 2020.pdf": 1_600_000_000}
    for name, seconds in {**made, "minutes.txt": 1_780_000_000}.items():
        assert alice.put(f"/files/Sport/{name}", "x", {"X-OC-Mtime": str(seconds)}).status == 201
    guide = (ROOT / "docs/administration.md").read_text(encoding="utf-8")
    found = re.search(r"curl -u alice -X SEARCH .*?</D:searchrequest>'", guide, re.S)
    assert found is not None
    command = found[0].replace("https://cloud.example.org", server.url)
    command = command.replace("-u alice", f"--silent --show-error --fail -u 'alice:{password_of('alice')}'")
    done = run("bash", "-c", command)
    assert done.returncode == 0, done.stderr
    hrefs = [element.text for element in fromstring(done.stdout).iter(DAV.href)]
    assert hrefs == ["/files/Sport/minutes%20June.PDF", "/files/Sport/Minutes%20May.pdf"]
