"""``davserver group …``: groups and who is in them; for all else ``groups.toml`` itself is quickest."""

from __future__ import annotations

import argparse

from auth.accounts import Kind
from auth.directory import Directory
from davserver.commands.console import OK, CommandFailed, Commands, add_command, add_config, say, settings_of
from davserver.commands.toml_edit import add_names, editing
from davserver.commands.users import require_free

_TEXT = """\
examples:
  davserver group add sport --display-name "Sports section" --member alice --member bob
  davserver group add sport --member carol         one more member of a group that exists
  davserver group add staff --group office         everyone in office is in staff too
  davserver group list
To take somebody out, delete the name in groups.toml. Rooms and vehicles stand there too, as [resource.NAME].
"""


def add_to(commands: Commands) -> None:
    parser = add_command(commands, "group", _no_subcommand, "add and list groups", _TEXT)
    parser.set_defaults(parser=parser)
    groups = parser.add_subparsers(title="commands", metavar="COMMAND")
    add = add_command(groups, "add", _add, "make a group, or add members to one")
    add.add_argument("name", metavar="NAME")
    add.add_argument("--display-name", metavar="TEXT", help="as shown to people")
    add.add_argument(
        "--member", metavar="NAME", action="append", default=[], help="a member or resource; may be repeated"
    )
    add.add_argument("--group", metavar="NAME", action="append", default=[], help="a group whose members belong to it")
    listing = add_command(groups, "list", _list, "list groups and resources with their members")
    for each in (add, listing):
        add_config(each)


def _no_subcommand(arguments: argparse.Namespace) -> int:
    arguments.parser.print_help()
    return 2


def _add(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    directory = Directory(settings)
    for name in arguments.member:
        account = directory.account(name)
        if account is None or account.kind == Kind.GROUP:
            raise CommandFailed(f"there is no member or resource {name!r}; `davserver user add {name}` makes one")
    for name in arguments.group:
        account = directory.account(name)
        if account is None or account.kind != Kind.GROUP:
            raise CommandFailed(f"there is no group {name!r}; `davserver group add {name}` makes one")
    with editing(settings.accounts.groups_file) as draft:
        made = draft.find("group", arguments.name) is None
        if made:
            require_free(arguments.name, directory)
            draft.add("group", arguments.name, {"members": []})
        group = draft.get("group", arguments.name)
        if arguments.display_name:
            group["display_name"] = arguments.display_name
        added = add_names(group, "members", arguments.member)
        if arguments.group:
            added += add_names(group, "groups", arguments.group)
    say(f"{arguments.name} {'is made' if made else 'is there'}; added: {', '.join(added) or 'nobody'}")
    return OK


def _list(arguments: argparse.Namespace) -> int:
    for account in sorted(Directory(settings_of(arguments)).accounts(), key=lambda each: (each.kind, each.name)):
        if account.kind != Kind.MEMBER:
            members = ", ".join(sorted(account.members)) or "-"
            say(f"{account.kind:9} {account.name:20} {account.display_name:28} {members}".rstrip())
    return OK
