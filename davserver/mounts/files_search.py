"""
SEARCH at ``/files/`` (RFC 5323): files and folders by name, date, size and type, among what the member may know of.

What is asked of the resources comes from the index; no file is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from davserver.dav.conditional import parse_http_date
from davserver.dav.depth import Depth
from davserver.dav.errors import BadRequest, OtherServer
from davserver.dav.message import Response
from davserver.dav.multistatus import XML_HEADER, XML_TYPE, XMLNS, error_response, href, multistatus, status_response
from davserver.dav.names import DAV
from davserver.dav.search import IS_COLLECTION, Look, Scope, Search, Value, parse_search
from davserver.dav.target import parse_reference
from davserver.dav.xml import open_tag, parse_xml, read_body
from davserver.mounts.files_call import Call, etag_of
from davserver.mounts.files_properties import Scene
from davserver.mounts.files_propfind import Renderer
from davserver.mounts.files_read import type_of_name
from davserver.mounts.files_times import SECOND, parse_rfc3339
from storage.errors import NameRefused
from storage.filetree import FileTree, Node
from storage.paths import FILES, is_former, is_within, name_of

MOST_SCOPES = 100


def search(call: Call) -> Response:
    """Answer a query, or say what can be asked (RFC 5323 §2, §4)."""
    limits = call.settings.limits
    body = read_body(call.request, limits.xml_bytes)
    root = parse_xml(body, max_depth=limits.xml_depth, max_elements=limits.xml_elements)
    if root is None or root.tag not in (DAV.searchrequest, DAV.query_schema_discovery):
        raise BadRequest("a SEARCH has a body with a DAV:searchrequest")
    call.require_conditions(call.get())
    basicsearch = root.find(DAV.basicsearch)
    if basicsearch is None or len(root) != 1:
        return error_response(403, DAV.search_grammar_supported, message="queries are written as a DAV:basicsearch")
    if root.tag == DAV.query_schema_discovery:
        return _schema(call)
    query = parse_search(basicsearch, parse_date)
    tops: list[tuple[Node, Depth]] = []
    for scope in query.scopes[: MOST_SCOPES + 1]:
        node = _find(call, scope)
        if node is None or len(tops) == MOST_SCOPES:
            why = f"{scope.href[:200]} is nothing that can be searched here"
            return error_response(409, DAV.search_scope_valid, href(scope.href), message=why)
        tops.append((node, scope.depth))
    if not tops:
        raise BadRequest("a DAV:from holds a DAV:scope")
    most = min(query.most or limits.search_results, limits.search_results)
    found = _found(call, query, tops, most + 1)
    rows = map(Renderer(Scene(call, tags_folders=False), query.asked).row, found[:most])
    return multistatus(_with_end(call, rows, is_cut=len(found) > most))


def parse_date(text: str) -> int | None:
    """Seconds of an HTTP date or one of RFC 3339."""
    seconds = parse_http_date(text)
    return parse_rfc3339(text) if seconds is None else seconds


def _with_end(call: Call, rows: Iterator[str], *, is_cut: bool) -> Iterator[str]:
    """The rows, and after them that there are more (§2.3.1)."""
    yield from rows
    if is_cut:
        yield status_response(call.request.path, 507)


def _find(call: Call, scope: Scope) -> Node | None:
    """The resource of a scope (§5.4), which lies at or below ``/files/``; None where there is none."""
    try:
        path = call.session.canonical(parse_reference(scope.href, call.request, call.settings.server.public_url))
    except (BadRequest, OtherServer, NameRefused):
        return None
    return call.files.tree.find(path) if is_within(path, FILES) else None


def _found(call: Call, query: Search, tops: list[tuple[Node, Depth]], most: int) -> list[Node]:
    """What a query finds, each once: in its order, else as it is come upon."""
    scene = Scene(call, tags_folders=False)
    nodes = (node for top, depth in tops for node in _within(call, top, depth))
    hits = _once(node for node in nodes if query.where(_looker(scene, node)) is True)
    if not query.order:
        return list(islice(hits, most))
    found = list(hits)
    for key, descends in reversed(query.order):
        found.sort(key=lambda node: key(_looker(scene, node)), reverse=descends)
    return found[:most]


def _once(nodes: Iterator[Node]) -> Iterator[Node]:
    """Without what was there already: scopes can lie within each other."""
    seen: set[str] = set()
    for node in nodes:
        if node.path not in seen:
            seen.add(node.path)
            yield node


def _within(call: Call, top: Node, depth: Depth) -> Iterator[Node]:
    tree = call.files.tree
    if depth is Depth.INFINITY:
        yield from _walk(tree, top)
        return
    yield top
    if depth is Depth.ONE and top.is_folder:
        yield from tree.children(top)


def _walk(tree: FileTree, node: Node) -> Iterator[Node]:
    """Everything below but what was deleted or overwritten, unless it is among that where one looks."""
    yield node
    for child in tree.children(node) if node.is_folder else ():
        if is_former(node.path) or not is_former(child.path):
            yield from _walk(tree, child)


def _looker(scene: Scene, node: Node) -> Look:
    """The properties of a resource as values that can be compared."""

    def look(name: str) -> Value:
        read = VALUES.get(name)
        if read is not None:
            return read(scene, node)
        found = scene.dead(node).get(name)
        return None if found is None else _text(found)

    return look


def _displayname(scene: Scene, node: Node) -> str:
    given = scene.dead(node).get(DAV.displayname)
    text = None if given is None else _text(given)
    return name_of(scene.call.as_asked(node.path)) if text is None else text


def _text(xml: str) -> str | None:
    """The text of a property; None of one that holds elements, which is compared with nothing (§5.5)."""
    element = parse_xml(xml.encode())
    return None if element is None or len(element) else element.text or ""


VALUES: dict[str, Callable[[Scene, Node], Value]] = {
    IS_COLLECTION: lambda scene, node: node.is_folder,
    DAV.displayname: _displayname,
    DAV.getcontentlength: lambda scene, node: None if node.member is None else node.member.size,
    DAV.getcontenttype: lambda scene, node: None if node.is_folder else type_of_name(node.name),
    DAV.getetag: lambda scene, node: None if node.is_folder else f'"{etag_of(node)}"',
    DAV.getlastmodified: lambda scene, node: node.modified_ns // SECOND,
    DAV.creationdate: lambda scene, node: node.created_ns // SECOND,
}
KINDS = {
    # as XML Schema names them (§4.3)
    DAV.displayname: "string",
    DAV.getcontentlength: "unsignedLong",
    DAV.getcontenttype: "string",
    DAV.getetag: "string",
    DAV.getlastmodified: "dateTime",
    DAV.creationdate: "dateTime",
}


def _schema(call: Call) -> Response:
    """What can be asked here (§4, §5.19): properties with their kinds, and operators."""
    described = "".join(
        f"<D:propdesc><D:prop>{open_tag(name)}</D:prop><D:datatype><xs:{kind}/></D:datatype>"
        "<D:searchable/><D:selectable/><D:sortable/></D:propdesc>"
        for name, kind in KINDS.items()
    )
    rest = "<D:propdesc><D:any-other-property/><D:searchable/><D:selectable/><D:sortable/></D:propdesc>"
    optional = "".join(
        f"<D:opdesc><D:{name}/><D:operand-property/>{'<D:operand-literal/>' if name == 'like' else ''}</D:opdesc>"
        for name in ("is-defined", "like")
    )
    schema = (
        f'<D:basicsearchschema xmlns:xs="http://www.w3.org/2001/XMLSchema"><D:properties>{described}{rest}'
        f"</D:properties><D:operators><D:opdesc><D:is-collection/></D:opdesc>{optional}</D:operators>"
        "</D:basicsearchschema>"
    )
    row = (
        f"<D:response>{href(call.request.path)}<D:status>HTTP/1.1 200 OK</D:status>"
        f"<D:query-schema>{schema}</D:query-schema></D:response>"
    )
    return Response(207, [XML_TYPE], f"{XML_HEADER}<D:multistatus{XMLNS}>{row}</D:multistatus>\n".encode())
