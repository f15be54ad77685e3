"""
Casting votes: the one way in, whether a vote comes as a file, from a calendar or from a page.

All of it is asked under the write lock of the folder of votes, so an option with ten places has ten votes however many
come at once. A vote that comes too late leaves what was there.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import tomlkit
import tomlkit.exceptions

from auth.acl import Action
from auth.ballots import SUFFIX
from auth.errors import NeedPrivileges
from auth.principal import Principal
from storage import paths, treerights
from storage.answering import Charge, FormClosed
from storage.disk import read_bytes
from storage.errors import FileRefused, NotFound, PlaceRefused
from storage.fileterms import Terms
from storage.objectnames import POLLS, PROPOSALS
from storage.poll import Poll, parse_options
from storage.pollrights import require_own_vote
from storage.polls import PollFolder, counted, find_poll, is_box, is_vote_path, votes_of
from storage.settingsfile import LONGEST_BYTES
from storage.votes import GUEST_PREFIX, Vote, VoteRefused, answers_to, parse_vote, render_vote, require_room

if TYPE_CHECKING:
    from storage.filetree import Node
    from storage.session import Session
    from storage.transaction import Transaction

NOT_CAST = Vote()
READ_BYTES = LONGEST_BYTES + 1  # of what is to be a vote: more than any may have


def require_vote(session: Session, tx: Transaction, path: str, read: Callable[[], bytes] | None) -> None:
    """
    Nothing where what is to be stored at a path is no vote or may be cast; the caller holds the folder's write lock.

    Args:
        read: gives the bytes; None where the vote goes away.

    Raises:
        FileRefused: it cannot be read.
        VoteRefused: the poll is over, or there is no room.
        PlaceRefused, NeedPrivileges: it is somebody else's.
    """
    if not is_vote_path(path):
        return
    found, name = find_poll(session.store, path), paths.name_of(path)
    if found is None or paths.names_rules(name):
        return
    if read is not None:
        require_own_vote(session, path)
    elif session.principal.name is None or name != found.file_of(session.principal.name):
        return  # whoever may take it away
    if path.split("/")[4] == PROPOSALS:
        _require_proposal(found, name, read)
        return
    require_cast(found, tx, name, None if read is None else parse_vote(read(), name, found.poll))


def require_cast(found: PollFolder, tx: Transaction, name: str, vote: Vote | None) -> None:
    """Nothing where a vote may take the place of the one in a file. Raises VoteRefused."""
    if found.is_over:
        raise VoteRefused("the poll is over; the votes stay as they are")
    only = None if found.poll.per_option else {name}
    votes = dict(votes_of(found.store, found, tx, only=only))
    before = votes.pop(name, NOT_CAST)
    others = [each for _, each in counted(found, votes.items())] if votes else []
    require_room(found.poll, before, vote or NOT_CAST, others)


def read_short(file: int | str) -> bytes:
    """The bytes of what is to be a vote, given as a path or as a descriptor, which is closed; not all of a long one."""
    with open(file, "rb") as stream:
        return stream.read(READ_BYTES)


def require_no_votes(session: Session, node: Node, target: str) -> None:
    """
    Nothing where a folder that is moved brings no votes along, or is a poll that stays one or comes back.

    Raises:
        PlaceRefused: anybody could have written what lies in it.
    """
    store, former = session.store, session.store.rulebook.former(node.path)
    source = node.path if former is None else former.path
    if paths.parent_of(source) == paths.parent_of(target) == POLLS or (former is not None and source == target):
        return
    for folder in store.tree(node.folder):
        below = target + paths.nfc(folder.place[len(node.folder.place) :])
        if is_box(below) and any(True for _ in store.each_member(folder)):
            raise PlaceRefused(below, "votes and proposals come from their voters, and are not brought along")


def cast(session: Session, found: PollFolder, principal: Principal, answers: Mapping[str, str | None]) -> None:
    """
    Bring answers of a member into its vote; what else stands in the file stays. None withdraws one.

    Raises:
        NeedPrivileges: it does not vote here.
        VoteRefused, FileRefused, Locked, DiskFull.
    """
    name = principal.name
    if name is None or not found.is_voter(principal):
        raise NeedPrivileges(found.path, Action.CREATE)
    file = found.file_of(name)
    by = None if found.poll.anonymous else name
    _store(session, found, file, answers, by=by)


def cast_guest(
    session: Session,
    found: PollFolder,
    name: str,
    code: str,
    answers: Mapping[str, str],
    charge: Charge | None = None,
) -> None:
    """
    Store the vote of somebody without an account; the same name and code replace the earlier one.

    Raises:
        FormClosed: the poll is over.
        VoteRefused: the name is somebody else's here, or an option is full.
    """
    if found.is_over:
        raise FormClosed("the poll is over")
    store = session.store
    hashed = hmac.new(found.key, code.encode(), hashlib.sha256).hexdigest()
    data = render_vote(Vote(answers, name, hashed))
    with store.scratch(found.place) as scratch:
        scratch.write(data)
        scratch.finish()
        with store.write(*sorted({found.folder.place, found.place})) as tx:
            found = _as_it_is(found)
            file = _guest_file(found, tx, name, hashed)
            path = _path(found, file)
            with store.promised.room(session, path, len(data)):
                treerights.require_unlocked(session, path, Terms(), tree=False)
                require_cast(found, tx, file, parse_vote(data, file, found.poll, is_guest=True))
                if charge is not None:
                    charge(tx, len(data))
                tx.put(found.place, file, scratch)


def _guest_file(found: PollFolder, tx: Transaction, name: str, hashed: str) -> str:
    """The file of a guest's earlier vote, or a new name. Raises VoteRefused where the name is another's."""
    for file, vote in votes_of(found.store, found, tx):
        if vote.name and paths.nfc(vote.name).casefold() == paths.nfc(name).casefold():
            if not hmac.compare_digest(vote.code.encode(), hashed.encode()):
                raise VoteRefused("somebody of this name voted with another code; take another name, or that code")
            return file
    while True:
        token = base64.b32encode(secrets.token_bytes(5)).decode().lower()[:6]
        file = f"{GUEST_PREFIX}{token}{SUFFIX}"
        if tx.find_member(found.place, file) is None:
            return file


def _store(
    session: Session, found: PollFolder, file: str, answers: Mapping[str, str | None], *, by: str | None
) -> None:
    store, path = session.store, _path(found, file)
    with store.write(found.place) as tx:
        found = _as_it_is(found)
        row = tx.find_member(found.place, file)
        before = b"" if row is None else read_bytes(store.file(found.place, row.disk_name))
        data = _edited(found.poll, before, answers)
        if row is not None and data == before:
            return
        treerights.require_unlocked(session, path, Terms(), tree=False)
        require_cast(found, tx, file, parse_vote(data, file, found.poll))
        with store.promised.room(session, path, len(data)), store.scratch(found.place) as scratch:
            scratch.write(data)
            tx.put(found.place, file, scratch, by=by)


def _edited(poll: Poll, data: bytes, answers: Mapping[str, str | None]) -> bytes:
    """
    The file of a vote with some answers changed, and without those that the poll no longer takes.

    One that cannot be read is written anew.
    """
    document: Any = tomlkit.document()
    with suppress(ValueError, tomlkit.exceptions.TOMLKitError, FileRefused):
        parse_vote(data, "vote")
        document = tomlkit.parse(data.decode())
    for id in [id for id in document if poll.option(id) is None or document[id] not in answers_to(poll)]:
        del document[id]
    for id, answer in answers.items():
        if answer is None:
            document.pop(id, None)
        elif document.get(id) != answer:
            document[id] = answer
    return tomlkit.dumps(document).encode()


def _require_proposal(found: PollFolder, name: str, read: Callable[[], bytes] | None) -> None:
    if not found.poll.propose:
        raise VoteRefused("this poll takes no proposals")
    if found.is_over:
        raise VoteRefused("the poll is over")
    if read is not None:
        parse_options(read(), name)


def _as_it_is(found: PollFolder) -> PollFolder:
    """A poll as its settings are once the write lock is held. Raises NotFound."""
    present = find_poll(found.store, found.path)
    if present is None:
        raise NotFound(found.path)
    return present


def _path(found: PollFolder, file: str) -> str:
    folder = found.store.find_folder(found.place)
    if folder is None:
        raise NotFound(found.path)
    return paths.join(folder.path, file)
