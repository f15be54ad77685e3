"""What both trees share of RFC 3744: entries between the wire and the shelf, and what an ACL can be here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from xml.etree.ElementTree import Element

from auth.aces import EVERYTHING, Ace, Grant
from auth.errors import AclRefused
from auth.principal import ALL_USERS, WORLD, fold
from davserver.dav.acl import WireAce, parse_acl, render_ace
from davserver.dav.errors import BadRequest, OtherServer
from davserver.dav.names import DAV
from davserver.dav.target import parse_destination
from davserver.dav.xml import open_tag
from davserver.mounts.privileges import Privilege, actions_of, privileges_of
from storage.paths import DAV as TREE
from storage.paths import join
from storage.session import Session

# Not for everybody who may read, so it is answered with 403 and not 404 to those without DAV:read-acl (§5.5, §3.6).
WITHHELD = frozenset({DAV.acl})
RESTRICTIONS = open_tag(DAV.grant_only) + open_tag(DAV.no_invert)  # the content of DAV:acl-restrictions (§5.6)
# DAV:inherited-acl-set names resources whose ACL must grant a privilege too (§5.7); here what a folder above gives is
# never needed beside what is given nearer, and is marked as inherited in DAV:acl itself.
INHERITED_ACL_SET = ""
PSEUDO_PRINCIPALS = {DAV.all: WORLD, DAV.authenticated: ALL_USERS}
_NAMED = {name: principal for principal, name in PSEUDO_PRINCIPALS.items()}


def wire_aces(aces: Iterable[Ace], owner: str | None, as_asked: Callable[[str], str]) -> list[WireAce]:
    """
    Entries as they are sent.

    Args:
        owner: the name in ``DAV:owner``; what it holds as such is said by that property (§5.5.1).
        as_asked: the path of a folder as the request would have it.
    """
    return [_wire(ace, None if owner is None else fold(owner), as_asked) for ace in aces]


def render_acl(aces: Iterable[WireAce]) -> str:
    """The content of ``DAV:acl``."""
    return "".join(map(render_ace, aces))


def read_acl(
    root: Element | None, present: Iterable[WireAce], host: str, session: Session, tree: Privilege
) -> list[Grant]:
    """
    The entries that an ACL request wants in a folder's own rules.

    One that is marked as protected or inherited and is in force as it was sent stays: clients send back what they got.

    Args:
        present: the entries in force, as ``wire_aces`` gives them.
        host: by which the server was asked.

    Raises:
        BadRequest, AclRefused: as RFC 3744 §8.1.1 and §8.1.5 say.
    """
    marked = {_by_path(ace, host) for ace in present}
    wanted = []
    for ace in parse_acl(root):
        if not ace.protected and ace.inherited is None:
            wanted.append(Grant(_name(ace, host, session), actions_of(sorted(ace.grant), tree)))
        elif _by_path(ace, host) not in marked:
            kind = "protected" if ace.protected else "inherited"
            raise AclRefused(f"no-{kind}-ace-conflict", f"an entry that is {kind} is not as it was sent; leave it out")
    return wanted


def _wire(ace: Ace, owner: str | None, as_asked: Callable[[str], str]) -> WireAce:
    name, may = ace.grant.name, ace.grant.may
    if ace.protected and may == EVERYTHING and name == owner:
        principal, of = DAV.property, DAV.owner
    else:
        principal = _NAMED.get(name, DAV.href)
        of = join(TREE, name) + "/" if principal == DAV.href else ""
    inherited = None if ace.inherited is None else as_asked(ace.inherited).rstrip("/") + "/"
    return WireAce(principal, of, privileges_of(may), ace.protected, inherited)


def _by_path(ace: WireAce, host: str) -> WireAce:
    """With paths in the place of URLs, so that entries can be compared."""
    of = _path(ace.of, host) or ace.of if ace.principal == DAV.href else ace.of
    return replace(ace, of=of, inherited=None if ace.inherited is None else _path(ace.inherited, host))


def _path(url: str, host: str) -> str | None:
    """The decoded path of an href without slash at the end; None where it is no path of this server."""
    try:
        return parse_destination(url, [host]).rstrip("/")
    except (BadRequest, OtherServer):
        return None


def _name(ace: WireAce, host: str, session: Session) -> str:
    """The name by which rules call a principal."""
    if ace.principal in PSEUDO_PRINCIPALS:
        return PSEUDO_PRINCIPALS[ace.principal]
    if (ace.principal, ace.of) == (DAV.property, DAV.owner):
        raise AclRefused("no-protected-ace-conflict", "what the owner holds is not given by rules")
    if ace.principal != DAV.href:
        raise AclRefused("allowed-principal", "an entry is for an account by its href, for authenticated or for all")
    above, _, name = (_path(ace.of, host) or "").rpartition("/")
    accounts = session.store.accounts
    found = accounts.principal(name) if accounts is not None and above == TREE else None
    if found is None or found.name is None:
        raise AclRefused("recognized-principal", f"{ace.of[:200]} is no principal of this server")
    return found.name
