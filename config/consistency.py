"""What no single value shows: missing files, settings that contradict each other, modes that let others read."""

from __future__ import annotations

import ipaddress
import os
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from config.errors import Problem
from config.lines import TomlLines
from config.schema import Settings

Finding = tuple[tuple[str, ...], str, str]
"""Path of the setting, what was found, what would work."""


def find_conflicts(settings: Settings, file: Path, lines: TomlLines) -> list[Problem]:
    """Every problem between settings, or between a setting and the disk."""
    return [Problem(str(file), lines.of(*path), found, hint) for rule in _RULES for path, found, hint in rule(settings)]


def file_modes(settings: Settings) -> list[Problem]:
    """Files with secrets that other accounts of the machine may read; ``davserver check`` warns, the server starts."""
    secret = (settings.accounts.htpasswd_file or settings.accounts.users_file, settings.server.private_key)
    return [
        Problem(
            str(each), 1, f"its mode is {os.stat(each).st_mode & 0o777:04o}", f"others can read it: chmod 0600 {each}"
        )
        for each in secret
        if each is not None and each.exists() and os.stat(each).st_mode & 0o007
    ]


def _files(settings: Settings) -> Iterator[Finding]:
    accounts, server = settings.accounts, settings.server
    needed = {
        ("accounts", "users_file"): None if accounts.htpasswd_file else accounts.users_file,
        ("accounts", "htpasswd_file"): accounts.htpasswd_file,
        ("accounts", "groups_file"): accounts.groups_file,
        ("accounts", "access_file"): accounts.access_file,
        ("server", "certificate"): server.certificate,
        ("server", "private_key"): server.private_key,
    }
    for path, each in needed.items():
        if each is not None and (reason := _unreadable(each)):
            yield path, f"{'.'.join(path)} is {each}, {reason}", "name a file that is there and can be read"


def _unreadable(file: Path) -> str:
    try:
        with file.open("rb"):
            return ""
    except FileNotFoundError:
        return "which does not exist"
    except IsADirectoryError:
        return "which is a folder"
    except OSError as error:
        return f"which cannot be read ({error.strerror})"


def _data(settings: Settings) -> Iterator[Finding]:
    data = settings.storage.data
    if not data.exists():
        yield ("storage", "data"), f"storage.data is {data}, which does not exist", f"make it: mkdir -p {data}"
    elif not data.is_dir():
        yield ("storage", "data"), f"storage.data is {data}, which is not a folder", "name a folder"
    elif not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        yield (
            ("storage", "data"),
            f"storage.data is {data}, where this account may not write",
            "give it the folder (chown)",
        )


def _tls(settings: Settings) -> Iterator[Finding]:
    server = settings.server
    if (server.certificate is None) != (server.private_key is None):
        missing = "private_key" if server.private_key is None else "certificate"
        yield (
            ("server",),
            f"server.{missing} is missing",
            "TLS needs certificate and private_key; leave out both without TLS",
        )
    elif server.certificate is not None and server.private_key is not None:
        yield from _pair(server.certificate, server.private_key)


def _pair(certificate: Path, private_key: Path) -> Iterator[Finding]:
    """What keeps a certificate and a key that can be read from being used together."""
    if _unreadable(certificate) or _unreadable(private_key):
        return
    try:
        # Without a password OpenSSL would ask for the passphrase of an encrypted key on the terminal.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, private_key, password="")
    except OSError as error:  # SSLError is one
        reason = getattr(error, "reason", None) or error.strerror or str(error)
        found = f"server.certificate and server.private_key cannot be used together ({reason})"
        hint = "name a certificate with its chain and the key that belongs to it, both PEM, the key without passphrase"
        yield ("server", "certificate"), found, hint


def _public_url(settings: Settings) -> Iterator[Finding]:
    url = settings.server.public_url
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/") or parts.query):
        hint = "it is scheme and host alone, such as https://cloud.example.org"
        yield ("server", "public_url"), f"server.public_url is {url!r}", hint


def _networks(settings: Settings) -> Iterator[Finding]:
    lists = {
        ("server", "trusted_proxies"): settings.server.trusted_proxies,
        ("subscriptions", "allowed_networks"): settings.subscriptions.allowed_networks,
    }
    for path, listed in lists.items():
        for each in listed:
            try:
                ipaddress.ip_network(each, strict=False)
            except ValueError:
                hint = "it takes addresses or networks: 127.0.0.1, ::1, 10.0.0.0/8"
                yield path, f"{'.'.join(path)} holds {each!r}", hint


def _host(settings: Settings) -> Iterator[Finding]:
    if not settings.server.host.strip():
        yield ("server", "host"), "server.host is empty", '"127.0.0.1" is this machine alone, "0.0.0.0" every network'


def _locks(settings: Settings) -> Iterator[Finding]:
    limits = settings.limits
    if limits.lock_timeout_s > limits.lock_longest_s:
        found = f"limits.lock_timeout_s is {limits.lock_timeout_s}"
        yield ("limits", "lock_timeout_s"), found, f"it can be at most lock_longest_s, {limits.lock_longest_s}"


_RULES: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    _files,
    _data,
    _tls,
    _public_url,
    _networks,
    _host,
    _locks,
)
