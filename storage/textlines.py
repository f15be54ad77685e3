"""Content lines that the server writes itself (RFC 5545 §3.1)."""

from __future__ import annotations

from storage.contentlines import escape

FOLD_AT = 75  # octets of a line, its end left out


def text_value(text: str) -> str:
    """A TEXT value of this text (RFC 5545 §3.3.11), without the control characters that no line can carry."""
    return escape("".join(c for c in text if c >= " " or c in "\n\t"))


def folded(line: str) -> bytes:
    """A content line as bytes: folded between characters at 75 octets, with its end."""
    data = line.encode("utf-8", "replace")
    if len(data) <= FOLD_AT:
        return data + b"\r\n"
    pieces, start = list[bytes](), 0
    while start < len(data):
        end = min(len(data), start + (FOLD_AT if start == 0 else FOLD_AT - 1))
        while end < len(data) and data[end] & 0xC0 == 0x80:  # within a character
            end -= 1
        pieces.append(data[start:end])
        start = end
    return b"\r\n ".join(pieces) + b"\r\n"
