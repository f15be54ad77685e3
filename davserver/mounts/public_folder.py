"""
A published folder of files: its page or a list of what is in it, its files, and all of it as one archive.

Who has the link mounts it read-only as well (RFC 4918 §9.1); of the properties nothing is told that names a member.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from auth.errors import LinkOver, NoSuchLink
from davserver.dav.conditional import Outcome
from davserver.dav.depth import Depth, parse_depth
from davserver.dav.errors import Unsettled
from davserver.dav.message import FileBody, Response, quote_path
from davserver.dav.multistatus import multistatus, propstat_response
from davserver.dav.names import DAV
from davserver.dav.propfind import Asked, PropRequest, parse_propfind
from davserver.dav.xml import open_tag, parse_xml, read_body
from davserver.mounts.browsing import ANY_PAGE, PAGES, attachment, page_headers, shared_headers
from davserver.mounts.files_properties import LIVE, Scene
from davserver.mounts.files_read import content_type, file_headers, sent, wanted_digest
from davserver.mounts.public_call import LinkCall
from davserver.mounts.public_drop import post, put
from storage.errors import NotFound, PlaceRefused
from storage.filetree import Node
from storage.linkview import ZIP, Zipped
from storage.paths import join
from storage.zipstream import Entry

BLOCK_BYTES = 256 * 1024
KEPT = frozenset({"ETag", "Last-Modified", "Cache-Control", *dict(ANY_PAGE)})
READING = ("OPTIONS", "GET", "HEAD", "PROPFIND")
ADDING = ("PUT", "POST")
DAV_CLASSES = ("DAV", "1")
TOLD = (
    # live properties, less those that name members: owner, rights, locks
    DAV.resourcetype,
    DAV.displayname,
    DAV.getcontentlength,
    DAV.getcontenttype,
    DAV.getetag,
    DAV.getlastmodified,
    DAV.creationdate,
    DAV.current_user_privilege_set,
)


def answer(call: LinkCall) -> Response:
    """The answer to one request; 405 for what is not for this link. Raises NoSuchLink, LinkOver."""
    handler = METHODS.get(call.request.method) if call.request.method in allowed(call) else None
    if handler is None:
        return Response.text(405, f"{call.request.method} is not for this link\n", _allow(call))
    return handler(call)


def allowed(call: LinkCall) -> tuple[str, ...]:
    """The methods of a link."""
    reading = READING if call.view.is_listed else READING[:3]
    return reading if call.writer is None else reading + ADDING


def _options(call: LinkCall) -> Response:
    return Response.empty(200, _allow(call), DAV_CLASSES, ("MS-Author-Via", "DAV"))


def _allow(call: LinkCall) -> tuple[str, str]:
    return "Allow", ", ".join(allowed(call))


def _get(call: LinkCall) -> Response:
    node = call.view.find(call.path)
    if node is None:
        zipped = call.view.find_zipped(call.path)
        return _forbidden_or_nothing(call) if zipped is None else _archive(call, zipped)
    if not node.is_folder:
        return _file(call, node)
    page = call.view.index(node)
    if page is None and not call.view.is_listed:
        return _forbidden_or_nothing(call)
    if not call.request.path.endswith("/"):  # what the page names lies in the folder
        return Response.empty(301, ("Location", quote_path(call.href_of(node))))
    return _list(call, node) if page is None else _file(call, page, counts=False)


def _forbidden_or_nothing(call: LinkCall) -> Response:
    """What a link for adding does not show is one and the same, whether it is there or not."""
    if call.view.is_listed:
        raise NoSuchLink
    return Response.text(403, "This link is for sending files, not for reading them.\n")


def _file(call: LinkCall, node: Node, *, counts: bool = True) -> Response:
    """A file; where the link has a number of downloads it goes out whole, and counts."""
    fd, node = call.files.open(node)
    try:
        outcome = call.outcome(node)
        headers = [*_file_headers(call, node), *wanted_digest(call, node, fd), *shared_headers(call.issued.link)]
        if outcome is Outcome.NOT_MODIFIED:
            os.close(fd)
            return _not_modified(headers)
        is_counted = counts and call.issued.link.downloads is not None
        if is_counted:
            _count(call)
    except BaseException:
        os.close(fd)
        raise
    if is_counted and node.member is not None:
        return Response(200, headers, FileBody(fd, 0, node.member.size))
    return sent(call, node, fd, headers)


def _file_headers(call: LinkCall, node: Node) -> list[tuple[str, str]]:
    """As members get them; a page is shown, unless a stranger may have sent it."""
    headers = file_headers(node)
    if content_type(node) not in PAGES or not call.view.is_own(node):
        return headers
    told = [header for header in headers if header[0] not in ("Content-Security-Policy", "Content-Disposition")]
    return told + page_headers(call.request)


def _count(call: LinkCall) -> None:
    """Note a download. Raises LinkOver where another took the last one."""
    if call.request.method == "GET" and not call.session.store.links.count(call.issued):
        raise LinkOver


def _list(call: LinkCall, folder: Node) -> Response:
    """The URLs of what is in a folder (RFC 2483 §5), after the one of all of it."""
    base = call.session.base_url
    whole = join(folder.path, folder.name + ZIP)
    lines = [f"# all of it: {base}{quote_path(call.as_asked(whole))}"]
    lines += [base + quote_path(call.href_of(node)) for node in call.view.children(folder)]
    text = "".join(f"{line}\r\n" for line in lines)
    headers = [("Content-Type", "text/uri-list; charset=utf-8"), *shared_headers(call.issued.link)]
    return Response(200, headers, text.encode())


def _archive(call: LinkCall, zipped: Zipped) -> Response:
    """All that the link shows of a folder, stored in one file; its length and ETag are known before it is read."""
    node, archive, nodes = zipped.node, zipped.archive, zipped.nodes
    headers = [*file_headers(node), *shared_headers(call.issued.link)]
    if call.outcome(node) is Outcome.NOT_MODIFIED:
        return _not_modified(headers)
    if call.issued.link.downloads is not None:
        _count(call)
    headers += [("Content-Length", str(archive.length)), attachment(node.name)]
    return Response(200, headers, _streamed(archive.stream(lambda entry: _read(call, nodes[entry.name], entry))))


def _streamed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces of an archive. Raises Unsettled where it cannot come to the end that its head announced."""
    try:
        yield from pieces
    except (ValueError, NotFound) as error:
        raise Unsettled("a file has changed while it was sent; ask again") from error


