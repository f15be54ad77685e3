"""Synchronisation of folders by token (RFC 6578): what is told, to whom, and when a token is not taken."""

from __future__ import annotations

import shutil
import threading

import pytest

from davserver.dav.names import DAV
from tests.conftest import MakeServer
from tests.files.conftest import made
from tests.files.treemirror import TreeMirror, walk
from tests.harness import ACCESS, Dav, Reply, Server
from tests.pim.samples import sync

BOARDS = """
[[rule]]
path = "/files/Boards"
who = ["all-users"]
may = ["read", "create"]
scope = "here"
"""
TO_BOB = '[[rule]]\nwho = ["bob"]\nmay = ["read"]\n'
CUT = "<D:limit><D:nresults>2</D:nresults></D:limit>"


def token_of(reply: Reply) -> str:
    return reply.xml.findtext(DAV.sync_token) or ""


def ask(client: Dav, path: str, token: str = "", level: str | None = "1", more: str = "", depth: str = "0") -> Reply:
    return client.report(path, sync(token, more=more, level=level), depth=depth)


def told(reply: Reply) -> dict[str, int | None]:
    """Every member of an answer with its status; None is one that is there."""
    return {path: row.status for path, row in reply.multistatus().items()}


@pytest.fixture
def tree(alice: Dav, sport: str) -> str:
    """A folder with one file, and one file in a folder of it."""
    alice.put(f"{sport}/a.txt", "one")
    made(alice, f"{sport}/sub")
    alice.put(f"{sport}/sub/b.txt", "two")
    return sport + "/"


@pytest.mark.rfc("6578", "3.4")
def test_the_first_answer_names_every_member_to_the_level_that_is_asked(alice: Dav, tree: str) -> None:
    assert told(ask(alice, tree)) == {tree + "a.txt": None, tree + "sub/": None}
    rows = ask(alice, tree, level="infinite").multistatus()
    assert list(rows) == [tree + "a.txt", tree + "sub/", tree + "sub/b.txt"]
    assert rows[tree + "a.txt"].text(DAV.getetag) == alice.get(tree + "a.txt").etag
    assert rows[tree + "sub/"].statuses == {DAV.getetag: 404}


@pytest.mark.rfc("6578", "3.5")
def test_what_changed_and_went_is_told_once(alice: Dav, tree: str) -> None:
    near, deep = token_of(ask(alice, tree)), token_of(ask(alice, tree, level="infinite"))
    alice.put(tree + "sub/b.txt", "three")
    alice.put(tree + "c.txt", "new")
    alice.delete(tree + "a.txt")
    alice.put(tree + "sub/gone.txt", "there for a moment")
    alice.delete(tree + "sub/gone.txt")
    first = ask(alice, tree, near)
    assert told(first) == {tree + "c.txt": None, tree + "a.txt": 404}
    second = ask(alice, tree, deep, "infinite")
    assert told(second) == {
        tree + "sub/b.txt": None,
        tree + "c.txt": None,
        tree + "a.txt": 404,
        tree + "sub/gone.txt": 404,
    }
    assert told(ask(alice, tree, token_of(first))) == told(ask(alice, tree, token_of(second), "infinite")) == {}


@pytest.mark.rfc("6578", "3.3")
def test_a_token_of_one_level_is_good_for_the_other(alice: Dav, tree: str) -> None:
    deep = ask(alice, tree, level="infinite")
    assert token_of(ask(alice, tree)) == token_of(deep)
    alice.put(tree + "sub/b.txt", "three")
    assert told(ask(alice, tree, token_of(deep))) == {}  # what changed lies deeper (§3.5.1)
    assert told(ask(alice, tree, token_of(deep), "infinite")) == {tree + "sub/b.txt": None}


@pytest.mark.rfc("6578", "3.5.2")
def test_a_folder_that_went_is_told_and_what_lay_in_it_is_not(alice: Dav, tree: str) -> None:
    token = token_of(ask(alice, tree, level="infinite"))
    alice.put(tree + "sub/c.txt", "new")
    assert alice.delete(tree + "sub").status == 204
    assert told(ask(alice, tree, token, "infinite")) == {tree + "sub": 404}
    assert told(ask(alice, tree, token)) == {tree + "sub": 404}


