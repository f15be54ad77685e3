"""Names of the files of objects: which are objects, and what one with a title is called."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from storage.paths import name_of
from storage.portable import made_safe

BOARDS, NOTES = "/files/Boards", "/files/Notes"
FORMS, POLLS = "/files/Forms", "/files/Polls"
BOARD_FILE, NOTEBOOK_FILE = "board.toml", "notebook.toml"
FORM_FILE, POLL_FILE = "form.toml", "poll.toml"
MY_VOTE = "my-vote.toml"  # what a voter of an anonymous poll calls its own file
SETTINGS = {BOARDS: BOARD_FILE, FORMS: FORM_FILE, POLLS: POLL_FILE}  # of each folder that lies directly there
RESPONSES, VOTES, PROPOSALS = "responses", "votes", "proposals"  # in each form and poll
BOXES = (VOTES, PROPOSALS)  # in which each voter has a file
ATTACHED = ".files"  # behind the name of an object: the folder of its attachments
LONGEST_STEM_BYTES = 120
IGNORED = re.compile(r"[.~].*|.*(?:\.tmp|~|\.swp|#)|thumbs\.db|desktop\.ini", re.IGNORECASE | re.DOTALL)


def is_object(name: str, suffixes: Sequence[str]) -> bool:
    """Whether a file of that name is an object: not one of those that programs leave behind."""
    return name.lower().endswith(tuple(suffixes)) and IGNORED.fullmatch(name) is None


def is_settings(path: str) -> bool:
    """Whether a file at a path says what a board, notebook, form or poll is."""
    if path.startswith(NOTES + "/"):
        return name_of(path) == NOTEBOOK_FILE
    return path.count("/") == 4 and name_of(path) == SETTINGS.get(path.rsplit("/", 2)[0])


def takes_answers(path: str) -> bool:
    """Whether answers and votes come to a folder, or to some below: a lock there keeps everybody from answering."""
    return any(path == top or path.startswith(top + "/") for top in (FORMS, POLLS))


def is_among_answers(path: str) -> bool:
    """Whether a path lies in the folder of a form's answers, to which answers come by POST."""
    return path.startswith(FORMS + "/") and path.count("/") > 4 and path.split("/")[4] == RESPONSES


def is_answer(path: str) -> bool:
    """Whether a file at a path would be the answer to a form."""
    return is_among_answers(path) and path.count("/") == 5 and is_object(name_of(path), (".json",))


def stem_of(name: str) -> str:
    """A name without its suffix."""
    return os.path.splitext(name)[0]


def file_stem(title: str) -> str:
    """The name, without suffix, of the file of an object: its title as far as every system can show it."""
    stem = made_safe(title.lstrip("~. "))  # with those in front it would be none
    if len(stem.encode()) > LONGEST_STEM_BYTES:
        stem = made_safe(stem.encode()[:LONGEST_STEM_BYTES].decode(errors="ignore"))
    return stem
