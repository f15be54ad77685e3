"""Paths that lead nowhere: refused in one sentence, nothing stored outside its folder, and the server goes on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import MakeServer
from tests.harness import Dav, Server

ESCAPES = [
    "/files/Sport/../../etc/passwd",
    "/files/Sport/%2e%2e/%2e%2e/secret.key",
    "/files/Sport/%2E%2E%2Fx",
    "/files/Sport/..%2fx",
    "/files/Sport/%252e%252e/x",
    "/files/Sport/%c0%ae%c0%ae/x",
    "/files/Sport/a%00b",
    "/files/Sport/a%0ab",
    "/files/Sport/%ff%fe",
    "/dav/alice/../bob/calendar/x.ics",
    "/dav/alice/%2e%2e/bob/calendar/x.ics",
]
PRIVATE = [".state.jsonl", ".STATE.JSONL", ".access.toml", ".Access.TOML", ".Radicale.props", ".radicale.lock"]
PRIVATE += [".davserver-scratch-1", "\uff0estate.jsonl"]  # a full-width dot folds to a dot


@pytest.fixture(scope="module")
def cloud(start_server: MakeServer, tmp_path_factory: pytest.TempPathFactory) -> Server:
    server = start_server(tmp_path_factory.mktemp("paths") / "server")
    client = server.client("alice")
    assert client.put("/files/Sport/plain.txt", "mine").status == 201
    assert client.put("/files/Home/plain.txt", "mine").status == 201
    assert client.mkcalendar("/dav/alice/cal/").status == 201
    client.close()
    return server


@pytest.fixture
def client(cloud: Server) -> Iterator[Dav]:
    client = cloud.client("alice")
    yield client
    assert client.get("/files/Sport/").status == 200  # the server goes on
    client.close()


def raw(client: Dav, method: str, target: str, body: bytes = b"x") -> int:
    head = f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {client.authorization}\r\n"
    answer = client.raw(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
    return int(answer.split(b" ", 2)[1])


@pytest.mark.parametrize("target", ESCAPES)
@pytest.mark.parametrize("method", ["PUT", "MKCOL", "GET", "DELETE"])
def test_no_spelling_of_a_path_leads_out_of_its_folder(cloud: Server, client: Dav, method: str, target: str) -> None:
    before = cloud.tree()
    status = raw(client, method, target, b"" if method != "PUT" else b"x")
    stored = {name for name in cloud.tree() if name not in before}
    assert status in (201, 400, 403, 404, 405, 409, 415)
    assert all(name.startswith(("files/Sport/", "index.sqlite")) for name in stored), stored
    assert (status == 201) is bool({name for name in stored if not name.startswith("index")})


def test_a_backslash_is_a_character_of_a_name(cloud: Server, client: Dav) -> None:
    assert raw(client, "PUT", "/files/Sport/..%5cx") == 201
    assert (cloud.data / "files/Sport/..\\x").read_bytes() == b"x"


@pytest.mark.parametrize("name", PRIVATE)
def test_the_servers_own_names_cannot_be_read_written_moved_to_or_removed(
    cloud: Server, client: Dav, name: str
) -> None:
    before = cloud.tree()
    for folder in ("/files/Sport/", "/files/Home/", "/dav/alice/cal/"):
        assert client.put(f"{folder}{name}", "taken over").status in (403, 404)
        assert client.get(f"{folder}{name}").status in (403, 404)
        assert client.delete(f"{folder}{name}").status in (403, 404)
    for reply in (
        client.copy("/files/Sport/plain.txt", f"/files/Sport/{name}"),
        client.move("/files/Sport/plain.txt", f"/files/Sport/{name}"),
        client.mkcol(f"/files/Sport/{name}/"),
        client.lock(f"/files/Sport/{name}"),
    ):
        assert reply.status in (403, 404)
    assert cloud.tree() == before
    assert name not in client.get("/files/Sport/").text


@pytest.mark.parametrize("name", ["a" * 256, "é" * 128, "/".join(["d" * 200] * 40)], ids=["long", "wide", "deep"])
def test_a_name_or_path_that_is_too_long_is_refused(cloud: Server, client: Dav, name: str) -> None:
    before = cloud.tree()
    assert client.put(f"/files/Sport/{name}", "x").status in (403, 404, 409, 414)
    assert cloud.tree() == before
    assert client.put("/files/Sport/" + "a" * 255, "x").status in (201, 204)
