"""Scratch files: what is being written stands beside its target under a private name until it is whole."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from collections.abc import Callable
from types import TracebackType

from storage.errors import FULL_DISK, DiskFull, ParentMissing, PlaceRefused
from storage.paths import SCRATCH_PREFIX
from storage.records import etag_of


def no_room(wanted_bytes: int) -> bool:
    """Where nothing can be given up."""
    return False


class Scratch:
    """
    A file that nobody sees yet.

    Use it as a context manager: what was not taken over by a transaction is removed on leaving.

    Attributes:
        size: bytes written.
        modified_ns: the modification time, once it is finished.
    """

    def __init__(
        self,
        folder: str,
        *,
        durable: bool,
        hashed: bool,
        name: str | None = None,
        make_room: Callable[[int], bool] = no_room,
    ) -> None:
        """
        Args:
            durable: synced when it is finished.
            hashed: with an ETag from its bytes.
            name: where it is not to be a private one that nothing has.
            make_room: asked once for so many bytes where the disk is full; whether they are free now.
        """
        self.name = name or f"{SCRATCH_PREFIX}{secrets.token_hex(8)}"
        self.file = f"{folder}/{self.name}"
        self.size = 0
        self.modified_ns = 0
        self._durable = durable
        self._make_room = make_room
        self._hash = hashlib.sha256() if hashed else None
        self._wanted_ns: int | None = None
        self._finished = False
        self._taken = False
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            self._fd = os.open(self.file, flags, 0o644)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ParentMissing(folder) from error
        except OSError as error:
            raise _refused(error) from error

    @property
    def digest(self) -> str:
        """Hash of the bytes as an ETag: 32 hexadecimal characters."""
        if self._hash is None:
            raise ValueError("this scratch file is not hashed")
        return etag_of(self._hash.hexdigest())

    @property
    def is_hashed(self) -> bool:
        """Whether an ETag is computed while writing."""
        return self._hash is not None

    @property
    def fd(self) -> int:
        """The open descriptor, for copying within the kernel; tell ``size`` afterwards with ``wrote``."""
        return self._fd

    @property
    def inode(self) -> int:
        """By which the file is known whatever its name."""
        return os.stat(self.file, follow_symlinks=False).st_ino

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes. Raises DiskFull."""
        view = memoryview(data)
        if self._hash is not None:
            self._hash.update(view)
        asked = False
        while view:
            try:
                view = view[os.write(self._fd, view) :]
            except OSError as error:
                if error.errno not in FULL_DISK or asked or not self._make_room(len(view)):
                    raise _refused(error) from error
                asked = True
        self.size += len(data)

    def wrote(self, count: int) -> None:
        """Count bytes that were written through ``fd``."""
        self.size += count

    def set_modified(self, modified_ns: int) -> None:
        """The modification time that the file is to have (X-OC-Mtime, PROPPATCH of sync programs)."""
        self._wanted_ns = modified_ns

    def finish(self) -> None:
        """Press the bytes onto the disk; nothing can be written afterwards."""
        if self._finished:
            return
        self._finished = True
        try:
            if self._wanted_ns is not None:
                os.utime(self._fd, ns=(self._wanted_ns, self._wanted_ns))
            if self._durable:
                os.fsync(self._fd)
            self.modified_ns = os.fstat(self._fd).st_mtime_ns
        except OSError as error:
            raise _refused(error) from error
        finally:
            os.close(self._fd)

    def rename_to(self, target: str) -> None:
        """Give the finished file its name; it replaces what stood there."""
        self.finish()
        os.rename(self.file, target)
        self._taken = True

    def discard(self) -> None:
        """Remove the scratch file if it was not taken over."""
        if self._taken:
            return
        self._taken = True
        if not self._finished:
            self._finished = True
            os.close(self._fd)
        try:
            os.unlink(self.file)
        except FileNotFoundError:
            pass

    def __enter__(self) -> Scratch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()


def _refused(error: OSError) -> Exception:
    """The shelf's word for an error of the disk, where it has one."""
    return DiskFull() if error.errno in FULL_DISK else error


def on_disk(action: Callable[[], object]) -> None:
    """Do something on the disk, its errors in the shelf's words. Raises DiskFull, PlaceRefused, OSError."""
    try:
        action()
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise PlaceRefused("the new path", "is longer than the disk allows") from error
        raise _refused(error) from error
