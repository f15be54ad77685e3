"""
The If header (RFC 4918 §10.4) and the lock tokens it submits.

::

    If = ( 1*No-tag-list | 1*Tagged-list )
    Tagged-list = "<" Simple-ref ">" 1*List
    List = "(" 1*Condition ")"
    Condition = ["Not"] ("<" State-token ">" | "[" entity-tag "]")

The scanner goes over the text once, so a long header costs what its length costs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from davserver.dav.errors import BadRequest
from davserver.dav.target import parse_target

MAX_CONDITIONS = 1000


@dataclass(frozen=True, slots=True)
class Condition:
    """One state to match: either ``lock_token`` or ``etag`` (bare) is set."""

    negated: bool
    lock_token: str | None = None
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class ConditionList:
    """Conditions that hold together; ``path`` is the decoded path of the tagged resource, None the request's own."""

    path: str | None
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class IfHeader:
    """A whole header: true when any of its lists is."""

    lists: tuple[ConditionList, ...]

    @property
    def lock_tokens(self) -> frozenset[str]:
        """Every token that the header submits, whether or not its list holds (RFC 4918 §6.5)."""
        return frozenset(c.lock_token for part in self.lists for c in part.conditions if c.lock_token is not None)

    def holds(self, request_path: str, matches: Callable[[str, Condition], bool]) -> bool:
        """
        Evaluate the header (RFC 4918 §10.4.3).

        Args:
            request_path: stands for lists without a tag.
            matches: whether the resource at a path has a condition's etag or lock; ``negated`` is not its business.
        """
        return any(
            all(matches(part.path or request_path, c) is not c.negated for c in part.conditions) for part in self.lists
        )


NO_CONDITIONS = IfHeader(())


def parse_if(value: str | None) -> IfHeader:
    """
    Read an If header; a missing one has no lists.

    Raises:
        BadRequest: it does not follow the grammar.
    """
    if value is None:
        return NO_CONDITIONS
    lists: list[ConditionList] = []
    path: str | None = None
    tag_used = True
    conditions: list[Condition] | None = None
    negated = False
    left = MAX_CONDITIONS
    for kind, text in _tokens(value):
        if conditions is None:
            if kind == "<":
                if (lists and path is None) or not tag_used:
                    raise _malformed("a resource stands where a list is expected")
                path, tag_used = parse_target(text), False
            elif kind == "(":
                conditions, tag_used = [], True
            else:
                raise _malformed(f"{kind!r} stands outside of a list")
        elif kind == "Not" and not negated:
            negated = True
        elif kind in ("<", "["):
            conditions.append(_condition(kind, text, negated))
            negated, left = False, left - 1
        elif kind == ")" and conditions and not negated:
            lists.append(ConditionList(path, tuple(conditions)))
            conditions = None
        else:
            raise _malformed(f"{kind!r} stands where a condition is expected")
        if left < 0:
            raise BadRequest(f"the If header has more than {MAX_CONDITIONS} conditions")
    if conditions is not None or not lists or not tag_used:
        raise _malformed("a list is missing or not closed")
    return IfHeader(tuple(lists))


def parse_lock_token(value: str | None) -> str:
    """
    The bare token of a Lock-Token header (RFC 4918 §10.5); Explorer may leave the angle brackets out.

    Raises:
        BadRequest: there is none.
    """
    token = (value or "").strip()
    if token.startswith("<") and token.endswith(">"):
        token = token[1:-1].strip()
    if not token or any(c in token for c in "<> \t"):
        raise BadRequest("this method needs a Lock-Token header of the form <token>")
    return token


def _condition(kind: str, text: str, negated: bool) -> Condition:
    if kind == "<":
        return Condition(negated, lock_token=text)
    etag = text.removeprefix("W/")
    if len(etag) >= 2 and etag[0] == etag[-1] == '"':
        etag = etag[1:-1]
    return Condition(negated, etag=etag)


def _tokens(value: str) -> Iterator[tuple[str, str]]:
    """Pairs of kind (``<``, ``[``, ``(``, ``)`` or ``Not``) and content."""
    at, end = 0, len(value)
    while at < end:
        char = value[at]
        if char in " \t":
            at += 1
        elif char in "()":
            yield char, char
            at += 1
        elif char == "<":
            close = value.find(">", at)
            if close < 0 or close == at + 1:
                raise _malformed("'<' is not closed or empty")
            yield char, value[at + 1 : close]
            at = close + 1
        elif char == "[":
            close = _etag_end(value, at + 1)
            yield char, value[at + 1 : close]
            at = close + 1
        elif value[at : at + 3].lower() == "not":
            yield "Not", "Not"
            at += 3
        else:
            raise _malformed(f"{char!r} is not expected")


def _etag_end(value: str, at: int) -> int:
    """Where the ``]`` stands that ends an entity tag; a quoted tag may hold brackets."""
    start = at + 2 if value.startswith("W/", at) else at
    if value.startswith('"', start):
        start = value.find('"', start + 1)
    close = value.find("]", start) if start >= 0 else -1
    if close <= at:
        raise _malformed("an entity tag is not closed or empty")
    return close


def _malformed(why: str) -> BadRequest:
    return BadRequest(f"the If header cannot be read: {why}")
