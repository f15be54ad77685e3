"""An association with calendars: a group's home, a van to book, and a calendar that alice lets others read."""

from __future__ import annotations

import itertools

import pytest

from tests.conftest import MakeServer
from tests.harness import Dav, Server

ACCESS = """
[[rule]]
path = "/dav/sport"
who = ["sport"]
may = ["read", "create", "write", "delete"]

[[rule]]
path = "/dav/sport"
who = ["board"]
may = ["read"]

[[rule]]
path = "/dav/van"
who = ["all-users"]
may = ["read", "create"]

[[rule]]
path = "/dav/alice/open"
who = ["carol", "dora"]
may = ["read"]

[[rule]]
path = "/dav/alice/busy"
who = ["carol"]
may = ["freebusy"]

[[rule]]
path = "/dav/alice/drop"
who = ["carol"]
may = ["create"]

[[rule]]
path = "/dav/alice/public"
who = ["world"]
may = ["read"]
"""
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def shared(start_server: MakeServer) -> Server:
    """One server for tests that keep to collections of their own."""
    return start_server(access=ACCESS)


@pytest.fixture
def mine(shared: Server) -> Dav:
    """Alice at the shared server."""
    return shared.client("alice")


@pytest.fixture
def calendar(mine: Dav) -> str:
    """A fresh calendar of alice's, its path with slash."""
    path = f"/dav/alice/cal{next(_numbers)}/"
    assert mine.mkcalendar(path).status == 201
    return path


@pytest.fixture
def book(mine: Dav) -> str:
    """A fresh address book of alice's, its path with slash."""
    from tests.pim.samples import mkcol

    path = f"/dav/alice/book{next(_numbers)}/"
    assert mine.mkcol(path, mkcol("CR:addressbook")).status == 201
    return path


@pytest.fixture
def club(make_server: MakeServer) -> Server:
    """A server of its own for a test that stops it or looks at all of its data."""
    return make_server(access=ACCESS).start()
