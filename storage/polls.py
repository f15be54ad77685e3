"""
Polls: folders in ``/files/Polls/`` with a ``poll.toml``, and the files of those who vote.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auth.ballots import SUFFIX, Ballots
from auth.principal import Principal, fold
from storage import paths
from storage.collectionid import collection_id
from storage.disk import read_bytes
from storage.errors import FileRefused, NotFound
from storage.objectnames import BOXES, POLL_FILE, POLLS, PROPOSALS, VOTES, is_object
from storage.poll import ALWAYS, CLOSED, Poll
from storage.votes import Vote, is_of_guest, parse_vote

if TYPE_CHECKING:
    from storage.records import Folder, Member
    from storage.store import Store
    from storage.transaction import Transaction

log = logging.getLogger("davserver.polls")


@dataclass(frozen=True, slots=True)
class PollFolder:
    """
    A poll.

    Attributes:
        row: of its ``poll.toml``.
        poll: what that says; while it is broken, what it said before.
        id: resolved: that of a copy is another one than its ``poll.toml`` says.
    """

    store: Store
    folder: Folder
    row: Member
    poll: Poll
    id: str

    @property
    def path(self) -> str:
        """Canonical."""
        return self.folder.path

    @property
    def title(self) -> str:
        """Its title, else the name of its folder."""
        return self.poll.title or paths.nfc(self.folder.name)

    @property
    def place(self) -> str:
        """Of the votes."""
        return f"{self.folder.place}/{VOTES}"

    @property
    def is_over(self) -> bool:
        """Whether no more votes are taken: it is too late, or it is decided."""
        return is_over(self.poll, self.store.clock())

    @property
    def is_open(self) -> bool:
        """Whether those who see the poll see who voted for what."""
        return is_open(self.poll, self.store.clock())

    @property
    def key(self) -> bytes:
        """Of hashes that tell nobody of this poll's voters and guests."""
        return key_of(self.store.secret, self.id)

    def ballots(self, box: str = "") -> Ballots:
        """What it says about rights; ``box`` as for ``ballots_of``."""
        return ballots_of(self.poll, self.key, self.store.clock(), box)

    def is_voter(self, principal: Principal) -> bool:
        """Whether somebody votes here."""
        return self.ballots().is_voter(principal)

    def file_of(self, name: str) -> str:
        """The name of a member's vote."""
        return self.ballots().file_of(fold(name))


def is_over(poll: Poll, now_s: float) -> bool:
    """Whether no more votes are taken."""
    return bool(poll.decided) or (poll.closes is not None and now_s >= poll.closes.timestamp())


def is_open(poll: Poll, now_s: float) -> bool:
    """Whether those who see a poll see who voted for what."""
    return poll.results == ALWAYS or (poll.results == CLOSED and is_over(poll, now_s))


def key_of(secret: bytes, id: str) -> bytes:
    """The key of a poll, from that of the data folder and the poll's id."""
    return hmac.new(secret, f"poll\0{id}".encode(), hashlib.sha256).digest()


def ballots_of(poll: Poll, key: bytes, now_s: float, box: str) -> Ballots:
    """
    What a poll says about rights.

    Args:
        box: the folder in it that is meant, ``votes`` or ``proposals``, which are for all to see; "" for its own.
    """
    voters = frozenset(fold(name) for name in poll.voters)
    shows = box == PROPOSALS or (is_open(poll, now_s) and not poll.anonymous)
    return Ballots(voters, bool(box), shows, key if poll.anonymous else None)


def find_poll(store: Store, path: str) -> PollFolder | None:
    """The poll that a canonical path is, or lies in."""
    if not path.startswith(POLLS + "/"):
        return None
    folder = store.find_folder(paths.place_of("/".join(path.split("/")[:4])) or "")
    return None if folder is None else poll_of(store, folder)


def poll_of(store: Store, folder: Folder) -> PollFolder | None:
    """The poll that a folder is, in ``Polls/`` or in the trash."""
    row = store.find_member(folder, POLL_FILE)
    if row is None:
        return None
    poll = store.polls.read(store, folder, row)
    return PollFolder(store, folder, row, poll, collection_id(store, folder, poll.id))


def is_poll_path(path: str) -> bool:
    """Whether a folder at a path may be a poll."""
    return paths.parent_of(path) == POLLS


def every_poll(store: Store) -> Iterator[PollFolder]:
    """All polls, by name of their folders."""
    top = store.find_folder(paths.place_of(POLLS) or "")
    for folder in store.folders(top) if top is not None else ():
        found = poll_of(store, folder)
        if found is not None:
            yield found


def is_box(path: str) -> bool:
    """Whether a folder at a path is one of votes or proposals: with a file of each voter."""
    return path.startswith(POLLS + "/") and path.count("/") == 4 and paths.name_of(path) in BOXES


def is_vote_path(path: str) -> bool:
    """Whether a file at a path would be a vote or a proposal."""
    return is_box(paths.parent_of(path))


def votes_of(
    store: Store, found: PollFolder, tx: Transaction | None = None, *, only: Container[str] | None = None
) -> Iterator[tuple[str, Vote]]:
    """
    The votes that can be read, by name of their files.

    Args:
        tx: within the write of the folder of votes, as it is there.
        only: the files that are asked for, or None for all.
    """
    folder = store.find_folder(found.place) if tx is None else tx.find_folder(found.place)
    for member in store.members(folder) if folder is not None else ():
        if not is_object(member.name, (SUFFIX,)) or (only is not None and member.name not in only):
            continue
        try:
            if tx is None and folder is not None:
                data = store.read_member(folder, member.name)[0]
            else:
                data = read_bytes(store.file(found.place, member.disk_name))
            yield member.name, parse_vote(data, member.name, is_guest=is_of_guest(member.name, data))
        except (FileRefused, NotFound, FileNotFoundError) as error:
            log.debug("%s/%s is no vote: %s", found.path, member.name, error)


def _voters(found: PollFolder) -> Iterator[tuple[str, str]]:
    """The file and name of each member who votes in a poll."""
    accounts, ballots = found.store.accounts, found.ballots()
    for each in () if accounts is None else accounts.accounts():
        principal = None if accounts is None else accounts.principal(each.name)
        if accounts is not None and accounts.is_member(each.name) and principal and ballots.is_voter(principal):
            yield ballots.file_of(fold(each.name)), each.name


def counted(found: PollFolder, votes: Iterable[tuple[str, Vote]]) -> list[tuple[str, Vote]]:
    """
    The votes that count, with the name of whose they are: guests, and members who vote here today.

    Of an anonymous poll names are not told; whose votes count, the names of all voters tell.
    """
    members = dict(_voters(found))
    kept = []
    for name, vote in votes:
        if not vote.answers:  # a file manager stores an empty file first
            continue
        if vote.name:
            kept.append((vote.name, vote))
        elif name in members:
            kept.append((members[name], vote))
    return sorted(kept, key=lambda each: each[0].casefold())
