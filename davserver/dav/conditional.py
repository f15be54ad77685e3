"""Conditional requests: If-Match, If-None-Match and their dates (RFC 9110 §13)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from enum import Enum
from functools import lru_cache

from davserver.dav.errors import BadRequest
from storage.errors import PreconditionFailed

READING = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class EntityTag:
    """An entity tag's bare value and whether it came as a weak one."""

    value: str
    weak: bool = False


@dataclass(frozen=True, slots=True)
class EntityTags:
    """The value of If-Match or If-None-Match; ``any`` is ``*``."""

    any: bool
    tags: tuple[EntityTag, ...]

    def match(self, etag: str | None, *, exists: bool, strong: bool) -> bool:
        """Whether the resource with this (strong, bare) etag is meant (RFC 9110 §8.8.3.2)."""
        if self.any:
            return exists
        return any(tag.value == etag and not (strong and tag.weak) for tag in self.tags)


class Outcome(Enum):
    """What the conditions of a request lead to, when they do not refuse it."""

    PROCEED = "proceed"
    NOT_MODIFIED = "304"


def parse_entity_tags(value: str) -> EntityTags:
    r"""
    Read a list of entity tags.

    Some clients send ``\"tag\"`` (old Evolution) or leave the quotes out (Thunderbird's ``nothing``); both are read.

    Raises:
        BadRequest: it is empty or a quote is not closed.
    """
    value = value.strip().replace('\\"', '"')
    if value == "*":
        return EntityTags(True, ())
    tags: list[EntityTag] = []
    at, end = 0, len(value)
    while at < end:
        if value[at] in " \t,":
            at += 1
            continue
        weak = value.startswith(("W/", "w/"), at)
        at += 2 * weak
        if value.startswith('"', at):
            close = value.find('"', at + 1)
            if close < 0:
                raise BadRequest("an entity tag's quote is not closed")
            tags.append(EntityTag(value[at + 1 : close], weak))
            at = close + 1
        else:
            comma = value.find(",", at)
            close = end if comma < 0 else comma
            tags.append(EntityTag(value[at:close].strip(), weak))
            at = close
    if not tags:
        raise BadRequest("there is no entity tag where one is expected")
    return EntityTags(False, tuple(tags))


def require_preconditions(
    headers: Mapping[str, str],
    method: str,
    *,
    etag: str | None,
    exists: bool | None = None,
    modified_s: float | None = None,
) -> Outcome:
    """
    Evaluate a request's conditions in the order of RFC 9110 §13.2.2.

    Args:
        headers: the request's, by lower-case name.
        etag: bare, of the resource as it is; None where it has none or does not exist.
        exists: whether there is a resource; missing: whether it has an etag.
        modified_s: when it changed last, in seconds; None leaves the dates out.

    Raises:
        PreconditionFailed: the request must not be carried out.
        BadRequest: a header cannot be read.
    """
    present = exists if exists is not None else etag is not None
    if_match, if_none_match = headers.get("if-match"), headers.get("if-none-match")
    if if_match is not None:
        if not parse_entity_tags(if_match).match(etag, exists=present, strong=True):
            raise PreconditionFailed(f"If-Match is {if_match[:80]}; {_state(etag, present)}")
    elif modified_s is not None:
        since = parse_http_date(headers.get("if-unmodified-since"))
        if since is not None and int(modified_s) > since:
            raise PreconditionFailed("the resource has changed after the time in If-Unmodified-Since")
    if if_none_match is not None:
        if parse_entity_tags(if_none_match).match(etag, exists=present, strong=False):
            if method in READING:
                return Outcome.NOT_MODIFIED
            raise PreconditionFailed(f"If-None-Match is {if_none_match[:80]}; {_state(etag, present)}")
    elif method in READING and modified_s is not None:
        since = parse_http_date(headers.get("if-modified-since"))
        if since is not None and int(modified_s) <= since:
            return Outcome.NOT_MODIFIED
    return Outcome.PROCEED


def parse_http_date(value: str | None) -> int | None:
    """Seconds of an HTTP date (RFC 9110 §5.6.7); None where there is none or it cannot be read, as the RFC wants."""
    if value is None:
        return None
    try:
        moment = parsedate_to_datetime(value.strip())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def render_http_date(seconds: float) -> str:
    """An instant as ``Sun, 06 Nov 1994 08:49:37 GMT``."""
    return _render_second(int(seconds))


@lru_cache(maxsize=1024)
def _render_second(second: int) -> str:
    return format_datetime(datetime.fromtimestamp(second, UTC), usegmt=True)


def _state(etag: str | None, present: bool) -> str:
    if not present:
        return "there is nothing at this URL"
    return f'the resource is "{etag}" now' if etag is not None else "there is a resource at this URL"
