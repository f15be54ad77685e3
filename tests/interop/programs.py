"""Real client programs: found, or the test fails and says what to install."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path


def program(name: str) -> str:
    """The path of a program that Debian has in a package of the same name."""
    path = shutil.which(name)
    assert path is not None, f"{name} is not installed: apt-get install {name}"
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
