"""
The access log: one line a request, on standard output, as text or JSON.

::

    2026-11-25T10:00:00.123Z 8f3a… 192.0.2.7 alice PUT /files/Sport/plan.txt 204 0 3.1

The fields are time, request id, address, member, method, path, status, bytes sent and milliseconds. Passwords and
bodies never get here, and a public link's token is masked: whoever reads the log cannot use the link.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal, TextIO

from davserver.dav.message import quote_path

# A path that was refused before it was read may hold more slashes, or more before them; so may a mistyped one.
_LINK = re.compile(r"^/+p/+[^/]+|/(?:p|%70)/+[\w%-]{22,}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One request that has been answered; ``at_s`` in Unix seconds, ``path`` decoded."""

    at_s: float
    id: str
    remote: str
    member: str | None
    method: str
    path: str
    status: int
    bytes: int
    milliseconds: float


class AccessLog:
    """Writes entries; a line is one write, so lines of several threads do not mix."""

    def __init__(self, style: Literal["text", "json"], stream: TextIO | None = None) -> None:
        self._render: Callable[[Entry], str] = render_json if style == "json" else render_text
        self._stream = stream or sys.stdout

    def write(self, entry: Entry) -> None:
        """Write one line; a log that cannot be written (a closed pipe) does not fail the request."""
        try:
            self._stream.write(self._render(entry) + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            pass  # nobody listens


def render_text(entry: Entry) -> str:
    """A line of fields with a blank between them; what could break the line is percent-encoded."""
    member = quote_path(entry.member) if entry.member else "-"
    return (
        f"{_time(entry.at_s)} {entry.id} {entry.remote or '-'} {member} {entry.method} "
        f"{quote_path(masked(entry.path))} {entry.status} {entry.bytes} {entry.milliseconds:.1f}"
    )


def render_json(entry: Entry) -> str:
    """The same fields as one JSON object."""
    return json.dumps(
        {
            "time": _time(entry.at_s),
            "id": entry.id,
            "address": entry.remote,
            "member": entry.member,
            "method": entry.method,
            "path": masked(entry.path),
            "status": entry.status,
            "bytes": entry.bytes,
            "ms": round(entry.milliseconds, 1),
        },
        ensure_ascii=False,
    )


def masked(path: str) -> str:
    """The path with what is or looks like the token of a public link (``/p/<token>/…``) replaced."""
    return _LINK.sub("/p/***", path)


def _time(at_s: float) -> str:
    whole_s = int(at_s)
    return f"{_second(whole_s)}.{int((at_s - whole_s) * 1000):03d}Z"


@lru_cache(maxsize=4)
def _second(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%S")
