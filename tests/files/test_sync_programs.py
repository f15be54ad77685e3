"""What programs for phones and computers do that keep a folder the same by walking it or by asking what changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

import pytest

from davserver.dav.names import DAV
from tests.files.conftest import made
from tests.harness import Dav


@dataclass
class Walker:
    """
    A program like FolderSync: PROPFIND folder by folder, then GET, PUT, MOVE and DELETE by what differs.

    Attributes:
        known: ETag of each file when it was the same on both sides, by path below the top.
        local: the bytes here.
        asked: folders that were listed since the last ``look``.
    """

    client: Dav
    top: str
    known: dict[str, str] = field(default_factory=dict)
    local: dict[str, bytes] = field(default_factory=dict)
    folders: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def look(self, *, only_changed: bool = False) -> dict[str, str]:
        """
        The ETags of all files.

        Args:
            only_changed: folders whose ETag is that of the last time are not gone into, as ownCloud's programs do.
        """
        self.asked = []
        before = dict(self.known) if only_changed else {}
        return self._look("", before, only_changed=only_changed)

    def _look(self, folder: str, before: dict[str, str], *, only_changed: bool) -> dict[str, str]:
        self.asked.append(folder)
        rows = self.client.propfind(self.top + folder, DAV.getetag, DAV.resourcetype, depth="1").multistatus()
        found: dict[str, str] = {}
        for href, row in rows.items():
            path, etag = href.removeprefix(self.top), row.text(DAV.getetag) or ""
            if path == folder:
                continue
            if not path.endswith("/"):
                found[path] = etag
            elif only_changed and self.folders.get(path) == etag:
                found |= {name: known for name, known in before.items() if name.startswith(path)}
            else:
                found |= self._look(path, before, only_changed=only_changed)
                self.folders[path] = etag
        return found

    def fetch(self, *, only_changed: bool = False) -> None:
        """Take over what changed there."""
        there = self.look(only_changed=only_changed)
        for path in self.known.keys() - there.keys():
            del self.known[path], self.local[path]
        for path, etag in there.items():
            if self.known.get(path) != etag:
                reply = self.client.get(self.top + path)
                self.known[path], self.local[path] = reply.etag, reply.body

    def store(self, path: str, data: bytes) -> int:
        """Send a file under a temporary name, then put it in its place if that is as it was known."""
        assert self.client.put(f"{self.top}{path}.tmp", data).status == 201
        target = f"http://127.0.0.1{self.top}{path}"
        headers = {"Destination": target, "Overwrite": "T" if path in self.known else "F"}
        if path in self.known:
            headers["If"] = f"<{target}> ([{self.known[path]}])"
        status = self.client.request("MOVE", f"{self.top}{path}.tmp", headers=headers).status
        if status in (201, 204):
            self.known[path], self.local[path] = self.client.head(self.top + path).etag, data
        return status

    def remove(self, path: str) -> int:
        """Delete a file if it is as it was known."""
        return self.client.request("DELETE", self.top + path, headers={"If-Match": self.known[path]}).status


@pytest.mark.rfc("4918", "10.4")
def test_a_program_that_walks_loses_nothing_when_both_sides_change(alice: Dav, bob: Dav, sport: str) -> None:
    top = made(alice, f"{sport}/walked") + "/"
    made(alice, f"{top}sub")
    assert bob.put(f"{top}sub/plan.txt", "first").status == 201
    phone = Walker(alice, top)
    phone.fetch()
    assert phone.local == {"sub/plan.txt": b"first"}
    assert phone.store("sub/plan.txt", b"second") == 204
    assert phone.store("new.txt", b"new") == 201
    assert bob.put(f"{top}sub/plan.txt", "bob's").status == 204
    assert phone.store("sub/plan.txt", b"third") == 412
    assert bob.get(f"{top}sub/plan.txt").text == "bob's"
    assert bob.get(f"{top}sub/plan.txt.tmp").text == "third"  # both are there to be compared
    assert bob.delete(f"{top}new.txt").status == 204
    assert (
        alice.request("DELETE", f"{top}sub/plan.txt", headers={"If-Match": phone.known["sub/plan.txt"]}).status == 412
    )
    phone.fetch()
    assert phone.local == {"sub/plan.txt": b"bob's", "sub/plan.txt.tmp": b"third"}
    assert (
        alice.request("DELETE", f"{top}sub/plan.txt", headers={"If-Match": phone.known["sub/plan.txt"]}).status == 204
    )


def test_a_walk_along_folder_etags_finds_every_change_and_looks_nowhere_else(
    alice: Dav, bob: Dav, carol: Dav, led: str
) -> None:
    top, random = made(alice, f"{led}/tagged") + "/", Random(7)
    folders = ["", "a/", "a/b/", "a/b/c/", "d/", "d/e/"]
    for folder in folders[1:]:
        made(alice, (top + folder).rstrip("/"))
    computer = Walker(bob, top)
    computer.fetch(only_changed=True)
    files: list[str] = []
    for number in range(150):
        folder, kind = random.choice(folders), random.choice(["new", "new", "change", "move", "delete"])
        touched = folder
        if kind == "new" or not files:
            files.append(f"{folder}{number}.txt")
            assert alice.put(top + files[-1], str(number)).status == 201
        else:
            path = files.pop(random.randrange(len(files)))
            touched = path.rpartition("/")[0] + "/" if "/" in path else ""
            if kind == "change":
                assert alice.put(top + path, f"changed {number}").status == 204
                files.append(path)
            elif kind == "move":
                files.append(f"{folder}{number}.txt")
                assert alice.move(top + path, top + files[-1]).status == 201
            else:
                assert alice.delete(top + path).status == 204
        computer.fetch(only_changed=True)
        changed = {touched, folder} if kind == "move" else {touched}
        on_the_way = {above for path in changed for above in _above(path)}
        assert set(computer.asked) <= on_the_way, (kind, computer.asked)
        assert set(computer.local) == set(files)
    assert computer.local == {path: alice.get(top + path).body for path in files}
    closed = '[[rule]]\nwho = ["alice", "carol"]\nmay = ["read", "create", "write", "delete"]\n'
    assert carol.put(f"{top}a/b/access.toml", closed).status == 201
    assert alice.put(f"{top}a/b/secret.txt", "x").status == 201
    computer.fetch(only_changed=True)
    assert not [path for path in computer.local if path.startswith("a/b/")]


def _above(folder: str) -> set[str]:
    """A folder and all above it, as paths below the top."""
    parts = folder.split("/")[:-1]
    return {"".join(f"{part}/" for part in parts[:depth]) for depth in range(len(parts) + 1)}
