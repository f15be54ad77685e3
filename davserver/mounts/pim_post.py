"""
POST to a calendar or address book: an item under a name that the server gives it (RFC 5995).

The collection's own URL is the Add-Member URI. The name is random: one made of the content, such as the UID, would tell
of it to whoever sees the URL (§7), and a ``Slug`` is a wish that need not be met (§3.3).
"""

from __future__ import annotations

import secrets

from davserver.dav.conditional import require_preconditions
from davserver.dav.message import Request, Response, quote_path
from davserver.dav.representation import require_whole_and_uncoded
from davserver.mounts.pim_items import require_if, store_item
from davserver.mounts.pim_methods import methods_of
from davserver.mounts.pim_view import View
from storage.collection import Collection
from storage.paths import join
from storage.pim_items import SUFFIXES


def post(request: Request, view: View) -> Response:
    """
    Add an item; what a PUT of a new one refuses is refused alike (§3.1).

    ``If-Match`` and ``If-None-Match`` speak of the item that is to be, as with such a PUT: there is none yet.
    """
    require_whole_and_uncoded(request.headers)
    resource = view.session.pim.get(request.path)
    methods = methods_of(resource)
    if not isinstance(resource, Collection) or "POST" not in methods:
        return Response.text(405, "Items are added to calendars and address books.\n", ("Allow", ", ".join(methods)))
    name = secrets.token_hex(16) + SUFFIXES[resource.tag]

    def check(etag: str | None) -> None:
        require_preconditions(request.headers, request.method, etag=etag)
        require_if(request, resource, view)

    answer = store_item(request, resource, name, check, view)
    answer.headers.append(("Location", quote_path(join(resource.asked, name))))
    return answer
