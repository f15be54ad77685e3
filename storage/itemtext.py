"""Content lines of the calendar objects and cards that the server itself writes (RFC 5545 §3.1, RFC 2426 §2.6)."""

from __future__ import annotations

import re

from storage.contentlines import escape

FOLD_AT = 75  # octets of a line, its end not counted
PRODUCT = "-//davserver//EN"
_UNCARRIABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]+")


def render_lines(*lines: str) -> bytes:
    """Lines as bytes, folded between characters and each ended with CRLF."""
    return b"".join(_folded(line.encode()) for line in lines)


def text_value(text: str) -> str:
    """A TEXT value of one line: white space joined, what no item can carry left out (RFC 5545 §3.3.11)."""
    return escape(" ".join(_UNCARRIABLE.sub(" ", text).split()))


def _folded(line: bytes) -> bytes:
    pieces, most = [], FOLD_AT
    while len(line) > most:
        at = most
        while line[at] & 0xC0 == 0x80:  # within a character
            at -= 1
        pieces.append(line[:at])
        line, most = line[at:], FOLD_AT - 1
    return b"\r\n ".join([*pieces, line]) + b"\r\n"
