"""``davserver import``: events, tasks or contacts into a collection; boards, notes and polls of other programs."""

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
    printable,
    say,
    settings_of,
)
from davserver.progress import Progress

if TYPE_CHECKING:
    from storage.bulk import Order

_TEXT = """\
An .ics or .vcf file: adds its items to the collection TO and updates those whose UID is there already; nothing is
removed. All of the file is stored or nothing: what cannot be stored is listed with its line and the reason, and then
nothing is, unless --skip-refused is given. The limits are those of a PUT of the file on the collection's URL
(docs/configuration.md).

A JSON export of Nextcloud Deck or Trello, or a folder of notes (Nextcloud Notes, Joplin, any Markdown): becomes boards
in Boards, or a folder in Notes, and what had no place there is listed. A table that Framadate exported (.csv): becomes
a poll in Polls, called like the file, with its votes as those of guests. TO is the folder that they come into, or one
that is not there yet and that they become. All is stored or nothing; nothing that is there is changed: a name that is
taken gets a number, one that TO asks for is refused.

Rights are not asked: the command acts for the administrator. It works beside a running server and without one.

examples:
  davserver import old-calendar.ics alice/calendar --dry-run
  davserver import members.vcf /dav/board/contacts --create
  ssh old-server cat export.ics | davserver import - sport/calendar --skip-refused
  davserver import deck.json --owner alice --dry-run
  davserver import trello.json "Boards/Summer camp" --owner alice
  davserver import ~/Nextcloud/Notes "Notes/From Nextcloud"
  davserver import Assembly.csv --owner alice
"""


def add_to(commands: Commands) -> None:
    summary = "add events, tasks, contacts, boards, notes or polls from elsewhere"
    parser = add_command(commands, "import", _import, summary, _TEXT)
    parser.add_argument(
        "file", metavar="FILE", help="an .ics, .vcf, .json or .csv file, or a folder of notes; - is standard input"
    )
    parser.add_argument(
        "to", metavar="TO", nargs="?", help="alice/work or /dav/alice/work; for anything else a folder below /files"
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    parser.add_argument(
        "--create", action="store_true", help="make the collection, or the folder above, if there is none"
    )
    parser.add_argument("--skip-refused", action="store_true", help="store the rest if some items cannot be stored")
    parser.add_argument("--owner", metavar="MEMBER", default="", help="who owns the new boards, notes or poll")
    parser.set_defaults(wrong_usage=parser.error)
    add_config(parser)
    add_data(parser)


def _import(arguments: argparse.Namespace) -> int:
    if arguments.to is None and arguments.file.lower().endswith((".ics", ".vcf")):
        arguments.wrong_usage("the following arguments are required: TO, a calendar or address book")
    settings = settings_of(arguments)
    # These bring all of the shelves with them, which the other commands need not wait for.
    from davserver.commands.movingin import move_in
    from davserver.control import too_large
    from storage.movein.exports import is_archive, looks_like_json
    from storage.movein.polls import looks_like_table

    if Path(arguments.file).is_dir():
        return move_in(settings, arguments, None)
    most = settings.limits.collection_put_bytes
    data = _read(arguments.file, most)
    if len(data) > most:
        raise CommandFailed(too_large(len(data), most))
    if looks_like_json(data) or looks_like_table(data):
        return move_in(settings, arguments, data)
    if is_archive(data):
        raise CommandFailed(f"{arguments.file} is an archive; unpack it (tar xf, unzip) and import the folder")
    if arguments.to is None:
        raise CommandFailed("where to? Name a calendar or address book, such as alice/work")
    if arguments.owner:
        raise CommandFailed("--owner is for boards, notes and polls; a calendar is its member's, such as alice/work")
    return _import_items(settings, arguments, data)


def _import_items(settings: Settings, arguments: argparse.Namespace, data: bytes) -> int:
    from davserver.control import ServerFailed, ask
    from storage.bulk import Order
    from storage.errors import StorageError

    order = Order(arguments.to, arguments.create, arguments.dry_run, arguments.skip_refused)
    request = {"ask": "import", "size": len(data), "order": asdict(order)}
    with Progress(sys.stdout, say) as progress:
        try:
            found = ask(str(settings.storage.data), request, progress, (data,))
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
        print(printable(f"{where}{named}: {each['reason']}"), file=sys.stderr)
    counts = f"{found['added']} added, {found['updated']} updated, {found['unchanged']} as they were"
    if not found["stored"]:
        say(f"{found['collection']}: {len(refused)} refused, so nothing is stored; --skip-refused stores the rest")
        return PROBLEM
    said = "would be: " if order.dry_run else ""
    new = ", a new collection" if found["made"] else ""
    say(f"{found['collection']}{new}: {said}{counts}, {len(refused)} refused")
    return OK
