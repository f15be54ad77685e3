"""What ``users.toml``, htpasswd files and ``groups.toml`` have in common."""

from __future__ import annotations

from collections.abc import Iterator

from auth.accounts import Entry
from auth.errors import Problem
from auth.tables import Table


def without_repeats(entries: list[Entry], problems: list[Problem]) -> Iterator[Entry]:
    """The entries whose name stands once in their file; a name that stands twice is nobody's."""
    lines: dict[str, list[int]] = {}
    for entry in entries:
        lines.setdefault(entry.name, []).append(entry.line)
    for entry in entries:
        first, *more = sorted(lines[entry.name])
        if not more:
            yield entry
        elif entry.line != first:
            # No line in the finding: it is compared with that of the file before an edit.
            hint = f"the other is in line {first}; names differ in more than case: rename one"
            problems.append(Problem(entry.file, entry.line, f"the name {entry.name!r} stands twice", hint))


def addresses(table: Table) -> tuple[str, ...]:
    """The ``mail`` of an account: one text or a list, each with something on both sides of an ``@``."""
    found = table.texts("mail", single=True) or ()
    for address in found:
        local, at, host = address.rpartition("@")
        if not (local and at and host) or any(c.isspace() or not c.isprintable() for c in address):
            table.report("mail", f"{address!r} is no mail address", "it can be like alice@example.org")
    return found
