"""What a PROPFIND or a REPORT asks for (RFC 4918 §9.1, §14.20)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from xml.etree.ElementTree import Element

from davserver.dav.errors import BadRequest
from davserver.dav.names import DAV
from davserver.dav.xml import parse_xml

USUAL_BYTES = 4096  # a longer body is not kept to be recognised


class Asked(Enum):
    """The three kinds of question."""

    ALL = "allprop"
    NAMES = "propname"
    NAMED = "prop"


@dataclass(frozen=True, slots=True)
class PropRequest:
    """
    Properties to answer with.

    Attributes:
        names: Clark names in the order asked, each once; with ``ALL`` those of ``DAV:include``.
        elements: the elements themselves by name, for those with content such as ``calendar-data``.
    """

    asked: Asked
    names: tuple[str, ...] = ()
    elements: Mapping[str, Element] = field(default_factory=dict)


def read_propfind(data: bytes, *, max_depth: int, max_elements: int) -> PropRequest:
    """
    Read the body of a PROPFIND; what a client polls with is read once.

    Raises:
        BadRequest: it is not XML that can be read, or as ``parse_propfind``.
        TooLarge: it is deeper or has more elements than allowed.
    """
    read = _read_usual if len(data) <= USUAL_BYTES else _read
    return read(data, max_depth, max_elements)


def _read(data: bytes, max_depth: int, max_elements: int) -> PropRequest:
    return parse_propfind(parse_xml(data, max_depth=max_depth, max_elements=max_elements))


_read_usual = lru_cache(maxsize=256)(_read)


def parse_propfind(root: Element | None) -> PropRequest:
    """
    Read a ``DAV:propfind`` element; no body at all is an allprop.

    Elements that do not belong are passed over (§17).

    Raises:
        BadRequest: the root is another element, or not exactly one of prop, allprop and propname stands in it.
    """
    if root is None:
        return PropRequest(Asked.ALL)
    if root.tag != DAV.propfind:
        raise BadRequest(f"the body is {root.tag}; a PROPFIND has a DAV:propfind")
    kinds = [kind for kind in Asked for _ in root.findall(DAV(kind.value))]
    if len(kinds) != 1:
        raise BadRequest("a DAV:propfind holds one of prop, allprop and propname")
    return _with_names(root, kinds[0])


def parse_prop(root: Element) -> PropRequest:
    """The properties that a REPORT asks for (RFC 3253 §3.6 and what builds on it); none where it names none."""
    kinds = [kind for kind in Asked if root.find(DAV(kind.value)) is not None]
    return _with_names(root, kinds[0] if kinds else Asked.NAMED)


def _with_names(root: Element, asked: Asked) -> PropRequest:
    lists = {Asked.ALL: DAV.include, Asked.NAMED: DAV.prop}
    listed = root.findall(lists[asked]) if asked in lists else []
    elements = {element.tag: element for part in listed for element in part}
    return PropRequest(asked, tuple(elements), elements)
