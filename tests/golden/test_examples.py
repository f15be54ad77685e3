"""The examples of the specifications are answered as the specifications say; see ``exchange`` for the files' form."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import MakeServer
from tests.golden.exchange import Message, differences, fill, learn, read_exchanges
from tests.golden.worlds import WORLDS
from tests.harness import Reply, Server

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("*/*.http"))


@pytest.fixture(scope="session")
def worlds(start_server: MakeServer) -> Callable[[str], Server]:
    """Servers by RFC, each prepared once with what its examples speak of."""
    started: dict[str, Server] = {}

    def of(rfc: str) -> Server:
        if rfc not in started:
            world = WORLDS[rfc]
            started[rfc] = start_server(users=world.users, **world.options)
            world.prepare(started[rfc])
        return started[rfc]

    return of


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_an_example_is_answered_as_the_rfc_says(file: Path, worlds: Callable[[str], Server]) -> None:
    rfc = file.parent.name
    server = worlds(rfc)
    known = {"server": server.url}
    for printed in read_exchanges(file):
        exchange = fill(printed, known)
        reply = _send(exchange.request, server, rfc)
        assert not differences(exchange, reply), "\n".join(differences(exchange, reply))
        known |= learn(exchange, reply)


def _send(request: Message, server: Server, rfc: str) -> Reply:
    method, target, _ = request.first.split(" ")
    headers = {name.title(): value for name, value in request.headers.items()}
    user = headers.pop("User", WORLDS[rfc].users[0])
    body = request.body
    if not body.lstrip().startswith("<"):
        body = body.replace("\n", "\r\n")
    return server.client(None if user == "nobody" else user).request(
        method, body=body or None, headers=headers, target=target
    )


def test_every_example_is_read() -> None:
    assert len(FILES) > 20
    assert all(read_exchanges(file) for file in FILES)
