"""
``DAV:acl`` on the wire (RFC 3744 §5.5)::

    <!ELEMENT acl (ace*) >
    <!ELEMENT ace ((principal | invert), (grant|deny), protected?, inherited?)>
    <!ELEMENT principal (href | all | authenticated | unauthenticated | property | self)>
    <!ELEMENT grant (privilege+)>
    <!ELEMENT privilege ANY>
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from auth.errors import AclRefused
from davserver.dav.errors import BadRequest
from davserver.dav.multistatus import href
from davserver.dav.names import DAV
from davserver.dav.xml import open_tag

PRINCIPALS = frozenset({DAV.href, DAV.all, DAV.authenticated, DAV.unauthenticated, DAV.property, DAV.self})


@dataclass(frozen=True, slots=True)
class WireAce:
    """
    One entry as it is sent.

    Attributes:
        principal: Clark name of what stands in ``DAV:principal``.
        of: with ``DAV:href`` the href as it came, with ``DAV:property`` the property's Clark name, else "".
        grant: Clark names of the privileges.
        inherited: the href as it came, or None.
    """

    principal: str
    of: str
    grant: frozenset[str]
    protected: bool = False
    inherited: str | None = None


def parse_acl(root: Element | None) -> list[WireAce]:
    """
    Read the body of an ACL request; elements that do not belong are passed over (RFC 4918 §17).

    Raises:
        BadRequest: it is another element, or an entry does not follow the grammar (§8.1.5).
        AclRefused: an entry denies, or is for everybody but somebody.
    """
    if root is None or root.tag != DAV.acl:
        raise BadRequest("the body of an ACL request is a DAV:acl")
    return [_ace(element) for element in root.findall(DAV.ace)]


def render_ace(ace: WireAce) -> str:
    """An entry as XML; ``of`` and ``inherited`` are decoded paths here."""
    inner = {DAV.href: href(ace.of), DAV.property: open_tag(DAV.property, open_tag(ace.of) if ace.of else "")}
    principal = inner[ace.principal] if ace.principal in inner else open_tag(ace.principal)
    marks = open_tag(DAV.protected) if ace.protected else ""
    if ace.inherited is not None:
        marks += open_tag(DAV.inherited, href(ace.inherited))
    return open_tag(
        DAV.ace, open_tag(DAV.principal, principal) + open_tag(DAV.grant, render_privileges(ace.grant)) + marks
    )


def render_privileges(names: Iterable[str]) -> str:
    """``DAV:privilege`` elements, by name."""
    return "".join(open_tag(DAV.privilege, open_tag(name)) for name in sorted(names))


def _ace(element: Element) -> WireAce:
    who = [child for child in element if child.tag in (DAV.principal, DAV.invert)]
    what = [child for child in element if child.tag in (DAV.grant, DAV.deny)]
    if len(who) != 1 or len(what) != 1:
        raise BadRequest("a DAV:ace holds one DAV:principal and one DAV:grant")
    names = frozenset(_privilege(child) for child in what[0].findall(DAV.privilege))
    if not names:
        raise BadRequest(f"a {what[0].tag} holds a DAV:privilege for each privilege")
    if who[0].tag == DAV.invert:
        raise AclRefused("no-invert", "an entry is for somebody, not for all the others")
    if what[0].tag == DAV.deny:
        raise AclRefused("grant-only", "nothing is denied here: who is given nothing has nothing")
    kind, of = _principal(who[0])
    origin = element.find(DAV.inherited)
    inherited = None if origin is None else (origin.findtext(DAV.href) or "").strip()
    return WireAce(kind, of, names, element.find(DAV.protected) is not None, inherited)


def _privilege(element: Element) -> str:
    if len(element) != 1:
        raise BadRequest("a DAV:privilege holds one element, which is the privilege")
    return element[0].tag


def _principal(element: Element) -> tuple[str, str]:
    found = [child for child in element if child.tag in PRINCIPALS]
    if len(found) != 1:
        raise BadRequest("a DAV:principal holds one of href, all, authenticated, unauthenticated, property and self")
    if found[0].tag == DAV.property:
        return DAV.property, found[0][0].tag if len(found[0]) else ""
    return found[0].tag, (found[0].text or "").strip() if found[0].tag == DAV.href else ""
