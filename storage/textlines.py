"""Content lines that the server writes itself (RFC 5545 §3.1)."""

from __future__ import annotations

FOLD_AT = 75  # octets of a line, its end left out


def folded(line: str) -> bytes:
    """A content line as bytes: folded between characters at 75 octets, with its end."""
    data = line.encode()
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
