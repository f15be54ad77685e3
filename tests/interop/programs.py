"""Real client programs: found, or the test fails and says what to install."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path


def program(name: str) -> str:
    """The path of a program of those that ``.ci/programs`` installs, also of one that is for root."""
    path = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    assert path is not None, f"{name} is not installed; .ci/programs installs what is missing"
    return path


def run(
    *command: str | Path, text: str | None = None, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end and return what it wrote."""
    return subprocess.run(
        [str(part) for part in command],
        input=text,
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
