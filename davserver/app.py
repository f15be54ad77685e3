"""
The door as a WSGI application: request → principal → route → handler → answer → log line.

It runs under our own server (``davserver.server``), which sends files by ``sendfile``, and under any other WSGI host.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Protocol
from urllib.parse import urlsplit

from auth.acl import Action
from auth.directory import Directory
from auth.errors import AuthError, Hidden, NeedPrivileges
from auth.principal import ANONYMOUS, Principal
from auth.rates import Rates
from auth.throttle import Throttle
from config.schema import Settings
from davserver.accesslog import AccessLog
from davserver.compression import compress
from davserver.dav.message import Environ, Request, Response, reason
from davserver.dav.target import host_name
from davserver.environ import Proxies, build_request
from davserver.errors import View, translate
from davserver.mounts.files import FilesMount
from davserver.mounts.pim import PimMount
from davserver.mounts.public import PublicMount
from davserver.mounts.root import RootMount
from davserver.signin import SignIn
from davserver.trip import Trip, begin_body
from storage.errors import StorageError
from storage.paths import WELL_KNOWN_NOTES, is_within
from storage.session import Session
from storage.store import Store

StartResponse = Callable[[str, list[tuple[str, str]]], Any]
FOREIGN_POST = "A page of another site sent this request with your password; it is refused.\n"
# Who publishes to those with a link publishes neither to search engines nor to the sites that a page leads to.
LINK_HEADERS = (("X-Robots-Tag", "noindex"), ("Referrer-Policy", "no-referrer"))
OWN_SITES = ("same-origin", "none")


class Mount(Protocol):
    """What answers below ``/files/`` or ``/dav/``."""

    def __call__(self, request: Request, session: Session) -> Response: ...


class Application:
    """The whole service; complete at start-up and shared by all threads."""

    def __init__(self, settings: Settings, directory: Directory, store: Store, access_log: AccessLog) -> None:
        self._settings = settings
        self._store = store
        self._log = access_log
        self._proxies = Proxies(settings.server.trusted_proxies)
        self._sign_in = SignIn(settings.server, directory, Throttle())
        self._root = RootMount(settings)
        rates = Rates()
        self._public = PublicMount(store, settings, rates)
        self._mounts: dict[str, Mount] = {
            # by first path segment
            "files": FilesMount(store, settings, directory, rates),
            "dav": PimMount(store, settings, directory),
        }

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        trip = Trip(environ, self._log)
        try:
            request = trip.request = build_request(environ, self._settings, self._proxies)
            response = self._answer(request, trip)
        except Exception as error:
            response = translate(error, "files", request_id=trip.id)
            response.headers += LINK_HEADERS  # it may have been a link
        headers = trip.finish(response)
        start_response(reason(response.status), headers)
        return trip

    def _answer(self, request: Request, trip: Trip) -> Response:
        if request.path == "/" and request.method == "REPORT":  # principals are searched where a client began
            request = replace(request, path="/dav/")
        first = request.path.split("/", 2)[1] if request.path != "*" else ""
        if self._settings.well_known_notes and is_within(request.path.rstrip("/"), WELL_KNOWN_NOTES):
            first = "files"
        if first in ("", ".well-known"):
            return self._answer_root(request, trip)
        if first == "p":
            return self._answer_link(request, trip)
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

    def _answer_link(self, request: Request, trip: Trip) -> Response:
        """What lies behind a public link; whoever asks is nobody, with or without a member's password."""
        try:
            response = self._public(request)
            begin_body(response)
            compress(request, response)
        except Exception as error:
            response = translate(error, "files", request_id=trip.id)
        response.headers += LINK_HEADERS
        return response

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
        principal = self._sign_in.principal(request)
        if isinstance(principal, Response):
            return principal
        if principal is None:
            if not self._world_may_read(request):
                return self._sign_in.challenge(request)
            principal = ANONYMOUS
        trip.principal = principal
        session = self._store.session(principal)
        session.base_url = self._settings.server.public_url.rstrip("/") or f"{request.scheme}://{request.host}"
        response = mount(request, session)
        begin_body(response)
        compress(request, response)
        return response

    def _world_may_read(self, request: Request) -> bool:
        if request.method not in ("GET", "HEAD"):
            return False
        session = self._store.session(ANONYMOUS)
        try:
            return session.access.may(Action.READ, session.canonical(request.path))
        except (AuthError, StorageError):
            return False


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
