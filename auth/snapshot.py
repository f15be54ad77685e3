"""All accounts of one moment, joined from their sources: complete when made, never changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from auth.accounts import USUAL_BOOKING, Booking, Entry, Kind
from auth.errors import Problem
from auth.principal import ALL_USERS, WORLD, Principal


@dataclass(frozen=True, slots=True)
class Account:
    """
    A member, group or resource.

    Attributes:
        name: as ``fold`` gives it.
        groups: the groups it belongs to directly.
        members: what belongs to it directly; empty for all but groups.
        disabled: cannot sign in; the name and what it owns stay.
        what: for a resource, one of ``auth.accounts.RESOURCE_KINDS``, or "" where nobody said.
        booking: how a resource is booked.
        quota_bytes: of a member's own folder, 0 for none; None where the general one holds.
    """

    kind: Kind
    name: str
    display_name: str
    addresses: tuple[str, ...]
    groups: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    disabled: bool = False
    what: str = ""
    booking: Booking = USUAL_BOOKING
    quota_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """
    The directory of one moment.

    Attributes:
        passwords: stored hashes of those who may sign in.
        app_passwords: pairs of name and digest of those who may sign in.
        decoys: hashes to check in vain for names that cannot sign in: those of the members, so that unknown names are
            as slow or fast as known ones where an htpasswd file mixes kinds.
        faults: what keeps a changed file from coming into force: a name that stands twice.
        notes: what does not: a name that nobody has, groups that contain each other.
    """

    accounts: Mapping[str, Account] = field(default_factory=dict)
    principals: Mapping[str, Principal] = field(default_factory=dict)
    passwords: Mapping[str, str] = field(default_factory=dict)
    app_passwords: frozenset[tuple[str, str]] = frozenset()
    decoys: tuple[str, ...] = ()
    faults: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()


def join(entries: Iterable[Entry]) -> Snapshot:
    """One directory of what all sources give; a name that stands in two of them is nobody's."""
    unique, faults = _unique(entries)
    groups = _direct_groups(unique)
    closures = {name: _closure(name, groups) for name in unique}
    members: dict[str, list[str]] = {name: [] for name in unique}
    for name in sorted(unique):
        for group in groups[name]:
            members[group].append(name)
    accounts = {
        entry.name: Account(
            kind=entry.kind,
            name=entry.name,
            display_name=entry.display_name,
            addresses=entry.addresses,
            what=entry.what,
            groups=tuple(sorted(groups[entry.name])),
            members=tuple(members[entry.name]),
            disabled=entry.disabled,
            booking=entry.booking,
            quota_bytes=entry.quota_bytes,
        )
        for entry in unique.values()
    }
    able = [entry for entry in unique.values() if entry.kind is Kind.MEMBER and not entry.disabled]
    passwords = {entry.name: entry.password for entry in able if entry.password is not None}
    return Snapshot(
        accounts=accounts,
        principals={
            name: Principal(name, closures[name] | {ALL_USERS, WORLD}, account.display_name, account.addresses)
            for name, account in accounts.items()
        },
        passwords=passwords,
        decoys=tuple(passwords.values()),
        app_passwords=frozenset((entry.name, each.digest) for entry in able for each in entry.app_passwords),
        faults=tuple(faults),
        notes=(*_unknown_names(unique), *_circles(unique, closures)),
    )


def _unique(entries: Iterable[Entry]) -> tuple[dict[str, Entry], list[Problem]]:
    by_name: dict[str, list[Entry]] = {}
    for entry in entries:
        by_name.setdefault(entry.name, []).append(entry)
    faults = [
        Problem(
            again.file,
            again.line,
            f"the name {name!r} is that of a {first.kind} already",
            f"members, groups and resources share one namespace; rename this one or that of {first.file}:{first.line}",
        )
        for name, (first, *more) in by_name.items()
        for again in more
    ]
    return {name: found[0] for name, found in by_name.items() if len(found) == 1}, faults


def _direct_groups(entries: Mapping[str, Entry]) -> dict[str, set[str]]:
    """For every account the groups it belongs to directly, said by either side."""
    groups: dict[str, set[str]] = {name: set() for name in entries}
    for entry in entries.values():
        groups[entry.name].update(name for name in entry.groups if _is_group(name, entries))
        for member in entry.members:
            if member in groups:
                groups[member].add(entry.name)
    return groups


def _closure(name: str, groups: Mapping[str, set[str]]) -> frozenset[str]:
    """Every group above a name; groups that contain each other are followed once."""
    found: set[str] = set()
    waiting = list(groups[name])
    while waiting:
        group = waiting.pop()
        if group not in found:
            found.add(group)
            waiting.extend(groups[group])
    return frozenset(found)


def _unknown_names(entries: Mapping[str, Entry]) -> Iterator[Problem]:
    for entry in entries.values():
        strays = [name for name in entry.members if name not in entries]
        strays += [name for name in entry.groups if not _is_group(name, entries)]
        for name in strays:
            hint = "correct the name, or add it" if name not in entries else f"it is a {entries[name].kind}"
            yield Problem(
                entry.file, entry.line, f"{entry.name!r} names {name!r}, and no such group or account is", hint
            )


def _circles(entries: Mapping[str, Entry], closures: Mapping[str, frozenset[str]]) -> Iterator[Problem]:
    for name, above in closures.items():
        circle = sorted(group for group in above if group in above and name in closures[group]) if name in above else []
        if circle and name == circle[0]:
            entry = entries[name]
            found = f"the groups {', '.join(circle)} contain each other"
            yield Problem(entry.file, entry.line, found, "all of them have the same members now; take one line out")


def _is_group(name: str, entries: Mapping[str, Entry]) -> bool:
    return name in entries and entries[name].kind is Kind.GROUP
