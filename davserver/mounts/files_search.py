"""
SEARCH at ``/files/`` (RFC 5323): files and folders by name, date, size and type, among what the member may know of.

What is asked of the resources comes from the index; no file is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from xml.etree.ElementTree import Element

from davserver.dav.depth import Depth
from davserver.dav.errors import BadRequest, OtherServer, Unprocessable
from davserver.dav.message import Response
from davserver.dav.multistatus import XML_HEADER, XML_TYPE, XMLNS, error_response, multistatus, status_response
from davserver.dav.names import DAV
from davserver.dav.search import Scope, Search, parse_scopes, parse_search
from davserver.dav.target import parse_reference
from davserver.dav.xml import parse_xml, read_body, text_of
from davserver.mounts.files_call import Call
from davserver.mounts.files_properties import SETTABLE, Scene
from davserver.mounts.files_propfind import Renderer
from davserver.mounts.files_search_rows import rows_for
from davserver.mounts.files_search_values import SCHEMA, UNSEARCHED, Found, parse_literal
from storage.errors import NameRefused, PlaceRefused
from storage.filetree import Node
from storage.paths import is_within
from storage.treesearch import Sought, TreeSearch

UNKNOWN_GRAMMAR = {
    # root of the body: the precondition that fails where it holds no DAV:basicsearch (§2.4, §4)
    DAV.searchrequest: DAV.search_grammar_supported,
    DAV.query_schema_discovery: DAV.search_grammar_discovery_supported,
}
Top = tuple[Node, Depth]
LARGEST = 1 << 31  # more than any limit


class NoScope(Exception):
    """An href is nothing that can be searched here."""


def search(call: Call) -> Response:
    """Answer a query, or say what can be asked (RFC 5323 §2, §4)."""
    limits = call.settings.limits
    body = read_body(call.request, limits.xml_bytes)
    root = parse_xml(body, max_depth=limits.xml_depth, max_elements=limits.xml_elements)
    if root is None or root.tag not in UNKNOWN_GRAMMAR:
        raise BadRequest("a SEARCH has a body with a DAV:searchrequest")
    node = call.get()
    call.require_conditions(node)
    if len(root) != 1 or root[0].tag != DAV.basicsearch:
        raise PlaceRefused(node.path, "queries are written as a DAV:basicsearch", UNKNOWN_GRAMMAR[root.tag])
    answer = _results if root.tag == DAV.searchrequest else _schema
    try:
        return answer(call, root[0])
    except NoScope as error:
        href, why = f"<D:href>{text_of(str(error))}</D:href>", "there is nothing there that can be searched from here"
        return error_response(409, DAV.search_scope_valid, href, message=why)


def _results(call: Call, basicsearch: Element) -> Response:
    query = parse_search(basicsearch, parse_literal)
    for name in query.names & UNSEARCHED:
        raise Unprocessable(f"{name} is not searched; DAV:query-schema-discovery tells what is")
    tops = [(_top(call, scope), scope.depth) for scope in query.scopes]
    most = min(query.most or LARGEST, call.settings.limits.search_results)
    found = _found(call, query, tops, most + 1)
    rows = map(Renderer(Scene(call), query.asked).row, found[:most])
    return multistatus(_with_end(call, rows, is_cut=len(found) > most))


def _with_end(call: Call, rows: Iterator[str], *, is_cut: bool) -> Iterator[str]:
    """The rows, and after them that there are more (§2.3.1)."""
    yield from rows
    if is_cut:
        yield status_response(call.request.path, 507)


def _top(call: Call, scope: Scope) -> Node:
    """
    The resource of a scope, which lies at or below the one that is asked (§5.4.2).

    Raises:
        NoScope: there is none, or none that the principal may know of.
    """
    try:
        path = call.session.canonical(parse_reference(scope.href, call.request, call.settings.server))
    except (BadRequest, OtherServer, NameRefused) as error:
        raise NoScope(scope.href) from error
    node = call.files.tree.find(path) if is_within(path, call.path) else None
    if node is None:
        raise NoScope(scope.href)
    return node


def _found(call: Call, query: Search, tops: list[Top], most: int) -> list[Node]:
    """What a query finds, each once: in its order, else as it is come upon."""
    scene = Scene(call)

    def wants(node: Node) -> bool:
        return query.where.truth(Found(scene, node)) is True

    found = TreeSearch(call.session, call.files.tree, Sought(rows_for(query), SETTABLE & query.names, wants))
    hits = (node for top, depth in sorted(tops, key=_path) for node in REACH[depth](found, top))
    if not query.order:
        return list(islice(hits, most))
    ordered = [Found(scene, node) for node in hits]
    for order in reversed(query.order):
        ordered.sort(key=order.key, reverse=order.descends)
    return [each.node for each in ordered[:most]]


def _path(top: Top) -> str:
    """What lies above others comes first: where it was looked through, nobody looks again."""
    return top[0].path


REACH: dict[Depth, Callable[[TreeSearch, Node], Iterator[Node]]] = {
    Depth.ZERO: TreeSearch.itself,
    Depth.ONE: TreeSearch.children,
    Depth.INFINITY: TreeSearch.everything,
}


def _schema(call: Call, basicsearch: Element) -> Response:
    """What can be asked in each scope, which is the same in all (§4)."""
    scopes = parse_scopes(basicsearch)
    for scope in scopes:
        _top(call, scope)
    rows = "".join(
        f"<D:response><D:href>{text_of(scope.href)}</D:href><D:status>HTTP/1.1 200 OK</D:status>"
        f"<D:query-schema>{SCHEMA}</D:query-schema></D:response>"
        for scope in scopes
    )
    return Response(207, [XML_TYPE], f"{XML_HEADER}<D:multistatus{XMLNS}>{rows}</D:multistatus>\n".encode())