@pytest.mark.rfc("6578", "3.5.1")
@pytest.mark.parametrize("method", ["COPY", "MOVE"])
def test_a_tree_that_came_is_new_with_all_that_lies_in_it(alice: Dav, home: str, tree: str, method: str) -> None:
    made(alice, f"{home}/x")
    made(alice, f"{home}/x/y")
    alice.put(f"{home}/x/y/z.txt", "deep")
    alice.put(f"{home}/x/y/old.txt", "deep")
    alice.delete(f"{home}/x/y/old.txt")  # was never at the new place
    from_there = token_of(ask(alice, home, level="infinite"))
    token = token_of(ask(alice, tree, level="infinite"))
    transfer = alice.copy if method == "COPY" else alice.move
    assert transfer(f"{home}/x", f"{tree}moved").status == 201
    reply = ask(alice, tree, token, "infinite")
    assert told(reply) == {tree + "moved/": None, tree + "moved/y/": None, tree + "moved/y/z.txt": None}
    assert next(iter(told(reply))) == tree + "moved/"
    gone = told(ask(alice, home, from_there, "infinite"))
    assert gone == ({} if method == "COPY" else {f"{home}/x": 404})


def test_a_renamed_tree_goes_from_the_old_place_and_is_new_at_the_other(alice: Dav, tree: str) -> None:
    token = token_of(ask(alice, tree, level="infinite"))
    alice.move(tree + "sub", tree + "renamed")
    assert told(ask(alice, tree, token, "infinite")) == {
        tree + "sub": 404,
        tree + "renamed/": None,
        tree + "renamed/b.txt": None,
    }


@pytest.mark.rfc("6578", "3.2")
def test_a_folder_that_was_made_again_refuses_a_token_that_may_know_what_lay_in_the_old_one(
    alice: Dav, tree: str
) -> None:
    token = token_of(ask(alice, tree, level="infinite"))
    alice.delete(tree + "sub")
    between = token_of(ask(alice, tree, token, "infinite"))
    alice.mkcol(tree + "sub")
    alice.put(tree + "sub/new.txt", "new")
    reply = ask(alice, tree, token, "infinite")
    assert (reply.status, reply.condition) == (403, DAV.valid_sync_token)
    new = {tree + "sub/": None, tree + "sub/new.txt": None}
    assert told(ask(alice, tree, between, "infinite")) == new
    assert told(ask(alice, tree, token)) == {tree + "sub/": None}  # one level deep nothing was lost


@pytest.mark.rfc("6578", "3.6")
@pytest.mark.rfc("6578", "3.7")
def test_a_long_first_list_is_cut_and_goes_on_where_it_ended(alice: Dav, tree: str) -> None:
    first = ask(alice, tree, level="infinite", more=CUT)
    assert told(first) == {tree + "a.txt": None, tree + "sub/": None, tree: 507}
    assert first.multistatus()[tree].condition == DAV.number_of_matches_within_limits
    alice.put(tree + "a.txt", "changed meanwhile")
    alice.put(tree + "Z.txt", "before the place where it ended")
    second = ask(alice, tree, token_of(first), "infinite", CUT)
    assert told(second) == {tree + "sub/b.txt": None, tree: 507}
    third = ask(alice, tree, token_of(second), "infinite", CUT)
    assert told(third) == {tree + "a.txt": None, tree + "Z.txt": None}
    assert told(ask(alice, tree, token_of(third), "infinite", CUT)) == {}


@pytest.mark.rfc("6578", "3.6")
def test_a_moved_tree_is_told_page_by_page(alice: Dav, tree: str, home: str) -> None:
    made(alice, f"{home}/x")
    for number in range(5):
        alice.put(f"{home}/x/{number}", "x")
    mirror = TreeMirror(alice, tree, infinite=True)
    mirror.synchronise()
    alice.move(f"{home}/x", f"{tree}x")
    assert mirror.synchronise(2) == walk(alice, tree, infinite=True)
    assert (mirror.cuts, mirror.refused) == (2, 0)


