"""
Run as a program: an action on a store, killed before its first step to the disk, before its second, and so on.

Each time it is done on a copy of a data folder, by a process that ends by SIGKILL. What it left is there to be looked
at: ``<copies>/<n>``, the last one of an action that came to its end and was killed right after.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from auth.directory import Directory
from auth.principal import Principal
from config.schema import Accounts, Settings, Storage
from storage.collection import CALENDAR, Collection, Item
from storage.imports import staged
from storage.journal import Put, read_segment, segments
from storage.pim_items import copy_item, finish_import, judge_stream, move_item, put_item, remove_item
from storage.records import NO_FACTS
from storage.session import Session
from storage.store import Store
from tests.harness import ROOT

PLACE = "collections/collection-root/alice/calendar"
STEPS = ("rename", "unlink", "pwrite", "fdatasync", "fsync", "mkdir", "makedirs", "write", "ftruncate", "rmdir")
IMPORTED = 27  # more than are done at once
CAME_TO_ITS_END = 7


def settings_over(data: Path) -> Settings:
    """The settings of a store over a data folder."""
    return Settings(storage=Storage(data=data), accounts=Accounts(access_file=data.parent / "access.toml"))


def booking_store(data: Path) -> Store:
    """A store that knows of a van and a group."""
    above = data.parent
    (above / "groups.toml").write_text("[resource.van]\n[group.sport]\nmembers = []\n")
    accounts = Accounts(above / "users.toml", None, above / "groups.toml", above / "access.toml")
    settings = Settings(storage=Storage(data=data), accounts=accounts)
    return Store(settings, directory=Directory(settings))


def put(store: Store, name: str, data: bytes, creator: str | None = None) -> None:
    """Store an item whatever its bytes."""
    with store.item_scratch(data) as scratch, store.write_items(PLACE, name) as write:
        write.put(name, write.find_member(name), scratch, data, NO_FACTS, creator=creator)


def remove(store: Store, name: str) -> None:
    """Remove an item."""
    with store.write_items(PLACE, name) as write:
        row = write.find_member(name)
        assert row is not None
        write.remove(row, by="alice")


def import_events(store: Store) -> None:
    """Import a file of events, one of them over an item that is there."""
    session = store.session(Principal(name="alice"))
    collection = session.pim.find("/dav/alice/calendar")
    body = "".join(
        f"BEGIN:VEVENT\r\nUID:{n}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260101T000000Z\r\nEND:VEVENT\r\n"
        for n in range(IMPORTED)
    )
    data = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{body}END:VCALENDAR\r\n".encode()
    assert collection is not None
    with staged(store, judge_stream(session, data, CALENDAR, ["VEVENT"])) as prepared:
        finish_import(session, collection, prepared)  # type: ignore[arg-type]


def replace_and_settle(store: Store) -> None:
    """A write, and the journal emptied after it."""
    put(store, "old.ics", b"new")
    store.journal.empty()


def booking(uid: str, hours: str) -> bytes:
    """An event that takes the van from one hour to another of a day, such as ``10-12``."""
    start, _, end = hours.partition("-")
    lines = (
        f"BEGIN:VEVENT\nUID:{uid}\nDTSTAMP:20260101T000000Z\n"
        f"DTSTART:20400105T{start}0000Z\nDTEND:20400105T{end}0000Z\nEND:VEVENT\n"
    )
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{lines}END:VCALENDAR\n".replace("\n", "\r\n").encode()


def book(action: str, store: Store) -> None:
    """Book, or take a booking away, in the van's calendar, where ``b.ics`` and ``c.ics`` are and c has the mark."""
    session = Session.of_administrator(store)

    def find(path: str) -> Any:
        found = session.pim.get(path)
        assert isinstance(found, Collection | Item)
        return found

    def any_etag(etag: str | None) -> None:
        pass

    van, own = find("/dav/van/calendar"), find("/dav/sport/calendar")
    if action == "book":
        put_item(session, van, "b.ics", booking("b", "14-15"), any_etag)
    elif action == "cancel":
        remove_item(session, find("/dav/van/calendar/b.ics"), any_etag)
    elif action == "move out":
        move_item(session, find("/dav/van/calendar/c.ics"), own, "c.ics", False, any_etag)
    else:
        transfer = move_item if action == "move in" else copy_item
        transfer(session, find("/dav/sport/calendar/d.ics"), van, "d.ics", False, any_etag)


BOOKINGS = ("book", "cancel", "move in", "copy in", "move out")
ACTIONS: dict[str, Callable[[Store], None]] = {
    "new": lambda store: put(store, "new.ics", b"new", creator="bob"),
    "large": lambda store: put(store, "new.ics", b"new" * 200_000, creator="bob"),
    "replace": lambda store: put(store, "old.ics", b"new"),
    "remove": lambda store: remove(store, "old.ics"),
    "import": import_events,
    "settle": replace_and_settle,
    "open": lambda store: None,
    **{action: partial(book, action) for action in BOOKINGS},
}


def cut_power(data: Path) -> None:
    """Leave of a killed server what a power cut leaves at worst: nothing that was not synced, and another start."""
    for segment in map(Path, segments(str(data))):
        for record in read_segment(str(segment), "")[1]:
            for step in (step for entry in record for step in entry.steps):
                target = data / step.place / step.name if isinstance(step, Put) and step.data is not None else None
                if target is not None and target.exists():
                    modified_ns = target.stat().st_mtime_ns
                    os.truncate(target, 1)
                    os.utime(target, ns=(modified_ns, modified_ns))
        content = segment.read_bytes()
        header, newline, rest = content.partition(b"\n")
        if newline:
            segment.write_bytes(header[:-1] + b"?" + newline + rest)
    for file in data.glob("index.sqlite*"):
        file.unlink()


def crash_at_every_step(action: str, template: Path, copies: Path) -> int:
    """Do an action on copies of a folder, killed at each step; gives how many copies there are."""
    command = [sys.executable, "-m", "tests.durability.steps", action, str(template), str(copies)]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, timeout=600)
    assert done.returncode == 0
    return len(list(copies.iterdir()))


def _run(action: str, data: Path, last: int) -> None:
    """In a process of its own: the action up to a step, then the end."""
    count = 0

    def hooked(step: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal count
            count += 1
            if count > last:
                os.kill(os.getpid(), signal.SIGKILL)
            return step(*arguments, **options)

        return call

    if action != "open":
        store = booking_store(data) if action in BOOKINGS else Store(settings_over(data))
    for name in STEPS:
        setattr(os, name, hooked(getattr(os, name)))
    if action == "open":
        store = Store(settings_over(data))
    store.index.commit = hooked(store.index.commit)  # type: ignore[method-assign]
    ACTIONS[action](store)
    os._exit(CAME_TO_ITS_END)


def main(action: str, template: Path, copies: Path) -> None:
    """Make the copies, one for each step."""
    for number in range(1000):
        data = copies / f"{number:03}" / "data"
        shutil.copytree(template, data)
        child = os.fork()
        if child == 0:
            try:
                _run(action, data, number)
            finally:
                os._exit(1)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if code == CAME_TO_ITS_END:
            return
        assert code == -signal.SIGKILL, f"step {number} of {action} ended with {code}"
    raise AssertionError(f"{action} has no end")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
