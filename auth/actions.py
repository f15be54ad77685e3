"""The words of a right, as they stand in ``may = [...]``."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """
    What a rule can give. RFC 3744 §3 has the privileges they stand for.

    ``read`` is ``DAV:read``; ``create`` is ``bind``; ``write`` is ``write-content`` and ``write-properties``;
    ``delete`` is ``unbind``; ``admin`` is ``write-acl``, ``read-acl`` and ``unlock``; ``freebusy`` is
    ``CALDAV:read-free-busy`` (RFC 4791 §6.1.1).
    """

    READ = "read"
    CREATE = "create"
    WRITE = "write"
    DELETE = "delete"
    ADMIN = "admin"
    FREEBUSY = "freebusy"


EVERY_ACTION = frozenset(Action)
