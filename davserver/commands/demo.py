"""``davserver demo``: the example association in a folder of its own, served at once."""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import tomllib
from pathlib import Path

from auth.accounts import Kind
from auth.directory import Directory
from auth.passwords import hash_password
from config.loader import Overrides, load
from davserver.commands.console import OK, CommandFailed, Commands, add_command, say
from davserver.commands.demo_guide import guide
from davserver.commands.templates import CREATION_RULES
from davserver.commands.toml_edit import editing

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "association"
PASSWORDS = "passwords.txt"
FORM_RULES = "data/files/Forms/Summer fair/access.toml"
_BOOKED = ("hall", "van")
_BOOKING_RULES = "booking.toml"
# Syllables that are read out and typed alike in most languages: 70 of them, 9 in a password, 55 bits.
_SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]
_TEXT = """\
Makes DIR from the example in the repository if it is not there yet, gives every account a random password, starts the
server and prints what to type into which program. Started again, it keeps data and passwords.
To begin anew, delete DIR.

examples:
  davserver demo
  davserver demo /tmp/look --listen 127.0.0.1:9090
"""


def add_to(commands: Commands) -> None:
    parser = add_command(commands, "demo", _demo, "serve an example association and print how to connect", _TEXT)
    parser.add_argument("folder", metavar="DIR", type=Path, nargs="?", default=Path("demo"), help="default: ./demo")
    parser.add_argument("--listen", metavar="HOST:PORT", help="in place of 127.0.0.1:8080")
    parser.add_argument("--example", metavar="DIR", type=Path, default=EXAMPLE, help=argparse.SUPPRESS)
    parser.add_argument("--no-serve", action="store_true", help="make and print everything, but do not serve")


def _demo(arguments: argparse.Namespace) -> int:
    folder: Path = arguments.folder.absolute()
    made = not os.path.lexists(folder)
    if made:
        _make(folder, arguments.example)
    config = folder / "davserver.toml"
    settings = load(config, Overrides.of(arguments.listen, None, os.environ))
    say(f"The example association is in {folder}" + ("." if made else ", as it was left."))
    say(guide(settings.server, _read_passwords(folder / PASSWORDS), _read_token(folder / FORM_RULES)))
    if arguments.no_serve:
        return OK
    from davserver.server import serve

    return serve(settings, config)


def _make(folder: Path, example: Path) -> None:
    """All of it, or nothing: made beside its place, then renamed."""
    if not (example / "davserver.toml").is_file():
        raise CommandFailed(f"there is no example association in {example}; run this in the repository")
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        shutil.copytree(example, scratch, ignore=shutil.ignore_patterns(".gitattributes", _BOOKING_RULES))
        _add_booking_rules(scratch, example / _BOOKING_RULES)
        with (scratch / "access.toml").open("a", encoding="utf-8") as out:
            out.write(f"# Members start boards, notebooks, forms and polls of their own.{CREATION_RULES}")
        (scratch / "data" / "homes").mkdir(exist_ok=True)
        _give_passwords(scratch)
        _give_token(scratch / FORM_RULES)
        scratch.rename(folder)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise


def _add_booking_rules(folder: Path, rules: Path) -> None:
    """Room and vehicle have the same rules, each in its own calendar."""
    for resource in _BOOKED:
        calendar = folder / "data" / "collections" / "collection-root" / resource / "calendar"
        shutil.copyfile(rules, calendar / ".access.toml")


def _give_passwords(folder: Path) -> None:
    directory = Directory(load(folder / "davserver.toml"))
    passwords = {each.name: _memorable() for each in directory.accounts() if each.kind == Kind.MEMBER}
    with editing(folder / "users.toml", secret=True) as draft:
        for name, password in passwords.items():
            draft.get("user", name)["password"] = hash_password(password)
    descriptor = os.open(folder / PASSWORDS, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.writelines(f"{name} {password}\n" for name, password in passwords.items())


def _give_token(rules: Path) -> None:
    """The link of the form, its last table, has a token from the start, so that its address can be printed."""
    with rules.open("a", encoding="utf-8") as out:
        out.write(f'token = "{secrets.token_urlsafe(16)}"\n')


def _memorable() -> str:
    return "-".join("".join(secrets.choice(_SYLLABLES) for _ in range(3)) for _ in range(3))


def _read_token(rules: Path) -> str | None:
    """None where somebody has changed the rules."""
    try:
        links = tomllib.loads(rules.read_text("utf-8")).get("link", [])
    except (OSError, ValueError):
        return None
    token = links[0].get("token") if isinstance(links, list) and links else None
    return token if isinstance(token, str) else None


def _read_passwords(file: Path) -> dict[str, str]:
    try:
        lines = file.read_text("utf-8").splitlines()
    except FileNotFoundError:
        raise CommandFailed(
            f"{file} is missing, so this is no demo; delete {file.parent}, or name another DIR"
        ) from None
    return dict(line.split(" ", 1) for line in lines if " " in line)
