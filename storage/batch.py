"""Changes to the index that are committed together, and how they are run with few statements."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from storage.records import Facts, Folder, Member, Veil
from storage.schema import LOCK_COLUMNS, MEMBER_COLUMNS, below

WRITES_FOLDERS = ("UPDATE folder", "INSERT INTO folder", "DELETE FROM folder", "WITH RECURSIVE")
PUT_MEMBER = f"INSERT OR REPLACE INTO member (folder, {MEMBER_COLUMNS}) VALUES ({', '.join('?' * 13)})"  # noqa: S608
REMOVE_MEMBER = "DELETE FROM member WHERE folder = ? AND name = ?"
PUT_CONTENT = "INSERT OR REPLACE INTO content (member, head, zones, tail, data) VALUES (?, ?, ?, ?, ?)"
PUT_SPAN = "INSERT OR REPLACE INTO span (folder, kind, start_s, member, end_s, busy) VALUES (?, ?, ?, ?, ?, ?)"
PUT_VALUE = "INSERT OR REPLACE INTO value (folder, property, member, number, value, folded) VALUES (?, ?, ?, ?, ?, ?)"
PUT_CHANGE = (
    "INSERT INTO change (folder, name, at, veiled, n) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (folder, name) DO UPDATE SET"
    " n = excluded.n, at = excluded.at, veiled = max(veiled, excluded.veiled)"
)
COUNT_CHANGES = "UPDATE meta SET value = value + ? WHERE key = 'change' RETURNING value"
RAISE_META = (
    "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = max(value, excluded.value)"
)
COUNT_IN_FOLDER = "UPDATE folder SET counter = ?, modified_ns = ? WHERE id = ?"


def new_id() -> str:
    """A fresh collection id or epoch: 10 random characters that need no escaping in a URI."""
    return secrets.token_hex(5)


class Ids:
    """The ids of folders by place, as a transaction finds them."""

    def __init__(self, known: Mapping[str, Folder]) -> None:
        """Rows that are known hold until folders come, go or move; see ``forget``."""
        self._rows = known
        self._found: dict[str, int | None] = {}

    def find(self, cursor: sqlite3.Cursor, place: str) -> int | None:
        """The id of a folder, where it has a row."""
        row = self._rows.get(place)
        if row is not None:
            return row.id
        if place not in self._found:
            rows = cursor.execute("SELECT id FROM folder WHERE place = ?", (place,)).fetchall()
            self._found[place] = rows[0][0] if rows else None
        return self._found[place]

    def forget(self) -> None:
        """From here on a place may be another folder's."""
        self._rows = {}
        self._found = {}


@dataclass(slots=True)
class _Statement:
    """
    One statement as it stands.

    Attributes:
        apart: other statements keep their place before or after it.
    """

    sql: str
    values: tuple[Any, ...]
    apart: bool

    def run(self, cursor: sqlite3.Cursor, ids: Ids) -> None:
        cursor.execute(self.sql, self.values)
        if self.apart:
            ids.forget()


@dataclass(slots=True)
class _Rows:
    """Rows for one statement, each with the place of its folder, whose id comes first; "" where it has none."""

    sql: str
    rows: list[tuple[str, tuple[Any, ...]]]

    def run(self, cursor: sqlite3.Cursor, ids: Ids) -> None:
        values = []
        for place, row in self.rows:
            if not place:
                values.append(row)
            elif (folder_id := ids.find(cursor, place)) is not None:
                values.append((folder_id, *row))
        cursor.executemany(self.sql, values)


class _Changes(_Rows):
    """Entries for the log, which are given their numbers here."""

    def run(self, cursor: sqlite3.Cursor, ids: Ids) -> None:
        newest = cursor.execute(COUNT_CHANGES, (len(self.rows),)).fetchall()[0][0]
        values, counts = [], dict[int, tuple[int, int]]()
        for n, (place, (modified_ns, *entry)) in enumerate(self.rows, newest - len(self.rows) + 1):
            folder_id = ids.find(cursor, place)
            if folder_id is not None:
                values.append((folder_id, *entry, n))
                counts[folder_id] = n, modified_ns
        cursor.executemany(PUT_CHANGE, values)
        cursor.executemany(COUNT_IN_FOLDER, [(*count, folder_id) for folder_id, count in counts.items()])


