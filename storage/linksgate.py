"""What can be wrong with a ``[[link]]`` beside its grammar: a right that its folder cannot give, a token in use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from auth.errors import Problem, RulesRefused
from auth.rules import Link
from storage.paths import DAV, is_within, place_of

if TYPE_CHECKING:
    from storage.store import Store


def require_links(store: Store, links: Sequence[Link], folder: str, file: str) -> None:
    """
    Raise RulesRefused unless a folder's links can come into force.

    Args:
        folder: canonical path of the folder or collection that they speak of.
        file: how the problems call the rules.
    """
    problems = [*wrong_rights(links, folder, file), *_taken_tokens(store, links, folder, file)]
    if problems:
        raise RulesRefused(tuple(problems))


def wrong_rights(links: Iterable[Link], folder: str, file: str) -> Iterator[Problem]:
    """Links of calendars and address books that let strangers add something: nobody could sort out what they send."""
    for link in links:
        if link.right != "read" and is_within(folder, DAV):
            found = f"the right {link.right!r} on a calendar or address book"
            yield Problem(file, link.line, found, 'it can be "read"; what strangers may add to is a folder of files')


def _taken_tokens(store: Store, links: Sequence[Link], folder: str, file: str) -> Iterator[Problem]:
    """Tokens that another folder uses: with them its published URL would lead here."""
    for link in links:
        if link.token is not None and store.links.find_other_holder(link.token, place_of(folder) or "") is not None:
            yield Problem(file, link.line, "a token that another folder uses", "leave it out and the server makes one")
