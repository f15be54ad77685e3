"""Fixtures that every room's tests share: ``server`` is the real one, over an empty association."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings

from tests.harness import Dav, Server

MakeServer = Callable[..., Server]
# Compiled once, not by each of the hundreds of servers and commands that the tests start.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# How long an example takes says nothing on a machine that runs servers beside it.
settings.register_profile("davserver", deadline=None)
settings.load_profile("davserver")
Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


@pytest.fixture(scope="session")
def start_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeServer]:
    """
    Starts servers that live until the session ends, for modules whose tests do not disturb each other.

    Takes what ``Server`` takes; ``start_server(folder=path)`` over a folder of one's own.
    """
    started: list[Server] = []

    def start(folder: Path | None = None, **options: Any) -> Server:
        server = Server(folder or tmp_path_factory.mktemp("association"), **options)
        started.append(server)
        return server.start()

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def make_server(tmp_path: Path) -> Iterator[MakeServer]:
    """Makes servers, not yet started, that are stopped after the test."""
    made: list[Server] = []

    def make(**options: Any) -> Server:
        server = Server(tmp_path / f"association{len(made)}", **options)
        made.append(server)
        return server

    yield make
    for server in made:
        server.stop()


@pytest.fixture
def server(make_server: MakeServer) -> Server:
    """A running server with alice, bob, carol and dora; sport: alice, bob; board: carol; rights: ``harness.ACCESS``."""
    return make_server().start()


@pytest.fixture
def alice(server: Server) -> Dav:
    return server.client("alice")


@pytest.fixture
def bob(server: Server) -> Dav:
    return server.client("bob")


@pytest.fixture
def carol(server: Server) -> Dav:
    return server.client("carol")


@pytest.fixture
def anonymous(server: Server) -> Dav:
    """Somebody without credentials."""
    return server.client()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Under CI a skipped test is a failed one: what it misses is to be installed."""
    return _without_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for whole modules (``importorskip``)."""
    return _without_skip((yield))


def _without_skip(report: Report) -> Report:
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which nothing may be under CI: {report.longrepr}"
    return report
