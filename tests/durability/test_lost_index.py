"""The index is deleted in the middle of a client's life: all but tokens, locks and plain files' ETags is as it was."""

from __future__ import annotations

from davserver.dav.names import DAV
from tests.durability.worlds import NOTE, World, see_files, see_items
from tests.harness import Dav, Server
from tests.pim.samples import card, event, mkcol, sync, task

ROOT, CALENDAR, BOOK = "/files/Sport/", "/dav/alice/cal/", "/dav/alice/book/"


def seen_by(client: Dav) -> tuple[World, World, World, set[str]]:
    """Everything below three folders and the names in the home."""
    home = client.propfind("/dav/alice/", DAV.displayname, depth="1").multistatus()
    names = {f"{path} {row.text(DAV.displayname)}" for path, row in home.items()}
    return see_files(client, ROOT)[0], see_items(client, CALENDAR)[0], see_items(client, BOOK)[0], names


def without_index(server: Server) -> Server:
    server.stop()
    (server.data / "index.sqlite").unlink()
    return server.start()


def test_a_client_sees_no_difference_but_the_epoch(server: Server, alice: Dav) -> None:
    assert alice.mkcalendar(CALENDAR).status == 201
    assert alice.mkcol(BOOK, mkcol("CR:addressbook")).status == 201
    steps = [
        lambda: alice.put(f"{CALENDAR}a.ics", event("a")),
        lambda: alice.put(f"{CALENDAR}t.ics", task("t")),
        lambda: alice.put(f"{BOOK}c.vcf", card("c")),
        lambda: alice.proppatch(f"{CALENDAR}a.ics", {NOTE: "kept"}),
        lambda: alice.mkcol(f"{ROOT}plans/"),
        lambda: alice.put(f"{ROOT}plans/a.txt", "one"),
        lambda: alice.proppatch(f"{ROOT}plans/a.txt", {NOTE: "kept too"}),
        lambda: alice.move(f"{ROOT}plans/a.txt", f"{ROOT}b.txt"),
        lambda: alice.delete(f"{CALENDAR}t.ics"),
    ]
    for step in steps:
        assert step().status in (201, 204, 207)
        before = seen_by(alice)
        etags = see_items(alice, CALENDAR)[1]
        token = alice.report(CALENDAR, sync(), "0").xml.findtext(DAV.sync_token) or ""
        without_index(server)
        assert seen_by(alice) == before
        assert see_items(alice, CALENDAR)[1] == etags
        refused = alice.report(CALENDAR, sync(token), "0")
        assert (refused.status, refused.condition) == (403, DAV.valid_sync_token)
    assert seen_by(alice)[0]["b.txt"].note == "kept too"


def test_rights_of_makers_outlive_the_index(make_server, tmp_path) -> None:
    rules = '[[rule]]\npath = "/files/Drop"\nwho = ["all-users"]\nmay = ["read", "create"]\n'
    server = make_server(access=rules, folders=("Drop",)).start()
    alice, bob = server.client("alice"), server.client("bob")
    assert alice.put("/files/Drop/a.txt", "mine").status == 201
    without_index(server)
    before = server.tree()
    refused = bob.put("/files/Drop/a.txt", "taken")
    assert (refused.status, refused.condition) == (403, DAV.need_privileges)
    assert server.tree() == before
    assert alice.put("/files/Drop/a.txt", "mine still").status == 204
