"""
Accounts as a source gives them, before they are joined into one directory.

A source is a users file, an htpasswd file, a groups file or a directory service; ``auth.directory`` joins what they
give into one namespace.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from auth.errors import Problem


class Kind(StrEnum):
    """What an account stands for (RFC 5545 §3.2.3 has the calendar's words for it)."""

    MEMBER = "member"
    GROUP = "group"
    RESOURCE = "resource"


ROOM = "room"
RESOURCE_KINDS = (ROOM, "vehicle", "equipment")


@dataclass(frozen=True, slots=True)
class AppPassword:
    """
    A password of one device.

    Attributes:
        label: what the member calls the device.
        digest: as ``auth.passwords.hash_app_password`` gives it.
    """

    label: str
    digest: str
    created: datetime | None = None


@dataclass(frozen=True, slots=True)
class Booking:
    """
    How a resource is booked.

    Attributes:
        refused: a booking of a time that is taken is not stored; else it is stored with a mark.
        timezone: name of the zone in which days and times without a zone are meant; "" where nothing was said.
    """

    refused: bool = False
    timezone: str = ""


USUAL_BOOKING = Booking()


@dataclass(frozen=True, slots=True)
class Entry:
    """
    One account as it stands in a source.

    Attributes:
        name: as ``fold`` gives it; unique within its source.
        what: for a resource, one of ``RESOURCE_KINDS``, or "" where nobody said.
        password: the stored hash, or None where the account has none.
        groups: groups it says it belongs to.
        members: for a group, names of what belongs to it directly: members, resources and groups.
        booking: for a resource.
        quota_bytes: of a member's own folder, 0 for none; None where the general one holds.
        file, line: where it stands.
    """

    kind: Kind
    name: str
    display_name: str
    addresses: tuple[str, ...]
    file: str
    line: int
    disabled: bool = False
    what: str = ""
    password: str | None = None
    app_passwords: tuple[AppPassword, ...] = ()
    groups: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    booking: Booking = USUAL_BOOKING
    quota_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """
    What a source gave at one moment.

    Attributes:
        entries: accounts without fault; one that has a fault is left out, so that it can do less, not more.
        problems: everything that is wrong in the source.
    """

    entries: tuple[Entry, ...] = ()
    problems: tuple[Problem, ...] = ()


class AccountSource(Protocol):
    """Where accounts come from."""

    def stamp(self) -> Hashable:
        """Changes when reading again may give something else; costs next to nothing."""

    def read(self) -> Reading:
        """The accounts; never raises for what people wrote or took away."""
