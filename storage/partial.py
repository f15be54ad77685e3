"""A part of an item, as a report asks for it (RFC 4791 §9.6.1 to §9.6.4, RFC 6352 §10.4.2): lines kept or left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element


@dataclass(frozen=True, slots=True)
class Selection:
    """
    What of a component is wanted; None means all of it.

    Attributes:
        names: properties by upper-case name; the value says whether the value itself is wanted.
        components: by upper-case name.
    """

    names: Mapping[str, bool] | None
    components: Mapping[str, Selection] | None

    @classmethod
    def parse(cls, element: Element) -> Selection | None:
        """The selection in a ``calendar-data`` or ``address-data`` element; None where it names no part."""
        comps = [child for child in element if child.tag.endswith("}comp")]
        if comps:
            return cls({}, {comp.get("name", "").upper(): _component(comp) for comp in comps})
        if any(child.tag.endswith("}prop") for child in element):
            return cls({}, {"VCARD": _component(element)})
        return None


def select_parts(data: bytes, selection: Selection) -> bytes:
    """The wanted lines of an item, each as it is stored."""
    kept: list[bytes] = []
    stack: list[Selection | None] = [selection]
    keeping = False
    for line in data.splitlines(keepends=True):
        if line[:1] in (b" ", b"\t"):
            if keeping:
                kept.append(line)
            continue
        name, _, value = line.decode("utf-8", "replace").strip().partition(":")
        name = name.partition(";")[0].upper()
        if name == "BEGIN":
            inner = _inner(stack[-1], value.strip().upper())
            stack.append(inner)
            keeping = inner is not None
            if keeping:
                kept.append(line)
        elif name == "END":
            ended = stack.pop() if len(stack) > 1 else None
            keeping = ended is not None
            if keeping:
                kept.append(line)
        else:
            keeping = _is_wanted(stack[-1], name.rpartition(".")[2])
            if keeping:
                kept.append(_without_value(line, stack[-1], name))
                keeping = kept[-1] is line
    return b"".join(kept)


EVERYTHING = Selection(None, None)


def _component(element: Element) -> Selection:
    names: dict[str, bool] | None = {}
    components: dict[str, Selection] | None = {}
    for child in element:
        kind = child.tag.rpartition("}")[2]
        if kind == "allprop":
            names = None
        elif kind == "allcomp":
            components = None
        elif kind == "prop" and names is not None:
            names[child.get("name", "").upper()] = child.get("novalue", "no").lower() != "yes"
        elif kind == "comp" and components is not None:
            components[child.get("name", "").upper()] = _component(child)
    return Selection(names, components)


def _inner(outer: Selection | None, name: str) -> Selection | None:
    if outer is None:
        return None
    return EVERYTHING if outer.components is None else outer.components.get(name)


def _is_wanted(within: Selection | None, name: str) -> bool:
    return within is not None and (within.names is None or name in within.names)


def _without_value(line: bytes, within: Selection | None, name: str) -> bytes:
    if within is None or within.names is None or within.names.get(name, True):
        return line
    return name.encode() + b":\r\n"
