"""The live properties of files and folders (RFC 4918 §15, RFC 4331, RFC 3744 §5, RFC 5397) as a table."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from math import ceil

from auth.acl import Action
from davserver.dav.conditional import render_http_date
from davserver.dav.message import quote_path
from davserver.dav.multistatus import href
from davserver.dav.names import DAV
from davserver.dav.xml import open_tag, text_of
from davserver.mounts.acl import INHERITED_ACL_SET, RESTRICTIONS, render_acl
from davserver.mounts.files_acl import aces_of, may_see_aces, owner_name
from davserver.mounts.files_call import Call, etag_of
from davserver.mounts.files_read import allowed, content_type
from davserver.mounts.files_times import SECOND, WIN32
from davserver.mounts.preferences import wants_minimal
from davserver.mounts.privileges import render_supported
from storage import quota
from storage.filetree import Node, is_shared_rules, properties_in
from storage.foldertags import FolderTags
from storage.locks import Lock
from storage.paths import is_former, is_within
from storage.sharedrules import collection_of
from storage.state import State
from storage.treesync import is_synchronised

SUPPORTED_LOCK = "".join(
    f"<D:lockentry><D:lockscope><D:{scope}/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry>"
    for scope in ("exclusive", "shared")
)
REPORTS_OF_ALL = (
    "expand-property",
    "principal-property-search",
    "principal-search-property-set",
    "principal-match",
    "acl-principal-prop-set",
)
GRAMMARS = (
    "<D:supported-query-grammar-set><D:supported-query-grammar><D:grammar><D:basicsearch/></D:grammar>"
    "</D:supported-query-grammar></D:supported-query-grammar-set>"
)
PRIVILEGES: tuple[tuple[Action, tuple[str, ...]], ...] = (
    (Action.READ, ("read", "read-current-user-privilege-set")),
    (Action.CREATE, ("bind",)),
    (Action.WRITE, ("write-content", "write-properties")),
    (Action.DELETE, ("unbind",)),
    (Action.ADMIN, ("read-acl", "write-acl", "unlock")),
)
WHOLE_WRITE = {Action.CREATE, Action.WRITE, Action.DELETE}


class Scene:
    """What the properties of one answer share: the request, the locks in sight, the rights worked out."""

    def __init__(self, call: Call, *, tags_folders: bool = True) -> None:
        """With ``tags_folders`` false, folders have no ``getetag``: a client would not learn that it changed."""
        self.call = call
        self.minimal = wants_minimal(call.request)  # without what is missing
        self._locks: list[Lock] | None = None
        self._privileges: dict[frozenset[Action], str] = {}
        self._states: dict[str, State] = {}
        self._folder_tags = FolderTags(call.session.store, call.path) if tags_folders else None

    def etag(self, node: Node) -> str | None:
        """The bare ETag of a file or folder."""
        if node.member is not None or self._folder_tags is None:
            return etag_of(node)
        return self._folder_tags.tag(node)

    @property
    def has_locks(self) -> bool:
        """Whether any resource at or below the addressed one is locked."""
        return bool(self._locks_in_sight())

    def locks_on(self, path: str) -> list[Lock]:
        """The locks that cover a resource at or below the addressed one."""
        return [lock for lock in self._locks_in_sight() if _covers(lock, path)]

    def _locks_in_sight(self) -> list[Lock]:
        if self._locks is None:
            locks = self.call.session.store.locks
            self._locks = locks.covering(self.call.path) + locks.below(self.call.path)
        return self._locks

    def privileges(self, held: frozenset[Action]) -> str:
        """``DAV:privilege`` elements for a set of actions."""
        rendered = self._privileges.get(held)
        if rendered is None:
            names = [name for action, names in PRIVILEGES if action in held for name in names]
            if Action.CREATE in held:  # includes change and removal of what one made oneself
                names += [name for name in ("write-content", "unbind") if name not in names]
            if held >= WHOLE_WRITE:
                names.append("write")
            if held >= WHOLE_WRITE | {Action.READ, Action.ADMIN}:
                names.append("all")
            rendered = "".join(f"<D:privilege><D:{name}/></D:privilege>" for name in names)
            self._privileges[held] = rendered
        return rendered

    def dead(self, node: Node) -> dict[str, str]:
        """The dead properties of a resource: Clark name to XML; a folder's state is read once."""
        if node.listing or is_shared_rules(node.path):
            return {}
        found = properties_in(self.state(node), node.state_key[1])
        if node.member is not None and WIN32.Win32LastModifiedTime in found:
            modified = http_date(node.modified_ns // SECOND)
            found[WIN32.Win32LastModifiedTime] = open_tag(WIN32.Win32LastModifiedTime, modified)
        return found

    def state(self, node: Node) -> State:
        """The state of the folder that a resource is or lies in, read once for the whole answer."""
        place = node.folder.place
        state = self._states.get(place)
        if state is None:
            state = self._states[place] = self.call.session.store.state(place)
        return state


Render = Callable[[Scene, Node], str | None]


def render_active_lock(call: Call, lock: Lock, node: Node) -> str:
    """
    ``DAV:activelock`` (RFC 4918 §14.1) of a lock that covers a resource.

    The token is told to whoever holds it, the owner to everybody.
    """
    own = lock.principal == call.session.principal.name
    token = f"<D:locktoken><D:href>{text_of(lock.token)}</D:href></D:locktoken>" if own else ""
    left_s = max(0, ceil(lock.expires_s - call.session.store.clock()))  # one that was just granted has all of it
    is_of_folder = node.is_folder or lock.path != node.path  # what covers a resource from above is a folder
    root = call.as_asked(lock.path) + ("/" if is_of_folder else "")
    scope = "exclusive" if lock.exclusive else "shared"
    return (
        f"<D:activelock><D:locktype><D:write/></D:locktype><D:lockscope><D:{scope}/></D:lockscope>"
        f"<D:depth>{'infinity' if lock.infinite else '0'}</D:depth>{lock.owner}"
        f"<D:timeout>Second-{left_s}</D:timeout>{token}"
        f"<D:lockroot>{href(root)}</D:lockroot></D:activelock>"
    )


def render_lockdiscovery(scene: Scene, node: Node) -> str:
    """``DAV:lockdiscovery`` with the locks that cover a resource (RFC 4918 §15.8)."""
    locks = "".join(render_active_lock(scene.call, lock, node) for lock in scene.locks_on(node.path))
    return f"<D:lockdiscovery>{locks}</D:lockdiscovery>" if locks else "<D:lockdiscovery/>"


@lru_cache(maxsize=4096)
def rfc3339_date(seconds: int) -> str:
    """RFC 3339 in UTC with ``Z``, as Explorer wants it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=4096)
def http_date(seconds: int) -> str:
    """``render_http_date``, remembered: files of one folder share their times."""
    return render_http_date(seconds)


def _covers(lock: Lock, path: str) -> bool:
    return lock.path == path or (lock.infinite and is_within(path, lock.path))


def _resourcetype(scene: Scene, node: Node) -> str:
    return "<D:resourcetype><D:collection/></D:resourcetype>" if node.is_folder else "<D:resourcetype/>"


def _displayname(scene: Scene, node: Node) -> str:
    """The name people gave it by PROPPATCH, else its name: GVfs shows this one."""
    given = scene.dead(node).get(DAV.displayname)
    return given or f"<D:displayname>{text_of(scene.call.title_of(node))}</D:displayname>"


def _getcontentlength(scene: Scene, node: Node) -> str | None:
    return None if node.member is None else f"<D:getcontentlength>{node.member.size}</D:getcontentlength>"


def _getcontenttype(scene: Scene, node: Node) -> str | None:
    return None if node.is_folder else f"<D:getcontenttype>{content_type(node)}</D:getcontenttype>"


def _getetag(scene: Scene, node: Node) -> str | None:
    etag = scene.etag(node)
    return None if etag is None else f'<D:getetag>"{etag}"</D:getetag>'


def _getlastmodified(scene: Scene, node: Node) -> str:
    return f"<D:getlastmodified>{http_date(node.modified_ns // SECOND)}</D:getlastmodified>"


def _creationdate(scene: Scene, node: Node) -> str:
    given = scene.dead(node).get(DAV.creationdate)
    return given or f"<D:creationdate>{rfc3339_date(node.created_ns // SECOND)}</D:creationdate>"


def _lastmodified(scene: Scene, node: Node) -> str:
    """Seconds since 1970, by which rclone sets the time."""
    return f"<D:lastmodified>{node.modified_ns // SECOND}</D:lastmodified>"


def _supportedlock(scene: Scene, node: Node) -> str:
    return "<D:supportedlock/>" if node.listing else f"<D:supportedlock>{SUPPORTED_LOCK}</D:supportedlock>"


def _quota_used(scene: Scene, node: Node) -> str | None:
    """Of every folder, 0 where nothing is counted (RFC 4331 §4 asks it of collections)."""
    if not node.is_folder:
        return None
    return f"<D:quota-used-bytes>{quota.used_bytes(scene.call.session, node.path)}</D:quota-used-bytes>"


def _quota_available(scene: Scene, node: Node) -> str | None:
    if not node.is_folder:
        return None
    available = quota.available_bytes(scene.call.session, node.path)
    return f"<D:quota-available-bytes>{available}</D:quota-available-bytes>"


def _owner(scene: Scene, node: Node) -> str:
    owner = owner_name(scene.call, node)
    return f"<D:owner>{href(f'/dav/{owner}/')}</D:owner>" if owner else "<D:owner/>"


def _acl(scene: Scene, node: Node) -> str | None:
    may_see = may_see_aces(scene.call, node)
    return open_tag(DAV.acl, render_acl(aces_of(scene.call, node))) if may_see else None


def _supported_privileges(scene: Scene, node: Node) -> str:
    return open_tag(DAV.supported_privilege_set, render_supported("files", scene.call.settings.language))


def _current_user_principal(scene: Scene, node: Node) -> str:
    name = scene.call.session.principal.name
    inner = "<D:unauthenticated/>" if name is None else f"<D:href>/dav/{quote_path(name)}/</D:href>"
    return f"<D:current-user-principal>{inner}</D:current-user-principal>"


def _principal_collections(scene: Scene, node: Node) -> str:
    return "<D:principal-collection-set><D:href>/dav/</D:href></D:principal-collection-set>"


def _privileges(scene: Scene, node: Node) -> str:
    access = scene.call.session.access
    if node.is_derived:
        held = frozenset({Action.READ})
    elif is_shared_rules(node.path):
        held = frozenset({Action.READ}) if node.member is None else access.actions(collection_of(node.path))
    else:
        held = access.actions(node.path)
        if is_former(node.path):  # who gives rights reads former rules, and gives none there
            held -= {Action.ADMIN}
    return f"<D:current-user-privilege-set>{scene.privileges(held)}</D:current-user-privilege-set>"


def _sync_token(scene: Scene, node: Node) -> str | None:
    if not is_synchronised(node):
        return None
    return f"<D:sync-token>{text_of(scene.call.files.sync.token(node))}</D:sync-token>"


def _add_member(scene: Scene, node: Node) -> str | None:
    takes_files = "POST" in allowed(node).split(", ")
    return f"<D:add-member>{href(scene.call.href_of(node))}</D:add-member>" if takes_files else None


def _supported_reports(scene: Scene, node: Node) -> str:
    """``DAV:supported-report-set`` (RFC 3253 §3.1.5)."""
    names = (("sync-collection",) if is_synchronised(node) else ()) + REPORTS_OF_ALL
    reports = "".join(f"<D:supported-report><D:report><D:{name}/></D:report></D:supported-report>" for name in names)
    return f"<D:supported-report-set>{reports}</D:supported-report-set>"


def _supported_live(scene: Scene, node: Node) -> str:
    names = "".join(
        f"<D:supported-live-property><D:prop>{open_tag(name)}</D:prop></D:supported-live-property>" for name in LIVE
    )
    return f"<D:supported-live-property-set>{names}</D:supported-live-property-set>"


def _supported_methods(scene: Scene, node: Node) -> str:
    methods = "".join(f'<D:supported-method name="{method}"/>' for method in allowed(node).split(", "))
    return f"<D:supported-method-set>{methods}</D:supported-method-set>"


# Answered to allprop too (RFC 4918 §9.1.5).
BASIC: dict[str, Render] = {
    DAV.resourcetype: _resourcetype,
    DAV.displayname: _displayname,
    DAV.getcontentlength: _getcontentlength,
    DAV.getcontenttype: _getcontenttype,
    DAV.getetag: _getetag,
    DAV.getlastmodified: _getlastmodified,
    DAV.creationdate: _creationdate,
    DAV.supportedlock: _supportedlock,
    DAV.lockdiscovery: render_lockdiscovery,
}
# Only to those who name them (RFC 4331 §2, RFC 3744 §5, RFC 6578 §4).
ON_REQUEST: dict[str, Render] = {
    DAV.quota_used_bytes: _quota_used,
    DAV.quota_available_bytes: _quota_available,
    DAV.lastmodified: _lastmodified,
    DAV.owner: _owner,
    DAV.current_user_principal: _current_user_principal,
    DAV.principal_collection_set: _principal_collections,
    DAV.current_user_privilege_set: _privileges,
    DAV.supported_privilege_set: _supported_privileges,
    DAV.acl: _acl,
    DAV.acl_restrictions: lambda scene, node: open_tag(DAV.acl_restrictions, RESTRICTIONS),
    DAV.inherited_acl_set: lambda scene, node: open_tag(DAV.inherited_acl_set, INHERITED_ACL_SET),
    DAV.sync_token: _sync_token,
    DAV.add_member: _add_member,  # RFC 5995 §3.2.1
    DAV.supported_report_set: _supported_reports,
    DAV.supported_live_property_set: _supported_live,  # RFC 3253 §3.1.4
    DAV.supported_method_set: _supported_methods,  # RFC 3253 §3.1.3
    DAV.supported_query_grammar_set: lambda scene, node: GRAMMARS,  # RFC 5323 §3.3
}
LIVE: dict[str, Render] = BASIC | ON_REQUEST
SETTABLE = frozenset(
    {DAV.displayname, DAV.creationdate}
)  # kept like a dead property; every other DAV: name is protected
