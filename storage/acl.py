"""
Access control lists: the rules of one folder or collection as entries, and the change of its own ``access.toml``.

The ACL method is one more way to write that file, so what it writes goes where a PUT of the file goes: through the
shelf of files, with its locks, ``storage.rulesgate`` and the change log.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from auth.aces import OF_OWN, Ace, Edit, Grant, applicable, edit_for, entries, essence, gives_anything
from auth.acl import Action
from auth.errors import AclRefused, RulesRefused
from auth.names import BUILT_IN
from auth.rules import FolderRules, Rule, parse_folder_rules
from storage.errors import PreconditionFailed
from storage.fileterms import Terms, Upload
from storage.paths import ACCESS_FILE, COLLECTIONS, DAV, FILES, is_within, join
from storage.rulesgate import LONGEST_RULES_BYTES
from storage.rulestext import UneditableRules, edited
from storage.treerights import require_unlocked

if TYPE_CHECKING:
    from auth.acl import Access
    from storage.filetree import Node
    from storage.session import Session

MOST_ACES = 500
TRIES = 3  # while others write the same file
CONFLICT = "no-ace-conflict"  # of all that only this server cannot do (RFC 3744 §8.1.1)
_BOM = b"\xef\xbb\xbf"


class _Changed(Exception):
    """Somebody else wrote the rules meanwhile."""


def access_list(session: Session, path: str) -> list[Ace]:
    """The entries in force at a canonical path that can be named; who asks must hold ``admin`` there."""
    levels = session.store.rulebook.levels(path)
    found = [shown for ace in entries(path, levels) if (shown := _shown(session, path, ace)) is not None]
    return found + _of_creator(session, path)


def change_access_list(
    session: Session, folder: str, wanted: Sequence[Grant], tokens: frozenset[str] = frozenset()
) -> None:
    """
    Make the entries of a folder's or collection's own rules those that are wanted, all or nothing.

    What its rules say of others than those shown, its links and comments stay. Inherited entries stay inherited, and
    those that were not in force do not come into force because the last rule goes.

    Args:
        wanted: the entries that are neither protected nor inherited.
        tokens: lock tokens submitted.

    Raises:
        AclRefused: it cannot be done exactly, or gives what its author does not hold without this file.
        NeedPrivileges, Hidden: ``admin`` is missing.
    """
    session.access.require(Action.ADMIN, folder)
    require_unlocked(session, folder, Terms(tokens), tree=False, member=False)  # a lock guards the entries (§7.5)
    if len(wanted) > MOST_ACES:
        raise AclRefused("limited-number-of-aces", f"{len(wanted)} entries; {MOST_ACES} are the most")
    for _ in range(TRIES):
        try:
            _change(session, folder, wanted, tokens)
            return
        except _Changed:
            session.access.forget(folder)
    raise PreconditionFailed("the rules are being changed by others; read them again and repeat")


def _change(session: Session, folder: str, wanted: Sequence[Grant], tokens: frozenset[str]) -> None:
    file = _rules_path(folder)
    data, etag = _read(session, file)
    try:
        text = data.removeprefix(_BOM).decode()
        present = parse_folder_rules(text, ACCESS_FILE)
        edit = _edit(session, folder, present, wanted)
        if edit == Edit(tuple(rule.who for rule in present.rules)):
            return  # as it is: no byte, no time and no token changes
        text = edited(text, present.rules, edit)
        _require_exact(parse_folder_rules(text, ACCESS_FILE), present, edit)
    except (RulesRefused, UnicodeDecodeError, UneditableRules) as error:
        raise AclRefused(CONFLICT, f"{ACCESS_FILE} cannot be edited; mend it first: {error}") from error
    kept = data[: len(_BOM)] if data.startswith(_BOM) else b""
    _write(session, file, kept + text.encode() if text.strip() else b"", etag, tokens)


def _edit(session: Session, folder: str, present: FolderRules, wanted: Sequence[Grant]) -> Edit:
    """What to change in the file so that own entries are those wanted and inherited ones are what they were."""

    def shown(name: str, rule: Rule) -> Grant | None:
        ace = _shown(session, folder, Ace(Grant(name, essence(rule.may))))
        return None if ace is None else ace.grant

    edit = edit_for(present.rules, wanted, shown)
    of_server, *above = session.store.rulebook.without(folder).levels(folder)
    rules = applicable(folder, of_server)
    inherits = of_server.inherit or present.inherit
    had_rules = bool(rules or present.rules)
    has_rules = bool(rules or edit.new or any(edit.stay) or any(not rule.who for rule in present.rules))
    if inherits or had_rules == has_rules or not gives_anything(folder, above):
        return edit
    if has_rules:
        return replace(edit, inherits=True)
    return replace(edit, new=(Rule((), frozenset(), False, "", 0),))


def _require_exact(after: FolderRules, before: FolderRules, edit: Edit) -> None:
    """What was written means what was wanted; if not, the file has a shape that is not known here."""
    stay = [
        (who, rule.may, rule.here) for rule, who in zip(before.rules, edit.stay, strict=True) if who or not rule.who
    ]
    wanted = stay + [(rule.who, rule.may, rule.here) for rule in edit.new]
    found = [(rule.who, rule.may, rule.here) for rule in after.rules]
    links = [replace(link, line=0) for link in after.links] == [replace(link, line=0) for link in before.links]
    kept = links and after.settings == before.settings
    if found != wanted or not kept or after.inherit != (before.inherit or edit.inherits):
        raise UneditableRules("write each rule as a table [[rule]] with one line for each key")


def _shown(session: Session, path: str, ace: Ace) -> Ace | None:
    """An entry as it is shown at a path; None for a name that nobody has, or where nothing of it is known there."""
    name, may = ace.grant.name, ace.grant.may
    if is_within(path, FILES):
        may -= {Action.FREEBUSY}
    accounts = session.store.accounts
    if not may or not (name in BUILT_IN or accounts is None or accounts.account(name) is not None):
        return None
    return ace if may == ace.grant.may else replace(ace, grant=Grant(name, may))


def _of_creator(session: Session, path: str) -> list[Ace]:
    """What whoever made a resource holds on it as long as it may create there; no rule says so (``auth.acl``)."""
    creator, accounts = session.store.rulebook.creator(path), session.store.accounts
    principal = None if creator is None or accounts is None else accounts.principal(creator)
    if principal is None or principal.name is None:
        return []
    held = session.store.session(principal).access.actions(path)
    if Action.ADMIN in held or Action.CREATE not in held | _above(session.store.session(principal).access, path):
        return []
    return [Ace(Grant(principal.name, OF_OWN), protected=True)]


def _above(access: Access, path: str) -> frozenset[Action]:
    return access.actions(path.rpartition("/")[0] or "/")


def _rules_path(folder: str) -> str:
    """Where a folder's rules are edited as a file."""
    above = COLLECTIONS + folder[len(DAV) :] if is_within(folder, DAV) else folder
    return join(above, ACCESS_FILE)


def _read(session: Session, file: str) -> tuple[bytes, str | None]:
    """The rules file and its ETag; nothing and None where there is none."""
    node = session.files.tree.find(file)
    if node is None or node.is_folder:
        return b"", None
    fd, node = session.files.open(node)
    with os.fdopen(fd, "rb") as stream:
        return stream.read(LONGEST_RULES_BYTES + 1), _etag(node)


def _write(session: Session, file: str, data: bytes, etag: str | None, tokens: frozenset[str]) -> None:
    def check(node: Node | None) -> None:
        if _etag(node) != etag:
            raise _Changed

    if len(data) > LONGEST_RULES_BYTES:
        raise AclRefused("limited-number-of-aces", f"the rules are no longer than {LONGEST_RULES_BYTES} bytes")
    terms = Terms(tokens, check)
    if not data and etag is None:
        return
    if not data:
        session.files.remove(file, terms)
        return
    try:
        session.files.put(file, Upload(io.BytesIO(data), len(data)), terms)
    except RulesRefused as error:
        raise AclRefused(CONFLICT, str(error)) from error


def _etag(node: Node | None) -> str | None:
    return None if node is None or node.member is None else node.member.etag
