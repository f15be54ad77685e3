"""
Boards: folders in ``/files/Boards/``, whose folders are columns and whose Markdown files are cards and tasks.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auth.principal import fold
from auth.snapshot import Account
from storage import paths
from storage.board import DONE, OPEN, Board, Column, parse_board
from storage.columns import Signals, decide
from storage.errors import FileRefused, NotFound
from storage.frontmatter import Document, Value, texts
from storage.objectmoments import utc
from storage.objectnames import ATTACHED, BOARD_FILE
from storage.objects import READERS_AND_MAKERS, Edit, Layout, Received, Rendering, Room, mark_of
from storage.objecttext import TASK, Content
from storage.settingsfile import LONGEST_BYTES

if TYPE_CHECKING:
    from storage.records import Folder, Member
    from storage.rulebook import Members
    from storage.store import Store

TOP = "files/Boards"
OWN_KEYS = frozenset({"uid", "title", "tags", "assign", "parent", "depends"})  # that are no property of their own
ATTENDEES = frozenset({"ATTENDEE", "ORGANIZER"})

log = logging.getLogger("davserver.boards")


@dataclass(frozen=True, slots=True)
class Settings:
    """
    What counts for all cards of a board.

    Attributes:
        accounts: where who is assigned is to be an attendee.
    """

    board: Board
    columns: tuple[Column, ...]
    accounts: Members | None = None

    def people(self, names: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Display name and mail address of the members among some names that have one."""
        for name in names if self.accounts is not None else ():
            account = self.accounts.account(fold(name)) if self.accounts is not None else None
            if isinstance(account, Account) and account.addresses:
                yield account.display_name or account.name, account.addresses[0]


class BoardKind:
    """See ``storage.objects.ObjectKind``."""

    word = "board"
    text = TASK
    suffixes: tuple[str, ...] = (".md",)
    writes_uid = True
    makes_folders = True
    landing = ""
    rendering: Rendering | None = None
    shown_to = READERS_AND_MAKERS

    def __init__(self) -> None:
        self._read: dict[str, tuple[int, Board]] = {}  # by place: what board.toml said, with the version of the file

    def folders(self, store: Store) -> Iterator[Folder]:
        """The folders directly in ``/files/Boards/``."""
        top = store.find_folder(TOP)
        for folder in store.folders(top) if top is not None else ():
            if not folder.name.startswith((".", "~")):
                yield folder

    def is_one(self, store: Store, folder: Folder) -> bool:
        """Whether it is still among them: no file makes a folder a board."""
        return folder.place.startswith(TOP + "/")

    def holder(self, store: Store, folder: Folder) -> Folder:
        """The folder itself."""
        return folder

    def layout(self, store: Store, folder: Folder) -> Layout:
        """The columns, and the board's folder itself, whose cards are in the first."""
        row, board = self._board(store, folder)
        folders = {child.name: child for child in store.folders(folder) if is_column(store, child, board)}
        columns = board.columns_with(folders)
        rooms = {
            folders[column.name].place: Room(folders[column.name], paths.nfc(column.name), column)
            for column in columns
            if column.name in folders
        }
        rooms[folder.place] = Room(folder, "", columns[0] if columns else Column(""))
        accounts = store.accounts if board.attendees else None
        revision = 0 if accounts is None else accounts.revision
        mark = mark_of(0 if row is None else row.id, sorted(rooms), revision)
        return Layout(rooms, Settings(board, columns, accounts), mark, file=row, accounts=revision)

    def _board(self, store: Store, folder: Folder) -> tuple[Member | None, Board]:
        """What its ``board.toml`` says, of a broken one what it said before; with the row of the file."""
        row = store.find_member(folder, BOARD_FILE)
        if row is None:
            return None, Board()
        version, board = self._read.get(folder.place, (-1, Board()))
        if version == row.id or row.size > LONGEST_BYTES:
            return row, board
        try:
            data, row = store.read_member(folder, BOARD_FILE)
            board = parse_board(data)
        except (FileRefused, NotFound) as error:
            log.warning("%s: %s; what it said before stays in force", folder.place, error)
        self._read[folder.place] = row.id, board
        return row, board

    def content(self, layout: Layout, room: Room, stem: str, document: Document) -> Content:
        """A card as its task: its column, tags and assignees as categories, and what the file says."""
        settings: Settings = layout.settings
        board, columns = settings.board, settings.columns
        column: Column = room.means
        values: dict[str, Value] = {key: value for key, value in document.values.items() if key not in OWN_KEYS}
        own = values.get("status")
        status = own.upper() if isinstance(own, str) and own else column.status
        if status == DONE:
            values["progress"] = "100"
        else:
            values.pop("completed", None)
        values["status"] = status
        if "status" not in board.serve:
            values.pop("status")
        title = document.values.get("title")
        taken = {each.name.casefold() for each in columns}
        tags = [tag for tag in texts(document, "tags") if tag.casefold() not in taken]
        names = texts(document, "assign")
        assigned = [f"@{name}" for name in names]
        parent, own_name = document.values.get("parent"), [column.name] if column.name else []
        return Content(
            title=title if isinstance(title, str) and title else stem,
            text=document.text,
            categories=tuple(dict.fromkeys([*(own_name if "category" in board.serve else []), *tags, *assigned])),
            xstatus=column.name if "xstatus" in board.serve and column.name else None,
            parent=parent if isinstance(parent, str) and parent else None,
            people=tuple(settings.people(names)),
            values=values,
        )

    def receive(self, edit: Edit) -> Received:
        """The column that a task belongs to, whether it is done, its tags and who has it."""
        settings: Settings = edit.layout.settings
        board, columns = settings.board, settings.columns
        present: Column | None = edit.room.means if edit.room is not None else None
        names = {column.name.casefold() for column in columns}
        own = edit.document.values.get("status")
        before = own.upper() if isinstance(own, str) and own else present.status if present is not None else OPEN
        decision = decide(
            columns,
            present,
            _signals(edit.served, board, before if edit.room is not None else None),
            _signals(edit.sent, board, _said(edit.sent, "status")),
            edit.kept.get("from"),
        )
        changes: dict[str, Value | None] = {}
        if not decision.stays:
            changes["status"] = decision.status
        column = decision.column or present
        status = before if decision.stays else decision.status or (column.status if column is not None else OPEN)
        changes |= _progress(edit, was_done=before == DONE, is_done=status == DONE)
        changes |= _tags(edit, names)
        is_loose = edit.room is not None and not edit.room.below  # it lies directly in the board's folder
        lies_apart = is_loose and column == present
        below = "" if lies_apart or column is None else column.name
        came = {"from": present.name} if present is not None and status == DONE and before != DONE else {}
        tags = texts(edit.document, "tags")
        others = tuple(tag for tag in tags if tag.casefold() not in names)  # one that is a column says nothing
        along: dict[str, Value | None] = {"tags": others or None} if others != tags and "tags" not in changes else {}
        return Received(changes, below, came, along)

    def ignored(self, layout: Layout) -> frozenset[str]:
        """Attendees, where they are those who are assigned."""
        board: Board = layout.settings.board
        return ATTENDEES if board.attendees else frozenset()

    def properties(self, store: Store, layout: Layout, folder: Folder) -> Mapping[str, str]:
        """Its name is that of the folder."""
        board: Board = layout.settings.board
        found = {"D:displayname": paths.nfc(folder.name)}
        return {**found, "ICAL:calendar-color": board.color} if board.color else found

    def written_id(self, layout: Layout) -> str:
        """The ``id`` in ``board.toml``."""
        board: Board = layout.settings.board
        return board.id


