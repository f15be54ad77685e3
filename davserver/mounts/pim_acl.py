"""The ACL method below ``/dav/`` (RFC 3744 §8.1), which edits the rules of a collection."""

from __future__ import annotations

from auth.acl import Action
from auth.errors import AclRefused
from davserver.dav.message import Request, Response
from davserver.dav.xml import parse_xml, read_body
from davserver.mounts.acl import read_acl
from davserver.mounts.pim_items import check_of
from davserver.mounts.pim_view import View, aces_of
from davserver.mounts.privileges import OF_CALENDARS
from storage.acl import change_access_list
from storage.collection import Collection


def acl(request: Request, view: View) -> Response:
    """ACL: the entries of a collection's own rules become those of the body, all or none."""
    resource = view.session.pim.get(request.path)
    view.session.access.require_on_found(Action.ADMIN, resource.path)
    limits = view.settings.limits
    body = parse_xml(read_body(request, limits.xml_bytes), max_depth=limits.xml_depth, max_elements=limits.xml_elements)
    wanted = read_acl(body, aces_of(resource, view), request.host, view.session, OF_CALENDARS)
    if not isinstance(resource, Collection):
        raise AclRefused("no-ace-conflict", "rules stand in calendars, address books and lists; send the ACL there")
    check_of(request, resource, view)(None)
    change_access_list(view.session, resource.path, wanted)
    return Response.empty(200)
