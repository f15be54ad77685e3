"""Polls of Framadate: what becomes of the table that it exports."""

from __future__ import annotations

import tomllib
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import FileRefused
from storage.framadate import parse_framadate, render_framadate
from storage.movein.polls import looks_like_table, read_poll
from storage.movein.values import NotUsable, Tree
from storage.poll import Poll, parse_poll
from storage.votes import parse_vote

FRENCH = """\
\ufeff,"le samedi 12 décembre 2026","le samedi 12 décembre 2026","le dimanche 13 décembre 2026",\r
,"10h","14:00-15:30","soir",\r
"Zoé, la trésorière","Oui","Si nécessaire","Non",\r
"=1+1","unkown","Oui","",\r
"\x01","Non","Non","Non",\r
"""
ENGLISH = '\ufeff,Pizza,Pasta & "more",\r\n"Zoe","Yes","Under reserve",\r\n"Zoe","No","Yes",\r\n'


def texts(tree: Tree) -> dict[str, str]:
    return {file.path: file.content.decode() for file in tree.files if isinstance(file.content, bytes)}


def test_days_and_times_become_options_and_each_line_the_vote_of_a_guest() -> None:
    tree = read_poll(FRENCH.encode(), "Assemblée: générale")
    assert (tree.name, tree.folders) == ("Assemblée- générale", ("votes",))
    found = texts(tree)
    assert set(found) == {"poll.toml", "votes/guest-1.toml", "votes/guest-2.toml", "votes/guest-3.toml"}
    poll = parse_poll(found["poll.toml"].encode())
    assert (poll.title, poll.kind, poll.voters) == ("Assemblée: générale", "date", ())
    assert [(str(option.start), str(option.end)) for option in poll.options[:2]] == [
        ("2026-12-12 10:00:00", "2026-12-12 11:00:00"),
        ("2026-12-12 14:00:00", "2026-12-12 15:30:00"),
    ]
    assert (poll.options[2].start, poll.options[2].label) == (date(2026, 12, 13), "soir")
    votes = [
        parse_vote(found[name].encode(), name.rpartition("/")[2], poll, is_guest=True) for name in sorted(found)[1:]
    ]
    assert [(vote.name, dict(vote.answers)) for vote in votes] == [
        ("Zoé, la trésorière", {"o1": "yes", "o2": "maybe", "o3": "no"}),
        ("=1+1", {"o2": "yes"}),
        ("guest-3", {"o1": "no", "o2": "no", "o3": "no"}),
    ]
    assert all(not vote.code for vote in votes)
    assert tree.lost == ("answers that are empty or unknown there and missing here: 2 ('=1+1')",)


def test_a_poll_about_anything_else_has_labels_and_two_of_one_name_both_vote() -> None:
    found = texts(read_poll(ENGLISH.encode(), "Lunch"))
    assert [option["label"] for option in tomllib.loads(found["poll.toml"])["option"]] == ["Pizza", 'Pasta & "more"']
    assert found["votes/guest-1.toml"] == 'name = "Zoe"\n[vote]\no1 = "yes"\no2 = "maybe"\n'
    assert found["votes/guest-2.toml"] == 'name = "Zoe"\n[vote]\no1 = "no"\no2 = "yes"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,Monday\r\n", "line 1: the first line of such a table begins with an empty cell"),
        (",a,\r\n\r\nZoe,Yes,\r\nBob,Perhaps,\r\n", "line 4: 'Perhaps' is no answer that is known"),
        ("," + "a," * 101 + "\r\n", "line 1: 101 options; a poll can have 100"),
        (",\udcff,\r\n", "no table in UTF-8"),
        ("", "line 1"),
    ],
)
def test_what_is_no_such_table_is_refused(text: str, said: str) -> None:
    with pytest.raises(NotUsable, match=said):
        read_poll(text.encode(errors="surrogateescape"), "x")


@pytest.mark.parametrize("data", [FRENCH.encode(), ENGLISH.encode(), b'"","a"\r\n', b"\r\n,a\r\n"])
def test_a_table_is_told_by_its_empty_first_cell(data: bytes) -> None:
    assert looks_like_table(data)


@pytest.mark.parametrize("data", [b"", b"BEGIN:VCALENDAR", b'{"a": 1}', b"time,member\r\n", b"PK\x03\x04"])
def test_nothing_else_is_taken_for_a_table(data: bytes) -> None:
    assert not looks_like_table(data)


@given(st.text(alphabet='",\r\n;ab 12:/-.é\ufeffhYesNo', max_size=200).map(str.encode) | st.binary(max_size=200))
def test_any_bytes_are_a_poll_that_can_be_stored_or_refused(data: bytes) -> None:
    with suppress(NotUsable):
        parse_poll(texts(read_poll(data, "Poll"))["poll.toml"].encode())


cells = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), min_size=1, max_size=20)


@given(st.lists(cells.filter(str.strip), min_size=1, max_size=5), st.data())
def test_what_is_exported_comes_in_again(labels: list[str], data: st.DataObject) -> None:
    rows = [[label.strip() for label in labels]]
    answers = st.lists(st.sampled_from(["Yes", "No", "Under reserve"]), min_size=len(labels), max_size=len(labels))
    rows += data.draw(st.lists(answers, max_size=3))
    text = "," + ",".join('"' + cell.replace('"', '""') + '"' for cell in rows[0]) + ",\r\n"
    text += "".join(f"V{number},{','.join(row)},\r\n" for number, row in enumerate(rows[1:]))
    try:
        found = parse_framadate(text.encode())
    except FileRefused:
        return
    again = parse_framadate(render_framadate(Poll(kind=found.kind, options=found.options), found.votes, "en"))
    assert [vote for _, vote in again.votes] == [vote for _, vote in found.votes]
    assert len(again.options) == len(found.options)
