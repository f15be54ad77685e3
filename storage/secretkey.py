"""``data/secret.key``: the key of hashes that nobody can make without this data folder, such as link tokens."""

from __future__ import annotations

import logging
import os
import secrets
from contextlib import suppress

from storage.disk import sync_directory

KEY_BYTES = 32

log = logging.getLogger("davserver.store")


def read_secret(data: str) -> bytes:
    """The key of a data folder; it is made, durable on return, where there is none or what is there is too short."""
    file = f"{data}/secret.key"
    with suppress(FileNotFoundError), open(file, "rb") as stream:
        key = stream.read(KEY_BYTES)
        if len(key) == KEY_BYTES:
            return key
        log.error("%s has fewer than %d bytes; a new key is made, and personal links get other URLs", file, KEY_BYTES)
    return _make(data, file)


def _make(data: str, file: str) -> bytes:
    key, scratch = secrets.token_bytes(KEY_BYTES), f"{file}.new"
    with suppress(FileNotFoundError):
        os.unlink(scratch)  # of a start that was killed
    fd = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, key)
        os.fsync(fd)
    finally:
        os.close(fd)
    os.replace(scratch, file)
    sync_directory(data)
    return key
