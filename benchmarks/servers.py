"""Our server from this checkout, and the peers from an environment beside it, each over a folder filled beforehand."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import argon2

from benchmarks.bodies import DEPTH_0, TYPE
from benchmarks.client import Account, Client
from benchmarks.data import KINDS, Kind, write_items

ROOT = Path(__file__).resolve().parent.parent
START_WITHIN_S = 300.0  # the first start reads every file into the index
STOP_WITHIN_S = 30.0
_ACCOUNT = Account("bench", "bench-secret")
# Run by the peers' Python, which has dulwich: what stands in the folder becomes its one commit.
_COMMIT = """\
import os, sys
from dulwich import porcelain
os.chdir(sys.argv[1])
repository = porcelain.init(".")
porcelain.add(repository, sorted(name for name in os.listdir(".") if name != ".git"))
who = b"bench <bench@example.org>"
porcelain.commit(repository, message=b"fill", author=who, committer=who)
"""


@dataclass(frozen=True, slots=True)
class Server:
    """
    How one server is filled, started and asked.

    Attributes:
        account: signs in with this one; None where the server takes no password over plain HTTP.
        homes: by name of the kind, the path under which its collections stand.
        folders: the same on disk.
        finish: told each folder once its items are written.
    """

    name: str
    port: int
    command: tuple[str, ...]
    account: Account | None
    homes: Mapping[str, str]
    folders: Mapping[str, Path]
    finish: Callable[[Path, Kind], None]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def path(self, kind: Kind, size: int) -> str:
        return f"{self.homes[kind.name]}{kind.name}-{size}/"

    def fill(self, kind: Kind, size: int, seed: int) -> None:
        """Write a collection; before the server starts."""
        folder = self.folders[kind.name] / f"{kind.name}-{size}"
        write_items(folder, kind, size, seed)
        self.finish(folder, kind)


class Process:
    """
    A server's process, which runs within ``with``.

    Attributes:
        started_s: from the start to the first answer to a PROPFIND of the home alone, which touches no collection.
    """

    def __init__(self, server: Server) -> None:
        self.server = server
        self.started_s = 0.0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Process:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """
        Start it and wait for its first answer.

        Raises:
            RuntimeError: it ended or did not answer within ``START_WITHIN_S``; the message has the end of its log.
        """
        server, began = self.server, time.perf_counter()
        with server.log.open("ab") as log:
            self._process = subprocess.Popen(
                server.command,
                cwd=server.log.parent,
                env={**os.environ, **server.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        while not self._answers():
            if self._process.poll() is not None or time.perf_counter() - began > START_WITHIN_S:
                self.stop(0)
                log_lines = server.log.read_text(encoding="utf-8", errors="replace").splitlines()
                raise RuntimeError("\n".join([f"{server.name} did not start:", *log_lines[-20:]]))
            time.sleep(0.005)
        self.started_s = time.perf_counter() - began

    def stop(self, within_s: float = STOP_WITHIN_S) -> None:
        """SIGTERM, and SIGKILL where that was not enough."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def restart(self) -> None:
        """Begin anew after a request that was given up: the server may work on it for minutes."""
        self.stop(1)
        self.start()

    def _answers(self) -> bool:
        server = self.server
        try:
            with Client(server.port, server.account, START_WITHIN_S) as client:
                return client.request("PROPFIND", server.homes["events"], TYPE, DEPTH_0).status == 207
        except OSError:
            return False

    def memory_mb(self) -> dict[str, float]:
        """Resident memory of the process and its children, now and at its highest."""
        assert self._process is not None
        now = highest = 0
        for pid in _tree(self._process.pid):
            status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
            fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
            now += int(fields["VmRSS"].split()[0])
            highest += int(fields["VmHWM"].split()[0])
        return {"now": round(now / 1024, 1), "highest": round(highest / 1024, 1)}


def _tree(pid: int) -> list[int]:
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text(encoding="ascii").split():
            found += _tree(int(child))
    return found


