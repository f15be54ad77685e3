"""``davserver serve``: the server in the foreground."""

from __future__ import annotations

import argparse

from davserver.commands.console import Commands, add_command, add_config, add_data, settings_of

_TEXT = """\
SIGTERM and Ctrl-C let running requests finish (server.shutdown_timeout_s). Users, groups and rights are read again when
their files change or on SIGHUP; davserver.toml is read at start only.

examples:
  davserver serve -c /srv/cloud/davserver.toml
  davserver serve --listen 0.0.0.0:8443
  davserver serve --listen [::1]:8080 --data /mnt/backup/data
"""


def add_to(commands: Commands) -> None:
    parser = add_command(commands, "serve", _serve, "serve in the foreground", _TEXT)
    add_config(parser)
    add_overrides(parser)


def add_overrides(parser: argparse.ArgumentParser) -> None:
    """The two settings that change from start to start."""
    parser.add_argument("--listen", metavar="HOST:PORT", help="in place of server.host and server.port")
    add_data(parser)


def _serve(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    # The server brings all of the door with it, which the other commands need not wait for.
    from davserver.server import serve

    return serve(settings, arguments.config.absolute())
