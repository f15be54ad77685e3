"""cadaver: an interactive client that uses class 2 and dead properties."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.harness import Server, password_of
from tests.interop.programs import program, run


def cadaver(server: Server, folder: Path, *commands: str) -> str:
    """Run commands in alice's home and return what cadaver printed."""
    netrc = folder / ".netrc"
    netrc.write_text(f"machine 127.0.0.1 login alice password {password_of('alice')}\n")
    netrc.chmod(0o600)
    env = {**os.environ, "HOME": str(folder), "LC_ALL": "C.UTF-8"}
    script = "\n".join((*commands, "quit\n"))
    return run(program("cadaver"), f"{server.url}/files/Home/", text=script, cwd=folder, env=env).stdout


@pytest.mark.rfc("4918", "7")
def test_cadaver_stores_locks_and_unlocks(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("words")
    said = cadaver(server, tmp_path, "put a.txt", "lock a.txt", "discover a.txt")
    assert "succeeded" in said
    assert "Scope: exclusive" in said
    alice = server.client("alice")
    assert alice.put("/files/Home/a.txt", "x").status == 423
    assert alice.get("/files/Home/a.txt").text == "words"


def test_cadaver_copies_moves_and_keeps_properties(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("words")
    said = cadaver(
        server,
        tmp_path,
        "mkcol sub",
        "put a.txt",
        "propset a.txt colour red",
        "copy a.txt sub/b.txt",
        "move a.txt sub/c.txt",
        "propget sub/b.txt colour",
        "ls sub",
    )
    assert "failed" not in said
    assert "red" in said
    alice = server.client("alice")
    assert alice.get("/files/Home/sub/b.txt").text == alice.get("/files/Home/sub/c.txt").text == "words"
    assert alice.get("/files/Home/a.txt").status == 404
