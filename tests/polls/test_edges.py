"""Polls where something is missing, odd or changed meanwhile."""

from __future__ import annotations

import re
import shutil
import tomllib
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import MakeServer
from tests.files.treemirror import TreeMirror
from tests.harness import ACCESS, GROUPS, Dav, Server, users_toml
from tests.polls.conftest import RULES, Poll

YES = 'a = "yes"\n'
JSON = {"Content-Type": "application/json"}
PAGE = {"Content-Type": "application/x-www-form-urlencoded"}


def personal(client: Dav, poll: Poll) -> str:
    found = re.search(r"/p/[A-Za-z0-9_-]+/", client.get(f"{poll.path}/my-link.txt").text)
    assert found is not None
    return found[0]


def test_without_its_folder_of_votes_a_poll_takes_none_and_says_so(poll: Poll, bob: Dav) -> None:
    link, public = personal(bob, poll), poll.publish()
    assert poll.alice.delete(poll.votes).status == 204
    before = poll.tree()
    assert bob.put(f"{poll.votes}/bob.toml", YES).status == 403
    assert poll.visitor.request("POST", f"{link}votes/", "opt.a=yes", PAGE).status in (404, 409)
    assert poll.visitor.request("POST", f"{public}votes/", "opt.a=yes&name=Zoe&code=1", PAGE).status in (404, 409)
    assert poll.results()[1:] == [["yes", "0", "0", "0"], ["maybe", "0", "0", "0"], ["no", "0", "0", "0"]]
    assert poll.tree() == before
    assert poll.alice.mkcol(poll.votes).status == 201
    assert bob.put(f"{poll.votes}/bob.toml", YES).status == 201


@pytest.mark.parametrize("name", ["name", "code", "opt.a", "opt.z"])
def test_the_trap_for_programs_is_none_of_the_fields_that_people_fill_in(poll: Poll, name: str) -> None:
    before = poll.tree()
    reply = poll.alice.put(f"{poll.path}/poll.toml", f'voters = ["bob"]\nhoneypot = "{name}"\n')
    assert reply.status == 422
    assert "poll.toml:2: honeypot" in reply.text
    assert poll.tree() == before


def test_a_lock_keeps_no_vote_from_the_phone_for_longer_than_ten_minutes(poll: Poll, bob: Dav) -> None:
    lock = bob.lock(f"{poll.votes}/bob.toml", timeout="Second-86400")
    assert lock.status == 201
    assert "Second-600<" in lock.text
    assert bob.unlock(f"{poll.votes}/bob.toml", lock.lock_token).status == 204


def test_a_poll_that_nobody_owns_is_found_by_its_voters_and_lost_when_they_are_none(
    make_server: MakeServer,
) -> None:
    server: Server = make_server(access=ACCESS, folders=("Polls/Lunch/votes",))
    settings = server.data / "files/Polls/Lunch/poll.toml"
    settings.write_text('kind = "text"\nvoters = ["bob"]\n[[option]]\nid = "a"\nlabel = "A"\n')
    server.start()
    bob = server.client("bob")
    mirrors = [TreeMirror(bob, path, infinite=True) for path in ("/files/", "/files/Polls/")]
    assert all("/files/Polls/Lunch/poll.toml" in mirror.synchronise() for mirror in mirrors)
    assert server.client("carol").propfind("/files/Polls/").status == 404
    settings.unlink()
    settings.write_text('kind = "text"\nvoters = ["carol"]\n[[option]]\nid = "a"\nlabel = "A"\n')
    assert not any("/files/Polls/Lunch/poll.toml" in mirror.synchronise() for mirror in mirrors)
    assert server.client("carol").propfind("/files/Polls/Lunch/").status == 207


def test_an_account_that_is_called_like_a_guest_votes_under_its_own_name_alone(make_server: MakeServer) -> None:
    server: Server = make_server(access=ACCESS + RULES, folders=("Polls",))
    (server.folder / "users.toml").write_text(users_toml(["alice", "bob", "guest-summer"]))
    (server.folder / "groups.toml").write_text(GROUPS.replace('"carol"', '"guest-summer"'))
    server.start()
    poll, guest = Poll(server, "/files/Polls/p"), server.client("guest-summer")
    assert poll.alice.mkcol(poll.path).status == 201
    poll.define()
    path = f"{poll.votes}/guest-summer.toml"
    assert guest.put(path, 'name = "bob"\n[vote]\na = "yes"\n').status == 422
    assert guest.put(path, YES).status == 201
    assert poll.results()[1] == ["guest-summer", "yes", "", ""]
    assert poll.visitor.request("POST", f"{personal(guest, poll)}votes/", "opt.b=no", PAGE).status == 303
    assert poll.results()[1] == ["guest-summer", "yes", "no", ""]


def test_of_guests_who_come_at_once_under_one_name_one_has_it(poll: Poll) -> None:
    url = poll.publish()
    poll.define("per_option = 2")

    def vote(number: int) -> int:
        body = f"opt.a=yes&name=Zoe&code={number}"
        return poll.server.client().request("POST", f"{url}votes/", body, PAGE).status

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(vote, range(8))) == [303, *[409] * 7]
    assert len(list((poll.disk / "votes").glob("guest-*"))) == 1


