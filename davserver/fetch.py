"""
Fetching a document from an address that a member named, without lending the member this machine's place in the network.

A name is looked up once, every address that it has is judged, and the connection goes to one that was judged: a second
look-up could answer with the router or the printer. Each redirect is judged again from the beginning. No cookies, no
proxies, no credentials but those that stand in the URL itself.
"""

from __future__ import annotations

import base64
import http.client
import ipaddress
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Sequence[str]]

MOST_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
SCHEMES = {"https": 443, "http": 80, "webcal": 443, "webcals": 443}  # webcal is what calendar links say for https
LONGEST_URL = 2000  # characters
AT_ONCE = 64 << 10
TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")  # an IPv4 address as NAT64 writes it (RFC 6052 §2.1)


class FetchFailed(Exception):
    """The document did not come; says why in one sentence, without what is secret in the URL."""


@dataclass(frozen=True, slots=True)
class Terms:
    """
    What a fetch may cost.

    Attributes:
        most_bytes: of the document, unpacked.
        timeout_s: for all of it, redirects included.
        allowed: networks that are reached although they are not public.
    """

    most_bytes: int
    timeout_s: float
    allowed: tuple[Network, ...] = ()


@dataclass(frozen=True, slots=True)
class Fetched:
    """
    A document.

    Attributes:
        data: None where it is still the one that the validators name (RFC 9110 §15.4.5).
        etag, modified: the fields ``ETag`` and ``Last-Modified`` as they came, to be sent with the next fetch.
    """

    data: bytes | None
    etag: str = ""
    modified: str = ""


