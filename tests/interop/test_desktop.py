"""The commands of ``docs/desktop.md`` as they stand there, run by the programs: rclone, davfs2 and GNOME's ``gio``."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from davserver.dav.names import DAV
from tests.durability.disks import may_mount
from tests.harness import ROOT, Dav, Server, password_of
from tests.interop.programs import program, run

GUIDE = (ROOT / "docs/desktop.md").read_text(encoding="utf-8")
OLD = 1_500_000_000


def commands(first_words: str) -> str:
    """The block of the guide that begins so."""
    found = re.search(rf"^ *```sh\n( *{re.escape(first_words)}.*?)^ *```$", GUIDE, re.S | re.M)
    assert found is not None, first_words
    return found[1]


class Desktop:
    """Alice at her computer, with a home of its own, which mirrors ``Sport``."""

    def __init__(self, server: Server, home: Path) -> None:
        program("rclone")
        self.server = server
        self.home = home
        self.sport = home / "Cloud/Sport"
        self.sport.mkdir(parents=True)
        (home / ".config/rclone").mkdir(parents=True)
        self.type("rclone config create")

    def type(self, first_words: str, status: int = 0) -> str:
        """Type a block of the guide into a shell; what was said."""
        done = self.run(commands(first_words))
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    def run(self, script: str) -> CompletedProcess[str]:
        env = {**os.environ, "HOME": str(self.home), "PASSWORD": password_of("alice"), "LC_ALL": "C.UTF-8"}
        for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
            env.pop(name, None)
        text = script.replace("https://cloud.example.org", self.server.url)
        return run("bash", "-e", "-c", text, env=env)

    @property
    def files(self) -> dict[str, str]:
        """What is in the mirror, by path."""
        found = [file for file in self.sport.rglob("*") if file.is_file()]
        return {file.relative_to(self.sport).as_posix(): file.read_text() for file in found}


@pytest.fixture
def desktop(server: Server, tmp_path: Path) -> Desktop:
    return Desktop(server, tmp_path)


FIRST, AGAIN = "rclone bisync ~/Cloud/Sport cloud:Sport --resync\n", "rclone bisync ~/Cloud/Sport cloud:Sport\n"


@pytest.fixture
def mirror(desktop: Desktop, bob: Dav) -> Desktop:
    """Mirrored once, with two files from the server."""
    assert bob.mkcol("/files/Sport/sub").status == 201
    for name in ("plan.txt", "sub/team.txt"):
        assert bob.put(f"/files/Sport/{name}", "first", {"X-OC-Mtime": str(OLD)}).status == 201
    desktop.type(FIRST)
    assert desktop.files == {"plan.txt": "first", "sub/team.txt": "first"}
    return desktop


def test_changes_removals_and_renames_of_both_sides_go_both_ways(mirror: Desktop, bob: Dav) -> None:
    assert (mirror.sport / "plan.txt").stat().st_mtime == OLD
    assert bob.put("/files/Sport/plan.txt", "second").status == 204
    assert bob.put("/files/Sport/from server.txt", "new").status == 201
    (mirror.sport / "sub/team.txt").rename(mirror.sport / "sub/Mannschaft ä.txt")
    (mirror.sport / "from here.txt").write_text("new")
    os.utime(mirror.sport / "from here.txt", (OLD, OLD))
    mirror.type(AGAIN)
    everything = {
        "plan.txt": "second",
        "from server.txt": "new",
        "from here.txt": "new",
        "sub/Mannschaft ä.txt": "first",
    }
    assert mirror.files == everything
    for name, text in everything.items():
        assert bob.get(f"/files/Sport/{name}").text == text
    assert bob.get("/files/Sport/sub/team.txt").status == 404
    row = bob.propfind("/files/Sport/from here.txt", DAV.getlastmodified, depth="0").multistatus()
    assert row["/files/Sport/from here.txt"].text(DAV.getlastmodified) == "Fri, 14 Jul 2017 02:40:00 GMT"
    assert bob.delete("/files/Sport/from here.txt").status == 204
    (mirror.sport / "from server.txt").unlink()
    mirror.type(AGAIN)
    assert mirror.files == {"plan.txt": "second", "sub/Mannschaft ä.txt": "first"}
    assert bob.get("/files/Sport/from server.txt").status == 404
    requests = mirror.server.log.count("\n")
    mirror.type(AGAIN)
    assert not re.search(r" (PUT|MOVE|DELETE|PROPPATCH) ", "\n".join(mirror.server.log.split("\n")[requests:]))


def test_what_was_changed_on_both_sides_is_kept_twice(mirror: Desktop, bob: Dav) -> None:
    (mirror.sport / "plan.txt").write_text("changed here")
    assert bob.put("/files/Sport/plan.txt", "changed there").status == 204
    mirror.type(AGAIN)
    kept = {name: text for name, text in mirror.files.items() if name.startswith("plan")}
    assert kept == {"plan.txt..path1": "changed here", "plan.txt..path2": "changed there"}
    for name, text in kept.items():
        assert bob.get(f"/files/Sport/{name}").text == text


def test_what_is_filtered_out_stays_on_the_server(desktop: Desktop, bob: Dav) -> None:
    assert bob.mkcol("/files/Sport/Photos").status == 201
    for name in ("plan.txt", "Photos/a.jpg"):
        assert bob.put(f"/files/Sport/{name}", "x").status == 201
    desktop.type("printf")
    assert desktop.files == {"plan.txt": "x"}
    assert bob.get("/files/Sport/Photos/a.jpg").text == "x"


def test_what_somebody_has_locked_is_left_alone_and_goes_along_the_next_time(mirror: Desktop, bob: Dav) -> None:
    token = bob.lock("/files/Sport/plan.txt").lock_token
    (mirror.sport / "plan.txt").write_text("changed here")
    (mirror.sport / "other.txt").write_text("new here")
    said = mirror.run("export RCLONE_LOW_LEVEL_RETRIES=1 RCLONE_RETRIES=1\n" + commands(AGAIN))
    assert "423" in said.stdout + said.stderr
    assert bob.get("/files/Sport/plan.txt").text == "first"
    assert mirror.files["plan.txt"] == "changed here"
    assert bob.unlock("/files/Sport/plan.txt", token).status == 204
    mirror.type(FIRST)
    assert bob.get("/files/Sport/plan.txt").text == "changed here"
    assert bob.get("/files/Sport/other.txt").text == "new here"


def test_a_one_way_copy_fetches_all_and_then_nothing(desktop: Desktop, bob: Dav) -> None:
    for number in range(30):
        assert bob.put(f"/files/Sport/{number}.txt", str(number)).status == 201
    desktop.type("rclone sync cloud:Sport")
    assert len(list((desktop.home / "Cloud/Copy").iterdir())) == 30
    before = desktop.server.log.count(" GET ")
    desktop.type("rclone sync cloud:Sport")
    assert desktop.server.log.count(" GET ") == before


@pytest.fixture
def gnome(server: Server, tmp_path: Path) -> Desktop:
    """A desktop with a bus of its own for GNOME's file systems."""
    (tmp_path / "run").mkdir(mode=0o700)
    return Desktop(server, tmp_path)


