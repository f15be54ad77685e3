"""
``/dav/``: calendars, address books and task lists (RFC 4791, RFC 6352).

The handlers are our own and answer from the shelf and its index. Radicale is the guest for what needs the sense of an
item: ``pim_query`` asks its filters, expansion and free-busy code.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from itertools import chain

from auth.directory import Directory
from auth.errors import NeedPrivileges
from config.schema import Settings
from davserver.dav.conditional import require_preconditions
from davserver.dav.depth import Depth
from davserver.dav.errors import BadRequest
from davserver.dav.message import Request, Response
from davserver.dav.multistatus import XML_HEADER, XML_TYPE, XMLNS, multistatus
from davserver.dav.names import CALDAV, DAV
from davserver.dav.prefer import parse_depth_and_root
from davserver.dav.propfind import read_propfind
from davserver.dav.representation import require_xml
from davserver.dav.target import parse_target
from davserver.dav.xml import open_tag, parse_xml, read_body
from davserver.mounts import pim_acl, pim_items, pim_post, pim_reports
from davserver.mounts.pim_item_rows import ItemRows
from davserver.mounts.pim_prefer import with_representation
from davserver.mounts.pim_proppatch import judge_new, judge_update, response_of
from davserver.mounts.pim_rows import Rows
from davserver.mounts.pim_view import View
from davserver.mounts.pim_zones import CAPABILITY
from davserver.mounts.preferences import tell_preferences, wants_minimal
from storage.collection import CALENDAR, SOURCE_KEY, SUBSCRIPTION, Collection, Home, Item, Resource, Root
from storage.errors import AlreadyExists, PlaceRefused, StorageError
from storage.paths import canonical, is_private, is_within, name_of
from storage.pim_collections import change, make_collection
from storage.session import Session
from storage.store import Store
from storage.subscriptions import make_subscription
from storage.welcome import welcome, welcome_resources

CLASSES = ("DAV", "1, 3, access-control, calendar-access, addressbook, extended-mkcol, calendar-availability")
METHODS_SENT = "OPTIONS, GET, HEAD, PUT, DELETE, PROPFIND, PROPPATCH, REPORT, POST, MKCOL, MKCALENDAR, COPY, MOVE, ACL"
ALLOW = ("Allow", METHODS_SENT)
NO_CACHE = ("Cache-Control", "no-cache")  # of what a MKCALENDAR or MKCOL answers (RFC 4791 §5.3.1, RFC 5689 §3)

Handler = Callable[[Request, View], Response]

log = logging.getLogger("davserver.pim")


class PimMount:
    """Answers what is asked below ``/dav/``."""

    def __init__(self, store: Store, settings: Settings, directory: Directory) -> None:
        self._settings = settings
        self._directory = directory
        self._welcomed: set[str] = set()
        self._welcoming = threading.Lock()
        self._store = store
        self._prepared = -1  # revision of the directory whose resources have their calendars
        self._prepare()
        store.derived.bring_up_members()

    def __call__(self, request: Request, session: Session) -> Response:
        """Answer one request of a principal."""
        handler = METHODS.get(request.method)
        if handler is None:
            return Response.text(405, f"{request.method} is not offered below /dav/.\n", ALLOW, CLASSES)
        if is_private(name_of(request.path.rstrip("/"))):
            raise PlaceRefused(request.path, "names like this are the server's own")
        if self._prepared != self._directory.revision:
            self._prepare()
        self._welcome(session)
        try:
            answer = handler(request, View(session, self._settings, self._directory))
            return tell_preferences(request, answer)
        except NeedPrivileges as error:
            raise NeedPrivileges(_as_asked(error.path, request, session), error.action) from error

    def _prepare(self) -> None:
        """At the start and when the directory changed: the calendars of rooms and vehicles, for everybody to find."""
        with self._welcoming:
            revision = self._directory.revision
            if self._prepared == revision:
                return
            try:
                welcome_resources(self._store, self._directory.accounts())
            except (StorageError, OSError) as error:
                log.warning("the calendar of a room or vehicle could not be made: %s", error)
            self._prepared = revision

    def _welcome(self, session: Session) -> None:
        """At a member's first request: the collections that clients expect to find."""
        name = session.principal.name
        if name is None or name in self._welcomed:
            return
        with self._welcoming:
            if name not in self._welcomed:
                account = self._directory.account(name)
                try:
                    if account is not None and account.kind == "member":
                        welcome(session)
                except (StorageError, OSError) as error:  # a full disk must not keep anybody from reading
                    log.warning("the first collections of %s could not be made: %s", name, error)
                self._welcomed.add(name)


def _as_asked(path: str, request: Request, session: Session) -> str:
    """A canonical path as the request would have it: hrefs begin with the path that was asked."""
    for sent in filter(None, (request.path, request.header("destination"))):
        asked = "/".join(canonical(parse_target(sent), session.principal.name).split("/")[:4])
        there = session.pim.resolve(asked)
        if is_within(path, there):
            return asked + path[len(there) :]
    return path


