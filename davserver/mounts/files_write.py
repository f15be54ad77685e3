"""PUT, COPY, MOVE and PROPPATCH at ``/files/``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from config.schema import Limits
from davserver.dav.depth import Depth, parse_depth
from davserver.dav.digest import Verified, parse_digests
from davserver.dav.errors import BadRequest, BodyBroken, TooLarge
from davserver.dav.head import MAX_LENGTH_DIGITS
from davserver.dav.message import Request, Response, reason
from davserver.dav.multistatus import href, multistatus
from davserver.dav.names import DAV
from davserver.dav.representation import require_whole_and_uncoded
from davserver.dav.target import destination_of
from davserver.dav.xml import open_tag, parse_xml, read_body, render_element
from davserver.mounts import files_times
from davserver.mounts.files_call import Call, etag_of
from davserver.mounts.files_properties import LIVE, SETTABLE
from davserver.mounts.preferences import wants_minimal
from storage.errors import NameRefused, PlaceRefused
from storage.fileterms import Source, Upload
from storage.filetree import Node
from storage.paths import FILES, is_former, is_within
from storage.restore import restore


@dataclass(slots=True)
class Checked:
    """
    A body that ends where it should, or raises: a short one must not be stored (Finder, broken connections).

    Attributes:
        expected: bytes announced, None where nothing was.
    """

    body: Source
    expected: int | None
    most: int
    count: int = 0

    def read(self, size: int, /) -> bytes:
        """The next bytes, ``b""`` at a proper end. Raises BodyBroken, TooLarge."""
        data = self.body.read(size)
        self.count += len(data)
        if self.count > self.most:
            raise TooLarge(f"the body is longer than the {self.most} bytes that a file may have")
        if self.expected is not None and (self.count > self.expected or (not data and self.count < self.expected)):
            raise BodyBroken(f"the body has {self.count} bytes; {self.expected} were announced")
        return data


def put(call: Call) -> Response:
    """Store a file (RFC 4918 §9.7, RFC 9110 §9.3.4)."""
    upload = upload_of(call.request, call.settings.limits)
    stored = call.files.put(call.path, upload, call.terms())
    return Response.empty(201 if stored.created else 204, *stored_headers(stored.node, upload))


def upload_of(request: Request, limits: Limits, *, to_folder: bool = False) -> Upload:
    """
    The file that a PUT brings, or a POST to a folder, to be read once its place is known.

    Raises:
        BadRequest, UnsupportedMedia: it is a part of a file, coded, or has a header that cannot be read.
        NameRefused: the URL is that of a folder.
        TooLarge: more is announced than a file may have.
    """
    require_whole_and_uncoded(request.headers)
    if request.path.endswith("/") and not to_folder:
        raise NameRefused("", "is missing: the URL of a file does not end with a slash")
    modified_ns = parse_mtime(request.header("x-oc-mtime"))
    announced, most = _announced(request), limits.upload_bytes
    if announced is not None and announced > most:
        raise TooLarge(f"the body has {announced} bytes; a file may have {most}")
    return Upload(verified(request, Checked(request.body, announced, most)), announced, modified_ns)


def verified(request: Request, body: Checked) -> Source:
    """A body that is compared with the digests which the request gives of it. Raises BadRequest."""
    digests = parse_digests(request.headers)
    return Verified(body, digests) if digests else body


def stored_headers(node: Node, upload: Upload) -> list[tuple[str, str]]:
    """What the answer to a PUT tells of the file."""
    taken = [("X-OC-Mtime", "accepted")] if upload.modified_ns is not None else []
    return [("ETag", f'"{etag_of(node)}"'), *taken]


def copy(call: Call) -> Response:
    """Copy a file or tree (RFC 4918 §9.8)."""
    depth = parse_depth(call.request.header("depth"), default=Depth.INFINITY, allowed=(Depth.ZERO, Depth.INFINITY))
    created = call.files.copy(
        call.path, _target(call), call.terms(), overwrite=_overwrite(call), deep=depth is Depth.INFINITY
    )
    return Response.empty(201 if created else 204)


def move(call: Call) -> Response:
    """Move a file or tree (RFC 4918 §9.9)."""
    node = call.get()
    allowed = (Depth.INFINITY,) if node.is_folder else (Depth.ZERO, Depth.INFINITY)
    parse_depth(call.request.header("depth"), default=Depth.INFINITY, allowed=allowed)
    target, overwrite = _target(call, among=(FILES, "/dav") if is_former(call.path) else (FILES,)), _overwrite(call)
    if is_within(target, FILES):
        created = call.files.move(call.path, target, call.terms(), overwrite=overwrite)
    else:
        created = restore(call.session, node, target, call.terms(), overwrite=overwrite)
    return Response.empty(201 if created else 204)


def proppatch(call: Call) -> Response:
    """Set and remove properties, all or none (RFC 4918 §9.2)."""
    limits = call.settings.limits
    body = read_body(call.request, limits.xml_bytes)
    root = parse_xml(body, max_depth=limits.xml_depth, max_elements=limits.xml_elements)
    changes = parse_propertyupdate(root)
    node = call.get()
    refused = refusals(changes, root, limits, is_folder=node.is_folder)
    if not refused:
        texts = {name: text_in(root, name) for name, value in changes.items() if value is not None}
        kept = {name: value for name, value in changes.items() if name not in files_times.LIVE_OF_FILES}
        if not kept.keys().isdisjoint(files_times.CREATED):
            kept[DAV.creationdate] = files_times.render_created(texts)
        modified_ns = files_times.modified_ns(texts)
        most = limits.dead_properties
        call.files.set_properties(call.path, kept, call.terms(), most=most, modified_ns=modified_ns)
        if wants_minimal(call.request):
            return Response.empty(200)
        answer = [_propstat(200, "", changes)]
    else:
        call.require_conditions(node)
        answer = propstats(changes, refused)
    return multistatus([f"<D:response>{href(call.href_of(node))}{''.join(answer)}</D:response>"])


def parse_propertyupdate(root: Element | None) -> dict[str, str | None]:
    """
    The changes of a ``DAV:propertyupdate`` in document order, the last word on each name; None removes.

    Raises:
        BadRequest: it is another element, or changes nothing.
    """
    if root is None or root.tag != DAV.propertyupdate:
        raise BadRequest("a PROPPATCH has a body with a DAV:propertyupdate")
    changes = properties_in(root)
    if not changes:
        raise BadRequest("the DAV:propertyupdate sets and removes nothing")
    return changes


def properties_in(root: Element) -> dict[str, str | None]:
    """What the ``DAV:set`` and ``DAV:remove`` of an element do: Clark name to XML, None where it is removed."""
    changes: dict[str, str | None] = {}
    for instruction in root:
        if instruction.tag not in (DAV.set, DAV.remove):
            continue
        language = instruction.get(XML_LANG) or root.get(XML_LANG)
        for prop in instruction.findall(DAV.prop):
            for element in prop:
                scope = prop.get(XML_LANG) or language
                if scope and XML_LANG not in element.attrib:
                    element.set(XML_LANG, scope)  # RFC 4918 §4.3: the language in scope is part of the value
                element.tail = None
                changes[element.tag] = render_element(element) if instruction.tag == DAV.set else None
    return changes


def text_in(root: Element | None, name: str) -> str | None:
    """The text of the last ``DAV:set`` of a property, or None where it is not set."""
    path = f"{DAV.set}/{DAV.prop}/{name}"
    return None if root is None else next((element.text for element in reversed(root.findall(path))), None)


def parse_mtime(value: str | None) -> int | None:
    """
    Nanoseconds of an X-OC-Mtime header, the seconds since 1970 by which rclone and sync clients keep a file's time.

    Raises:
        BadRequest: it is no such number.
    """
    if value is None:
        return None
    try:
        seconds = float(value) if len(value) <= 32 else -1.0
    except ValueError:
        seconds = -1.0
    if not files_times.OLDEST_S <= seconds < files_times.END_S:
        raise BadRequest(f"X-OC-Mtime is {value[:40]!r}; it can be seconds since 1970, up to the year 2262")
    whole, _, part = value.strip().partition(".")
    if whole.isdigit() and (not part or part.isdigit()):
        return int(whole) * 1_000_000_000 + int((part + "0" * 9)[:9])
    return int(seconds * 1_000_000_000)


XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
PROTECTED = "<D:cannot-modify-protected-property/>"


def refusals(
    changes: dict[str, str | None], root: Element | None, limits: Limits, *, is_folder: bool
) -> dict[str, tuple[int, str]]:
    """Of some changes those that cannot be: status and condition by name."""
    return {
        name: status
        for name, value in changes.items()
        if (status := _refusal(name, value, limits, text_in(root, name), is_folder=is_folder)) is not None
    }


def propstats(changes: dict[str, str | None], refused: dict[str, tuple[int, str]]) -> list[str]:
    """The ``DAV:propstat`` of changes that were refused together, because of some of them."""
    return [_propstat(status, condition, names) for (status, condition), names in _grouped(changes, refused).items()]


def _refusal(
    name: str, value: str | None, limits: Limits, text: str | None, *, is_folder: bool
) -> tuple[int, str] | None:
    """
    Status and condition for a property that is not set: live ones are protected, huge ones and no times are not kept.
    """
    if name in files_times.LIVE_OF_FILES and value is not None and not is_folder:
        return (409, "") if files_times.is_wrong(name, text) else None
    if name in LIVE and name not in SETTABLE:
        return 403, PROTECTED
    if name.startswith("{DAV:}") and name not in SETTABLE:
        return 403, PROTECTED
    if value is not None and files_times.is_wrong(name, text):
        return 409, ""
    too_long = value is not None and len(value.encode()) > limits.dead_property_bytes
    return (507, "") if too_long else None


def _propstat(status: int, condition: str, names: Iterable[str]) -> str:
    error = f"<D:error>{condition}</D:error>" if condition else ""
    props = "".join(map(open_tag, names))
    return f"<D:propstat><D:prop>{props}</D:prop><D:status>HTTP/1.1 {reason(status)}</D:status>{error}</D:propstat>"


def _grouped(changes: dict[str, str | None], refused: dict[str, tuple[int, str]]) -> dict[tuple[int, str], list[str]]:
    groups: dict[tuple[int, str], list[str]] = {}
    for name in changes:
        groups.setdefault(refused.get(name, (424, "")), []).append(name)
    return groups


def _announced(request: Request) -> int | None:
    """The body's length by Content-Length, or by the header that Finder sends with its chunks. Raises BadRequest."""
    if request.content_length is not None:
        return request.content_length
    expected = request.header("x-expected-entity-length")
    if expected is None or not (expected.isascii() and expected.isdigit()):
        return None
    if len(expected) > MAX_LENGTH_DIGITS:
        raise BadRequest("X-Expected-Entity-Length is no number of bytes that a file can have")
    return int(expected)


def _target(call: Call, among: tuple[str, ...] = (FILES,)) -> str:
    """The canonical path of the Destination header (RFC 4918 §10.3), which lies in one of some trees."""
    target = call.session.canonical(destination_of(call.request, call.settings.server))
    if not any(is_within(target, tree) for tree in among):
        raise PlaceRefused(target, "files are copied and moved within /files/ only")
    return target


def _overwrite(call: Call) -> bool:
    """The Overwrite header (RFC 4918 §10.6)."""
    value = (call.request.header("overwrite") or "T").strip().upper()
    if value not in ("T", "F"):
        raise BadRequest(f"Overwrite is {value[:40]!r}; it can be T or F")
    return value == "T"
