"""
Votes: what a voter's file says, whether it may be cast, and what comes of all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from auth.tables import Table
from storage.answerstable import cell, table
from storage.errors import FileRefused, StorageError
from storage.poll import MOST_OPTIONS, Poll
from storage.settingsfile import read_settings, require_sound

YES, MAYBE, NO = "yes", "maybe", "no"
ANSWERS = (YES, MAYBE, NO)
LONGEST_BYTES = 64 * 1024
GUEST_PREFIX = "guest-"


class VoteRefused(StorageError):
    """A vote that comes too late, or for which there is no room any more (409)."""


@dataclass(frozen=True, slots=True)
class Vote:
    """
    A voter's file.

    Attributes:
        answers: by id of the option; those that are missing were not voted on.
        name, code: of a guest: what it calls itself, and the keyed hash of the code it chose; without one nobody
            changes the vote.
    """

    answers: Mapping[str, str] = field(default_factory=dict)
    name: str = ""
    code: str = ""


def answers_to(poll: Poll) -> tuple[str, ...]:
    """With what the options of a poll can be answered."""
    return ANSWERS if poll.maybe else (YES, NO)


def parse_vote(data: bytes, name: str, poll: Poll | None = None, *, is_guest: bool = False) -> Vote:
    """
    Read a vote.

    Args:
        name: of the file.
        poll: whose options they must be; without it whatever was voted on once is taken.
        is_guest: the file says whose vote it is, and has the answers under ``[vote]``.

    Raises:
        FileRefused: what is wrong with it, each with its line.
    """
    file = read_settings(data, name, LONGEST_BYTES)
    root, said = file.root, ("", "")
    if is_guest:
        root.only(("name", "code", "vote"))
        said = root.text("name") or "", root.text("code") or ""
        root = root.table("vote") or Table(file, {}, ("vote",))
    keys = root.keys()
    if poll is not None and len(keys) > MOST_OPTIONS:
        raise FileRefused(f"{name}: {len(keys)} options; a poll can have {MOST_OPTIONS}")
    answers = {key: answer for key in keys if (answer := _answer(root, key, poll)) is not None}
    require_sound(file)
    return Vote(answers, *said)


def _answer(root: Table, key: str, poll: Poll | None) -> str | None:
    answer = root.text(key)
    taken = ANSWERS if poll is None else answers_to(poll)
    if poll is not None and poll.option(key) is None:
        known = ", ".join(option.id for option in poll.options) or "none yet"
        root.report(key, f"{key[:40]!r} is no option", f"it can be {known}")
        return None
    if answer is not None and answer not in taken:
        root.report(key, f"{key} is {answer[:20]!r}", f"it can be {' or '.join(taken)}")
        return None
    return answer


def is_of_guest(name: str, data: bytes) -> bool:
    """Whether a file is a guest's, as the server writes them; an account may be called like one."""
    return name.startswith(GUEST_PREFIX) and b"\n[vote]" in data


def render_vote(vote: Vote) -> bytes:
    """The file of a vote."""
    lines = [f'{_key(id)} = "{answer}"\n' for id, answer in vote.answers.items()]
    if vote.name:
        code = [f"code = {_quoted(vote.code)}\n"] if vote.code else []
        lines = [f"name = {_quoted(vote.name)}\n", *code, "[vote]\n", *lines]
    return "".join(lines).encode()


def _key(id: str) -> str:
    return id  # of letters, digits, hyphens and underscores, which TOML takes without quotes


def _quoted(text: str) -> str:
    """A TOML basic string."""
    plain = "".join(c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08X}" for c in text)
    return f'"{plain}"'


def require_room(poll: Poll, before: Vote, after: Vote, others: Iterable[Vote]) -> None:
    """
    Nothing where a vote may take the place of the one before.

    Raises:
        VoteRefused: an option that it says yes to is full, or it says yes too often.
    """
    new = [id for id, answer in after.answers.items() if answer == YES and before.answers.get(id) != YES]
    count = sum(answer == YES for answer in after.answers.values())
    if poll.per_voter and new and count > poll.per_voter:
        raise VoteRefused(f"you can say yes to {poll.per_voter}; withdraw another one first")
    if not poll.per_option or not new:
        return
    yes = tally(others)
    full = next((id for id in new if yes.get(id, {}).get(YES, 0) >= poll.per_option), None)
    if full is not None:
        raise VoteRefused(f"{full} is full: {poll.per_option} have said yes already")


def tally(votes: Iterable[Vote]) -> dict[str, dict[str, int]]:
    """How many of each answer there are, by id of the option."""
    found: dict[str, dict[str, int]] = {}
    for vote in votes:
        for id, answer in vote.answers.items():
            counts = found.setdefault(id, dict.fromkeys(ANSWERS, 0))
            counts[answer] += 1
    return found


def render_results(poll: Poll, headers: Sequence[str], votes: Sequence[tuple[str, Vote]]) -> bytes:
    """
    ``results.csv``: a row for each voter, a column for each option, and the sums.

    Args:
        headers: what the columns are called, in the order of the options.
        votes: the name of each voter with the vote; names are left out of an anonymous poll.
    """
    ids = [option.id for option in poll.options]
    rows = [["" if poll.anonymous else cell(name), *(vote.answers.get(id, "") for id in ids)] for name, vote in votes]
    rows = sorted(rows) if poll.anonymous else rows  # by no order that tells whose they are
    sums = tally(vote for _, vote in votes)
    counted = [[answer, *(str(sums.get(id, {}).get(answer, 0)) for id in ids)] for answer in ANSWERS]
    return table([["", *map(cell, headers)], *rows, *counted])
