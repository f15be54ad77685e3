"""What an administrator changes in the data folder of the running server: the next answers tell the truth."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from davserver.dav.names import CALDAV, DAV
from tests.conftest import MakeServer
from tests.durability.mirror import Mirror, bytes_of, fetch
from tests.durability.worlds import digest_of
from tests.edits import Edit, edit_in_place, edit_in_place_with_the_old_stamp
from tests.harness import Dav, Server
from tests.pim.samples import event

CALENDAR = "/dav/alice/cal/"
ON_DISK = "collections/collection-root/alice/cal"
OLD_S = 1_000_000_000


def by_rename(file: Path, data: bytes) -> None:
    other = file.with_name(".edited~")
    other.write_bytes(data)
    other.replace(file)


def by_rename_with_a_stamp_of_long_ago(file: Path, data: bytes) -> None:
    other = file.with_name(".edited~")
    other.write_bytes(data)
    os.utime(other, (OLD_S, OLD_S))
    other.replace(file)


EDITS = (edit_in_place, edit_in_place_with_the_old_stamp, by_rename, by_rename_with_a_stamp_of_long_ago)
CONTENTS = (b"another text of another length", b"THE ORIGINAL")  # the second as long as the first version
every_edit = pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)


@pytest.fixture(scope="module")
def kept(start_server: MakeServer) -> Server:
    """One server for the tests that leave it running."""
    server = start_server()
    alice = server.client("alice")
    assert alice.mkcalendar(CALENDAR).status == 201
    return server


@pytest.fixture
def alice(kept: Server) -> Dav:
    return kept.client("alice")


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A name of the test's own."""
    return f"{abs(hash(request.node.name)):x}"


def require_file(client: Dav, path: str, data: bytes) -> str:
    """GET, HEAD and PROPFIND agree on a file; gives its ETag."""
    got, head = client.get(path), client.head(path)
    row = client.propfind(path, DAV.getetag, DAV.getcontentlength).multistatus()[path]
    assert (got.status, got.body) == (200, data)
    assert head.headers["content-length"] == row.text(DAV.getcontentlength) == str(len(data))
    assert got.etag == head.etag == row.text(DAV.getetag)
    assert client.get(path, {"If-None-Match": got.etag}).status == 304
    return got.etag


@every_edit
@pytest.mark.parametrize("data", CONTENTS, ids=["other-length", "equal-length"])
def test_an_edited_file_is_served_with_another_etag_and_a_client_with_the_old_one_does_not_overwrite_it(
    kept: Server, alice: Dav, name: str, edit: Edit, data: bytes
) -> None:
    path, file = f"/files/Sport/{name}", kept.data / "files/Sport" / name
    before = alice.put(path, b"the original").etag
    edit(file, data)
    assert alice.put(path, b"from the old one", {"If-Match": before}).status == 412
    assert alice.get(path, {"If-None-Match": before}).body == data
    assert require_file(alice, path, data) != before
    assert file.read_bytes() == data


@every_edit
def test_an_edited_calendar_object_has_the_hash_of_its_new_bytes_and_old_tokens_lead_to_it(
    kept: Server, alice: Dav, name: str, edit: Edit
) -> None:
    path, file = f"{CALENDAR}{name}.ics", kept.data / ON_DISK / f"{name}.ics"
    before = alice.put(path, event(name, "AAAA")).etag
    mirror = Mirror(alice, CALENDAR)
    mirror.synchronise()
    edit(file, event(name, "BBBB").encode())
    assert alice.put(path, event(name, "CCCC"), {"If-Match": before}).status == 412
    got = alice.get(path)
    assert got.text == event(name, "BBBB")
    assert got.etag == f'"{digest_of(got.body)}"'
    mirror.synchronise()
    assert mirror.data[f"{name}.ics"] == got.body
    assert mirror.etags[f"{name}.ics"] == got.etag


def test_a_multiget_of_an_edited_object_gives_its_new_bytes_and_their_hash(kept: Server, alice: Dav, name: str) -> None:
    path, file = f"{CALENDAR}{name}.ics", kept.data / ON_DISK / f"{name}.ics"
    alice.put(path, event(name, "AAAA"))
    edit_in_place_with_the_old_stamp(file, event(name, "BBBB").encode())
    row = fetch(alice, CALENDAR, [path])[path]
    assert bytes_of(row) == event(name, "BBBB").encode()
    assert row.text(DAV.getetag) == f'"{digest_of(bytes_of(row))}"'


def test_files_put_there_and_taken_away_are_listed_and_gone_at_once(kept: Server, alice: Dav, name: str) -> None:
    folder = kept.data / "files/Sport" / name
    assert alice.mkcol(f"/files/Sport/{name}").status == 201
    alice.put(f"/files/Sport/{name}/old", b"old")
    (folder / "new").write_bytes(b"new")
    (folder / "old").unlink()
    rows = alice.propfind(f"/files/Sport/{name}", DAV.getetag, depth="1").multistatus()
    assert set(rows) == {f"/files/Sport/{name}/", f"/files/Sport/{name}/new"}
    assert alice.get(f"/files/Sport/{name}/old").status == 404
    require_file(alice, f"/files/Sport/{name}/new", b"new")


