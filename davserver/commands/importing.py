"""``davserver import``: a file of many events, tasks or contacts into a calendar or address book."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auth.directory import Directory
from config.schema import Settings
from davserver.commands.console import (
    OK,
    PROBLEM,
    CommandFailed,
    Commands,
    add_command,
    add_config,
    add_data,
    say,
    settings_of,
)
from davserver.progress import Progress

if TYPE_CHECKING:
    from storage.bulk import Order

_TEXT = """\
Adds the items of an .ics or .vcf file and updates those whose UID is there already; nothing is removed. All of the file
is stored or nothing: what cannot be stored is listed with its line and the reason, and then nothing is, unless
--skip-refused is given. The limits are those of a PUT of the file on the collection's URL (docs/configuration.md).
Rights are not asked: the command acts for the administrator. It works beside a running server and without one.

examples:
  davserver import old-calendar.ics alice/calendar --dry-run
  davserver import members.vcf /dav/board/contacts --create
  ssh old-server cat export.ics | davserver import - sport/calendar --skip-refused
"""


def add_to(commands: Commands) -> None:
    parser = add_command(commands, "import", _import, "add a file of events, tasks or contacts", _TEXT)
    parser.add_argument("file", metavar="FILE", help="an .ics or .vcf file; - is standard input")
    parser.add_argument("collection", metavar="COLLECTION", help="where to: alice/work or /dav/alice/work")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    parser.add_argument("--create", action="store_true", help="make the calendar or address book if there is none")
    parser.add_argument("--skip-refused", action="store_true", help="store the rest if some cannot be stored")
    add_config(parser)
    add_data(parser)


def _import(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    # These bring all of the shelves with them, which the other commands need not wait for.
    from davserver.control import ServerFailed, ask, too_large
    from storage.bulk import Order
    from storage.errors import StorageError

    order = Order(arguments.collection, arguments.create, arguments.dry_run, arguments.skip_refused)
    most = settings.limits.collection_put_bytes
    data = _read(arguments.file, most)
    if len(data) > most:
        raise CommandFailed(too_large(len(data), most))
    request = {"ask": "import", "size": len(data), "order": asdict(order)}
    with Progress(sys.stdout, say) as progress:
        try:
            found = ask(str(settings.storage.data), request, progress, data)
            if found is None:
                found = _import_here(settings, data, order, progress)
        except (ServerFailed, StorageError) as error:
            raise CommandFailed(str(error)) from error
    return _report(found, order)


def _read(name: str, most: int) -> bytes:
    """The file's bytes; of one that is too large enough to see that it is."""
    if name == "-":
        return sys.stdin.buffer.read(most + 1)
    with Path(name).open("rb") as file:
        return file.read(most + 1)


def _import_here(settings: Settings, data: bytes, order: Order, progress: Progress) -> dict[str, Any]:
    from storage.bulk import import_file
    from storage.store import Store

    store = Store(settings, directory=Directory(settings))
    try:
        return asdict(import_file(store, data, order, progress))
    finally:
        store.close()


def _report(found: Mapping[str, Any], order: Order) -> int:
    refused = found["refused"]
    for each in refused:
        where = f"line {each['line']}" if each["line"] else "the file"
        named = f" ({each['summary'] or 'without a title'}, UID {each['uid'] or 'missing'})" if each["line"] else ""
        print(_printable(f"{where}{named}: {each['reason']}"), file=sys.stderr)
    counts = f"{found['added']} added, {found['updated']} updated, {found['unchanged']} as they were"
    if not found["stored"]:
        say(f"{found['collection']}: {len(refused)} refused, so nothing is stored; --skip-refused stores the rest")
        return PROBLEM
    said = "would be: " if order.dry_run else ""
    new = ", a new collection" if found["made"] else ""
    say(f"{found['collection']}{new}: {said}{counts}, {len(refused)} refused")
    return OK


def _printable(text: str) -> str:
    """Without what a file could make a terminal do."""
    return "".join(character if character.isprintable() else " " for character in text)
