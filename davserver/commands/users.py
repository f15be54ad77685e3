"""``davserver user …``: members and their passwords. A running server takes a change with the next request."""

from __future__ import annotations

import argparse
from collections.abc import MutableMapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import tomlkit

from auth.accounts import Kind
from auth.directory import Directory
from auth.names import name_fault
from auth.passwords import hash_app_password, hash_password, new_app_password
from auth.principal import fold
from auth.users import parse_users
from config.schema import Settings
from davserver.commands.console import (
    OK,
    CommandFailed,
    Commands,
    add_command,
    add_config,
    add_password_source,
    read_password,
    say,
    settings_of,
)
from davserver.commands.removal import remove_member
from davserver.commands.toml_edit import Draft, add_names, editing

_TEXT = """\
examples:
  davserver user add alice --mail alice@example.org --group sport --group board
  davserver user passwd alice
  printf '%s\\n' "$PASSWORD" | davserver user passwd alice --password-stdin
  davserver user list
  davserver user disable bob                       bob cannot sign in; name, files and calendars stay
  davserver user app-password alice --label phone  shown once; revoke it when the phone is lost:
  davserver user app-password alice --revoke phone
  davserver user remove bob --to alice             alice gets bob's files, calendars, contacts, boards and so on
"""


def add_to(commands: Commands) -> None:
    parser = add_command(commands, "user", _no_subcommand, "add, list, change and remove members", _TEXT)
    parser.set_defaults(parser=parser)
    users = parser.add_subparsers(title="commands", metavar="COMMAND")

    add = add_command(users, "add", _add, "add a member; asks for the password")
    add.add_argument("name", metavar="NAME", help="as typed to sign in: letters, digits, '-', '_', '.', '@'")
    add.add_argument("--display-name", metavar="TEXT", help="as shown to people, such as 'Alice Martin'")
    add.add_argument("--mail", metavar="ADDRESS", action="append", default=[], help="may be repeated, preferred first")
    add.add_argument("--group", metavar="NAME", action="append", default=[], help="a group to join; may be repeated")
    add_password_source(add)

    passwd = add_command(users, "passwd", _passwd, "set a new password; application passwords stay")
    passwd.add_argument("name", metavar="NAME")
    add_password_source(passwd)

    app = add_command(users, "app-password", _app_password, "make, list or revoke passwords for single devices")
    app.add_argument("name", metavar="NAME")
    what = app.add_mutually_exclusive_group(required=True)
    what.add_argument("--label", metavar="DEVICE", help="make one for this device and show it")
    what.add_argument("--list", action="store_true", help="list the devices")
    what.add_argument("--revoke", metavar="DEVICE", help="take the device's password away")

    listing = add_command(users, "list", _list, "list members, groups they are in, and whether they can sign in")
    disable = add_command(users, "disable", _disable, "no sign-in any more; name and belongings stay")
    disable.add_argument("name", metavar="NAME")
    enable = add_command(users, "enable", _enable, "allow to sign in again")
    enable.add_argument("name", metavar="NAME")

    remove = add_command(users, "remove", _remove, "remove a member and hand over what it owned")
    remove.add_argument("name", metavar="NAME")
    remove.add_argument("--to", metavar="OTHER", required=True, help="the member who takes over")
    for each in (add, passwd, app, listing, disable, enable, remove):
        add_config(each)


def users_file(settings: Settings) -> Path:
    """The file to edit; CommandFailed where an htpasswd file stands in its place."""
    if (other := settings.accounts.htpasswd_file) is not None:
        raise CommandFailed(f"members stand in {other}; change them with its own tool, such as htpasswd -B")
    return settings.accounts.users_file


def require_free(name: str, directory: Directory) -> None:
    """CommandFailed unless a new member, group or resource can have this name."""
    if fault := name_fault(name):
        raise CommandFailed(f"{fault[0]}; {fault[1]}")
    if (taken := directory.account(name)) is not None:
        raise CommandFailed(f"{name!r} is the name of a {taken.kind} already; choose another one")


def _no_subcommand(arguments: argparse.Namespace) -> int:
    arguments.parser.print_help()
    return 2