class Batch:
    """
    Changes to the index that are committed together.

    Rows of members, of what hangs on them and of the log are gathered by statement, up to the next statement that is
    to stand apart: they touch nothing of each other.
    """

    def __init__(self) -> None:
        self.steps: list[_Statement | _Rows] = []
        self.places: set[str] = set()  # of the folders whose rows are changed
        self.any_place = False  # rows of other folders too
        self._open: dict[str, _Rows] = {}  # those that take more rows, by statement

    def __bool__(self) -> bool:
        return bool(self.steps)

    @property
    def size(self) -> int:
        """How many rows and statements there are, as a measure of the work."""
        return sum(len(step.rows) if isinstance(step, _Rows) else 1 for step in self.steps)

    def add(self, other: Batch) -> None:
        """Take over the changes of another batch, after one's own."""
        for step in other.steps:
            if isinstance(step, _Rows):
                self._add_rows(step.sql, step.rows)
            else:
                self._add_statement(step)
        self.places |= other.places
        self.any_place = self.any_place or other.any_place

    def _add(self, sql: str, *values: Any) -> None:
        self.any_place = self.any_place or sql.startswith(WRITES_FOLDERS)
        self._add_statement(_Statement(sql, values, apart=True))

    def _add_for(self, place: str, sql: str, *values: Any, apart: bool = False) -> None:
        """A statement that changes the row of one folder and of no other."""
        self.places.add(place)
        self._add_statement(_Statement(sql, values, apart))

    def _add_statement(self, statement: _Statement) -> None:
        if statement.apart:
            self._open = {}
        self.steps.append(statement)

    def _add_rows(self, sql: str, rows: Iterable[tuple[str, tuple[Any, ...]]]) -> None:
        gathered = self._open.get(sql)
        if gathered is None:
            gathered = self._open[sql] = (_Changes if sql == PUT_CHANGE else _Rows)(sql, [])
            self.steps.append(gathered)
        gathered.rows += rows
        if sql in (PUT_MEMBER, REMOVE_MEMBER):  # of one name the later counts
            self._open.pop(REMOVE_MEMBER if sql == PUT_MEMBER else PUT_MEMBER, None)

    def log(self, place: str, name: str, at: float, *, veiled: Veil = Veil.NONE) -> None:
        """Log one change of ``name`` in the folder; ``veiled`` where something went."""
        self.places.add(place)
        self._add_rows(PUT_CHANGE, [(place, (int(at * 1e9), name, int(at), int(veiled)))])

    def log_arrival(self, place: str, at: float) -> None:
        """
        Log everything below a folder that was moved here as a change, parents first: it is new at this place.

        The folders begin new logs under new ids. What they held earlier was never here, so no token of the new place
        may lead to it, and a token of the old place leads nowhere. ``refuse_earlier`` has been called.
        """
        bounds = below(place)
        tree = "SELECT id FROM folder WHERE place = ? OR (place >= ? AND place < ?)"
        next_n = "(SELECT value FROM meta WHERE key = 'change') + row_number() OVER"
        self._add(f"DELETE FROM change WHERE folder IN ({tree})", place, *bounds)  # noqa: S608 - constant text
        self._add(
            "INSERT INTO change (folder, name, n, at)"  # noqa: S608 - constant text
            f" SELECT p.id, substr(f.place, length(f.parent) + 2), {next_n} (ORDER BY f.place), ?"
            " FROM folder f JOIN folder p ON p.place = f.parent WHERE f.place >= ? AND f.place < ?",
            int(at),
            *bounds,
        )
        self._count_changes(tree, place, *bounds)
        self._add(
            f"INSERT INTO change (folder, name, n, at) SELECT folder, name, {next_n} (ORDER BY folder, name), ?"  # noqa: S608
            f" FROM member WHERE folder IN ({tree})",
            int(at),
            place,
            *bounds,
        )
        self._count_changes(tree, place, *bounds)
        self._add(
            "UPDATE folder SET cid = lower(hex(randomblob(5))),"
            " kept_from = CASE place WHEN ? THEN kept_from ELSE 0 END,"
            " counter = (SELECT value FROM meta WHERE key = 'change')"
            " WHERE place = ? OR (place >= ? AND place < ?)",
            place,
            place,
            *bounds,
        )

    def _count_changes(self, tree: str, *bounds: str) -> None:
        """Raise the number of the newest change to the largest in a tree."""
        self._add(
            f"UPDATE meta SET value = max(value, coalesce((SELECT max(n) FROM change WHERE folder IN ({tree})), 0))"  # noqa: S608
            " WHERE key = 'change'",
            *bounds,
        )

    def refuse_earlier(self, place: str) -> None:
        """
        Have a folder that takes a name which was used before keep tokens from before that: its log begins now.

        To be called before the new use of the name is logged.
        """
        above, _, name = place.rpartition("/")
        old = (
            "coalesce((SELECT c.n FROM change c JOIN folder p ON p.id = c.folder WHERE p.place = ? AND c.name = ?), 0)"
        )
        values = (above, name)
        self._add(
            f"UPDATE folder SET kept_from = {old}, counter = max(counter, {old}) WHERE place = ?",  # noqa: S608
            *values,
            *values,
            place,
        )

    def put_member(self, place: str, member: Member, facts: Facts | None = None) -> None:
        """Insert or replace a member's row; with ``facts`` also what hangs on its id, which is then a new one."""
        self._add_rows(PUT_MEMBER, [(place, tuple(member))])
        if facts is None:
            return
        id = member.id
        if facts.content is not None:
            data, head, zones, tail = facts.content
            self._add_rows(PUT_CONTENT, [("", (id, head, zones, tail, data))])
        if facts.spans:
            self._add_rows(PUT_SPAN, [(place, (kind, start, id, end, busy)) for kind, start, end, busy in facts.spans])
        if facts.texts:
            texts = enumerate(facts.texts)
            rows = [(place, (name, id, number, value, folded)) for number, (name, value, folded) in texts]
            self._add_rows(PUT_VALUE, rows)

    def sweep(self) -> None:
        """Delete what hangs on ids that no member has any more."""
        for table in ("content", "span", "value"):
            self._add(f"DELETE FROM {table} WHERE member NOT IN (SELECT id FROM member)")  # noqa: S608

    def remove_member(self, place: str, name: str) -> None:
        """Delete a member's row."""
        self._add_rows(REMOVE_MEMBER, [(place, (name,))])

    def put_folder(
        self, place: str, *, inode: int, stamp_ns: int, modified_ns: int, owner: str | None, ruled: bool
    ) -> None:
        """Insert a folder's row, or bring its stamps, owner and mark up to date."""
        self._add_for(
            place,
            "INSERT INTO folder (place, parent, cid, inode, stamp_ns, modified_ns, created_ns, owner, ruled)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (place) DO UPDATE SET"
            " inode = excluded.inode, stamp_ns = excluded.stamp_ns, owner = excluded.owner, ruled = excluded.ruled",
            place,
            place.rpartition("/")[0],
            new_id(),
            inode,
            stamp_ns,
            modified_ns,
            modified_ns,
            owner,
            int(ruled),
            apart=True,
        )

    def stamp_folder(self, place: str, stamp_ns: int, inode: int | None = None) -> None:
        """Record the directory's modification time (and inode) as the ones that the rows agree with."""
        sql = "UPDATE folder SET stamp_ns = ?, inode = coalesce(?, inode) WHERE place = ?"
        self._add_for(place, sql, stamp_ns, inode, place)

    def mark_folder(self, place: str, *, owner: str | None, ruled: bool) -> None:
        """Record the owner and whether the folder has rules of its own."""
        self._add_for(place, "UPDATE folder SET owner = ?, ruled = ? WHERE place = ?", owner, int(ruled), place)

    def remove_tree(self, place: str) -> None:
        """Delete the rows of a folder and of all that lies below it."""
        bounds = (place, *below(place))
        ids = "SELECT id FROM folder WHERE place = ? OR (place >= ? AND place < ?)"
        self._add(f"DELETE FROM member WHERE folder IN ({ids})", *bounds)  # noqa: S608 - constant text
        self._add(f"DELETE FROM change WHERE folder IN ({ids})", *bounds)  # noqa: S608 - constant text
        self._add("DELETE FROM folder WHERE place = ? OR (place >= ? AND place < ?)", *bounds)

    def remove_orphans(self, roots: Sequence[str]) -> None:
        """Delete rows that no walk from the roots comes by: of folders without a folder above, and what they held."""
        marks = ", ".join("?" * len(roots))
        self._add(
            "WITH RECURSIVE reached (place) AS ("  # noqa: S608 - question marks
            f" SELECT place FROM folder WHERE place IN ({marks})"
            " UNION SELECT f.place FROM folder f JOIN reached r ON f.parent = r.place"
            ") DELETE FROM folder WHERE place NOT IN (SELECT place FROM reached)",
            *roots,
        )
        for table in ("member", "change"):
            self._add(f"DELETE FROM {table} WHERE folder NOT IN (SELECT id FROM folder)")  # noqa: S608 - constant text

    def move_tree(self, place: str, to_place: str) -> None:
        """Rename a folder and all that lies below it; ids, counters and logs go along."""
        start = len(place) + 1
        self._add(
            "UPDATE folder SET place = ? || substr(place, ?), parent = CASE WHEN place = ? THEN ? "
            "ELSE ? || substr(parent, ?) END WHERE place = ? OR (place >= ? AND place < ?)",
            to_place,
            start,
            place,
            to_place.rpartition("/")[0],
            to_place,
            start,
            place,
            *below(place),
        )

    def put_lock(self, values: tuple[Any, ...]) -> None:
        """Insert or replace a lock; values in the order of LOCK_COLUMNS."""
        self._add(f"INSERT OR REPLACE INTO lock ({LOCK_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", *values)  # noqa: S608

    def remove_lock(self, token: str) -> None:
        """Remove one lock."""
        self._add("DELETE FROM lock WHERE token = ?", token)

    def set_meta(self, key: str, value: str | int) -> None:
        """Keep a value of the index itself."""
        self._add("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", key, value)

    def prune_changes(self, before_s: int, most: int) -> None:
        """
        Forget removals that are old or too many; tokens from before them are refused from then on.

        Args:
            before_s: removals before this time are forgotten, in seconds since 1970.
            most: how many each folder keeps, the newest ones.
        """
        self._add(
            "CREATE TEMP TABLE pruned AS SELECT folder, name, n FROM ("
            "SELECT c.folder, c.name, c.n, c.at, row_number() OVER (PARTITION BY c.folder ORDER BY c.n DESC) AS rank"
            " FROM change c JOIN folder f ON f.id = c.folder"
            " LEFT JOIN member m ON m.folder = c.folder AND m.name = c.name"
            " LEFT JOIN folder s ON s.place = f.place || '/' || c.name"
            " WHERE m.name IS NULL AND s.id IS NULL AND c.name <> '') WHERE at < ? OR rank > ?",
            before_s,
            most,
        )
        self._add(
            "UPDATE folder SET kept_from = max(kept_from, g.n)"
            " FROM (SELECT folder, max(n) AS n FROM pruned GROUP BY folder) AS g WHERE g.folder = folder.id"
        )
        self._add("DELETE FROM change WHERE (folder, name) IN (SELECT folder, name FROM pruned)")
        self._add("DROP TABLE pruned")