def test_what_was_done_behind_the_server_is_told(cloud: Server, alice: Dav, tree: str) -> None:
    token = token_of(ask(alice, tree, level="infinite"))
    folder = cloud.data / tree.strip("/")
    (folder / "by/hand").mkdir(parents=True)
    (folder / "by/hand/x.txt").write_text("x")
    (folder / "sub/b.txt").unlink()
    assert told(ask(alice, tree, token, "infinite")) == {
        tree + "by/": None,
        tree + "by/hand/": None,
        tree + "by/hand/x.txt": None,
        tree + "sub/b.txt": 404,
    }
    token = token_of(ask(alice, tree, level="infinite"))
    shutil.move(folder / "by/hand", folder / "sub/hand")
    assert told(ask(alice, tree, token, "infinite")) == {
        tree + "by/hand": 404,
        tree + "sub/hand/": None,
        tree + "sub/hand/x.txt": None,
    }


@pytest.mark.rfc("6578", "4")
def test_a_folder_tells_its_token_to_those_who_name_it_and_to_nobody_else(alice: Dav, tree: str) -> None:
    row = alice.propfind(tree, DAV.sync_token, DAV.supported_report_set).multistatus()[tree]
    assert row.text(DAV.sync_token) == token_of(ask(alice, tree))
    assert DAV.sync_collection in [element.tag for element in row.props[DAV.supported_report_set].iter()]
    everything = alice.propfind(tree).multistatus()[tree]
    assert not {DAV.sync_token, DAV.supported_report_set} & everything.props.keys()
    file = alice.propfind(tree + "a.txt", DAV.sync_token).multistatus()[tree + "a.txt"]
    assert file.props == {}
    assert alice.proppatch(tree, {DAV.sync_token: "urn:x"}).multistatus()[tree].statuses == {DAV.sync_token: 403}
    assert "REPORT" in alice.options(tree).headers["allow"]


@pytest.mark.rfc("6578", "5")
def test_a_write_can_be_bound_to_the_state_of_a_folder(alice: Dav, tree: str) -> None:
    token = token_of(ask(alice, tree))
    bound = {"If": f"<{tree}> (<{token}>)"}
    assert alice.put(tree + "sub/c.txt", "c", bound).status == 201
    assert alice.put(tree + "sub/d.txt", "d", bound).status == 412
    assert alice.get(tree + "sub/d.txt").status == 404


@pytest.mark.rfc("6578", "3.3")
def test_without_a_level_in_the_body_depth_is_the_level(alice: Dav, tree: str) -> None:
    assert set(told(ask(alice, tree, level=None, depth="1"))) == {tree + "a.txt", tree + "sub/"}
    assert tree + "sub/b.txt" in told(ask(alice, tree, level=None, depth="infinity"))
    assert set(told(ask(alice, tree, level="1", depth="1"))) == {tree + "a.txt", tree + "sub/"}


@pytest.mark.rfc("6578", "3.2")
@pytest.mark.usefixtures("unchanged")
def test_what_is_no_question_is_refused(alice: Dav, bob: Dav, cloud: Server) -> None:
    path = "/files/Sport/"
    assert ask(alice, path, level="infinite", depth="infinity").status == 400
    assert ask(alice, path, level="2").status == 400
    for number in ("0", "x", "-1", "9" * 5000):
        assert ask(alice, path, more=f"<D:limit><D:nresults>{number}</D:nresults></D:limit>").status == 400
    assert alice.report(path, '<D:sync-collection xmlns:D="DAV:"><D:prop/></D:sync-collection>').status == 400
    assert alice.report(path, "").status == 400
    assert ask(alice, "/files/Sport/missing/").status == 404
    assert cloud.client().report(path, sync()).status == 401


@pytest.mark.rfc("6578", "3.2")
def test_files_and_listings_are_not_synchronised(alice: Dav, tree: str, unchanged: None) -> None:
    for path in (tree + "a.txt", "/files/Members/"):
        reply = ask(alice, path)
        assert (reply.status, reply.condition) == (403, DAV.supported_report)
    reply = alice.report(tree, '<C:calendar-query xmlns:C="urn:ietf:params:xml:ns:caldav"/>')
    assert (reply.status, reply.condition) == (403, DAV.supported_report)


