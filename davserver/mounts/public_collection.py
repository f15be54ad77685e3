"""
A published calendar or address book: the whole of it as one file that other programs subscribe to.

Its ETag is made of the collection's id and change counter, the renderer's version and the head of the file, so that a
subscriber who has it already is told so without one item being read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from auth.errors import LinkOver
from davserver.dav.conditional import Outcome, render_http_date, require_preconditions
from davserver.dav.message import Request, Response
from davserver.mounts.browsing import SANDBOX, attachment, shared_headers
from davserver.mounts.pim_props import ITEM_TYPES
from storage.calendarnames import NAME_KEY, render_names
from storage.collection import CALENDAR, Collection
from storage.export import join_items
from storage.linewriter import fold, text_value
from storage.links import Issued
from storage.linksfile import SUFFIXES
from storage.published import WorldView
from storage.records import Content
from storage.session import Session

RENDERER = 1  # raised with every change of what is rendered from the same items
ALLOW = ("Allow", "OPTIONS, GET, HEAD")
REFRESH = "PT1H"
SETTLED_S = 2  # a date in seconds cannot tell two changes within one second apart


@dataclass(frozen=True, slots=True)
class Published:
    """A collection and the link by which it is read."""

    collection: Collection
    issued: Issued

    @property
    def title(self) -> str:
        """What people call it."""
        return self.collection.meta.get("D:displayname") or self.collection.folder.name


def answer(request: Request, session: Session, published: Published, view: WorldView) -> Response:
    """GET, HEAD and OPTIONS; 405 for all else. Raises LinkOver when another took the last download."""
    if request.method == "OPTIONS":
        return Response.empty(200, ALLOW)
    if request.method not in ("GET", "HEAD"):
        return Response.text(405, f"{request.method} is not for this link; it is for reading.\n", ALLOW)
    collection = published.collection
    head = head_lines(published) if collection.tag == CALENDAR else b""
    etag = _etag(session, collection, head)
    modified_s = collection.folder.modified_ns / 1e9
    dated = session.store.clock() - modified_s >= SETTLED_S
    headers = [("ETag", f'"{etag}"'), *shared_headers(published.issued.link)]
    if dated:
        headers.append(("Last-Modified", render_http_date(modified_s)))
    outcome = require_preconditions(
        request.headers, request.method, etag=etag, modified_s=modified_s if dated else None
    )
    if outcome is Outcome.NOT_MODIFIED:
        return Response(304, headers)
    counted = published.issued.link.downloads is not None and request.method == "GET"
    if counted and not session.store.links.count(published.issued):
        raise LinkOver
    headers += [
        ("Content-Type", ITEM_TYPES[collection.tag]),
        attachment(published.title + SUFFIXES[collection.tag]),
        SANDBOX,
    ]
    return Response(200, headers, join_items(_items(session, collection, view), collection.tag, "", about=head))


def head_lines(published: Published) -> bytes:
    """The calendar's own properties: name, description and colour (RFC 7986 §5) in the words of several programs."""
    meta, folder = published.collection.meta, published.collection.folder
    about = render_names({**meta, NAME_KEY: published.title}, folder.modified_ns)
    lines = [f"X-WR-CALNAME:{text_value(published.title)}"]
    lines += [f"REFRESH-INTERVAL;VALUE=DURATION:{REFRESH}", f"X-PUBLISHED-TTL:{REFRESH}"]
    return about + b"".join(map(fold, lines))


def _etag(session: Session, collection: Collection, head: bytes) -> str:
    folder, store = collection.folder, session.store
    known = f"{RENDERER} {store.epoch} {folder.cid} {folder.counter} {store.settings.language} {collection.tag} "
    return hashlib.sha256(known.encode() + head).hexdigest()[:32]


def _items(session: Session, collection: Collection, view: WorldView) -> Iterator[Content]:
    for read in session.store.read_contents(collection.folder, session.pim.members(collection)):
        shown = None if read is None else view.of(*read, collection.tag)
        if shown is not None:
            yield shown
