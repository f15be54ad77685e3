"""
Edits to ``users.toml`` and ``groups.toml`` that keep the administrator's comments and order.

One edit at a time (a lock on the folder), written beside the file, synced and renamed over it: a crash leaves the old
file or the new one.
"""

from __future__ import annotations

import fcntl
import os
import tomllib
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from auth.principal import fold
from config.errors import ConfigRefused
from config.loader import syntax_problem
from davserver.commands.console import CommandFailed

SECRET_MODE = 0o600


class Draft:
    """
    A TOML file that is being edited.

    Attributes:
        document: what tomlkit makes of it; what is changed in it will be written.
    """

    def __init__(self, file: Path, text: str) -> None:
        self._file = file
        self.document = _parsed(file, text)

    @property
    def text(self) -> str:
        return tomlkit.dumps(self.document).rstrip("\n") + "\n"

    def names(self, kind: str) -> list[str]:
        """Names of the tables ``[kind.<name>]``, as they are written."""
        return list(self.document.get(kind, {}))

    def find(self, kind: str, name: str) -> MutableMapping[str, Any] | None:
        """The table of a name, whatever its case and normal form."""
        written = next((each for each in self.names(kind) if fold(each) == fold(name)), None)
        return None if written is None else self.document[kind][written]

    def get(self, kind: str, name: str) -> MutableMapping[str, Any]:
        """As ``find``; CommandFailed if there is none."""
        if (found := self.find(kind, name)) is None:
            raise CommandFailed(f"{self._file} has no [{kind}.{name}]")
        return found

    def add(self, kind: str, name: str, values: Mapping[str, Any]) -> None:
        """A new table at the end, after a blank line: where an administrator would write it."""
        table = tomlkit.document()
        for key, value in values.items():
            table.add(key, value)
        text = self.text.rstrip("\n")
        header = f"[{kind}.{tomlkit.key(name).as_string()}]"
        self.document = _parsed(self._file, f"{text}\n\n{header}\n{tomlkit.dumps(table)}".lstrip("\n"))

    def remove(self, kind: str, name: str) -> None:
        """Take the table of a name out."""
        written = next(each for each in self.names(kind) if fold(each) == fold(name))
        del self.document[kind][written]


@contextmanager
def editing(file: Path, *, secret: bool = False) -> Iterator[Draft]:
    """
    A file's draft; what was changed in it is on disk when the block ends, and nothing if the block raises.

    Args:
        secret: whether it holds hashes; then its mode is 0600 from now on, else it stays as it is.

    Raises:
        ConfigRefused: the file is not TOML.
    """
    with _alone(file.parent):
        before = file.read_text("utf-8")
        draft = Draft(file, before)
        yield draft
        if (after := draft.text) != before:
            tomllib.loads(after)  # an edit that breaks the file is our bug, and must not lock everybody out
            _replace(file, after, SECRET_MODE if secret else None)


def add_names(table: MutableMapping[str, Any], key: str, names: Sequence[str]) -> list[str]:
    """Append to the list ``key`` the names that it does not hold in any case or normal form; answers those."""
    listed = table.get(key, [])
    if not isinstance(listed, list):
        raise CommandFailed(f"{key} is not a list; correct the file first (`davserver check`)")
    held = {fold(str(each)) for each in listed}
    added = [name for name in names if fold(name) not in held]
    if key not in table:
        table[key] = added
    else:
        listed.extend(added)
    return added


def drop_name(table: MutableMapping[str, Any], key: str, name: str) -> bool:
    """Take a name off the list ``key``; whether it stood there."""
    listed = table.get(key)
    if not isinstance(listed, list) or not (held := [each for each in listed if fold(str(each)) == fold(name)]):
        return False
    for each in held:
        listed.remove(each)
    return True


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two commands at a time take turns: a lock on the file itself would be gone with the rename."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _parsed(file: Path, text: str) -> tomlkit.TOMLDocument:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigRefused((syntax_problem(file, error, text),)) from error
    try:
        return tomlkit.parse(text)
    except TOMLKitError as error:
        raise CommandFailed(f"{file}: {error}; edit it by hand") from error


def _replace(file: Path, text: str, mode: int | None) -> None:
    # A link stays a link: the file that it names is replaced.
    file = file.resolve()
    before = os.stat(file)
    scratch = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, SECRET_MODE)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as out:
            out.write(text)
            out.flush()
            os.fchmod(descriptor, before.st_mode & 0o7777 if mode is None else mode)
            if (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()) and os.geteuid() == 0:
                # root edits for the server's account, which must go on reading its file.
                os.fchown(descriptor, before.st_uid, before.st_gid)
            os.fsync(descriptor)
        os.replace(scratch, file)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
