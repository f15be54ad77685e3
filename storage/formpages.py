"""
The pages that a form or poll begins with: documents of the association from then on, like any other of its files.

Plain HTML 5 without scripts: what a browser checks by itself it checks, and the server judges what comes in any case.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from html import escape

from storage.answers import OTHER
from storage.form import Field, Form
from storage.objectnames import RESPONSES
from storage.pagestyle import STYLE

WORDS: Mapping[str, Mapping[str, str]] = {
    "send": {"en": "Send", "fr": "Envoyer", "de": "Absenden"},
    "vote": {"en": "Vote", "fr": "Voter", "de": "Abstimmen"},
    "required": {
        "en": "Fields with a star must be filled in.",
        "fr": "Les champs marqués d'une étoile sont obligatoires.",
        "de": "Felder mit Stern müssen ausgefüllt werden.",
    },
    "other": {"en": "Other:", "fr": "Autre :", "de": "Anderes:"},
    "none": {"en": "no answer", "fr": "sans réponse", "de": "keine Angabe"},
    "rank": {"en": "1 is the first", "fr": "1 est le premier", "de": "1 ist das Erste"},
    "files": {"en": "up to {} MB each", "fr": "jusqu'à {} Mo chacun", "de": "bis {} MB je Datei"},
    "file": {"en": "up to {} MB", "fr": "jusqu'à {} Mo", "de": "bis {} MB"},
    "image/*": {"en": "pictures", "fr": "images", "de": "Bilder"},
    "audio/*": {"en": "sound", "fr": "sons", "de": "Ton"},
    "video/*": {"en": "videos", "fr": "vidéos", "de": "Videos"},
    "trap": {
        "en": "Leave this empty",
        "fr": "Laissez ce champ vide",
        "de": "Bitte leer lassen",
    },
    "thanks": {"en": "Thank you", "fr": "Merci", "de": "Danke"},
    "stored": {
        "en": "Your answer has arrived.",
        "fr": "Votre réponse est bien arrivée.",
        "de": "Deine Antwort ist angekommen.",
    },
    "closed": {"en": "Closed", "fr": "Terminé", "de": "Geschlossen"},
    "over": {
        "en": "No more answers are taken here.",
        "fr": "Les réponses ne sont plus acceptées.",
        "de": "Hier werden keine Antworten mehr angenommen.",
    },
}
LONGEST_SELECT = 20  # ranks to choose from; one of more is typed
INPUTS = {"text": "text", "email": "email", "tel": "tel", "number": "number", "date": "date", "time": "time"}
COMPLETES = {"email": "email", "tel": "tel"}


def render_index(form: Form, title: str, language: str) -> bytes:
    """The page with the questions of a form."""
    has_must = any(field.required for field in form.fields)
    parts = [f"<p>{escape(line)}</p>" for line in form.description.split("\n") if line.strip()]
    parts += [f'<p class="note">{word("required", language)}</p>'] if has_must else []
    parts.append(f'<form action="{RESPONSES}/" method="post" enctype="multipart/form-data" accept-charset="utf-8">')
    for number, field in enumerate(form.fields, 1):
        parts += _field(field, f"f{number}", language)
    parts += trap(form.honeypot, language)
    parts += [f'<p><button type="submit">{word("send", language)}</button></p>', "</form>"]
    return page(title, parts, language)


def render_thanks(title: str, language: str) -> bytes:
    """The page behind an answer."""
    parts = [f"<p>{word('stored', language)}</p>"]
    return page(f"{word('thanks', language)}", parts, language, about=title)


def render_closed(title: str, language: str) -> bytes:
    """The page of a form or poll that is over."""
    return page(title, [f"<p>{word('over', language)}</p>"], language, about=word("closed", language))


def page(title: str, parts: Sequence[str], language: str, *, about: str = "") -> bytes:
    """A whole page; ``about`` stands behind its title in the browser's own title."""
    full = f"{title} – {about}" if about and about != title else title
    lines = [
        "<!DOCTYPE html>",
        f'<html lang="{language}">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(full)}</title>",
        f"<style>\n{STYLE}</style>",
        "</head>",
        "<body>",
        "<main>",
        f"<h1>{escape(title)}</h1>",
        *parts,
        "</main>",
        "</body>",
        "</html>",
    ]
    return ("\n".join(lines) + "\n").encode()


def word(key: str, language: str) -> str:
    """A word of the pages, as HTML."""
    return escape(WORDS[key][language])


def trap(name: str, language: str) -> list[str]:
    """The field that people neither see nor are read, where there is one."""
    if not name:
        return []
    told = f'<label for="trap">{word("trap", language)}</label>'
    return [
        f'<p class="trap" aria-hidden="true">{told} '
        f'<input id="trap" name="{escape(name)}" tabindex="-1" autocomplete="off"></p>'
    ]


def control_names(form: Form) -> dict[str, set[str]]:
    """By field the names that controls of a page can have for it."""
    found: dict[str, set[str]] = {}
    for field in form.fields:
        names = {field.name, *([f"{field.name}.other"] if field.other else [])}
        if field.type == "grid":
            names = {f"{field.name}.{number}" for number in range(1, len(field.rows) + 1)}
        if field.type == "ranking":
            names = {f"{field.name}.{number}" for number in range(1, len(field.options) + 1)}
        found[field.name] = names
    return found


