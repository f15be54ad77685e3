"""``board.toml``: read whole, or refused with every line that is wrong."""

from __future__ import annotations

import pytest

from storage.board import SIGNALS, Board, Column, parse_board, render_new
from storage.errors import FileRefused

TEXT = b"""
id = "k7f3q2ab"
color = "#31cc7c"
archive = "Old"
serve = ["status"]
attendees = true
[[column]]
name = "To do"
[[column]]
name = "Done"
status = "COMPLETED"
[labels]
urgent = "#ff0000"
"""


def test_a_board_is_what_its_file_says() -> None:
    columns = (Column("To do"), Column("Done", "COMPLETED"))
    board = parse_board(TEXT)
    assert board == Board("k7f3q2ab", "#31cc7c", "Old", frozenset({"status"}), True, columns, {"urgent": "#ff0000"})
    assert board.columns_with(["B", "Done", "A", "Old"]) == (*columns, Column("A"), Column("B"))


def test_an_empty_file_serves_every_signal() -> None:
    assert parse_board(b"") == Board(serve=frozenset(SIGNALS))


@pytest.mark.parametrize("language", ["en", "fr", "de"])
def test_a_new_board_has_three_columns(language: str) -> None:
    board = parse_board(render_new("abcdefgh", language))
    assert board.id == "abcdefgh"
    assert [column.status for column in board.columns] == ["NEEDS-ACTION", "IN-PROCESS", "COMPLETED"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id = 3", ":1: "),
        ('id = "K7"', "the server writes it"),
        ('color = "red"', "#31cc7c"),
        ('serve = ["colour"]', "'colour'"),
        ("[[column]]\nstatus = 'COMPLETED'", "without name"),
        ("[[column]]\nname = 'a/b'", "a/b"),
        ("[[column]]\nname = 'Archive'", "the archive too"),
        ("[[column]]\nname = 'a'\nstatus = 'open'", ":3: "),
        ("[[column]]\nname = 'a'\n[[column]]\nname = 'A'", "twice"),
        ("[[column]]\nname = 'a'\n[labels]\nA = '#ff0000'", "a column too"),
        ("[labels]\nA = 'red'", "the colour of 'A'"),
        ("columns = []", "unknown key"),
        ("a = ", "not TOML"),
    ],
)
def test_a_broken_file_is_refused_with_the_reason(text: str, said: str) -> None:
    with pytest.raises(FileRefused, match=said):
        parse_board(text.encode())
