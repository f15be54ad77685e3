"""What the doors of forms and polls have in common: who comes, by which way, and the pages beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from auth.principal import Principal
from auth.rates import Rates
from auth.throttle import network_of
from config.schema import Settings
from davserver.dav.message import Request, Response, quote_path
from davserver.mounts.browsing import SANDBOX, page_headers
from storage.answering import Charge
from storage.errors import NotFound
from storage.fileterms import Terms
from storage.forms import FormFolder
from storage.linknames import CLOSED, THANKS
from storage.paths import join
from storage.polls import PollFolder
from storage.session import Session

NO_TERMS = Terms()
Words = Mapping[str, str]
Found = TypeVar("Found", FormFolder, PollFolder)


@dataclass(frozen=True, slots=True)
class DoorCall(Generic[Found]):
    """
    One request that answers a form or votes.

    Attributes:
        found: the form or poll.
        session: at whose hand it is stored.
        principal: whose answer it is; None of whoever has the public link.
        base: the URL path of the folder, decoded, as the request names it, without slash.
        is_public: it came through a link: pages are shown as pages.
        charge: counts what is stored against the link.
        terms: the locks that whoever asks holds.
    """

    request: Request
    settings: Settings
    found: Found
    session: Session
    principal: Principal | None
    rates: Rates
    base: str
    is_public: bool
    charge: Charge | None = None
    terms: Terms = NO_TERMS

    def said(self, words: Words) -> str:
        """A sentence in the configured language."""
        return words[self.settings.language]

    def count(self, per_minute: int, per_minute_of_address: int) -> None:
        """Note what comes. Raises TooManyUploads."""
        path = self.found.path
        of_address = {f"{path} {network_of(self.request.remote)}": per_minute_of_address}
        self.rates.take({f"{path} all": per_minute, **of_address})

    def page(self, name: str) -> bytes | None:
        """A page of the folder."""
        store, folder = self.session.store, self.found.folder
        row = store.find_member(folder, name)
        try:
            return None if row is None else store.read_member(folder, name)[0]
        except NotFound:
            return None

    def thanks(self, words: Words) -> Response:
        """The answer to a page: on to the one that says thanks, or a sentence."""
        if self.page(THANKS) is None:
            return Response.text(200, self.said(words))
        return Response.empty(303, ("Location", quote_path(join(self.base, THANKS))))

    def closed(self, words: Words, *, as_page: bool = True) -> Response:
        """The answer to who comes too late: the page that says so, or a sentence."""
        page = self.page(CLOSED) if as_page else None
        if page is None:
            return Response.text(403, self.said(words))
        headers: list[tuple[str, str]] = page_headers(self.request) if self.is_public else [SANDBOX]
        return Response(403, [("Content-Type", "text/html; charset=utf-8"), *headers], page)
