"""GET, PUT, DELETE, MOVE and COPY below ``/dav/``: thin hands between the wire and the shelf."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from auth.acl import Action
from davserver.dav.conditional import Outcome, render_http_date, require_preconditions
from davserver.dav.depth import Depth, parse_depth
from davserver.dav.errors import BadRequest, TooLarge
from davserver.dav.if_header import Condition, parse_if
from davserver.dav.message import FileBody, Request, Response
from davserver.dav.representation import UNMEANT_TYPES, require_whole_and_uncoded
from davserver.dav.target import destination_of
from davserver.dav.xml import read_body
from davserver.mounts.pim_formats import (
    VARY,
    format_of,
    is_json,
    join_as,
    most_bytes,
    send_as,
    stored_tag,
    stored_tags,
    text_of_body,
)
from davserver.mounts.pim_props import ITEM_TYPES, content_type
from davserver.mounts.pim_view import View, item_bytes
from davserver.mounts.pim_zones import VARY as VARY_ZONES
from davserver.mounts.pim_zones import zones_wanted
from storage.calendarnames import read_names, render_names
from storage.collection import ADDRESS_BOOK, CALENDAR, COMPONENTS, Collection, Home, Item, Resource, Root
from storage.errors import ItemRefused, ParentMissing, PlaceRefused, PreconditionFailed
from storage.export import join_items
from storage.imports import staged
from storage.itemstream import kind_of
from storage.paths import is_within, name_of, parent_of
from storage.pim_collections import Changes, copy_collection, make_collection, move_collection, remove_collection
from storage.pim_items import (
    copy_item,
    finish_import,
    import_items,
    judge_stream,
    move_item,
    put_item,
    remove_item,
    require_put,
)
from storage.records import Content
from storage.zonereferences import with_named_zones, without_standard_zones

Check = Callable[[str | None], None]
COPY_DEPTHS = frozenset({Depth.ZERO, Depth.INFINITY})  # RFC 4918 §9.8.3
MOVE_DEPTHS = frozenset({Depth.INFINITY})  # RFC 4918 §9.9.2
ITEM_MEDIA = {
    CALENDAR: frozenset({"text/calendar", "text/x-vcalendar", "application/ics", "application/calendar+json"}),
    ADDRESS_BOOK: frozenset(
        {"text/vcard", "text/x-vcard", "text/directory", "application/vcard", "application/vcard+json"}
    ),
}


def get(request: Request, view: View) -> Response:
    """GET and HEAD: an item's bytes, a collection as one file, or the names in a home."""
    resource = view.session.pim.get(request.path, to_open=True)
    if isinstance(resource, Item):
        return _send_item(request, resource, view)
    if isinstance(resource, Collection):
        view.session.access.require(Action.READ, resource.path)
        if resource.tag in ITEM_TYPES:
            return _send_collection(request, resource, view)
    return Response.text(200, "".join(f"{name}\n" for name in _names(resource, view)))


def _names(resource: Resource, view: View) -> list[str]:
    shelf = view.session.pim
    if isinstance(resource, Root):
        return [home.owner for home in shelf.homes()]
    if isinstance(resource, Home):
        return [name_of(collection.asked) for collection in shelf.collections(resource)]
    return []


def _send_item(request: Request, item: Item, view: View) -> Response:
    wanted = format_of(item.collection.tag, request.header("accept"))
    zones = zones_wanted(request) if item.collection.tag == CALENDAR else None
    converted = None if wanted is None else send_as(wanted, request, item, view, zones)
    if converted is not None:
        if item.collection.tag == CALENDAR:
            converted.headers.append(VARY_ZONES)
        return converted
    fd, member = view.session.store.open_member(item.collection.folder, item.member.name, item.member)
    headers = [
        ("Content-Type", content_type(item)),
        ("ETag", f'"{member.etag}"'),
        ("Last-Modified", render_http_date(member.modified_ns / 1e9)),
        ("Cache-Control", "private, no-cache"),
        VARY,
    ]
    if item.collection.tag == CALENDAR:
        headers.append(VARY_ZONES)
    try:
        outcome = require_preconditions(
            request.headers, request.method, etag=member.etag, modified_s=member.modified_ns / 1e9
        )
    except BaseException:
        os.close(fd)
        raise
    if outcome is Outcome.NOT_MODIFIED:
        os.close(fd)
        return Response(304, headers[1:])
    if zones is not None:
        with os.fdopen(fd, "rb") as file:
            return Response(200, headers, zones(file.read()))
    return Response(200, headers, FileBody(fd, 0, member.size))


