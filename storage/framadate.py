"""
The table that Framadate exports of a poll: days, times of each day, and a line for each voter.

Two header lines of a poll about dates, one of any other; each line ends with a comma. What an option was answered with
stands there in words of the exporter's language, and is empty where nothing was said.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from storage.answerstable import cell, table
from storage.errors import FileRefused
from storage.poll import DATES, TEXTS, Option, Poll
from storage.polltexts import MONTHS, day_text
from storage.votes import MAYBE, NO, YES, Vote

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {YES: "Yes", MAYBE: "Under reserve", NO: "No"},
    "fr": {YES: "Oui", MAYBE: "Si nécessaire", NO: "Non"},
    "de": {YES: "Ja", MAYBE: "Wenn notwendig", NO: "Nein"},
}
READ: Mapping[str, str] = {
    **{said.casefold(): answer for words in WORDS.values() for answer, said in words.items()},
    **dict.fromkeys(("sí", "si", "ok"), YES),
    **dict.fromkeys(("if need be", "ifneedbe", "(yes)", "(oui)", "(ja)", "sous réserve", "unter vorbehalt"), MAYBE),
    **dict.fromkeys(("", "?", "unkown", "unknown", "inconnu"), ""),  # the third is Framadate's own spelling
}
MONTH_WORDS: Mapping[str, int] = {
    word.casefold().rstrip("."): number for words in MONTHS.values() for number, word in enumerate(words, 1)
} | {
    word: number
    for words in (
        "january february march april may june july august september october november december",
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "januar februar märz april mai juni juli august september oktober november dezember",
    )
    for number, word in enumerate(words.split(), 1)
}
LONGEST_BYTES = 1 << 20
MOST_OPTIONS = 100


@dataclass(frozen=True, slots=True)
class Imported:
    """What such a table holds: the options, and the vote of each name."""

    options: tuple[Option, ...]
    votes: tuple[tuple[str, Vote], ...]
    kind: str


def render_framadate(poll: Poll, votes: Sequence[tuple[str, Vote]], language: str) -> bytes:
    """A poll with its votes as Framadate would export it."""
    words = WORDS[language]
    if poll.kind == DATES:
        days = [day_text(option.start, language) if option.start else option.label for option in poll.options]
        head = [["", *map(cell, days), ""], ["", *(cell(_time_of(option, language)) for option in poll.options), ""]]
    else:
        head = [["", *(cell(option.label or option.id) for option in poll.options), ""]]
    rows = [
        ["" if poll.anonymous else cell(name), *(words.get(vote.answers.get(o.id, ""), "") for o in poll.options), ""]
        for name, vote in votes
    ]
    return table([*head, *(sorted(rows) if poll.anonymous else rows)])


def parse_framadate(data: bytes) -> Imported:
    """
    The options and votes of an exported table.

    Raises:
        FileRefused: it is no such table.
    """
    if len(data) > LONGEST_BYTES:
        raise FileRefused(f"the table has {len(data)} bytes; it can have {LONGEST_BYTES}")
    try:
        reader = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))
        rows, lines = [], list[int]()  # at which each ends
        for row in reader:
            if any(each.strip() for each in row):
                rows.append(row)
                lines.append(reader.line_num)
    except (UnicodeDecodeError, csv.Error) as error:
        raise FileRefused(f"no table in UTF-8: {error}") from error
    if not rows or rows[0][0].strip() or len(rows[0]) < 2:
        raise FileRefused("line 1: the first line of such a table begins with an empty cell, then come the options")
    titles = _cells(rows[0])
    has_times = len(rows) > 1 and not rows[1][0].strip() and any(each.strip() for each in rows[1])
    times = _cells(rows[1]) if has_times else [""] * len(titles)
    if len(titles) > MOST_OPTIONS:
        raise FileRefused(f"line 1: {len(titles)} options; a poll can have {MOST_OPTIONS}")
    options = tuple(_option(f"o{number}", *pair) for number, pair in enumerate(zip(titles, times, strict=False), 1))
    dated = bool(options) and all(option.start is not None for option in options)
    if not dated:
        options = tuple(
            replace(option, label=" ".join(pair).strip() or option.id, start=None, end=None)
            for option, pair in zip(options, zip(titles, times, strict=False), strict=True)
        )
    votes = []
    for number, row in list(zip(lines, rows, strict=True))[2 if has_times else 1 :]:
        votes.append((row[0].strip()[:200] or f"line {number}", _vote(number, row[1:], options)))
    return Imported(options, tuple(votes), DATES if dated else TEXTS)


def _cells(row: Sequence[str]) -> list[str]:
    cells = [each.strip() for each in row[1:]]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _vote(line: int, cells: Sequence[str], options: Sequence[Option]) -> Vote:
    answers: dict[str, str] = {}
    for option, said in zip(options, cells, strict=False):
        answer = READ.get(unicodedata.normalize("NFC", said).strip().casefold())
        if answer is None:
            raise FileRefused(f"line {line}: {said[:40]!r} is no answer that is known, such as Yes or No")
        if answer:
            answers[option.id] = answer
    return Vote(answers)


def _option(id: str, title: str, at: str) -> Option:
    """An option at a day and time if they can be read."""
    day = _day(title)
    if day is None:
        return Option(id, title)
    match = re.fullmatch(r"(\d{1,2})[:h](\d\d)?(?: ?[-–] ?(\d{1,2})[:h](\d\d)?)?", at.strip())
    try:
        if match is None:
            return Option(id, at, day, day + timedelta(days=1))
        start = datetime.combine(day, time(int(match[1]), int(match[2] or 0)))
        end = start + timedelta(hours=1)
        if match[3]:
            end = datetime.combine(day, time(int(match[3]), int(match[4] or 0)))
    except ValueError:
        return Option(id, at, day, day + timedelta(days=1))
    return Option(id, "", start, end if end >= start else end + timedelta(days=1))


def _day(text: str) -> date | None:
    """A day as 2026-12-12, 12/12/2026, 12.12.2026, or with the name of its month in one of three languages."""
    try:
        if match := re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", text):
            return date(int(match[1]), int(match[2]), int(match[3]))
        if match := re.fullmatch(r"(?:\D{0,20} )?(\d{1,2})[/.](\d{1,2})[/.](\d{4})", text):
            return date(int(match[3]), int(match[2]), int(match[1]))
        words = [word.casefold().strip(".,") for word in unicodedata.normalize("NFC", text).split()[:8]]
        months = [MONTH_WORDS[word] for word in words if word in MONTH_WORDS]
        numbers = [int(word) for word in words if re.fullmatch(r"\d{1,4}", word, re.ASCII)]
        years, days = [n for n in numbers if n > 31], [n for n in numbers if 1 <= n <= 31]
        if len(months) == 1 and len(years) == 1 and len(days) == 1:
            return date(years[0], months[0], days[0])
    except ValueError:
        pass
    return None


def _time_of(option: Option, language: str) -> str:
    if not isinstance(option.start, datetime):
        return option.label
    return f"{option.start:%H:%M}" if option.end is None else f"{option.start:%H:%M}-{option.end:%H:%M}"