def options(request: Request, view: View) -> Response:
    """OPTIONS (RFC 4791 §5.1): on every path, also on principals, where DAVx5 and iOS look."""
    more = f", {CAPABILITY}" if view.settings.server.timezone_services else ""
    return Response.empty(200, (CLASSES[0], CLASSES[1] + more), ALLOW, ("Content-Length", "0"))


def propfind(request: Request, view: View) -> Response:
    """PROPFIND (RFC 4918 §9.1)."""
    resource = view.session.pim.get(request.path)
    depth, no_root = parse_depth_and_root(request.headers)
    if depth is Depth.INFINITY and not isinstance(resource, Item):
        raise PlaceRefused(request.path, "Depth can be 0 or 1 here", "propfind-finite-depth")
    limits = view.settings.limits
    body = read_body(request, limits.xml_bytes)
    asked = read_propfind(body, max_depth=limits.xml_depth, max_elements=limits.xml_elements)
    minimal = wants_minimal(request)
    rows = Rows(asked, view, minimal=minimal)
    found = [] if no_root else [rows.row(resource)]
    below: Iterable[str] = ()
    if depth is Depth.ONE and isinstance(resource, Collection):
        below = ItemRows(asked, resource, view, minimal=minimal).rows(view.session.pim.members(resource))
    elif depth is Depth.ONE:
        below = map(rows.row, children(resource, view))
    return multistatus(chain(found, below))


def children(resource: Resource, view: View) -> Sequence[Resource]:
    """The homes in the root and the collections in a home, as the principal sees them."""
    shelf = view.session.pim
    match resource:
        case Root():
            return shelf.homes()
        case Home():
            return shelf.collections(resource)
        case _:
            return []


def proppatch(request: Request, view: View) -> Response:
    """PROPPATCH (RFC 4918 §9.2): all of it or nothing."""
    resource = view.session.pim.get(request.path)
    if isinstance(resource, Root):
        raise PlaceRefused(request.path, "the folder of all homes has no properties of its own")
    limits = view.settings.limits
    body = parse_xml(read_body(request, limits.xml_bytes), max_depth=limits.xml_depth, max_elements=limits.xml_elements)
    pim_items.check_of(request, resource, view)(resource.member.etag if isinstance(resource, Item) else None)
    outcome = judge_update(body, resource, view)
    if not outcome.is_refused:
        change(view.session, resource, outcome.changes)
        if wants_minimal(request):
            return Response.empty(200)
    return multistatus([response_of(resource, outcome)])


def mkcalendar(request: Request, view: View) -> Response:
    """MKCALENDAR (RFC 4791 §5.3.1)."""
    return _make(request, view, CALENDAR, CALDAV.mkcalendar_response)


def mkcol(request: Request, view: View) -> Response:
    """MKCOL, plain or extended (RFC 5689 §3)."""
    return _make(request, view, "", DAV.mkcol_response)


def _make(request: Request, view: View, default_tag: str, answer: str) -> Response:
    limits = view.settings.limits
    data = read_body(request, limits.xml_bytes)
    if data:
        require_xml(request.headers)
    body = parse_xml(data, max_depth=limits.xml_depth, max_elements=limits.xml_elements)
    path = request.path.rstrip("/")
    if view.session.pim.find(path) is not None:
        raise AlreadyExists(path)
    require_preconditions(request.headers, request.method, etag=None)
    pim_items.require_if(request, Root(), view)
    tag, outcome = judge_new(body, default_tag, view)
    if body is not None and body.tag == CALDAV.mkcalendar and default_tag != CALENDAR:
        raise BadRequest("the body of MKCOL is DAV:mkcol")
    if outcome.is_refused:
        content = open_tag(answer, outcome.propstats())
        named = content.replace(">", f"{XMLNS}>", 1)
        return Response(403, [XML_TYPE, NO_CACHE], f"{XML_HEADER}{named}\n".encode())
    if tag == SUBSCRIPTION:
        source, most = outcome.changes.meta.pop(SOURCE_KEY) or "", view.settings.subscriptions.most_per_home
        make_subscription(view.session, path, source, outcome.changes, most=most)
    else:
        outcome.changes.meta.pop(SOURCE_KEY, None)
        make_collection(view.session, path, tag, outcome.changes)
    return Response.empty(201, NO_CACHE)


METHODS: dict[str, Handler] = {
    "OPTIONS": options,
    "PROPFIND": propfind,
    "PROPPATCH": proppatch,
    "REPORT": pim_reports.report,
    "MKCALENDAR": mkcalendar,
    "MKCOL": mkcol,
    "GET": pim_items.get,
    "HEAD": pim_items.get,
    "PUT": with_representation(pim_items.put),
    "POST": with_representation(pim_post.post),
    "DELETE": pim_items.delete,
    "MOVE": with_representation(pim_items.move),
    "COPY": with_representation(pim_items.copy),
    "ACL": pim_acl.acl,
}
