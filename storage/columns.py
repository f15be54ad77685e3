"""
Where a card goes when a client stores its task: three signals of a column are served, and one decision reads them.

jtx Board drags by X-STATUS, by a category or by STATUS, Tasks.org by a tag, Thunderbird and KOrganizer by STATUS, Apple
only ticks. What counts is what differs from what this client was served.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from storage.board import DONE, OPEN, Column


@dataclass(frozen=True, slots=True)
class Signals:
    """
    What a task says of its column.

    Attributes:
        xstatus: X-STATUS, as jtx Board writes it.
        categories: in their order, as far as they may be columns.
        status: STATUS; None where it has none, which means NEEDS-ACTION.
        is_completed: it has a COMPLETED date.
        percent: PERCENT-COMPLETE.
    """

    xstatus: str | None = None
    categories: tuple[str, ...] = ()
    status: str | None = None
    is_completed: bool = False
    percent: int = 0


NOTHING = Signals()


@dataclass(frozen=True, slots=True)
class Decision:
    """
    Where a card goes.

    Attributes:
        column: None where the board has none.
        status: what the card is where no column says it, None where its column does.
        stays: no signal told of a column.
    """

    column: Column | None
    status: str | None = None
    stays: bool = False


def decide(
    columns: Sequence[Column], present: Column | None, served: Signals, sent: Signals, came_from: str | None = None
) -> Decision:
    """
    The column that a stored task belongs to.

    Args:
        present: where the card is; None for a new one.
        served: what this client was served, of a new card nothing.
        came_from: the column that a completed card came from, where that is known.
    """
    if sent.xstatus is not None and sent.xstatus != served.xstatus:
        column = _named(columns, sent.xstatus.strip())
        if column is not None:
            return Decision(column)
    for category in sent.categories:
        column = _named(columns, category)
        if column is not None and column != present:
            return Decision(column)
    before, after = served.status or OPEN, _status(served, sent)
    if after != before:
        return _by_status(columns, present, before, after, sent.status, _named(columns, came_from or ""))
    if present is not None:
        return Decision(present, stays=True)
    return Decision(columns[0] if columns else None)


def _named(columns: Sequence[Column], name: str) -> Column | None:
    """The column of a name in any case; of folders that differ in nothing else, the one that is written so."""
    found = [column for column in columns if column.name.casefold() == name.casefold()]
    return next((column for column in found if column.name == name), found[0] if found else None)


def _status(served: Signals, sent: Signals) -> str:
    """STATUS as it is meant: some clients complete or begin a task by its date or percentage alone."""
    if sent.status is not None and sent.status != (served.status or OPEN):
        return sent.status
    if (sent.is_completed and not served.is_completed) or (sent.percent == 100 and served.percent != 100):
        return DONE
    if sent.status is None and served.status is not None:
        return OPEN
    if 0 < sent.percent < 100 and not served.percent:
        return "IN-PROCESS"
    return sent.status or OPEN


def _by_status(
    columns: Sequence[Column], present: Column | None, before: str, after: str, said: str | None, origin: Column | None
) -> Decision:
    leaves = before == DONE and present is not None and present.status == DONE
    if leaves and origin is not None and origin.status != DONE and said in (None, OPEN, origin.status):
        return Decision(origin)
    if present is not None and present.status == after:
        return Decision(present)
    column = next((column for column in columns if column.status == after), None)
    if column is not None:
        return Decision(column)
    return Decision(present or (columns[0] if columns else None), after)
