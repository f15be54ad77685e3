"""
The article's example as a table, asked over HTTP in every cell: who may do what, and how the others are refused.

``tests/auth/test_association.py`` holds the same example against the pure decision; here every cell is a request of
that person to the running server, for files, calendars, task lists and address books alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from davserver.dav.names import CALDAV, DAV
from tests.conftest import MakeServer
from tests.harness import NAMESPACES, Dav, Reply, Server
from tests.pim.samples import multiget, query, sync
from tests.rights.association import (
    BOOK,
    CALENDAR,
    FILE,
    PEOPLE,
    TASKS,
    WORLD,
    Kind,
    Place,
    client_of,
    start_association,
    stored,
)

# alice is the secretary, bob the treasurer, carol the president: the board, who are officers too. dora leads the sports
# section: member of sport and officer. emil is a volunteer, fiona staff, hugo in no group; world is not signed in.
# r read, c create, w write, d delete, a admin, f freebusy, - nothing
TABLE = """
                                 alice   bob    carol  dora   emil  fiona  hugo  world
/files/Administration            rcwd    rcwd   r      -      r     r      -     -
/files/Administration/Minutes    rcwd    rcwd   r      -      r     r      -     -
/files/Sport                     -       -      -      rcwd   -     -      -     -
/files/Communication             rcwd    rcwd   rcwd   r      r     r      r     r
/files/Members/alice             rcwda   -      -      -      -     -      -     -
/files/Members/alice/Diary       rcwda   -      -      -      -     -      -     -
/dav/sport/calendar              -       -      -      rcwdf  -     -      -     -
/dav/sport/contacts              -       -      -      rcwd   -     -      -     -
/dav/officers/calendar           rcwdf   rcwdf  rcwdf  rcwdf  rf    rf     rf    -
/dav/officers/contacts           rcwd    rcwd   rcwd   rcwd   r     r      r     -
/dav/hall/calendar               rcwdaf  rcf    rcf    rcf    rcf   rcf    rcf   -
/dav/van/calendar                rcwdaf  rcf    rcf    rcf    rcf   rcf    rcf   -
/dav/board/tasks                 rcwdf   rcwdf  rcwdf  -      rf    rf     -     -
/dav/staff/contacts              rcwd    r      r      r      r     rcwd   r     -
/dav/alice/calendar              rcwdaf  -      -      -      -     -      -     -
/dav/alice/tasks                 rcwdaf  -      -      -      -     -      -     -
/dav/alice/contacts              rcwda   -      -      -      -     -      -     -
"""
KEEPERS = {
    "/files/Administration": "alice",
    "/files/Administration/Minutes": "bob",
    "/files/Sport": "dora",
    "/files/Communication": "carol",
    "/files/Members/alice": "alice",
    "/files/Members/alice/Diary": "alice",
    "/dav/sport/calendar": "dora",
    "/dav/sport/contacts": "dora",
    "/dav/officers/calendar": "carol",
    "/dav/officers/contacts": "dora",
    "/dav/hall/calendar": "alice",
    "/dav/van/calendar": "alice",
    "/dav/board/tasks": "bob",
    "/dav/staff/contacts": "fiona",
    "/dav/alice/calendar": "alice",
    "/dav/alice/tasks": "alice",
    "/dav/alice/contacts": "alice",
}
# What a refusal calls the right that is missing (RFC 3744 §3, RFC 4791 §6.1.1).
PRIVILEGES = {
    "create": DAV.bind,
    "write": DAV.write_content,
    "delete": DAV.unbind,
    "admin": DAV.write_acl,
    "freebusy": CALDAV.read_free_busy,
}
CONSUMING = ("create", "write", "delete")
ACTIONS = ("read", "create", "write", "delete", "admin", "freebusy")
_numbers = count(1)


def kind_of(path: str) -> Kind:
    """Kind by the names of the example."""
    if path.startswith("/files"):
        return FILE
    return {"calendar": CALENDAR, "tasks": TASKS, "contacts": BOOK}[path.rpartition("/")[2]]


@dataclass(frozen=True, slots=True)
class Cell:
    """
    One question of the table.

    Attributes:
        sees: whether the person may read there: then a refusal says what is missing, else nothing stands there.
    """

    person: str
    place: Place
    action: str
    allowed: bool
    sees: bool

    def __str__(self) -> str:
        return f"{self.person}-{self.action}-{self.place.path}"


def cells() -> list[Cell]:
    """Every person, place and action; only calendars and task lists have a time to be busy at."""
    heads, *lines = TABLE.strip("\n").splitlines()
    found = []
    for line in lines:
        path, *given = line.split()
        place = Place(path, kind_of(path), KEEPERS[path])
        for person, letters in zip(heads.split(), given, strict=True):
            for action in ACTIONS:
                if action != "freebusy" or place.kind in (CALENDAR, TASKS):
                    found.append(Cell(person, place, action, action[0] in letters, "r" in letters))
    return found


CELLS = cells()
PAIRS = [cell for cell in CELLS if cell.action == "read"]


@dataclass(frozen=True, slots=True)
class Thing:
    """Somebody else's item in a place, for one person to try a hand on."""

    client: Dav
    place: Place
    name: str
    words: str

    @property
    def path(self) -> str:
        return f"{self.place.path}/{self.name}"

    @property
    def new_path(self) -> str:
        """A free name beside it."""
        return f"{self.place.path}/new-{self.name}"

    @property
    def typed(self) -> dict[str, str]:
        return {"Content-Type": self.place.kind.media}

    def body(self, words: str, *, new: bool = False) -> str:
        return self.place.kind.body(("new-" if new else "") + self.name, words)


