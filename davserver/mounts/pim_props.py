"""
Live properties of what stands under ``/dav/``: tables from an RFC's name to the function that gives its content.

A function answers with the XML inside the element, or None where the resource does not have the property.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from auth.acl import Action
from auth.directory import Directory
from config.schema import Settings
from davserver.dav.conditional import render_http_date
from davserver.dav.multistatus import href
from davserver.dav.names import APPLE, CALDAV, CALSERVER, CARDDAV, DAV
from davserver.dav.xml import attribute, open_tag, text_of
from storage.collection import ADDRESS_BOOK, CALENDAR, SUBSCRIPTION, Collection, Home, Item, Resource, Root
from storage.paths import DAV as TREE
from storage.paths import join
from storage.session import Session
from storage.shown import PERSONAL_KEYS, XML_KEYS


@dataclass(frozen=True, slots=True)
class View:
    """What the properties of a request are computed with."""

    session: Session
    settings: Settings
    directory: Directory


Property = Callable[[Any, View], str | None]
Table = Mapping[str, Property]

GRANTS: dict[Action, tuple[str, ...]] = {
    # what a right is called in RFC 3744 §3 and RFC 4791 §6.1
    Action.READ: (DAV.read, DAV.read_current_user_privilege_set),
    Action.CREATE: (DAV.bind,),
    Action.WRITE: (DAV.write_content, DAV.write_properties),
    Action.DELETE: (DAV.unbind,),
    Action.ADMIN: (DAV.write_acl, DAV.read_acl, DAV.unlock),
    Action.FREEBUSY: (CALDAV.read_free_busy,),
}
WRITE_PARTS = frozenset({Action.CREATE, Action.WRITE, Action.DELETE})
ITEM_TYPES = {CALENDAR: "text/calendar; charset=utf-8", ADDRESS_BOOK: "text/vcard; charset=utf-8"}
EVERYWHERE = (DAV.expand_property, DAV.principal_property_search, DAV.principal_search_property_set)
REPORTS_OF_TAG: dict[str, tuple[str, ...]] = {
    CALENDAR: (DAV.sync_collection, CALDAV.calendar_multiget, CALDAV.calendar_query, CALDAV.free_busy_query),
    ADDRESS_BOOK: (DAV.sync_collection, CARDDAV.addressbook_multiget, CARDDAV.addressbook_query),
}
META_KEYS: dict[str, str] = {
    # Clark name of a text property -> Radicale's own key for it in .Radicale.props
    DAV.displayname: "D:displayname",
    APPLE.calendar_color: "ICAL:calendar-color",
    APPLE.calendar_order: "ICAL:calendar-order",
    CALDAV.calendar_description: "C:calendar-description",
    CALDAV.calendar_timezone: "C:calendar-timezone",
    CARDDAV.addressbook_description: "CR:addressbook-description",
}
USER_TYPES = {"member": "INDIVIDUAL", "group": "GROUP", "resource": "RESOURCE"}


def href_path(resource: Resource) -> str:
    """The path of a resource as it stands in an href: what holds others ends with a slash."""
    return resource.asked if isinstance(resource, Item) else resource.asked + "/"


def principal_path(name: str) -> str:
    """The path of a principal, which is its home."""
    return join(TREE, name) + "/"


def owner_of(resource: Resource, view: View) -> str | None:
    """The name of the principal that owns a resource (RFC 3744 §5.1)."""
    match resource:
        case Root():
            return None
        case Home(owner=name):
            return name
        case Item(collection=collection):
            return owner_of(collection, view)
        case Collection():
            kept = view.session.store.state(resource.place).get("", "owner")
            return kept if isinstance(kept, str) else resource.owner


def privileges(resource: Resource, view: View) -> list[str]:
    """What the principal may do here, in RFC 3744's words (§5.4); phones tell by it what is read-only."""
    held = view.session.access.actions(resource.path)
    granted = [privilege for action, names in GRANTS.items() if action in held for privilege in names]
    if Action.READ in held and Action.FREEBUSY not in held:
        granted.append(CALDAV.read_free_busy)
    if Action.CREATE in held and Action.WRITE not in held and not isinstance(resource, Item):
        granted += [DAV.write_content, DAV.unbind]  # of what one created oneself
    if held >= WRITE_PARTS:
        granted.append(DAV.write)
    if Action.ADMIN in held and held >= WRITE_PARTS:
        granted.append(DAV.all)
    return list(dict.fromkeys(granted))


def _privilege_set(resource: Resource, view: View) -> str:
    return "".join(open_tag(DAV.privilege, open_tag(name)) for name in privileges(resource, view))


def _owner(resource: Resource, view: View) -> str | None:
    name = owner_of(resource, view)
    return None if name is None else href(principal_path(name))


