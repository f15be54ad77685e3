"""POST to the votes of a poll: from its page, by a guest or through a member's own link, and by programs."""

from __future__ import annotations

from dataclasses import dataclass

from auth.principal import Principal
from auth.rates import Rates
from auth.throttle import network_of
from config.schema import Settings
from davserver.dav.errors import UnsupportedMedia
from davserver.dav.formbody import CSV, JSON, Fields, media_type_of, read_object, read_page
from davserver.dav.message import Request, Response, quote_path
from davserver.mounts.browsing import SANDBOX, page_headers
from davserver.mounts.files_write import Checked, verified
from storage.answering import Charge, FormClosed
from storage.casting import cast, cast_guest
from storage.errors import NotFound
from storage.form import A_MINUTE, A_MINUTE_OF_ADDRESS
from storage.linknames import CLOSED, THANKS
from storage.paths import join
from storage.pollpages import OPTION_PREFIX
from storage.polls import PollFolder
from storage.session import Session
from storage.votes import answers_to

BODY_BYTES = 64 * 1024
LONGEST_NAME = 100
SAID = {
    "thanks": {"en": "Thank you.\n", "fr": "Merci.\n", "de": "Danke.\n"},
    "closed": {"en": "This poll is over.\n", "fr": "Ce sondage est terminé.\n", "de": "Diese Umfrage ist beendet.\n"},
    "name": {
        "en": "name: required, up to 100 characters\n",
        "fr": "name : obligatoire, 100 caractères au plus\n",
        "de": "name: muss ausgefüllt werden, bis 100 Zeichen\n",
    },
    "code": {
        "en": "code: required, up to 100 characters\n",
        "fr": "code : obligatoire, 100 caractères au plus\n",
        "de": "code: muss ausgefüllt werden, bis 100 Zeichen\n",
    },
    "answer": {"en": "not one of the answers", "fr": "pas une des réponses", "de": "keine der Antworten"},
    "none": {
        "en": "Nothing was voted on.\n",
        "fr": "Aucun choix n'a été fait.\n",
        "de": "Es wurde nichts gewählt.\n",
    },
}


@dataclass(frozen=True, slots=True)
class PollCall:
    """
    One request that votes.

    Attributes:
        session: at whose hand it is stored.
        principal: whose vote it is; None of a guest.
        base, is_public, charge: as of ``davserver.mounts.forms.FormCall``.
    """

    request: Request
    settings: Settings
    found: PollFolder
    session: Session
    principal: Principal | None
    rates: Rates
    base: str
    is_public: bool
    charge: Charge | None = None

    def said(self, key: str) -> str:
        """A sentence in the configured language."""
        return SAID[key][self.settings.language]

    def page(self, name: str) -> bytes | None:
        """A page of the poll's folder."""
        row = self.session.store.find_member(self.found.folder, name)
        try:
            return None if row is None else self.session.store.read_member(self.found.folder, name)[0]
        except NotFound:
            return None


def answer(call: PollCall) -> Response:
    """
    Take a vote.

    Raises:
        NeedPrivileges, VoteRefused, TooManyUploads, TooLarge, BadRequest, UnsupportedMedia, and what writing raises.
    """
    if call.principal is None and call.found.is_over:
        return _closed(call)
    kind = media_type_of(call.request.header("content-type"))
    if kind == CSV or call.request.header("content-encoding") is not None:
        raise UnsupportedMedia("a vote is sent by a page, or as a JSON object")
    fields = _fields(call, kind)
    of_address = {f"{call.found.path} {network_of(call.request.remote)}": A_MINUTE_OF_ADDRESS}
    call.rates.take({f"{call.found.path} votes": A_MINUTE, **of_address})
    honeypot = call.found.poll.honeypot
    if not honeypot or not any(text.strip() for text in fields.texts.get(honeypot, ())):
        refusal = _store(call, fields)
        if refusal is not None:
            return refusal
    if kind == JSON:
        return Response.empty(201)
    if call.page(THANKS) is not None:
        return Response.empty(303, ("Location", quote_path(join(call.base, THANKS))))
    return Response.text(200, call.said("thanks"))


def _fields(call: PollCall, kind: str) -> Fields:
    body = verified(call.request, Checked(call.request.body, call.request.content_length, BODY_BYTES))
    if kind == JSON:
        return read_object(body)
    return read_page(call.request.header("content-type"), body, lambda name, part: None)


def _store(call: PollCall, fields: Fields) -> Response | None:
    """Store the vote; what is wrong with it, where something is."""
    answers, wrong = _answers(call, fields)
    name, code = (" ".join("".join(fields.texts.get(key, ())[:1]).split()) for key in ("name", "code"))
    if call.principal is None:
        wrong += "".join(
            call.said(key) for key, said in (("name", name), ("code", code)) if not 0 < len(said) <= LONGEST_NAME
        )
    if wrong or not answers:
        return Response.text(422, wrong or call.said("none"))
    try:
        if call.principal is not None:
            cast(call.session, call.found, call.principal, {**answers})
        else:
            cast_guest(call.session, call.found, name, code, answers, call.charge)
    except FormClosed:
        return _closed(call)
    return None


def _answers(call: PollCall, fields: Fields) -> tuple[dict[str, str], str]:
    """The answers by option, and a line for each that is none; names that the poll does not know are dropped."""
    taken = answers_to(call.found.poll)
    answers, wrong = dict[str, str](), ""
    for option in call.found.poll.options:
        texts = fields.texts.get(OPTION_PREFIX + option.id, [])
        said = fields.grids.get(OPTION_PREFIX.rstrip("."), {}).get(option.id) or "".join(texts[:1])
        if said in taken and len(texts) <= 1:
            answers[option.id] = said
        elif said:
            wrong += f"{option.id}: {call.said('answer')}\n"
    return answers, wrong


def _closed(call: PollCall) -> Response:
    page = call.page(CLOSED)
    if page is None:
        return Response.text(403, call.said("closed"))
    headers = page_headers(call.request) if call.is_public else [SANDBOX]
    return Response(403, [("Content-Type", "text/html; charset=utf-8"), *headers], page)
