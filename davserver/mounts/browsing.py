"""
How browsers are to treat what members store: nothing of it acts with the credentials that a browser holds for us.

What can run scripts or send forms is saved instead of shown; all else that a browser shows is a page of an origin of
its own, without scripts. The pages of a public link are shown, and may load pictures and styles from their own server
and send forms to it (``PAGE_POLICY``): no member's credentials count there.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from auth.rules import Link
from davserver.dav.message import Request

Header = tuple[str, str]

SANDBOX: Header = ("Content-Security-Policy", "sandbox")
PAGES = frozenset({"text/html", "application/xhtml+xml"})
# What browsers run or render with scripts in it; a picture of this kind is still shown within a page.
ACTIVE = PAGES | frozenset(
    {"image/svg+xml", "text/xml", "application/xml", "application/xslt+xml", "application/rdf+xml", "multipart/related"}
)
# Browsers show it with a program of their own that keeps it from the page's origin, and not at all in a sandbox.
SHOWN_APART = frozenset({"application/pdf"})
PAGE_POLICY = (
    "sandbox allow-forms; default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; form-action {origin}"
)
# Pages of other sites may read what is published: nobody's credentials count there, and whoever has the link may show
# it to the world. A page of the link itself, without an origin in its sandbox, is another site to its own fonts.
ANY_PAGE: tuple[Header, ...] = (("Access-Control-Allow-Origin", "*"), ("Access-Control-Expose-Headers", "ETag"))
_HOST = re.compile(r"[A-Za-z0-9.\-_]+(:[0-9]+)?|\[[0-9A-Fa-f:.]+\](:[0-9]+)?")


def browser_headers(media_type: str, name: str) -> list[Header]:
    """The headers of a file that is not one of a public link's pages."""
    if media_type in SHOWN_APART:
        return []
    return [SANDBOX, attachment(name)] if media_type in ACTIVE or media_type.endswith("+xml") else [SANDBOX]


def page_headers(request: Request) -> list[Header]:
    """The headers of a page of a public link."""
    origin = f"{request.scheme}://{request.host}" if _HOST.fullmatch(request.host) else "'none'"
    return [("Content-Security-Policy", PAGE_POLICY.format(origin=origin))]


def shared_headers(link: Link) -> list[Header]:
    """Who may keep what a public link shows, and show it: anybody, unless it has a password."""
    if link.password is not None:
        return [("Cache-Control", "private, no-cache")]
    return [("Cache-Control", "no-cache"), *ANY_PAGE]


def attachment(name: str) -> Header:
    """Under which name a browser saves a file (RFC 6266 §4)."""
    name = "".join(c if c.isprintable() and c != "/" else "_" for c in name)
    plain = "".join(c if (c.isalnum() and c.isascii()) or c in "._-" else "_" for c in name)
    return "Content-Disposition", f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
