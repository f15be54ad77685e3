"""COPY, MOVE and DELETE: whole trees or nothing, and only where every member may go."""

from __future__ import annotations

import pytest

from davserver.dav.names import DAV
from tests.files.conftest import made
from tests.harness import Dav, Server


def tree(client: Dav, folder: str) -> str:
    """A folder with a file, and a folder in it with another."""
    made(client, folder)
    client.put(f"{folder}/a.txt", "a")
    made(client, f"{folder}/sub")
    client.put(f"{folder}/sub/b.txt", "b")
    return folder


@pytest.mark.rfc("4918", "9.9.2")
def test_a_tree_moves_whole_with_its_properties(alice: Dav, home: str) -> None:
    tree(alice, f"{home}/x")
    alice.proppatch(f"{home}/x/sub/b.txt", {"{urn:x}p": "kept"})
    assert alice.move(f"{home}/x", f"{home}/y").status == 201
    assert alice.get(f"{home}/x").status == 404
    assert alice.get(f"{home}/y/sub/b.txt").text == "b"
    rows = alice.propfind(f"{home}/y/sub/b.txt", "{urn:x}p").multistatus()
    assert rows[f"{home}/y/sub/b.txt"].text("{urn:x}p") == "kept"


@pytest.mark.rfc("4918", "9.8.3")
def test_a_tree_is_copied_whole_or_with_depth_0_as_an_empty_folder(alice: Dav, home: str) -> None:
    tree(alice, f"{home}/x")
    alice.proppatch(f"{home}/x/a.txt", {"{urn:x}p": "kept"})
    assert alice.copy(f"{home}/x", f"{home}/y").status == 201
    assert alice.copy(f"{home}/x", f"{home}/z", depth="0").status == 201
    assert alice.get(f"{home}/y/sub/b.txt").text == "b"
    assert alice.propfind(f"{home}/y/a.txt", "{urn:x}p").multistatus()[f"{home}/y/a.txt"].text("{urn:x}p") == "kept"
    assert alice.get(f"{home}/z").text == ""
    assert alice.copy(f"{home}/x", f"{home}/w", depth="1").status == 400


@pytest.mark.rfc("4918", "9.8.4")
def test_an_overwritten_tree_is_replaced_not_merged_and_goes_to_the_trash(alice: Dav, home: str, cloud: Server) -> None:
    tree(alice, f"{home}/x")
    made(alice, f"{home}/y")
    alice.put(f"{home}/y/old.txt", "old words")
    assert alice.copy(f"{home}/x", f"{home}/y", overwrite=False).status == 412
    assert alice.get(f"{home}/y/old.txt").status == 200
    assert alice.copy(f"{home}/x", f"{home}/y").status == 204
    assert alice.get(f"{home}/y/old.txt").status == 404
    assert b"old words" in [body for name, body in cloud.tree().items() if name.startswith("trash/")]


@pytest.mark.rfc("4918", "9.9.3")
def test_a_file_moved_over_another_takes_its_place(alice: Dav, home: str) -> None:
    alice.put(f"{home}/a.txt", "a")
    old = alice.put(f"{home}/b.txt", "b").etag
    assert alice.move(f"{home}/a.txt", f"{home}/b.txt", overwrite=False).status == 412
    assert alice.move(f"{home}/a.txt", f"{home}/b.txt").status == 204
    got = alice.get(f"{home}/b.txt")
    assert got.text == "a"
    assert got.etag != old


@pytest.mark.rfc("4918", "9.9.4")
@pytest.mark.parametrize("method", ["MOVE", "COPY"])
def test_a_resource_is_not_moved_or_copied_onto_or_into_itself(
    alice: Dav, home: str, cloud: Server, method: str
) -> None:
    tree(alice, f"{home}/x")
    before = cloud.tree()
    through_members = home.replace("/files/Home", "/files/Members/alice")
    for target in (f"{home}/x", f"{home}/x/", f"{home}/x/sub/y", home, f"{through_members}/x"):
        assert alice.request(method, f"{home}/x", headers={"Destination": target}).status == 403
    assert cloud.tree() == before


@pytest.mark.rfc("4918", "10.3")
def test_a_destination_may_be_a_path_or_hold_a_password_but_not_name_another_server(
    alice: Dav, home: str, cloud: Server
) -> None:
    alice.put(f"{home}/a.txt", "a")
    here = f"127.0.0.1:{cloud.port}"
    for number, start in enumerate(("", f"http://{here}", f"http://alice:secret@{here}", f"https://{here}")):
        target = f"{start}{home}/b{number}.txt"
        assert alice.request("COPY", f"{home}/a.txt", headers={"Destination": target}).status == 201
    before = cloud.tree()
    refused = {
        "http://elsewhere.example/files/Home/x": 502,
        "": 400,
        "nonsense": 400,
        f"http://{here}/dav/alice/x": 403,
    }
    for target, status in refused.items():
        assert alice.request("MOVE", f"{home}/a.txt", headers={"Destination": target}).status == status, target
    assert alice.request("MOVE", f"{home}/a.txt").status == 400
    assert alice.copy(f"{home}/a.txt", f"{home}/none/b.txt").status == 409
    assert cloud.tree() == before