def _add(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    file, directory = users_file(settings), Directory(settings)
    require_free(arguments.name, directory)
    _require_groups(arguments.group, directory)
    values: dict[str, Any] = {}
    if arguments.display_name:
        values["display_name"] = arguments.display_name
    if arguments.mail:
        values["mail"] = arguments.mail
    values["password"] = hash_password(read_password(arguments))
    with editing(file, secret=True) as draft:
        if draft.find("user", arguments.name) is not None:
            raise CommandFailed(f"{file} has [user.{arguments.name}] already")
        faults = parse_users(draft.text, str(file)).problems
        draft.add("user", arguments.name, values)
        new = [each for each in parse_users(draft.text, str(file)).problems if each not in faults]
        if new:  # it would be left out, and would keep later changes of the file from coming into force
            raise CommandFailed(f"{new[0].found}; {new[0].hint}; nothing was changed")
    if arguments.group:
        _join(settings, arguments.name, arguments.group)
    say(f"{arguments.name} can sign in" + (f" and is in {', '.join(arguments.group)}" if arguments.group else ""))
    return OK


def _require_groups(names: Sequence[str], directory: Directory) -> None:
    for name in names:
        account = directory.account(name)
        if account is None or account.kind != Kind.GROUP:
            raise CommandFailed(f"there is no group {name!r}; make it with `davserver group add {name}`")


def _join(settings: Settings, name: str, groups: Sequence[str]) -> None:
    with editing(settings.accounts.groups_file) as draft:
        for group in groups:
            add_names(draft.get("group", group), "members", [name])


def _passwd(arguments: argparse.Namespace) -> int:
    file = users_file(settings_of(arguments))
    # Asked for a name that nobody has, say so before the typing.
    Draft(file, file.read_text("utf-8")).get("user", arguments.name)
    hashed = hash_password(read_password(arguments))
    with editing(file, secret=True) as draft:
        draft.get("user", arguments.name)["password"] = hashed
    say(f"the password of {arguments.name} is changed")
    return OK


def _app_password(arguments: argparse.Namespace) -> int:
    file = users_file(settings_of(arguments))
    if arguments.list:
        user = Draft(file, file.read_text("utf-8")).get("user", arguments.name)
        for device in user.get("app_password", ()):
            say(f"{device.get('label', '?'):24} {device.get('created', '')}".rstrip())
        return OK
    with editing(file, secret=True) as draft:
        user = draft.get("user", arguments.name)
        if arguments.revoke is not None:
            _revoke(user, arguments.revoke)
            say(f"{arguments.revoke!r} of {arguments.name} is revoked")
            return OK
        password = _new_device(user, arguments.label)
    say(password)
    return OK


def _new_device(user: MutableMapping[str, Any], label: str) -> str:
    """A random password for a device, its hash noted; the caller shows it once the file is on disk."""
    if not label.strip() or not label.isprintable():
        raise CommandFailed("the label is empty or holds a control character; name the device, such as --label phone")
    if _position(user, label) is not None:
        raise CommandFailed(f"{label!r} has a password already; revoke it first, or take another label")
    password = new_app_password()
    device = tomlkit.table()
    device["label"] = label
    device["hash"] = hash_app_password(password)
    device["created"] = datetime.now(UTC).replace(microsecond=0)
    device.add(tomlkit.nl())
    if "app_password" not in user:
        user["app_password"] = tomlkit.aot()
    user["app_password"].append(device)
    return password


def _revoke(user: MutableMapping[str, Any], label: str) -> None:
    position = _position(user, label)
    if position is None:
        labels = ", ".join(repr(str(device.get("label"))) for device in user.get("app_password", ()))
        raise CommandFailed(f"no device is called {label!r}; there is {labels or 'none'}")
    del user["app_password"][position]
    if not user["app_password"]:
        del user["app_password"]


def _position(user: MutableMapping[str, Any], label: str) -> int | None:
    devices = user.get("app_password", ())
    return next((index for index, each in enumerate(devices) if each.get("label") == label), None)


def _list(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    for account in sorted(Directory(settings).accounts(), key=lambda each: each.name):
        if account.kind == Kind.MEMBER:
            state = "disabled" if account.disabled else "active"
            addresses, groups = ", ".join(account.addresses), ", ".join(sorted(account.groups))
            say(f"{account.name:20} {state:9} {account.display_name:24} {addresses:32} {groups}".rstrip())
    return OK


def _disable(arguments: argparse.Namespace) -> int:
    with editing(users_file(settings_of(arguments)), secret=True) as draft:
        draft.get("user", arguments.name)["disabled"] = True
    say(f"{arguments.name} cannot sign in any more; `davserver user enable {arguments.name}` undoes it")
    return OK


def _enable(arguments: argparse.Namespace) -> int:
    with editing(users_file(settings_of(arguments)), secret=True) as draft:
        draft.get("user", arguments.name).pop("disabled", None)
    say(f"{arguments.name} can sign in again")
    return OK


def _remove(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    users_file(settings)
    if fold(arguments.name) == fold(arguments.to):
        raise CommandFailed("--to names the member who is removed; name somebody who stays")
    for line in remove_member(settings, fold(arguments.name), fold(arguments.to)):
        say(line)
    return OK
