"""
Rows of a listing by template: most files of a folder differ in six values only, and the rest is rendered once.

A file with dead properties, a listing with locks in sight and properties that are worked out per file take the longer
way through the table of ``files_properties``; both ways give the same text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby

from davserver.dav.message import quote_path, reason
from davserver.dav.names import DAV
from davserver.dav.xml import open_tag, text_of
from davserver.mounts.files_properties import ON_REQUEST, SUPPORTED_LOCK, Scene, http_date, rfc3339_date
from davserver.mounts.files_read import type_of_name
from davserver.mounts.files_times import SECOND
from storage.filetree import Node
from storage.paths import parent_of
from storage.polls import is_vote_path
from storage.records import Member
from storage.state import State

Piece = str | Callable[[Member], str]

VARIABLE: dict[str, Callable[[Member], str]] = {
    DAV.displayname: lambda member: text_of(member.name),
    DAV.getcontentlength: lambda member: str(member.size),
    DAV.getcontenttype: lambda member: type_of_name(member.name),
    DAV.getetag: lambda member: f'"{member.etag}"',
    DAV.getlastmodified: lambda member: http_date(member.modified_ns // SECOND),
    DAV.creationdate: lambda member: rfc3339_date(member.created_ns // SECOND),
}
CONSTANT: dict[str, str] = {
    DAV.resourcetype: "",
    DAV.supportedlock: SUPPORTED_LOCK,
    DAV.lockdiscovery: "",  # used only where no lock is in sight
}
NOT_OF_FILES = frozenset({DAV.quota_used_bytes, DAV.quota_available_bytes, DAV.sync_token})


class Templates:
    """One template for each folder of an answer, for the same question about all of them."""

    def __init__(self, scene: Scene, names: tuple[str, ...]) -> None:
        self._scene = scene
        self._usable = not scene.has_locks and not any(name in PER_FILE for name in names)
        self._pieces = list(_pieces(names, minimal=scene.minimal)) if self._usable else []
        self._folders: dict[str, tuple[str, State]] = {}

    def render(self, node: Node) -> str | None:
        """The row of a file, or None where it takes the longer way."""
        member = node.member
        if member is None or not self._usable or is_vote_path(node.path):  # one's own has another name
            return None
        start, state = self._folder(node)
        if state.get(member.name, "props") is not None:
            return None
        pieces = "".join([piece if isinstance(piece, str) else piece(member) for piece in self._pieces])
        return f"{start}{text_of(quote_path(member.name))}{pieces}"

    def _folder(self, node: Node) -> tuple[str, State]:
        known = self._folders.get(node.folder.place)
        if known is None:
            path = text_of(quote_path(self._scene.call.as_asked(parent_of(node.path))))
            known = f"<D:response><D:href>{path}/", self._scene.state(node)
            self._folders[node.folder.place] = known
        return known


PER_FILE = frozenset(ON_REQUEST) - NOT_OF_FILES


def _pieces(names: tuple[str, ...], *, minimal: bool) -> Iterator[Piece]:
    """The row after the name: neighbouring constant texts are joined."""
    for is_text, group in groupby(_every_piece(names, minimal=minimal), key=lambda piece: isinstance(piece, str)):
        pieces = list(group)
        if is_text:
            yield "".join(piece for piece in pieces if isinstance(piece, str))
        else:
            yield from pieces


def _every_piece(names: tuple[str, ...], *, minimal: bool) -> Iterator[Piece]:
    found = [name for name in names if name in VARIABLE or name in CONSTANT]
    missing = [] if minimal else [name for name in names if name not in VARIABLE and name not in CONSTANT]
    yield "</D:href>"
    if found or not missing:
        yield "<D:propstat>" + ("<D:prop>" if found else "<D:prop/>")
        for name in found:
            yield from _element(name)
        yield ("</D:prop>" if found else "") + _status(200)
    if missing:
        yield f"<D:propstat><D:prop>{''.join(map(open_tag, missing))}</D:prop>{_status(404)}"
    yield "</D:response>"


def _element(name: str) -> Iterator[Piece]:
    if name in CONSTANT:
        yield open_tag(name, CONSTANT[name])
        return
    start, end = open_tag(name, "\0").split("\0")
    yield start
    yield VARIABLE[name]
    yield end


def _status(status: int) -> str:
    return f"<D:status>HTTP/1.1 {reason(status)}</D:status></D:propstat>"
