"""The page on which a poll is voted in a browser: name and code of a guest, and yes, maybe or no for each option."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape

from storage.formpages import page, trap, word
from storage.objectnames import VOTES
from storage.poll import OPTION_PREFIX, Option, Poll
from storage.polltexts import option_text
from storage.votes import MAYBE, NO, YES, answers_to

WORDS: Mapping[str, Mapping[str, str]] = {
    YES: {"en": "yes", "fr": "oui", "de": "ja"},
    MAYBE: {"en": "if need be", "fr": "si nécessaire", "de": "wenn nötig"},
    NO: {"en": "no", "fr": "non", "de": "nein"},
    "name": {"en": "Your name", "fr": "Votre nom", "de": "Dein Name"},
    "code": {"en": "A code of your own", "fr": "Un code à vous", "de": "Ein eigener Code"},
    "why": {
        "en": "With the same name and code you can change your vote later.",
        "fr": "Avec le même nom et le même code, vous pourrez changer votre vote.",
        "de": "Mit demselben Namen und Code kannst du deine Stimme später ändern.",
    },
    "member": {
        "en": "Who came here by a link of their own leaves name and code empty.",
        "fr": "Qui vient par son lien personnel laisse le nom et le code vides.",
        "de": "Wer über den eigenen Link kommt, lässt Name und Code leer.",
    },
}


def render_poll(poll: Poll, title: str, language: str) -> bytes:
    """The page of a poll."""
    parts = [f"<p>{escape(line)}</p>" for line in poll.description.split("\n") if line.strip()]
    parts.append(f'<form action="{VOTES}/" method="post" accept-charset="utf-8">')
    for number, option in enumerate(poll.options, 1):
        parts += _option(option, f"o{number}", poll, language)
    must = "" if poll.voters else " required"
    parts += _field("name", "n", language, f'autocomplete="name" maxlength="100"{must}', "")
    parts += _field("code", "c", language, f'autocomplete="off" maxlength="100"{must}', WORDS["why"][language])
    if poll.voters:
        parts.append(f'<p class="note">{escape(WORDS["member"][language])}</p>')
    parts += trap(poll.honeypot, language)
    parts += [f'<p><button type="submit">{word("vote", language)}</button></p>', "</form>"]
    return page(title, parts, language)


def _option(option: Option, id: str, poll: Poll, language: str) -> Iterator[str]:
    yield "<fieldset>"
    yield f"<legend>{escape(option_text(option, language))}</legend>"
    yield '<div class="choices">'
    for answer in answers_to(poll):
        about = f'name="{OPTION_PREFIX}{escape(option.id)}" value="{answer}"'
        said = escape(WORDS[answer][language])
        yield f'<label class="one"><input type="radio" {about}> <span>{said}</span></label>'
    yield "</div>"
    yield "</fieldset>"


def _field(name: str, id: str, language: str, about: str, hint: str) -> Iterator[str]:
    described = f' aria-describedby="{id}-hint"' if hint else ""
    yield '<div class="field">'
    yield f'<label class="top" for="{id}">{escape(WORDS[name][language])}</label>'
    yield f'<input type="text" id="{id}" name="{name}" {about}{described}>'
    if hint:
        yield f'<p class="hint" id="{id}-hint">{escape(hint)}</p>'
    yield "</div>"
