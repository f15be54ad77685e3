"""A board as the folder that it is here: ``board.toml``, a folder for each column, a Markdown file for each card."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate

from storage.board import DONE, MOST_COLUMNS, OPEN
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
    split_name,
    stem_of,
)
from storage.settingsfile import LONGEST_BYTES

ORDER_STEP = 1024  # between two cards, so that others find room there
_HEX = re.compile(r"#?([0-9a-fA-F]{6})")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a card."""

    name: str
    data: bytes
    modified_ns: int | None = None


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
        id, depends: its own in the export, and those of the cards that it waits for.
        comments: Markdown, in their order.
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
    id: str = ""
    depends: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)


@dataclass(slots=True)
class Board:
    """
    A board of any program.

    Attributes:
        columns: titles by id, in their order.
        labels: colours by name.
        finished: ids of columns whose cards are done.
    """

    title: str
    columns: dict[str, str]
    cards: list[Card]
    labels: dict[str, str | None]
    color: str | None
    lost: Lost
    finished: frozenset[str] = frozenset()


def color_of(value: object) -> str | None:
    """``#31cc7c`` for a colour in hexadecimal digits, None for anything else."""
    found = _HEX.fullmatch(value) if isinstance(value, str) else None
    return None if found is None else f"#{found[1].lower()}"


def comment_text(who: str, when: str | None, text: str) -> str:
    """A comment as it stands among others in ``Comments.md``."""
    return f"**{one_line(who) or '?'}**{f', {when}' if when else ''}\n\n{text.strip()}"


def render_board(board: Board, new_uid: Callable[[], str]) -> Tree:
    """The folder; raises NotUsable for more than anybody has."""
    names = Names(("board.toml", "README.md"))
    folders = {id: names.choose(folder_stem(title)) for id, title in board.columns.items()}
    archive = names.choose("Archive")
    for id, title in board.columns.items():
        if folders[id] != title:
            board.lost.add("names of columns, which are called otherwise here", f"{title} → {folders[id]}")
    finished = board.finished.intersection(list(folders)[:MOST_COLUMNS])
    tags, uids = _tag_names(board, folders.values()), _uids(board, new_uid)
    files = [_board_file(board, folders, archive, tags)]
    attached: list[str] = []
    taken = {name: Names() for name in (*folders.values(), archive)}
    orders: Counter[str] = Counter()
    for card in sorted(board.cards, key=lambda card: card.rank):
        folder = archive if card.column is None else folders[card.column]
        orders[folder] += ORDER_STEP
        name = taken[folder].choose(stem_of(one_line(card.title)), ".md")
        data = _card_data(card, name, orders[folder], tags, uids, is_told=card.column not in finished)
        files.append(File(f"{folder}/{name}", data, len(data), card.modified_ns))
        if card.attachments or card.comments:
            attached.append(f"{folder}/{name.removesuffix('.md')}.files")
            files += _attached(card, attached[-1])
        if len(files) + len(folders) + len(attached) > MOST_ENTRIES:
            raise NotUsable(f"the board {board.title[:80]!r} holds more than {MOST_ENTRIES} cards and attachments")
    archived = sum(card.column is None for card in board.cards)
    if archived:
        board.lost.add("columns that archived cards were in", count=archived)
    people = frozenset(name for card in board.cards for name in card.assign)
    name = folder_stem(board.title)
    if name != board.title:
        board.lost.add("the name of the board, which is called otherwise here", f"{board.title} → {name}")
    return Tree(name, (*folders.values(), archive, *attached), tuple(files), people, board.lost.sentences())


def _uids(board: Board, new_uid: Callable[[], str]) -> dict[str, str]:
    """UIDs for the cards that others wait for, by their ids in the export."""
    known = {card.id for card in board.cards if card.id}
    uids: dict[str, str] = {}
    for card in board.cards:
        for id in card.depends:
            if id not in known:
                board.lost.add("dependencies on cards that are not in the export", one_line(card.title))
            elif id not in uids:
                uids[id] = new_uid()
    return uids


def _attached(card: Card, folder: str) -> Iterator[File]:
    """The attachments of a card, and its comments as one of them."""
    names = Names()
    if card.comments:
        text = "\n\n---\n\n".join(card.comments).encode(errors="replace") + b"\n"
        yield File(f"{folder}/{names.choose('Comments', '.md')}", text, len(text))
    for each in card.attachments:
        name = names.choose(*split_name(each.name))
        yield File(f"{folder}/{name}", each.data, len(each.data), each.modified_ns)


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


def _board_file(board: Board, folders: dict[str, str], archive: str, tags: dict[str, str]) -> File:
    """``board.toml``; columns that it has no room for come after the others, by name, and labels have no colour."""
    columns = list(folders)
    if len(columns) > MOST_COLUMNS:
        board.lost.add(
            f"places in the order of columns, after the first {MOST_COLUMNS}", count=len(columns) - MOST_COLUMNS
        )
    lines = [f"color = {_quoted(board.color)}"] if board.color else []
    lines.append(f"archive = {_quoted(archive)}")
    for id in columns[:MOST_COLUMNS]:
        status = DONE if id in board.finished else OPEN
        lines += ["[[column]]", f"name = {_quoted(folders[id])}", f"status = {_quoted(status)}"]
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


def _card_data(
    card: Card, name: str, order: int, tags: dict[str, str], uids: dict[str, str], *, is_told: bool
) -> bytes:
    """
    A card's file.

    Args:
        is_told: whether that it is done is to stand in it, and is not said by its column.
    """
    title = one_line(card.title)
    values: dict[str, Value | None] = {
        "uid": uids.get(card.id),
        "title": title if title and title != name.removesuffix(".md") else None,
        "due": card.due,
        "start": card.start,
        "tags": tuple(dict.fromkeys(tags[tag] for tag in card.tags)) or None,
        "assign": tuple(dict.fromkeys(card.assign)) or None,
        "order": str(order),
        "status": DONE if card.done and is_told else None,
        "completed": card.completed if card.done else None,
        "created": card.created,
        "depends": tuple(dict.fromkeys(uids[id] for id in card.depends if id in uids)) or None,
        **card.more,
    }
    return edited(parse_document(b""), values, card.text.replace("\r\n", "\n").strip("\n"))
