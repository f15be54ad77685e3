"""
An association with groups of groups, a room and a van, in which alice has opened one calendar to carol.

dora sees nothing of alice's: to her alice is a stranger.
"""

from __future__ import annotations

import pytest

from tests.conftest import MakeServer
from tests.harness import NAMESPACES, Dav, Reply, Server
from tests.pim.samples import event

GROUPS = """
[group.sport]
display_name = "Sports section"
mail = "sport@example.org"
members = ["alice", "bob", "van"]

[group.board]
members = ["carol"]

[group.association]
groups = ["sport", "board"]

[resource.van]
display_name = "The blue van"
mail = ["van@example.org", "bus@example.org"]
kind = "vehicle"

[resource.hall]
display_name = "Großer Saal"
kind = "room"
"""
ACCESS = """
[[rule]]
path = "/dav/sport"
who = ["sport"]
may = ["read", "create", "write", "delete"]

[[rule]]
path = "/dav/sport/board"
who = ["carol", "world", "nobody", "all-users"]
may = ["read"]
inherit = true

[[rule]]
path = "/dav/van"
who = ["association"]
may = ["read", "create"]

[[rule]]
path = "/dav/alice/open"
who = ["carol"]
may = ["read"]
"""


@pytest.fixture(scope="session")
def association(start_server: MakeServer) -> Server:
    """A server that these tests only read from, but for what stands in ``things``."""
    server = start_server(groups=GROUPS, access=ACCESS)
    alice = server.client("alice")
    assert alice.mkcalendar("/dav/alice/open/").status == 201
    assert alice.put("/dav/alice/open/a.ics", event()).status == 201
    assert alice.proppatch("/dav/alice/", {"{urn:x}note": "ask me"}).status == 207
    for path in ("/dav/sport/training/", "/dav/sport/board/"):
        assert alice.mkcalendar(path).status == 201
    assert alice.mkcalendar("/dav/van/bookings/").status == 201
    for name in ("bob", "carol", "dora"):
        assert server.client(name).options("/dav/").status == 200  # the first sign-in makes the first collections
    return server


@pytest.fixture
def alice(association: Server) -> Dav:
    return association.client("alice")


@pytest.fixture
def carol(association: Server) -> Dav:
    return association.client("carol")


@pytest.fixture
def dora(association: Server) -> Dav:
    return association.client("dora")


def ask(client: Dav, path: str, name: str, inner: str = "", *, depth: str | None = "0", attributes: str = "") -> Reply:
    """A REPORT whose body is the element ``D:name`` around ``inner``."""
    return client.report(path, f"<D:{name} {NAMESPACES} {attributes}>{inner}</D:{name}>", depth)
