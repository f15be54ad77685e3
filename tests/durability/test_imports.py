"""A file of many items: all of it or nothing, and others read and write in the collection meanwhile."""

from __future__ import annotations

import http.client
import os
import sqlite3
import threading
from pathlib import Path

import pytest

from davserver.dav.names import CALDAV
from storage.errors import DiskFull
from storage.imports import AT_ONCE, Import
from storage.store import Store
from tests.conftest import MakeServer
from tests.durability.steps import IMPORTED, PLACE, import_events, put, settings_over
from tests.harness import Dav
from tests.pim.samples import event

MANY = 1500


def many(count: int) -> bytes:
    """A calendar of events, one after another."""
    body = "".join(
        f"BEGIN:VEVENT\r\nUID:{n}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260101T000000Z\r\nEND:VEVENT\r\n"
        for n in range(count)
    )
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{body}END:VCALENDAR\r\n".encode()


def store_with_calendar(data: Path) -> Store:
    """A store with an empty calendar."""
    store = Store(settings_over(data))
    root, _, home = PLACE.rpartition("/")[0].rpartition("/")
    with store.write(root) as tx:
        tx.make_folder(f"{root}/{home}")
    with store.write(f"{root}/{home}") as tx:
        tx.make_folder(PLACE, files={".Radicale.props": b'{"tag": "VCALENDAR"}'})
    return store


def test_an_import_that_a_kill_interrupts_is_finished_by_the_next_start(make_server: MakeServer) -> None:
    server = make_server().start()
    alice = server.client("alice")
    assert alice.mkcalendar("/dav/alice/cal/").status == 201
    folder = server.data / PLACE.replace("/calendar", "/cal")

    def send() -> None:
        with pytest.raises((OSError, http.client.HTTPException)):
            Dav(server.port, "alice").put("/dav/alice/cal/", many(MANY), {"Content-Type": "text/calendar"})

    sender = threading.Thread(target=send)
    sender.start()
    while len(os.listdir(folder)) < AT_ONCE:
        pass
    server.kill()
    sender.join()
    assert len(os.listdir(folder)) < MANY
    server.start()
    rows = server.client("alice").propfind("/dav/alice/cal/", "{DAV:}getetag", depth="1").multistatus()
    assert len(rows) == MANY + 1
    assert server.client("alice").get(f"/dav/alice/cal/{MANY - 1}.ics").status == 200
    assert os.listdir(server.data / "journal") == []


def test_one_refused_item_refuses_the_whole_file(alice: Dav, server, make_server: MakeServer) -> None:
    assert alice.mkcalendar("/dav/alice/cal/").status == 201
    assert alice.put("/dav/alice/cal/1.ics", event("1")).status == 201
    before = server.tree()
    broken = many(60).replace(b"UID:59\r\nDTSTAMP", b"UID:59\r\nRRULE:FREQ=NEVER\r\nDTSTAMP")
    reply = alice.put("/dav/alice/cal/", broken, {"Content-Type": "text/calendar"})
    assert (reply.status, reply.condition) == (403, "{urn:ietf:params:xml:ns:caldav}valid-calendar-data")
    assert server.tree() == before
    assert not any(name.startswith("import-") for name in os.listdir(server.data / "journal"))
    reply = alice.put("/dav/alice/new/", broken, {"Content-Type": "text/calendar"})
    assert reply.status == 403
    assert server.tree() == before


def test_others_write_beside_an_import_and_wait_only_for_an_item_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_with_calendar(tmp_path / "data")
    parts, second, go_on = [], threading.Event(), threading.Event()
    place = Import._place

    def held(self: Import, *arguments) -> None:
        parts.append(arguments)
        if len(parts) == 2:
            second.set()
            assert go_on.wait(60)
        place(self, *arguments)

    monkeypatch.setattr(Import, "_place", held)
    importer = threading.Thread(target=import_events, args=(store,))
    importer.start()
    assert second.wait(60)
    last = f"{IMPORTED - 1}.ics"
    waiter = threading.Thread(target=put, args=(store, last, b"written after it"))
    waiter.start()
    put(store, "beside.ics", b"written beside it")
    put(store, "0.ics", b"written after its turn")
    folder = store.find_folder(PLACE)
    assert folder is not None
    assert {member.name for member in store.members(folder)} == {"beside.ics", *(f"{n}.ics" for n in range(AT_ONCE))}
    assert waiter.is_alive()
    go_on.set()
    importer.join()
    waiter.join()
    assert store.read_member(folder, last)[0] == b"written after it"
    assert store.read_member(folder, "0.ics")[0] == b"written after its turn"
    assert len(store.members(folder)) == IMPORTED + 1
    store.close()


@pytest.mark.parametrize("error", [sqlite3.ProgrammingError, DiskFull])
def test_an_import_that_the_end_of_the_server_interrupts_is_finished_and_one_that_finds_no_room_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    store = store_with_calendar(tmp_path / "data")
    parts, place = [], Import._place

    def fail(self: Import, *arguments) -> None:
        parts.append(arguments)
        if len(parts) == 2:
            raise error("the second part")
        place(self, *arguments)

    monkeypatch.setattr(Import, "_place", fail)
    with pytest.raises(error):
        import_events(store)
    monkeypatch.undo()
    if error is DiskFull:
        assert os.listdir(tmp_path / "data/journal") == []
        put(store, "0.ics", b"nobody waits for what was dropped")
    store.close()
    store = Store(settings_over(tmp_path / "data"))
    folder = store.find_folder(PLACE)
    assert folder is not None
    assert len(store.members(folder)) == (AT_ONCE if error is DiskFull else IMPORTED)
    assert os.listdir(tmp_path / "data/journal") == []
    store.close()


def test_a_file_in_which_a_uid_stands_twice_is_refused(make_server: MakeServer) -> None:
    server = make_server().start()
    alice = server.client("alice")
    assert alice.mkcalendar("/dav/alice/cal/").status == 201
    before = server.tree()
    twice = event("a", "One") + event("b") + event("a", "Other")
    reply = alice.put("/dav/alice/cal/", twice, {"Content-Type": "text/calendar"})
    assert (reply.status, reply.condition) == (403, CALDAV.no_uid_conflict)
    assert server.tree() == before
