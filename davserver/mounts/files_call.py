"""One request at ``/files/`` with what its headers ask: paths as the client names them, conditions and lock tokens."""

from __future__ import annotations

from dataclasses import dataclass

from config.schema import Settings
from davserver.dav.conditional import Outcome, require_preconditions
from davserver.dav.if_header import NO_CONDITIONS, Condition, IfHeader, parse_if
from davserver.dav.message import Request
from storage.errors import PreconditionFailed, StorageError
from storage.files import FileShelf
from storage.fileterms import Terms
from storage.filetree import Node
from storage.foldertags import folder_tag
from storage.objectnames import POLLS
from storage.paths import HOME, MEMBERS, NOTES, WELL_KNOWN_NOTES, is_within, join, name_of
from storage.session import Session
from storage.store import TOKEN_PREFIX
from storage.treesync import is_synchronised


@dataclass(frozen=True, slots=True)
class Call:
    """
    One request.

    Attributes:
        path: canonical path of the addressed resource.
        if_header: parsed; its lists hold for the resources they name.
        own: canonical path of one's own folder where it is called ``/files/Home``: everywhere but below ``Members/``.
    """

    request: Request
    session: Session
    settings: Settings
    path: str
    if_header: IfHeader
    own: str | None

    @property
    def files(self) -> FileShelf:
        """The shelf."""
        return self.session.files

    def find(self) -> Node | None:
        """The addressed resource as the principal may know it, or None."""
        return self.files.tree.find(self.path)

    def get(self) -> Node:
        """The addressed resource. Raises NotFound."""
        return self.files.tree.get(self.path)

    def terms(self) -> Terms:
        """What the request wants to hold when it changes something."""
        return Terms(self.if_header.lock_tokens, self.require_conditions)

    def require_conditions(self, node: Node | None) -> None:
        """Raise PreconditionFailed unless If-Match and its kin and the If header hold for the resource as it is."""
        self.outcome(node)

    def outcome(self, node: Node | None) -> Outcome:
        """Like ``require_conditions``; for GET and HEAD also whether the client's copy is still good."""
        outcome = require_preconditions(
            self.request.headers,
            self.request.method,
            etag=self.etag_of(node),
            exists=node is not None,
            modified_s=None if node is None else node.modified_ns // 1_000_000_000,
        )
        if self.if_header.lists and not self.if_header.holds(self.path, self._matches):
            raise PreconditionFailed("no list of the If header holds")
        return outcome

    def etag_of(self, node: Node | None) -> str | None:
        """The bare ETag of a file or folder."""
        if node is None or node.member is not None:
            return etag_of(node)
        return folder_tag(self.session.store, node)

    def as_asked(self, path: str) -> str:
        """A canonical path in the words of the request: one's own folder is ``Home`` to whoever came through it."""
        if path.startswith(POLLS):
            path = self.session.store.from_own_vote(path, self.session.principal.name)
        own = self.own
        if own is not None and path.startswith(own) and is_within(path, own):
            return HOME + path[len(own) :]
        if self.request.path.startswith(WELL_KNOWN_NOTES) and is_within(path, NOTES):
            return WELL_KNOWN_NOTES + path[len(NOTES) :]
        return path

    def title_of(self, node: Node) -> str:
        """What a resource is called where nobody has given it another name."""
        return name_of(self.as_asked(node.path))

    def href_of(self, node: Node) -> str:
        """The decoded path of a resource for an href; that of a folder ends with a slash (RFC 4918 §5.2)."""
        path = self.as_asked(node.path)
        return path + "/" if node.is_folder else path

    def _matches(self, path: str, condition: Condition) -> bool:
        """Whether the resource at a path has the state that a condition of the If header names."""
        try:
            canonical = self.session.canonical(path)
        except StorageError:
            return False
        if condition.lock_token is not None:
            token = condition.lock_token
            if token.startswith(TOKEN_PREFIX):  # RFC 6578 §5
                node = self.files.tree.find(canonical)
                return node is not None and is_synchronised(node) and self.files.sync.token(node) == token
            return any(lock.token == token for lock in self.session.store.locks.covering(canonical))
        etag = self.etag_of(self.files.tree.find(canonical))
        return etag is not None and etag == condition.etag


def call_of(request: Request, session: Session, settings: Settings) -> Call:
    """A request with its headers read. Raises BadRequest, NameRefused."""
    header = request.header("if")
    if_header = NO_CONDITIONS if header is None else parse_if(header)
    name = session.principal.name
    through_members = is_within(request.path.rstrip("/"), MEMBERS)
    own = None if name is None or through_members else join(MEMBERS, name)
    return Call(request, session, settings, session.canonical(request.path), if_header, own)


def etag_of(node: Node | None) -> str | None:
    """The bare ETag of a file; those of folders are asked of the index (``Call.etag_of``)."""
    return node.member.etag if node is not None and node.member is not None else None
