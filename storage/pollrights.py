"""What polls say about rights, folder by folder; the decision itself is ``auth.acl``'s."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from auth.acl import Action
from auth.ballots import SUFFIX, Ballots
from auth.errors import NeedPrivileges
from storage import paths
from storage import state as states
from storage.disk import read_bytes
from storage.errors import FileRefused, PlaceRefused
from storage.objectnames import BOXES, MY_VOTE, POLL_FILE, POLLS
from storage.objects import OBJECT_KEY
from storage.poll import parse_poll
from storage.polls import ballots_of, find_poll, is_vote_path, key_of, poll_of

if TYPE_CHECKING:
    from storage.session import Session
    from storage.store import Store


SEALED = Ballots(is_box=True)  # where no poll says whose the votes are


def ballots_at(store: Store, path: str) -> Ballots | None:
    """Of the folder of a poll, or that of its votes or proposals; None of every other folder."""
    spot = _spot(path)
    if spot is None:
        return None
    found = find_poll(store, spot[0])
    return _without_poll(spot[1]) if found is None else found.ballots(spot[1])


def ballots_on_disk(data: str, path: str, now_s: float) -> Ballots | None:
    """As ``ballots_at``, from the files of a data folder that a server may have open."""
    spot = _spot(path)
    if spot is None:
        return None
    folder = f"{data}/{paths.place_of(spot[0])}"
    try:
        poll = parse_poll(read_bytes(f"{folder}/{POLL_FILE}"))
    except (OSError, FileRefused):
        return _without_poll(spot[1])
    kept: Any = states.read(folder).get("", OBJECT_KEY)
    id = kept.get("id") if isinstance(kept, dict) else None
    with suppress(OSError):
        return ballots_of(poll, key_of(read_bytes(f"{data}/secret.key"), str(id or poll.id)), now_s, spot[1])
    return ballots_of(poll, b"", now_s, spot[1])


def _spot(path: str) -> tuple[str, str] | None:
    """The folder of a poll, and of what in it a path is: ``votes``, ``proposals``, or "" of the folder itself."""
    above, box = (path, "") if paths.parent_of(path) == POLLS else (paths.parent_of(path), paths.name_of(path))
    return (above, box) if paths.parent_of(above) == POLLS and box in ("", *BOXES) else None


def _without_poll(box: str) -> Ballots | None:
    return SEALED if box else None


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
    if not is_vote_path(path) or paths.names_rules(paths.name_of(path)):
        return
    found = find_poll(session.store, path)
    if found is None:
        raise PlaceRefused(path, f"there is no {POLL_FILE} above that says who votes")
    if not session.access.is_own_ballot(paths.parent_of(path), paths.name_of(path)):
        own = MY_VOTE if found.poll.anonymous else f"{session.principal.name or 'member'}{SUFFIX}"
        raise PlaceRefused(path, f"a voter's file is called after the voter: {own}")
    if not session.access.may(Action.WRITE, path):
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
