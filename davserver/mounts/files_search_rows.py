"""
What a query at ``/files/`` says of rows of the index, so that most files are passed over without a look.

Each condition is read twice over: what rows there are of which it may be true, and of which it may be false; the second
is what ``DAV:not`` makes of the first. What is unknown is neither (RFC 5323 §5.5.1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from davserver.dav.conditions import (
    And,
    Comparison,
    Condition,
    IsCollection,
    IsDefined,
    Like,
    Not,
    Or,
    Value,
)
from davserver.dav.names import DAV
from davserver.dav.search import Search
from davserver.mounts.files_read import TYPES, type_of_name
from davserver.mounts.files_search_values import VALUES
from davserver.mounts.files_times import SECOND
from storage.rowfilter import EVERYTHING, NOTHING, RowFilter, all_of, any_of, name_ends, name_holds, within

Bounds = tuple[int | None, int | None]
Passing = RowFilter | None  # None where all rows pass
SUFFIXES = {suffix.lower().lstrip(".") for kind in TYPES.types_map for suffix in kind}
OF_OTHERS = type_of_name("")  # the type of a file whose suffix is not known


def rows_for(query: Search) -> RowFilter:
    """What rows of files have to pass if a query may find them."""
    return _passing(query.where, True) or EVERYTHING


def _passing(condition: Condition, truth: bool) -> Passing:
    """The rows of files of which a condition may have this truth."""
    match condition:
        case And(parts=parts):
            return (_all if truth else _any)(_passing(part, truth) for part in parts)
        case Or(parts=parts):
            return (_any if truth else _all)(_passing(part, truth) for part in parts)
        case Not(part=part):
            return _passing(part, not truth)
        case IsCollection():
            return NOTHING if truth else None
        case IsDefined(name=name):
            return NOTHING if name in VALUES and not truth else None
        case Comparison(literal=None):
            return NOTHING
        case Comparison(name=name, literal=int(literal)) if name in RANGES:
            bounds = BOUNDS[condition.operator, truth](literal)
            return any_of(map(RANGES[name], bounds))
        case Comparison(name=DAV.displayname, operator="eq", literal=str(text)) if truth:
            return name_holds(text, caseless=condition.caseless)
        case Like(name=DAV.displayname) if truth:
            texts = [piece for piece in condition.pieces if isinstance(piece, str)]
            return name_holds(max(texts, key=len), caseless=condition.caseless) if texts else None
        case Comparison(name=DAV.getcontenttype) | Like(name=DAV.getcontenttype):
            return _of_type(condition, truth)
    return None


def _all(parts: Iterable[Passing]) -> Passing:
    known = [part for part in parts if part is not None]
    return all_of(known) if known else None


def _any(parts: Iterator[Passing]) -> Passing:
    known = list(parts)
    return None if None in known else any_of(part for part in known if part is not None)


@dataclass(frozen=True, slots=True)
class _OfType:
    """Any file of a type."""

    media_type: str
    is_collection: bool = False

    def value(self, name: str) -> Value:
        """Of its properties, the type."""
        return self.media_type


def _of_type(condition: Condition, truth: bool) -> Passing:
    if condition.truth(_OfType(OF_OTHERS)) is truth:
        return None
    suffixes = sorted(each for each in SUFFIXES if condition.truth(_OfType(type_of_name(f".{each}"))) is truth)
    return name_ends(suffixes) if suffixes else NOTHING


RANGES: dict[str, Callable[[Bounds], RowFilter]] = {
    DAV.getcontentlength: lambda bounds: within("size", *bounds),
    DAV.getlastmodified: lambda bounds: within("modified", *map(_ns, bounds)),
    DAV.creationdate: lambda bounds: within("created", *map(_ns, bounds)),
}
BOUNDS: dict[tuple[str, bool], Callable[[int], list[Bounds]]] = {
    # what a number lies within (from the first on, below the second) where an operator holds, and where it does not
    ("eq", True): lambda literal: [(literal, literal + 1)],
    ("eq", False): lambda literal: [(None, literal), (literal + 1, None)],
    ("lt", True): lambda literal: [(None, literal)],
    ("lt", False): lambda literal: [(literal, None)],
    ("lte", True): lambda literal: [(None, literal + 1)],
    ("lte", False): lambda literal: [(literal + 1, None)],
    ("gt", True): lambda literal: [(literal + 1, None)],
    ("gt", False): lambda literal: [(None, literal + 1)],
    ("gte", True): lambda literal: [(literal, None)],
    ("gte", False): lambda literal: [(None, literal)],
}


def _ns(seconds: int | None) -> int | None:
    return None if seconds is None else seconds * SECOND
