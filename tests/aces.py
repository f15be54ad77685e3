"""Access control lists for tests: bodies of ACL requests, and the entries of an answer in short words."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from davserver.dav.names import DAV
from tests.harness import NAMESPACES, Dav, PathLike, Reply, path_of

OWNER = "<D:property><D:owner/></D:property>"


def ace(who: str, *privileges: str, marks: str = "") -> str:
    """An entry for the account ``who`` or, where it begins with ``<``, for that element; names have a prefix."""
    principal = who if who.startswith("<") else f"<D:href>/dav/{who}/</D:href>"
    granted = "".join(f"<D:privilege><{name}/></D:privilege>" for name in privileges)
    return f"<D:ace><D:principal>{principal}</D:principal><D:grant>{granted}</D:grant>{marks}</D:ace>"


def acl(*aces: str) -> str:
    """The body of an ACL request."""
    return f"<D:acl {NAMESPACES}>{''.join(aces)}</D:acl>"


def send(client: Dav, path: PathLike, *aces: str, headers: dict[str, str] | None = None) -> Reply:
    return client.request("ACL", path, acl(*aces), headers)


def listed(client: Dav, path: PathLike) -> list[str]:
    """``DAV:acl`` in words: ``bob: read``, protected ``owner: all !``, inherited ``sport: read < /dav/sport/``."""
    (row,) = client.propfind(path, DAV.acl).multistatus().values()
    return [in_words(element) for element in row.props[DAV.acl]]


def in_words(element: Element) -> str:
    principal, grant = element.find(DAV.principal), element.find(DAV.grant)
    assert principal is not None
    assert grant is not None
    href = principal.findtext(DAV.href)
    child = principal[0][0] if principal[0].tag == DAV.property else principal[0]
    who = path_of(href).split("/")[2] if href else child.tag.rpartition("}")[2]
    names = sorted(privilege[0].tag.rpartition("}")[2] for privilege in grant)
    above = element.find(DAV.inherited)
    origin = "" if above is None else f" < {path_of(above.findtext(DAV.href) or '')}"
    return f"{who}: {' '.join(names)}{' !' if element.find(DAV.protected) is not None else ''}{origin}"
