"""What polls say about rights, folder by folder; the decision itself is ``auth.acl``'s."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auth.ballots import Ballots
from storage import paths
from storage.objectnames import MY_VOTE, POLLS
from storage.polls import BOXES, find_poll, is_vote_path, poll_of

if TYPE_CHECKING:
    from storage.store import Store


def ballots_at(store: Store, path: str) -> Ballots | None:
    """Of the folder of a poll, or that of its votes or proposals; None of every other folder."""
    parts = path.split("/")
    if not path.startswith(POLLS + "/") or len(parts) > 5 or (len(parts) == 5 and parts[4] not in BOXES):
        return None
    found = find_poll(store, path)
    return None if found is None else found.ballots(is_box=len(parts) == 5)


def ballots_of_removed(store: Store, path: str) -> Ballots | None:
    """Of a folder of votes that was removed along with its poll."""
    if paths.name_of(path) not in BOXES:
        return None
    folder = store.find_folder(paths.place_of(paths.parent_of(path)) or "")
    found = None if folder is None else poll_of(store, folder)
    return None if found is None else found.ballots(is_box=True)


def is_sealed(store: Store, path: str) -> bool:
    """Whether a file is one of a voter, in a poll or in one that was removed."""
    above = paths.parent_of(path)
    ballots = ballots_of_removed(store, above) if paths.is_former(path) else ballots_at(store, above)
    return ballots is not None and ballots.is_box


def to_own_vote(store: Store, path: str, name: str | None) -> str:
    """The path of a voter's file where it is called ``my-vote.toml``; every other path as it is."""
    found = find_poll(store, path) if is_vote_path(path) else None
    if found is None or name is None or not found.poll.anonymous or paths.name_of(path) != MY_VOTE:
        return path
    return paths.join(paths.parent_of(path), found.file_of(name))


def from_own_vote(store: Store, path: str, name: str | None) -> str:
    """The other way round."""
    found = find_poll(store, path) if name is not None and is_vote_path(path) else None
    if found is None or name is None or not found.poll.anonymous or paths.name_of(path) != found.file_of(name):
        return path
    return paths.join(paths.parent_of(path), MY_VOTE)
