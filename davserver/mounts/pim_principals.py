"""Finding principals and following hrefs: expand-property (RFC 3253 §3.8) and the searches of RFC 3744 §9."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from xml.etree.ElementTree import Element, fromstring

from davserver.dav.errors import BadRequest
from davserver.dav.message import Request, Response
from davserver.dav.multistatus import XML_HEADER, XML_TYPE, XMLNS, multistatus, propstat_response
from davserver.dav.names import CALDAV, CALSERVER, DAV
from davserver.dav.propfind import parse_prop
from davserver.dav.target import parse_target
from davserver.dav.xml import open_tag
from davserver.mounts.pim_props import table_of
from davserver.mounts.pim_rows import Rows
from davserver.mounts.pim_view import View, href_path, principal_path
from storage.collection import Home, Resource
from storage.errors import PlaceRefused

DEEPEST = 3
MOST_FOUND = 100
MOST_EXPANDED = 10_000
SEARCHED: dict[str, tuple[str, Callable[[Home, View], tuple[str, ...]]]] = {
    # Clark name of a property that can be searched: its description, and its texts
    DAV.displayname: ("name", lambda home, view: (_account(home, view)[0], home.owner)),
    CALSERVER.email_address_set: ("mail address", lambda home, view: _account(home, view)[1]),
    CALDAV.calendar_user_address_set: (
        "calendar address",
        lambda home, view: (
            *(f"mailto:{address}" for address in _account(home, view)[1]),
            principal_path(home.owner),
        ),
    ),
}


def _account(home: Home, view: View) -> tuple[str, tuple[str, ...]]:
    account = view.directory.account(home.owner)
    return (home.owner, ()) if account is None else (account.display_name, tuple(account.addresses))


def principal_search_property_set(root: Element, resource: Resource, request: Request, view: View) -> Response:
    """What principals can be searched by (RFC 3744 §9.5)."""
    listed = "".join(
        open_tag(
            DAV.principal_search_property,
            open_tag(DAV.prop, open_tag(name)) + f'<D:description xml:lang="en">{description}</D:description>',
        )
        for name, (description, _) in SEARCHED.items()
    )
    body = f"{XML_HEADER}<D:principal-search-property-set{XMLNS}>{listed}</D:principal-search-property-set>\n"
    return Response(200, [XML_TYPE], body.encode())


def principal_property_search(root: Element, resource: Resource, request: Request, view: View) -> Response:
    """
    Principals whose properties contain a text, in any case (RFC 3744 §9.4).

    Without a condition it is all of them, as the caldav library asks for them.
    """
    conditions = [_condition(search) for search in root.findall(DAV.property_search)]
    any_of = root.get("test") == "anyof"
    found = []
    for account in view.directory.accounts():
        home = view.session.pim.find(principal_path(account.name))
        if not isinstance(home, Home):
            continue
        answers = [_matches(home, names, text, view) for names, text in conditions]
        if any(answers) if any_of else all(answers):
            found.append(home)
        if len(found) >= MOST_FOUND:
            break
    rows = Rows(parse_prop(root), view)
    return multistatus(map(rows.row, found))


def _condition(search: Element) -> tuple[tuple[str, ...], str]:
    prop, match = search.find(DAV.prop), search.find(DAV("match"))
    if prop is None or match is None:
        raise BadRequest("a DAV:property-search holds DAV:prop and DAV:match")
    return tuple(child.tag for child in prop), (match.text or "").strip().casefold()


def _matches(home: Home, names: tuple[str, ...], text: str, view: View) -> bool:
    texts = [value for name in names if name in SEARCHED for value in SEARCHED[name][1](home, view)]
    return any(text in value.casefold() for value in texts)


def expand_property(root: Element, resource: Resource, request: Request, view: View) -> Response:
    """Properties with the resources that their hrefs name put in their place (RFC 3253 §3.8)."""
    return multistatus([_expanded(root, resource, view, DEEPEST, iter(range(MOST_EXPANDED)))])


def _expanded(asked: Element, resource: Resource, view: View, depth: int, budget: Iterator[int]) -> str:
    found, missing = [], []
    for element in asked.findall(DAV.property):
        name = element.get("name", "")
        if not name:
            raise BadRequest("a DAV:property of expand-property has a name")
        if next(budget, None) is None:  # members of groups of members … multiply
            why = f"an expand-property gives {MOST_EXPANDED} properties at most"
            raise PlaceRefused(href_path(resource), why, "number-of-matches-within-limits")
        clark = f"{{{element.get('namespace', 'DAV:')}}}{name}"
        live = table_of(resource).get(clark)
        content = live(resource, view) if live is not None else None
        if content is None:
            missing.append(open_tag(clark))
        elif len(element) and depth > 1:
            found.append(open_tag(clark, _followed(element, content, view, depth, budget)))
        else:
            found.append(open_tag(clark, content))
    return propstat_response(href_path(resource), found, missing)


def _followed(asked: Element, content: str, view: View, depth: int, budget: Iterator[int]) -> str:
    parts = []
    for element in fromstring(f"<x{XMLNS}>{content}</x>").iter(DAV.href):  # noqa: S314 - our own rendering
        try:
            target = view.session.pim.find(parse_target(element.text or ""))
        except BadRequest:  # a mailto: address
            target = None
        if target is not None:
            parts.append(_expanded(asked, target, view, depth - 1, budget))
    return "".join(parts)
