"""The Timeout header (RFC 4918 §10.7)."""

from __future__ import annotations

from davserver.dav.errors import BadRequest

LARGEST = 2**32 - 1


def parse_timeout(value: str | None, *, default_s: int, longest_s: int) -> int:
    """
    Read a Timeout header as the seconds to grant.

    Args:
        value: the raw header, such as ``Infinite, Second-3600``; the first usable entry wins, None grants the default.
        longest_s: the operator's ceiling in seconds; ``Infinite`` is granted this much.

    Raises:
        BadRequest: no entry is ``Infinite`` or ``Second-`` and a number of 32 bits that is not 0.
    """
    if value is None or not value.strip():
        return min(default_s, longest_s)
    for entry in value.split(","):
        kind, _, number = entry.strip().lower().partition("-")
        if kind == "infinite" and not number:
            return longest_s
        if kind == "second" and number.isascii() and number.isdigit() and len(number) <= 10:
            asked_s = int(number)
            if 0 < asked_s <= LARGEST:
                return min(asked_s, longest_s)
    raise BadRequest(f"Timeout is {value[:80]!r}; it can be Infinite or Second- and a number")
