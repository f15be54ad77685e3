"""
The store: the data folder and its index, opened once by the process.

Reads answer the present state: a directory whose modification time moved is reconciled first, and an open file that
differs from its row is looked at again. Writes go through ``write``.
"""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
import shutil
import stat
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from config.schema import Settings
from storage import paths
from storage import state as states
from storage.batch import Batch
from storage.commits import Commits, Key
from storage.disk import boot_id, find_status, modified_of, open_to_read, sync_directory, sync_file_system
from storage.errors import DiskFull, InvalidSyncToken, NotFound, StoreBusy
from storage.formertree import FormerTree
from storage.guards import Guards
from storage.index import Index
from storage.itemwrite import JOURNALED_BYTES, ItemWrite
from storage.journal import FULL_BYTES, Journal
from storage.links import Links
from storage.locks import Locks
from storage.made import MadeCache, Maker
from storage.quota import Promised
from storage.reconcile import Count, Reconciler, count_nothing, is_item_place
from storage.records import DISTRUSTED, NEVER, Content, Folder, Member, NameChange, agrees
from storage.replay import replay
from storage.rowfilter import RowFilter
from storage.scan import count_files, go_on
from storage.scratch import Scratch
from storage.secretkey import read_secret
from storage.session import Session
from storage.state import Change, State
from storage.transaction import Transaction

if TYPE_CHECKING:
    from auth.asked import Asked
    from auth.ballots import Ballots
    from auth.principal import Principal
    from storage.rulebook import Members

TOKEN_PREFIX = "urn:davserver:sync:"  # noqa: S105 - a URN
FOLDERS = ("files", "homes", "collections/collection-root", "trash", "history", "scratch")
CACHED_STATES = 10_000
LOOKS = 20  # at a tree in which looking finds new folders, which hold new folders
LISTED_AT_ONCE = 1000  # rows of files
READ_AT_ONCE = 100
KEPT_BACK_BYTES = 2 << 20  # a rename must not be done whose row then finds no room
REMOVAL_BYTES = 1 << 20  # of these for a removal: where it were refused too, nobody could make room
JOURNAL_IDLE_S = 5

Progress = Callable[[int, int], None]  # files done, files in all

log = logging.getLogger("davserver.store")


def no_progress(done: int, total: int) -> None:
    """Nobody wants to know how far it is."""


