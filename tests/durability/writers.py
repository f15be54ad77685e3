"""Clients that write without a pause, each in a folder of its own, until the server is gone."""

from __future__ import annotations

import http.client
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from davserver.dav.names import DAV
from tests.durability import worlds
from tests.durability.worlds import NOTE, Thing, World
from tests.harness import Dav, Reply
from tests.pim.samples import card, event, sync

MOST_THINGS = 14
GONE = (OSError, http.client.HTTPException)
See = Callable[[Dav, str], tuple[World, dict[str, str]]]


class Writer:
    """
    One client that writes below ``root`` and knows what must be there.

    Attributes:
        possible: the worlds that the server may show: one, or two while an answer is awaited.
        acknowledged: how many writes were.
        failures: what an answer should not have been.
    """

    def __init__(self, client: Dav, root: str, see: See, seed: int) -> None:
        self.client = client
        self.root = root
        self.possible: list[World] = [{}]
        self.acknowledged = 0
        self.failures: list[str] = []
        self._see = see
        self._chance = random.Random(seed)
        self._count = 0
        self._bytes_of: dict[tuple[str, str], str | None] = {}  # of every ETag that was ever seen at a name

    def steps(self) -> tuple[Callable[[World], None], ...]:
        """What this writer does, one of them at a time; often ones several times."""
        return (self.put_new, self.put_new, self.replace, self.note, self.delete, self.move, self.move_over)

    def run(self, stop: Event) -> None:
        """Write until the server is gone."""
        while not stop.is_set():
            try:
                self._chance.choice(self.steps())(self.possible[-1])
            except GONE:
                break
        self.client.close()

    def verify(self) -> None:
        """The server shows one of the possible worlds, and no ETag stands for two contents."""
        assert not self.failures, self.failures
        seen, etags = self._see(self.client, self.root)
        assert seen in self.possible, f"{self.root} {self.last}: {worlds.difference(seen, self.possible[-1])}"
        for name, etag in etags.items():
            assert self._bytes_of.setdefault((name, etag), seen[name].digest) == seen[name].digest, (name, etag)
        self.possible = [seen]

    def attempt(self, after: World, send: Callable[[], Reply], *between: World) -> Reply:
        """Send a request that leads to another world; with its success there is no way back."""
        self.possible += [*between, after]
        reply = send()
        if reply.status not in (200, 201, 204, 207) or (reply.status == 207 and b" 200 OK" not in reply.body):
            self.failures.append(f"{self.root}: {self.last} was answered {reply.status} {reply.body[:200]!r}")
        self.possible = [after]
        self.acknowledged += 1
        return reply

    # -- steps

    def put_new(self, world: World) -> None:
        if len(world) >= MOST_THINGS:
            self.delete(world)
            return
        name = self.folder_in(world) + self.new_name()
        self._put(world, name)

    def replace(self, world: World) -> None:
        if name := self.file_in(world):
            self._put(world, name)

    def _put(self, world: World, name: str) -> None:
        data = self.content(name)
        self.last = f"PUT {name}"
        reply = self.attempt(worlds.with_put(world, name, data), lambda: self.client.put(self.root + name, data))
        if "etag" in reply.headers:
            self._bytes_of[name, reply.etag] = worlds.digest_of(data)

    def note(self, world: World) -> None:
        if name := self.any_in(world):
            text = f"note {self._chance.random()}"
            self.last = f"PROPPATCH {name}"
            path = self.href(world, name)
            self.attempt(worlds.with_note(world, name, text), lambda: self.client.proppatch(path, {NOTE: text}))

    def delete(self, world: World) -> None:
        if name := self.any_in(world):
            self.last = f"DELETE {name}"
            path = self.href(world, name)
            self.attempt(worlds.without(world, name), lambda: self.client.delete(path))

    def move(self, world: World) -> None:
        if name := self.any_in(world):
            self._move(world, name, self.new_name())

    def move_over(self, world: World) -> None:
        name, to = self.file_in(world), self.file_in(world)
        if name and to and name != to:
            self._move(world, name, to)

    def _move(self, world: World, name: str, to: str) -> None:
        self.last = f"MOVE {name} to {to}"
        path, target = self.href(world, name), self.root + to
        self.attempt(worlds.with_move(world, name, to), lambda: self.client.move(path, target))

    # -- choices

    def content(self, name: str) -> bytes:
        """Bytes that nothing else has."""
        return self._chance.randbytes(self._chance.choice((10, 3_000, 150_000)))

    def new_name(self) -> str:
        self._count += 1
        return f"{self._count}"

    def folder_in(self, world: World) -> str:
        """The root as "" or one of the folders with a slash."""
        return self._chance.choice(["", *(f"{name}/" for name, thing in world.items() if thing.digest is None)])

    def file_in(self, world: World) -> str | None:
        return self._one(name for name, thing in world.items() if thing.digest is not None)

    def any_in(self, world: World) -> str | None:
        return self._one(iter(world))

    def _one(self, names: Iterator[str]) -> str | None:
        listed = sorted(names)
        return self._chance.choice(listed) if listed else None

    def href(self, world: World, name: str) -> str:
        return self.root + name + ("/" if world[name].digest is None else "")


