"""``davserver check``: every problem of the configuration at once, or whether the running server answers."""

from __future__ import annotations

import argparse
import http.client
import logging
import os
import ssl
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from auth.directory import Directory
from auth.errors import RulesRefused
from auth.principal import ALL_USERS, WORLD
from auth.rules import FolderRules, parse_folder_rules, parse_server_rules
from config.consistency import file_modes
from config.errors import Problem
from config.schema import Server, Settings
from config.values import nearest
from davserver.commands.console import OK, PROBLEM, CommandFailed, Commands, add_command, add_config, say, settings_of
from davserver.commands.linkcheck import link_problems
from davserver.commands.serve import add_overrides
from davserver.commands.settingscheck import settings_problems
from storage import paths

_PATIENCE_S = 10
_TEXT = """\
Each problem stands on a line of its own: file, line, what was found, what would work. Exit code 1 if there is one.
--running asks the server itself, as a monitoring program would, and says what is wrong with its answer.

examples:
  davserver check -c /srv/cloud/davserver.toml
  davserver check --running || systemctl restart davserver
"""
# To listen everywhere is no address to connect to.
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104


def add_to(commands: Commands) -> None:
    parser = add_command(commands, "check", _check, "find every problem in the configuration files", _TEXT)
    add_config(parser)
    add_overrides(parser)
    parser.add_argument("--running", action="store_true", help="ask the running server whether it answers")


def _check(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    if arguments.running:
        say(f"ok: {_ask(settings.server)}")
        return OK
    # What the directory would log of the accounts' files is printed below.
    logging.getLogger("auth").setLevel(logging.CRITICAL)
    problems = [*file_modes(settings), *_account_problems(settings)]
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        return PROBLEM
    say(f"ok: {arguments.config} and the files it names")
    return OK


def _account_problems(settings: Settings) -> Iterator[Problem]:
    """What is wrong with members, groups and rules, the server's and the folders' own."""
    directory = Directory(settings)
    yield from directory.problems
    yield from _rule_problems(settings.accounts.access_file, str(settings.accounts.access_file), directory, server=True)
    data = str(settings.storage.data)
    yield from settings_problems(data, {account.name for account in directory.accounts()} | {ALL_USERS, WORLD})
    tokens: dict[str, str] = {}
    for prefix, root in paths.TREES:
        name = paths.HIDDEN_ACCESS_FILE if prefix == paths.DAV else paths.ACCESS_FILE
        for folder, _, files in os.walk(f"{data}/{root}"):
            if name in files:
                file, path = Path(folder, name), paths.path_of(folder[len(data) + 1 :])
                yield from _rule_problems(file, str(file), directory, server=False)
                yield from link_problems(file, path, tokens)


def _rule_problems(file: Path, shown: str, directory: Directory, *, server: bool) -> Iterator[Problem]:
    try:
        text = file.read_text("utf-8")
        by_path = parse_server_rules(text, shown) if server else {"": parse_folder_rules(text, shown)}
    except RulesRefused as refused:
        yield from refused.problems
    except UnicodeDecodeError as error:
        yield Problem(shown, 1, f"byte {error.start} is not UTF-8", "save it as UTF-8")
    else:
        yield from names_without_account(by_path.values(), directory)


def names_without_account(found: Iterable[FolderRules], directory: Directory) -> Iterator[Problem]:
    """Names in rules that no member, group or resource has: they give nothing, and may be a slip of the pen."""
    known = {account.name for account in directory.accounts()} | {ALL_USERS, WORLD}
    for rules in found:
        for rule in rules.rules:
            for name in rule.who:
                if name not in known:
                    yield Problem(rule.source, rule.line, f"nobody is called {name!r}", nearest(name, known))


def _ask(server: Server) -> str:
    """One sentence about a server that answers as it should; CommandFailed with what is wrong otherwise."""
    host = _EVERYWHERE.get(server.host, server.host)
    where = f"{'https' if server.certificate else 'http'}://{f'[{host}]' if ':' in host else host}:{server.port}/"
    connection = _connection(server, host)
    try:
        connection.request("OPTIONS", "/")
        reply = connection.getresponse()
        reply.read()
    except ssl.SSLError as error:
        raise CommandFailed(
            f"{where} does not speak TLS as configured ({error.reason}); is it another program?"
        ) from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise CommandFailed(f"{where} does not answer ({reason}); start it with `davserver serve`") from error
    finally:
        connection.close()
    classes = reply.getheader("DAV")
    if reply.status not in (200, 204) or classes is None:
        said = "no DAV header" if classes is None else f"DAV: {classes}"
        raise CommandFailed(
            f"{where} answers {reply.status} {reply.reason} and {said}; "
            "another program listens there, or davserver is in trouble (see its log)"
        )
    return f"{where} answers, DAV: {classes}"


def _connection(server: Server, host: str) -> http.client.HTTPConnection:
    if server.certificate is None:
        return http.client.HTTPConnection(host, server.port, timeout=_PATIENCE_S)
    context = ssl.create_default_context()
    # The certificate names the public host, not the address that is asked here.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(host, server.port, timeout=_PATIENCE_S, context=context)
