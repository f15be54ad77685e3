"""
What a client would like of an answer (RFC 7240 §2, RFC 8144).

::

    Prefer     = 1#preference
    preference = token [ BWS "=" BWS word ] *( OWS ";" [ OWS parameter ] )
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from davserver.dav.depth import Depth, parse_depth

NOROOT = "noroot"
DEPTH_NOROOT = "depth-noroot"


class Return(Enum):
    """How much an answer is to hold (RFC 7240 §4.2)."""

    MINIMAL = "return=minimal"
    REPRESENTATION = "return=representation"


@dataclass(frozen=True, slots=True)
class Preferences:
    """
    What is understood here of a request's preferences.

    Attributes:
        no_root: the resource itself is left out of what Depth 1 lists (RFC 8144 §4).
    """

    returned: Return | None = None
    no_root: bool = False


NOTHING = Preferences()
MINIMAL = Preferences(Return.MINIMAL)


def preferences(headers: Mapping[str, str]) -> Preferences:
    """The preferences of a request; ``Brief: t`` is what return=minimal was called before (RFC 8144 appendix A)."""
    prefer, brief = headers.get("prefer"), headers.get("brief")
    if prefer is None:
        return MINIMAL if brief is not None and brief.strip().lower() == "t" else NOTHING
    found = parse_prefer(prefer)
    if found.returned is None and brief is not None and brief.strip().lower() == "t":
        return Preferences(Return.MINIMAL, found.no_root)
    return found


@lru_cache(maxsize=256)
def parse_prefer(value: str) -> Preferences:
    """Read a Prefer header. What is not understood is passed over; of two ``return`` the first counts (RFC 7240 §2)."""
    returned: Return | None = None
    no_root = False
    for preference in value.split(","):
        name, _, word = preference.partition(";")[0].partition("=")
        name, word = name.strip().lower(), word.strip().strip('"').lower()
        if name == "return" and returned is None:
            returned = next((known for known in Return if known.value == f"return={word}"), None)
        no_root = no_root or name == DEPTH_NOROOT
    return Preferences(returned, no_root)


def parse_depth_and_root(headers: Mapping[str, str]) -> tuple[Depth, bool]:
    """
    The depth of a PROPFIND, and whether its own resource is left out of the answer; with Depth 0 it is all there is.

    ``Depth: 1,noroot`` is what ``Prefer: depth-noroot`` was called before (RFC 8144 appendix A).

    Raises:
        BadRequest: the Depth header is none.
    """
    depth, _, rest = (headers.get("depth") or "").partition(",")
    if rest.strip().lower() != NOROOT:
        reach = parse_depth(headers.get("depth"), default=Depth.INFINITY)
        return reach, reach is not Depth.ZERO and preferences(headers).no_root
    return parse_depth(depth, default=Depth.INFINITY, allowed={Depth.ONE, Depth.INFINITY}), True
