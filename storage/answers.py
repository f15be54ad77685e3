"""
Answers to forms: what was sent against what was asked, and the file that an answer is.

Numbers, dates and times are judged as a browser's own fields send them. In a page, what one name cannot hold has names
of its own behind a dot: ``<field>.other`` the text beside the options, ``<field>.<n>`` the n-th row of a grid or the
rank of the n-th option.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal, localcontext
from typing import Any

from storage.errors import StorageError
from storage.form import EXACT, LONGEST_TEXT, Field, Form, is_plain

OTHER = "__other__"  # what a page sends for the choice of something else
LONGEST_LINE = 1_000
LARGEST_ANSWER_BYTES = 4 << 20  # of the file: all texts of a page, each character escaped, beside names and rows
FIRST_YEAR = 1900  # what is older was not answered to this form
MAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}")
PHONE = re.compile(r"[0-9+()/. -]{1,40}")
COLOR = re.compile(r"#[0-9a-fA-F]{6}")
DATE, TIME = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII), re.compile(r"\d\d:\d\d(:\d\d)?", re.ASCII)
NUMBER = re.compile(r"[+-]?([0-9]{1,15}(\.[0-9]{1,15})?|\.[0-9]{1,15})([eE][+-]?[0-9]{1,2})?", re.ASCII)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")

Value = str | int | float | tuple[str, ...] | Mapping[str, str]

WORDS: Mapping[str, Mapping[str, str]] = {
    "required": {"en": "required", "fr": "obligatoire", "de": "muss ausgefüllt werden"},
    "long": {"en": "at most {} characters", "fr": "{} caractères au plus", "de": "höchstens {} Zeichen"},
    "mail": {"en": "not a mail address", "fr": "adresse incorrecte", "de": "keine Mailadresse"},
    "phone": {"en": "not a telephone number", "fr": "numéro incorrect", "de": "keine Telefonnummer"},
    "number": {"en": "not a number", "fr": "pas un nombre", "de": "keine Zahl"},
    "least": {"en": "at least {}", "fr": "{} au moins", "de": "mindestens {}"},
    "most": {"en": "at most {}", "fr": "{} au plus", "de": "höchstens {}"},
    "step": {"en": "not in steps of {}", "fr": "pas par pas de {}", "de": "nicht in Schritten von {}"},
    "date": {"en": "not a date", "fr": "pas une date", "de": "kein Datum"},
    "time": {"en": "not a time", "fr": "pas une heure", "de": "keine Uhrzeit"},
    "color": {"en": "not a colour", "fr": "pas une couleur", "de": "keine Farbe"},
    "option": {"en": "not one of the options", "fr": "pas une des options", "de": "keine der Möglichkeiten"},
    "kind": {
        "en": "another kind of value is asked for",
        "fr": "une autre sorte de valeur est demandée",
        "de": "eine andere Art von Wert ist gefragt",
    },
    "bare": {
        "en": "the name came without the file; send it as multipart/form-data",
        "fr": "le nom est venu sans le fichier ; envoyez-le en multipart/form-data",
        "de": "der Name kam ohne die Datei; sende sie als multipart/form-data",
    },
    "once": {"en": "only one answer", "fr": "une seule réponse", "de": "nur eine Antwort"},
    "rank": {"en": "each rank once", "fr": "chaque rang une fois", "de": "jeder Rang einmal"},
    "rows": {"en": "one for each row", "fr": "une par ligne", "de": "eine je Zeile"},
    "file": {"en": "this kind of file is not taken", "fr": "type de fichier refusé", "de": "diese Art Datei nicht"},
    "files": {"en": "at most {} files", "fr": "{} fichiers au plus", "de": "höchstens {} Dateien"},
}


class AnswerRefused(StorageError):
    """
    What was sent does not fit the form (422).

    Attributes:
        problems: a line for each field with its label and what is wrong, by name, in the order of the form.
    """

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("\n".join(problems.values()))
        self.problems = problems


class FileTooLarge(StorageError):
    """A file is larger than its field takes, or the whole answer than any may be (413)."""


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file that came with an answer, as far as its field judges it."""

    name: str
    media_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Sent:
    """
    What came: texts and files by name, each in the order in which they came.

    Attributes:
        grids: of programs, which send a grid as one value: option by row.
    """

    texts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    files: Mapping[str, Sequence[SentFile]] = field(default_factory=dict)
    grids: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """
    An answer as it is stored.

    Attributes:
        time: when it came, aware UTC, in seconds.
        member: whose it is, None where that is not known or not to be known.
        values: by name of the field, in the order of the form.
    """

    time: datetime
    member: str | None
    values: Mapping[str, Value]


