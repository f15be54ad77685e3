"""caldav-server-tester tells of each feature of a CalDAV server whether it is there; it finds what this one has."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.conftest import MakeServer
from tests.harness import Server, password_of

WITHIN_S = 300
FEATURE = re.compile(r"^## (\S+)\nFeature support level found: (\S+)", re.MULTILINE)
# What the report may say otherwise, and why.
OTHERWISE: Mapping[str, str] = {
    "scheduling": "is not announced",
    "create-calendar.auto": "a PUT into a calendar that does not exist is refused (RFC 4791 5.3.2)",
    "search.text.comp-type-optional": "a component's property is none of the calendar around it (RFC 4791 9.7.2)",
    "url.encode-at.identity": "'@' and '%40' in a path are one resource, as for all peers",
    "url.encode-at.literal.principal": "no account of the test has '@' in its name",
    "well-known": "is not tried on the machine itself",
    "get-current-user-principal.has-calendar": "gives a value and no support",
}


@pytest.fixture(scope="module")
def report(start_server: MakeServer, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """How the program says that each feature is supported, by its name."""
    server: Server = start_server()
    folder: Path = tmp_path_factory.mktemp("tester")
    config = folder / "config.json"
    accounts = {
        name: {"caldav_url": server.url, "caldav_username": name, "caldav_password": password_of(name)}
        for name in ("alice", "bob")
    }
    config.write_text(json.dumps(accounts))
    program = Path(sys.executable).with_name("caldav-server-tester")
    command = [program, "--config-section", "alice", "--config-section", "bob", "--verbose"]
    done = subprocess.run(
        command,
        env={**os.environ, "CALDAV_CONFIG_FILE": str(config), "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(FEATURE.findall(done.stdout))


def test_no_feature_is_missing_or_broken(report: Mapping[str, str]) -> None:
    lacking = {name: support for name, support in report.items() if support != "full" and name not in OTHERWISE}
    assert not lacking
    assert len(report) > 90


@pytest.mark.parametrize(
    "feature",
    [
        "principal-search",
        "sync-token.limit",
        "search.time-range.alarm",
        "synchronous-write",
    ],
)
def test_it_looked_at_what_it_is_asked_for(report: Mapping[str, str], feature: str) -> None:
    assert report[feature] == "full"
