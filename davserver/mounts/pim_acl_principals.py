"""Who is named in the rules that are in force on a resource (RFC 3744 §9.2)."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from auth.acl import Action
from auth.errors import NeedPrivileges
from auth.names import BUILT_IN
from auth.principal import fold
from davserver.dav.errors import BadRequest
from davserver.dav.message import Request, Response
from davserver.dav.multistatus import multistatus
from davserver.dav.names import DAV
from davserver.mounts.pim_principals import require_depth_0, rows_of
from davserver.mounts.pim_view import View
from storage.collection import Resource
from storage.paths import parent_of

READ_ACL = "read-acl"  # the privilege that DAV:acl needs, and so what tells of it (§3.6)


def acl_principal_prop_set(root: Element, resource: Resource, request: Request, view: View) -> Response:
    """Properties of each principal that DAV:acl names, once."""
    require_depth_0(request)
    if len(root.findall(DAV.prop)) > 1:
        raise BadRequest("a DAV:acl-principal-prop-set holds one DAV:prop")
    if not view.session.access.may(Action.ADMIN, resource.path):
        raise NeedPrivileges(resource.path, READ_ACL)
    found = view.session.pim.principals(principals_of_acl(resource.path, view))
    return multistatus(rows_of(found, root, request, view))


def principals_of_acl(path: str, view: View) -> list[str]:
    """
    The names of all who hold something on a resource by the rules and owners in force, nearest first, each once.

    Last comes whoever made it, where it is its own to change by the right to create.

    ``all-users`` and ``world`` are not among them: as DAV:authenticated and DAV:all they have no URL (§5.5.1). Nor are
    names in rules that are nobody's.
    """
    names: dict[str, None] = {}
    deciding = True
    for level in view.session.store.rulebook.levels(path):
        if level.owner is not None:
            names[fold(level.owner)] = None
        deciding = deciding and not level.closed
        rules = [rule for rule in level.rules if not rule.here or level.path == path]
        for rule in rules:
            if deciding or Action.ADMIN in rule.may:  # what an administrator holds is never lost further down
                names.update(dict.fromkeys(rule.who))
        if rules and not level.inherit:
            deciding = False
    creator = _creator(path, view)
    if creator is not None:
        names[creator] = None
    return [name for name in names if name not in BUILT_IN and view.directory.account(name) is not None]


def _creator(path: str, view: View) -> str | None:
    """Whoever made a resource, as long as it may create there: no rule says that it changes its own (``auth.acl``)."""
    store = view.session.store
    name = store.rulebook.creator(path)
    principal = None if name is None else view.directory.principal(name)
    if principal is None:
        return None
    access = store.session(principal).access
    return principal.name if Action.CREATE in access.actions(path) | access.actions(parent_of(path)) else None
