"""A session: the principal's hand on the shelves. Shelves open only through one, so no check can be forgotten."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from auth.acl import Access, EveryAccess
from auth.principal import ANONYMOUS, Principal
from storage import paths
from storage.objectnames import MY_VOTE

if TYPE_CHECKING:
    from storage.files import FileShelf
    from storage.pim import PimShelf
    from storage.store import Store


class Session:
    """
    One principal at the shelves of one store, for one request.

    Attributes:
        base_url: scheme and host under which the principal reaches this server, for texts that name whole URLs.
    """

    def __init__(self, store: Store, principal: Principal, access: Access | None = None) -> None:
        self.store = store
        self.principal = principal
        self.access = access or Access(principal, store.rulebook)
        self.base_url = ""

    @classmethod
    def of_administrator(cls, store: Store, principal: Principal = ANONYMOUS) -> Session:
        """Of a command at the machine itself: rights are not asked. What is made is made as ``principal``."""
        return cls(store, principal, EveryAccess(principal, store.rulebook))

    def canonical(self, path: str) -> str:
        """The one path of the resource that a decoded URL path means; ``storage.paths.canonical``."""
        path = paths.canonical(path, self.principal.name)
        return self.store.to_own_vote(path, self.principal.name) if path.endswith(MY_VOTE) else path

    @cached_property
    def files(self) -> FileShelf:
        """Files and folders under ``/files/``."""
        from storage.files import FileShelf

        return FileShelf(self)

    @cached_property
    def pim(self) -> PimShelf:
        """Calendars, address books and task lists under ``/dav/``."""
        from storage.pim import PimShelf

        return PimShelf(self)