def _current_user(_: Resource, view: View) -> str:
    name = view.session.principal.name
    return open_tag(DAV.unauthenticated) if name is None else href(principal_path(name))


def _reports(names: tuple[str, ...]) -> str:
    listed = (open_tag(DAV.report, open_tag(name)) for name in names)
    return "".join(open_tag(DAV.supported_report, report) for report in listed)


def _privilege_tree(_: Resource, view: View) -> str:
    def node(name: str, inner: str = "") -> str:
        description = f'<D:description xml:lang="en">{name.rpartition("}")[2]}</D:description>'
        return open_tag(DAV.supported_privilege, open_tag(DAV.privilege, open_tag(name)) + description + inner)

    write = "".join(map(node, (DAV.bind, DAV.unbind, DAV.write_content, DAV.write_properties)))
    read = node(CALDAV.read_free_busy) + node(DAV.read_current_user_privilege_set)
    rest = "".join(map(node, (DAV.read_acl, DAV.write_acl, DAV.unlock)))
    return node(DAV.all, node(DAV.read, read) + node(DAV.write, write) + rest)


EVERY: dict[str, Property] = {
    DAV.owner: _owner,
    DAV.current_user_principal: _current_user,
    DAV.current_user_privilege_set: _privilege_set,
    DAV.supported_privilege_set: _privilege_tree,
    DAV.principal_collection_set: lambda resource, view: href(TREE + "/"),
}

# -- principals and homes --------------------------------------------------------------------------------------------


def _is_member(home: Home, view: View) -> bool:
    account = view.directory.account(home.owner)
    return account is not None and account.kind == "member"


def _home_set(home: Home, view: View) -> str | None:
    """Members alone: DAVx5 follows the home sets of groups, and everything shared would stand twice on the phone."""
    return href(principal_path(home.owner)) if _is_member(home, view) else None


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
    DAV.supported_report_set: lambda root, view: _reports(EVERYWHERE),
}

HOME_PROPS: Table = {
    **EVERY,
    DAV.resourcetype: lambda home, view: open_tag(DAV.collection) + open_tag(DAV.principal),
    DAV.displayname: _principal_name,
    DAV.principal_URL: lambda home, view: href(principal_path(home.owner)),
    DAV.alternate_URI_set: lambda home, view: "",
    DAV.group_membership: _groups,
    DAV.group_member_set: _group_members,
    DAV.supported_report_set: lambda home, view: _reports((DAV.sync_collection, *EVERYWHERE)),
    DAV.sync_token: _home_token,
    CALSERVER.getctag: _home_token,
    CALDAV.calendar_home_set: _home_set,
    CARDDAV.addressbook_home_set: _home_set,
    CALDAV.calendar_user_address_set: _addresses,
    CALDAV.calendar_user_type: _user_type,
    CALSERVER.email_address_set: _mail,
    CALSERVER.calendar_proxy_read_for: lambda home, view: "",
    CALSERVER.calendar_proxy_write_for: lambda home, view: "",
}

# -- collections -----------------------------------------------------------------------------------------------------


def meta_text(name: str, collection: Collection) -> str | None:
    """A text property of a collection: the member's own word on a shown one, else what ``.Radicale.props`` says."""
    key = PERSONAL_KEYS.get(name)
    if collection.personal is not None and key is not None and key in collection.personal.values:
        return collection.personal.values[key]
    return collection.meta.get(META_KEYS[name]) if name in META_KEYS else None


def personal_xml(name: str, collection: Collection) -> str | None:
    """A property that the member set on a shown collection and that is kept as XML, whole element."""
    key = PERSONAL_KEYS.get(name)
    if collection.personal is None or key is None or key not in collection.personal.values:
        return None
    value = collection.personal.values[key]
    return value if key in XML_KEYS else open_tag(name, text_of(value))


def _meta(name: str) -> Property:
    def content(collection: Collection, view: View) -> str | None:
        value = meta_text(name, collection)
        return None if value is None else text_of(value)

    return content


def _title(collection: Collection, view: View) -> str:
    return text_of(meta_text(DAV.displayname, collection) or collection.folder.name)


TYPES = {CALENDAR: CALDAV.calendar, ADDRESS_BOOK: CARDDAV.addressbook, SUBSCRIPTION: CALSERVER.subscribed}


def _type(collection: Collection, view: View) -> str:
    kind = TYPES.get(collection.tag)
    return open_tag(DAV.collection) + (open_tag(kind) if kind else "")


def _token(collection: Collection, view: View) -> str:
    return text_of(view.session.store.sync_token(collection.folder))


