"""
What somebody who writes expects to find after a crash: the world before the last request or the world after it.

A world is what stands below one writer's folder. A writer notes the next world before it sends a request and forgets
the old one with the acknowledgement, so at any moment the server may show one of the noted worlds and nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from davserver.dav.names import CALDAV, CARDDAV, DAV
from tests.harness import Dav, Row
from tests.pim.samples import multiget

NOTE = "{urn:tests:durability}note"  # a dead property: kept as a line of state, in no file


@dataclass(frozen=True, slots=True)
class Thing:
    """One resource: the digest of its bytes, None for a folder, and its note."""

    digest: str | None
    note: str | None = None


World = Mapping[str, Thing]  # by path relative to the writer's folder, without slashes at the ends


def digest_of(data: bytes) -> str:
    """What stands for bytes in a world; for calendar objects and cards it is their ETag."""
    return hashlib.sha256(data).hexdigest()[:32]


def with_put(world: World, name: str, data: bytes) -> World:
    """After a PUT: what stood there keeps its note."""
    old = world.get(name)
    return {**world, name: Thing(digest_of(data), old.note if old else None)}


def with_folder(world: World, name: str) -> World:
    """After a MKCOL."""
    return {**world, name: Thing(None)}


def without(world: World, name: str) -> World:
    """After a DELETE."""
    return {path: thing for path, thing in world.items() if not is_within(path, name)}


def with_note(world: World, name: str, note: str) -> World:
    """After a PROPPATCH."""
    return {**world, name: replace(world[name], note=note)}


def with_copy(world: World, name: str, to: str) -> World:
    """After a COPY: a tree goes whole, notes go along, what stood there is gone."""
    taken = {to + path[len(name) :]: thing for path, thing in world.items() if is_within(path, name)}
    return {**without(world, to), **taken}


def with_move(world: World, name: str, to: str) -> World:
    """After a MOVE."""
    return without(with_copy(world, name, to), name)


def is_within(path: str, folder: str) -> bool:
    """Whether a path is the folder or lies in it."""
    return path == folder or path.startswith(folder + "/")


def see_files(client: Dav, root: str) -> tuple[World, dict[str, str]]:
    """The world below a folder at ``/files/`` and the ETags of its files, all bytes read."""
    found: dict[str, Thing] = {}
    etags: dict[str, str] = {}
    for path, row in _listed(client, root, "infinity").items():
        name = path.removeprefix(root).strip("/")
        if path.endswith("/"):
            found[name] = Thing(None, row.text(NOTE))
            continue
        reply = client.get(path)
        assert reply.status == 200, (path, reply.status)
        assert reply.etag == row.text(DAV.getetag), f"{path}: PROPFIND and GET give different ETags"
        found[name], etags[name] = Thing(digest_of(reply.body), row.text(NOTE)), reply.etag
    return found, etags


def see_items(client: Dav, root: str) -> tuple[World, dict[str, str]]:
    """The world of a calendar or address book; every ETag is the hash of the bytes that come with it."""
    kind, data = (("C:calendar", CALDAV.calendar_data), ("CR:addressbook", CARDDAV.address_data))["book" in root]
    listed = _listed(client, root, "1")
    found: dict[str, Thing] = {}
    etags: dict[str, str] = {}
    if not listed:
        return found, etags
    element = f"<{kind.partition(':')[0]}:{data.partition('}')[2]}/>"
    got = client.report(root, multiget(*listed, kind=kind, data=element)).multistatus()
    for path, row in listed.items():
        name = path.removeprefix(root)
        body = (got[path].text(data) or "").replace("\r\n", "\n").replace("\n", "\r\n").encode()
        assert row.text(DAV.getetag) == got[path].text(DAV.getetag) == f'"{digest_of(body)}"', path
        found[name], etags[name] = Thing(digest_of(body), row.text(NOTE)), f'"{digest_of(body)}"'
    return found, etags


def _listed(client: Dav, root: str, depth: str) -> dict[str, Row]:
    rows = client.propfind(root, DAV.getetag, NOTE, depth=depth).multistatus()
    return {path: row for path, row in rows.items() if path.rstrip("/") != root.rstrip("/")}


def difference(seen: World, expected: World) -> str:
    """What is other than expected, for the message of a failure."""
    names = sorted(name for name in {*seen, *expected} if seen.get(name) != expected.get(name))
    return "; ".join(f"{name}: seen {seen.get(name)}, expected {expected.get(name)}" for name in names)
