"""The index is deleted in the middle of a long scenario: only tokens, locks and the ETags of plain files differ."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from davserver.dav.names import CALDAV, CALSERVER, DAV
from tests.conftest import MakeServer
from tests.durability.mirror import Mirror
from tests.harness import ACCESS, Dav, Server
from tests.pim.samples import card, event, mkcol, query, task

CREATE_ALONE = """
[[rule]]
path = "/files/Drop"
who = ["sport"]
may = ["read", "create"]
"""
COLOR = "{http://apple.com/ns/ical/}calendar-color"
NOTE = "{urn:x}note"
CALENDAR, BOOK = "/dav/alice/cal/", "/dav/alice/book/"
SHARED = '[[rule]]\nwho = ["dora"]\nmay = ["read"]\n'
PROPS = (
    DAV.displayname,
    DAV.resourcetype,
    DAV.getcontentlength,
    DAV.getcontenttype,
    DAV.getlastmodified,
    DAV.current_user_privilege_set,
    CALDAV.supported_calendar_component_set,
    COLOR,
    NOTE,
)
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "truncated": lambda data: data[:100],
    "rubbish": lambda data: b"\0" * 9000,
    "empty": lambda data: b"",
    "half": lambda data: data[: len(data) // 2],
}
FOLDERS = ("/files/Sport", "/files/Drop", "/files/Home", "/files/Home/shared")
COLLECTIONS = ("/dav/alice/", CALENDAR, BOOK)


@dataclass(frozen=True)
class View:
    """All that one member sees: every property as text, every body, and the ETags of items."""

    rows: dict[str, dict[str, str]]
    bodies: dict[str, bytes]
    item_etags: dict[str, str]


def look(client: Dav) -> View:
    """What a client can learn by listing and reading."""
    rows: dict[str, dict[str, str]] = {}
    etags: dict[str, str] = {}
    for path in (*FOLDERS, *COLLECTIONS):
        reply = client.propfind(path, *PROPS, DAV.getetag, depth="1")
        if reply.status != 207:
            rows[path] = {"status": str(reply.status)}
            continue
        for href, row in reply.multistatus().items():
            rows[href] = {
                name: " ".join([*element.itertext(), *(child.tag for child in element.iter())])
                for name, element in row.props.items()
                if name != DAV.getetag and not (name == DAV.getlastmodified and href.endswith("/"))
            }
            if href.startswith("/dav/") and not href.endswith("/"):
                etags[href] = row.text(DAV.getetag) or ""
    bodies = {href: client.get(href).body for href in rows if not href.endswith("/") and "." in href}
    return View(rows, bodies, etags)


def first_half(server: Server) -> None:
    """Members work for a while with everything that is kept in some place other than bytes."""
    alice, bob = server.client("alice"), server.client("bob")
    assert alice.mkcalendar(CALENDAR).status == 201
    assert alice.mkcol(BOOK, mkcol("CR:addressbook")).status == 201
    assert alice.proppatch(CALENDAR, {DAV.displayname: "Training", COLOR: "#ff0000", NOTE: "kept"}).status == 207
    for number in range(8):
        assert alice.put(f"{CALENDAR}{number}.ics", event(f"e{number}", f"Event {number}")).status == 201
        assert alice.put(f"{BOOK}{number}.vcf", card(f"c{number}", f"Card {number}")).status == 201
        assert alice.put(f"/files/Sport/{number}.txt", f"text {number}").status == 201
    assert alice.put(f"{CALENDAR}todo.ics", task("t")).status == 201
    assert alice.proppatch(f"{CALENDAR}1.ics", {NOTE: "of an item"}).status == 207
    assert alice.proppatch("/files/Sport/1.txt", {NOTE: "of a file"}).status == 207
    assert alice.delete(f"{CALENDAR}2.ics").status == 204
    assert alice.move("/files/Sport/1.txt", "/files/Sport/moved.txt").status == 201
    assert alice.move(f"{CALENDAR}3.ics", f"{CALENDAR}moved.ics").status == 201
    assert alice.mkcol("/files/Home/shared").status == 201
    assert alice.put("/files/Home/shared/for-dora.txt", "read me").status == 201
    assert alice.put("/files/Home/shared/access.toml", SHARED).status == 201
    assert bob.put("/files/Drop/bob.txt", "bob's own").status == 201


def second_half(server: Server) -> dict[str, int]:
    """The same members go on; gives the statuses of what depends on what was kept."""
    alice, bob, dora = server.client("alice"), server.client("bob"), server.client("dora")
    return {
        "a UID that is taken": alice.put(f"{CALENDAR}x.ics", event("e1")).status,
        "a UID that is free again": alice.put(f"{CALENDAR}y.ics", event("e2")).status,
        "somebody else's file where one may only create": alice.put("/files/Drop/bob.txt", "mine").status,
        "one's own file where one may only create": bob.put("/files/Drop/bob.txt", "again").status,
        "a shared file": dora.get("/files/Members/alice/shared/for-dora.txt").status,
        "a file that is not shared": dora.get("/files/Members/alice/shared/access.toml").status,
        "a known ETag of an item": alice.put(
            f"{CALENDAR}1.ics", event("e1", "changed"), {"If-Match": alice.get(f"{CALENDAR}1.ics").etag}
        ).status,
    }


KEPT = {
    "a UID that is taken": 403,
    "a UID that is free again": 201,
    "somebody else's file where one may only create": 403,
    "one's own file where one may only create": 204,
    "a shared file": 200,
    "a file that is not shared": 404,
    "a known ETag of an item": 204,
}


@pytest.fixture
def half_way(make_server: MakeServer) -> Server:
    server = make_server(access=ACCESS + CREATE_ALONE, folders=("Sport", "Public", "Drop")).start()
    first_half(server)
    return server


def lose_the_index(server: Server) -> None:
    """Stop, delete the index with its companions, start."""
    assert server.stop() == 0
    for file in server.data.glob("index.sqlite*"):
        file.unlink()
    server.start()


def test_members_see_no_difference_after_the_index_was_deleted(half_way: Server) -> None:
    members = ("alice", "bob", "dora")
    before = {name: look(half_way.client(name)) for name in members}
    assert len(before["alice"].bodies) > 20
    lose_the_index(half_way)
    for name in members:
        assert look(half_way.client(name)) == before[name]
    assert second_half(half_way) == KEPT


def test_the_same_scenario_without_a_loss_goes_on_the_same_way(half_way: Server) -> None:
    half_way.restart()
    assert second_half(half_way) == KEPT


@pytest.mark.rfc("6578", "3.4")
def test_sync_clients_are_told_to_start_over_and_then_have_what_is_there(half_way: Server) -> None:
    alice = half_way.client("alice")
    mirrors = [Mirror(alice, CALENDAR), Mirror(alice, BOOK)]
    for mirror in mirrors:
        mirror.synchronise()
    ctag = alice.propfind(CALENDAR, CALSERVER.getctag).multistatus()[CALENDAR].text(CALSERVER.getctag)
    before = [dict(mirror.data) for mirror in mirrors]
    alice.delete(f"{CALENDAR}1.ics")
    lose_the_index(half_way)
    (half_way.data / "collections/collection-root/alice/book/5.vcf").unlink()
    del before[0]["1.ics"], before[1]["5.vcf"]
    for mirror, expected in zip(mirrors, before, strict=True):
        mirror.require_truth(expected)
        assert mirror.refused == 1
    after = alice.propfind(CALENDAR, CALSERVER.getctag).multistatus()[CALENDAR].text(CALSERVER.getctag)
    assert after != ctag  # clients that know no tokens compare this


def test_no_etag_of_a_file_from_before_the_loss_is_taken_for_other_bytes(half_way: Server) -> None:
    alice = half_way.client("alice")
    before = alice.get("/files/Sport/4.txt").etag
    lose_the_index(half_way)
    (half_way.data / "files/Sport/4.txt").write_text("edited")
    reply = alice.get("/files/Sport/4.txt", {"If-None-Match": before})
    assert (reply.status, reply.text) == (200, "edited")
    assert alice.put("/files/Sport/4.txt", "blind", {"If-Match": before}).status == 412


@pytest.mark.parametrize("damage", [*DAMAGES, "without-its-log"])
def test_a_damaged_index_is_set_aside_and_rebuilt(half_way: Server, damage: str) -> None:
    before = look(half_way.client("alice"))
    half_way.kill()
    file = half_way.data / "index.sqlite"
    data = file.read_bytes()
    if damage == "without-its-log":
        for companion in half_way.data.glob("index.sqlite-*"):
            companion.unlink()
    else:
        file.write_bytes(DAMAGES[damage](data))
    half_way.start()
    assert look(half_way.client("alice")) == before
    assert second_half(half_way) == KEPT


def test_a_copied_data_folder_does_not_take_tokens_of_its_original(half_way: Server, make_server: MakeServer) -> None:
    """Both go on apart, so the same counter means different changes (a restored backup is such a copy)."""
    mirror = Mirror(half_way.client("alice"), CALENDAR)
    mirror.synchronise()
    assert half_way.stop() == 0
    other = make_server(access=ACCESS + CREATE_ALONE)
    shutil.rmtree(other.data)
    shutil.copytree(half_way.data, other.data)
    alice = other.start().client("alice")
    alice.put(f"{CALENDAR}only-here.ics", event("only-here"))
    elsewhere = Mirror(alice, CALENDAR, mirror.token, dict(mirror.etags), dict(mirror.data))
    elsewhere.require_truth({**mirror.data, "only-here.ics": event("only-here").encode()})
    assert elsewhere.refused == 1


@pytest.mark.rfc("6578", "3.2")
@pytest.mark.parametrize("restored", ["index.sqlite", "index.sqlite*"])
def test_an_earlier_index_written_over_the_present_one_takes_no_later_tokens(half_way: Server, restored: str) -> None:
    """As ``cp -a`` does when a backup is put back: the files keep their inodes, and the numbers are given out again."""
    alice = half_way.client("alice")
    mirror = Mirror(alice, CALENDAR)
    assert half_way.stop() == 0
    backup = {file: file.read_bytes() for file in half_way.data.glob(restored)}
    stamps = {file: os.stat(file) for file in backup}
    half_way.start()
    alice.put(f"{CALENDAR}later.ics", event("later"))
    alice.put("/files/Sport/4.txt", "later")
    mirror.synchronise()
    etag = alice.get("/files/Sport/4.txt").etag
    assert half_way.stop() == 0
    for file, data in backup.items():
        file.write_bytes(data)
        os.utime(file, ns=(stamps[file].st_atime_ns, stamps[file].st_mtime_ns))
    (half_way.data / "collections/collection-root/alice/cal/later.ics").unlink()
    half_way.start()
    expected = {name: data for name, data in mirror.data.items() if name != "later.ics"}
    for number in range(9):  # until the counters stand where they stood
        expected[f"again{number}.ics"] = event(f"again{number}").encode()
        alice.put(f"{CALENDAR}again{number}.ics", event(f"again{number}"))
        alice.put("/files/Sport/4.txt", f"again {number}")
        assert alice.get("/files/Sport/4.txt").etag != etag
    mirror.require_truth(expected)
    assert mirror.refused == 1


def test_an_index_deleted_under_the_running_server_keeps_nobody_from_working(half_way: Server) -> None:
    for file in half_way.data.glob("index.sqlite*"):
        file.unlink()
    statuses: list[int] = []

    def work(number: int) -> None:
        client = half_way.client("alice")
        statuses.append(client.put(f"{CALENDAR}n{number}.ics", event(f"n{number}")).status)
        statuses.append(client.propfind(CALENDAR, DAV.getetag, depth="1").status)
        statuses.append(client.report(CALENDAR, query('<C:comp-filter name="VEVENT"/>')).status)
        statuses.append(client.put(f"/files/Sport/n{number}.txt", "text").status)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201] * 40 + [207] * 40
    assert not (half_way.data / "index.sqlite").exists()
    before = look(half_way.client("alice"))
    half_way.restart()
    assert look(half_way.client("alice")) == before
