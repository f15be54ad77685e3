"""
The one place where a failure becomes a status and a ``DAV:error`` body.

A failed condition is 403 where repeating cannot help and 409 where the client can resolve it (RFC 4791 §1.3); where
both would do, what clients make of it decides: ``view`` is the part of the tree that was asked, because the same
failure means other things to a file manager and to a phone that synchronises.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Literal

from auth.errors import AclRefused, Hidden, LinkOver, NeedPrivileges, NoSuchLink, RulesRefused, TooManyUploads
from auth.throttle import TooManyTries
from davserver.dav import errors as wire
from davserver.dav.message import Response, quote_path
from davserver.dav.multistatus import error_response, href, multistatus, status_response
from davserver.dav.names import CALDAV, CARDDAV, DAV
from davserver.dav.xml import open_tag
from storage import errors as shelf
from storage.answers import AnswerRefused, FileTooLarge
from storage.paths import is_within
from storage.votes import VoteRefused

View = Literal["files", "dav"]

PRIVILEGES = {
    # what auth.acl calls it: what RFC 3744 and RFC 4791 call it
    "read": DAV.read,
    "create": DAV.bind,
    "write": DAV.write_content,
    "delete": DAV.unbind,
    "admin": DAV.write_acl,
    "freebusy": CALDAV.read_free_busy,
}
CARD_CONDITIONS = frozenset({"valid-address-data", "supported-address-data", "addressbook-collection-location-ok"})
CALENDAR_CONDITIONS = frozenset(
    {
        "calendar-collection-location-ok",
        "initialize-calendar-collection",
        "max-attendees-per-instance",
        "max-date-time",
        "max-instances",
        "max-resource-size",
        "min-date-time",
        "no-uid-conflict",
        "supported-calendar-component",
        "supported-calendar-data",
        "supported-collation",
        "supported-filter",
        "valid-calendar-data",
        "valid-calendar-object-resource",
        "valid-filter",
        "valid-timezone",
    }
)
SHARED_CONDITIONS = frozenset({"max-resource-size", "no-uid-conflict", "supported-collation", "supported-filter"})
RETRY_WHILE_LOCKED_S = 30
RETRY_UNSETTLED_S = 1
READ_METHODS = "OPTIONS, GET, HEAD, PROPFIND, REPORT"
EXISTING_METHODS = "OPTIONS, GET, HEAD, PUT, DELETE, PROPFIND, PROPPATCH, COPY, MOVE"

log = logging.getLogger("davserver.errors")


def translate(error: Exception, view: View, *, request_id: str = "") -> Response:
    """
    The answer to a request that failed.

    What no room's ``errors.py`` names is our bug: 500 with the request's id for the client, the traceback for the log.
    """
    answer = _of_wire(error) or _of_rights(error, view) or _of_shelf(error, view) or _of_item(error, view)
    if answer is None:
        log.error("request %s failed", request_id, exc_info=error)
        answer = Response.text(500, f"The server failed; its log has the reason under request {request_id}.\n")
    return answer


def condition_name(condition: str, *, is_card: bool = False) -> str:
    """The Clark name of a precondition that a shelf named by its local name; Clark names stay as they are."""
    if condition.startswith("{"):
        return condition
    if condition in CARD_CONDITIONS or (is_card and condition in SHARED_CONDITIONS):
        return CARDDAV(condition)
    return CALDAV(condition) if condition in CALENDAR_CONDITIONS else DAV(condition)


def _of_wire(error: Exception) -> Response | None:
    match error:
        case wire.BodyBroken():
            return _say(400, error, ("Connection", "close"))
        case wire.BadRequest():
            return _say(400, error)
        case wire.Unsettled():
            return _say(503, error, ("Retry-After", str(RETRY_UNSETTLED_S)))
        case wire.TooLarge():
            return _say(413, error)
        case wire.NotAcceptable(condition=condition):
            return error_response(406, condition, message=str(error)) if condition else _say(406, error)
        case wire.Unprocessable():
            return _say(422, error)
        case wire.UnsupportedMedia():
            return _say(415, error)
        case wire.UrlTooLong():
            return _say(414, error)
        case wire.OtherServer():
            return _say(502, error)
        case wire.RangeNotSatisfiable(size=size):
            return _say(416, error, ("Content-Range", f"bytes */{size}"))
    return None


def _of_rights(error: Exception, view: View) -> Response | None:
    match error:
        case Hidden(path=path):
            return _nothing_at(path)
        case NeedPrivileges(path=path, action=action):
            said = f"the right {action} is needed here"
            return error_response(403, DAV.need_privileges, lacking(path, action), message=said)
        case AclRefused(condition=condition):
            return error_response(403, DAV(condition), message=str(error))
        case RulesRefused() | shelf.FileRefused():
            return _say(422, error)
        case NoSuchLink():
            return _say(404, error)
        case LinkOver():
            return _say(410, error)
        case TooManyTries(retry_after_s=seconds) | TooManyUploads(retry_after_s=seconds):
            return _say(429, error, ("Retry-After", str(max(1, round(seconds)))))
    return None


def lacking(path: str, action: str) -> str:
    """The ``DAV:resource`` of a ``DAV:need-privileges`` (RFC 3744 §7.1.1): where which right is missing."""
    privilege = open_tag(DAV.privilege, open_tag(PRIVILEGES.get(action) or DAV(action)))
    return open_tag(DAV.resource, href(path) + privilege)


def _of_shelf(error: Exception, view: View) -> Response | None:
    match error:
        case shelf.NotFound(path=path):
            return _nothing_at(path)
        case shelf.ParentMissing():
            return _say(409, error)
        case shelf.AlreadyExists():
            answer = error_response(405, DAV.resource_must_be_null, message=str(error))
            answer.headers.append(("Allow", EXISTING_METHODS))
            return answer
        case shelf.ReadOnly():
            return _say(405, error, ("Allow", READ_METHODS))
        case shelf.NameRefused():
            return _say(403, error)
        case shelf.PlaceRefused(condition=condition):
            return error_response(403, condition_name(condition), message=str(error)) if condition else _say(403, error)
        case shelf.NamedByServer(folder=folder):
            told = open_tag(DAV.add_member, href(f"{folder}/"))
            return error_response(403, DAV.allow_client_defined_uri, told, message=str(error))
        case shelf.NotLocked():
            return error_response(412, DAV.lock_token_matches_request_uri, message=str(error))
        case shelf.PreconditionFailed():
            return _say(412, error)
        case shelf.LockConflict(roots=roots, asked=asked) if all(_is_below(root, asked) for root in roots):
            # what stands in the way is not what was to be locked itself (RFC 4918 §9.10.3)
            rows = [status_response(root, 423, open_tag(DAV.no_conflicting_lock, href(root))) for root in roots]
            return multistatus([*rows, status_response(f"{asked}/", 424)])
        case shelf.LockConflict(roots=roots):
            return error_response(423, DAV.no_conflicting_lock, "".join(map(href, roots)), message=str(error))
        case shelf.TooManyLocks():
            return _say(403, error)
        case shelf.Locked(roots=roots) if view == "files":
            return error_response(423, DAV.lock_token_submitted, "".join(map(href, roots)), message=str(error))
        case shelf.Locked():  # 423 is a hard error to a phone; after a 503 it keeps the edit and comes again
            return _say(503, error, ("Retry-After", str(RETRY_WHILE_LOCKED_S)))
    return None


def _is_below(path: str, folder: str) -> bool:
    return path.rstrip("/") != folder and is_within(path, folder)


def _of_item(error: Exception, view: View) -> Response | None:
    match error:
        case shelf.ItemRefused(condition="max-resource-size") if view == "files":
            return _say(413, error)
        case shelf.ItemRefused(condition=condition, is_card=is_card):
            return error_response(403, condition_name(condition, is_card=is_card), message=str(error))
        case shelf.UidConflict(holder=holder, is_card=is_card):
            return error_response(403, condition_name("no-uid-conflict", is_card=is_card), href(holder))
        case shelf.BookingRefused():  # DAVx5 takes its booking back and reloads, Thunderbird asks
            return _say(409, error)
        case shelf.InvalidSyncToken():  # with an empty DAV:error Thunderbird would stop synchronising
            return error_response(403, DAV.valid_sync_token, message=str(error))
        case VoteRefused():
            return _say(409, error)
        case FileTooLarge():
            return _say(413, error)
        case AnswerRefused():
            return _say(422, error)
        case shelf.QuotaExceeded():
            return error_response(507, DAV.quota_not_exceeded, message=str(error))
        case shelf.DiskFull():
            return error_response(507, DAV.sufficient_disk_space, message=str(error))
        case OSError(errno=number) if number in shelf.FULL_DISK:
            return error_response(507, DAV.sufficient_disk_space, message="the disk has no room left")
    return None


def _say(status: int, error: Exception, *headers: tuple[str, str]) -> Response:
    sentence = str(error) or HTTPStatus(status).phrase
    return Response.text(status, f"{sentence}\n", *headers)


def _nothing_at(path: str) -> Response:
    return Response.text(404, f"There is nothing at {quote_path(path)}.\n")
