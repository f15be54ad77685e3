"""Votes as files: whose they are, what is taken, and what comes of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.harness import Dav
from tests.pim.samples import sync
from tests.polls.conftest import LINK, Poll

VOTE = 'a = "yes"\nb = "maybe"\n'


def names_in(client: Dav, path: str) -> set[str]:
    found = client.propfind(f"{path}/", depth="1").multistatus()
    return {href.rstrip("/").rpartition("/")[2] for href in found} - {path.rpartition("/")[2]}


def test_a_voter_sees_the_poll_and_stores_a_vote(poll: Poll, bob: Dav, dora: Dav) -> None:
    assert poll.path.rpartition("/")[2] in names_in(bob, "/files/Polls")
    assert {"poll.toml", "votes", "results.csv", "index.html", "my-link.txt"} <= names_in(bob, poll.path)
    assert bob.get(f"{poll.path}/poll.toml").status == 200
    assert bob.put(f"{poll.votes}/bob.toml", VOTE).status == 201
    assert bob.get(f"{poll.votes}/bob.toml").text == VOTE
    assert (poll.disk / "votes/bob.toml").read_text() == VOTE
    assert dora.get(f"{poll.path}/poll.toml").status == 404
    assert (
        poll.path.rpartition("/")[2] not in names_in(dora, "/files/Polls")
        if dora.get("/files/Polls/").status == 200
        else True
    )


def test_nothing_but_voting_follows_from_being_a_voter(poll: Poll, bob: Dav) -> None:
    poll.alice.mkcol(f"{poll.path}/private")
    poll.alice.put(f"{poll.path}/private/x.txt", "x")
    poll.alice.put(f"{poll.path}/comments.md", "x")
    before = poll.tree()
    assert bob.get(f"{poll.path}/private/x.txt").status == 404
    assert bob.get(f"{poll.path}/comments.md").status == 200
    for path in ("poll.toml", "comments.md", "new.txt", "index.html", "access.toml", "private/x.txt"):
        assert bob.put(f"{poll.path}/{path}", "x").status in (403, 404), path
        assert bob.delete(f"{poll.path}/{path}").status in (403, 404), path
    assert bob.delete(poll.path).status == 403
    assert bob.mkcol(f"{poll.votes}/x").status == 403
    assert poll.tree() == before


def test_nobody_votes_for_somebody_else(poll: Poll, bob: Dav, carol: Dav, dora: Dav) -> None:
    assert bob.put(f"{poll.votes}/bob.toml", VOTE).status == 201
    before = poll.tree()
    for client in (poll.alice, carol, dora):
        assert client.put(f"{poll.votes}/bob.toml", 'a = "no"\n').status in (403, 404)
        assert client.put(f"{poll.votes}/other.toml", VOTE).status in (403, 404)
    assert dora.put(f"{poll.votes}/dora.toml", VOTE).status in (403, 404)
    assert poll.alice.put(f"{poll.votes}/alice.toml", VOTE).status == 403  # who made it does not vote
    assert carol.delete(f"{poll.votes}/bob.toml").status == 403
    assert carol.move(f"{poll.votes}/bob.toml", f"{poll.votes}/carol.toml").status == 403
    assert poll.tree() == before
    assert poll.alice.delete(f"{poll.votes}/bob.toml").status == 204  # who administers the poll


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('a = "yes"\nd = "yes"\n', "bob.toml:2: 'd' is no option; it can be a, b, c"),
        ('a = "perhaps"\n', "bob.toml:1: a is 'perhaps'; it can be yes or maybe or no"),
        ("a = 1\n", "bob.toml:1: a is the number 1"),
        ("a = \n", "bob.toml:1: not TOML"),
    ],
)
def test_a_vote_that_cannot_be_read_is_refused_with_its_line(poll: Poll, bob: Dav, text: str, said: str) -> None:
    assert bob.put(f"{poll.votes}/bob.toml", VOTE).status == 201
    before = poll.tree()
    reply = bob.put(f"{poll.votes}/bob.toml", text)
    assert reply.status == 422
    assert said in reply.text
    assert poll.tree() == before


def test_maybe_is_no_answer_where_the_poll_does_not_take_it(poll: Poll, bob: Dav) -> None:
    poll.define("maybe = false")
    before = poll.tree()
    assert bob.put(f"{poll.votes}/bob.toml", 'a = "maybe"\n').status == 422
    assert poll.tree() == before


def test_a_late_vote_changes_nothing(poll: Poll, bob: Dav, carol: Dav) -> None:
    assert bob.put(f"{poll.votes}/bob.toml", VOTE).status == 201
    poll.close()
    results, before = poll.results(), poll.tree()
    assert bob.put(f"{poll.votes}/bob.toml", 'a = "no"\n').status == 409
    assert bob.delete(f"{poll.votes}/bob.toml").status == 409
    assert carol.put(f"{poll.votes}/carol.toml", VOTE).status == 409
    assert bob.move(f"{poll.votes}/bob.toml", "/files/Home/bob.toml").status in (403, 409)
    assert poll.results() == results
    assert poll.tree() == before


def test_an_option_takes_as_many_as_it_may_and_one_who_leaves_makes_room(poll: Poll, bob: Dav, carol: Dav) -> None:
    poll.define("per_option = 1")
    assert bob.put(f"{poll.votes}/bob.toml", 'a = "yes"\n').status == 201
    before = poll.tree()
    reply = carol.put(f"{poll.votes}/carol.toml", 'a = "yes"\n')
    assert reply.status == 409
    assert "full" in reply.text
    assert poll.tree() == before
    assert carol.put(f"{poll.votes}/carol.toml", 'a = "no"\nb = "yes"\n').status == 201
    assert bob.put(f"{poll.votes}/bob.toml", 'a = "yes"\nc = "no"\n').status == 204  # the own place stays
    assert bob.put(f"{poll.votes}/bob.toml", 'a = "no"\n').status == 204
    assert carol.put(f"{poll.votes}/carol.toml", 'a = "yes"\n').status == 204


def test_of_many_votes_at_once_no_more_are_taken_than_there_is_room(poll: Poll) -> None:
    url = poll.publish()
    poll.define("per_option = 5")
    clients = [poll.server.client() for _ in range(8)]

    def vote(number: int) -> int:
        body = f"name=g{number}&code=x&opt.a=yes"
        headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Number": str(number)}
        return clients[number].request("POST", f"{url}votes/", body, headers).status

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(vote, range(8)))
    assert sorted(statuses) == [303] * 5 + [409] * 3
    assert len(list((poll.disk / "votes").glob("guest-*.toml"))) == 5


def test_one_says_yes_to_as_many_as_one_may(poll: Poll, bob: Dav) -> None:
    poll.define("per_voter = 1")
    before = poll.tree()
    assert bob.put(f"{poll.votes}/bob.toml", 'a = "yes"\nb = "yes"\n').status == 409
    assert poll.tree() == before
    assert bob.put(f"{poll.votes}/bob.toml", 'a = "yes"\nb = "maybe"\n').status == 201


def test_results_are_a_row_for_each_voter_and_the_sums(poll: Poll, bob: Dav, carol: Dav) -> None:
    assert bob.put(f"{poll.votes}/bob.toml", VOTE).status == 201
    assert carol.put(f"{poll.votes}/carol.toml", 'a = "yes"\nc = "no"\n').status == 201
    reply = bob.get(f"{poll.path}/results.csv")
    assert reply.text.split("\r\n") == [
        ',"Tue 12 Jan 2027, 18:00 – 20:00 (Europe/Paris)",Wed 13 Jan 2027,"Later: Mon 1 Feb 2027, 10:00 – 11:00 (UTC)"',
        "bob,yes,maybe,",
        "carol,yes,,no",
        "yes,2,0,0",
        "maybe,0,1,0",
        "no,0,0,1",
        "",
    ]
    assert bob.put(f"{poll.path}/results.csv", "x").status in (403, 405)
    assert bob.get(f"{poll.path}/results.csv", {"If-None-Match": reply.etag}).status == 304


def test_a_vote_of_who_no_longer_votes_is_not_counted(poll: Poll, bob: Dav) -> None:
    assert bob.put(f"{poll.votes}/bob.toml", VOTE).status == 201
    poll.define('voters = ["board"]')
    assert not any(row[0] == "bob" for row in poll.results())
    assert bob.get(f"{poll.votes}/bob.toml").status == 404
    assert bob.get(f"{poll.path}/poll.toml").status == 404


@pytest.mark.parametrize(
    ("results", "now", "then"), [("always", True, True), ("closed", False, True), ("never", False, False)]
)
def test_others_see_votes_when_the_poll_lets_them(
    poll: Poll, bob: Dav, carol: Dav, results: str, now: bool, then: bool
) -> None:
    poll.define(f'results = "{results}"')
    assert bob.put(f"{poll.votes}/bob.toml", VOTE).status == 201
    for is_open, head in ((now, ""), (then, "closes = 2020-01-01T00:00:00Z\n")):
        poll.define(f'{head}results = "{results}"')
        for client in (poll.alice, carol):
            assert (client.get(f"{poll.votes}/bob.toml").status == 200) == is_open
            assert ("bob.toml" in names_in(client, poll.votes)) == is_open
            assert (client.get(f"{poll.path}/results.csv").status == 200) == is_open
            body = client.report(f"{poll.votes}/", sync()).text
            assert ("bob.toml" in body) == is_open
        assert bob.get(f"{poll.votes}/bob.toml").status == 200


def test_votes_that_are_not_to_be_seen_are_not_seen_in_trash_history_search_or_copies(poll: Poll, bob: Dav) -> None:
    poll.define('results = "never"')
    assert bob.put(f"{poll.votes}/bob.toml", VOTE).status == 201
    assert bob.put(f"{poll.votes}/bob.toml", 'a = "no"\n').status == 204
    name = poll.path.rpartition("/")[2]
    listed = poll.alice.propfind(f"/files/History/Polls/{name}/", depth="infinity")
    assert b"bob.toml" not in listed.body
    assert poll.alice.copy(poll.path, f"{poll.path}copy").status == 201
    assert not (poll.server.data / f"{poll.path.lstrip('/')}copy/votes/bob.toml").exists()
    assert poll.alice.move(poll.path, f"/files/Home/{name}").status == 403  # there they would be files like any other
    assert (poll.disk / "votes/bob.toml").exists()
    assert poll.alice.move(poll.path, f"{poll.path}moved").status == 201
    moved = f"{poll.path}moved"
    assert poll.alice.get(f"{moved}/votes/bob.toml").status == 404
    assert bob.get(f"{moved}/votes/bob.toml").status == 200
    assert poll.alice.delete(moved).status == 204
    trash = f"/files/Trash/Polls/{name}moved"
    assert b"bob.toml" not in poll.alice.propfind(f"{trash}/", depth="infinity").body
    assert poll.alice.get(f"{trash}/votes/bob.toml").status == 404
    assert poll.alice.move(f"{trash}/votes/bob.toml", "/files/Home/bob.toml").status == 404
    assert poll.alice.move(trash, "/files/Home/stolen").status == 403
    assert poll.alice.move(trash, poll.path).status == 201
    assert bob.get(f"{poll.votes}/bob.toml").text == 'a = "no"\n'
    assert poll.alice.get(f"{poll.votes}/bob.toml").status == 404


def test_an_anonymous_vote_is_a_file_that_tells_nobody_whose_it_is(poll: Poll, bob: Dav, carol: Dav) -> None:
    poll.define("anonymous = true")
    assert bob.put(f"{poll.votes}/my-vote.toml", VOTE).status == 201
    assert carol.put(f"{poll.votes}/my-vote.toml", 'a = "no"\n').status == 201
    assert names_in(bob, poll.votes) == {"my-vote.toml"}
    assert bob.get(f"{poll.votes}/my-vote.toml").text == VOTE
    assert carol.get(f"{poll.votes}/my-vote.toml").text == 'a = "no"\n'
    assert names_in(poll.alice, poll.votes) == set()
    on_disk = [file for file in (poll.disk / "votes").iterdir() if not file.name.startswith(".")]
    assert len(on_disk) == 2
    assert not any("bob" in file.name or "carol" in file.name for file in on_disk)
    for file in (poll.disk / "votes").iterdir():
        assert b"bob" not in file.read_bytes()
    for name in (file.name for file in on_disk):
        assert poll.alice.get(f"{poll.votes}/{name}").status == 404
    assert [row[0] for row in poll.results()] == ["", "", "", "yes", "maybe", "no"]
    assert bob.delete(f"{poll.votes}/my-vote.toml").status == 204
    assert names_in(bob, poll.votes) == set()
    assert bob.put(f"{poll.votes}/bob.toml", VOTE).status == 403


def test_proposals_are_files_of_their_own_where_the_poll_takes_them(poll: Poll, bob: Dav, carol: Dav) -> None:
    text = '[[option]]\nid = "x"\nstart = 2027-03-01\n'
    assert poll.alice.mkcol(f"{poll.path}/proposals").status in (201, 405)
    before = poll.tree()
    assert bob.put(f"{poll.path}/proposals/bob.toml", text).status == 409
    assert poll.tree() == before
    poll.define("propose = true")
    assert bob.put(f"{poll.path}/proposals/bob.toml", text).status == 201
    assert bob.put(f"{poll.path}/proposals/bob.toml", "[[option]]\n").status == 422
    assert carol.put(f"{poll.path}/proposals/bob.toml", text).status == 403
    assert (poll.disk / "proposals/bob.toml").read_text() == text


def test_a_locked_vote_is_not_written_by_others_ways(poll: Poll, bob: Dav) -> None:
    assert bob.put(f"{poll.votes}/bob.toml", VOTE).status == 201
    lock = bob.lock(f"{poll.votes}/bob.toml")
    before = poll.tree()
    assert bob.put(f"{poll.votes}/bob.toml", 'a = "no"\n').status == 423
    assert poll.tree() == before
    assert bob.unlock(f"{poll.votes}/bob.toml", lock.lock_token).status == 204


def test_links_of_folders_around_show_no_votes(poll: Poll, bob: Dav) -> None:
    assert bob.put(f"{poll.votes}/bob.toml", VOTE).status == 201
    assert poll.alice.put(f"{poll.votes}/access.toml", LINK.replace("drop", "read")).status in (201, 403, 404)
    text = poll.alice.get(f"{poll.votes}/links.txt").text
    for word in text.split():
        if "/p/" in word:
            path = word[word.index("/p/") :]
            assert poll.visitor.get(path).status == 404
            assert poll.visitor.get(f"{path}bob.toml").status == 404


def told(client: Dav, path: str, token: str) -> dict[str, int | None]:
    reply = client.report(f"{path}/", sync(token))
    return {href.rpartition("/")[2]: row.status for href, row in reply.multistatus().items()}


def test_a_sync_tells_nobody_of_votes_that_are_not_to_be_seen(poll: Poll, bob: Dav, carol: Dav) -> None:
    poll.define('results = "closed"')
    tokens = {
        client.user: client.report(f"{poll.votes}/", sync()).xml.findtext("{DAV:}sync-token") or ""
        for client in (bob, carol, poll.alice)
    }
    assert bob.put(f"{poll.votes}/bob.toml", VOTE).status == 201
    assert told(bob, poll.votes, tokens["bob"]) == {"bob.toml": None}
    assert told(carol, poll.votes, tokens["carol"]) == {}
    assert told(poll.alice, poll.votes, tokens["alice"]) == {}
    own = bob.report(f"{poll.votes}/", sync()).xml.findtext("{DAV:}sync-token") or ""
    assert bob.delete(f"{poll.votes}/bob.toml").status == 204
    assert told(bob, poll.votes, own) == {"bob.toml": 404}
    assert told(carol, poll.votes, tokens["carol"]) == {}
    assert told(poll.alice, poll.votes, tokens["alice"]) == {}


def test_a_token_from_before_the_results_opened_is_not_believed(poll: Poll, bob: Dav, carol: Dav) -> None:
    poll.define('results = "closed"')
    assert bob.put(f"{poll.votes}/bob.toml", VOTE).status == 201
    for client in (carol, poll.alice):
        for folder in (poll.votes, poll.path):
            poll.define('results = "closed"')
            token = client.report(f"{folder}/", sync(level="infinite")).xml.findtext("{DAV:}sync-token") or ""
            poll.define('results = "closed"\ncloses = 2020-01-01T00:00:00Z')
            reply = client.report(f"{folder}/", sync(token, level="infinite"))
            assert (reply.status, reply.condition) == (403, "{DAV:}valid-sync-token")
