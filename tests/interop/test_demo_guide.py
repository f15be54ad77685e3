"""What ``davserver demo`` prints is what real clients need: it is typed in here as it stands there."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import caldav
import pytest

from tests.cli.command import environ
from tests.harness import free_port
from tests.interop.programs import program, run

VDIRSYNCER = """
[general]
status_path = "status/"
[pair all]
a = "there"
b = "here"
collections = ["from a"]
[storage there]
type = "{kind}"
{printed}
[storage here]
type = "filesystem"
path = "here/"
fileext = ".{ending}"
"""


@pytest.fixture(scope="module")
def guide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """All that a demo prints until it serves; it serves meanwhile."""
    command = [sys.executable, "-m", "davserver", "demo", str(tmp_path_factory.mktemp("demo") / "demo")]
    process = subprocess.Popen(
        [*command, "--listen", f"127.0.0.1:{free_port()}"],
        env=environ(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    printed = ""
    for line in process.stdout:
        printed += line
        if "listening on" in line:
            break
    assert "listening on" in printed
    yield printed
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0


def test_the_rclone_command_lists_the_files(guide: str, tmp_path: Path) -> None:
    program("rclone")
    found = re.search(r"rclone lsl .*?\)\"", guide, re.S)
    assert found is not None
    listed = run("bash", "-c", found[0], env={**os.environ, "HOME": str(tmp_path)})
    assert listed.returncode == 0, listed.stderr
    assert "Communication/About us.md" in listed.stdout


def test_the_curl_commands_are_answered(guide: str) -> None:
    program("curl")
    commands = re.findall(r"curl .*?(?=\s{3}|$)", guide, re.M)
    assert len(commands) == 3
    for command in commands:
        done = run("bash", "-c", command.replace("curl ", "curl --silent --fail ", 1))
        assert (done.returncode, bool(done.stdout)) == (0, True), command


@pytest.mark.parametrize(
    ("kind", "ending", "item"),
    [("caldav", "ics", "van~calendar/van-food-bank.ics"), ("carddav", "vcf", "staff~contacts/garage.vcf")],
)
def test_vdirsyncer_finds_every_collection_with_the_printed_lines(
    guide: str, tmp_path: Path, kind: str, ending: str, item: str
) -> None:
    found = re.search(r'(url = ".*"), (username = ".*"), (password = ".*")', guide)
    assert found is not None
    config = VDIRSYNCER.format(kind=kind, ending=ending, printed="\n".join(found.groups()))
    (tmp_path / "config").write_text(config)
    for command in ("discover", "sync"):
        done = run(
            *(sys.executable, "-m", "vdirsyncer", "-c", tmp_path / "config", command),
            text="y\n" * 20,
            cwd=tmp_path,
            env={**os.environ, "HOME": str(tmp_path)},
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "here" / item).is_file()


def test_the_caldav_library_finds_the_calendars_from_the_printed_address(guide: str) -> None:
    address = re.search(r"Thunderbird .*?(http://\S+)", guide)
    account = re.search(r"for example (\S+) and (\S+)", guide)
    assert address is not None
    assert account is not None
    with caldav.DAVClient(address[1], username=account[1], password=account[2]) as client:
        names = {calendar.get_display_name() for calendar in client.principal().calendars()}
    assert {"Calendar", "Club house", "The van"} <= names