def judge_answer(form: Form, sent: Sent, language: str) -> dict[str, Value]:
    """
    The values of an answer by field; names that the form does not know are dropped.

    Raises:
        AnswerRefused: some do not fit.
        FileTooLarge: a file is too large for its field.
    """
    values, problems = dict[str, Value](), dict[str, str]()
    for each in form.fields:
        try:
            value = _judge(each, sent)
        except _Wrong as error:
            problems[each.name] = f"{each.label}: {WORDS[error.word][language].format(error.about)}"
            continue
        if value not in ("", (), {}):
            values[each.name] = value
        elif each.required:
            problems[each.name] = f"{each.label}: {WORDS['required'][language]}"
    if problems:
        raise AnswerRefused(problems)
    return values


def render_answer(form_id: str, answer: Answer) -> bytes:
    """The file of an answer."""
    about: dict[str, Any] = {"form": form_id, "time": answer.time.strftime("%Y-%m-%dT%H:%M:%SZ")}
    if answer.member is not None:
        about["member"] = answer.member
    return (json.dumps({**about, "answers": dict(answer.values)}, ensure_ascii=False, indent=2) + "\n").encode(
        "utf-8",
        "replace",  # somebody edited half a character into the file
    )


def parse_answer(data: bytes) -> Answer | None:
    """The answer that a file is, or None; people may have edited it."""
    if len(data) > LARGEST_ANSWER_BYTES:
        return None
    try:
        found = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not isinstance(found.get("answers"), dict):
        return None
    at, member = _instant(found.get("time")), found.get("member")
    if at is None or not isinstance(member, str | None):
        return None
    values = {name: _value(value) for name, value in found["answers"].items()}
    if any(value is None for value in values.values()):
        return None
    return Answer(at, member, {name: value for name, value in values.items() if value is not None})


def text_of_value(value: Value) -> str:
    """A value as people read it: several with "; " between them."""
    match value:
        case str():
            return value
        case int() | float():
            return f"{value}"
        case tuple():
            return "; ".join(value)
    return "; ".join(f"{row}: {option}" for row, option in value.items())


