"""
Whatever happens to a tree, a member who synchronises sees what a walk shows: random operations against mirrors.

Files are written, moved and removed through the server and behind its back, rules and groups change, folders of other
members' own stand in the tree, and the index is lost in between. After each round every mirror is compared with a walk
by the same member.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import MakeServer
from tests.files.treemirror import TreeMirror, walk
from tests.harness import ACCESS, GROUPS, Dav, Reply, Server

BOARDS = """
[[rule]]
path = "/files/Boards"
who = ["all-users"]
may = ["read", "create"]
scope = "here"

[[rule]]
path = "/files/Dropbox"
who = ["sport"]
may = ["create"]

[[rule]]
path = "/files/Dropbox"
who = ["board"]
may = ["read", "create", "write", "delete"]

[[rule]]
path = "/files/Sport"
who = ["dora"]
may = ["admin"]
"""
MORE_RULES = """
[[rule]]
path = "/files/Sport/a"
who = ["board"]
may = ["read"]
"""
OTHER_GROUPS = GROUPS.replace('members = ["alice", "bob"]', 'members = ["alice"]')
ROUNDS = 8
MEMBERS = ("alice", "bob", "carol", "dora")
TOPS = ("/files/Sport/", "/files/Home/", "/files/Boards/", "/files/Dropbox/", "/files/")
NAMES = ("a", "b", "c", "ü x")
RULES = (
    '[[rule]]\nwho = ["bob"]\nmay = ["read"]\n',
    '[[rule]]\nwho = ["carol"]\nmay = ["read", "create", "write", "delete"]\n',
    '[[rule]]\nwho = ["all-users"]\nmay = ["read"]\nscope = "here"\n',
    "[[rule]]\nwho = []\nmay = []\n",
)


@dataclass
class World:
    """The server with everything that may happen to it, by a seeded die."""

    server: Server
    die: random.Random

    def __post_init__(self) -> None:
        self.clients = {member: self.server.client(member) for member in MEMBERS}

    def there(self) -> str:
        """The path of something below a top folder, by whoever may know of it; a new one where there is nothing."""
        found = [path for root in self.roots for path in root.rglob("*") if not path.name.startswith(".")]
        return self.path_of(self.die.choice(found)) if found else self.new()

    def new(self) -> str:
        """A path at which something may be made: in a folder that is there."""
        folders = [path for root in self.roots for path in (root, *root.rglob("*")) if path.is_dir()]
        return f"{self.path_of(self.die.choice(folders))}/{self.die.choice(NAMES)}"

    def path_of(self, file: Path) -> str:
        place = file.relative_to(self.server.data).as_posix()
        return f"/files/Members/{place.removeprefix('homes/')}" if place.startswith("homes") else f"/{place}"

    def put(self) -> bool:
        return self.did(self.someone().put(self.new(), f"text {self.die.random()}"))

    def mkcol(self) -> bool:
        return self.did(self.someone().mkcol(self.new()))

    def delete(self) -> bool:
        return self.did(self.someone().delete(self.there()))

    def move(self) -> bool:
        return self.did(self.someone().move(self.there(), self.new(), overwrite=self.die.random() < 0.7))

    def copy(self) -> bool:
        return self.did(self.someone().copy(self.there(), self.new(), overwrite=self.die.random() < 0.7))

    @staticmethod
    def did(reply: Reply) -> bool:
        assert reply.status < 500, (reply.status, reply.body)
        return reply.status < 300

    def rule(self) -> bool:
        path = f"{self.new().rpartition('/')[0]}/access.toml"
        client = self.clients[self.die.choice(("alice", "dora", "bob"))]
        if self.die.random() < 0.3:
            return self.did(client.delete(path))
        return self.did(client.put(path, self.die.choice(RULES)))

    def behind(self) -> bool:
        """An administrator at work in the data folder."""
        folders = [path for root in self.roots for path in (root, *root.rglob("*")) if path.is_dir()]
        folder = self.die.choice(folders)
        name = folder / self.die.choice(NAMES)
        what = self.die.random()
        if what < 0.5 and not name.is_dir():
            name.write_text(f"by hand {self.die.random()}")
        elif what < 0.65:
            name.unlink() if name.is_file() else shutil.rmtree(name, ignore_errors=True)
        elif what < 0.8 and not name.exists():
            (name / "deep" / "er").mkdir(parents=True)
            (name / "deep" / "file").write_text("deep")
        elif not name.exists():
            moved = self.die.choice(folders)
            if moved not in self.roots and moved != folder and moved not in folder.parents:
                shutil.move(moved, name)
        return True

    def administer(self) -> bool:
        """The server's rules and groups change."""
        more = MORE_RULES if self.die.random() < 0.5 else ""
        groups = OTHER_GROUPS if self.die.random() < 0.5 else GROUPS
        self.server.write_accounts(access=ACCESS + BOARDS + more, groups=groups)
        return True

    def something(self) -> None:
        """One of the operations; a few tries, since much of what the die says is not allowed."""
        weights = [weight for weight, _ in OPERATIONS]
        operation = self.die.choices(OPERATIONS, weights)[0][1]
        for _ in range(5):
            if operation(self):
                return

    def lose_the_index(self) -> None:
        self.server.stop()
        for file in self.server.data.glob("index.sqlite*"):
            file.unlink()
        self.server.start()

    def someone(self) -> Dav:
        return self.clients[self.die.choice(("alice", "alice", "bob", "bob", "carol", "dora"))]

    @property
    def roots(self) -> list[Path]:
        files = [self.server.data / "files" / top for top in ("Sport", "Boards", "Dropbox", "Public")]
        return [*files, self.server.data / "homes/alice", self.server.data / "homes/bob"]


