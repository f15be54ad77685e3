"""The Destination header (RFC 4918 §10.3): which names are this server's."""

from __future__ import annotations

from itertools import count

import pytest

from tests.conftest import MakeServer
from tests.harness import Dav, Server
from tests.pim.samples import event

SETTINGS = """
[server]
public_url = "https://cloud.example.org"
public_names = ["files.example.net", "192.0.2.7"]
trusted_proxies = ["127.0.0.1"]
"""
numbers = count(1)


@pytest.fixture(scope="module")
def proxied(start_server: MakeServer) -> Server:
    """A server with a public name, behind a proxy on this machine."""
    return start_server(settings=SETTINGS)


@pytest.fixture(scope="module")
def alone(start_server: MakeServer) -> Server:
    """A server without either."""
    return start_server()


def move(client: Dav, tree: str, host: str, forwarded: str) -> int:
    """The status of a MOVE to a Destination that begins with ``host``."""
    number, suffix = next(numbers), ".ics" if tree.startswith("/dav") else ".txt"
    if suffix == ".ics":
        client.mkcalendar(tree)
    source, target = f"{tree}a{number}{suffix}", f"{tree}b{number}{suffix}"
    assert client.put(source, event(f"u{number}")).status == 201
    headers = {"Destination": f"{host}{target}", **({"X-Forwarded-Host": forwarded} if forwarded else {})}
    status = client.request("MOVE", source, headers=headers).status
    assert (client.get(target).status, client.get(source).status) == ((200, 404) if status == 201 else (404, 200))
    return status


@pytest.mark.rfc("4918", "10.3")
@pytest.mark.parametrize("tree", ["/files/Sport/", "/dav/alice/moving/"])
@pytest.mark.parametrize(
    ("host", "forwarded", "status"),
    [
        ("", "", 201),
        ("http://127.0.0.1", "", 201),
        ("https://127.0.0.1:9999", "", 201),
        ("http://alice:secret@127.0.0.1:1", "", 201),
        ("https://cloud.example.org", "", 201),
        ("https://CLOUD.example.org:8443", "", 201),
        ("https://files.example.net", "", 201),
        ("https://drive.example.org", "drive.example.org", 201),
        ("https://127.0.0.1", "drive.example.org", 201),
        ("https://drive.example.org", "", 502),
        ("https://cloud.example.org.evil.example", "", 502),
        ("https://evil.example", "drive.example.org", 502),
    ],
)
def test_a_name_is_ours_by_host_configuration_or_a_trusted_proxy(
    proxied: Server, tree: str, host: str, forwarded: str, status: int
) -> None:
    assert move(proxied.client("alice"), tree, host, forwarded) == status


@pytest.mark.parametrize("tree", ["/files/Sport/", "/dav/alice/moving/"])
def test_nobody_but_a_trusted_proxy_gives_us_a_name(alone: Server, tree: str) -> None:
    assert move(alone.client("alice"), tree, "https://drive.example.org", "drive.example.org") == 502
