"""REPORT below ``/dav/``: a table from the report's name to what answers it (RFC 3253 §3.6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from xml.etree.ElementTree import Element

from auth.acl import Action
from auth.errors import Hidden
from davserver.dav.depth import Depth, parse_depth
from davserver.dav.errors import BadRequest
from davserver.dav.message import Request, Response, quote_path
from davserver.dav.multistatus import multistatus, status_response
from davserver.dav.names import CALDAV, CARDDAV, DAV
from davserver.dav.propfind import parse_prop
from davserver.dav.sync import TRUNCATED, parse_limit
from davserver.dav.target import parse_target
from davserver.dav.xml import parse_xml, read_body
from davserver.mounts import (
    pim_acl_principals,
    pim_expand,
    pim_freebusy,
    pim_principal_match,
    pim_principal_search,
    pim_query,
    pim_sync,
)
from davserver.mounts.pim_data import data_of
from davserver.mounts.pim_item_rows import ItemRows
from davserver.mounts.pim_ranges import require_ranges
from davserver.mounts.pim_view import View, href_path
from davserver.mounts.pim_zones import zones_wanted
from davserver.mounts.preferences import wants_minimal
from storage.collection import ADDRESS_BOOK, CALENDAR, Collection, Home, Item, Resource
from storage.errors import PlaceRefused
from storage.paths import DAV as TREE
from storage.paths import is_within
from storage.records import Member

Report = Callable[[Element, Resource, Request, View], Response]
TAG_OF_REPORT = {
    # what a report is asked of
    CALDAV.calendar_multiget: CALENDAR,
    CALDAV.calendar_query: CALENDAR,
    CALDAV.free_busy_query: CALENDAR,
    CARDDAV.addressbook_multiget: ADDRESS_BOOK,
    CARDDAV.addressbook_query: ADDRESS_BOOK,
}


def report(request: Request, view: View) -> Response:
    """REPORT. Each one reaches where its RFC says; Depth counts where a synchronisation has no level of its own."""
    limits = view.settings.limits
    body = read_body(request, max(limits.xml_bytes, limits.multiget_bytes))
    root = parse_xml(body, max_depth=limits.xml_depth, max_elements=limits.xml_elements + limits.multiget_hrefs)
    if root is None:
        raise BadRequest("a REPORT has a body that says which report")
    handler = REPORTS.get(root.tag)
    resource = view.session.pim.get(request.path)
    if handler is None or not _is_asked_well(root.tag, resource):
        raise PlaceRefused(request.path, f"{root.tag} is not a report of this resource", "supported-report")
    return handler(root, resource, request, view)


def _is_asked_well(name: str, resource: Resource) -> bool:
    wanted = TAG_OF_REPORT.get(name)
    collection = resource.collection if isinstance(resource, Item) else resource
    if name == CALDAV.free_busy_query and isinstance(resource, Home):
        return True
    if wanted is not None:
        on_item = isinstance(resource, Item) and name in (CALDAV.free_busy_query,)
        return isinstance(collection, Collection) and collection.tag == wanted and not on_item
    if name == DAV.sync_collection:
        return isinstance(resource, Home) or (isinstance(resource, Collection) and bool(resource.tag))
    return True


def multiget(root: Element, resource: Resource, request: Request, view: View) -> Response:
    """Named members (RFC 4791 §7.9, RFC 6352 §8.7): one row per href, 404 for what is missing."""
    collection = resource.collection if isinstance(resource, Item) else resource
    assert isinstance(collection, Collection)
    hrefs = [(element.text or "").strip() for element in root.findall(DAV.href)]
    if not hrefs and isinstance(resource, Item):
        hrefs = [quote_path(resource.asked)]  # the one that is asked (RFC 6352 §8.7)
    most = view.settings.limits.multiget_hrefs
    if len(hrefs) > most:
        why = f"{len(hrefs)} hrefs; {most} are the most"
        raise PlaceRefused(collection.asked, why, "number-of-matches-within-limits")
    if collection.tag == CALENDAR:
        require_ranges(root, view.settings.limits)
    asked = parse_prop(root)
    data = data_of(asked, pim_query.floating_zone(root, collection, view), zones_wanted(request))
    rows = ItemRows(asked, collection, view, minimal=wants_minimal(request), data=data)
    return multistatus(_named_rows(list(dict.fromkeys(hrefs)), collection, rows, view))


def _named_rows(hrefs: list[str], collection: Collection, rows: ItemRows, view: View) -> Iterator[str]:
    """One row a href, in their order."""
    paths = {path or href: path for href in hrefs for path in [_parse_href(href)]}
    names = {path: _name_in(path, collection, view) for path in paths.values() if path is not None}
    members = view.session.store.members_named(collection.folder, filter(None, names.values()))
    if not view.session.pim.reads_items(collection):
        may = view.session.access.may
        members = {name: each for name, each in members.items() if may(Action.READ, collection.path_of(each))}
    named = [(path, members[name]) for path, name in names.items() if name in members]
    answers = rows.rows_at(named)
    present = {path for path, _ in named}
    for said, path in paths.items():
        yield next(answers) if path in present else status_response(said, 404)


def _parse_href(href: str) -> str | None:
    try:
        return parse_target(href)
    except BadRequest:
        return None


def _name_in(path: str, collection: Collection, view: View) -> str | None:
    """The name of the member that a path means, if it is one of this collection."""
    above, _, name = path.rpartition("/")
    if above == collection.asked:
        return name
    item = _elsewhere(path, collection, view)
    return None if item is None else item.member.name


def _elsewhere(path: str, collection: Collection, view: View) -> Item | None:
    """An item by another of its URLs; what lies in another collection is not a member of this one."""
    if not is_within(path, TREE):
        return None
    found = view.session.pim.find(path)
    return found if isinstance(found, Item) and found.collection.path == collection.path else None


def query(root: Element, resource: Resource, request: Request, view: View) -> Response:
    """Members that match a filter (RFC 4791 §7.8, RFC 6352 §8.6); Depth 0 on a collection means 1, as Windows sends."""
    collection = resource.collection if isinstance(resource, Item) else resource
    assert isinstance(collection, Collection)
    if collection.tag == CALENDAR:
        require_ranges(root, view.settings.limits)
    asked = parse_prop(root)
    question, floating = pim_query.parse_query(root, collection), pim_query.floating_zone(root, collection, view)
    found: Iterable[Member]
    if isinstance(resource, Item):
        store = view.session.store
        is_found = pim_query.item_matches(question, collection, resource.member, store, floating)
        found = [resource.member] if is_found else []
    else:
        view.session.access.require(Action.READ, collection.path)
        found = pim_query.matches(question, collection, view, floating)
    limit = parse_limit(root)
    tail = ""
    if limit is not None:
        page = list(islice(found, limit + 1))
        found = page[:limit]
        if len(page) > limit:
            tail = status_response(href_path(collection), 507, TRUNCATED)
    data = data_of(asked, floating, zones_wanted(request))
    rows = ItemRows(asked, collection, view, minimal=wants_minimal(request), data=data)
    return multistatus(rows.rows(list(found)), tail)


def free_busy(root: Element, resource: Resource, request: Request, view: View) -> Response:
    """When a calendar is busy (RFC 4791 §7.10); the right ``freebusy`` is enough."""
    if isinstance(resource, Home):
        depth = parse_depth(request.header("depth"), default=Depth.ZERO)
        text = pim_freebusy.home_free_busy(root, resource, view, is_deep=depth is Depth.INFINITY)
        return Response(200, [("Content-Type", "text/calendar; charset=utf-8")], text.encode())
    assert isinstance(resource, Collection)
    access = view.session.access
    if not access.may(Action.READ, resource.path) and not access.may(Action.FREEBUSY, resource.path):
        raise Hidden(resource.asked)  # also to who may add something there: RFC 4791 §7.10
    text = pim_freebusy.free_busy(root, resource, view)
    return Response(200, [("Content-Type", "text/calendar; charset=utf-8")], text.encode())


REPORTS: dict[str, Report] = {
    DAV.sync_collection: pim_sync.sync_collection,
    CALDAV.calendar_multiget: multiget,
    CALDAV.calendar_query: query,
    CALDAV.free_busy_query: free_busy,
    CARDDAV.addressbook_multiget: multiget,
    CARDDAV.addressbook_query: query,
    DAV.expand_property: pim_expand.expand_property,
    DAV.principal_property_search: pim_principal_search.principal_property_search,
    DAV.principal_search_property_set: pim_principal_search.principal_search_property_set,
    DAV.principal_match: pim_principal_match.principal_match,
    DAV.acl_principal_prop_set: pim_acl_principals.acl_principal_prop_set,
}
