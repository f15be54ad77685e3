"""
``results.csv``: who voted for what, for those who see the poll and when it lets them; made once for each change.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from auth.acl import Action
from storage import paths
from storage.framadate import render_framadate
from storage.made import Made, Maker
from storage.objectnames import POLLS
from storage.polls import PollFolder, counted, find_poll, votes_of
from storage.polltexts import option_text
from storage.votes import render_results

if TYPE_CHECKING:
    from storage.records import Folder
    from storage.session import Session
    from storage.store import Store

Renderer = Callable[[PollFolder, str], bytes]


def _results(found: PollFolder, language: str) -> bytes:
    headers = [option_text(option, language) for option in found.poll.options]
    return render_results(found.poll, headers, counted(found, votes_of(found.store, found)))


def _framadate(found: PollFolder, language: str) -> bytes:
    return render_framadate(found.poll, counted(found, votes_of(found.store, found)), language)


def _maker(name: str, render: Renderer) -> Maker:
    def make(session: Session, folder: Folder) -> Made | None:
        store, found = session.store, find_poll(session.store, folder.path)
        if found is None or not found.is_open or not session.access.may(Action.READ, folder.path):
            return None
        votes = store.find_folder(found.place)
        accounts = 0 if store.accounts is None else store.accounts.revision
        stamp = (found.row.id, accounts, votes and (votes.id, votes.counter))
        modified_ns = max(found.row.modified_ns, 0 if votes is None else votes.modified_ns)
        return store.made.of(
            (name, folder.place), stamp, lambda: Made.of(render(found, store.settings.language), modified_ns)
        )

    return Maker(name, _belongs, make)


def _belongs(store: Store, path: str) -> bool:
    return paths.parent_of(path) == POLLS and find_poll(store, path) is not None


MAKERS = (_maker("results.csv", _results), _maker("results-framadate.csv", _framadate))
