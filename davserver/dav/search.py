"""
``DAV:basicsearch`` (RFC 5323 §5): a query that is read once and asked of many resources.

Conditions have three values (§5.5): what cannot be compared, because a resource has no such property or the literal
is none of its kind, is unknown, and so are most conditions that depend on it. Only what is true is found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from davserver.dav.depth import Depth
from davserver.dav.errors import BadRequest, Unprocessable
from davserver.dav.names import DAV
from davserver.dav.propfind import Asked, PropRequest, parse_prop

Value = str | int | bool | None
Look = Callable[[str], Value]  # the value of a property by its Clark name; None where there is none
Truth = bool | None
Condition = Callable[[Look], Truth]
Key = Callable[[Look], tuple[int, Value]]

IS_COLLECTION = "is-collection"  # what a resource answers when it is asked whether it is one
LONGEST_PATTERN = 1024
MOST_DEPTH = 60  # conditions within conditions
NUMBERS = frozenset({DAV.getcontentlength})
DATES = frozenset({DAV.getlastmodified, DAV.creationdate})


@dataclass(frozen=True, slots=True)
class Scope:
    """Where to look: an href as it was sent, and how deep below it."""

    href: str
    depth: Depth


@dataclass(frozen=True, slots=True)
class Search:
    """
    A query.

    Attributes:
        asked: the properties to answer with.
        scopes: at least one.
        where: true of what is to be found.
        order: keys and whether each descends, the most important one first.
        most: how many resources the client wants at most, or None.
    """

    asked: PropRequest
    scopes: tuple[Scope, ...]
    where: Condition
    order: tuple[tuple[Key, bool], ...]
    most: int | None


def parse_search(basicsearch: Element, parse_date: Callable[[str], int | None]) -> Search:
    """
    Read a ``DAV:basicsearch`` element (§5.2).

    Args:
        parse_date: seconds of a date as a property has it or a person writes it, None where it is none.

    Raises:
        BadRequest: it has not the parts of one.
        Unprocessable: it asks for what is not offered.
    """
    select, source = basicsearch.find(DAV.select), basicsearch.find(DAV("from"))
    if select is None or source is None:
        raise BadRequest("a DAV:basicsearch has a DAV:select and a DAV:from")
    reader = _Reader(parse_date)
    where = basicsearch.find(DAV.where)
    return Search(
        _asked(select),
        tuple(map(_scope, source.findall(DAV.scope))),
        reader.condition(_only_child(where), 0) if where is not None else _everything,
        tuple(map(reader.order, basicsearch.findall(f"{DAV.orderby}/{DAV.order}"))),
        _most(basicsearch.find(DAV.limit)),
    )


def _asked(select: Element) -> PropRequest:
    if select.find(DAV.allprop) is not None:
        return PropRequest(Asked.ALL)
    if select.find(DAV.prop) is None:
        raise BadRequest("a DAV:select holds a DAV:prop or DAV:allprop")
    return parse_prop(select)


def _scope(scope: Element) -> Scope:
    """One scope (§5.4)."""
    depth = (scope.findtext(DAV.depth) or "").strip().lower()
    if depth not in {each.value for each in Depth}:
        raise BadRequest(f"the depth of a scope is {depth[:40]!r}; it can be 0, 1 or infinity")
    return Scope((scope.findtext(DAV.href) or "").strip(), Depth(depth))


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


def _everything(look: Look) -> Truth:
    return True


class _Reader:
    """Conditions from XML."""

    def __init__(self, parse_date: Callable[[str], int | None]) -> None:
        self._parse_date = parse_date

    def condition(self, element: Element, depth: int) -> Condition:
        """One condition and what it is made of."""
        if depth > MOST_DEPTH:
            raise Unprocessable(f"the conditions are nested deeper than {MOST_DEPTH}")
        if element.tag in (DAV("and"), DAV("or")):
            parts = [self.condition(part, depth + 1) for part in element]
            if not parts:
                raise BadRequest(f"{element.tag} holds at least one condition")
            return _and(parts) if element.tag == DAV("and") else _or(parts)
        if element.tag == DAV("not"):
            return _not(self.condition(_only_child(element), depth + 1))
        if element.tag == DAV.is_collection:
            return lambda look: look(IS_COLLECTION) is True
        if element.tag == DAV.is_defined:
            name = _property(element)
            return lambda look: look(name) is not None
        if element.tag == DAV.like:
            return self._like(element)
        compare = COMPARISONS.get(element.tag)
        if compare is None:
            raise Unprocessable(f"{element.tag} is no condition of this server; DAV:supported-query-grammar has all")
        return self._comparison(element, compare)

    def _comparison(self, element: Element, compare: Callable[[int], bool]) -> Condition:
        """A property beside a literal (§5.12), both folded unless case counts (§5.8)."""
        name, fold = _property(element), _fold(element)
        literal = self._literal(name, _literal(element))

        def holds(look: Look) -> Truth:
            value = look(name)
            if value is None or literal is None or isinstance(value, bool):
                return None
            left: str | int = fold(value) if isinstance(value, str) else value
            right: str | int = fold(literal) if isinstance(literal, str) else literal
            if isinstance(left, str) != isinstance(right, str):
                return None
            return compare((left > right) - (left < right))  # type: ignore[operator]

        return holds

    def _literal(self, name: str, text: str) -> str | int | None:
        """A literal in the type of its property, None where it is none of that type (§5.12.1)."""
        if name in DATES:
            return self._parse_date(text.strip())
        if name in NUMBERS:
            digits = text.strip()
            return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 20 else None
        return text

    def _like(self, element: Element) -> Condition:
        """A pattern (§5.13): ``%`` is any text, ``_`` any character, ``\\`` takes the sense of the next."""
        name, fold = _property(element), _fold(element)
        pattern = _literal(element)
        if len(pattern) > LONGEST_PATTERN:
            raise Unprocessable(f"a pattern has at most {LONGEST_PATTERN} characters")
        pieces = _pieces(pattern, fold)

        def holds(look: Look) -> Truth:
            value = look(name)
            return _matches(pieces, fold(value)) if isinstance(value, str) else None

        return holds

    def order(self, element: Element) -> tuple[Key, bool]:
        """One key of the order (§5.6); what has no such property comes first when it ascends."""
        if element.find(DAV.score) is not None:
            raise Unprocessable("results have no score; order them by a property")
        name, fold = _property(element), _fold(element)

        def key(look: Look) -> tuple[int, Value]:
            value = look(name)
            if value is None:
                return 0, ""
            return (1, value) if not isinstance(value, str) else (2, fold(value))

        return key, element.find(DAV.descending) is not None


def _property(element: Element) -> str:
    prop = element.find(DAV.prop)
    if prop is None or len(prop) != 1:
        raise BadRequest(f"{element.tag} names one property in a DAV:prop")
    return prop[0].tag


def _literal(element: Element) -> str:
    literal = element.find(DAV.literal)
    if literal is None:
        literal = element.find(DAV.typed_literal)
    if literal is None:
        raise BadRequest(f"{element.tag} has a DAV:literal")
    return literal.text or ""


def _fold(element: Element) -> Callable[[str], str]:
    """Letters are alike in any case unless ``caseless="no"`` says otherwise (§5.8)."""
    return str if element.get("caseless") == "no" else str.casefold


def _and(parts: list[Condition]) -> Condition:
    def holds(look: Look) -> Truth:
        known: Truth = True
        for part in parts:
            truth = part(look)
            if truth is False:
                return False
            known = None if truth is None else known
        return known

    return holds


def _or(parts: list[Condition]) -> Condition:
    def holds(look: Look) -> Truth:
        known: Truth = False
        for part in parts:
            truth = part(look)
            if truth is True:
                return True
            known = None if truth is None else known
        return known

    return holds


def _not(part: Condition) -> Condition:
    def holds(look: Look) -> Truth:
        truth = part(look)
        return None if truth is None else not truth

    return holds


COMPARISONS: Mapping[str, Callable[[int], bool]] = {
    DAV.eq: lambda order: order == 0,
    DAV.lt: lambda order: order < 0,
    DAV.lte: lambda order: order <= 0,
    DAV.gt: lambda order: order > 0,
    DAV.gte: lambda order: order >= 0,
}

ANY_TEXT, ANY_CHARACTER = object(), object()


def _pieces(pattern: str, fold: Callable[[str], str]) -> list[object]:
    """A pattern as its characters, folded one by one, and the two wildcards."""
    pieces: list[object] = []
    characters = iter(pattern)
    for character in characters:
        if character == "%":
            pieces += [ANY_TEXT] if not pieces or pieces[-1] is not ANY_TEXT else []
        elif character == "_":
            pieces.append(ANY_CHARACTER)
        else:
            pieces += fold(next(characters, character) if character == "\\" else character)
    return pieces


def _matches(pieces: list[object], text: str) -> bool:
    """Whether a text has a pattern; in time of the product of their lengths at most, unlike regular expressions."""
    at, piece, text_after, piece_after = 0, 0, 0, -1
    while at < len(text):
        if piece < len(pieces) and pieces[piece] is ANY_TEXT:
            piece_after, text_after = piece, at
            piece += 1
        elif piece < len(pieces) and (pieces[piece] is ANY_CHARACTER or pieces[piece] == text[at]):
            at, piece = at + 1, piece + 1
        elif piece_after >= 0:
            text_after += 1
            at, piece = text_after, piece_after + 1
        else:
            return False
    return all(rest is ANY_TEXT for rest in pieces[piece:])
