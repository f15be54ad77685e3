"""
The index: one SQLite file that makes answers fast and can be deleted at any time. The only module that knows SQL.

Reads run on a connection per thread; writes are collected in a ``Batch`` and committed in one transaction on one
connection. A change log keeps the newest change of each name per folder. Changes are numbered through the whole index
and no number is used twice, so that a sync report is one range scan of each folder that changed, also of a tree whose
folders come and go (RFC 6578 §3.5).
"""

from __future__ import annotations

import logging
import os
import secrets
import sqlite3
import threading
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from storage.disk import boot_id, find_status
from storage.errors import DiskFull
from storage.records import (
    LENGTHS_S,
    LOCAL,
    LONG_AGO,
    OPEN_ROW,
    Content,
    Facts,
    Folder,
    Member,
    NameChange,
    Stamps,
    Veil,
)
from storage.wanted import Wanted, condition_of, joined

V = TypeVar("V")

SCHEMA_VERSION = 3
SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
INSERT INTO meta (key, value) VALUES ('change', 0);
CREATE TABLE folder (
    id INTEGER PRIMARY KEY,
    place TEXT NOT NULL UNIQUE,
    parent TEXT NOT NULL,
    cid TEXT NOT NULL,
    counter INTEGER NOT NULL DEFAULT 0,
    kept_from INTEGER NOT NULL DEFAULT 0,
    inode INTEGER NOT NULL,
    stamp_ns INTEGER NOT NULL,
    modified_ns INTEGER NOT NULL,
    created_ns INTEGER NOT NULL,
    owner TEXT,
    ruled INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX folder_parent ON folder (parent);
CREATE INDEX folder_marked ON folder (place) WHERE owner IS NOT NULL OR ruled;
CREATE TABLE member (
    id INTEGER NOT NULL,
    folder INTEGER NOT NULL,
    name TEXT NOT NULL,
    disk_name TEXT NOT NULL,
    etag TEXT NOT NULL,
    size INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    modified_ns INTEGER NOT NULL,
    changed_ns INTEGER NOT NULL,
    created_ns INTEGER NOT NULL,
    uid TEXT,
    component TEXT,
    plain INTEGER NOT NULL,
    PRIMARY KEY (folder, name)
) WITHOUT ROWID;
CREATE UNIQUE INDEX member_id ON member (id);
CREATE INDEX member_uid ON member (folder, uid) WHERE uid IS NOT NULL;
-- What hangs on a member's id is garbage once no member has that id: a new version has a new one. It is swept later.
CREATE TABLE content (
    member INTEGER PRIMARY KEY,
    head INTEGER NOT NULL,
    zones INTEGER NOT NULL,
    tail INTEGER NOT NULL,
    data BLOB NOT NULL
);
CREATE TABLE span (
    folder INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    start_s INTEGER NOT NULL,
    member INTEGER NOT NULL,
    end_s INTEGER NOT NULL,
    busy INTEGER NOT NULL,
    PRIMARY KEY (folder, kind, start_s, member, end_s)
) WITHOUT ROWID;
CREATE TABLE value (
    folder INTEGER NOT NULL,
    property TEXT NOT NULL,
    member INTEGER NOT NULL,
    number INTEGER NOT NULL,
    value TEXT NOT NULL,
    folded TEXT,
    PRIMARY KEY (folder, property, member, number)
) WITHOUT ROWID;
CREATE TABLE change (
    folder INTEGER NOT NULL,
    name TEXT NOT NULL,
    n INTEGER NOT NULL,
    at INTEGER NOT NULL,
    veiled INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (folder, name)
) WITHOUT ROWID;
CREATE INDEX change_n ON change (folder, n);
CREATE TABLE lock (
    token TEXT PRIMARY KEY,
    path TEXT NOT NULL,
    infinite INTEGER NOT NULL,
    exclusive INTEGER NOT NULL,
    owner TEXT NOT NULL,
    principal TEXT NOT NULL,
    timeout_s INTEGER NOT NULL,
    expires_s REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX lock_path ON lock (path);
"""
FOLDER_COLUMNS = "id, place, cid, counter, kept_from, inode, stamp_ns, modified_ns, created_ns, owner, ruled"
MEMBER_COLUMNS = "id, name, disk_name, etag, size, inode, modified_ns, changed_ns, created_ns, uid, component, plain"
SPAN_CLASSES = (*LENGTHS_S, None)
SPAN_WITHIN = "folder = ? AND kind = ? AND start_s > ? AND start_s < ? AND end_s > ?"
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
FIND_FOLDER = f"SELECT {FOLDER_COLUMNS} FROM folder WHERE place = ?"  # noqa: S608 - constant column names
COUNT_IN_FOLDER = "UPDATE folder SET counter = ?, modified_ns = ? WHERE id = ?"
KEPT_FOLDERS = 10_000  # rows in memory
AT_ONCE = 500  # values of one IN list
FOLDED_LOG_BYTES = 4 << 20
WRITER_FOLDS_PAGES = 8000  # of 4 KiB: only where nobody folds the log in the background
FULL = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE})
LISTED = "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name"
LARGEST = (1 << 63) - 1
LOCK_COLUMNS = "token, path, infinite, exclusive, owner, principal, timeout_s, expires_s"

log = logging.getLogger("davserver.index")


def new_id() -> str:
    """A fresh collection id or epoch: 10 random characters that need no escaping in a URI."""
    return secrets.token_hex(5)


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _chunks(values: Iterable[V]) -> Iterator[list[V]]:
    left = iter(values)
    while chunk := list(islice(left, AT_ONCE)):
        yield chunk


def _span_values(folder_id: int, start_s: int, end_s: int, local: bool) -> Iterator[int]:
    for number, longest_s in enumerate(SPAN_CLASSES):
        yield folder_id
        yield number + (LOCAL if local else 0)
        yield LONG_AGO - 1 if longest_s is None else max(LONG_AGO, start_s - longest_s)
        yield end_s
        yield start_s


def below(place: str) -> tuple[str, str]:
    """The half-open range of texts that begin with ``place/``; ``0`` is the character after ``/``."""
    return place + "/", place + "0"


class _Ids:
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

    def run(self, cursor: sqlite3.Cursor, ids: _Ids) -> None:
        cursor.execute(self.sql, self.values)
        if self.apart:
            ids.forget()


@dataclass(slots=True)
class _Rows:
    """Rows for one statement, each with the place of its folder, whose id comes first; "" where it has none."""

    sql: str
    rows: list[tuple[str, tuple[Any, ...]]]

    def run(self, cursor: sqlite3.Cursor, ids: _Ids) -> None:
        values = []
        for place, row in self.rows:
            if not place:
                values.append(row)
            elif (folder_id := ids.find(cursor, place)) is not None:
                values.append((folder_id, *row))
        cursor.executemany(self.sql, values)


class _Changes(_Rows):
    """Entries for the log, which are given their numbers here."""

    def run(self, cursor: sqlite3.Cursor, ids: _Ids) -> None:
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

    def forget_locks(self, path: str) -> None:
        """Remove the locks on a path and below it (RFC 4918 §9.6, §9.9)."""
        self._add("DELETE FROM lock WHERE path = ? OR (path >= ? AND path < ?)", path, *below(path))

    def put_lock(self, values: tuple[Any, ...]) -> None:
        """Insert or replace a lock; values in the order of LOCK_COLUMNS."""
        self._add(f"INSERT OR REPLACE INTO lock ({LOCK_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", *values)  # noqa: S608

    def remove_lock(self, token: str) -> None:
        """Remove one lock."""
        self._add("DELETE FROM lock WHERE token = ?", token)

    def remove_expired_locks(self, now_s: float) -> None:
        """Remove the locks whose time is over."""
        self._add("DELETE FROM lock WHERE expires_s <= ?", now_s)

    def set_meta(self, key: str, value: str | int) -> None:
        """Keep a value of the index itself."""
        self._add("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", key, value)

    def raise_meta(self, key: str, value: int) -> None:
        """Keep the larger of the stored and the given number."""
        self._add(
            "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET"
            " value = max(value, excluded.value)",
            key,
            value,
        )

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


class _Reader:
    """A thread's connection, closed with the thread: the server's threads come and go."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def __del__(self) -> None:
        # The connection and its statement cache refer to each other, so it would wait for the garbage collector.
        self.connection.close()


class Index:
    """
    The SQLite file; see the module's docstring. Thread-safe.

    Attributes:
        file: its path.
        fresh: it was made anew by this process.
    """

    def __init__(self, file: Path, *, durable: bool) -> None:
        """
        Open the index, or make a new one where it is missing, damaged or of another version.

        Its commits are not synced: what a power cut takes of them is found again on the disk, and tokens that were
        given out since begin a new epoch.

        Args:
            durable: files are synced, so that an index that was closed is right after another start of the machine.
        """
        self.file = str(file)
        self._durable = durable
        self._local = threading.local()
        self._readers: weakref.WeakSet[_Reader] = weakref.WeakSet()
        self._guard = threading.Lock()
        self._write_guard = threading.RLock()
        self._folders: dict[str, Folder] = {}
        self._commits = 0  # that changed rows of folders
        self.fresh = not file.exists()
        if self.fresh:
            self._remove_leftovers()
        self._writer = self._open_or_replace()
        self.epoch = self._settle_epoch()
        self._writes = int(self.meta("writes") or 0)
        self._swept = -1

    # -- opening ---------------------------------------------------------------------------------------------------

    def _remove_leftovers(self) -> None:
        """A log without its database would be played into the new one: SQLite cannot tell."""
        for suffix in ("-wal", "-shm"):
            Path(self.file + suffix).unlink(missing_ok=True)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.file, isolation_level=None, check_same_thread=False, timeout=30, cached_statements=256
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {WRITER_FOLDS_PAGES}")
        connection.execute("PRAGMA cache_size = -2048")
        connection.execute("PRAGMA temp_store = MEMORY")
        return connection

    def _open_or_replace(self) -> sqlite3.Connection:
        try:
            connection = self._connect()
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version == 0 and not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
                self._create(connection)
                return connection
            if version == SCHEMA_VERSION and self._is_sound(connection):
                return connection
            is_ours = version == SCHEMA_VERSION
            found = "is damaged" if is_ours else f"is of version {version}, and this server writes {SCHEMA_VERSION}"
            connection.close()
        except sqlite3.DatabaseError as error:
            found = f"cannot be read ({error})"
        log.warning("the index %s %s; it is set aside as %s and rebuilt", self.file, found, set_aside(self.file))
        self._remove_leftovers()
        self.fresh = True
        connection = self._connect()
        self._create(connection)
        return connection

    def _is_sound(self, connection: sqlite3.Connection) -> bool:
        """
        Whether the tables are those of this version and the file is whole.

        One that was copied, or has a log of another file beside it, is looked at to the last row.
        """
        with closing(sqlite3.connect(":memory:")) as model:
            model.executescript(SCHEMA)
            wanted = model.execute(LISTED).fetchall()
        if connection.execute(LISTED).fetchall() != wanted:
            return False
        known = connection.execute("SELECT value FROM meta WHERE key = 'identity'").fetchone()
        check = "quick_check" if known is not None and known[0] == self._identity() else "integrity_check"
        return bool(connection.execute(f"PRAGMA {check}(1)").fetchone()[0] == "ok")

    def _identity(self) -> str:
        """Device and inode of the file: a copy has others."""
        status = os.stat(self.file)
        return f"{status.st_dev}:{status.st_ino}"

    def find_damage(self) -> str | None:
        """What is wrong with the file, looked at to the last row, or None. Others read and write meanwhile."""
        try:
            with closing(self._connect()) as connection:
                found = str(connection.execute("PRAGMA integrity_check(1)").fetchone()[0])
        except sqlite3.DatabaseError as error:
            return str(error)
        return None if found == "ok" else " ".join(found.split())

    @staticmethod
    def _create(connection: sqlite3.Connection) -> None:
        connection.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")

    def _settle_epoch(self) -> str:
        """
        The epoch of this index's tokens: a new one for a new, copied or restored index and for one that a crash of the
        machine may have cut short. That it is open now is synced before anything else is written.
        """
        identity = self._identity()
        boot = boot_id()
        epoch = self.meta("epoch")
        whole = self.meta("durable") == 1 and self.meta("closed") == 1
        lost_tail = not whole and self.meta("boot") != boot
        if epoch is None or self.meta("identity") != identity or lost_tail:
            epoch = new_id()
        batch = Batch()
        batch.set_meta("epoch", epoch)
        batch.set_meta("identity", identity)
        batch.set_meta("boot", boot)
        batch.set_meta("durable", int(self._durable))
        batch.set_meta("closed", 0)
        self._writer.execute("PRAGMA synchronous = FULL")
        self.commit(batch)
        self._writer.execute("PRAGMA synchronous = NORMAL")
        return str(epoch)

    def close(self) -> None:
        """Close every connection; the write-ahead log is folded into the file, which is synced."""
        batch = Batch()
        batch.set_meta("closed", 1)
        try:
            self.commit(batch)
        except (DiskFull, sqlite3.Error):
            log.warning("the index could not note that it was closed")
        with self._write_guard, self._guard:
            for reader in list(self._readers):
                reader.connection.close()
            self._readers.clear()
            self._writer.close()

    # -- writing ---------------------------------------------------------------------------------------------------

    def next_write(self) -> int:
        """A number that was never given before in this epoch; it is kept by the next commit."""
        with self._guard:
            self._writes += 1
            return self._writes

    def commit(self, batch: Batch) -> None:
        """Apply a batch in one transaction. Raises DiskFull."""
        with self._write_guard:
            cursor = self._writer.cursor()
            cursor.execute("BEGIN IMMEDIATE")
            try:
                cursor.execute(RAISE_META, ("writes", getattr(self, "_writes", 0)))
                ids = _Ids(self._folders)
                for step in batch.steps:
                    step.run(cursor, ids)
                rows = self._rows_to_keep(cursor, batch)
                cursor.execute("COMMIT")
                self._keep_folders(batch, rows)
            except BaseException as error:
                if self._writer.in_transaction:  # a full disk has ended it already
                    cursor.execute("ROLLBACK")
                if isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode in FULL:
                    raise DiskFull("the disk has no room left for the index") from error
                raise

    @staticmethod
    def _rows_to_keep(cursor: sqlite3.Cursor, batch: Batch) -> list[Folder]:
        """Before a commit of items: their folders' rows, which the next request will ask for."""
        if batch.any_place:
            return []
        found = (cursor.execute(FIND_FOLDER, (place,)).fetchall() for place in batch.places)
        return [Folder(*row) for rows in found for row in rows]

    def _keep_folders(self, batch: Batch, rows: Sequence[Folder]) -> None:
        """After a commit; a row that somebody read before it is not kept by ``folder``."""
        if not batch.places and not batch.any_place:
            return
        with self._guard:
            self._commits += 1
            if batch.any_place:
                self._folders.clear()
            for place in batch.places:
                self._folders.pop(place, None)
            for row in rows:
                self._keep(row)

    def _keep(self, folder: Folder) -> None:
        if len(self._folders) >= KEPT_FOLDERS:
            self._folders.clear()
        self._folders[folder.place] = folder

    def sweep(self) -> None:
        """Delete what hangs on ids that no member has any more, if anything was written since the last time."""
        if self._writes == self._swept:
            return
        self._swept = self._writes
        batch = Batch()
        batch.sweep()
        self.commit(batch)

    def fold_log(self) -> None:
        """Copy the write-ahead log into the file where it is long, beside writers: they need not do it then."""
        status = find_status(self.file + "-wal")
        if status is not None and status.st_size > FOLDED_LOG_BYTES:
            self._rows("PRAGMA wal_checkpoint(PASSIVE)")

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep other writers out while a decision is read and written (locks)."""
        with self._write_guard:
            yield

    # -- reading ---------------------------------------------------------------------------------------------------

    def _rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        reader: _Reader | None = getattr(self._local, "reader", None)
        if reader is None:
            reader = self._local.reader = _Reader(self._connect())
            reader.connection.execute("PRAGMA query_only = ON")
            with self._guard:
                self._readers.add(reader)
        return reader.connection.execute(sql, values).fetchall()

    def meta(self, key: str) -> Any:
        """A value of the index itself, or None."""
        rows = self._rows("SELECT value FROM meta WHERE key = ?", key)
        return rows[0][0] if rows else None

    def folder(self, place: str) -> Folder | None:
        """A folder's row; kept in memory until a commit changes it, as this process alone writes."""
        kept = self._folders.get(place)
        if kept is not None:
            return kept
        commits = self._commits
        rows = self._rows(FIND_FOLDER, place)
        if not rows:
            return None
        folder = Folder(*rows[0])
        with self._guard:
            if commits == self._commits:
                self._keep(folder)
        return folder

    def folders(self, place: str) -> list[Folder]:
        """The rows of the folders directly in ``place``, by name."""
        sql = f"SELECT {FOLDER_COLUMNS} FROM folder WHERE parent = ? ORDER BY place"  # noqa: S608
        return [Folder(*row) for row in self._rows(sql, place)]

    def tree(self, place: str) -> list[Folder]:
        """The rows of ``place`` and of every folder below it, parents first."""
        sql = f"SELECT {FOLDER_COLUMNS} FROM folder WHERE place = ? OR (place >= ? AND place < ?) ORDER BY place"  # noqa: S608
        return [Folder(*row) for row in self._rows(sql, place, *below(place))]

    def members(self, folder_id: int) -> list[Member]:
        """The rows of a folder's files, by name."""
        sql = f"SELECT {MEMBER_COLUMNS} FROM member WHERE folder = ? ORDER BY name"  # noqa: S608
        return [Member._make(row) for row in self._rows(sql, folder_id)]

    def stamps(self, folder_id: int, *, after: str, most: int) -> list[Stamps]:
        """What the rows of a folder's files are compared with the disk by: ``most`` at a time, by name."""
        sql = (
            "SELECT name, disk_name, inode, size, modified_ns, changed_ns FROM member"
            " WHERE folder = ? AND name > ? ORDER BY name LIMIT ?"
        )
        return list(map(Stamps._make, self._rows(sql, folder_id, after, most)))

    def member(self, folder_id: int, name: str) -> Member | None:
        """One file's row."""
        sql = f"SELECT {MEMBER_COLUMNS} FROM member WHERE folder = ? AND name = ?"  # noqa: S608
        rows = self._rows(sql, folder_id, name)
        return Member._make(rows[0]) if rows else None

    def members_named(self, folder_id: int, names: Iterable[str]) -> dict[str, Member]:
        """The rows of some of a folder's files, by name."""
        found: dict[str, Member] = {}
        for chunk in _chunks(names):
            sql = f"SELECT {MEMBER_COLUMNS} FROM member WHERE folder = ? AND name IN ({_marks(chunk)})"  # noqa: S608
            found.update((row[1], Member._make(row)) for row in self._rows(sql, folder_id, *chunk))
        return found

    def members_with(self, ids: Iterable[int]) -> list[Member]:
        """The rows of members by their ids."""
        found: list[Member] = []
        for chunk in _chunks(ids):
            sql = f"SELECT {MEMBER_COLUMNS} FROM member WHERE id IN ({_marks(chunk)})"  # noqa: S608
            found += map(Member._make, self._rows(sql, *chunk))
        return found

    def contents(self, ids: Iterable[int]) -> dict[int, Content]:
        """The bytes of members by their ids, as far as they are kept here."""
        found: dict[int, Content] = {}
        for chunk in _chunks(ids):
            sql = f"SELECT member, data, head, zones, tail FROM content WHERE member IN ({_marks(chunk)})"  # noqa: S608
            found.update((row[0], Content._make(row[1:])) for row in self._rows(sql, *chunk))
        return found

    def members_matching(
        self, folder_id: int, component: str, wanted: Sequence[Wanted], *, any_of: bool = False
    ) -> list[Member]:
        """
        The members of a component type that may match, by name; of those that are plain it is sure that they do.
        """
        sql = f"SELECT {MEMBER_COLUMNS} FROM member m WHERE folder = ? AND component = ?"  # noqa: S608
        values: list[str | int] = [folder_id, component]
        if wanted:
            condition, more = joined([condition_of(each, folder_id) for each in wanted], " OR " if any_of else " AND ")
            sql += f" AND (NOT plain OR {condition})"
            values += more
        return [Member._make(row) for row in self._rows(f"{sql} ORDER BY name", *values)]

    def members_within(self, folder_id: int, start_s: int, end_s: int, *, local: bool) -> set[int]:
        """
        The ids of what surely takes place in a range.

        Args:
            local: of what stands on a local clock, the range being what it shows; else of what has a zone.
        """
        sql = " UNION ".join(f"SELECT member FROM span WHERE {SPAN_WITHIN}" for _ in SPAN_CLASSES)  # noqa: S608
        return {int(row[0]) for row in self._rows(sql, *_span_values(folder_id, start_s, end_s, local))}

    def spans_within(self, folder_id: int, start_s: int, end_s: int, *, local: bool) -> list[tuple[int, int, int, int]]:
        """As ``members_within``, each span with its member: (id, start, end, busy)."""
        sql = " UNION ALL ".join(
            f"SELECT member, start_s, end_s, busy FROM span WHERE {SPAN_WITHIN}"  # noqa: S608 - constant text
            for _ in SPAN_CLASSES
        )
        return self._rows(sql, *_span_values(folder_id, start_s, end_s, local))

    def members_perhaps_within(self, folder_id: int, start_s: int, end_s: int) -> set[int]:
        """The ids of what may take place in a range; only the object itself can say."""
        sql = "SELECT member FROM span WHERE folder = ? AND kind = ? AND start_s < ? AND end_s > ?"
        return {int(row[0]) for row in self._rows(sql, folder_id, OPEN_ROW, end_s, start_s)}

    def holder_of_uid(self, folder_id: int, uid: str) -> str | None:
        """The name of the member that holds a UID."""
        rows = self._rows("SELECT name FROM member WHERE folder = ? AND uid = ? LIMIT 1", folder_id, uid)
        return str(rows[0][0]) if rows else None

    def changed_names(self, folder_id: int, after: int, upto: int | None = None) -> list[NameChange]:
        """The newest change of each name whose number is above ``after`` and at most ``upto``, oldest first."""
        sql = "SELECT n, name, veiled FROM change WHERE folder = ? AND n > ? AND n <= ? ORDER BY n"
        return [
            NameChange(n, name, Veil(veiled))
            for n, name, veiled in self._rows(sql, folder_id, after, LARGEST if upto is None else upto)
        ]

    def change_number(self, place: str) -> int:
        """The number under which the last appearance of a folder is logged; 0 where the log does not say."""
        above, _, name = place.rpartition("/")
        sql = "SELECT c.n FROM change c JOIN folder p ON p.id = c.folder WHERE p.place = ? AND c.name = ?"
        rows = self._rows(sql, above, name)
        return int(rows[0][0]) if rows else 0

    def tree_bytes(self, place: str) -> int:
        """The sizes of all files at and below a folder, added up."""
        sql = (
            "SELECT coalesce(sum(m.size), 0) FROM folder f JOIN member m ON m.folder = f.id"
            " WHERE f.place = ? OR (f.place >= ? AND f.place < ?)"
        )
        return int(self._rows(sql, place, *below(place))[0][0])

    def marked_below(self, place: str) -> list[str]:
        """The places strictly below a folder that have rules or an owner of their own."""
        sql = "SELECT place FROM folder WHERE place >= ? AND place < ? AND (owner IS NOT NULL OR ruled)"
        return [str(row[0]) for row in self._rows(sql, *below(place))]

    def locks(self, paths: Iterable[str], now_s: float) -> list[tuple[Any, ...]]:
        """The live locks whose root is one of ``paths``."""
        wanted = list(paths)
        marks = ", ".join("?" * len(wanted))
        sql = f"SELECT {LOCK_COLUMNS} FROM lock WHERE expires_s > ? AND path IN ({marks})"  # noqa: S608 - question marks
        return self._rows(sql, now_s, *wanted)

    def locks_below(self, path: str, now_s: float) -> list[tuple[Any, ...]]:
        """The live locks whose root lies strictly below a path."""
        sql = f"SELECT {LOCK_COLUMNS} FROM lock WHERE expires_s > ? AND path >= ? AND path < ?"  # noqa: S608
        return self._rows(sql, now_s, *below(path))

    def lock(self, token: str, now_s: float) -> tuple[Any, ...] | None:
        """One live lock."""
        rows = self._rows(f"SELECT {LOCK_COLUMNS} FROM lock WHERE token = ? AND expires_s > ?", token, now_s)  # noqa: S608
        return rows[0] if rows else None

    def count_locks(self, principal: str, now_s: float) -> int:
        """How many live locks somebody holds."""
        return int(
            self._rows("SELECT count(*) FROM lock WHERE principal = ? AND expires_s > ?", principal, now_s)[0][0]
        )


def set_aside(file: str) -> str:
    """Take an index that is not to be believed out of the way, for whoever wants to know; gives its new name."""
    aside = f"{file}.set-aside"
    os.replace(file, aside)
    return aside