def _said(content: Content, key: str) -> str | None:
    value = content.values.get(key)
    return value if isinstance(value, str) else None


def _signals(content: Content, board: Board, status: str | None) -> Signals:
    """Categories tell of columns where those are served as categories: an old one in a phone is no wish otherwise."""
    categories = content.categories if "category" in board.serve else ()
    percent = int(_said(content, "progress") or 0)
    return Signals(content.xstatus, categories, status, _said(content, "completed") is not None, percent)


def _tags(edit: Edit, columns: set[str]) -> dict[str, Value | None]:
    tags = [tag for tag in edit.sent.categories if tag.casefold() not in columns]
    if tags == [tag for tag in edit.served.categories if tag.casefold() not in columns]:
        return {}
    accounts = edit.session.store.accounts
    assigned = tuple(
        tag[1:] for tag in tags if tag.startswith("@") and accounts is not None and accounts.is_member(fold(tag[1:]))
    )
    others = tuple(tag for tag in tags if tag.removeprefix("@") not in assigned or not tag.startswith("@"))
    return {"tags": others or None, "assign": assigned or None}


def _progress(edit: Edit, *, was_done: bool, is_done: bool) -> dict[str, Value | None]:
    """How far a card is and when it was completed; of one that is done its column says the former."""
    changes: dict[str, Value | None] = {}
    percent, completed = _said(edit.sent, "progress"), _said(edit.sent, "completed")
    if is_done:
        if not was_done:
            changes["completed"] = completed or utc(edit.session.store.clock())
        elif completed is not None and completed != _said(edit.served, "completed"):
            changes["completed"] = completed
        return changes
    if percent != _said(edit.served, "progress") or percent == "100":
        changes["progress"] = None if percent == "100" and was_done else percent
    if "completed" in edit.document.values:
        changes["completed"] = None
    return changes


def is_column(store: Store, folder: Folder, board: Board) -> bool:
    """Whether a folder in a board is one of its columns; one with rules of its own is nobody's but theirs."""
    is_other = folder.name == board.archive or folder.name.endswith(ATTACHED) or folder.name.startswith((".", "~"))
    return not is_other and not store.rulebook.has_rules(folder)
