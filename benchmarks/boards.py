"""
``python -m benchmarks.boards``: a board beside a task list of the same server, and a card beside a plain file.

What is told are ratios within one run: a board is to be no slower to follow than a list of tasks is.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from urllib.parse import quote

from benchmarks.client import Client
from benchmarks.files import XML, ours
from benchmarks.servers import Process, Server

BOARD, LIST, FOLDER = "/files/Boards/bench", "/dav/bench/plain/", "/files/Bench/cards"
ETAGS = b'<D:propfind xmlns:D="DAV:"><D:prop><D:getetag/></D:prop></D:propfind>'
TOKEN = b'<D:propfind xmlns:D="DAV:"><D:prop><D:sync-token/></D:prop></D:propfind>'
TASKS = (
    b'<C:mkcalendar xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:D="DAV:"><D:set><D:prop>'
    b'<C:supported-calendar-component-set><C:comp name="VTODO"/></C:supported-calendar-component-set>'
    b"</D:prop></D:set></C:mkcalendar>"
)
SYNCED = 20  # changes that are followed
CARD = "---\ntags: [urgent]\n---\nWords of card {}.\n"


def task(number: int, words: str) -> bytes:
    """A task that says what a card says."""
    lines = ("BEGIN:VTODO", f"UID:u{number}", "DTSTAMP:20260101T000000Z", f"SUMMARY:Card {number}")
    rest = (f"DESCRIPTION:{words}", "STATUS:NEEDS-ACTION", "CATEGORIES:To do,urgent", "END:VTODO")
    frame = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//benchmarks//EN", *lines, *rest, "END:VCALENDAR", "")
    return "\r\n".join(frame).encode()


class Bench:
    """The server while it is measured."""

    def __init__(self, client: Client, cards: int) -> None:
        self._client = client
        self._numbers = count(1)
        self.cards = cards
        self.board = ""
        self._tasks: list[tuple[str, bytes]] = []

    def send(self, method: str, path: str, body: bytes = b"", depth: str = "", to: str = "") -> bytes:
        """One request that must succeed."""
        headers = {**(XML if body.startswith(b"<") else {}), **({"Depth": depth} if depth else {})}
        if to:
            headers["Destination"] = quote(to)
        return self._client.request(method, quote(path), body, headers).require(200, 201, 204, 207).body

    def fill(self) -> None:
        """A board and a list of as many cards and tasks, and a folder of files."""
        for path in (BOARD, FOLDER, f"{FOLDER}/a", f"{FOLDER}/b"):
            self.send("MKCOL", path)
        self.send("MKCALENDAR", LIST, TASKS)
        for number in range(self.cards):
            self.send("PUT", f"{BOARD}/To do/Card {number}.md", CARD.format(number).encode())
            self.send("PUT", f"{LIST}u{number}.ics", task(number, f"Words of card {number}."))
        for number in range(min(self.cards, 60)):
            self.send("PUT", f"{FOLDER}/a/{number}.md", CARD.format(number).encode())
        home = self.send("PROPFIND", "/dav/bench/", ETAGS, "1").decode()
        found = re.search(r"/dav/bench/board-[a-z2-7]{8}/", home)
        if found is None:
            raise RuntimeError("the board is not in the home")
        self.board = found[0]
        listed = self.send("PROPFIND", self.board, ETAGS, "1")
        hrefs = re.findall(rb"<D:href>([^<]*\.ics)</D:href>", listed)[-SYNCED:]
        self._tasks = [(href.decode(), self.send("GET", href.decode())) for href in hrefs]

    def listing(self, url: str) -> float:
        """Milliseconds of a PROPFIND Depth 1 with ETags."""
        return self._median(lambda: self.send("PROPFIND", url, ETAGS, "1"), 11)

    def sync(self, url: str, change: Callable[[int, str], object]) -> float:
        """Milliseconds of a sync-collection after one change."""
        taken = []
        for number in range(SYNCED):
            said = re.search(rb"<D:sync-token>(.*?)</D:sync-token>", self.send("PROPFIND", url, TOKEN, "0"))
            token = said[1].decode() if said else ""
            change(number, f"Other words {next(self._numbers)}.")
            body = (
                f'<D:sync-collection xmlns:D="DAV:"><D:sync-token>{token}</D:sync-token><D:sync-level>1</D:sync-level>'
                "<D:prop><D:getetag/></D:prop></D:sync-collection>"
            ).encode()
            began = time.perf_counter()
            answer = self.send("REPORT", url, body, "0")
            taken.append(time.perf_counter() - began)
            if answer.count(b"<D:response>") != 1:
                raise RuntimeError(f"one change was told as {answer.count(b'<D:response>')}")
        return 1000 * statistics.median(taken)

    def change_task(self, number: int, words: str) -> None:
        """Of the list."""
        self.send("PUT", f"{LIST}u{number}.ics", task(number, words))

    def change_file(self, number: int, words: str) -> None:
        """Of the board, in the folder."""
        self.send("PUT", f"{BOARD}/To do/Card {number}.md", f"---\ntags: [urgent]\n---\n{words}\n".encode())

    def change_card(self, number: int, words: str) -> None:
        """Of the board, in the calendar."""
        href, text = self._tasks[number]
        self.send("PUT", href, re.sub(rb"DESCRIPTION:[^\r]*", f"DESCRIPTION:{words}".encode(), text))

    def moving(self, pattern: str, before: str, after: str) -> float:
        """Milliseconds of a MOVE from one folder to another."""
        numbers = iter(range(10, 60))
        taken = self._median(lambda: self._move(pattern, next(numbers), before, after), 50)
        for number in range(10, 60):
            self._move(pattern, number, after, before)
        return taken

    def _move(self, pattern: str, number: int, before: str, after: str) -> None:
        self.send("MOVE", f"{before}/{pattern.format(number)}", to=f"{after}/{pattern.format(number)}")

    @staticmethod
    def _median(step: Callable[[], object], number: int) -> float:
        taken = []
        for _ in range(number):
            began = time.perf_counter()
            step()
            taken.append(time.perf_counter() - began)
        return 1000 * statistics.median(taken)


def measure(bench: Bench) -> dict[str, tuple[float, float]]:
    """Milliseconds of each workload: the ordinary one, and that of the board."""
    plain = bench.sync(LIST, bench.change_task)
    return {
        "PROPFIND Depth 1, ETags": (bench.listing(LIST), bench.listing(bench.board)),
        "sync, one task stored": (plain, bench.sync(bench.board, bench.change_card)),
        "sync, one file stored": (plain, bench.sync(bench.board, bench.change_file)),
        "MOVE": (
            bench.moving("{}.md", f"{FOLDER}/a", f"{FOLDER}/b"),
            bench.moving("Card {}.md", f"{BOARD}/To do", f"{BOARD}/Doing"),
        ),
        "MOVE to a done column": (
            bench.moving("{}.md", f"{FOLDER}/a", f"{FOLDER}/b"),
            bench.moving("Card {}.md", f"{BOARD}/To do", f"{BOARD}/Done"),
        ),
    }


def serve(folder: Path, durability: str) -> Server:
    """Our own server, where the account may do everything."""
    server = ours(folder, durability, share=1000)
    (folder / "access.toml").write_text('[[rule]]\npath = "/files"\nwho = ["bench"]\nmay = ["admin"]\n')
    (folder / "data/files/Boards").mkdir(exist_ok=True)
    return server


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.boards", description="Measure boards beside task lists."
    )
    parser.add_argument("--cards", type=int, default=2000, help="of the board (default: 2000)")
    parser.add_argument("--rounds", type=int, default=3, help="the median of so many is told (default: 3)")
    parser.add_argument("--durability", choices=("full", "process"), default="full", help="(default: full)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        server = serve(Path(place), arguments.durability)
        with Process(server), Client(server.port, server.account, 120) as client:
            bench = Bench(client, arguments.cards)
            bench.fill()
            rounds = [measure(bench) for _ in range(arguments.rounds)]
    print("| workload | task list or file, ms | board or card, ms | ratio |\n| --- | ---: | ---: | ---: |")
    for name in rounds[0]:
        plain, board = (statistics.median(found[name][side] for found in rounds) for side in (0, 1))
        ratio = statistics.median(found[name][1] / found[name][0] for found in rounds)
        print(f"| {name} | {plain:.2f} | {board:.2f} | {ratio:.2f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
