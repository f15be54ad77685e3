"""What reading costs: polls look at no item, and reports open no file of an item that has not changed."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from davserver.dav.names import CALSERVER, DAV
from tests.harness import Dav, Server
from tests.pim.samples import event, multiget, query

IN_ACCESS, IN_OPEN = 0x1, 0x20
EVENT = struct.Struct("iIII")
POLL = (CALSERVER.getctag, DAV.sync_token, DAV.getlastmodified)
WEEK = '<C:comp-filter name="VEVENT"><C:time-range start="20270104T000000Z" end="20270111T000000Z"/></C:comp-filter>'
COLLECTION = "/dav/alice/read/"


class Watch:
    """What the kernel tells of a directory's files: those that were opened or read since the last look."""

    def __init__(self, directory: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._fd = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        assert self._fd >= 0
        assert libc.inotify_add_watch(self._fd, os.fsencode(directory), IN_ACCESS | IN_OPEN) >= 0

    def opened(self) -> set[str]:
        """Names of files; the directory itself has none."""
        try:
            data = os.read(self._fd, 1 << 20)
        except BlockingIOError:
            return set()
        names, position = set(), 0
        while position < len(data):
            *_, length = EVENT.unpack_from(data, position)
            position += EVENT.size
            names.add(os.fsdecode(data[position : position + length].rstrip(b"\0")))
            position += length
        return {name for name in names if name.endswith(".ics")}

    def close(self) -> None:
        os.close(self._fd)


@contextmanager
def watching(server: Server) -> Iterator[Watch]:
    watch = Watch(server.data / "collections/collection-root/alice/read")
    yield watch
    watch.close()


@pytest.fixture
def filled(server: Server) -> Dav:
    alice = server.client("alice")
    assert alice.mkcalendar(COLLECTION).status == 201
    for number in range(5):
        assert alice.put(f"{COLLECTION}{number}.ics", event(f"u{number}")).status == 201
    return alice


def test_a_poll_looks_at_no_item(server: Server, filled: Dav) -> None:
    filled.propfind(COLLECTION, *POLL)
    with watching(server) as watch:
        for _ in range(20):
            assert filled.propfind(COLLECTION, *POLL).status == 207
        assert watch.opened() == set()
        assert filled.get(f"{COLLECTION}1.ics").status == 200
        assert watch.opened() == {"1.ics"}


def test_reports_answer_without_opening_items(server: Server, filled: Dav) -> None:
    with watching(server) as watch:
        for body in (
            query(WEEK, "<C:calendar-data/>"),
            multiget(*(f"{COLLECTION}{number}.ics" for number in range(5))),
        ):
            reply = filled.report(COLLECTION, body)
            assert reply.text.count("BEGIN:VEVENT") == 5
        assert filled.get(COLLECTION).text.count("BEGIN:VEVENT") == 5
        assert watch.opened() == set()


def test_an_item_that_was_edited_in_place_is_opened_and_told(server: Server, filled: Dav) -> None:
    file = server.data / "collections/collection-root/alice/read/3.ics"
    file.write_text(event("u3", "Behind the back"), newline="")
    with watching(server) as watch:
        reply = filled.report(COLLECTION, multiget(*(f"{COLLECTION}{number}.ics" for number in range(5))))
        assert "Behind the back" in reply.text
        assert watch.opened() == {"3.ics"}