@pytest.mark.rfc("6578", "3.2")
def test_a_token_that_is_none_of_this_folder_and_member_is_refused_by_name(
    alice: Dav, carol: Dav, tree: str, unchanged: None
) -> None:
    token = token_of(ask(alice, tree))
    ahead = ":".join([*token.split(":")[:-2], str(1 << 40), token.split(":")[-1]])
    for wrong in ("x", "urn:davserver:sync:a:b:1", "?after=a", token[:-1], f"{token}x", ahead, f"{ahead}?after=a"):
        reply = ask(alice, tree, wrong)
        assert (reply.status, reply.condition) == (403, DAV.valid_sync_token), wrong
    assert ask(alice, tree + "sub/", token).condition == DAV.valid_sync_token
    assert ask(carol, tree, token).condition == DAV.valid_sync_token


def test_who_synchronises_while_others_write_misses_nothing(cloud: Server, alice: Dav, tree: str) -> None:
    mirror = TreeMirror(alice, tree, infinite=True)
    mirror.synchronise()

    def write(number: int) -> None:
        client = cloud.client("bob")
        for turn in range(15):
            client.put(f"{tree}{number}-{turn}", "x")
            client.mkcol(f"{tree}folder {number}-{turn}")
            client.put(f"{tree}folder {number}-{turn}/x", "x")
            client.put(f"{tree}sub/b.txt", f"{number} {turn}")
            client.move(f"{tree}{number}-{turn}", f"{tree}sub/{number}-{turn}")

    writers = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        mirror.synchronise(7)
    for writer in writers:
        writer.join()
    assert mirror.synchronise() == walk(alice, tree, infinite=True)
    assert mirror.refused == 0
    assert len(mirror.known) == 3 + 3 * 15 * 3


# -- who sees what ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def boards(start_server: MakeServer) -> Server:
    """A server of its own for rights that change: everybody makes boards, which are private until they are shared."""
    server = start_server(access=ACCESS + BOARDS, folders=("Sport", "Boards"))
    for name in ("alice", "bob", "carol"):
        server.client(name).get("/files/Home/")
    return server


@pytest.mark.parametrize(
    ("path", "level"), [("/files/Boards/", "1"), ("/files/Boards/", "infinite"), ("/files/", "infinite")]
)
def test_a_private_folder_is_never_named_to_others_neither_when_it_comes_nor_when_it_goes(
    boards: Server, path: str, level: str
) -> None:
    alice, bob = boards.client("alice"), boards.client("bob")
    before = ask(bob, path, level=level)
    made(alice, "/files/Boards/Secret")
    alice.put("/files/Boards/Secret/plan.txt", "x")
    there = ask(bob, path, token_of(before), level)
    assert told(there) == {}  # and the token was taken
    alice.move("/files/Boards/Secret", "/files/Boards/Renamed secret")
    alice.delete("/files/Boards/Renamed secret")
    for token in (token_of(before), token_of(there), ""):
        reply = ask(bob, path, token, level)
        assert b"ecret" not in reply.body
        assert reply.status == 207 or reply.condition == DAV.valid_sync_token
    assert ask(alice, "/files/Boards/", level=level).status == 207


@pytest.mark.parametrize("level", ["1", "infinite"])
def test_what_is_shared_or_closed_costs_those_whom_it_concerns_their_token_and_nobody_else(
    boards: Server, level: str
) -> None:
    alice, bob, carol = (boards.client(name) for name in ("alice", "bob", "carol"))
    made(alice, "/files/Boards/Plan")
    alice.put("/files/Boards/Plan/a.txt", "a")
    tokens = {client: token_of(ask(client, "/files/Boards/", level=level)) for client in (alice, bob, carol)}
    assert alice.put("/files/Boards/Plan/access.toml", TO_BOB).status == 201
    assert ask(bob, "/files/Boards/", tokens[bob], level).condition == DAV.valid_sync_token
    shared = ask(bob, "/files/Boards/", level=level)
    assert "/files/Boards/Plan/" in told(shared)
    assert told(ask(carol, "/files/Boards/", tokens[carol], level)) == {}
    assert ask(alice, "/files/Boards/", tokens[alice], level).status == 207
    assert alice.delete("/files/Boards/Plan/access.toml").status == 204
    assert ask(bob, "/files/Boards/", token_of(shared), level).condition == DAV.valid_sync_token
    assert told(ask(carol, "/files/Boards/", tokens[carol], level)) == {}
    alice.delete("/files/Boards/Plan")


