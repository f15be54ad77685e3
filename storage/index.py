"""
The index: one SQLite file that makes answers fast and can be deleted at any time. With ``schema``, ``batch``,
``lookups``, ``rowfilter`` and ``wanted`` the only module that knows SQL.

Reads run on a connection per thread; writes are collected in a ``Batch`` and committed in one transaction on one
connection. A change log keeps the newest change of each name per folder. Changes are numbered through the whole index
and no number is used twice, so that a sync report is one range scan of each folder that changed, also of a tree whose
folders come and go (RFC 6578 §3.5).
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from storage.batch import RAISE_META, Batch, Ids, new_id
from storage.disk import boot_id, find_status
from storage.errors import DiskFull
from storage.lookups import Lookups
from storage.records import Folder
from storage.schema import FOLDER_COLUMNS, SCHEMA, SCHEMA_VERSION
from storage.searchable import unicode_casemap

FIND_FOLDER = f"SELECT {FOLDER_COLUMNS} FROM folder WHERE place = ?"  # noqa: S608 - constant column names
KEPT_FOLDERS = 10_000  # rows in memory
FOLDED_LOG_BYTES = 4 << 20
WITNESS = "-witness"  # after the index's name, as SQLite names its own companions
WRITER_FOLDS_PAGES = 8000  # of 4 KiB: only where nobody folds the log in the background
FULL = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE})
LISTED = "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name"


log = logging.getLogger("davserver.index")


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
        self._absent: set[str] = set()  # places without a row
        self._commits = 0  # that changed rows of folders
        self.fresh = not file.exists()
        if self.fresh:
            self._remove_leftovers()
        self._writer = self._open_or_replace()
        self._opened = self._identity()
        self._is_lost = False  # it was deleted or replaced since
        self.epoch = self._settle_epoch()
        self._writes = int(self.meta("writes") or 0)
        self._swept = -1

    # -- opening ---------------------------------------------------------------------------------------------------

    def _remove_leftovers(self) -> None:
        """A log without its database would be played into the new one: SQLite cannot tell."""
        for suffix in ("-wal", "-shm", WITNESS):
            Path(self.file + suffix).unlink(missing_ok=True)

    def _connect(self, *, mode: str = "rw") -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{Path(self.file).absolute().as_uri()}?mode={mode}",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=30,
            cached_statements=256,
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {WRITER_FOLDS_PAGES}")
        connection.execute("PRAGMA cache_size = -2048")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.create_function("casemap", 1, unicode_casemap, deterministic=True)
        return connection

    def _open_or_replace(self) -> sqlite3.Connection:
        try:
            connection = self._connect(mode="rwc")
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
        connection = self._connect(mode="rwc")
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

    def _witness(self) -> str:
        """
        Inode and time of change of a file beside the index, which nobody can set: whoever writes an earlier state over
        both, or over the index alone, leaves one that the index does not know.
        """
        try:
            status = os.stat(self.file + WITNESS)
        except FileNotFoundError:
            return ""
        return f"{status.st_ino}:{status.st_ctime_ns}"

    def _renew_witness(self) -> str:
        file = Path(self.file + WITNESS)
        file.touch()
        return self._witness()

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
        The epoch of this index's tokens: a new one for a new, copied or restored index, also where the copy was written
        into the file that stood there, and for one that a crash of the machine may have cut short. That it is open now
        is synced before anything else is written.
        """
        identity = self._identity()
        boot = boot_id()
        epoch = self.meta("epoch")
        whole = self.meta("durable") == 1 and self.meta("closed") == 1
        lost_tail = not whole and self.meta("boot") != boot
        restored = self.meta("identity") != identity or self.meta("witness") != self._witness()
        if epoch is None or restored or lost_tail:
            epoch = new_id()
        batch = Batch()
        batch.set_meta("epoch", epoch)
        batch.set_meta("identity", identity)
        batch.set_meta("witness", self._renew_witness())
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
            batch.set_meta("witness", self._renew_witness())
            self.commit(batch)
        except (DiskFull, OSError, sqlite3.Error):
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

    @property
    def changes(self) -> int:
        """Grows with every row that this process writes."""
        return self._writer.total_changes

    def commit(self, batch: Batch) -> None:
        """Apply a batch in one transaction. Raises DiskFull."""
        with self._write_guard:
            cursor = self._writer.cursor()
            cursor.execute("BEGIN IMMEDIATE")
            try:
                cursor.execute(RAISE_META, ("writes", getattr(self, "_writes", 0)))
                ids = Ids(self._folders)
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
                self._absent.clear()
            for place in batch.places:
                self._folders.pop(place, None)
                self._absent.discard(place)
            for row in rows:
                self._keep(row)

    def _keep(self, folder: Folder) -> None:
        if len(self._folders) >= KEPT_FOLDERS:
            self._folders.clear()
        self._folders[folder.place] = folder

    def _keep_absent(self, place: str) -> None:
        if len(self._absent) >= KEPT_FOLDERS:
            self._absent.clear()
        self._absent.add(place)

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
    def snapshot(self) -> Iterator[None]:
        """What this thread asks within is answered from one state, whatever is written meanwhile."""
        if self._reader() is None:
            with self._write_guard:
                yield
            return
        self._rows("BEGIN")
        try:
            yield
        finally:
            self._rows("COMMIT")

    # -- reading ---------------------------------------------------------------------------------------------------

    def _rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        reader = self._reader()
        if reader is not None:
            return reader.connection.execute(sql, values).fetchall()
        with self._write_guard:
            return self._writer.execute(sql, values).fetchall()

    def _reader(self) -> _Reader | None:
        """This thread's own connection; None where it has none yet and the file, which the writer holds, is gone."""
        reader: _Reader | None = getattr(self._local, "reader", None)
        if reader is not None:
            return reader
        try:
            is_there = self._identity() == self._opened
        except FileNotFoundError:
            is_there = False
        if not is_there and not self._is_lost:
            self._is_lost = True
            log.warning("the index %s was deleted under the running server; the next start makes it anew", self.file)
        if not is_there:
            return None
        reader = self._local.reader = _Reader(self._connect())
        reader.connection.execute("PRAGMA query_only = ON")
        with self._guard:
            self._readers.add(reader)
        return reader

    def meta(self, key: str) -> Any:
        """A value of the index itself, or None."""
        rows = self._rows("SELECT value FROM meta WHERE key = ?", key)
        return rows[0][0] if rows else None

    def folder(self, place: str) -> Folder | None:
        """A folder's row; kept in memory until a commit changes it, as this process alone writes."""
        kept = self._folders.get(place)
        if kept is not None or place in self._absent:
            return kept
        commits = self._commits
        rows = self._rows(FIND_FOLDER, place)
        folder = Folder(*rows[0]) if rows else None
        with self._guard:
            if commits != self._commits:
                pass
            elif folder is None:
                self._keep_absent(place)
            else:
                self._keep(folder)
        return folder


def set_aside(file: str) -> str:
    """Take an index that is not to be believed out of the way, for whoever wants to know; gives its new name."""
    aside = f"{file}.set-aside"
    os.replace(file, aside)
    return aside
