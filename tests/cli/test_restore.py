"""``davserver restore``, beside a running server and without one."""

from __future__ import annotations

import re

import pytest

from tests.cli.command import Result, davserver
from tests.conftest import MakeServer
from tests.harness import ACCESS, Dav, Server
from tests.pim.samples import event


def restore(server: Server, *arguments: str) -> Result:
    return davserver("restore", *arguments, "-c", str(server.config))


@pytest.fixture(params=["beside the server", "without a server"])
def deleted(request: pytest.FixtureRequest, server: Server, alice: Dav) -> Server:
    """A file, a folder, an event and a calendar in the trash."""
    alice.put("/files/Sport/plan.txt", "words")
    alice.mkcol("/files/Sport/a")
    alice.put("/files/Sport/a/b.txt", "more words")
    alice.mkcalendar("/dav/alice/cal/")
    alice.put("/dav/alice/cal/e.ics", event("e"))
    for path in ("/files/Sport/plan.txt", "/files/Sport/a", "/dav/alice/cal/e.ics", "/dav/alice/cal/"):
        assert alice.delete(path).status == 204
    if request.param == "without a server":
        server.stop()
    return server


def test_it_lists_and_brings_back_what_was_deleted(deleted: Server) -> None:
    listed = restore(deleted, "--list", "/files")
    assert listed.code == 0
    assert [line.split("  ")[1] for line in listed.out.splitlines()] == ["/files/Sport/plan.txt", "/files/Sport/a"]
    assert "by alice" in listed.out
    for arguments in (
        ("/files/Sport/plan.txt",),
        ("/files/Sport/a", "--to", "/files/Sport/c"),
        ("/dav/alice/cal",),
        ("/dav/alice/cal/e.ics",),
    ):
        done = restore(deleted, *arguments)
        assert (done.code, done.err) == (0, ""), arguments
    assert restore(deleted, "--list").out == ""
    deleted.restart()
    alice = deleted.client("alice")
    assert alice.get("/files/Sport/plan.txt").text == "words"
    assert alice.get("/files/Sport/c/b.txt").text == "more words"
    assert alice.get("/dav/alice/cal/e.ics").text == event("e")


def test_what_is_not_there_or_in_the_way_is_said_and_nothing_changes(deleted: Server) -> None:
    before = deleted.tree()
    for arguments, said in (
        (("/files/Sport/other.txt",), "/files/Sport/other.txt"),
        (("/files/Sport/plan.txt", "--to", "/files/Public"), "/files/Public"),
        ((), "--list"),
    ):
        refused = restore(deleted, *arguments)
        assert refused.code == 1
        assert said in refused.err
    assert deleted.tree() == before


@pytest.mark.parametrize("at", ["NaN", "1e400", "-1", "99999999999999999", '"x"'])
def test_a_record_whose_time_cannot_be_read_is_listed_first(server: Server, alice: Dav, at: str) -> None:
    for name in ("plan.txt", "damaged.txt"):
        assert alice.put(f"/files/Sport/{name}", "words").status == 201
        assert alice.delete(f"/files/Sport/{name}").status == 204
    server.stop()
    state = server.data / "trash" / "Sport" / ".state.jsonl"
    lines = state.read_text().splitlines(keepends=True)
    state.write_text(
        "".join(re.sub(r'"at":\s*[^,}]*', f'"at":{at}', line) if "damaged" in line else line for line in lines)
    )
    listed = restore(server, "--list")
    assert listed.code == 0
    assert sorted(name for name in ("damaged.txt", "plan.txt") if name in listed.out) == ["damaged.txt", "plan.txt"]
    assert restore(server, "/files/Sport/damaged.txt").code == 0


def test_polls_and_single_votes_come_back_with_whose_they_are(make_server: MakeServer) -> None:
    rules = '[[rule]]\npath = "/files/Polls"\nwho = ["sport"]\nmay = ["create"]\nscope = "here"\n'
    server = make_server(access=ACCESS + rules, folders=("Polls",)).start()
    alice, bob = server.client("alice"), server.client("bob")
    path = "/files/Polls/Lunch"
    assert alice.mkcol(path).status == 201
    said = 'kind = "text"\nvoters = ["bob"]\nresults = "never"\n[[option]]\nid = "a"\nlabel = "A"\n'
    assert alice.put(f"{path}/poll.toml", said).status == 204
    assert bob.put(f"{path}/votes/bob.toml", 'a = "yes"\n').status == 201
    assert alice.delete(path).status == 204
    assert restore(server, path).code == 0
    assert bob.get(f"{path}/votes/bob.toml").text == 'a = "yes"\n'
    assert alice.delete(f"{path}/votes/bob.toml").status == 204
    assert restore(server, f"{path}/votes/bob.toml").code == 0
    assert bob.get(f"{path}/votes/bob.toml").text == 'a = "yes"\n'
    assert alice.get(f"{path}/votes/bob.toml").status == 404
