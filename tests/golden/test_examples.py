"""The examples of the specifications are answered as the specifications say; see ``exchange`` for the files' form."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import MakeServer
from tests.golden.exchange import differences, read_exchanges
from tests.golden.worlds import WORLDS
from tests.harness import Dav, Server

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
    clients: dict[str, Dav] = {}
    for exchange in read_exchanges(file):
        method, target, _ = exchange.request.first.split(" ")
        headers = dict(exchange.request.headers)
        user = headers.pop("user", WORLDS[rfc].users[0])
        client = clients.setdefault(user, server.client(None if user == "nobody" else user))
        body = exchange.request.body.replace("\n", "\r\n") if "calendar" in headers.get("content-type", "") else None
        sent = {name.title(): value.replace("{server}", server.url) for name, value in headers.items()}
        reply = client.request(method, body=body or exchange.request.body or None, headers=sent, target=target)
        assert not differences(exchange, reply), "\n".join(differences(exchange, reply))


def test_every_example_is_read() -> None:
    assert len(FILES) > 20
    assert all(read_exchanges(file) for file in FILES)
