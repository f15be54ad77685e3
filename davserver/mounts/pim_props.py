"""
Live properties of what stands under ``/dav/``: tables from an RFC's name to the function that gives its content.

A function answers with the XML inside the element, or None where the resource does not have the property.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from auth.acl import Action
from davserver.dav.conditional import render_http_date
from davserver.dav.multistatus import href
from davserver.dav.names import APPLE, CALDAV, CALSERVER, CARDDAV, DAV
from davserver.dav.xml import attribute, open_tag, text_of
from davserver.mounts.pim_formats import supported
from davserver.mounts.pim_home_props import HOME_PROPS, ROOT_PROPS
from davserver.mounts.pim_methods import supported_live_properties
from davserver.mounts.pim_view import (
    EVERY,
    EVERYWHERE,
    Property,
    Table,
    View,
    href_path,
    is_read,
    item_bytes,
    render_reports,
)
from storage.calendarlimits import first_and_last
from storage.collection import ADDRESS_BOOK, CALENDAR, SOURCE_KEY, SUBSCRIPTION, Collection, Home, Item, Resource, Root
from storage.derived import MEMBERS_BOOK
from storage.identity import id_of_folder, ids_of_items
from storage.shown import PERSONAL_KEYS, XML_KEYS
from storage.zonereferences import find_zone_name

ITEM_TYPES = {CALENDAR: "text/calendar; charset=utf-8", ADDRESS_BOOK: "text/vcard; charset=utf-8"}
REPORTS_OF_TAG: dict[str, tuple[str, ...]] = {
    CALENDAR: (DAV.sync_collection, CALDAV.calendar_multiget, CALDAV.calendar_query, CALDAV.free_busy_query),
    ADDRESS_BOOK: (DAV.sync_collection, CARDDAV.addressbook_multiget, CARDDAV.addressbook_query),
}
OF_COLLECTIONS = frozenset({DAV.sync_collection, CALDAV.free_busy_query})
META_KEYS: dict[str, str] = {
    # Clark name of a text property -> Radicale's own key for it in .Radicale.props
    DAV.displayname: "D:displayname",
    APPLE.calendar_color: "ICAL:calendar-color",
    APPLE.calendar_order: "ICAL:calendar-order",
    CALDAV.calendar_description: "C:calendar-description",
    CALDAV.calendar_timezone: "C:calendar-timezone",
    CARDDAV.addressbook_description: "CR:addressbook-description",
}


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
        value = meta_text(name, collection) if is_read(collection, view) else None
        return None if value is None else text_of(value)

    return content


def _title(collection: Collection, view: View) -> str:
    return text_of(meta_text(DAV.displayname, collection) or collection.folder.name)


TYPES = {CALENDAR: CALDAV.calendar, ADDRESS_BOOK: CARDDAV.addressbook, SUBSCRIPTION: CALSERVER.subscribed}


def _type(collection: Collection, view: View) -> str:
    kind = TYPES.get(collection.tag)
    subscribed = open_tag(CALSERVER.subscribed) if collection.tag == CALENDAR and SOURCE_KEY in collection.meta else ""
    directory = open_tag(CARDDAV.directory) if collection.path == MEMBERS_BOOK else ""
    return open_tag(DAV.collection) + (open_tag(kind) if kind else "") + subscribed + directory


def _token(collection: Collection, view: View) -> str | None:
    if not view.session.pim.reads_items(collection):  # it tells when something changed
        return None
    return text_of(view.session.store.sync_token(collection.folder))


def _last_modified(collection: Collection, view: View) -> str | None:
    return render_http_date(collection.folder.modified_ns / 1e9) if is_read(collection, view) else None


def _collection_reports(collection: Collection, view: View) -> str:
    found = REPORTS_OF_TAG.get(collection.tag, ())
    if not view.session.pim.reads_items(collection):
        found = tuple(name for name in found if name != DAV.sync_collection)
    return render_reports((*found, *EVERYWHERE))


def _resource_id(collection: Collection, view: View) -> str:
    return f"<D:href>{id_of_folder(view.session.store, collection.folder).urn}</D:href>"


def _item_id(item: Item, view: View) -> str:
    return f"<D:href>{ids_of_items(view.session.store, item.collection.folder)(item.member).urn}</D:href>"


def _source(collection: Collection, view: View) -> str | None:
    """Of what the server fetches, to those who may name another: private addresses of calendars are secrets."""
    is_fetched = collection.tag == CALENDAR
    url = collection.meta.get(SOURCE_KEY)
    if is_fetched and not view.session.access.may(Action.WRITE, collection.path):
        return None
    return None if url is None else f"<D:href>{text_of(url)}</D:href>"


def _components(collection: Collection, view: View) -> str:
    return "".join(f'<C:comp name="{attribute(name)}"/>' for name in collection.components)


def _zone_name(collection: Collection, view: View) -> str | None:
    """What ``calendar-timezone`` is called (RFC 7809 §5.2): read from it, so the two always agree."""
    described = meta_text(CALDAV.calendar_timezone, collection) if is_read(collection, view) else None
    name = find_zone_name(described) if described else None
    return None if name is None else text_of(name)


PLAIN_PROPS: dict[str, Property] = {
    **EVERY,
    DAV.resourcetype: _type,
    DAV.displayname: _title,
    DAV.creationdate: lambda collection, view: iso_date(collection.folder.created_ns),
    DAV.getlastmodified: _last_modified,
    DAV.supported_report_set: _collection_reports,
    DAV.resource_id: _resource_id,
    DAV.supported_live_property_set: lambda collection, view: supported_live_properties(
        COLLECTION_PROPS[collection.tag]
    ),
    CALSERVER.source: _source,
}
SYNCED_PROPS: dict[str, Property] = {
    **PLAIN_PROPS,
    DAV.sync_token: _token,
    DAV.add_member: lambda collection, view: href(href_path(collection)),
    CALSERVER.getctag: _token,
}
COLLATIONS = ("i;ascii-casemap", "i;octet", "i;unicode-casemap")
CALENDAR_COLLATIONS = "".join(open_tag(CALDAV.supported_collation, name) for name in COLLATIONS)
CARD_COLLATIONS = "".join(open_tag(CARDDAV.supported_collation, name) for name in COLLATIONS)
COLLECTION_PROPS: Mapping[str, Table] = {
    "": PLAIN_PROPS,
    SUBSCRIPTION: {**PLAIN_PROPS, APPLE.calendar_color: _meta(APPLE.calendar_color)},
    CALENDAR: {
        **SYNCED_PROPS,
        **{name: _meta(name) for name in META_KEYS if name not in (DAV.displayname, CARDDAV.addressbook_description)},
        CALDAV.calendar_timezone_id: _zone_name,
        CALDAV.calendar_availability: lambda collection, view: None,  # kept as it came; no part of an allprop
        CALDAV.supported_calendar_component_set: _components,
        CALDAV.supported_calendar_data: lambda collection, view: supported("C:calendar-data", CALENDAR),
        CALDAV.supported_collation_set: lambda collection, view: CALENDAR_COLLATIONS,
        CALDAV.max_resource_size: lambda collection, view: str(item_bytes(collection, view.settings.limits)),
        CALDAV.min_date_time: lambda collection, view: first_and_last(view.settings.limits)[0],
        CALDAV.max_date_time: lambda collection, view: first_and_last(view.settings.limits)[1],
        CALDAV.max_instances: lambda collection, view: str(view.settings.limits.instances),
        CALDAV.max_attendees_per_instance: lambda collection, view: str(view.settings.limits.attendees),
    },
    ADDRESS_BOOK: {
        **SYNCED_PROPS,
        CARDDAV.addressbook_description: _meta(CARDDAV.addressbook_description),
        CARDDAV.supported_address_data: lambda collection, view: supported("CR:address-data-type", ADDRESS_BOOK),
        CARDDAV.supported_collation_set: lambda collection, view: CARD_COLLATIONS,
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


def _item_reports(item: Item, view: View) -> str:
    """Those of its collection that can be asked of one object (RFC 4791 §7, RFC 6352 §8)."""
    found = (name for name in REPORTS_OF_TAG.get(item.collection.tag, ()) if name not in OF_COLLECTIONS)
    return render_reports((*found, *EVERYWHERE))


def _as_collection(name: str) -> Property:
    """A property that an item has as its collection has it."""
    return lambda item, view: COLLECTION_PROPS[item.collection.tag][name](item.collection, view)


ITEM_PROPS: Table = {
    **EVERY,
    DAV.resourcetype: lambda item, view: "",
    DAV.getetag: lambda item, view: f'"{item.member.etag}"',
    DAV.getcontenttype: lambda item, view: content_type(item),
    DAV.getcontentlength: lambda item, view: str(item.member.size),
    DAV.getlastmodified: lambda item, view: render_http_date(item.member.modified_ns / 1e9),
    DAV.creationdate: lambda item, view: iso_date(item.member.created_ns),
    DAV.resource_id: _item_id,
    DAV.supported_live_property_set: lambda item, view: supported_live_properties(ITEM_TABLES[item.collection.tag]),
    DAV.supported_report_set: _item_reports,
}
ITEM_TABLES: Mapping[str, Table] = {
    # by the kind of its collection; what answers reports with collations names them (RFC 4791 §7.5.1, RFC 6352 §8.3.1)
    tag: {**ITEM_PROPS, name: _as_collection(name)}
    for tag, name in ((CALENDAR, CALDAV.supported_collation_set), (ADDRESS_BOOK, CARDDAV.supported_collation_set))
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
            return ITEM_TABLES.get(resource.collection.tag, ITEM_PROPS)
