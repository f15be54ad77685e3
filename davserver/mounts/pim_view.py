"""What the handlers below ``/dav/`` look through, and the properties that every resource there has (RFC 3744)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from auth.acl import Action
from auth.directory import Directory
from config.schema import Limits, Settings
from davserver.dav.acl import WireAce
from davserver.dav.multistatus import href
from davserver.dav.names import CALDAV, DAV
from davserver.dav.xml import open_tag
from davserver.mounts.acl import INHERITED_ACL_SET, RESTRICTIONS, render_acl, wire_aces
from davserver.mounts.pim_methods import supported_methods
from davserver.mounts.privileges import render_supported
from storage.acl import access_list
from storage.attachments import MOST_BYTES
from storage.collection import Collection, Home, Item, Resource, Root
from storage.paths import DAV as TREE
from storage.paths import join
from storage.session import Session


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
EVERYWHERE = (
    DAV.expand_property,
    DAV.principal_property_search,
    DAV.principal_search_property_set,
    DAV.principal_match,
    DAV.acl_principal_prop_set,
)


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
        case Collection(view=source) if source is not None:
            return resource.owner
        case Collection():
            kept = view.session.store.state(resource.place).get("", "owner")
            return kept if isinstance(kept, str) else resource.owner


def item_bytes(collection: Collection, limits: Limits) -> int:
    """How large a calendar object may be: one of a board or notebook holds files too, which are stored beside it."""
    return limits.calendar_item_bytes if collection.view is None else MOST_BYTES


def is_read(resource: Home | Collection, view: View) -> bool:
    """
    Whether more is told of a home or collection than what and whose it is (RFC 3744 §3.1, RFC 4791 §6.1.1).

    Who may write there counts its properties too.
    """
    return not {Action.READ, Action.WRITE}.isdisjoint(view.session.access.actions(resource.path))


def privileges(resource: Resource, view: View) -> list[str]:
    """What the principal may do here, in RFC 3744's words (§5.4); phones tell by it what is read-only."""
    held = view.session.access.actions(resource.path)
    if isinstance(resource, Collection) and view.session.access.is_kept(resource.path):
        held -= {Action.WRITE}  # its owner may name it, but a program that is told so offers to write into it
    if isinstance(resource, Collection) and resource.view is not None and resource.view.kind.rendering is not None:
        held -= {Action.CREATE}  # what is in it comes from elsewhere: answers through their form
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


def render_reports(names: tuple[str, ...]) -> str:
    """The content of ``DAV:supported-report-set`` (RFC 3253 §3.1.5)."""
    listed = (open_tag(DAV.report, open_tag(name)) for name in names)
    return "".join(open_tag(DAV.supported_report, report) for report in listed)


def aces_of(resource: Resource, view: View) -> list[WireAce]:
    """The entries in force on a resource (RFC 3744 §5.5), for whoever holds ``admin`` there."""
    above = resource.collection if isinstance(resource, Item) else resource

    def as_asked(path: str) -> str:
        return above.asked if path == above.path else path

    return wire_aces(access_list(view.session, resource.path), owner_of(resource, view), as_asked)


def _acl(resource: Resource, view: View) -> str | None:
    may_see = view.session.access.may(Action.ADMIN, resource.path)
    return render_acl(aces_of(resource, view)) if may_see else None


EVERY: dict[str, Property] = {
    DAV.owner: _owner,
    DAV.current_user_principal: _current_user,
    DAV.current_user_privilege_set: _privilege_set,
    DAV.supported_privilege_set: lambda resource, view: render_supported("calendars", view.settings.language),
    DAV.acl: _acl,
    DAV.acl_restrictions: lambda resource, view: RESTRICTIONS,
    DAV.inherited_acl_set: lambda resource, view: INHERITED_ACL_SET,
    DAV.principal_collection_set: lambda resource, view: href(TREE + "/"),
    DAV.supported_method_set: lambda resource, view: supported_methods(resource),
}
