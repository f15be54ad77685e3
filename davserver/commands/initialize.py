"""``davserver init``: a new server's folder, each file with comments that say what can stand in it."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from davserver.commands.console import OK, CommandFailed, Commands, add_command, say
from davserver.commands.templates import TEMPLATES
from storage.paths import OBJECT_TOPS

_TEXT = """\
Writes davserver.toml, users.toml, groups.toml, access.toml and the folder data/. Nothing that exists is overwritten.

example:
  davserver init /srv/cloud && cd /srv/cloud && davserver user add alice
"""


def add_to(commands: Commands) -> None:
    parser = add_command(commands, "init", _init, "make a commented configuration and an empty data folder", _TEXT)
    parser.add_argument("folder", metavar="DIR", type=Path, help="the folder to make or fill")


def _init(arguments: argparse.Namespace) -> int:
    folder: Path = arguments.folder
    taken = [name for name in (*TEMPLATES, "data") if os.path.lexists(folder / name)]
    if taken:
        raise CommandFailed(f"{folder} holds {', '.join(taken)} already; name another folder, or move them away")
    folder.mkdir(parents=True, exist_ok=True)
    for name, (mode, text) in TEMPLATES.items():
        # What appeared meanwhile is not overwritten either (O_EXCL).
        descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            out.write(text)
    (folder / "data").mkdir(mode=0o700)
    for part in ("homes", "collections/collection-root", *(f"files/{top}" for top in OBJECT_TOPS)):
        (folder / "data" / part).mkdir(parents=True)
    say(f"{folder} is ready. Next:")
    say(f"  davserver user add NAME -c {folder / 'davserver.toml'}")
    say(f"  davserver serve -c {folder / 'davserver.toml'}")
    return OK