def test_items_put_there_and_taken_away_are_told_by_the_next_synchronisation(make_server: MakeServer) -> None:
    server = make_server().start()
    alice = server.client("alice")
    alice.mkcalendar(CALENDAR)
    alice.put(CALENDAR + "old.ics", event("old"))
    mirror = Mirror(alice, CALENDAR)
    mirror.synchronise()
    (server.data / ON_DISK / "new.ics").write_text(event("new"), newline="")
    (server.data / ON_DISK / "old.ics").unlink()
    mirror.require_truth({"new.ics": event("new").encode()})
    # what was found is an item like any other: its UID is taken
    reply = alice.put(CALENDAR + "again.ics", event("new"))
    assert (reply.status, reply.condition, reply.hrefs) == (403, CALDAV.no_uid_conflict, [CALENDAR + "new.ics"])
    assert mirror.refused == 0


def test_a_folder_moved_by_hand_is_gone_there_and_here_with_all_it_holds(kept: Server, alice: Dav, name: str) -> None:
    alice.mkcol(f"/files/Sport/{name}")
    alice.put(f"/files/Sport/{name}/a", b"a")
    alice.proppatch(f"/files/Sport/{name}/a", {"{urn:x}note": "kept"})
    (kept.data / "files/Sport" / name).rename(kept.data / "files/Public" / name)
    assert alice.propfind(f"/files/Sport/{name}/a").status == 404
    carol = kept.client("carol")
    require_file(carol, f"/files/Public/{name}/a", b"a")
    row = carol.propfind(f"/files/Public/{name}/a", "{urn:x}note").multistatus()[f"/files/Public/{name}/a"]
    assert row.text("{urn:x}note") == "kept"
    assert f"/files/Public/{name}/" in carol.propfind("/files/Public", depth="1").multistatus()


def test_a_calendar_that_was_moved_by_hand_refuses_tokens_or_leads_from_them_to_what_it_holds(
    make_server: MakeServer,
) -> None:
    server = make_server().start()
    alice = server.client("alice")
    for at in ("one", "two"):
        alice.mkcalendar(f"/dav/alice/{at}/")
        alice.put(f"/dav/alice/{at}/{at}.ics", event(at))
    one, two = Mirror(alice, "/dav/alice/one/"), Mirror(alice, "/dav/alice/two/")
    one.synchronise()
    two.synchronise()
    home = server.data / "collections/collection-root/alice"
    (home / "one").rename(home / "aside")
    (home / "two").rename(home / "one")
    (home / "aside").rename(home / "two")
    one.require_truth({"two.ics": event("two").encode()})
    two.require_truth({"one.ics": event("one").encode()})


def test_a_calendar_replaced_by_its_backup_refuses_tokens_or_leads_from_them_to_what_it_holds(
    make_server: MakeServer,
) -> None:
    server = make_server().start()
    alice = server.client("alice")
    alice.mkcalendar(CALENDAR)
    alice.put(CALENDAR + "a.ics", event("a", "old"))
    folder = server.data / ON_DISK
    shutil.copytree(folder, server.folder / "backup")
    alice.put(CALENDAR + "a.ics", event("a", "new"))
    alice.put(CALENDAR + "b.ics", event("b"))
    mirror = Mirror(alice, CALENDAR)
    mirror.synchronise()
    shutil.rmtree(folder)
    shutil.copytree(server.folder / "backup", folder)
    mirror.require_truth({"a.ics": event("a", "old").encode()})


@every_edit
def test_an_edited_properties_file_of_a_calendar_is_in_force_with_the_next_request(
    make_server: MakeServer, edit: Edit
) -> None:
    server = make_server().start()
    alice = server.client("alice")
    alice.mkcalendar(CALENDAR)
    alice.proppatch(CALENDAR, {DAV.displayname: "Before"})
    file = server.data / ON_DISK / ".Radicale.props"
    props = json.loads(file.read_bytes())
    assert alice.propfind(CALENDAR, DAV.displayname).multistatus()[CALENDAR].text(DAV.displayname) == "Before"
    edit(file, json.dumps({**props, "D:displayname": "Behind"}, sort_keys=True).encode())
    assert alice.propfind(CALENDAR, DAV.displayname).multistatus()[CALENDAR].text(DAV.displayname) == "Behind"


@every_edit
def test_edited_rules_of_a_folder_are_in_force_with_the_next_request(make_server: MakeServer, edit: Edit) -> None:
    server = make_server().start()
    alice, dora = server.client("alice"), server.client("dora")
    alice.mkcol("/files/Home/shared")
    alice.put("/files/Home/shared/a", b"a")
    rules = '[[rule]]\nwho = ["{}"]\nmay = ["read"]\n'
    path = "/files/Home/shared/access.toml"
    assert alice.put(path, rules.format("dora")).status == 201
    theirs = "/files/Members/alice/shared/a"
    assert dora.get(theirs).status == 200
    file = server.data / "homes/alice/shared/access.toml"
    edit(file, rules.format("bob#").replace("bob#", "carol")[:10_000].encode())
    assert dora.get(theirs).status == 404
    assert server.client("carol").get(theirs).status == 200


def test_two_edits_within_the_grain_of_the_clock_are_both_seen(kept: Server, alice: Dav, name: str) -> None:
    """Kernels stamp in steps of some milliseconds: the second edit may leave every stamp as the first had it."""
    path, file = f"/files/Sport/{name}", kept.data / "files/Sport" / name
    alice.put(path, b"0000")
    for number in range(1, 40):
        data = f"{number:04d}".encode()
        edit_in_place(file, data)
        assert alice.get(path).body == data
    time.sleep(2.1)
    edit_in_place(file, b"last")
    require_file(alice, path, b"last")
