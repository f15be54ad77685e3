"""Bodies that cannot be read: one clear sentence, nothing stored, nothing changed, and the server goes on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from davserver.dav.names import CALDAV, CARDDAV
from tests.conftest import MakeServer
from tests.harness import NAMESPACES, Dav, Server
from tests.pim.samples import calendar, card, event, mkcol

CAL, BOOK = "/dav/alice/cal/", "/dav/alice/book/"
BOMB = (
    '<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    f"<D:propfind {NAMESPACES}><D:prop><D:displayname>&b;</D:displayname></D:prop></D:propfind>"
)
OUTSIDE = (
    '<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    f"<D:propfind {NAMESPACES}><D:prop><D:displayname>&x;</D:displayname></D:prop></D:propfind>"
)
UNREADABLE = {
    "not well formed": "<D:propfind xmlns:D='DAV:'><D:prop>",
    "no XML at all": "hello",
    "unbound prefix": "<D:propfind/>",
    "entity bomb": BOMB,
    "external entity": OUTSIDE,
    "unknown charset": '<?xml version="1.0" encoding="no-such"?><propfind xmlns="DAV:"><allprop/></propfind>',
    "another root": f"<D:multistatus {NAMESPACES}/>",
}
TOO_LARGE = {
    "too deep": "<a>" * 2000 + "</a>" * 2000,
    "too many elements": "<a>" + "<b/>" * 50_000 + "</a>",
    "too many bytes": "<a>" + " " * (5 << 20) + "</a>",
}
ASKED = [("PROPFIND", "/files/Sport/"), ("PROPPATCH", "/files/Sport/"), ("PROPFIND", CAL), ("PROPPATCH", CAL)]
ASKED += [("REPORT", CAL), ("MKCALENDAR", "/dav/alice/new/"), ("MKCOL", "/dav/alice/new/"), ("LOCK", "/files/Sport/x")]


@pytest.fixture(scope="module")
def cloud(start_server: MakeServer, tmp_path_factory: pytest.TempPathFactory) -> Server:
    server = start_server(tmp_path_factory.mktemp("bad") / "server").start()
    client = server.client("alice")
    assert client.mkcalendar(CAL).status == 201
    assert client.mkcol(BOOK, mkcol("CR:addressbook")).status == 201
    assert client.put(f"{CAL}a.ics", event("a")).status == 201
    client.close()
    return server


@pytest.fixture
def client(cloud: Server) -> Iterator[Dav]:
    client = cloud.client("alice")
    yield client
    assert client.get(f"{CAL}a.ics").status == 200  # the server goes on
    client.close()


@pytest.mark.rfc("4918", "8.2")
@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize(("method", "path"), ASKED)
def test_xml_that_cannot_be_read_is_a_bad_request(
    cloud: Server, client: Dav, method: str, path: str, body: str
) -> None:
    before = cloud.tree()
    reply = client.request(method, path, body, {"Depth": "0"})
    assert reply.status in (400, 403, 415), reply.body
    assert reply.body
    assert b"root:" not in reply.body
    assert b"Traceback" not in reply.body
    assert cloud.tree() == before


@pytest.mark.parametrize("body", TOO_LARGE.values(), ids=TOO_LARGE)
@pytest.mark.parametrize(("method", "path"), ASKED)
def test_xml_beyond_the_limits_is_refused(cloud: Server, client: Dav, method: str, path: str, body: str) -> None:
    before = cloud.tree()
    reply = client.request(method, path, body, {"Depth": "0"})
    assert reply.status == 413, reply.body
    assert cloud.tree() == before


REFUSED_ITEMS = [
    # collection, body, condition
    (CAL, "hello", CALDAV.valid_calendar_data),
    (CAL, event("x").replace("END:VEVENT", ""), CALDAV.valid_calendar_data),
    (CAL, event("x").replace("DTSTART:20270105T100000Z", "DTSTART:yesterday"), CALDAV.valid_calendar_data),
    (CAL, calendar(), CALDAV.valid_calendar_object_resource),
    (CAL, event("x").replace("UID:x\r\n", ""), CALDAV.valid_calendar_object_resource),
    (CAL, event("x").replace("VERSION:2.0", "VERSION:2.0\r\nMETHOD:REQUEST"), CALDAV.valid_calendar_object_resource),
    (CAL, event("a", "another name"), CALDAV.no_uid_conflict),
    (CAL, card("x"), CALDAV.valid_calendar_data),
    (CAL, event("x", "a" * (2 << 20)), CALDAV.max_resource_size),
    (BOOK, "hello", CARDDAV.valid_address_data),
    (BOOK, card("x").replace("FN:Ada Lovelace\r\n", ""), CARDDAV.valid_address_data),
    (BOOK, event("x"), CARDDAV.valid_address_data),
    (BOOK, card("x", "Ada Lovelace", "NOTE:" + "a" * (6 << 20)), CARDDAV.max_resource_size),
]


@pytest.mark.rfc("4791", "5.3.2.1")
@pytest.mark.parametrize(("collection", "body", "condition"), REFUSED_ITEMS)
def test_an_item_that_cannot_be_stored_is_refused_by_name(
    cloud: Server, client: Dav, collection: str, body: str, condition: str
) -> None:
    before = cloud.tree()
    media = "text/vcard" if collection == BOOK else "text/calendar"
    reply = client.put(f"{collection}bad", body, {"Content-Type": media})
    assert (reply.status, reply.condition) == (403, condition)
    if condition == CALDAV.no_uid_conflict:
        assert reply.hrefs == [f"{CAL}a.ics"]
    assert client.get(f"{collection}bad").status == 404
    assert cloud.tree() == before


def test_no_refusal_was_a_failure_of_the_server(cloud: Server) -> None:
    assert " 500 " not in cloud.log
    assert "Traceback" not in cloud.log
