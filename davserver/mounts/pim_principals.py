"""What the reports about principals have in common (RFC 3744 §9): their Depth, their rows, and who the member is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element
from xml.sax.saxutils import unescape

from auth.names import BUILT_IN
from auth.principal import fold
from davserver.dav.depth import Depth, parse_depth
from davserver.dav.errors import BadRequest
from davserver.dav.message import Request
from davserver.dav.multistatus import status_response
from davserver.dav.propfind import Asked, parse_prop
from davserver.dav.target import parse_target
from davserver.dav.xml import open_tag
from davserver.mounts.pim_props import META_KEYS, table_of
from davserver.mounts.pim_rows import Rows, dead_properties
from davserver.mounts.pim_view import View, href_path
from davserver.mounts.preferences import wants_minimal
from storage.collection import Collection, Resource
from storage.paths import DAV as TREE

HREF = re.compile(r"<D:href\b[^>]*>([^<]*)</D:href>")  # as it stands in every property that is rendered here


def require_depth_0(request: Request) -> None:
    """The searches of RFC 3744 are defined for Depth 0 alone, which no header means too. Raises BadRequest."""
    parse_depth(request.header("depth"), default=Depth.ZERO, allowed={Depth.ZERO})


def rows_of(found: Iterable[Resource], root: Element, request: Request, view: View) -> Iterator[str]:
    """One row a resource with the properties that a report asks for, or that it was found where it asks for none."""
    asked = parse_prop(root)
    if asked.asked is Asked.NAMED and not asked.names:
        return (status_response(href_path(resource), 200) for resource in found)
    return map(Rows(asked, view, minimal=wants_minimal(request)).row, found)


def element_of(name: str, resource: Resource, view: View) -> str | None:
    """A property of a resource as a whole element, live or dead; None where it has none of that name."""
    live = table_of(resource).get(name)
    content = live(resource, view) if live is not None else None
    if content is not None and not (name in META_KEYS and isinstance(resource, Collection)):
        return open_tag(name, content)
    dead = dead_properties(resource, view).get(name)
    return open_tag(name, content) if dead is None and content is not None else dead


def hrefs_in(element: str) -> list[str]:
    """The texts of the hrefs in a rendered property."""
    return [unescape(text).strip() for text in HREF.findall(element)]


def path_in(href: str) -> str | None:
    """The decoded path in an href of a property; None for a mailto: address or what stands on another server."""
    try:
        return parse_target(href.strip()) if href.strip().startswith("/") else None
    except BadRequest:
        return None


def principal_of(href: str) -> str | None:
    """The name of the principal whose URL an href is, as ``fold`` gives it; None for what is no principal's."""
    above, _, name = (path_in(href) or "").rstrip("/").rpartition("/")
    return fold(name) if above == TREE else None


def own_names(view: View) -> frozenset[str]:
    """The names of the member and of every group that it belongs to, groups of groups too."""
    return view.session.principal.names - BUILT_IN
