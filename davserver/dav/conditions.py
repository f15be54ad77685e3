"""
Conditions of a ``DAV:basicsearch`` (RFC 5323 §5.5 to §5.15): what is read once and asked of many resources.

They have three values (§5.5.1): what cannot be compared, because a resource has no such property or the literal is none
of its kind, is unknown (None), and so are most conditions that depend on it. Only what is true is found.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Protocol


class Structured(Enum):
    """The value of a property that holds elements: it is there, and is compared with nothing (§5.5.4)."""

    ELEMENTS = "elements"


Value = str | int | Structured | None  # None where a resource has no such property (§5.5.3)
Truth = bool | None


class Subject(Protocol):
    """A resource that is asked."""

    @property
    def is_collection(self) -> bool:
        """Whether it is a collection."""

    def value(self, name: str) -> Value:
        """A property by its Clark name; dates as seconds since 1970."""


class Condition(Protocol):
    """What holds of a resource, does not, or cannot be told."""

    def truth(self, subject: Subject) -> Truth:
        """Whether it holds."""


@dataclass(frozen=True, slots=True)
class Everything:
    """Where nothing is asked (§5.5)."""

    def truth(self, subject: Subject) -> Truth:
        """Always."""
        return True


@dataclass(frozen=True, slots=True)
class And:
    """Conditions that all hold (§5.7)."""

    parts: tuple[Condition, ...]

    def truth(self, subject: Subject) -> Truth:
        """False as soon as one is; unknown where none is false and one unknown."""
        known: Truth = True
        for part in self.parts:
            truth = part.truth(subject)
            if truth is False:
                return False
            known = None if truth is None else known
        return known


@dataclass(frozen=True, slots=True)
class Or:
    """Conditions of which one holds (§5.7)."""

    parts: tuple[Condition, ...]

    def truth(self, subject: Subject) -> Truth:
        """True as soon as one is; unknown where none is true and one unknown."""
        known: Truth = False
        for part in self.parts:
            truth = part.truth(subject)
            if truth is True:
                return True
            known = None if truth is None else known
        return known


@dataclass(frozen=True, slots=True)
class Not:
    """A condition that does not hold (§5.7)."""

    part: Condition

    def truth(self, subject: Subject) -> Truth:
        """The other one; what is unknown stays so."""
        truth = self.part.truth(subject)
        return None if truth is None else not truth


@dataclass(frozen=True, slots=True)
class IsCollection:
    """That a resource is a collection (§5.13)."""

    def truth(self, subject: Subject) -> Truth:
        """Never unknown."""
        return subject.is_collection


@dataclass(frozen=True, slots=True)
class IsDefined:
    """That a resource has a property (§5.14)."""

    name: str

    def truth(self, subject: Subject) -> Truth:
        """Never unknown."""
        return subject.value(self.name) is not None


@dataclass(frozen=True, slots=True)
class Comparison:
    """
    A property beside a literal (§5.8, §5.9).

    Attributes:
        operator: ``eq``, ``lt``, ``lte``, ``gt`` or ``gte``.
        literal: in the type of the property, None where it is none of that type; a text is folded already.
    """

    name: str
    operator: str
    literal: str | int | None
    caseless: bool

    def truth(self, subject: Subject) -> Truth:
        """Unknown where the property is missing or of another type than the literal."""
        value, literal = subject.value(self.name), self.literal
        if isinstance(value, str) and isinstance(literal, str):
            folded = fold(value, caseless=self.caseless)
            return OPERATORS[self.operator]((folded > literal) - (folded < literal))
        if isinstance(value, int) and isinstance(literal, int):
            return OPERATORS[self.operator]((value > literal) - (value < literal))
        return None


@dataclass(frozen=True)
class Like:
    """
    A text property that has a pattern (§5.15).

    Attributes:
        pieces: texts, folded already, and the wildcards between them.
    """

    name: str
    pieces: tuple[str | Wildcard, ...]
    caseless: bool

    def truth(self, subject: Subject) -> Truth:
        """Unknown where the property is missing or no text."""
        value = subject.value(self.name)
        return self.matches(fold(value, caseless=self.caseless)) if isinstance(value, str) else None

    def matches(self, text: str) -> bool:
        """Whether a folded text has the pattern."""
        return self._expression.fullmatch(text) is not None

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        """
        The pattern as a regular expression that never goes back.

        What follows a ``%`` is taken where it is found first, once and for all (an atomic group), but for the last
        text, which stands at the end. That finds whatever trying every place would find, in time of the product of the
        lengths at most.
        """
        texts = [""]
        for piece in self.pieces:
            if piece is Wildcard.TEXT:
                texts.append("")
            else:
                texts[-1] += "." if isinstance(piece, Wildcard) else re.escape(piece)
        first, *middle = texts
        last = [f".*{middle.pop()}"] if middle else []
        return re.compile("".join([first, *(f"(?>.*?{text})" for text in middle), *last]), re.DOTALL)


class Wildcard(Enum):
    """The two wildcards of a pattern (§5.15.1)."""

    TEXT = "%"
    CHARACTER = "_"


OPERATORS: Mapping[str, Callable[[int], bool]] = {
    # from the sign of value minus literal
    "eq": lambda sign: sign == 0,
    "lt": lambda sign: sign < 0,
    "lte": lambda sign: sign <= 0,
    "gt": lambda sign: sign > 0,
    "gte": lambda sign: sign >= 0,
}


def fold(text: str, *, caseless: bool) -> str:
    """A text as it is compared (§5.18): composed and decomposed letters are the same, and in any case if so asked."""
    if text.isascii():
        return text.lower() if caseless else text
    return unicodedata.normalize("NFC", text.casefold() if caseless else text)


def parse_pattern(pattern: str, *, caseless: bool) -> tuple[str | Wildcard, ...]:
    r"""
    Read the literal of a ``DAV:like`` (§5.15.1); ``%`` is any text and ``_`` any character, after ``\`` they are plain.

    The wildcards stand between texts; two texts never stand beside each other.
    """
    pieces: list[str | Wildcard] = []
    text = ""
    characters = iter(pattern)
    for character in characters:
        if character not in "%_":
            text += next(characters, character) if character == "\\" else character
            continue
        if text:
            pieces.append(fold(text, caseless=caseless))
            text = ""
        pieces.append(Wildcard(character))
    return (*pieces, fold(text, caseless=caseless)) if text else tuple(pieces)
