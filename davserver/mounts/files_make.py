"""POST and MKCOL at ``/files/``: a file under a name that the server gives it, a folder with its properties."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from davserver.dav.errors import UnsupportedMedia
from davserver.dav.message import Response, quote_path
from davserver.dav.multistatus import XML_HEADER, XML_TYPE, XMLNS
from davserver.dav.names import DAV
from davserver.dav.representation import require_xml
from davserver.dav.xml import open_tag, parse_xml, read_body
from davserver.mounts.files_call import Call
from davserver.mounts.files_read import TYPES, allowed
from davserver.mounts.files_write import properties_in, propstats, refusals, stored_headers, upload_of
from storage.portable import made_safe

LONGEST_WISH_BYTES = 200
FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})  # what pages in browsers send


def post(call: Call) -> Response:
    """
    Store the body as a new file of a folder, whose own URL is its Add-Member URI (RFC 5995 §3).

    The name is what ``Slug`` wishes (RFC 5023 §9.7), made one that every computer shows, with the suffix of the media
    type; what has the name already stays. Conditions speak of the file that is to be: there is none yet.
    """
    node = call.get()
    allow = allowed(node)
    if "POST" not in allow.split(", "):
        return Response.text(405, "Files are added to folders.\n", ("Allow", allow))
    if _media_type(call) in FORMS and call.request.header("slug") is None:
        raise UnsupportedMedia("a form is no file; a folder that takes forms has a link (docs/administration.md)")
    upload = upload_of(call.request, call.settings.limits, to_folder=True)
    stored = call.files.add(node.path, _name(call), upload, call.terms())
    location = ("Location", quote_path(call.href_of(stored.node)))
    return Response.empty(201, location, *stored_headers(stored.node, upload))


def _name(call: Call) -> str:
    slug = unquote_to_bytes(call.request.header("slug") or "").decode(errors="replace")
    wish = slug.rpartition("/")[2].encode()[-LONGEST_WISH_BYTES:].decode(errors="ignore")  # the end has the suffix
    name = made_safe(wish)
    suffix = TYPES.guess_extension(_media_type(call), strict=False) or ""
    return name if "." in name else name + suffix


def _media_type(call: Call) -> str:
    return (call.request.header("content-type") or "").partition(";")[0].strip().lower()


def mkcol(call: Call) -> Response:
    """Make a folder, with a body one that has properties from the beginning, or none at all (RFC 5689 §3)."""
    request, limits = call.request, call.settings.limits
    data = read_body(request, limits.xml_bytes)
    if data:
        require_xml(request.headers)
    root = parse_xml(data, max_depth=limits.xml_depth, max_elements=limits.xml_elements)
    if root is None:
        call.files.make_folder(call.path, call.terms())
        return Response.empty(201)
    if root.tag != DAV.mkcol:
        raise UnsupportedMedia(f"the body is {root.tag}; that of a MKCOL is DAV:mkcol")
    changes = properties_in(root)
    refused = refusals(changes, root, limits, is_folder=True)
    kinds = {kind.tag for each in root.iter(DAV.resourcetype) for kind in each}
    refused.pop(DAV.resourcetype, None)
    if DAV.resourcetype in changes and kinds != {DAV.collection}:
        refused[DAV.resourcetype] = 403, open_tag(DAV.valid_resourcetype)
    if refused:
        content = open_tag(DAV.mkcol_response, "".join(propstats(changes, refused)))
        return Response(403, [XML_TYPE], f"{XML_HEADER}{content.replace('>', f'{XMLNS}>', 1)}\n".encode())
    changes.pop(DAV.resourcetype, None)
    call.files.make_folder(call.path, call.terms(), {name: value for name, value in changes.items() if value})
    return Response.empty(201)
