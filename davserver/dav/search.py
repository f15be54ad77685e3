"""A ``DAV:basicsearch`` query as it arrives (RFC 5323 §5); ``conditions`` has what it asks of each resource."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from davserver.dav.conditions import (
    OPERATORS,
    And,
    Comparison,
    Condition,
    Everything,
    IsCollection,
    IsDefined,
    Like,
    Not,
    Or,
    Subject,
    fold,
    parse_pattern,
)
from davserver.dav.depth import Depth
from davserver.dav.errors import BadRequest, Unprocessable
from davserver.dav.names import DAV, split
from davserver.dav.propfind import Asked, PropRequest, parse_prop

ParseLiteral = Callable[[str, str], str | int | None]
SortKey = tuple[int, str | int]

LONGEST_PATTERN = 1024
MOST_CONDITIONS = 50
MOST_SCOPES = 100
MOST_KEYS = 10
DEPTHS = {depth.value: depth for depth in Depth}


@dataclass(frozen=True, slots=True)
class Scope:
    """Where to look: an href as it was sent, and how deep below it."""

    href: str
    depth: Depth


@dataclass(frozen=True, slots=True)
class Order:
    """A key of the order (§5.6)."""

    name: str
    caseless: bool
    descends: bool

    def key(self, subject: Subject) -> SortKey:
        """What sorts before what; a resource without the property comes first when it ascends (§5.5.3)."""
        value = subject.value(self.name)
        if isinstance(value, str):
            return 2, fold(value, caseless=self.caseless)
        return (1, value) if isinstance(value, int) else (0, "")


@dataclass(frozen=True, slots=True)
class Search:
    """
    A query.

    Attributes:
        asked: the properties to answer with.
        scopes: at least one.
        where: true of what is to be found.
        order: the most important key first.
        names: Clark names of the properties that conditions and order look at.
        most: how many resources the client wants at most, or None.
    """

    asked: PropRequest
    scopes: tuple[Scope, ...]
    where: Condition
    order: tuple[Order, ...]
    names: frozenset[str]
    most: int | None


def parse_search(basicsearch: Element, parse_literal: ParseLiteral) -> Search:
    """
    Read a ``DAV:basicsearch`` element (§5.2).

    Args:
        parse_literal: gives a property's name and a literal as the property's values are, None where it is no such
            value (§5.10).

    Raises:
        BadRequest: it has not the parts of one.
        Unprocessable: it asks for what is not offered.
    """
    select, where = basicsearch.find(DAV.select), basicsearch.find(DAV.where)
    if select is None:
        raise BadRequest("a DAV:basicsearch has a DAV:select")
    reader = _Reader(parse_literal)
    return Search(
        _asked(select),
        parse_scopes(basicsearch),
        Everything() if where is None else reader.condition(_only_child(where)),
        reader.order(basicsearch.findall(f"{DAV.orderby}/{DAV.order}")),
        frozenset(reader.names),
        _most(basicsearch.find(DAV.limit)),
    )


def parse_scopes(basicsearch: Element) -> tuple[Scope, ...]:
    """
    Where a query, or a question about queries (§4.2), looks.

    Raises:
        BadRequest: nowhere, or a depth is none.
        Unprocessable: in more places than are taken.
    """
    scopes = tuple(map(_scope, basicsearch.findall(f"{DAV('from')}/{DAV.scope}")))
    if not scopes:
        raise BadRequest("a DAV:basicsearch has a DAV:from with a DAV:scope")
    if len(scopes) > MOST_SCOPES:
        raise Unprocessable(f"a query has at most {MOST_SCOPES} scopes")
    return scopes


def _asked(select: Element) -> PropRequest:
    """The properties to answer with (§5.3)."""
    if select.find(DAV.allprop) is not None:
        return PropRequest(Asked.ALL)
    if select.find(DAV.prop) is None:
        raise BadRequest("a DAV:select holds a DAV:prop or DAV:allprop")
    return parse_prop(select)


def _scope(scope: Element) -> Scope:
    """One scope (§5.4.2)."""
    href, depth = (scope.findtext(name) or "" for name in (DAV.href, DAV.depth))
    if depth.strip().lower() not in DEPTHS:
        raise BadRequest(f"the depth of a scope is {depth.strip()[:40]!r}; it can be 0, 1 or infinity")
    return Scope(href.strip(), DEPTHS[depth.strip().lower()])


def _most(limit: Element | None) -> int | None:
    """The number of results that a client wants (§5.17)."""
    if limit is None:
        return None
    text = (limit.findtext(DAV.nresults) or "").strip()
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text)):
        raise BadRequest(f"DAV:nresults is {text[:40]!r}; it can be a whole number from 1 on")
    return int(text)


def _only_child(element: Element) -> Element:
    if len(element) != 1:
        raise BadRequest(f"{element.tag} holds one condition, not {len(element)}")
    return element[0]


class _Reader:
    """Conditions and keys from XML; how deep they may be nested, the XML's own limit says."""

    def __init__(self, parse_literal: ParseLiteral) -> None:
        self.names: set[str] = set()
        self._parse_literal = parse_literal
        self._left = MOST_CONDITIONS

    def condition(self, element: Element) -> Condition:
        """One condition and what it is made of."""
        self._left -= 1
        if self._left < 0:
            raise Unprocessable(f"a query has at most {MOST_CONDITIONS} conditions")
        read = CONDITIONS.get(element.tag)
        if read is None:  # §5.5.2
            raise Unprocessable(f"{element.tag} is no condition of this server; DAV:query-schema-discovery has all")
        return read(self, element)

    def order(self, elements: list[Element]) -> tuple[Order, ...]:
        """The keys of the order (§5.6)."""
        if len(elements) > MOST_KEYS:
            raise Unprocessable(f"results are ordered by at most {MOST_KEYS} properties")
        if any(element.find(DAV.score) is not None for element in elements):
            raise Unprocessable("results have no score; order them by a property")
        return tuple(
            Order(self._property(element), _caseless(element), element.find(DAV.descending) is not None)
            for element in elements
        )

    def all_of(self, element: Element) -> Condition:
        """``DAV:and``."""
        return And(self._parts(element))

    def any_of(self, element: Element) -> Condition:
        """``DAV:or``."""
        return Or(self._parts(element))

    def none_of(self, element: Element) -> Condition:
        """``DAV:not``."""
        return Not(self.condition(_only_child(element)))

    def is_collection(self, element: Element) -> Condition:
        """``DAV:is-collection``."""
        return IsCollection()

    def is_defined(self, element: Element) -> Condition:
        """``DAV:is-defined``."""
        return IsDefined(self._property(element))

    def comparison(self, element: Element) -> Condition:
        """``DAV:eq`` and its kin."""
        name, caseless = self._property(element), _caseless(element)
        literal = self._parse_literal(name, _literal(element))
        if isinstance(literal, str):
            literal = fold(literal, caseless=caseless)
        return Comparison(name, split(element.tag)[1], literal, caseless)

    def like(self, element: Element) -> Condition:
        """``DAV:like``."""
        name, caseless = self._property(element), _caseless(element)
        pattern = _literal(element)
        if len(pattern) > LONGEST_PATTERN:
            raise Unprocessable(f"a pattern has at most {LONGEST_PATTERN} characters")
        return Like(name, parse_pattern(pattern, caseless=caseless), caseless)

    def _parts(self, element: Element) -> tuple[Condition, ...]:
        if not len(element):
            raise BadRequest(f"{element.tag} holds at least one condition")
        return tuple(map(self.condition, element))

    def _property(self, element: Element) -> str:
        prop = element.find(DAV.prop)
        if prop is None or len(prop) != 1:
            raise BadRequest(f"{element.tag} names one property in a DAV:prop")
        self.names.add(prop[0].tag)
        return prop[0].tag


def _literal(element: Element) -> str:
    literal = element.find(DAV.literal)
    if literal is None and element.find(DAV.typed_literal) is not None:  # optional (§5.11)
        raise Unprocessable("a literal has the type of its property; send a DAV:literal")
    if literal is None:
        raise BadRequest(f"{element.tag} has a DAV:literal")
    return literal.text or ""


def _caseless(element: Element) -> bool:
    """Letters are alike in any case unless ``caseless="no"`` says otherwise (§5.18 leaves that to the server)."""
    return element.get("caseless") != "no"


CONDITIONS: dict[str, Callable[[_Reader, Element], Condition]] = {
    DAV("and"): _Reader.all_of,
    DAV("or"): _Reader.any_of,
    DAV("not"): _Reader.none_of,
    DAV.is_collection: _Reader.is_collection,
    DAV.is_defined: _Reader.is_defined,
    DAV.like: _Reader.like,
    **{DAV(operator): _Reader.comparison for operator in OPERATORS},
}
