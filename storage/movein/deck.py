"""
Boards of Nextcloud Deck: what ``occ deck:export`` prints, and what its web page saves of one board.

The boards stand in a list or in an object by id, in older versions without a ``boards`` around them. Comments and the
bytes of attachments are part of the export since 2026.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from storage.movein.boards import Attachment, Board, Card, color_of, comment_text
from storage.movein.values import (
    Lost,
    each_object,
    moment_of,
    ns_of,
    number_of,
    objects_in,
    one_line,
    text_of,
    utc_of,
    words,
)

MEMBER = 0  # a kind of participant
KINDS = {1: "groups", 7: "teams"}
_CARD = words(
    "title description stackId type lastModified createdAt labels assignedUsers attachments attachmentCount order"
    " archived done duedate startdate deletedAt comments commentsCount owner dependentCards"
    # what follows from others, or is the reader's own
    " id ETag overdue boardId board commentsUnread notified descriptionPrev relatedStack relatedBoard"
    " lastEditor"
)
_STACK = words("id title boardId deletedAt lastModified order ETag cards isDoneColumn")
_BOARD = words(
    "title owner color archived labels acl stacks deletedAt"
    " id permissions users shared ETag lastModified activeSessions settings"
)


def find_boards(export: Any) -> list[dict[str, Any]] | None:
    """The boards of an export; None for what is none of Deck."""
    found = export.get("boards", export) if isinstance(export, dict) else export
    if isinstance(found, dict) and "stacks" in found:
        found = [found]
    boards = list(each_object(found))
    is_deck = all("title" in board for board in boards) and any("stacks" in board for board in boards)
    return boards if is_deck else None


def is_deleted(board: dict[str, Any]) -> bool:
    """Whether a board lies in Deck's trash."""
    return number_of(board, "deletedAt") > 0


def parse_board(board: dict[str, Any]) -> Board:
    """One board of an export."""
    lost = Lost()
    title = one_line(text_of(board, "title"))
    _note_board(board, title, lost)
    stacks = sorted(
        (stack for stack in objects_in(board, "stacks") if "title" in stack),
        key=lambda stack: (number_of(stack, "order"), number_of(stack, "id")),
    )
    columns: dict[str, str] = {}
    for stack in stacks:
        name = one_line(text_of(stack, "title"))
        lost.fields(stack, _STACK, name)
        if number_of(stack, "deletedAt") > 0:
            lost.add("deleted columns", name)
        else:
            columns[_id(stack, "id")] = name
    finished = frozenset(_id(stack, "id") for stack in stacks if stack.get("isDoneColumn") is True)
    deleted = {_id(stack, "id") for stack in stacks} - columns.keys()
    cards = list(_cards(board, columns, deleted, lost))
    labels = {_label(label): color_of(label.get("color")) for label in objects_in(board, "labels")}
    return Board(title, columns, cards, labels, color_of(board.get("color")), lost, finished)


def _note_board(board: dict[str, Any], title: str, lost: Lost) -> None:
    if board.get("archived") is True:
        lost.add("archived boards, which are boards like others here", title)
    owner = board.get("owner")
    name = text_of(owner, "uid") if isinstance(owner, dict) else owner if isinstance(owner, str) else ""
    if name:
        lost.add("owners of boards (--owner says who owns it here)", name)
    for rule in objects_in(board, "acl"):
        lost.add("shares of the board (access.toml says who may do what)", _participant(rule)[0])
    lost.fields(board, _BOARD, title)


def _cards(board: dict[str, Any], columns: dict[str, str], deleted: set[str], lost: Lost) -> Iterator[Card]:
    """The cards of all stacks; some versions put them beside their stack, so what a card says itself comes first."""
    stacks = board.get("stacks")
    number = 0
    for key, stack in (
        stacks.items() if isinstance(stacks, dict) else enumerate(stacks if isinstance(stacks, list) else ())
    ):
        for item in objects_in(stack, "cards") if isinstance(stack, dict) else ():
            number += 1
            title = one_line(text_of(item, "title"))
            homes = (_id(item, "stackId"), _id(stack, "id"), str(key))
            column = next((home for home in homes if home in columns or home in deleted), None)
            if number_of(item, "deletedAt") > 0 or column in deleted:
                lost.add("deleted cards", title)
                continue
            if column is None:
                lost.add("cards of columns that are not in the export, which are in the archive here", title)
            card = _card(item, title, lost)
            card.column = None if item.get("archived") is True else column
            card.rank = (number_of(item, "order"), number)
            yield card