def _read(call: LinkCall, node: Node, entry: Entry) -> Iterator[bytes]:
    """The bytes of a file as it was when the archive was begun. Raises ValueError where it is another one now."""
    fd, present = call.files.open(node)
    try:
        modified_ns = os.fstat(fd).st_mtime_ns
        if present.member is None or present.member.etag != entry.etag:
            raise ValueError(f"{entry.name} is another file now")
        offset = 0
        while block := os.pread(fd, BLOCK_BYTES, offset):
            yield block
            offset += len(block)
        if os.fstat(fd).st_mtime_ns != modified_ns:
            raise ValueError(f"{entry.name} was written to while it was read")
    finally:
        os.close(fd)


def _not_modified(headers: list[tuple[str, str]]) -> Response:
    """304 with what a cache and its browser go by (RFC 9110 §15.4.5)."""
    return Response(304, [header for header in headers if header[0] in KEPT])


def _propfind(call: LinkCall) -> Response:
    """What the link shows, for programs that mount it."""
    limits = call.settings.limits
    depth = parse_depth(call.request.header("depth"), default=Depth.INFINITY)
    body = read_body(call.request, limits.xml_bytes)
    asked = parse_propfind(parse_xml(body, max_depth=limits.xml_depth, max_elements=limits.xml_elements))
    node = call.view.find(call.path)
    if node is None and (zipped := call.view.find_zipped(call.path)) is not None:
        node = zipped.node
    if node is None:
        raise NoSuchLink
    if depth is Depth.INFINITY:
        why = "a link is listed folder by folder, with Depth: 1"
        raise PlaceRefused(call.as_asked(node.path), why, "propfind-finite-depth")
    call.require_conditions(node)
    nodes = [node, *(call.view.children(node) if depth is Depth.ONE and node.is_folder else ())]
    scene = Scene(call, tags_folders=False)
    return multistatus(_row(scene, each, asked) for each in nodes)


def _row(scene: Scene, node: Node, asked: PropRequest) -> str:
    wanted = asked.names if asked.asked is Asked.NAMED else TOLD
    values = {name: LIVE[name](scene, node) if name in TOLD else None for name in wanted}
    found = [value for value in values.values() if value is not None]
    if asked.asked is Asked.NAMES:
        return propstat_response(scene.call.href_of(node), [open_tag(n) for n, v in values.items() if v is not None])
    missing = [open_tag(n) for n, v in values.items() if v is None] if asked.asked is Asked.NAMED else []
    return propstat_response(scene.call.href_of(node), found, missing)


Handler = Callable[[LinkCall], Response]
METHODS: dict[str, Handler] = {
    "OPTIONS": _options,
    "GET": _get,
    "HEAD": _get,
    "PROPFIND": _propfind,
    "PUT": put,
    "POST": post,
}