def test_rules_files_are_told_to_administrators_only(boards: Server) -> None:
    alice, bob = boards.client("alice"), boards.client("bob")
    made(alice, "/files/Home/shared")
    alice.put("/files/Home/shared/access.toml", TO_BOB)
    path = "/files/Members/alice/shared/"
    token, own = token_of(ask(bob, path)), token_of(ask(alice, path))
    alice.put("/files/Home/shared/a.txt", "a")
    alice.put("/files/Home/shared/access.toml", TO_BOB + "\n")
    assert told(ask(bob, path, token)) == {path + "a.txt": None}
    assert told(ask(alice, path, own)) == {path + "a.txt": None, path + "access.toml": None}


def test_another_group_or_rule_of_the_administrator_costs_the_token(make_server: MakeServer) -> None:
    server = make_server().start()
    alice, bob = server.client("alice"), server.client("bob")
    made(alice, "/files/Sport/x")
    tokens = {client: token_of(ask(client, "/files/", level="infinite")) for client in (alice, bob)}
    server.write_accounts(groups='[group.sport]\nmembers = ["alice"]\n')
    assert ask(bob, "/files/", tokens[bob], "infinite").condition == DAV.valid_sync_token
    assert "/files/Sport/x/" not in told(ask(bob, "/files/", level="infinite"))
    assert told(ask(alice, "/files/", tokens[alice], "infinite")) == {}
    server.write_accounts(access=ACCESS + '[[rule]]\npath = "/files/Sport/x"\nwho = ["bob"]\nmay = ["read"]\n')
    assert ask(alice, "/files/", tokens[alice], "infinite").condition == DAV.valid_sync_token


@pytest.mark.rfc("6578", "3.3")
def test_at_the_top_ones_own_folder_and_the_listings_say_once_that_they_are_not_told_from_there(
    boards: Server,
) -> None:
    alice, bob = boards.client("alice"), boards.client("bob")
    made(alice, "/files/Home/for bob")
    alice.put("/files/Home/for bob/access.toml", TO_BOB)
    first = ask(bob, "/files/", level="infinite")
    rows = first.multistatus()
    assert (rows["/files/Home/"].status, rows["/files/Home/"].condition) == (403, DAV.sync_traversal_supported)
    assert (rows["/files/Members/"].status, rows["/files/Members/"].condition) == (403, DAV.supported_report)
    bob.put("/files/Home/x.txt", "x")
    assert told(ask(bob, "/files/", token_of(first), "infinite")) == {}
    near = ask(bob, "/files/").multistatus()
    assert (near["/files/Home/"].status, near["/files/Members/"].status) == (None, 403)
    assert told(ask(bob, "/files/Home/"))["/files/Home/x.txt"] is None


# -- the log and the index -------------------------------------------------------------------------------------------


def test_a_lost_index_costs_one_full_synchronisation(make_server: MakeServer) -> None:
    server = make_server().start()
    alice = server.client("alice")
    made(alice, "/files/Sport/x")
    mirror = TreeMirror(alice, "/files/Sport/", infinite=True)
    mirror.synchronise()
    server.restart()
    mirror.synchronise()
    assert mirror.refused == 0
    server.stop()
    for file in server.data.glob("index.sqlite*"):
        file.unlink()
    (server.data / "files/Sport/x/new.txt").write_text("new")
    server.start()
    assert mirror.synchronise() == walk(alice, "/files/Sport/", infinite=True)
    assert mirror.refused == 1