def _send_collection(request: Request, collection: Collection, view: View) -> Response:
    wanted = format_of(collection.tag, request.header("accept"))
    store, shelf = view.session.store, view.session.pim
    without_zones = collection.tag == CALENDAR and zones_wanted(request) is without_standard_zones

    zones: Callable[[bytes], bytes] | None = without_standard_zones if without_zones else None
    if wanted is not None and collection.tag == CALENDAR and not without_zones:
        zones = with_named_zones  # as ``join_items`` adds them to the text

    def bodies() -> Iterator[Content]:
        for read in store.read_contents(collection.folder, shelf.members(collection)):
            if read is not None:
                yield read[1] if zones is None else Content(zones(read[1].data))

    suffix = ".json" if wanted is not None and wanted.encode else ".ics" if collection.tag == CALENDAR else ".vcf"
    name = collection.folder.name + suffix
    safe = "".join(c if (c.isalnum() and c.isascii()) or c in "._-" else "_" for c in name)
    headers = [
        ("Content-Type", ITEM_TYPES[collection.tag] if wanted is None else wanted.content_type),
        ("Content-Disposition", f'attachment; filename="{safe}"'),
        VARY,
        *([VARY_ZONES] if collection.tag == CALENDAR else []),
    ]
    title = collection.meta.get("D:displayname", "")
    about = render_names(collection.meta, collection.folder.modified_ns) if collection.tag == CALENDAR else b""
    if wanted is not None:
        return Response(200, headers, join_as(wanted, bodies(), collection.tag, title, about))
    items = join_items(bodies(), collection.tag, title, about=about, with_zones=not without_zones)
    return Response(200, headers, items)


def put(request: Request, view: View) -> Response:
    """PUT of an item, or of a file of many on a collection (RFC 4791 §5.3.2, RFC 6352 §6.3.2)."""
    require_whole_and_uncoded(request.headers)
    shelf = view.session.pim
    path = request.path
    above = None if path.endswith("/") else shelf.find(parent_of(path))
    if isinstance(above, Collection):
        return _put_item(request, above, view)
    present = shelf.find(path)
    if isinstance(present, Collection):
        return _import(request, present, view)
    if isinstance(present, Root | Home):
        raise PlaceRefused(request.path, "items are stored in calendars and address books")
    if path.endswith("/"):
        return _import_new(request, view)
    if above is None:
        raise ParentMissing(path)
    raise PlaceRefused(path, "items are stored in calendars and address books")


def _put_item(request: Request, collection: Collection, view: View) -> Response:
    check = check_of(request, collection, view)
    return store_item(request, collection, name_of(request.path), check, view)


def store_item(request: Request, collection: Collection, name: str, check: Check, view: View) -> Response:
    """Store a request's body as an item under a name; ``check`` asks the request's conditions."""
    _require_media_type(request, collection.tag)
    if request.header("expect") is not None:  # the client waits with the body until it is asked for
        require_put(view.session, collection, name, check)
    data = _read_item(request, collection, view)
    stored = put_item(view.session, collection, name, data, check)
    headers = [("ETag", f'"{stored.etag}"')] if stored.verbatim and not is_json(request) else []
    return Response(201 if stored.created else 204, headers)


def _collection_above(path: str, view: View) -> Collection:
    above = view.session.pim.find(parent_of(path))
    if above is None:
        raise ParentMissing(path)
    if not isinstance(above, Collection):
        raise PlaceRefused(path, "items are stored in calendars and address books")
    return above


def _require_media_type(request: Request, tag: str) -> None:
    sent = (request.header("content-type") or "").partition(";")[0].strip().lower()
    known = ITEM_MEDIA.get(tag, frozenset())
    if sent in UNMEANT_TYPES or sent in known:
        return
    is_card = tag != CALENDAR
    condition = "supported-address-data" if is_card else "supported-calendar-data"
    raise ItemRefused(
        condition, f"the body is {sent[:60]}; this collection holds {', '.join(sorted(known)) or 'nothing'}"
    )


def _read_item(request: Request, collection: Collection, view: View) -> bytes:
    limits = view.settings.limits
    is_card = collection.tag != CALENDAR
    most = limits.card_bytes if is_card else item_bytes(collection, limits)
    try:
        return text_of_body(request, read_body(request, most))
    except TooLarge as error:
        raise ItemRefused("max-resource-size", str(error), is_card=is_card) from error


def _import(request: Request, collection: Collection, view: View) -> Response:
    """A file of many items on a collection: they are added and updated by UID."""
    check_of(request, collection, view)(None)
    _require_media_type(request, collection.tag)
    if collection.tag not in ITEM_TYPES:
        raise PlaceRefused(collection.asked, "only calendars and address books hold items")
    data = text_of_body(request, read_body(request, most_bytes(request, view.settings.limits.collection_put_bytes)))
    items = judge_stream(view.session, data, collection.tag, collection.components)
    number = import_items(view.session, collection, items)
    return Response.text(200, f"{number} items were added or updated; none was removed.\n")


def _import_new(request: Request, view: View) -> Response:
    """A file of many items on the URL of a collection that does not exist: the collection is made of it."""
    path = request.path.rstrip("/")
    require_preconditions(request.headers, request.method, etag=None)
    require_if(request, Root(), view)
    data = text_of_body(request, read_body(request, most_bytes(request, view.settings.limits.collection_put_bytes)))
    tag = kind_of(data)
    _require_media_type(request, tag)
    items = judge_stream(view.session, data, tag, COMPONENTS)
    with staged(view.session.store, items, by=view.session.principal.name) as prepared:
        names = read_names(data) if tag == CALENDAR else {}
        collection = make_collection(view.session, path, tag, Changes({**names}))
        number = finish_import(view.session, collection, prepared)
    return Response.text(201, f"{number} items were stored in a new collection.\n")


