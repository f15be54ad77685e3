"""
The door as a WSGI application: request → principal → route → handler → answer → log line.

It runs under our own server (``davserver.server``), which sends files by ``sendfile``, and under any other WSGI host.
"""

from __future__ import annotations

import importlib
import logging
import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol
from urllib.parse import urlsplit

from auth.acl import Action
from auth.directory import Directory
from auth.throttle import Throttle
from storage.session import Session
from storage.store import Store

from auth.errors import AuthError, Hidden, NeedPrivileges
from auth.principal import ANONYMOUS, Principal
from config.schema import Settings
from davserver.accesslog import AccessLog, Entry
from davserver.dav.errors import BodyBroken
from davserver.dav.message import Environ, FileBody, Request, Response, reason
from davserver.dav.target import host_name
from davserver.environ import Proxies, build_request
from davserver.errors import View, translate
from davserver.mounts.root import RootMount
from davserver.signin import SignIn
from storage.errors import StorageError

StartResponse = Callable[[str, list[tuple[str, str]]], Any]
BLOCK_BYTES = 256 * 1024
MOUNTS: dict[View, tuple[str, str]] = {
    # first path segment: module and class of its mount
    "files": ("davserver.mounts.files", "FilesMount"),
    "dav": ("davserver.mounts.pim", "PimMount"),
}
NO_SNIFFING = ("X-Content-Type-Options", "nosniff")
FOREIGN_POST = "A page of another site sent this request with your password; it is refused.\n"
OWN_SITES = ("same-origin", "none")

log = logging.getLogger("davserver.app")


class Mount(Protocol):
    """What answers below ``/files/`` or ``/dav/``."""

    def __call__(self, request: Request, session: Session) -> Response: ...


class Application:
    """The whole service; complete at start-up and shared by all threads."""

    def __init__(self, settings: Settings, directory: Directory, store: Store, access_log: AccessLog) -> None:
        self._settings = settings
        self._directory = directory
        self._store = store
        self._log = access_log
        self._proxies = Proxies(settings.server.trusted_proxies)
        self._sign_in = SignIn(settings.server, directory, Throttle())
        self._root = RootMount(settings)
        self._mounts: dict[str, Mount] = {
            view: getattr(importlib.import_module(module), name)(store, settings, directory)
            for view, (module, name) in MOUNTS.items()
        }

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        trip = Trip(environ, self._log)
        try:
            request = trip.request = build_request(environ, self._settings, self._proxies)
            response = self._answer(request, trip)
        except Exception as error:
            response = translate(error, "files", request_id=trip.id)
        headers = trip.finish(response)
        start_response(reason(response.status), headers)
        return trip

    def _answer(self, request: Request, trip: Trip) -> Response:
        first = request.path.split("/", 2)[1] if request.path != "*" else ""
        if first in ("", ".well-known"):
            return self._answer_root(request, trip)
        mount = self._mounts.get(first)
        if mount is None:
            return self._root(request, ANONYMOUS)
        view: View = "dav" if first == "dav" else "files"
        try:
            return self._answer_mount(mount, request, trip)
        except (Hidden, NeedPrivileges) as error:
            if trip.principal is ANONYMOUS:  # what it is, nobody says before signing in
                return self._sign_in.challenge(request)
            return translate(error, view, request_id=trip.id)
        except Exception as error:
            return translate(error, view, request_id=trip.id)

    def _answer_root(self, request: Request, trip: Trip) -> Response:
        if self._root.is_open(request):
            return self._root(request, ANONYMOUS)
        principal = self._sign_in.principal(request)
        if not isinstance(principal, Principal):
            return principal or self._sign_in.challenge(request)
        trip.principal = principal
        return self._root(request, principal)

    def _answer_mount(self, mount: Mount, request: Request, trip: Trip) -> Response:
        if request.method == "POST" and not _is_own_site(request):
            return Response.text(403, FOREIGN_POST)
        self._directory.reload_if_changed()
        principal = self._sign_in.principal(request)
        if isinstance(principal, Response):
            return principal
        if principal is None:
            if not self._world_may_read(request):
                return self._sign_in.challenge(request)
            principal = ANONYMOUS
        trip.principal = principal
        return mount(request, self._store.session(principal))

    def _world_may_read(self, request: Request) -> bool:
        if request.method not in ("GET", "HEAD"):
            return False
        session = self._store.session(ANONYMOUS)
        try:
            return session.access.may(Action.READ, session.canonical(request.path))
        except (AuthError, StorageError):
            return False


