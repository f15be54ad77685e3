"""Disks that run full: a small one of memory where tests may mount, and a limit on the size of files anywhere."""

from __future__ import annotations

import os
import resource
import subprocess
from pathlib import Path
from typing import Protocol

from tests.harness import Server

MIB = 1 << 20
ROOM = 24 * MIB


class Disk(Protocol):
    """A disk under a server's data folder."""

    def attach(self, server: Server) -> None:
        """Put the data folder on it and start the server."""

    def fill(self) -> None:
        """Leave no room for anything."""

    def free(self) -> None:
        """Give room again."""

    def detach(self) -> None:
        """Stop the server and take the disk away."""


class MemoryDisk:
    """A tmpfs: no room means no room for anything, the index included."""

    def attach(self, server: Server) -> None:
        self._server = server
        server.data.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(server.data)], check=True)
        (server.data / "files/Sport").mkdir(parents=True)
        server.start()

    def fill(self) -> None:
        with open(self._server.data / "filler", "wb", buffering=0) as filler:
            for size in (MIB, 4096):
                try:
                    while filler.write(bytes(size)) == size:
                        pass
                except OSError:
                    continue

    def free(self) -> None:
        (self._server.data / "filler").unlink()

    def detach(self) -> None:
        self._server.stop()
        subprocess.run(["umount", str(self._server.data)], check=True)


class LimitedFiles:
    """A ceiling on the size of the files that the process writes: small ones still find room."""

    def attach(self, server: Server) -> None:
        self._server = server.start()

    def fill(self) -> None:
        self._limit(MIB)

    def free(self) -> None:
        self._limit(resource.RLIM_INFINITY)

    def detach(self) -> None:
        self._server.stop()

    def _limit(self, most: int) -> None:
        hard = resource.prlimit(self._server.pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(self._server.pid, resource.RLIMIT_FSIZE, (most, hard))


def may_mount() -> bool:
    """Whether this process may mount a disk of memory."""
    target = Path("/tmp") / f"davserver-mount-{os.getpid()}"
    target.mkdir()
    try:
        tried = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(target)], capture_output=True)
        if tried.returncode == 0:
            subprocess.run(["umount", str(target)], check=True)
        return tried.returncode == 0
    except FileNotFoundError:
        return False
    finally:
        target.rmdir()