def delete(request: Request, view: View) -> Response:
    """DELETE of an item or a collection (RFC 4918 §9.6); both go to the trash."""
    resource = view.session.pim.get(request.path)
    check = check_of(request, resource, view)
    if isinstance(resource, Item):
        remove_item(view.session, resource, check)
    elif isinstance(resource, Collection):
        parse_depth(request.header("depth"), default=Depth.INFINITY, allowed={Depth.INFINITY, Depth.ZERO, Depth.ONE})
        check(None)
        remove_collection(view.session, resource)
    else:
        raise PlaceRefused(request.path, "homes go with their accounts")
    return Response.empty(204)


def move(request: Request, view: View) -> Response:
    """MOVE (RFC 4918 §9.9)."""
    return _transfer(request, view, keep=False)


def copy(request: Request, view: View) -> Response:
    """COPY (RFC 4918 §9.8)."""
    return _transfer(request, view, keep=True)


def _transfer(request: Request, view: View, *, keep: bool) -> Response:
    session = view.session
    resource = session.pim.get(request.path)
    to = destination_of(request, view.settings.server)
    if not is_within(to, "/dav"):
        raise PlaceRefused(to, "what lies below /dav/ stays there")
    overwrite = _overwrite(request)
    check = check_of(request, resource, view)
    if isinstance(resource, Item):
        target = _target_collection(to, view)
        transfer = copy_item if keep else move_item
        created = transfer(session, resource, target, name_of(to.rstrip("/")), overwrite, check)
    elif isinstance(resource, Collection):
        created = _transfer_collection(request, resource, to.rstrip("/"), overwrite, view, keep=keep)
    else:
        raise PlaceRefused(request.path, "homes stay where they are")
    return Response.empty(201 if created else 204)


def _transfer_collection(
    request: Request, collection: Collection, to: str, overwrite: bool, view: View, *, keep: bool
) -> bool:
    session = view.session
    check_of(request, collection, view)(None)
    if not overwrite and session.pim.find(to) is not None:
        raise PreconditionFailed(f"{to} exists and Overwrite is F")
    depth = parse_depth(request.header("depth"), default=Depth.INFINITY, allowed=COPY_DEPTHS if keep else MOVE_DEPTHS)
    if keep:
        return copy_collection(session, collection, to, overwrite, members=depth is not Depth.ZERO)
    return move_collection(session, collection, to, overwrite)


def _target_collection(to: str, view: View) -> Collection:
    path = to.rstrip("/")
    if isinstance(view.session.pim.find(path), Root | Home | Collection):
        raise PlaceRefused(path, "an item does not replace a collection")
    return _collection_above(path, view)


def _overwrite(request: Request) -> bool:
    value = (request.header("overwrite") or "T").strip().upper()
    if value not in ("T", "F"):
        raise BadRequest(f"Overwrite is {value[:20]!r}; it can be T or F")
    return value == "T"


def check_of(request: Request, resource: Resource, view: View) -> Check:
    """
    The request's conditions as a question to the resource's present ETag, asked again under the write lock.

    Collections have no ETag: ``*`` is true of one that exists, and nothing else.
    """
    whole = not isinstance(resource, Item) and not _names_new_item(request, resource)

    headers = stored_tags(request.headers)

    def check(etag: str | None) -> None:
        require_preconditions(headers, request.method, etag=etag, exists=whole or etag is not None)
        require_if(request, resource, view)

    return check


def _names_new_item(request: Request, resource: Resource) -> bool:
    return isinstance(resource, Collection) and request.path.rstrip("/") != resource.asked


def require_if(request: Request, resource: Resource, view: View) -> None:
    """The If header (RFC 4918 §10.4.3): nothing is locked here, so of tokens only sync tokens can be true."""
    header = parse_if(request.header("if"))
    if not header.lists:
        return

    def matches(path: str, condition: Condition) -> bool:
        found = view.session.pim.find(path)
        if condition.etag is None:
            return _has_token(found, condition.lock_token, view)
        return isinstance(found, Item) and found.member.etag == stored_tag(condition.etag)

    if not header.holds(request.path, matches):
        raise PreconditionFailed("no list of the If header is true; nothing is locked below /dav/")


def _has_token(resource: Resource | None, token: str | None, view: View) -> bool:
    """Whether a token is the present sync token of a collection or home (RFC 6578 §5)."""
    shelf = view.session.pim
    if isinstance(resource, Home):
        return token == shelf.home_token(resource)
    is_told = isinstance(resource, Collection) and bool(resource.tag) and shelf.reads_items(resource)
    return isinstance(resource, Collection) and is_told and token == shelf.token(resource)
