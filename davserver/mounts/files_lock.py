"""LOCK at ``/files/`` (RFC 4918 §9.10)."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from davserver.dav.depth import Depth, parse_depth
from davserver.dav.errors import BadRequest
from davserver.dav.message import Response
from davserver.dav.multistatus import XML_HEADER, XML_TYPE, XMLNS
from davserver.dav.names import DAV
from davserver.dav.timeout import parse_timeout
from davserver.dav.xml import parse_xml, read_body, render_element
from davserver.mounts.files_call import Call
from davserver.mounts.files_properties import Scene, render_lockdiscovery
from storage.errors import NotLocked
from storage.fileterms import Claim
from storage.objectfiles import lock_timeout_s

LONGEST_OWNER_BYTES = 8 * 1024


def lock(call: Call) -> Response:
    """Grant a lock, or without a body refresh one."""
    limits = call.settings.limits
    body = read_body(call.request, limits.xml_bytes)
    root = parse_xml(body, max_depth=limits.xml_depth, max_elements=limits.xml_elements)
    timeout_s = parse_timeout(
        call.request.header("timeout"), default_s=limits.lock_timeout_s, longest_s=limits.lock_longest_s
    )
    if root is None:
        return _refresh(call, timeout_s)
    depth = parse_depth(call.request.header("depth"), default=Depth.INFINITY, allowed=(Depth.ZERO, Depth.INFINITY))
    exclusive, owner_xml = parse_lockinfo(root)
    claim = Claim(depth is Depth.INFINITY, exclusive, owner_xml, timeout_s)
    granted, created = call.files.lock(call.path, call.terms(), claim)
    answer = _lockdiscovery(call, 201 if created else 200)
    answer.headers.append(("Lock-Token", f"<{granted.token}>"))
    return answer


def parse_lockinfo(root: Element) -> tuple[bool, str]:
    """
    Whether a ``DAV:lockinfo`` asks for an exclusive lock, and its ``DAV:owner`` as XML ("" where there is none).

    Raises:
        BadRequest: it is another element, or scope or type are missing or unknown.
    """
    if root.tag != DAV.lockinfo:
        raise BadRequest(f"the body is {root.tag}; a LOCK has a DAV:lockinfo, or no body to refresh")
    scopes = [element.tag for scope in root.findall(DAV.lockscope) for element in scope]
    if scopes not in ([DAV.exclusive], [DAV.shared]):
        raise BadRequest("DAV:lockscope holds either DAV:exclusive or DAV:shared")
    if root.find(f"{DAV.locktype}/{DAV.write}") is None:
        raise BadRequest("DAV:locktype is not DAV:write, the only type there is")
    owner = root.find(DAV.owner)
    if owner is None:
        return scopes == [DAV.exclusive], ""
    owner.tail = None
    owner_xml = render_element(owner)
    if len(owner_xml) > LONGEST_OWNER_BYTES:
        raise BadRequest(f"DAV:owner is longer than {LONGEST_OWNER_BYTES} bytes")
    return scopes == [DAV.exclusive], owner_xml


def _refresh(call: Call, timeout_s: int) -> Response:
    """Start the time of a lock anew; it is named by the If header and Depth does not matter (§9.10.2)."""
    locks = call.session.store.locks
    tokens = call.if_header.lock_tokens
    if not tokens:
        raise BadRequest("a LOCK without body refreshes a lock; name its token in an If header")
    name = call.session.principal.name
    own = [lock for lock in locks.covering(call.path) if lock.token in tokens and lock.principal == name]
    if not own:
        raise NotLocked("none of the tokens in the If header is a lock of yours on this resource")
    call.require_conditions(call.find())
    for each in own:
        locks.refresh(each.token, lock_timeout_s(each.path, timeout_s))
    return _lockdiscovery(call, 200)


def _lockdiscovery(call: Call, status: int) -> Response:
    discovery = render_lockdiscovery(Scene(call), call.get())
    return Response(status, [XML_TYPE], f"{XML_HEADER}<D:prop{XMLNS}>{discovery}</D:prop>\n".encode())
