"""Time zones by reference on the wire (RFC 7809): the request header, and the two properties that name one zone."""

from __future__ import annotations

from collections.abc import Callable

from davserver.dav.errors import BadRequest
from davserver.dav.message import Request
from davserver.dav.names import CALDAV
from davserver.dav.xml import text_of
from davserver.mounts.pim_view import View
from storage.collection import Home
from storage.pim_collections import Changes
from storage.shown import PERSONAL_KEYS
from storage.zonereferences import calendar_of_zone, find_zone_name, with_named_zones, without_standard_zones

HEADER = "caldav-timezones"
VARY = ("Vary", "CalDAV-Timezones")
WISHES: dict[str, Callable[[bytes], bytes]] = {"T": with_named_zones, "F": without_standard_zones}
ZONE_META = "C:calendar-timezone"  # Radicale's key
ZONE_PERSONAL = PERSONAL_KEYS[CALDAV.calendar_timezone]
NAME_PERSONAL = PERSONAL_KEYS[CALDAV.calendar_timezone_id]
CAPABILITY = "calendar-no-timezone"


def zones_wanted(request: Request) -> Callable[[bytes], bytes] | None:
    """
    What a request wants done with the VTIMEZONEs of an answer (RFC 7809 §7.1); None is: they come as they are stored.

    Who says ``F`` knows the standard zones, also where no service is named that could tell of them.
    """
    said = request.header(HEADER)
    if said is None:
        return None
    wish = WISHES.get(said.strip().upper())
    if wish is None:
        raise BadRequest(f"CalDAV-Timezones is {said[:20]!r}; it can be T or F")
    return wish


def service_set(home: Home, view: View) -> str | None:
    """``timezone-service-set`` (RFC 7809 §5.1): the services that the administrator names."""
    services = view.settings.server.timezone_services
    return "".join(f"<D:href>{text_of(uri)}</D:href>" for uri in services) or None


def set_zone_name(changes: Changes, name: str | None, *, personal: bool) -> str:
    """
    Set ``calendar-timezone`` by its name, or take it away (RFC 7809 §3.1.5): the one is kept, the other read from it.

    Gives the local name of the precondition that refuses it, or "".

    Args:
        personal: whether it is the member's own on a shown calendar.
    """
    kept = changes.personal.get(ZONE_PERSONAL) if personal else changes.meta.get(ZONE_META)
    described = None if name is None else calendar_of_zone(name)
    if name is not None and kept is not None and find_zone_name(kept) == name:
        described = kept  # the client's own description came along
    if name is not None and described is None:
        return "valid-timezone"
    if personal:
        changes.personal[ZONE_PERSONAL] = described
    else:
        changes.meta[ZONE_META] = described
        changes.dead[CALDAV.calendar_timezone] = None
    forget_zone_name(changes, personal=personal)
    return ""


def forget_zone_name(changes: Changes, *, personal: bool) -> None:
    """A name that was stored beside the zone does not outlive it."""
    if personal:
        changes.personal[NAME_PERSONAL] = None
    else:
        changes.dead[CALDAV.calendar_timezone_id] = None
