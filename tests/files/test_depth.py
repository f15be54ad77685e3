"""Folders within folders: as deep as people ever make them, and no deeper."""

from __future__ import annotations

from pathlib import Path

import pytest

from davserver.dav.names import DAV
from tests.files.conftest import made
from tests.harness import Dav, Server

DEEPEST = 100


def test_a_tree_of_the_greatest_depth_is_listed_copied_moved_and_removed(alice: Dav, sport: str, cloud: Server) -> None:
    top = made(alice, f"{sport}/top")
    path = top
    while path.count("/") < DEEPEST - 1:
        path = made(alice, f"{path}/d")
    assert alice.put(f"{path}/file", "x").status == 201
    deepest = made(alice, f"{path}/d")
    before = cloud.tree()
    assert alice.put(f"{deepest}/file", "x").status == 403
    assert alice.mkcol(f"{deepest}/d").status == 403
    assert alice.request("POST", f"{deepest}/", "x").status == 403
    assert alice.lock(f"{deepest}/file").status == 403
    assert cloud.tree() == before
    assert alice.delete(deepest).status == 204
    rows = alice.propfind(sport, DAV.getetag, depth="infinity").multistatus()
    assert len(rows) == DEEPEST - sport.count("/") + 1
    made(alice, f"{sport}/deeper")
    before = cloud.tree()
    for method in (alice.copy, alice.move):
        assert method(top, f"{sport}/deeper/top").status == 403
    assert cloud.tree() == before
    assert alice.copy(top, f"{sport}/copied").status == 201
    assert alice.move(f"{sport}/copied", f"{sport}/moved").status == 201
    assert alice.get(path.replace("/top", "/moved") + "/file").text == "x"
    assert alice.delete(f"{sport}/moved").status == 204


def test_what_lies_deeper_on_the_disk_is_not_served_and_the_log_says_so(
    alice: Dav, bob: Dav, sport: str, cloud: Server
) -> None:
    folder = Path(cloud.data, sport.lstrip("/"))
    deep = Path(folder, *("e" * (DEEPEST + 20)))
    deep.mkdir(parents=True)
    (folder / "e" / "file").write_text("x")
    (deep / "file").write_text("x")
    rows = bob.propfind(sport, DAV.getetag, depth="infinity").multistatus()
    assert max(path.rstrip("/").count("/") for path in rows) == DEEPEST
    assert bob.get(f"{sport}/e/file").text == "x"
    assert bob.get(f"{sport}{'/e' * (DEEPEST + 20)}/file").status == 404
    assert "it is too deep" in cloud.log
    assert alice.delete(f"{sport}/e").status == 204


@pytest.mark.parametrize("depth", [DEEPEST, 500, 1900])
@pytest.mark.parametrize("top", ["/files/Sport", "/files/Home", "/files/Trash", "/files/History", "/dav/alice", "/p"])
def test_a_path_as_deep_as_one_likes_is_only_a_path(alice: Dav, cloud: Server, top: str, depth: int) -> None:
    alice.options("/dav/")  # her first request makes her first collections
    path, before = top + "/a" * depth, cloud.tree()
    for method in ("OPTIONS", "GET", "PROPFIND", "PUT", "MKCOL", "DELETE", "PROPPATCH", "REPORT", "POST"):
        reply = alice.request(method, path, "x" if method == "PUT" else None, {"Depth": "0"})
        assert reply.status in (200, 400, 403, 404, 405, 409, 429), (method, reply.body)
    assert alice.lock(path).status in (403, 404, 405, 409, 429)
    assert alice.copy("/files/Sport", path).status in (403, 404, 409)
    assert alice.move("/files/Home", path).status in (403, 404, 409)
    assert cloud.tree() == before
