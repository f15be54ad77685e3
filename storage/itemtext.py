"""Content lines of the calendar objects and cards that the server itself writes (RFC 5545 §3.1, RFC 2426 §2.6)."""

from __future__ import annotations

import re

from storage.contentlines import escape
from storage.linewriter import fold

PRODUCT = "-//davserver//EN"
_UNCARRIABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]+")


def render_lines(*lines: str) -> bytes:
    """Lines as bytes, folded between characters and each ended with CRLF."""
    return b"".join(fold(line) for line in lines)


def one_line(text: str) -> str:
    """A TEXT value of one line: white space joined, what no item can carry left out (RFC 5545 §3.3.11)."""
    return escape(" ".join(_UNCARRIABLE.sub(" ", text).split()))
