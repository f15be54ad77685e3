"""What the examples of each specification find: people, and what they stored before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.harness import NAMESPACES, Server
from tests.pim.samples import event, mkcalendar, mkcol

HERE = Path(__file__).parent
BOX = "http://ns.example.com/boxschema/"  # the namespace of RFC 4918's examples


def nothing(server: Server) -> None:
    """Where an example makes what it needs."""


@dataclass(frozen=True, slots=True)
class World:
    """
    People and their server.

    Attributes:
        users: the first one sends the requests that name nobody.
        prepare: stores what the examples find.
        options: more of what ``Server`` takes.
    """

    users: tuple[str, ...]
    prepare: Callable[[Server], None] = nothing
    options: dict[str, Any] = field(default_factory=dict)


def _put_all(server: Server, user: str, path: str, folder: Path) -> None:
    client = server.client(user)
    for file in sorted([*folder.glob("*.ics"), *folder.glob("*.vcf")]):
        reply = client.put(f"{path}{file.name}", file.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
        assert reply.status == 201, (file, reply.text)


def _bernard(server: Server) -> None:
    kinds = "".join(f'<C:comp name="{name}"/>' for name in ("VEVENT", "VTODO", "VFREEBUSY"))
    body = mkcalendar(f"<C:supported-calendar-component-set>{kinds}</C:supported-calendar-component-set>")
    assert server.client("bernard").mkcalendar("/dav/bernard/work/", body).status == 201
    _put_all(server, "bernard", "/dav/bernard/work/", HERE / "4791")


def _book(server: Server) -> None:
    assert server.client("bernard").mkcol("/dav/bernard/addressbook/", mkcol("CR:addressbook")).status == 201
    _put_all(server, "bernard", "/dav/bernard/addressbook/", HERE / "6352")


def _cyrus(server: Server) -> None:
    cyrus = server.client("cyrusdaboo")
    for name in ("work", "pages"):
        assert cyrus.mkcalendar(f"/dav/cyrusdaboo/{name}/").status == 201
    _put_all(server, "cyrusdaboo", "/dav/cyrusdaboo/work/", HERE / "6578")
    for name in ("one", "two"):
        assert cyrus.put(f"/dav/cyrusdaboo/pages/{name}.ics", event(name)).status == 201
    box = "urn:ns.example.com:boxschema"
    value = f'<R:bigbox xmlns:R="{box}"><R:BoxType>Box type A</R:BoxType></R:bigbox>'
    body = f"<D:propertyupdate {NAMESPACES}><D:set><D:prop>{value}</D:prop></D:set></D:propertyupdate>"
    assert cyrus.request("PROPPATCH", "/dav/cyrusdaboo/work/test.ics", body).status == 207


def _box(server: Server) -> None:
    lisa = server.client("lisa")
    for name in ("box", "other"):
        assert lisa.mkcalendar(f"/dav/lisa/{name}/").status == 201
    for name in ("file", "moved"):
        assert lisa.put(f"/dav/lisa/box/{name}.ics", event(name)).status == 201
    assert lisa.mkcalendar("/dav/lisa/container/").status == 201
    assert lisa.put("/dav/lisa/container/front.ics", event("front")).status == 201
    for path, box, more in (
        ("box/file.ics", "A", "<R:author><R:Name>J.J. Johnson</R:Name></R:author>"),
        (
            "container/",
            "A",
            "<R:author><R:Name>Hadrian</R:Name></R:author><D:displayname>Example collection</D:displayname>",
        ),
        ("container/front.ics", "B", ""),
    ):
        left = f"<R:bigbox><R:BoxType>Box type {box}</R:BoxType></R:bigbox>{more}"
        body = (
            f'<D:propertyupdate {NAMESPACES} xmlns:R="{BOX}"><D:set><D:prop>{left}</D:prop></D:set></D:propertyupdate>'
        )
        assert lisa.request("PROPPATCH", f"/dav/lisa/{path}", body).status == 207


SITE_GROUPS = """
[group.authors]
display_name = "Site authors"
members = ["gstein"]

