"""
``poll.toml``: what a poll is.
"""

from __future__ import annotations

from auth.tables import TomlFile
from storage.errors import FileRefused
from storage.objectnames import POLL_FILE


def parse_poll(data: bytes) -> None:
    """Raise FileRefused where the file is no TOML."""
    file = TomlFile(data.decode("utf-8", "replace"), POLL_FILE)
    if file.problems:
        raise FileRefused("\n".join(str(problem) for problem in file.problems))


def render_new(id: str, language: str) -> bytes:
    """The ``poll.toml`` of a new poll."""
    return f'id = "{id}"\n'.encode()
