"""
``python -m benchmarks.files``: the drive beside stock WsgiDAV on cheroot, which serves the same folder.

Both run at the same time and are asked by turns, in another order each round; a figure is the median of the rounds.
Ours signs in with an argon2id account, checks rights, keeps what is overwritten and deleted, and writes its access log.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random

import argon2

from benchmarks.client import Account, Client
from benchmarks.servers import ROOT, Process, Server, _free_port

ACCOUNT = Account("bench", "bench-secret")
TOP = "/files/Bench/"
XML = {"Content-Type": "application/xml"}
FINDER = (
    b'<?xml version="1.0"?><D:propfind xmlns:D="DAV:"><D:prop><D:getlastmodified/><D:getcontentlength/>'
    b"<D:creationdate/><D:resourcetype/></D:prop></D:propfind>"
)
LOCK = (
    b'<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/>'
    b"</D:locktype><D:owner>bench</D:owner></D:lockinfo>"
)
BIG_BYTES = 256 << 20
CONNECTIONS = 8


@dataclass(slots=True)
class Drive:
    """
    One server's folder while it is measured.

    Attributes:
        path: URL path of the folder, with slash.
        slot_s: how long one measurement repeats its request.
        big_bytes: size of the large file.
    """

    server: Server
    path: str
    slot_s: float
    big_bytes: int
    numbers: count[int] = field(default_factory=count)
    random: Random = field(default_factory=lambda: Random(1))

    def client(self) -> Client:
        return Client(self.server.port, self.server.account, 120)

    def rate(self, step: Callable[[Client], object], connections: int = 1) -> float:
        """How often a second a step is done, over some connections."""
        done = [0] * connections
        until = time.perf_counter() + self.slot_s

        def repeat(number: int) -> None:
            with self.client() as client:
                while time.perf_counter() < until:
                    step(client)
                    done[number] += 1

        threads = [threading.Thread(target=repeat, args=(number,)) for number in range(connections)]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sum(done) / (time.perf_counter() - began)

    def get(self, client: Client, name: str, headers: Mapping[str, str] | None = None, status: int = 200) -> bytes:
        return client.request("GET", self.path + name, headers=headers).require(status).body

    def put(self, client: Client, name: str, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        client.request("PUT", self.path + name, body, headers).require(200, 201, 204)

    def list(self, client: Client, name: str, depth: str) -> bytes:
        asked = client.request("PROPFIND", self.path + name, FINDER, {**XML, "Depth": depth})
        return asked.require(207).body

    def send(self, client: Client, method: str, name: str, to: str = "", *wanted: int) -> None:
        target = {"Destination": f"http://127.0.0.1:{self.server.port}{self.path}{to}"} if to else {}
        client.request(method, self.path + name, headers=target).require(*(wanted or (201, 204)))


def get_304(drive: Drive) -> float:
    with drive.client() as client:
        etag = client.request("GET", f"{drive.path}small.bin").require(200).headers["etag"]
    return drive.rate(lambda client: drive.get(client, "small.bin", {"If-None-Match": etag}, 304))


def get_range(drive: Drive) -> float:
    def one(client: Client) -> None:
        at = drive.random.randrange(drive.big_bytes - 65536)
        drive.get(client, "big.bin", {"Range": f"bytes={at}-{at + 65535}"}, 206)

    return drive.rate(one)


def put_new(drive: Drive, connections: int = 1) -> float:
    body = bytes(4096)
    return drive.rate(lambda client: drive.put(client, f"put/{next(drive.numbers)}.bin", body), connections)


def lock_cycle(drive: Drive) -> float:
    def one(client: Client) -> None:
        path = f"{drive.path}put/locked.bin"
        locked = client.request("LOCK", path, LOCK, {**XML, "Depth": "0"}).require(200, 201)
        token = locked.headers["lock-token"]
        drive.put(client, "put/locked.bin", bytes(4096), {"If": f"({token})"})
        client.request("UNLOCK", path, headers={"Lock-Token": token}).require(204)

    return drive.rate(one)


def tree(drive: Drive) -> float:
    """Seconds for COPY, MOVE and DELETE of 1,000 files."""
    number = next(drive.numbers)
    with drive.client() as client:
        began = time.perf_counter()
        drive.send(client, "COPY", "dir1000/", f"copy{number}/")
        drive.send(client, "MOVE", f"copy{number}/", f"moved{number}/")
        drive.send(client, "DELETE", f"moved{number}/")
        return time.perf_counter() - began


def once(step: Callable[[Drive, Client], object]) -> Callable[[Drive], float]:
    """Seconds that a step takes, the median of some."""

    def measure(drive: Drive) -> float:
        taken = []
        with drive.client() as client:
            for _ in range(5):
                began = time.perf_counter()
                step(drive, client)
                taken.append(time.perf_counter() - began)
        return statistics.median(taken)

    return measure


@dataclass(frozen=True, slots=True)
class Workload:
    """What is measured: requests a second, or seconds of one."""

    measure: Callable[[Drive], float]
    rate: bool = True


WORKLOADS = {
    "get_1k": Workload(lambda drive: drive.rate(lambda client: drive.get(client, "small.bin"))),
    "get_1k_8conn": Workload(lambda drive: drive.rate(lambda client: drive.get(client, "small.bin"), CONNECTIONS)),
    "get_304": Workload(get_304),
    "get_range_64k": Workload(get_range),
    "get_256m": Workload(once(lambda drive, client: drive.get(client, "big.bin")), rate=False),
    "propfind_0": Workload(lambda drive: drive.rate(lambda client: drive.list(client, "small.bin", "0"))),
    "propfind_1_1000": Workload(once(lambda drive, client: drive.list(client, "dir1000/", "1")), rate=False),
    "propfind_1_10000": Workload(once(lambda drive, client: drive.list(client, "dir10000/", "1")), rate=False),
    "put_4k": Workload(put_new),
    "put_4k_8conn": Workload(lambda drive: put_new(drive, CONNECTIONS)),
    "lock_put_unlock": Workload(lock_cycle),
    "tree_1000": Workload(tree, rate=False),
}


def fill(folder: Path, share: int) -> None:
    """The files that both serve: small, large, and two folders of many; or one in ``share`` of them."""
    for name, number in (("dir1000", 1000), ("dir10000", 10_000), ("put", 0)):
        (folder / name).mkdir(parents=True)
        for each in range(number // share):
            (folder / name / f"file {each:05}.txt").write_bytes(b"x" * (each % 997))
    (folder / "small.bin").write_bytes(os.urandom(1024))
    with (folder / "big.bin").open("wb") as file:
        for _ in range(BIG_BYTES // share >> 20):
            file.write(os.urandom(1 << 20))


def ours(folder: Path, durability: str, share: int) -> Server:
    port = _free_port()
    fill(folder / "data/files/Bench", share)
    hashed = argon2.PasswordHasher().hash(ACCOUNT.password)
    (folder / "users.toml").write_text(f'[user.{ACCOUNT.user}]\npassword = "{hashed}"\n')
    (folder / "users.toml").chmod(0o600)
    (folder / "groups.toml").touch()
    (folder / "access.toml").write_text('[[rule]]\npath = "/files/Bench"\nwho = ["bench"]\nmay = ["admin"]\n')
    (folder / "davserver.toml").write_text(
        f'[server]\nhost = "127.0.0.1"\nport = {port}\n[storage]\ndata = "data"\ndurability = "{durability}"\n'
    )
    command = (sys.executable, "-m", "davserver", "serve", "-c", str(folder / "davserver.toml"))
    environment = {"PYTHONPATH": str(ROOT)}
    nowhere = lambda folder, kind: None  # noqa: E731 - its items are files
    return Server("davserver", port, command, ACCOUNT, {"events": TOP}, {}, nowhere, folder / "log", environment)


def wsgidav(folder: Path, share: int) -> Server:
    """WsgiDAV as its own command starts it, with Basic authentication, locks and properties."""
    port = _free_port()
    fill(folder / "root/files/Bench", share)
    settings = {
        "host": "127.0.0.1",
        "port": port,
        "provider_mapping": {"/": str(folder / "root")},
        "simple_dc": {"user_mapping": {"*": {ACCOUNT.user: {"password": ACCOUNT.password}}}},
        "http_authenticator": {"accept_basic": True, "accept_digest": False, "default_to_digest": False},
        "lock_storage": True,
        "property_manager": True,
        "verbose": 1,
    }
    (folder / "wsgidav.json").write_text(json.dumps(settings))
    command = (sys.executable, "-m", "wsgidav.server.server_cli", "--config", str(folder / "wsgidav.json"))
    nowhere = lambda folder, kind: None  # noqa: E731
    return Server("wsgidav", port, command, ACCOUNT, {"events": TOP}, {}, nowhere, folder / "log")


def main() -> int:
    arguments = _parser().parse_args()
    names = arguments.only.split(",") if arguments.only else list(WORKLOADS)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as place, ExitStack() as running:
        share = arguments.share
        servers = [ours(Path(place, "davserver"), arguments.durability, share), wsgidav(Path(place, "wsgidav"), share)]
        processes = [running.enter_context(Process(server)) for server in servers]
        drives = [Drive(server, TOP, arguments.slot, BIG_BYTES // share) for server in servers]
        found: dict[str, dict[str, list[float]]] = {name: {} for name in names}
        for number in range(arguments.rounds):
            for name in names:
                for drive in drives[:: 1 if number % 2 == 0 else -1]:
                    value = WORKLOADS[name].measure(drive)
                    found[name].setdefault(drive.server.name, []).append(value)
                    print(f"{name} {drive.server.name} {value:.4g}", file=sys.stderr, flush=True)
        memory = {process.server.name: process.memory_mb() for process in processes}
    print(table(found, memory), end="")
    return 0


def table(found: Mapping[str, Mapping[str, list[float]]], memory: Mapping[str, Mapping[str, float]]) -> str:
    """Medians, and how many times as fast as stock WsgiDAV ours is."""
    lines = ["| workload | unit | davserver | wsgidav |", "| --- | --- | --- | --- |"]
    for name, values in found.items():
        mine, other = (statistics.median(values[server]) for server in ("davserver", "wsgidav"))
        rate = WORKLOADS[name].rate
        times = mine / other if rate else other / mine
        shown = [mine, other] if rate else [1000 * mine, 1000 * other]
        unit = "req/s" if rate else "ms"
        lines.append(f"| {name} | {unit} | {shown[0]:.4g} | {shown[1]:.4g} (× {times:.2g}) |")
    highest = [f"{memory[server]['highest']:.0f}" for server in ("davserver", "wsgidav")]
    lines.append(f"| memory, at its highest | MB | {highest[0]} | {highest[1]} |")
    return "\n".join(lines) + "\n"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.files", description="Measure the drive beside WsgiDAV.")
    add = parser.add_argument
    add("--rounds", type=int, default=3, help="the median of so many is told (default: 3)")
    add("--slot", metavar="S", type=float, default=1.0, help="seconds of one measurement (default: 1)")
    add("--durability", choices=("full", "process"), default="full", help="of our own server (default: full)")
    add("--share", metavar="N", type=int, default=1, help="one in N of the files, to see that it runs (default: 1)")
    add("--only", metavar="NAMES", help="workloads, of: " + " ".join(WORKLOADS))
    add("--folder", metavar="DIR", type=Path, help="where the data lies meanwhile (default: the system's)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
