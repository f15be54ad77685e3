"""
``/p/<token>/…``: what the association publishes by a link, to whoever has the link.

Nobody signs in here and no member's credentials are looked at. Unknown, revoked and never issued tokens give one and
the same 404 and are counted by address: after ten, one try a second. Who has used a link from an address goes on using
it while others there guess.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import replace
from datetime import UTC, datetime

from auth.acl import Access
from auth.errors import Hidden, LinkOver, NoSuchLink
from auth.links import PRINCIPAL, LinkBook, LinkPasswords, is_over
from auth.rates import Rates
from auth.throttle import Throttle
from config.schema import Settings
from davserver.dav.errors import UrlTooLong
from davserver.dav.if_header import NO_CONDITIONS, parse_if
from davserver.dav.message import Request, Response
from davserver.mounts import forms, polls, public_collection, public_folder, public_pages
from davserver.mounts.doors import DoorCall
from davserver.mounts.forms import FormCall
from davserver.mounts.polls import PollCall
from davserver.mounts.public_call import LinkCall
from davserver.mounts.public_collection import Published
from davserver.mounts.public_pages import OpenFolder
from davserver.signin import PLAIN, is_loopback, parse_basic
from storage import paths
from storage.collection import Collection
from storage.errors import NotFound
from storage.forms import FormFolder, find_form
from storage.linknames import PAGES
from storage.links import Issued
from storage.linksfile import SUFFIXES
from storage.linkview import LinkView
from storage.objectnames import FORMS, POLLS, RESPONSES, VOTES
from storage.openpages import may_use, pages_of
from storage.paths import DAV, is_within
from storage.personallinks import Personal
from storage.polls import PollFolder, find_poll
from storage.published import BUSY, WorldView
from storage.session import Session
from storage.store import Store
from storage.transaction import Transaction

ANY_LINK = ""  # for the throttle: guesses at tokens count together, by address
KEPT_VISITORS = 10_000
CHALLENGE = ("WWW-Authenticate", 'Basic realm="link", charset="UTF-8"')
PASSWORD = "This link has a password; the name does not matter.\n"  # noqa: S105 - a sentence


class PublicMount:
    """Answers what is asked below ``/p/``."""

    def __init__(self, store: Store, settings: Settings, rates: Rates | None = None) -> None:
        self._store = store
        self._settings = settings
        self._allow_plain_http = settings.server.allow_plain_http
        self._throttle = Throttle()
        self._rates = rates or Rates()
        self._visitors = _Visitors()
        self._view = WorldView(BUSY[settings.language])
        accounts = settings.accounts
        self._passwords = LinkPasswords(
            lifetime_s=accounts.credential_cache_s, entries=accounts.credential_cache_entries
        )

    def __call__(self, request: Request) -> Response:
        """
        Answer one request.

        Raises:
            NoSuchLink, LinkOver: there is nothing (any more) for whoever has this link.
            TooManyTries: too many wrong tokens or passwords from this address.
        """
        token, _, rest = request.path.removeprefix("/p").lstrip("/").partition("/")
        personal = self._store.personal.find(token)
        if personal is not None:
            return self._answer_personal(request, personal, token, rest)
        issued = self._find(token, request.remote)
        session = self._session(request, issued, "read")
        of_collection = is_within(issued.path, DAV)
        collection = _published(session, issued, rest) if of_collection else None
        if is_over(issued.link, datetime.fromtimestamp(self._store.clock(), UTC), issued.served):
            raise LinkOver
        refusal = self._refusal(request, issued)
        if refusal is not None:
            return refusal
        if collection is not None:
            return public_collection.answer(request, session, Published(collection, issued), self._view)
        return self._answer_folder(request, session, issued, rest)

    def _answer_personal(self, request: Request, personal: Personal, token: str, rest: str) -> Response:
        """A form or poll for one member, as long as that may answer it."""
        principal, session = personal.principal, self._store.session(personal.principal)
        form, poll = find_form(self._store, personal.path), find_poll(self._store, personal.path)
        common = session, principal, self._rates, f"/p/{token}"
        if form is not None and may_use(session.access, principal, form):
            of_form = DoorCall(request, self._settings, form, *common, is_public=True)
            return self._answer_form(of_form, rest, is_shared=True)
        if poll is not None and poll.is_voter(principal):
            of_poll = DoorCall(request, self._settings, poll, *common, is_public=True)
            return self._answer_poll(of_poll, rest, is_shared=True)
        raise NoSuchLink

    def _answer_poll(self, call: PollCall, rest: str, *, is_shared: bool) -> Response:
        found = call.found
        pages = PAGES | frozenset(found.poll.public)
        shown = OpenFolder(found.folder, call.base, pages, found.is_over, VOTES, lambda: polls.answer(call), is_shared)
        return public_pages.answer(call.request, call.session, shown, rest)

    def _answer_form(self, call: FormCall, rest: str, *, is_shared: bool) -> Response:
        found = call.found
        shown = OpenFolder(
            found.folder,
            call.base,
            pages_of(found),
            found.is_over(call.principal),
            RESPONSES,
            lambda: forms.answer(call),
            is_shared,
        )
        return public_pages.answer(call.request, call.session, shown, rest)

    def _answer_folder(self, request: Request, session: Session, issued: Issued, rest: str) -> Response:
        if len(request.path.encode()) > self._settings.limits.path_bytes:
            raise UrlTooLong(f"the path is longer than {self._settings.limits.path_bytes} bytes")
        found, poll = find_form(self._store, issued.path), find_poll(self._store, issued.path)
        if (found or poll) is not None and paths.parent_of(issued.path) not in (FORMS, POLLS):
            raise NoSuchLink
        if found is not None or poll is not None:
            return self._answer_door(request, found, poll, issued, rest)
        try:
            header = request.header("if")
            path = session.canonical(f"{issued.path}/{rest}")
            if_header = NO_CONDITIONS if header is None else parse_if(header)
            view = LinkView(session, issued)
            writer = self._session(request, issued, "drop") if issued.link.adds else None
            return public_folder.answer(
                LinkCall(request, session, self._settings, path, if_header, None, issued, view, writer, self._rates)
            )
        except (Hidden, NotFound) as error:
            raise NoSuchLink from error

    def _answer_door(
        self, request: Request, form: FormFolder | None, poll: PollFolder | None, issued: Issued, rest: str
    ) -> Response:
        """A form or poll for whoever has the link."""

        def charge(tx: Transaction, size: int) -> None:
            self._store.links.count_stored(tx, issued, size)

        common = self._session(request, issued, "drop"), None, self._rates, f"/p/{issued.token}", True, charge
        is_shared = issued.link.password is None
        if poll is not None:
            return self._answer_poll(DoorCall(request, self._settings, poll, *common), rest, is_shared=is_shared)
        if form is not None:
            return self._answer_form(DoorCall(request, self._settings, form, *common), rest, is_shared=is_shared)
        raise NoSuchLink

    def _session(self, request: Request, issued: Issued, right: str) -> Session:
        """A session of the link's own, as if it had a right."""
        link = replace(issued.link, right=right)
        session = Session(self._store, PRINCIPAL, Access(PRINCIPAL, LinkBook(self._store.rulebook, issued.path, link)))
        session.base_url = self._settings.server.public_url.rstrip("/") or f"{request.scheme}://{request.host}"
        return session

    def _find(self, token: str, address: str) -> Issued:
        known = self._visitors.knows(address, token)
        if not known:
            self._throttle.require(address, ANY_LINK)
        issued = self._store.links.find(token)
        if issued is None:
            self._throttle.failed(address, ANY_LINK)
            raise NoSuchLink
        if not known:
            self._visitors.remember(address, token)
        return issued

    def _refusal(self, request: Request, issued: Issued) -> Response | None:
        """The answer to who has to give the link's password and has not; any name will do (RFC 7617)."""
        stored = issued.link.password
        if stored is None or request.method == "OPTIONS":
            return None
        if not (request.scheme == "https" or self._allow_plain_http or is_loopback(request.remote)):
            return Response.text(403, PLAIN)
        credentials = parse_basic(request.header("authorization") or "")
        if credentials is None:
            return Response.text(401, PASSWORD, CHALLENGE)
        account = f"{issued.path} {issued.name}"
        self._throttle.require(request.remote, account)
        if not self._passwords.verify(issued.token, credentials[1], stored):
            self._throttle.failed(request.remote, account)
            return Response.text(401, PASSWORD, CHALLENGE)
        self._throttle.succeeded(request.remote, account)
        return None


def _published(session: Session, issued: Issued, rest: str) -> Collection:
    """The calendar or address book of a link. Raises NoSuchLink."""
    found = session.pim.find(issued.path) if issued.link.right == "read" else None
    if not isinstance(found, Collection) or found.tag not in SUFFIXES or not session.pim.reads_items(found):
        raise NoSuchLink
    if rest and ("/" in rest or not rest.lower().endswith(SUFFIXES[found.tag])):
        raise NoSuchLink
    return found


class _Visitors:
    """Who has opened which link: a bounded number of pairs of address and token."""

    def __init__(self) -> None:
        self._pairs: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._lock = threading.Lock()

    def knows(self, address: str, token: str) -> bool:
        """Whether the link was opened from this address."""
        return (address, token) in self._pairs

    def remember(self, address: str, token: str) -> None:
        """Note that it was."""
        with self._lock:
            self._pairs[address, token] = None
            while len(self._pairs) > KEPT_VISITORS:
                self._pairs.popitem(last=False)
