"""What a sync-collection report asks for (RFC 6578 §6.1)."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element

from davserver.dav.depth import Depth, parse_depth
from davserver.dav.errors import BadRequest
from davserver.dav.multistatus import status_response
from davserver.dav.names import CARDDAV, DAV
from davserver.dav.propfind import PropRequest, parse_prop
from davserver.dav.xml import open_tag, text_of

LEVELS = {"1": False, "infinite": True, "infinity": True}  # the last one is what drafts said
LONGEST_NUMBER = 18  # digits
TRUNCATED = open_tag(DAV.number_of_matches_within_limits)


@dataclass(frozen=True, slots=True)
class SyncRequest:
    """
    The question.

    Attributes:
        token: "" for the first synchronisation.
        infinite: of the whole tree, else of the direct members.
        limit: most members that the answer may name; None is without a limit.
    """

    token: str
    infinite: bool
    limit: int | None
    asked: PropRequest


def parse_sync(root: Element, depth: str | None) -> SyncRequest:
    """
    Read a ``DAV:sync-collection``.

    The level stands in the body and Depth is 0; 1 is taken for it, which Thunderbird sends. Clients from before the
    RFC send no level, and Depth is theirs (its appendix A).

    Raises:
        BadRequest: the token is missing, or level, Depth or limit are not what they can be.
    """
    element = root.find(DAV.sync_token)
    if element is None:
        raise BadRequest("a sync-collection names a DAV:sync-token; for the first one it is empty")
    level = root.findtext(DAV.sync_level)
    reach = parse_depth(depth, default=Depth.ZERO)
    if level is None:
        infinite = reach is Depth.INFINITY
    elif level.strip() not in LEVELS:
        raise BadRequest("DAV:sync-level is 1 or infinite")
    elif reach is Depth.INFINITY:
        raise BadRequest("Depth of a sync-collection is 0; how deep it reaches stands in DAV:sync-level")
    else:
        infinite = LEVELS[level.strip()]
    return SyncRequest((element.text or "").strip(), infinite, parse_limit(root), parse_prop(root))


def parse_limit(root: Element) -> int | None:
    """
    The number in a report's ``limit`` (RFC 5323 §5.17, RFC 6352 §10.6), None where there is none.

    Raises:
        BadRequest: it is not a number from 1 on.
    """
    text = root.findtext(f"{DAV.limit}/{DAV.nresults}") or root.findtext(f"{CARDDAV.limit}/{CARDDAV.nresults}")
    if text is None:
        return None
    if not text.strip().isdecimal() or len(text.strip()) > LONGEST_NUMBER or int(text) < 1:
        raise BadRequest(f"nresults is {text.strip()[:20]!r}; it can be 1 or more")
    return int(text)


def render_end(path: str, token: str, *, is_cut: bool) -> str:
    """
    The end of the answer: the token, and before it the word that there is more (RFC 6578 §3.6).

    Args:
        path: decoded path of the collection that was asked.
    """
    cut = status_response(path, 507, TRUNCATED) if is_cut else ""
    return cut + open_tag(DAV.sync_token, text_of(token))
