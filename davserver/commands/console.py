"""What the commands share: arguments, passwords from a prompt or a pipe, and how a command says that it cannot."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from config.loader import CONFIG_VARIABLE, Overrides, load
from config.schema import Settings

OK, PROBLEM = 0, 1
SHORTEST_PASSWORD = 8

Run = Callable[[argparse.Namespace], int]
# argparse keeps the type of its sub-parsers' container private.
Commands = Any


class CommandFailed(Exception):
    """A command that cannot do what was asked; the message is one sentence for the administrator."""


def add_command(commands: Commands, name: str, run: Run, summary: str, text: str = "") -> argparse.ArgumentParser:
    """A sub-parser with its summary, its longer text with examples, and the function that runs it."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=text or None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def add_config(parser: argparse.ArgumentParser) -> None:
    """The option that names ``davserver.toml``."""
    parser.add_argument(
        "-c",
        "--config",
        metavar="FILE",
        type=Path,
        default=Path(os.environ.get(CONFIG_VARIABLE, "davserver.toml")),
        help=f"the configuration file (default: ${CONFIG_VARIABLE}, else davserver.toml here)",
    )


def add_data(parser: argparse.ArgumentParser) -> None:
    """The option that names another data folder, as the server was given it."""
    parser.add_argument("--data", metavar="DIR", help="in place of storage.data")


def add_password_source(parser: argparse.ArgumentParser) -> None:
    """The option to read a password from a pipe: an argument would stand in the process list and the history."""
    parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input, one line")


def settings_of(arguments: argparse.Namespace) -> Settings:
    """
    The settings that a command works with.

    Raises:
        ConfigRefused: with all problems of the file.
    """
    listen, data = getattr(arguments, "listen", None), getattr(arguments, "data", None)
    return load(arguments.config, Overrides.of(listen, data, os.environ))


def read_password(arguments: argparse.Namespace) -> str:
    """
    A new password, from standard input or typed twice.

    Raises:
        CommandFailed: too short, not typed alike, or nobody there to type.
    """
    if arguments.password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif not sys.stdin.isatty():
        raise CommandFailed("there is no terminal to ask for the password; pipe it in with --password-stdin")
    else:
        password = getpass.getpass("New password: ")
        if getpass.getpass("Again: ") != password:
            raise CommandFailed("the two passwords differ; nothing was changed")
    if len(password) < SHORTEST_PASSWORD:
        raise CommandFailed(f"the password has {len(password)} characters; it needs at least {SHORTEST_PASSWORD}")
    return password


def say(text: str = "") -> None:
    """A line for whoever reads the result."""
    print(text, flush=True)


def warn(text: str) -> None:
    """A line on standard error."""
    print(f"davserver: {text}", file=sys.stderr, flush=True)


def printable(text: str) -> str:
    """Without what a file could make a terminal do."""
    return "".join(character if character.isprintable() else " " for character in text)
