"""What lies below a resource, as the member sees it."""

from __future__ import annotations

from collections.abc import Iterator

from davserver.mounts.pim_view import View
from storage.collection import Collection, Home, Item, Resource, Root
from storage.paths import join


def members_of(resource: Resource, view: View) -> Iterator[Resource]:
    """The direct members: homes of the root, collections of a home, items of a collection."""
    shelf = view.session.pim
    match resource:
        case Root():
            yield from shelf.homes()
        case Home():
            yield from shelf.collections(resource)
        case Collection():
            for member in shelf.members(resource):
                yield Item(join(resource.asked, member.name), join(resource.path, member.name), resource, member)


def descendants(resource: Resource, view: View) -> Iterator[Resource]:
    """
    All below, parents first.

    Below the root each resource comes once, under its owner's path: what is shown in a home stands elsewhere too.
    """
    for member in members_of(resource, view):
        yield member
        for below in descendants(member, view):
            is_shown = isinstance(below, Collection | Item) and below.asked != below.path
            if not (is_shown and isinstance(resource, Root)):
                yield below
