"""What nobody gets at by any way: votes that are not to be seen, and votes in other people's names."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import MakeServer
from tests.files.test_search import NAME, compare, found
from tests.files.treemirror import TreeMirror
from tests.harness import ACCESS, Dav, Server
from tests.polls.conftest import OPTIONS, RULES, Poll

YES, NO = 'a = "yes"\n', 'a = "no"\n'
PROPOSAL = '[[option]]\nid = "x"\nstart = 2027-03-01\n'


@pytest.fixture
def hidden(poll: Poll) -> Poll:
    poll.define('results = "never"')
    return poll


def test_a_report_tells_the_owner_of_no_vote_that_it_does_not_see(hidden: Poll, bob: Dav) -> None:
    mirrors = [TreeMirror(hidden.alice, f"{hidden.votes}/", infinite=False)]
    mirrors.append(TreeMirror(hidden.alice, f"{hidden.path}/", infinite=True))
    for mirror in mirrors:
        mirror.synchronise()
    for text in (YES, NO, None):
        path = f"{hidden.votes}/bob.toml"
        assert (bob.delete(path) if text is None else bob.put(path, text)).status in (201, 204)
        for mirror in mirrors:
            assert not any("bob" in told for told in {*mirror.synchronise(), *mirror.gone})


def test_who_reads_the_votes_hears_of_each_and_of_the_moment_when_they_are_shown(
    poll: Poll, bob: Dav, carol: Dav
) -> None:
    poll.define('results = "closed"')
    mirrors = [TreeMirror(client, f"{poll.path}/", infinite=True) for client in (poll.alice, carol, bob)]
    for mirror in mirrors:
        mirror.synchronise()
    assert bob.put(f"{poll.votes}/bob.toml", YES).status == 201
    assert [f"{poll.votes}/bob.toml" in mirror.synchronise() for mirror in mirrors] == [False, False, True]
    poll.define('closes = 2020-01-01T00:00:00Z\nresults = "closed"')
    assert [f"{poll.votes}/bob.toml" in mirror.synchronise() for mirror in mirrors] == [True, True, True]
    poll.define('results = "always"')
    assert bob.delete(f"{poll.votes}/bob.toml").status == 204
    assert [f"{poll.votes}/bob.toml" in mirror.synchronise() for mirror in mirrors] == [False, False, False]


def test_whether_somebody_voted_is_not_told_by_a_refusal(hidden: Poll, bob: Dav, carol: Dav) -> None:
    ways = (
        lambda: bob.put(f"{hidden.votes}/carol.toml", YES),
        lambda: bob.lock(f"{hidden.votes}/carol.toml"),
        lambda: bob.mkcol(f"{hidden.votes}/carol.toml"),
        lambda: bob.copy(f"{hidden.votes}/bob.toml", f"{hidden.votes}/carol.toml"),
        lambda: bob.move(f"{hidden.votes}/bob.toml", f"{hidden.votes}/carol.toml"),
        lambda: bob.delete(f"{hidden.votes}/carol.toml"),
        lambda: bob.propfind(f"{hidden.votes}/carol.toml"),
    )
    assert bob.put(f"{hidden.votes}/bob.toml", YES).status == 201
    without = [(reply.status, reply.body) for reply in (way() for way in ways)]
    assert carol.put(f"{hidden.votes}/carol.toml", NO).status == 201
    before = hidden.tree()
    assert [(reply.status, reply.body) for reply in (way() for way in ways)] == without
    assert {status for status, _ in without} <= {403, 404}
    assert hidden.tree() == before


def test_a_voter_keeps_nobody_from_voting(poll: Poll, bob: Dav, carol: Dav) -> None:
    assert bob.lock(f"{poll.votes}/", depth="infinity").status == 403
    assert bob.lock(f"{poll.votes}/", depth="0").status == 403
    assert bob.lock(f"{poll.votes}/carol.toml").status == 403
    assert bob.mkcol(f"{poll.votes}/carol.toml").status in (403, 405)
    assert bob.mkcol("/files/Home/carol.toml").status == 201
    assert bob.copy("/files/Home/carol.toml", f"{poll.votes}/carol.toml").status == 403
    assert bob.copy("/files/Home/carol.toml", f"{poll.votes}/bob.toml").status in (403, 409)
    assert bob.move("/files/Home/carol.toml", f"{poll.votes}/bob.toml").status in (403, 409)
    assert carol.put(f"{poll.votes}/carol.toml", YES).status == 201
    assert bob.put(f"{poll.votes}/bob.toml", YES).status == 201


@pytest.mark.parametrize("box", ["votes", "proposals"])
def test_nothing_is_added_under_the_name_of_somebody_else(poll: Poll, bob: Dav, box: str) -> None:
    poll.define("propose = true")
    before = poll.tree()
    slug = {"Slug": "carol.toml", "Content-Type": "application/toml"}
    assert bob.request("POST", f"{poll.path}/{box}/", PROPOSAL, slug).status in (403, 415, 422)
    assert poll.alice.request("POST", f"{poll.path}/{box}/", PROPOSAL, slug).status in (403, 415, 422)
    assert poll.tree() == before


def test_no_tree_brings_votes_along(poll: Poll, bob: Dav) -> None:
    """Who makes a folder that looks like a poll would else vote for others."""
    alice, home = poll.alice, f"/files/Home/{poll.path.rpartition('/')[2]}"
    for path in (home, f"{home}/votes", f"{home}/empty", f"{home}/empty/votes"):
        assert alice.mkcol(path).status == 201
    settings = alice.get(f"{poll.path}/poll.toml").text
    for path in (f"{home}/poll.toml", f"{home}/empty/poll.toml"):
        assert alice.put(path, settings).status == 201
    assert alice.put(f"{home}/votes/bob.toml", YES).status == 201
    before = poll.server.tree()
    made = f"{poll.path}made"
    assert alice.move(home, made).status == 403
    assert alice.delete(poll.votes).status == 204
    assert alice.move(f"{home}/votes", poll.votes).status == 403
    assert alice.copy(f"{home}/votes", poll.votes).status in (201, 403)
    assert alice.copy(home, made).status in (201, 403)
    assert alice.get(f"{made}/votes/bob.toml").status == 404
    assert alice.delete(home).status == 204
    assert alice.move(f"/files/Trash/{home.removeprefix('/files/')}", f"{made}2").status == 403
    assert not [path for path in poll.server.tree().keys() - before.keys() if re.search("/Polls/.*votes/bob", path)]


def test_a_copy_of_a_poll_is_one_to_begin_anew(poll: Poll, bob: Dav) -> None:
    assert bob.put(f"{poll.votes}/bob.toml", YES).status == 201
    copy = Poll(poll.server, f"{poll.path}copy")
    assert poll.alice.copy(poll.path, copy.path).status == 201
    assert copy.results()[1:] == [["yes", "0", "0", "0"], ["maybe", "0", "0", "0"], ["no", "0", "0", "0"]]
    assert bob.get(f"{copy.votes}/bob.toml").status == 404
    assert bob.put(f"{copy.votes}/bob.toml", NO).status == 201
    assert bob.get(f"{poll.votes}/bob.toml").text == YES


def test_votes_stay_sealed_without_the_file_that_says_so(hidden: Poll, bob: Dav) -> None:
    assert bob.put(f"{hidden.votes}/bob.toml", YES).status == 201
    settings = hidden.alice.get(f"{hidden.path}/poll.toml").body
    assert hidden.alice.delete(f"{hidden.path}/poll.toml").status == 204
    assert hidden.alice.get(f"{hidden.votes}/bob.toml").status == 404
    assert hidden.alice.copy(f"{hidden.votes}/", "/files/Home/stolen").status in (201, 403)
    assert hidden.alice.get("/files/Home/stolen/bob.toml").status == 404
    assert hidden.alice.move(f"{hidden.votes}/", "/files/Home/stolen2").status == 403
    assert hidden.alice.put(f"{hidden.path}/poll.toml", settings).status == 201
    assert bob.get(f"{hidden.votes}/bob.toml").text == YES


def test_who_administers_removes_a_vote_without_reading_it(hidden: Poll, bob: Dav, carol: Dav) -> None:
    for client, name in ((bob, "bob"), (carol, "carol")):
        assert client.put(f"{hidden.votes}/{name}.toml", YES).status == 201
    assert carol.delete(f"{hidden.votes}/bob.toml").status == 404
    assert hidden.alice.delete(f"{hidden.votes}/bob.toml").status == 204
    assert bob.get(f"{hidden.votes}/bob.toml").status == 404
    assert carol.get(f"{hidden.votes}/carol.toml").status == 200
    trashed = f"/files/Trash/Polls/{hidden.path.rpartition('/')[2]}/votes/bob.toml"
    assert hidden.alice.get(trashed).status == 404
    assert bob.get(trashed).text == YES
    assert hidden.alice.move(trashed, "/files/Home/stolen.toml").status == 404


def test_who_votes_no_longer_is_not_in_the_way_of_removing_the_poll(poll: Poll) -> None:
    poll.define('voters = ["alice"]\nresults = "never"')
    assert poll.alice.put(f"{poll.votes}/alice.toml", YES).status == 201
    poll.define('voters = ["bob"]\nresults = "never"')
    assert poll.alice.put(f"{poll.votes}/alice.toml", NO).status == 403
    assert poll.alice.delete(poll.path).status == 204
    trashed = f"/files/Trash/{poll.path.removeprefix('/files/')}"
    assert poll.alice.delete(trashed).status == 204
    assert poll.alice.propfind(trashed).status == 404


def test_a_removed_poll_is_purged_by_its_owner_with_votes_that_it_does_not_read(hidden: Poll, bob: Dav) -> None:
    assert bob.put(f"{hidden.votes}/bob.toml", YES).status == 201
    assert hidden.alice.delete(hidden.path).status == 204
    trashed = f"/files/Trash/{hidden.path.removeprefix('/files/')}"
    assert hidden.alice.get(f"{trashed}/votes/bob.toml").status == 404
    assert hidden.alice.delete(trashed).status == 204
    assert not (hidden.server.data / trashed.removeprefix("/files/").replace("Trash", "trash", 1)).exists()


ADMINISTERED = """
[[rule]]
path = "/files"
who = ["dora"]
may = ["admin"]
"""


def test_administrators_read_no_earlier_votes_of_a_poll_that_was_renamed(
    make_server: MakeServer,
) -> None:
    server: Server = make_server(access=ACCESS + RULES + ADMINISTERED, folders=("Polls",)).start()
    dora, bob = server.client("dora"), server.client("bob")
    poll = Poll(server, "/files/Polls/first")
    assert poll.alice.mkcol(poll.path).status == 201
    poll.define('results = "never"')
    for text in (YES, NO):
        assert bob.put(f"{poll.votes}/bob.toml", text).status in (201, 204)
    assert bob.delete(f"{poll.votes}/bob.toml").status == 204
    for step in ("in place", "renamed", "removed", "replaced"):
        for top in ("Trash", "History"):
            listed = dora.propfind(f"/files/{top}/", depth="infinity").multistatus()
            for path in (path for path in listed if "/votes/" in path and not path.endswith("/")):
                raise AssertionError((step, path))
        if step == "in place":
            assert poll.alice.move(poll.path, "/files/Polls/second").status == 201
        elif step == "renamed":
            assert poll.alice.delete("/files/Polls/second").status == 204
        elif step == "removed":
            assert dora.mkcol("/files/Polls/first").status == 201
    trashed = "/files/Trash/Polls/first/votes/bob.toml"
    assert dora.get(trashed).status == 404
    assert bob.get(trashed).status in (200, 404)


def test_proposals_are_read_by_who_takes_them_over(hidden: Poll, bob: Dav, carol: Dav) -> None:
    hidden.define('propose = true\nresults = "never"')
    assert bob.put(f"{hidden.path}/proposals/bob.toml", PROPOSAL).status == 201
    assert hidden.alice.get(f"{hidden.path}/proposals/bob.toml").text == PROPOSAL
    assert hidden.alice.put(f"{hidden.path}/proposals/bob.toml", PROPOSAL).status == 403
    assert carol.get(f"{hidden.path}/proposals/bob.toml").status == 200
    assert carol.delete(f"{hidden.path}/proposals/bob.toml").status == 403


def test_a_vote_for_an_option_that_is_gone_is_in_nobodys_way(poll: Poll, bob: Dav) -> None:
    assert bob.put(f"{poll.votes}/bob.toml", '# mine\na = "yes"\nb = "maybe"\n').status == 201
    link = re.search(r"(/p/[A-Za-z0-9_-]+/)", bob.get(f"{poll.path}/my-link.txt").text)
    assert link is not None
    poll.define("maybe = false", OPTIONS.replace('id = "a"', 'id = "z"'))
    page = {"Content-Type": "application/x-www-form-urlencoded"}
    assert poll.visitor.request("POST", f"{link[1]}votes/", "opt.z=yes", page).status == 303
    assert (poll.disk / "votes/bob.toml").read_text() == '# mine\nz = "yes"\n'


def test_who_left_takes_no_room_of_an_option(poll: Poll, bob: Dav, carol: Dav) -> None:
    poll.define("per_option = 1")
    assert bob.put(f"{poll.votes}/bob.toml", YES).status == 201
    assert carol.put(f"{poll.votes}/carol.toml", YES).status == 409
    poll.define('per_option = 1\nvoters = ["board"]')
    assert carol.put(f"{poll.votes}/carol.toml", YES).status == 201


def test_a_vote_is_short(poll: Poll, bob: Dav) -> None:
    before = poll.tree()
    assert bob.put(f"{poll.votes}/bob.toml", b"#" * (70 << 10)).status == 422
    assert poll.tree() == before
    assert bob.put("/files/Home/large.toml", b"#" * (70 << 10)).status == 201
    assert bob.copy("/files/Home/large.toml", f"{poll.votes}/bob.toml").status == 422
    assert bob.move("/files/Home/large.toml", f"{poll.votes}/bob.toml").status == 422
    assert poll.tree() == before


def test_votes_that_are_patched_copied_or_moved_are_judged_alike(poll: Poll, bob: Dav) -> None:
    path = f"{poll.votes}/bob.toml"
    assert bob.put(path, YES).status == 201
    append = {"Content-Type": "application/x-sabredav-partialupdate", "X-Update-Range": "append"}
    assert bob.request("PATCH", path, 'b = "never"\n', append).status == 422
    assert bob.put("/files/Home/vote.toml", 'z = "yes"\n').status in (201, 204)
    assert bob.copy("/files/Home/vote.toml", path).status == 422
    assert bob.move("/files/Home/vote.toml", path).status == 422
    assert bob.get(path).text == YES
    assert bob.request("PATCH", path, 'b = "no"\n', append).status == 204
    assert bob.put("/files/Home/vote.toml", NO).status == 204
    poll.close()
    before = poll.tree()
    for reply in (
        bob.request("PATCH", path, 'c = "no"\n', append),
        bob.copy("/files/Home/vote.toml", path),
        bob.move("/files/Home/vote.toml", path),
        bob.move(path, "/files/Home/taken.toml"),
        bob.delete(path),
    ):
        assert reply.status == 409
    assert poll.tree() == before


def test_of_votes_that_change_at_once_each_is_whole(poll: Poll) -> None:
    clients = [poll.server.client(name) for name in ("bob", "carol") for _ in range(4)]

    def vote(number: int) -> int:
        client = clients[number]
        return client.put(f"{poll.votes}/{client.user}.toml", (YES, NO)[number % 2]).status

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(vote, range(8))) <= {201, 204}
    assert all((poll.disk / f"votes/{name}.toml").read_text() in (YES, NO) for name in ("bob", "carol"))


def test_a_search_finds_no_vote_that_is_not_to_be_seen(hidden: Poll, bob: Dav, carol: Dav) -> None:
    assert bob.put(f"{hidden.votes}/bob.toml", YES).status == 201
    for client, names in ((bob, ["bob.toml"]), (hidden.alice, []), (carol, [])):
        for folder in (hidden.votes, hidden.path, "/files/Polls", "/files"):
            told = [f"{folder}/{each}" for each in found(client, f"{folder}/", compare("like", NAME, "bob%"))]
            assert [each for each in told if hidden.votes in each] == [f"{hidden.votes}/{name}" for name in names]
        every = client.propfind(f"{hidden.path}/", depth="infinity").multistatus()
        assert [path for path in every if path.endswith("/bob.toml")] == [f"{hidden.votes}/{name}" for name in names]


def test_nothing_beside_an_anonymous_vote_says_whose_it_is_either(poll: Poll, bob: Dav) -> None:
    poll.define("anonymous = true")
    mine = f"{poll.votes}/my-vote.toml"
    assert bob.put(mine, YES).status == 201
    assert bob.put(mine, NO).status == 204
    assert bob.put("/files/Home/anonymous.toml", YES).status == 201
    assert bob.copy("/files/Home/anonymous.toml", mine).status == 204
    assert bob.put("/files/Home/anonymous.toml", NO).status == 204
    assert bob.move("/files/Home/anonymous.toml", mine).status == 204
    link = re.search(r"/p/[A-Za-z0-9_-]+/", bob.get(f"{poll.path}/my-link.txt").text)
    assert link is not None
    page = {"Content-Type": "application/x-www-form-urlencoded"}
    assert poll.visitor.request("POST", f"{link[0]}votes/", "opt.b=yes", page).status == 303
    assert bob.delete(mine).status == 204
    name, data = poll.path.rpartition("/")[2], poll.server.data
    beside = [*(data / "files/Polls" / name).rglob(".state*"), *data.glob(f"*/Polls/{name}/votes/**/.state*")]
    assert len(beside) > 3
    assert not [file for file in beside if b"bob" in file.read_bytes()]
