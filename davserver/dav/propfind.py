"""What a PROPFIND asks for (RFC 4918 §9.1, §14.20)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from xml.etree.ElementTree import Element

from davserver.dav.errors import BadRequest
from davserver.dav.names import DAV


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
    """

    asked: Asked
    names: tuple[str, ...] = ()


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
    lists = root.findall(DAV.include if kinds[0] is Asked.ALL else DAV.prop)
    names = (element.tag for part in lists for element in part) if kinds[0] is not Asked.NAMES else iter(())
    return PropRequest(kinds[0], tuple(dict.fromkeys(names)))
