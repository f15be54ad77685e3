"""GET, HEAD and OPTIONS at ``/files/``."""

from __future__ import annotations

import os
from functools import lru_cache
from mimetypes import MimeTypes

from davserver.dav.conditional import Outcome, render_http_date
from davserver.dav.digest import render_digest, wanted_algorithm
from davserver.dav.message import FileBody, Response
from davserver.dav.ranges import apply_ranges
from davserver.mounts.browsing import browser_headers
from davserver.mounts.files_call import Call, etag_of
from storage.filetree import Node, is_shared_rules
from storage.paths import FILES, is_former
from storage.treerights import is_top

TYPES = MimeTypes()
for _type, _suffix in (
    ("text/markdown", ".md"),
    ("text/calendar", ".ics"),
    ("text/vcard", ".vcf"),
    ("text/plain", ".toml"),
    ("application/json", ".json"),
    ("application/vnd.oasis.opendocument.text", ".odt"),
    ("application/vnd.oasis.opendocument.spreadsheet", ".ods"),
    ("application/vnd.oasis.opendocument.presentation", ".odp"),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".docx"),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx"),
    ("application/vnd.openxmlformats-officedocument.presentationml.presentation", ".pptx"),
):
    TYPES.add_type(_type, _suffix)

DAV_CLASSES = ("DAV", "1, 2, 3, access-control, extended-mkcol")
AUTHOR = ("MS-Author-Via", "DAV")  # Office and old Windows clients open read-only without it
PATCH_TYPE = "application/x-sabredav-partialupdate"
ACCEPT_PATCH = ("Accept-Patch", PATCH_TYPE)  # RFC 5789 §3.1
DASL = ("DASL", "<DAV:basicsearch>")  # RFC 5323 §3.2
READING = "OPTIONS, GET, HEAD, PROPFIND, SEARCH, REPORT"
STAYING = "COPY, PROPPATCH, LOCK, UNLOCK"
ALLOW_FILE = f"{READING}, PUT, PATCH, {STAYING}, MOVE, DELETE"
ALLOW_SHARED_RULES = f"{READING}, PUT, PATCH, DELETE, LOCK, UNLOCK"
ALLOW_TOP = f"{READING}, ACL"
ALLOW_HOME = f"{ALLOW_TOP}, POST, {STAYING}"
ALLOW_FOLDER = f"{ALLOW_HOME}, MOVE, DELETE"
ALLOW_LISTING = READING
ALLOW_FORMER = f"{READING}, COPY, MOVE, DELETE"
ALLOW_EMPTIED = f"{READING}, DELETE"
ALLOW_NOTHING_YET = "OPTIONS, PUT, MKCOL, LOCK, UNLOCK"


def get(call: Call) -> Response:
    """The bytes of a file, or of a folder a plain list of names (RFC 4918 §9.4 leaves that open)."""
    node = call.get()
    if node.is_folder:
        return _folder(call, node)
    fd, node = call.files.open(node)
    try:
        outcome = call.outcome(node)
        headers = [*file_headers(node), *wanted_digest(call, node, fd)]
    except BaseException:
        os.close(fd)
        raise
    if outcome is Outcome.NOT_MODIFIED:
        os.close(fd)
        return Response(304, [header for header in headers if header[0] in ("ETag", "Last-Modified")])
    return sent(call, node, fd, headers)


def options(call: Call) -> Response:
    """What can be done with a URL (RFC 4918 §10.1); also with one that holds nothing yet: LibreOffice asks there."""
    allow = allowed_at(call)
    patched = (ACCEPT_PATCH,) if "PATCH" in allow else ()
    return Response.empty(200, DAV_CLASSES, ("Allow", allow), AUTHOR, DASL, ("Accept-Ranges", "bytes"), *patched)


def allowed_at(call: Call) -> str:
    """The methods for a URL as an Allow header: those of what is there, or those that make something."""
    node = call.find()
    if node is not None:
        return allowed(node)
    return "OPTIONS" if is_former(call.path) else ALLOW_NOTHING_YET


def allowed(node: Node) -> str:
    """The methods for a resource as an Allow header."""
    if is_former(node.path):
        return ALLOW_EMPTIED if node.listing else ALLOW_FORMER
    if node.listing or node.is_derived:
        return ALLOW_LISTING
    if node.path == FILES:
        return ALLOW_TOP
    if not node.is_folder:
        return ALLOW_SHARED_RULES if is_shared_rules(node.path) else ALLOW_FILE
    return ALLOW_HOME if is_top(node.path) else ALLOW_FOLDER


def content_type(node: Node) -> str:
    """The media type that a file's name suggests."""
    return type_of_name(node.name)


def type_of_name(name: str) -> str:
    """The media type that a name suggests."""
    _, dot, suffix = name.rpartition(".")
    return _type_of(suffix) if dot else "application/octet-stream"


@lru_cache(maxsize=1024)
def _type_of(suffix: str) -> str:
    media_type, encoding = TYPES.guess_type(f"file.{suffix.lower()}", strict=False)
    return media_type if media_type is not None and encoding is None else "application/octet-stream"


def sent(call: Call, node: Node, fd: int, headers: list[tuple[str, str]]) -> Response:
    """The answer with a file's bytes, or with the ranges that were asked for."""
    size = node.member.size if node.member is not None else 0
    response = apply_ranges(
        Response(200, headers, FileBody(fd, 0, size)),
        call.request.headers if call.request.method == "GET" else {},
        size=size,
        etag=etag_of(node),
        modified_s=node.modified_ns // 1_000_000_000,
        limit=call.settings.limits.ranges,
    )
    if isinstance(response.body, FileBody):
        response.headers += _digest(call, node, response.body, "Content-Digest")
    return response


def file_headers(node: Node) -> list[tuple[str, str]]:
    """What is told of a file that is read."""
    media_type = content_type(node)
    charset = "; charset=utf-8" if media_type.startswith("text/") else ""
    return [
        ("Content-Type", media_type + charset),
        ("ETag", f'"{etag_of(node)}"'),
        ("Last-Modified", render_http_date(node.modified_ns / 1e9)),
        *browser_headers(media_type, node.name),
    ]


def wanted_digest(call: Call, node: Node, fd: int) -> list[tuple[str, str]]:
    """The digest of a file's bytes, where the request asks for one (RFC 9530 §3, §4)."""
    return [] if node.member is None else _digest(call, node, FileBody(fd, 0, node.member.size), "Repr-Digest")


def _digest(call: Call, node: Node, body: FileBody, name: str) -> list[tuple[str, str]]:
    algorithm = wanted_algorithm(call.request.header(f"want-{name.lower()}"))
    if algorithm is None or node.member is None or not node.member.id:
        return []
    return [(name, render_digest(body, node.member.id, algorithm))]


def _folder(call: Call, node: Node) -> Response:
    """A folder, judged by its ETag: its time has whole seconds and knows nothing of what lies deeper."""
    etag = call.etag_of(node)
    headers = [("Last-Modified", render_http_date(node.modified_ns / 1e9))]
    if etag is not None:
        headers.append(("ETag", f'"{etag}"'))
    is_known = call.outcome(node) is Outcome.NOT_MODIFIED and call.request.header("if-none-match") is not None
    return Response(304, headers) if is_known else Response.text(200, _listing(call, node), *headers)


def _listing(call: Call, node: Node) -> str:
    names = []
    for child in call.files.tree.children(node):
        name = call.as_asked(child.path).rpartition("/")[2]
        names.append(f"{name}/\n" if child.is_folder else f"{name}\n")
    return "".join(names)
