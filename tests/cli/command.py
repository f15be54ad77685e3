"""Runs ``davserver`` in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WITHIN_S = 60


@dataclass(frozen=True)
class Result:
    """How it ended; two are equal if their codes are."""

    code: int
    out: str = field(default="", compare=False)
    err: str = field(default="", compare=False)


def davserver(
    *arguments: str, folder: Path | None = None, stdin: str = "", environment: Mapping[str, str] | None = None
) -> Result:
    """Run a command to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "davserver", *arguments],
        cwd=folder,
        input=stdin,
        env=environ(environment),
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Result(done.returncode, done.stdout, done.stderr)


def environ(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without our variables, and with this source tree first."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DAVSERVER_")}
    return {**kept, "PYTHONPATH": str(ROOT), "COLUMNS": "120", **(more or {})}
