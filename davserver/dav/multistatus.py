"""Writing 207 answers (RFC 4918 §13) and DAV:error bodies (§16)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from davserver.dav.message import Response, quote_path, reason
from davserver.dav.names import PREFIXES
from davserver.dav.xml import open_tag, text_of

XML_HEADER = '<?xml version="1.0" encoding="utf-8"?>\n'
XMLNS = "".join(f' xmlns:{prefix}="{namespace}"' for namespace, prefix in PREFIXES.items())
XML_TYPE = ("Content-Type", "application/xml; charset=utf-8")


def href(path: str) -> str:
    """``<D:href>`` of a decoded path."""
    return f"<D:href>{text_of(quote_path(path))}</D:href>"


def propstat_response(
    path: str, found: Iterable[str], missing: Iterable[str] = (), *, forbidden: Iterable[str] = ()
) -> str:
    """
    One ``<D:response>`` with its properties.

    Args:
        path: decoded.
        found: rendered property elements, status 200; they come first (Thunderbird reads the first status only).
        missing: rendered empty elements of unknown properties, status 404.
        forbidden: rendered empty elements that may not be read, status 403.
    """
    parts = ["<D:response>", href(path)]
    blocks = [(200, "".join(found)), (404, "".join(missing)), (403, "".join(forbidden))]
    if not any(content for _, content in blocks):
        blocks = [(200, " ")]
    for status, content in blocks:
        if content:
            body = "<D:prop/>" if content == " " else f"<D:prop>{content}</D:prop>"
            parts.append(f"<D:propstat>{body}{propstat_end(status)}")
    parts.append("</D:response>")
    return "".join(parts)


def propstat_end(status: int) -> str:
    """What follows the properties of a ``D:propstat``."""
    return f"<D:status>HTTP/1.1 {reason(status)}</D:status></D:propstat>"


def status_response(path: str, status: int, condition: str = "") -> str:
    """One ``<D:response>`` that is only a status; ``condition`` is a rendered ``DAV:error`` child."""
    error = f"<D:error>{condition}</D:error>" if condition else ""
    return f"<D:response>{href(path)}<D:status>HTTP/1.1 {reason(status)}</D:status>{error}</D:response>"


def multistatus(responses: Iterable[str], tail: str = "") -> Response:
    """A 207 that streams its responses; ``tail`` follows the last one (a ``D:sync-token``)."""

    def chunks() -> Iterator[bytes]:
        buffer = [f"{XML_HEADER}<D:multistatus{XMLNS}>"]
        size = 0
        for response in responses:
            buffer.append(response)
            size += len(response)
            if size > 65536:
                yield "".join(buffer).encode()
                buffer, size = [], 0
        buffer.append(f"{tail}</D:multistatus>\n")
        yield "".join(buffer).encode()

    return Response(207, [XML_TYPE], chunks())


def error_response(status: int, condition: str, content: str = "", *, message: str = "") -> Response:
    """
    An answer with a ``DAV:error`` body (RFC 4918 §16).

    Args:
        condition: Clark name of the precondition element.
        content: XML within it, such as a rendered href.
        message: one sentence for a person, in a ``responsedescription`` beside the condition.
    """
    said = f"<D:responsedescription>{text_of(message)}</D:responsedescription>" if message else ""
    body = f"{XML_HEADER}<D:error{XMLNS}>{open_tag(condition, content)}{said}</D:error>\n"
    return Response(status, [XML_TYPE], body.encode())