@pytest.mark.rfc("4918", "9.6.1")
def test_delete_puts_a_tree_into_the_trash(alice: Dav, home: str, cloud: Server) -> None:
    tree(alice, f"{home}/x")
    alice.put(f"{home}/x/sub/b.txt", "words to keep")
    assert alice.request("DELETE", f"{home}/x", headers={"Depth": "0"}).status == 400
    assert alice.delete(f"{home}/x/").status == 204
    assert alice.get(f"{home}/x/a.txt").status == 404
    assert b"words to keep" in [body for name, body in cloud.tree().items() if name.startswith("trash/")]


@pytest.mark.parametrize("path", ["/files", "/files/Home", "/files/Members", "/files/Collections", "/files/Sport"])
@pytest.mark.parametrize("method", ["DELETE", "MOVE"])
def test_the_tops_and_the_folders_of_the_servers_rules_stay(
    alice: Dav, path: str, method: str, unchanged: None
) -> None:
    reply = alice.request(method, path, headers={"Destination": "/files/Sport/taken"})
    assert reply.status == 403


def test_a_reader_copies_but_does_not_move_delete_or_write(alice: Dav, carol: Dav, sport: str, cloud: Server) -> None:
    tree(alice, f"{sport}/x")
    before = cloud.tree()
    for reply in (
        carol.put(f"{sport}/x/a.txt", "y"),
        carol.put(f"{sport}/x/new.txt", "y"),
        carol.mkcol(f"{sport}/x/new"),
        carol.delete(f"{sport}/x"),
        carol.move(f"{sport}/x", "/files/Home/x"),
        carol.proppatch(f"{sport}/x", {"{urn:x}p": "1"}),
        carol.lock(f"{sport}/x/a.txt"),
    ):
        assert (reply.status, reply.condition) == (403, DAV.need_privileges)
    assert cloud.tree() == before
    assert carol.copy(f"{sport}/x", "/files/Home/copied").status == 201
    assert carol.get("/files/Home/copied/sub/b.txt").text == "b"


def test_a_tree_with_one_member_that_may_not_go_stays_whole(alice: Dav, bob: Dav, carol: Dav, led: str) -> None:
    tree(alice, f"{led}/x")
    rules = '[[rule]]\nwho = ["alice"]\nmay = ["read", "create", "write", "delete"]\n'
    assert carol.put(f"{led}/x/sub/access.toml", rules).status == 201
    for method in ("DELETE", "MOVE"):
        reply = bob.request(method, f"{led}/x", headers={"Destination": "/files/Home/x"})
        assert (reply.status, reply.condition) == (403, DAV.need_privileges)
        assert alice.get(f"{led}/x/sub/b.txt").text == "b"
    assert bob.copy(f"{led}/x", "/files/Home/part").status == 201
    assert bob.get("/files/Home/part/a.txt").text == "a"
    assert bob.get("/files/Home/part/sub").status == 404


def test_a_drop_folder_shows_everybody_their_own_and_keeps_others_out(
    alice: Dav, bob: Dav, carol: Dav, cloud: Server
) -> None:
    assert alice.put("/files/Dropbox/alice.txt", "").status == 201
    assert alice.lock("/files/Dropbox/alice.txt").status == 200
    assert bob.put("/files/Dropbox/bob.txt", "b").status == 201
    before = cloud.tree()
    assert bob.get("/files/Dropbox/alice.txt").status == 404
    for reply in (
        bob.put("/files/Dropbox/alice.txt", "x"),
        bob.move("/files/Dropbox/bob.txt", "/files/Dropbox/alice.txt"),
        bob.copy("/files/Dropbox/bob.txt", "/files/Dropbox/alice.txt"),
    ):
        assert reply.status in (403, 423)
    assert bob.delete("/files/Dropbox/alice.txt").status == 404
    assert cloud.tree() == before
    assert list(bob.propfind("/files/Dropbox", DAV.getetag, depth="1").multistatus()) == [
        "/files/Dropbox/",
        "/files/Dropbox/bob.txt",
    ]
    assert bob.put("/files/Dropbox/bob.txt", "b2").status == 204
    assert bob.move("/files/Dropbox/bob.txt", "/files/Dropbox/bob2.txt").status == 201
    assert bob.delete("/files/Dropbox/bob2.txt").status == 204
    assert carol.get("/files/Dropbox/alice.txt").status == 200


def test_moving_a_folder_out_of_ones_home_gives_no_ownership_there(alice: Dav, bob: Dav, sport: str) -> None:
    tree(alice, f"/files/Home/{sport.rpartition('/')[2]}x")
    assert alice.move(f"/files/Home/{sport.rpartition('/')[2]}x", f"{sport}/x").status == 201
    assert alice.put(f"{sport}/x/access.toml", '[[rule]]\nwho = ["alice"]\nmay = ["read"]\n').status == 403
    assert bob.delete(f"{sport}/x").status == 204
