"""The application under another WSGI host than our own: wsgiref's."""

from __future__ import annotations

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
from davserver.dav.names import DAV
from storage.store import Store
from tests.harness import Dav, Server


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *arguments: Any) -> None:
        """wsgiref would write to the test's output."""


@pytest.fixture
def dav(tmp_path: Path) -> Iterator[Dav]:
    association = Server(tmp_path / "association")
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


def test_a_file_is_stored_listed_read_in_part_and_removed_under_another_host(dav: Dav) -> None:
    path = "/files/Sport/ä b?#%.txt"
    assert dav.put(path, b"0123456789").status == 201
    assert dav.propfind(path, DAV.getcontentlength).multistatus()[path].text(DAV.getcontentlength) == "10"
    assert dav.get(path).body == b"0123456789"
    assert dav.head(path).headers["content-length"] == "10"
    assert dav.get(path, {"Range": "bytes=2-3"}).body == b"23"
    assert dav.delete(path).status == 204
    assert dav.get(path).status == 404
