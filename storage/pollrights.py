"""What polls say about rights, folder by folder; the decision itself is ``auth.acl``'s."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auth.acl import Action
from auth.ballots import SUFFIX, Ballots
from auth.errors import NeedPrivileges
from storage import paths
from storage.errors import PlaceRefused
from storage.objectnames import BOXES, MY_VOTE, POLL_FILE, POLLS
from storage.polls import find_poll, is_vote_path, poll_of

if TYPE_CHECKING:
    from storage.session import Session
    from storage.store import Store


SEALED = Ballots(is_box=True)  # where no poll says whose the votes are


def ballots_at(store: Store, path: str) -> Ballots | None:
    """Of the folder of a poll, or that of its votes or proposals; None of every other folder."""
    above, box = (path, "") if paths.parent_of(path) == POLLS else (paths.parent_of(path), paths.name_of(path))
    if paths.parent_of(above) != POLLS or box not in ("", *BOXES):
        return None
    found = find_poll(store, above)
    if found is None:
        return SEALED if box else None
    return found.ballots(box)


def ballots_of_former(store: Store, path: str, before: str) -> Ballots | None:
    """
    Of what was a vote or proposal at the path ``before``: what its poll said that went along with it, else that of
    today; None of everything else.
    """
    if not is_vote_path(before):
        return None
    above = paths.parent_of(path)
    folder = store.find_folder(paths.place_of(paths.parent_of(above)) or "")
    found = None if folder is None else poll_of(store, folder)
    if found is not None:
        return found.ballots(paths.name_of(paths.parent_of(before)))
    return ballots_at(store, paths.parent_of(before)) or SEALED


def is_sealed(store: Store, path: str) -> bool:
    """Whether a file is one of a voter, in a poll or in one that was removed."""
    former = store.rulebook.former(path)
    return is_vote_path(path) if former is None else former.box is not None


def require_own_vote(session: Session, path: str) -> None:
    """
    Nothing where something new at a path is not in a folder of votes or proposals, or is a voter's own file there.

    Raises:
        PlaceRefused, NeedPrivileges: the same whether or not there is such a file already.
    """
    name = session.principal.name
    if not is_vote_path(path) or paths.names_rules(paths.name_of(path)):
        return
    found = find_poll(session.store, path)
    if found is None:
        raise PlaceRefused(path, f"there is no {POLL_FILE} above that says who votes")
    if name is None or paths.name_of(path) != found.file_of(name):
        own = MY_VOTE if found.poll.anonymous else f"{name or 'member'}{SUFFIX}"
        raise PlaceRefused(path, f"a voter's file is called after the voter: {own}")
    if not found.is_voter(session.principal):
        raise NeedPrivileges(path, Action.CREATE)


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
