"""Telling a client which of its preferences an answer follows (RFC 7240, RFC 8144), in both parts of the tree."""

from __future__ import annotations

from davserver.dav.message import Request, Response
from davserver.dav.prefer import DEPTH_NOROOT, Return, parse_depth_and_root, preferences

VARY = ("Vary", "Brief, Prefer")
APPLIED = "Preference-Applied"
REDUCED: dict[str, frozenset[int]] = {
    # method: statuses of answers that return=minimal makes smaller (RFC 8144 §2)
    "PROPFIND": frozenset({207}),
    "REPORT": frozenset({207}),
    "SEARCH": frozenset({207}),
    "PROPPATCH": frozenset({200}),
    "MKCOL": frozenset({201}),
    "MKCALENDAR": frozenset({201}),
}


def wants_minimal(request: Request) -> bool:
    """Whether the client asked to leave out what is missing (RFC 8144 §2, and Apple's ``Brief: t``)."""
    return preferences(request.headers).returned is Return.MINIMAL


def tell_preferences(request: Request, response: Response) -> Response:
    """The answer with a word on which preferences were followed (RFC 7240 §3), where they could make a difference."""
    reduced = REDUCED.get(request.method)
    if reduced is None or response.status not in reduced:
        return response
    response.headers.append(VARY)
    wanted = preferences(request.headers)
    if wanted.returned is Return.MINIMAL:
        response.headers.append((APPLIED, Return.MINIMAL.value))
    if wanted.no_root and request.method == "PROPFIND" and parse_depth_and_root(request.headers)[1]:
        response.headers.append((APPLIED, DEPTH_NOROOT))
    return response
