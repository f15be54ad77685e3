"""
``/`` and ``/.well-known/``: where clients that know only the host's name begin (RFC 6764, RFC 5397).

Explorer and Evolution ask ``/`` even when the share lies below it, and Thunderbird tries whether it may PUT there.
"""

from __future__ import annotations

from collections.abc import Callable

from auth.principal import Principal
from config.schema import Settings
from davserver.dav.depth import Depth, parse_depth
from davserver.dav.message import Request, Response
from davserver.dav.multistatus import error_response, href, multistatus, propstat_response
from davserver.dav.names import DAV
from davserver.dav.propfind import Asked, PropRequest, parse_propfind
from davserver.dav.xml import open_tag, parse_xml, read_body, text_of
from davserver.mounts.pim_view import render_reports

DAV_CLASSES = ("DAV", "1, 2, 3, access-control, calendar-access, addressbook, extended-mkcol, calendar-availability")
ALLOW = ("Allow", "OPTIONS, GET, HEAD, PROPFIND, REPORT")
AUTHOR_VIA = ("MS-Author-Via", "DAV")
WELL_KNOWN = {"/.well-known/caldav": "/dav/", "/.well-known/carddav": "/dav/"}
CHILDREN = ("/files/", "/dav/")
WELCOME = "Files are at /files/, calendars, tasks and contacts at /dav/. Open them with a WebDAV or CalDAV program.\n"

Property = Callable[[str, Principal], str]
PROPERTIES: dict[str, Property] = {
    # Clark name: content by path and principal
    DAV.resourcetype: lambda path, principal: open_tag(DAV.collection),
    DAV.displayname: lambda path, principal: text_of(path.strip("/") or "/"),
    DAV.current_user_principal: lambda path, principal: href(f"/dav/{principal.name}/"),
    DAV.principal_URL: lambda path, principal: href(f"/dav/{principal.name}/"),
    DAV.principal_collection_set: lambda path, principal: href("/dav/"),
    DAV.current_user_privilege_set: lambda path, principal: open_tag(DAV.privilege, open_tag(DAV.read)),
    DAV.supported_report_set: lambda path, principal: render_reports(
        (DAV.principal_property_search, DAV.principal_search_property_set)
    ),
}
ALLPROP = (DAV.resourcetype, DAV.displayname)


class RootMount:
    """Answers for what belongs to neither mount."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def is_open(self, request: Request) -> bool:
        """Whether the request is answered alike to everybody, with or without credentials."""
        return request.path != "/" or request.method != "PROPFIND"

    def __call__(self, request: Request, principal: Principal) -> Response:
        """Answer; ``principal`` counts for PROPFIND only."""
        target = WELL_KNOWN.get(request.path.rstrip("/"))
        if target is not None:  # every method: the clients repeat it there, body and all
            return Response.empty(301, ("Location", target), ("Cache-Control", "no-cache"))
        if request.path not in ("/", "*"):
            return Response.text(404, "There is nothing here; see /files/ and /dav/.\n")
        match request.method:
            case "OPTIONS":
                return Response.empty(200, DAV_CLASSES, ALLOW, AUTHOR_VIA)
            case "GET" | "HEAD" if request.path == "/":
                return Response.text(200, WELCOME)
            case "PROPFIND" if request.path == "/":
                return self._propfind(request, principal)
        return Response.text(405, f"{request.method} is not for the root; see /files/ and /dav/.\n", ALLOW)

    def _propfind(self, request: Request, principal: Principal) -> Response:
        """PROPFIND of ``/`` (RFC 4918 §9.1)."""
        depth = parse_depth(request.header("depth"), default=Depth.INFINITY)
        if depth is Depth.INFINITY:
            return error_response(403, DAV.propfind_finite_depth, message="Depth can be 0 or 1 here")
        limits = self._settings.limits
        body = parse_xml(
            read_body(request, limits.xml_bytes), max_depth=limits.xml_depth, max_elements=limits.xml_elements
        )
        paths = ("/", *CHILDREN) if depth is Depth.ONE else ("/",)
        wanted = parse_propfind(body)
        return multistatus([_row(path, principal, wanted) for path in paths])


def _row(path: str, principal: Principal, wanted: PropRequest) -> str:
    if wanted.asked is Asked.NAMES:
        return propstat_response(path, [open_tag(name) for name in PROPERTIES])
    names = dict.fromkeys((*ALLPROP, *wanted.names)) if wanted.asked is Asked.ALL else wanted.names
    found = [open_tag(name, PROPERTIES[name](path, principal)) for name in names if name in PROPERTIES]
    missing = [open_tag(name) for name in names if name not in PROPERTIES]
    return propstat_response(path, found, missing if wanted.asked is Asked.NAMED else [])
