"""
``form.toml``: what a form is.
"""

from __future__ import annotations

from auth.tables import TomlFile
from storage.errors import FileRefused
from storage.objectnames import FORM_FILE


def parse_form(data: bytes) -> None:
    """Raise FileRefused where the file is no TOML."""
    file = TomlFile(data.decode("utf-8", "replace"), FORM_FILE)
    if file.problems:
        raise FileRefused("\n".join(str(problem) for problem in file.problems))


def render_new(id: str, language: str) -> bytes:
    """The ``form.toml`` of a new form."""
    return f'id = "{id}"\n'.encode()
