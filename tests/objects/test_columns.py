"""The column that a stored task belongs to: edits as jtx Board, Tasks.org, Apple and others make them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from storage.board import Column
from storage.columns import NOTHING, Signals, decide

BOARD = (
    Column("To do", "NEEDS-ACTION"),
    Column("Doing", "IN-PROCESS"),
    Column("Review", "IN-PROCESS"),
    Column("Done", "COMPLETED"),
)
NAMED = {column.name: column for column in BOARD}


def served(name: str) -> Signals:
    status = NAMED[name].status
    done = status == "COMPLETED"
    return Signals(name, (name, "urgent"), status, done, 100 if done else 0)


EDITS = [
    ("jtx by status", "To do", {"status": "IN-PROCESS", "xstatus": None, "percent": 1}, None, "Doing"),
    ("jtx by status", "Doing", {"status": "COMPLETED", "xstatus": None}, None, "Done"),
    ("jtx by extended status", "Doing", {"xstatus": "Review", "status": "IN-PROCESS"}, None, "Review"),
    ("jtx by category", "To do", {"categories": ("Review", "urgent")}, None, "Review"),
    ("jtx by category", "Doing", {"categories": ("Done", "urgent")}, None, "Done"),
    ("jtx by category", "Done", {"categories": ("To do", "urgent")}, None, "To do"),
    ("Tasks.org sorts tags", "Review", {"categories": ("urgent", "Review")}, None, "Review"),
    ("Tasks.org adds a tag", "Doing", {"categories": ("Doing", "Done", "urgent")}, None, "Done"),
    ("Tasks.org completes", "Review", {"status": "COMPLETED", "is_completed": True, "percent": 100}, None, "Done"),
    (
        "Apple completes",
        "Doing",
        {"status": "COMPLETED", "is_completed": True, "percent": 100, "categories": (), "xstatus": None},
        None,
        "Done",
    ),
    ("Tasks.org reopens", "Done", {"status": None, "is_completed": False, "percent": 0}, "Review", "Review"),
    ("Apple reopens", "Done", {"status": "NEEDS-ACTION", "is_completed": False, "percent": 0}, None, "To do"),
    ("Nextcloud", "Done", {"status": "IN-PROCESS", "is_completed": False, "percent": 99}, "Review", "Review"),
    ("Nextcloud", "Done", {"status": "IN-PROCESS", "is_completed": False, "percent": 99}, "To do", "Doing"),
    ("Thunderbird by status", "To do", {"status": "IN-PROCESS"}, None, "Doing"),
    ("Thunderbird by percent", "To do", {"percent": 30}, None, "Doing"),
    ("a title", "Review", {}, None, "Review"),
    ("percent dropped", "Done", {"percent": 0}, None, "Done"),
    ("an unknown extended status", "Doing", {"xstatus": "Blocked"}, None, "Doing"),
    ("a column that is gone", "Done", {"status": None, "is_completed": False, "percent": 0}, "Gone", "To do"),
]


@pytest.mark.parametrize(("edit", "column", "change", "came_from", "expected"), EDITS)
def test_an_edit_moves_a_card_where_a_person_expects(
    edit: str, column: str, change: dict[str, object], came_from: str | None, expected: str
) -> None:
    before = served(column)
    decision = decide(BOARD, NAMED[column], before, replace(before, **change), came_from)  # type: ignore[arg-type]
    assert decision.column == NAMED[expected], edit
    assert decision.status is None


def test_a_status_that_no_column_has_is_the_card_s_own() -> None:
    before = served("Doing")
    decision = decide(BOARD, NAMED["Doing"], before, replace(before, status="CANCELLED"))
    assert (decision.column, decision.status) == (NAMED["Doing"], "CANCELLED")


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (Signals(), "To do"),
        (Signals(xstatus="review"), "Review"),
        (Signals(status="COMPLETED"), "Done"),
        (Signals(categories=("urgent", "doing")), "Doing"),
        (Signals(percent=30), "Doing"),
    ],
)
def test_a_new_card_goes_where_it_says_or_first(sent: Signals, expected: str) -> None:
    assert decide(BOARD, None, NOTHING, sent).column == NAMED[expected]


def test_a_board_without_columns_has_none_to_give() -> None:
    assert decide((), None, NOTHING, Signals(status="COMPLETED")).column is None


def test_of_columns_that_differ_in_case_each_keeps_its_cards() -> None:
    twins = [Column("Doing", "IN-PROCESS"), Column("doing", "IN-PROCESS")]
    for column in twins:
        seen = Signals(column.name, (column.name,), "IN-PROCESS")
        assert decide(twins, column, seen, seen).column == column
        assert decide(twins, None, Signals(), Signals(column.name)).column == column
