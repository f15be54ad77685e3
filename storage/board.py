"""
``board.toml``: the columns of a board, what each says of the cards in it, and what of that goes to clients.

A board without the file has its folders as columns, in alphabetical order; nothing is guessed from their names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from auth.tables import Table, listed
from storage.objectnames import BOARD_FILE
from storage.portable import made_safe
from storage.settingsfile import read_settings, require_sound

STATUSES = ("NEEDS-ACTION", "IN-PROCESS", "COMPLETED", "CANCELLED")  # of a VTODO (RFC 5545 §3.8.1.11)
OPEN, DONE = "NEEDS-ACTION", "COMPLETED"
SIGNALS = ("status", "xstatus", "category")
ID = re.compile(r"[a-z2-7]{8}")
COLOR = re.compile(r"#[0-9A-Fa-f]{6}(?:[0-9A-Fa-f]{2})?")
MOST_COLUMNS = 100
DEFAULTS: Mapping[str, tuple[str, str, str]] = {
    # the columns of a new board: open, begun, done
    "en": ("To do", "Doing", "Done"),
    "fr": ("À faire", "En cours", "Terminé"),
    "de": ("Zu tun", "In Arbeit", "Erledigt"),
}


@dataclass(frozen=True, slots=True)
class Column:
    """
    A column of a board.

    Attributes:
        name: of its folder.
        status: what a card in it is, as the STATUS of its task.
    """

    name: str
    status: str = OPEN


@dataclass(frozen=True, slots=True)
class Board:
    """
    What ``board.toml`` says.

    Attributes:
        id: written into it by the server, "" where it is not there.
        columns: those that are named in it.
        archive: the folder of cards that no client is to see any more.
        serve: which signals of its column a card carries: ``SIGNALS``.
        attendees: who is assigned to a card is an attendee of its task too.
        labels: colours by name.
    """

    id: str = ""
    color: str = ""
    archive: str = "Archive"
    serve: frozenset[str] = frozenset(SIGNALS)
    attendees: bool = False
    columns: tuple[Column, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)

    def columns_with(self, folders: Iterable[str]) -> tuple[Column, ...]:
        """The named columns, then the folders that are named nowhere, by name."""
        named = {column.name for column in self.columns}
        others = sorted(name for name in folders if name not in named and name != self.archive)
        return (*self.columns, *map(Column, others))


def parse_board(data: bytes) -> Board:
    """
    Read a ``board.toml``.

    Raises:
        FileRefused: what is wrong with it, each with its line.
    """
    file = read_settings(data, BOARD_FILE)
    board = _read(file.root)
    require_sound(file)
    return board


def _read(root: Table) -> Board:
    root.only(("id", "color", "archive", "serve", "attendees", "column", "labels"))
    id, color = root.text("id") or "", root.text("color") or ""
    if id and not ID.fullmatch(id):
        root.report("id", f"id is {id[:20]!r}", "leave the line out: the server writes it")
    if color and not COLOR.fullmatch(color):
        root.report("color", f"color is {color[:20]!r}", 'it can be a colour such as "#31cc7c"')
    archive = root.text("archive") or "Archive"
    serve = root.texts("serve")
    if serve is not None and not set(serve) <= set(SIGNALS):
        root.report("serve", f"serve holds {next(iter(set(serve) - set(SIGNALS)))!r}", f"it can be {listed(SIGNALS)}")
    columns = [_read_column(table, archive) for table in root.each("column")]
    if len(columns) > MOST_COLUMNS:
        root.report("column", f"{len(columns)} columns", f"a board can have {MOST_COLUMNS}")
    taken: set[str] = set()
    for table, column in zip(root.each("column"), columns, strict=True):
        if column.name.casefold() in taken:
            table.report("name", f"the column {column.name!r} stands there twice", "each column has a name of its own")
        taken.add(column.name.casefold())
    labels = _read_labels(root, taken)
    served = frozenset(SIGNALS if serve is None else serve)
    return Board(id, color, archive, served, bool(root.flag("attendees")), tuple(columns), labels)


def _read_column(table: Table, archive: str) -> Column:
    table.only(("name", "status"))
    name, status = table.text("name"), table.text("status") or OPEN
    if name is None:
        table.report(None, "a column without name", 'write name = "To do"')
    elif made_safe(name) != name or name.startswith(("~", ".")) or name.endswith(".files"):
        table.report("name", f"name is {name[:60]!r}", "it can be the name of a folder that every system can show")
    elif name == archive:
        table.report("name", f"{name!r} is the archive too", "give one of them another name")
    if status not in STATUSES:
        table.report("status", f"status is {status[:20]!r}", f"it can be {listed(STATUSES)}")
    return Column(name or "", status)


def _read_labels(root: Table, columns: set[str]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    if "labels" not in root:
        return found
    labels = root.table("labels")
    for name in labels.keys() if labels is not None else ():
        color = labels.text(name) if labels is not None else None
        if name.removeprefix("@").casefold() in columns or name.casefold() in columns:
            root.report("labels", f"the label {name!r} is a column too", "give one of them another name")
        if color is not None and not COLOR.fullmatch(color):
            root.report("labels", f"the colour of {name!r} is {color[:20]!r}", 'it can be such as "#ff0000"')
        found[name] = color or ""
    return found


def render_new(id: str, language: str) -> bytes:
    """The ``board.toml`` of a new board, in the configured language."""
    statuses = (OPEN, "IN-PROCESS", DONE)
    columns = zip(DEFAULTS[language], statuses, strict=True)
    text = "".join(f'\n[[column]]\nname = "{name}"\nstatus = "{status}"\n' for name, status in columns)
    return f'id = "{id}"\n{text}'.encode()
