"""Voting in a browser: guests by the link of a poll, members by links of their own."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest

from storage.poll import parse_poll
from storage.pollpages import render_poll
from tests.forms.test_pages import tidy
from tests.harness import Dav, Reply
from tests.polls.conftest import OPTIONS, Poll

PAGE = {"Content-Type": "application/x-www-form-urlencoded", "Origin": "null", "Sec-Fetch-Site": "cross-site"}


def vote(client: Dav, url: str, **fields: str) -> Reply:
    values = {name.replace("_", "."): value for name, value in fields.items()}
    return client.request("POST", f"{url}votes/", urlencode(values), PAGE)


def guests(poll: Poll) -> list[str]:
    return sorted(file.read_text() for file in (poll.disk / "votes").glob("guest-*.toml"))


@pytest.mark.parametrize("language", ["en", "fr", "de"])
def test_the_page_of_a_poll_is_valid_and_without_scripts(language: str) -> None:
    page = render_poll(
        parse_poll(('voters = ["a"]\nhoneypot = "website"\n' + OPTIONS).encode()), "<Poll> & more", language
    )
    assert tidy(page) == ""
    assert b"<script" not in page
    assert page.count(b'type="radio"') == 9
    assert b" required" not in page  # members leave name and code empty
    assert render_poll(parse_poll(OPTIONS.encode()), "Poll", language).count(b" required") == 2


def test_a_guest_votes_and_changes_the_vote_with_the_same_code(poll: Poll) -> None:
    url = poll.publish()
    assert 'name="opt.a"' in poll.visitor.get(url).text
    reply = vote(poll.visitor, url, name="Eva", code="1234", opt_a="yes", opt_b="maybe", unknown="x")
    assert (reply.status, reply.headers["location"]) == (303, f"{url}thanks.html")
    (text,) = guests(poll)
    assert text.startswith('name = "Eva"\ncode = "')
    assert text.endswith('[vote]\na = "yes"\nb = "maybe"\n')
    assert "1234" not in text
    assert vote(poll.visitor, url, name="eva", code="1234", opt_a="no").status == 303
    (text,) = guests(poll)
    assert text.endswith('[vote]\na = "no"\n')
    assert [row[0] for row in poll.results()] == ["", "eva", "yes", "maybe", "no"]


def test_the_same_name_with_another_code_is_somebody_else(poll: Poll) -> None:
    url = poll.publish()
    assert vote(poll.visitor, url, name="Eva", code="1234", opt_a="yes").status == 303
    before = poll.tree()
    reply = vote(poll.visitor, url, name="EVA", code="4321", opt_a="no")
    assert reply.status == 409
    assert poll.tree() == before


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"code": "1", "opt_a": "yes"}, "name: required"),
        ({"name": "Eva", "opt_a": "yes"}, "code: required"),
        ({"name": "x" * 101, "code": "1", "opt_a": "yes"}, "name: required"),
        ({"name": "Eva", "code": "1"}, "Nothing was voted on."),
        ({"name": "Eva", "code": "1", "opt_a": "perhaps"}, "a: not one of the answers"),
    ],
)
def test_a_vote_that_lacks_something_is_told_what(poll: Poll, fields: dict[str, str], said: str) -> None:
    url = poll.publish()
    before = poll.tree()
    reply = vote(poll.visitor, url, **fields)
    assert reply.status == 422
    assert said in reply.text
    assert poll.tree() == before


def test_a_guest_who_comes_late_meets_the_page_that_says_so(poll: Poll) -> None:
    url = poll.publish()
    assert vote(poll.visitor, url, name="Eva", code="1", opt_a="yes").status == 303
    poll.close()
    before, results = poll.tree(), poll.results()
    reply = vote(poll.visitor, url, name="Eva", code="1", opt_a="no")
    assert reply.status == 403
    assert "No more answers" in reply.text
    assert reply.headers["content-security-policy"].startswith("sandbox allow-forms")
    assert "No more answers" in poll.visitor.get(url).text
    assert poll.tree() == before
    assert poll.results() == results


def test_a_full_option_is_refused_to_guests_too(poll: Poll) -> None:
    url = poll.publish()
    poll.define("per_option = 1")
    assert vote(poll.visitor, url, name="Eva", code="1", opt_a="yes").status == 303
    before = poll.tree()
    assert vote(poll.visitor, url, name="Max", code="1", opt_a="yes").status == 409
    assert poll.tree() == before


def test_names_of_guests_are_no_formulas(poll: Poll) -> None:
    url = poll.publish()
    assert vote(poll.visitor, url, name="=1+1", code="1", opt_a="yes").status == 303
    assert any(row[0] == "'=1+1" for row in poll.results())
    assert "'=1+1" in poll.alice.get(f"{poll.path}/results-framadate.csv").text


def test_nothing_but_the_pages_is_there_for_strangers(poll: Poll, bob: Dav) -> None:
    assert bob.put(f"{poll.votes}/bob.toml", 'a = "yes"\n').status == 201
    url = poll.publish()
    for name in ("poll.toml", "votes/bob.toml", "results.csv", "results-framadate.csv", "links.txt", "my-link.txt"):
        assert poll.visitor.get(f"{url}{name}").status == 404, name
    before = poll.tree()
    for method in ("GET", "PROPFIND", "PUT", "DELETE"):
        assert poll.visitor.request(method, f"{url}votes/").status in (404, 405)
        assert poll.visitor.request(method, f"{url}votes/bob.toml").status in (404, 405)
    assert poll.tree() == before


def test_a_members_own_link_counts_as_the_members_vote(poll: Poll, bob: Dav, dora: Dav) -> None:
    found = re.search(r"(/p/[A-Za-z0-9_-]{22}/)", bob.get(f"{poll.path}/my-link.txt").text)
    assert found is not None
    mine = found[1]
    assert dora.get(f"{poll.path}/my-link.txt").status == 404
    assert 'name="opt.a"' in poll.visitor.get(mine).text
    assert vote(poll.visitor, mine, opt_a="yes").status == 303
    assert bob.get(f"{poll.votes}/bob.toml").text == 'a = "yes"\n'
    assert bob.put(f"{poll.votes}/bob.toml", '# mine\na = "yes"\nc = "no"\n').status == 204
    assert vote(poll.visitor, mine, opt_a="no").status == 303
    assert bob.get(f"{poll.votes}/bob.toml").text == '# mine\na = "no"\nc = "no"\n'
    poll.close()
    before = poll.tree()
    assert vote(poll.visitor, mine, opt_a="yes").status == 409
    assert poll.tree() == before
    poll.define('voters = ["board"]')
    assert poll.visitor.get(mine).status == 404


def test_a_member_votes_by_post_and_others_do_not(poll: Poll, bob: Dav, dora: Dav) -> None:
    headers = {"Content-Type": "application/json"}
    assert bob.request("POST", f"{poll.votes}/", '{"opt": {"a": "yes"}, "opt.b": "no"}', headers).status == 201
    assert bob.get(f"{poll.votes}/bob.toml").text == 'a = "yes"\nb = "no"\n'
    before = poll.tree()
    assert poll.alice.request("POST", f"{poll.votes}/", '{"opt.a": "yes"}', headers).status == 403
    assert dora.request("POST", f"{poll.votes}/", '{"opt.a": "yes"}', headers).status == 404
    assert bob.request("POST", f"{poll.votes}/", '{"opt.a": "yes"}', {**headers, "Origin": "null"}).status == 403
    assert bob.request("POST", f"{poll.votes}/", "a,b\n", {"Content-Type": "text/csv"}).status == 415
    assert poll.tree() == before


def test_programs_that_fill_in_what_nobody_sees_are_thanked(poll: Poll) -> None:
    url = poll.publish()
    poll.define('honeypot = "website"')
    before = poll.tree()
    assert vote(poll.visitor, url, name="Eva", code="1", opt_a="yes", website="x").status == 303
    assert poll.tree() == before


def test_framadate_reads_what_is_exported(poll: Poll, bob: Dav) -> None:
    assert bob.put(f"{poll.votes}/bob.toml", 'a = "yes"\nb = "maybe"\nc = "no"\n').status == 201
    text = poll.alice.get(f"{poll.path}/results-framadate.csv").text
    assert text.split("\r\n") == [
        ",Tue 12 Jan 2027,Wed 13 Jan 2027,Mon 1 Feb 2027,",
        ",18:00-20:00,,10:00-11:00,",
        "bob,Yes,Under reserve,No,",
        "",
    ]
