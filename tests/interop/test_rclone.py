"""rclone: copy, sync and bisync against ``/files/``."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.harness import Server, password_of
from tests.interop.programs import program, run

Rclone = Callable[..., CompletedProcess[str]]
OLD = 1_500_000_000


@pytest.fixture
def rclone(server: Server, tmp_path: Path) -> Rclone:
    """Runs rclone with alice's home as ``cloud:``; the vendor is the one that keeps modification times."""
    obscured = run(program("rclone"), "obscure", password_of("alice")).stdout.strip()
    config = tmp_path / "rclone.conf"
    config.write_text(
        f"[cloud]\ntype = webdav\nvendor = owncloud\nurl = {server.url}/files/Home\nuser = alice\npass = {obscured}\n"
    )
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}

    def call(*arguments: str | Path) -> CompletedProcess[str]:
        done = run(program("rclone"), "--config", config, "--retries", "1", *arguments, env=env)
        assert done.returncode == 0, done.stderr
        return done

    return call


@pytest.fixture
def local(tmp_path: Path) -> Path:
    folder = tmp_path / "local"
    (folder / "sub").mkdir(parents=True)
    (folder / "a b.txt").write_text("one")
    (folder / "sub" / "Müll %#?.txt").write_text("two")
    (folder / "empty").write_text("")
    os.utime(folder / "a b.txt", (OLD, OLD))
    return folder


def contents(folder: Path) -> dict[str, str]:
    return {file.relative_to(folder).as_posix(): file.read_text() for file in folder.rglob("*") if file.is_file()}


def test_rclone_copies_both_ways_and_keeps_times(rclone: Rclone, local: Path, server: Server, tmp_path: Path) -> None:
    rclone("copy", local, "cloud:copied")
    assert contents(server.data / "homes/alice/copied").items() >= contents(local).items()
    rclone("copy", "cloud:copied", tmp_path / "back")
    assert contents(tmp_path / "back") == contents(local)
    assert (tmp_path / "back/a b.txt").stat().st_mtime == OLD
    assert "There was nothing to transfer" in rclone("copy", "-v", local, "cloud:copied").stderr


def test_rclone_syncs_changes_and_removals(rclone: Rclone, local: Path, tmp_path: Path) -> None:
    rclone("sync", local, "cloud:synced")
    (local / "a b.txt").write_text("changed")
    (local / "empty").unlink()
    (local / "sub").rename(local / "renamed")
    rclone("sync", local, "cloud:synced")
    rclone("copy", "cloud:synced", tmp_path / "back")
    assert contents(tmp_path / "back") == contents(local)
    rclone("check", local, "cloud:synced", "--download")


def test_rclone_moves_and_streams_on_the_server(rclone: Rclone, local: Path) -> None:
    rclone("copy", local, "cloud:x")
    rclone("moveto", "cloud:x/sub", "cloud:y")
    rclone("copyto", "cloud:x/a b.txt", "cloud:y/copy.txt")
    assert sorted(rclone("lsf", "cloud:y").stdout.splitlines()) == ["Müll %#?.txt", "copy.txt"]
    assert rclone("cat", "cloud:y/copy.txt").stdout == "one"
    rclone("purge", "cloud:y")
    assert "y/" not in rclone("lsf", "cloud:").stdout


def test_rclone_bisync_carries_changes_of_both_sides(rclone: Rclone, local: Path, server: Server) -> None:
    rclone("mkdir", "cloud:both")
    rclone("bisync", local, "cloud:both", "--resync")
    alice = server.client("alice")
    alice.put("/files/Home/both/from-cloud.txt", "cloud")
    (local / "from-local.txt").write_text("local")
    rclone("bisync", local, "cloud:both")
    assert (local / "from-cloud.txt").read_text() == "cloud"
    assert alice.get("/files/Home/both/from-local.txt").text == "local"
    alice.delete("/files/Home/both/from-cloud.txt")
    rclone("bisync", local, "cloud:both")
    assert not (local / "from-cloud.txt").exists()
