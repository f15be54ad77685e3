"""Reading XML from the network (RFC 4918 §8.2, §17), bounded and without DTDs, and writing elements as bytes."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, TreeBuilder
from xml.sax.saxutils import escape

from defusedxml.ElementTree import DefusedXMLParser
from defusedxml.ElementTree import ParseError as XMLParseError

from davserver.dav.errors import BadRequest, TooLarge
from davserver.dav.message import Request
from davserver.dav.names import PREFIXES, split

NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # XML 1.0 §2.2
NOT_XML_BYTES = bytes(set(range(32)) - set(b"\t\n\r"))
ATTRIBUTE_ESCAPES = {'"': "&quot;", "\n": "&#10;", "\t": "&#9;", "\r": "&#13;"}


class _Bounded(TreeBuilder):
    """Builds the tree until it is deeper or larger than allowed."""

    def __init__(self, max_depth: int, max_elements: int) -> None:
        super().__init__()
        self._depth = 0
        self._left = max_elements
        self._max_depth = max_depth

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        self._depth += 1
        self._left -= 1
        if self._depth > self._max_depth or self._left < 0:
            raise TooLarge("the XML is deeper or has more elements than this server reads")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag)


def parse_xml(data: bytes, *, max_depth: int = 64, max_elements: int = 10_000) -> Element | None:
    """
    The root element of a request body, or None for an empty body (an allprop, RFC 4918 §9.1).

    Raises:
        BadRequest: it is not well-formed or holds a DTD or entity.
        TooLarge: it is deeper or has more elements than allowed.
    """
    if not data.strip():
        return None
    parser = DefusedXMLParser(target=_Bounded(max_depth, max_elements), forbid_dtd=True)
    try:
        parser.feed(data)
        root: Element = parser.close()
    except (XMLParseError, ValueError, LookupError) as error:  # defusedxml's refusals are ValueErrors
        raise BadRequest(f"the body is not XML that can be read: {error}") from error
    return root


def read_body(request: Request, max_bytes: int) -> bytes:
    """The whole body of a request that is small by nature. Raises TooLarge above ``max_bytes``."""
    if request.content_length is not None and request.content_length > max_bytes:
        raise TooLarge(f"the body has {request.content_length} bytes; {max_bytes} are read here")
    data = request.body.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise TooLarge(f"the body is longer than the {max_bytes} bytes that are read here")
    return data


def text_of(value: str) -> str:
    """Text made safe between tags; characters that XML 1.0 cannot hold become U+FFFD."""
    return escape(NOT_XML.sub("\ufffd", value))


def text_of_bytes(data: bytes) -> str:
    """As ``text_of``, of UTF-8; carriage returns stay ones, which a parser would else take out (XML 1.0 §2.11)."""
    # Telling that all can stand in XML is five times as fast in bytes.
    is_clean = len(data.translate(None, NOT_XML_BYTES)) == len(data) and b"\xef\xbf" not in data
    text = data.decode("utf-8", "replace")
    return (escape(text) if is_clean else text_of(text)).replace("\r", "&#13;")


def attribute(value: str) -> str:
    """Text made safe within a double-quoted attribute."""
    return escape(value, ATTRIBUTE_ESCAPES)


def render_element(element: Element) -> str:
    """An element as text; every namespace is declared where it is used first, so the text can be pasted anywhere."""
    parts: list[str] = []
    _render(element, dict(PREFIXES), parts)
    return "".join(parts)


def open_tag(clark: str, content: str = "") -> str:
    """``{DAV:}href`` and its content as ``<D:href>…</D:href>``; content is already XML."""
    namespace, name = split(clark)
    prefix = PREFIXES.get(namespace)
    if prefix is not None:
        return f"<{prefix}:{name}>{content}</{prefix}:{name}>" if content else f"<{prefix}:{name}/>"
    if not namespace:
        return f'<{name} xmlns="">{content}</{name}>' if content else f'<{name} xmlns=""/>'
    start = f'<x:{name} xmlns:x="{attribute(namespace)}"'
    return f"{start}>{content}</x:{name}>" if content else f"{start}/>"


def _render(element: Element, prefixes: dict[str, str], parts: list[str]) -> None:
    namespace, name = split(element.tag)
    declared = ""
    if namespace and namespace not in prefixes:
        prefixes = {**prefixes, namespace: f"x{len(prefixes)}"}
        declared = f' xmlns:{prefixes[namespace]}="{attribute(namespace)}"'
    tag = f"{prefixes[namespace]}:{name}" if namespace else name
    parts.append(f"<{tag}{declared}")
    for key, value in element.attrib.items():
        attribute_namespace, attribute_name = split(key)
        if attribute_namespace == "http://www.w3.org/XML/1998/namespace":
            attribute_name = f"xml:{attribute_name}"
        elif attribute_namespace:
            parts.append(f' xmlns:y="{attribute(attribute_namespace)}"')
            attribute_name = f"y:{attribute_name}"
        parts.append(f' {attribute_name}="{attribute(value)}"')
    if element.text or len(element):
        parts.append(">")
        parts.append(text_of(element.text or ""))
        for child in element:
            _render(child, prefixes, parts)
            parts.append(text_of(child.tail or ""))
        parts.append(f"</{tag}>")
    else:
        parts.append("/>")
