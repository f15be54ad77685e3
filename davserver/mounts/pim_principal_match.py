"""Where the member stands: principals that it is, and what names it in a property (RFC 3744 §9.3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from xml.etree.ElementTree import Element

from davserver.dav.errors import BadRequest
from davserver.dav.message import Request, Response
from davserver.dav.multistatus import multistatus
from davserver.dav.names import DAV
from davserver.mounts.pim_principals import (
    element_of,
    hrefs_in,
    own_names,
    principal_of,
    require_depth_0,
    rows_of,
)
from davserver.mounts.pim_view import View, href_path
from davserver.mounts.pim_walk import descendants
from storage.collection import Home, Resource, Root
from storage.errors import PlaceRefused


def principal_match(root: Element, resource: Resource, request: Request, view: View) -> Response:
    """Members of a collection, at any depth, that are the member's principal or name it in a property."""
    require_depth_0(request)
    asked, of_property = root.find(DAV.self), root.find(DAV.principal_property)
    if (asked is None) == (of_property is None):
        raise BadRequest("a DAV:principal-match holds one of DAV:self and DAV:principal-property")
    if of_property is None:
        found = _own_principals(resource, view)
    else:
        found = _naming_me(_property_name(of_property), resource, view)
    return multistatus(rows_of(found, root, request, view))


def _property_name(of_property: Element) -> str:
    names = [child.tag for child in of_property]
    if len(names) != 1:
        raise BadRequest("DAV:principal-property holds one element, the property that names a principal")
    return names[0]


def _own_principals(resource: Resource, view: View) -> Iterable[Resource]:
    """The member's principal, then its groups; of a principal that is asked itself, that one if it is among them."""
    mine = own_names(view)
    match resource:
        case Root():
            own = view.session.principal.name
            named = sorted(mine, key=lambda name: (name != own, name))
            return view.session.pim.principals(filter(view.directory.account, named))
        case Home(owner=owner):
            return [resource] if owner in mine else []
        case _:
            return []


def _naming_me(name: str, resource: Resource, view: View) -> list[Resource]:
    """
    What has a property with an href of the member or of one of its groups (RFC 3744 §5.5.1: the user matches those).

    Raises:
        PlaceRefused: there is more to look through than one request may list.
    """
    mine = own_names(view)
    most = view.settings.limits.depth_infinity_resources
    found = []
    for number, each in enumerate(_members(resource, view)):
        if number >= most:
            why = f"there are more than {most} resources below; ask a single home or collection"
            raise PlaceRefused(href_path(resource), why, "number-of-matches-within-limits")
        element = element_of(name, each, view)
        if element is not None and any(principal_of(href) in mine for href in hrefs_in(element)):
            found.append(each)
    return found


def _members(resource: Resource, view: View) -> Iterator[Resource]:
    """All below; of the root also the principals in whose homes nothing can be seen."""
    below = descendants(resource, view)
    if not isinstance(resource, Root):
        return below
    seen = {home.owner for home in view.session.pim.homes()}
    rest = (account.name for account in view.directory.accounts() if account.name not in seen)
    return chain(below, view.session.pim.principals(rest))
