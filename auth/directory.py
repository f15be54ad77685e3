"""
The association's accounts: members, groups and resources by name, and who signs in with which password.

The directory joins its sources into one snapshot that is replaced as a whole when a file changes; a request that has
begun goes on with the one it had. A file that is broken when it is read again is refused, and the old one stays in
force; at the start what is without fault in it counts.
"""

from __future__ import annotations

import hmac
import logging
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence

from auth.accounts import AccountSource, Kind, Reading
from auth.credentials import VerifiedCredentials
from auth.errors import Problem
from auth.groups import parse_groups
from auth.passwords import decoy_hash, hash_app_password
from auth.principal import Principal, fold
from auth.snapshot import Account, Snapshot, join
from auth.sources import FileSource
from auth.users import parse_htpasswd, parse_users
from config.schema import Accounts, Settings

log = logging.getLogger(__name__)


class Directory:
    """
    All accounts; safe to use from many threads.

    Attributes:
        problems: what is wrong in the files now.
        revision: grows when other accounts or groups come into force.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        sources: Sequence[AccountSource] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        accounts = settings.accounts
        self._sources = tuple(file_sources(accounts) if sources is None else sources)
        self._credentials = VerifiedCredentials(
            lifetime_s=accounts.credential_cache_s, entries=accounts.credential_cache_entries, clock=clock
        )
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._stamps: tuple[Hashable, ...] = ()
        self._readings: tuple[Reading, ...] = ()
        self._snapshot = Snapshot()
        self.problems: tuple[Problem, ...] = ()
        self.revision = 0
        self.reload()

    def verify(self, name: str, password: str) -> Principal | None:
        """
        Who signs in with this name and password, or None.

        A wrong password, an unknown account and a disabled one take the same work.
        """
        snapshot = self._snapshot
        folded = fold(name)
        if snapshot.app_passwords and (folded, hash_app_password(password)) in snapshot.app_passwords:
            return snapshot.principals[folded]
        stored = snapshot.passwords.get(folded)
        if stored is None:
            self._credentials.refuse(folded, password, self._decoy(folded, snapshot))
            return None
        return snapshot.principals[folded] if self._credentials.verify(folded, password, stored) else None

    def principal(self, name: str) -> Principal | None:
        """The member, group or resource of a name, as it asks when it asks."""
        return self._snapshot.principals.get(fold(name))

    def account(self, name: str) -> Account | None:
        """The member, group or resource of a name."""
        return self._snapshot.accounts.get(fold(name))

    def is_member(self, name: str) -> bool:
        """Whether a name is a member's: groups and resources do not sign in, and own nothing by their name."""
        account = self.account(name)
        return account is not None and account.kind is Kind.MEMBER

    def accounts(self) -> Iterable[Account]:
        """All of them, by name."""
        accounts = self._snapshot.accounts
        return [accounts[name] for name in sorted(accounts)]

    def reload_if_changed(self) -> bool:
        """Read the files again if one of them changed; True when something else is in force now."""
        if self._take_stamps() == self._stamps:
            return False
        return self.reload()

    def reload(self) -> bool:
        """Read the files again; True when something else is in force now."""
        with self._lock:
            # The stamp is older than the reading: a change in between is found by the next look.
            self._stamps = self._take_stamps()
            readings = tuple(source.read() for source in self._sources)
            first = not self._readings
            kept = readings if first else tuple(map(_without_fault, readings, self._readings))
            snapshot = join(entry for reading in kept for entry in reading.entries)
            broken = [problem for reading in readings for problem in reading.problems]
            problems = (*broken, *snapshot.faults, *snapshot.notes)
            if problems != self.problems:
                for problem in problems:
                    log.warning("%s", problem)
            self.problems = problems
            if (not first and _brings_faults(snapshot.faults, self._snapshot.faults)) or kept == self._readings:
                return False
            self._readings, self._snapshot = kept, snapshot
            self.revision += 1
            return True

    def _take_stamps(self) -> tuple[Hashable, ...]:
        return tuple(source.stamp() for source in self._sources)

    def _decoy(self, folded: str, snapshot: Snapshot) -> str:
        """A hash to check in vain, always the same for a name."""
        if not snapshot.decoys:
            return decoy_hash()
        draw = hmac.digest(self._key, folded.encode("utf-8", "surrogatepass"), "sha256")
        return snapshot.decoys[int.from_bytes(draw[:8], "big") % len(snapshot.decoys)]


def file_sources(accounts: Accounts) -> tuple[AccountSource, ...]:
    """The configured files: members of ``users.toml`` or an htpasswd file, groups and resources of ``groups.toml``."""
    members = (
        FileSource(accounts.users_file, parse_users)
        if accounts.htpasswd_file is None
        else FileSource(accounts.htpasswd_file, parse_htpasswd)
    )
    return members, FileSource(accounts.groups_file, parse_groups)


def _without_fault(new: Reading, old: Reading) -> Reading:
    return old if _brings_faults(new.problems, old.problems) else new


def _brings_faults(new: Iterable[Problem], old: Iterable[Problem]) -> bool:
    """
    Whether something is wrong that was not wrong before.

    A file that had a faulty entry at start is in force without it. Were each later change refused for that entry, a
    member who is disabled would go on signing in.
    """
    return not Counter(each.found for each in new) <= Counter(each.found for each in old)