[group.maintainers]
display_name = "Site maintainers"
members = ["gstein", "esedlar"]
"""
SITE_ACCESS = """
[[rule]]
path = "/dav/authors"
who = ["gclemm"]
may = ["admin"]
"""
PAPERS = """
[[rule]]
who = ["maintainers"]
may = ["create", "write", "delete"]

[[rule]]
who = ["world"]
may = ["read"]
"""
CONTAINER = """
[[rule]]
who = ["esedlar"]
may = ["read", "create", "write", "delete"]
"""
SHARED = """
[[rule]]
path = "/files/Webdav"
who = ["all-users"]
may = ["read", "create", "write", "delete"]
"""
SITE = {"groups": SITE_GROUPS, "access": SITE_ACCESS}


def _papers(server: Server) -> None:
    gstein, gclemm = server.client("gstein"), server.client("gclemm")
    for path in ("papers", "container", "doc"):
        assert gstein.mkcalendar(f"/dav/gstein/{path}/").status == 201
    assert gclemm.mkcalendar("/dav/authors/container/").status == 201
    for path in ("papers/foo", "doc/foo", "doc/bar"):
        assert gstein.put(f"/dav/gstein/{path}.ics", event(path)).status == 201
    assert gstein.put("/files/Collections/gstein/papers/access.toml", PAPERS).status == 201
    assert gclemm.put("/files/Collections/authors/container/access.toml", CONTAINER).status == 201


def _zones(server: Server) -> None:
    cyrus = server.client("cyrus")
    for name in ("zoned", "floating"):
        assert cyrus.mkcalendar(f"/dav/cyrus/{name}/").status == 201
    assert cyrus.put("/dav/cyrus/floating/ten.ics", event("ten", start="20270105T100000")).status == 201


def _quota(server: Server) -> None:
    for user, size in (("milele", 403_350), ("full", 600_000)):
        assert server.client(user).put("/files/Home/big.bin", b"x" * size).status == 201


def _work(server: Server) -> None:
    cyrus = server.client("cyrus")
    for name in ("work", "other"):
        assert cyrus.mkcalendar(f"/dav/cyrus/{name}/").status == 201
    assert cyrus.put("/dav/cyrus/work/one.ics", event("one")).status == 201


def _signed_in(server: Server) -> None:
    for user in ("bernard", "cdaboo"):  # the first sign-in makes the first collections
        server.client(user).options("/dav/")


WORLDS: dict[str, World] = {
    # by RFC
    "3253": World(("gstein", "esedlar", "gclemm"), _papers, SITE),
    "3744": World(("gstein", "esedlar", "gclemm", "jdoe", "jim", "ejw", "zygdoebert"), _papers, SITE),
    "4331": World(("milele", "full"), _quota, {"settings": '[storage]\ndata = "data"\nquota_bytes = 1000000\n'}),
    "4791": World(("bernard", "lisa"), _bernard),
    "4918": World(("lisa", "ejw"), _box, {"access": SHARED, "folders": ("Webdav",)}),
    "5397": World(("cdaboo",), _signed_in),
    "5689": World(("lisa",)),
    "5995": World(("lisa",)),
    "6352": World(("bernard", "lisa"), _book),
    "6578": World(("cyrusdaboo",), _cyrus),
    "6764": World(("lisa",)),
    "7809": World(
        ("cyrus",), _zones, {"settings": '[server]\ntimezone_services = ["https://timezones.example.com"]\n'}
    ),
    "7953": World(("bernard",), _signed_in),
    "8144": World(("cyrus",), _work),
    "draft-daboo-carddav-directory-gateway": World(
        ("lisa", "bernard"), options={"settings": "[directory]\nmembers_book = true\n"}
    ),
}
