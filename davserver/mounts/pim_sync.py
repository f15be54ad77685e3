"""Synchronisation of calendars, address books and homes (RFC 6578)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from xml.etree.ElementTree import Element

from auth.acl import Action
from auth.errors import NeedPrivileges
from davserver.dav.message import Request, Response
from davserver.dav.multistatus import multistatus, status_response
from davserver.dav.names import CALDAV, DAV
from davserver.dav.sync import SyncRequest, parse_sync, render_end
from davserver.dav.xml import open_tag
from davserver.mounts.pim_data import data_of
from davserver.mounts.pim_item_rows import ItemRows
from davserver.mounts.pim_query import floating_zone
from davserver.mounts.pim_rows import Rows
from davserver.mounts.pim_view import View, href_path
from davserver.mounts.pim_zones import zones_wanted
from davserver.mounts.preferences import wants_minimal
from storage.collection import Collection, Home, Resource
from storage.homesync import home_page
from storage.pages import sync_page
from storage.paths import join


def sync_collection(root: Element, resource: Resource, request: Request, view: View) -> Response:
    """What changed since a token (RFC 6578 §3.2)."""
    sync = parse_sync(root, request.header("depth"))
    if isinstance(resource, Home):
        return _sync_home(resource, sync, request, view)
    assert isinstance(resource, Collection)
    return _sync_members(root, resource, sync, request, view)


def _sync_home(home: Home, sync: SyncRequest, request: Request, view: View) -> Response:
    """
    A home's collections; to the level ``infinite`` each says once how it is synchronised instead (§3.3).

    Raises:
        NeedPrivileges: nothing in it is open to whoever asks.
    """
    if not view.session.access.sees(home.path):
        raise NeedPrivileges(home.path, Action.READ)
    page = home_page(view.session.pim, home, sync.token, sync.limit)
    rows = Rows(sync.asked, view, minimal=wants_minimal(request))

    def answers() -> Iterator[str]:
        for name in page.gone:
            yield status_response(join(home.asked, name) + "/", 404)
        for collection, is_new in page.changed:
            if not sync.infinite:
                yield rows.row(collection)
            elif is_new:
                is_synchronised = bool(collection.tag) and view.session.pim.reads_items(collection)
                reason = DAV.sync_traversal_supported if is_synchronised else DAV.supported_report
                yield status_response(href_path(collection), 403, open_tag(reason))

    return multistatus(answers(), render_end(href_path(home), page.token, is_cut=page.is_cut))


def _sync_members(root: Element, collection: Collection, sync: SyncRequest, request: Request, view: View) -> Response:
    if not view.session.pim.reads_items(collection):  # to others a token would tell of what they may not read
        raise NeedPrivileges(collection.path, Action.READ)
    page = sync_page(view.session.store, collection, sync.token, sync.limit)
    has_data = CALDAV.calendar_data in sync.asked.elements  # few syncs ask for it, and the zone is read for it alone
    floating = floating_zone(root, collection, view) if has_data else None
    data = data_of(sync.asked, floating, zones_wanted(request))
    rows = ItemRows(sync.asked, collection, view, minimal=wants_minimal(request), data=data)
    end = render_end(href_path(collection), page.token, is_cut=page.is_cut)
    gone = (status_response(f"{collection.asked}/{name}", 404) for name in page.gone)
    return multistatus(chain(rows.rows(page.changed), gone), end)