def _collection_reports(collection: Collection, view: View) -> str:
    return _reports((*REPORTS_OF_TAG.get(collection.tag, ()), *EVERYWHERE))


def _resource_id(collection: Collection, view: View) -> str:
    return f"<D:href>{uuid.uuid5(uuid.NAMESPACE_URL, collection.folder.cid).urn}</D:href>"


def _source(collection: Collection, view: View) -> str | None:
    url = collection.meta.get("CS:source")
    return None if url is None else f"<D:href>{text_of(url)}</D:href>"


def _components(collection: Collection, view: View) -> str:
    return "".join(f'<C:comp name="{attribute(name)}"/>' for name in collection.components)


PLAIN_PROPS: dict[str, Property] = {
    **EVERY,
    DAV.resourcetype: _type,
    DAV.displayname: _title,
    DAV.creationdate: lambda collection, view: iso_date(collection.folder.created_ns),
    DAV.getlastmodified: lambda collection, view: render_http_date(collection.folder.modified_ns / 1e9),
    DAV.supported_report_set: _collection_reports,
    DAV.resource_id: _resource_id,
    CALSERVER.source: _source,
}
SYNCED_PROPS: dict[str, Property] = {
    **PLAIN_PROPS,
    DAV.sync_token: _token,
    CALSERVER.getctag: _token,
}
COLLECTION_PROPS: Mapping[str, Table] = {
    "": PLAIN_PROPS,
    SUBSCRIPTION: {**PLAIN_PROPS, APPLE.calendar_color: _meta(APPLE.calendar_color)},
    CALENDAR: {
        **SYNCED_PROPS,
        **{name: _meta(name) for name in META_KEYS if name not in (DAV.displayname, CARDDAV.addressbook_description)},
        CALDAV.supported_calendar_component_set: _components,
        CALDAV.supported_calendar_data: lambda collection, view: (
            '<C:calendar-data content-type="text/calendar" version="2.0"/>'
        ),
        CALDAV.supported_collation_set: lambda collection, view: "".join(
            open_tag(CALDAV.supported_collation, name) for name in ("i;ascii-casemap", "i;octet")
        ),
        CALDAV.max_resource_size: lambda collection, view: str(view.settings.limits.calendar_item_bytes),
    },
    ADDRESS_BOOK: {
        **SYNCED_PROPS,
        CARDDAV.addressbook_description: _meta(CARDDAV.addressbook_description),
        CARDDAV.supported_address_data: lambda collection, view: "".join(
            f'<CR:address-data-type content-type="text/vcard" version="{version}"/>' for version in ("3.0", "4.0")
        ),
        CARDDAV.supported_collation_set: lambda collection, view: "".join(
            open_tag(CARDDAV.supported_collation, name) for name in ("i;ascii-casemap", "i;octet", "i;unicode-casemap")
        ),
        CARDDAV.max_resource_size: lambda collection, view: str(view.settings.limits.card_bytes),
    },
}

# -- items -----------------------------------------------------------------------------------------------------------


def content_type(item: Item) -> str:
    """The media type of an item, with the component of a calendar object (RFC 5545 §8.1)."""
    base = ITEM_TYPES[item.collection.tag]
    component = item.member.component
    return f"{base}; component={component}" if component and item.collection.tag == CALENDAR else base


def iso_date(instant_ns: int) -> str:
    """An instant in the form of DAV:creationdate (RFC 4918 §15.1)."""
    return datetime.fromtimestamp(instant_ns // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


ITEM_PROPS: Table = {
    **EVERY,
    DAV.resourcetype: lambda item, view: "",
    DAV.getetag: lambda item, view: f'"{item.member.etag}"',
    DAV.getcontenttype: lambda item, view: content_type(item),
    DAV.getcontentlength: lambda item, view: str(item.member.size),
    DAV.getlastmodified: lambda item, view: render_http_date(item.member.modified_ns / 1e9),
    DAV.creationdate: lambda item, view: iso_date(item.member.created_ns),
    DAV.supported_report_set: lambda item, view: _reports(EVERYWHERE),
}

# What an allprop lists (RFC 4918 §9.1; RFC 4791 §5.2 and RFC 6352 §6.2 keep their own properties out of it).
ALLPROP = frozenset(
    {
        DAV.resourcetype,
        DAV.displayname,
        DAV.creationdate,
        DAV.getcontentlength,
        DAV.getcontenttype,
        DAV.getetag,
        DAV.getlastmodified,
    }
)


def table_of(resource: Resource) -> Table:
    """The live properties of a resource's kind."""
    match resource:
        case Root():
            return ROOT_PROPS
        case Home():
            return HOME_PROPS
        case Collection():
            return COLLECTION_PROPS[resource.tag]
        case Item():
            return ITEM_PROPS
