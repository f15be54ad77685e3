"""
The groups, rooms and vehicles: ``groups.toml``.

The grammar::

    [group.sport]
    display_name = "Sports section"       # may be missing: then the name is shown
    mail = "sport@example.org"            # one text or a list; may be missing
    members = ["alice", "bob", "van"]     # members and resources
    groups = ["coaches"]                  # groups whose members belong to this one too

    [resource.van]                        # a room, a vehicle, a projector: it owns its calendar
    kind = "vehicle"                      # "room", "vehicle" or "equipment"; may be missing
    display_name = "The blue van"
    mail = "van@example.org"
    double_booking = "refuse"             # "mark": stored and marked, as without the line
    timezone = "Europe/Paris"             # of days and of times without a zone; may be missing

``all-users`` (everyone signed in) and ``world`` (everyone) are built in and never written here. Members, groups and
resources share one namespace, compared in NFC and lower case.
"""

from __future__ import annotations

import zoneinfo

from auth.accounts import RESOURCE_KINDS, Booking, Entry, Kind, Reading
from auth.entries import addresses, without_repeats
from auth.names import BUILT_IN, name_fault
from auth.principal import fold
from auth.tables import Table, TomlFile, listed

_KEYS = {
    Kind.GROUP: ("display_name", "mail", "members", "groups"),
    Kind.RESOURCE: ("display_name", "mail", "kind", "double_booking", "timezone"),
}
_DOUBLE_BOOKING = {None: False, "mark": False, "refuse": True}


def parse_groups(text: str, file: str) -> Reading:
    """Read a ``groups.toml``; a group or resource with a fault is reported and left out."""
    document = TomlFile(text, file)
    strays = {
        "groups": "groups are written [group.<name>]",
        "resources": "resources are written [resource.<name>]",
        "user": "members stand in users.toml",
    }
    document.root.only(("group", "resource"), strays)
    entries = [
        entry
        for kind in _KEYS
        for name, table in document.root.named(kind, "name")
        if (entry := _entry(kind, name, table, document))
    ]
    return Reading(tuple(without_repeats(entries, document.problems)), tuple(document.problems))


def _entry(kind: Kind, name: str, table: Table, document: TomlFile) -> Entry | None:
    before = len(document.problems)
    table.only(_KEYS[kind])
    if fault := name_fault(name):
        table.report(None, *fault)
    entry = Entry(
        kind=kind,
        name=fold(name),
        display_name=table.text("display_name") or name,
        addresses=addresses(table),
        what=_resource_kind(table),
        file=document.file,
        line=table.line,
        members=_members(table, "members") + _members(table, "groups"),
        booking=_booking(table),
    )
    return entry if len(document.problems) == before else None


def _resource_kind(table: Table) -> str:
    """What a resource is: people pick rooms from another list than vehicles (RFC 5545 §3.2.3)."""
    found = table.text("kind") or ""
    if found and found not in RESOURCE_KINDS:
        table.report("kind", f"kind is {found!r}", f"it can be {listed(RESOURCE_KINDS)}, or leave the line out")
    return found


def _members(table: Table, key: str) -> tuple[str, ...]:
    names = tuple(map(fold, table.texts(key) or ())) if key in table else ()
    for name in names:
        if name in BUILT_IN:
            table.report(key, f"{name!r} cannot belong to a group", "name it in the rule itself: who = [...]")
    return names


def _booking(table: Table) -> Booking:
    said, timezone = table.text("double_booking"), table.text("timezone") or ""
    if said not in _DOUBLE_BOOKING:
        words = [f'"{word}"' for word in _DOUBLE_BOOKING if word]
        table.report("double_booking", f"double_booking is {said!r}", f"it can be {listed(words)}")
    if timezone and not _is_zone(timezone):
        table.report("timezone", f"no time zone is called {timezone!r}", 'write a name such as "Europe/Paris"')
    return Booking(_DOUBLE_BOOKING.get(said, False), timezone)


def _is_zone(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