def test_gio_mounts_copies_lists_and_sees_that_somebody_else_saved(gnome: Desktop, bob: Dav) -> None:
    for name in ("gio", "dbus-run-session"):
        program(name)
    block = commands("gio mount davs://")
    mount, copy, listing, unmount = block.strip().split("\n")
    where = f"dav://alice@127.0.0.1:{gnome.server.port}"
    script = "\n".join(
        [
            f'export XDG_RUNTIME_DIR="{gnome.home}/run" GVFS_DISABLE_FUSE=1 GIO_USE_VOLUME_MONITOR=unix',
            f'cd "{gnome.home}"',
            "echo words > plan.txt",
            f'echo "$PASSWORD" | {mount}',
            copy,
            f"{listing}",
            f"gio cat {where}/files/Sport/plan.txt",
            f"gio rename {where}/files/Sport/plan.txt renamed.txt",
            f"gio mkdir {where}/files/Sport/sub",
            f"gio move {where}/files/Sport/renamed.txt {where}/files/Sport/sub/moved.txt",
            f"gio copy {where}/files/Sport/sub/moved.txt {where}/files/Sport/copied.txt",
            f"gio remove {where}/files/Sport/sub/moved.txt",
            f"! gio save --etag=older {where}/files/Sport/copied.txt < /dev/null",
            unmount,
        ]
    ).replace("davs://alice@cloud.example.org", where)
    (gnome.home / "script").write_text(script)
    done = gnome.run(f'dbus-run-session -- bash -e "{gnome.home}/script"')
    assert done.returncode == 0, done.stdout + done.stderr
    assert "plan.txt\nwords\n" in done.stdout
    assert "externally modified" in done.stderr
    assert bob.get("/files/Sport/copied.txt").text == "words\n"
    assert list(bob.propfind("/files/Sport", DAV.getetag, depth="infinity").multistatus()) == [
        "/files/Sport/",
        "/files/Sport/sub/",
        "/files/Sport/copied.txt",
    ]


