"""Values that stand encoded in a line: base64, quoted-printable, and ``data:`` URIs (RFC 2426 §2.4.1, RFC 2397)."""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

# Some writers escape the commas and semicolons of a URI, as RFC 6350 §8 itself does.
_DATA_URI = re.compile(r"data:([^,;\\]*)((?:\\?;[^,;\\]*)*?)(\\?;base64)?\\?,(.*)", re.IGNORECASE | re.DOTALL)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]*={0,2}")


class Media(NamedTuple):
    """Bytes in base64 and their media type, "" where none is said."""

    type: str
    base64: str


def text_of_base64(value: str) -> str | None:
    """The text that base64 stands for, None where it is not base64 or not text."""
    try:
        return base64.b64decode("".join(value.split()), validate=True).decode()
    except ValueError:  # also what is not UTF-8
        return None


def text_of_quoted_printable(value: str, charset: str) -> str:
    """The text of a value as vCard 2.1 encodes it, its line ends as they stand in TEXT."""
    data = quopri.decodestring(value.encode())
    try:
        text = data.decode(charset or "utf-8")
    except (LookupError, ValueError):
        text = data.decode("utf-8", "replace")
    return text.replace("\r\n", "\n").replace("\n", "\\n")


def parse_data_uri(value: str) -> Media | None:
    """What a ``data:`` URI holds; None for any other value."""
    match = _DATA_URI.fullmatch(value)
    if match is None:
        return None
    content = "".join(match[4].split())
    if not match[3]:
        try:
            content = base64.b64encode(unquote_to_bytes(content)).decode()
        except (ValueError, binascii.Error):
            return None
    return Media(match[1].lower(), content) if _BASE64.fullmatch(content) else None


def render_data_uri(media: Media) -> str:
    """The ``data:`` URI of some bytes."""
    return f"data:{media.type};base64,{media.base64}"
