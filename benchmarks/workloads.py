"""What is measured: each workload asks one server for one thing over one collection and times it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count, islice

from benchmarks import bodies
from benchmarks.client import Client, Refused, Reply
from benchmarks.data import KINDS, Kind, whole_calendar
from benchmarks.servers import Server

EVENTS, TASKS, CONTACTS = (KINDS[name] for name in ("events", "tasks", "contacts"))
NEW_ITEMS_FROM = 10_000_000  # the index of the first item that is put beside those of the collection
POLLERS = 16
POLL_PAUSE_S = 0.02


@dataclass(slots=True)
class Collection:
    """
    One collection of one server while it is measured.

    Attributes:
        slot_s: how long one measurement repeats its request.
        new: indices of the items that were put beside those it was filled with.
        revisions: a number for each change of an item, so that no two are equal.
    """

    server: Server
    kind: Kind
    size: int
    seed: int
    slot_s: float
    timeout_s: float
    new: list[int] = field(default_factory=list)
    indices: count[int] = field(default_factory=lambda: count(NEW_ITEMS_FROM))
    revisions: count[int] = field(default_factory=lambda: count(1))

    @property
    def path(self) -> str:
        return self.server.path(self.kind, self.size)

    def item(self, index: int) -> str:
        return self.path + self.kind.file_name(index)

    def scattered(self, number: int) -> int:
        """The index of an item, such that numbers in a row are spread over the collection."""
        return number * 7919 % self.size

    def client(self) -> Client:
        return Client(self.server.port, self.server.account, self.timeout_s)

    def put(self, client: Client, index: int, revision: int, headers: Mapping[str, str] | None = None) -> float:
        """Store an item; how long it took."""
        body = self.kind.make(index, self.seed, revision)
        fields = {"Content-Type": self.kind.content_type, **(headers or {})}
        began = time.perf_counter()
        client.request("PUT", self.item(index), body, fields).require(200, 201, 204)
        return time.perf_counter() - began


@dataclass(slots=True)
class Sample:
    """
    One measurement.

    Attributes:
        latencies_s: of each request.
        wall_s: from the first to the last, where they overlap; else their sum.
        found: how much the answer held, to tell a wrong answer from a fast one.
        first_s: of one request before, which may have built what others find built.
    """

    latencies_s: list[float]
    wall_s: float = 0.0
    found: int | None = None
    first_s: float | None = None

    def __post_init__(self) -> None:
        self.wall_s = self.wall_s or sum(self.latencies_s)


@dataclass(frozen=True, slots=True)
class Workload:
    """
    Attributes:
        rate: told in requests a second, in milliseconds otherwise.
        once: measured in one round only, because it takes long or can only be done once.
    """

    name: str
    kind: Kind
    run: Callable[[Collection, Client], Sample]
    rate: bool = False
    once: bool = False


def _repeat(collection: Collection, ask: Callable[[int], int | None], most: int) -> Sample:
    """One request that is not counted, then up to ``most`` of them while the slot lasts."""
    began = time.perf_counter()
    found = ask(0)
    sample = Sample([], found=found, first_s=time.perf_counter() - began)
    until = time.perf_counter() + collection.slot_s
    for number in range(1, most + 1):
        began = time.perf_counter()
        ask(number)
        now = time.perf_counter()
        sample.latencies_s.append(now - began)
        if now > until:
            break
    sample.wall_s = sum(sample.latencies_s)
    return sample


def _once(ask: Callable[[], int | None]) -> Sample:
    began = time.perf_counter()
    found = ask()
    return Sample([time.perf_counter() - began], found=found)


def _report(client: Client, path: str, body: bytes, depth: Mapping[str, str] = bodies.DEPTH_1) -> Reply:
    return client.request("REPORT", path, body, depth)


def _polling(body: bytes) -> Callable[[Collection, Client], Sample]:
    def run(collection: Collection, client: Client) -> Sample:
        def ask(_: int) -> None:
            client.request("PROPFIND", collection.path, body, bodies.DEPTH_0).require(207)

        return _repeat(collection, ask, 1000)

    return run


def _get_one(collection: Collection, client: Client) -> Sample:
    def ask(number: int) -> None:
        client.request("GET", collection.item(collection.scattered(number))).require(200)

    return _repeat(collection, ask, 1000)


def _list(collection: Collection, client: Client) -> Sample:
    def ask(_: int) -> int:
        reply = client.request("PROPFIND", collection.path, bodies.ETAGS, bodies.DEPTH_1).require(207)
        return bodies.count_responses(reply.body)

    return _repeat(collection, ask, 3)


def _multiget(collection: Collection, client: Client) -> Sample:
    def ask(number: int) -> int:
        asked = range(number * 100, number * 100 + min(100, collection.size))
        body = bodies.multiget(collection.item(collection.scattered(index)) for index in asked)
        return _report(client, collection.path, body, bodies.DEPTH_0).require(207).body.count(b"BEGIN:VCALENDAR")

    return _repeat(collection, ask, 20)


def _sync(collection: Collection, client: Client, token: str) -> tuple[str, int]:
    """The new token, and how many changes came with it."""
    reply = _report(client, collection.path, bodies.sync_collection(token), bodies.DEPTH_0).require(207)
    return bodies.read_sync_token(reply.body), bodies.count_responses(reply.body)


def _sync_initial(collection: Collection, client: Client) -> Sample:
    return _once(lambda: _sync(collection, client, "")[1])


def _sync_no_change(collection: Collection, client: Client) -> Sample:
    token, _ = _sync(collection, client, "")
    return _repeat(collection, lambda _: _sync(collection, client, token)[1], 200)


def _sync_one_change(collection: Collection, client: Client) -> Sample:
    """A PUT, which is not timed, then a sync from the token before it."""
    token, _ = _sync(collection, client, "")
    sample = Sample([])
    until = time.perf_counter() + 2 * collection.slot_s
    for number in range(12):
        collection.put(client, collection.scattered(number), next(collection.revisions))
        began = time.perf_counter()
        token, sample.found = _sync(collection, client, token)
        sample.latencies_s.append(time.perf_counter() - began)
        if time.perf_counter() > until:
            break
    return sample


def _querying(body: bytes, *, most: int = 10) -> Callable[[Collection, Client], Sample]:
    """A calendar or address book query; with ``most`` 1 the very first one counts."""

    def run(collection: Collection, client: Client) -> Sample:
        def ask(_: int) -> int:
            return bodies.count_responses(_report(client, collection.path, body).require(207).body)

        return _repeat(collection, ask, most) if most > 1 else _once(lambda: ask(0))

    return run


def _query_after_put(collection: Collection, client: Client) -> Sample:
    """What a server keeps until the next change is of no use here."""
    collection.put(client, collection.scattered(3), next(collection.revisions))
    return _querying(bodies.QUERY_WEEK, most=1)(collection, client)


def _free_busy(collection: Collection, client: Client) -> Sample:
    def ask(_: int) -> int:
        reply = _report(client, collection.path, bodies.FREE_BUSY_MONTH).require(200)
        return bodies.count_busy_periods(reply.body)

    return _repeat(collection, ask, 5)


def _put_new(collection: Collection, client: Client, *, most: int = 100) -> Sample:
    sample = Sample([])
    until = time.perf_counter() + collection.slot_s
    for index in islice(collection.indices, most):
        sample.latencies_s.append(collection.put(client, index, 0))
        collection.new.append(index)
        if time.perf_counter() > until:
            break
    sample.wall_s = sum(sample.latencies_s)
    return sample


def _put_new_together(collection: Collection, _: Client) -> Sample:
    """Eight connections at a time."""
    samples: list[Sample] = []
    failures: list[Exception] = []

    def work() -> None:
        try:
            with collection.client() as client:
                samples.append(_put_new(collection, client, most=25))
        except (OSError, Refused) as failure:
            failures.append(failure)

    began = time.perf_counter()
    _in_threads([work] * 8)
    wall_s = time.perf_counter() - began
    if failures:
        raise failures[0]
    return Sample([latency for sample in samples for latency in sample.latencies_s], wall_s)


def _put_update(collection: Collection, client: Client) -> Sample:
    sample = Sample([])
    until = time.perf_counter() + collection.slot_s
    for number in range(100):
        index = collection.scattered(number)
        etag = client.request("GET", collection.item(index)).require(200).headers["etag"]
        sample.latencies_s.append(collection.put(client, index, next(collection.revisions), {"If-Match": etag}))
        if time.perf_counter() > until:
            break
    sample.wall_s = sum(sample.latencies_s)
    return sample


def _polls_beside_puts(collection: Collection, client: Client) -> Sample:
    """The latency of idle polls on 16 connections while another one puts new events."""
    until = time.perf_counter() + 4 * collection.slot_s
    latencies: list[float] = []
    failures: list[Exception] = []

    def poll() -> None:
        try:
            with collection.client() as own:
                while time.perf_counter() < until:
                    began = time.perf_counter()
                    own.request("PROPFIND", collection.path, bodies.POLL, bodies.DEPTH_0).require(207)
                    latencies.append(time.perf_counter() - began)
                    time.sleep(POLL_PAUSE_S)
        except (OSError, Refused) as failure:
            failures.append(failure)

    def put() -> None:
        try:
            while time.perf_counter() < until:
                _put_new(collection, client)
        except (OSError, Refused) as failure:
            failures.append(failure)

    _in_threads([*[poll] * POLLERS, put])
    if failures:
        raise failures[0]
    return Sample(latencies)


def _delete(collection: Collection, client: Client) -> Sample:
    """Removes what the PUT workloads left."""
    if not collection.new:
        raise Refused("nothing was put before")
    sample = Sample([])
    until = time.perf_counter() + collection.slot_s
    for _ in range(min(50, len(collection.new))):
        began = time.perf_counter()
        client.request("DELETE", collection.item(collection.new.pop())).require(200, 204)
        sample.latencies_s.append(time.perf_counter() - began)
        if time.perf_counter() > until:
            break
    sample.wall_s = sum(sample.latencies_s)
    return sample


def _export(collection: Collection, client: Client) -> Sample:
    def ask() -> int:
        found = client.request("GET", collection.path).require(200).body.count(b"BEGIN:VEVENT")
        if found < collection.size:
            raise Refused("a GET of the collection does not export it")
        return found

    return _once(ask)


def _import(collection: Collection, client: Client) -> Sample:
    """The whole collection as one file into a new one."""
    path = f"{collection.server.homes[EVENTS.name]}import/"
    body = whole_calendar(range(collection.size), collection.seed)
    client.request("MKCALENDAR", path, bodies.NEW_CALENDAR, bodies.XML).require(201)
    try:
        began = time.perf_counter()
        client.request("PUT", path, body, {"Content-Type": EVENTS.content_type}).require(200, 201, 204)
        took_s = time.perf_counter() - began
        listed = client.request("PROPFIND", path, bodies.ETAGS, bodies.DEPTH_1).require(207)
    finally:
        client.request("DELETE", path)
    found = bodies.count_responses(listed.body) - 1
    if found < collection.size:
        raise Refused("a PUT on the collection does not fill it")
    return Sample([took_s], found=found)


def _in_threads(tasks: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=task) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# In the order in which they are measured: a first query comes before anything else asked for the collection, and what
# makes it larger comes last.
WORKLOADS: Mapping[str, Workload] = {
    workload.name: workload
    for workload in (
        Workload("query_week_first", EVENTS, _querying(bodies.QUERY_WEEK, most=1), once=True),
        Workload("idle_poll", EVENTS, _polling(bodies.POLL), rate=True),
        Workload("idle_ctag", EVENTS, _polling(bodies.CTAG), rate=True),
        Workload("get_one", EVENTS, _get_one, rate=True),
        Workload("propfind_depth1", EVENTS, _list),
        Workload("multiget_100", EVENTS, _multiget),
        Workload("sync_initial", EVENTS, _sync_initial, once=True),
        Workload("sync_no_change", EVENTS, _sync_no_change),
        Workload("sync_1_change", EVENTS, _sync_one_change),
        Workload("query_week", EVENTS, _querying(bodies.QUERY_WEEK)),
        Workload("query_week_after_put", EVENTS, _query_after_put),
        Workload("query_week_expand", EVENTS, _querying(bodies.QUERY_WEEK_EXPAND)),
        Workload("freebusy_month", EVENTS, _free_busy),
        Workload("todo_open", TASKS, _querying(bodies.OPEN_TASKS)),
        Workload("card_fn_contains", CONTACTS, _querying(bodies.contacts_with("FN", "müller"))),
        Workload("card_email_contains", CONTACTS, _querying(bodies.contacts_with("EMAIL", "okafor"))),
        Workload("card_sync_1_change", CONTACTS, _sync_one_change),
        Workload("export_get", EVENTS, _export, once=True),
        Workload("import_put", EVENTS, _import, once=True),
        Workload("put_new", EVENTS, _put_new, rate=True),
        Workload("put_new_8conn", EVENTS, _put_new_together, rate=True),
        Workload("put_update_ifmatch", EVENTS, _put_update, rate=True),
        Workload("mixed_poll_p50", EVENTS, _polls_beside_puts, once=True),
        Workload("delete", EVENTS, _delete, rate=True),
    )
}
