"""WsgiDAV's data model over the shelf of files: its provider, resources and lock manager."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from wsgidav.dav_provider import DAVCollection, DAVNonCollection, DAVProvider

from auth.acl import Action
from auth.errors import NeedPrivileges
from davserver.dav.message import Environ
from davserver.mounts.files_call import Call, etag_of
from storage.filetree import Node
from storage.locks import Locks
from storage.paths import is_within

CALL = "davserver.call"
UNLOCK = "unlock"  # the privilege for locks of others


def call_in(environ: Environ) -> Call:
    """The request that WsgiDAV carries along in its environment."""
    call: Call = environ[CALL]
    return call


class ShelfCollection(DAVCollection):  # type: ignore[misc]
    """A folder."""

    def __init__(self, path: str, environ: Environ, node: Node) -> None:
        super().__init__(path, environ)
        self.node = node

    def get_member_names(self) -> list[str]:
        """The names of what the principal may know of in it."""
        return [child.name for child in call_in(self.environ).files.tree.children(self.node)]

    def get_ref_url(self) -> str:
        """The canonical path, under which locks are kept."""
        return self.node.path

    def get_href(self) -> str:
        """The path as the client named it."""
        return call_in(self.environ).href_of(self.node)

    def support_recursive_delete(self) -> bool:
        """Trees go whole, by ``handle_delete``."""
        return True

    def handle_delete(self) -> bool:
        """DELETE, done by the shelf at once for the whole tree."""
        call = call_in(self.environ)
        call.files.remove(self.node.path, call.terms())
        return True


class ShelfFile(DAVNonCollection):  # type: ignore[misc]
    """A file."""

    def __init__(self, path: str, environ: Environ, node: Node) -> None:
        super().__init__(path, environ)
        self.node = node

    def get_content_length(self) -> int:
        """Bytes."""
        return self.node.member.size if self.node.member is not None else 0

    def get_etag(self) -> str | None:
        """Bare, from the index."""
        return etag_of(self.node)

    def support_etag(self) -> bool:
        """Every file has one."""
        return True

    def support_ranges(self) -> bool:
        """Ranges are answered by ``files_read``."""
        return True

    def get_content(self) -> Any:
        """Never asked: GET is answered by ``files_read``."""
        raise NotImplementedError

    def get_ref_url(self) -> str:
        """The canonical path, under which locks are kept."""
        return self.node.path

    def get_href(self) -> str:
        """The path as the client named it."""
        return call_in(self.environ).href_of(self.node)

    def handle_delete(self) -> bool:
        """DELETE, done by the shelf."""
        call = call_in(self.environ)
        call.files.remove(self.node.path, call.terms())
        return True


class ShelfProvider(DAVProvider):  # type: ignore[misc]
    """The tree that the session in the environment may see. Paths are canonical."""

    def __init__(self, locks: Locks) -> None:
        super().__init__()
        self.lock_manager = SharedLocks(locks)

    def get_resource_inst(self, path: str, environ: Environ) -> ShelfCollection | ShelfFile | None:
        """The resource at a path, or None."""
        node = call_in(environ).files.tree.find_removable(path.rstrip("/") or "/")
        if node is None:
            return None
        return ShelfCollection(path, environ, node) if node.is_folder else ShelfFile(path, environ, node)


class SharedLocks:
    """What UNLOCK asks of WsgiDAV's lock manager, answered from the locks in the index database."""

    def __init__(self, locks: Locks) -> None:
        self._locks = locks

    def is_url_locked_by_token(self, url: str, lock_token: str) -> bool:
        """Whether the token is that of a lock that covers the resource."""
        lock = self._locks.find(lock_token)
        return lock is not None and (lock.path == url or (lock.infinite and is_within(url, lock.path)))

    def is_token_locked_by_user(self, lock_token: str, principal: str) -> bool:
        """Whether the lock is the principal's own."""
        lock = self._locks.find(lock_token)
        return lock is not None and lock.principal == principal

    def release(self, lock_token: str) -> None:
        """Take the lock away."""
        self._locks.remove(lock_token)

    def require(self, path: str, tokens: Iterable[str], principal: str) -> None:
        """Raise Locked unless the tokens open every lock on the resource."""
        self._locks.require(path, frozenset(tokens), principal)


def require_unlock(call: Call) -> None:
    """Raise NeedPrivileges unless the principal may take away locks of others there (RFC 3744 §3.5)."""
    if not call.session.access.may(Action.ADMIN, call.path):
        raise NeedPrivileges(call.path, UNLOCK)
