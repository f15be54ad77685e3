"""What ``Allow`` names is answered, and nothing else (RFC 9110 §10.2.1), for each kind of resource at ``/files/``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import pytest

from davserver.dav.message import quote_path
from davserver.dav.names import DAV
from tests.aces import ace
from tests.files.conftest import made
from tests.harness import NAMESPACES, Dav, Reply, Server

XML = {"Content-Type": "application/xml", "Depth": "0"}
NOTE = "# a comment, which is no rule\n"
LOCKINFO = "<D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype>"
SCOPE = "<D:scope><D:href>HERE</D:href><D:depth>0</D:depth></D:scope>"
BODIES = {
    "SEARCH": f"<D:searchrequest {NAMESPACES}><D:basicsearch><D:select><D:allprop/></D:select><D:from>{SCOPE}</D:from>"
    "</D:basicsearch></D:searchrequest>",
    "REPORT": f"<D:principal-search-property-set {NAMESPACES}/>",
    "PROPPATCH": f"<D:propertyupdate {NAMESPACES}><D:set><D:prop><D:displayname>x</D:displayname></D:prop></D:set>"
    "</D:propertyupdate>",
    "LOCK": f"<D:lockinfo {NAMESPACES}>{LOCKINFO}</D:lockinfo>",
    "ACL": f"<D:acl {NAMESPACES}>{ace('bob', 'D:read')}</D:acl>",
    "PUT": NOTE,
    "POST": NOTE,
    "PATCH": NOTE,
}
HEADERS = {
    "POST": {"Content-Type": "text/plain"},
    "PATCH": {"Content-Type": "application/x-sabredav-partialupdate", "X-Update-Range": "append"},
    "DELETE": {},
    "MOVE": {},
}
METHODS = (
    *("OPTIONS", "GET", "HEAD", "PROPFIND", "SEARCH", "REPORT", "ACL", "POST", "PUT", "PATCH", "MKCOL", "COPY"),
    *("MOVE", "PROPPATCH", "LOCK", "UNLOCK", "DELETE", "MKCALENDAR", "BIND", "TRACE"),
)
READ = {"OPTIONS", "GET", "HEAD", "PROPFIND", "SEARCH", "REPORT"}
CHANGED = {"COPY", "MOVE", "DELETE", "PROPPATCH", "LOCK", "UNLOCK"}
_numbers = count(1)


class Place:
    """What makes the resources of this test, in a folder of alice's."""

    def __init__(self, alice: Dav, home: str) -> None:
        self.alice = alice
        self.home = home

    def new(self) -> str:
        return f"{self.home}/n{next(_numbers)}"

    def folder(self) -> str:
        return made(self.alice, self.new()) + "/"

    def file(self) -> str:
        path = self.new()
        assert self.alice.put(path, NOTE).status == 201
        return path

    def rules(self) -> str:
        path = f"{made(self.alice, self.new())}/access.toml"
        assert self.alice.put(path, NOTE).status == 201
        return path

    def rules_of_a_calendar(self) -> str:
        path = "/files/Collections/alice/calendar/access.toml"
        assert self.alice.put(path, NOTE).status in (201, 204)
        return path

    def deleted_file(self) -> str:
        path = self.file()
        assert self.alice.delete(path).status == 204
        return path.replace("/files/Home", "/files/Trash/Members/alice")

    def deleted_folder(self) -> str:
        path = self.folder()
        assert self.alice.delete(path).status == 204
        return path.replace("/files/Home", "/files/Trash/Members/alice")

    def versions(self) -> str:
        path = self.file()
        assert self.alice.put(path, "other").status == 204
        return path.replace("/files/Home", "/files/History/Members/alice") + "/"

    def version(self) -> str:
        return list(self.alice.propfind(self.versions(), DAV.getetag, depth="1").multistatus())[1]

    def nothing_in_the_trash(self) -> str:
        return self.new().replace("/files/Home", "/files/Trash/Members/alice")


KINDS: dict[str, tuple[Callable[[Place], str], set[str]]] = {
    "folder": (Place.folder, READ | CHANGED | {"ACL", "POST"}),
    "file": (Place.file, READ | CHANGED | {"PUT", "PATCH"}),
    "rules": (Place.rules, READ | CHANGED | {"PUT", "PATCH"}),
    "rules of a calendar": (Place.rules_of_a_calendar, READ | {"PUT", "PATCH", "DELETE", "LOCK", "UNLOCK"}),
    "nothing": (Place.new, {"OPTIONS", "PUT", "MKCOL", "LOCK", "UNLOCK"}),
    "own folder": (lambda place: "/files/Home/", READ | {"ACL", "POST", "PROPPATCH", "LOCK", "UNLOCK", "COPY"}),
    "top": (lambda place: "/files/", READ | {"ACL"}),
    "members": (lambda place: "/files/Members/", READ),
    "collections": (lambda place: "/files/Collections/alice/", READ),
    "calendar": (lambda place: "/files/Collections/alice/calendar/", READ),
    "trash": (lambda place: "/files/Trash/", READ | {"DELETE"}),
    "deleted file": (Place.deleted_file, READ | {"COPY", "MOVE", "DELETE"}),
    "deleted folder": (Place.deleted_folder, READ | {"COPY", "MOVE", "DELETE"}),
    "nothing in the trash": (Place.nothing_in_the_trash, {"OPTIONS"}),
    "versions": (Place.versions, READ | {"COPY", "MOVE", "DELETE"}),
    "version": (Place.version, READ | {"COPY", "MOVE", "DELETE"}),
}


def send(alice: Dav, method: str, path: str, to: str) -> Reply:
    """A request that can be followed wherever its method is offered."""
    body, headers = BODIES.get(method, ""), dict(HEADERS.get(method, XML))
    if method in ("COPY", "MOVE"):
        headers["Destination"] = to
    if method == "UNLOCK":
        locked = alice.request("LOCK", path, BODIES["LOCK"], XML)
        headers["Lock-Token"] = f"<{locked.lock_token if locked.status in (200, 201) else 'urn:uuid:none'}>"
    return alice.request(method, path, body.replace("HERE", quote_path(path)) or None, headers)


@pytest.fixture
def place(alice: Dav, home: str) -> Iterator[Place]:
    assert alice.get("/dav/alice/").status == 200  # makes the first collections
    yield Place(alice, home)
    alice.delete("/files/Collections/alice/calendar/access.toml")
    alice.delete("/files/Home/access.toml")


@pytest.mark.rfc("9110", "10.2.1")
@pytest.mark.rfc("9110", "15.5.6")
@pytest.mark.rfc("3253", "3.1.3")
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_allowed_is_answered_and_nothing_else(
    place: Place, alice: Dav, sport: str, cloud: Server, kind: str
) -> None:
    make, expected = KINDS[kind]
    for number, method in enumerate(METHODS):
        path = make(place)
        options = alice.options(path)
        assert set(options.headers["allow"].split(", ")) == expected
        before = cloud.tree()
        reply = send(alice, method, path, f"{sport}/{number}")
        if method in expected:
            assert reply.status < 300 or reply.condition == DAV.need_privileges, (method, reply.status, reply.body)
            alice.unlock(path, reply.headers.get("lock-token", "").strip("<>"))
            continue
        assert reply.status in (403, 404, 405, 409), (method, reply.body)
        assert cloud.tree() == before
        if reply.status == 405:
            assert set(reply.headers["allow"].split(", ")) == expected, method
        if "PROPFIND" in expected:
            row = alice.propfind(path, DAV.supported_method_set).multistatus()[path]
            assert {each.get("name") for each in row.props[DAV.supported_method_set]} == expected
