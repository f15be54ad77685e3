"""Every failure has one status and one precondition for each view."""

from __future__ import annotations

import errno
import json
from xml.etree.ElementTree import fromstring

import pytest

from auth.errors import Hidden, NeedPrivileges, Problem, RulesRefused
from auth.throttle import TooManyTries
from davserver.accesslog import Entry, masked, render_json, render_text
from davserver.dav import errors as wire
from davserver.dav.message import Response
from davserver.dav.names import CALDAV, CARDDAV, DAV
from davserver.errors import translate
from storage import errors as shelf

BOTH = ("files", "dav")
PLACE = "collection-location-ok"


def condition(response: Response) -> str | None:
    """Clark name of the DAV:error's first child."""
    if dict(response.headers)["Content-Type"].startswith("text/plain"):
        return None
    assert isinstance(response.body, bytes)
    return fromstring(response.body)[0].tag


@pytest.mark.parametrize(
    ("error", "views", "status", "expected"),
    [
        (wire.BadRequest("Depth is '2'"), BOTH, 400, None),
        (wire.BodyBroken("it ended"), BOTH, 400, None),
        (wire.Unsettled("changed"), BOTH, 503, None),
        (wire.TooLarge("too large"), BOTH, 413, None),
        (wire.UrlTooLong("too long"), BOTH, 414, None),
        (wire.OtherServer("elsewhere"), BOTH, 502, None),
        (wire.RangeNotSatisfiable(5), BOTH, 416, None),
        (Hidden("/files/x"), BOTH, 404, None),
        (NeedPrivileges("/files/x", "write"), BOTH, 403, DAV.need_privileges),
        (RulesRefused((Problem("access.toml", 3, "x", "y"),)), BOTH, 422, None),
        (shelf.FileRefused("line 3"), BOTH, 422, None),
        (TooManyTries(1), BOTH, 429, None),
        (shelf.NotFound("/files/x"), BOTH, 404, None),
        (shelf.ParentMissing("/files/x/y"), BOTH, 409, None),
        (shelf.AlreadyExists("/files/x"), BOTH, 405, DAV.resource_must_be_null),
        (shelf.ReadOnly("/files/x"), BOTH, 405, None),
        (shelf.NameRefused("..", "is not a name"), BOTH, 403, None),
        (shelf.PlaceRefused("/x", "no"), BOTH, 403, None),
        (shelf.PlaceRefused("/x", "no", f"calendar-{PLACE}"), ("dav",), 403, CALDAV(f"calendar-{PLACE}")),
        (shelf.PlaceRefused("/x", "no", f"addressbook-{PLACE}"), ("dav",), 403, CARDDAV(f"addressbook-{PLACE}")),
        (shelf.PreconditionFailed("stale"), BOTH, 412, None),
        (shelf.NotLocked("of nobody's"), BOTH, 412, DAV.lock_token_matches_request_uri),
        (shelf.LockConflict(["/files/x"], "/files/x"), ("files",), 423, DAV.no_conflicting_lock),
        (shelf.LockConflict(["/files"], "/files/x"), ("files",), 423, DAV.no_conflicting_lock),
        (shelf.Locked(["/files/x"]), ("files",), 423, DAV.lock_token_submitted),
        (shelf.Locked(["/files/x"]), ("dav",), 503, None),
        (shelf.ItemRefused("valid-calendar-data", "bad"), ("dav",), 403, CALDAV.valid_calendar_data),
        (shelf.ItemRefused("valid-address-data", "bad"), ("dav",), 403, CARDDAV.valid_address_data),
        (shelf.ItemRefused("max-resource-size", "big"), ("dav",), 403, CALDAV.max_resource_size),
        (shelf.ItemRefused("max-resource-size", "big", is_card=True), ("dav",), 403, CARDDAV.max_resource_size),
        (shelf.ItemRefused("max-resource-size", "big"), ("files",), 413, None),
        (shelf.UidConflict("u1", "/dav/a/c/a.ics"), ("dav",), 403, CALDAV.no_uid_conflict),
        (shelf.UidConflict("u1", "/dav/a/b/a", is_card=True), ("dav",), 403, CARDDAV.no_uid_conflict),
        (shelf.InvalidSyncToken("old"), ("dav",), 403, DAV.valid_sync_token),
        (shelf.QuotaExceeded("full"), BOTH, 507, DAV.quota_not_exceeded),
        (shelf.DiskFull("full"), BOTH, 507, DAV.sufficient_disk_space),
        (OSError(errno.ENOSPC, "No space left"), BOTH, 507, DAV.sufficient_disk_space),
    ],
)  # fmt: skip
def test_a_failure_has_its_status_and_precondition(
    error: Exception, views: tuple[str, ...], status: int, expected: str | None
) -> None:
    for view in views:
        answer = translate(error, view)  # type: ignore[arg-type]
        assert (answer.status, condition(answer)) == (status, expected)


