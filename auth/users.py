"""
The members: ``users.toml``, or an htpasswd file in its place.

The grammar of ``users.toml``::

    [user.alice]                          # the name she signs in with; quoted where it holds a dot or @
    display_name = "Alice Martin"         # may be missing: then the name is shown
    mail = ["alice@example.org"]          # one text or a list, the preferred address first
    password = "$argon2id$v=19$…"         # what `davserver hash` prints; missing: no sign-in with a password
    groups = ["sport"]                    # beside what groups.toml says
    quota_bytes = 5000000000              # of the own folder; may be missing: then the general one holds, 0 is none
    disabled = false                      # true: no sign-in at all, but the name and what it owns stay

    [[user.alice.app_password]]           # one per device
    label = "phone"
    hash = "sha256:<64 hex digits>"       # of the random password that was shown once
    created = 2026-11-25T10:00:00Z        # may be missing

An htpasswd file has one ``name:hash`` a line; ``#`` begins a comment. bcrypt, SHA-512-crypt, SHA-256-crypt, apr1-md5
and argon2 entries are read; others (plain text, SHA-1, DES) are refused with their line.
"""

from __future__ import annotations

from collections.abc import Iterator

from auth.accounts import AppPassword, Entry, Kind, Reading
from auth.entries import addresses, without_repeats
from auth.errors import Problem
from auth.names import name_fault
from auth.passwords import is_app_password_hash, is_known_hash
from auth.principal import fold
from auth.tables import Table, TomlFile

_USER_KEYS = ("display_name", "mail", "password", "groups", "quota_bytes", "disabled", "app_password")
_APP_KEYS = ("label", "hash", "created")
_HASH_HINT = "it can be what `davserver hash` prints"
_HTPASSWD_HINT = "it can be bcrypt (htpasswd -B), SHA-512-crypt, apr1-md5 or argon2"


def parse_users(text: str, file: str) -> Reading:
    """Read a ``users.toml``; an account with a fault is reported and left out."""
    document = TomlFile(text, file)
    document.root.only(("user",), {"users": "accounts are written [user.<name>]"})
    entries = [entry for name, table in document.root.named("user", "alice") if (entry := _user(name, table, document))]
    return Reading(tuple(without_repeats(entries, document.problems)), tuple(document.problems))


def parse_htpasswd(text: str, file: str) -> Reading:
    """Read an htpasswd file; a line with a fault is reported and left out."""
    problems: list[Problem] = []
    entries: list[Entry] = []
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        name, colon, stored = line.partition(":")
        if not colon:
            problems.append(Problem(file, number, "a line without ':'", "a line is name:hash"))
        elif fault := name_fault(name):
            problems.append(Problem(file, number, *fault))
        elif not is_known_hash(stored):
            problems.append(Problem(file, number, f"the hash of {name!r} is of no known kind", _HTPASSWD_HINT))
        else:
            entries.append(Entry(Kind.MEMBER, fold(name), name, (), file, number, password=stored))
    return Reading(tuple(without_repeats(entries, problems)), tuple(problems))


def _user(name: str, table: Table, document: TomlFile) -> Entry | None:
    before = len(document.problems)
    table.only(_USER_KEYS)
    if fault := name_fault(name):
        table.report(None, *fault)
    password = table.text("password")
    if password is not None and not is_known_hash(password):
        table.report("password", "the password is no hash of a known kind", _HASH_HINT)
    entry = Entry(
        kind=Kind.MEMBER,
        name=fold(name),
        display_name=table.text("display_name") or name,
        addresses=addresses(table),
        file=document.file,
        line=table.line,
        disabled=bool(table.flag("disabled")),
        quota_bytes=table.number("quota_bytes", least=0),
        password=password,
        app_passwords=tuple(_app_passwords(table)),
        groups=tuple(map(fold, table.texts("groups") or ())),
    )
    return entry if len(document.problems) == before else None


def _app_passwords(table: Table) -> Iterator[AppPassword]:
    for each in table.each("app_password"):
        each.only(_APP_KEYS)
        label, digest = each.text("label"), each.text("hash")
        if label is None and "label" not in each:
            each.report(None, "an application password without label", 'name the device: label = "phone"')
        if digest is None and "hash" not in each:
            each.report(None, "an application password without hash", "make it with `davserver user app-password`")
        elif digest is not None and not is_app_password_hash(digest):
            each.report(
                "hash", "the hash is not sha256: and 64 hex digits", "make it with `davserver user app-password`"
            )
        elif label and digest:
            yield AppPassword(label, digest, each.instant("created"))
