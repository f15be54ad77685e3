"""SIGKILL in the middle of concurrent writes: every acknowledged one is there, and no half one."""

from __future__ import annotations

import os
import random
import threading
import time
from http.client import HTTPException

import pytest

from davserver.dav.names import DAV
from tests.conftest import MakeServer
from tests.durability.writers import FileWriter, HomeWriter, ItemWriter, Writer, all_writing
from tests.harness import ACCESS, Dav, Server
from tests.pim.samples import mkcol

ROUNDS = int(os.environ.get("DAVSERVER_CRASH_ROUNDS", "50"))
CREATE_ALONE = """
[[rule]]
path = "/files/Drop"
who = ["bob"]
may = ["read", "create"]
"""


def crew(server: Server) -> list[Writer]:
    """One writer for each kind of data; bob's folder gives ``create`` alone, so what he made must stay known as his."""

    def client(user: str) -> Dav:
        return Dav(server.port, user)  # not one that ``kill`` closes: the writers must see the crash itself

    alice = client("alice")
    assert alice.mkcalendar("/dav/alice/cal/").status == 201
    assert alice.mkcol("/dav/alice/book/", mkcol("CR:addressbook")).status == 201
    assert alice.mkcol("/files/Sport/work/").status == 201
    assert alice.mkcol("/files/Home/own/").status == 201
    alice.close()
    return [
        FileWriter(client("alice"), "/files/Sport/work/", 1),
        FileWriter(client("alice"), "/files/Home/own/", 2),
        FileWriter(client("bob"), "/files/Drop/", 3),
        ItemWriter(client("alice"), "/dav/alice/cal/", 4),
        ItemWriter(client("alice"), "/dav/alice/book/", 5),
        HomeWriter(client("dora"), "/dav/dora/", 6),
    ]


@pytest.mark.timeout(60 + 10 * ROUNDS)  # a round takes 1.5 s alone; on a busy machine several times that
def test_every_acknowledged_write_survives_a_crash_and_no_half_one_is_seen(make_server: MakeServer) -> None:
    server = make_server(access=ACCESS + CREATE_ALONE, folders=("Sport", "Public", "Drop")).start()
    chance = random.Random(0)
    writers = crew(server)
    for _ in range(ROUNDS):
        with all_writing(writers):
            time.sleep(chance.uniform(0.1, 0.5))
            server.kill()
        server.start()
        for writer in writers:
            writer.verify()
    assert os.listdir(server.data / "scratch") == []
    assert min(writer.acknowledged for writer in writers) > 3 * ROUNDS
    assert server.stop() == 0
    assert "Traceback" not in server.log
    assert " 500 " not in server.log


@pytest.mark.timeout(120)
def test_a_copied_tree_is_there_whole_or_not_at_all(make_server: MakeServer) -> None:
    server, chance = make_server().start(), random.Random(1)
    alice = server.client("alice")
    assert alice.mkcol("/files/Sport/tree").status == 201
    assert alice.mkcol("/files/Sport/tree/sub").status == 201
    names = [f"{'sub/' if number % 2 else ''}{number}.txt" for number in range(150)]
    for name in names:
        assert alice.put(f"/files/Sport/tree/{name}", name).status == 201
    for number in range(8):
        target = f"/files/Sport/copy{number}"
        sender = threading.Thread(target=_copy_until_it_breaks, args=(server.port, target))
        sender.start()
        time.sleep(chance.uniform(0.002, 0.06))
        server.kill()
        sender.join()
        server.start()
        alice = server.client("alice")
        reply = alice.propfind(target, DAV.getcontentlength, depth="infinity")
        if reply.status == 207:
            assert len(reply.multistatus()) == len(names) + 2
            for name in names[::10]:
                assert alice.get(f"{target}/{name}").text == name
        else:
            assert reply.status == 404
            assert not (server.data / target.lstrip("/")).exists()
    assert os.listdir(server.data / "scratch") == []
    assert alice.copy("/files/Sport/tree", "/files/Sport/last").status == 201


def _copy_until_it_breaks(port: int, target: str) -> None:
    try:
        Dav(port, "alice").copy("/files/Sport/tree", target)
    except (OSError, HTTPException):
        pass  # the server was killed
