"""How far a long piece of work is: what a terminal and what a log gets to see."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
import time

from davserver.progress import Progress
from tests.cli.command import ROOT, environ
from tests.harness import Dav, Server
from tests.pim.samples import event

CALENDAR = "/dav/alice/cal/"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_log_gets_a_line_a_second() -> None:
    said: list[str] = []
    now = 0.0
    with Progress(io.StringIO(), said.append, clock=lambda: now) as progress:
        for done in range(1, 31):
            now = done / 10
            progress("looked at", done, 30)
    assert said == ["looked at: 10 of 30", "looked at: 20 of 30", "looked at: 30 of 30"]


def test_a_terminal_gets_a_bar_that_is_full_at_the_end_and_a_line_end() -> None:
    terminal = Terminal()
    with Progress(terminal, lambda line: None, clock=lambda: 0.0) as progress:
        for done in range(1, 101):
            progress("judged", done, 100)
    drawn = terminal.getvalue()
    assert re.findall(r"\r(\S.*?) *(?=\r|\n)", drawn) == [
        "judged [..............................] 1 of 100",
        "judged [##############################] 100 of 100",
    ]
    assert drawn.endswith("\n")


def test_nothing_to_do_draws_nothing() -> None:
    terminal = Terminal()
    with Progress(terminal, lambda line: None):
        pass
    assert terminal.getvalue() == ""


def fill(server: Server, alice: Dav) -> None:
    assert alice.mkcalendar(CALENDAR).status == 201
    for uid in "abc":
        assert alice.put(f"{CALENDAR}{uid}.ics", event(uid)).status == 201


def test_a_start_without_index_draws_a_bar_on_the_terminal(server: Server, alice: Dav) -> None:
    fill(server, alice)
    server.stop()
    for file in server.data.glob("index.sqlite*"):
        file.unlink()
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "davserver", "serve", "-c", str(server.config)]
    with subprocess.Popen(
        command, cwd=ROOT, env=environ(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=theirs
    ) as process:
        os.close(theirs)
        seen = b""
        while b"was made anew" not in seen:
            seen += os.read(ours, 4096)
        while not server.answers():
            time.sleep(0.02)
        process.terminate()
        assert process.wait(30) == 0
    os.close(ours)
    assert re.search(rb"\rlooked at \[#{30}\] 3 of 3 *\r?\n", seen)


def test_a_start_without_index_says_so_in_the_log_and_one_with_it_does_not(server: Server, alice: Dav) -> None:
    fill(server, alice)
    said = server.log.count("was made anew")
    server.restart()
    assert server.log.count("was made anew") == said
    server.stop()
    (server.data / "index.sqlite").unlink()
    server.start()
    assert server.log.count("index.sqlite was made anew") == said + 1
    assert alice.get(CALENDAR + "a.ics").text == event("a")
