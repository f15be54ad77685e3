"""From a WSGI environment to a ``Request``: headers, decoded path, and who asks behind a trusted proxy."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterable, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from config.schema import Settings
from davserver.dav.errors import BadRequest, BodyBroken, TooLarge, UrlTooLong
from davserver.dav.message import Body, Environ, Request
from davserver.dav.target import parse_target

PROCESS = secrets.token_hex(4)  # with a running number it is a request's id; it need not be hard to guess
NUMBERS = itertools.count(1)
HEADERS = "davserver.headers"  # our own server puts the parsed header fields there, by lower-case name


class BoundedBody:
    """At most the announced number of bytes, for WSGI hosts that do not bound their input themselves."""

    def __init__(self, stream: Body, length: int) -> None:
        self._stream = stream
        self._left = length

    def read(self, size: int = -1, /) -> bytes:
        """As a file's read; raises BodyBroken when the client ends early."""
        wanted = self._left if size < 0 else min(size, self._left)
        if wanted == 0:
            return b""
        data = self._stream.read(wanted)
        if not data:
            raise BodyBroken("the body ended before its announced length")
        self._left -= len(data)
        return data


class Proxies:
    """The proxies whose ``X-Forwarded-*`` fields count."""

    def __init__(self, trusted: Iterable[str]) -> None:
        self._networks = tuple(ip_network(entry, strict=False) for entry in trusted)
        self.trusts = lru_cache(maxsize=1024)(self._trusts)

    def _trusts(self, address: str) -> bool:
        ip = _parsed(address)
        return ip is not None and any(ip in network for network in self._networks)

    def client(self, peer: str, headers: Mapping[str, str]) -> str:
        """The address of the client: the last one in X-Forwarded-For that is not a trusted proxy itself."""
        if not self._networks or not self.trusts(peer):
            return peer
        for entry in reversed(headers.get("x-forwarded-for", "").split(",")):
            address = entry.strip().strip("[]")
            if address and not self.trusts(address):
                return address if _parsed(address) is not None else peer
        return peer

    def forwarded(self, name: str, peer: str, headers: Mapping[str, str]) -> str | None:
        """A field such as ``x-forwarded-proto`` if a trusted proxy sent it; of several values the last."""
        if not self._networks or not self.trusts(peer):
            return None
        return headers.get(name, "").rpartition(",")[2].strip() or None

    def scheme(self, peer: str, own: str, headers: Mapping[str, str]) -> str:
        """
        How the client reached us: what a trusted proxy says, else ``https`` from one and ``own`` from everybody else.

        A proxy that is trusted and says nothing is taken to do the TLS it is there for.
        """
        said = self.forwarded("x-forwarded-proto", peer, headers)
        return (said or ("https" if self._networks and self.trusts(peer) else own)).lower()


def build_request(environ: Environ, settings: Settings, proxies: Proxies) -> Request:
    """
    The request as the handlers see it.

    Raises:
        BadRequest: target or length cannot be read.
        TooLarge: the body is longer than anything this server stores.
        UrlTooLong: the target is longer than the configured limit.
    """
    headers = headers_of(environ)
    target = target_of(environ)
    if len(target) > settings.limits.url_bytes:
        raise UrlTooLong(f"the URL has {len(target)} bytes; {settings.limits.url_bytes} are read here")
    length = length_of(environ)
    if length is not None and length > settings.limits.upload_bytes:
        raise TooLarge(f"the body has {length} bytes; {settings.limits.upload_bytes} are stored at most")
    peer = plain_address(environ.get("REMOTE_ADDR", ""))
    host = proxies.forwarded("x-forwarded-host", peer, headers) or headers.get("host", "")
    return Request(
        id=f"{PROCESS}{next(NUMBERS):08x}",
        method=environ["REQUEST_METHOD"],
        path=parse_target(target),
        headers=headers,
        body=_body(environ, length),
        content_length=length,
        remote=proxies.client(peer, headers),
        scheme=proxies.scheme(peer, environ.get("wsgi.url_scheme", "http"), headers),
        host=host,
        environ=environ,
    )


def headers_of(environ: Environ) -> Mapping[str, str]:
    """Header fields by lower-case name."""
    given: Mapping[str, str] | None = environ.get(HEADERS)
    if given is not None:
        return given
    fields = {key[5:].replace("_", "-").lower(): value for key, value in environ.items() if key.startswith("HTTP_")}
    for key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(key):
            fields[key.replace("_", "-").lower()] = environ[key]
    return fields


def target_of(environ: Environ) -> str:
    """The request target as it came; a host that does not hand it over gives the decoded path, whose ``%`` is data."""
    raw = environ.get("REQUEST_URI") or environ.get("RAW_URI")
    if raw is not None:
        return str(raw)
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    return str(path.replace("%", "%25").replace("?", "%3F").replace("#", "%23")) or "/"


def length_of(environ: Environ) -> int | None:
    """The announced length of the body; None for a chunked one, 0 without a body."""
    if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        return None
    text = environ.get("CONTENT_LENGTH") or "0"
    if not (text.isascii() and text.isdigit()):
        raise BadRequest(f"Content-Length is {text[:20]!r}; it is a number of bytes")
    return int(text)


def _body(environ: Environ, length: int | None) -> Body:
    stream: Body = environ["wsgi.input"]
    if environ.get("wsgi.input_terminated") or length is None:
        return stream
    return BoundedBody(stream, length)


@lru_cache(maxsize=1024)
def plain_address(text: str) -> str:
    """An address as people write it: a server that listens on ``::`` sees IPv4 clients as ``::ffff:192.0.2.7``."""
    ip = _parsed(text)
    return str(ip) if isinstance(ip, IPv4Address) else text


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    """An address, the IPv4 one of a mapped one; None where it is none."""
    try:
        ip = ip_address(text)
    except ValueError:
        return None
    return getattr(ip, "ipv4_mapped", None) or ip