def _instant(said: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(said) if isinstance(said, str) else None
        at = found.astimezone(UTC) if found is not None and found.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
    return at if at is not None and at.year >= FIRST_YEAR else None


def _value(value: object) -> Value | None:
    match value:
        case bool():
            return None
        case str() | int() | float():
            return value
        case list():
            texts = tuple(each for each in value if isinstance(each, str))
            return texts if len(texts) == len(value) else None
        case dict():
            cells = {str(row): option for row, option in value.items() if isinstance(option, str)}
            return cells if len(cells) == len(value) else None
    return None


class _Wrong(Exception):
    """What is wrong with a value: a key of ``WORDS``."""

    def __init__(self, word: str, about: object = "") -> None:
        super().__init__(word)
        self.word = word
        self.about = about


def _judge(asked: Field, sent: Sent) -> Value:
    if asked.type != "grid" and asked.name in sent.grids:
        raise _Wrong("kind")
    judge = JUDGES.get(asked.type)
    if judge is not None:
        return judge(asked, sent)
    texts = [text for text in sent.texts.get(asked.name, ()) if text.strip()]
    if len(texts) > 1:
        raise _Wrong("once")
    if not texts:
        return ""
    return ONE_TEXT[asked.type](asked, plain_text(texts[0]))


def plain_text(text: str) -> str:
    """A text with the newlines of a file, and without what is no character of a text."""
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _line(asked: Field, text: str, *, longest: int = LONGEST_LINE) -> str:
    text = " ".join(text.split("\n")).strip()
    return _bounded(asked, text, longest)


def _bounded(asked: Field, text: str, longest: int) -> str:
    most = longest if asked.most is None else int(asked.most)
    if len(text) > most:
        raise _Wrong("long", most)
    return text


def _long_text(asked: Field, text: str) -> str:
    return _bounded(asked, text.strip("\n"), LONGEST_TEXT)


def _mail(asked: Field, text: str) -> str:
    text = _line(asked, text)
    if not MAIL.fullmatch(text):
        raise _Wrong("mail")
    return text


def _phone(asked: Field, text: str) -> str:
    text = _line(asked, text)
    if not PHONE.fullmatch(text) or not any(c.isdigit() for c in text):
        raise _Wrong("phone")
    return text


def _number(asked: Field, text: str) -> int | float:
    text = text.strip()
    number = Decimal(text) if NUMBER.fullmatch(text) else None
    if number is None or not is_plain(number):
        raise _Wrong("number")
    if asked.least is not None and number < asked.least:
        raise _Wrong("least", f"{asked.least:f}")
    if asked.most is not None and number > asked.most:
        raise _Wrong("most", f"{asked.most:f}")
    step = asked.step if asked.step is not None or asked.type == "number" else Decimal(1)
    with localcontext(EXACT):
        if step is not None and (number - (asked.least or 0)) % step:
            raise _Wrong("step", f"{step:f}")
    return int(number) if number == number.to_integral_value() else float(number)


def _date(asked: Field, text: str) -> str:
    text = text.strip()
    try:
        date.fromisoformat(text if DATE.fullmatch(text) else "")
    except ValueError as error:
        raise _Wrong("date") from error
    return text


def _time(asked: Field, text: str) -> str:
    text = text.strip()
    try:
        time.fromisoformat(text if TIME.fullmatch(text) else "x")
    except ValueError as error:
        raise _Wrong("time") from error
    return text


def _color(asked: Field, text: str) -> str:
    text = text.strip().lower()
    if not COLOR.fullmatch(text):
        raise _Wrong("color")
    return text


ONE_TEXT: Mapping[str, Callable[[Field, str], Value]] = {
    # of each type with one value: the value of a text that is not empty
    "text": _line,
    "longtext": _long_text,
    "email": _mail,
    "tel": _phone,
    "number": _number,
    "scale": _number,
    "date": _date,
    "time": _time,
    "color": _color,
    "hidden": _line,
}


def _chosen(asked: Field, sent: Sent) -> Iterator[str]:
    """What was chosen, each once; what was written beside the options stands for the choice of something else."""
    other = plain_text("".join(sent.texts.get(f"{asked.name}.other", ())[:1])).strip() if asked.other else ""
    texts = [plain_text(text).strip() for text in sent.texts.get(asked.name, ())]
    if other and OTHER not in texts and (asked.type == "choices" or not any(texts)):
        texts.append(OTHER)
    for text in dict.fromkeys(texts):
        if text == OTHER and asked.other:
            text = _line(asked, other, longest=200)
        elif text and text not in asked.options:
            if not asked.other:
                raise _Wrong("option")
            text = " ".join(text.split("\n"))
            if len(text) > 200:
                raise _Wrong("long", 200)
        if text:
            yield text


def _choice(asked: Field, sent: Sent) -> str:
    chosen = list(_chosen(asked, sent))
    if len(chosen) > 1:
        raise _Wrong("once")
    return chosen[0] if chosen else ""


def _choices(asked: Field, sent: Sent) -> tuple[str, ...]:
    chosen = list(_chosen(asked, sent))
    if asked.most is not None and len(chosen) > asked.most:
        raise _Wrong("most", asked.most)
    order = {option: number for number, option in enumerate(asked.options)}
    return tuple(sorted(dict.fromkeys(chosen), key=lambda text: order.get(text, len(order))))


def _ranking(asked: Field, sent: Sent) -> tuple[str, ...]:
    """The options in their order: as they were sent, or by the rank that a page sends for each."""
    sent_whole = [text for text in sent.texts.get(asked.name, ()) if text]
    ranks = [
        (rank[0].strip(), option)
        for number, option in enumerate(asked.options, 1)
        if (rank := sent.texts.get(f"{asked.name}.{number}", ())) and rank[0].strip()
    ]
    if not sent_whole and not ranks:
        return ()
    if ranks:
        if not all(re.fullmatch("[0-9]{1,4}", rank) for rank, _ in ranks):
            raise _Wrong("rank")
        if sorted(int(rank) for rank, _ in ranks) != list(range(1, len(asked.options) + 1)):
            raise _Wrong("rank")
        return tuple(option for _, option in sorted(ranks, key=lambda each: int(each[0])))
    if sorted(sent_whole) != sorted(asked.options):
        raise _Wrong("rank")
    return tuple(sent_whole)


def _grid(asked: Field, sent: Sent) -> dict[str, str]:
    whole = sent.grids.get(asked.name, {})
    if any(text.strip() for text in sent.texts.get(asked.name, ())):
        raise _Wrong("kind")
    found: dict[str, str] = {}
    for number, row in enumerate(asked.rows, 1):
        text = whole.get(row) or "".join(sent.texts.get(f"{asked.name}.{number}", ())[:1]).strip()
        if text and text not in asked.options:
            raise _Wrong("option")
        if text:
            found[row] = text
    if set(whole) - set(asked.rows):
        raise _Wrong("option")
    if found and asked.required and len(found) < len(asked.rows):
        raise _Wrong("rows")
    return found


def _files(asked: Field, sent: Sent) -> tuple[str, ...]:
    files = sent.files.get(asked.name, ())
    if any(text.strip() for text in sent.texts.get(asked.name, ())):
        raise _Wrong("bare")
    most = 1 if asked.most is None else int(asked.most)
    if len(files) > most:
        raise _Wrong("files", most)
    for file in files:
        if asked.types and not any(_is_of(file, kind) for kind in asked.types):
            raise _Wrong("file")
        if file.size > asked.max_bytes:
            raise FileTooLarge(f"{asked.label}: {file.name} has {file.size} bytes; it can have {asked.max_bytes}")
    return tuple(file.name for file in files)


def _is_of(file: SentFile, kind: str) -> bool:
    if kind.startswith("."):
        return file.name.lower().endswith(kind)
    main, _, sub = kind.partition("/")
    return file.media_type == kind or (sub == "*" and file.media_type.startswith(f"{main}/"))


JUDGES: Mapping[str, Callable[[Field, Sent], Value]] = {
    "choice": _choice,
    "choices": _choices,
    "ranking": _ranking,
    "grid": _grid,
    "file": _files,
}