OPERATIONS: tuple[tuple[int, Callable[[World], bool]], ...] = (
    (30, World.put),
    (14, World.mkcol),
    (14, World.delete),
    (14, World.move),
    (6, World.copy),
    (4, World.rule),
    (10, World.behind),
    (1, World.administer),
)


def mirrors_of(world: World) -> list[TreeMirror]:
    return [
        TreeMirror(world.clients[member], top, infinite)
        for member in MEMBERS
        for top in TOPS
        for infinite in (False, True)
    ]


def require_truth(mirror: TreeMirror, limit: int | None) -> None:
    seen = mirror.synchronise(limit)
    expected = walk(mirror.client, mirror.top, infinite=mirror.infinite)
    if mirror.top == "/files/":  # one's own folder and the listings say that they are synchronised by themselves
        expected = {path: etag for path, etag in expected.items() if not is_below_apart(path)}
    assert seen == expected, (mirror.client.user, mirror.top, mirror.infinite, mirror.refused)


def is_below_apart(path: str) -> bool:
    segments = path.strip("/").split("/")
    if segments[1] in ("Trash", "History"):  # nobody wants them on a phone
        return True
    return len(segments) > 2 and segments[1] in ("Home", "Members", "Collections")


@pytest.mark.rfc("6578", "3.2")
@pytest.mark.rfc("6578", "3.5")
@pytest.mark.parametrize("seed", range(2))
def test_mirrors_by_sync_reports_equal_a_walk_whatever_happens(make_server: MakeServer, seed: int) -> None:
    server = make_server(access=ACCESS + BOARDS, folders=("Sport", "Public", "Boards", "Dropbox")).start()
    world = World(server, random.Random(seed))
    for client in world.clients.values():
        client.get("/files/Home/")
    mirrors = mirrors_of(world)
    for number in range(ROUNDS):
        for _ in range(world.die.randint(1, 12)):
            world.something()
        if number == ROUNDS // 2:
            world.lose_the_index()
        for mirror in mirrors:
            if world.die.random() < 0.7:
                require_truth(mirror, world.die.choice((None, None, 1, 2, 3, 7)))
    for _ in range(2):  # the first start finds what was edited in place
        for mirror in mirrors:
            require_truth(mirror, None)
        server.restart()
    for mirror in mirrors:
        before = mirror.refused
        require_truth(mirror, None)
        assert mirror.refused == before, "a restart costs no full synchronisation"
