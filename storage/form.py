"""
``form.toml``: what a form asks, who may answer it and until when.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Context, Decimal, localcontext

from auth.tables import Table, listed
from storage.board import ID
from storage.formtemplate import TEMPLATES
from storage.objectnames import FORM_FILE
from storage.portable import made_safe
from storage.settingsfile import read_settings, require_sound

MOST_FIELDS = 200
MOST_OPTIONS = 200
MOST_CHOICES = 5_000  # in all fields together; each option of a grid counts in each row
LONGEST_TEXT = 10_000  # characters of an answer, unless the field says otherwise
LARGEST_FILE_BYTES = 10 << 20
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
RESERVED = frozenset({"_charset_", "time", "member"})  # a browser's own, and columns of the table of answers
WORLD, MEMBERS = "world", "members"
VIEWS = ("journal", "task", "none")
A_MINUTE, A_MINUTE_OF_ADDRESS = 120, 10
EXACT = Context(prec=50)  # a number of 15 digits with 15 behind the point, in steps as small as those

TEXTS = ("text", "longtext", "email", "tel")
NUMBERS = ("number", "scale")
CHOICES = ("choice", "choices", "ranking", "grid")
TYPES = (*TEXTS, *NUMBERS, "date", "time", *CHOICES, "file", "color", "hidden")
KEYS = ("name", "label", "hint", "type", "required")
OWN_KEYS: dict[str, tuple[str, ...]] = {
    # what a field of a type may say beside that
    **dict.fromkeys(TEXTS, ("max",)),
    **dict.fromkeys(NUMBERS, ("min", "max", "step")),
    "choice": ("options", "other"),
    "choices": ("options", "other", "max"),
    "ranking": ("options",),
    "grid": ("rows", "options"),
    "file": ("types", "max_bytes", "max"),
    "hidden": ("value",),
}


@dataclass(frozen=True, slots=True)
class Field:
    """
    One question.

    Attributes:
        name: in the answer; label: what people read; hint: below it.
        least, most: of a number or scale; ``most`` is the number of characters of a text, of choices, or of files.
        rows: of a grid, for each of which one of the options is chosen.
        other: something else than the options may be written.
        types: media types or suffixes of files; all where there are none.
        value: of a hidden field.
    """

    name: str
    label: str
    type: str
    required: bool = False
    hint: str = ""
    least: Decimal | None = None
    most: Decimal | None = None
    step: Decimal | None = None
    options: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    other: bool = False
    types: tuple[str, ...] = ()
    max_bytes: int = LARGEST_FILE_BYTES
    value: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """
    What ``form.toml`` says.

    Attributes:
        id: written into it by the server, "" where it is not there.
        who: ``WORLD``, ``MEMBERS`` or names of groups and members.
        once: one answer of each member, of which the last one counts.
        anonymous: the answer does not say whose it is.
        view: how answers stand in calendars.
        summary: the fields in the title of an answer there.
        honeypot: a field that people do not see; who fills it in is a program.
        public: further files of the folder that strangers may load.
        links_reset: another number ends all personal links.
        per_minute, per_minute_of_address: how many answers are taken.
    """

    id: str = ""
    title: str = ""
    description: str = ""
    closes: datetime | None = None
    max_responses: int | None = None
    who: str | tuple[str, ...] = MEMBERS
    once: bool = False
    anonymous: bool = False
    view: str = "journal"
    summary: tuple[str, ...] = ()
    honeypot: str = ""
    public: tuple[str, ...] = ()
    links_reset: int = 0
    per_minute: int = A_MINUTE
    per_minute_of_address: int = A_MINUTE_OF_ADDRESS
    fields: tuple[Field, ...] = ()

    def field(self, name: str) -> Field | None:
        """The field of a name."""
        return next((field for field in self.fields if field.name == name), None)


CLOSED = Form(who=WORLD, view="none", max_responses=0)  # what holds where nobody knows what a broken one said


def parse_form(data: bytes) -> Form:
    """
    Read a ``form.toml``.

    Raises:
        FileRefused: what is wrong with it, each with its line.
    """
    file = read_settings(data, FORM_FILE)
    form = _read(file.root)
    require_sound(file)
    return form


def render_new(id: str, language: str) -> bytes:
    """The ``form.toml`` of a new form: an example to start from, with what there is in comments."""
    return TEMPLATES[language].replace("{id}", id).encode()


def _read(root: Table) -> Form:
    root.only(
        (
            *("id", "title", "description", "closes", "max_responses", "who", "once", "anonymous", "view", "summary"),
            *("honeypot", "public", "links_reset", "per_minute", "per_minute_of_address", "field"),
        )
    )
    once, anonymous = bool(root.flag("once")), bool(root.flag("anonymous"))
    if once and anonymous:
        root.report(
            "once", "once = true in an anonymous form", "nothing would tell members apart: leave one of them out"
        )
    fields = _read_fields(root)
    names = [field.name for field in fields]
    return Form(
        id=read_id(root),
        title=root.text("title") or "",
        description=root.text("description") or "",
        closes=root.instant("closes"),
        max_responses=root.number("max_responses", least=1),
        who=_read_who(root),
        once=once,
        anonymous=anonymous,
        view=_one_of(root, "view", VIEWS),
        summary=_read_summary(root, names),
        honeypot=_read_honeypot(root, names),
        public=read_public(root),
        links_reset=root.number("links_reset", least=0) or 0,
        per_minute=root.number("per_minute", least=1) or A_MINUTE,
        per_minute_of_address=root.number("per_minute_of_address", least=1) or A_MINUTE_OF_ADDRESS,
        fields=fields,
    )


def read_id(root: Table) -> str:
    """The ``id`` of a form or poll, as the server writes it."""
    id = root.text("id") or ""
    if id and not ID.fullmatch(id):
        root.report("id", f"id is {id[:20]!r}", "leave the line out: the server writes it")
    return id


def read_public(root: Table) -> tuple[str, ...]:
    """Names of further files in the folder that strangers may load: none below another folder, and no settings."""
    names = root.texts("public") or ()
    for name in names:
        folded = name.casefold()
        if made_safe(name) != name or folded.startswith(".") or folded.endswith((".toml", ".csv", ".txt", ".json")):
            root.report(
                "public", f"public holds {name[:60]!r}", 'it can be the name of a page, style or picture: "style.css"'
            )
    return names


def _one_of(root: Table, key: str, words: Sequence[str]) -> str:
    word = root.text(key) or words[0]
    if word not in words:
        root.report(key, f"{key} is {word[:20]!r}", f"it can be {listed(words)}")
        return words[0]
    return word


def _read_who(root: Table) -> str | tuple[str, ...]:
    names = root.texts("who", single=True)
    if names is None:
        return MEMBERS
    if not names:
        root.report("who", "who is empty", f'it can be "{WORLD}", "{MEMBERS}" or a list of groups and members')
    return next((word for word in (WORLD, MEMBERS) if word in names), names)  # what takes in all the others


def _read_summary(root: Table, names: Sequence[str]) -> tuple[str, ...]:
    summary = root.texts("summary") or ()
    for name in summary:
        if name not in names:
            root.report("summary", f"summary names {name[:40]!r}, which is no field", "it can be names of fields")
    return summary


def _read_honeypot(root: Table, names: Sequence[str]) -> str:
    name = root.text("honeypot") or ""
    if name and (name in names or name.casefold() in RESERVED or not NAME.fullmatch(name)):
        root.report("honeypot", f"honeypot is {name[:40]!r}", 'it can be a name that no field has, such as "website"')
    return name


def _read_fields(root: Table) -> tuple[Field, ...]:
    tables = list(root.each("field"))
    if len(tables) > MOST_FIELDS:
        root.report("field", f"{len(tables)} fields", f"a form can have {MOST_FIELDS}")
        return ()
    fields, taken = list[Field](), set[str]()
    for table in tables:
        field = _read_field(table)
        if field.name.casefold() in taken:
            table.report("name", f"the name {field.name!r} stands there twice", "each field has a name of its own")
        taken.add(field.name.casefold())
        fields.append(field)
    choices = sum(len(field.options) * max(1, len(field.rows)) for field in fields)
    if choices > MOST_CHOICES:
        root.report("field", f"{choices} choices in all", f"a form can have {MOST_CHOICES}, so that its page is loaded")
        return ()
    return tuple(fields)


def _read_field(table: Table) -> Field:
    name, type = table.text("name") or "", table.text("type") or "text"
    if name.casefold() in RESERVED:
        table.report("name", f"name is {name!r}", "the table of answers has a column of that name; call it otherwise")
    elif not NAME.fullmatch(name):
        said = f"name is {name[:60]!r}" if name else "a field without name"
        table.report("name" if name else None, said, 'it can be of letters, digits, - and _, such as "name"')
    if type not in TYPES:
        table.report("type", f"type is {type[:20]!r}", f"it can be {listed(TYPES)}")
        type = "text"
    table.only((*KEYS, *OWN_KEYS.get(type, ())))
    least, most, step = (_number(table, key) for key in ("min", "max", "step"))
    if least is not None and most is not None and least > most:
        table.report("min", f"min is {least}, more than max, {most}", "write the smaller number first")
    if step is not None and step <= 0:
        table.report("step", f"step is {step}", "it can be a number above 0")
    if type not in NUMBERS and most is not None and (most != int(most) or most < 1):
        table.report("max", f"max is {most}", "it can be a whole number from 1 up")
    if type == "scale":
        least, most = least if least is not None else Decimal(1), most if most is not None else Decimal(5)
        if least > most:
            table.report("min", f"a scale from {least} to {most}", "say both min and max, the smaller number first")
        if step is None or step > 0:
            _require_short(table, least, most, step or Decimal(1))
    options, rows = _options(table, "options"), _options(table, "rows")
    if type in CHOICES and not options:
        table.report("options", f"a {type} without options", 'write options = ["one", "two"]')
    if type == "grid" and not rows:
        table.report("rows", "a grid without rows", 'write rows = ["one", "two"]')
    max_bytes = table.number("max_bytes", least=1)
    return Field(
        name=name,
        label=table.text("label") or name,
        type=type,
        required=bool(table.flag("required")),
        hint=table.text("hint") or "",
        least=least,
        most=most,
        step=step,
        options=options,
        rows=rows,
        other=bool(table.flag("other")),
        types=_types(table),
        max_bytes=LARGEST_FILE_BYTES if max_bytes is None else max_bytes,
        value=table.text("value", empty=True) or "",
    )


def _require_short(table: Table, least: Decimal, most: Decimal, step: Decimal) -> None:
    if most - least > MOST_OPTIONS * step:
        said = f"a scale from {least} to {most} in steps of {step}"
        table.report("max", said, f"it can have {MOST_OPTIONS} steps; or use a number")


def _number(table: Table, key: str) -> Decimal | None:
    value = table.decimal(key)
    if value is not None and not is_plain(value):
        table.report(key, f"{key} is {value}", "it can be a number with up to 15 digits, and 15 behind the point")
        return None
    return value


def is_plain(number: Decimal) -> bool:
    """Whether a number has up to 15 digits, and as many behind the point."""
    with localcontext(EXACT):
        return abs(number) <= 10**15 and number == round(number, 15)


def _options(table: Table, key: str) -> tuple[str, ...]:
    found = table.texts(key) or ()
    if len(found) > MOST_OPTIONS:
        table.report(key, f"{len(found)} {key}", f"a field can have {MOST_OPTIONS}")
    if len(set(found)) != len(found):
        table.report(key, f"one of the {key} stands there twice", "each is its own")
    if any(not text.strip() or text != text.strip() or "\n" in text or "; " in text for text in found):
        table.report(key, f"one of the {key} is empty, of several lines, or has '; ' in it", "write it in plain words")
    return found


def _types(table: Table) -> tuple[str, ...]:
    found = table.texts("types") or ()
    for word in found:
        if not re.fullmatch(r"\.[A-Za-z0-9.]{1,16}|[a-z]+/(\*|[a-zA-Z0-9.+-]{1,100})", word):
            table.report("types", f"types holds {word[:40]!r}", 'it can be suffixes or media types: ".pdf", "image/*"')
    return tuple(word.lower() for word in found)
