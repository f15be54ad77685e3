"""Calendar objects and cards that cannot be stored: the precondition, nothing stored, nothing changed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from davserver.dav.names import CALDAV, CARDDAV
from tests.conftest import MakeServer
from tests.harness import Dav, Server
from tests.pim.samples import calendar, card, event, mkcol

CAL, BOOK = "/dav/alice/cal/", "/dav/alice/book/"


@pytest.fixture(scope="module")
def cloud(start_server: MakeServer, tmp_path_factory: pytest.TempPathFactory) -> Server:
    server = start_server(tmp_path_factory.mktemp("bad") / "server")
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
