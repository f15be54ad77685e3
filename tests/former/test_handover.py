"""What a member who leaves had deleted and overwritten is the other one's, like all that the member owned."""

from __future__ import annotations

from tests.cli.command import davserver
from tests.former.conftest import seen
from tests.harness import GROUPS, Dav, Server, users_toml
from tests.pim.samples import event

OPEN = 'inherit = true\n[[rule]]\nwho = ["dora"]\nmay = ["read"]\n'


def fill(bob: Dav) -> None:
    """A deleted file, a deleted folder with rules, an overwritten file, a deleted event and a deleted calendar."""
    bob.put("/files/Home/diary.txt", "deleted words")
    bob.mkcol("/files/Home/shared")
    bob.put("/files/Home/shared/access.toml", OPEN)
    bob.put("/files/Home/shared/plan.txt", "deleted plan")
    for words in ("overwritten words", "present words"):
        bob.put("/files/Home/letter.txt", words)
    bob.mkcalendar("/dav/bob/work/")
    bob.put("/dav/bob/work/a.ics", event("a"))
    bob.mkcalendar("/dav/bob/gone/")
    bob.put("/dav/bob/gone/b.ics", event("b"))
    bob.put("/files/Sport/by-bob.txt", "x")
    gone = ("/files/Home/diary.txt", "/files/Home/shared", "/dav/bob/work/a.ics", "/dav/bob/gone/")
    for path in (*gone, "/files/Sport/by-bob.txt"):
        assert bob.delete(path).status == 204


def test_the_trash_and_the_history_of_who_leaves_are_the_other_one_s_and_no_namesake_s(server: Server) -> None:
    alice, bob, dora = (server.client(name) for name in ("alice", "bob", "dora"))
    alice.mkcalendar("/dav/alice/work/")
    fill(bob)
    trash, history = "/files/Trash/Members/bob", "/files/History/Members/bob"
    assert dora.get(f"{trash}/shared/plan.txt").text == "deleted plan"
    assert alice.get(f"{trash}/diary.txt").status == 404
    assert alice.delete("/files/Trash/Sport/by-bob.txt").status == 403
    assert davserver("user", "remove", "bob", "--to", "alice", folder=server.folder).code == 0
    server.write_accounts(users=users_toml(("alice", "bob", "dora")), groups=GROUPS)
    namesake, alice, dora = (server.client(name) for name in ("bob", "alice", "dora"))
    assert namesake.get("/files/Home/").status == 200
    for tree in ("/files/Trash/", "/files/History/"):
        assert [path for path in seen(namesake, tree) if "/Members/" in path or "/Collections/" in path] == []
    assert namesake.get(f"{trash}/diary.txt").status == 404
    assert dora.get(f"{trash}/shared/plan.txt").text == "deleted plan"
    (version,) = seen(alice, f"{history}/letter.txt/")[1:]
    assert alice.get(version).text == "overwritten words"
    assert alice.move(version, "/files/Home/From bob/letter.txt").status == 204
    assert alice.move(f"{trash}/diary.txt", "/files/Home/From bob/diary.txt").status == 201
    assert alice.move(f"{trash}/shared", "/files/Home/From bob/shared").status == 201
    assert alice.get("/files/Home/From bob/shared/access.toml").text == OPEN
    assert alice.move("/files/Trash/Collections/bob/work/a.ics", "/dav/alice/work-bob/a.ics").status == 201
    assert alice.move("/files/Trash/Collections/bob/gone", "/dav/alice/gone/").status == 201
    assert alice.get("/dav/alice/gone/b.ics").text == event("b")
    assert alice.delete("/files/Trash/Sport/by-bob.txt").status == 204


def test_what_was_handed_over_is_restored_by_the_administrator_to_where_it_would_be(server: Server) -> None:
    fill(server.client("bob"))
    assert davserver("user", "remove", "bob", "--to", "alice", folder=server.folder).code == 0
    listed = davserver("restore", "--list", folder=server.folder).out
    assert "/files/Members/alice/From bob/diary.txt" in listed
    assert "by bob" not in listed
    assert davserver("restore", "/files/Members/alice/From bob/diary.txt", folder=server.folder).code == 0
    assert server.client("alice").get("/files/Home/From bob/diary.txt").text == "deleted words"
