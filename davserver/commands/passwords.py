"""``davserver hash``: what to write into ``users.toml`` by hand."""

from __future__ import annotations

import argparse

from auth.passwords import hash_password
from davserver.commands.console import OK, Commands, add_command, add_password_source, read_password, say

_TEXT = """\
example:
  davserver hash        asks twice, prints the argon2id hash for `password = "…"` in users.toml
"""


def add_to(commands: Commands) -> None:
    parser = add_command(commands, "hash", _hash, "hash a password for users.toml", _TEXT)
    add_password_source(parser)


def _hash(arguments: argparse.Namespace) -> int:
    say(hash_password(read_password(arguments)))
    return OK