def _card(item: dict[str, Any], title: str, lost: Lost) -> Card:
    done = item.get("done")
    card = Card(
        title,
        None,
        text_of(item, "description"),
        tags=[_label(label) for label in objects_in(item, "labels")],
        done=bool(done),
        completed=utc_of(done),
        due=utc_of(item.get("duedate")),
        start=utc_of(item.get("startdate")),
        created=utc_of(item.get("createdAt")),
        modified_ns=ns_of(moment_of(item.get("lastModified"))),
        id=_id(item, "id"),
        depends=[str(id) for id in _list(item, "dependentCards") if isinstance(id, int | str)],
        comments=[_comment(each) for each in objects_in(item, "comments") if text_of(each, "message")],
        attachments=list(_attachments(item, title, lost)),
    )
    for key, value in {"duedate": card.due, "startdate": card.start}.items():
        if item.get(key) and value is None:
            lost.add(f"dates that cannot be read ({key})", title)
    for each in objects_in(item, "assignedUsers"):
        name, kind = _participant(each)
        if kind == MEMBER and name:
            card.assign.append(name)
        elif name:
            lost.add(f"assigned {KINDS.get(kind, 'others')}", f"{title}: {name}")
    _note_card(item, title, lost)
    return card


def _comment(item: dict[str, Any]) -> str:
    return comment_text(text_of(item, "actorId"), utc_of(item.get("creationDateTime")), text_of(item, "message"))


def _attachments(item: dict[str, Any], title: str, lost: Lost) -> Iterator[Attachment]:
    found = objects_in(item, "attachments")
    for each in found:
        name = one_line(text_of(each, "data")).rpartition("/")[2]
        try:
            if "contentBase64" not in each:
                raise ValueError("an older export")
            data = base64.b64decode(text_of(each, "contentBase64"), validate=True)
        except ValueError:
            lost.add("attachments, whose bytes are not in the export", f"{title}: {name}")
        else:
            yield Attachment(name or "attachment", data, ns_of(moment_of(each.get("lastModified"))))
    missing = int(number_of(item, "attachmentCount")) - len(found)
    if missing > 0:
        lost.add("attachments, whose bytes are not in the export", title, missing)


def _note_card(item: dict[str, Any], title: str, lost: Lost) -> None:
    told = sum(bool(text_of(each, "message")) for each in objects_in(item, "comments"))
    if told:
        lost.add("comments, which are in Comments.md in the card's folder of attachments here", title, told)
    missing = int(number_of(item, "commentsCount")) - told
    if missing > 0:
        lost.add("comments, whose text is not in the export", title, missing)
    if text_of(item, "type") not in ("", "plain", "text"):
        lost.add(f"cards of the kind {text_of(item, 'type')[:40]!r}, which are plain here", title)
    if item.get("owner"):
        lost.add("who made the card")
    lost.fields(item, _CARD, title)


def _participant(item: dict[str, Any]) -> tuple[str, int]:
    """Name and kind of whom a card is assigned to or a board is shared with; the name alone in older versions."""
    who = item.get("participant")
    kind = int(number_of(who if isinstance(who, dict) and "type" in who else item, "type"))
    return one_line(text_of(who, "uid") if isinstance(who, dict) else who if isinstance(who, str) else ""), kind


def _label(label: dict[str, Any]) -> str:
    return one_line(text_of(label, "title")) or text_of(label, "color") or "label"


def _list(item: dict[str, Any], key: str) -> list[Any]:
    value = item.get(key)
    return value if isinstance(value, list) else []


def _id(item: dict[str, Any], key: str) -> str:
    value = item.get(key)
    return str(value) if isinstance(value, int | str) else ""
