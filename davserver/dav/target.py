"""Request targets and Destination headers (RFC 9112 §3.2, RFC 4918 §10.3) as decoded paths."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, quote, unquote_to_bytes, urljoin, urlsplit

from davserver.dav.errors import BadRequest, OtherServer

if TYPE_CHECKING:
    from config.schema import Server
    from davserver.dav.message import Request


def parse_target(target: str) -> str:
    """
    The decoded path of a request target, in NFC, beginning with ``/``; ``*`` stays ``*``.

    Percent-encoding is UTF-8. A trailing slash is kept, empty segments are dropped, query and host are not looked at.

    Raises:
        BadRequest: it is not UTF-8, not a path, or a segment cannot be a name.
    """
    if target == "*":
        return target
    if target.startswith("/"):
        raw = target.partition("?")[0]
        if "#" in raw:
            raise BadRequest("the request target holds '#'; send it as %23")
    else:
        raw = _split(target).path or "/"
    return decode_path(raw)


def decode_path(raw: str) -> str:
    """
    A percent-encoded absolute path as ``Request.path`` holds it.

    Raises:
        BadRequest: as ``parse_target``.
    """
    if not raw.startswith("/"):
        raise BadRequest("the path does not begin with a slash")
    if not raw.isascii() or "%" in raw:
        raw = _decode(raw)
    elif not raw.isprintable():
        raise BadRequest("the path holds a control character")
    if "//" in raw or "/." in raw:
        raw = _tidy(raw)
    return raw


def destination_of(request: Request, server: Server) -> str:
    """
    As ``parse_destination`` of a request's header.

    A name is this server's when it is that of Host, what a trusted proxy said in X-Forwarded-Host, or the one that the
    configuration gives (``public_url``, ``public_names``).
    """
    return parse_destination(request.header("destination"), _names(request, server))


def parse_reference(href: str, request: Request, server: Server) -> str:
    """
    The decoded path of an href in a request's body: of this server, or relative to what the request is sent to.

    Raises:
        BadRequest, OtherServer: as ``parse_destination``.
    """
    try:
        absolute = urljoin(quote(request.path), href.strip())
    except ValueError as error:
        raise BadRequest("the href cannot be read") from error
    return parse_destination(absolute, _names(request, server))


def _names(request: Request, server: Server) -> list[str]:
    names = (request.host, request.header("host") or "", server.public_url.partition("://")[2], *server.public_names)
    return [name for name in names if name]


def parse_destination(value: str | None, hosts: Collection[str]) -> str:
    """
    The decoded path of a Destination header.

    Clients send an absolute URL, an absolute path, or a URL with user and password in it. Only host names are
    compared, not scheme or port: a proxy in front often changes both, and a refusal would break every rename.

    Args:
        value: the raw header.
        hosts: the names by which this server is called, with or without port; the first is the request's Host.

    Raises:
        BadRequest: there is none or it cannot be read.
        OtherServer: it names another host.
    """
    if not value or not value.strip():
        raise BadRequest("this method needs a Destination header")
    value = value.strip()
    if value.startswith("/") and not value.startswith("//"):
        return parse_target(value)
    parts = _split(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadRequest("the Destination is neither an http URL nor an absolute path")
    if parts.hostname not in {host_name(host) for host in hosts}:
        raise OtherServer(f"the Destination is on {parts.hostname}; this server moves and copies within itself only")
    return decode_path(parts.path or "/")


def host_name(host: str) -> str:
    """The name of a Host field's value or URL authority, lower case and without user and port."""
    try:
        return urlsplit("//" + host.rpartition("@")[2]).hostname or ""
    except ValueError:
        return ""


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.hostname
    except ValueError as error:
        raise BadRequest("the URL cannot be read") from error
    return parts


def _decode(raw: str) -> str:
    if "%2f" in raw or "%2F" in raw:
        raise BadRequest("the path holds an encoded slash; a name cannot hold one")
    try:
        # servers hand raw bytes beyond ASCII over as Latin-1, libraries as text
        data = unquote_to_bytes(raw.encode("latin-1") if _is_latin1(raw) else raw)
        path = unicodedata.normalize("NFC", data.decode())
    except UnicodeError as error:
        raise BadRequest("the path is not UTF-8 in percent-encoding") from error
    if any(c < " " or c == "\x7f" for c in path):
        raise BadRequest("the path holds a control character")
    return path


def _is_latin1(raw: str) -> bool:
    return all(c <= "\xff" for c in raw)


def _tidy(path: str) -> str:
    segments = [segment for segment in path.split("/") if segment]
    if "." in segments or ".." in segments:
        raise BadRequest("the path holds '.' or '..'; send it resolved")
    tidy = "/" + "/".join(segments)
    return tidy + "/" if segments and path.endswith("/") else tidy
