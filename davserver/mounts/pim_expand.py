"""Properties with the resources that their hrefs name put in the place of the hrefs (RFC 3253 §3.8)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from xml.etree.ElementTree import Element
from xml.sax.saxutils import unescape

from davserver.dav.depth import Depth, parse_depth
from davserver.dav.errors import BadRequest, TooLarge
from davserver.dav.message import Request, Response
from davserver.dav.multistatus import multistatus, propstat_response, status_response
from davserver.dav.names import DAV
from davserver.dav.xml import open_tag, parse_xml
from davserver.mounts.acl import WITHHELD
from davserver.mounts.pim_principals import HREF, element_of, path_in
from davserver.mounts.pim_view import View, href_path
from davserver.mounts.pim_walk import descendants, members_of
from davserver.mounts.preferences import wants_minimal
from storage.collection import Resource
from storage.errors import PlaceRefused

MOST_EXPANDED = 10_000  # properties and hrefs of one answer: members of groups of members … multiply
DEEPEST = 16  # properties within properties
RESERVED = frozenset({"http://www.w3.org/XML/1998/namespace", "http://www.w3.org/2000/xmlns/"})


def expand_property(root: Element, resource: Resource, request: Request, view: View) -> Response:
    """
    One row for the resource; with a Depth also for what lies below it (RFC 3253 §3.6).

    Raises:
        PlaceRefused: the answer would be longer than ``MOST_EXPANDED`` or deeper than ``DEEPEST``.
    """
    depth = parse_depth(request.header("depth"), default=Depth.ZERO)
    expansion = Expansion(href_path(resource), view, minimal=wants_minimal(request))
    return multistatus([expansion.row(root, each) for each in _reached(resource, depth, view)])


def _reached(resource: Resource, depth: Depth, view: View) -> Iterator[Resource]:
    yield resource
    if depth is Depth.ONE:
        yield from members_of(resource, view)
    elif depth is Depth.INFINITY:
        yield from descendants(resource, view)


class Expansion:
    """One answer; what it may still hold is counted down, so that groups that contain each other end it too."""

    def __init__(self, asked: str, view: View, *, minimal: bool) -> None:
        """``asked`` is the path of what the report is asked of."""
        self._asked = asked
        self._view = view
        self._minimal = minimal
        self._left = MOST_EXPANDED

    def row(self, asked: Element, resource: Resource, depth: int = 1) -> str:
        """The ``DAV:response`` of a resource with the properties that the children of ``asked`` name."""
        return self.row_at(asked, href_path(resource), lambda name: element_of(name, resource, self._view), depth)

    def row_at(self, asked: Element, path: str, look: Callable[[str], str | None], depth: int = 1) -> str:
        """As ``row`` of what has a path; ``look`` gives its properties as whole elements."""
        found, missing, withheld = [], [], []
        for element in asked.findall(DAV.property):
            self._count(depth)
            name = _name_of(element)
            rendered = look(name)
            if rendered is None and name in WITHHELD:
                withheld.append(open_tag(name))
            elif rendered is None:
                missing.append(open_tag(name))
            else:
                found.append(self._followed(element, rendered, depth) if len(element) else rendered)
        return propstat_response(path, found, () if self._minimal else missing, forbidden=withheld)

    def _followed(self, asked: Element, rendered: str, depth: int) -> str:
        """A rendered property with responses for its hrefs; what is no path of this server's stays as it is."""

        def response(found: re.Match[str]) -> str:
            self._count(depth)
            path = path_in(unescape(found[1]))
            if path is None:
                return found[0]
            target = self._view.session.pim.find(path)
            return status_response(path, 404) if target is None else self.row(asked, target, depth + 1)

        return HREF.sub(response, rendered)

    def _count(self, depth: int) -> None:
        self._left -= 1
        if self._left < 0 or depth > DEEPEST:
            why = f"an expand-property gives {MOST_EXPANDED} properties at most, {DEEPEST} levels deep"
            raise PlaceRefused(self._asked, why, "number-of-matches-within-limits")


def _name_of(element: Element) -> str:
    """The Clark name that a ``DAV:property`` means. Raises BadRequest for what no element can be called."""
    name, namespace = element.get("name", ""), element.get("namespace", "DAV:")
    if not _is_name(name) or "}" in namespace or namespace in RESERVED:
        raise BadRequest("a DAV:property of expand-property has the name and namespace of an element")
    return f"{{{namespace}}}{name}" if namespace else name


@lru_cache(maxsize=1024)
def _is_name(name: str) -> bool:
    """Whether an element can be called so: what comes as an attribute is sent back as an element."""
    try:
        read = parse_xml(f"<{name}/>".encode())
    except (BadRequest, TooLarge):
        return False
    return read is not None and read.tag == name