class Store:
    """
    See the module's docstring. Thread-safe.

    Attributes:
        data: the data folder, absolute.
        accounts: members, groups and resources, where the process knows them.
        locks: DAV locks.
        views: the boards, notebooks and so on, whose files are calendar objects too.
        derived: brings the collections that the server derives from others up to date.
        rulebook: who made what and which rules hold where; ``auth.acl`` decides from it.
        links: the public links that the rules make.
        forms, polls: what their settings say; personal: links of one member for one of them.
        reads_page: whether a file is a page of a form that somebody may answer; is_sealed: whether one is a vote;
            asked_at: what a form says about rights in a folder; ballots_at: what a poll says of them.
        undecided: when a decision could not be written last, by place of the poll.
        to_own_vote, from_own_vote: a voter's file in an anonymous poll, by the name that the voter knows.
        makers: of derived files, by name; made: what they made last.
        secret: the key of this data folder's hashes.
        clock: gives seconds since 1970.
        reconciler: compares rows with the disk, a folder at a time, within ``comparing``.
        filled: the index was made anew at this start, or the making was finished.
        trash, history: where goes what is deleted, and what is overwritten.
        journal, commits: how writes of items become durable.
        applying: held while such writes are done on disk and in the index.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        directory: Members | None = None,
        clock: Callable[[], float] = time.time,
        progress: Progress = no_progress,
    ) -> None:
        """
        Open the data folder, making what is missing, and bring the index in line with it.

        Args:
            progress: told how far it is where the whole index is made anew.

        Raises:
            StoreBusy: another server (or Radicale) holds the folder.
            RulesRefused: the server's ``access.toml`` is broken.
        """
        from storage import (
            answerstable,
            asking,
            formcheck,
            linksfile,
            openpages,
            personallinks,
            pollresults,
            pollrights,
        )
        from storage.answerview import JOURNAL, TASK, FormKind
        from storage.boards import BoardKind
        from storage.derived import Derived
        from storage.form import CLOSED, parse_form
        from storage.lastgood import LastGood
        from storage.notebooks import NotebookKind
        from storage.personallinks import PersonalLinks
        from storage.poll import Poll, parse_poll
        from storage.rulebook import DiskRuleBook
        from storage.settingsfile import LONGEST_BYTES
        from storage.views import Views

        self.settings = settings
        self.clock = clock
        self.data = str(settings.storage.data)
        self.durable = settings.storage.durability == "full"
        for name in FOLDERS:
            os.makedirs(f"{self.data}/{name}", mode=0o700, exist_ok=True)
        self.trash = FormerTree(f"{self.data}/trash")
        self.history = FormerTree(f"{self.data}/history")
        self._radicale_lock = self._hold_radicale_lock()
        boot = boot_id()
        replay(self.data, boot, durable=self.durable)
        shutil.rmtree(f"{self.data}/scratch")
        os.mkdir(f"{self.data}/scratch", 0o700)
        self.index = Index(Path(self.data, "index.sqlite"), durable=self.durable)
        self.promised = Promised()
        self.locks = Locks(self.index, clock, per_member=settings.limits.locks_per_member)
        self._data_fd = os.open(self.data, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self.journal = Journal(self.data, boot=boot, durable=self.durable, sync=self.sync_all, clock=clock)
        self.commits = Commits(self)
        self.applying = Guards()
        self._guards = Guards()
        self.reconciler = Reconciler(self.data, self.index, clock, logs_new=not self.index.fresh)
        self._states: dict[str, State] = {}
        self._changing = threading.local()
        self.accounts = directory
        self.rulebook = DiskRuleBook(self, directory)
        self.links = Links(self)
        self.forms = LastGood(parse_form, CLOSED, LONGEST_BYTES)
        self.polls = LastGood(parse_poll, Poll(), LONGEST_BYTES)
        self.undecided: dict[str, float] = {}
        self.reads_page: Callable[[Session, str], bool] = openpages.reads_page
        self.is_sealed: Callable[[str], bool] = partial(pollrights.is_sealed, self)
        self.asked_at: Callable[[str], Asked | None] = partial(asking.asked_at, self)
        self.ballots_at: Callable[[str], Ballots | None] = partial(pollrights.ballots_at, self)
        self.to_own_vote: Callable[[str, str | None], str] = partial(pollrights.to_own_vote, self)
        self.from_own_vote: Callable[[str, str | None], str] = partial(pollrights.from_own_vote, self)
        self.personal = PersonalLinks(self)
        makers = (
            *(linksfile.MAKER, personallinks.MAKER, answerstable.MAKER, formcheck.MAKER),
            *pollresults.MAKERS,
        )
        self.makers: Mapping[str, Maker] = {maker.name: maker for maker in makers}
        self.made = MadeCache()
        self.secret = read_secret(self.data)
        self.derived = Derived(self, directory)
        self.views = Views(self, BoardKind(), NotebookKind(), FormKind("journal", JOURNAL), FormKind("task", TASK))
        self.reconcile(progress)
        self.reconciler.logs_new = True

    def close(self) -> None:
        """Put all that the journal holds into its files, close the index and let the data folder go."""
        try:
            self.journal.empty()
        except OSError:
            log.exception("the journal could not be emptied; the next start will do it")
        self.index.close()
        os.close(self._data_fd)
        os.close(self._radicale_lock)

    def session(self, principal: Principal) -> Session:
        """The shelves as somebody may use them."""
        return Session(self, principal)

    @property
    def is_writing(self) -> bool:
        """Whether this thread is within a write, where it must not wait for another one."""
        return self._guards.inside

    @property
    def epoch(self) -> str:
        """What changes when old sync tokens must not be believed."""
        return self.index.epoch

    def _hold_radicale_lock(self) -> int:
        fd = os.open(f"{self.data}/collections/.Radicale.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(fd)
            raise StoreBusy(self.data) from error
        return fd

    # -- the disk --------------------------------------------------------------------------------------------------

    def directory(self, place: str) -> str:
        """The absolute path of a folder on disk."""
        return f"{self.data}/{place}"

    def file(self, place: str, disk_name: str) -> str:
        """The absolute path of a file on disk."""
        return f"{self.data}/{place}/{disk_name}"

    def sync_directory(self, place: str) -> None:
        """Press a directory's entries onto the disk, where the configuration asks for it."""
        if self.durable:
            sync_directory(self.directory(place))

    def sync_all(self) -> None:
        """Press everything onto the disk, where the configuration asks for it."""
        if self.durable:
            sync_file_system(self._data_fd)

    def build_folder(self, directory: str, changes: Sequence[Change], files: Mapping[str, bytes]) -> None:
        """Make a directory with its state and the server's own files in it, and only then give it its name."""
        scratch = f"{self.data}/scratch/{secrets.token_hex(8)}"
        os.mkdir(scratch, 0o755)
        try:
            for name, data in files.items():
                with Scratch(scratch, durable=self.durable, hashed=False) as file:
                    file.write(data)
                    file.rename_to(f"{scratch}/{name}")
            if changes:
                states.append(scratch, states.EMPTY, list(changes), durable=self.durable)
            if self.durable:
                sync_directory(scratch)
            os.rename(scratch, directory)
        except BaseException:
            shutil.rmtree(scratch, ignore_errors=True)
            raise

    def keeps_removed(self, path: str) -> bool:
        """Whether what is deleted at a canonical path goes to the trash."""
        return self.settings.trash.keep_days > 0 and self.rulebook.settings_of(path).trash is not False

    def keeps_versions(self, path: str) -> bool:
        """Whether what is overwritten at a canonical path goes to the history."""
        return self.settings.history.keep_days > 0 and self.rulebook.settings_of(path).history is not False

    def erase(self, file: str) -> None:
        """Remove a file or tree for good, at once: what a crash leaves of it the next start removes. Raises OSError."""
        scratch = f"{self.data}/scratch/{secrets.token_hex(8)}"
        os.rename(file, scratch)
        if os.path.isdir(scratch) and not os.path.islink(scratch):
            shutil.rmtree(scratch, ignore_errors=True)
        else:
            os.unlink(scratch)

    def make_room(self, wanted_bytes: int) -> bool:
        """Whether so many bytes are free, after the oldest of trash and history have gone where it takes that."""
        from storage.purge import make_room

        return self.free_bytes() >= wanted_bytes or make_room(self, wanted_bytes)

    def free_bytes(self) -> int:
        """What the disk has left for files: a little is kept back for state lines and the index."""
        return max(0, self._left_bytes() - KEPT_BACK_BYTES)

    def _left_bytes(self) -> int:
        status = os.statvfs(self.data)
        return status.f_bavail * status.f_frsize

    def _require_room(self, *, removes: bool) -> None:
        """Raise DiskFull where the end of a change might not fit."""
        if not self.make_room(1) and not (removes and self._left_bytes() >= REMOVAL_BYTES):
            raise DiskFull

    # -- reading ---------------------------------------------------------------------------------------------------

    def folder_row(self, place: str) -> Folder | None:
        """A folder as the index has it, the disk unasked."""
        return self.index.folder(place)

    def member_row(self, folder: Folder, name: str) -> Member | None:
        """A file of a folder as the index has it, the disk unasked; ``open_member`` asks it."""
        return self.index.member(folder.id, name)

    def find_folder(self, place: str) -> Folder | None:
        """A folder in its present state, or None."""
        folder = self.index.folder(place)
        if folder is not None and paths.is_view(place):
            return folder
        if folder is not None:
            return self._fresh(folder)
        changing = place in getattr(self._changing, "places", ())
        return self._look_again(place) if not changing and self._may_be_there(place) else None

    def find_in(self, folder: Folder, name: str) -> Folder | Member | None:
        """The subfolder or file that has a name in a folder whose row is fresh, or None."""
        row = self.index.folder(f"{folder.place}/{name}")
        return self.find_member(folder, name) if row is None else self._fresh(row)

    def _fresh(self, folder: Folder) -> Folder | None:
        """A folder's row if it agrees with the disk, else the one after a look."""
        if folder.place in getattr(self._changing, "places", ()):
            return folder
        return self._look_again(folder.place) if self._must_be_compared(folder) else folder

    def _must_be_compared(self, folder: Folder) -> bool:
        """Whether a folder's row does not agree with the directory, or agrees with stamps that had not settled."""
        status = find_status(self.directory(folder.place))
        if status is None or (status.st_ino, modified_of(status)) != (folder.inode, folder.stamp_ns):
            return True
        return self.reconciler.is_due(folder.place, status)

    def _may_be_there(self, place: str) -> bool:
        """Whether a folder without a row can exist: its parent must have moved, which looking at it finds out."""
        above, _, name = place.rpartition("/")
        if not above or name == "" or paths.is_private(name) or paths.is_too_deep(place):
            return False
        if not any(place.startswith(root + "/") for _, root in paths.EVERY_TREE):
            return False
        parent = self.find_folder(above)
        return parent is not None and self.index.folder(place) is not None

    def _look_again(self, place: str) -> Folder | None:
        """Reconcile a folder from its nearest parent that stands, and give its row."""
        roots = {root for _, root in paths.EVERY_TREE}
        if place not in roots:
            above = place.rpartition("/")[0]
            if self.find_folder(above) is None:
                return None
            folder = self.index.folder(place)
            status = find_status(self.directory(place))
            if folder is None or status is None or status.st_ino != folder.inode:
                self._reconcile_one(above)
        self._reconcile_one(place, if_needed=True)
        return self.index.folder(place)

    @contextmanager
    def comparing(self, place: str) -> Iterator[None]:
        """The write lock under which a folder's rows are brought in line with the disk."""
        with self._guards.hold([place]), self.applying.hold([place]):
            yield

    def _reconcile_one(self, place: str, count: Count = count_nothing, *, if_needed: bool = False) -> None:
        """
        Compare one directory with its rows, under its write lock.

        Args:
            count: told of files as they are done.
            if_needed: not if they agree after the wait for the lock, which a writer held.
        """
        if self._guards.inside and not self._guards.holds(place):
            return  # a writer must not wait for another one; what it needs it has locked
        with self.comparing(place):
            folder = self.index.folder(place)
            if folder is None or (if_needed and not self._must_be_compared(folder)):
                return
            try:
                if self.reconciler.folder(folder, count):
                    self.rulebook.refresh()
            except (FileNotFoundError, NotADirectoryError):
                log.debug("%s went away while it was looked at", place)

    def folders(self, folder: Folder) -> list[Folder]:
        """The folders directly in a folder, by name, each in its present state."""
        return [fresh for row in self.index.folders(folder.place) if (fresh := self._fresh(row)) is not None]

    def tree(self, folder: Folder) -> list[Folder]:
        """A folder and all folders below it, parents first, each in its present state."""
        found = [folder]
        for current in found:
            found += self.folders(current)
        return sorted(found, key=lambda each: each.place)

    def present_tree(self, folder: Folder) -> list[Folder]:
        """
        The rows of a folder and of all below it as they were at one moment, the disk having been looked at before.

        Costs a look at each folder's stamp, whatever lies in it. Where others change the tree all the while, it is
        the moment that counts: what comes later is found by a later call.
        """
        for _ in range(LOOKS):
            rows = self.index.tree(folder.place)
            moved = [row for row in rows if self._fresh(row) is not row]
            if not moved:
                return rows
        return self.index.tree(folder.place)

    def members(self, folder: Folder, *, after: str = "", most: int | None = None) -> list[Member]:
        """The files directly in a folder, by name; with ``after`` and ``most`` a part of them."""
        return self.index.members(folder.id, after=after, most=most)

    def members_passing(self, folders: Iterable[Folder], wanted: RowFilter) -> list[tuple[int, Member]]:
        """The rows of the files directly in some folders that pass a filter, by name, each after its folder's id."""
        return self.index.members_passing([folder.id for folder in folders], wanted)

    def each_member(self, folder: Folder) -> Iterator[Member]:
        """As ``members``, some at a time: of a large folder that is listed to many no more is in memory."""
        some = self.members(folder, most=LISTED_AT_ONCE)
        while some:
            yield from some
            some = self.members(folder, after=some[-1].name, most=LISTED_AT_ONCE) if len(some) == LISTED_AT_ONCE else []

    def members_named(self, folder: Folder, names: Iterable[str]) -> dict[str, Member]:
        """The rows of some files directly in a folder, by name."""
        return self.index.members_named(folder.id, names)

    def find_member(self, folder: Folder, name: str) -> Member | None:
        """
        One file of a folder, or None.

        An edit in place moves no directory's stamp, and a condition of a PUT must be asked of what is there: the file's
        own stamps are compared.
        """
        row = self.index.member(folder.id, name)
        if row is None or paths.is_view(folder.place) or folder.place in getattr(self._changing, "places", ()):
            return row
        status = find_status(self.file(folder.place, row.disk_name))
        if status is not None and agrees(row, status):
            return row
        self._look_at_member(folder, name, row)
        return self.index.member(folder.id, name)

    def open_member(self, folder: Folder, name: str, found: Member | None = None) -> tuple[int, Member]:
        """
        A descriptor for reading and the row that agrees with its bytes. The caller closes it. Raises NotFound.

        Args:
            found: the row, where it was just looked up.
        """
        if paths.is_view(folder.place):
            return self._open_rendered(folder, name)
        for _ in range(5):
            row, found = found or self.index.member(folder.id, name), None
            if row is None:
                break
            try:
                fd = open_to_read(self.file(folder.place, row.disk_name))
            except FileNotFoundError:
                self._look_at_member(folder, name, row)
                continue
            except OSError:  # a link or something else that took the name
                self._look_at_member(folder, name, row)
                break
            status = os.fstat(fd)
            if agrees(row, status) and stat.S_ISREG(status.st_mode):
                return fd, row
            os.close(fd)
            self._look_at_member(folder, name, row)
        raise NotFound(paths.path_of(f"{folder.place}/{name}"))

    def _open_rendered(self, folder: Folder, name: str) -> tuple[int, Member]:
        """What is rendered has no file: a descriptor of memory stands for it."""
        row = self.index.member(folder.id, name)
        content = None if row is None else self.index.contents([row.id]).get(row.id)
        if row is None or content is None:
            raise NotFound(f"{folder.place}/{name}")
        fd = os.memfd_create("rendered", os.MFD_CLOEXEC)
        with os.fdopen(os.dup(fd), "wb") as file:
            file.write(content.data)
        os.lseek(fd, 0, os.SEEK_SET)
        return fd, row

    def _look_at_member(self, folder: Folder, name: str, row: Member) -> None:
        if self._guards.inside and not self._guards.holds(folder.place):
            return
        with self.comparing(folder.place):
            self.reconciler.member(folder, name, row.disk_name)
        self.rulebook.refresh()

    def read_member(self, folder: Folder, name: str) -> tuple[bytes, Member]:
        """A file's bytes and the row that agrees with them. Raises NotFound."""
        fd, row = self.open_member(folder, name)
        with os.fdopen(fd, "rb") as file:
            return file.read(), row

    def read_contents(self, folder: Folder, members: Iterable[Member]) -> Iterator[tuple[Member, Content] | None]:
        """
        The bytes of many items, each with the row that agrees with them; None for one that went.

        They come from the index where the file's stamps are those of its row.
        """
        left, is_rendered = iter(members), paths.is_view(folder.place)
        while some := list(islice(left, READ_AT_ONCE)):
            contents = self.index.contents([member.id for member in some])
            for member in some:
                content = contents.pop(member.id, None)
                if content is not None and (is_rendered or self._is_of_row(folder, member)):
                    yield member, content
                    continue
                try:
                    data, present = self.read_member(folder, member.name)
                except NotFound:
                    yield None
                else:
                    yield present, Content(data)

    def _is_of_row(self, folder: Folder, member: Member) -> bool:
        status = find_status(f"{self.data}/{folder.place}/{member.disk_name}")
        return status is not None and agrees(member, status)

    def read_members(self, folder: Folder, members: Iterable[Member]) -> Iterator[tuple[Member, bytes] | None]:
        """As ``read_contents``, the bytes alone."""
        return (read and (read[0], read[1].data) for read in self.read_contents(folder, members))

    def holder_of_uid(self, folder: Folder, uid: str) -> str | None:
        """The name of the member that holds a UID (RFC 4791 §5.3.2.1)."""
        return self.index.holder_of_uid(folder.id, uid)

    def tree_bytes(self, folder: Folder) -> int:
        """The sizes of all files at and below a folder, added up, for quotas."""
        return self.index.tree_bytes(folder.place)

    def state(self, place: str) -> State:
        """What is kept of a folder and its members beside the files."""
        directory = self.directory(place)
        cached = self._states.get(place)
        if cached is not None and cached.stamp == states.stamp_of(directory):
            return cached
        try:
            fresh = states.read(directory)
        except (FileNotFoundError, NotADirectoryError):
            return states.EMPTY
        self._remember(place, fresh)
        return fresh

    def _remember(self, place: str, state: State) -> None:
        if len(self._states) >= CACHED_STATES:
            self._states.clear()
        if state is not states.EMPTY:
            self._states[place] = state

    # -- sync tokens (RFC 6578 §3) ---------------------------------------------------------------------------------

    def sync_token(self, folder: Folder, counter: int | None = None) -> str:
        """The token of a folder as it is, or as it was when its counter stood at ``counter``."""
        return f"{TOKEN_PREFIX}{folder.cid}:{self.epoch}:{folder.counter if counter is None else counter}"

    def parse_sync_token(
        self, folder: Folder, token: str, *, kept_from: int | None = None, newest: int | None = None
    ) -> int:
        """
        The counter that a token of this folder holds.

        Args:
            kept_from, newest: the bounds of what it may be, where they are not the folder's own.

        Raises:
            InvalidSyncToken: it is of another folder or epoch, or out of bounds.
        """
        kept_from = folder.kept_from if kept_from is None else kept_from
        newest = folder.counter if newest is None else newest
        cid, _, rest = token.removeprefix(TOKEN_PREFIX).partition(":")
        epoch, _, digits = rest.partition(":")
        if not token.startswith(TOKEN_PREFIX) or cid != folder.cid or epoch != self.epoch:
            raise InvalidSyncToken(f"{token!r} is not a token of this collection and epoch; sync from the beginning")
        if not digits.isascii() or not digits.isdigit() or len(digits) > 18:
            raise InvalidSyncToken(f"{token!r} has no counter; sync from the beginning")
        counter = int(digits)
        if not kept_from <= counter <= newest:
            raise InvalidSyncToken(
                f"{token!r} is older than the kept changes or ahead of them; sync from the beginning"
            )
        return counter

    def changes_since(self, folder: Folder, token: str, *, most: int | None = None) -> list[NameChange]:
        """What changed or went up to the folder's row since a token, oldest first. Raises InvalidSyncToken."""
        return self.index.changed_names(folder.id, self.parse_sync_token(folder, token), folder.counter, most=most)

    # -- writing ---------------------------------------------------------------------------------------------------

    def scratch(self, place: str) -> Scratch:
        """
        A file to write to that nobody sees, for a target in ``place``.

        It stands in ``data/scratch``: made beside its target it would move the directory's stamp, and every reader
        would look through the whole directory once for each write.
        """
        hashed = is_item_place(place)
        return Scratch(f"{self.data}/scratch", durable=self.durable, hashed=hashed, make_room=self.make_room)

    @contextmanager
    def item_scratch(self, data: bytes) -> Iterator[Scratch]:
        """A finished scratch file for ``write_items``; a large one is synced, the others will be in the journal."""
        durable = self.durable and len(data) > JOURNALED_BYTES
        with Scratch(f"{self.data}/scratch", durable=durable, hashed=True) as scratch:
            scratch.write(data)
            scratch.finish()
            yield scratch

    @contextmanager
    def write_items(
        self, place: str, name: str, uid: str | None = None, *, alone: bool = False, removes: bool = False
    ) -> Iterator[ItemWrite]:
        """
        A change to one item of a collection, under its write lock; it is done on leaving, or on an exception not.

        On return it survives a power cut and everybody sees it. Raises DiskFull before anything has happened.

        Args:
            uid: the one that the item will have; what it has needs no mention.
            alone: all items of the collection may be asked for and changed.
            removes: it only takes away, and may use what is kept back on a full disk.
        """
        self._require_room(removes=removes)
        keys: list[Key] | None = None if alone else [("name", name)]
        if uid is not None and keys is not None:
            keys.append(("uid", uid))
        with ExitStack() as stack:
            while True:  # waiting with the lock would keep others from writing beside an import
                self.commits.wait_until_free(place, keys)
                stack.enter_context(self._guards.hold([place]))
                if self.commits.are_free(place, keys):
                    break
                stack.close()
            write = ItemWrite(self, place)
            yield write
            commit = write.commit()
            if commit is not None:
                self.commits.enter(commit)
        if commit is not None:
            self.commits.finish(commit)

    @contextmanager
    def import_into(self, place: str) -> Iterator[Folder]:
        """The write lock of a collection for a moment, with nothing pending in it or in the journal."""
        with self._guards.hold([place]):
            self._settle_items([place], tree=False)
            folder = self.find_folder(place)
            if folder is None:
                raise NotFound(paths.path_of(place))
            yield folder

    @contextmanager
    def write(self, *places: str, tree: bool = False, removes: bool = False) -> Iterator[Transaction]:
        """
        A transaction with the write locks of some folders; ``tree`` locks out every other writer.

        One that only ``removes`` may use what is kept back on a full disk.

        On leaving, all is on the disk and in the index; on an exception, what was renamed already stays and the index
        follows the disk. Raises DiskFull before anything has happened where the end might not fit.
        """
        self._require_room(removes=removes)
        if not self._guards.inside:  # an import takes seconds, for which nobody else should wait
            self.commits.wait_until_quiet(places, tree=tree, long=True)
        with self._guards.hold(places, tree=tree):
            self._settle_items(places, tree=tree)
            transaction = Transaction(self)
            try:
                yield transaction
                transaction.checkpoint()
            except BaseException:
                transaction.abandon()
                raise

    def _settle_items(self, places: Sequence[str], *, tree: bool) -> None:
        """
        Under the write locks of places: nothing of them is pending or in the journal, which must not undo what follows.
        """
        self.commits.wait_until_quiet(places, tree=tree)
        if self.journal.holds(places, tree=tree):
            self.journal.empty()

    def stamp_agrees(self, place: str) -> bool:
        """Whether the index agrees with a directory's stamp."""
        folder = self.index.folder(place)
        return folder is not None and modified_of(os.stat(self.directory(place))) == folder.stamp_ns

    def begin_change(self, place: str) -> bool:
        """Before a transaction's first change to a directory: whether the index agrees with its stamp."""
        changing: set[str] = getattr(self._changing, "places", set())
        self._changing.places = changing | {place}
        return self.stamp_agrees(place)

    def end_change(self, places: Iterable[str]) -> None:
        """After a transaction's changes are in the index, or it gave up."""
        changing: set[str] = getattr(self._changing, "places", set())
        self._changing.places = changing - set(places)

    def append_state(
        self, place: str, changes: Sequence[Change], *, journaled: bool = False, is_passing: bool = False
    ) -> None:
        """
        Write state lines; on return they are on the disk, here or in the journal. The folder is write-locked.

        Args:
            is_passing: a power cut may take them.
        """
        with self.trash.turn(place), self.history.turn(place):
            directory, state = self.directory(place), self.state(place)
            unsynced = journaled or is_passing
            after = states.append(directory, state, list(changes), durable=self.durable, journaled=unsynced)
            self._remember(place, after)

    def forget_states(self, place: str) -> None:
        """Drop what is remembered of the state of a tree that moved away."""
        for known in [known for known in list(self._states) if paths.is_within(known, place)]:
            self._states.pop(known, None)

    def next_etag(self) -> str:
        """An ETag for a plain file that no file had before."""
        return self.reconciler.next_etag()

    def settle(self, place: str, name: str) -> None:
        """Our own write: nothing can hide behind its stamp."""
        self.reconciler.settle(place, name)

    def distrust(self, place: str) -> None:
        """Have a directory compared with its rows at the next look."""
        batch = Batch()
        batch.stamp_folder(place, DISTRUSTED)
        self.index.commit(batch)

    def mark(self, batch: Batch, place: str) -> None:
        """Note whether a folder has an owner or rules of its own."""
        owner = self.state(place).get("", "owner")
        directory = self.directory(place)
        ruled = any(os.path.exists(f"{directory}/{name}") for name in (paths.ACCESS_FILE, paths.HIDDEN_ACCESS_FILE))
        batch.mark_folder(place, owner=owner if isinstance(owner, str) else None, ruled=ruled)
        self.rulebook.refresh()
        self.links.rules_changed(place)

    # -- the whole -------------------------------------------------------------------------------------------------

    def reconcile(self, progress: Progress = no_progress) -> None:
        """Compare every directory with its rows, before the first request; fill an index that is not complete."""
        self.filled = self.index.meta("complete") is None
        total, done = self.count_files() if self.filled and progress is not no_progress else 0, 0

        def count(files: int) -> None:
            nonlocal done
            done += files
            if total:
                progress(done, total)

        for _, root in paths.EVERY_TREE:
            self._begin_root(root)
            todo = [root]
            while todo:
                place = todo.pop()
                self._reconcile_one(place, count)
                todo += [child.place for child in self.index.folders(place)]
        if total:
            progress(total, total)
        if self.filled:
            batch = Batch()
            batch.set_meta("complete", 1)
            self.index.commit(batch)

    def count_files(self) -> int:
        """How many files there are on disk, the server's own left out."""
        return sum(count_files(self.directory(root)) for _, root in paths.EVERY_TREE)

    def _begin_root(self, root: str) -> None:
        if self.index.folder(root) is None:
            status = os.stat(self.directory(root))
            batch = Batch()
            batch.put_folder(
                root,
                inode=status.st_ino,
                stamp_ns=NEVER,
                modified_ns=modified_of(status),
                owner=None,
                ruled=False,
            )
            self.index.commit(batch)

    def upkeep(self) -> None:
        """Fold the index's log, and empty the journal where it is long or has been idle; cheap when nothing is due."""
        self.index.fold_log()
        idle_s = self.clock() - self.journal.last_write_s
        if self.journal.size > FULL_BYTES or (self.journal.size and idle_s > JOURNAL_IDLE_S):
            self.journal.empty()

    def housekeeping(self, pause: Callable[[], None] = go_on) -> None:
        """
        The slow background pass: look over everything, forget old removals, empty the old trash.

        Args:
            pause: called after every few files, with no lock held; what it raises ends the work.
        """
        from storage.purge import purge
        from storage.survey import look_over

        look_over(self, pause=pause)
        now = self.clock()
        batch = Batch()
        kept = self.settings.storage
        batch.prune_changes(int(now - kept.change_log_days * 86_400), kept.change_log_entries)
        self.index.commit(batch)
        self.locks.forget_expired()
        self.index.sweep()
        purge(self, pause)
