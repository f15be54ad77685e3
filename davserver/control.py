"""
What commands ask of the running server, which holds the data folder: a Unix socket in that folder.

A request is one line of JSON, for an import followed by the file's bytes, or by the parcel of ``storage.movein``. The
answer is lines of JSON, each an object with one key: ``progress`` as often as something moves, then ``done`` with the
result, or ``failed`` with a sentence.
Whoever may write the data folder may ask: the same account, or root.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import stat
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, BinaryIO

from config.schema import Settings
from storage.administered import bring_back, trashed
from storage.bulk import Order, Tell, import_file
from storage.errors import StorageError
from storage.movein.parcel import unpack
from storage.movein.shelving import Delivery, shelve
from storage.paths import canonical
from storage.store import Store
from storage.survey import PAUSE_S, rebuild

NAME = "control.sock"
LONGEST_LINE = 1 << 20
PATIENCE_S = 60.0  # with a peer that says or takes nothing
TELL_EVERY_S = 0.1
PAUSE_EVERY = 16  # items

log = logging.getLogger("davserver.control")


def _list_trash(store: Store, asked: Mapping[str, Any]) -> dict[str, Any]:
    return {"found": [asdict(each) for each in trashed(store, _path(asked["below"]) or "/")]}


def _bring_back(store: Store, asked: Mapping[str, Any]) -> dict[str, Any]:
    path = bring_back(store, _path(asked["path"]) or "/", _path(asked["to"]))
    log.info("%s: a command restored it", path)
    return {"path": path}


def _path(asked: str | None) -> str | None:
    return None if asked is None else canonical(asked, None)


# By what is asked; a command does the same itself where no server runs.
TRASH_WORK: dict[str, Callable[[Store, Mapping[str, Any]], dict[str, Any]]] = {
    "trash": _list_trash,
    "restore": _bring_back,
}


class ServerFailed(Exception):
    """The running server did not do what it was asked for; the message is a sentence for the administrator."""


class _Ending(Exception):
    """The server ends, so the work in hand is given up."""


class Control:
    """The server's end; one request at a time, in a thread beside those that answer members."""

    def __init__(self, store: Store, settings: Settings) -> None:
        """Listen. The data folder is held, so a socket that is there is one that a crash left behind."""
        self._store = store
        self._settings = settings
        self._ended = threading.Event()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with _address(store.data) as address:
            try:
                os.unlink(address)
            except FileNotFoundError:
                pass
            os.fchmod(self._listener.fileno(), stat.S_IRUSR | stat.S_IWUSR)  # what bind makes has this mode
            self._listener.bind(address)
        self._listener.listen()
        self._thread = threading.Thread(target=self._run, name="control", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self, *, within_s: float) -> None:
        """Give up a rebuild or the judging of a file; what is being stored is waited for."""
        self._ended.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(within_s)
        self._listener.close()
        try:
            with _address(self._store.data) as address:
                os.unlink(address)
        except OSError as error:
            log.warning("the control socket could not be removed: %s", error)

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                peer, _ = self._listener.accept()
            except OSError:
                if not self._ended.wait(1):
                    log.exception("the control socket does not take connections")
                continue
            with peer:
                try:
                    self._answer(peer)
                except OSError as error:
                    log.info("a command went away: %s", error)
                except _Ending:
                    log.info("a command was given up: the server ends")
                except Exception:
                    log.exception("a command failed")

    def _answer(self, peer: socket.socket) -> None:
        peer.settimeout(PATIENCE_S)
        with peer.makefile("rb") as stream:
            if not _has_trusted(peer):
                _send(peer, {"failed": "only the server's own account and root may ask"})
                return
            try:
                result = self._work(json.loads(stream.readline(LONGEST_LINE)), stream, self._teller(peer))
            except (StorageError, ServerFailed) as error:
                _send(peer, {"failed": str(error)})
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                _send(peer, {"failed": f"the request is not understood ({error}); is the server of another version?"})
            except _Ending:
                _send(peer, {"failed": "the server ends, so this was given up; nothing is stored by half"})
                raise
            else:
                _send(peer, {"done": result})

    def _work(self, asked: Mapping[str, Any], stream: BinaryIO, tell: Tell) -> dict[str, Any]:
        match asked["ask"]:
            case "reindex":
                log.info("the index is made anew, as a command asked")
                rebuilt = rebuild(self._store, lambda done, total: tell("looked at", done, total), pause=self._pause)
                log.info("the index was made anew: %d files, of which %d differed", rebuilt.files, rebuilt.changed)
                return asdict(rebuilt)
            case "import":
                size, most = int(asked["size"]), self._settings.limits.collection_put_bytes
                if size > most:
                    raise ServerFailed(too_large(size, most))
                if size < 0:
                    raise ValueError(f"a file of {size} bytes")
                data = stream.read(size)
                if len(data) != size:
                    raise ConnectionError("the file did not come whole")
                imported = import_file(self._store, data, Order(**asked["order"]), tell)
                log.info("%s: a command brought %d items", imported.collection, imported.added + imported.updated)
                return asdict(imported)
            case "move in":
                shelved = shelve(self._store, Delivery(**asked["delivery"]), unpack(stream), self._pause)
                log.info("%s: a command moved them in", ", ".join(shelved.paths))
                return asdict(shelved)
            case "trash" | "restore":
                return TRASH_WORK[asked["ask"]](self._store, asked)
        raise ValueError(f"{asked['ask']!r} is nothing to ask for")

    def _teller(self, peer: socket.socket) -> Tell:
        """Sends how far it is, now and then; ends the work when the server ends or the command went away."""
        next_s, calls = 0.0, 0

        def tell(what: str, done: int, total: int) -> None:
            nonlocal next_s, calls
            calls += 1
            if calls % PAUSE_EVERY == 0:
                time.sleep(PAUSE_S)  # whoever answers a request meanwhile comes first
            if self._ended.is_set() and what != "storing":
                raise _Ending
            now = time.monotonic()
            if now >= next_s or done == total:
                next_s = now + TELL_EVERY_S
                _send(peer, {"progress": [what, done, total]})

        return tell

    def _pause(self) -> None:
        if self._ended.wait(PAUSE_S):
            raise _Ending


