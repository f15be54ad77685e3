"""Live properties of ``/dav/`` and of principals, each of which is also a home (RFC 3744 §4, RFC 4791 §6.2)."""

from __future__ import annotations

from davserver.dav.multistatus import href
from davserver.dav.names import CALDAV, CALSERVER, CARDDAV, DAV
from davserver.dav.xml import open_tag, text_of
from davserver.mounts.pim_view import EVERY, EVERYWHERE, Table, View, principal_path, render_reports
from storage.collection import Home
from storage.derived import MEMBERS_BOOK

USER_TYPES = {"member": "INDIVIDUAL", "group": "GROUP", "resource": "RESOURCE"}


def _is_member(home: Home, view: View) -> bool:
    account = view.directory.account(home.owner)
    return account is not None and account.kind == "member"


def _home_set(home: Home, view: View) -> str | None:
    """Members alone: DAVx5 follows the home sets of groups, and everything shared would stand twice on the phone."""
    return href(principal_path(home.owner)) if _is_member(home, view) else None


def _directory(home: Home, view: View) -> str | None:
    """The members' book (draft-daboo-carddav-directory-gateway §3): Apple's programs search it as they write."""
    is_there = _is_member(home, view) and view.session.pim.find(MEMBERS_BOOK) is not None
    return href(MEMBERS_BOOK + "/") if is_there else None


def _addresses(home: Home, view: View) -> str:
    account = view.directory.account(home.owner)
    mail = account.addresses if account is not None else ()
    mailto = "".join(f"<D:href>{text_of('mailto:' + address)}</D:href>" for address in mail)
    return mailto + href(principal_path(home.owner))


def _mail(home: Home, view: View) -> str:
    account = view.directory.account(home.owner)
    mail = account.addresses if account is not None else ()
    return "".join(open_tag(CALSERVER.email_address, text_of(address)) for address in mail)


def _groups(home: Home, view: View) -> str:
    account = view.directory.account(home.owner)
    return "".join(href(principal_path(name)) for name in (account.groups if account is not None else ()))


def _group_members(home: Home, view: View) -> str | None:
    account = view.directory.account(home.owner)
    if account is None or account.kind != "group":
        return None
    return "".join(href(principal_path(name)) for name in account.members)


def _principal_name(home: Home, view: View) -> str:
    account = view.directory.account(home.owner)
    return text_of((account.display_name if account is not None else "") or home.owner)


def _user_type(home: Home, view: View) -> str | None:
    account = view.directory.account(home.owner)
    return None if account is None else USER_TYPES.get(str(account.kind))


def _home_token(home: Home, view: View) -> str:
    return text_of(view.session.pim.home_token(home))


ROOT_PROPS: Table = {
    **EVERY,
    DAV.resourcetype: lambda root, view: open_tag(DAV.collection),
    DAV.displayname: lambda root, view: "dav",
    DAV.supported_report_set: lambda root, view: render_reports(EVERYWHERE),
}

HOME_PROPS: Table = {
    **EVERY,
    DAV.resourcetype: lambda home, view: open_tag(DAV.collection) + open_tag(DAV.principal),
    DAV.displayname: _principal_name,
    DAV.principal_URL: lambda home, view: href(principal_path(home.owner)),
    DAV.alternate_URI_set: lambda home, view: "",
    DAV.group_membership: _groups,
    DAV.group_member_set: _group_members,
    DAV.supported_report_set: lambda home, view: render_reports((DAV.sync_collection, *EVERYWHERE)),
    DAV.sync_token: _home_token,
    CALSERVER.getctag: _home_token,
    CALDAV.calendar_home_set: _home_set,
    CARDDAV.addressbook_home_set: _home_set,
    CARDDAV.directory_gateway: _directory,
    CALDAV.calendar_user_address_set: _addresses,
    CALDAV.calendar_user_type: _user_type,
    CALSERVER.email_address_set: _mail,
    CALSERVER.calendar_proxy_read_for: lambda home, view: "",
    CALSERVER.calendar_proxy_write_for: lambda home, view: "",
}
