"""What can be wrong with an account, a rule or a right."""

from __future__ import annotations

from collections.abc import Sequence

from config.errors import Problem as Problem


class AuthError(Exception):
    """Base of what this room raises."""


class NeedPrivileges(AuthError):
    """
    The principal may know of the resource but not do this (RFC 3744 §7.1.1).

    Attributes:
        members: what lies in ``path`` and is in the way, as far as the principal may know of it.
    """

    def __init__(self, path: str, action: str, members: Sequence[str] = ()) -> None:
        super().__init__(f"the right {action} is needed on {path}")
        self.path = path
        self.action = action
        self.members = tuple(members)


class Hidden(AuthError):
    """What a principal may not read does not exist for it: 404."""

    def __init__(self, path: str) -> None:
        super().__init__(f"nothing at {path}")
        self.path = path


class RulesRefused(AuthError):
    """An ``access.toml`` that is broken or gives what its author does not hold: 422 with line and reason."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class TooManyTries(AuthError):
    """Too many failed log-ins from this address for this account: 429 with Retry-After (RFC 6585 §4)."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"too many failed log-ins; try again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class TooManyUploads(AuthError):
    """Too much was sent through a public link or from this address: 429 with Retry-After (RFC 6585 §4)."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"too much was sent in a short time; nothing is stored, go on in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class AclRefused(AuthError):
    """
    An ACL request that cannot be carried out exactly (RFC 3744 §8.1.1: 403).

    Attributes:
        condition: local name of the precondition.
    """

    def __init__(self, condition: str, why: str) -> None:
        super().__init__(why)
        self.condition = condition


class NoSuchLink(AuthError):
    """A public link that is unknown, was revoked or never issued: one and the same 404."""

    def __init__(self) -> None:
        super().__init__("There is no such link.")


class LinkOver(AuthError):
    """A public link whose time or downloads are over (410)."""

    def __init__(self) -> None:
        super().__init__("This link is over; ask whoever gave it to you for another one.")
