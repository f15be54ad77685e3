"""
HTTP Basic at the door (RFC 7617): who is asking, before anything else is looked at.

Every method on ``/files/`` and ``/dav/`` answers 401 without credentials, but for what ``world`` may read: after a
207 to an anonymous PROPFIND, Explorer, GVfs and Thunderbird would never sign in.
"""

from __future__ import annotations

import base64
import binascii
import unicodedata
from functools import lru_cache
from ipaddress import ip_address

from auth.directory import Directory
from auth.principal import Principal
from auth.throttle import Throttle
from config.schema import Server
from davserver.dav.message import Request, Response

PLAIN = "This server takes passwords over https only; open the same address with https://.\n"
SIGN_IN = "Sign in with your name and password.\n"


class SignIn:
    """Turns the Authorization header into a principal, or into the answer that refuses it."""

    def __init__(self, server: Server, directory: Directory, throttle: Throttle) -> None:
        self._allow_plain_http = server.allow_plain_http
        self._challenge = f'Basic realm="{_quoted(server.realm)}", charset="UTF-8"'
        self._directory = directory
        self._throttle = throttle

    def principal(self, request: Request) -> Principal | Response | None:
        """
        The principal; None without credentials; a 401 or 403 where they are not taken.

        Raises:
            TooManyTries: too many wrong passwords for this account from this address.
        """
        header = request.header("authorization")
        if header is None:
            return None
        if not self._is_private(request):
            return Response.text(403, PLAIN)
        credentials = parse_basic(header)
        if credentials is None:
            return self.challenge(request)
        name, password = credentials
        self._throttle.require(request.remote, name)
        self._directory.reload_if_changed()
        principal = self._directory.verify(name, password)
        if principal is None:
            self._throttle.failed(request.remote, name)
            return self.challenge(request)
        self._throttle.succeeded(request.remote, name)
        return principal

    def challenge(self, request: Request) -> Response:
        """401 with the challenge; over plain HTTP a 403 instead, so that no client sends a password in the clear."""
        if not self._is_private(request):
            return Response.text(403, PLAIN)
        return Response.text(401, SIGN_IN, ("WWW-Authenticate", self._challenge))

    def _is_private(self, request: Request) -> bool:
        """Whether nobody on the way can read along."""
        return request.scheme == "https" or self._allow_plain_http or is_loopback(request.remote)


def parse_basic(header: str) -> tuple[str, str] | None:
    """
    Name and password of an Authorization header, in NFC; None where it is not Basic or cannot be read.

    UTF-8 is announced; what is not UTF-8 is taken as Latin-1, which old clients send without asking.
    """
    scheme, _, encoded = header.strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        data = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    name, colon, password = unicodedata.normalize("NFC", text).partition(":")
    return (name, password) if colon else None


@lru_cache(maxsize=1024)
def is_loopback(address: str) -> bool:
    """Whether an address is of this machine itself."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None)
    return (mapped or ip).is_loopback


def _quoted(realm: str) -> str:
    printable = "".join(c for c in realm if c.isascii() and c.isprintable())
    return printable.replace("\\", "\\\\").replace('"', '\\"')
