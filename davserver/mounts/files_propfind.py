"""PROPFIND at ``/files/`` (RFC 4918 §9.1), from index rows and rendered as it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from davserver.dav.depth import Depth
from davserver.dav.message import Response
from davserver.dav.multistatus import multistatus, propstat_response
from davserver.dav.prefer import parse_depth_and_root
from davserver.dav.propfind import Asked, PropRequest, parse_propfind
from davserver.dav.xml import open_tag, parse_xml, read_body
from davserver.mounts.acl import WITHHELD
from davserver.mounts.files_call import Call
from davserver.mounts.files_properties import BASIC, LIVE, Scene
from davserver.mounts.files_templates import Templates
from storage.errors import PlaceRefused
from storage.filetree import Node


def propfind(call: Call) -> Response:
    """Properties of a resource and, by Depth, of what lies in it."""
    limits = call.settings.limits
    depth, no_root = parse_depth_and_root(call.request.headers)
    body = read_body(call.request, limits.xml_bytes)
    asked = parse_propfind(parse_xml(body, max_depth=limits.xml_depth, max_elements=limits.xml_elements))
    node = call.get()
    call.require_conditions(node)
    nodes = _nodes(call, node, depth, limits.depth_infinity_resources)
    return multistatus(map(Renderer(Scene(call), asked).row, islice(nodes, int(no_root), None)))


class Renderer:
    """The rows of one answer: the same question about many resources."""

    def __init__(self, scene: Scene, asked: PropRequest) -> None:
        self._scene = scene
        self._asked = asked
        self._render = RENDERERS[asked.asked]
        basic = tuple(BASIC) if asked.asked is Asked.ALL else ()
        names = tuple(dict.fromkeys((*basic, *asked.names)))
        self._templates = None if asked.asked is Asked.NAMES else Templates(scene, names)

    def row(self, node: Node) -> str:
        """The ``DAV:response`` of one resource."""
        ready = None if self._templates is None else self._templates.render(node)
        return ready or self._render(self._scene, node, self._asked)


def _nodes(call: Call, node: Node, depth: Depth, most: int) -> Iterator[Node]:
    tree = call.files.tree
    if depth is Depth.INFINITY:
        found = list(islice(tree.walk(node), most + 1))
        if len(found) > most:
            why = f"more than {most} resources lie below; ask folder by folder with Depth: 1"
            raise PlaceRefused(node.path, why, "propfind-finite-depth")
        return iter(found)
    return _with_children(call, node) if depth is Depth.ONE else iter((node,))


def _with_children(call: Call, node: Node) -> Iterator[Node]:
    yield node
    if node.is_folder:
        yield from call.files.tree.children(node)


def _render_named(scene: Scene, node: Node, asked: PropRequest) -> str:
    found: list[str] = []
    missing: list[str] = []
    dead: dict[str, str] | None = None
    for name in asked.names:
        live = LIVE.get(name)
        if live is not None:
            value = live(scene, node)
        else:
            dead = scene.dead(node) if dead is None else dead
            value = dead.get(name)
        if value is None:
            missing.append(name)
        else:
            found.append(value)
    return _row(scene, node, found, missing)


def _render_all(scene: Scene, node: Node, asked: PropRequest) -> str:
    dead = scene.dead(node)
    found = [value for render in BASIC.values() if (value := render(scene, node)) is not None]
    found += [value for name, value in dead.items() if name not in LIVE]
    missing: list[str] = []
    for name in asked.names:  # DAV:include
        if name in BASIC or name in dead:
            continue
        value = LIVE[name](scene, node) if name in LIVE else None
        if value is None:
            missing.append(name)
        else:
            found.append(value)
    return _row(scene, node, found, missing)


def _row(scene: Scene, node: Node, found: list[str], missing: list[str]) -> str:
    """The row of a resource; what every resource has and this one did not answer is kept from the principal."""
    lost = [] if scene.minimal else [open_tag(name) for name in missing if name not in WITHHELD]
    withheld = [open_tag(name) for name in missing if name in WITHHELD]
    return propstat_response(scene.call.href_of(node), found, lost, forbidden=withheld)


def _render_names(scene: Scene, node: Node, asked: PropRequest) -> str:
    names = [name for name, render in LIVE.items() if render(scene, node) is not None]
    names += [name for name in scene.dead(node) if name not in LIVE]
    return propstat_response(scene.call.href_of(node), map(open_tag, names))


RENDERERS = {Asked.NAMED: _render_named, Asked.ALL: _render_all, Asked.NAMES: _render_names}
