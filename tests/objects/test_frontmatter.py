"""Front matter: read by a small grammar, edited line by line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.frontmatter import Value, edited, parse_document

CARD = b"""---
# of the printer's
uid: 3f0e
due: 2026-12-01   # a Tuesday

tags: [urgent, "a, b", 'it''s']
assign:
  - alice
  - "bob"
unknown: yes
---

Print the posters.

- [x] ask
"""


def test_what_a_block_says_is_text_and_lists_of_text() -> None:
    document = parse_document(CARD)
    assert dict(document.values) == {
        "uid": "3f0e",
        "due": "2026-12-01",
        "tags": ("urgent", "a, b", "it's"),
        "assign": ("alice", "bob"),
        "unknown": "yes",
    }
    assert document.text == "Print the posters.\n\n- [x] ask"
    assert not document.problem


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_only_the_lines_of_what_changes_are_touched(newline: bytes, bom: bytes) -> None:
    data = bom + CARD.replace(b"\n", newline)
    assert edited(parse_document(data), {}) == data
    assert edited(parse_document(data), {"due": "2026-12-01", "tags": ("urgent", "a, b", "it's")}) == data
    after = edited(parse_document(data), {"due": "2027-01-01", "assign": ("carol",), "unknown": None, "order": "3"})
    expected = (
        CARD.replace(b"due: 2026-12-01   # a Tuesday", b"due: 2027-01-01")
        .replace(b'assign:\n  - alice\n  - "bob"', b"assign:\n- carol")
        .replace(b"unknown: yes\n", b"order: 3\n")
    )
    assert after == bom + expected.replace(b"\n", newline)


def test_a_file_gets_a_block_with_the_first_value_and_loses_it_with_the_last() -> None:
    plain = b"Just words.\n"
    with_one = edited(parse_document(plain), {"tags": ("a",)})
    assert with_one == b"---\ntags: [a]\n---\nJust words.\n"
    assert edited(parse_document(with_one), {"tags": None}) == plain
    assert edited(parse_document(with_one), {}, "Other\nwords") == b"---\ntags: [a]\n---\nOther\nwords\n"
    assert edited(parse_document(b""), {}) == b""


@pytest.mark.parametrize(
    ("block", "problem", "values"),
    [
        ("due: 2026\nnonsense\nstart: 2025", "line 3: not 'key: value'", {"due": "2026", "start": "2025"}),
        ("a: {b: c}\nd: e", "line 2: a value that begins with '{' must be quoted", {"d": "e"}),
        ("a: [b, c\nd: e", "line 2: a list that begins with '[' has no ']' at its end", {"d": "e"}),
        ("a: |\nd: e", "line 2: a value that begins with '|' must be quoted", {"d": "e"}),
        ('a: "b" c\nd: e', "line 2: 'c' stands behind the value", {"d": "e"}),
        ("a: b\na: c", "line 3: a stands there twice", {"a": "b"}),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line_and_the_rest_is_read(
    block: str, problem: str, values: dict[str, Value]
) -> None:
    document = parse_document(f"---\n{block}\n---\nwords\n".encode())
    assert document.problem == problem
    assert dict(document.values) == values
    assert document.text == "words"


def test_a_block_without_end_is_text() -> None:
    document = parse_document(b"---\ndue: 2026\n")
    assert document.problem.startswith("line 1: ")
    assert document.text == "---\ndue: 2026"
    assert document.values == {}
    assert edited(document, {}) == b"---\ndue: 2026\n"


KEYS = st.from_regex(r"[a-z][a-z-]{0,8}", fullmatch=True)
TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff\u2028\u2029"), max_size=20
)
VALUES = st.one_of(TEXTS, st.lists(TEXTS, min_size=1, max_size=4).map(tuple))


@given(st.dictionaries(KEYS, VALUES, max_size=5), st.dictionaries(KEYS, st.none() | VALUES, max_size=5), TEXTS)
def test_what_is_written_is_what_is_read(values: dict[str, Value], changes: dict[str, Value | None], text: str) -> None:
    data = edited(parse_document(b""), values, text)
    assert dict(parse_document(data).values) == values
    after = parse_document(edited(parse_document(data), changes))
    expected = {key: value for key, value in {**values, **changes}.items() if value is not None}
    assert dict(after.values) == expected


@given(st.binary(max_size=200), st.dictionaries(KEYS, st.none() | VALUES, max_size=3))
def test_any_bytes_are_read_and_edited_without_an_error(data: bytes, changes: dict[str, Value | None]) -> None:
    document = parse_document(edited(parse_document(b"---\n" + data + b"\n---\n"), changes))
    if not document.problem:
        for key, value in changes.items():
            assert document.values.get(key) == value
