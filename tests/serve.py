"""Starts the server without the command line: ``python -m tests.serve davserver.toml``."""

from __future__ import annotations

import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

from config.schema import Settings
from davserver.server import serve


def read_settings(file: Path) -> Settings:
    """The file's tables over the defaults; relative paths are taken from the file's folder."""
    settings = Settings()
    for table, values in tomllib.loads(file.read_text()).items():
        if isinstance(values, dict):
            settings = replace(settings, **{table: _filled(getattr(settings, table), values)})
    accounts = {name: _absolute(getattr(settings.accounts, name), file) for name in FILES}
    storage = replace(settings.storage, data=_absolute(settings.storage.data, file))
    return replace(settings, accounts=replace(settings.accounts, **accounts), storage=storage)


FILES = ("users_file", "htpasswd_file", "groups_file", "access_file")


def _filled(section: Any, values: dict[str, Any]) -> Any:
    typed = {}
    for name, value in values.items():
        is_path = isinstance(getattr(section, name), Path) or name in ("certificate", "private_key", "htpasswd_file")
        typed[name] = Path(value) if is_path else tuple(value) if isinstance(value, list) else value
    return replace(section, **typed)


def _absolute(path: Path | None, file: Path) -> Path | None:
    return None if path is None else file.parent / path


if __name__ == "__main__":
    sys.exit(serve(read_settings(Path(sys.argv[1])), Path(sys.argv[1])))
