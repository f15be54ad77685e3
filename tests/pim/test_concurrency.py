"""Many clients at once: each acknowledged write is there, and no rule is broken between two of them."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest

from davserver.dav.names import APPLE, CALDAV, DAV
from tests.harness import Dav, Reply, Server
from tests.pim.samples import event, query, sync

Answer = TypeVar("Answer")


def at_once(server: Server, count: int, act: Callable[[Dav, int], Answer]) -> list[Answer]:
    """The answers of ``count`` clients of alice's that act at the same time."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda number: act(server.client("alice"), number), range(count)))


@pytest.mark.rfc("4791", "5.3.2")
def test_of_many_that_create_the_same_item_one_succeeds(shared: Server, calendar: str) -> None:
    def create(client: Dav, number: int) -> Reply:
        return client.put(calendar + "a.ics", event(summary=f"By {number}"), {"If-None-Match": "*"})

    replies = at_once(shared, 8, create)
    assert sorted(reply.status for reply in replies) == [201] + [412] * 7
    winner = next(number for number, reply in enumerate(replies) if reply.status == 201)
    assert f"SUMMARY:By {winner}\r\n" in shared.client("alice").get(calendar + "a.ics").text


def test_of_many_that_change_the_same_item_by_its_etag_one_succeeds(shared: Server, calendar: str) -> None:
    etag = shared.client("alice").put(calendar + "a.ics", event()).etag

    def change(client: Dav, number: int) -> int:
        return client.put(calendar + "a.ics", event(summary=f"By {number}"), {"If-Match": etag}).status

    assert sorted(at_once(shared, 8, change)) == [204] + [412] * 7


@pytest.mark.rfc("4791", "5.3.2.1")
def test_of_many_that_bring_one_uid_under_many_names_one_succeeds(shared: Server, calendar: str) -> None:
    def create(client: Dav, number: int) -> Reply:
        return client.put(f"{calendar}{number}.ics", event("same"))

    replies = at_once(shared, 8, create)
    assert sorted(reply.status for reply in replies) == [201] + [403] * 7
    assert {reply.condition for reply in replies if reply.status == 403} == {CALDAV.no_uid_conflict}
    assert len(shared.client("alice").propfind(calendar, DAV.getetag, depth="1").multistatus()) == 2


def test_a_client_that_synchronises_while_others_write_misses_nothing(shared: Server, calendar: str) -> None:
    seen: set[str] = set()

    def act(client: Dav, number: int) -> str:
        if number:
            for count in range(5):
                assert client.put(f"{calendar}{number}-{count}.ics", event(f"{number}-{count}")).status == 201
            return ""
        token = ""
        for _ in range(10):
            reply = client.report(calendar, sync(token))
            token = reply.xml.findtext(DAV.sync_token) or ""
            seen.update(reply.multistatus())
        return token

    token = at_once(shared, 5, act)[0]
    seen |= set(shared.client("alice").report(calendar, sync(token)).multistatus())
    assert seen == {f"{calendar}{number}-{count}.ics" for number in range(1, 5) for count in range(5)}


def test_members_who_sign_in_many_times_at_once_find_three_collections_and_the_van_s(club: Server) -> None:
    def look(client: Dav, number: int) -> int:
        return len(client.propfind("/dav/alice/", DAV.resourcetype, depth="1").multistatus())

    assert at_once(club, 8, look) == [5] * 8


def test_of_many_that_set_other_properties_at_once_none_is_lost(shared: Server, calendar: str) -> None:
    names = (DAV.displayname, APPLE.calendar_color, APPLE.calendar_order, CALDAV.calendar_description, "{urn:x}a")

    def change(client: Dav, number: int) -> int:
        return client.proppatch(calendar, {names[number]: f"value {number}"}).status

    for _ in range(5):
        shared.client("alice").proppatch(calendar, {}, names)
        assert at_once(shared, len(names), change) == [207] * len(names)
        row = shared.client("alice").propfind(calendar, *names).multistatus()[calendar]
        assert [row.text(name) for name in names] == [f"value {number}" for number in range(len(names))]


@pytest.mark.rfc("4791", "7.8")
def test_a_query_finds_what_is_replaced_meanwhile(shared: Server, calendar: str) -> None:
    def put(client: Dav, number: int, summary: str) -> None:
        assert client.put(f"{calendar}{number % 20}.ics", event(str(number % 20), summary)).status in (201, 204)

    alice, asking = shared.client("alice"), threading.Event()
    for number in range(20):
        put(alice, number, "new")

    def act(client: Dav, who: int) -> None:
        if who == 0:
            try:
                asked = '<C:comp-filter name="VEVENT"><C:time-range start="20270101T000000Z"/></C:comp-filter>'
                for _ in range(100):
                    assert len(client.report(calendar, query(asked), depth="1").multistatus()) == 20
            finally:
                asking.set()
        for number in itertools.takewhile(lambda _: not asking.is_set(), itertools.count(who, 2)):
            put(client, number, f"replaced {number} times")

    at_once(shared, 3, act)
