"""
Every way by which a member who may read, create, write and delete, but not give rights, could get at the rules.

Each is a request to the running server by bob, who works in Led and with the sports section's calendars, which carol
leads. All are refused, and nothing of what people stored is different afterwards.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from davserver.dav.names import CALDAV, CARDDAV, DAV
from tests.conftest import MakeServer
from tests.files.test_search import body as searching
from tests.files.test_search import compare, search
from tests.harness import ACCESS, NAMESPACES, Dav, Reply, Server, path_of
from tests.pim.samples import card, event, mkcol, multiget, sync
from tests.rights.association import stored

EVERYTHING = '["read", "create", "write", "delete"]'
MORE = f"""
[[rule]]
path = "/files/Led"
who = ["sport"]
may = {EVERYTHING}

[[rule]]
path = "/files/Led"
who = ["carol"]
may = ["admin"]

[[rule]]
path = "/files/Led/Named/inner"
who = ["sport"]
may = {EVERYTHING}

[[rule]]
path = "/dav/sport"
who = ["sport"]
may = {EVERYTHING}

[[rule]]
path = "/dav/sport"
who = ["carol"]
may = ["admin"]

[[rule]]
path = "/dav/sport/named"
who = ["sport"]
may = {EVERYTHING}
"""
TOKEN = "a-token-that-opens-the-folder"
RULES = f"""[[rule]]
who = ["sport"]
may = {EVERYTHING}