@pytest.fixture(scope="module")
def association(start_server: MakeServer, tmp_path_factory: pytest.TempPathFactory) -> Server:
    server = start_association(start_server, tmp_path_factory.mktemp("table") / "association")
    stored(server.client("alice").mkcol("/files/Members/alice/Diary"))
    return server


@pytest.fixture(scope="module")
def things(association: Server) -> dict[str, str]:
    """By place: the name of the item that its keeper has stored and nobody has changed yet."""
    return {}


@pytest.fixture
def thing(association: Server, things: dict[str, str], cell: Cell) -> Iterator[Thing]:
    """An item that the keeper of the place has stored, for the person of the cell; a new one after each success."""
    place = cell.place
    known = place.path in things
    name = things.setdefault(place.path, f"thing{next(_numbers)}{place.kind.suffix}")
    made = Thing(client_of(association, cell.person), place, name, f"words-of-{name}")
    keeper = client_of(association, place.keeper)
    if not known:
        stored(keeper.put(made.path, made.body(made.words), made.typed))
    yield made
    if cell.allowed and cell.action in CONSUMING:
        keeper.delete(made.new_path if cell.action == "create" else made.path)
        del things[place.path]


# How each action is tried: a request, and what shows that it was done.


def read(thing: Thing) -> Reply:
    return thing.client.get(thing.path)


def create(thing: Thing) -> Reply:
    return thing.client.put(thing.new_path, thing.body("mine", new=True), {**thing.typed, "If-None-Match": "*"})


def write(thing: Thing) -> Reply:
    return thing.client.put(thing.path, thing.body("changed"), thing.typed)


def delete(thing: Thing) -> Reply:
    return thing.client.delete(thing.path)


def administer(thing: Thing) -> Reply:
    """Rules with a fault in them: whoever may write them learns of the fault, and nothing changes."""
    return thing.client.put(thing.place.rules, "[[rule]\n")


def ask_busy(thing: Thing) -> Reply:
    span = '<C:time-range start="20270101T000000Z" end="20270201T000000Z"/>'
    return thing.client.report(thing.place.path, f"<C:free-busy-query {NAMESPACES}>{span}</C:free-busy-query>", "1")


TRIES: dict[str, Callable[[Thing], Reply]] = {
    "read": read,
    "create": create,
    "write": write,
    "delete": delete,
    "admin": administer,
    "freebusy": ask_busy,
}
DONE = {"read": {200}, "create": {201}, "write": {204}, "delete": {204}, "admin": {422}, "freebusy": {200}}


def require_done(action: str, thing: Thing, reply: Reply, keeper: Dav) -> None:
    """The change is there for others too."""
    match action:
        case "read":
            assert thing.words in reply.text
        case "create":
            assert "mine" in keeper.get(thing.new_path).text
        case "write":
            assert "changed" in keeper.get(thing.path).text
        case "delete":
            assert keeper.get(thing.path).status == 404
        case "admin":
            assert ":1:" in reply.text
        case "freebusy":
            assert ("20270105T100000Z" in reply.text) is (thing.place.kind is CALENDAR)


def require_refused(cell: Cell, reply: Reply) -> None:
    """401 without an account; 403 with the missing privilege to who sees the place; to others nothing stands there."""
    if cell.person == WORLD:
        assert (reply.status, reply.condition) == (401, None)
        assert reply.headers["www-authenticate"].startswith("Basic ")
    elif cell.sees:
        assert (reply.status, reply.condition) == (403, DAV.need_privileges)
        privilege = reply.xml.find(f"{DAV.need_privileges}/{DAV.resource}/{DAV.privilege}")
        assert privilege is not None
        assert [element.tag for element in privilege] == [PRIVILEGES[cell.action]]
    else:
        # A PUT below what is not there is 409 (RFC 4918 §9.7.1), and the hidden answers as what is not there.
        hidden = {404, 409} if cell.action in ("create", "write") else {404}
        assert reply.status in hidden
        assert reply.condition is None