def ours(folder: Path, durability: str) -> Server:
    """This checkout, with an argon2id account and the access log on."""
    port = _free_port()
    password = argon2.PasswordHasher().hash(_ACCOUNT.password)
    folder.mkdir(parents=True)
    (folder / "users.toml").write_text(f'[user.{_ACCOUNT.user}]\npassword = "{password}"\n', encoding="utf-8")
    (folder / "users.toml").chmod(0o600)
    for name in ("groups.toml", "access.toml"):
        (folder / name).write_text("", encoding="utf-8")
    (folder / "davserver.toml").write_text(
        f'[server]\nhost = "127.0.0.1"\nport = {port}\n\n[storage]\ndata = "data"\ndurability = "{durability}"\n',
        encoding="utf-8",
    )
    home = folder / "data" / "collections" / "collection-root" / _ACCOUNT.user
    return Server(
        "davserver",
        port,
        (sys.executable, "-m", "davserver", "serve", "-c", str(folder / "davserver.toml")),
        _ACCOUNT,
        dict.fromkeys(KINDS, f"/dav/{_ACCOUNT.user}/"),
        dict.fromkeys(KINDS, home),
        _write_props,
        folder / "log",
        {"PYTHONPATH": str(ROOT)},
    )


def radicale(folder: Path, python: Path) -> Server:
    """Radicale with its defaults, but no pause after a wrong password and room for large answers and imports."""
    port = _free_port()
    folder.mkdir(parents=True)
    (folder / "users").write_text(f"{_ACCOUNT.user}:{_ACCOUNT.password}\n", encoding="utf-8")
    (folder / "config").write_text(
        f"[server]\nhosts = 127.0.0.1:{port}\nmax_connections = 64\ntimeout = 300\nmax_content_length = 500000000\n"
        f"[auth]\ntype = htpasswd\nhtpasswd_filename = {folder / 'users'}\nhtpasswd_encryption = plain\ndelay = 0\n"
        f"[rights]\ntype = owner_only\n[storage]\nfilesystem_folder = {folder / 'data'}\n[logging]\nlevel = warning\n",
        encoding="utf-8",
    )
    home = folder / "data" / "collection-root" / _ACCOUNT.user
    return Server(
        "radicale",
        port,
        (str(python), "-m", "radicale", "--config", str(folder / "config")),
        _ACCOUNT,
        dict.fromkeys(KINDS, f"/{_ACCOUNT.user}/"),
        dict.fromkeys(KINDS, home),
        _write_props,
        folder / "log",
    )


def xandikos(folder: Path, python: Path) -> Server:
    """Xandikos without a password: it takes Basic authentication only over TLS."""
    port = _free_port()
    principal = folder / "data" / _ACCOUNT.user
    calendars, books = principal / "calendars", principal / "contacts"
    calendars.mkdir(parents=True)
    books.mkdir()

    def finish(collection: Path, kind: Kind) -> None:
        what = "addressbook" if kind.name == "contacts" else "calendar"
        (collection / ".xandikos").write_text(f"[DEFAULT]\ntype = {what}\n", encoding="utf-8")
        subprocess.run((str(python), "-c", _COMMIT, str(collection)), check=True)

    command = f"serve -d {folder / 'data'} --defaults --current-user-principal /{_ACCOUNT.user}/"
    return Server(
        "xandikos",
        port,
        (
            *(str(python), "-m", "xandikos", *command.split()),
            *("-l", "127.0.0.1", "-p", str(port), "--no-detect-systemd", "--state-dir", str(folder / "state")),
        ),
        None,
        {**dict.fromkeys(KINDS, f"/{_ACCOUNT.user}/calendars/"), "contacts": f"/{_ACCOUNT.user}/contacts/"},
        {**dict.fromkeys(KINDS, calendars), "contacts": books},
        finish,
        folder / "log",
    )


def versions(python: Path) -> dict[str, str]:
    """What is installed beside that interpreter, of the packages that matter here."""
    code = (
        "import importlib.metadata as m, json\n"
        "names = ('radicale', 'xandikos')\n"
        "print(json.dumps({d.metadata['Name'].lower(): d.version for d in m.distributions() "
        "if d.metadata['Name'].lower() in names}))"
    )
    found: dict[str, str] = json.loads(subprocess.check_output((str(python), "-c", code)))
    return found


def _write_props(collection: Path, kind: Kind) -> None:
    (collection / ".Radicale.props").write_text(kind.props, encoding="utf-8")


def _free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