class Trip:
    """
    One request on its way out: the WSGI body, whose closing ends the answer and writes the log line.

    Attributes:
        file: the slice of a file that is the body, for a server that can send it without reading it.
        sent_bytes: of the body; a server that sends ``file`` itself counts here.
    """

    def __init__(self, environ: Environ, access_log: AccessLog) -> None:
        self.request: Request | None = None
        self.principal = ANONYMOUS
        self.file: FileBody | None = None
        self.sent_bytes = 0
        self._environ = environ
        self._log = access_log
        self._at_s = time.time()
        self._started = time.perf_counter()
        self._fallback_id = secrets.token_hex(8)
        self._response: Response | None = None
        self._body: Iterable[bytes] = ()

    @property
    def id(self) -> str:
        """The request's id."""
        return self.request.id if self.request is not None else self._fallback_id

    def finish(self, response: Response) -> list[tuple[str, str]]:
        """Take the answer over and give its header fields; HEAD loses the body here."""
        self._response = response
        headers = [*response.headers, NO_SNIFFING]
        body, length = response.body, None
        if isinstance(body, bytes):
            length = len(body)
            self._body = (body,)
        elif isinstance(body, FileBody):
            length = body.length
            self.file = body
        else:
            self._body = body
        has_length = any(name.lower() == "content-length" for name, _ in headers)
        if length is not None and not has_length and response.status not in (204, 304):
            headers.append(("Content-Length", str(length)))
        if self._environ["REQUEST_METHOD"] == "HEAD":
            self._drop_body()
        return headers

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._read_file() if self.file is not None else self._body:
            self.sent_bytes += len(chunk)
            yield chunk

    def close(self) -> None:
        """Let go of the body and write the log line; servers call this whatever happened (PEP 3333)."""
        self._drop_body()
        if self._response is None:
            return
        request, environ = self.request, self._environ
        entry = Entry(
            at_s=self._at_s,
            id=self.id,
            remote=request.remote if request else environ.get("REMOTE_ADDR", ""),
            member=self.principal.name,
            method=environ["REQUEST_METHOD"],
            path=request.path if request else str(environ.get("PATH_INFO", ""))[:256],
            status=self._response.status,
            bytes=self.sent_bytes,
            milliseconds=(time.perf_counter() - self._started) * 1000,
        )
        self._response = None
        self._log.write(entry)

    def _read_file(self) -> Iterator[bytes]:
        assert self.file is not None
        offset, left = self.file.offset, self.file.length
        while left > 0:
            block = os.pread(self.file.fd, min(left, BLOCK_BYTES), offset)
            if not block:
                raise BodyBroken("the file became shorter while it was sent")
            yield block
            offset, left = offset + len(block), left - len(block)

    def _drop_body(self) -> None:
        file, self.file = self.file, None
        if file is not None:
            os.close(file.fd)
        body, self._body = self._body, ()
        close = getattr(body, "close", None)
        if close is not None:
            close()


def _is_own_site(request: Request) -> bool:
    """
    Whether a POST was not sent by a page of another site with the credentials that a browser keeps.

    Other methods need a CORS preflight, which is never granted; programs send neither field with POST.
    """
    site = request.header("sec-fetch-site")
    if site is not None and site.strip().lower() not in OWN_SITES:
        return False
    origin = request.header("origin")
    if origin is None:
        return True
    try:
        return bool(host_name(request.host)) and urlsplit(origin).hostname == host_name(request.host)
    except ValueError:
        return False
