"""``form.toml`` and what is sent against it, as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.answering import name_of_new
from storage.answers import (
    OTHER,
    Answer,
    AnswerRefused,
    FileTooLarge,
    Sent,
    SentFile,
    Value,
    judge_answer,
    parse_answer,
    render_answer,
    text_of_value,
)
from storage.errors import FileRefused
from storage.form import TYPES, parse_form, render_new

FORM = parse_form(
    b"""
[[field]]
name = "name"
label = "Name"
required = true
max = 10
[[field]]
name = "text"
type = "longtext"
[[field]]
name = "mail"
type = "email"
[[field]]
name = "tel"
type = "tel"
[[field]]
name = "number"
type = "number"
min = 0.5
max = 10
step = 0.5
[[field]]
name = "scale"
type = "scale"
[[field]]
name = "date"
type = "date"
[[field]]
name = "at"
type = "time"
[[field]]
name = "choice"
type = "choice"
options = ["a", "b"]
other = true
[[field]]
name = "choices"
type = "choices"
options = ["x", "y", "z"]
max = 2
[[field]]
name = "ranking"
type = "ranking"
options = ["A", "B", "C"]
[[field]]
name = "grid"
type = "grid"
rows = ["Food", "Music"]
options = ["good", "bad"]
[[field]]
name = "file"
type = "file"
types = [".pdf", "image/*"]
max_bytes = 100
[[field]]
name = "color"
type = "color"
[[field]]
name = "hidden"
type = "hidden"
"""
)


def judged(**texts: Sequence[str] | str) -> dict[str, Value]:
    sent = {name.replace("__", "."): [value] if isinstance(value, str) else value for name, value in texts.items()}
    return judge_answer(FORM, Sent({"name": ["Eva"], **sent}), "en")


@pytest.mark.parametrize(
    ("texts", "value"),
    [
        ({"name": " Eva\nB "}, {"name": "Eva B"}),
        ({"text": "one\r\ntwo"}, {"text": "one\ntwo"}),
        ({"mail": "eva@example.org"}, {"mail": "eva@example.org"}),
        ({"tel": "+33 (0)1 23"}, {"tel": "+33 (0)1 23"}),
        ({"number": "1.5"}, {"number": 1.5}),
        ({"number": "3.0"}, {"number": 3}),
        ({"number": ".5"}, {"number": 0.5}),
        ({"number": "25e-1"}, {"number": 2.5}),
        ({"number": "1E1"}, {"number": 10}),
        ({"scale": "5"}, {"scale": 5}),
        ({"date": "2027-02-28"}, {"date": "2027-02-28"}),
        ({"at": "23:59"}, {"at": "23:59"}),
        ({"choice": "b"}, {"choice": "b"}),
        ({"choice": OTHER, "choice__other": "c"}, {"choice": "c"}),
        ({"choice__other": "c"}, {"choice": "c"}),
        ({"choice": "b", "choice__other": "c"}, {"choice": "b"}),
        ({"choices": ["z", "x", "z"]}, {"choices": ("x", "z")}),
        ({"ranking": ["C", "A", "B"]}, {"ranking": ("C", "A", "B")}),
        ({"ranking__1": "2", "ranking__2": "3", "ranking__3": "1"}, {"ranking": ("C", "A", "B")}),
        ({"grid__1": "good"}, {"grid": {"Food": "good"}}),
        ({"color": "#AABBCC"}, {"color": "#aabbcc"}),
        ({"hidden": "web"}, {"hidden": "web"}),
        ({"unknown": "x", "_charset_": "utf-8", "submit": "Send"}, {}),
        ({"mail": "", "choices": [], "date": " "}, {}),
    ],
)
def test_a_value_is_of_its_type(texts: dict[str, Sequence[str]], value: Mapping[str, Value]) -> None:
    assert judged(**texts) == {"name": "Eva", **value}


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({"name": " "}, "Name: required"),
        ({"name": "x" * 11}, "Name: at most 10 characters"),
        ({"name": ["a", "b"]}, "Name: only one answer"),
        ({"mail": "eva"}, "mail: not a mail address"),
        ({"tel": "()"}, "tel: not a telephone number"),
        ({"number": "1e9"}, "number: at most 10"),
        ({"number": "1e99"}, "number: not a number"),
        ({"number": "1e-16"}, "number: not a number"),
        ({"number": "."}, "number: not a number"),
        ({"number": "٣"}, "number: not a number"),
        ({"number": "nan"}, "number: not a number"),
        ({"number": "0"}, "number: at least 0.5"),
        ({"number": "11"}, "number: at most 10"),
        ({"number": "0.7"}, "number: not in steps of 0.5"),
        ({"scale": "2.5"}, "scale: not in steps of 1"),
        ({"scale": "6"}, "scale: at most 5"),
        ({"date": "2027-02-29"}, "date: not a date"),
        ({"date": "20270228"}, "date: not a date"),
        ({"at": "25:00"}, "at: not a time"),
        ({"choice": ["a", "b"]}, "choice: only one answer"),
        ({"choice": "x" * 201}, "choice: at most 200 characters"),
        ({"choices": ["x", "y", "z"]}, "choices: at most 2"),
        ({"choices": "w"}, "choices: not one of the options"),
        ({"ranking": ["A", "B"]}, "ranking: each rank once"),
        ({"ranking__1": "1", "ranking__2": "1", "ranking__3": "2"}, "ranking: each rank once"),
        ({"grid__2": "so"}, "grid: not one of the options"),
        ({"color": "red"}, "color: not a colour"),
        ({"text": "x" * 10_001}, "text: at most 10000 characters"),
    ],
)
def test_a_wrong_value_is_named_by_its_label(texts: dict[str, Sequence[str]], said: str) -> None:
    with pytest.raises(AnswerRefused) as refused:
        judged(**texts)
    assert list(refused.value.problems.values()) == [said]


@pytest.mark.parametrize("most", ["99999999999999", "999999999999999.5", "1e15"])
def test_numbers_of_fifteen_digits_are_bounds_like_any_others(most: str) -> None:
    form = parse_form(f'[[field]]\nname = "n"\ntype = "number"\nmax = {most}\n'.encode())
    assert judge_answer(form, Sent({"n": ["99999999999999"]}), "en") == {"n": 99_999_999_999_999}
    parse_form(f'[[field]]\nname = "n"\nmax = {most.replace(".5", "")}\n'.encode())


def test_no_two_answers_have_the_same_name_by_chance() -> None:
    at, drawn = datetime(2026, 1, 31, 18, tzinfo=UTC), iter([bytes(5), bytes(5), b"12345"])
    taken = {name_of_new(at, lambda _: False, lambda _: next(drawn))}
    assert taken == {"2026-01-31T180000Z-aaaaaa.json"}
    assert name_of_new(at, taken.__contains__, lambda _: next(drawn)) == "2026-01-31T180000Z-gezdgn.json"


def test_all_that_is_wrong_is_told_in_the_order_of_the_form_and_in_the_language() -> None:
    with pytest.raises(AnswerRefused) as refused:
        judge_answer(FORM, Sent({"color": ["x"], "date": ["x"]}), "fr")
    assert str(refused.value) == "Name: obligatoire\ndate: pas une date\ncolor: pas une couleur"


def test_files_are_judged_by_number_kind_and_size() -> None:
    def of(*files: SentFile) -> dict[str, Value]:
        return judge_answer(FORM, Sent({"name": ["Eva"]}, {"file": files}), "en")

    pdf = SentFile("cv.PDF", "application/octet-stream", 100)
    assert of(pdf)["file"] == ("cv.PDF",)
    assert of(SentFile("me", "image/png", 1))["file"] == ("me",)
    with pytest.raises(AnswerRefused, match="file: at most 1 files"):
        of(pdf, pdf)
    with pytest.raises(AnswerRefused, match="not taken"):
        of(SentFile("x.exe", "application/x-msdownload", 1))
    with pytest.raises(FileTooLarge, match="101 bytes"):
        of(SentFile("cv.pdf", "application/pdf", 101))


@given(st.dictionaries(st.sampled_from([field.name for field in FORM.fields]), st.lists(st.text(), max_size=3)))
def test_whatever_is_sent_is_an_answer_that_can_be_read_again_or_refused(texts: dict[str, list[str]]) -> None:
    with suppress(AnswerRefused):
        values = judge_answer(FORM, Sent(texts), "en")
        answer = Answer(datetime(2027, 1, 1, tzinfo=UTC), None, values)
        assert parse_answer(render_answer("abcdefgh", answer)) == answer
        assert all(isinstance(text_of_value(value), str) for value in values.values())


@given(st.binary() | st.text().map(str.encode))
def test_any_file_is_a_form_or_refused(data: bytes) -> None:
    with suppress(FileRefused):
        parse_form(data)


@given(st.binary() | st.from_regex(r'\{"time": ?"[^"]*", ?"answers": ?\{[^}]*\}\}').map(str.encode))
def test_any_file_is_an_answer_or_none(data: bytes) -> None:
    parse_answer(data)


@pytest.mark.parametrize(
    "time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0999-01-01T00:00:00Z", "x"]
)
def test_a_file_with_a_time_that_cannot_be_is_no_answer(time: str) -> None:
    assert parse_answer(f'{{"time": "{time}", "answers": {{}}}}'.encode()) is None


@pytest.mark.parametrize("language", ["en", "fr", "de"])
def test_a_new_form_is_an_example_that_holds_and_names_every_type(language: str) -> None:
    text = render_new("abcdefgh", language)
    form = parse_form(text)
    assert form.id == "abcdefgh"
    assert form.title == "", "its folder names it"
    assert all(f'"{kind}"' in text.decode() for kind in TYPES if kind != "text")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title = 1", "form.toml:1: title is the number 1"),
        ("colour = 'x'", "form.toml:1: unknown key 'colour'"),
        ("once = true\nanonymous = true", "form.toml:1: once = true in an anonymous form"),
        ("view = 'table'", "form.toml:1: view is 'table'; it can be journal, task or none"),
        ("summary = ['x']", "form.toml:1: summary names 'x', which is no field"),
        ("closes = 2027-01-01T00:00:00", "form.toml:1: closes is a time without offset"),
        ("public = ['responses.csv']", "form.toml:1: public holds 'responses.csv'"),
        ("public = ['../x.css']", "form.toml:1: public holds '../x.css'"),
        ("public = ['.htaccess']", "form.toml:1: public holds '.htaccess'"),
        ("[[field]]\nlabel = 'x'", "form.toml:1: a field without name"),
        ("[[field]]\nname = 'time'", "form.toml:2: name is 'time'; the table of answers"),
        ("[[field]]\nname = 'a'\n[[field]]\nname = 'A'", "form.toml:4: the name 'A' stands there twice"),
        ("[[field]]\nname = 'a'\ntype = 'choice'", "form.toml:1: a choice without options"),
        ("[[field]]\nname = 'a'\ntype = 'grid'\noptions = ['x']", "form.toml:1: a grid without rows"),
        ("[[field]]\nname = 'a'\ntype = 'number'\nstep = 0", "form.toml:4: step is 0"),
        ("honeypot = 'Member'", "form.toml:1: honeypot is 'Member'"),
        ("[[field]]\nname = 'a'\ntype = 'number'\nmax = 1000000000000001", "form.toml:4: max is 1000000000000001"),
        ("[[field]]\nname = 'a'\ntype = 'number'\nstep = 1e-16", "form.toml:4: step is 1E-16"),
        ("[[field]]\nname = 'a'\ntype = 'scale'\nstep = 0.001", "a scale from 1 to 5 in steps of 0.001"),
        ("[[field]]\nname = 'a'\ntype = 'scale'\nmin = 7", "a scale from 7 to 5"),
        (
            "[[field]]\nname = 'a'\ntype = 'grid'\n"
            f"rows = {[str(n) for n in range(100)]}\noptions = {[str(n) for n in range(60)]}",
            "6000 choices in all",
        ),
        ("[[field]]\nname = 'a'\ntype = 'file'\ntypes = ['pdf']", "form.toml:4: types holds 'pdf'"),
        ("[[field]]\nname = 'a'\noptions = ['x']", "form.toml:3: unknown key 'options'"),
        (
            "[[field]]\nname = 'a'\ntype = 'choice'\noptions = ['x', 'x']",
            "form.toml:4: one of the options stands",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, said: str) -> None:
    with pytest.raises(FileRefused) as refused:
        parse_form(text.encode())
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ('["world", "dora"]', "world"),
        ('["dora", "world", "members"]', "world"),
        ('["sport", "members"]', "members"),
        ('"sport"', ("sport",)),
    ],
)
def test_in_a_list_of_names_what_takes_in_the_others_counts(who: str, said: object) -> None:
    assert parse_form(f"who = {who}\n".encode()).who == said
