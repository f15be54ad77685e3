"""The scripts that a newcomer and CI start: they say how it ended, and ask for one line when they may not install."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.conformance_page import ROOT


def run(script: str, *arguments: str, programs: Path) -> subprocess.CompletedProcess[str]:
    """Run a script of the repository with these programs in front of the machine's own."""
    environment = {"PATH": f"{programs}:{os.defpath}", "HOME": str(programs)}
    command = [str(ROOT / script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder of programs, in which a test puts what the machine should seem to have."""
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def put(programs: Path, name: str, text: str) -> None:
    (programs / name).write_text(f"#!/bin/sh\n{text}\n")
    (programs / name).chmod(0o755)


@pytest.mark.parametrize(
    ("closing", "code"),
    [("==== 12 passed in 3.21s ====", 0), ("=== 1 failed, 11 passed in 3.21s ===", 2), ("12 passed in 3.21s", 0)],
    ids=["passed", "failed", "quiet"],
)
def test_the_ci_run_ends_with_the_closing_line_and_code_of_the_tests(programs: Path, closing: str, code: int) -> None:
    put(
        programs,
        "make",
        f'[ "$*" = test ] && [ "$CI" = true ] || exit 9\necho "{closing}"\necho "make: done"\nexit {code}',
    )
    ended = run(".ci/run", programs=programs)
    assert (ended.returncode, ended.stdout.splitlines()[-1]) == (code, closing)


def test_the_ci_run_fails_where_the_tests_never_came_to_a_closing_line(programs: Path) -> None:
    put(programs, "make", "exit 2")
    assert run(".ci/run", programs=programs).returncode == 2


def test_who_may_not_install_packages_is_given_one_line_to_run(programs: Path) -> None:
    put(programs, "id", "echo 1000")
    put(programs, "sudo", "exit 1")
    put(programs, "apt-get", "exit 0")
    ended = run(".ci/packages", "litmus", "rclone", programs=programs)
    assert ended.returncode == 1
    assert "install --yes --no-install-recommends litmus rclone" in ended.stderr.splitlines()[-1]


@pytest.mark.parametrize("code", [0, 1])
def test_root_installs_packages_and_says_when_that_fails(programs: Path, code: int) -> None:
    put(programs, "id", "echo 0")
    put(programs, "apt-get", f'echo "apt-get $*" >>"{programs}/log"\nexit {code}')
    ended = run(".ci/packages", "litmus", programs=programs)
    assert ended.returncode == code
    assert "apt-get update" in (programs / "log").read_text()
    assert ("sudo sh -c" in ended.stderr) is (code == 1)
