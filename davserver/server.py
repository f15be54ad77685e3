"""``serve``: the process around the HTTP server, from the settings to the last answer."""

from __future__ import annotations

import io
import logging
import signal
import sys
from pathlib import Path
from types import FrameType

from auth.directory import Directory
from auth.errors import AuthError
from config.schema import Settings
from davserver.accesslog import AccessLog
from davserver.app import Application
from davserver.control import Control
from davserver.housekeeping import Housekeeper
from davserver.listener.http import Server
from davserver.progress import Progress
from davserver.subscriber import Subscriber
from storage.errors import StorageError
from storage.store import Store

SWITCH_S = 0.0005  # after which a thread that computes lets another one have the interpreter

log = logging.getLogger("davserver.server")


def serve(settings: Settings, config_file: Path) -> int:
    """
    Serve in the foreground until SIGTERM or SIGINT; the process's exit code.

    SIGHUP, like a changed file, reloads accounts, rights and the certificate; connections stay.
    """
    _configure_logging(settings)
    # A brief answer asks for the interpreter after each of a dozen reads of the disk. With Python's own 5 ms it would
    # wait a twentieth of a second beside one long computation.
    sys.setswitchinterval(SWITCH_S)
    try:
        directory = Directory(settings)
        store = _open(settings, directory)
    except (AuthError, StorageError, OSError) as error:
        print(f"davserver cannot start: {error}", file=sys.stderr)
        return 1
    hangups: list[int] = []

    def sweep() -> None:
        if hangups:
            hangups.clear()
            _reload(directory, store, server)

    try:
        server = Server(Application(settings, directory, store, AccessLog(settings.log.format)), settings, sweep)
        server.prepare()
    except OSError as error:
        print(_cannot_listen(settings, error), file=sys.stderr)
        store.close()
        return 1
    _install_signals(server, hangups)
    _announce(settings, server, config_file)
    housekeeper = Housekeeper(store)
    housekeeper.start()
    subscriber = Subscriber(store, settings.subscriptions)
    subscriber.start()
    control = _listen_to_commands(store, settings)
    try:
        server.serve()
    finally:
        server.stop()
        if control is not None:
            control.stop(within_s=settings.server.shutdown_timeout_s)
        subscriber.stop(within_s=settings.server.shutdown_timeout_s)
        housekeeper.stop(within_s=settings.server.shutdown_timeout_s)
        store.close()
    log.info("stopped")
    return 0


def _open(settings: Settings, directory: Directory) -> Store:
    """The store; how far the index is where it must be made first."""
    with Progress(sys.stderr, log.info) as progress:
        store = Store(settings, directory=directory, progress=lambda done, total: progress("looked at", done, total))
    if store.filled:
        log.info("the index %s was made anew", store.index.file)
    return store


def _listen_to_commands(store: Store, settings: Settings) -> Control | None:
    """The socket for commands; members are served without it too."""
    try:
        control = Control(store, settings)
    except OSError as error:
        log.warning("`davserver reindex` and `import` cannot reach this server: no socket in %s: %s", store.data, error)
        return None
    control.start()
    return control


def _install_signals(server: Server, hangups: list[int]) -> None:
    def end(number: int, frame: FrameType | None) -> None:
        server.end()

    def hang_up(number: int, frame: FrameType | None) -> None:
        hangups.append(number)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGHUP, hang_up)


def _reload(directory: Directory, store: Store, server: Server) -> None:
    directory.reload()
    store.rulebook.reload()
    if server.certificate is not None:
        server.certificate.reload()
    log.info("accounts and rights were read again")


def _announce(settings: Settings, server: Server, config_file: Path) -> None:
    """Say on standard output what is served where."""
    host, port = server.bind_addr[:2]
    scheme = "https" if server.certificate is not None else "http"
    url = settings.server.public_url.rstrip("/") or f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
    print(f"davserver: files at {url}/files/, calendars, tasks and contacts at {url}/dav/")
    print(f"davserver: listening on {host} port {port}, data in {settings.storage.data}, settings from {config_file}")
    sys.stdout.flush()


def _cannot_listen(settings: Settings, error: OSError) -> str:
    where = f"{settings.server.host} port {settings.server.port}"
    if "in use" in str(error):
        return f"davserver cannot start: {where} is taken by another program; stop it or use --listen HOST:PORT"
    return f"davserver cannot start: it cannot listen on {where}: {error}"


def _configure_logging(settings: Settings) -> None:
    logging.basicConfig(
        stream=sys.stderr,
        level=settings.log.level.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    if isinstance(sys.stdout, io.TextIOWrapper):  # file names of members in the log of a machine without a locale
        sys.stdout.reconfigure(errors="backslashreplace")
