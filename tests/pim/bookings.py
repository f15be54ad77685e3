"""A van that marks double bookings, a hall that refuses them, and bookings for them; for the tests of both."""

from __future__ import annotations

import re

from davserver.dav.names import DAV
from tests.harness import GROUPS, Dav
from tests.pim.samples import CRLF, event, sync

RESOURCES = (
    GROUPS.replace('display_name = "Van"', 'display_name = "Van"\ntimezone = "Europe/Paris"')
    + '\n[resource.hall]\ndisplay_name = "Hall"\ndouble_booking = "refuse"\n'
    + '\n[resource.projector]\nmail = "projector@example.org"\n'
)
RIGHTS = """
[[rule]]
path = "/dav/van"
who = ["all-users"]
may = ["read", "create"]

[[rule]]
path = "/dav/hall"
who = ["all-users"]
may = ["read", "create"]

[[rule]]
path = "/dav/projector/calendar"
who = ["all-users"]
may = ["freebusy"]

[[rule]]
path = "/dav/projector/calendar"
who = ["bob"]
may = ["read", "create"]

[[rule]]
path = "/dav/sport"
who = ["sport"]
may = ["read", "create", "write", "delete"]
"""
MARK = f"STATUS:TENTATIVE{CRLF}CATEGORIES:double booking{CRLF}"
CATEGORY = re.compile(r"^CATEGORIES:(?:.*,)?double booking(?:,.*)?$", re.MULTILINE)


def booking(uid: str, start: str, end: str, *more: str) -> str:
    """A VEVENT from one time of 2040 to another, such as ``0105T100000Z``."""
    return event(uid, f"Booked by {uid}", f"DTSTART:2040{start}", f"DTEND:2040{end}", *more)


def marked(text: str) -> str:
    """The text as it is stored when its only event is marked; it has no STATUS of its own."""
    assert "STATUS" not in text
    return text.replace("END:VEVENT", f"{MARK}END:VEVENT")


def marks(text: str) -> set[str]:
    """Of which events of a text, by the RECURRENCE-ID, it is said that they are double bookings."""
    found = set()
    for part in text.replace(CRLF, "\n").split("BEGIN:VEVENT\n")[1:]:
        named = re.search(r"^RECURRENCE-ID.*:(.*)$", part, re.MULTILINE)
        is_marked = CATEGORY.search(part) is not None
        assert not is_marked or "\nSTATUS:TENTATIVE\n" in part
        if is_marked:
            found.add(named[1] if named else "")
    return found


def token_of(client: Dav, calendar: str) -> str:
    """The sync token of a calendar as it is."""
    return client.report(calendar, sync()).xml.findtext(DAV.sync_token) or ""


def changes(client: Dav, calendar: str, token: str) -> set[str]:
    """The names of what a client is told that has changed since a token."""
    return {path.rpartition("/")[2] for path in client.report(calendar, sync(token)).multistatus()}
