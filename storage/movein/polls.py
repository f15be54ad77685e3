"""A poll of Framadate, from the table that it exports, as a folder of files."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import tomlkit

from storage.errors import FileRefused
from storage.framadate import parse_framadate
from storage.movein.values import File, Lost, NotUsable, Tree, folder_stem, one_line
from storage.objectnames import POLL_FILE, VOTES
from storage.poll import TEXTS, Option, parse_poll
from storage.settingsfile import LONGEST_BYTES
from storage.votes import GUEST_PREFIX, Vote, render_vote

HEAD = """\
# Every vote here came from Framadate, and is a guest's: votes/guest-1.toml and so on.
# voters = ["all-users"]            # without them nobody else votes (docs/polls.md)
"""


def read_poll(data: bytes, title: str) -> Tree:
    """
    The poll of an exported table.

    Args:
        title: of the poll, which the table does not have.

    Raises:
        NotUsable: it is no such table.
    """
    try:
        found = parse_framadate(data)
        title = one_line(title) or "Framadate"
        settings = _settings(title, found.kind, found.options)
        parse_poll(settings)
    except FileRefused as error:
        raise NotUsable(f"this is no table that Framadate exports: {error}") from error
    files, lost = [_file(POLL_FILE, settings)], Lost()
    for number, (name, vote) in enumerate(found.votes, 1):
        guest, missing = f"{GUEST_PREFIX}{number}", len(found.options) - len(vote.answers)
        said = render_vote(Vote(vote.answers, one_line(name) or guest))
        files.append(_file(f"{VOTES}/{guest}.toml", said))
        if missing:
            lost.add("answers that are empty or unknown there and missing here", name, missing)
    return Tree(folder_stem(title), (VOTES,), tuple(files), frozenset(), lost.sentences())


def looks_like_table(start: bytes) -> bool:
    """Whether a file that begins so may be such a table: its first cell is empty."""
    return start.removeprefix(b"\xef\xbb\xbf").lstrip(b" \r\n").startswith((b",", b'"",'))


def _file(path: str, data: bytes) -> File:
    return File(path, data, len(data))


def _settings(title: str, kind: str, options: tuple[Option, ...]) -> bytes:
    document: Any = tomlkit.document()
    document["title"] = title
    document["kind"] = kind
    array = tomlkit.aot()
    for option in options:
        array.append(_table(option, kind))
    document["option"] = array
    text = f"{HEAD}{tomlkit.dumps(document)}".encode()
    if len(text) > LONGEST_BYTES:
        raise NotUsable(f"the options need {len(text)} bytes; a {POLL_FILE} can have {LONGEST_BYTES}")
    return text


def _table(option: Option, kind: str) -> Any:
    table: Any = tomlkit.table()
    table["id"] = option.id
    if option.label or kind == TEXTS:
        table["label"] = one_line(option.label) or option.id
    if option.start is not None:
        table["start"] = option.start
    end = option.end if isinstance(option.end, datetime) else None
    if end is not None and isinstance(option.start, datetime) and end != option.start + timedelta(hours=1):
        table["end"] = end
    return table
