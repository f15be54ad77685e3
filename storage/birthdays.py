"""
Birthdays as events: what a calendar shows of the cards in the address books that a member may read.

Each is an all-day event of every year that takes nobody's time. The same cards give the same bytes.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta

from storage.itemtext import PRODUCT, one_line, render_lines
from storage.occasions import LEAP_YEAR, Occasion, OccasionKind

UID_SPACE = uuid.UUID("5b7c9a52-1c0e-5b0f-8f52-3d4be0b9d5a4")
SUFFIX = ".ics"
EARLIEST_YEAR = 1970  # of an event: several calendar programs show none that begins before it
STAMP = "19700101T000000Z"  # DTSTAMP must be there and must not make new bytes of an unchanged birthday
SIGNS: Mapping[OccasionKind, str] = {OccasionKind.BIRTHDAY: "🎂", OccasionKind.ANNIVERSARY: "💍"}
TITLES: Mapping[str, str] = {"en": "Birthdays", "fr": "Anniversaires", "de": "Geburtstage"}
CATEGORIES: Mapping[str, Mapping[OccasionKind, str]] = {
    "en": {OccasionKind.BIRTHDAY: "Birthday", OccasionKind.ANNIVERSARY: "Anniversary"},
    "fr": {OccasionKind.BIRTHDAY: "Anniversaire", OccasionKind.ANNIVERSARY: "Anniversaire de mariage"},
    "de": {OccasionKind.BIRTHDAY: "Geburtstag", OccasionKind.ANNIVERSARY: "Hochzeitstag"},
}


def birthday_events(occasions: Iterable[Occasion], language: str) -> dict[str, bytes]:
    """
    One calendar object for each occasion, by name of the item.

    Somebody whose card lies in several books has one birthday; of cards that say the same, the first one counts.
    """
    events: dict[str, bytes] = {}
    for occasion in _merged(occasions):
        uid = str(uuid.uuid5(UID_SPACE, f"{occasion.kind}\n{occasion.uid}"))
        if uid + SUFFIX not in events:
            events[uid + SUFFIX] = _event(occasion, uid, language)
    return events


def _merged(occasions: Iterable[Occasion]) -> Iterator[Occasion]:
    """Each day of a person once: a card without the year adds nothing to one that has it."""
    days: dict[tuple[str, str, int, int], dict[int | None, Occasion]] = {}
    for occasion in occasions:
        day = (occasion.kind, occasion.who.casefold(), occasion.month, occasion.day)
        days.setdefault(day, {}).setdefault(occasion.year, occasion)
    for by_year in days.values():
        if len(by_year) > 1:
            by_year.pop(None, None)
        yield from by_year.values()


def _event(occasion: Occasion, uid: str, language: str) -> bytes:
    first = _first_day(occasion)
    year = f" ({occasion.year})" if occasion.year is not None else ""
    return render_lines(
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{PRODUCT}",
        "BEGIN:VEVENT",
        f"UID:{uid}",
        f"DTSTAMP:{STAMP}",
        f"DTSTART;VALUE=DATE:{first:%Y%m%d}",
        f"DTEND;VALUE=DATE:{first + timedelta(days=1):%Y%m%d}",
        f"RRULE:{_rule(first)}",
        f"SUMMARY:{one_line(f'{SIGNS[occasion.kind]} {occasion.who}{year}')}",
        f"CATEGORIES:{one_line(CATEGORIES[language][occasion.kind])}",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
        "END:VCALENDAR",
    )


def _first_day(occasion: Occasion) -> date:
    is_leap_day = (occasion.month, occasion.day) == (2, 29)
    earliest = LEAP_YEAR if is_leap_day else EARLIEST_YEAR
    return date(max(occasion.year or earliest, earliest), occasion.month, occasion.day)


def _rule(first: date) -> str:
    """
    Every year; on the last day of February for who was born on its 29th.

    "Recurrence rules may generate recurrence instances with an invalid date … such recurrence instances MUST be
    ignored" (RFC 5545 §3.3.10): a plain rule would give a birthday every four years.
    """
    return "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1" if (first.month, first.day) == (2, 29) else "FREQ=YEARLY"
