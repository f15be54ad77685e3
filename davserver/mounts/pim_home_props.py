"""Live properties of ``/dav/`` and of principals, each of which is also a home (RFC 3744 §4, RFC 4791 §6.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from urllib.parse import quote

from auth.accounts import ROOM, Kind
from auth.snapshot import Account
from davserver.dav.message import quote_path
from davserver.dav.multistatus import href
from davserver.dav.names import CALDAV, CALSERVER, CARDDAV, DAV
from davserver.dav.xml import open_tag, text_of
from davserver.mounts.pim_methods import supported_live_properties
from davserver.mounts.pim_view import EVERY, EVERYWHERE, Property, Table, View, principal_path, render_reports
from davserver.mounts.pim_zones import service_set
from storage.collection import COMPONENTS, STORABLE, Home, Root
from storage.derived import MEMBERS_BOOK
from storage.identity import id_of_folder
from storage.pim import ROOT_PLACE
from storage.records import Folder

USER_TYPES = {"member": "INDIVIDUAL", "group": "GROUP", "resource": "RESOURCE"}
MAILTO_SAFE = "@!$'()*+,:"  # RFC 6068 §2, with what quote leaves as it is


def title_of(account: Account) -> str:
    """What people call a principal; never empty (RFC 3744 §4)."""
    return account.display_name or account.name


def user_type_of(account: Account) -> str:
    """The calendar user type, a value of CUTYPE (RFC 6638 §2.4.2, RFC 5545 §3.2.3)."""
    return "ROOM" if account.what == ROOM else USER_TYPES[account.kind]


def addresses_of(account: Account) -> tuple[str, ...]:
    """The calendar addresses (RFC 6638 §2.4.1): DAVx5 and Apple take the first for the account's own."""
    mail = (f"mailto:{quote(address, safe=MAILTO_SAFE)}" for address in account.addresses)
    return (*mail, quote_path(principal_path(account.name)))


def is_open(home: Home, view: View) -> bool:
    """
    Whether something in a home is open to whoever asks.

    Every principal may be read by whoever is signed in: its name, addresses, type and membership. To strangers that is
    all of it.
    """
    return view.session.access.sees(home.path)


def _of_account(value: Callable[[Account], str | None], *, of_nobody: str | None = None) -> Property:
    """A property of the account; ``of_nobody`` is that of a home on disk whose account is gone."""

    def content(home: Home, view: View) -> str | None:
        account = view.directory.account(home.owner)
        return of_nobody if account is None else value(account)

    return content


def _to_friends(value: Property) -> Property:
    """A property of the home itself, which strangers are not told."""
    return lambda home, view: value(home, view) if is_open(home, view) else None


def _hrefs(names: Iterable[str]) -> str:
    return "".join(href(principal_path(name)) for name in names)


def _principal_name(home: Home, view: View) -> str:
    account = view.directory.account(home.owner)
    return text_of(home.owner if account is None else title_of(account))


def _home_set(home: Home, view: View) -> str | None:
    """Members alone: DAVx5 follows the home sets of groups, and everything shared would stand twice on the phone."""
    is_told = view.directory.is_member(home.owner) and is_open(home, view)
    return href(principal_path(home.owner)) if is_told else None


def _directory(home: Home, view: View) -> str | None:
    """The members' book (draft-daboo-carddav-directory-gateway §3): Apple's programs search it as they write."""
    is_there = view.directory.is_member(home.owner) and view.session.pim.find(MEMBERS_BOOK) is not None
    return href(MEMBERS_BOOK + "/") if is_there else None


def _addresses(home: Home, view: View) -> str:
    account = view.directory.account(home.owner)
    if account is None:
        return href(principal_path(home.owner))
    return "".join(open_tag(DAV.href, text_of(address)) for address in addresses_of(account))


def _rendered_mail(account: Account) -> str:
    return "".join(open_tag(CALSERVER.email_address, text_of(address)) for address in account.addresses)


_mail = _of_account(_rendered_mail, of_nobody="")
_user_type = _of_account(user_type_of)
_groups = _of_account(lambda account: _hrefs(account.groups), of_nobody="")
# of groups only (RFC 3744 §4.3)
_group_members = _of_account(lambda account: _hrefs(account.members) if account.kind is Kind.GROUP else None)


def _reports(home: Home, view: View) -> str:
    return render_reports(
        (DAV.sync_collection, CALDAV.free_busy_query, *EVERYWHERE) if is_open(home, view) else EVERYWHERE
    )


def _resource_id(home: Home, view: View) -> str | None:
    return None if home.folder is None else _id_of(home.folder, view)


def _root_id(_: Root, view: View) -> str | None:
    folder = view.session.store.find_folder(ROOT_PLACE)
    return None if folder is None else _id_of(folder, view)


def _id_of(folder: Folder, view: View) -> str:
    return f"<D:href>{id_of_folder(view.session.store, folder).urn}</D:href>"


def _component_sets(home: Home, view: View) -> str:
    """Which ``supported-calendar-component-set`` a new calendar can have, as Apple's programs ask: any of them."""
    sets = [*((name,) for name in STORABLE), COMPONENTS]
    return "".join(open_tag(CALDAV.supported_calendar_component_set, "".join(map(_comp, names))) for names in sets)


def _comp(name: str) -> str:
    return f'<C:comp name="{name}"/>'


def _home_token(home: Home, view: View) -> str:
    return text_of(view.session.pim.home_token(home))


ROOT_PROPS: Table = {
    **EVERY,
    DAV.resource_id: _root_id,
    DAV.supported_live_property_set: lambda root, view: supported_live_properties(ROOT_PROPS),
    DAV.resourcetype: lambda root, view: open_tag(DAV.collection),
    DAV.displayname: lambda root, view: "dav",
    DAV.supported_report_set: lambda root, view: render_reports(EVERYWHERE),
}

HOME_PROPS: Table = {
    **EVERY,
    DAV.resource_id: _to_friends(_resource_id),
    DAV.supported_live_property_set: lambda home, view: supported_live_properties(HOME_PROPS),
    DAV.resourcetype: lambda home, view: open_tag(DAV.collection) + open_tag(DAV.principal),
    DAV.displayname: _principal_name,
    DAV.principal_URL: lambda home, view: href(principal_path(home.owner)),
    DAV.alternate_URI_set: lambda home, view: "",
    DAV.group_membership: _groups,
    DAV.group_member_set: _group_members,
    DAV.supported_report_set: _reports,
    DAV.sync_token: _to_friends(_home_token),
    CALSERVER.getctag: _to_friends(_home_token),
    CALDAV.calendar_home_set: _home_set,
    CARDDAV.addressbook_home_set: _home_set,
    CARDDAV.directory_gateway: _directory,
    CALDAV.calendar_user_address_set: _addresses,
    CALDAV.calendar_user_type: _user_type,
    CALDAV.supported_calendar_component_sets: _component_sets,
    CALDAV.timezone_service_set: service_set,
    CALSERVER.email_address_set: _mail,
    CALSERVER.calendar_proxy_read_for: lambda home, view: "",
    CALSERVER.calendar_proxy_write_for: lambda home, view: "",
}
