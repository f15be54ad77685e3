"""
Days of a year that a card holds: birthdays and anniversaries (RFC 6350 §6.2.5, §6.2.6, RFC 2426 §3.1.5).

Programs write them in every form that vCard 3 and 4 know, and some of their own::

    BDAY:1996-04-15   BDAY:19960415   BDAY:--0415   BDAY:1996-04-15T00:00:00Z
    BDAY;X-APPLE-OMIT-YEAR=1604:1604-04-15
    item1.X-ABDATE:2010-06-12  with  item1.X-ABLabel:_$!<Anniversary>!$_

What is only a text, a year or a month is no day.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from storage.contentlines import Component, Line, Malformed, mend, parse_components, unescape

LEAP_YEAR = 1972
LATEST_YEAR = 9998  # an event ends on the day after
NO_YEAR = (0, 1604)  # what programs write that must write one; 1604 is Apple's
ANNIVERSARIES = ("ANNIVERSARY", "X-ANNIVERSARY", "X-EVOLUTION-ANNIVERSARY", "X-KADDRESSBOOK-X-ANNIVERSARY")
APPLE_DATE, APPLE_LABEL, APPLE_ANNIVERSARY = "X-ABDATE", "X-ABLABEL", "_$!<ANNIVERSARY>!$_"
KINDS_OF_GROUPS = ("KIND", "X-ADDRESSBOOKSERVER-KIND")
_HAS_ONE = re.compile(rb"BDAY|ANNIVERSARY|X-ABDATE", re.IGNORECASE)
_DAY = re.compile(r"(?:([0-9]{4})-?|--)([0-9]{2})-?([0-9]{2})(?:[T ].*)?", re.ASCII)


class OccasionKind(StrEnum):
    """What is remembered."""

    BIRTHDAY = "birthday"
    ANNIVERSARY = "anniversary"


@dataclass(frozen=True, slots=True)
class Occasion:
    """
    A day of every year.

    Attributes:
        who: the name on the card, on one line.
        uid: of the card.
        year: of the first time, or None where the card does not say.
    """

    kind: OccasionKind
    who: str
    uid: str
    year: int | None
    month: int
    day: int


def find_occasions(data: bytes) -> tuple[Occasion, ...]:
    """The birthday and the anniversary that a card holds; nothing of what is no card."""
    if not _HAS_ONE.search(data):  # as most cards
        return ()
    mended = mend(data)
    try:
        cards = parse_components(mended, longest_head=len(mended), bare_parameters=True)
    except Malformed:
        return ()
    return tuple(found for card in cards[:1] if card.name == "VCARD" for found in _of_card(card))


def _of_card(card: Component) -> Iterator[Occasion]:
    who = _name_on(card)
    if not who or any(line.value.strip().lower() == "group" for name in KINDS_OF_GROUPS for line in card.all(name)):
        return
    named = card.find("UID")
    uid = named.text.strip() if named is not None else ""
    lines = {OccasionKind.BIRTHDAY: card.all("BDAY"), OccasionKind.ANNIVERSARY: _anniversaries(card)}
    for kind, candidates in lines.items():
        found = next(filter(None, map(_parse_day, candidates)), None)
        if found is not None:
            yield Occasion(kind, who, uid or who, *found)


def _anniversaries(card: Component) -> list[Line]:
    labelled = {line.group for line in card.all(APPLE_LABEL) if line.value.strip().upper() == APPLE_ANNIVERSARY}
    apple = [line for line in card.all(APPLE_DATE) if line.group and line.group in labelled]
    return [line for name in ANNIVERSARIES for line in card.all(name)] + apple


def _parse_day(line: Line) -> tuple[int | None, int, int] | None:
    """Year, month and day of a date-and-or-time (RFC 6350 §4.3); None where it names no day."""
    match = _DAY.fullmatch(line.value.strip())
    if match is None or (line.parameter("VALUE") or "").lower() == "text":
        return None
    if (line.parameter("CALSCALE") or "gregorian").lower() != "gregorian":
        return None
    year, month, day = (int(piece) if piece else None for piece in match.groups())
    omitted = (line.parameter("X-APPLE-OMIT-YEAR") or "").strip()
    if year in NO_YEAR or omitted == match[1]:
        year = None
    assert month is not None
    assert day is not None
    try:
        date(year or LEAP_YEAR, month, day)
    except ValueError:
        return None
    return None if year is not None and year > LATEST_YEAR else (year, month, day)


def _name_on(card: Component) -> str:
    """FN, or where it is empty the given and the family name of N."""
    for line in card.all("FN"):
        if shown := " ".join(line.text.split()):
            return shown
    named = card.find("N")
    family, given, *_ = [*re.split(r"(?<!\\);", named.value), "", ""] if named is not None else ("", "")
    return " ".join(unescape(f"{given} {family}").split())
