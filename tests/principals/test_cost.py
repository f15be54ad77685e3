"""What a search costs: the accounts are in memory, and the homes of hundreds are not opened for it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from auth.directory import Directory
from config.loader import load
from davserver.accesslog import AccessLog
from davserver.app import Application
from storage.store import Store
from tests.harness import Dav, Server
from tests.principals.conftest import ask

ALL = "<D:prop><D:displayname/><C:calendar-user-address-set/><CS:email-address-set/><D:group-membership/></D:prop>"
ONE = "<D:property-search><D:prop><D:displayname/></D:prop><D:match>g1</D:match></D:property-search>" + ALL


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *arguments: Any) -> None:
        """wsgiref would write to the test's output."""


@pytest.fixture(params=[20, 500])
def dav(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Dav]:
    """Alice in an association of so many groups, each with a calendar, in a process that the test can look into."""
    groups = "".join(f"[group.g{number}]\n" for number in range(request.param))
    association = Server(tmp_path / "association", groups=groups)
    for number in range(request.param):
        folder = association.data / f"collections/collection-root/g{number}/calendar"
        folder.mkdir(parents=True)
        (folder / ".Radicale.props").write_text('{"tag": "VCALENDAR"}')
    settings = load(association.config)
    directory = Directory(settings)
    store = Store(settings, directory=directory)
    app = Application(settings, directory, store, AccessLog("text"))
    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as host:
        thread = threading.Thread(target=host.serve_forever)
        thread.start()
        yield Dav(host.server_port, "alice")
        host.shutdown()
        thread.join()
    store.close()


@pytest.mark.parametrize(("inner", "least"), [(ALL, 20), (ONE, 1)])
def test_a_search_looks_into_no_home(dav: Dav, monkeypatch: pytest.MonkeyPatch, inner: str, least: int) -> None:
    ask(dav, "/dav/", "principal-property-search", inner)  # the first request reads what is read once
    looked: list[str] = []
    real = os.stat

    def stat(path: Any, *arguments: Any, **options: Any) -> os.stat_result:
        looked.append(str(path))
        return real(path, *arguments, **options)

    monkeypatch.setattr(os, "stat", stat)
    rows = ask(dav, "/dav/", "principal-property-search", inner).multistatus()
    assert len(rows) >= least
    assert [path for path in looked if "collection-root/g" in path] == []
