"""The values that queries ask for, as the index keeps them (RFC 4791 §9.7, RFC 6352 §10.5)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from storage.contentlines import Component, Line, unescape
from storage.records import Text

# iCalendar (RFC 5545 §3.8); UID stands in the member's row
OF_CALENDARS = (
    "SUMMARY DESCRIPTION LOCATION CATEGORIES STATUS COMPLETED PERCENT-COMPLETE TRANSP CLASS PRIORITY ORGANIZER "
    "ATTENDEE RELATED-TO DUE RRULE RECURRENCE-ID URL "
)
# vCard (RFC 6350 §6), and what Apple's clients call groups
OF_CARDS = (
    "FN N NICKNAME EMAIL TEL ADR ORG TITLE ROLE NOTE KIND MEMBER BDAY IMPP X-ADDRESSBOOKSERVER-KIND "
    "X-ADDRESSBOOKSERVER-MEMBER "
)
SEARCHABLE = frozenset((OF_CALENDARS + OF_CARDS).split())
LISTS = frozenset({"CATEGORIES", "RESOURCES", "NICKNAME", "ORG", "N"})
LONGEST = 4_000  # characters of a value; a longer one is compared in the item itself
MOST = 500  # values of one item


def unicode_casemap(text: str) -> str:
    """
    A text as ``i;unicode-casemap`` compares it: each character in its titlecase, then decomposed (RFC 5051 §2).

    ``ß`` has no titlecase of one character.
    """
    if text.isascii():
        return text.upper()
    titled = (title if len(title := character.title()) == 1 else character for character in text)
    return unicodedata.normalize("NFKD", "".join(titled))


def values_of(line: Line) -> list[str]:
    """A property's value as text; of a list (CATEGORIES) also its entries."""
    if line.name not in LISTS or ("," not in line.value and ";" not in line.value):
        return [line.text]
    return [line.text, *(unescape(entry).strip() for entry in re.findall(r"(?:[^\\,;]|\\.)+", line.value))]


def find_texts(component: Component) -> tuple[Text, ...] | None:
    """The searchable values of a component or card; None where they are too many or too long to be kept."""
    found: list[Text] = []
    for line in component.lines:
        if line.name not in SEARCHABLE:
            continue
        if len(line.value) > LONGEST or len(found) > MOST:
            return None
        found += [Text(line.name, value, _folded(value)) for value in values_of(line)]
    return tuple(found)


def texts_of(components: Sequence[Component]) -> tuple[bool, tuple[Text, ...]]:
    """Whether an item is plain, see ``Facts``, and its searchable values."""
    texts = find_texts(components[0]) if len(components) == 1 else None
    return texts is not None, texts or ()


def _folded(value: str) -> str | None:
    return None if value.isascii() else unicode_casemap(value)
