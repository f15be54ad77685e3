"""What a write at ``/files/`` comes with (conditions, lock tokens, a body), and where a path has its bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from storage.errors import PlaceRefused
from storage.filetree import Node
from storage.paths import name_of, parent_of, place_of


class Source(Protocol):
    """Bytes that arrive; ``read`` answers ``b""`` at the end and raises if the end came early."""

    def read(self, size: int, /) -> bytes: ...


def no_condition(node: Node | None) -> None:
    """What a request without conditional headers asks of the resource."""


@dataclass(frozen=True, slots=True)
class Terms:
    """
    What a request wants to hold at the moment of its change.

    Attributes:
        tokens: lock tokens submitted.
        check: called with the present resource, None if there is none; raises PreconditionFailed.
    """

    tokens: frozenset[str] = frozenset()
    check: Callable[[Node | None], None] = field(default=no_condition)


@dataclass(frozen=True, slots=True)
class Upload:
    """A body to store: its source, announced length (None when chunked) and the time of change it asks for."""

    source: Source
    length: int | None = None
    modified_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """What stands there now, and whether nothing stood there before."""

    node: Node
    created: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """A write lock that is asked for."""

    infinite: bool
    exclusive: bool
    owner_xml: str
    timeout_s: int


class Nothing:
    """The body of an empty file."""

    def read(self, size: int, /) -> bytes:
        """The end."""
        return b""


def require_place(path: str) -> str:
    """Where a path has its bytes. Raises PlaceRefused where nothing can be stored."""
    place = place_of(path)
    if place is None:
        raise PlaceRefused(path, "nothing can be stored here")
    return place


def spot_of(path: str) -> tuple[str, str]:
    """The folder's place and the name of a path."""
    return require_place(parent_of(path)), name_of(path)


def places_of(node: Node) -> tuple[str, ...]:
    """The places whose write locks a change of a resource and of its entry above needs."""
    if node.member is not None:
        return (node.folder.place,)
    return (node.folder.place.rpartition("/")[0], node.folder.place)
