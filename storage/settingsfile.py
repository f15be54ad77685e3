"""Files in which members say what a folder is, ``board.toml`` and the like: how one is read and refused."""

from __future__ import annotations

from auth.tables import TomlFile
from storage.errors import FileRefused

LONGEST_BYTES = 256 * 1024


def read_settings(data: bytes, name: str, longest_bytes: int = LONGEST_BYTES) -> TomlFile:
    """A file as TOML, with the problems of that. Raises FileRefused for what is no text or too long."""
    if len(data) > longest_bytes:
        raise FileRefused(f"{name}: {len(data)} bytes; it can have {longest_bytes}")
    try:
        return TomlFile(data.decode(), name)
    except UnicodeDecodeError as error:
        raise FileRefused(f"{name}: line {data.count(bytes([10]), 0, error.start) + 1}: not UTF-8") from error


def require_sound(file: TomlFile) -> None:
    """Raise FileRefused with all problems of a file, each with its line."""
    if file.problems:
        raise FileRefused("\n".join(str(problem) for problem in file.problems))
