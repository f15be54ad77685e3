"""
Finding principals by name, address or type (RFC 3744 §9.4, §9.5).

Matching is done on the accounts, which are in memory: a search among hundreds opens no home.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from auth.snapshot import Account
from davserver.dav.errors import BadRequest
from davserver.dav.language import choose_language
from davserver.dav.message import Request, Response
from davserver.dav.multistatus import XML_HEADER, XML_TYPE, XMLNS, multistatus, status_response
from davserver.dav.names import CALDAV, CALSERVER, DAV
from davserver.dav.propfind import parse_prop
from davserver.dav.sync import TRUNCATED, parse_limit
from davserver.dav.xml import open_tag, text_of
from davserver.mounts.pim_home_props import addresses_of, title_of, user_type_of
from davserver.mounts.pim_principals import element_of, require_depth_0, rows_of
from davserver.mounts.pim_view import View, href_path
from storage.collection import Home, Resource, Root

MOST_FOUND = 1000  # more than an association has, so that all can be listed
DECLARED = frozenset({DAV.property_search, DAV.prop, DAV.apply_to_principal_collection_set, DAV.limit})
Texts = Callable[[Account], tuple[str, ...]]
SEARCHED: Mapping[str, Texts] = {
    # Clark name of a property that can be searched: its texts, each of which is compared (§9.4.1); the usual ones first
    DAV.displayname: lambda account: (title_of(account),),
    CALSERVER.email_address_set: lambda account: account.addresses,
    CALDAV.calendar_user_address_set: lambda account: addresses_of(account),
    CALDAV.calendar_user_type: lambda account: (user_type_of(account),),
}
DESCRIPTIONS: Mapping[str, tuple[str, ...]] = {
    # by language, in the order of SEARCHED
    "en": ("name", "e-mail address", "calendar address", "person, group, room or resource"),
    "fr": ("nom", "adresse électronique", "adresse d’agenda", "personne, groupe, salle ou ressource"),
    "de": ("Name", "E-Mail-Adresse", "Kalenderadresse", "Person, Gruppe, Raum oder Ressource"),
}
MATCH_TYPES: Mapping[str, Callable[[str, str], bool]] = {
    # Apple's attribute of DAV:match; without it a part of the text will do
    "contains": lambda value, text: text in value,
    "starts-with": str.startswith,
    "equals": str.__eq__,
}
TESTS: Mapping[str, Callable[[list[bool]], bool]] = {"allof": all, "anyof": any}


@dataclass(frozen=True, slots=True)
class Condition:
    """
    One property that is to match one text.

    Attributes:
        name: Clark name; nobody matches by a property that cannot be searched.
        text: caseless.
        fits: compares a caseless value with it.
    """

    name: str
    text: str
    fits: Callable[[str, str], bool]

    def holds(self, account: Account) -> bool:
        """Whether one of the property's texts matches."""
        texts = SEARCHED.get(self.name)
        return texts is not None and any(self.fits(caseless(value), self.text) for value in texts(account))


def principal_search_property_set(root: Element, resource: Resource, request: Request, view: View) -> Response:
    """What principals can be searched by, described in a language that the client reads (RFC 3744 §9.5)."""
    require_depth_0(request)
    language = choose_language(request.header("accept-language"), DESCRIPTIONS, view.settings.language)
    listed = "".join(
        open_tag(
            DAV.principal_search_property,
            open_tag(DAV.prop, open_tag(name))
            + f'<D:description xml:lang="{language}">{text_of(description)}</D:description>',
        )
        for name, description in zip(SEARCHED, DESCRIPTIONS[language], strict=True)
    )
    body = f"{XML_HEADER}<D:principal-search-property-set{XMLNS}>{listed}</D:principal-search-property-set>\n"
    return Response(200, [XML_TYPE, ("Vary", "Accept-Language")], body.encode())


def principal_property_search(root: Element, resource: Resource, request: Request, view: View) -> Response:
    """
    The principals below a collection whose properties match (RFC 3744 §9.4).

    Without a condition, which the RFC does not foresee, it is all that have what is asked of them, as the caldav
    library expects. Above the limit, the server's or the client's, the answer is cut and says so, as a synchronisation
    does (RFC 6578 §3.6).
    """
    require_depth_0(request)
    _take_misplaced(root)
    conditions, test = _conditions(root), _test(root)
    limit = min(parse_limit(root) or MOST_FOUND, MOST_FOUND)
    is_asked_of_all = isinstance(resource, Root) or root.find(DAV.apply_to_principal_collection_set) is not None
    names = [
        account.name
        for account in (view.directory.accounts() if is_asked_of_all else ())
        if not conditions or test([condition.holds(account) for condition in conditions])
    ]
    found: Iterable[Home] = view.session.pim.principals(names[:limit])
    if not conditions:
        asked = parse_prop(root).names
        found = [each for each in found if all(element_of(name, each, view) is not None for name in asked)]
    cut = status_response(href_path(resource), 507, TRUNCATED) if len(names) > limit else ""
    return multistatus(rows_of(found, root, request, view), cut)


def _take_misplaced(root: Element) -> None:
    """The caldav library writes the properties beside an empty ``DAV:prop``, where none of that name can stand."""
    prop = root.find(DAV.prop)
    if prop is not None and not len(prop):
        prop.extend([child for child in root if child.tag not in DECLARED])


def caseless(text: str) -> str:
    """A text as it is compared: without case, composed and decomposed letters alike (Unicode §3.13, D145)."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


def _conditions(root: Element) -> list[Condition]:
    """Each property of each ``DAV:property-search``: by the RFC all of them have to match."""
    found = []
    for search in root.findall(DAV.property_search):
        prop, match = search.find(DAV.prop), search.find(DAV("match"))
        if prop is None or match is None:
            raise BadRequest("a DAV:property-search holds DAV:prop and DAV:match")
        kind = match.get("match-type", "contains")
        if kind not in MATCH_TYPES:
            raise BadRequest(f"match-type is {kind[:40]!r}; it can be {', '.join(MATCH_TYPES)}")
        text = caseless((match.text or "").strip())
        found += [Condition(child.tag, text, MATCH_TYPES[kind]) for child in prop]
    return found


def _test(root: Element) -> Callable[[list[bool]], bool]:
    """Apple's attribute: whether one match is enough."""
    test = root.get("test", "allof")
    if test not in TESTS:
        raise BadRequest(f"test is {test[:40]!r}; it can be {' or '.join(TESTS)}")
    return TESTS[test]
