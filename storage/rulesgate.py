"""Every way of writing an ``access.toml`` passes here: it is valid and gives nothing that its author does not hold."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from auth.acl import Level, RuleBook
from auth.errors import Problem, RulesRefused
from auth.rules import parse_folder_rules, require_grantable
from storage.paths import ACCESS_FILE, name_of, parent_of

if TYPE_CHECKING:
    from storage.session import Session

LONGEST_RULES_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class WithoutFile:
    """The rules as they would be without one folder's own file: what its author may give is read from these."""

    book: RuleBook
    folder: str

    @property
    def revision(self) -> Hashable:
        """Never equal to that of the whole book."""
        return (self.book.revision, "without", self.folder)

    def levels(self, path: str) -> Sequence[Level]:
        """The levels of the book; those of the folder without what its own file says."""
        return [self._bare(level) if level.path == self.folder else level for level in self.book.levels(path)]

    def creator(self, path: str) -> str | None:
        """As in the book."""
        return self.book.creator(path)

    def is_folder(self, path: str) -> bool:
        """As in the book."""
        return self.book.is_folder(path)

    def marked_below(self, path: str) -> Iterable[str]:
        """As in the book."""
        return self.book.marked_below(path)

    def _bare(self, level: Level) -> Level:
        served = self.book.server_rules(self.folder)
        rules = tuple(served.rules) if served is not None else ()
        return replace(level, rules=rules, inherit=served is not None and served.inherit, closed=False)


def require_rules(session: Session, path: str, folder: str, data: bytes) -> None:
    """
    Raise RulesRefused unless the bytes can be stored as the rules of a folder.

    Args:
        path: where the file is addressed, for the message.
        folder: canonical path of the folder or collection that the rules speak of.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RulesRefused((Problem(name_of(path), line, "bytes that are not UTF-8", "save it as UTF-8"),)) from error
    rules = parse_folder_rules(text, name_of(path))
    require_grantable(rules, folder, session.principal, WithoutFile(session.store.rulebook, folder))


def holds_rules(path: str) -> bool:
    """Whether what is stored at a path comes into force as rules."""
    return name_of(path) == ACCESS_FILE and parent_of(path) != "/"
