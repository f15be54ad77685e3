"""``poll.toml`` and the files of voters: what they can say, and what is said of a mistake."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import FileRefused
from storage.poll import Option, Poll, parse_options, parse_poll, render_new
from storage.votes import Vote, VoteRefused, parse_vote, render_vote, require_room, tally
from tests.harness import ROOT, Dav
from tests.polls.conftest import Poll as Made

PARIS = "Europe/Paris"
TIMES = [
    # what is written as start and end, and what an option says
    (
        '"2026-12-12T18:00:00 Europe/Paris"',
        '"2026-12-12 20:00 Europe/Paris"',
        "2026-12-12 18:00",
        "20:00",
        "Europe/Paris",
    ),
    ("2026-12-12T18:00:00+01:00", "2026-12-12T18:00:00Z", "2026-12-12 17:00", "18:00", "UTC"),
    ("2026-12-12T18:00:00", None, "2026-12-12 18:00", "19:00", None),
    ('"2026-12-12T18:00:00 UTC"', None, "2026-12-12 18:00", "19:00", "UTC"),
    ("2026-12-12T18:00:00.5", "2026-12-12T18:30:00", "2026-12-12 18:00", "18:30", None),
]


def option(start: str, end: str | None = None, more: str = "") -> str:
    return f'[[option]]\nid = "a"\nstart = {start}\n' + ("" if end is None else f"end = {end}\n") + more


@pytest.mark.parametrize(("start", "end", "from_", "until", "zone"), TIMES)
def test_a_time_is_of_a_zone_of_an_offset_or_of_everybodys_clock(
    start: str, end: str | None, from_: str, until: str, zone: str | None
) -> None:
    [found] = parse_poll(option(start, end).encode()).options
    assert (f"{found.start:%Y-%m-%d %H:%M}", f"{found.end:%H:%M}", found.zone) == (from_, until, zone)


@pytest.mark.parametrize(("start", "end", "days"), [("2026-12-12", None, 1), ('"2026-12-12"', "2026-12-13", 2)])
def test_whole_days_end_with_the_last_that_is_meant(start: str, end: str | None, days: int) -> None:
    [found] = parse_poll(option(start, end).encode()).options
    assert (found.start, found.end, found.zone) == (date(2026, 12, 12), date(2026, 12, 12 + days), None)


@pytest.mark.parametrize("language", ["en", "fr", "de"])
def test_a_new_poll_is_an_example_and_each_line_of_it_that_is_switched_on_is_valid(language: str) -> None:
    text = render_new("abcdefgh", language).decode()
    assert parse_poll(text.encode()).id == "abcdefgh"
    switched = "".join(line.removeprefix("# ") if " = " in line else line for line in text.splitlines(keepends=True))
    found = parse_poll(switched.encode())
    assert (found.closes, found.decided, found.per_option) == (datetime(2026, 12, 10, 20, tzinfo=UTC), "a", 10)
    assert (found.anonymous, found.propose, found.maybe, found.results) == (True, True, False, "closed")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('results = "later"\n', "poll.toml:1: results is 'later'; it can be always, closed or never"),
        ('kind = "text"\n[[option]]\nid = "a"\n', "poll.toml:2: an option without label"),
        ('[[option]]\nid = "a"\n', "poll.toml:1: an option without start"),
        ("[[option]]\nstart = 2026-12-12\n", "poll.toml:1: an option without id"),
        (option("2026-12-12").replace('"a"', '"a b"'), "poll.toml:2: id is 'a b'"),
        (option("2026-12-12") * 2, "poll.toml:5: the id 'a' stands there twice"),
        (option("2026-12-12", "2026-12-11"), "poll.toml:4: end is before start"),
        (option("2026-12-12T18:00:00", "2026-12-12T18:00:00"), "poll.toml:4: end is not after start"),
        (option("2026-12-12", "2026-12-12T18:00:00"), "poll.toml:4: end is of another kind than start"),
        (option('"2026-12-12T18:00 Europe/Paris"', "2026-12-12T18:00:00Z"), "poll.toml:4: end is of another kind"),
        (option('"2026-12-12T18:00 Europe/Atlantis"'), "poll.toml:3: the time zone 'Europe/Atlantis' is not known"),
        (option('"2026-12-12T18:00 ../../etc/passwd"'), "poll.toml:3: "),
        (option('"2026-02-30"'), "poll.toml:3: start is '2026-02-30'"),
        (option("18:00:00"), "poll.toml:3: start is '18:00:00'"),
        (option("9999-12-31"), "poll.toml:3: "),
        (option("9999-12-31T23:30:00"), "poll.toml:3: "),
        (option("0001-01-01T00:00:00+01:00"), "poll.toml:3: "),
        ('decided = "z"\n' + option("2026-12-12"), "poll.toml:1: decided is 'z', which is no option"),
        ("closes = 0001-01-01T00:00:00+14:00\n", "poll.toml:1: closes is in the year 1"),
        ("closes = 2026-01-01\n", "poll.toml:1: closes"),
        ('calendar = "x\\nERROR of nobody"\n', "poll.toml:1: calendar is 'x\\nERROR of nobody'; it can be a calendar"),
        ('calendar = "a/b/c"\n', "poll.toml:1: calendar is 'a/b/c'"),
        ("per_voter = -1\n", "poll.toml:1: per_voter"),
        ("voter = 1\n", "poll.toml:1: unknown key 'voter'"),
        ("a = [\n", "poll.toml"),
        ("\0", "poll.toml:1"),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, said: str) -> None:
    with pytest.raises(FileRefused) as refused:
        parse_poll(text.encode())
    assert said in str(refused.value)


def test_a_poll_with_a_mistake_is_refused_and_the_old_one_stays_in_force(poll: Made, bob: Dav) -> None:
    before = poll.tree()
    reply = poll.alice.put(f"{poll.path}/poll.toml", 'voters = ["carol"]\ndecided = "z"\n')
    assert reply.status == 422
    assert "poll.toml:2: decided is 'z'" in reply.text
    assert poll.tree() == before
    assert bob.put(f"{poll.votes}/bob.toml", 'a = "yes"\n').status == 201


moments = st.datetimes().map(lambda at: at.isoformat()) | st.dates().map(lambda day: day.isoformat())
zones = st.sampled_from(["", "Z", "+14:00", "-12:00", " Europe/Paris", " UTC", " x"])
written = st.tuples(moments, zones).map("".join)
values = (
    written | written.map(lambda text: f'"{text}"') | st.sampled_from(["1", "true", '""', "[]", "{}", "1979-05-27"])
)
lines = st.tuples(st.sampled_from(["id", "label", "start", "end", "x"]), values).map(" = ".join)
tables = st.lists(lines, max_size=4, unique_by=lambda line: line.split()[0])
files = st.lists(tables.map(lambda table: "[[option]]\n" + "\n".join(table)), max_size=3).map("\n".join)


@given(files.map(str.encode) | st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_a_poll_and_proposals_or_refused(data: bytes) -> None:
    with suppress(FileRefused):
        found = parse_poll(data)
        assert all(each.start is None or (each.end is not None and each.end > each.start) for each in found.options)
    with suppress(FileRefused):
        parse_options(data, "bob.toml")


answers = st.dictionaries(st.sampled_from(["a", "b", "c-1", "d_2"]), st.sampled_from(["yes", "no", "maybe"]))


@given(
    answers,
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=20),
    st.text(st.characters(codec="utf-8"), max_size=10),
)
def test_a_vote_that_is_written_reads_the_same(said: dict[str, str], name: str, code: str) -> None:
    assert parse_vote(render_vote(Vote(said)), "bob.toml") == Vote(said)
    guest = Vote(said, f"x{name}", code if code.strip() else "")
    assert parse_vote(render_vote(guest), "guest-abc234.toml", is_guest=True) == guest


@given(st.binary(max_size=60) | st.text(alphabet='ab="yesnomaybe\n[]vt', max_size=60).map(str.encode), st.booleans())
def test_any_bytes_are_a_vote_or_refused(data: bytes, is_guest: bool) -> None:
    poll = Poll(options=(Option("a", "A"), Option("b", "B")))
    for asked in (None, poll):
        with suppress(FileRefused):
            found = parse_vote(data, "guest-abc234.toml" if is_guest else "bob.toml", asked, is_guest=is_guest)
            assert set(found.answers.values()) <= {"yes", "maybe", "no"}


@given(st.lists(answers, max_size=6), answers, answers, st.integers(0, 3), st.integers(0, 3))
def test_a_vote_is_taken_only_where_there_is_room_and_less_is_always_taken(
    others: list[dict[str, str]], before: dict[str, str], after: dict[str, str], per_option: int, per_voter: int
) -> None:
    poll = Poll(per_option=per_option, per_voter=per_voter)
    votes = [Vote(each) for each in others]
    asked = {id for id, answer in after.items() if answer == "yes"}
    kept = {id for id, answer in before.items() if answer == "yes"}
    try:
        require_room(poll, Vote(before), Vote(after), votes)
    except VoteRefused:
        assert asked - kept
        return
    counts = tally(votes)
    for id in asked - kept:
        assert not per_option or counts.get(id, {"yes": 0})["yes"] < per_option
    assert not per_voter or not asked - kept or len(asked) <= per_voter


def test_what_the_guide_shows_is_valid() -> None:
    text = (ROOT / "docs/polls.md").read_text("utf-8")
    poll = parse_poll(text.split("```toml\n")[1].split("```")[0].encode())
    assert (poll.decided, [each.id for each in poll.options]) == ("a", ["a", "b"])
    vote = "\n".join(re.findall(r'^    ([abc] = "[a-z]+")$', text, re.MULTILINE))
    assert set(parse_vote(vote.encode(), "alice.toml").answers) == {"a", "b", "c"}
