"""litmus 0.13, the conformance suite of RFC 4918: every test of every suite passes, without warnings."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness import Server, password_of
from tests.interop.programs import program, run

SUITES = {"basic": 16, "copymove": 13, "props": 30, "locks": 41, "http": 4}


@pytest.mark.rfc("4918", "18")
def test_litmus_passes_whole_and_without_warnings(server: Server, tmp_path: Path) -> None:
    url = f"{server.url}/files/Home/"
    done = run(program("litmus"), "-k", url, "alice", password_of("alice"), cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    for suite, tests in SUITES.items():
        assert f"summary for `{suite}': of {tests} tests run: {tests} passed, 0 failed. 100.0%" in done.stdout
    assert "WARNING" not in done.stdout
    assert "SKIPPED" not in done.stdout
