"""
``links.txt``: the URLs of the public links of a folder or collection, for whoever may give them away.

It is made of the rules and the tokens whenever it is read, so it lies nowhere and nobody writes it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from auth.acl import Action
from auth.links import is_over
from auth.rules import Link
from storage.collection import ADDRESS_BOOK, CALENDAR, read_props, tag_of
from storage.disk import find_status
from storage.made import Made, Maker
from storage.paths import ACCESS_FILE, HIDDEN_ACCESS_FILE, LINKS_FILE, STATE_FILE, is_former
from storage.records import Folder

if TYPE_CHECKING:
    from storage.links import Issued
    from storage.session import Session
    from storage.store import Store

HEAD = """\
Public links of {path}

The server writes this file. Links are made, changed and ended in the access.toml beside it.
"""
SUFFIXES = {CALENDAR: ".ics", ADDRESS_BOOK: ".vcf"}


def render_links(session: Session, folder: Folder) -> bytes:
    """The text of a folder's ``links.txt``; empty where its rules have no link."""
    links = session.store.rulebook.links_of(folder.path) or ()
    if not links:
        return b""
    issued = {each.name: each for each in session.store.links.of(folder.place)}
    suffix = SUFFIXES.get(tag_of(read_props(session.store.directory(folder.place))), "")
    parts = [HEAD.format(path=folder.path)]
    for link in links:
        lines = _lines(session, folder, link, issued.get(link.name or ""), suffix)
        title = "".join(c if c.isprintable() else " " for c in link.name or "(no name)")
        parts.append("\n  ".join([title, *lines]) + "\n")
    return "\n".join(parts).encode("utf-8", "surrogatepass")


def has_links(store: Store, path: str) -> bool:
    """Whether the rules of the folder at a path have a link."""
    return bool(store.rulebook.links_of(path))


def make_links(session: Session, folder: Folder) -> Made | None:
    """The file, for those with ``admin``; None where the rules have no link."""
    if is_former(folder.path) or not session.access.may(Action.ADMIN, folder.path):
        return None
    data = render_links(session, folder)
    if not data:
        return None
    files = (session.store.file(folder.place, name) for name in (ACCESS_FILE, HIDDEN_ACCESS_FILE, STATE_FILE))
    stamps = (status.st_mtime_ns for file in files if (status := find_status(file)) is not None)
    return Made.of(data, max(stamps, default=folder.modified_ns))


MAKER = Maker(LINKS_FILE, has_links, make_links)


def _lines(session: Session, folder: Folder, link: Link, issued: Issued | None, suffix: str) -> list[str]:
    lines = [f"right:     {link.right}"]
    if issued is None:
        return [*lines, "not in force: its token is that of another folder; leave token out of access.toml"]
    url = f"{session.base_url}/p/{issued.token}/{quote(folder.name + suffix, safe='') if suffix else ''}"
    if is_over(link, datetime.fromtimestamp(session.store.clock(), UTC), issued.served):
        lines.append("over:      whoever opens it is told so")
    lines.append(f"URL:       {url}")
    if not suffix and link.right != "drop":
        lines.append(f"as a zip:  {url}{quote(folder.name, safe='')}.zip")
    if suffix == SUFFIXES[CALENDAR]:
        lines.append(f"subscribe: webcal://{url.partition('://')[2]}")
    lines.append(f"until:     {link.until.isoformat(' ', 'minutes') if link.until else 'no end'}")
    if link.downloads is not None:
        lines.append(f"downloads: {max(0, link.downloads - issued.served)} of {link.downloads} left")
    if link.adds:
        left, most = session.store.links.left_bytes(issued), session.store.links.quota_of(link)
        lines.append(f"room:      {max(0, left)} of {most} bytes left")
    lines.append(f"password:  {'asked for' if link.password else 'none'}")
    return lines
