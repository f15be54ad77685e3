"""The Depth header (RFC 4918 §10.2)."""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum

from davserver.dav.errors import BadRequest


class Depth(Enum):
    """How far a method reaches below its resource."""

    ZERO = "0"
    ONE = "1"
    INFINITY = "infinity"


ANY = frozenset(Depth)


def parse_depth(value: str | None, *, default: Depth, allowed: Collection[Depth] = ANY) -> Depth:
    """
    Read a Depth header.

    Args:
        value: the raw header; None or empty gives ``default``.
        allowed: what the method takes, such as 0 and infinity for COPY.

    Raises:
        BadRequest: it is none of the three values or not one the method takes.
    """
    if value is None or not value.strip():
        return default
    try:
        depth = Depth(value.strip().lower())
    except ValueError:
        depth = None
    if depth is None or depth not in allowed:
        usable = " or ".join(d.value for d in Depth if d in allowed)
        raise BadRequest(f"Depth is {value.strip()[:40]!r}; it can be {usable}")
    return depth
