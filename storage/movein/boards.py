"""A board as the folder that it is here: ``board.toml``, a folder for each column, a Markdown file for each card."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import accumulate

from storage.board import LONGEST_BYTES, MOST_COLUMNS
from storage.frontmatter import Value, edited, parse_document
from storage.movein.values import (
    MOST_ENTRIES,
    File,
    Lost,
    Names,
    NotUsable,
    Tree,
    folded,
    folder_stem,
    one_line,
    stem_of,
)

ORDER_STEP = 1024  # between two cards, so that others find room there
_HEX = re.compile(r"#?([0-9a-fA-F]{6})")


@dataclass(slots=True)
class Card:
    """
    A card of any program.

    Attributes:
        column: id of the one that it is in, None in the archive.
        text: Markdown.
        rank: by which the cards of a column are ordered.
        tags, assign: labels and members by name.
        done: whether it is marked as done.
        due, start, completed, created: moments as ``utc_of`` gives them.
        more: further front matter.
    """

    title: str
    column: str | None
    text: str = ""
    rank: tuple[float, int] = (0, 0)
    tags: list[str] = field(default_factory=list)
    assign: list[str] = field(default_factory=list)
    done: bool = False
    due: str | None = None
    start: str | None = None
    completed: str | None = None
    created: str | None = None
    modified_ns: int | None = None
    more: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Board:
    """A board of any program: ``columns`` are titles by id in their order, ``labels`` colours by name."""

    title: str
    columns: dict[str, str]
    cards: list[Card]
    labels: dict[str, str | None]
    color: str | None
    lost: Lost


def color_of(value: object) -> str | None:
    """``#31cc7c`` for a colour in hexadecimal digits, None for anything else."""
    found = _HEX.fullmatch(value) if isinstance(value, str) else None
    return None if found is None else f"#{found[1].lower()}"


def render_board(board: Board) -> Tree:
    """The folder; raises NotUsable for more than anybody has."""
    if len(board.columns) + len(board.cards) > MOST_ENTRIES:
        raise NotUsable(f"the board {board.title[:80]!r} holds more than {MOST_ENTRIES} columns and cards")
    names = Names(("board.toml", "README.md"))
    folders = {id: names.choose(folder_stem(title)) for id, title in board.columns.items()}
    archive = names.choose("Archive")
    for id, title in board.columns.items():
        if folders[id] != title:
            board.lost.add("names of columns, which are called otherwise here", f"{title} → {folders[id]}")
    tags = _tag_names(board, folders.values())
    files = [_board_file(board, folders.values(), archive, tags)]
    taken = {name: Names() for name in (*folders.values(), archive)}
    orders: Counter[str] = Counter()
    for card in sorted(board.cards, key=lambda card: card.rank):
        folder = archive if card.column is None else folders[card.column]
        orders[folder] += ORDER_STEP
        files.append(_card_file(card, folder, taken[folder], orders[folder], tags))
    archived = sum(card.column is None for card in board.cards)
    if archived:
        board.lost.add("columns that archived cards were in", count=archived)
    people = frozenset(name for card in board.cards for name in card.assign)
    name = folder_stem(board.title)
    if name != board.title:
        board.lost.add("the name of the board, which is called otherwise here", f"{board.title} → {name}")
    return Tree(name, (*folders.values(), archive), tuple(files), people, board.lost.sentences())


def _tag_names(board: Board, columns: Iterable[str]) -> dict[str, str]:
    """Labels by the name that they have here: none may be called as a column is."""
    names, taken = Names(columns), {folded(name) for name in columns}
    tags: dict[str, str] = {}
    for card in board.cards:
        for tag in card.tags:
            board.labels.setdefault(tag, None)
    for label in board.labels:
        wanted = one_line(label).lstrip("@")
        tags[label] = names.choose(wanted or "label") if folded(wanted) in taken or not wanted else wanted
        if tags[label] != label:
            board.lost.add("names of labels, which are called otherwise here", f"{label} → {tags[label]}")
    return tags


def _board_file(board: Board, columns: Iterable[str], archive: str, tags: dict[str, str]) -> File:
    """``board.toml``; columns that it has no room for come after the others, by name, and labels have no colour."""
    columns = list(columns)
    if len(columns) > MOST_COLUMNS:
        board.lost.add(
            f"places in the order of columns, after the first {MOST_COLUMNS}", count=len(columns) - MOST_COLUMNS
        )
    lines = [f"color = {_quoted(board.color)}"] if board.color else []
    lines.append(f"archive = {_quoted(archive)}")
    for name in columns[:MOST_COLUMNS]:
        lines += ["[[column]]", f"name = {_quoted(name)}", 'status = "NEEDS-ACTION"']
    colors = {tags[label]: color for label, color in board.labels.items() if color}
    labels = [f"{_quoted(tag)} = {_quoted(color)}" for tag, color in colors.items()]
    sizes = accumulate(len(line.encode()) + 1 for line in labels)
    kept = sum(size <= LONGEST_BYTES // 2 for size in sizes)
    if kept < len(labels):
        board.lost.add("colours of labels that board.toml has no room for", count=len(labels) - kept)
    lines += ["[labels]", *labels[:kept]] if kept else []
    data = "".join(f"{line}\n" for line in lines).encode()
    return File("board.toml", data, len(data))


def _quoted(text: str) -> str:
    """A TOML string; names of columns and labels hold no control characters."""
    return json.dumps(text, ensure_ascii=False)


def _card_file(card: Card, folder: str, names: Names, order: int, tags: dict[str, str]) -> File:
    title = one_line(card.title)
    name = names.choose(stem_of(title), ".md")
    values: dict[str, Value | None] = {
        "title": title if title and title != name.removesuffix(".md") else None,
        "due": card.due,
        "start": card.start,
        "tags": tuple(dict.fromkeys(tags[tag] for tag in card.tags)) or None,
        "assign": tuple(dict.fromkeys(card.assign)) or None,
        "order": str(order),
        "status": "COMPLETED" if card.done else None,
        "completed": card.completed if card.done else None,
        "created": card.created,
        **card.more,
    }
    data = edited(parse_document(b""), values, card.text.replace("\r\n", "\n").strip("\n"))
    return File(f"{folder}/{name}", data, len(data), card.modified_ns)