def _field(field: Field, id: str, language: str) -> Iterator[str]:
    if field.type == "hidden":
        yield f'<input type="hidden" name="{escape(field.name)}" value="{escape(field.value)}">'
        return
    render = GROUPS.get(field.type)
    hint = " ".join(part for part in (field.hint, _own_hint(field, language)) if part)
    described = f' aria-describedby="{id}-hint"' if hint else ""
    told = f'<p class="hint" id="{id}-hint">{escape(hint)}</p>' if hint else ""
    told_so = "" if field.type == "choices" else ' aria-hidden="true"'  # of others the controls say that they must
    label = escape(field.label) + (f' <span class="must"{told_so}>*</span>' if field.required else "")
    if render is None:
        yield '<div class="field">'
        yield f'<label class="top" for="{id}">{label}</label>'
        yield _control(field, id, described)
        yield from [told] if told else []
        yield "</div>"
    else:
        yield f"<fieldset{described}>"
        yield f"<legend>{label}</legend>"
        yield from [told] if told else []
        yield from render(field, id, language)
        yield "</fieldset>"


def _own_hint(field: Field, language: str) -> str:
    if field.type == "ranking":
        return WORDS["rank"][language]
    if field.type == "file":
        megabytes = field.max_bytes / 1_000_000
        size = f"{megabytes:.2g}" if megabytes < 100 else f"{megabytes:.0f}"
        several = field.most is not None and field.most > 1
        kinds = ", ".join(WORDS.get(kind, {}).get(language, kind) for kind in field.types)
        said = WORDS["files" if several else "file"][language].format(size)
        return f"{kinds}; {said}" if kinds else said
    return ""


def _control(field: Field, id: str, described: str) -> str:
    must = " required" if field.required else ""
    about = f'id="{id}" name="{escape(field.name)}"{must}{described}'
    if field.type == "longtext":
        return f'<textarea {about} maxlength="{field.most or 10_000}"></textarea>'
    if field.type == "file":
        accept = f' accept="{escape(",".join(field.types))}"' if field.types else ""
        several = " multiple" if field.most is not None and field.most > 1 else ""
        return f'<input type="file" {about}{accept}{several}>'
    if field.type == "color":
        return f'<input type="color" {about}>'
    if field.type == "number":
        step = f' step="{_digits(field.step)}"' if field.step is not None else ' step="any"'
        least = f' min="{_digits(field.least)}"' if field.least is not None else ""
        most = f' max="{_digits(field.most)}"' if field.most is not None else ""
        return f'<input type="number" {about}{least}{most}{step}>'
    longest = f' maxlength="{field.most or 1000}"' if field.type in ("text", "email", "tel") else ""
    completes = f' autocomplete="{COMPLETES[field.type]}"' if field.type in COMPLETES else ""
    return f'<input type="{INPUTS[field.type]}" {about}{longest}{completes}>'


def _digits(number: Decimal) -> str:
    """As people write it: without exponent, and no zeros behind the last digit that counts."""
    return f"{number.normalize():f}"


def _options(field: Field, id: str, language: str) -> Iterator[str]:
    kind = "radio" if field.type == "choice" else "checkbox"
    must = " required" if field.required and kind == "radio" else ""
    name = escape(field.name)
    for option in field.options:
        said = escape(option)
        yield f'<label class="one"><input type="{kind}" name="{name}" value="{said}"{must}> <span>{said}</span></label>'
    if field.other:
        other = word("other", language)
        choice = f'type="{kind}" name="{name}" value="{OTHER}"{must}'
        yield f'<label class="one"><input {choice}> <span>{other}</span></label>'
        about = f'aria-label="{escape(field.label)}: {other}" maxlength="200"'
        yield f'<input class="other" type="text" name="{name}.other" {about}>'
    if kind == "radio" and not field.required:
        yield _none(name, language)


def _scale(field: Field, id: str, language: str) -> Iterator[str]:
    must = " required" if field.required else ""
    step = field.step or 1
    value = field.least
    yield '<div class="scale">'
    while value is not None and field.most is not None and value <= field.most:
        about = f'name="{escape(field.name)}" value="{_digits(value)}"{must}'
        yield f'<label class="one"><input type="radio" {about}> <span>{_digits(value)}</span></label>'
        value += step
    if not field.required:
        yield _none(escape(field.name), language)
    yield "</div>"


def _ranking(field: Field, id: str, language: str) -> Iterator[str]:
    must = " required" if field.required else ""
    most = len(field.options)
    ranks = "".join(f"<option>{rank}</option>" for rank in range(1, most + 1))
    for number, option in enumerate(field.options, 1):
        about = f'id="{id}-{number}" name="{escape(field.name)}.{number}"{must}'
        if most <= LONGEST_SELECT:
            control = f'<select {about}><option value="">–</option>{ranks}</select>'
        else:
            control = f'<input type="number" {about} min="1" max="{most}">'
        yield f'<div class="rank">{control}<label for="{id}-{number}">{escape(option)}</label></div>'


def _grid(field: Field, id: str, language: str) -> Iterator[str]:
    must = " required" if field.required else ""
    for number, row in enumerate(field.rows, 1):
        yield f'<div class="row" role="radiogroup" aria-labelledby="{id}-{number}">'
        yield f'<div id="{id}-{number}">{escape(row)}</div><div class="choices">'
        for option in field.options:
            about = f'name="{escape(field.name)}.{number}" value="{escape(option)}"{must}'
            yield f'<label class="one"><input type="radio" {about}> <span>{escape(option)}</span></label>'
        if not field.required:
            yield _none(f"{escape(field.name)}.{number}", language)
        yield "</div></div>"


def _none(name: str, language: str) -> str:
    """What takes back a choice, as a browser by itself does not let anybody do."""
    choice = f'<input type="radio" name="{name}" value="" checked>'
    return f'<label class="one">{choice} <span>{word("none", language)}</span></label>'


GROUPS = {"choice": _options, "choices": _options, "scale": _scale, "ranking": _ranking, "grid": _grid}