def test_votes_are_counted_alike_after_the_index_was_lost(make_server: MakeServer) -> None:
    server: Server = make_server(access=ACCESS + RULES, folders=("Polls",)).start()
    poll, bob = Poll(server, "/files/Polls/p"), server.client("bob")
    assert poll.alice.mkcol(poll.path).status == 201
    poll.define("anonymous = true\nper_option = 1")
    assert bob.put(f"{poll.votes}/my-vote.toml", YES).status == 201
    link, results = personal(bob, poll), poll.results()
    server.stop()
    for file in server.data.glob("index.sqlite*"):
        file.unlink()
    server.start()
    poll, bob = Poll(server, poll.path), server.client("bob")
    assert (personal(bob, poll), poll.results()) == (link, results)
    assert bob.get(f"{poll.votes}/my-vote.toml").text == YES
    assert server.client("carol").put(f"{poll.votes}/my-vote.toml", YES).status == 409


def test_a_poll_that_is_copied_on_the_disk_has_other_links_and_hashes(poll: Poll, bob: Dav) -> None:
    poll.define("anonymous = true")
    assert bob.put(f"{poll.votes}/my-vote.toml", YES).status == 201
    link = personal(bob, poll)
    shutil.copytree(poll.disk, f"{poll.disk}disk")
    copy = Poll(poll.server, f"{poll.path}disk")
    assert bob.get(f"{copy.votes}/my-vote.toml").status == 404
    assert personal(bob, copy) != link
    assert bob.get(f"{poll.votes}/my-vote.toml").text == YES
    assert personal(bob, poll) == link


def test_who_saves_as_file_managers_do_votes_and_comes_too_late_alike(poll: Poll, bob: Dav, carol: Dav) -> None:
    path = f"{poll.votes}/bob.toml"
    assert bob.put(path, "").status == 201  # an empty file first, then a lock, then the bytes
    token = bob.lock(path).lock_token
    held = {"If": f"(<{token}>)"}
    assert bob.put(path, 'z = "yes"\n', held).status == 422
    assert bob.put(path, YES, held).status == 204
    assert bob.unlock(path, token).status == 204
    token = carol.lock(f"{poll.votes}/carol.toml").lock_token  # or a lock of what is not there
    assert carol.put(f"{poll.votes}/carol.toml", YES, {"If": f"(<{token}>)"}).status == 204
    assert carol.delete(f"{poll.votes}/carol.toml", {"If": f"(<{token}>)"}).status == 204
    poll.close()
    before = poll.tree()
    assert carol.lock(f"{poll.votes}/carol.toml").status == 409
    assert carol.put(f"{poll.votes}/carol.toml", YES).status == 409
    token = bob.lock(path).lock_token
    assert bob.put(path, "", {"If": f"(<{token}>)"}).status == 409
    assert bob.unlock(path, token).status == 204
    assert poll.tree() == before


def test_an_empty_vote_is_none(poll: Poll, bob: Dav) -> None:
    assert bob.put(f"{poll.votes}/bob.toml", "# not yet\n").status == 201
    assert [row[0] for row in poll.results()] == ["", "yes", "maybe", "no"]
    assert b"bob" not in poll.alice.get(f"{poll.path}/results-framadate.csv").body


def test_what_is_decided_finds_the_calendar_of_somebody_who_has_only_ever_edited_files(make_server: MakeServer) -> None:
    server: Server = make_server(access=ACCESS + RULES, folders=("Polls",))
    server.start()
    poll = Poll(server, "/files/Polls/Rehearsal")
    assert poll.alice.mkcol(poll.path).status == 201
    poll.define('decided = "a"\ncalendar = "calendar"')
    assert poll.alice.get(f"/dav/alice/calendar/{poll.id}-a-decided.ics").status == 200
    assert poll.alice.propfind("/dav/alice/tasks/").status == 207


def test_ballots_that_are_deleted_at_once_all_stay_away(poll: Poll, bob: Dav) -> None:
    names = [f"o{number}" for number in range(1, 13)]
    poll.define(options="".join(f'[[option]]\nid = "{name}"\nstart = 2027-01-{name[1:]:0>2}\n' for name in names))
    hrefs = [f"/dav/bob/polls/{poll.id}-{name}.ics" for name in names]
    assert set(hrefs) <= set(bob.propfind("/dav/bob/polls/", depth="1").multistatus())
    with ThreadPoolExecutor(len(names)) as pool:
        assert set(pool.map(lambda href: poll.server.client("bob").delete(href).status, hrefs)) == {204}
    assert not set(hrefs) & set(bob.propfind("/dav/bob/polls/", depth="1").multistatus())
    assert tomllib.loads((poll.disk / "votes/bob.toml").read_text()) == dict.fromkeys(names, "no")


def test_a_vote_of_many_lines_that_are_none_is_refused_in_a_few(poll: Poll, bob: Dav) -> None:
    poll.define(options="".join(f'[[option]]\nid = "{"o" * 28}{n}"\nstart = 2027-01-01\n' for n in range(100)))
    before = poll.tree()
    reply = bob.put(f"{poll.votes}/bob.toml", "".join(f"k{number} = 1\n" for number in range(6000)))
    assert (reply.status, reply.text) == (422, "bob.toml: 6000 options; a poll can have 100\n")
    assert poll.tree() == before


def test_the_name_of_a_guest_has_no_characters_that_are_none(poll: Poll) -> None:
    url = poll.publish() + "votes/"
    for name in ("\\u0000Eve\\ud800", "Eve"):
        body = f'{{"name": "{name}", "code": "x", "opt": {{"a": "yes"}}}}'
        assert poll.visitor.request("POST", url, body, JSON).status == 201
    assert [row[0] for row in poll.results()[1:-3]] == ["Eve"]
    before, body = poll.tree(), b'{"name": "\\u0007", "code": "x", "opt": {"a": "yes"}}'
    assert poll.visitor.request("POST", url, body, JSON).status == 422
    assert poll.tree() == before