def ask(data: str, request: Mapping[str, Any], tell: Tell, body: Iterable[bytes] = ()) -> dict[str, Any] | None:
    """
    Have the server that holds a data folder do something; its result, or None where no server runs.

    Raises:
        ServerFailed: with what it said.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        try:
            with _address(data) as address:
                server.connect(address)
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        except PermissionError as error:
            raise ServerFailed("the running server is another account's; ask as that account or as root") from error
        try:
            server.sendall(json.dumps(request).encode() + b"\n")
            for chunk in body:
                server.sendall(chunk)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it refused before it had read all; why, it has said
        with server.makefile("rb") as stream:
            return _follow(stream, tell)


def _follow(stream: BinaryIO, tell: Tell) -> dict[str, Any]:
    try:
        for line in stream:
            match json.loads(line):
                case {"progress": [what, done, total]}:
                    tell(what, done, total)
                case {"done": result}:
                    return dict(result)
                case {"failed": sentence}:
                    raise ServerFailed(sentence)
    except ConnectionResetError:
        pass
    raise ServerFailed("the server ended before it was done; its log may say why")


def too_large(size: int, most: int) -> str:
    """The sentence about a file that is larger than a PUT of it could be."""
    return f"the file has {size} bytes; limits.collection_put_bytes allows {most}"


def _send(peer: socket.socket, message: Mapping[str, Any]) -> None:
    peer.sendall(json.dumps(message).encode() + b"\n")


def _has_trusted(peer: socket.socket) -> bool:
    credentials = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", credentials)
    return is_trusted(uid, os.geteuid())


def is_trusted(uid: int, own_uid: int) -> bool:
    """Whether an account may ask a server that runs as ``own_uid``: what it asks for it could do by itself."""
    return uid in (0, own_uid)


@contextmanager
def _address(data: str) -> Iterator[str]:
    """The socket's address by way of a descriptor: 107 bytes are all that an address may have, and folders lie deep."""
    fd = os.open(data, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{fd}/{NAME}"
    finally:
        os.close(fd)
