"""``davserver reindex``: the index made anew, by the running server or without one."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from typing import Any

from auth.directory import Directory
from config.schema import Settings
from davserver.commands.console import OK, CommandFailed, Commands, add_command, add_config, add_data, say, settings_of
from davserver.progress import Progress

_TEXT = """\
The index only makes answers fast; the files are the truth. reindex reads every file again, whatever its time stamps
say. What differs from the index is a change that clients get with their next synchronisation; all else keeps its ETag,
and clients notice nothing. A running server does this itself and goes on answering; without one the command does it.

examples:
  davserver reindex -c /srv/cloud/davserver.toml
"""


def add_to(commands: Commands) -> None:
    parser = add_command(commands, "reindex", _reindex, "read every file again and make the index anew", _TEXT)
    add_config(parser)
    add_data(parser)


def _reindex(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    # These bring all of the shelves with them, which the other commands need not wait for.
    from davserver.control import ServerFailed, ask
    from storage.errors import StorageError

    with Progress(sys.stdout, say) as progress:
        try:
            found = ask(str(settings.storage.data), {"ask": "reindex"}, progress)
            by = "the running server"
            if found is None:
                found, by = _reindex_here(settings, progress), "no server runs, so this command"
        except (ServerFailed, StorageError) as error:
            raise CommandFailed(f"{error}{_remedy(error)}") from error
    say(f"{by} looked at {found['files']} files; {found['changed']} differed from the index")
    return OK


def _reindex_here(settings: Settings, progress: Progress) -> dict[str, Any]:
    from storage.errors import IndexDamaged
    from storage.index import set_aside
    from storage.store import Store
    from storage.survey import rebuild

    def look(done: int, total: int) -> None:
        progress("looked at", done, total)

    directory = Directory(settings)
    store = Store(settings, directory=directory, progress=look)
    try:
        return asdict(rebuild(store, look, pause=lambda: None))
    except IndexDamaged as error:
        say(f"{error}; it is set aside as {set_aside(store.index.file)}")
    finally:
        store.close()
    store = Store(settings, directory=directory, progress=look)
    try:
        return asdict(rebuild(store, look, pause=lambda: None))
    finally:
        store.close()


def _remedy(error: Exception) -> str:
    if "index.sqlite is damaged" in str(error):
        return "; stop the server, delete that file and start it again: it is made anew, and no data is in it"
    return ""
