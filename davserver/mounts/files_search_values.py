"""What a SEARCH at ``/files/`` can look at: the properties that are searched, as values, and as the schema tells it."""

from __future__ import annotations

from collections.abc import Callable

from davserver.dav.conditional import parse_http_date
from davserver.dav.conditions import Structured, Value
from davserver.dav.multistatus import XMLNS
from davserver.dav.names import DAV
from davserver.dav.xml import open_tag, parse_xml
from davserver.mounts.files_properties import LIVE, Scene
from davserver.mounts.files_read import type_of_name
from davserver.mounts.files_times import SECOND, parse_rfc3339
from storage.filetree import Node
from storage.paths import name_of

MOST_DIGITS = 20  # 2**64 has so many
STORED = 1 << 20  # elements, and how deep; what is stored was read before


class Found:
    """A resource that is asked; each of its properties is looked up once."""

    def __init__(self, scene: Scene, node: Node) -> None:
        self.scene = scene
        self.node = node
        self._known: dict[str, Value] = {}

    @property
    def is_collection(self) -> bool:
        """Whether it is a collection."""
        return self.node.is_folder

    def value(self, name: str) -> Value:
        """A property by its Clark name; dates as seconds since 1970."""
        if name not in self._known:
            read = VALUES.get(name)
            self._known[name] = _given(self, name) if read is None else read(self)
        return self._known[name]


def parse_literal(name: str, text: str) -> str | int | None:
    """A literal as the values of its property are (RFC 5323 §5.10), None where it is none of that kind."""
    if name in DATES:
        return parse_date(text.strip())
    if name in NUMBERS:
        return parse_number(text.strip())
    return text


def parse_number(text: str) -> int | None:
    """A whole number; one with more digits than any size has is still larger, or smaller, than all of them."""
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    if not (digits.isascii() and digits.isdigit()):
        return None
    return int(sign + (digits.lstrip("0")[:MOST_DIGITS] or "0"))


def parse_date(text: str) -> int | None:
    """Seconds of an HTTP date or one of RFC 3339, the two forms in which properties show dates."""
    seconds = parse_rfc3339(text)
    return parse_http_date(text) if seconds is None else seconds


def _given(found: Found, name: str) -> Value:
    """A dead property."""
    xml = found.scene.dead(found.node).get(name)
    if xml is None:
        return None
    wrapped = parse_xml(f"<all{XMLNS}>{xml}</all>".encode(), max_depth=STORED, max_elements=STORED)
    if wrapped is None or len(wrapped[0]):
        return Structured.ELEMENTS
    return wrapped[0].text or ""


def _displayname(found: Found) -> Value:
    """The name people gave it by PROPPATCH, else its name."""
    given = _given(found, DAV.displayname)
    return name_of(found.scene.call.as_asked(found.node.path)) if given is None else given


def _creationdate(found: Found) -> Value:
    given = _given(found, DAV.creationdate)
    seconds = parse_rfc3339(given) if isinstance(given, str) else None
    return found.node.created_ns // SECOND if seconds is None else seconds


def _getcontentlength(found: Found) -> Value:
    return None if found.node.member is None else found.node.member.size


def _getcontenttype(found: Found) -> Value:
    return None if found.node.is_folder else type_of_name(found.node.name)


def _getetag(found: Found) -> Value:
    etag = found.scene.etag(found.node)
    return None if etag is None else f'"{etag}"'


VALUES: dict[str, Callable[[Found], Value]] = {
    DAV.displayname: _displayname,
    DAV.getcontentlength: _getcontentlength,
    DAV.getcontenttype: _getcontenttype,
    DAV.getetag: _getetag,
    DAV.getlastmodified: lambda found: found.node.modified_ns // SECOND,
    DAV.creationdate: _creationdate,
    DAV.resourcetype: lambda found: Structured.ELEMENTS if found.node.is_folder else "",
}
UNSEARCHED = frozenset(LIVE).difference(VALUES)  # what would have to be worked out for each resource
NUMBERS = frozenset({DAV.getcontentlength})
DATES = frozenset({DAV.getlastmodified, DAV.creationdate})
KINDS = {
    # as XML Schema names them (§5.19.3)
    DAV.displayname: "string",
    DAV.getcontentlength: "unsignedLong",
    DAV.getcontenttype: "string",
    DAV.getetag: "string",
    DAV.getlastmodified: "dateTime",
    DAV.creationdate: "dateTime",
}


def _propdesc(name: str) -> str:
    kind = KINDS.get(name)
    typed = "" if kind is None else f"<D:datatype><xs:{kind}/></D:datatype>"
    searched = "" if name in UNSEARCHED else "<D:searchable/>"
    ordered = "" if kind is None else "<D:sortable/>"
    caseless = "<D:caseless/>" if kind == "string" else ""
    return (
        f"<D:propdesc><D:prop>{open_tag(name)}</D:prop>{typed}{searched}<D:selectable/>{ordered}{caseless}</D:propdesc>"
    )


# §5.19: the operators are those that a server may leave out.
SCHEMA = (
    '<D:basicsearchschema xmlns:xs="http://www.w3.org/2001/XMLSchema"><D:properties>'
    + "".join(map(_propdesc, (*VALUES, *sorted(UNSEARCHED))))
    + "<D:propdesc><D:any-other-property/><D:searchable/><D:selectable/><D:sortable/><D:caseless/></D:propdesc>"
    "</D:properties><D:operators><D:opdesc><D:like/><D:operand-property/><D:operand-literal/></D:opdesc></D:operators>"
    "</D:basicsearchschema>"
)