@pytest.mark.rfc("3744", "7.1.1")
def test_a_lacking_privilege_is_named_with_its_resource() -> None:
    body = translate(NeedPrivileges("/dav/van/a b", "create"), "dav").body
    assert isinstance(body, bytes)
    resource = fromstring(body).find(f"{DAV.need_privileges}/{DAV.resource}")
    assert resource is not None
    assert resource.findtext(DAV.href) == "/dav/van/a%20b"
    assert resource.find(f"{DAV.privilege}/{DAV.bind}") is not None


def test_a_locked_item_tells_a_phone_when_to_come_again() -> None:
    assert ("Retry-After", "30") in translate(shelf.Locked(["/x"]), "dav").headers


@pytest.mark.rfc("4791", "5.3.2.1")
def test_the_holder_of_a_uid_is_named() -> None:
    body = translate(shelf.UidConflict("u1", "/dav/a/c/ä.ics"), "dav").body
    assert isinstance(body, bytes)
    assert fromstring(body).findtext(f"{CALDAV.no_uid_conflict}/{DAV.href}") == "/dav/a/c/%C3%A4.ics"


def test_what_nobody_named_is_500_with_the_requests_id_and_nothing_of_the_inside(
    caplog: pytest.LogCaptureFixture,
) -> None:
    answer = translate(RuntimeError("/srv/cloud/data SELECT"), "files", request_id="abc123")
    assert answer.status == 500
    assert isinstance(answer.body, bytes)
    assert b"abc123" in answer.body
    assert b"SELECT" not in answer.body
    assert "SELECT" in caplog.text
    assert "abc123" in caplog.text


ENTRY = Entry(0.0, "8f3a", "192.0.2.7", "alice", "PUT", "/files/Sport/a b\n", 204, 12, 3.14159)


def test_a_log_line_cannot_be_broken_by_a_name() -> None:
    expected = "1970-01-01T00:00:00.000Z 8f3a 192.0.2.7 alice PUT /files/Sport/a%20b%0A 204 12 3.1"
    assert render_text(ENTRY) == expected


def test_a_json_log_line_has_every_field() -> None:
    assert json.loads(render_json(ENTRY)) == {
        "time": "1970-01-01T00:00:00.000Z",
        "id": "8f3a",
        "address": "192.0.2.7",
        "member": "alice",
        "method": "PUT",
        "path": "/files/Sport/a b\n",
        "status": 204,
        "bytes": 12,
        "ms": 3.1,
    }


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/p/secret/x.html", "/p/***/x.html"),
        ("/p/secret", "/p/***"),
        ("//p//secret/%ff", "/p/***/%ff"),
        ("/p/", "/p/"),
        ("/files/../p/AAAAAAAAAAAAAAAAAAAAAA/x", "/files/../p/***/x"),
        ("http://dav.example/p/AAAAAAAAAAAAAAAAAAAAAA/%00", "http://dav.example/p/***/%00"),
        ("/%70/AAAAAAAAAAA%41AAAAAAAAAA/..", "/p/***/.."),
        ("/drive/P/AAAAAAAAAAAAAAAAAAAAAA/", "/drive/p/***/"),
        ("/files/p/a", "/files/p/a"),
    ],
)
def test_the_token_of_a_public_link_is_not_logged(path: str, shown: str) -> None:
    assert masked(path) == shown
