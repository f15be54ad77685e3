"""RFC 3744 at ``/files/``: who is given what (§5.5), and the ACL method (§8.1) for a folder's ``access.toml``."""

from __future__ import annotations

from auth.aces import EVERYTHING
from auth.acl import Action
from auth.errors import AclRefused
from davserver.dav.acl import WireAce
from davserver.dav.message import Response
from davserver.dav.xml import parse_xml, read_body
from davserver.mounts.acl import read_acl, wire_aces
from davserver.mounts.files_call import Call
from davserver.mounts.privileges import OF_FILES
from storage.acl import access_list, change_access_list
from storage.filetree import Node, is_rules_file, is_shared_rules
from storage.paths import is_former
from storage.sharedrules import collection_of


def acl(call: Call) -> Response:
    """ACL: the entries of a folder's own rules become those of the body, all or none."""
    node = call.get()
    call.session.access.require(Action.ADMIN, ruled_path(node))
    limits = call.settings.limits
    body = read_body(call.request, limits.xml_bytes)
    root = parse_xml(body, max_depth=limits.xml_depth, max_elements=limits.xml_elements)
    wanted = read_acl(root, aces_of(call, node), call.request.host, call.session, OF_FILES)
    if not node.is_folder or node.listing:
        raise AclRefused(
            "no-ace-conflict", "send it to the folder that holds this, for a calendar or book to the one below /dav/"
        )
    call.require_conditions(node)
    change_access_list(call.session, node.path, wanted, call.if_header.lock_tokens)
    return Response.empty(200)


def may_see_aces(call: Call, node: Node) -> bool:
    """Whether ``DAV:acl`` of a resource is for the principal (§3.6)."""
    return not is_former(node.path) and call.session.access.may(Action.ADMIN, ruled_path(node))


def aces_of(call: Call, node: Node) -> list[WireAce]:
    """The entries in force on a resource; a rules file is for nobody but those with ``admin``."""
    found = access_list(call.session, ruled_path(node))
    if node.member is not None and (is_rules_file(node.path) or is_shared_rules(node.path)):
        found = [ace for ace in found if ace.grant.may == EVERYTHING]
    return wire_aces(found, owner_name(call, node), call.as_asked)


def owner_name(call: Call, node: Node) -> str | None:
    """Whom ``DAV:owner`` names (§5.1): who has the folder, or who made the file where that is kept."""
    if node.listing or is_shared_rules(node.path):
        return None
    place, name = node.state_key
    kept = call.session.store.state(place).get(name, "owner" if node.is_folder else "creator")
    return kept if isinstance(kept, str) else None


def ruled_path(node: Node) -> str:
    """The path whose rules hold for a resource: those of a calendar or book are edited at another one."""
    return collection_of(node.path) if is_shared_rules(node.path) else node.path
