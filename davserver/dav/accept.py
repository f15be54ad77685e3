"""Which media type a client would have: the Accept header (RFC 9110 §12.5.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ANY = "*/*"
_ENTRIES = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+')
_PARAMETERS = re.compile(r'(?:[^;"]|"(?:[^"\\]|\\.)*"?)+')
_QUALITY = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")


@dataclass(frozen=True, slots=True)
class MediaRange:
    """
    One entry of an Accept header.

    Attributes:
        type: ``text/vcard``, ``text/*`` or ``*/*``, in lower case.
        parameters: those of the media type, in lower case; a charset of UTF-8 says nothing here.
        quality: 0 is not acceptable, 1 is wanted most.
    """

    type: str
    parameters: frozenset[tuple[str, str]]
    quality: float

    def precision(self, type: str, parameters: Mapping[str, str]) -> tuple[int, int] | None:
        """How exactly this names a representation; None where it does not."""
        if not all(parameters.get(name) == value for name, value in self.parameters):
            return None
        if self.type == type:
            return 2, len(self.parameters)
        if self.type == type.partition("/")[0] + "/*":
            return 1, len(self.parameters)
        return (0, len(self.parameters)) if self.type == ANY else None


def parse_accept(value: str | None) -> tuple[MediaRange, ...]:
    """The entries of an Accept header; none is ``*/*``, and one that cannot be read is left out."""
    entries = _ENTRIES.findall(value or ANY)
    return tuple(found for found in map(_parse_range, entries) if found is not None)


def _parse_range(entry: str) -> MediaRange | None:
    name, *rest = [piece.strip().lower() for piece in _PARAMETERS.findall(entry)] or [""]
    parameters, quality = set[tuple[str, str]](), 1.0
    for piece in rest:
        key, _, said = (part.strip() for part in piece.partition("="))
        said = said.strip('"')
        if key == "q":
            if not _QUALITY.fullmatch(said):
                return None
            quality = float(said)
        elif (key, said) != ("charset", "utf-8"):
            parameters.add((key, said))
    return MediaRange(name, frozenset(parameters), quality) if "/" in name else None


def quality_of(ranges: Sequence[MediaRange], type: str, parameters: Mapping[str, str]) -> float:
    """How much a representation is wanted: what the entry says that names it most exactly."""
    found = [(precise, each.quality) for each in ranges if (precise := each.precision(type, parameters)) is not None]
    return max(found)[1] if found else 0.0
