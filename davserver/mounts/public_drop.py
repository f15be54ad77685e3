"""
PUT and POST at a folder's link: files that strangers send, from programs and from the pages of the folder.

A page is sandboxed and sends its form with ``Origin: null``, as a foreign site would; nobody's credentials count here,
so neither is looked at. What goes wrong is told without a word of where the folder lies.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from auth.errors import NoSuchLink
from davserver.dav.conditional import require_preconditions
from davserver.dav.errors import BadRequest, UnsupportedMedia
from davserver.dav.message import Response, quote_path
from davserver.dav.multipart import parse_parts
from davserver.mounts.files_write import Checked, stored_headers, upload_of, verified
from davserver.mounts.public_call import LinkCall
from storage.drops import Delivery
from storage.errors import Locked, NameRefused, ParentMissing, PreconditionFailed, QuotaExceeded
from storage.fileterms import Source, Upload
from storage.filetree import Node
from storage.linknames import THANKS
from storage.paths import join, name_of, nfc, parent_of

FORM_BYTES = 1 << 20  # of a form beside its files


def put(call: LinkCall) -> Response:
    """
    Store a new file, as if the request had said ``If-None-Match: *``; a name that is taken gets a number.

    Under which name it is, ``Location`` says (RFC 9110 §9.3.4, §10.2.2).
    """
    upload = upload_of(call.request, call.settings.limits)
    require_preconditions(call.request.headers, "PUT", etag=None, exists=False, modified_s=None)
    if call.if_header.lists:
        raise PreconditionFailed("what comes through a link is new, and no list of the If header holds for it")
    if call.path == call.issued.path:
        raise NameRefused("", "is missing: it follows the link's URL")
    with _delivery(call, parent_of(call.path)) as delivery:
        delivery.require_name(name_of(call.path))
        call.count_upload()
        delivery.receive(name_of(call.path), upload)
        (node,) = delivery.store()
    return Response.empty(201, _location(call, node), *stored_headers(node, upload))


def post(call: LinkCall) -> Response:
    """Store the files of a form (RFC 7578), all or none, and lead the browser to the folder's thanks."""
    try:
        with _delivery(call, call.path) as delivery:
            _receive_form(call, delivery)
            nodes = delivery.store()
    except ParentMissing as error:
        raise NoSuchLink from error
    thanks = call.view.find(join(call.path, THANKS))
    if thanks is not None and not thanks.is_folder:
        return Response.empty(303, _location(call, thanks))
    text = "".join(f"{node.name}\n" for node in nodes)
    return Response.text(
        201, f"Thank you. This was stored:\n{text}", *([_location(call, nodes[0])] if len(nodes) == 1 else [])
    )


def _receive_form(call: LinkCall, delivery: Delivery) -> None:
    request, settings = call.request, call.settings
    if request.header("content-encoding") is not None:
        raise UnsupportedMedia("the form has a Content-Encoding; send it as it is")
    parts = parse_parts(request.header("content-type"), _form_body(call, delivery), most=settings.links.files_per_form)
    call.count_upload()
    for part in parts:
        if part.filename:
            if len(delivery):
                call.count_upload()
            delivery.receive(nfc(part.filename), Upload(Checked(part, None, settings.limits.upload_bytes)))
    if not len(delivery):
        raise BadRequest("the form has no file; choose one and send it again")


def _form_body(call: LinkCall, delivery: Delivery) -> Source:
    """The body of a form, refused before it is read where it cannot fit."""
    request, most = call.request, delivery.room_bytes + FORM_BYTES
    if request.content_length is not None and request.content_length > most:
        raise QuotaExceeded(f"the form has {request.content_length} bytes")
    return verified(request, Checked(request.body, request.content_length, most))


@contextmanager
def _delivery(call: LinkCall, folder: str) -> Iterator[Delivery]:
    """Files for a folder of the link; what is in the way is named as the visitor knows it."""
    if call.writer is None:
        raise NoSuchLink
    try:
        with Delivery(call.writer, call.issued, folder) as delivery:
            yield delivery
    except ParentMissing as error:
        raise ParentMissing(call.as_asked(call.path)) from error
    except Locked as error:
        raise Locked([call.as_asked(call.path)]) from error
    except QuotaExceeded as error:
        raise QuotaExceeded("there is no room left for this behind the link; nothing is stored") from error


def _location(call: LinkCall, node: Node) -> tuple[str, str]:
    return "Location", quote_path(call.href_of(node))
