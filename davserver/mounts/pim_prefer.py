"""
Answering as a client prefers (RFC 8144) with what a request has made of a resource.

The representation is what a GET would answer now, with its ETag; who may store but not read gets the plain answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from auth.errors import AuthError
from davserver.dav.message import Request, Response, quote_path
from davserver.dav.prefer import Return, preferences
from davserver.dav.target import decode_path, destination_of
from davserver.mounts import pim_items
from davserver.mounts.pim_view import View
from davserver.mounts.preferences import APPLIED, VARY
from storage.collection import Item
from storage.errors import NotFound, PreconditionFailed

Handler = Callable[[Request, View], Response]
SUCCESS = {201: 201, 200: 200, 204: 200}  # of a request, with the representation in the answer
CONDITIONS = ("if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if")


def with_representation(handler: Handler) -> Handler:
    """A handler whose answer holds the item that it has stored, where the client prefers that (RFC 8144 §3.1)."""

    def answer(request: Request, view: View) -> Response:
        if preferences(request.headers).returned is not Return.REPRESENTATION:
            return handler(request, view)
        try:
            plain = handler(request, view)
        except PreconditionFailed:
            refused = _refused(request, view)
            if refused is None:
                raise
            return refused
        path = _path_of_result(request, plain, view)
        status = SUCCESS.get(plain.status)
        told = None if status is None or path is None else _represent(request, path, status, view)
        if told is None:
            return plain
        told.headers += [field for field in plain.headers if field[0] == "Location"]
        return told

    return answer


def _refused(request: Request, view: View) -> Response | None:
    """
    What stands in the way of a request whose conditions do not hold (RFC 8144 §3.2).

    Not where the condition may have been ``Overwrite: F``: then it is another resource that stands in the way.
    """
    if (request.header("overwrite") or "T").strip().upper() == "F":
        return None
    return _represent(request, request.path, 412, view)


def _path_of_result(request: Request, plain: Response, view: View) -> str | None:
    """Where the item stands that a request has made or changed; None where that is not told."""
    match request.method:
        case "PUT":
            return request.path
        case "COPY" | "MOVE":
            return destination_of(request, view.settings.server)
        case _:
            return next((decode_path(value) for name, value in plain.headers if name == "Location"), None)


def _represent(request: Request, path: str, status: int, view: View) -> Response | None:
    """The item at a path as a GET answers it, under another status; None where there is none that may be read."""
    headers = {name: value for name, value in request.headers.items() if name not in CONDITIONS}
    try:
        view.session.access.forget(view.session.pim.resolve(path))  # it is the member's own since it made it
        found = view.session.pim.find(path)
        if not isinstance(found, Item):
            return None
        shown = pim_items.get(replace(request, method="GET", path=path, headers=headers), view)
    except (AuthError, NotFound):
        return None
    shown.status = status
    shown.headers += [("Content-Location", quote_path(found.asked)), VARY, (APPLIED, Return.REPRESENTATION.value)]
    return shown
