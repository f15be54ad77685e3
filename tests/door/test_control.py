"""The socket through which commands speak to the running server."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from config.schema import Accounts, Settings, Storage
from davserver import control
from davserver.control import Control, ServerFailed, ask, is_trusted
from storage.store import Store
from tests.harness import Server
from tests.pim.samples import event


def speak(server: Server, data: bytes, *, end: bool = True) -> list[dict[str, Any]]:
    """Send these bytes and read all answers."""
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(20)
        peer.connect(str(server.data / "control.sock"))
        peer.sendall(data)
        if end:
            peer.shutdown(socket.SHUT_WR)
        with peer.makefile("rb") as stream:
            return [json.loads(line) for line in stream]


def importing(size: int, to: str = "alice/cal", **order: Any) -> bytes:
    return json.dumps({"ask": "import", "size": size, "order": {"to": to, **order}}).encode() + b"\n"


@pytest.fixture(scope="module")
def kept(start_server: Any) -> Server:
    server: Server = start_server()
    assert server.client("alice").mkcalendar("/dav/alice/cal/").status == 201
    return server


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\n",
        b"reindex\n",
        b"[]\n",
        b'"reindex"\n',
        b"{}\n",
        b'{"ask": "stop"}\n',
        b'{"ask": null}\n',
        b'{"ask": "import"}\n',
        b'{"ask": "import", "size": "x", "order": {"to": "alice/cal"}}\n',
        b'{"ask": "import", "size": -1, "order": {"to": "alice/cal"}}\n',
        b'{"ask": "import", "size": 0, "order": {"to": "alice/cal", "more": 1}}\n',
        b'{"ask": "import", "size": 0, "order": {"to": 1}}\n',
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\xff" * 200_000,
        b"[" * 60_000 + b"\n",
    ],
)
def test_what_is_no_request_is_refused_in_a_sentence_and_the_next_one_is_answered(kept: Server, said: bytes) -> None:
    before = kept.tree()
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(20)
        peer.connect(str(kept.data / "control.sock"))
        try:
            peer.sendall(said)
            peer.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: peer.recv(65536), b""))
        except (BrokenPipeError, ConnectionResetError):
            answer = b""  # it had heard enough
    if answer:
        assert "the request is not understood" in json.loads(answer)["failed"]
    assert kept.tree() == before
    assert "done" in speak(kept, b'{"ask": "reindex"}\n')[-1]


def test_a_file_that_does_not_come_whole_is_not_stored(kept: Server) -> None:
    data = event("a").encode()
    before = kept.tree()
    assert speak(kept, importing(len(data) + 1) + data) == []
    assert kept.tree() == before


def test_a_file_that_is_announced_as_larger_than_the_limit_is_refused_unread(kept: Server) -> None:
    [answer] = speak(kept, importing(1 << 40), end=False)
    assert "limits.collection_put_bytes allows" in answer["failed"]


def test_the_answer_tells_what_was_done(kept: Server) -> None:
    data = event("told").encode()
    *progress, last = speak(kept, importing(len(data), dry_run=True) + data, end=False)
    assert {"progress": ["judged", 1, 1]} in progress
    assert last == {
        "done": {
            "collection": "/dav/alice/cal",
            "made": False,
            "stored": True,
            "added": 1,
            "updated": 0,
            "unchanged": 0,
            "refused": [],
        }
    }


@pytest.mark.parametrize(
    ("uid", "own_uid", "trusted"),
    [(0, 0, True), (0, 1000, True), (1000, 1000, True), (1001, 1000, False), (1, 0, False)],
)
def test_the_servers_own_account_and_root_may_ask(uid: int, own_uid: int, trusted: bool) -> None:
    assert is_trusted(uid, own_uid) is trusted


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Control]:
    """The server's end over an empty store."""
    settings = Settings(
        storage=Storage(data=tmp_path / "data"), accounts=Accounts(access_file=tmp_path / "access.toml")
    )
    store = Store(settings)
    control = Control(store, settings)
    control.start()
    yield control
    if (tmp_path / "data/control.sock").exists():
        control.stop(within_s=20)
    store.close()


def test_another_account_is_refused_and_nothing_is_done_for_it(
    listening: Control, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(control, "is_trusted", lambda uid, own_uid: False)
    monkeypatch.setattr(control, "rebuild", lambda *ignored, **more: asked.append("rebuild"))
    with pytest.raises(ServerFailed, match="only the server's own account and root may ask"):
        ask(str(tmp_path / "data"), {"ask": "reindex"}, lambda what, done, total: None)
    assert asked == []


def test_the_servers_end_gives_up_the_work_in_hand_and_says_so(
    listening: Control, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(store: Store, progress: Callable[[int, int], None], *, pause: Callable[[], None]) -> None:
        progress(1, 2)
        while True:
            pause()

    told: list[tuple[str, int, int]] = []

    def tell(what: str, done: int, total: int) -> None:
        told.append((what, done, total))
        stopping.start()

    stopping = threading.Thread(target=listening.stop, kwargs={"within_s": 20})
    monkeypatch.setattr(control, "rebuild", endless)
    with pytest.raises(ServerFailed, match="the server ends, so this was given up"):
        ask(str(tmp_path / "data"), {"ask": "reindex"}, tell)
    stopping.join(20)
    assert told == [("looked at", 1, 2)]
    assert not (tmp_path / "data/control.sock").exists()
    assert ask(str(tmp_path / "data"), {"ask": "reindex"}, tell) is None


def test_a_command_that_goes_away_ends_its_work_and_the_next_one_is_answered(kept: Server) -> None:
    for _ in range(3):
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(str(kept.data / "control.sock"))
            peer.sendall(b'{"ask": "reindex"}\n')
    assert "done" in speak(kept, b'{"ask": "reindex"}\n')[-1]
