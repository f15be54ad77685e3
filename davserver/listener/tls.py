"""The certificate: TLS for accepted sockets, read again when its files change."""

from __future__ import annotations

import logging
import os
import socket
import ssl
import time
from pathlib import Path

LOOK_EVERY_S = 5.0

log = logging.getLogger("davserver.tls")


class Certificate:
    """A certificate chain and its private key as PEM files. Raises OSError where they cannot be used."""

    def __init__(self, certificate: Path, private_key: Path) -> None:
        self._files = (certificate, private_key)
        self._stamp = self._look()
        self._context = self._load()
        self._next_look = 0.0

    def wrap(self, sock: socket.socket) -> ssl.SSLSocket:
        """The socket with TLS, whose handshake is still to be done."""
        return self._context.wrap_socket(
            sock, server_side=True, do_handshake_on_connect=False, suppress_ragged_eofs=True
        )

    def reload_if_changed(self) -> None:
        """Read the files again if they changed; called often, looks seldom."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + LOOK_EVERY_S
        if self._look() != self._stamp:
            self.reload()

    def reload(self) -> None:
        """Read the files again; a pair that does not fit leaves the old one in force until the files change again."""
        self._stamp = self._look()
        try:
            self._context = self._load()
        except OSError as error:  # SSLError is one
            log.error("the certificate stays as it was, %s cannot be used: %s", self._files[0], error)
        else:
            log.info("the certificate was read again")

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # Without a password OpenSSL would ask for the passphrase of an encrypted key on the terminal and wait.
        context.load_cert_chain(*self._files, password="")
        return context

    def _look(self) -> tuple[tuple[int, int, int], ...]:
        stamps = []
        for file in self._files:
            try:
                found = os.stat(file)
                stamps.append((found.st_ino, found.st_mtime_ns, found.st_size))
            except OSError:
                stamps.append((0, 0, 0))
        return tuple(stamps)
