"""``davserver restore``: what members deleted, listed and brought back."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

from auth.directory import Directory
from config.schema import Settings
from davserver.commands.console import OK, CommandFailed, Commands, add_command, add_config, add_data, say, settings_of

_TEXT = """\
Without --list, brings back what was deleted last at PATH, to where it was or to another place. With --list, only says
what is in the trash, the oldest first, of all or of what was at and below PATH. Rights are not asked: it acts for
the administrator. It works beside a running server and without one.

examples:
  davserver restore --list
  davserver restore --list /files/Sport
  davserver restore /files/Sport/plan.txt
  davserver restore /dav/alice/work --to /dav/alice/work-again
"""


def add_to(commands: Commands) -> None:
    parser = add_command(commands, "restore", _restore, "bring back what was deleted", _TEXT)
    parser.add_argument("path", metavar="PATH", nargs="?", help="where it was, or where it is in the trash")
    parser.add_argument("--to", metavar="PATH", help="another place for it")
    parser.add_argument("--list", action="store_true", help="only say what is in the trash")
    add_config(parser)
    add_data(parser)


def _restore(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    if arguments.list:
        for each in _ask(settings, {"ask": "trash", "below": arguments.path or "/"})["found"]:
            at = time.strftime("%Y-%m-%d %H:%M", time.localtime(each["at_s"]))
            say(_printable(f"{at}  {each['path']}  (by {each['by'] or 'nobody known'}, {each['lies']})"))
        return OK
    if arguments.path is None:
        raise CommandFailed("name what to bring back, or say --list to see what there is")
    request = {"ask": "restore", "path": arguments.path, "to": arguments.to}
    say(_printable(f"restored: {_ask(settings, request)['path']}"))
    return OK


def _ask(settings: Settings, request: dict[str, Any]) -> dict[str, Any]:
    # These bring all of the shelves with them, which the other commands need not wait for.
    from davserver.control import ServerFailed, ask
    from storage.errors import StorageError

    try:
        found = ask(str(settings.storage.data), request, lambda what, done, total: None)
        return found if found is not None else _here(settings, request)
    except (ServerFailed, StorageError) as error:
        raise CommandFailed(str(error)) from error


def _here(settings: Settings, request: dict[str, Any]) -> dict[str, Any]:
    from davserver.control import TRASH_WORK
    from storage.store import Store

    store = Store(settings, directory=Directory(settings))
    try:
        work: Callable[[Any, Any], dict[str, Any]] = TRASH_WORK[request["ask"]]
        return work(store, request)
    finally:
        store.close()


def _printable(text: str) -> str:
    """Without what a name could make a terminal do."""
    return "".join(character if character.isprintable() else " " for character in text)
