"""REPORT at ``/files/``: synchronisation of folders (RFC 6578)."""

from __future__ import annotations

from collections.abc import Iterator

from davserver.dav.errors import BadRequest
from davserver.dav.message import Response
from davserver.dav.multistatus import multistatus, status_response
from davserver.dav.names import DAV
from davserver.dav.propfind import PropRequest
from davserver.dav.sync import parse_sync, render_end
from davserver.dav.xml import open_tag, parse_xml, read_body
from davserver.mounts.files_call import Call
from davserver.mounts.files_principals import REPORTS
from davserver.mounts.files_properties import Scene
from davserver.mounts.files_propfind import Renderer
from davserver.mounts.pim_view import View
from storage.errors import PlaceRefused
from storage.filetree import Node
from storage.treesync import Apart, Gone, Told, is_synchronised

LARGEST_PAGE = 20_000  # members in one answer; where there are more, the client asks on with the new token


def report(call: Call, view: View) -> Response:
    """What changed in a folder, or in the whole tree, since a token (RFC 6578 §3.2), or what is asked of principals."""
    limits = call.settings.limits
    body = read_body(call.request, limits.xml_bytes)
    root = parse_xml(body, max_depth=limits.xml_depth, max_elements=limits.xml_elements)
    if root is None:
        raise BadRequest("a REPORT has a body that says which report")
    node = call.get()
    of_principals = REPORTS.get(root.tag)
    if of_principals is not None:
        call.require_conditions(node)
        return of_principals(root, node, call, view)
    if root.tag != DAV.sync_collection or not is_synchronised(node):
        raise PlaceRefused(node.path, f"{root.tag} is not a report of this resource", "supported-report")
    sync = parse_sync(root, call.request.header("depth"))
    call.require_conditions(node)
    limit = min(sync.limit or LARGEST_PAGE, LARGEST_PAGE)
    page = call.files.sync.page(node, sync.token, infinite=sync.infinite, limit=limit)
    rows = _rows(call, page.found, sync.asked)
    return multistatus(rows, render_end(call.href_of(node), page.token, is_cut=page.is_cut))


def _rows(call: Call, found: list[Told], asked: PropRequest) -> Iterator[str]:
    render = Renderer(Scene(call, tags_folders=False), asked)
    for told in found:
        match told:
            case Node():
                yield render.row(told)
            case Gone(path=path):
                yield status_response(call.as_asked(path), 404)
            case Apart(node=node):
                reason = DAV.sync_traversal_supported if is_synchronised(node) else DAV.supported_report
                yield status_response(call.href_of(node), 403, open_tag(reason))
