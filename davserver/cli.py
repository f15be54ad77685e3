"""
The command line: arguments in, exit code out.

Exit codes: 0 it is done, 1 a problem was found (said on standard error), 2 the arguments make no sense.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from auth.errors import RulesRefused
from config.errors import ConfigRefused
from davserver.commands import (
    check,
    demo,
    groups,
    importing,
    initialize,
    passwords,
    reindex,
    restoring,
    rights,
    serve,
    users,
)
from davserver.commands.console import PROBLEM, CommandFailed, warn

_EPILOG = """\
first steps:
  davserver init /srv/cloud                        make a commented configuration and an empty data folder
  cd /srv/cloud
  davserver group add sport
  davserver user add alice --mail alice@example.org --group sport
  davserver check                                  find every problem in the configuration files
  davserver serve                                  serve in the foreground; Ctrl-C or SIGTERM ends it

daily life:
  davserver group add sport --member alice         make a group, or add members to one
  davserver user app-password alice --label phone  a password for one device, shown once
  davserver rights /files/Sport                    who may do what there, and by which line of which file
  davserver rights /dav/sport/calendar bob         the same, for one person
  davserver user remove bob --to alice             bob leaves; alice takes over what bob owned
  davserver import old.ics alice/calendar          add a file of events, tasks or contacts
  davserver restore --list                         what is in the trash; restore PATH brings it back
  davserver reindex                                read every file again, should an answer not be what is on disk

to look around:
  davserver demo                                   an example association in ./demo, served at once

`davserver COMMAND --help` says more about each. Every command but init, hash and demo takes -c FILE; without it the
environment variable DAVSERVER_CONFIG counts, then davserver.toml in the current folder. Exit code: 0 done, 1 a problem
was found, 2 the arguments make no sense. Members connect with the programs they have: https://HOST/ for calendars,
contacts and tasks, https://HOST/files/ to mount the files.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and answer its exit code."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.run is None:
        arguments.parser.print_help()
        return 2
    try:
        code: int = arguments.run(arguments)
    except (ConfigRefused, RulesRefused) as refused:
        for problem in refused.problems:
            print(problem, file=sys.stderr)
    except CommandFailed as failed:
        warn(str(failed))
    except OSError as error:
        warn(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except KeyboardInterrupt:
        warn("interrupted")
    else:
        return code
    return PROBLEM


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="davserver",
        description="A private cloud for associations: files, calendars, contacts and tasks.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"davserver {_version()}")
    parser.set_defaults(run=None, parser=parser)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for module in (initialize, serve, check, users, groups, rights, importing, restoring, reindex, passwords, demo):
        module.add_to(commands)
    return parser


def _version() -> str:
    try:
        return version("davserver")
    except PackageNotFoundError:
        return "(not installed)"


if __name__ == "__main__":
    # A reader that went away (davserver rights … | head) is no error of the server.
    try:
        sys.exit(main())
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(PROBLEM)