@pytest.mark.rfc("3744", "7.1.1")
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_a_cell_of_the_table_is_what_the_server_does(association: Server, cell: Cell, thing: Thing) -> None:
    before = association.tree()
    reply = TRIES[cell.action](thing)
    if cell.allowed:
        assert reply.status in DONE[cell.action], reply.body
        require_done(cell.action, thing, reply, client_of(association, cell.place.keeper))
    else:
        require_refused(cell, reply)
        assert association.tree() == before


@pytest.mark.parametrize("cell", PAIRS, ids=str)
def test_a_place_and_its_items_are_listed_for_those_who_may_read_them(
    association: Server, cell: Cell, thing: Thing
) -> None:
    reply = thing.client.propfind(thing.place.path, DAV.getetag, depth="1")
    if cell.person == WORLD:
        assert reply.status == 401
        return
    if cell.allowed:
        assert thing.path in reply.multistatus()
    else:
        assert reply.status == 404
    above = thing.place.path.rpartition("/")[0]
    listed = thing.client.propfind(above, DAV.resourcetype, depth="1")
    rows = listed.multistatus() if listed.status == 207 else {}
    if cell.person != cell.place.path.split("/")[-1]:  # one's own folder is Home/ and not listed among Members/
        assert (f"{thing.place.path}/" in rows) is cell.allowed


@pytest.mark.parametrize("cell", [cell for cell in PAIRS if cell.place.kind is not FILE], ids=str)
def test_reports_and_the_members_home_tell_no_more_than_reading_does(
    association: Server, cell: Cell, thing: Thing
) -> None:
    kind, place = thing.place.kind, thing.place.path
    data = ("CR:addressbook", "<CR:address-data/>") if kind is BOOK else ("C:calendar", "<C:calendar-data/>")
    asked = [multiget(thing.path, kind=data[0], data=data[1]), sync()]
    if kind is not BOOK:
        asked.append(query(f'<C:comp-filter name="{"VTODO" if kind is TASKS else "VEVENT"}"/>', data[1]))
    for body in asked:
        reply = thing.client.report(place, body, "1")
        if cell.allowed:
            assert reply.multistatus()[thing.path].status is None
        else:
            assert reply.status == (401 if cell.person == WORLD else 404)
            assert thing.words not in reply.text
    if cell.person != WORLD:
        _, _, owner, name = place.split("/")
        shown = f"/dav/{cell.person}/" + (name if owner == cell.person else f"{owner}~{name}")
        home = thing.client.propfind(f"/dav/{cell.person}/", DAV.resourcetype, depth="1").multistatus()
        assert (f"{shown}/" in home) is cell.allowed
        assert thing.client.get(f"{shown}/{thing.name}").status == (200 if cell.allowed else 404)


ANNOUNCED = {
    "read": DAV.read,
    "create": DAV.bind,
    "write": DAV.write_properties,
    "admin": DAV.write_acl,
    "freebusy": CALDAV.read_free_busy,
}


@pytest.mark.rfc("3744", "5.4")
@pytest.mark.parametrize("cell", [cell for cell in PAIRS if cell.allowed and cell.person != WORLD], ids=str)
def test_the_announced_privileges_are_those_of_the_table(association: Server, cell: Cell) -> None:
    path = cell.place.path
    row = client_of(association, cell.person).propfind(path, DAV.current_user_privilege_set).multistatus()[f"{path}/"]
    announced = {element.tag for element in row.props[DAV.current_user_privilege_set].iter()}
    held = {one.action: one.allowed for one in CELLS if (one.person, one.place) == (cell.person, cell.place)}
    for action, allowed in held.items():
        if action in ANNOUNCED:
            assert (ANNOUNCED[action] in announced) is allowed, action
    # `create` includes change and removal of what one made oneself, so clients must not take the place as read-only
    assert (DAV.write_content in announced) is (held["write"] or held["create"])
    assert (DAV.unbind in announced) is (held["delete"] or held["create"])


def test_the_table_names_everybody_and_every_kind() -> None:
    assert {cell.person for cell in CELLS} == {*PEOPLE, WORLD}
    assert {cell.place.kind for cell in CELLS} == {FILE, CALENDAR, TASKS, BOOK}


def test_the_copied_example_is_the_one_that_is_served(association: Server) -> None:
    example = Path(__file__).resolve().parents[2] / "examples" / "association"
    assert (association.folder / "access.toml").read_bytes() == (example / "access.toml").read_bytes()
    assert (association.folder / "groups.toml").read_bytes() == (example / "groups.toml").read_bytes()