[[link]]
right = "read"
token = "{TOKEN}"
"""
TAKING = "this-link-takes-what-comes"
TAKING_RULES = f"""[[link]]
right = "read-drop"
token = "{TAKING}"
"""
SHARED_RULES = f'[[rule]]\nwho = ["sport"]\nmay = {EVERYTHING}\n'
TO_DORA = '[[rule]]\nwho = ["dora"]\nmay = ["read"]\n'
TO_BOB = '[[rule]]\nwho = ["bob"]\nmay = ["admin"]\n'
LED = "/files/Led"
OWN = "/files/Home/own"
SHARED = "/files/Collections/sport"
FOR_RULES = compare("like", "<D:displayname/>", "%s.t%")

LACKS = (403, DAV.need_privileges)  # a right is missing
STAYS = (403, None)  # nobody may do this here: a name of the server's, a folder that stays
HIDDEN = (404, None)  # for bob there is nothing
NO_PARENT = (409, None)  # for bob there is no folder in which to make it (RFC 4918 §9.3.1)
OWN_ALONE = (204, None)  # it takes what is bob's to take, and nothing is
BAD = (400, None)  # the path is none
NO_WAY = (405, None)  # the method is not offered there


@dataclass(frozen=True, slots=True)
class Way:
    """
    One request of bob's.

    Attributes:
        target: the request target as sent, percent-encoded.
        to: the Destination as sent.
        refusal: status and precondition.
    """

    method: str
    target: str
    refusal: tuple[int, str | None] = LACKS
    to: str | None = None
    body: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        arrow = f" to {self.to}" if self.to else ""
        return f"{self.method} {self.target}{arrow}"

    def go(self, client: Dav) -> Reply:
        headers = dict(self.headers)
        if self.to is not None:
            headers["Destination"] = self.to
        return client.request(self.method, body=self.body, headers=headers, target=self.target)


def put(target: str, refusal: tuple[int, str | None] = LACKS, body: str = TO_BOB) -> Way:
    return Way("PUT", target, refusal, body=body)


PARTIAL = {"Content-Type": "application/x-sabredav-partialupdate", "X-Update-Range": "bytes=0-"}
LOCKINFO = (
    '<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>'
    "<D:locktype><D:write/></D:locktype></D:lockinfo>"
)
PROPPATCH = f'<D:propertyupdate {NAMESPACES}><D:set><D:prop><x xmlns="urn:x">1</x></D:prop></D:set></D:propertyupdate>'
ACL = (
    '<D:acl xmlns:D="DAV:"><D:ace><D:principal><D:all/></D:principal>'
    "<D:grant><D:privilege><D:read/></D:privilege></D:grant></D:ace></D:acl>"
)

WRITING_RULES = [
    # a new file, in place of one, in every spelling of the path
    put(f"{LED}/ruled/access.toml"),
    put(f"{LED}/ruled/open/access.toml"),
    put(f"{LED}/access.toml"),
    put(f"{LED}/ruled/links.txt"),
    put(f"{LED}/ruled/%61ccess.toml"),
    put(f"{LED}/ruled/access%2etoml"),
    put(f"{LED}/ruled/access%2Etoml"),
    put(f"{LED}/ruled%2Faccess.toml", BAD),
    put(f"{LED}/ruled//access.toml"),
    put("/files//Led/ruled/open/access.toml"),
    put(f"{LED}/ruled/access.toml/", STAYS),
    put(f"{LED}/ruled/open/../access.toml", BAD),
    put(f"{LED}/ruled/./access.toml", BAD),
    put(f"{LED}/ruled/ACCESS.TOML", STAYS),
    put(f"{LED}/ruled/Access.toml", STAYS),
    put(f"{LED}/ruled/open/acce%C5%BF%C5%BF.toml", STAYS),  # long s folds to s
    put(f"{LED}/ruled/open/%EF%BD%81ccess.toml", STAYS),  # a full-width a is an a to NFKC
    put(f"{LED}/ruled/Links.TXT", STAYS),
    put(f"{LED}/ruled/.access.toml", STAYS),
    put(f"{LED}/ruled/.ACCESS.toml", STAYS),
    put(f"{LED}/ruled/.state.jsonl", STAYS, '{"name": "", "key": "owner", "value": "bob"}\n'),
    put(f"{LED}/ruled/.State.JSONL", STAYS),
    put(f"{LED}/ruled/.davserver-scratch-1", STAYS),
    put("/files/access.toml"),
    put("/files/Members/access.toml", STAYS),
    put("/files/Members/carol/access.toml", HIDDEN),
    put("/files/Members/../Led/access.toml", BAD),
    put("/access.toml", HIDDEN),
    Way("LOCK", f"{LED}/ruled/access.toml", body=LOCKINFO),
    Way("LOCK", f"{LED}/ruled/open/access.toml", body=LOCKINFO),
    Way("LOCK", f"{LED}/ruled/Access.toml", STAYS, body=LOCKINFO),
    Way("LOCK", f"{LED}/ruled/.access.toml", STAYS, body=LOCKINFO),
    Way("LOCK", f"{LED}/ruled/.state.jsonl", STAYS, body=LOCKINFO),
    Way("MKCOL", f"{LED}/ruled/open/access.toml"),
    Way("MKCOL", f"{LED}/ruled/open/Access.toml", STAYS),
    Way("MKCOL", f"{LED}/ruled/open/.state.jsonl", STAYS),
    Way("PROPPATCH", f"{LED}/ruled/access.toml", HIDDEN, body=PROPPATCH),
    Way("ACL", f"{LED}/ruled", body=ACL),
    Way("ACL", "/dav/sport/training/", body=ACL),
    Way("ACL", "/dav/bob/sport~training/", body=ACL),
    Way("ACL", "/dav/sport/", body=ACL),
    Way("ACL", "/dav/carol/calendar/", HIDDEN, body=ACL),
    Way("ACL", f"{LED}/ruled/open/", body=ACL),
    Way("ACL", f"{LED}/ruled/access.toml", HIDDEN, body=ACL),
    Way("ACL", f"{SHARED}/training", HIDDEN, body=ACL),
    Way("POST", f"{LED}/ruled/access.toml", HIDDEN, body=TO_BOB),
    Way("POST", f"{LED}/ruled/", STAYS, body=TO_BOB, headers={"Slug": "access.toml"}),
    Way("POST", f"{LED}/ruled/open/", STAYS, body=TO_BOB, headers={"Slug": "%61ccess.toml"}),
    Way("POST", f"{LED}/ruled/open/", STAYS, body=TO_BOB, headers={"Slug": "x/Access.TOML"}),
    Way("POST", f"{LED}/ruled/open/", STAYS, body=TO_BOB, headers={"Slug": "links.txt"}),
    Way("PATCH", f"{LED}/ruled/access.toml", HIDDEN, body=TO_BOB, headers=PARTIAL),
    Way("PATCH", f"{SHARED}/training/access.toml", HIDDEN, body=TO_BOB, headers=PARTIAL),
    # something that is there already, copied or moved to the name
    *(
        Way(method, source, refusal, to)
        for method in ("COPY", "MOVE")
        for source, to, refusal in (
            (f"{LED}/ruled/plain.toml", f"{LED}/ruled/access.toml", LACKS),
            (f"{LED}/ruled/plain.toml", f"{LED}/ruled/open/access.toml", LACKS),
            (f"{LED}/ruled/plain.toml", f"{LED}/ruled/open/%61ccess.toml", LACKS),
            (f"{LED}/ruled/plain.toml", f"{LED}/ruled/open/ACCESS.toml", STAYS),
            (f"{LED}/ruled/plain.toml", f"{LED}/ruled/open/.access.toml", STAYS),
            (f"{LED}/ruled/plain.toml", f"{LED}/ruled/open/.state.jsonl", STAYS),
            (f"{LED}/ruled/plain.toml", f"{LED}/ruled/open/links.txt", LACKS),
            (f"{LED}/ruled/plain.toml", f"{SHARED}/free/access.toml", HIDDEN),
            (f"{OWN}/mine.toml", f"{LED}/ruled/access.toml", LACKS),
            (f"{OWN}/access.toml", f"{LED}/ruled/open/access.toml", LACKS),
            ("/files/Members/bob/own/access.toml", f"{LED}/ruled/open/access.toml", LACKS),
            (f"{LED}/ruled/open", f"{LED}/ruled/access.toml", STAYS),
            (f"{LED}/ruled/open", f"{LED}/free/access.toml", STAYS),
            (f"{OWN}/mine.toml", "/files/Members/carol/access.toml", HIDDEN),
        )
    ),
]
TAKING_AWAY = [
    # the rules from under the folder
    Way("DELETE", f"{LED}/ruled/access.toml", HIDDEN),
    Way("DELETE", f"{LED}/ruled/links.txt", HIDDEN),
    Way("DELETE", f"{LED}/ruled/.state.jsonl", HIDDEN),
    Way("MOVE", f"{LED}/ruled/access.toml", HIDDEN, f"{LED}/ruled/open/away.toml"),
    Way("MOVE", f"{LED}/ruled/access.toml", HIDDEN, f"{OWN}/away.toml"),
    Way("MOVE", f"{LED}/ruled/.state.jsonl", HIDDEN, f"{OWN}/away"),
    # the folder from under its rules: renamed, taken home, put elsewhere, deleted, with or without what is above it
    Way("MOVE", f"{LED}/ruled", LACKS, f"{LED}/renamed"),
    Way("MOVE", f"{LED}/ruled/", LACKS, f"{OWN}/ruled/"),
    Way("MOVE", f"{LED}/ruled", LACKS, f"{LED}/free/ruled"),
    Way("MOVE", f"{LED}/deep", LACKS, f"{LED}/renamed"),
    Way("MOVE", f"{LED}/deep", LACKS, f"{OWN}/deep"),
    Way("MOVE", LED, STAYS, "/files/Home/Led"),
    Way("MOVE", f"{LED}/Named", STAYS, f"{LED}/renamed"),
    Way("MOVE", f"{LED}/Named/inner", STAYS, f"{OWN}/inner"),
    Way("MOVE", f"{LED}/Named/inner", STAYS, f"{LED}/Named/Inner"),
    Way("DELETE", f"{LED}/ruled"),
    Way("DELETE", f"{LED}/deep"),
    Way("DELETE", LED, STAYS),
    Way("DELETE", f"{LED}/Named", STAYS),
    Way("DELETE", f"{LED}/Named/inner", STAYS),
    # another tree in its place, which would remove it first
    *(
        Way(method, source, refusal, to)
        for method in ("COPY", "MOVE")
        for source, to, refusal in (
            (f"{LED}/free", f"{LED}/ruled", LACKS),
            (f"{LED}/free", f"{LED}/deep", LACKS),
            (f"{LED}/free", f"{LED}/Named", STAYS),
            (f"{LED}/ruled/plain.toml", f"{LED}/deep", LACKS),
            (f"{OWN}", f"{LED}/ruled", LACKS),
        )
    ),
    # rules of one's own brought along
    Way("MOVE", OWN, LACKS, f"{LED}/free/own"),
    Way("MOVE", "/files/Members/bob/own", LACKS, f"{LED}/free/own"),
    # the homes of others, the listings of the server
    Way("MOVE", "/files/Home", STAYS, f"{LED}/home"),
    Way("DELETE", "/files/Home/", STAYS),
    Way("DELETE", "/files/Members", STAYS),
    Way("DELETE", "/files/Members/carol", HIDDEN),
    Way("MOVE", "/files/Members/carol", HIDDEN, f"{OWN}/carol"),
    Way("DELETE", "/files", STAYS),
    # what was removed or replaced
    Way("MOVE", "/files/Trash", STAYS, f"{OWN}/trash"),
    Way("COPY", "/files/History", STAYS, f"{OWN}/history"),
    Way("DELETE", "/files/Trash", OWN_ALONE),
    Way("DELETE", "/files/History/", OWN_ALONE),
    put("/files/Trash/access.toml", STAYS),
    put("/files/History/access.toml", STAYS),
]
SHARED_COLLECTIONS = [
    put(f"{SHARED}/training/access.toml"),
    put(f"{SHARED}/free/access.toml"),
    put(f"{SHARED}/people/access.toml"),
    put(f"{SHARED}/free/%61ccess.toml"),
    put(f"{SHARED}/free/Access.toml"),
    put(f"{SHARED}/free/.access.toml"),
    put(f"{SHARED}/free/links.txt"),
    put(f"{SHARED}/access.toml"),
    put("/files/Collections/access.toml", HIDDEN),
    put("/files/Collections/carol/calendar/access.toml", HIDDEN),
    put("/dav/sport/training/.access.toml", STAYS),
    put("/dav/sport/training/.Access.Toml", STAYS),
    put("/dav/sport/training/%2Eaccess.toml", STAYS),
    put("/dav/sport/training/.access.toml/", STAYS),
    put("/dav/sport/training/.state.jsonl", STAYS),
    put("/dav/sport/training/.Radicale.props", STAYS, '{"tag": ""}'),
    put("/dav/sport/.access.toml", STAYS),
    put("/dav/sport/access.toml", STAYS, event()),
    put("/dav/access.toml", STAYS, event()),
    put("/dav/bob/sport~training/.access.toml", STAYS),
    Way("LOCK", f"{SHARED}/training/access.toml", body=LOCKINFO),
    Way("LOCK", f"{SHARED}/free/access.toml", body=LOCKINFO),
    Way("LOCK", f"{SHARED}/training", body=LOCKINFO),
    Way("LOCK", "/dav/sport/training/", NO_WAY, body=LOCKINFO),
    Way("MKCOL", f"{SHARED}/free/access.toml", NO_PARENT),
    Way("MKCOL", f"{SHARED}/new", NO_PARENT),
    Way("PROPPATCH", f"{SHARED}/training/access.toml", HIDDEN, body=PROPPATCH),
    Way("DELETE", f"{SHARED}/training/access.toml", HIDDEN),
    Way("DELETE", f"{SHARED}/training", HIDDEN),
    Way("DELETE", "/files/Collections/sport", HIDDEN),
    Way("DELETE", "/dav/sport/training/.access.toml", STAYS),
    Way("MOVE", f"{SHARED}/training/access.toml", HIDDEN, f"{OWN}/away.toml"),
    Way("MOVE", "/files/Collections/bob/calendar/access.toml", STAYS, f"{SHARED}/training/access.toml"),
    Way("COPY", "/files/Collections/bob/calendar/access.toml", STAYS, f"{SHARED}/training/access.toml"),
    *(
        Way(method, source, refusal, to)
        for method in ("COPY", "MOVE")
        for source, to, refusal in (
            ("/dav/bob/calendar/mine.ics", "/dav/sport/free/.access.toml", STAYS),
            ("/dav/bob/calendar/mine.ics", "/dav/sport/free/.ACCESS.toml", STAYS),
            ("/dav/bob/calendar/mine.ics", f"{SHARED}/free/access.toml", STAYS),
            ("/dav/bob/calendar/mine.ics", f"{LED}/ruled/access.toml", STAYS),
            (f"{LED}/ruled/plain.toml", "/dav/sport/free/.access.toml", STAYS),
        )
    ),
    # a collection from under its rules, also by the name that bob's home shows it under
    Way("MOVE", "/dav/sport/training/", LACKS, "/dav/sport/renamed/"),
    Way("MOVE", "/dav/sport/training/", LACKS, "/dav/bob/taken/"),
    Way("MOVE", "/dav/bob/sport~training/", LACKS, "/dav/bob/taken/"),
    Way("MOVE", "/dav/sport/people/", LACKS, "/dav/bob/taken/"),
    Way("MOVE", "/dav/sport/named/", STAYS, "/dav/sport/renamed/"),
    Way("MOVE", "/dav/bob/ruled/", LACKS, "/dav/sport/brought/"),
    Way("DELETE", "/dav/sport/training/"),
    Way("DELETE", "/dav/sport/people/"),
    Way("DELETE", "/dav/sport/named/", STAYS),
    Way("DELETE", "/dav/sport/", STAYS),
    Way("MOVE", "/dav/sport/", STAYS, "/dav/bob/taken/"),
    *(
        Way(method, "/dav/bob/calendar/", refusal, to)
        for method in ("COPY", "MOVE")
        for to, refusal in (
            ("/dav/sport/training/", LACKS),
            ("/dav/sport/named/", STAYS),
            ("/dav/bob/sport~training/", LACKS),
            ("/dav/sport/access.toml/", (403, CALDAV.calendar_collection_location_ok)),
        )
    ),
    # a folder in the place of a home's rules
    Way("MKCOL", "/dav/sport/access.toml/", (403, CALDAV.calendar_collection_location_ok)),
    Way("MKCALENDAR", "/dav/sport/access.toml/", (403, CALDAV.calendar_collection_location_ok)),
    Way("MKCOL", "/dav/sport/.access.toml/", STAYS),
    Way(
        "MKCOL",
        "/dav/sport/access.toml/",
        (403, CARDDAV.addressbook_collection_location_ok),
        body=mkcol("CR:addressbook"),
    ),
]
READING = [
    *(
        Way(method, target, HIDDEN, headers=headers)
        for target in (
            f"{LED}/ruled/access.toml",
            f"{LED}/ruled/links.txt",
            f"{LED}/ruled/%61ccess.toml",
            f"{LED}/ruled/ACCESS.TOML",
            f"{LED}/ruled/.state.jsonl",
            f"{LED}/deep/inner/access.toml",
            f"{SHARED}/training/access.toml",
            f"{SHARED}/training/.access.toml",
            f"{SHARED}/training/",
            f"{SHARED}/",
        )
        for method, headers in (
            ("GET", {}),
            ("GET", {"Range": "bytes=0-9"}),
            ("HEAD", {}),
            ("PROPFIND", {"Depth": "0"}),
            ("PROPFIND", {"Depth": "1"}),
        )
    ),
    *(
        Way("COPY", source, HIDDEN, to)
        for source in (
            f"{LED}/ruled/access.toml",
            f"{LED}/ruled/links.txt",
            f"{LED}/ruled/.state.jsonl",
            f"{SHARED}/training/access.toml",
        )
        for to in (f"{OWN}/seen.toml", f"{LED}/ruled/seen.toml", "/files/Members/bob/seen.toml")
    ),
    Way("GET", "/dav/sport/training/.access.toml", STAYS),
    Way("GET", "/dav/sport/training/.Radicale.props", STAYS),
    Way("GET", "/dav/bob/sport~training/.access.toml", STAYS),
    Way("COPY", "/dav/sport/training/.access.toml", STAYS, "/dav/bob/calendar/seen.ics"),
]


def form(name: str) -> Way:
    """A form with one file, at the link that takes files."""
    part = f'--X\r\nContent-Disposition: form-data; filename="{name}"\r\n\r\n{TO_BOB}\r\n--X--\r\n'
    return Way("POST", f"/p/{TAKING}/", STAYS, body=part, headers={"Content-Type": "multipart/form-data; boundary=X"})


THROUGH_A_LINK = [
    *(
        put(f"/p/{TAKING}/{name}", STAYS)
        for name in ("access.toml", "Access.TOML", "%61ccess.toml", "%EF%BD%81ccess.toml", "links.txt", ".access.toml")
    ),
    *(form(name) for name in ("access.toml", "ACCESS.toml", "../access.toml", "C:\\\\access.toml", ".state.jsonl")),
    put(f"/p/{TAKING}/%2e%2e/ruled/access.toml", BAD),
    put(f"/p/{TAKING}//access.toml", STAYS),
    put(f"/p/{TAKING}/access.toml/", STAYS),
    put(f"/p/{TAKING}/inner/access.toml", NO_PARENT),
    put(f"/p/{TAKING}/inner/plain.txt", NO_PARENT),
    *(Way(method, f"/p/{TAKING}/access.toml", NO_WAY) for method in ("DELETE", "PROPPATCH", "LOCK", "ACL", "MKCOL")),
    *(Way(method, f"/p/{TAKING}/plain.toml", NO_WAY, f"/p/{TAKING}/access.toml") for method in ("MOVE", "COPY")),
    *(Way("GET", f"/p/{TAKING}/{name}", HIDDEN) for name in ("access.toml", "links.txt", ".state.jsonl")),
]


@pytest.fixture(scope="module")
def club(start_server: MakeServer) -> Server:
    """Led and the sports section, where bob works and carol leads, with rules in several folders and collections."""
    server = start_server(access=ACCESS + MORE, folders=("Sport", "Public", "Led/Named/inner"))
    bob, carol = server.client("bob"), server.client("carol")
    for folder in (f"{LED}/ruled", f"{LED}/ruled/open", f"{LED}/free", f"{LED}/deep", f"{LED}/deep/inner", OWN):
        stored(bob.mkcol(folder))
    for file in (f"{LED}/ruled/plain.toml", f"{OWN}/mine.toml"):
        stored(bob.put(file, TO_BOB))
    stored(bob.put(f"{OWN}/access.toml", TO_DORA))
    stored(carol.put(f"{LED}/ruled/access.toml", RULES))
    for folder in (f"{LED}/taken", f"{LED}/taken/inner"):
        stored(bob.mkcol(folder))
        stored(carol.put(f"{folder}/access.toml", TAKING_RULES if folder.endswith("taken") else TO_DORA))
    stored(carol.put(f"{LED}/deep/inner/access.toml", RULES.replace(TOKEN, f"{TOKEN}-too")))
    for calendar in ("/dav/sport/training/", "/dav/sport/free/", "/dav/sport/named/", "/dav/bob/ruled/"):
        stored(bob.mkcalendar(calendar))
        stored(bob.put(f"{calendar}e.ics", event()))
    stored(bob.mkcol("/dav/sport/people/", mkcol("CR:addressbook")))
    stored(bob.put("/dav/sport/people/c.vcf", card()))
    for name in ("training", "people"):
        stored(carol.put(f"{SHARED}/{name}/access.toml", SHARED_RULES))
    for name in ("calendar", "ruled"):
        stored(bob.put(f"/files/Collections/bob/{name}/access.toml", TO_DORA))
    stored(bob.put("/dav/bob/calendar/mine.ics", event("mine")))
    return server


@pytest.fixture
def bob(club: Server) -> Dav:
    return club.client("bob")


@pytest.fixture
def carol(club: Server) -> Dav:
    return club.client("carol")


@pytest.fixture
def unchanged(club: Server) -> Iterator[None]:
    """Whatever the test tries, nothing people stored is different afterwards."""
    before = club.tree()
    yield
    assert club.tree() == before


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("way", [*WRITING_RULES, *TAKING_AWAY, *SHARED_COLLECTIONS, *READING, *THROUGH_A_LINK], ids=str)
def test_no_way_leads_to_the_rules_without_the_right_to_give_rights(bob: Dav, way: Way) -> None:
    reply = way.go(bob)
    assert (reply.status, reply.condition) == way.refusal, reply.body
    assert TOKEN not in reply.text


@pytest.mark.usefixtures("unchanged")
def test_a_tree_that_is_copied_leaves_the_rules_and_their_tokens_behind(bob: Dav, carol: Dav, club: Server) -> None:
    try:
        for to in (f"{OWN}/copied", f"{LED}/free/copied"):
            stored(bob.copy(f"{LED}/ruled", to))
            assert bob.get(f"{to}/plain.toml").status == 200
            assert bob.get(f"{to}/access.toml").status == 404
            assert bob.get(f"{to}/links.txt").status == 404
        stored(bob.copy(OWN, f"{LED}/free/own"))
        assert carol.get(f"{LED}/free/own/access.toml").status == 404
        copies = [path for path in club.tree() if "copied" in path or "free/own" in path]
        assert not [path for path in copies if path.endswith(("access.toml", "links.txt"))]
    finally:
        for path in (f"{OWN}/copied", f"{LED}/free/copied", f"{LED}/free/own"):
            bob.delete(path)
        empty_trash(club)


@pytest.mark.usefixtures("unchanged")
def test_no_listing_or_report_names_the_rules(bob: Dav, carol: Dav) -> None:
    for client, count in ((bob, 0), (carol, 1)):
        listed = client.propfind(f"{LED}/ruled/", DAV.getetag, DAV.getcontentlength, depth="1").text
        names = client.get(f"{LED}/ruled/").text
        for name in ("access.toml", "links.txt"):
            assert listed.count(f"/{name}<") == names.splitlines().count(name) == count
    asked = [
        bob.propfind(f"{LED}/", depth="infinity"),
        bob.propfind(f"{LED}/ruled/", depth="1"),
        bob.propfind("/dav/sport/training/", depth="1"),
        bob.report("/dav/sport/training/", sync()),
        bob.report("/dav/sport/training/", multiget("/dav/sport/training/.access.toml")),
        bob.get("/dav/sport/training/"),
        bob.get("/files/"),
        bob.get("/files/Collections/"),
        *(search(bob, f"{LED}/", where) for where in ("", FOR_RULES)),
        *(search(bob, f"{LED}/ruled/", where) for where in ("", FOR_RULES)),
    ]
    for reply in asked:
        assert TOKEN not in reply.text
    rows = asked[4].multistatus()
    assert [row.status for row in rows.values()] == [404]
    assert sorted(path_of(href)[-10:] for href in search(carol, f"{LED}/ruled/", FOR_RULES).hrefs) == [
        "/links.txt",
        "ccess.toml",
    ]
    for reply in (*asked[:4], *asked[5:]):
        assert "access.toml" not in reply.text
        assert "sport" not in reply.text or "Collections/sport" not in reply.text


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    "headers",
    [{"If-Match": "*"}, {"If-None-Match": "*"}, {"If-Match": '"x"'}, {"If": '(["x"])'}, {"If": "(<urn:uuid:x>)"}, {}],
    ids=str,
)
@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE", "PROPFIND", "PROPPATCH", "LOCK", "SEARCH"])
def test_whether_there_are_rules_cannot_be_told_from_the_answers(
    bob: Dav, method: str, headers: dict[str, str]
) -> None:
    bodies = {"PUT": TO_BOB, "PROPPATCH": PROPPATCH, "LOCK": LOCKINFO, "SEARCH": searching(scope=".", depth="0")}
    answers = []
    for folder in (f"{LED}/ruled", f"{LED}/free"):  # with rules, without
        reply = bob.request(method, f"{folder}/access.toml", bodies.get(method), headers)
        answers.append((reply.status, reply.text.replace(folder, "")))
    assert answers[0] == answers[1]
    assert answers[0][0] in (403, 404, 412)


@pytest.mark.usefixtures("unchanged")
def test_a_lock_on_the_rules_is_not_told_to_others_nor_theirs_to_break(bob: Dav, carol: Dav) -> None:
    token = carol.lock(f"{LED}/ruled/access.toml").lock_token
    try:
        taken = bob.lock(f"{LED}/ruled/", depth="infinity")
        assert "access.toml" not in taken.text
        if taken.status == 200:
            bob.unlock(f"{LED}/ruled/", taken.lock_token)
        found = bob.propfind(f"{LED}/ruled/", DAV.lockdiscovery, depth="1")
        assert "access.toml" not in found.text
        assert token not in found.text
        assert bob.unlock(f"{LED}/ruled/access.toml", token).status in (403, 404, 409)
        assert carol.propfind(f"{LED}/ruled/access.toml", DAV.lockdiscovery).text.count(token) == 1
    finally:
        assert carol.unlock(f"{LED}/ruled/access.toml", token).status == 204


@pytest.mark.usefixtures("unchanged")
def test_who_gives_rights_breaks_a_lock_that_somebody_took_over_the_rules(bob: Dav, carol: Dav, club: Server) -> None:
    token = bob.lock(f"{LED}/ruled/", depth="infinity").lock_token
    assert carol.put(f"{LED}/ruled/access.toml", RULES).status == 423
    assert carol.unlock(f"{LED}/ruled/", token).status == 204
    assert carol.put(f"{LED}/ruled/access.toml", RULES).status == 204
    empty_trash(club)


@pytest.mark.usefixtures("unchanged")
def test_bob_could_do_all_of_it_where_there_are_no_rules(bob: Dav, club: Server) -> None:
    """The refusals above are for the rules and not for want of other rights."""
    stored(bob.mkcol(f"{LED}/free/a"))
    stored(bob.put(f"{LED}/free/a/b.txt", "words"))
    stored(bob.move(f"{LED}/free/a", f"{LED}/a"))
    stored(bob.move(f"{LED}/a", f"{OWN}/a"))
    assert bob.delete(f"{OWN}/a").status == 204
    stored(bob.mkcalendar("/dav/sport/a/"))
    stored(bob.move("/dav/sport/a/", "/dav/sport/b/"))
    stored(bob.move("/dav/sport/b/", "/dav/bob/b/"))
    assert bob.delete("/dav/bob/b/").status == 204
    empty_trash(club)


def empty_trash(club: Server) -> None:
    """Forget what a test has removed properly, so that the tree can be compared."""
    for name in ("trash", "history"):
        shutil.rmtree(club.data / name, ignore_errors=True)
        (club.data / name).mkdir()


def test_the_ways_are_named_by_the_paths_they_try() -> None:
    for way in (*WRITING_RULES, *TAKING_AWAY, *SHARED_COLLECTIONS, *READING):
        assert path_of(way.target).startswith("/")
