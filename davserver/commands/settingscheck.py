"""What ``davserver check`` finds in the settings of boards, forms and polls: mistakes, and names that nobody has."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

from config.errors import Problem
from config.values import nearest
from storage.board import parse_board
from storage.errors import FileRefused
from storage.form import MEMBERS, WORLD, parse_form
from storage.objectnames import BOARD_FILE, BOARDS, FORM_FILE, FORMS, POLL_FILE, POLLS
from storage.paths import place_of
from storage.poll import parse_poll

Read = Callable[[bytes], tuple[str, ...]]  # gives the names of groups and members that are in it


def settings_problems(data: str, known: Collection[str]) -> Iterator[Problem]:
    """
    Mistakes in such files on the disk, where the server keeps to what they said before.

    Args:
        known: names of members, groups and resources, and of the built-in groups.
    """
    for top, (name, read) in READERS.items():
        for file in sorted(Path(data, place_of(top) or "").glob(f"*/{name}")):
            try:
                names = read(file.read_bytes())
            except FileRefused as error:
                yield from _problems(str(file), str(error))
                continue
            for each in names:
                if each not in known:
                    yield Problem(str(file), 1, f"nobody is called {each!r}", nearest(each, known))


def _problems(file: str, said: str) -> Iterator[Problem]:
    """The lines of a refusal, ``form.toml:4: what was found; what would work``, with the file in full."""
    for line in said.split("\n"):
        _, _, rest = line.partition(":")
        number, _, text = rest.partition(": ")
        found, _, hint = text.partition("; ")
        yield Problem(file, int(number) if number.isdigit() else 1, found or line, hint or "see what it said before")


def _of_board(data: bytes) -> tuple[str, ...]:
    parse_board(data)
    return ()


def _of_form(data: bytes) -> tuple[str, ...]:
    who = parse_form(data).who
    return () if isinstance(who, str) and who in (WORLD, MEMBERS) else tuple(who)


READERS: Mapping[str, tuple[str, Read]] = {
    BOARDS: (BOARD_FILE, _of_board),
    FORMS: (FORM_FILE, _of_form),
    POLLS: (POLL_FILE, lambda data: parse_poll(data).voters),
}
