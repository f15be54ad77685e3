"""
The index: one SQLite file that makes answers fast and can be deleted at any time. With ``schema``, ``lookups`` and
``wanted`` the only module that knows SQL.

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
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from storage.disk import boot_id, find_status
from storage.errors import DiskFull
from storage.lookups import Lookups
from storage.records import (
    Facts,
    Folder,
    Member,
    Veil,
)
from storage.schema import FOLDER_COLUMNS, LOCK_COLUMNS, MEMBER_COLUMNS, SCHEMA, SCHEMA_VERSION, below

WRITES_FOLDERS = ("UPDATE folder", "INSERT INTO folder", "DELETE FROM folder", "WITH RECURSIVE")
KEPT_FOLDERS = 10_000  # rows in memory
FOLDED_LOG_BYTES = 4 << 20
WRITER_FOLDS_PAGES = 8000  # of 4 KiB: only where nobody folds the log in the background
FULL = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE})
LISTED = "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name"


log = logging.getLogger("davserver.index")


def new_id() -> str:
    """A fresh collection id or epoch: 10 random characters that need no escaping in a URI."""
    return secrets.token_hex(5)


class Batch:
    """Changes to the index that are committed together."""

    def __init__(self) -> None:
        self.statements: list[tuple[str, tuple[Any, ...]]] = []
        self.places: set[str] = set()  # of the folders whose rows are changed
        self.any_place = False  # rows of other folders too

    def __bool__(self) -> bool:
        return bool(self.statements)

    def add(self, other: Batch) -> None:
        """Take over the changes of another batch, after one's own."""
        self.statements += other.statements
        self.places |= other.places
        self.any_place = self.any_place or other.any_place

    def _add(self, sql: str, *values: Any) -> None:
        self.any_place = self.any_place or sql.startswith(WRITES_FOLDERS)
        self.statements.append((sql, values))

    def _add_for(self, place: str, sql: str, *values: Any) -> None:
        """A statement that changes the row of one folder and of no other."""
        self.places.add(place)
        self.statements.append((sql, values))

    def log(self, place: str, name: str, at: float, *, veiled: Veil = Veil.NONE) -> None:
        """Log one change of ``name`` in the folder; ``veiled`` where something went."""
        self._add("UPDATE meta SET value = value + 1 WHERE key = 'change'")
        self._add_for(
            place,
            "UPDATE folder SET modified_ns = ?, counter = (SELECT value FROM meta WHERE key = 'change')"
            " WHERE place = ?",
            int(at * 1e9),
            place,
        )
        self._add(
            "INSERT INTO change (folder, name, n, at, veiled) SELECT id, ?, counter, ?, ? FROM folder WHERE place = ?"
            " ON CONFLICT (folder, name) DO UPDATE SET"
            " n = excluded.n, at = excluded.at, veiled = max(veiled, excluded.veiled)",
            name,
            int(at),
            int(veiled),
            place,
        )

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
        self._add(
            f"INSERT OR REPLACE INTO member (folder, {MEMBER_COLUMNS})"  # noqa: S608 - constant column names
            " SELECT id, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM folder WHERE place = ?",
            *member,
            place,
        )
        if facts is None:
            return
        if facts.content is not None:
            data, head, zones, tail = facts.content
            sql = "INSERT OR REPLACE INTO content (member, head, zones, tail, data) VALUES (?, ?, ?, ?, ?)"
            self._add(sql, member.id, head, zones, tail, data)
        for kind, start_s, end_s, busy in facts.spans:
            self._add(
                "INSERT OR REPLACE INTO span (folder, kind, start_s, member, end_s, busy)"
                " SELECT id, ?, ?, ?, ?, ? FROM folder WHERE place = ?",
                kind,
                start_s,
                member.id,
                end_s,
                busy,
                place,
            )
        for number, (name, value, folded) in enumerate(facts.texts):
            self._add(
                "INSERT OR REPLACE INTO value (folder, property, member, number, value, folded)"
                " SELECT id, ?, ?, ?, ?, ? FROM folder WHERE place = ?",
                name,
                member.id,
                number,
                value,
                folded,
                place,
            )

    def sweep(self) -> None:
        """Delete what hangs on ids that no member has any more."""
        for table in ("content", "span", "value"):
            self._add(f"DELETE FROM {table} WHERE member NOT IN (SELECT id FROM member)")  # noqa: S608

    def remove_member(self, place: str, name: str) -> None:
        """Delete a member's row."""
        self._add("DELETE FROM member WHERE name = ? AND folder = (SELECT id FROM folder WHERE place = ?)", name, place)

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


class Index(Lookups):
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
                batch.raise_meta("writes", getattr(self, "_writes", 0))
                for sql, values in batch.statements:
                    cursor.execute(sql, values)
                cursor.execute("COMMIT")
                self._forget_folders(batch)
            except BaseException as error:
                if self._writer.in_transaction:  # a full disk has ended it already
                    cursor.execute("ROLLBACK")
                if isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode in FULL:
                    raise DiskFull("the disk has no room left for the index") from error
                raise

    def _forget_folders(self, batch: Batch) -> None:
        """After a commit; a row that somebody read before it is not kept by ``folder``."""
        if not batch.places and not batch.any_place:
            return
        with self._guard:
            self._commits += 1
            if batch.any_place:
                self._folders.clear()
            for place in batch.places:
                self._folders.pop(place, None)

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

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """What this thread asks within is answered from one state, whatever is written meanwhile."""
        self._rows("BEGIN")
        try:
            yield
        finally:
            self._rows("COMMIT")

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
        rows = self._rows(f"SELECT {FOLDER_COLUMNS} FROM folder WHERE place = ?", place)  # noqa: S608
        if not rows:
            return None
        folder = Folder(*rows[0])
        with self._guard:
            if commits == self._commits:
                if len(self._folders) >= KEPT_FOLDERS:
                    self._folders.clear()
                self._folders[place] = folder
        return folder


def set_aside(file: str) -> str:
    """Take an index that is not to be believed out of the way, for whoever wants to know; gives its new name."""
    aside = f"{file}.set-aside"
    os.replace(file, aside)
    return aside
