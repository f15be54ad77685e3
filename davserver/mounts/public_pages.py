"""
A form or poll behind a link: its pages, what they load, and the place to which they send.

Nothing else of the folder is there, whatever right the link has: neither settings nor what others have sent.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from auth.errors import Hidden, NoSuchLink
from davserver.dav.conditional import Outcome
from davserver.dav.if_header import NO_CONDITIONS
from davserver.dav.message import Request, Response, quote_path
from davserver.mounts.browsing import ANY_PAGE, PAGES, page_headers
from davserver.mounts.files_call import Call
from davserver.mounts.files_read import content_type, file_headers, sent, wanted_digest
from storage.errors import Locked, NotFound, QuotaExceeded
from storage.filetree import Node
from storage.linknames import CLOSED, INDEX
from storage.paths import join
from storage.records import Folder
from storage.session import Session

READING = "OPTIONS, GET, HEAD"
SENDING = "OPTIONS, POST"
KEPT = frozenset({"ETag", "Last-Modified", "Cache-Control", *dict(ANY_PAGE)})


@dataclass(frozen=True, slots=True)
class OpenFolder:
    """
    What strangers get of a form or poll.

    Attributes:
        folder: of the form or poll.
        base: its URL path, decoded, as the request names it, without slash.
        pages: names of the pages and of what they load.
        is_closed: then its page is the one that says so, where there is one.
        sends_to: the name of the folder that takes what pages send; post: answers that.
        is_shared: what is shown may be kept by whoever is on the way.
    """

    folder: Folder
    base: str
    pages: frozenset[str]
    is_closed: bool
    sends_to: str
    post: Callable[[], Response]
    is_shared: bool


def answer(request: Request, session: Session, open_folder: OpenFolder, rest: str) -> Response:
    """
    The answer to a request at ``rest`` below the folder.

    Raises:
        NoSuchLink: nothing of the folder is shown there.
    """
    method, name = request.method, rest.strip("/")
    if name == open_folder.sends_to:
        if method == "POST":
            return _sent(open_folder)
        return _told(method, SENDING)
    if method not in ("GET", "HEAD"):
        return _told(method, READING)
    if not name and not request.path.endswith("/"):
        return Response.empty(301, ("Location", quote_path(open_folder.base + "/")))
    shown = name if name else _page(session, open_folder)
    if shown not in open_folder.pages:
        raise NoSuchLink
    row = session.store.find_member(open_folder.folder, shown)
    if row is None:
        raise NoSuchLink
    return _file(request, session, open_folder, Node(join(open_folder.folder.path, shown), open_folder.folder, row))


def _sent(open_folder: OpenFolder) -> Response:
    """The answer to what was sent; it names nothing by the path that members know."""
    try:
        return open_folder.post()
    except (Hidden, NotFound) as error:
        raise NoSuchLink from error
    except Locked as error:
        raise Locked([f"{open_folder.base}/{open_folder.sends_to}"]) from error
    except QuotaExceeded as error:
        raise QuotaExceeded("there is no room left for this; nothing is stored") from error


def _told(method: str, allow: str) -> Response:
    if method == "OPTIONS":
        return Response.empty(200, ("Allow", allow))
    return Response.text(405, f"{method} is not for this link\n", ("Allow", allow))


def _page(session: Session, open_folder: OpenFolder) -> str:
    has_closed = session.store.find_member(open_folder.folder, CLOSED) is not None
    return CLOSED if open_folder.is_closed and has_closed else INDEX


def _file(request: Request, session: Session, open_folder: OpenFolder, node: Node) -> Response:
    assert node.member is not None
    try:
        fd, member = session.store.open_member(node.folder, node.member.name, node.member)
    except NotFound as error:
        raise NoSuchLink from error
    node = Node(node.path, node.folder, member)
    call = Call(request, session, session.store.settings, node.path, NO_CONDITIONS, None)
    try:
        outcome = call.outcome(node)
        headers = [*_headers(request, open_folder, node), *wanted_digest(call, node, fd)]
    except BaseException:
        os.close(fd)
        raise
    if outcome is Outcome.NOT_MODIFIED:
        os.close(fd)
        return Response(304, [header for header in headers if header[0] in KEPT])
    return sent(call, node, fd, headers)


def _headers(request: Request, open_folder: OpenFolder, node: Node) -> list[tuple[str, str]]:
    shared = [("Cache-Control", "no-cache"), *ANY_PAGE] if open_folder.is_shared else []
    headers = [*file_headers(node), *(shared or [("Cache-Control", "private, no-cache")])]
    if content_type(node) not in PAGES:
        return headers
    told = [header for header in headers if header[0] not in ("Content-Security-Policy", "Content-Disposition")]
    return told + page_headers(request)
