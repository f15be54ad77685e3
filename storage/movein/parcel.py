"""
Trees on their way from the command to whoever holds the data folder, which may run as another account.

    parcel = *entry "{}" newline
    entry  = JSON newline *OCTET     ; {"folder": path} or {"file": path, "size": bytes, "times": [changed, made]}

The first segment of a path is the tree's number, from 0.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from storage.movein.values import File, NotUsable, Tree

CHUNK_BYTES = 256 * 1024
LONGEST_LINE = 64 << 10


@dataclass(frozen=True, slots=True)
class Entry:
    """A folder, or with ``chunks`` a file, whose bytes are to be taken before the next entry."""

    path: str
    chunks: Iterator[bytes] | None = None
    size: int = 0
    modified_ns: int | None = None
    created: str | None = None


def entries_of(trees: Sequence[Tree]) -> Iterator[Entry]:
    """All of some trees, each folder before what it holds."""
    for number, tree in enumerate(trees):
        yield Entry(str(number))
        for folder in tree.folders:
            yield Entry(f"{number}/{folder}")
        for file in tree.files:
            yield Entry(f"{number}/{file.path}", _chunks(file), file.size, file.modified_ns, file.created)


def pack(entries: Iterator[Entry]) -> Iterator[bytes]:
    """The bytes of a parcel."""
    for entry in entries:
        if entry.chunks is None:
            yield _line({"folder": entry.path})
            continue
        yield _line({"file": entry.path, "size": entry.size, "times": [entry.modified_ns, entry.created]})
        yield from entry.chunks
    yield _line({})


def unpack(stream: BinaryIO) -> Iterator[Entry]:
    """
    The entries of a parcel.

    Raises:
        ValueError: it is none.
        ConnectionError: it did not come whole.
    """
    while True:
        line = stream.readline(LONGEST_LINE)
        if not line.endswith(b"\n"):
            raise ConnectionError("the parcel did not come whole")
        match json.loads(line):
            case {"folder": str() as path}:
                yield Entry(path)
            case {
                "file": str() as path,
                "size": int() as size,
                "times": [int() | None as changed, str() | None as made],
            }:
                yield Entry(path, _received(stream, size), size, changed, made)
            case {**rest} if not rest:
                return
            case _:
                raise ValueError("an entry is neither a file nor a folder")


def _line(entry: dict[str, object]) -> bytes:
    return json.dumps(entry).encode() + b"\n"


def _received(stream: BinaryIO, size: int) -> Iterator[bytes]:
    while size > 0:
        chunk = stream.read(min(size, CHUNK_BYTES))
        if not chunk:
            raise ConnectionError("the parcel did not come whole")
        size -= len(chunk)
        yield chunk


def _chunks(file: File) -> Iterator[bytes]:
    """A file's bytes, as many as there were when it was looked at."""
    if isinstance(file.content, bytes):
        yield file.content
        return
    left = file.size
    with file.content.opened() as source:
        while left > 0:
            chunk = source.read(min(left, CHUNK_BYTES))
            if not chunk:
                raise NotUsable(f"{file.content.below} was changed meanwhile; nothing is stored")
            left -= len(chunk)
            yield chunk