class FileWriter(Writer):
    """Files and folders below ``/files/``; the client's rule may be ``create`` alone: then each step needs its own."""

    def __init__(self, client: Dav, root: str, seed: int) -> None:
        super().__init__(client, root, worlds.see_files, seed)

    def steps(self) -> tuple[Callable[[World], None], ...]:
        return (*super().steps(), self.make_folder, self.copy)

    def make_folder(self, world: World) -> None:
        name = self.new_name()
        self.last = f"MKCOL {name}"
        self.attempt(worlds.with_folder(world, name), lambda: self.client.mkcol(self.root + name))

    def copy(self, world: World) -> None:
        if name := self.file_in(world):
            to = self.new_name()
            self.last = f"COPY {name} to {to}"
            self.attempt(worlds.with_copy(world, name, to), lambda: self.client.copy(self.root + name, self.root + to))


class ItemWriter(Writer):
    """Items of one calendar or address book, and a client that keeps a sync token beside them."""

    def __init__(self, client: Dav, root: str, seed: int) -> None:
        super().__init__(client, root, worlds.see_items, seed)
        self.tokens_taken = 0
        self.tokens_refused = 0
        self._token = ""
        self._mirror: dict[str, str] = {}
        self._uids: dict[str, str] = {}

    def steps(self) -> tuple[Callable[[World], None], ...]:
        return (*super().steps(), self.synchronise)

    def content(self, name: str) -> bytes:
        uid = self._uids.setdefault(name, f"{name}-{self._chance.random()}")
        make = card if "book" in self.root else event
        return make(uid, f"Title {self._chance.random()}").encode()

    def _put(self, world: World, name: str) -> None:
        if name not in world:
            self._uids.pop(name, None)
        super()._put(world, name)

    def _move(self, world: World, name: str, to: str) -> None:
        if to in world:
            return  # that other item's UID would be replaced (RFC 4791 5.3.2.1)
        self._uids[to] = self._uids[name]
        super()._move(world, name, to)

    def synchronise(self, world: World) -> None:
        """One round of a sync client (RFC 6578 §3.4); its mirror is what it believes to be there."""
        reply = self.client.report(self.root, sync(self._token))
        if reply.status == 403:
            assert reply.condition == DAV.valid_sync_token, reply.body
            self.tokens_refused += 1
            self._token, self._mirror = "", {}
            reply = self.client.report(self.root, sync())
        for path, row in reply.multistatus().items():
            name = path.removeprefix(self.root)
            if row.status == 404:
                self._mirror.pop(name, None)
            else:
                self._mirror[name] = row.text(DAV.getetag) or ""
        self._token = reply.xml.findtext(DAV.sync_token) or ""
        self.tokens_taken += 1

    def verify(self) -> None:
        super().verify()
        seen = self.possible[0]
        token = self._token
        self.synchronise(seen)
        expected = {name: f'"{thing.digest}"' for name, thing in seen.items()}
        assert self._mirror == expected, f"{token} does not lead to what is there"


class HomeWriter(Writer):
    """Whole calendars and address books in a home: made with a name, renamed and deleted."""

    def __init__(self, client: Dav, root: str, seed: int) -> None:
        super().__init__(client, root, self._see_home, seed)

    def steps(self) -> tuple[Callable[[World], None], ...]:
        return (self.make, self.make, self.rename, self.delete, self.move)

    def make(self, world: World) -> None:
        if len(world) >= MOST_THINGS:
            self.delete(world)
            return
        name = f"new{self.new_name()}"
        self.last = f"MKCALENDAR {name}"
        body = (
            '<C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:set><D:prop>'
            f"<D:displayname>{name}</D:displayname></D:prop></D:set></C:mkcalendar>"
        )
        self.attempt({**world, name: Thing(None, name)}, lambda: self.client.mkcalendar(f"{self.root}{name}/", body))

    def rename(self, world: World) -> None:
        if name := self.any_in(world):
            text = f"name {self._chance.random()}"
            self.last = f"PROPPATCH {name}"
            self.attempt(
                worlds.with_note(world, name, text),
                lambda: self.client.proppatch(f"{self.root}{name}/", {DAV.displayname: text}),
            )

    def new_name(self) -> str:
        return f"c{super().new_name()}"

    @staticmethod
    def _see_home(client: Dav, root: str) -> tuple[World, dict[str, str]]:
        rows = client.propfind(root, DAV.displayname, DAV.resourcetype, depth="1").multistatus()
        found = {}
        for path, row in rows.items():
            name = path.removeprefix(root).strip("/")
            if name and name not in ("calendar", "tasks", "contacts"):
                kinds = [child.tag for child in row.props[DAV.resourcetype]]
                assert "{urn:ietf:params:xml:ns:caldav}calendar" in kinds, f"{path} is only {kinds}"
                found[name] = Thing(None, row.text(DAV.displayname))
        return found, {}


@contextmanager
def all_writing(writers: list[Writer]) -> Iterator[None]:
    """All writers at work; on leaving, which the server must have done before, each has ended."""
    stop = Event()
    threads = [Thread(target=writer.run, args=(stop,)) for writer in writers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
