"""The reports about principals, asked of files and folders (RFC 3744 §9): the answers are those of ``/dav/``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from xml.etree.ElementTree import Element

from auth.acl import Action
from auth.errors import NeedPrivileges
from davserver.dav.depth import Depth, parse_depth
from davserver.dav.errors import BadRequest
from davserver.dav.message import Response
from davserver.dav.multistatus import multistatus
from davserver.dav.names import DAV
from davserver.dav.propfind import parse_prop
from davserver.mounts.files_acl import ruled_path
from davserver.mounts.files_call import Call
from davserver.mounts.files_properties import LIVE, Scene
from davserver.mounts.files_propfind import Renderer
from davserver.mounts.pim_acl_principals import READ_ACL, principals_of_acl
from davserver.mounts.pim_expand import Expansion
from davserver.mounts.pim_principal_search import principal_property_search, principal_search_property_set
from davserver.mounts.pim_principals import hrefs_in, own_names, principal_of, require_depth_0, rows_of
from davserver.mounts.pim_view import View
from davserver.mounts.preferences import wants_minimal
from storage.collection import Root
from storage.errors import PlaceRefused
from storage.filetree import Node

Report = Callable[[Element, Node, Call, View], Response]


def _search(root: Element, node: Node, call: Call, view: View) -> Response:
    """None lies below a folder; with ``DAV:apply-to-principal-collection-set`` they are searched where they are."""
    if root.find(DAV.apply_to_principal_collection_set) is None:
        require_depth_0(call.request)
        return multistatus([])
    return principal_property_search(root, Root(), call.request, view)


def _search_properties(root: Element, node: Node, call: Call, view: View) -> Response:
    return principal_search_property_set(root, Root(), call.request, view)


def _named_in_acl(root: Element, node: Node, call: Call, view: View) -> Response:
    """The principals that ``DAV:acl`` names (§9.2), for those to whom it is told."""
    require_depth_0(call.request)
    if len(root.findall(DAV.prop)) > 1:
        raise BadRequest("a DAV:acl-principal-prop-set holds one DAV:prop")
    path = ruled_path(node)
    if not call.session.access.may(Action.ADMIN, path):
        raise NeedPrivileges(node.path, READ_ACL)
    return multistatus(rows_of(view.session.pim.principals(principals_of_acl(path, view)), root, call.request, view))


def _match(root: Element, node: Node, call: Call, view: View) -> Response:
    """What lies below, at any depth, and names the principal in a property (§9.3); no file is a principal."""
    require_depth_0(call.request)
    asked, of_property = root.find(DAV.self), root.find(DAV.principal_property)
    if (asked is None) == (of_property is None):
        raise BadRequest("a DAV:principal-match holds one of DAV:self and DAV:principal-property")
    if of_property is None:
        return multistatus([])
    if len(of_property) != 1:
        raise BadRequest("DAV:principal-property holds one element, the property that names a principal")
    scene, mine = Scene(call), own_names(view)
    names_me = [each for each in _below(call, node) if _names(scene, each, of_property[0].tag, mine)]
    return multistatus(map(Renderer(scene, parse_prop(root)).row, names_me))


def _below(call: Call, node: Node) -> Iterator[Node]:
    most = call.settings.limits.depth_infinity_resources
    for number, each in enumerate(call.files.tree.walk(node)):
        if number > most:
            why = f"there are more than {most} resources below; ask folder by folder"
            raise PlaceRefused(call.as_asked(node.path), why, "number-of-matches-within-limits")
        if number:
            yield each


def _names(scene: Scene, node: Node, name: str, mine: frozenset[str]) -> bool:
    element = _element(scene, node, name)
    return element is not None and any(principal_of(href) in mine for href in hrefs_in(element))


def _element(scene: Scene, node: Node, name: str) -> str | None:
    """A property as a whole element, live or dead."""
    live = LIVE.get(name)
    return live(scene, node) if live is not None else scene.dead(node).get(name)


def _expand(root: Element, node: Node, call: Call, view: View) -> Response:
    """Properties with the resources that their hrefs name in the place of the hrefs (RFC 3253 §3.8)."""
    depth = parse_depth(call.request.header("depth"), default=Depth.ZERO)
    nodes = [node] if depth is Depth.ZERO or not node.is_folder else [node, *_reached(call, node, depth)]
    scene = Scene(call)
    expansion = Expansion(call.as_asked(node.path), view, minimal=wants_minimal(call.request))

    def row(each: Node) -> str:
        return expansion.row_at(root, call.href_of(each), lambda name: _element(scene, each, name))

    return multistatus([row(each) for each in nodes])


def _reached(call: Call, node: Node, depth: Depth) -> Iterator[Node]:
    return call.files.tree.children(node) if depth is Depth.ONE else _below(call, node)


REPORTS: dict[str, Report] = {
    DAV.expand_property: _expand,
    DAV.principal_property_search: _search,
    DAV.principal_search_property_set: _search_properties,
    DAV.principal_match: _match,
    DAV.acl_principal_prop_set: _named_in_acl,
}