@pytest.fixture
def mounted(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """``/files/`` of alice in the file system, by davfs2; its program runs as a user of its own."""
    program("mount.davfs")
    folder = tmp_path_factory.mktemp("davfs")
    for above in folder.parents[:3]:
        if above.stat().st_uid == os.geteuid() and above != Path("/tmp"):
            above.chmod(above.stat().st_mode | 0o711)
    folder.chmod(0o711)
    mount, cache, secrets, conf = folder / "mnt", folder / "cache", folder / "secrets", folder / "davfs2.conf"
    mount.mkdir()
    cache.mkdir()
    cache.chmod(0o777)
    lines = re.findall(r'^echo "(.*)" >> /etc/davfs2/(\S+)$', commands("echo"), re.M)
    written = {name: line.replace("$PASSWORD", password_of("alice")) for line, name in lines}
    secrets.write_text(written["secrets"].replace("/mnt/cloud", str(mount)) + "\n")
    secrets.chmod(0o600)
    own = f"cache_dir {cache}\nsecrets {secrets}\nask_auth 0\ndelay_upload 0\n"
    conf.write_text(f"{written['davfs2.conf']}\n{own}")
    where = f"{server.url}/files/"
    done = run(program("mount.davfs"), "-o", f"conf={conf},uid=0,gid=0", where, mount)
    assert done.returncode == 0, done.stderr
    yield mount
    if os.path.ismount(mount):
        run(program("umount"), mount)


if os.path.exists("/dev/fuse") and may_mount():

    def test_davfs2_lists_locks_what_it_writes_and_leaves_nothing_behind(
        mounted: Path, server: Server, alice: Dav, bob: Dav
    ) -> None:
        sport = mounted / "Sport"
        (sport / "plan.txt").write_text("one")
        assert _soon(lambda: bob.get("/files/Sport/plan.txt").text == "one")
        (sport / "sub").mkdir()
        assert sorted(os.listdir(sport)) == ["plan.txt", "sub"]
        (sport / "plan.txt").rename(sport / "sub/plan.txt")
        assert os.listdir(sport / "sub") == ["plan.txt"]
        with (sport / "sub/plan.txt").open("a") as file:
            file.write(" and two")
            file.flush()
            assert bob.put("/files/Sport/sub/plan.txt", "bob's").status == 423  # while the program has it open
        assert _soon(lambda: bob.get("/files/Sport/sub/plan.txt").text == "one and two")
        assert _soon(lambda: bob.put("/files/Sport/free.txt", "x").status in (201, 204))
        token = bob.lock("/files/Sport/sub/plan.txt").lock_token
        with pytest.raises(OSError):
            (sport / "sub/plan.txt").write_text("over bob's lock")
        assert bob.unlock("/files/Sport/sub/plan.txt", token).status == 204
        assert run(program("umount"), mounted).returncode == 0
        assert bob.get("/files/Sport/sub/plan.txt").text == "one and two"
        assert bob.put("/files/Sport/sub/plan.txt", "bob's").status == 204  # no lock is left
        names = bob.propfind("/files/Sport", DAV.getetag, depth="infinity").multistatus()
        assert list(names) == [
            "/files/Sport/",
            "/files/Sport/sub/",
            "/files/Sport/sub/plan.txt",
            "/files/Sport/free.txt",
        ]


def _soon(holds) -> bool:  # type: ignore[no-untyped-def]
    """Whether it holds within some seconds: davfs2 stores a file after it was closed."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.05)
    return False
