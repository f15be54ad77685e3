"""POST to the votes of a poll: from its page, by a guest or through a member's own link, and by programs."""

from __future__ import annotations

from davserver.dav.errors import UnsupportedMedia
from davserver.dav.formbody import CSV, JSON, Fields, media_type_of, read_object, read_page
from davserver.dav.message import Response
from davserver.mounts.doors import DoorCall
from davserver.mounts.files_write import Checked, verified
from storage.answering import FormClosed
from storage.answers import plain_text
from storage.casting import cast, cast_guest
from storage.form import A_MINUTE, A_MINUTE_OF_ADDRESS
from storage.poll import OPTION_PREFIX
from storage.polls import PollFolder
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


PollCall = DoorCall[PollFolder]


def answer(call: PollCall) -> Response:
    """
    Take a vote.

    Raises:
        NeedPrivileges, VoteRefused, TooManyUploads, TooLarge, BadRequest, UnsupportedMedia, and what writing raises.
    """
    if call.principal is None and call.found.is_over:
        return call.closed(SAID["closed"])
    kind = media_type_of(call.request.header("content-type"))
    if kind == CSV or call.request.header("content-encoding") is not None:
        raise UnsupportedMedia("a vote is sent by a page, or as a JSON object")
    fields = _fields(call, kind)
    call.count(A_MINUTE, A_MINUTE_OF_ADDRESS)
    honeypot = call.found.poll.honeypot
    if not honeypot or not any(text.strip() for text in fields.texts.get(honeypot, ())):
        refusal = _store(call, fields)
        if refusal is not None:
            return refusal
    if kind == JSON:
        return Response.empty(201)
    return call.thanks(SAID["thanks"])


def _fields(call: PollCall, kind: str) -> Fields:
    body = verified(call.request, Checked(call.request.body, call.request.content_length, BODY_BYTES))
    if kind == JSON:
        return read_object(body)
    return read_page(call.request.header("content-type"), body, lambda name, part: None)


def _store(call: PollCall, fields: Fields) -> Response | None:
    """Store the vote; what is wrong with it, where something is."""
    answers, wrong = _answers(call, fields)
    name, code = (" ".join(plain_text("".join(fields.texts.get(key, ())[:1])).split()) for key in ("name", "code"))
    if call.principal is None:
        wrong += "".join(
            call.said(SAID[key]) for key, said in (("name", name), ("code", code)) if not 0 < len(said) <= LONGEST_NAME
        )
    if wrong or not answers:
        return Response.text(422, wrong or call.said(SAID["none"]))
    try:
        if call.principal is not None:
            cast(call.session, call.found, call.principal, {**answers})
        else:
            cast_guest(call.session, call.found, name, code, answers, call.charge)
    except FormClosed:
        return call.closed(SAID["closed"])
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
            wrong += f"{option.id}: {call.said(SAID['answer'])}\n"
    return answers, wrong
