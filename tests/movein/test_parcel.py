"""The parcel that a command sends to the running server: what is none stores nothing, and the next one is answered."""

from __future__ import annotations

import json
import socket
import time
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.movein.parcel import entries_of, pack, unpack
from storage.movein.values import File, Tree
from tests.conftest import MakeServer
from tests.harness import Server

DELIVERY = {"to": "Boards", "names": ["Camp"], "size": 3}


def line(value: Any) -> bytes:
    return json.dumps(value).encode() + b"\n"


def file(path: str, size: int, times: Any = (None, None)) -> bytes:
    return line({"file": path, "size": size, "times": list(times)})


@pytest.fixture(scope="module")
def kept(start_server: MakeServer) -> Server:
    return start_server(folders=("Boards", "Notes"))


def speak(server: Server, delivery: Any, parcel: bytes) -> dict[str, Any]:
    """What the server says in the end, {} where it says nothing."""
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(20)
        peer.connect(str(server.data / "control.sock"))
        try:
            peer.sendall(line({"ask": "move in", "delivery": delivery}) + parcel)
            peer.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: peer.recv(65536), b""))
        except (BrokenPipeError, ConnectionResetError):
            answer = b""  # it had heard enough
    found: dict[str, Any] = json.loads(answer.splitlines()[-1]) if answer else {}
    return found


TOP = line({"folder": "0"})
BAD = {
    "nothing": b"",
    "no end": TOP + file("0/a.md", 3) + b"abc",
    "cut off within a file": TOP + file("0/a.md", 3) + b"ab",
    "no JSON": TOP + b"abc\n",
    "no entry": TOP + line({"link": "0/a"}) + line({}),
    "a list": TOP + line([]) + line({}),
    "upwards": TOP + file("0/../../../a.md", 3) + b"abc" + line({}),
    "absolute": TOP + file("/tmp/davserver-never", 3) + b"abc" + line({}),
    "an empty name": TOP + file("0//a.md", 3) + b"abc" + line({}),
    "another tree": TOP + line({"folder": "1"}) + line({}),
    "no tree": line({"folder": "x"}) + line({}),
    "a folder that is not there": TOP + file("0/b/a.md", 3) + b"abc" + line({}),
    "the top twice": TOP + TOP + line({}),
    "a file twice": TOP + (file("0/a", 1) + b"a") * 2 + line({}),
    "rules": TOP + file("0/access.toml", 3) + b"abc" + line({}),
    "state": TOP + file("0/.state.jsonl", 3) + b"abc" + line({}),
    "too deep": TOP + line({"folder": "0" + "/d" * 200}) + line({}),
    "more than announced": TOP + file("0/a.md", 4) + b"abcd" + line({}),
    "less than nothing": TOP + file("0/a.md", -4) + line({}),
    "a time that is none": TOP + file("0/a.md", 3, ("now", None)) + b"abc" + line({}),
    "a moment that no disk has": TOP + file("0/a.md", 3, (1 << 70, None)) + b"abc" + line({}),
    "half a letter": TOP + file("0/\ud800.md", 3) + b"abc" + line({}),
    "without the tree": line({}),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_parcel_stores_nothing(kept: Server, case: str) -> None:
    before = kept.tree()
    assert "done" not in speak(kept, DELIVERY, BAD[case])
    assert kept.tree() == before
    assert "Traceback" not in kept.log


@pytest.mark.parametrize(
    "delivery",
    [
        None,
        {},
        {**DELIVERY, "to": 1},
        {**DELIVERY, "names": ["../x"]},
        {**DELIVERY, "names": ["a/b"]},
        {**DELIVERY, "names": [1]},
        {**DELIVERY, "size": "x"},
        {**DELIVERY, "size": -1},
        {**DELIVERY, "names": []},
        {**DELIVERY, "more": 1},
    ],
)
def test_what_is_no_delivery_stores_nothing(kept: Server, delivery: Any) -> None:
    before = kept.tree()
    assert "done" not in speak(kept, delivery, TOP + file("0/a.md", 3) + b"abc" + line({}))
    assert kept.tree() == before
    assert "Traceback" not in kept.log


def test_a_parcel_is_stored(kept: Server) -> None:
    said = speak(kept, DELIVERY, TOP + file("0/a.md", 3, (10**18, None)) + b"abc" + line({}))
    assert said == {"done": {"paths": ["/files/Boards/Camp"], "strangers": []}}
    assert kept.tree()["files/Boards/Camp/a.md"] == b"abc"


NAME = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/"), min_size=1, max_size=9)


@given(st.dictionaries(NAME, st.binary(max_size=50), max_size=5), st.lists(NAME, max_size=3, unique=True))
def test_what_is_packed_comes_out(files: dict[str, bytes], folders: list[str]) -> None:
    tree = Tree(
        "x", tuple(folders), tuple(File(name, data, len(data), 5, "y") for name, data in files.items()), frozenset(), ()
    )
    stream = BytesIO(b"".join(pack(entries_of([tree]))) + b"rest")
    found = [(entry.path, b"".join(entry.chunks or ()), entry.modified_ns) for entry in unpack(stream)]
    assert found == [
        ("0", b"", None),
        *((f"0/{name}", b"", None) for name in folders),
        *((f"0/{name}", data, 5) for name, data in files.items()),
    ]
    assert stream.read() == b"rest"


def test_a_server_that_is_killed_in_between_has_stored_nothing(make_server: MakeServer) -> None:
    server = make_server(folders=("Boards", "Notes")).start()
    server.client("alice").propfind("/files/")
    before = server.tree()
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(str(server.data / "control.sock"))
        asked = line({"ask": "move in", "delivery": {**DELIVERY, "size": 1 << 20}})
        peer.sendall(asked + TOP + file("0/a.md", 1 << 20) + bytes(1 << 19))
        deadline = time.monotonic() + 10
        while not list(server.data.glob("scratch/*/0/a.md")):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        server.kill()
    server.start()
    assert server.tree() == before
    assert speak(server, DELIVERY, TOP + file("0/a.md", 3) + b"abc" + line({}))["done"]["paths"] == [
        "/files/Boards/Camp"
    ]