def look_up(host: str, port: int) -> Sequence[str]:
    """The addresses of a name, as the machine's resolver gives them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def parse_source(url: str) -> SplitResult:
    """
    The URL of a document that can be fetched, ``webcal`` replaced by ``https``.

    Raises:
        ValueError: says what was found and what would work.
    """
    url = url.strip()
    if len(url) > LONGEST_URL or not url.isascii() or any(c.isspace() or ord(c) < 33 for c in url):
        raise ValueError(f"the address is longer than {LONGEST_URL} characters or holds some that a URL cannot")
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    if scheme not in SCHEMES or not parts.hostname:
        raise ValueError("the address begins with https://, http:// or webcal:// and names a host")
    port = SCHEMES[scheme] if parts.port is None else parts.port  # parts.port raises ValueError itself
    if port < 1024 and port not in (80, 443):
        raise ValueError(f"port {port} is no port of calendars; it can be 80, 443 or above 1023")
    return parts._replace(scheme="https" if scheme.startswith("webcal") else scheme, fragment="")


def fetch(url: str, terms: Terms, *, etag: str = "", modified: str = "", resolve: Resolve = look_up) -> Fetched:
    """
    Get a document by HTTP.

    Args:
        etag, modified: of the document that is at hand; an empty text where there is none.

    Raises:
        FetchFailed: there is no such host, it is not public, it answers something else, or the terms are exceeded.
    """
    ends_at = time.monotonic() + terms.timeout_s
    try:
        parts = parse_source(url)
        secret = _credentials(parts)
        for _ in range(MOST_REDIRECTS + 1):
            with _answer(parts, secret, terms, ends_at, (etag, modified), resolve) as response:
                if response.status not in REDIRECTS:
                    found = _read(response, terms)
                    if time.monotonic() >= ends_at:  # what has no length just ends when it is cut
                        raise TimeoutError
                    return found
                target = parse_source(urljoin(parts._replace(netloc=_host_of(parts)).geturl(), _location(response)))
            if parts.scheme == "https" and target.scheme == "http":
                raise FetchFailed("it leads from https:// to http://, where anybody on the way could change it")
            if _host_of(target) != _host_of(parts) or target.scheme != parts.scheme:
                secret = ""
            parts = target
    except (OSError, http.client.HTTPException, ValueError, zlib.error) as error:
        late = time.monotonic() >= ends_at
        said = f"it did not come within {terms.timeout_s:.0f} s" if late else str(error) or type(error).__name__
        raise FetchFailed(said) from error
    raise FetchFailed(f"it leads from address to address more than {MOST_REDIRECTS} times")


def public_addresses(addresses: Sequence[str], allowed: Sequence[Network]) -> list[Address]:
    """
    The addresses of a name, each of which can be reached by a fetch.

    Raises:
        FetchFailed: one of them is of a network that is not public and not allowed. Not even the others are then
            used: whoever runs the name means this machine's own network.
    """
    found = [ipaddress.ip_address(address.partition("%")[0]) for address in addresses]
    for address in found:
        if not _is_public(address) and not any(address in network for network in allowed):
            raise FetchFailed("its host is not in the public network")
    if not found:
        raise FetchFailed("its host has no address")
    return found


def _is_public(address: Address) -> bool:
    inner = address
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            inner = address.ipv4_mapped
        elif address.sixtofour is not None:
            inner = address.sixtofour
        elif address in TRANSLATED:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        elif address.teredo is not None or address.is_site_local:
            return False
    return inner.is_global and not inner.is_multicast and not inner.is_reserved


@contextmanager
def _answer(
    parts: SplitResult,
    secret: str,
    terms: Terms,
    ends_at: float,
    validators: tuple[str, str],
    resolve: Resolve,
) -> Iterator[http.client.HTTPResponse]:
    """The answer to one GET; the connection is closed on leaving, and at the latest when the time is over."""
    host, port = parts.hostname or "", parts.port or SCHEMES[parts.scheme]
    addresses = public_addresses(resolve(host, port), terms.allowed)
    opened = [_connect(addresses, port, ends_at)]
    watch = threading.Timer(max(0.0, ends_at - time.monotonic()), _cut, [opened])
    watch.daemon = True
    watch.start()
    try:
        if parts.scheme == "https":
            context = ssl.create_default_context()
            secured = context.wrap_socket(opened[0], server_hostname=host, do_handshake_on_connect=False)
            opened[0] = secured
            secured.do_handshake()
        connection = http.client.HTTPConnection(host, port)
        connection.sock = opened[0]
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.putrequest("GET", target, skip_host=True, skip_accept_encoding=True)
        for name, value in _headers(parts, secret, validators):
            connection.putheader(name, value)
        connection.endheaders()
        yield connection.getresponse()
    finally:
        watch.cancel()
        opened[0].close()


def _connect(addresses: Sequence[Address], port: int, ends_at: float) -> socket.socket:
    failure: OSError | None = None
    for address in addresses:
        try:
            return socket.create_connection((str(address), port), timeout=max(0.1, ends_at - time.monotonic()))
        except OSError as error:
            failure = error
    raise failure or OSError("its host has no address")


def _cut(opened: Sequence[socket.socket]) -> None:
    try:
        opened[0].shutdown(socket.SHUT_RDWR)  # a read that waits ends with it, which closing alone would not do
    except OSError:
        pass


def _headers(parts: SplitResult, secret: str, validators: tuple[str, str]) -> Iterator[tuple[str, str]]:
    yield "Host", _host_of(parts)
    yield "User-Agent", "davserver"
    yield "Accept", "text/calendar, */*;q=0.1"
    yield "Accept-Encoding", "gzip"
    yield "Connection", "close"
    if secret:
        yield "Authorization", secret
    for name, value in zip(("If-None-Match", "If-Modified-Since"), validators, strict=True):
        if value:
            yield name, value


def _host_of(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]


def _credentials(parts: SplitResult) -> str:
    userinfo, at, _ = parts.netloc.rpartition("@")
    return "Basic " + base64.b64encode(unquote(userinfo).encode()).decode() if at else ""


def _location(response: http.client.HTTPResponse) -> str:
    location = response.headers.get("Location", "")
    if not location:
        raise FetchFailed(f"it answers {response.status} without saying where it is")
    return location


def _read(response: http.client.HTTPResponse, terms: Terms) -> Fetched:
    if response.status == 304:
        return Fetched(None)
    if response.status != 200:
        raise FetchFailed(f"its host answers {response.status}")
    coding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if coding not in ("identity", "gzip", "x-gzip"):
        raise FetchFailed(f"it comes packed as {coding[:20]}, which was not asked for")
    unpacker = None if coding == "identity" else zlib.decompressobj(wbits=31)
    found = bytearray()
    while packed := response.read(AT_ONCE):
        found += packed if unpacker is None else unpacker.decompress(packed, terms.most_bytes + 1 - len(found))
        if len(found) > terms.most_bytes:
            raise FetchFailed(f"it is larger than {terms.most_bytes} bytes")
    if response.length or (unpacker is not None and not unpacker.eof):
        raise FetchFailed("it ended in the middle")
    return Fetched(bytes(found), response.headers.get("ETag", ""), response.headers.get("Last-Modified", ""))
